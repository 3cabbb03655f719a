-- title: Builds
-- question: Which builds were started or retried, by whom, how, and who stopped or deleted them later?
-- One row a build that a call started; a call that failed started none, nor did one whose answer names
-- no build. CloudTrail has no call for a build that a webhook starts, for one of a batch, or for an
-- automatic retry, so there are more builds than rows. The settings are what the build got, overrides
-- applied; `overrides` names what the call asked for, members that AWS adds later by their own name. AWS
-- shows a masked environmentVariablesOverride even where none was sent, so `variables` may be no
-- override. A retry names the build that it repeats in `retry_of`; a batch that is retried under
-- its own id has one more row.
-- A build that had ended is not stopped by StopBuild: the call succeeds, and its answer shows the status and
-- the end. Builds deleted with their project have no `deleted_at`.
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
-- Retries that keep the id of their batch, counted from 1: each is one more run of it.
reruns AS (
  SELECT
    build_batch_id,
    event_id,
    event_time,
    row_number() OVER (PARTITION BY build_batch_id ORDER BY event_time NULLS FIRST, event_id NULLS FIRST) AS run
  FROM (
    SELECT
      build_batch_id,
      coalesce(shared_event_id, event_id) AS call,
      min(event_id) AS event_id,
      min(event_time) AS event_time
    FROM events
    WHERE event_source = 'codebuild.amazonaws.com'
      AND event_name = 'RetryBuildBatch'
      AND succeeded
      AND split_part(target_ids[1], '/', -1) = build_batch_id
    GROUP BY build_batch_id, coalesce(shared_event_id, event_id)
  ) AS calls
),
start_calls AS (
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
    coalesce(
      nullif(
        split_part(
          CASE
            WHEN event_name IN ('StartBuildBatch', 'RetryBuildBatch') THEN build_batch_arn
            ELSE build_arn
          END,
          ':', 5
        ),
        ''
      ),
      recipient_account_id
    ) AS account,
    recipient_account_id,
    aws_region,
    project_name,
    CASE
      WHEN event_name IN ('RetryBuild', 'RetryBuildBatch')
        THEN split_part(target_ids[1], '/', -1)
    END AS retry_of,
    CASE
      WHEN event_name = 'RetryBuildBatch' AND split_part(target_ids[1], '/', -1) = build_batch_id
        THEN coalesce(shared_event_id, event_id)
    END AS rerun,
    concat(' ', array_to_string(request_members, '  '), ' ') AS members,
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
    debug_session_enabled
  FROM succeeded_calls
  WHERE event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild', 'RetryBuildBatch')
),
starts AS (
  -- A call may be there twice, as another account's copy or with other content: one counts.
  SELECT
    *,
    regexp_replace(
      members,
      -- Every override that has a word of its own below.
      ' (?:buildspec|image|serviceRole|privilegedMode|sourceType|sourceLocation|sourceAuth|'
            || 'secondarySources|secondarySourcesVersion|gitSubmodulesConfig|gitCloneDepth|'
            || 'environmentType|computeType|fleet|hostKernel|registryCredential|'
            || 'imagePullCredentialsType|certificate|insecureSsl|artifacts|secondaryArtifacts|'
            || 'encryptionKey|logsConfig|cache|reportBuildStatus|reportBuildBatchStatus|'
            || 'buildStatusConfig|timeoutInMinutes|buildTimeoutInMinutes|queuedTimeoutInMinutes|'
            || 'autoRetryLimit|buildBatchConfig|environmentVariables)Override ',
      '',
      'g'
    ) AS other_members,
    row_number() OVER (
      PARTITION BY kind, build_id, rerun
      ORDER BY
        recipient_account_id = account DESC NULLS LAST,
        event_time NULLS LAST,
        event_id NULLS LAST
    ) AS nth
  FROM start_calls
  WHERE build_id IS NOT NULL
),
named AS (
  SELECT
    *,
    nullif(
      concat_ws(
        ', ',
        CASE WHEN strpos(members, ' buildspecOverride ') > 0 THEN 'buildspec' END,
        CASE WHEN strpos(members, ' imageOverride ') > 0 THEN 'image' END,
        CASE WHEN strpos(members, ' serviceRoleOverride ') > 0 THEN 'role' END,
        CASE WHEN strpos(members, ' privilegedModeOverride ') > 0 THEN 'privileged' END,
        CASE
          WHEN strpos(members, ' sourceTypeOverride ') > 0
            OR strpos(members, ' sourceLocationOverride ') > 0
            OR strpos(members, ' sourceAuthOverride ') > 0
            THEN 'source'
        END,
        CASE WHEN strpos(members, ' sourceVersion ') > 0 THEN 'source version' END,
        CASE WHEN strpos(members, ' secondarySourcesOverride ') > 0 THEN 'secondary sources' END,
        CASE
          WHEN strpos(members, ' secondarySourcesVersionOverride ') > 0
            THEN 'secondary source versions'
        END,
        CASE WHEN strpos(members, ' gitSubmodulesConfigOverride ') > 0 THEN 'submodules' END,
        CASE WHEN strpos(members, ' gitCloneDepthOverride ') > 0 THEN 'clone depth' END,
        CASE
          WHEN strpos(members, ' environmentTypeOverride ') > 0
            OR strpos(members, ' computeTypeOverride ') > 0
            OR strpos(members, ' fleetOverride ') > 0
            OR strpos(members, ' hostKernelOverride ') > 0
            THEN 'environment'
        END,
        CASE
          WHEN strpos(members, ' registryCredentialOverride ') > 0
            OR strpos(members, ' imagePullCredentialsTypeOverride ') > 0
            THEN 'image credentials'
        END,
        CASE WHEN strpos(members, ' certificateOverride ') > 0 THEN 'certificate' END,
        CASE WHEN strpos(members, ' insecureSslOverride ') > 0 THEN 'insecure ssl' END,
        CASE WHEN strpos(members, ' artifactsOverride ') > 0 THEN 'artifacts' END,
        CASE WHEN strpos(members, ' secondaryArtifactsOverride ') > 0 THEN 'secondary artifacts' END,
        CASE WHEN strpos(members, ' encryptionKeyOverride ') > 0 THEN 'encryption key' END,
        CASE WHEN strpos(members, ' logsConfigOverride ') > 0 THEN 'logs' END,
        CASE WHEN strpos(members, ' cacheOverride ') > 0 THEN 'cache' END,
        CASE
          WHEN (debug_session_enabled IS DISTINCT FROM false) AND strpos(members, ' debugSessionEnabled ') > 0
            THEN 'debug session'
        END,
        CASE
          WHEN strpos(members, ' reportBuildStatusOverride ') > 0
            OR strpos(members, ' reportBuildBatchStatusOverride ') > 0
            THEN 'status report'
        END,
        CASE WHEN strpos(members, ' buildStatusConfigOverride ') > 0 THEN 'status target' END,
        CASE
          WHEN strpos(members, ' timeoutInMinutesOverride ') > 0
            OR strpos(members, ' buildTimeoutInMinutesOverride ') > 0
            OR strpos(members, ' queuedTimeoutInMinutesOverride ') > 0
            THEN 'timeout'
        END,
        CASE WHEN strpos(members, ' autoRetryLimitOverride ') > 0 THEN 'auto retry' END,
        CASE WHEN strpos(members, ' buildBatchConfigOverride ') > 0 THEN 'batch' END,
        CASE WHEN strpos(members, ' environmentVariablesOverride ') > 0 THEN 'variables' END,
        CASE
          WHEN other_members LIKE '%Override %'
            THEN trim(
              replace(
                replace(
                  regexp_replace(replace(other_members, 'Override ', '! '), ' [^ !]+ ', '', 'g'),
                  '!  ', 'Override, '
                ),
                '! ', 'Override'
              )
            )
        END
      ),
      ''
    ) AS overrides
  FROM starts
  WHERE nth = 1
),
stops AS (
  SELECT
    kind,
    build_id,
    run,
    event_time,
    actor,
    principal,
    row_number() OVER (
      PARTITION BY kind, build_id, run ORDER BY event_time NULLS LAST, event_id NULLS LAST
    ) AS nth
  FROM (
    SELECT
      calls.kind,
      calls.build_id,
      calls.event_time,
      calls.event_id,
      calls.actor,
      calls.principal,
      count(reruns.run) AS run
    FROM (
      SELECT
        CASE WHEN event_name = 'StopBuildBatch' THEN 'batch' ELSE 'build' END AS kind,
        CASE WHEN event_name = 'StopBuildBatch' THEN build_batch_id ELSE build_id END AS build_id,
        event_time,
        event_id,
        actor,
        principal
      FROM succeeded_calls
      WHERE event_name IN ('StopBuild', 'StopBuildBatch')
        AND (build_status IS NULL OR build_status IN ('STOPPED', 'STOPPING', 'IN_PROGRESS'))
        -- One that somebody else had stopped before shows an end that is long over.
        AND coalesce(date_part('epoch', build_end_time) >= date_part('epoch', event_time) - 60, true)
    ) AS calls
    LEFT JOIN reruns
      ON calls.kind = 'batch'
      AND reruns.build_batch_id = calls.build_id
      AND reruns.event_time <= calls.event_time
    GROUP BY calls.kind, calls.build_id, calls.event_time, calls.event_id, calls.actor, calls.principal
  ) AS counted
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
    row_number() OVER (
      PARTITION BY kind, build_id ORDER BY event_time NULLS LAST, event_id NULLS LAST
    ) AS nth
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
  starts.account,
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
FROM named AS starts
LEFT JOIN reruns
  ON starts.rerun IS NOT NULL
  AND reruns.build_batch_id = starts.build_id
  AND reruns.event_id = starts.event_id
LEFT JOIN stops
  ON stops.kind = starts.kind
  AND stops.build_id = starts.build_id
  AND stops.run = coalesce(reruns.run, 0)
  AND stops.nth = 1
LEFT JOIN deletions
  ON deletions.kind = starts.kind AND deletions.build_id = starts.build_id AND deletions.nth = 1
