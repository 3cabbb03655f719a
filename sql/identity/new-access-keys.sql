-- title: New access keys
-- question: Which long-term access keys were new for a principal that had called before without them?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1098.001
-- response: Ask the user if the key is theirs; if not, delete it and look for who called CreateAccessKey
-- benign: Keys that are changed on a schedule
-- A key added to a user who is known is how an intruder stays. The first key of a new principal is in
-- new-principals. What came before the dataset begins is not known, so the first days find more.
-- What is first is looked up by its time: sorting all calls takes several times as long. The few come first
-- in the join, which keeps them.
-- Not seen: a key that never calls CodeBuild, one of a user who never called before, temporary credentials that a key
-- was changed for, and calls without a readable time.
WITH first_uses AS (
  SELECT
    principal AS caller,
    access_key_id AS access_key,
    min(event_time) AS key_first_seen,
    min(min(event_time)) OVER (PARTITION BY principal) AS principal_first_seen
  FROM calls
  WHERE event_source = 'codebuild.amazonaws.com'
    AND principal IS NOT NULL
  GROUP BY principal, access_key_id
),
new_keys AS (
  SELECT caller, access_key, key_first_seen, principal_first_seen
  FROM first_uses
  WHERE access_key LIKE 'AKIA%'
    AND key_first_seen > principal_first_seen
),
seen AS (
  SELECT
    calls.*,
    new_keys.principal_first_seen,
    row_number() OVER (
      PARTITION BY calls.principal, calls.access_key_id
      ORDER BY
        CASE WHEN calls.account = $account THEN 0 ELSE 1 END,
        CASE WHEN calls.region = $region THEN 0 ELSE 1 END,
        calls.event_id NULLS LAST
    ) AS nth
  FROM new_keys
  JOIN calls
    ON calls.principal = new_keys.caller
    AND calls.access_key_id = new_keys.access_key
    AND calls.event_time = new_keys.key_first_seen
  WHERE calls.event_source = 'codebuild.amazonaws.com'
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
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY first_seen, event_id NULLS LAST
