-- title: Short-lived projects
-- question: Which projects were created and deleted again within a short time?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: minutes integer [120] Longest life in minutes
-- severity: medium
-- attack: T1070
-- Deleting a project deletes its builds with it, so this is also how traces go.
WITH lives AS (
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region,
    service_role,
    lead(event_name) OVER (
      PARTITION BY recipient_account_id, aws_region, project_name ORDER BY event_time, event_id
    ) AS next_event,
    lead(event_time) OVER (
      PARTITION BY recipient_account_id, aws_region, project_name ORDER BY event_time, event_id
    ) AS next_time,
    lead(actor) OVER (
      PARTITION BY recipient_account_id, aws_region, project_name ORDER BY event_time, event_id
    ) AS next_actor
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN ('CreateProject', 'DeleteProject')
    AND succeeded
    AND project_name IS NOT NULL
)
SELECT
  event_time AS created_at,
  project_name,
  actor AS created_by,
  service_role,
  next_time AS deleted_at,
  next_actor AS deleted_by,
  source_ip_address,
  account,
  region
FROM lives
WHERE event_name = 'CreateProject'
  AND next_event = 'DeleteProject'
  AND date_part('epoch', next_time) <= date_part('epoch', event_time) + $minutes * 60
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY created_at, event_id
