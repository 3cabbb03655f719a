-- title: Builds with overrides
-- question: Which builds ran other than their project says: commands, image, role, source or rights?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: variables boolean [false] Also builds that override variables alone
-- parameter: except_kinds list [pipeline] Kinds of initiators that are left out
-- severity: medium
-- attack: T1648
-- Who may only start builds can run any command with overrides. AWS shows overridden variables whether sent
-- or not, so alone they are left out; CodePipeline overrides the source of each build.
SELECT
  started_at,
  build_id,
  project_name,
  started_by,
  initiator_kind,
  overrides,
  source_location,
  source_version,
  environment_image,
  service_role,
  environment_privileged_mode AS privileged,
  source_ip_address,
  account,
  region
FROM builds
WHERE (
    overrides LIKE '%buildspec%'
    OR overrides LIKE '%image%'
    OR overrides LIKE '%role%'
    OR overrides LIKE '%privileged%'
    OR overrides LIKE '%source%'
    OR overrides LIKE '%environment%'
    OR ($variables AND overrides LIKE '%variables%')
  )
  AND NOT coalesce(array_has($except_kinds, initiator_kind), false)
  AND ($since IS NULL OR started_at >= $since)
  AND ($until IS NULL OR started_at < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR started_by = $actor)
  AND ($account IS NULL OR account = $account)
ORDER BY started_at, kind, build_id
