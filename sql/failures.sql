-- title: Failed calls
-- question: Which calls failed, why, and who made them?
SELECT
  event_time,
  event_name,
  error_code,
  project_name,
  actor,
  source_ip_address,
  error_message
FROM events
WHERE NOT succeeded AND event_source = 'codebuild.amazonaws.com'
ORDER BY event_time, event_id
