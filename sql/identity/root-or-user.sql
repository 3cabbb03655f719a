-- title: Requests by root or users
-- question: Which requests were made with the credentials of the root or of a user?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
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
WHERE by_root_or_user
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
ORDER BY event_time, event_id
