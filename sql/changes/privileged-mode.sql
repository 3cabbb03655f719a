-- title: Privileged mode turned on
-- question: Which projects were made privileged, so that builds run as root on a Docker daemon, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: initial boolean [false] Also first settings, of which no earlier value is known
-- severity: low
-- attack: T1611
-- response: See whether the project builds images; if not, turn it off and look what its builds did.
-- benign: Projects that build Docker images need it.
-- A project created privileged counts, too; one that was so before it was deleted and created anew does not.
-- An update of which no value before is known is listed with --initial true only. A Docker server of its own and
-- a privileged single build are not seen here: see build-overrides.
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
WHERE setting = 'environment.privilegedMode'
  AND after = 'true'
  AND ($initial OR NOT first_value OR event_name = 'CreateProject' AND before_deleted IS NULL)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, step, event_id NULLS FIRST, setting
