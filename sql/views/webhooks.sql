-- title: Webhooks
-- question: Which states did each webhook have: set when and by whom, with which filters, and until when?
-- One row a successful CreateWebhook or UpdateWebhook. `replaced_at` is null for the state that stands as
-- far as the log tells; deleting the webhook or its project ends it. `shows_all` tells whether the
-- answer shows the whole webhook, so that filters which are missing do not exist.
WITH states AS (
  SELECT
    event_time,
    event_id,
    event_name,
    recipient_account_id,
    aws_region,
    project_name,
    actor,
    source_ip_address,
    webhook_url,
    webhook_build_type,
    webhook_scope,
    webhook_scope_name,
    webhook_filter_groups,
    webhook_pr_comment_approval,
    request_members,
    lead(event_time) OVER (
      PARTITION BY recipient_account_id, aws_region, project_name ORDER BY event_time, event_id
    ) AS replaced_at
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN ('CreateWebhook', 'UpdateWebhook', 'DeleteWebhook', 'DeleteProject')
    AND succeeded
    AND project_name IS NOT NULL
)
SELECT
  event_time,
  event_id,
  event_name,
  recipient_account_id AS account,
  aws_region AS region,
  project_name,
  replaced_at,
  webhook_url,
  webhook_build_type AS build_type,
  webhook_scope AS scope,
  webhook_scope_name AS scope_name,
  webhook_filter_groups AS filter_groups,
  webhook_pr_comment_approval AS comment_approval,
  webhook_url IS NOT NULL AS shows_all,
  coalesce(array_has(request_members, 'branchFilter'), false) AS branch_filter_asked,
  actor,
  source_ip_address
FROM states
WHERE event_name IN ('CreateWebhook', 'UpdateWebhook')
