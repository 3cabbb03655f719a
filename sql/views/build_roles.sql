-- title: Build roles
-- question: Which roles do builds run with, by the settings of projects and builds or by what builds did?
-- uses: build_sessions
-- Roles of settings that were replaced since are here, too. Not seen: a role that is given by its name instead of its
-- ARN, and the role of a batch.
SELECT DISTINCT service_role AS role_arn
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND succeeded
  AND service_role LIKE 'arn:%:role/%'
UNION
SELECT DISTINCT role_arn
FROM build_sessions
WHERE is_build
  AND role_arn IS NOT NULL
