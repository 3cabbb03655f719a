-- title: Policies that share with other accounts
-- question: Which projects or report groups were shared with other accounts or with everybody, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- severity: high
-- attack: T1537
-- One row a principal element of the policy. A condition may narrow what is shared, so its presence is told.
-- A statement that denies shows up, too, if another one in the policy allows.
WITH pieces AS (
  SELECT
    event_time,
    event_id,
    coalesce(project_arn, report_group_arn, target_ids[1]) AS resource,
    resource_policy,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region,
    unnest(string_to_array(resource_policy, '"Principal"')) AS piece
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name = 'PutResourcePolicy'
    AND succeeded
    AND strpos(resource_policy, '"Allow"') > 0
),
policy_principals AS (
  SELECT
    event_time,
    event_id,
    resource,
    actor,
    source_ip_address,
    account,
    region,
    strpos(resource_policy, '"Condition"') > 0 AS has_condition,
    regexp_replace(piece, '(?s)^\s*:\s*(\{[^}]*\}|"[^"]*").*$', '\1') AS shared_with
  FROM pieces
  WHERE regexp_replace(piece, '(?s)^\s*:\s*(\{|").*$', '') = ''
)
SELECT
  event_time,
  resource,
  CASE WHEN strpos(shared_with, '"*"') > 0 THEN 'everybody' ELSE 'another account' END AS sharing,
  shared_with,
  has_condition,
  actor,
  source_ip_address,
  account,
  region
FROM policy_principals
WHERE (
    strpos(shared_with, '"*"') > 0
    OR regexp_replace(replace(shared_with, account, ''), '[0-9]{12}', '') <> replace(shared_with, account, '')
  )
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
ORDER BY event_time, event_id, shared_with
