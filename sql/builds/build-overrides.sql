-- title: Builds with overrides
-- question: Which builds ran other than their project says: commands, image, role, source, rights or targets?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: variables boolean [false] Also builds that override variables alone
-- parameter: versions boolean [false] Also builds of another branch, tag or commit alone
-- parameter: except_kinds list [pipeline] Kinds of initiators that are left out
-- severity: medium
-- attack: T1648
-- response: Read the build's log and what its role did after that time, and ask who started it.
-- benign: Release and test jobs that set image, artifacts or cache for a single build.
-- Who may only start builds can run any command with overrides. Listed is what changes what runs, with which
-- rights and trust, or where results, logs, cache and status go; other timeouts, clone depths, retries and
-- status reports are not. AWS shows overridden variables whether sent or not, so alone they are left out,
-- though a variable may change what a script does. Another branch is everyday work, the code of a pull
-- request is not; a commit of a fork that is named by its hash is not seen. CodePipeline overrides the
-- source of each build. The text of an overridden build specification is masked.
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
    regexp_replace(
      overrides,
      '(^|, )(source version|clone depth|status report|timeout|auto retry|variables)',
      '',
      'g'
    ) <> ''
    OR overrides LIKE '%source version%'
      AND ($versions OR source_version LIKE 'pr/%' OR source_version LIKE 'refs/pull/%')
    OR ($variables AND overrides LIKE '%variables%')
  )
  AND NOT coalesce(array_has($except_kinds, initiator_kind), false)
  AND ($since IS NULL OR started_at >= $since)
  AND ($until IS NULL OR started_at < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR started_by = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY started_at NULLS FIRST, kind, build_id
