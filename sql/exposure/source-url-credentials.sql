-- title: Credentials in source URLs
-- question: Which source locations carry a user name, a password or a token in the URL?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: high
-- attack: T1552.001
-- response: Replace the credential, and import one with ImportSourceCredentials or a connection instead.
-- benign: A plain user name, as Bitbucket puts there, or git: `has_password` is false, as with a token for a name.
-- AWS does not mask these, so the log keeps them for whoever reads it: replace the credential. Failed calls
-- count, and secondary sources, too. A name alone can be a token. The part is never shown.
-- Not seen: credentials that a build specification fetches with, submodules, and names of parameters that are
-- not spelt as usual.
WITH locations AS (
  SELECT
    event_time,
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
    event_name,
    project_name,
    actor,
    recipient_account_id AS account,
    aws_region AS region,
    unnest(secondary_source_locations) AS location
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
),
-- The user's part ends at the last @ before a slash, a question mark or the end.
parts AS (
  SELECT
    event_time,
    event_name,
    project_name,
    actor,
    account,
    region,
    regexp_replace(
      regexp_replace(location, '://[^/?#]*@', '://(removed)@'),
      '(?i)([?&](?:[a-z]*_)?(?:token|password|secret|key)=)[^&#]*', '\1(removed)', 'g'
    ) AS location,
    lower(split_part(location, '://', 1)) AS scheme,
    regexp_replace(split_part(location, '://', 2), '^(?:([^/?#]*)@)?.*$', '\1') AS user_part,
    regexp_replace(location, '(?i)[?&](?:[a-z]*_)?(?:token|password|secret|key)=[^&#]', '') <> location
      AS has_token
  FROM locations
)
SELECT
  project_name,
  account,
  region,
  location,
  strpos(user_part, ':') > 0 AS has_password,
  count(*) AS events,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_name)), ', '), '') AS event_names,
  nullif(array_to_string(array_sort(array_agg(DISTINCT actor)), ', '), '') AS actors,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM parts
WHERE (
    scheme IN ('http', 'https') AND (user_part <> '' OR has_token)
    OR scheme IN ('ssh', 'git') AND strpos(user_part, ':') > 0
  )
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY project_name, account, region, location, strpos(user_part, ':') > 0
ORDER BY
  first_seen NULLS LAST,
  project_name NULLS LAST,
  account NULLS LAST,
  region NULLS LAST,
  location,
  has_password
