-- title: Changes of fleets
-- question: Which fleets were created, changed or deleted, by whom, with which role and proxy?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- A fleet has a role, an image, a network and a proxy of its own, which all builds on it use. Attempts that failed are
-- here with their error. What a setting was before is not shown, nor the rules of the proxy.
SELECT
  event_time,
  event_name,
  coalesce(fleet_arn, target_ids[1]) AS fleet,
  fleet_base_capacity AS base_capacity,
  fleet_max_capacity AS max_capacity,
  fleet_overflow_behavior AS overflow_behavior,
  environment_type,
  environment_compute_type,
  fleet_service_role AS fleet_role,
  fleet_image_id AS image_id,
  fleet_proxy_default_behavior AS proxy_default_behavior,
  vpc_id,
  actor,
  source_ip_address,
  succeeded,
  error_code,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND event_name IN ('CreateFleet', 'UpdateFleet', 'DeleteFleet')
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
