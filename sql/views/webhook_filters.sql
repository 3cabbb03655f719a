-- title: Webhook filters
-- question: Which filters does each state of a webhook have, one row a filter, and what does its pattern let in?
-- uses: webhooks
-- A webhook fires where all filters of one group match, and any group will do. A filter's pattern is a regular
-- expression that is searched for, so without ^ and $ it matches in the middle: 123 lets in 91234. Only EVENT
-- has a list of names instead. `anchored`: the pattern matches whole values only; a .* beside an anchor
-- undoes it. `matches_all`: some alternative has no character that a value must have, as .* or ^(1|\d+)$.
-- `wildcards`: it has more than plain characters. `alternatives` are those of a plain list such as
-- ^(12|34)$, as 12|34, and null for another pattern; `bound_at_start` and `bound_at_end` go with them. The
-- pattern of a branchFilter is a filter of the type BRANCH_FILTER.
-- Rules: https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html
-- Not seen: what a lookahead forbids, \Q...\E, groups deeper than two; such patterns count as letting all in.
-- Quotes become control characters first: nothing inside of a string looks like the end of an object then.
WITH cut AS (
  SELECT
    state,
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    regexp_replace(
      CASE
        WHEN regexp_replace(coalesce(filter_groups, ''), '[\[\]\s]', '', 'g') <> ''
          THEN regexp_replace(filter_groups, '"((?:[^"\\]|\\.)*)"', chr(1) || '\1' || chr(2), 'g')
        ELSE '[[{' || chr(1) || 'type' || chr(2) || ':' || chr(1) || 'BRANCH_FILTER' || chr(2) || '}]]'
      END,
      '\]\s*,\s*\[\s*\{\s*' || chr(1), chr(31) || chr(1), 'g'
    ) AS cut_groups,
    branch_filter
  FROM webhooks
  WHERE regexp_replace(coalesce(filter_groups, ''), '[\[\]\s]', '', 'g') <> ''
    OR branch_filter IS NOT NULL
),
filter_groups AS (
  SELECT
    state,
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    branch_filter,
    unnest(string_to_array(cut_groups, chr(31))) AS filter_group,
    unnest(generate_series(1, array_length(string_to_array(cut_groups, chr(31))))) AS group_number
  FROM cut
),
filters AS (
  SELECT
    state,
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    branch_filter,
    group_number,
    unnest(
      string_to_array(
        regexp_replace(filter_group, '\}\s*,\s*\{\s*' || chr(1), chr(31) || chr(1), 'g'), chr(31)
      )
    ) AS filter
  FROM filter_groups
),
strings AS (
  SELECT
    state,
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    branch_filter,
    group_number,
    regexp_replace(filter, '(?s)^.*\x01type\x02\s*:\s*\x01([^\x02]*)\x02.*$', '\1') AS filter_type,
    CASE
      WHEN strpos(filter, chr(1) || 'pattern' || chr(2)) > 0
        THEN regexp_replace(filter, '(?s)^.*\x01pattern\x02\s*:\s*\x01([^\x02]*)\x02.*$', '\1')
    END AS pattern,
    regexp_replace(filter, '(?s)^.*\x01excludeMatchedPattern\x02\s*:\s*\x01?(true)?.*$', '\1') = 'true' AS excludes
  FROM filters
  WHERE strpos(filter, chr(1) || 'type' || chr(2)) > 0
),
patterns AS (
  SELECT
    state,
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    group_number,
    filter_type,
    CASE
      WHEN filter_type = 'BRANCH_FILTER' THEN branch_filter
      -- A lone half of a surrogate pair is no text to DuckDB: such a pattern stays as it is written.
      WHEN strpos(lower(pattern), '\ud') > 0 THEN pattern
      ELSE ('{"v":"' || pattern || '"}') ->> 'v'
    END AS pattern,
    excludes
  FROM strings
),
-- The pattern as a few signs: anchors, |, groups and quantifiers as they are, l for a character that must be
-- there, a for the dot, w for a set.
shapes AS (
  SELECT
    *,
    translate(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            regexp_replace(
              regexp_replace(
                regexp_replace(
                  regexp_replace(
                    regexp_replace(
                      replace(
                        replace(
                          pattern,
                          '\\', chr(4)
                        ),
                        '\A', '^'
                      ),
                      '\\[zZ]', '$', 'g'
                    ),
                    '\\(?:[pP](?:\{[^}]*\}|.)|[bBdDGwWsShHvVRXkQE1-9])', chr(5), 'g'
                  ),
                  '(?s)\\.|\[[^\^\]\x05]\]', chr(4), 'g'
                ),
                '\[\^?\]?[^\]]*\]', chr(5), 'g'
              ),
              '\(\?<?!', '(' || chr(5) || '|', 'g'
            ),
            '\{0*(?:,[0-9]*)?\}', '?', 'g'
          ),
          '(\()\?(?:[a-zA-Z-]*:|<?=|>|P?<[^>]*>)|\(\?[a-zA-Z-]+\)|\{[0-9]+(?:,[0-9]*)?\}|([?*+])[?+]', '\1\2', 'g'
        ),
        '[^\^$.|()?*+\x04\x05]', chr(4), 'g'
      ),
      '.' || chr(4) || chr(5), 'alw'
    ) AS shape
  FROM patterns
),
-- From the innermost group on, twice. `needs`: a group whose alternatives all have an l becomes l, another
-- one w. `ends`: the anchors that all alternatives of a group have stay.
step_0 AS (
  SELECT
    *,
    regexp_replace(
      replace(
        regexp_replace(
          shape,
          '[\^$+]', '', 'g'
        ),
        'a', 'w'
      ),
      '[lw][?*]', 'w', 'g'
    ) AS needs_0,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          shape,
          '\^a[?*+]', 'x', 'g'
        ),
        'a[?*+]\$', 'x', 'g'
      ),
      '[alw?*+x]+', 'x', 'g'
    ) AS ends_0
  FROM shapes
),
step_1 AS (
  SELECT
    *,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          needs_0,
          '\(w*l[lw]*(?:\|w*l[lw]*)*\)', 'l', 'g'
        ),
        '\((?:[lw|]*\|)?w*(?:\|[lw|]*)?\)', 'w', 'g'
      ),
      '[lw][?*]', 'w', 'g'
    ) AS needs_1,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            ends_0,
            '\(\^+x*\$+(?:\|\^+x*\$+)*\)', '^x$', 'g'
          ),
          '\(\^+x*\$*(?:\|\^+x*\$*)*\)', '^x', 'g'
        ),
        '\(\^*x*\$+(?:\|\^*x*\$+)*\)', 'x$', 'g'
      ),
      '\([x^$|]*\)', 'x', 'g'
    ) AS ends_1
  FROM step_0
),
step_2 AS (
  SELECT
    *,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          needs_1,
          '\(w*l[lw]*(?:\|w*l[lw]*)*\)', 'l', 'g'
        ),
        '\((?:[lw|]*\|)?w*(?:\|[lw|]*)?\)', 'w', 'g'
      ),
      '[lw][?*]', 'w', 'g'
    ) AS needs_2,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            ends_1,
            '\(\^+x*\$+(?:\|\^+x*\$+)*\)', '^x$', 'g'
          ),
          '\(\^+x*\$*(?:\|\^+x*\$*)*\)', '^x', 'g'
        ),
        '\(\^*x*\$+(?:\|\^*x*\$+)*\)', 'x$', 'g'
      ),
      '\([x^$|]*\)', 'x', 'g'
    ) AS ends_2
  FROM step_1
),
judged AS (
  SELECT
    state,
    event_id,
    event_time,
    project_name,
    account,
    region,
    replaced_at,
    group_number,
    filter_type,
    pattern,
    excludes,
    coalesce(
      filter_type <> 'EVENT'
        AND ends_2 <> ''
        AND regexp_replace(ends_2, '^\^+x*\$+(?:\|\^+x*\$+)*$', '') = '',
      false
    ) AS anchored,
    coalesce(
      filter_type <> 'EVENT'
        AND (needs_2 = '' OR regexp_replace(needs_2, '^w*l[lw]*(?:\|w*l[lw]*)*$', '') <> ''),
      false
    ) AS matches_all,
    coalesce(filter_type <> 'EVENT' AND regexp_replace(shape, '[aw?*+]', '') <> shape, false) AS wildcards,
    regexp_replace(
      regexp_replace(regexp_replace(pattern, '^\\A', '^'), '\\[zZ]$', '$'), '\(\?:', '(', 'g'
    ) AS plain
  FROM step_2
),
-- A list has no signs but anchors and one pair of brackets: c stands for any other character in it.
signs AS (
  SELECT
    *,
    regexp_replace(
      replace(plain, '(?', '['), '[^()^$|\[\]\\]|\\[^a-zA-Z0-9|^$()]', 'c', 'g'
    ) AS signs
  FROM judged
),
lists AS (
  SELECT
    *,
    CASE
      WHEN plain = '' OR filter_type = 'EVENT' THEN NULL
      WHEN regexp_replace(signs, '^(?:\^?c*|\^?\(c*(?:\|c*)*\))\$?$', '') = ''
        THEN regexp_replace(plain, '^\^?\(?|\)?\$?$', '', 'g')
      WHEN regexp_replace(signs, '^c*(?:\|c*)*$', '') = '' THEN plain
      -- A list behind a prefix: ^refs/heads/(main|dev)$.
      WHEN regexp_replace(signs, '^\^c+\(c+(?:\|c+)*\)\$?$', '') = '' AND strpos(plain, '\') = 0
        THEN regexp_replace(
          regexp_replace(plain, '^[^(]*\(|\)\$?$', '', 'g'),
          '([^|]+)', regexp_replace(plain, '^\^([^(]*)\(.*$', '\1') || '\1', 'g'
        )
      WHEN regexp_replace(signs, '^\(?\^c*\$(?:\|\^c*\$)*\)?$', '') = ''
        THEN regexp_replace(plain, '[\^$()]', '', 'g')
    END AS list,
    CASE
      WHEN filter_type = 'EVENT' THEN ',' || upper(regexp_replace(coalesce(pattern, ''), '\s', '', 'g')) || ','
    END AS names
  FROM signs
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
  anchored,
  state,
  matches_all,
  wildcards,
  CASE
    WHEN strpos(list, '|') > 0 THEN list
    ELSE regexp_replace(list, '^\.\*|\.\*$', '', 'g')
  END AS alternatives,
  list IS NOT NULL AND (plain LIKE '^%' OR plain LIKE '(^%') AND (strpos(list, '|') > 0 OR list NOT LIKE '.*%')
    AS bound_at_start,
  list IS NOT NULL AND (plain LIKE '%$' OR plain LIKE '%$)') AND (strpos(list, '|') > 0 OR list NOT LIKE '%.*')
    AS bound_at_end,
  -- What an EVENT filter lets through, one bit for each event, the last one for names that are not known.
  CASE
    WHEN filter_type = 'BRANCH_FILTER' THEN 1
    WHEN filter_type = 'EVENT'
      THEN abs(
        CASE WHEN excludes THEN 1023 ELSE 0 END
          - CASE WHEN strpos(names, ',PUSH,') > 0 THEN 1 ELSE 0 END
          - CASE WHEN strpos(names, ',PULL_REQUEST_CREATED,') > 0 THEN 2 ELSE 0 END
          - CASE WHEN strpos(names, ',PULL_REQUEST_UPDATED,') > 0 THEN 4 ELSE 0 END
          - CASE WHEN strpos(names, ',PULL_REQUEST_REOPENED,') > 0 THEN 8 ELSE 0 END
          - CASE WHEN strpos(names, ',PULL_REQUEST_CLOSED,') > 0 THEN 16 ELSE 0 END
          - CASE WHEN strpos(names, ',PULL_REQUEST_MERGED,') > 0 THEN 32 ELSE 0 END
          - CASE WHEN strpos(names, ',RELEASED,') > 0 THEN 64 ELSE 0 END
          - CASE WHEN strpos(names, ',PRERELEASED,') > 0 THEN 128 ELSE 0 END
          - CASE WHEN strpos(names, ',WORKFLOW_JOB_QUEUED,') > 0 THEN 256 ELSE 0 END
          - CASE
            WHEN regexp_replace(
              names,
              '^,(?:(?:PUSH|PULL_REQUEST_(?:CREATED|UPDATED|REOPENED|CLOSED|MERGED)'
                || '|(?:PRE)?RELEASED|WORKFLOW_JOB_QUEUED)?,)*$',
              ''
            ) <> ''
              THEN 512
            ELSE 0
          END
      )
  END AS event_bits
FROM lists
