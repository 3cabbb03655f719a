-- title: Build roles used outside builds
-- question: Which service roles of builds were used in sessions that are no build, and from where?
-- needs: all
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1078.004
-- response: Find the AssumeRole call that began the session, and who made it; let the role be assumed by CodeBuild alone
-- benign: A role that people, pipelines or other services share with builds, which is worth ending, too
-- Roles are those of builds and those in the settings of projects. A session's name is its caller's choice, so
-- one that is named as a build's is judged by the view build_sessions, and `why` says how. What CodeBuild does itself
-- with a role is left out.
-- Not seen: one who takes UUID and role of a build where the dataset has no AssumeRole calls, a role that
-- settings give by name, and a role passed on to another role.
SELECT
  calls_once.session_issuer_arn AS role_arn,
  calls_once.session_name,
  calls_once.source_ip_address,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT calls_once.succeeded) AS failed,
  nullif(array_to_string(array_sort(array_agg(DISTINCT calls_once.event_source)), ', '), '') AS services,
  nullif(array_to_string(array_sort(array_agg(DISTINCT calls_once.event_name)), ', '), '') AS operations,
  min(calls_once.event_time) AS first_seen,
  max(calls_once.event_time) AS last_seen,
  calls_once.account,
  coalesce(build_sessions.evidence, 'another name') AS why
FROM build_roles
JOIN calls_once ON calls_once.session_issuer_arn = build_roles.role_arn
LEFT JOIN build_sessions
  ON build_sessions.role_arn = calls_once.session_issuer_arn
  AND build_sessions.session_name = calls_once.session_name
  AND (build_sessions.access_key_id IS NOT DISTINCT FROM nullif(calls_once.access_key_id, ''))
WHERE build_sessions.is_build IS NOT TRUE
  AND (calls_once.invoked_by IS DISTINCT FROM 'codebuild.amazonaws.com')
  AND (calls_once.copy = 1 OR $account IS NOT NULL)
  AND ($since IS NULL OR calls_once.event_time >= $since)
  AND ($until IS NULL OR calls_once.event_time < $until)
  AND ($account IS NULL OR calls_once.account = $account)
  AND ($region IS NULL OR calls_once.region = $region)
GROUP BY
  calls_once.session_issuer_arn,
  calls_once.session_name,
  calls_once.source_ip_address,
  calls_once.account,
  coalesce(build_sessions.evidence, 'another name')
ORDER BY
  first_seen NULLS LAST, role_arn, session_name NULLS LAST, source_ip_address NULLS LAST, account NULLS LAST, why
