-- title: Access keys
-- question: Which long-term access keys call CodeBuild, whose are they, and since when?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- Not seen: keys that have not called yet, temporary credentials, and who holds a key. A key that two principals
-- show is in two rows.
SELECT
  access_key_id,
  principal,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen,
  count(DISTINCT CAST(event_time AS DATE)) AS days,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT source_ip_address) AS addresses,
  string_agg(DISTINCT client, ', ' ORDER BY client) AS clients
FROM calls_once
WHERE access_key_id LIKE 'AKIA%'
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY access_key_id, principal
ORDER BY first_seen NULLS LAST, access_key_id, principal NULLS LAST
