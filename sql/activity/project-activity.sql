-- title: Requests by project
-- question: Which projects are busy, who works on them, and what was the last change?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar project_name requests
-- First by actor, too: a group for each project and actor is quicker than a set of actors for each project.
-- A project is of the account that its ARN names, whoever called: a project shared with another account is
-- one project. Not seen: builds that no call started, and refused calls whose message names no project.
WITH callers AS (
  SELECT
    project_name,
    project_account AS owner_account,
    region,
    actor,
    count(*) AS requests,
    count(*) FILTER (WHERE operation_access = 'write') AS writes,
    count(*) FILTER (WHERE NOT succeeded) AS failed,
    count(*) FILTER (
      WHERE event_name IN ('StartBuild', 'StartBuildBatch', 'RetryBuild', 'RetryBuildBatch') AND succeeded
    ) AS builds,
    max(
      CASE WHEN event_name IN ('CreateProject', 'UpdateProject') AND succeeded THEN event_time END
    ) AS changed_at,
    max(event_time) AS last_seen
  FROM calls_once
  WHERE event_source = 'codebuild.amazonaws.com'
    AND project_name IS NOT NULL
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($project IS NULL OR project_name = $project)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
    AND (copy = 1 OR $account IS NOT NULL)
    AND ($region IS NULL OR region = $region)
  GROUP BY project_name, project_account, region, actor
)
SELECT
  project_name,
  owner_account AS account,
  region,
  sum(requests) AS requests,
  sum(writes) AS writes,
  sum(failed) AS failed,
  sum(builds) AS builds,
  count(actor) AS actors,
  max(changed_at) AS changed_at,
  max(last_seen) AS last_seen
FROM callers
GROUP BY project_name, owner_account, region
ORDER BY requests DESC, project_name, account NULLS LAST, region NULLS LAST
