-- title: Builds deleted
-- question: Which builds were deleted, and with them their records, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: low
-- attack: T1070
-- response: Ask who deleted them, and look in the events of the same builds for what they did.
-- benign: Clean-up jobs that delete old builds.
-- Builds that go with their project are not here: see project-lifecycle. Those that AWS deletes show no call.
SELECT
  event_time,
  event_name,
  project_name,
  coalesce(array_length(builds_deleted), 0) AS deleted,
  array_to_string(coalesce(builds_deleted, target_ids), ', ') AS builds,
  actor,
  credential_kind,
  source_ip_address,
  succeeded,
  error_code,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND event_name IN ('BatchDeleteBuilds', 'DeleteBuildBatch')
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
