-- title: Principals
-- question: Who ever called CodeBuild, since when, from how many addresses and keys, with what clients?
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- As the view principals, over the events of an account or region. Not seen: a person behind a role or a
-- user that several share.
SELECT
  principal,
  caller_account,
  max(credential_kind) AS credential_kind,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT CAST(event_time AS DATE)) AS days,
  count(DISTINCT actor) AS sessions,
  count(DISTINCT access_key_id) AS access_keys,
  count(DISTINCT source_ip_address) AS addresses,
  count(DISTINCT event_name) AS operations,
  count(DISTINCT project_name) AS projects,
  string_agg(DISTINCT client, ', ' ORDER BY client) AS clients
FROM calls_once
WHERE event_source = 'codebuild.amazonaws.com'
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY principal, caller_account
ORDER BY requests DESC, principal NULLS LAST, caller_account NULLS LAST
