-- title: Build activity
-- question: What did each build do in the account, with which credentials and from where?
-- uses: builds
-- A build acts as its service role under a session name that holds the build's UUID. Calls to other
-- services than CodeBuild are there only if the dataset was converted with --keep build-activity or
-- all. A build that no call started (a webhook's, a batch's) has no project name here: the session name
-- does not hold it. Known operations of CodeBuild tell whether they write, others only by readOnly.
SELECT
  events.actor_build_uuid AS build_uuid,
  builds.build_id,
  builds.project_name,
  builds.started_at,
  builds.started_by,
  events.event_time,
  events.event_id,
  events.event_source,
  events.event_name,
  events.operation_access,
  events.succeeded,
  events.error_code,
  events.denied_action,
  events.denied_resource_arn,
  events.recipient_account_id AS account,
  events.aws_region AS region,
  coalesce(events.session_issuer_arn, events.user_identity_arn) AS role_arn,
  events.user_identity_access_key_id AS access_key_id,
  events.user_identity_invoked_by AS invoked_by,
  events.source_ip_address,
  events.user_agent,
  array_to_string(events.resource_arns, ', ') AS resource_arns
FROM events
LEFT JOIN builds
  ON builds.kind = 'build' AND builds.build_uuid = events.actor_build_uuid
WHERE events.actor_build_uuid IS NOT NULL
