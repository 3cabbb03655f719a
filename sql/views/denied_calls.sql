-- title: Denied calls
-- question: Which calls were refused for want of permission, to whom, and what would they have done?
-- uses: calls_once
-- A refused call loses its request, so what it was for is only in the message: the action, and mostly
-- the resource. Where the message names no action the operation stands for it. `copy` is that of the
-- view calls_once.
-- Not seen: a refusal whose error code no list knows and whose message names no action.
SELECT
  event_time,
  event_id,
  event_source,
  event_name,
  account,
  region,
  coalesce(
    denied_action, replace(event_source, '.amazonaws.com', '') || ':' || event_name
  ) AS denied_action,
  denied_resource_arn,
  project_name,
  actor,
  principal,
  credential_kind,
  client,
  access_key_id,
  invoked_by,
  actor_build_uuid,
  source_ip_address,
  user_agent,
  error_code,
  error_message,
  network,
  copy
FROM calls_once
WHERE denied
