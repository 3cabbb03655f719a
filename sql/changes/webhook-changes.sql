-- title: Changes of webhooks
-- question: Which webhooks were created, changed or deleted, by whom, with which filters?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- Failed calls are listed, too. An update shows the members that it answers with or asks for; the view `webhooks`
-- has the state as a whole. Not seen: a webhook that goes with its project, and changes at the source provider.
SELECT
  event_time,
  event_name,
  project_name,
  actor,
  succeeded,
  webhook_url,
  webhook_build_type,
  webhook_scope,
  webhook_scope_name,
  webhook_filter_groups,
  webhook_pr_comment_approval,
  webhook_rotate_secret,
  source_ip_address,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND event_name IN ('CreateWebhook', 'UpdateWebhook', 'DeleteWebhook')
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
ORDER BY event_time NULLS LAST, event_id NULLS LAST
