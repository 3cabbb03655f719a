-- title: Builds by initiator
-- question: Who or what starts the builds of each project, and how often with overrides?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar initiator_kind builds
-- Another branch or commit alone is no override here, nor are variables, which AWS shows whether sent or
-- not. Builds that no call started (webhooks, batches) are not seen.
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
  count(*) FILTER (WHERE overrides NOT IN ('variables', 'source version', 'source version, variables')) AS with_overrides,
  min(started_at) AS first_started,
  max(started_at) AS last_started
FROM builds
WHERE ($since IS NULL OR started_at >= $since)
  AND ($until IS NULL OR started_at < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY 1, 2, 3
ORDER BY builds DESC, project_name, initiator_kind, initiated_by NULLS LAST
