-- title: Builds touched by others
-- question: Which builds were stopped, deleted or retried by someone else than who started them?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: low
-- attack: T1489
-- response: Ask who stopped, deleted or retried the build, and look for other calls of that principal.
-- benign: On-call people who stop stuck builds, and clean-up jobs that delete old ones.
-- Compared by principal, as each session of a role has another name: two people in one role are one here. A build
-- whose start is not in the dataset is not here, as nobody knows who that was. A stop of a build that had
-- ended is none. Builds deleted with their project and those of a stopped batch are not seen.
WITH touched AS (
  SELECT
    'stopped' AS what, stopped_at AS event_time, stopped_by AS touched_by, stopped_by_principal AS touching,
    kind, build_id, project_name, started_at, started_by, principal, initiator_kind, account, region
  FROM builds
  WHERE stopped_by IS NOT NULL
  UNION ALL
  -- A batch that was retried under its own id is deleted once.
  SELECT
    'deleted' AS what, deleted_at AS event_time, deleted_by AS touched_by, deleted_by_principal AS touching,
    kind, build_id, project_name, started_at, started_by, principal, initiator_kind, account, region
  FROM builds
  WHERE deleted_by IS NOT NULL
    AND (retry_of IS DISTINCT FROM build_id)
  UNION ALL
  SELECT
    'retried' AS what, retries.started_at AS event_time, retries.started_by AS touched_by,
    retries.principal AS touching, builds.kind, builds.build_id, builds.project_name, builds.started_at,
    builds.started_by, builds.principal, builds.initiator_kind, builds.account, builds.region
  FROM builds AS retries
  JOIN builds
    ON builds.kind = retries.kind
    AND builds.build_id = retries.retry_of
    AND (builds.retry_of IS DISTINCT FROM builds.build_id)
)
SELECT
  event_time,
  what,
  touched_by,
  kind,
  build_id,
  project_name,
  started_at,
  started_by,
  initiator_kind,
  account,
  region
FROM touched
WHERE (touching IS DISTINCT FROM principal)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, what, kind, build_id, touched_by
