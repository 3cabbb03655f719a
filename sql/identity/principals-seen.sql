-- title: Principals
-- question: Who ever called CodeBuild, since when, from how many addresses and keys, with what clients?
-- parameter: account text [] Only events of this account
SELECT
  principal,
  caller_account,
  credential_kind,
  first_seen,
  last_seen,
  requests,
  writes,
  failed,
  days,
  sessions,
  access_keys,
  addresses,
  operations,
  projects,
  clients
FROM principals
WHERE ($account IS NULL OR caller_account = $account)
ORDER BY requests DESC, principal, caller_account
