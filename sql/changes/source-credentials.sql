-- title: Source credentials
-- question: Which credentials for source providers were imported or deleted, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1098.001
-- response: Ask who imported it; delete it if nobody knows, and revoke the token at the source provider.
-- benign: A token that is renewed: an import that overwrites, or a deletion just before an import.
-- A credential is for the whole account and region: every project of the provider uses it. The console
-- stores OAuth tokens with operations of its own. Failed calls are listed, too.
-- Not seen: connections (CodeConnections is another service), credentials that a project names itself by
-- `source.auth`, its secondary sources included, and the token, which CloudTrail masks.
SELECT
  event_time,
  event_name,
  source_credential_server_type AS server_type,
  source_credential_auth_type AS auth_type,
  source_credential_username AS username,
  source_credential_should_overwrite AS should_overwrite,
  source_credential_arn,
  actor,
  credential_kind,
  source_ip_address,
  succeeded,
  error_code,
  recipient_account_id AS account,
  aws_region AS region
FROM events
WHERE event_source = 'codebuild.amazonaws.com'
  AND event_name IN (
    'ImportSourceCredentials', 'DeleteSourceCredentials', 'PersistOAuthToken', 'DeleteOAuthToken'
  )
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR recipient_account_id = $account)
  AND ($region IS NULL OR aws_region = $region)
ORDER BY event_time NULLS LAST, event_id NULLS LAST
