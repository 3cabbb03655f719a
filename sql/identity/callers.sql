-- title: Callers
-- question: Who made requests, with which kind of credentials, and from how many addresses?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar actor requests
-- First by address, too: a group for each caller and address is quicker than a set of addresses for each caller.
-- Not seen: who is behind a shared user or role.
WITH places AS (
  SELECT
    actor,
    credential_kind,
    caller_account,
    source_ip_address,
    count(*) AS requests,
    count(*) FILTER (WHERE operation_access = 'write') AS writes,
    count(*) FILTER (WHERE NOT succeeded) AS failed,
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
  GROUP BY actor, credential_kind, caller_account, source_ip_address
)
SELECT
  actor,
  credential_kind,
  caller_account AS account,
  sum(requests) AS requests,
  sum(writes) AS writes,
  sum(failed) AS failed,
  count(source_ip_address) AS addresses,
  max(last_seen) AS last_seen
FROM places
GROUP BY actor, credential_kind, caller_account
ORDER BY requests DESC, actor NULLS LAST, credential_kind NULLS LAST, account NULLS LAST
