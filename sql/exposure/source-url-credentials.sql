-- title: Credentials in source URLs
-- question: Which source locations carry a user name or password in the URL?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- severity: high
-- attack: T1552.001
-- AWS does not mask these, so the log keeps them for whoever reads it: replace the credential. Failed calls
-- count, too. A name alone can be a token; Bitbucket puts plain user names there. The part is never shown.
WITH locations AS (
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    actor,
    recipient_account_id AS account,
    aws_region AS region,
    source_location AS location
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND source_location IS NOT NULL
  UNION ALL
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    actor,
    recipient_account_id AS account,
    aws_region AS region,
    unnest(secondary_source_locations) AS location
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
)
SELECT
  project_name,
  account,
  region,
  regexp_replace(location, '://[^/]*@', '://(removed)@') AS location,
  strpos(split_part(split_part(split_part(location, '://', 2), '/', 1), '@', 1), ':') > 0 AS has_password,
  count(*) AS events,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_name)), ', '), '') AS event_names,
  nullif(array_to_string(array_sort(array_agg(DISTINCT actor)), ', '), '') AS actors,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM locations
WHERE lower(split_part(location, '://', 1)) IN ('http', 'https')
  AND strpos(split_part(split_part(location, '://', 2), '/', 1), '@') > 0
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
GROUP BY
  project_name, account, region, regexp_replace(location, '://[^/]*@', '://(removed)@'),
  strpos(split_part(split_part(split_part(location, '://', 2), '/', 1), '@', 1), ':') > 0
ORDER BY first_seen, project_name, account, region, location, has_password
