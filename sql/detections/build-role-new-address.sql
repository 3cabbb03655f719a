-- title: Build credentials from another address
-- question: Which credentials of a build were used from an address that is not the build's own?
-- needs: build-activity
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: high
-- attack: T1078.004
-- response: Stop the build, revoke the role's sessions, and look at all that the access key did
-- benign: A NAT gateway with several addresses, or one that was replaced while the build ran
-- A build is one machine: its first address is its own, and the address that differs may be either one's.
-- Addresses of private networks (VPC endpoints and 100.64.0.0/10 too), IPv4 and IPv6 are judged apart; services that
-- act with the role, and services' names in place of an address, are left out. Calls without a time come last.
-- Not seen: who calls from the build itself or through its NAT gateway, and who is the only one to call from a kind of
-- network (IPv6, a VPC endpoint) where the build calls from another.
WITH addresses AS (
  SELECT
    build_uuid,
    project_name,
    started_by,
    event_time,
    event_source,
    event_name,
    account,
    region,
    role_arn,
    access_key_id,
    source_ip_address,
    user_agent,
    copy,
    first_value(source_ip_address) OVER (
      PARTITION BY build_uuid, network ORDER BY event_time NULLS LAST, event_id NULLS LAST
    ) AS build_address,
    first_value(user_agent) OVER (
      PARTITION BY build_uuid, network ORDER BY event_time NULLS LAST, event_id NULLS LAST
    ) AS build_agent
  FROM build_activity
  WHERE invoked_by IS NULL
    AND network <> 'aws'
)
SELECT
  min(event_time) AS first_seen,
  max(event_time) AS last_seen,
  build_uuid,
  project_name,
  started_by,
  role_arn,
  access_key_id,
  source_ip_address,
  build_address,
  user_agent,
  build_agent,
  count(*) AS requests,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_source)), ', '), '') AS services,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_name)), ', '), '') AS operations,
  account
FROM addresses
WHERE source_ip_address <> build_address
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY
  build_uuid, project_name, started_by, role_arn, access_key_id, source_ip_address, build_address, user_agent,
  build_agent, account
ORDER BY
  first_seen NULLS LAST, build_uuid, access_key_id NULLS LAST, source_ip_address, user_agent NULLS LAST,
  account NULLS LAST, project_name NULLS LAST, role_arn NULLS LAST
