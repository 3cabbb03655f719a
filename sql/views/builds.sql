-- title: Builds
-- question: Which builds were started or retried, by whom, how, and who stopped or deleted them later?
-- One row a build that a call started; a call that failed started none. CloudTrail has no call for a
-- build that a webhook starts, for one of a batch, or for an automatic retry, so there are more builds
-- than rows. The settings are what the build got, overrides applied; `overrides` is what the call asked
-- for. AWS shows a masked environmentVariablesOverride even where none was sent, so `variables` may be
-- no override. A retry names the build that it repeats in `retry_of`.
WITH succeeded_calls AS (
  -- The principal as the view calls has it.
  SELECT
    *,
    coalesce(
      CASE
        WHEN session_issuer_type = 'Role'
          AND session_issuer_arn NOT LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
          THEN session_issuer_arn
      END,
      user_identity_arn,
      user_identity_invoked_by,
      actor
    ) AS principal
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND succeeded
),
starts AS (
  -- A batch that is retried may keep its id, and a call may be there twice: the first counts.
  SELECT
    CASE WHEN event_name IN ('StartBuildBatch', 'RetryBuildBatch') THEN 'batch' ELSE 'build' END AS kind,
    CASE
      WHEN event_name IN ('StartBuildBatch', 'RetryBuildBatch') THEN build_batch_id
      ELSE build_id
    END AS build_id,
    CASE
      WHEN event_name IN ('StartBuildBatch', 'RetryBuildBatch') THEN split_part(build_batch_id, ':', -1)
      ELSE build_uuid
    END AS build_uuid,
    event_time,
    event_id,
    event_name,
    recipient_account_id,
    aws_region,
    project_name,
    CASE
      WHEN event_name IN ('RetryBuild', 'RetryBuildBatch')
        THEN split_part(target_ids[1], '/', -1)
    END AS retry_of,
    nullif(
      concat_ws(
        ', ',
        CASE WHEN array_has(request_members, 'buildspecOverride') THEN 'buildspec' END,
        CASE WHEN array_has(request_members, 'imageOverride') THEN 'image' END,
        CASE WHEN array_has(request_members, 'serviceRoleOverride') THEN 'role' END,
        CASE WHEN array_has(request_members, 'privilegedModeOverride') THEN 'privileged' END,
        CASE
          WHEN array_has(request_members, 'sourceTypeOverride')
            OR array_has(request_members, 'sourceLocationOverride')
            OR array_has(request_members, 'sourceAuthOverride')
            THEN 'source'
        END,
        CASE WHEN array_has(request_members, 'secondarySourcesOverride') THEN 'secondary sources' END,
        CASE
          WHEN array_has(request_members, 'environmentTypeOverride')
            OR array_has(request_members, 'computeTypeOverride')
            OR array_has(request_members, 'fleetOverride')
            OR array_has(request_members, 'hostKernelOverride')
            THEN 'environment'
        END,
        CASE
          WHEN array_has(request_members, 'registryCredentialOverride')
            OR array_has(request_members, 'imagePullCredentialsTypeOverride')
            THEN 'image credentials'
        END,
        CASE WHEN array_has(request_members, 'certificateOverride') THEN 'certificate' END,
        CASE WHEN array_has(request_members, 'insecureSslOverride') THEN 'insecure ssl' END,
        CASE
          WHEN array_has(request_members, 'artifactsOverride')
            OR array_has(request_members, 'secondaryArtifactsOverride')
            THEN 'artifacts'
        END,
        CASE WHEN array_has(request_members, 'encryptionKeyOverride') THEN 'encryption key' END,
        CASE WHEN array_has(request_members, 'logsConfigOverride') THEN 'logs' END,
        CASE WHEN array_has(request_members, 'cacheOverride') THEN 'cache' END,
        CASE
          WHEN array_has(request_members, 'timeoutInMinutesOverride')
            OR array_has(request_members, 'buildTimeoutInMinutesOverride')
            OR array_has(request_members, 'queuedTimeoutInMinutesOverride')
            THEN 'timeout'
        END,
        CASE WHEN array_has(request_members, 'buildBatchConfigOverride') THEN 'batch' END,
        CASE WHEN array_has(request_members, 'environmentVariablesOverride') THEN 'variables' END
      ),
      ''
    ) AS overrides,
    build_initiator,
    credential_kind,
    by_root_or_user,
    by_temporary_credentials,
    by_aws_service,
    user_identity_invoked_by,
    actor,
    principal,
    source_ip_address,
    user_agent,
    actor_build_uuid,
    source_type,
    source_location,
    source_version,
    resolved_source_version,
    environment_type,
    environment_compute_type,
    environment_image,
    environment_privileged_mode,
    service_role,
    timeout_in_minutes,
    queued_timeout_in_minutes,
    debug_session_enabled,
    row_number() OVER (
      PARTITION BY
        event_name IN ('StartBuildBatch', 'RetryBuildBatch'),
        CASE
          WHEN event_name IN ('StartBuildBatch', 'RetryBuildBatch') THEN build_batch_id
          ELSE build_id
        END
      ORDER BY event_time, event_id
    ) AS nth
  FROM succeeded_calls
  WHERE event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild', 'RetryBuildBatch')
),
stops AS (
  SELECT
    CASE WHEN event_name = 'StopBuildBatch' THEN 'batch' ELSE 'build' END AS kind,
    CASE WHEN event_name = 'StopBuildBatch' THEN build_batch_id ELSE build_id END AS build_id,
    event_time,
    actor,
    principal,
    row_number() OVER (
      PARTITION BY
        event_name, CASE WHEN event_name = 'StopBuildBatch' THEN build_batch_id ELSE build_id END
      ORDER BY event_time, event_id
    ) AS nth
  FROM succeeded_calls
  WHERE event_name IN ('StopBuild', 'StopBuildBatch')
),
deleted_arns AS (
  SELECT
    event_time,
    event_id,
    actor,
    principal,
    unnest(builds_deleted) AS arn
  FROM succeeded_calls
  WHERE event_name IN ('BatchDeleteBuilds', 'DeleteBuildBatch')
),
deletions AS (
  SELECT
    kind,
    build_id,
    event_time,
    actor,
    principal,
    row_number() OVER (PARTITION BY kind, build_id ORDER BY event_time, event_id) AS nth
  FROM (
    SELECT 'build' AS kind, split_part(arn, '/', -1) AS build_id, event_time, event_id, actor, principal
    FROM deleted_arns
    UNION ALL
    SELECT
      'batch' AS kind,
      build_batch_id AS build_id,
      event_time,
      event_id,
      actor,
      principal
    FROM succeeded_calls
    WHERE event_name = 'DeleteBuildBatch'
  ) AS both_kinds
)
SELECT
  starts.kind,
  starts.build_id,
  starts.build_uuid,
  starts.project_name,
  starts.recipient_account_id AS account,
  starts.aws_region AS region,
  starts.event_time AS started_at,
  starts.event_id,
  starts.event_name,
  starts.retry_of,
  starts.actor AS started_by,
  starts.principal,
  starts.credential_kind,
  starts.build_initiator AS initiator,
  CASE
    WHEN starts.actor_build_uuid IS NOT NULL THEN 'build'
    WHEN starts.build_initiator LIKE 'codepipeline/%'
      OR starts.user_identity_invoked_by = 'codepipeline.amazonaws.com'
      THEN 'pipeline'
    WHEN starts.build_initiator LIKE 'rule/%'
      OR starts.user_identity_invoked_by IN ('events.amazonaws.com', 'scheduler.amazonaws.com')
      THEN 'event rule'
    WHEN starts.build_initiator LIKE '%-Hookshot/%' THEN 'webhook'
    WHEN starts.build_initiator LIKE 'CodeBuild-Jenkins-Plugin%' THEN 'jenkins'
    WHEN starts.by_aws_service THEN 'aws service'
    WHEN starts.credential_kind IN ('root', 'root_session') THEN 'root'
    WHEN starts.by_root_or_user THEN 'user'
    WHEN starts.by_temporary_credentials THEN 'role'
    ELSE 'unknown'
  END AS initiator_kind,
  starts.source_ip_address,
  starts.user_agent,
  starts.actor_build_uuid,
  starts.overrides,
  starts.debug_session_enabled,
  starts.source_type,
  starts.source_location,
  starts.source_version,
  starts.resolved_source_version,
  starts.environment_type,
  starts.environment_compute_type,
  starts.environment_image,
  starts.environment_privileged_mode,
  starts.service_role,
  starts.timeout_in_minutes,
  starts.queued_timeout_in_minutes,
  stops.event_time AS stopped_at,
  stops.actor AS stopped_by,
  deletions.event_time AS deleted_at,
  deletions.actor AS deleted_by,
  stops.principal AS stopped_by_principal,
  deletions.principal AS deleted_by_principal
FROM starts
LEFT JOIN stops
  ON stops.kind = starts.kind AND stops.build_id = starts.build_id AND stops.nth = 1
LEFT JOIN deletions
  ON deletions.kind = starts.kind AND deletions.build_id = starts.build_id AND deletions.nth = 1
WHERE starts.nth = 1
  AND starts.build_id IS NOT NULL
