-- title: Requests by day
-- question: How much happened on each day: reads, writes, failures, callers?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar day requests
-- Days are of UTC. Events without a readable time come last, under no day.
-- Not seen: builds that no call started (webhooks, batches). A record that two accounts got of one call
-- counts once.
SELECT
  CAST(date_trunc('day', event_time) AS DATE) AS day,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(*) FILTER (
    WHERE event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild', 'RetryBuildBatch') AND succeeded
  ) AS builds,
  count(DISTINCT actor) AS actors,
  count(DISTINCT project_name) AS projects
FROM calls_once
WHERE event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY CAST(date_trunc('day', event_time) AS DATE)
ORDER BY day NULLS LAST
