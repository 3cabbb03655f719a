-- title: Webhooks without comment approval
-- question: Which webhooks build pull requests with the approval by comment turned off?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: replaced boolean [false] Also states of a webhook that were replaced later
-- severity: medium
-- attack: T1677
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
)
SELECT
  webhooks.event_time,
  webhooks.event_name,
  webhooks.project_name,
  webhooks.filter_groups,
  coalesce(bool_or(groups.has_actor), false) AS some_actor_filter,
  webhooks.replaced_at,
  webhooks.actor,
  webhooks.source_ip_address,
  webhooks.account,
  webhooks.region
FROM webhooks
LEFT JOIN groups ON groups.event_id = webhooks.event_id
WHERE webhooks.comment_approval = 'DISABLED'
  AND (groups.event_id IS NULL OR groups.pull_requests OR NOT groups.has_event)
  AND ($replaced OR webhooks.replaced_at IS NULL)
  AND ($since IS NULL OR webhooks.event_time >= $since)
  AND ($until IS NULL OR webhooks.event_time < $until)
  AND ($project IS NULL OR webhooks.project_name = $project)
  AND ($account IS NULL OR webhooks.account = $account)
GROUP BY
  webhooks.event_time, webhooks.event_id, webhooks.event_name, webhooks.project_name, webhooks.filter_groups,
  webhooks.replaced_at, webhooks.actor, webhooks.source_ip_address, webhooks.account, webhooks.region
ORDER BY webhooks.event_time, webhooks.event_id
