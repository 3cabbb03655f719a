-- title: Sensitive calls by builds
-- question: Which builds made calls that change identities, trails or trust in the account?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: names list [CreateUser,CreateAccessKey,CreateLoginProfile,UpdateLoginProfile,AttachUserPolicy,PutUserPolicy,AddUserToGroup,CreateRole,UpdateAssumeRolePolicy,AttachRolePolicy,PutRolePolicy,CreatePolicyVersion,SetDefaultPolicyVersion,CreateOpenIDConnectProvider,CreateSAMLProvider,StopLogging,DeleteTrail,UpdateTrail,PutEventSelectors,DeleteDetector,ModifySnapshotAttribute,ModifyImageAttribute,PutBucketPolicy,DeleteBucketPolicy,GetFederationToken,LeaveOrganization] Operations that count as sensitive
-- severity: high
-- attack: T1098
-- needs: build-activity
-- Needs --keep build-activity or all. Projects that deploy infrastructure do some of this by design.
SELECT
  event_time,
  event_source,
  event_name,
  succeeded,
  error_code,
  project_name,
  build_uuid,
  started_by,
  role_arn,
  source_ip_address,
  user_agent,
  resource_arns,
  account,
  region
FROM build_activity
WHERE array_has($names, event_name)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
ORDER BY event_time, event_id
