-- title: Changes over time
-- question: When was what changed, by whom, and from where?
SELECT
  event_time,
  event_name,
  project_name,
  actor,
  credential_kind,
  source_ip_address,
  aws_region,
  succeeded
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND operation_access = 'write'
ORDER BY event_time, event_id
