-- title: Webhook patterns without anchors
-- question: Which webhook filters on actors or refs match in the middle, for want of ^ and $?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: replaced boolean [false] Also states of a webhook that were replaced later
-- parameter: types list [] Only these types of filters, such as ACTOR_ACCOUNT_ID
-- severity: high
-- attack: T1677
-- An actor filter 123 lets in the account 91234, which somebody can register. A filter that excludes is not
-- here: without anchors it keeps out more.
SELECT
  event_time,
  project_name,
  group_number,
  filter_type,
  pattern,
  replaced_at,
  account,
  region
FROM webhook_filters
WHERE filter_type IN ('ACTOR_ACCOUNT_ID', 'HEAD_REF', 'BASE_REF')
  AND NOT excludes
  AND NOT anchored
  AND ($replaced OR replaced_at IS NULL)
  AND ($types IS NULL OR array_has($types, filter_type))
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
ORDER BY event_time, event_id, group_number, filter_type, pattern
