-- title: Debug sessions and sandboxes
-- question: Who opened a shell in a build or a sandbox: debug sessions, sandboxes and connections?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1651
-- response: Ask who opened it and why, and look what the project's role did in that time.
-- benign: Developers who look into a failing build.
-- Both give an interactive shell with the service role of the project. Attempts that failed are here, too. A session
-- opened with ssm:StartSession is a call to another service and not seen here, nor what is typed in one. A build with
-- a debug session stops only where its build specification says so.
SELECT
  event_time,
  CASE
    WHEN event_name IN ('StartBuild', 'StartBuildBatch') THEN 'build with debug session'
    WHEN event_name = 'StartSandbox' THEN 'sandbox started'
    ELSE 'sandbox connection'
  END AS what,
  project_name,
  coalesce(build_id, build_batch_id, sandbox_id) AS session_of,
  service_role,
  actor,
  credential_kind,
  source_ip_address,
  succeeded,
  error_code,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND (
    event_name IN ('StartBuild', 'StartBuildBatch')
      AND coalesce(debug_session_enabled, array_has(request_members, 'debugSessionEnabled'))
    OR event_name IN ('StartSandbox', 'StartSandboxConnection')
  )
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
