-- title: Build activity
-- question: What did each build do in the account, with which credentials and from where?
-- uses: builds, calls_once
-- A build acts as its service role under a session name that holds the build's UUID. Calls to other
-- services than CodeBuild are there only if the dataset was converted with --keep build-activity or
-- all. A build that no call started (a webhook's, a batch's) has no project name here: the session name
-- does not hold it. Known operations of CodeBuild tell whether they write, others only by readOnly.
-- Not seen: calls that a build makes with other credentials than its role's.
-- A session that only bears the name of a build is here, too: the view build_sessions tells them apart.
-- A call that two accounts have a record of is there for each; `copy` is that of the view calls_once.
SELECT
  calls_once.actor_build_uuid AS build_uuid,
  builds.build_id,
  builds.project_name,
  builds.started_at,
  builds.started_by,
  calls_once.event_time,
  calls_once.event_id,
  calls_once.event_source,
  calls_once.event_name,
  calls_once.operation_access,
  calls_once.succeeded,
  calls_once.error_code,
  calls_once.denied_action,
  calls_once.denied_resource_arn,
  calls_once.account,
  calls_once.region,
  coalesce(calls_once.session_issuer_arn, calls_once.caller_arn) AS role_arn,
  calls_once.access_key_id,
  calls_once.invoked_by,
  calls_once.source_ip_address,
  calls_once.user_agent,
  array_to_string(calls_once.resource_arns, ', ') AS resource_arns,
  calls_once.network,
  calls_once.vpc_endpoint_id,
  calls_once.copy,
  builds.stopped_at,
  builds.deleted_at,
  builds.timeout_in_minutes,
  builds.queued_timeout_in_minutes
FROM calls_once
LEFT JOIN builds
  ON builds.kind = 'build' AND builds.build_uuid = calls_once.actor_build_uuid
WHERE calls_once.actor_build_uuid IS NOT NULL
