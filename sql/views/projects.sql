-- title: Projects
-- question: What are the last known settings of each project, and who set, published or deleted it?
-- uses: project_calls
-- One row a project that a successful writing call named; reads name projects that do not exist.
-- The settings are those of the last life of the project. Each is the last that a CreateProject or
-- UpdateProject told: its answer or, where that lacks the member, its request. A call that tells nothing
-- of a member leaves it as it was. A project is deleted where nothing created, changed or built it
-- afterwards. Only UpdateProjectVisibility shows the visibility, so null means private, or published
-- before the dataset begins; `visibility_at` is when it became what it is, repeated calls aside.
-- A project's account is that of its ARN, so a call from another account names no second project.
WITH told AS (
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    max(life) OVER (PARTITION BY account, region, project_name) AS last_life,
    event_time,
    event_name,
    project_arn,
    actor,
    project_created,
    masked_settings,
    settings_origin,
    public_project_alias,
    resource_access_role,
    project_visibility,
    project_visibility IS NOT NULL
      AND (
        project_visibility IS DISTINCT FROM last_value(project_visibility IGNORE NULLS) OVER (
          PARTITION BY account, region, project_name, life ORDER BY step
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
      ) AS visibility_changed,
    source_type,
    source_location,
    source_auth_type,
    source_auth_resource,
    source_insecure_ssl,
    source_report_build_status,
    source_buildspec,
    source_version,
    secondary_source_locations,
    artifacts_type,
    artifacts_location,
    artifacts_path,
    artifacts_name,
    artifacts_packaging,
    artifacts_namespace_type,
    artifacts_encryption_disabled,
    environment_type,
    environment_image,
    environment_compute_type,
    environment_privileged_mode,
    environment_image_pull_credentials_type,
    environment_certificate,
    environment_registry_credential,
    environment_fleet_arn,
    environment_variable_names,
    environment_variable_types,
    service_role,
    timeout_in_minutes,
    queued_timeout_in_minutes,
    encryption_key,
    cache_type,
    cache_location,
    cache_modes,
    vpc_id,
    vpc_subnet_ids,
    vpc_security_group_ids,
    logs_cloudwatch_status,
    logs_cloudwatch_group,
    logs_s3_status,
    logs_s3_location,
    description,
    badge_enabled,
    concurrent_build_limit,
    auto_retry_limit,
    file_system_locations,
    tags,
    event_name IN ('CreateProject', 'UpdateProject') AS sets,
    -- A creation tells of every member. Before 2021 an answer did, as requests were not shown.
    coalesce(
      event_name = 'CreateProject'
      OR event_name = 'UpdateProject'
        AND settings_origin = 'response'
        AND NOT coalesce(array_has(request_members, 'name'), false),
      false
    ) AS tells_all,
    CASE WHEN event_name = 'UpdateProject' THEN request_members END AS asked
  FROM project_calls
),
members AS (
  SELECT
    account,
    region,
    project_name,
    step,
    event_time,
    event_name,
    project_arn,
    actor,
    project_created,
    masked_settings,
    public_project_alias,
    resource_access_role,
    project_visibility,
    source_type,
    source_location,
    source_auth_type,
    source_auth_resource,
    source_insecure_ssl,
    source_report_build_status,
    source_buildspec,
    source_version,
    secondary_source_locations,
    artifacts_type,
    artifacts_location,
    artifacts_path,
    artifacts_name,
    artifacts_packaging,
    artifacts_namespace_type,
    artifacts_encryption_disabled,
    environment_type,
    environment_image,
    environment_compute_type,
    environment_privileged_mode,
    environment_image_pull_credentials_type,
    environment_certificate,
    environment_registry_credential,
    environment_fleet_arn,
    environment_variable_names,
    environment_variable_types,
    service_role,
    timeout_in_minutes,
    queued_timeout_in_minutes,
    encryption_key,
    cache_type,
    cache_location,
    cache_modes,
    vpc_id,
    vpc_subnet_ids,
    vpc_security_group_ids,
    logs_cloudwatch_status,
    logs_cloudwatch_group,
    logs_s3_status,
    logs_s3_location,
    description,
    badge_enabled,
    concurrent_build_limit,
    auto_retry_limit,
    file_system_locations,
    tags,
    max(CASE WHEN event_name = 'CreateProject' THEN step END) OVER project AS creation_step,
    max(CASE WHEN event_name = 'DeleteProject' THEN step END) OVER project AS deletion_step,
    max(CASE WHEN sets THEN step END) OVER project AS settings_step,
    max(CASE WHEN sets AND settings_origin = 'response' THEN step END) OVER project AS answer_step,
    max(CASE WHEN visibility_changed THEN step END) OVER project AS visibility_step,
    max(CASE WHEN public_project_alias IS NOT NULL THEN step END) OVER project AS alias_step,
    max(CASE WHEN resource_access_role IS NOT NULL THEN step END) OVER project AS access_role_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'source') OR source_type IS NOT NULL OR source_location IS NOT NULL OR source_auth_type IS NOT NULL OR source_auth_resource IS NOT NULL OR source_insecure_ssl IS NOT NULL OR source_report_build_status IS NOT NULL OR source_buildspec IS NOT NULL)
          THEN step
      END
    ) OVER project AS source_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'sourceVersion') OR source_version IS NOT NULL)
          THEN step
      END
    ) OVER project AS source_version_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'secondarySources') OR secondary_source_locations IS NOT NULL)
          THEN step
      END
    ) OVER project AS secondary_sources_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'artifacts') OR artifacts_type IS NOT NULL OR artifacts_location IS NOT NULL OR artifacts_path IS NOT NULL OR artifacts_name IS NOT NULL OR artifacts_packaging IS NOT NULL OR artifacts_namespace_type IS NOT NULL OR artifacts_encryption_disabled IS NOT NULL)
          THEN step
      END
    ) OVER project AS artifacts_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'environment') OR environment_type IS NOT NULL OR environment_image IS NOT NULL OR environment_compute_type IS NOT NULL OR environment_privileged_mode IS NOT NULL OR environment_image_pull_credentials_type IS NOT NULL OR environment_certificate IS NOT NULL OR environment_registry_credential IS NOT NULL OR environment_fleet_arn IS NOT NULL)
          THEN step
      END
    ) OVER project AS environment_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'serviceRole') OR service_role IS NOT NULL)
          THEN step
      END
    ) OVER project AS service_role_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'timeoutInMinutes') OR timeout_in_minutes IS NOT NULL)
          THEN step
      END
    ) OVER project AS timeout_in_minutes_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'queuedTimeoutInMinutes') OR queued_timeout_in_minutes IS NOT NULL)
          THEN step
      END
    ) OVER project AS queued_timeout_in_minutes_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'encryptionKey') OR encryption_key IS NOT NULL)
          THEN step
      END
    ) OVER project AS encryption_key_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'cache') OR cache_type IS NOT NULL OR cache_location IS NOT NULL OR cache_modes IS NOT NULL)
          THEN step
      END
    ) OVER project AS cache_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'vpcConfig') OR vpc_id IS NOT NULL OR vpc_subnet_ids IS NOT NULL OR vpc_security_group_ids IS NOT NULL)
          THEN step
      END
    ) OVER project AS vpc_config_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'logsConfig') OR logs_cloudwatch_status IS NOT NULL OR logs_cloudwatch_group IS NOT NULL OR logs_s3_status IS NOT NULL OR logs_s3_location IS NOT NULL)
          THEN step
      END
    ) OVER project AS logs_config_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'description') OR description IS NOT NULL)
          THEN step
      END
    ) OVER project AS description_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'badgeEnabled') OR badge_enabled IS NOT NULL)
          THEN step
      END
    ) OVER project AS badge_enabled_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'concurrentBuildLimit') OR concurrent_build_limit IS NOT NULL)
          THEN step
      END
    ) OVER project AS concurrent_build_limit_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'autoRetryLimit') OR auto_retry_limit IS NOT NULL)
          THEN step
      END
    ) OVER project AS auto_retry_limit_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'fileSystemLocations') OR file_system_locations IS NOT NULL)
          THEN step
      END
    ) OVER project AS file_system_locations_step,
    max(
      CASE
        WHEN tells_all OR sets AND (array_has(asked, 'tags') OR tags IS NOT NULL)
          THEN step
      END
    ) OVER project AS tags_step
  FROM told
  WHERE life = last_life
  WINDOW project AS (PARTITION BY account, region, project_name)
),
last_known AS (
  SELECT
    account,
    region,
    project_name,
    max(project_arn) AS project_arn,
    max(CASE WHEN step = creation_step THEN event_time END) AS created_at,
    max(CASE WHEN step = creation_step THEN actor END) AS created_by,
    max(CASE WHEN step = answer_step THEN project_created END) AS project_created,
    max(CASE WHEN step = settings_step THEN event_time END) AS settings_at,
    max(CASE WHEN step = settings_step THEN actor END) AS settings_by,
    max(CASE WHEN step = deletion_step THEN event_time END) AS deleted_at,
    max(CASE WHEN step = deletion_step THEN actor END) AS deleted_by,
    max(CASE WHEN step = visibility_step THEN project_visibility END) AS project_visibility,
    max(CASE WHEN step = visibility_step THEN event_time END) AS visibility_at,
    max(CASE WHEN step = visibility_step THEN actor END) AS visibility_by,
    max(CASE WHEN step = alias_step THEN public_project_alias END) AS public_project_alias,
    max(CASE WHEN step = access_role_step THEN resource_access_role END) AS resource_access_role,
    max(CASE WHEN step = source_step THEN source_type END) AS source_type,
    max(CASE WHEN step = source_step THEN source_location END) AS source_location,
    max(CASE WHEN step = source_step THEN source_auth_type END) AS source_auth_type,
    max(CASE WHEN step = source_step THEN source_auth_resource END) AS source_auth_resource,
    max(CASE WHEN step = source_step THEN source_insecure_ssl END) AS source_insecure_ssl,
    max(CASE WHEN step = source_step THEN source_report_build_status END) AS source_report_build_status,
    max(CASE WHEN step = source_step THEN source_buildspec END) AS source_buildspec,
    max(CASE WHEN step = source_version_step THEN source_version END) AS source_version,
    max(CASE WHEN step = secondary_sources_step THEN secondary_source_locations END) AS secondary_source_locations,
    max(CASE WHEN step = artifacts_step THEN artifacts_type END) AS artifacts_type,
    max(CASE WHEN step = artifacts_step THEN artifacts_location END) AS artifacts_location,
    max(CASE WHEN step = artifacts_step THEN artifacts_path END) AS artifacts_path,
    max(CASE WHEN step = artifacts_step THEN artifacts_name END) AS artifacts_name,
    max(CASE WHEN step = artifacts_step THEN artifacts_packaging END) AS artifacts_packaging,
    max(CASE WHEN step = artifacts_step THEN artifacts_namespace_type END) AS artifacts_namespace_type,
    max(CASE WHEN step = artifacts_step THEN artifacts_encryption_disabled END) AS artifacts_encryption_disabled,
    max(CASE WHEN step = environment_step THEN environment_type END) AS environment_type,
    max(CASE WHEN step = environment_step THEN environment_image END) AS environment_image,
    max(CASE WHEN step = environment_step THEN environment_compute_type END) AS environment_compute_type,
    max(CASE WHEN step = environment_step THEN environment_privileged_mode END) AS environment_privileged_mode,
    max(CASE WHEN step = environment_step THEN environment_image_pull_credentials_type END) AS environment_image_pull_credentials_type,
    max(CASE WHEN step = environment_step THEN environment_certificate END) AS environment_certificate,
    max(CASE WHEN step = environment_step THEN environment_registry_credential END) AS environment_registry_credential,
    max(CASE WHEN step = environment_step THEN environment_fleet_arn END) AS environment_fleet_arn,
    max(CASE WHEN step = environment_step THEN environment_variable_names END) AS environment_variable_names,
    max(CASE WHEN step = environment_step THEN environment_variable_types END) AS environment_variable_types,
    max(CASE WHEN step = service_role_step THEN service_role END) AS service_role,
    max(CASE WHEN step = timeout_in_minutes_step THEN timeout_in_minutes END) AS timeout_in_minutes,
    max(CASE WHEN step = queued_timeout_in_minutes_step THEN queued_timeout_in_minutes END) AS queued_timeout_in_minutes,
    max(CASE WHEN step = encryption_key_step THEN encryption_key END) AS encryption_key,
    max(CASE WHEN step = cache_step THEN cache_type END) AS cache_type,
    max(CASE WHEN step = cache_step THEN cache_location END) AS cache_location,
    max(CASE WHEN step = cache_step THEN cache_modes END) AS cache_modes,
    max(CASE WHEN step = vpc_config_step THEN vpc_id END) AS vpc_id,
    max(CASE WHEN step = vpc_config_step THEN vpc_subnet_ids END) AS vpc_subnet_ids,
    max(CASE WHEN step = vpc_config_step THEN vpc_security_group_ids END) AS vpc_security_group_ids,
    max(CASE WHEN step = logs_config_step THEN logs_cloudwatch_status END) AS logs_cloudwatch_status,
    max(CASE WHEN step = logs_config_step THEN logs_cloudwatch_group END) AS logs_cloudwatch_group,
    max(CASE WHEN step = logs_config_step THEN logs_s3_status END) AS logs_s3_status,
    max(CASE WHEN step = logs_config_step THEN logs_s3_location END) AS logs_s3_location,
    max(CASE WHEN step = description_step THEN description END) AS description,
    max(CASE WHEN step = badge_enabled_step THEN badge_enabled END) AS badge_enabled,
    max(CASE WHEN step = concurrent_build_limit_step THEN concurrent_build_limit END) AS concurrent_build_limit,
    max(CASE WHEN step = auto_retry_limit_step THEN auto_retry_limit END) AS auto_retry_limit,
    max(CASE WHEN step = file_system_locations_step THEN file_system_locations END) AS file_system_locations,
    max(CASE WHEN step = tags_step THEN tags END) AS tags,
    max(CASE WHEN step = coalesce(answer_step, settings_step) THEN masked_settings END) AS masked_settings
  FROM members
  GROUP BY account, region, project_name
),
uses AS (
  SELECT
    account,
    region,
    project_name,
    max(project_arn) AS project_arn,
    -- A call that is there twice starts one build.
    count(DISTINCT started) AS builds,
    max(CASE WHEN started IS NOT NULL THEN event_time END) AS last_build_at,
    max(CASE WHEN started IS NOT NULL OR in_sandbox THEN event_time END) AS last_use_at
  FROM (
    SELECT
      coalesce(
        nullif(split_part(coalesce(project_arn, build_arn, build_batch_arn), ':', 5), ''), recipient_account_id
      ) AS account,
      aws_region AS region,
      project_name,
      project_arn,
      event_time,
      CASE
        WHEN event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild')
          THEN coalesce(build_arn, build_batch_arn, shared_event_id, event_id, '')
        WHEN event_name = 'RetryBuildBatch' THEN coalesce(shared_event_id, event_id, '')
      END AS started,
      event_name IN ('StartSandbox', 'StartSandboxConnection', 'StartCommandExecution') AS in_sandbox
    FROM events
    WHERE event_source = 'codebuild.amazonaws.com'
      AND operation_access = 'write'
      AND succeeded
      AND project_name IS NOT NULL
      AND event_name NOT IN (
        'CreateProject', 'UpdateProject', 'DeleteProject', 'UpdateProjectVisibility',
        'CreateWebhook', 'UpdateWebhook', 'DeleteWebhook'
      )
      -- A caller's copy of a call on another account's project does not say whose it is.
      AND (
        shared_event_id IS NULL
        OR (recipient_account_id IS DISTINCT FROM user_identity_account_id)
        OR coalesce(project_arn, build_arn, build_batch_arn) IS NOT NULL
      )
  ) AS calls
  GROUP BY account, region, project_name
)
SELECT
  coalesce(last_known.account, uses.account) AS account,
  coalesce(last_known.region, uses.region) AS region,
  coalesce(last_known.project_name, uses.project_name) AS project_name,
  coalesce(last_known.project_arn, uses.project_arn) AS project_arn,
  coalesce(last_known.created_at, last_known.project_created) AS created_at,
  last_known.created_by,
  last_known.settings_at,
  last_known.settings_by,
  CASE
    WHEN uses.last_use_at > last_known.deleted_at THEN NULL
    ELSE last_known.deleted_at
  END AS deleted_at,
  CASE
    WHEN uses.last_use_at > last_known.deleted_at THEN NULL
    ELSE last_known.deleted_by
  END AS deleted_by,
  last_known.project_visibility,
  last_known.visibility_at,
  last_known.visibility_by,
  last_known.public_project_alias,
  last_known.resource_access_role,
  coalesce(uses.builds, 0) AS builds,
  uses.last_build_at,
  last_known.source_type,
  last_known.source_location,
  last_known.source_version,
  last_known.source_auth_type,
  last_known.source_auth_resource,
  last_known.source_insecure_ssl,
  last_known.source_report_build_status,
  last_known.source_buildspec,
  last_known.secondary_source_locations,
  last_known.artifacts_type,
  last_known.artifacts_location,
  last_known.artifacts_path,
  last_known.artifacts_name,
  last_known.artifacts_packaging,
  last_known.artifacts_namespace_type,
  last_known.artifacts_encryption_disabled,
  last_known.environment_type,
  last_known.environment_image,
  last_known.environment_compute_type,
  last_known.environment_privileged_mode,
  last_known.environment_image_pull_credentials_type,
  last_known.environment_certificate,
  last_known.environment_registry_credential,
  last_known.environment_fleet_arn,
  last_known.environment_variable_names,
  last_known.environment_variable_types,
  last_known.service_role,
  last_known.timeout_in_minutes,
  last_known.queued_timeout_in_minutes,
  last_known.encryption_key,
  last_known.cache_type,
  last_known.cache_location,
  last_known.cache_modes,
  last_known.vpc_id,
  last_known.vpc_subnet_ids,
  last_known.vpc_security_group_ids,
  last_known.logs_cloudwatch_status,
  last_known.logs_cloudwatch_group,
  last_known.logs_s3_status,
  last_known.logs_s3_location,
  last_known.description,
  last_known.badge_enabled,
  last_known.concurrent_build_limit,
  last_known.auto_retry_limit,
  last_known.file_system_locations,
  last_known.tags,
  last_known.masked_settings,
  uses.last_use_at
FROM last_known
FULL JOIN uses
  ON uses.project_name = last_known.project_name
  AND coalesce(uses.account, '') = coalesce(last_known.account, '')
  AND coalesce(uses.region, '') = coalesce(last_known.region, '')
