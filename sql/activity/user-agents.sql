-- title: User agents
-- question: Which client programs called, as they name themselves, and who used them?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar program requests
-- The first word says program and version; the rest is platform and the parts of its SDK. Old records
-- have the whole in brackets. Counted by caller first: far fewer than calls, and programs are told of
-- these alone.
-- Not seen: a client that names itself as another; a service that calls for somebody names itself alone.
WITH callers AS (
  SELECT
    user_agent,
    actor,
    count(*) AS requests,
    count(*) FILTER (WHERE operation_access = 'write') AS writes,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
  FROM calls_once
  WHERE event_source = 'codebuild.amazonaws.com'
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($project IS NULL OR project_name = $project)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
    AND (copy = 1 OR $account IS NOT NULL)
    AND ($region IS NULL OR region = $region)
  GROUP BY user_agent, actor
)
SELECT
  split_part(replace(replace(user_agent, '[', ''), ']', ''), ' ', 1) AS program,
  sum(requests) AS requests,
  sum(writes) AS writes,
  count(DISTINCT user_agent) AS user_agents,
  count(DISTINCT actor) AS actors,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen
FROM callers
GROUP BY split_part(replace(replace(user_agent, '[', ''), ']', ''), ' ', 1)
ORDER BY requests DESC, program NULLS LAST
