-- title: Projects created and built at once
-- question: Which projects were created with a role not seen before and built at once?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: minutes integer [30] Minutes from the creation to the first build (1 to 525600)
-- parameter: baseline integer [0] Days from the first event on that only show which roles are known (0 to 3650)
-- severity: medium
-- attack: T1648
-- response: Look what the role may do and did, and whether project and role are still there.
-- benign: A console user's first project, and infrastructure code that makes project and role together.
-- Who may create a project, pass a role and start a build has what the role may. A role counts as seen once
-- a project or build had it. The console makes a role for a project it creates, so some are harmless.
-- A role that had a project before is not seen, nor a build that a webhook starts or that begins later.
WITH roles AS (
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    recipient_account_id,
    aws_region,
    actor,
    credential_kind,
    source_ip_address,
    service_role,
    source_type,
    min(event_time) OVER (PARTITION BY recipient_account_id, service_role) AS role_first_seen,
    min(event_time) OVER () AS dataset_first
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND succeeded
    AND service_role IS NOT NULL
),
first_builds AS (
  SELECT
    creations.event_time,
    creations.event_id,
    creations.project_name,
    creations.service_role,
    creations.source_type,
    creations.actor,
    creations.credential_kind,
    creations.source_ip_address,
    creations.recipient_account_id AS account,
    creations.aws_region AS region,
    builds.build_id,
    builds.started_at,
    builds.started_by,
    builds.overrides,
    row_number() OVER (
      PARTITION BY creations.recipient_account_id, creations.aws_region, creations.project_name, creations.event_time
      ORDER BY builds.started_at, builds.build_id, creations.event_id
    ) AS nth
  FROM roles AS creations
  JOIN builds
    ON builds.account = creations.recipient_account_id
    AND builds.region = creations.aws_region
    AND builds.project_name = creations.project_name
    AND builds.started_at >= creations.event_time
    AND date_part('epoch', builds.started_at) <= date_part('epoch', creations.event_time) + $minutes * 60
  WHERE creations.event_name = 'CreateProject'
    AND creations.role_first_seen = creations.event_time
    AND date_part('epoch', creations.event_time)
      >= date_part('epoch', creations.dataset_first) + $baseline * 86400
)
SELECT
  event_time,
  project_name,
  service_role,
  source_type,
  actor,
  credential_kind,
  source_ip_address,
  build_id,
  started_at,
  started_by,
  overrides,
  account,
  region
FROM first_builds
WHERE nth = 1
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
