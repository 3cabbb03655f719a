-- title: Projects created and deleted
-- question: Which projects were created or deleted, by whom, and with which role and source?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- Attempts that failed are here with their error. Of calls within one second the order is not known. A call that is in
-- the logs of two accounts is here once, for the account asked for.
SELECT
  event_time,
  event_name,
  project_name,
  actor,
  succeeded,
  error_code,
  service_role,
  source_type,
  source_location,
  environment_image,
  environment_privileged_mode,
  source_ip_address,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND event_name IN ('CreateProject', 'DeleteProject')
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
QUALIFY row_number() OVER (
  PARTITION BY coalesce(shared_event_id, event_id, concat(source_file, '#', source_record)), event_name, project_name
  ORDER BY split_part(project_arn, ':', 5) = recipient_account_id DESC NULLS LAST, event_id, source_file, source_record
) = 1
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
