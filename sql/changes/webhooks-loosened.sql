-- title: Webhooks loosened
-- question: Which changes of a webhook let more events start builds than before, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: high
-- attack: T1677
-- response: Ask the actor for the reason, restore the filters before, and look at builds started since.
-- benign: Filters changed together with a new branch, event or colleague; a pattern rewritten with the same meaning.
-- Each group of filters is compared with those before. It is no looser if one of them lets at least the same
-- events through and if each filter of that one has a counterpart that is as strict. Lists such as ^(1|2)$ and
-- prefixes are compared by their values, other patterns by their text: a change of those counts as loosening.
-- A webhook deleted and created anew is compared with the deleted one. A webhook without any filter lets
-- every event start a build.
-- Not seen: a first webhook, a change whose state before is not in the dataset, another repository for the
-- same project, and rights that somebody got at the source provider.
-- A group is its events' bits, and behind them its filters.
WITH packed AS (
  SELECT
    state,
    concat_ws(
      chr(29),
      CAST(coalesce(bit_and(event_bits), 1023) AS VARCHAR),
      string_agg(
        CASE
          WHEN filter_type <> 'EVENT'
            THEN concat_ws(
              chr(30),
              CASE filter_type WHEN 'BRANCH_FILTER' THEN 'HEAD_REF' ELSE filter_type END,
              CAST(excludes AS VARCHAR),
              CAST(matches_all AS VARCHAR),
              CAST(anchored AS VARCHAR),
              CAST(bound_at_start AS VARCHAR),
              CAST(bound_at_end AS VARCHAR),
              CASE
                WHEN alternatives IS NULL THEN ''
                WHEN filter_type IN ('HEAD_REF', 'BRANCH_FILTER')
                  THEN '=' || regexp_replace(alternatives, '(^|\|)refs/heads/', '\1', 'g')
                ELSE '=' || alternatives
              END,
              pattern
            )
        END,
        chr(29)
      )
    ) AS filter_group
  FROM webhook_filters
  GROUP BY state, group_number
),
grouped AS (
  SELECT
    state,
    count(*) AS group_count,
    string_agg(filter_group, chr(28)) AS groups
  FROM packed
  GROUP BY state
),
states AS (
  SELECT
    webhooks.state,
    webhooks.number,
    webhooks.event_time,
    webhooks.event_id,
    webhooks.event_name,
    webhooks.project_name,
    webhooks.actor,
    webhooks.source_ip_address,
    webhooks.account,
    webhooks.region,
    webhooks.filter_groups,
    webhooks.comment_approval,
    webhooks.approver_roles,
    webhooks.scope,
    webhooks.scope_name,
    CASE
      WHEN webhooks.comment_approval = 'ALL_PULL_REQUESTS' AND webhooks.approval_holds THEN 2
      WHEN webhooks.approval_holds THEN 1
      WHEN webhooks.comment_approval IS NOT NULL THEN 0
    END AS approval,
    CASE
      WHEN webhooks.scope IS NULL THEN 0
      WHEN webhooks.scope = 'GITHUB_GLOBAL' THEN 2
      ELSE 1
    END AS width,
    coalesce(grouped.group_count, 1) AS group_count,
    grouped.state IS NULL AS no_filter,
    coalesce(grouped.groups, '1023') AS groups
  FROM webhooks
  LEFT JOIN grouped ON grouped.state = webhooks.state
  WHERE webhooks.event_time IS NOT NULL
    AND (grouped.state IS NOT NULL OR webhooks.shows_all AND NOT webhooks.branch_filter_asked)
),
compared AS (
  SELECT
    *,
    lag(groups) OVER (PARTITION BY account, region, project_name ORDER BY number) AS groups_before,
    lag(filter_groups) OVER (PARTITION BY account, region, project_name ORDER BY number)
      AS filter_groups_before,
    lag(group_count) OVER (PARTITION BY account, region, project_name ORDER BY number) AS group_count_before,
    lag(no_filter) OVER (PARTITION BY account, region, project_name ORDER BY number) AS no_filter_before,
    lag(approval) OVER (PARTITION BY account, region, project_name ORDER BY number) AS approval_before,
    lag(approver_roles) OVER (PARTITION BY account, region, project_name ORDER BY number)
      AS approver_roles_before,
    lag(width) OVER (PARTITION BY account, region, project_name ORDER BY number) AS width_before,
    lag(scope_name) OVER (PARTITION BY account, region, project_name ORDER BY number) AS scope_name_before
  FROM states
),
-- Each group with each group before, then each condition of the one before with each of the group.
groups_after AS (
  SELECT
    state,
    groups_before,
    unnest(string_to_array(groups, chr(28))) AS group_after,
    unnest(generate_series(1, array_length(string_to_array(groups, chr(28))))) AS number_after
  FROM compared
  WHERE NOT no_filter_before
),
group_pairs AS (
  SELECT
    state,
    number_after,
    group_after,
    unnest(string_to_array(groups_before, chr(28))) AS group_before,
    unnest(generate_series(1, array_length(string_to_array(groups_before, chr(28))))) AS number_before
  FROM groups_after
),
conditions_before AS (
  SELECT
    state,
    number_after,
    number_before,
    group_after,
    unnest(string_to_array(group_before, chr(29))) AS condition_before
  FROM group_pairs
),
condition_pairs AS (
  SELECT
    state,
    number_after,
    number_before,
    condition_before,
    unnest(string_to_array(group_after, chr(29))) AS condition_after
  FROM conditions_before
),
-- A filter that excludes is as strict if it excludes at least as much: the two change sides.
sides AS (
  SELECT
    state,
    number_after,
    number_before,
    condition_before,
    condition_after,
    strpos(condition_before, chr(30)) = 0 AS events_before,
    strpos(condition_after, chr(30)) = 0 AS events_after,
    split_part(condition_before, chr(30), 1) = split_part(condition_after, chr(30), 1)
      AND split_part(condition_before, chr(30), 2) = split_part(condition_after, chr(30), 2) AS same_kind,
    split_part(condition_before, chr(30), 2) = 'true' AS excludes,
    CASE
      WHEN split_part(condition_before, chr(30), 2) = 'true' THEN condition_before
      ELSE condition_after
    END AS narrow,
    CASE
      WHEN split_part(condition_before, chr(30), 2) = 'true' THEN condition_after
      ELSE condition_before
    END AS wide
  FROM condition_pairs
),
parts AS (
  SELECT
    *,
    CAST('0' || CASE WHEN events_before THEN condition_before ELSE '' END AS BIGINT) AS bits_before,
    CAST('0' || CASE WHEN events_after THEN condition_after ELSE '' END AS BIGINT) AS bits_after,
    split_part(wide, chr(30), 3) = 'true' AS wide_matches_all,
    split_part(narrow, chr(30), 7) AS narrow_list,
    split_part(wide, chr(30), 7) AS wide_list,
    split_part(narrow, chr(30), 5) = 'true' AS narrow_start,
    split_part(narrow, chr(30), 6) = 'true' AS narrow_end,
    split_part(wide, chr(30), 5) = 'true' AS wide_start,
    split_part(wide, chr(30), 6) = 'true' AS wide_end
  FROM sides
),
conditions AS (
  SELECT
    state,
    number_after,
    number_before,
    condition_before,
    coalesce(
      bool_or(
        CASE
          WHEN events_before
            THEN events_after AND bits_after & bits_before = bits_after
          WHEN events_after THEN wide_matches_all AND NOT excludes
          WHEN NOT same_kind THEN false
          WHEN condition_after = condition_before OR wide_matches_all THEN true
          WHEN narrow_list = '' OR wide_list = '' THEN false
          WHEN array_has_all(
            string_to_array(substr(wide_list, 2), '|'), string_to_array(substr(narrow_list, 2), '|')
          )
            THEN (narrow_start OR NOT wide_start) AND (narrow_end OR NOT wide_end)
          WHEN strpos(wide_list, '|') > 0 OR wide_end THEN false
          -- One value that need not end there: the others begin with it, or a single one has it inside.
          WHEN wide_start
            THEN narrow_start
              AND starts_with(
                array_sort(string_to_array(substr(narrow_list, 2), '|'))[1], substr(wide_list, 2)
              )
              AND starts_with(
                array_sort(string_to_array(substr(narrow_list, 2), '|'))[-1], substr(wide_list, 2)
              )
          ELSE strpos(narrow_list, '|') = 0 AND strpos(substr(narrow_list, 2), substr(wide_list, 2)) > 0
        END
      ),
      false
    ) AS kept,
    bool_or(same_kind AND NOT events_before AND NOT events_after) AS has_kind,
    bool_or(same_kind AND narrow_list <> '' AND wide_list <> '') AS has_list,
    bool_or(same_kind AND split_part(condition_after, chr(30), 4) = 'false') AS without_anchors
  FROM parts
  GROUP BY state, number_after, number_before, condition_before
),
reasons AS (
  SELECT
    state,
    number_after,
    number_before,
    kept,
    CASE
      WHEN strpos(condition_before, chr(30)) = 0 THEN 'event added'
      WHEN split_part(condition_before, chr(30), 2) = 'true' AND NOT has_kind THEN 'exclusion removed'
      WHEN split_part(condition_before, chr(30), 2) = 'true' THEN 'exclusion changed'
      WHEN NOT has_kind AND split_part(condition_before, chr(30), 1) = 'ACTOR_ACCOUNT_ID'
        THEN 'actor filter removed'
      WHEN NOT has_kind THEN 'filter removed'
      WHEN split_part(condition_before, chr(30), 4) = 'true' AND without_anchors THEN 'pattern without anchors'
      WHEN has_list THEN 'pattern widened'
      ELSE 'pattern changed'
    END AS reason
  FROM conditions
),
-- The pair with the fewest reasons comes first, one with other events later; then by the reasons' text.
pair_results AS (
  SELECT
    state,
    number_after,
    lpad(
      CAST(sum(CASE WHEN kept THEN 0 WHEN reason = 'event added' THEN 2 ELSE 1 END) AS VARCHAR), 6, '0'
    )
      || coalesce(array_to_string(array_sort(array_agg(CASE WHEN NOT kept THEN reason END)), '; '), '') AS reasons
  FROM reasons
  GROUP BY state, number_after, number_before
),
nearest AS (
  SELECT state, substr(min(reasons), 7) AS reasons
  FROM pair_results
  GROUP BY state, number_after
),
looser AS (
  SELECT state, string_agg(nullif(reasons, ''), '; ') AS reasons
  FROM nearest
  GROUP BY state
),
judged AS (
  SELECT
    compared.event_time,
    compared.event_id,
    compared.number,
    compared.project_name,
    nullif(
      array_to_string(
        array_sort(
          array_distinct(string_to_array(
            concat_ws(
              '; ',
              CASE
                WHEN looser.reasons IS NULL THEN NULL
                WHEN compared.no_filter THEN 'all filters removed'
                WHEN compared.group_count > compared.group_count_before
                  THEN concat_ws('; ', 'group added', looser.reasons)
                ELSE looser.reasons
              END,
              CASE WHEN compared.approval < compared.approval_before THEN 'comment approval weakened' END,
              CASE
                WHEN compared.approval > 0
                  AND compared.approver_roles_before IS NOT NULL
                  AND NOT array_has_all(
                    string_to_array(compared.approver_roles_before, ', '),
                    string_to_array(compared.approver_roles, ', ')
                  )
                  THEN 'approver roles added'
              END,
              CASE
                WHEN compared.width > compared.width_before THEN 'scope widened'
                WHEN compared.width > 0 AND compared.scope_name <> compared.scope_name_before
                  THEN 'scope moved'
              END
            ),
            '; '
          ))
        ),
        '; '
      ),
      ''
    ) AS loosened,
    compared.filter_groups_before,
    compared.filter_groups AS filter_groups_after,
    compared.comment_approval,
    compared.actor,
    compared.source_ip_address,
    compared.account,
    compared.region
  FROM compared
  LEFT JOIN looser ON looser.state = compared.state
)
SELECT
  event_time,
  project_name,
  loosened,
  filter_groups_before,
  filter_groups_after,
  comment_approval,
  actor,
  source_ip_address,
  account,
  region
FROM judged
WHERE loosened IS NOT NULL
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS LAST, account, region, project_name, number
