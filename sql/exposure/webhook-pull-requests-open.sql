-- title: Webhooks open to any pull request
-- question: Which webhooks build pull requests of anybody: no actor filter and no approval by comment?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: replaced boolean [false] Also states of a webhook that were replaced later
-- severity: high
-- attack: T1677
-- response: Add an anchored actor filter or approval by comment, and read the builds that pull requests started.
-- benign: A repository that only colleagues can read, or a default policy that CloudTrail does not show.
-- A fork changes the build specification, and the build runs it with the service role. A webhook without
-- filters builds pull requests, too. Approval by comment helps unless readers may approve; where it is not
-- told, it counts as missing. An actor filter that lets everybody in or only keeps some out does not close.
-- Not seen: an actor filter without anchors (webhook-filters-unanchored has it), a webhook made before the
-- dataset begins, who can open pull requests, and events of a branchFilter, which counts as pushes alone.
WITH open_groups AS (
  SELECT
    state,
    bool_or(filters = 0) AS no_filter
  FROM webhook_groups
  WHERE pull_requests
    AND NOT actors_limited
  GROUP BY state
)
SELECT
  webhooks.event_time,
  webhooks.event_name,
  webhooks.project_name,
  CASE
    WHEN open_groups.no_filter THEN 'no filter at all'
    ELSE 'pull requests without an actor filter'
  END AS finding,
  webhooks.comment_approval,
  webhooks.approver_roles,
  webhooks.filter_groups,
  webhooks.scope,
  webhooks.build_type,
  webhooks.webhook_url,
  webhooks.replaced_at,
  webhooks.actor,
  webhooks.source_ip_address,
  webhooks.account,
  webhooks.region
FROM webhooks
INNER JOIN open_groups ON open_groups.state = webhooks.state
WHERE NOT coalesce(webhooks.approval_holds, false)
  AND ($replaced OR webhooks.replaced_at IS NULL)
  AND ($since IS NULL OR webhooks.event_time >= $since)
  AND ($until IS NULL OR webhooks.event_time < $until)
  AND ($project IS NULL OR webhooks.project_name = $project)
  AND ($account IS NULL OR webhooks.account = $account)
  AND ($region IS NULL OR webhooks.region = $region)
ORDER BY webhooks.event_time NULLS LAST, webhooks.account, webhooks.region, webhooks.project_name, webhooks.number
