-- title: Webhook filters
-- question: Which filters does each state of a webhook have, one row a filter, and is its pattern anchored?
-- uses: webhooks
-- A webhook fires where all filters of one group match, and any group will do. A pattern is a regular
-- expression that is searched for, so without ^ and $ it matches in the middle: 123 lets in 91234.
-- Anchors bind tighter than |, so ^12|34$ is open on both inner sides; ^(12|34)$ and ^12$|^34$ are not.
-- The groups are JSON text that no two engines reach into alike: it is cut at the brackets between
-- objects, which no sane pattern holds with its quotes.
WITH cut AS (
  SELECT
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    regexp_replace(filter_groups, '\}\s*\]\s*,\s*\[\s*\{', '}' || chr(31) || '{', 'g') AS cut_groups
  FROM webhooks
  WHERE filter_groups IS NOT NULL
),
filter_groups AS (
  SELECT
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    unnest(string_to_array(cut_groups, chr(31))) AS filter_group,
    unnest(generate_series(1, array_length(string_to_array(cut_groups, chr(31))))) AS group_number
  FROM cut
),
filters AS (
  SELECT
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    group_number,
    unnest(
      string_to_array(
        regexp_replace(filter_group, '\}\s*,\s*\{', '}' || chr(31) || '{', 'g'), chr(31)
      )
    ) AS filter
  FROM filter_groups
),
parts AS (
  SELECT
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    group_number,
    regexp_replace(filter, '(?s)^.*"type"\s*:\s*"([^"]*)".*$', '\1') AS filter_type,
    CASE
      WHEN strpos(filter, '"pattern"') > 0
        THEN replace(
          replace(
            regexp_replace(filter, '(?s)^.*"pattern"\s*:\s*"((?:[^"\\]|\\.)*)".*$', '\1'), '\"', '"'
          ),
          '\\', '\'
        )
    END AS pattern,
    strpos(regexp_replace(filter, '\s', '', 'g'), '"excludeMatchedPattern":true') > 0 AS excludes
  FROM filters
  WHERE strpos(filter, '"type"') > 0
),
-- What stands outside of any group: without escaped characters and sets, then without groups, from the
-- innermost on, which is deep enough after four.
outside AS (
  SELECT
    event_id,
    event_time,
    account,
    region,
    project_name,
    replaced_at,
    group_number,
    filter_type,
    pattern,
    excludes,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            regexp_replace(regexp_replace(pattern, '\\.', '', 'g'), '\[[^\]]*\]', '', 'g'),
            '\([^()]*\)', '', 'g'
          ),
          '\([^()]*\)', '', 'g'
        ),
        '\([^()]*\)', '', 'g'
      ),
      '\([^()]*\)', '', 'g'
    ) AS top
  FROM parts
)
SELECT
  event_id,
  event_time,
  account,
  region,
  project_name,
  replaced_at,
  group_number,
  filter_type,
  pattern,
  excludes,
  coalesce(top LIKE '^%$' AND strpos(replace(top, '$|^', ''), '|') = 0, false) AS anchored
FROM outside
