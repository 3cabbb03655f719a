-- title: Timeline of a build
-- question: What happened to one build and what did it do itself, in order?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: build text [] The build or batch: its id, ARN or UUID; without it the starts of the newest ten
-- parameter: reads boolean [false] Also calls that only read about the build
-- A call that names several builds is in the timeline of each; a retry is in that of the build it repeats, too. The
-- timeline of a batch has the calls on its builds and what they did, as far as an answer names the batch
-- or its builds. What a build does in other services needs --keep build-activity or all. Outcomes and
-- builds that no call started are not seen, but for what they did.
WITH calls AS (
  SELECT
    event_time,
    event_id,
    event_source,
    event_name,
    project_name,
    actor,
    actor_build_uuid,
    succeeded,
    error_code,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region,
    build_uuid,
    split_part(build_batch_id, ':', -1) AS batch_uuid,
    split_part(parent_build_batch_arn, ':', -1) AS parent_uuid,
    target_ids,
    builds_deleted,
    CASE
      WHEN event_name IN ('StartBuildBatch', 'StopBuildBatch', 'RetryBuildBatch') THEN response_elements
    END AS batch_answer
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND target_kind IN ('build', 'build_batch', 'project')
    AND event_name IN (
      'StartBuild', 'StopBuild', 'RetryBuild', 'BatchDeleteBuilds', 'BatchGetBuilds',
      'StartBuildBatch', 'StopBuildBatch', 'RetryBuildBatch', 'DeleteBuildBatch', 'BatchGetBuildBatches'
    )
    AND ($reads OR operation_access = 'write')
),
-- The builds of a batch: calls on them name it, and its own answers name them by ARN.
members AS (
  SELECT DISTINCT batch_uuid, build_uuid
  FROM (
    SELECT parent_uuid AS batch_uuid, build_uuid
    FROM calls
    WHERE parent_uuid IS NOT NULL
    UNION ALL
    SELECT batch_uuid, split_part(split_part(piece, '"', 1), ':', 2) AS build_uuid
    FROM (
      SELECT batch_uuid, unnest(string_to_array(batch_answer, ':build/')) AS piece
      FROM calls
      WHERE $build IS NOT NULL
        AND batch_answer IS NOT NULL
        AND batch_uuid = split_part($build, ':', -1)
    ) AS pieces
  ) AS both_ways
  WHERE length(build_uuid) = 36
),
-- Each call by every build that it names.
named AS (
  SELECT calls.*, build_uuid AS uuid FROM calls WHERE build_uuid IS NOT NULL
  UNION ALL
  SELECT calls.*, batch_uuid AS uuid FROM calls WHERE batch_uuid IS NOT NULL
  UNION ALL
  SELECT calls.*, split_part(unnest(target_ids), ':', -1) AS uuid
  FROM calls
  WHERE event_name NOT IN ('StartBuild', 'StartBuildBatch')
  UNION ALL
  SELECT calls.*, split_part(unnest(builds_deleted), ':', -1) AS uuid FROM calls
),
chosen AS (
  SELECT split_part($build, ':', -1) AS build_uuid, CAST(NULL AS VARCHAR) AS event_id
  WHERE $build IS NOT NULL
  UNION
  SELECT build_uuid, CAST(NULL AS VARCHAR) AS event_id
  FROM members
  WHERE batch_uuid = split_part($build, ':', -1)
  UNION
  SELECT build_uuid, event_id
  FROM (
    SELECT build_uuid, event_id
    FROM builds
    WHERE $build IS NULL
      AND ($since IS NULL OR started_at >= $since)
      AND ($until IS NULL OR started_at < $until)
      AND ($project IS NULL OR project_name = $project)
      AND ($account IS NULL OR account = $account)
      AND ($region IS NULL OR region = $region)
    ORDER BY started_at DESC NULLS LAST, build_id
    LIMIT 10
  ) AS newest
),
timeline AS (
  SELECT DISTINCT
    named.uuid AS build_uuid,
    named.event_time,
    named.event_id,
    'to the build' AS direction,
    named.event_source,
    named.event_name,
    named.project_name,
    named.actor,
    named.succeeded,
    named.error_code,
    named.source_ip_address,
    CAST(NULL AS VARCHAR) AS resources,
    named.account,
    named.region
  FROM named
  JOIN chosen ON chosen.build_uuid = named.uuid
  WHERE (named.actor_build_uuid IS DISTINCT FROM named.uuid)
    AND (chosen.event_id IS NULL OR chosen.event_id = named.event_id)
  UNION ALL
  SELECT
    activity.build_uuid,
    activity.event_time,
    activity.event_id,
    'by the build' AS direction,
    activity.event_source,
    activity.event_name,
    activity.project_name,
    activity.role_arn AS actor,
    activity.succeeded,
    activity.error_code,
    activity.source_ip_address,
    activity.resource_arns AS resources,
    activity.account,
    activity.region
  FROM build_activity AS activity
  JOIN chosen ON chosen.build_uuid = activity.build_uuid
  WHERE chosen.event_id IS NULL
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
WHERE ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST, build_uuid, direction
