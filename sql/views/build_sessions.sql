-- title: Build sessions
-- question: Which sessions are named as those of builds, and is each known to be of one?
-- One row a session name, role and access key. Whoever may assume a role chooses the name of the session, so
-- a name is no proof. `evidence` says what the dataset tells, best first; `is_build` is what follows:
--   assumed by another: the key was given to somebody else who assumed the role (true only of --keep all)
--   assumed by CodeBuild: the key was given to CodeBuild when it assumed the role (needs build-activity or all)
--   no build's name: the name is not AWSCodeBuild- and a UUID
--   another key: CodeBuild assumed the role under this name and got other keys
--   another role: a build with this UUID ran with another role
--   known build: a build with this UUID is in the dataset
--   not assumed by CodeBuild: CodeBuild assumed the role before, but not for this session
--   form of the name: nothing else is known, as of a build that a webhook started
-- Not seen: one who takes the UUID of a build and its role where the dataset has no AssumeRole calls.
-- In a dataset of some regions only, a build of another region may look as if CodeBuild had not assumed its role.
WITH told AS (
  -- Sessions under such names, and builds that an answer tells of.
  SELECT
    'session' AS what,
    role_session_name AS session_name,
    actor_build_uuid AS build_uuid,
    session_issuer_arn AS role_arn,
    nullif(user_identity_access_key_id, '') AS access_key_id,
    CAST(NULL AS BOOLEAN) AS by_codebuild,
    min(session_creation_date) AS created_at,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS requests
  FROM events
  WHERE role_session_name LIKE 'AWSCodeBuild%'
  GROUP BY 2, 3, 4, 5
  UNION ALL
  SELECT
    'build' AS what,
    CAST(NULL AS VARCHAR) AS session_name,
    build_uuid,
    max(service_role) AS role_arn,
    CAST(NULL AS VARCHAR) AS access_key_id,
    CAST(NULL AS BOOLEAN) AS by_codebuild,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS created_at,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS first_seen,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS last_seen,
    CAST(0 AS BIGINT) AS requests
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND succeeded
    AND event_name IN ('StartBuild', 'RetryBuild', 'StopBuild')
    AND build_uuid IS NOT NULL
  GROUP BY build_uuid
  UNION ALL
  SELECT
    'assumed' AS what,
    request_parameters->>'roleSessionName' AS session_name,
    CAST(NULL AS VARCHAR) AS build_uuid,
    request_parameters->>'roleArn' AS role_arn,
    response_elements->'credentials'->>'accessKeyId' AS access_key_id,
    user_identity_invoked_by IS NOT DISTINCT FROM 'codebuild.amazonaws.com' AS by_codebuild,
    event_time AS created_at,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS first_seen,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS last_seen,
    CAST(0 AS BIGINT) AS requests
  FROM events
  WHERE event_source = 'sts.amazonaws.com'
    AND succeeded
    AND event_name IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
),
judged AS (
  SELECT
    *,
    max(CASE WHEN NOT by_codebuild THEN 1 ELSE 0 END) OVER (PARTITION BY access_key_id) AS key_of_another,
    max(CASE WHEN by_codebuild THEN 1 ELSE 0 END) OVER (PARTITION BY access_key_id) AS key_of_codebuild,
    max(CASE WHEN by_codebuild AND access_key_id IS NOT NULL THEN 1 ELSE 0 END)
      OVER (PARTITION BY role_arn, session_name) AS name_of_codebuild,
    min(CASE WHEN by_codebuild THEN created_at END) OVER (PARTITION BY role_arn) AS role_first_assumed,
    max(CASE WHEN what = 'build' THEN 1 ELSE 0 END) OVER (PARTITION BY build_uuid) AS build_known,
    max(CASE WHEN what = 'build' THEN split_part(role_arn, '/', -1) END) OVER (PARTITION BY build_uuid)
      AS role_of_build
  FROM told
),
sessions AS (
  SELECT
    *,
    CASE
      WHEN access_key_id IS NOT NULL AND key_of_another = 1 THEN 'assumed by another'
      WHEN access_key_id IS NOT NULL AND key_of_codebuild = 1 THEN 'assumed by CodeBuild'
      WHEN build_uuid IS NULL
        OR build_uuid NOT LIKE '________-____-____-____-____________'
        OR length(replace(build_uuid, '-', '')) <> 32
        THEN 'no build''s name'
      WHEN access_key_id IS NOT NULL AND name_of_codebuild = 1 THEN 'another key'
      WHEN build_known = 1 AND role_of_build <> split_part(role_arn, '/', -1) THEN 'another role'
      WHEN build_known = 1 THEN 'known build'
      WHEN role_first_assumed <= created_at THEN 'not assumed by CodeBuild'
      ELSE 'form of the name'
    END AS evidence
  FROM judged
  WHERE what = 'session'
)
SELECT
  session_name,
  build_uuid,
  role_arn,
  access_key_id,
  evidence IN ('assumed by CodeBuild', 'known build', 'form of the name') AS is_build,
  evidence,
  created_at,
  first_seen,
  last_seen,
  requests
FROM sessions
