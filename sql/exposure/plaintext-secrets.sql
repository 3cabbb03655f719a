-- title: Secrets in plain text variables
-- question: Which environment variables look like secrets and are stored as plain text?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- severity: high
-- attack: T1552
-- By name and type, never by value. Only records in which AWS left the names can be judged. A variable without
-- a type is plain text; names of things that only point to a secret are left out.
WITH variables AS (
  SELECT
    event_time,
    event_name,
    project_name,
    actor,
    recipient_account_id AS account,
    aws_region AS region,
    unnest(environment_variable_names) AS variable,
    unnest(environment_variable_types) AS variable_type
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND operation_access = 'write'
    AND environment_variable_names IS NOT NULL
)
SELECT
  project_name,
  account,
  region,
  variable,
  count(*) AS events,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_name)), ', '), '') AS event_names,
  nullif(array_to_string(array_sort(array_agg(DISTINCT actor)), ', '), '') AS actors,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM variables
WHERE coalesce(variable_type, 'PLAINTEXT') = 'PLAINTEXT'
  AND (
    lower(variable) LIKE '%password%'
    OR lower(variable) LIKE '%passwd%'
    OR lower(variable) LIKE '%secret%'
    OR lower(variable) LIKE '%token%'
    OR lower(variable) LIKE '%api_key%'
    OR lower(variable) LIKE '%apikey%'
    OR lower(variable) LIKE '%access_key%'
    OR lower(variable) LIKE '%private_key%'
    OR lower(variable) LIKE '%credential%'
  )
  AND lower(variable) NOT LIKE '%arn'
  AND lower(variable) NOT LIKE '%_name'
  AND lower(variable) NOT LIKE '%_path'
  AND lower(variable) NOT LIKE '%secret_id'
  AND lower(variable) NOT LIKE '%_url'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
GROUP BY project_name, account, region, variable
ORDER BY first_seen, project_name, account, region, variable
