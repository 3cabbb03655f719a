-- title: Requests by operation
-- question: What requests were made, how often, and how many of them failed?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar event_name requests
-- Not seen: what a webhook, a batch or CodeBuild itself starts.
SELECT
  event_name,
  operation_access,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT actor) AS actors,
  count(DISTINCT project_name) AS projects,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM calls_once
WHERE event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY event_name, operation_access
ORDER BY requests DESC, event_name NULLS LAST, operation_access NULLS LAST
