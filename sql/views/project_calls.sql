-- title: Project calls
-- question: Which calls set up each project and its webhook, in which order, and in which of its lives?
-- One row a successful call that created, changed, published or deleted a project or its webhook, with
-- the columns of `events` that tell of them. `account` is the project's own, `step` counts the calls on it from 1, and
-- `life` counts how often a project of this name was created.
-- CloudTrail's times have one second. Calls within a second are put in the order that is possible: what
-- exists is deleted before it is created anew, what does not is created first. The calls before and
-- after tell which, builds included; without any the project is taken for new. Two updates within
-- one second stay in the order of their event ids, which says nothing; publishing counts last.
-- A call that is there more than once is one row: its copy for another account, a copy of the same event
-- id with other content, an addendum. A call without a readable time counts as the oldest.
WITH copies AS (
  SELECT
    event_time,
    event_id,
    event_name,
    source_file,
    source_record,
    request_id,
    shared_event_id,
    addendum_reason,
    recipient_account_id,
    user_identity_account_id,
    actor,
    credential_kind,
    session_issuer_type,
    session_issuer_arn,
    user_identity_arn,
    user_identity_invoked_by,
    actor_build_uuid,
    source_ip_address,
    user_agent,
    project_name,
    project_arn,
    request_members,
    settings_origin,
    request_parameters,
    response_elements,
    masked_settings,
    project_visibility,
    public_project_alias,
    resource_access_role,
    project_created,
    webhook_url,
    webhook_filter_groups,
    webhook_build_type,
    webhook_scope,
    webhook_scope_name,
    webhook_pr_comment_approval,
    webhook_rotate_secret,
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
    coalesce(nullif(split_part(project_arn, ':', 5), ''), recipient_account_id) AS account,
    aws_region AS region
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN (
      'CreateProject', 'UpdateProject', 'DeleteProject', 'UpdateProjectVisibility',
      'CreateWebhook', 'UpdateWebhook', 'DeleteWebhook'
    )
    AND succeeded
    AND project_name IS NOT NULL
  -- The copy of the account that owns the project, then the one that was completed later.
  QUALIFY row_number() OVER (
    PARTITION BY
      coalesce(
        shared_event_id, addendum_original_event_id, event_id, concat(source_file, '#', source_record)
      ),
      event_name,
      project_name
    ORDER BY
      CASE
        WHEN recipient_account_id = split_part(project_arn, ':', 5) THEN 0
        WHEN recipient_account_id IS DISTINCT FROM user_identity_account_id THEN 1
        ELSE 2
      END,
      addendum_reason IS NULL,
      event_time NULLS LAST,
      source_file NULLS LAST,
      source_record NULLS LAST
  ) = 1
),
seconds AS (
  SELECT
    account,
    region,
    project_name,
    event_time,
    count(DISTINCT CASE WHEN event_name = 'CreateProject' THEN call END) AS creations,
    count(DISTINCT CASE WHEN event_name = 'DeleteProject' THEN call END) AS deletions,
    count(DISTINCT CASE WHEN event_name = 'CreateWebhook' THEN call END) AS hook_creations,
    count(DISTINCT CASE WHEN event_name = 'UpdateWebhook' THEN call END) AS hook_updates,
    count(DISTINCT CASE WHEN event_name = 'DeleteWebhook' THEN call END) AS hook_deletions
  FROM (
    SELECT
      coalesce(nullif(split_part(project_arn, ':', 5), ''), recipient_account_id) AS account,
      aws_region AS region,
      project_name,
      event_time,
      event_name,
      coalesce(
        shared_event_id, addendum_original_event_id, event_id, concat(source_file, '#', source_record)
      ) AS call
    FROM events
    WHERE event_source = 'codebuild.amazonaws.com'
      AND event_name IN (
        'CreateProject', 'UpdateProject', 'DeleteProject', 'UpdateProjectVisibility',
        'CreateWebhook', 'UpdateWebhook', 'DeleteWebhook'
      )
      AND succeeded
      AND project_name IS NOT NULL
      AND event_time IS NOT NULL
  ) AS calls
  GROUP BY account, region, project_name, event_time
),
seen AS (
  SELECT
    account,
    region,
    project_name,
    event_time,
    creations,
    deletions,
    hook_creations,
    hook_updates,
    hook_deletions
  FROM seconds
  UNION ALL
  -- Few projects have both within one second: only of those it is looked up when they were built.
  SELECT DISTINCT
    coalesce(
      nullif(split_part(coalesce(events.build_arn, events.build_batch_arn), ':', 5), ''),
      events.recipient_account_id
    ) AS account,
    events.aws_region AS region,
    events.project_name,
    events.event_time,
    0 AS creations,
    0 AS deletions,
    0 AS hook_creations,
    0 AS hook_updates,
    0 AS hook_deletions
  FROM events
  JOIN (
    SELECT DISTINCT project_name
    FROM seconds
    WHERE creations > 0 AND deletions > 0
  ) AS tied
    ON tied.project_name = events.project_name
  WHERE events.event_source = 'codebuild.amazonaws.com'
    AND events.event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild', 'RetryBuildBatch', 'StartSandbox')
    AND events.succeeded
    AND events.event_time IS NOT NULL
),
-- Each second says whether the project was there after it and before it, in the last digit: 1 for yes.
signs AS (
  SELECT
    account,
    region,
    project_name,
    event_time,
    creations,
    deletions,
    hook_creations,
    hook_deletions,
    CAST(date_part('epoch', event_time) AS BIGINT) * 2 AS moment,
    CASE
      WHEN creations > deletions THEN 1
      WHEN creations < deletions THEN 0
      WHEN creations = 0 THEN 1
    END AS there_after,
    CASE
      WHEN creations > deletions THEN 0
      WHEN creations < deletions THEN 1
      WHEN creations = 0 THEN 1
    END AS there_before,
    CASE
      WHEN hook_creations > hook_deletions THEN 1
      WHEN hook_creations < hook_deletions THEN 0
      WHEN hook_creations = 0 AND hook_updates > 0 THEN 1
      WHEN hook_creations = 0 AND creations + deletions > 0 THEN 0
    END AS hook_after,
    CASE
      WHEN hook_creations > hook_deletions THEN 0
      WHEN hook_creations < hook_deletions THEN 1
      WHEN hook_creations = 0 AND hook_updates > 0 THEN 1
    END AS hook_before
  FROM seen
),
around AS (
  SELECT
    account,
    region,
    project_name,
    event_time,
    creations,
    deletions,
    hook_creations,
    hook_deletions,
    max(moment + there_after) OVER earlier AS there_earlier,
    min(moment + there_before) OVER later AS there_later,
    max(moment + hook_after) OVER earlier AS hook_earlier,
    min(moment + hook_before) OVER later AS hook_later
  FROM signs
  WINDOW
    earlier AS (
      PARTITION BY account, region, project_name ORDER BY event_time NULLS FIRST
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ),
    later AS (
      PARTITION BY account, region, project_name ORDER BY event_time NULLS FIRST
      RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    )
),
ties AS (
  SELECT
    account,
    region,
    project_name,
    event_time,
    creations > 0 AND deletions > 0 AS project_tied,
    hook_creations > 0 AND hook_deletions > 0 AS hook_tied,
    creations - deletions AS balance,
    hook_creations - hook_deletions AS hook_balance,
    CASE
      WHEN creations > deletions THEN 0
      WHEN creations < deletions THEN 1
      ELSE coalesce(there_earlier % 2, there_later % 2, 0)
    END AS existed,
    CASE
      WHEN hook_creations > hook_deletions THEN 0
      WHEN hook_creations < hook_deletions THEN 1
      ELSE coalesce(hook_earlier % 2, hook_later % 2, 0)
    END AS hook_existed
  FROM around
  WHERE (creations > 0 AND deletions > 0) OR (hook_creations > 0 AND hook_deletions > 0)
),
numbered AS (
  SELECT
    copies.account,
    copies.region,
    copies.event_time,
    copies.event_id,
    copies.event_name,
    copies.source_file,
    copies.source_record,
    copies.request_id,
    copies.shared_event_id,
    copies.addendum_reason,
    copies.recipient_account_id,
    copies.user_identity_account_id,
    copies.actor,
    copies.credential_kind,
    copies.session_issuer_type,
    copies.session_issuer_arn,
    copies.user_identity_arn,
    copies.user_identity_invoked_by,
    copies.actor_build_uuid,
    copies.source_ip_address,
    copies.user_agent,
    copies.project_name,
    copies.project_arn,
    copies.request_members,
    copies.settings_origin,
    copies.request_parameters,
    copies.response_elements,
    copies.masked_settings,
    copies.project_visibility,
    copies.public_project_alias,
    copies.resource_access_role,
    copies.project_created,
    copies.webhook_url,
    copies.webhook_filter_groups,
    copies.webhook_build_type,
    copies.webhook_scope,
    copies.webhook_scope_name,
    copies.webhook_pr_comment_approval,
    copies.webhook_rotate_secret,
    copies.source_type,
    copies.source_location,
    copies.source_auth_type,
    copies.source_auth_resource,
    copies.source_insecure_ssl,
    copies.source_report_build_status,
    copies.source_buildspec,
    copies.source_version,
    copies.secondary_source_locations,
    copies.artifacts_type,
    copies.artifacts_location,
    copies.artifacts_path,
    copies.artifacts_name,
    copies.artifacts_packaging,
    copies.artifacts_namespace_type,
    copies.artifacts_encryption_disabled,
    copies.environment_type,
    copies.environment_image,
    copies.environment_compute_type,
    copies.environment_privileged_mode,
    copies.environment_image_pull_credentials_type,
    copies.environment_certificate,
    copies.environment_registry_credential,
    copies.environment_fleet_arn,
    copies.environment_variable_names,
    copies.environment_variable_types,
    copies.service_role,
    copies.timeout_in_minutes,
    copies.queued_timeout_in_minutes,
    copies.encryption_key,
    copies.cache_type,
    copies.cache_location,
    copies.cache_modes,
    copies.vpc_id,
    copies.vpc_subnet_ids,
    copies.vpc_security_group_ids,
    copies.logs_cloudwatch_status,
    copies.logs_cloudwatch_group,
    copies.logs_s3_status,
    copies.logs_s3_location,
    copies.description,
    copies.badge_enabled,
    copies.concurrent_build_limit,
    copies.auto_retry_limit,
    copies.file_system_locations,
    copies.tags,
    coalesce(ties.project_tied, false) AS project_tied,
    coalesce(ties.hook_tied, false) AS hook_tied,
    ties.balance,
    ties.hook_balance,
    ties.existed,
    ties.hook_existed,
    -- Creations and deletions take turns, so each kind is counted.
    2 * row_number() OVER (
      PARTITION BY
        copies.account, copies.region, copies.project_name, copies.event_time, copies.event_name
      ORDER BY copies.event_id NULLS FIRST, copies.source_file NULLS FIRST, copies.source_record NULLS FIRST
    ) AS turn
  FROM copies
  LEFT JOIN ties
    ON (ties.account IS NOT DISTINCT FROM copies.account)
    AND (ties.region IS NOT DISTINCT FROM copies.region)
    AND ties.project_name = copies.project_name
    AND ties.event_time = copies.event_time
),
stepped AS (
  SELECT
    account,
    region,
    event_time,
    event_id,
    event_name,
    source_file,
    source_record,
    request_id,
    shared_event_id,
    addendum_reason,
    recipient_account_id,
    user_identity_account_id,
    actor,
    credential_kind,
    session_issuer_type,
    session_issuer_arn,
    user_identity_arn,
    user_identity_invoked_by,
    actor_build_uuid,
    source_ip_address,
    user_agent,
    project_name,
    project_arn,
    request_members,
    settings_origin,
    request_parameters,
    response_elements,
    masked_settings,
    project_visibility,
    public_project_alias,
    resource_access_role,
    project_created,
    webhook_url,
    webhook_filter_groups,
    webhook_build_type,
    webhook_scope,
    webhook_scope_name,
    webhook_pr_comment_approval,
    webhook_rotate_secret,
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
    row_number() OVER calls AS step,
    lag(event_name) OVER calls AS name_before
  FROM numbered
  WINDOW
    calls AS (
      PARTITION BY account, region, project_name
      ORDER BY
        event_time NULLS FIRST,
        -- First in the life of the project, ...
        CASE
          WHEN project_tied AND event_name = 'CreateProject' THEN turn + existed
          WHEN project_tied AND event_name = 'DeleteProject' THEN turn + 1 - existed
          WHEN project_tied AND event_name = 'DeleteWebhook' AND existed = 1 AND NOT hook_tied THEN 0
          -- ... where all else belongs to what is there at the end, or before what goes at the end.
          WHEN project_tied AND existed + balance > 0 THEN 1000000
          WHEN project_tied THEN 2.5
          WHEN event_name = 'CreateProject' THEN 0
          WHEN event_name = 'DeleteProject' THEN 1000001
          ELSE 1000000
        END,
        -- ... then in that of its webhook.
        CASE
          WHEN hook_tied AND event_name = 'CreateWebhook' THEN turn + hook_existed
          WHEN hook_tied AND event_name = 'DeleteWebhook' THEN turn + 1 - hook_existed
          WHEN event_name = 'CreateWebhook' THEN 1
          WHEN hook_tied AND event_name = 'UpdateWebhook' AND hook_existed + hook_balance > 0 THEN 1000000
          WHEN event_name = 'UpdateWebhook' THEN 2.5
          WHEN event_name = 'DeleteWebhook' THEN 1000000
          ELSE 0
        END,
        event_name NULLS FIRST,
        project_visibility = 'PUBLIC_READ' NULLS FIRST,
        event_id NULLS FIRST,
        source_file NULLS FIRST,
        source_record NULLS FIRST
    )
)
SELECT
  account,
  region,
  event_time,
  event_id,
  event_name,
  request_id,
  shared_event_id,
  addendum_reason,
  recipient_account_id,
  user_identity_account_id,
  actor,
  credential_kind,
  session_issuer_type,
  session_issuer_arn,
  user_identity_arn,
  user_identity_invoked_by,
  actor_build_uuid,
  source_ip_address,
  user_agent,
  project_name,
  project_arn,
  request_members,
  settings_origin,
  request_parameters,
  response_elements,
  masked_settings,
  project_visibility,
  public_project_alias,
  resource_access_role,
  project_created,
  webhook_url,
  webhook_filter_groups,
  webhook_build_type,
  webhook_scope,
  webhook_scope_name,
  webhook_pr_comment_approval,
  webhook_rotate_secret,
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
  step,
  -- A creation that the log does not show is one, too: who deletes a project cannot change it.
  sum(
    CASE
      WHEN event_name = 'CreateProject' THEN 1
      WHEN name_before = 'DeleteProject' AND event_name NOT IN ('DeleteProject', 'DeleteWebhook') THEN 1
      ELSE 0
    END
  ) OVER (
    PARTITION BY account, region, project_name ORDER BY step
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS life
FROM stepped
