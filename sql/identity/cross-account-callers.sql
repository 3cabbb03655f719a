-- title: Cross-account callers
-- question: Which callers of another account called here, or worked on a project of another account?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: low
-- attack: T1199
-- response: Compare the caller with the accounts that the project is shared with; end the sharing if nobody knows it
-- benign: Accounts of one organisation that share projects or report groups
-- A service's own identity has no account and is not here. A record that both accounts got of one call counts once,
-- as that of the project's account if it names the caller. Not seen: who took a role of this account first, which is
-- a caller of this account then; and an account whose trail is not in the dataset, for its own projects.
SELECT
  actor,
  credential_kind,
  caller_account,
  account,
  nullif(split_part(project_arn, ':', 5), '') AS project_account,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  string_agg(DISTINCT event_name, ', ' ORDER BY event_name) AS operations,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM calls_once
WHERE event_source = 'codebuild.amazonaws.com'
  AND (
    caller_account <> account
    OR caller_account <> project_account
  )
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY actor, credential_kind, caller_account, account, nullif(split_part(project_arn, ':', 5), '')
ORDER BY requests DESC, actor NULLS LAST, credential_kind NULLS LAST, caller_account, account NULLS LAST,
  project_account NULLS LAST
