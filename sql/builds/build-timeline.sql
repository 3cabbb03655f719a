-- title: Timeline of a build
-- question: What happened to one build and what did it do itself, in order?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: build text [] The build: its id, ARN or UUID; without it every build
-- parameter: reads boolean [false] Also calls that only read about the build
-- What a build does in other services needs --keep build-activity or all.
WITH timeline AS (
  SELECT
    build_uuid,
    event_time,
    event_id,
    'to the build' AS direction,
    event_source,
    event_name,
    project_name,
    actor,
    succeeded,
    error_code,
    source_ip_address,
    CAST(NULL AS VARCHAR) AS resources,
    recipient_account_id AS account
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND build_uuid IS NOT NULL
    AND (actor_build_uuid IS DISTINCT FROM build_uuid)
    AND ($reads OR operation_access = 'write')
  UNION ALL
  SELECT
    build_uuid,
    event_time,
    event_id,
    'by the build' AS direction,
    event_source,
    event_name,
    project_name,
    role_arn AS actor,
    succeeded,
    error_code,
    source_ip_address,
    resource_arns AS resources,
    account
  FROM build_activity
)
SELECT
  build_uuid,
  event_time,
  direction,
  event_source,
  event_name,
  project_name,
  actor,
  succeeded,
  error_code,
  source_ip_address,
  resources
FROM timeline
WHERE ($build IS NULL OR build_uuid = split_part($build, ':', -1))
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
ORDER BY build_uuid, event_time, event_id, direction
