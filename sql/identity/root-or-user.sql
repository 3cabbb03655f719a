-- title: Requests by root or users
-- question: Which requests were made with the credentials of the root or of a user?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- Not seen: a user or root who first took a role; see temporary-credentials. Events without a readable time
-- come last.
SELECT
  event_time,
  actor,
  credential_kind,
  access_key_id,
  mfa,
  event_name,
  project_name,
  source_ip_address,
  succeeded
FROM calls_once
WHERE by_root_or_user
  AND event_source = 'codebuild.amazonaws.com'
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS LAST, event_id NULLS LAST
