-- title: Changes of build specifications
-- question: Which projects were given another build specification, or may have been, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: low
-- attack: T1677
-- AWS masks the build specification today. A masked one is listed for each update that named the source:
-- it may be the same as before.
SELECT
  event_time,
  project_name,
  setting,
  before,
  after,
  before_known,
  change,
  actor,
  source_ip_address,
  event_name,
  account,
  region
FROM project_changes
WHERE setting = 'source.buildspec'
  AND event_name = 'UpdateProject'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time, event_id, setting
