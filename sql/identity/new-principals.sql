-- title: New principals
-- question: Who called CodeBuild for the first time, and what was the first thing that they did?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: baseline integer [7] Days from an account's first event on that only show who is known (0 to 3650)
-- severity: low
-- attack: T1078.004
-- response: Ask the owner of the account for the principal; if unknown, look at all that it did since
-- benign: New colleagues and pipelines, and roles that were made anew under another name
-- By account: each has its own beginning, and who is known in one may be new in another.
-- Not seen: an intruder with the credentials of somebody known, who comes within the days of the baseline, or who
-- never calls CodeBuild; calls without a readable time.
-- Who called first is looked up by its time: sorting all calls takes several times as long. The few come first
-- in the join, which keeps them.
WITH first_calls AS (
  SELECT
    principal AS caller,
    account AS called,
    min(event_time) AS first_seen,
    min(min(event_time)) OVER (PARTITION BY account) AS account_first
  FROM calls
  WHERE event_source = 'codebuild.amazonaws.com'
  GROUP BY principal, account
),
seen AS (
  SELECT
    calls.*,
    first_calls.account_first,
    row_number() OVER (
      PARTITION BY calls.principal, calls.account
      ORDER BY CASE WHEN calls.region = $region THEN 0 ELSE 1 END, calls.event_id NULLS LAST
    ) AS nth
  FROM first_calls
  JOIN calls
    ON calls.principal = first_calls.caller
    AND (calls.account IS NOT DISTINCT FROM first_calls.called)
    AND calls.event_time = first_calls.first_seen
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
  AND date_part('epoch', event_time) >= date_part('epoch', account_first) + $baseline * 86400
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY first_seen, event_id NULLS LAST
