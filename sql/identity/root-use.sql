-- title: Use of the root
-- question: Did the root of an account call CodeBuild, from where, and with MFA?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: high
-- attack: T1078.004
-- response: Ask who has the root's password and MFA; if nobody knows of it, change both and look at all that root did
-- benign: The first setting up of an account
-- A call that a service makes for the root is in it, too: the root stands behind it.
-- Not seen: what a user or role does that root made before; and a call that a member account's root makes
-- through a role. Events without a readable time come last.
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
FROM calls_once
WHERE credential_kind IN ('root', 'root_session')
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS LAST, event_id NULLS LAST
