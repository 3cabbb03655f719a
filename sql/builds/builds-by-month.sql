-- title: Builds by month
-- question: How many builds did each project start in each month, on which compute type?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar month builds
-- Builds that no call started (webhooks, batches) are not counted, as CloudTrail does not show them,
-- nor how long a build ran. A stop counts only where the build was still running.
SELECT
  CAST(date_trunc('month', started_at) AS DATE) AS month,
  project_name,
  environment_type,
  environment_compute_type AS compute_type,
  count(*) AS builds,
  count(*) FILTER (WHERE kind = 'batch') AS batches,
  count(*) FILTER (WHERE stopped_at IS NOT NULL) AS stopped,
  count(DISTINCT principal) AS principals
FROM builds
WHERE ($since IS NULL OR started_at >= $since)
  AND ($until IS NULL OR started_at < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY 1, project_name, environment_type, environment_compute_type
ORDER BY month NULLS FIRST, project_name, environment_type NULLS LAST, compute_type NULLS LAST
