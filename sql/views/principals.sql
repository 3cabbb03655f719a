-- title: Principals
-- question: Who ever called CodeBuild, since when, how, and how much?
-- uses: calls_once
-- One row a principal and its account: a role with all its sessions, a user, a service. See the view calls.
-- A call that two accounts have a record of counts once. Who only has calls without a time has no first and last.
-- Not seen: who is behind a role or user that several share.
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
  AND copy = 1
GROUP BY principal, caller_account
