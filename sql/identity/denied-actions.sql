-- title: Denied actions
-- question: Which actions on which resources were refused, to whom, and how often?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- Not seen: what a refused call asked for beyond action and resource, which CloudTrail leaves out.
SELECT
  principal,
  denied_action,
  denied_resource_arn,
  count(*) AS refusals,
  count(DISTINCT source_ip_address) AS addresses,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM denied_calls
WHERE event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY principal, denied_action, denied_resource_arn
ORDER BY refusals DESC, principal NULLS LAST, denied_action NULLS LAST, denied_resource_arn NULLS LAST
