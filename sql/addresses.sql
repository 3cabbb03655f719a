-- title: Source addresses
-- question: From which IP addresses and services were requests made, and by how many callers?
SELECT
  source_ip_address,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(DISTINCT actor) AS actors,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
GROUP BY source_ip_address
ORDER BY requests DESC, source_ip_address
