-- title: Requests by AWS services
-- question: Which requests were made by another AWS service, and on whose behalf?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- By what CloudTrail says of the caller. Not seen: a service that works with a role of its own and says so nowhere.
SELECT
  coalesce(invoked_by, source_ip_address) AS service,
  actor,
  event_name,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  max(event_time) AS last_seen
FROM calls_once
WHERE by_aws_service
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY coalesce(invoked_by, source_ip_address), actor, event_name
ORDER BY requests DESC, service NULLS LAST, actor NULLS LAST, event_name NULLS LAST
