-- title: Changes of environment variables
-- question: Which projects were given other environment variables, or may have been, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: initial boolean [false] Also first settings, of which no earlier value is known
-- Names and types, never values. AWS masks even those today, so a masked row for an update that named the
-- environment is all that can be told.
-- A project that was deleted and created anew is compared with what it was. The first settings of a project
-- are not listed, nor an update of which the dataset shows no value before: --initial true lists them.
-- Another value under the same name is not seen, nor two variables that swap their types.
SELECT
  event_time,
  project_name,
  setting,
  coalesce(before, before_deleted) AS before,
  after,
  before_known OR before_deleted IS NOT NULL AS before_known,
  change,
  actor,
  source_ip_address,
  event_name,
  account,
  region
FROM project_changes
WHERE setting IN (
    'environment.environmentVariables', 'environment.environmentVariables.type'
  )
  AND ($initial OR NOT first_value)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, step, event_id NULLS FIRST, setting
