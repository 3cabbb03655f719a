-- title: Word lists
-- question: Which names count as secrets, as proxies, as weak TLS and as sensitive calls, and after which source?
-- One row a word of a list. Names of variables are compared in lower case with `_` between their words, so that
-- dbPwd is db_pwd. `secret anywhere` is enough as a part of a word, `secret word` is one whole word or more,
-- `secret ending` the last ones, and so is `secret whole`. A name whose last word is a `secret pointer`
-- only tells about a secret, unless it is a `secret whole`. Sensitive calls go with their service, for several
-- services have a CreateUser. Queries take words of one's own by a parameter.
SELECT
  list,
  nullif(service, '') AS event_source,
  unnest(string_to_array(words, ' ')) AS word,
  source
FROM (
  VALUES
    (
      'secret anywhere', '',
      'https://github.com/getsentry/sentry-python/blob/master/sentry_sdk/scrubber.py',
      'password passwd secret passphrase credential apikey privatekey secretkey authtoken accesstoken'
    ),
    (
      'secret word', '',
      'https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml',
      'pwd token tokens creds jwt bearer api_key access_key private_key secret_key ssh_key'
    ),
    (
      'secret word', '',
      'https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml',
      'ssh_private_key encryption_key signing_key master_key deploy_key account_key auth_key'
    ),
    (
      'secret word', '',
      'https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml',
      'storage_key license_key client_key connection_string conn_str'
    ),
    (
      'secret ending', '',
      'https://github.com/getsentry/sentry-python/blob/master/sentry_sdk/scrubber.py',
      'pass pat token passcode mysql_pwd pgpass npm_auth basic_auth registry_auth docker_auth'
    ),
    (
      'secret ending', '',
      'https://github.com/getsentry/sentry-python/blob/master/sentry_sdk/scrubber.py',
      'proxy_auth'
    ),
    (
      'secret whole', '',
      'https://12factor.net/config',
      'database_url database_uri database_dsn db_url db_uri db_dsn postgres_url postgres_uri'
    ),
    (
      'secret whole', '',
      'https://12factor.net/config',
      'postgres_dsn postgresql_url postgresql_uri postgresql_dsn mysql_url mysql_uri mysql_dsn'
    ),
    (
      'secret whole', '',
      'https://12factor.net/config',
      'mongo_url mongo_uri mongo_dsn mongodb_url mongodb_uri mongodb_dsn redis_url redis_uri'
    ),
    (
      'secret whole', '',
      'https://12factor.net/config',
      'redis_dsn amqp_url amqp_uri amqp_dsn rabbitmq_url rabbitmq_uri rabbitmq_dsn'
    ),
    (
      'secret whole', '',
      'https://api.slack.com/messaging/webhooks',
      'slack_webhook slack_webhook_url teams_webhook teams_webhook_url discord_webhook'
    ),
    (
      'secret whole', '',
      'https://api.slack.com/messaging/webhooks',
      'discord_webhook_url'
    ),
    (
      'secret whole', '',
      'https://developer.hashicorp.com/vault/docs/auth/approle',
      'vault_secret_id'
    ),
    (
      'secret pointer', '',
      'what only tells where a secret is or how it behaves',
      'arn arns name names path paths file files dir id ids url uri endpoint region type ttl size'
    ),
    (
      'secret pointer', '',
      'what only tells where a secret is or how it behaves',
      'bucket expiry expiration timeout length count version alias prefix suffix policy enabled'
    ),
    (
      'secret pointer', '',
      'what only tells where a secret is or how it behaves',
      'required limit limits field header mode'
    ),
    (
      'proxy variable', '',
      'https://curl.se/docs/manpage.html#ENVIRONMENT',
      'HTTP_PROXY HTTPS_PROXY ALL_PROXY FTP_PROXY'
    ),
    (
      'proxy variable', '',
      'https://docs.npmjs.com/cli/using-npm/config',
      'NPM_CONFIG_PROXY NPM_CONFIG_HTTPS_PROXY'
    ),
    (
      'proxy variable', '',
      'https://git-scm.com/docs/git-config',
      'GIT_PROXY_COMMAND'
    ),
    (
      'TLS errors ignored', '',
      'https://git-scm.com/book/en/v2/Git-Internals-Environment-Variables',
      'GIT_SSL_NO_VERIFY'
    ),
    (
      'TLS errors ignored', '',
      'https://nodejs.org/api/cli.html',
      'NODE_TLS_REJECT_UNAUTHORIZED'
    ),
    (
      'TLS errors ignored', '',
      'https://peps.python.org/pep-0493/',
      'PYTHONHTTPSVERIFY'
    ),
    (
      'TLS errors ignored', '',
      'https://docs.npmjs.com/cli/using-npm/config',
      'NPM_CONFIG_STRICT_SSL YARN_STRICT_SSL'
    ),
    (
      'TLS errors ignored', '',
      'https://pip.pypa.io/en/stable/cli/pip/',
      'PIP_TRUSTED_HOST'
    ),
    (
      'TLS errors ignored', '',
      'https://docs.astral.sh/uv/configuration/environment/',
      'UV_INSECURE_HOST'
    ),
    (
      'TLS errors ignored', '',
      'https://go.dev/ref/mod#environment-variables',
      'GOINSECURE'
    ),
    (
      'TLS errors ignored', '',
      'https://developer.hashicorp.com/vault/docs/commands',
      'VAULT_SKIP_VERIFY'
    ),
    (
      'certificate trusted', '',
      'https://docs.openssl.org/master/man7/openssl-env/',
      'SSL_CERT_FILE SSL_CERT_DIR'
    ),
    (
      'certificate trusted', '',
      'https://curl.se/docs/manpage.html#ENVIRONMENT',
      'CURL_CA_BUNDLE'
    ),
    (
      'certificate trusted', '',
      'https://requests.readthedocs.io/en/latest/user/advanced/',
      'REQUESTS_CA_BUNDLE'
    ),
    (
      'certificate trusted', '',
      'https://nodejs.org/api/cli.html',
      'NODE_EXTRA_CA_CERTS'
    ),
    (
      'certificate trusted', '',
      'https://git-scm.com/docs/git-config',
      'GIT_SSL_CAINFO'
    ),
    (
      'certificate trusted', '',
      'https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html',
      'AWS_CA_BUNDLE'
    ),
    (
      'certificate trusted', '',
      'https://pip.pypa.io/en/stable/cli/pip/',
      'PIP_CERT'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'CreateUser CreateAccessKey UpdateAccessKey CreateLoginProfile UpdateLoginProfile'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'AttachUserPolicy PutUserPolicy AddUserToGroup AttachGroupPolicy PutGroupPolicy CreateRole'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'UpdateAssumeRolePolicy AttachRolePolicy PutRolePolicy CreatePolicyVersion'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'SetDefaultPolicyVersion DeleteUserPermissionsBoundary DeleteRolePermissionsBoundary'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'PutUserPermissionsBoundary PutRolePermissionsBoundary CreateOpenIDConnectProvider'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'UpdateOpenIDConnectProviderThumbprint AddClientIDToOpenIDConnectProvider CreateSAMLProvider'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'UpdateSAMLProvider DeactivateMFADevice DeleteVirtualMFADevice CreateServiceSpecificCredential'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'ResetServiceSpecificCredential UploadSSHPublicKey UploadSigningCertificate'
    ),
    (
      'sensitive call', 'iam.amazonaws.com',
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html',
      'DeleteAccountPasswordPolicy UpdateAccountPasswordPolicy AddRoleToInstanceProfile'
    ),
    (
      'sensitive call', 'sts.amazonaws.com',
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html',
      'GetFederationToken AssumeRoot'
    ),
    (
      'sensitive call', 'organizations.amazonaws.com',
      'https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html',
      'LeaveOrganization DetachPolicy DisablePolicyType RemoveAccountFromOrganization'
    ),
    (
      'sensitive call', 'cloudtrail.amazonaws.com',
      'https://attack.mitre.org/techniques/T1562/008/',
      'StopLogging DeleteTrail UpdateTrail PutEventSelectors PutInsightSelectors DeleteEventDataStore'
    ),
    (
      'sensitive call', 'ec2.amazonaws.com',
      'https://attack.mitre.org/techniques/T1537/',
      'DeleteFlowLogs ModifySnapshotAttribute ModifyImageAttribute'
    ),
    (
      'sensitive call', 'guardduty.amazonaws.com',
      'https://attack.mitre.org/techniques/T1562/001/',
      'DeleteDetector UpdateDetector DisassociateFromMasterAccount'
    ),
    (
      'sensitive call', 'guardduty.amazonaws.com',
      'https://attack.mitre.org/techniques/T1562/001/',
      'DisassociateFromAdministratorAccount StopMonitoringMembers CreateIPSet CreateFilter'
    ),
    (
      'sensitive call', 'securityhub.amazonaws.com',
      'https://attack.mitre.org/techniques/T1562/001/',
      'DisableSecurityHub'
    ),
    (
      'sensitive call', 'config.amazonaws.com',
      'https://attack.mitre.org/techniques/T1562/008/',
      'StopConfigurationRecorder DeleteConfigurationRecorder DeleteDeliveryChannel'
    ),
    (
      'sensitive call', 'logs.amazonaws.com',
      'https://attack.mitre.org/techniques/T1562/008/',
      'DeleteLogGroup PutResourcePolicy'
    ),
    (
      'sensitive call', 's3.amazonaws.com',
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html',
      'PutBucketPolicy DeleteBucketPolicy PutBucketAcl DeleteBucketPublicAccessBlock'
    ),
    (
      'sensitive call', 's3.amazonaws.com',
      'https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html',
      'DeletePublicAccessBlock PutBucketPublicAccessBlock PutAccountPublicAccessBlock'
    ),
    (
      'sensitive call', 'kms.amazonaws.com',
      'https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html',
      'PutKeyPolicy CreateGrant ScheduleKeyDeletion DisableKey'
    ),
    (
      'sensitive call', 'lambda.amazonaws.com',
      'https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html',
      'AddPermission20150331v2 AddLayerVersionPermission20181031'
    ),
    (
      'sensitive call', 'secretsmanager.amazonaws.com',
      'https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html',
      'PutResourcePolicy DeleteResourcePolicy'
    ),
    (
      'sensitive call', 'ecr.amazonaws.com',
      'https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html',
      'SetRepositoryPolicy PutRegistryPolicy'
    )
) AS word_groups (list, service, source, words)
