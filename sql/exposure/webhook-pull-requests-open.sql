-- title: Webhooks open to any pull request
-- question: Which webhooks build pull requests of anybody: no actor filter and no approval by comment?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: replaced boolean [false] Also states of a webhook that were replaced later
-- severity: high
-- attack: T1677
-- A fork changes the build specification, and the build runs it with the service role. A webhook without
-- filters builds pull requests, too. Approval by comment helps; where it is not told, it counts as missing.
WITH groups AS (
  SELECT
    event_id,
    group_number,
    coalesce(
      bool_or(filter_type = 'EVENT' AND NOT excludes AND pattern LIKE '%PULL_REQUEST_%'), false
    ) AS pull_requests,
    coalesce(bool_or(filter_type = 'EVENT'), false) AS has_event,
    coalesce(bool_or(filter_type = 'ACTOR_ACCOUNT_ID' AND NOT excludes), false) AS has_actor
  FROM webhook_filters
  GROUP BY event_id, group_number
),
open_groups AS (
  SELECT event_id, count(*) AS open_groups
  FROM groups
  WHERE (pull_requests OR NOT has_event)
    AND NOT has_actor
  GROUP BY event_id
)
SELECT
  webhooks.event_time,
  webhooks.event_name,
  webhooks.project_name,
  CASE
    WHEN open_groups.open_groups IS NULL THEN 'no filter at all'
    ELSE 'pull requests without an actor filter'
  END AS finding,
  webhooks.comment_approval,
  webhooks.filter_groups,
  webhooks.build_type,
  webhooks.webhook_url,
  webhooks.replaced_at,
  webhooks.actor,
  webhooks.source_ip_address,
  webhooks.account,
  webhooks.region
FROM webhooks
LEFT JOIN open_groups ON open_groups.event_id = webhooks.event_id
WHERE (
    open_groups.open_groups IS NOT NULL
    OR regexp_replace(coalesce(webhooks.filter_groups, ''), '\s', '', 'g') IN ('', '[]', '[[]]')
      AND webhooks.shows_all
      AND NOT webhooks.branch_filter_asked
  )
  AND coalesce(webhooks.comment_approval NOT IN ('ALL_PULL_REQUESTS', 'FORK_PULL_REQUESTS'), true)
  AND ($replaced OR webhooks.replaced_at IS NULL)
  AND ($since IS NULL OR webhooks.event_time >= $since)
  AND ($until IS NULL OR webhooks.event_time < $until)
  AND ($project IS NULL OR webhooks.project_name = $project)
  AND ($account IS NULL OR webhooks.account = $account)
ORDER BY webhooks.event_time, webhooks.event_id
