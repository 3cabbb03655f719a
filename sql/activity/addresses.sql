-- title: Source addresses
-- question: From which IP addresses and services were requests made, and by how many callers?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- chart: bar source_ip_address requests
SELECT
  source_ip_address,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(DISTINCT actor) AS actors,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
GROUP BY source_ip_address
ORDER BY requests DESC, source_ip_address
