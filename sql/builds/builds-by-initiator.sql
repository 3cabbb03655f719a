-- title: Builds by initiator
-- question: Who or what starts the builds of each project, and how often with overrides?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- chart: bar initiator_kind builds
SELECT
  project_name,
  initiator_kind,
  CASE
    WHEN initiator_kind IN ('pipeline', 'event rule', 'webhook', 'jenkins') THEN initiator
    ELSE principal
  END AS initiated_by,
  count(*) AS builds,
  count(*) FILTER (WHERE kind = 'batch') AS batches,
  count(*) FILTER (WHERE retry_of IS NOT NULL) AS retries,
  count(*) FILTER (WHERE overrides IS NOT NULL AND overrides <> 'variables') AS with_overrides,
  min(started_at) AS first_started,
  max(started_at) AS last_started
FROM builds
WHERE true
  AND ($since IS NULL OR started_at >= $since)
  AND ($until IS NULL OR started_at < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
GROUP BY 1, 2, 3
ORDER BY builds DESC, project_name, initiator_kind, initiated_by
