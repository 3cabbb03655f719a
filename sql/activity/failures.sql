-- title: Failed calls
-- question: Which calls failed, why, and who made them?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- Not seen: builds that failed, which CloudTrail does not tell, and calls that never came to AWS. Events without
-- a readable time come last.
SELECT
  event_time,
  event_name,
  error_code,
  project_name,
  actor,
  source_ip_address,
  error_message
FROM calls_once
WHERE NOT succeeded
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS LAST, event_id NULLS LAST
