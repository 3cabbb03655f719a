-- title: Projects made public
-- question: Which projects were made public, so that everybody reads their logs and artifacts, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: high
-- attack: T1530
-- response: Make the project private, then read its logs and artifacts for secrets: they were readable by all.
-- benign: Open source projects that show their build results; a call that repeats what was so.
-- Each successful call is here, also one that repeats it. Attempts that failed are in failures. That a project was
-- public before the dataset begins is not seen.
SELECT
  event_time,
  project_name,
  project_arn,
  public_project_alias,
  resource_access_role,
  actor,
  credential_kind,
  source_ip_address,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND event_name = 'UpdateProjectVisibility'
  AND project_visibility = 'PUBLIC_READ'
  AND succeeded
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
QUALIFY row_number() OVER (
  PARTITION BY coalesce(shared_event_id, event_id, concat(source_file, '#', source_record))
  ORDER BY split_part(project_arn, ':', 5) = recipient_account_id DESC NULLS LAST, event_id, source_file, source_record
) = 1
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
