-- title: Short-lived projects
-- question: Which projects were created and deleted again within a short time?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: minutes integer [120] Longest life in minutes (1 to 525600)
-- severity: medium
-- attack: T1070
-- response: Look what the role of the project did in that time, and which builds ran.
-- benign: Tests of infrastructure code that create a project and take it down again.
-- Deleting a project deletes its builds with it, so this is also how traces go. A project that is replaced, deleted
-- first and created anew within a second, is none. One that lived longer is not seen, nor one whose
-- creation the dataset lacks.
WITH lives AS (
  SELECT
    account,
    region,
    project_name,
    life,
    max(CASE WHEN event_name = 'CreateProject' THEN event_time END) AS created_at,
    max(CASE WHEN event_name = 'CreateProject' THEN event_id END) AS event_id,
    max(CASE WHEN event_name = 'CreateProject' THEN actor END) AS created_by,
    max(CASE WHEN event_name = 'CreateProject' THEN service_role END) AS service_role,
    max(CASE WHEN event_name = 'CreateProject' THEN source_ip_address END) AS source_ip_address,
    min(CASE WHEN event_name = 'DeleteProject' THEN event_time END) AS deleted_at,
    min(CASE WHEN event_name = 'DeleteProject' THEN step END) AS deletion_step
  FROM project_calls
  WHERE event_name IN ('CreateProject', 'DeleteProject')
  GROUP BY account, region, project_name, life
)
SELECT
  lives.created_at,
  lives.project_name,
  lives.created_by,
  lives.service_role,
  lives.deleted_at,
  deletions.actor AS deleted_by,
  lives.source_ip_address,
  lives.account,
  lives.region
FROM lives
JOIN project_calls AS deletions
  ON deletions.project_name = lives.project_name
  AND deletions.step = lives.deletion_step
  AND coalesce(deletions.account, '') = coalesce(lives.account, '')
  AND coalesce(deletions.region, '') = coalesce(lives.region, '')
WHERE date_part('epoch', lives.deleted_at) <= date_part('epoch', lives.created_at) + $minutes * 60
  AND ($since IS NULL OR lives.created_at >= $since)
  AND ($until IS NULL OR lives.created_at < $until)
  AND ($project IS NULL OR lives.project_name = $project)
  AND ($actor IS NULL OR lives.created_by = $actor)
  AND ($account IS NULL OR lives.account = $account)
  AND ($region IS NULL OR lives.region = $region)
ORDER BY lives.created_at, lives.event_id NULLS FIRST, lives.project_name, lives.account, lives.region
