-- title: Webhooks loosened
-- question: Which changes of a webhook let more events start builds than before, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- severity: high
-- attack: T1677
-- Compared with the call before on the same webhook; one whose earlier filters are not in the dataset cannot
-- be judged. A webhook with no filter at all lets every event start a build.
WITH groups AS (
  SELECT
    event_id,
    group_number,
    count(*) AS filters,
    count(*) FILTER (WHERE filter_type = 'ACTOR_ACCOUNT_ID' AND NOT excludes) AS actor_filters,
    count(*) FILTER (
      WHERE filter_type IN ('ACTOR_ACCOUNT_ID', 'HEAD_REF', 'BASE_REF') AND NOT excludes AND NOT anchored
    ) AS loose_patterns
  FROM webhook_filters
  GROUP BY event_id, group_number
),
totals AS (
  SELECT
    event_id,
    count(*) AS filter_groups,
    sum(filters) AS filters,
    count(*) FILTER (WHERE actor_filters = 0) AS groups_for_all_actors,
    sum(loose_patterns) AS loose_patterns
  FROM groups
  GROUP BY event_id
),
states AS (
  SELECT
    webhooks.event_time,
    webhooks.event_id,
    webhooks.event_name,
    webhooks.project_name,
    webhooks.actor,
    webhooks.source_ip_address,
    webhooks.account,
    webhooks.region,
    webhooks.filter_groups AS filters_text,
    webhooks.comment_approval,
    coalesce(totals.filter_groups, 0) AS filter_groups,
    coalesce(totals.filters, 0) AS filters,
    coalesce(totals.groups_for_all_actors, 0) AS groups_for_all_actors,
    coalesce(totals.loose_patterns, 0) AS loose_patterns,
    CASE webhooks.comment_approval
      WHEN 'ALL_PULL_REQUESTS' THEN 2
      WHEN 'FORK_PULL_REQUESTS' THEN 1
      WHEN 'DISABLED' THEN 0
    END AS approval
  FROM webhooks
  LEFT JOIN totals ON totals.event_id = webhooks.event_id
  WHERE webhooks.shows_all
    OR webhooks.filter_groups IS NOT NULL
),
compared AS (
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    actor,
    source_ip_address,
    account,
    region,
    filters_text,
    comment_approval,
    filter_groups,
    filters,
    groups_for_all_actors,
    loose_patterns,
    approval,
    lag(filters_text) OVER (
      PARTITION BY account, region, project_name ORDER BY event_time, event_id
    ) AS filter_groups_before,
    lag(filter_groups) OVER (
      PARTITION BY account, region, project_name ORDER BY event_time, event_id
    ) AS groups_before,
    lag(filters) OVER (
      PARTITION BY account, region, project_name ORDER BY event_time, event_id
    ) AS filters_before,
    lag(groups_for_all_actors) OVER (
      PARTITION BY account, region, project_name ORDER BY event_time, event_id
    ) AS groups_for_all_actors_before,
    lag(loose_patterns) OVER (
      PARTITION BY account, region, project_name ORDER BY event_time, event_id
    ) AS loose_patterns_before,
    lag(approval) OVER (
      PARTITION BY account, region, project_name ORDER BY event_time, event_id
    ) AS approval_before
  FROM states
),
judged AS (
  SELECT
    event_time,
    event_id,
    project_name,
    nullif(
      concat_ws(
        '; ',
        CASE WHEN filter_groups = 0 AND groups_before > 0 THEN 'all filters removed' END,
        CASE WHEN filter_groups > groups_before AND groups_before > 0 THEN 'group added' END,
        CASE
          WHEN filter_groups = groups_before AND filters < filters_before THEN 'filter removed'
        END,
        CASE
          WHEN groups_for_all_actors > groups_for_all_actors_before AND filter_groups <= groups_before
            THEN 'actor filter removed'
        END,
        CASE WHEN loose_patterns > loose_patterns_before THEN 'pattern without anchors' END,
        CASE WHEN approval < approval_before THEN 'comment approval weakened' END
      ),
      ''
    ) AS loosened,
    filter_groups_before,
    filters_text AS filter_groups_after,
    comment_approval,
    actor,
    source_ip_address,
    account,
    region
  FROM compared
  WHERE event_name = 'UpdateWebhook'
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
ORDER BY event_time, event_id
