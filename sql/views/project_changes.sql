-- title: Project changes
-- question: What did each change of a project, its visibility or its webhook set, from what to what?
-- One row a setting that a successful call changed, by the path of the project's own member. The value
-- before is the last that an earlier call showed since the project was created; where no earlier call
-- shows one, `before_known` is false. An answer shows the whole project, so a setting that is missing
-- there was removed; a request shows only what was asked for.
-- AWS masks build specification, variables, key and tags in every answer, set or not. A masked setting
-- is listed as `masked` where the request named its member: it may have changed, nobody can tell. Of
-- variables whose values alone are masked the names and types are compared.
-- The encryption of S3 logs has no column and is cut out of the JSON text: s3Logs holds no object.
-- It is cut out before the rows are sorted: the text is longer than all else in a row.
WITH calls_that_change AS (
  SELECT
    *,
    regexp_replace(
      split_part(
        split_part(
          CASE WHEN settings_origin = 'response' THEN response_elements ELSE request_parameters END,
          '"s3Logs"', -1
        ),
        '}', 1
      ),
      '\s', '', 'g'
    ) AS s3_logs
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN (
      'CreateProject', 'UpdateProject', 'DeleteProject', 'UpdateProjectVisibility',
      'CreateWebhook', 'UpdateWebhook', 'DeleteWebhook'
    )
    AND succeeded
    AND project_name IS NOT NULL
),
changes AS (
  SELECT
    event_time,
    event_id,
    event_name,
    recipient_account_id,
    aws_region,
    project_name,
    actor,
    credential_kind,
    source_ip_address,
    coalesce(
      CASE
        WHEN session_issuer_type = 'Role'
          AND session_issuer_arn NOT LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
          THEN session_issuer_arn
      END,
      user_identity_arn,
      user_identity_invoked_by,
      actor
    ) AS principal,
    sum(CASE WHEN event_name = 'CreateProject' THEN 1 ELSE 0 END) OVER (
      PARTITION BY recipient_account_id, aws_region, project_name
      ORDER BY event_time, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS incarnation,
    CASE
      WHEN event_name IN ('CreateProject', 'UpdateProject', 'DeleteProject') THEN 'project'
      WHEN event_name = 'UpdateProjectVisibility' THEN 'visibility'
      ELSE 'webhook'
    END AS kind,
    CASE
      WHEN event_name IN ('CreateProject', 'UpdateProject') THEN coalesce(settings_origin = 'response', false)
      WHEN event_name IN ('CreateWebhook', 'UpdateWebhook') THEN webhook_url IS NOT NULL
      ELSE event_name IN ('DeleteProject', 'DeleteWebhook')
    END AS shows_all,
    request_members,
    masked_settings,
    s3_logs,
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
    project_visibility,
    resource_access_role,
    webhook_url,
    webhook_filter_groups,
    webhook_build_type,
    webhook_scope,
    webhook_scope_name,
    webhook_pr_comment_approval
  FROM calls_that_change
),
-- The two lists run in parallel, line by line: kind, request member and path of a setting, its value.
unpivoted AS (
  SELECT
    event_time,
    event_id,
    event_name,
    recipient_account_id,
    aws_region,
    project_name,
    actor,
    credential_kind,
    principal,
    source_ip_address,
    incarnation,
    kind,
    shows_all,
    request_members,
    masked_settings,
    unnest([
      'project project project',
      'project source source.type',
      'project source source.location',
      'project sourceVersion sourceVersion',
      'project source source.auth.type',
      'project source source.auth.resource',
      'project source source.insecureSsl',
      'project source source.reportBuildStatus',
      'project source source.buildspec',
      'project secondarySources secondarySources',
      'project artifacts artifacts.type',
      'project artifacts artifacts.location',
      'project artifacts artifacts.path',
      'project artifacts artifacts.name',
      'project artifacts artifacts.packaging',
      'project artifacts artifacts.namespaceType',
      'project artifacts artifacts.encryptionDisabled',
      'project environment environment.type',
      'project environment environment.image',
      'project environment environment.computeType',
      'project environment environment.privilegedMode',
      'project environment environment.imagePullCredentialsType',
      'project environment environment.certificate',
      'project environment environment.registryCredential.credential',
      'project environment environment.fleet.fleetArn',
      'project environment environment.environmentVariables',
      'project environment environment.environmentVariables.type',
      'project serviceRole serviceRole',
      'project timeoutInMinutes timeoutInMinutes',
      'project queuedTimeoutInMinutes queuedTimeoutInMinutes',
      'project encryptionKey encryptionKey',
      'project cache cache.type',
      'project cache cache.location',
      'project cache cache.modes',
      'project vpcConfig vpcConfig.vpcId',
      'project vpcConfig vpcConfig.subnets',
      'project vpcConfig vpcConfig.securityGroupIds',
      'project logsConfig logsConfig.cloudWatchLogs.status',
      'project logsConfig logsConfig.cloudWatchLogs.groupName',
      'project logsConfig logsConfig.s3Logs.status',
      'project logsConfig logsConfig.s3Logs.location',
      'project logsConfig logsConfig.s3Logs.encryptionDisabled',
      'project description description',
      'project badgeEnabled badge.badgeEnabled',
      'project concurrentBuildLimit concurrentBuildLimit',
      'project autoRetryLimit autoRetryLimit',
      'project fileSystemLocations fileSystemLocations',
      'project tags tags',
      'visibility projectVisibility projectVisibility',
      'visibility resourceAccessRole resourceAccessRole',
      'webhook webhook webhook',
      'webhook url webhook.url',
      'webhook filterGroups webhook.filterGroups',
      'webhook buildType webhook.buildType',
      'webhook scopeConfiguration webhook.scopeConfiguration.scope',
      'webhook scopeConfiguration webhook.scopeConfiguration.name',
      'webhook pullRequestBuildPolicy webhook.pullRequestBuildPolicy.requiresCommentApproval'
    ]) AS setting,
    unnest([
      CASE WHEN event_name <> 'DeleteProject' THEN 'present' END,
      source_type,
      source_location,
      source_version,
      source_auth_type,
      source_auth_resource,
      CAST(source_insecure_ssl AS VARCHAR),
      CAST(source_report_build_status AS VARCHAR),
      source_buildspec,
      array_to_string(secondary_source_locations, ', '),
      artifacts_type,
      artifacts_location,
      artifacts_path,
      artifacts_name,
      artifacts_packaging,
      artifacts_namespace_type,
      CAST(artifacts_encryption_disabled AS VARCHAR),
      environment_type,
      environment_image,
      environment_compute_type,
      CAST(environment_privileged_mode AS VARCHAR),
      environment_image_pull_credentials_type,
      environment_certificate,
      environment_registry_credential,
      environment_fleet_arn,
      array_to_string(environment_variable_names, ', '),
      array_to_string(environment_variable_types, ', '),
      service_role,
      CAST(timeout_in_minutes AS VARCHAR),
      CAST(queued_timeout_in_minutes AS VARCHAR),
      encryption_key,
      cache_type,
      cache_location,
      array_to_string(cache_modes, ', '),
      vpc_id,
      array_to_string(vpc_subnet_ids, ', '),
      array_to_string(vpc_security_group_ids, ', '),
      logs_cloudwatch_status,
      logs_cloudwatch_group,
      logs_s3_status,
      logs_s3_location,
      CASE
        WHEN s3_logs LIKE ':{%"encryptionDisabled":true%' THEN 'true'
        WHEN s3_logs LIKE ':{%"encryptionDisabled":false%' THEN 'false'
      END,
      description,
      CAST(badge_enabled AS VARCHAR),
      CAST(concurrent_build_limit AS VARCHAR),
      CAST(auto_retry_limit AS VARCHAR),
      array_to_string(file_system_locations, ', '),
      tags,
      project_visibility,
      resource_access_role,
      CASE WHEN event_name <> 'DeleteWebhook' THEN 'present' END,
      webhook_url,
      webhook_filter_groups,
      webhook_build_type,
      webhook_scope,
      webhook_scope_name,
      webhook_pr_comment_approval
    ]) AS setting_value
  FROM changes
),
settings AS (
  SELECT
    event_time,
    event_id,
    event_name,
    recipient_account_id,
    aws_region,
    project_name,
    actor,
    credential_kind,
    principal,
    source_ip_address,
    incarnation,
    shows_all,
    split_part(setting, ' ', 3) AS setting,
    nullif(setting_value, '') AS setting_value,
    coalesce(array_has(request_members, split_part(setting, ' ', 2)), false) AS asked,
    coalesce(
      array_has(
        masked_settings,
        replace(split_part(setting, ' ', 3), 'environmentVariables.type', 'environmentVariables')
      ),
      false
    ) AS masked
  FROM unpivoted
  WHERE split_part(setting, ' ', 1) = kind
    -- A deleted project has no settings left to tell.
    AND (event_name <> 'DeleteProject' OR setting = 'project project project')
),
known AS (
  SELECT
    event_time,
    event_id,
    event_name,
    recipient_account_id,
    aws_region,
    project_name,
    actor,
    credential_kind,
    principal,
    source_ip_address,
    setting,
    asked,
    masked AND setting_value IS NULL AS masked,
    CASE WHEN masked AND setting_value IS NULL THEN '(masked)' ELSE setting_value END AS after,
    lag(CASE WHEN masked AND setting_value IS NULL THEN '(masked)' ELSE setting_value END) OVER (
      PARTITION BY recipient_account_id, aws_region, project_name, incarnation, setting
      ORDER BY event_time, event_id
    ) AS before,
    row_number() OVER (
      PARTITION BY recipient_account_id, aws_region, project_name, incarnation, setting
      ORDER BY event_time, event_id
    ) > 1 AS before_known
  FROM settings
  WHERE shows_all OR masked OR setting_value IS NOT NULL
)
SELECT
  event_time,
  event_id,
  event_name,
  recipient_account_id AS account,
  aws_region AS region,
  project_name,
  setting,
  before,
  after,
  before_known,
  CASE
    WHEN masked THEN 'masked'
    WHEN after IS NULL THEN 'removed'
    WHEN before IS NULL THEN 'set'
    ELSE 'changed'
  END AS change,
  actor,
  principal,
  credential_kind,
  source_ip_address
FROM known
WHERE CASE
  WHEN masked OR coalesce(before = '(masked)', false) THEN asked
  WHEN setting IN ('project', 'webhook') AND event_name IN ('DeleteProject', 'DeleteWebhook') THEN true
  WHEN before_known THEN after IS DISTINCT FROM before
  ELSE after IS NOT NULL AND (asked OR event_name IN ('CreateProject', 'CreateWebhook'))
END
