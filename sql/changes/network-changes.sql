-- title: Changes of networks
-- question: Which projects were moved into, out of or within a VPC, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
SELECT
  event_time,
  project_name,
  setting,
  before,
  after,
  before_known,
  change,
  actor,
  source_ip_address,
  event_name,
  account,
  region
FROM project_changes
WHERE setting IN ('vpcConfig.vpcId', 'vpcConfig.subnets', 'vpcConfig.securityGroupIds')
  AND event_name = 'UpdateProject'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time, event_id, setting
