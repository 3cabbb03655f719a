-- title: Requests by root or users
-- question: Which requests were made with the credentials of the root or of a user?
SELECT
  event_time,
  actor,
  credential_kind,
  user_identity_access_key_id AS access_key_id,
  session_mfa_authenticated AS mfa,
  event_name,
  project_name,
  source_ip_address,
  succeeded
FROM events
WHERE by_root_or_user AND event_source = 'codebuild.amazonaws.com'
ORDER BY event_time, event_id
