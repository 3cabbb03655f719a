-- title: Sensitive calls by builds
-- question: Which builds made calls that change identities, trails or trust in the account?
-- needs: build-activity
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: names list [] Operations that count instead of the list's, of any service
-- severity: high
-- attack: T1098
-- response: Compare the call with what the project is for; if nobody can explain it, revoke the role's sessions.
-- benign: Projects that deploy infrastructure do some of this by design.
-- The list is `sensitive call` of the view `word_lists`, by service and operation: IAM's CreateUser, not that of
-- a cache. Denied calls count, too.
-- Not seen: the same through a service that acts for the build, such as CloudFormation, through a role that the
-- build assumes, and operations that CloudTrail does not record.
SELECT
  build_activity.event_time,
  build_activity.event_source,
  build_activity.event_name,
  build_activity.succeeded,
  build_activity.error_code,
  build_activity.project_name,
  build_activity.build_uuid,
  build_activity.started_by,
  build_activity.role_arn,
  build_activity.source_ip_address,
  build_activity.user_agent,
  build_activity.resource_arns,
  build_activity.account,
  build_activity.region
FROM build_activity
LEFT JOIN word_lists
  ON word_lists.list = 'sensitive call'
  AND word_lists.event_source = build_activity.event_source
  AND word_lists.word = build_activity.event_name
WHERE ($names IS NULL AND word_lists.word IS NOT NULL OR array_has($names, build_activity.event_name))
  AND (build_activity.copy = 1 OR $account IS NOT NULL)
  AND ($since IS NULL OR build_activity.event_time >= $since)
  AND ($until IS NULL OR build_activity.event_time < $until)
  AND ($project IS NULL OR build_activity.project_name = $project)
  AND ($account IS NULL OR build_activity.account = $account)
  AND ($region IS NULL OR build_activity.region = $region)
ORDER BY build_activity.event_time NULLS LAST, build_activity.event_id NULLS LAST
