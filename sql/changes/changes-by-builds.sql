-- title: Changes made by builds
-- question: Which builds started other builds or changed projects, with the credentials of their role?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: allowed list [CreateReport,UpdateReport,BatchPutTestCases,BatchPutCodeCoverages,CreateReportGroup] Operations that builds may well use
-- severity: medium
-- attack: T1677
-- response: Read the build's log, find who may change its source, and undo what it changed.
-- benign: Pipelines that are made to start other builds or to deploy projects, as Terraform in a build.
-- What a build does with other credentials than its own role's is not seen, nor what it lets another service do.
-- Uploading test reports is what a build agent does by itself; changing a project is not.
SELECT
  event_time,
  event_name,
  project_name,
  actor_build_uuid AS build_uuid,
  actor,
  succeeded,
  error_code,
  source_ip_address,
  account,
  region
FROM calls
WHERE actor_build_uuid IS NOT NULL
  AND operation_access = 'write'
  AND event_source = 'codebuild.amazonaws.com'
  AND NOT coalesce(array_has($allowed, event_name), false)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, event_id NULLS FIRST
