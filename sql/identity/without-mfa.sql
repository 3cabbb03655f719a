-- title: Use without MFA
-- question: Which users, or root, changed something without MFA?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: writes boolean [true] Only calls that change something
-- severity: medium
-- attack: T1078.004
-- response: Ask the user, and let the policy require aws:MultiFactorAuthPresent or let people come by single sign-on
-- benign: Users that machines have, whose keys can have no MFA
-- A long-term key says nothing of MFA, which means without. Roles are left out: the MFA of who assumed
-- one is not in its session, and single sign-on has its own. So are calls of services on behalf.
-- Not seen: roles, as said, and a session that was made with MFA and stolen then.
SELECT
  actor,
  credential_kind,
  account,
  access_key_id,
  client,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(DISTINCT source_ip_address) AS addresses,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM calls_once
WHERE by_root_or_user
  AND mfa IS NOT TRUE
  AND by_aws_service IS NOT TRUE
  AND event_source = 'codebuild.amazonaws.com'
  AND (NOT $writes OR operation_access = 'write')
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY actor, credential_kind, account, access_key_id, client
ORDER BY requests DESC, actor NULLS LAST, credential_kind NULLS LAST, account NULLS LAST, access_key_id NULLS LAST,
  client NULLS LAST
