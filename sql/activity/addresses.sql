-- title: Source addresses
-- question: From which IP addresses and services were requests made, and by how many callers?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar source_ip_address requests
-- First by actor, too: a group for each address and actor is quicker than a set of actors for each address.
-- A service that calls for somebody has its name for an address. Not seen: who is behind a gateway that
-- several share. A record that two accounts got of one call counts once.
WITH callers AS (
  SELECT
    source_ip_address,
    actor,
    count(*) AS requests,
    count(*) FILTER (WHERE NOT succeeded) AS failed,
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
  GROUP BY source_ip_address, actor
)
SELECT
  source_ip_address,
  sum(requests) AS requests,
  sum(failed) AS failed,
  sum(writes) AS writes,
  count(actor) AS actors,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen
FROM callers
GROUP BY source_ip_address
ORDER BY requests DESC, source_ip_address NULLS LAST
