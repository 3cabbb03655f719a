-- title: Projects
-- question: What are the last known settings of each project, and who set, published or deleted it?
-- One row a project that a successful writing call named; reads name projects that do not exist.
-- The settings are those of the last CreateProject or UpdateProject, whose answer shows the whole
-- project; null where the dataset has neither, which `settings_at` tells. A project is deleted where
-- nothing created it again afterwards. Only UpdateProjectVisibility shows the visibility, so null
-- means private, or published before the dataset begins.
WITH writes AS (
  SELECT
    recipient_account_id,
    aws_region,
    project_name,
    event_time,
    event_id,
    event_name,
    project_arn,
    actor,
    project_visibility,
    public_project_alias,
    resource_access_role,
    masked_settings,
    project_created,
    source_type,
    source_location,
    source_version,
    source_auth_type,
    source_auth_resource,
    source_insecure_ssl,
    source_report_build_status,
    source_buildspec,
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
    row_number() OVER (
      PARTITION BY
        recipient_account_id,
        aws_region,
        project_name,
        CASE
          WHEN event_name IN ('CreateProject', 'UpdateProject') THEN 'settings'
          WHEN event_name IN ('UpdateProjectVisibility', 'DeleteProject') THEN event_name
        END
      ORDER BY event_time DESC, event_id DESC
    ) AS nth_last,
    max(CASE WHEN event_name = 'CreateProject' THEN event_time END) OVER (
      PARTITION BY recipient_account_id, aws_region, project_name
    ) AS created_at
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND operation_access = 'write'
    AND succeeded
    AND project_name IS NOT NULL
),
known AS (
  SELECT
    recipient_account_id,
    aws_region,
    project_name,
    max(project_arn) AS project_arn,
    max(created_at) AS created_at,
    max(CASE WHEN event_name = 'CreateProject' AND event_time = created_at THEN actor END) AS created_by,
    max(
      CASE
        WHEN event_name = 'DeleteProject' AND (created_at IS NULL OR event_time >= created_at)
          THEN event_time
      END
    ) AS deleted_at,
    max(
      CASE
        WHEN event_name = 'DeleteProject' AND nth_last = 1 AND (created_at IS NULL OR event_time >= created_at)
          THEN actor
      END
    ) AS deleted_by,
    count(*) FILTER (
      WHERE event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild', 'RetryBuildBatch')
    ) AS builds,
    max(
      CASE
        WHEN event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild', 'RetryBuildBatch') THEN event_time
      END
    ) AS last_build_at
  FROM writes
  GROUP BY recipient_account_id, aws_region, project_name
)
SELECT
  known.recipient_account_id AS account,
  known.aws_region AS region,
  known.project_name,
  known.project_arn,
  coalesce(known.created_at, settings.project_created) AS created_at,
  known.created_by,
  settings.event_time AS settings_at,
  settings.actor AS settings_by,
  known.deleted_at,
  known.deleted_by,
  visibility.project_visibility,
  visibility.event_time AS visibility_at,
  visibility.actor AS visibility_by,
  visibility.public_project_alias,
  visibility.resource_access_role,
  known.builds,
  known.last_build_at,
  settings.source_type,
  settings.source_location,
  settings.source_version,
  settings.source_auth_type,
  settings.source_auth_resource,
  settings.source_insecure_ssl,
  settings.source_report_build_status,
  settings.source_buildspec,
  settings.secondary_source_locations,
  settings.artifacts_type,
  settings.artifacts_location,
  settings.artifacts_path,
  settings.artifacts_name,
  settings.artifacts_packaging,
  settings.artifacts_namespace_type,
  settings.artifacts_encryption_disabled,
  settings.environment_type,
  settings.environment_image,
  settings.environment_compute_type,
  settings.environment_privileged_mode,
  settings.environment_image_pull_credentials_type,
  settings.environment_certificate,
  settings.environment_registry_credential,
  settings.environment_fleet_arn,
  settings.environment_variable_names,
  settings.environment_variable_types,
  settings.service_role,
  settings.timeout_in_minutes,
  settings.queued_timeout_in_minutes,
  settings.encryption_key,
  settings.cache_type,
  settings.cache_location,
  settings.cache_modes,
  settings.vpc_id,
  settings.vpc_subnet_ids,
  settings.vpc_security_group_ids,
  settings.logs_cloudwatch_status,
  settings.logs_cloudwatch_group,
  settings.logs_s3_status,
  settings.logs_s3_location,
  settings.description,
  settings.badge_enabled,
  settings.concurrent_build_limit,
  settings.auto_retry_limit,
  settings.file_system_locations,
  settings.tags,
  settings.masked_settings
FROM known
LEFT JOIN writes AS settings
  ON settings.recipient_account_id = known.recipient_account_id
  AND settings.aws_region = known.aws_region
  AND settings.project_name = known.project_name
  AND settings.event_name IN ('CreateProject', 'UpdateProject')
  AND settings.nth_last = 1
LEFT JOIN writes AS visibility
  ON visibility.recipient_account_id = known.recipient_account_id
  AND visibility.aws_region = known.aws_region
  AND visibility.project_name = known.project_name
  AND visibility.event_name = 'UpdateProjectVisibility'
  AND visibility.nth_last = 1
  AND (known.created_at IS NULL OR visibility.event_time >= known.created_at)
