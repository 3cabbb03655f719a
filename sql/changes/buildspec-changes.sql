-- title: Changes of build specifications
-- question: Which projects were given another build specification, or may have been, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: initial boolean [false] Also first settings, of which no earlier value is known
-- severity: low
-- attack: T1677
-- response: Ask who made the update, and read the build specification in the project.
-- benign: Every update by Terraform or the console, which name the whole source each time.
-- AWS masks the build specification today. A masked one is listed for each update that named the source:
-- it may be the same as before.
-- A project that was deleted and created anew is compared with what it was. The first settings of a project
-- are not listed, nor an update of which the dataset shows no value before: --initial true lists them.
-- A build specification in the repository, in a secondary source or in the S3 object that it names changes
-- without a call; one of a single build is in build-overrides.
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
WHERE setting = 'source.buildspec'
  AND ($initial OR NOT first_value)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, step, event_id NULLS FIRST, setting
