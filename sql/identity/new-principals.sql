-- title: New principals
-- question: Who called CodeBuild for the first time, and what was the first thing that they did?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- parameter: baseline integer [7] Days from the first event on that only show who is known
-- severity: low
-- attack: T1078.004
-- Who called first is looked up by its time: sorting all calls takes several times as long. The few come first
-- in the join, which keeps them.
WITH first_calls AS (
  SELECT principal AS caller, min(event_time) AS first_seen
  FROM calls
  WHERE event_source = 'codebuild.amazonaws.com'
    AND principal IS NOT NULL
  GROUP BY principal
),
seen AS (
  SELECT
    calls.*,
    min(calls.event_time) OVER () AS dataset_first,
    row_number() OVER (PARTITION BY calls.principal ORDER BY calls.event_id) AS nth
  FROM first_calls
  JOIN calls
    ON calls.principal = first_calls.caller AND calls.event_time = first_calls.first_seen
  WHERE calls.event_source = 'codebuild.amazonaws.com'
)
SELECT
  event_time AS first_seen,
  principal,
  actor,
  credential_kind,
  event_name,
  operation_access,
  project_name,
  account,
  region,
  client,
  source_ip_address,
  succeeded
FROM seen
WHERE nth = 1
  AND date_part('epoch', event_time) >= date_part('epoch', dataset_first) + $baseline * 86400
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
ORDER BY first_seen, event_id
