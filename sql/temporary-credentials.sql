-- title: Requests with temporary credentials
-- question: Which requests were made with the temporary credentials of a role or federated user?
SELECT
  coalesce(session_issuer_arn, user_identity_arn) AS issuer,
  credential_kind,
  count(*) AS requests,
  count(DISTINCT actor) AS sessions,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM events
WHERE by_temporary_credentials AND event_source = 'codebuild.amazonaws.com'
GROUP BY coalesce(session_issuer_arn, user_identity_arn), credential_kind
ORDER BY requests DESC, issuer, credential_kind
