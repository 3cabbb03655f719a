-- title: Commands run in sandboxes
-- question: Which commands were run in which sandbox, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1651
-- response: Ask who ran it and why, and look what the project's role did in that time.
-- benign: Developers who look into a failing build.
-- AWS may mask the command, which is then null: that it was run is what remains. What is typed in an interactive
-- session shows no call: see debug-sessions.
SELECT
  event_time,
  project_name,
  sandbox_id,
  command_execution_id,
  command_type,
  command_text,
  actor,
  source_ip_address,
  succeeded,
  error_code,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND event_name = 'StartCommandExecution'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
