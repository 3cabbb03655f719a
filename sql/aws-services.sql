-- title: Requests by AWS services
-- question: Which requests were made by another AWS service, and on whose behalf?
SELECT
  coalesce(user_identity_invoked_by, source_ip_address) AS service,
  actor,
  event_name,
  count(*) AS requests,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  max(event_time) AS last_seen
FROM events
WHERE by_aws_service AND event_source = 'codebuild.amazonaws.com'
GROUP BY coalesce(user_identity_invoked_by, source_ip_address), actor, event_name
ORDER BY requests DESC, service, actor, event_name
