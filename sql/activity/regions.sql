-- title: Requests by account and region
-- question: In which accounts and regions is CodeBuild used, and since when?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar region requests
-- A record that two accounts got of one call counts in each, as each has it. Not seen: accounts and
-- regions whose log files were not converted.
SELECT
  account,
  region,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT actor) AS actors,
  count(DISTINCT project_name) AS projects,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM calls
WHERE event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY account, region
ORDER BY requests DESC, account NULLS LAST, region NULLS LAST
