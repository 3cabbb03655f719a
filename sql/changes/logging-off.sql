-- title: Build logs turned off
-- question: Where were the logs of builds to CloudWatch Logs or S3 turned off, for a project or one build, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1685.002
-- response: Turn the logs on again, and look what the role of the project did meanwhile.
-- benign: Projects whose logs go to S3 instead, and those that move from one to the other.
-- S3 counts where it was on before. A build of which log group or bucket is another is in build-overrides. Logs that
-- are deleted or expire in CloudWatch Logs or S3 are not seen, nor a role that may not write them.
WITH turned_off AS (
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    CAST(NULL AS VARCHAR) AS build_id,
    coalesce(before, before_deleted) AS before,
    actor,
    source_ip_address,
    account,
    region
  FROM project_changes
  WHERE setting = 'logsConfig.cloudWatchLogs.status'
      AND after = 'DISABLED'
      AND (before_deleted IS DISTINCT FROM 'DISABLED')
    OR setting = 'logsConfig.s3Logs.status'
      AND coalesce(before, before_deleted) = 'ENABLED'
      AND (after IS DISTINCT FROM 'ENABLED')
  UNION ALL
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    build_id,
    CAST(NULL AS VARCHAR) AS before,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN ('StartBuild', 'StartBuildBatch')
    AND succeeded
    AND array_has(request_members, 'logsConfigOverride')
    AND logs_cloudwatch_status = 'DISABLED'
  QUALIFY row_number() OVER (PARTITION BY coalesce(build_arn, build_batch_arn, event_id) ORDER BY event_id) = 1
)
SELECT
  event_time,
  event_name,
  project_name,
  build_id,
  before,
  actor,
  source_ip_address,
  account,
  region
FROM turned_off
WHERE ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST, before NULLS FIRST
