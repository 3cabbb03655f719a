-- title: Calls
-- question: Who is behind each call, and with what kind of client was it made?
-- The principal is what lasts: the role rather than its session, the user, the service. A session of
-- IAM Identity Center stays apart, as its name is the person's; so does a federated user, whose
-- issuer is only who gave out the credentials.
-- What a client says of itself can be forged, and a service that calls for somebody says only its own
-- name. The command line counts before the console, as CloudShell has a console's credentials.
SELECT
  event_time,
  event_id,
  event_source,
  event_name,
  recipient_account_id AS account,
  aws_region AS region,
  operation_access,
  succeeded,
  error_code,
  error_message,
  denied_action,
  denied_resource_arn,
  project_name,
  actor,
  coalesce(
    CASE
      WHEN session_issuer_type = 'Role'
        AND session_issuer_arn NOT LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
        THEN session_issuer_arn
    END,
    user_identity_arn,
    user_identity_invoked_by,
    actor
  ) AS principal,
  credential_kind,
  by_root_or_user,
  by_temporary_credentials,
  by_aws_service,
  user_identity_account_id AS caller_account,
  user_identity_access_key_id AS access_key_id,
  user_identity_invoked_by AS invoked_by,
  session_mfa_authenticated AS mfa,
  session_creation_date,
  actor_build_uuid,
  source_ip_address,
  user_agent,
  CASE
    WHEN actor_build_uuid IS NOT NULL THEN 'build'
    WHEN by_aws_service THEN 'aws-service'
    WHEN lower(user_agent) LIKE '%terraform%' OR lower(user_agent) LIKE '%opentofu%' THEN 'terraform'
    WHEN lower(user_agent) LIKE '%pulumi%' THEN 'pulumi'
    WHEN lower(user_agent) LIKE '%jenkins%' THEN 'jenkins'
    WHEN lower(user_agent) LIKE 'aws-cli/%' OR lower(user_agent) LIKE '[aws-cli/%' THEN 'cli'
    WHEN session_credential_from_console THEN 'console'
    WHEN lower(user_agent) LIKE 'mozilla/%'
      OR lower(user_agent) LIKE '[mozilla/%'
      OR lower(user_agent) LIKE '%console.amazonaws.com%'
      OR lower(user_agent) LIKE '%signin.amazonaws.com%'
      OR lower(user_agent) LIKE 'aws-internal/%'
      OR lower(user_agent) LIKE '[aws-internal/%'
      THEN 'console'
    WHEN lower(user_agent) LIKE '%aws-sdk-%'
      OR lower(user_agent) LIKE '%boto%'
      THEN 'sdk'
    WHEN user_agent IS NULL THEN NULL
    ELSE 'other'
  END AS client
FROM events
