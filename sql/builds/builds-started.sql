-- title: Builds started
-- question: Which builds were started or retried, by whom, with which overrides, and what became of them?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: initiator_kind text [] Only builds of this kind of initiator: user, role, pipeline, event rule, webhook, build, ...
-- Builds of webhooks, of batches and automatic retries are not seen, as no call starts them; nor is the outcome
-- of a build. A stop counts only where the build was still running.
SELECT
  started_at,
  kind,
  build_id,
  event_name,
  started_by,
  initiator,
  initiator_kind,
  overrides,
  source_version,
  environment_image,
  service_role,
  environment_privileged_mode AS privileged,
  debug_session_enabled AS debug,
  stopped_at,
  stopped_by,
  deleted_at,
  deleted_by
FROM builds
WHERE ($initiator_kind IS NULL OR initiator_kind = $initiator_kind)
  AND ($since IS NULL OR started_at >= $since)
  AND ($until IS NULL OR started_at < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR started_by = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY started_at NULLS FIRST, kind, build_id, event_id
