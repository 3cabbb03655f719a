-- title: Webhooks without comment approval
-- question: Which webhooks build pull requests with approval by comment turned off, or given by readers?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: replaced boolean [false] Also states of a webhook that were replaced later
-- severity: medium
-- attack: T1677
-- response: Require approval for forks at least, of roles that can write, and look at builds of pull requests.
-- benign: Every group that builds pull requests names its actors: `actors_limited` is true then.
-- An approver role's pull requests are built at once, so a role that only reads approves everybody where the
-- repository is public. A merge needs a maintainer and is no pull request of anybody.
-- Not seen: a webhook whose calls never show the policy, and roles that somebody has at the source provider.
WITH pull_request_groups AS (
  SELECT
    state,
    bool_and(actors_limited) AS actors_limited
  FROM webhook_groups
  WHERE pull_requests
  GROUP BY state
)
SELECT
  webhooks.event_time,
  webhooks.event_name,
  webhooks.project_name,
  CASE
    WHEN webhooks.comment_approval = 'DISABLED' THEN 'approval turned off'
    ELSE 'readers approve'
  END AS finding,
  webhooks.approver_roles,
  webhooks.filter_groups,
  pull_request_groups.actors_limited,
  webhooks.replaced_at,
  webhooks.actor,
  webhooks.source_ip_address,
  webhooks.account,
  webhooks.region
FROM webhooks
INNER JOIN pull_request_groups ON pull_request_groups.state = webhooks.state
WHERE webhooks.comment_approval IS NOT NULL
  AND NOT webhooks.approval_holds
  AND ($replaced OR webhooks.replaced_at IS NULL)
  AND ($since IS NULL OR webhooks.event_time >= $since)
  AND ($until IS NULL OR webhooks.event_time < $until)
  AND ($project IS NULL OR webhooks.project_name = $project)
  AND ($account IS NULL OR webhooks.account = $account)
  AND ($region IS NULL OR webhooks.region = $region)
ORDER BY webhooks.event_time NULLS LAST, webhooks.account, webhooks.region, webhooks.project_name, webhooks.number
