-- title: Requests by operation
-- question: What requests were made, how often, and how many of them failed?
SELECT
  event_name,
  operation_access,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT actor) AS actors,
  count(DISTINCT project_name) AS projects,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
GROUP BY event_name, operation_access
ORDER BY requests DESC, event_name
