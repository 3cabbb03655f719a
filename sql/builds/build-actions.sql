-- title: What builds did
-- question: What did the builds of each project do in the account, service by service?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: build text [] Only this build: its id, ARN or UUID
-- needs: build-activity
-- Builds that no call started have no project name, but their role. What a build does with other credentials than its
-- role's is not seen, nor data events that the trail does not log.
SELECT
  project_name,
  role_arn,
  event_source,
  event_name,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT build_uuid) AS builds,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM build_activity
WHERE ($build IS NULL OR build_uuid = split_part($build, ':', -1))
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY project_name, role_arn, event_source, event_name
ORDER BY requests DESC, project_name NULLS LAST, role_arn NULLS LAST, event_source, event_name
