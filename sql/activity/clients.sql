-- title: Console, command line and automation
-- question: How much is done in the console, on the command line and by automation, and by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar client requests
-- See the view calls for how a client is told. A script that runs the command line looks like a person.
-- Not seen: a client that names itself as another.
SELECT
  CASE
    WHEN client IN ('console', 'cli') THEN client
    WHEN client IN ('aws-service', 'build', 'sdk', 'terraform', 'pulumi', 'jenkins') THEN 'automation'
    ELSE 'unknown'
  END AS channel,
  client,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT principal) AS principals,
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
GROUP BY client
ORDER BY requests DESC, client NULLS LAST
