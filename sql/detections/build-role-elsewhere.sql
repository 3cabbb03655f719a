-- title: Build roles used outside builds
-- question: Which service roles of builds were used in sessions that are no build, and from where?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- severity: medium
-- attack: T1078.004
-- needs: all
-- A role that only CodeBuild may assume never shows up here. One that people or pipelines share does, and
-- that is a finding, too. Calls to other services need --keep all.
WITH roles AS (
  SELECT DISTINCT session_issuer_arn AS role_arn
  FROM events
  WHERE actor_build_uuid IS NOT NULL
    AND session_issuer_arn IS NOT NULL
  UNION
  SELECT DISTINCT service_role AS role_arn
  FROM builds
  WHERE service_role LIKE 'arn:%'
)
SELECT
  events.session_issuer_arn AS role_arn,
  events.role_session_name AS session_name,
  events.source_ip_address,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT events.succeeded) AS failed,
  nullif(array_to_string(array_sort(array_agg(DISTINCT events.event_source)), ', '), '') AS services,
  nullif(array_to_string(array_sort(array_agg(DISTINCT events.event_name)), ', '), '') AS operations,
  min(events.event_time) AS first_seen,
  max(events.event_time) AS last_seen,
  events.recipient_account_id AS account
FROM events
JOIN roles ON roles.role_arn = events.session_issuer_arn
WHERE events.actor_build_uuid IS NULL
  AND coalesce(events.role_session_name NOT LIKE 'AWSCodeBuild%', true)
  AND ($since IS NULL OR events.event_time >= $since)
  AND ($until IS NULL OR events.event_time < $until)
  AND ($account IS NULL OR events.recipient_account_id = $account)
GROUP BY
  events.session_issuer_arn, events.role_session_name, events.source_ip_address, events.recipient_account_id
ORDER BY first_seen, role_arn, session_name, events.source_ip_address, account
