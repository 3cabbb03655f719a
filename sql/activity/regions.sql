-- title: Requests by account and region
-- question: In which accounts and regions is CodeBuild used, and since when?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- chart: bar region requests
SELECT
  recipient_account_id AS account,
  aws_region AS region,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT actor) AS actors,
  count(DISTINCT project_name) AS projects,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
GROUP BY recipient_account_id, aws_region
ORDER BY requests DESC, account, region
