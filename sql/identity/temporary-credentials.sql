-- title: Requests with temporary credentials
-- question: Which requests were made with the temporary credentials of a role or federated user?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- Not seen: the credentials that a session was made with.
SELECT
  coalesce(session_issuer_arn, caller_arn) AS issuer,
  credential_kind,
  count(*) AS requests,
  count(DISTINCT actor) AS sessions,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM calls_once
WHERE by_temporary_credentials
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY coalesce(session_issuer_arn, caller_arn), credential_kind
ORDER BY requests DESC, issuer NULLS LAST, credential_kind NULLS LAST
