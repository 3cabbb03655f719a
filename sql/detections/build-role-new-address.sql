-- title: Build credentials from another address
-- question: Which credentials of a build were used from an address that is not the build's own?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- severity: high
-- attack: T1078.004
-- needs: build-activity
-- A build is one machine: its first address is its own. Private addresses (VPC endpoints), IPv4 and IPv6 are
-- judged apart, services that act with the role are left out. NAT gateways with several addresses are a
-- known cause of false alarms. Needs --keep build-activity or all.
WITH activity AS (
  SELECT
    build_uuid,
    project_name,
    started_by,
    event_time,
    event_id,
    event_source,
    event_name,
    account,
    role_arn,
    access_key_id,
    source_ip_address,
    user_agent,
    CASE
      WHEN source_ip_address LIKE '10.%'
        OR source_ip_address LIKE '192.168.%'
        OR source_ip_address LIKE '172.%' AND split_part(source_ip_address, '.', 2) IN (
          '16', '17', '18', '19', '20', '21', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31'
        )
        OR lower(source_ip_address) LIKE 'fd%:%'
        THEN 'private'
      WHEN source_ip_address LIKE '%:%' THEN 'IPv6'
      ELSE 'IPv4'
    END AS network
  FROM build_activity
  WHERE invoked_by IS NULL
    AND source_ip_address NOT LIKE '%.amazonaws.com'
    AND source_ip_address NOT LIKE 'AWS Internal%'
),
addresses AS (
  SELECT
    build_uuid,
    project_name,
    started_by,
    event_time,
    event_source,
    event_name,
    account,
    role_arn,
    access_key_id,
    source_ip_address,
    user_agent,
    first_value(source_ip_address) OVER (
      PARTITION BY build_uuid, network ORDER BY event_time, event_id
    ) AS build_address,
    first_value(user_agent) OVER (PARTITION BY build_uuid, network ORDER BY event_time, event_id) AS build_agent
  FROM activity
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
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
GROUP BY
  build_uuid, project_name, started_by, role_arn, access_key_id, source_ip_address, build_address, user_agent,
  build_agent, account
ORDER BY first_seen, build_uuid, access_key_id, source_ip_address, user_agent, account
