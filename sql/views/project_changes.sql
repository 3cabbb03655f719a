-- title: Project changes
-- question: What did each change of a project, its visibility or its webhook set, from what to what?
-- uses: project_calls
-- One row a setting that a successful call changed, by the path of the project's own member. The value
-- before is the last that an earlier call showed since the project was created; where no earlier call
-- shows one, `before_known` is false. `before_deleted` is the last of a deleted project of the same name.
-- `first_value` says that the row shows no change: nothing earlier is known, or the same as before the deletion.
-- Another order of a list is no change; a list without a column is compared as JSON text. A setting is
-- removed where the call named its member and neither answer nor request shows it; a member of which
-- a call tells nothing stays as it was. Records of before 2021 show no request: there the answer tells all.
-- AWS masks build specification, variables, key and tags in every answer, set or not. A masked setting
-- is listed as `masked` where the request named its member: it may have changed, nobody can tell. So is
-- a member that this view does not know, and a webhook's secret when it is rotated. Of
-- variables whose values alone are masked the names and types are compared, apart from each other.
WITH texts AS (
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    event_time,
    event_id,
    event_name,
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
    request_members,
    masked_settings,
    settings_origin,
    webhook_rotate_secret,
    CASE
      WHEN settings_origin = 'request' THEN request_parameters
      ELSE coalesce(response_elements, request_parameters)
    END AS answer,
    -- Half a surrogate pair, which JSON allows, is an error in DuckDB.
    CASE
      WHEN strpos(response_elements, '\ud') > 0 OR strpos(response_elements, '\uD') > 0
        THEN regexp_replace(
          response_elements, '(^|[^\\])((\\\\)*)(\\u[dD][89a-fA-F][0-9a-fA-F]{2})+', '\1\2?', 'g'
        )
      ELSE response_elements
    END AS response,
    CASE
      WHEN strpos(request_parameters, '\ud') > 0 OR strpos(request_parameters, '\uD') > 0
        THEN regexp_replace(
          request_parameters, '(^|[^\\])((\\\\)*)(\\u[dD][89a-fA-F][0-9a-fA-F]{2})+', '\1\2?', 'g'
        )
      ELSE request_parameters
    END AS request,
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
  FROM project_calls
),
members AS (
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    event_time,
    event_id,
    event_name,
    actor,
    credential_kind,
    source_ip_address,
    principal,
    request_members,
    masked_settings,
    settings_origin,
    webhook_rotate_secret,
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
    webhook_pr_comment_approval,
    -- Only objects are looked into: where AWS masks a whole member, its text is no JSON.
    CASE WHEN (response ->> 'project') LIKE '{%}' THEN response ->> 'project' END AS project,
    CASE WHEN (response ->> 'webhook') LIKE '{%}' THEN response ->> 'webhook' END AS webhook,
    request,
    -- Lists without a column, cut out of the text, as neither engine can sort one.
    CASE
      WHEN array_length(secondary_source_locations) > 0
        THEN regexp_replace(
            regexp_replace(split_part(split_part(answer, '"secondarySources"', 2), ']', 1), '\s', '', 'g'),
            '"location":"[^"]*",?', '', 'g'
          )
    END AS secondary_source_settings,
    CASE
      WHEN array_length(secondary_source_locations) > 0
        THEN regexp_replace(split_part(split_part(answer, '"secondarySourceVersions"', 2), ']', 1), '\s', '', 'g')
    END AS secondary_source_versions,
    regexp_replace(split_part(split_part(answer, '"secondaryArtifacts"', 2), ']', 1), '\s', '', 'g') AS secondary_artifacts,
    CASE
      WHEN array_length(file_system_locations) > 0
        THEN regexp_replace(
            regexp_replace(split_part(split_part(answer, '"fileSystemLocations"', 2), ']', 1), '\s', '', 'g'),
            '"location":"[^"]*",?', '', 'g'
          )
    END AS file_system_settings
  FROM texts
),
changes AS (
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    event_time,
    event_id,
    event_name,
    actor,
    credential_kind,
    source_ip_address,
    principal,
    masked_settings,
    CASE
      WHEN event_name IN ('CreateProject', 'UpdateProject', 'DeleteProject') THEN 'project'
      WHEN event_name = 'UpdateProjectVisibility' THEN 'visibility'
      ELSE 'webhook'
    END AS kind,
    CASE
      WHEN event_name = 'UpdateProject'
        THEN settings_origin = 'response' AND NOT coalesce(array_has(request_members, 'name'), false)
      WHEN event_name = 'UpdateWebhook'
        THEN webhook_url IS NOT NULL AND NOT coalesce(array_has(request_members, 'projectName'), false)
      ELSE event_name <> 'UpdateProjectVisibility'
    END AS tells_all,
    request_members,
    settings_origin,
    webhook_rotate_secret,
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
    webhook_pr_comment_approval,
    coalesce(
      CASE WHEN (project ->> 'source') LIKE '{%}' THEN project ->> 'source' END,
      CASE WHEN (request ->> 'source') LIKE '{%}' THEN request ->> 'source' END
    ) AS source,
    coalesce(
      CASE WHEN (project ->> 'artifacts') LIKE '{%}' THEN project ->> 'artifacts' END,
      CASE WHEN (request ->> 'artifacts') LIKE '{%}' THEN request ->> 'artifacts' END
    ) AS artifacts,
    coalesce(
      CASE WHEN (project ->> 'environment') LIKE '{%}' THEN project ->> 'environment' END,
      CASE WHEN (request ->> 'environment') LIKE '{%}' THEN request ->> 'environment' END
    ) AS environment,
    coalesce(
      CASE WHEN (project ->> 'cache') LIKE '{%}' THEN project ->> 'cache' END,
      CASE WHEN (request ->> 'cache') LIKE '{%}' THEN request ->> 'cache' END
    ) AS cache,
    coalesce(
      CASE WHEN (project ->> 'logsConfig') LIKE '{%}' THEN project ->> 'logsConfig' END,
      CASE WHEN (request ->> 'logsConfig') LIKE '{%}' THEN request ->> 'logsConfig' END
    ) AS logs_config,
    coalesce(
      CASE WHEN (project ->> 'buildBatchConfig') LIKE '{%}' THEN project ->> 'buildBatchConfig' END,
      CASE WHEN (request ->> 'buildBatchConfig') LIKE '{%}' THEN request ->> 'buildBatchConfig' END
    ) AS batch_config,
    coalesce(webhook, request) AS hook,
    CASE
      WHEN secondary_source_settings LIKE ':[_%'
        THEN array_to_string(
          array_sort(string_to_array(regexp_replace(secondary_source_settings, '^:\[\{?|\}$', '', 'g'), '},{')), '},{'
        )
    END AS secondary_source_settings,
    CASE
      WHEN secondary_source_versions LIKE ':[_%'
        THEN array_to_string(
          array_sort(string_to_array(regexp_replace(secondary_source_versions, '^:\[\{?|\}$', '', 'g'), '},{')), '},{'
        )
    END AS secondary_source_versions,
    CASE
      WHEN secondary_artifacts LIKE ':[_%'
        THEN array_to_string(
          array_sort(string_to_array(regexp_replace(secondary_artifacts, '^:\[\{?|\}$', '', 'g'), '},{')), '},{'
        )
    END AS secondary_artifacts,
    CASE
      WHEN file_system_settings LIKE ':[_%'
        THEN array_to_string(
          array_sort(string_to_array(regexp_replace(file_system_settings, '^:\[\{?|\}$', '', 'g'), '},{')), '},{'
        )
    END AS file_system_settings
  FROM members
),
-- The values of all settings, line by line as in the list of settings below.
valued AS (
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    event_time,
    event_id,
    event_name,
    actor,
    credential_kind,
    principal,
    source_ip_address,
    kind,
    tells_all,
    concat(' ', array_to_string(request_members, ' '), ' ') AS asked_members,
    concat(
      ' ',
      array_to_string(masked_settings, ' '),
      CASE WHEN webhook_rotate_secret THEN ' webhook.secret' END,
      ' '
    ) AS masked_settings,
    settings_origin,
    [
      CASE WHEN event_name <> 'DeleteProject' THEN 'present' END,
      source_type,
      source_location,
      source_version,
      source_auth_type,
      source_auth_resource,
      CAST(source_insecure_ssl AS VARCHAR),
      CAST(source_report_build_status AS VARCHAR),
      source_buildspec,
      source ->> 'gitCloneDepth',
      (source -> 'gitSubmodulesConfig') ->> 'fetchSubmodules',
      (source -> 'buildStatusConfig') ->> 'context',
      (source -> 'buildStatusConfig') ->> 'targetUrl',
      array_to_string(secondary_source_locations, ', '),
      secondary_source_settings,
      secondary_source_versions,
      artifacts_type,
      artifacts_location,
      artifacts_path,
      artifacts_name,
      artifacts_packaging,
      artifacts_namespace_type,
      CAST(artifacts_encryption_disabled AS VARCHAR),
      artifacts ->> 'overrideArtifactName',
      artifacts ->> 'bucketOwnerAccess',
      artifacts ->> 'artifactIdentifier',
      secondary_artifacts,
      environment_type,
      environment_image,
      environment_compute_type,
      CAST(environment_privileged_mode AS VARCHAR),
      environment_image_pull_credentials_type,
      environment_certificate,
      environment_registry_credential,
      (environment -> 'registryCredential') ->> 'credentialProvider',
      environment_fleet_arn,
      (environment -> 'computeConfiguration') ->> 'vCpu',
      (environment -> 'computeConfiguration') ->> 'memory',
      (environment -> 'computeConfiguration') ->> 'disk',
      (environment -> 'computeConfiguration') ->> 'machineType',
      (environment -> 'computeConfiguration') ->> 'instanceType',
      (environment -> 'dockerServer') ->> 'computeType',
      array_to_string(
        array_sort(string_to_array(regexp_replace((environment -> 'dockerServer') ->> 'securityGroupIds', '\s|^\[|\]$', '', 'g'), ',')), ','
      ),
      environment ->> 'hostKernel',
      array_to_string(environment_variable_names, ', '),
      array_to_string(environment_variable_types, ', '),
      service_role,
      CAST(timeout_in_minutes AS VARCHAR),
      CAST(queued_timeout_in_minutes AS VARCHAR),
      encryption_key,
      cache_type,
      cache_location,
      array_to_string(cache_modes, ', '),
      cache ->> 'cacheNamespace',
      vpc_id,
      array_to_string(vpc_subnet_ids, ', '),
      array_to_string(vpc_security_group_ids, ', '),
      logs_cloudwatch_status,
      logs_cloudwatch_group,
      (logs_config -> 'cloudWatchLogs') ->> 'streamName',
      logs_s3_status,
      logs_s3_location,
      (logs_config -> 's3Logs') ->> 'encryptionDisabled',
      (logs_config -> 's3Logs') ->> 'bucketOwnerAccess',
      description,
      CAST(badge_enabled AS VARCHAR),
      CAST(concurrent_build_limit AS VARCHAR),
      CAST(auto_retry_limit AS VARCHAR),
      array_to_string(file_system_locations, ', '),
      file_system_settings,
      batch_config ->> 'serviceRole',
      batch_config ->> 'combineArtifacts',
      batch_config ->> 'timeoutInMins',
      batch_config ->> 'batchReportMode',
      (batch_config -> 'restrictions') ->> 'maximumBuildsAllowed',
      array_to_string(
        array_sort(string_to_array(regexp_replace((batch_config -> 'restrictions') ->> 'computeTypesAllowed', '\s|^\[|\]$', '', 'g'), ',')), ','
      ),
      array_to_string(
        array_sort(string_to_array(regexp_replace((batch_config -> 'restrictions') ->> 'fleetsAllowed', '\s|^\[|\]$', '', 'g'), ',')), ','
      ),
      array_to_string(
        array_sort(string_to_array(regexp_replace(tags, '^\[\{?|\}?\]$', '', 'g'), '},{')), '},{'
      ),
      project_visibility,
      resource_access_role,
      CASE WHEN event_name <> 'DeleteWebhook' THEN 'present' END,
      webhook_url,
      webhook_filter_groups,
      hook ->> 'branchFilter',
      webhook_build_type,
      hook ->> 'manualCreation',
      coalesce(webhook_scope, (hook -> 'scopeConfiguration') ->> 'scope'),
      coalesce(webhook_scope_name, (hook -> 'scopeConfiguration') ->> 'name'),
      (hook -> 'scopeConfiguration') ->> 'domain',
      webhook_pr_comment_approval,
      array_to_string(
        array_sort(string_to_array(regexp_replace((hook -> 'pullRequestBuildPolicy') ->> 'approverRoles', '\s|^\[|\]$', '', 'g'), ',')), ','
      ),
      CAST(NULL AS VARCHAR)
    ] AS setting_values
  FROM changes
),
followed AS (
  SELECT
    *,
    lag(setting_values) OVER calls AS last_values,
    lag(settings_origin) OVER calls AS last_origin,
    -- What such a call does not show was not there.
    coalesce(
      min(CASE WHEN tells_all THEN step END) OVER (PARTITION BY account, region, project_name, life, kind) < step,
      false
    ) AS all_known
  FROM valued
  WINDOW calls AS (PARTITION BY account, region, project_name, life, kind ORDER BY step)
),
-- Kind, request member and path of each setting, its value, and that of the call before.
unpivoted AS (
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    event_time,
    event_id,
    event_name,
    actor,
    credential_kind,
    principal,
    source_ip_address,
    kind,
    tells_all,
    asked_members,
    masked_settings,
    all_known,
    last_values IS NULL OR coalesce(last_origin = 'request', true) AS last_unsure,
    last_values IS NULL AS first_call,
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
      'project source source.gitCloneDepth',
      'project source source.gitSubmodulesConfig.fetchSubmodules',
      'project source source.buildStatusConfig.context',
      'project source source.buildStatusConfig.targetUrl',
      'project secondarySources secondarySources',
      'project secondarySources secondarySources.settings',
      'project secondarySourceVersions secondarySourceVersions',
      'project artifacts artifacts.type',
      'project artifacts artifacts.location',
      'project artifacts artifacts.path',
      'project artifacts artifacts.name',
      'project artifacts artifacts.packaging',
      'project artifacts artifacts.namespaceType',
      'project artifacts artifacts.encryptionDisabled',
      'project artifacts artifacts.overrideArtifactName',
      'project artifacts artifacts.bucketOwnerAccess',
      'project artifacts artifacts.artifactIdentifier',
      'project secondaryArtifacts secondaryArtifacts',
      'project environment environment.type',
      'project environment environment.image',
      'project environment environment.computeType',
      'project environment environment.privilegedMode',
      'project environment environment.imagePullCredentialsType',
      'project environment environment.certificate',
      'project environment environment.registryCredential.credential',
      'project environment environment.registryCredential.credentialProvider',
      'project environment environment.fleet.fleetArn',
      'project environment environment.computeConfiguration.vCpu',
      'project environment environment.computeConfiguration.memory',
      'project environment environment.computeConfiguration.disk',
      'project environment environment.computeConfiguration.machineType',
      'project environment environment.computeConfiguration.instanceType',
      'project environment environment.dockerServer.computeType',
      'project environment environment.dockerServer.securityGroupIds',
      'project environment environment.hostKernel',
      'project environment environment.environmentVariables',
      'project environment environment.environmentVariables.type',
      'project serviceRole serviceRole',
      'project timeoutInMinutes timeoutInMinutes',
      'project queuedTimeoutInMinutes queuedTimeoutInMinutes',
      'project encryptionKey encryptionKey',
      'project cache cache.type',
      'project cache cache.location',
      'project cache cache.modes',
      'project cache cache.cacheNamespace',
      'project vpcConfig vpcConfig.vpcId',
      'project vpcConfig vpcConfig.subnets',
      'project vpcConfig vpcConfig.securityGroupIds',
      'project logsConfig logsConfig.cloudWatchLogs.status',
      'project logsConfig logsConfig.cloudWatchLogs.groupName',
      'project logsConfig logsConfig.cloudWatchLogs.streamName',
      'project logsConfig logsConfig.s3Logs.status',
      'project logsConfig logsConfig.s3Logs.location',
      'project logsConfig logsConfig.s3Logs.encryptionDisabled',
      'project logsConfig logsConfig.s3Logs.bucketOwnerAccess',
      'project description description',
      'project badgeEnabled badge.badgeEnabled',
      'project concurrentBuildLimit concurrentBuildLimit',
      'project autoRetryLimit autoRetryLimit',
      'project fileSystemLocations fileSystemLocations',
      'project fileSystemLocations fileSystemLocations.settings',
      'project buildBatchConfig buildBatchConfig.serviceRole',
      'project buildBatchConfig buildBatchConfig.combineArtifacts',
      'project buildBatchConfig buildBatchConfig.timeoutInMins',
      'project buildBatchConfig buildBatchConfig.batchReportMode',
      'project buildBatchConfig buildBatchConfig.restrictions.maximumBuildsAllowed',
      'project buildBatchConfig buildBatchConfig.restrictions.computeTypesAllowed',
      'project buildBatchConfig buildBatchConfig.restrictions.fleetsAllowed',
      'project tags tags',
      'visibility projectVisibility projectVisibility',
      'visibility resourceAccessRole resourceAccessRole',
      'webhook webhook webhook',
      'webhook url webhook.url',
      'webhook filterGroups webhook.filterGroups',
      'webhook branchFilter webhook.branchFilter',
      'webhook buildType webhook.buildType',
      'webhook manualCreation webhook.manualCreation',
      'webhook scopeConfiguration webhook.scopeConfiguration.scope',
      'webhook scopeConfiguration webhook.scopeConfiguration.name',
      'webhook scopeConfiguration webhook.scopeConfiguration.domain',
      'webhook pullRequestBuildPolicy webhook.pullRequestBuildPolicy.requiresCommentApproval',
      'webhook pullRequestBuildPolicy webhook.pullRequestBuildPolicy.approverRoles',
      'webhook rotateSecret webhook.secret'
    ]) AS setting,
    unnest(setting_values) AS setting_value,
    unnest(last_values) AS last_value
  FROM followed
),
settings AS (
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    event_time,
    event_id,
    event_name,
    actor,
    credential_kind,
    principal,
    source_ip_address,
    kind,
    tells_all,
    first_call,
    all_known,
    last_value,
    split_part(setting, ' ', 3) AS setting,
    nullif(setting_value, '') AS setting_value,
    strpos(asked_members, concat(' ', split_part(setting, ' ', 2), ' ')) > 0 AS asked,
    strpos(masked_settings, concat(' ', split_part(setting, ' ', 3), ' ')) > 0 AS masked
  FROM unpivoted
  -- What a call says once more is left out early, so that few rows are looked at.
  WHERE (
      (setting_value IS DISTINCT FROM last_value)
      OR setting_value IS NULL
        AND (
          last_unsure
          OR kind <> 'project'
          OR strpos(asked_members, concat(' ', split_part(setting, ' ', 2), ' ')) > 0
        )
      OR setting IN (
        'project project project', 'webhook webhook webhook', 'project source source.buildspec',
        'project environment environment.environmentVariables', 'project encryptionKey encryptionKey',
        'project tags tags'
      )
    )
    AND split_part(setting, ' ', 1) = kind
    -- A member that is masked as a whole is one row, below.
    AND (
      split_part(setting, ' ', 2) = split_part(setting, ' ', 3)
      OR strpos(masked_settings, concat(' ', split_part(setting, ' ', 2), ' ')) = 0
    )
    -- A deleted project has no settings left to tell.
    AND (event_name <> 'DeleteProject' OR setting = 'project project project')
    -- Variables that are masked are one row.
    AND (
      setting NOT LIKE '%environmentVariables.type'
      OR setting_value IS NOT NULL
      OR strpos(masked_settings, ' environment.environmentVariables ') = 0
    )
  UNION ALL
  -- Members that AWS added after this was written, and those that it masks as a whole.
  SELECT
    account,
    region,
    project_name,
    step,
    life,
    event_time,
    event_id,
    event_name,
    actor,
    credential_kind,
    principal,
    source_ip_address,
    kind,
    false AS tells_all,
    true AS first_call,
    true AS all_known,
    CAST(NULL AS VARCHAR) AS last_value,
    member AS setting,
    CAST(NULL AS VARCHAR) AS setting_value,
    true AS asked,
    true AS masked
  FROM (
    SELECT
      account,
      region,
      project_name,
      step,
      life,
      event_time,
      event_id,
      event_name,
      actor,
      credential_kind,
      principal,
      source_ip_address,
      'project' AS kind,
      masked_settings,
      unnest(request_members) AS member
    FROM texts
    WHERE event_name = 'UpdateProject'
      AND array_has(request_members, 'name')
  ) AS asked_members
  WHERE array_has(masked_settings, member)
      AND member IN (
        'source', 'artifacts', 'environment', 'cache', 'vpcConfig', 'logsConfig', 'buildBatchConfig'
      )
    OR member NOT IN (
      'name', 'idempotencyToken',
      'source', 'sourceVersion', 'secondarySources', 'secondarySourceVersions', 'artifacts',
      'secondaryArtifacts', 'environment', 'serviceRole', 'timeoutInMinutes', 'queuedTimeoutInMinutes',
      'encryptionKey', 'cache', 'vpcConfig', 'logsConfig', 'description', 'badgeEnabled',
      'concurrentBuildLimit', 'autoRetryLimit', 'fileSystemLocations', 'buildBatchConfig', 'tags'
    )
),
-- The same groups of filters in another order let the same events through.
filter_groups AS (
  SELECT
    account,
    region,
    project_name,
    step,
    array_to_string(array_agg(filter_group ORDER BY filter_group), '],[') AS sorted_groups
  FROM (
    SELECT
      account,
      region,
      project_name,
      step,
      array_to_string(
        array_sort(string_to_array(regexp_replace(filter_group, '^\{|\}$', '', 'g'), '},{')), '},{'
      ) AS filter_group
    FROM (
      SELECT
        account,
        region,
        project_name,
        step,
        unnest(
          string_to_array(
            regexp_replace(
              replace(
                replace(
                  -- Blanks outside of texts.
                  regexp_replace(webhook_filter_groups, '("(?:[^"\\]|\\.)*")|\s+', '\1', 'g'),
                  ',"excludeMatchedPattern":false',
                  ''
                ),
                '"excludeMatchedPattern":false,',
                ''
              ),
              '^\[\[|\]\]$', '', 'g'
            ),
            '],['
          )
        ) AS filter_group
      FROM texts
      WHERE webhook_filter_groups IS NOT NULL
    ) AS groups_as_set
  ) AS groups_sorted
  GROUP BY account, region, project_name, step
),
compared AS (
  SELECT
    settings.account,
    settings.region,
    settings.project_name,
    settings.step,
    settings.life,
    settings.event_time,
    settings.event_id,
    settings.event_name,
    settings.actor,
    settings.credential_kind,
    settings.principal,
    settings.source_ip_address,
    settings.kind,
    settings.setting,
    settings.asked,
    settings.all_known,
    settings.masked AND settings.setting_value IS NULL AS masked,
    CASE
      WHEN settings.masked AND settings.setting_value IS NULL THEN '(masked)'
      ELSE settings.setting_value
    END AS after,
    coalesce(
      filter_groups.sorted_groups,
      CASE
        WHEN settings.setting IN (
            'secondarySources', 'environment.environmentVariables', 'environment.environmentVariables.type',
            'cache.modes', 'vpcConfig.subnets', 'vpcConfig.securityGroupIds', 'fileSystemLocations'
          )
          THEN array_to_string(array_sort(string_to_array(settings.setting_value, ', ')), ', ')
      END,
      CASE WHEN settings.masked AND settings.setting_value IS NULL THEN '(masked)' END,
      settings.setting_value
    ) AS after_sorted
  FROM settings
  LEFT JOIN filter_groups
    ON settings.setting = 'webhook.filterGroups'
    AND filter_groups.project_name = settings.project_name
    AND filter_groups.step = settings.step
    AND coalesce(filter_groups.account, '') = coalesce(settings.account, '')
    AND coalesce(filter_groups.region, '') = coalesce(settings.region, '')
  WHERE CASE
    WHEN settings.setting_value IS NOT NULL
      THEN settings.setting IN ('project', 'webhook')
        OR (settings.setting_value IS DISTINCT FROM nullif(settings.last_value, ''))
    WHEN settings.masked THEN settings.asked OR settings.first_call
    ELSE settings.asked OR settings.tells_all AND (settings.event_name NOT LIKE 'Create%' OR settings.life > 1)
  END
),
known AS (
  SELECT
    *,
    lag(after) OVER earlier AS after_before,
    lag(after_sorted) OVER earlier AS sorted_before,
    lag(life) OVER earlier AS life_before
  FROM compared
  WINDOW earlier AS (PARTITION BY account, region, project_name, setting ORDER BY step)
),
judged AS (
  SELECT
    *,
    coalesce(life_before = life, false) OR all_known AS before_known,
    CASE WHEN life_before = life THEN after_before END AS before,
    CASE WHEN life_before = life THEN sorted_before END AS sorted_here,
    CASE WHEN life_before < life AND NOT all_known THEN after_before END AS before_deleted,
    coalesce(life_before < life AND NOT all_known, false)
      AND (after_sorted IS DISTINCT FROM sorted_before) AS differs
  FROM known
)
SELECT
  event_time,
  event_id,
  event_name,
  account,
  region,
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
  source_ip_address,
  before_deleted,
  kind = 'project'
    AND setting <> 'project'
    AND NOT before_known
    AND NOT differs
    AND (NOT masked OR life_before IS NULL) AS first_value,
  step
FROM judged
WHERE CASE
  WHEN masked OR coalesce(before = '(masked)', false) THEN asked
  WHEN setting IN ('project', 'webhook') AND event_name IN ('DeleteProject', 'DeleteWebhook') THEN true
  WHEN before_known THEN after_sorted IS DISTINCT FROM sorted_here
  WHEN after IS NULL THEN before_deleted IS NOT NULL AND event_name = 'CreateProject'
  ELSE asked OR event_name IN ('CreateProject', 'CreateWebhook')
END
