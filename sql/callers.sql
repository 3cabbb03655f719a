-- title: Callers
-- question: Who made requests, with which kind of credentials, and from how many addresses?
SELECT
  actor,
  credential_kind,
  user_identity_account_id AS account,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT source_ip_address) AS addresses,
  max(event_time) AS last_seen
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
GROUP BY actor, credential_kind, user_identity_account_id
ORDER BY requests DESC, actor, credential_kind, account
