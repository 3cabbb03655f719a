-- title: Use of the root
-- question: Did the root of an account call CodeBuild, from where, and with MFA?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- severity: high
-- attack: T1078.004
-- A call that a service makes for the root is in it, too: the root stands behind it.
SELECT
  event_time,
  event_name,
  operation_access,
  project_name,
  account,
  region,
  credential_kind,
  access_key_id,
  mfa,
  client,
  source_ip_address,
  succeeded
FROM calls
WHERE credential_kind IN ('root', 'root_session')
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
ORDER BY event_time, event_id
