-- title: New access keys
-- question: Which long-term access keys were new for a principal that had called before without them?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- severity: medium
-- attack: T1098.001
-- A key added to a user who is known is how an intruder stays. The first key of a new principal is in
-- new-principals. What came before the dataset begins is not known, so the first days find more.
WITH seen AS (
  SELECT
    event_time,
    event_id,
    event_name,
    account,
    actor,
    principal,
    access_key_id,
    client,
    source_ip_address,
    min(event_time) OVER (PARTITION BY principal) AS principal_first_seen,
    row_number() OVER (PARTITION BY principal, access_key_id ORDER BY event_time, event_id) AS nth
  FROM calls
  WHERE event_source = 'codebuild.amazonaws.com'
    AND principal IS NOT NULL
)
SELECT
  event_time AS first_seen,
  access_key_id,
  actor,
  principal,
  account,
  principal_first_seen,
  event_name,
  client,
  source_ip_address
FROM seen
WHERE nth = 1
  AND access_key_id LIKE 'AKIA%'
  AND event_time > principal_first_seen
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
ORDER BY first_seen, event_id
