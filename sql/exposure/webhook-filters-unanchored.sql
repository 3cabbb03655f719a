-- title: Webhook patterns without anchors
-- question: Which webhook filters let in more than the values they name, for want of ^ and $ or by a wildcard?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: replaced boolean [false] Also states of a webhook that were replaced later
-- parameter: types list [] Only these types of filters, such as ACTOR_ACCOUNT_ID
-- severity: high
-- attack: T1677
-- response: Write the pattern as ^(12|34)$, and look for builds by actors or refs that it was not meant for.
-- benign: A prefix that ends in a slash, such as ^refs/heads/release/.*, is meant as one and is not listed.
-- An actor filter 123 lets in the account 91234, which somebody can register. Actors, organisations and
-- repositories are named, so a wildcard among them is listed, too, but for the end of a repository's name.
-- A filter that excludes is not here: without anchors it keeps out more.
-- Not seen: wildcards inside of a ref, and filters on paths, messages, tags, releases and workflows.
SELECT
  event_time,
  project_name,
  group_number,
  filter_type,
  pattern,
  CASE
    WHEN matches_all THEN 'lets every value in'
    WHEN NOT anchored THEN 'no anchors'
    ELSE 'wildcard'
  END AS finding,
  replaced_at,
  account,
  region
FROM webhook_filters
WHERE filter_type IN (
    'ACTOR_ACCOUNT_ID', 'HEAD_REF', 'BASE_REF', 'BRANCH_FILTER', 'REPOSITORY_NAME', 'ORGANIZATION_NAME'
  )
  AND NOT excludes
  AND CASE
    WHEN filter_type IN ('ACTOR_ACCOUNT_ID', 'ORGANIZATION_NAME') THEN matches_all OR NOT anchored OR wildcards
    WHEN filter_type = 'REPOSITORY_NAME'
      THEN matches_all OR NOT anchored AND NOT (bound_at_start AND pattern LIKE '%*$')
    ELSE NOT anchored
      AND NOT matches_all
      AND regexp_replace(pattern, '^(?:\^|\\A)[^|]*/(?:\.[*+])?\$?$', '') <> ''
  END
  AND ($replaced OR replaced_at IS NULL)
  AND ($types IS NULL OR array_has($types, filter_type))
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS LAST, account, region, project_name, group_number, filter_type, pattern
