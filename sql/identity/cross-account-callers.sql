-- title: Cross-account callers
-- question: Which callers of another account called here, or worked on a project of another account?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- severity: low
-- attack: T1199
-- Both accounts get a copy of such a call. A service's own identity has no account and is not here.
SELECT
  actor,
  credential_kind,
  user_identity_account_id AS caller_account,
  recipient_account_id AS account,
  split_part(project_arn, ':', 5) AS project_account,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  string_agg(DISTINCT event_name, ', ' ORDER BY event_name) AS operations,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND (
    user_identity_account_id <> recipient_account_id
    OR user_identity_account_id <> split_part(project_arn, ':', 5)
  )
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
GROUP BY actor, credential_kind, user_identity_account_id, recipient_account_id, split_part(project_arn, ':', 5)
ORDER BY requests DESC, actor, credential_kind, caller_account, account, project_account
