-- title: Secrets in plain text variables
-- question: Which environment variables look like secrets and are stored as plain text?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: words list [] Words to look for instead of the lists', such as api_key
-- severity: high
-- attack: T1552
-- response: Move the value to Secrets Manager or Parameter Store, and replace it: whoever reads the log has it.
-- benign: A name that only sounds so, or a value that is meant to be known, as a test's password is.
-- By name and type, never by value; the view `word_lists` has the words and their sources. A variable without a
-- type is plain text; names of things that only point to a secret are left out.
-- Not seen: names that AWS masked, which is all of the newest records, secrets under harmless names or run
-- together in capitals (GITHUBTOKEN), and those written into a build specification.
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
),
found AS (
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
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($project IS NULL OR project_name = $project)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
    AND ($region IS NULL OR region = $region)
  GROUP BY project_name, account, region, variable
),
-- The words of a name, in lower case with _ between them and at both ends.
named AS (
  SELECT
    *,
    '_' || lower(
      regexp_replace(
        regexp_replace(
          regexp_replace(variable, '([a-z0-9])([A-Z])', '\1_\2', 'g'), '([A-Z])([A-Z][a-z])', '\1_\2', 'g'
        ),
        '[^a-zA-Z0-9]+', '_', 'g'
      )
    ) || '_' AS words
  FROM found
),
judged AS (
  SELECT
    *,
    regexp_replace(
      words,
      CASE
        WHEN $words IS NULL
          THEN (
            SELECT
              string_agg(
                CASE list
                  WHEN 'secret anywhere' THEN word
                  WHEN 'secret word' THEN '_' || word || '_'
                  ELSE '_' || word || '_$'
                END,
                '|'
              )
            FROM word_lists
            WHERE list IN ('secret anywhere', 'secret word', 'secret ending')
          )
        ELSE '_(?:' || lower(array_to_string($words, '|')) || ')_'
      END,
      ''
    ) <> words AS sounds_secret,
    regexp_replace(
      words,
      '_(?:' || (SELECT string_agg(word, '|') FROM word_lists WHERE list = 'secret pointer') || ')_$',
      ''
    ) <> words AS points,
    regexp_replace(
      words,
      '^_(?:.*_)?(?:' || (SELECT string_agg(word, '|') FROM word_lists WHERE list = 'secret whole') || ')_$',
      ''
    ) <> words AS is_secret
  FROM named
)
SELECT
  project_name,
  account,
  region,
  variable,
  events,
  event_names,
  actors,
  first_seen,
  last_seen
FROM judged
WHERE sounds_secret AND NOT points
  OR is_secret AND $words IS NULL
ORDER BY
  first_seen NULLS LAST, project_name NULLS LAST, account NULLS LAST, region NULLS LAST, variable NULLS LAST
