-- title: Federated callers
-- question: Who came by federation (SAML, OIDC, Identity Center, federation tokens), and how much did they do?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- A role that was assumed with SAML outside Identity Center shows no provider in its calls, so it is not here.
-- Not seen: who took another role from there on.
SELECT
  CASE
    WHEN user_identity_type = 'IdentityCenterUser'
      OR session_issuer_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
      THEN 'identity center'
    WHEN user_identity_type = 'FederatedUser' THEN 'federation token'
    WHEN user_identity_type = 'SAMLUser' THEN 'saml'
    ELSE 'oidc'
  END AS federation,
  coalesce(
    web_id_federated_provider,
    user_identity_identity_provider,
    on_behalf_of_identity_store_arn,
    session_issuer_arn
  ) AS provider,
  actor,
  count(*) AS requests,
  count(*) FILTER (WHERE operation_access = 'write') AS writes,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT source_ip_address) AS addresses,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen
FROM calls_once
WHERE event_source = 'codebuild.amazonaws.com'
  AND (
    user_identity_type IN ('FederatedUser', 'SAMLUser', 'WebIdentityUser', 'IdentityCenterUser')
    OR web_id_federated_provider IS NOT NULL
    OR session_issuer_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
  )
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($region IS NULL OR region = $region)
GROUP BY 1, 2, actor
ORDER BY requests DESC, federation, provider NULLS LAST, actor NULLS LAST
