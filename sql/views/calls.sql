-- title: Calls
-- question: Who is behind each call, and with what kind of client was it made?
-- The principal is what lasts: the role rather than its session, the user, the service. A session of
-- IAM Identity Center stays apart, as its name is the person's; so does a federated user, whose
-- issuer is only who gave out the credentials.
-- What a client says of itself can be forged, and a service that calls for somebody says only its own
-- name. The command line counts before the console, as CloudShell has a console's credentials.
-- `network` says what kind of address a call came from: `aws` for a service's name, `private` for
-- an address that only a network of one's own knows (also 100.64.0.0/10, and whatever comes through a VPC
-- endpoint), else `IPv4` or `IPv6`; `place` is the VPC endpoint, else the address. `denied`: the call was
-- refused for want of permission; services spell the code in several ways, and a VPC endpoint's policy has
-- one of its own.
-- Not seen: a person who uses another's credentials, and a client that names itself as another.
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
  END AS client,
  CASE
    WHEN source_ip_address IS NULL OR source_ip_address = '' THEN NULL
    WHEN source_ip_address NOT LIKE '%:%' AND translate(source_ip_address, '0123456789.', '') <> '' THEN 'aws'
    WHEN vpc_endpoint_id LIKE 'vpce-%'
      OR source_ip_address LIKE '10.%'
      OR source_ip_address LIKE '192.168.%'
      OR source_ip_address LIKE '169.254.%'
      OR source_ip_address LIKE '127.%'
      OR source_ip_address LIKE '172.%'
        AND TRY_CAST(split_part(source_ip_address, '.', 2) AS INTEGER) BETWEEN 16 AND 31
      OR source_ip_address LIKE '100.%'
        AND TRY_CAST(split_part(source_ip_address, '.', 2) AS INTEGER) BETWEEN 64 AND 127
      OR lower(source_ip_address) LIKE 'fc%:%'
      OR lower(source_ip_address) LIKE 'fd%:%'
      OR lower(source_ip_address) LIKE 'fe8%:%'
      OR source_ip_address = '::1'
      THEN 'private'
    WHEN source_ip_address LIKE '%:%' THEN 'IPv6'
    ELSE 'IPv4'
  END AS network,
  vpc_endpoint_id,
  CASE WHEN vpc_endpoint_id LIKE 'vpce-%' THEN vpc_endpoint_id ELSE source_ip_address END AS place,
  user_identity_arn AS caller_arn,
  role_session_name AS session_name,
  session_issuer_arn,
  user_identity_type,
  user_identity_identity_provider,
  web_id_federated_provider,
  on_behalf_of_identity_store_arn,
  resource_arns,
  project_arn,
  CASE
    WHEN split_part(project_arn, ':', 5) <> '' THEN split_part(project_arn, ':', 5)
    ELSE recipient_account_id
  END AS project_account,
  shared_event_id,
  NOT succeeded
    AND (
      denied_action IS NOT NULL
      OR error_code IN (
        'AccessDenied', 'AccessDeniedException', 'AccessDeniedFault', 'AuthorizationError',
        'AuthorizationErrorException', 'NotAuthorized', 'NotAuthorizedException', 'UnauthorizedAccess',
        'UnauthorizedOperation', 'Client.UnauthorizedOperation', 'UnauthorizedException', 'VpceAccessDenied'
      )
    ) AS denied
FROM events
