//! The one table of columns: name, type, group, source and meaning of each, and the Arrow schema
//! made from it.
//!
//! A dataset grows over years, one part file at a time, and engines that know nothing of this tool
//! read it. So there is one contract: **every reader sees the same schema in every part file**. No
//! column depends on the input, on an option or on what a run happened to meet; each is nullable
//! and always there. What fills the columns, what queries them and what describes them to people
//! all start from [`COLUMNS`], and the compiler knows every column as a [`Col`].
//!
//! The types are few and dull on purpose, because every engine must read them alike: text for
//! account ids and for every enumeration (AWS extends them yearly), signed integers only,
//! milliseconds in UTC, lists of text. Whatever is nested deeper stays JSON text.
//!
//! This module refuses to know how a value gets into a column: no I/O, no JSON, no command line, no
//! Parquet, no query engine; Arrow's types and nothing else.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The version of the table below, stored in the metadata of each part file.
///
/// Goes up when a column is added, removed or changes its type; a new wording of a meaning or a
/// source is no new version.
pub const SCHEMA_VERSION: u32 = 1;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8; also every enumeration, identifier and JSON text.
    Text,
    /// True or false.
    Bool,
    /// A signed 32-bit integer.
    Int32,
    /// A signed 64-bit integer.
    Int64,
    /// An instant in UTC, to the millisecond.
    Time,
    /// A list of texts; null, the empty list and a null element are three different things.
    TextList,
}

impl Kind {
    /// The Arrow type.
    ///
    /// The field of a list is called `element` as in Parquet, so that a part file gives back this
    /// very schema without an Arrow schema embedded in it.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Time => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Self::TextList => DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))),
        }
    }

    /// The name of the type as documentation spells it, such as `list<utf8>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "utf8",
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Time => "timestamp(ms, UTC)",
            Self::TextList => "list<utf8>",
        }
    }
}

/// What a column is about; columns of one group stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Members of the record itself, as CloudTrail writes them.
    Record,
    /// Members of `userIdentity`.
    Identity,
    /// Who made the call and how it went, derived from the record.
    Who,
    /// What the call was about, derived from the record.
    Target,
    /// Settings of a project or build, read from the response or else from the request.
    Settings,
    /// What operations on webhooks, fleets, reports and the like set.
    OtherOperations,
    /// Whole members as JSON text, so that nothing of the record is lost.
    JsonText,
    /// Where the row comes from and what this tool did to it.
    Provenance,
}

impl Group {
    /// The name of the group as documentation spells it, such as `other operations`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Identity => "identity",
            Self::Who => "who",
            Self::Target => "target",
            Self::Settings => "settings",
            Self::OtherOperations => "other operations",
            Self::JsonText => "json text",
            Self::Provenance => "provenance",
        }
    }
}

/// One column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in every part file, in `snake_case`.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The group it belongs to.
    pub group: Group,
    /// Where the value stands in the record, `(derived)` where it stands nowhere as such.
    ///
    /// A path of the record; for settings and other operations `WHERE: PATH`, several split by `;`:
    /// - `project` is the request of `CreateProject` and `UpdateProject`, and the project, build or
    ///   build batch of a response; `fleet` is its like; `build request` is the request of
    ///   `StartBuild` and `StartBuildBatch`; `response.build` and its like are that object alone.
    /// - A list of operations stands for their requests and responses; in a response the path is
    ///   below the resource's member (`webhook`, `fleet`) if there is one. `request` or `response`
    ///   in front of the path: only that one has it, and the path is whole.
    /// - `logsConfig, logsConfigOverride, logs or logConfig` is one member under four names: in a
    ///   project, a build request, a build and a build batch.
    pub source: &'static str,
    /// What it tells an analyst, with its rule or trap, in one line.
    pub meaning: &'static str,
}

/// Makes [`Col`], [`COLUMNS`] and [`COUNT`] from lines of
/// `Variant "name" Kind Group "source" "meaning";`, so that they cannot disagree.
macro_rules! columns {
    ($($col:ident $name:literal $kind:ident $group:ident $source:literal $meaning:literal;)+) => {
        /// A column, by name: what code says instead of a string or a number.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(usize)]
        pub enum Col {
            $(#[doc = concat!("`", $name, "`: ", $meaning)] $col,)+
        }

        impl Col {
            /// What the table says of the column.
            #[must_use]
            pub const fn column(self) -> &'static Column {
                match self {
                    $(Self::$col => &Column {
                        name: $name,
                        kind: Kind::$kind,
                        group: Group::$group,
                        source: $source,
                        meaning: $meaning,
                    },)+
                }
            }
        }

        /// Every column, in the order of the schema: the one at [`Col::index`] is that `Col`.
        pub const COLUMNS: &[Column] = &[$(*Col::$col.column(),)+];

        impl Col {
            /// Every column, in the order of the schema.
            pub const ALL: &[Self] = &[$(Self::$col,)+];
        }

        /// The number of columns.
        pub const COUNT: usize = COLUMNS.len();
    };
}

impl Col {
    /// The position in [`COLUMNS`] and in the schema.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in every part file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.column().name
    }
}

columns! {
    EventTime "event_time" Time Record "eventTime"
        "When the request completed, in UTC, to the second as CloudTrail writes it; the sort key";
    EventId "event_id" Text Record "eventID"
        "UUID of the event, the deduplication key; null where the record has none";
    EventSource "event_source" Text Record "eventSource"
        "Service that was called: codebuild.amazonaws.com, unless the dataset keeps other services too";
    EventName "event_name" Text Record "eventName"
        "API operation or other action; an open set that AWS extends, so expect names you do not know";
    EventVersion "event_version" Text Record "eventVersion"
        "Record format as text: 1.10 is later than 1.9, so split it before comparing";
    EventType "event_type" Text Record "eventType"
        "AwsApiCall, AwsServiceEvent, AwsConsoleAction and others; an open set";
    EventCategory "event_category" Text Record "eventCategory"
        "Management, Data, NetworkActivity or Insight; null before eventVersion 1.07";
    AwsRegion "aws_region" Text Record "awsRegion"
        "Region the request was made to";
    RecipientAccountId "recipient_account_id" Text Record "recipientAccountId"
        "Account that received the event, as text with its leading zeros; the target may be in another";
    SourceIpAddress "source_ip_address" Text Record "sourceIPAddress"
        "IPv4 or IPv6 address, service name such as codepipeline.amazonaws.com, or AWS Internal";
    UserAgent "user_agent" Text Record "userAgent"
        "Client as it names itself, cut at 1 KB by AWS; a service name where a service made the call";
    ReadOnly "read_only" Bool Record "readOnly"
        "True for a call that changes nothing, as CloudTrail says; null in old records, unlike operation_access";
    ManagementEvent "management_event" Bool Record "managementEvent"
        "True for a management event, as every CodeBuild call is; null before eventVersion 1.06";
    ErrorCode "error_code" Text Record "errorCode"
        "Exception name such as AccessDenied or ResourceNotFoundException; null on success";
    ErrorMessage "error_message" Text Record "errorMessage"
        "Why the call failed; on AccessDenied the only member that still names the resource";
    RequestId "request_id" Text Record "requestID"
        "UUID the service gave the request; not unique, as retries and shared events repeat it";
    SharedEventId "shared_event_id" Text Record "sharedEventID"
        "Same in every account that got a copy, null if only one did; never a deduplication key";
    ApiVersion "api_version" Text Record "apiVersion"
        "API version of the call, such as 2016-10-06; absent from observed CodeBuild records";
    VpcEndpointId "vpc_endpoint_id" Text Record "vpcEndpointId"
        "VPC endpoint the request came through; may be AWS Internal or a service name";
    VpcEndpointAccountId "vpc_endpoint_account_id" Text Record "vpcEndpointAccountId"
        "Owner of that VPC endpoint; may be AWS Internal or a service name";
    SessionCredentialFromConsole "session_credential_from_console" Bool Record
        "sessionCredentialFromConsole"
        "True where a console session's credentials were used; CloudTrail omits it otherwise, so null";
    TlsVersion "tls_version" Text Record "tlsDetails.tlsVersion"
        "TLS version of the request; null where a service made the call or for a proxied console session";
    TlsCipherSuite "tls_cipher_suite" Text Record "tlsDetails.cipherSuite"
        "Cipher suite of the TLS connection; null where a service made the call";
    TlsClientProvidedHostHeader "tls_client_provided_host_header" Text Record
        "tlsDetails.clientProvidedHostHeader"
        "Host name the client addressed, usually the endpoint of the service";
    TlsKeyExchange "tls_key_exchange" Text Record "tlsDetails.keyExchange"
        "Key exchange such as x25519 or X25519MLKEM768; in recent records only";
    AddendumReason "addendum_reason" Text Record "addendum.reason"
        "Why the event is late or corrected: DELIVERY_DELAY, UPDATED_DATA or SERVICE_OUTAGE";
    AddendumUpdatedFields "addendum_updated_fields" Text Record "addendum.updatedFields"
        "Members that an UPDATED_DATA record corrects, several names in one text";
    AddendumOriginalRequestId "addendum_original_request_id" Text Record
        "addendum.originalRequestID"
        "request_id of the record that this UPDATED_DATA record corrects";
    AddendumOriginalEventId "addendum_original_event_id" Text Record "addendum.originalEventID"
        "event_id of the record that this one corrects; both rows are kept, never merged";
    ResourceArns "resource_arns" TextList Record "resources[].ARN"
        "ARNs that CloudTrail lists, on CodeBuild reads only, existing or not; null where resources is absent";

    UserIdentityType "user_identity_type" Text Identity "userIdentity.type"
        "Root, IAMUser, AssumedRole, AWSService and others; null on some service events";
    UserIdentityPrincipalId "user_identity_principal_id" Text Identity "userIdentity.principalId"
        "Unique id of the caller: AIDA... for a user, AROA...:SESSION for a role, the account id for root";
    UserIdentityArn "user_identity_arn" Text Identity "userIdentity.arn"
        "ARN of the caller; that of an assumed role leaves out the path of the role";
    UserIdentityAccountId "user_identity_account_id" Text Identity "userIdentity.accountId"
        "Account of the entity that granted the permissions, as text with its leading zeros";
    UserIdentityAccessKeyId "user_identity_access_key_id" Text Identity "userIdentity.accessKeyId"
        "Key that signed the call: AKIA... is long-term, ASIA... temporary; never redacted";
    UserIdentityUserName "user_identity_user_name" Text Identity "userIdentity.userName"
        "Name of an IAM user; null for roles, whose name is session_issuer_user_name";
    UserIdentityInvokedBy "user_identity_invoked_by" Text Identity "userIdentity.invokedBy"
        "Service that made the call, such as codepipeline.amazonaws.com or AWS Internal";
    UserIdentityIdentityProvider "user_identity_identity_provider" Text Identity
        "userIdentity.identityProvider"
        "External provider of a SAML or web identity caller";
    UserIdentityCredentialId "user_identity_credential_id" Text Identity "userIdentity.credentialId"
        "Id of the bearer token of an IAM Identity Center user";
    SessionIssuerType "session_issuer_type" Text Identity
        "userIdentity.sessionContext.sessionIssuer.type"
        "What issued the temporary credentials: Root, IAMUser or Role; null for long-term ones";
    SessionIssuerPrincipalId "session_issuer_principal_id" Text Identity
        "userIdentity.sessionContext.sessionIssuer.principalId"
        "Unique id of the issuer, AROA... for a role; another one once a role is deleted and made again";
    SessionIssuerArn "session_issuer_arn" Text Identity
        "userIdentity.sessionContext.sessionIssuer.arn"
        "ARN of the role or user behind the session, with the path that user_identity_arn lacks";
    SessionIssuerAccountId "session_issuer_account_id" Text Identity
        "userIdentity.sessionContext.sessionIssuer.accountId"
        "Account of the role or user behind the session, as text with its leading zeros";
    SessionIssuerUserName "session_issuer_user_name" Text Identity
        "userIdentity.sessionContext.sessionIssuer.userName"
        "Name of the role or user behind the session; a role name for an assumed role";
    SessionCreationDate "session_creation_date" Time Identity
        "userIdentity.sessionContext.attributes.creationDate"
        "When the temporary credentials were issued, RFC 3339 or ISO basic in the source";
    SessionMfaAuthenticated "session_mfa_authenticated" Bool Identity
        "userIdentity.sessionContext.attributes.mfaAuthenticated"
        "Whether the session was opened with MFA; text in the source; null without a session";
    SessionSourceIdentity "session_source_identity" Text Identity
        "userIdentity.sessionContext.sourceIdentity"
        "Identity set when the role was assumed; passed on through chained roles";
    SessionEc2RoleDelivery "session_ec2_role_delivery" Text Identity
        "userIdentity.sessionContext.ec2RoleDelivery"
        "Version of the EC2 instance metadata service that gave the credentials: 1.0 or 2.0";
    SessionAssumedRoot "session_assumed_root" Bool Identity
        "userIdentity.sessionContext.assumedRoot"
        "True in a session of AssumeRoot; CloudTrail omits it otherwise, so null";
    WebIdFederatedProvider "web_id_federated_provider" Text Identity
        "userIdentity.sessionContext.webIdFederationData.federatedProvider"
        "OIDC provider behind an assumed role; null too where the federation data is empty";
    OnBehalfOfUserId "on_behalf_of_user_id" Text Identity "userIdentity.onBehalfOf.userId"
        "IAM Identity Center user that the call was made for";
    OnBehalfOfIdentityStoreArn "on_behalf_of_identity_store_arn" Text Identity
        "userIdentity.onBehalfOf.identityStoreArn"
        "Identity store that holds the user of on_behalf_of_user_id";
    InScopeOfSourceArn "in_scope_of_source_arn" Text Identity "userIdentity.inScopeOf.sourceArn"
        "Resource that set off a call between services, such as a Lambda function";
    InScopeOfIssuerType "in_scope_of_issuer_type" Text Identity "userIdentity.inScopeOf.issuerType"
        "Type of the resource the credentials were issued to, such as AWS::Lambda::Function";

    ByRootOrUser "by_root_or_user" Bool Who "(derived)"
        "Root or IAM user credentials, long-term or of a session; null where the identity cannot tell";
    ByTemporaryCredentials "by_temporary_credentials" Bool Who "(derived)"
        "Temporary credentials of a role or federated user; false for a user's session, null if unknown";
    ByAwsService "by_aws_service" Bool Who "(derived)"
        "Made by another AWS service; can be true beside the two above; null for unknown callers";
    CredentialKind "credential_kind" Text Who "(derived)"
        "root, iam_user (each also _session), assumed_role, federated_user, aws_service and others";
    Actor "actor" Text Who "(derived)"
        "Name a person would use: user, role/session, federated or service name, account id, or root";
    RoleSessionName "role_session_name" Text Who "(derived)"
        "Session part of the assumed-role ARN; of the AROA...:NAME principal id where there is no ARN";
    ActorBuildUuid "actor_build_uuid" Text Who "(derived)"
        "Build that made the call, from the session name AWSCodeBuild-UUID; joins build_uuid";
    Succeeded "succeeded" Bool Who "(derived)"
        "True where neither errorCode nor errorMessage is present; says nothing of a build's outcome";
    OperationAccess "operation_access" Text Who "(derived)"
        "read or write, by the known operation; for an unknown one by readOnly, else null";

    TargetKind "target_kind" Text Target "(derived)"
        "project, build, build_batch, fleet, report_group, webhook and others; null for none or unknown";
    TargetIds "target_ids" TextList Target "(derived)"
        "Identifiers as the record's request has them: names, ids or ARNs; null for a null request";
    ProjectName "project_name" Text Target "(derived)"
        "Plain project name: the first of response, request, resources and error message that tells it";
    ProjectArn "project_arn" Text Target "(derived)"
        "Project ARN as the record shows it, never built from its parts; null where it shows none";
    BuildId "build_id" Text Target "(derived)"
        "PROJECT:UUID of the one build concerned; for RetryBuild the new build, null where it failed";
    BuildUuid "build_uuid" Text Target "(derived)"
        "UUID part of build_id; joins actor_build_uuid of the calls that this build made";
    BuildArn "build_arn" Text Target "(derived)"
        "ARN of the build in build_id; null where the record names several builds";
    BuildBatchId "build_batch_id" Text Target "(derived)"
        "PROJECT:UUID of a batch build, the form of a build_id; only operation or ARN tell them apart";
    BuildBatchArn "build_batch_arn" Text Target "(derived)"
        "ARN of the batch build in build_batch_id; null where the record names several";
    ReportGroupArn "report_group_arn" Text Target "(derived)"
        "Report group the call is about; null where the record names several";
    ReportArn "report_arn" Text Target "(derived)"
        "Test or coverage report the call is about; null where the record names several";
    FleetArn "fleet_arn" Text Target "(derived)"
        "Reserved capacity fleet the call is about; null where the record names several";
    SandboxId "sandbox_id" Text Target "(derived)"
        "Sandbox the call is about, also of a command run in it; null where several";
    CommandExecutionId "command_execution_id" Text Target "(derived)"
        "Command run in a sandbox that the call is about; null where several";
    SourceCredentialArn "source_credential_arn" Text Target "(derived)"
        "Stored source credential (arn:...:token/...) that was imported or deleted";
    DeniedAction "denied_action" Text Target "(derived)"
        "Action that was refused, such as codebuild:StartBuild, from the text of error_message";
    DeniedResourceArn "denied_resource_arn" Text Target "(derived)"
        "Resource the refused action was on; often the only trace, as AccessDenied drops the request";
    RequestMembers "request_members" TextList Target "(derived)"
        "Top-level members of requestParameters, in order; includes defaults that CodeBuild fills in";
    SettingsOrigin "settings_origin" Text Target "(derived)"
        "response where the answer gave any of the settings, else request; null where neither gave one";

    SourceType "source_type" Text Settings "project: source.type; build request: sourceTypeOverride"
        "Kind of source such as GITHUB, CODECOMMIT, S3, CODEPIPELINE or NO_SOURCE";
    SourceLocation "source_location" Text Settings
        "project: source.location; build request: sourceLocationOverride"
        "Repository URL, bucket path or ARN of the source; a password in the URL is redacted by default";
    SourceVersion "source_version" Text Settings "project, build request: sourceVersion"
        "Commit, branch, tag, pull request or object version asked for, before it is resolved";
    ResolvedSourceVersion "resolved_source_version" Text Settings
        "response.build, response.buildBatch: resolvedSourceVersion"
        "Commit or version that source_version came to; null until CodeBuild has resolved it";
    SourceAuthType "source_auth_type" Text Settings
        "project: source.auth.type; build request: sourceAuthOverride.type"
        "OAUTH, CODECONNECTIONS or SECRETS_MANAGER: how CodeBuild signs in to the source";
    SourceAuthResource "source_auth_resource" Text Settings
        "project: source.auth.resource; build request: sourceAuthOverride.resource"
        "Connection or secret ARN; AWS never masks it, so what is no ARN is redacted by default";
    SourceInsecureSsl "source_insecure_ssl" Bool Settings
        "project: source.insecureSsl; build request: insecureSslOverride"
        "True where TLS errors of the source's server are ignored";
    SourceReportBuildStatus "source_report_build_status" Bool Settings
        "project: source.reportBuildStatus; StartBuild request: reportBuildStatusOverride; \
         StartBuildBatch request: reportBuildBatchStatusOverride"
        "Whether the build's status is reported back to the source provider";
    SourceBuildspec "source_buildspec" Text Settings
        "project: source.buildspec; build request: buildspecOverride"
        "Inline buildspec or path to it; null where AWS masked it, real text in old records";
    SecondarySourceLocations "secondary_source_locations" TextList Settings
        "project: secondarySources[].location; build request: secondarySourcesOverride[].location"
        "Locations of the secondary sources, in order; an empty list is not the same as null";
    ArtifactsType "artifacts_type" Text Settings
        "project: artifacts.type; build request: artifactsOverride.type"
        "S3, CODEPIPELINE or NO_ARTIFACTS; put in upper case, as build responses use lower case";
    ArtifactsLocation "artifacts_location" Text Settings
        "project: artifacts.location; build request: artifactsOverride.location"
        "Bucket of the output, an ARN in build responses; empty text occurs";
    ArtifactsName "artifacts_name" Text Settings
        "project: artifacts.name; build request: artifactsOverride.name"
        "Name of the output file or folder; in old records taken from artifacts.outputName";
    ArtifactsPath "artifacts_path" Text Settings
        "project: artifacts.path; build request: artifactsOverride.path"
        "Path prefix of the output in its bucket, before namespace type and name";
    ArtifactsPackaging "artifacts_packaging" Text Settings
        "project: artifacts.packaging; build request: artifactsOverride.packaging"
        "NONE or ZIP: whether the output is one archive; build responses use lower case";
    ArtifactsNamespaceType "artifacts_namespace_type" Text Settings
        "project: artifacts.namespaceType; build request: artifactsOverride.namespaceType"
        "NONE or BUILD_ID: whether the output path holds the build id; buildId is put as BUILD_ID";
    ArtifactsEncryptionDisabled "artifacts_encryption_disabled" Bool Settings
        "project: artifacts.encryptionDisabled; build request: artifactsOverride.encryptionDisabled"
        "True where the output is stored without encryption";
    EnvironmentType "environment_type" Text Settings
        "project: environment.type; build request: environmentTypeOverride; fleet: environmentType"
        "Platform such as LINUX_CONTAINER or ARM_LAMBDA_CONTAINER, of a build or a fleet; an open set";
    EnvironmentImage "environment_image" Text Settings
        "project: environment.image; build request: imageOverride"
        "Container image that builds run in, as a tag or digest reference";
    EnvironmentComputeType "environment_compute_type" Text Settings
        "project: environment.computeType; build request: computeTypeOverride; fleet: computeType"
        "Machine size such as BUILD_GENERAL1_SMALL, of a build or a fleet; an open set";
    EnvironmentPrivilegedMode "environment_privileged_mode" Bool Settings
        "project: environment.privilegedMode; build request: privilegedModeOverride"
        "Whether builds may run a Docker daemon; false is filled in where the caller sent nothing";
    EnvironmentImagePullCredentialsType "environment_image_pull_credentials_type" Text Settings
        "project: environment.imagePullCredentialsType; build request: imagePullCredentialsTypeOverride"
        "CODEBUILD or SERVICE_ROLE: who pulls the image; CODEBUILD is filled in by default";
    EnvironmentCertificate "environment_certificate" Text Settings
        "project: environment.certificate; build request: certificateOverride"
        "S3 location of the PEM certificate that builds trust";
    EnvironmentRegistryCredential "environment_registry_credential" Text Settings
        "project: environment.registryCredential.credential; build request: registryCredentialOverride.credential"
        "Name or ARN of the secret for a private registry; never the secret itself";
    EnvironmentFleetArn "environment_fleet_arn" Text Settings
        "project: environment.fleet.fleetArn; StartBuild request: fleetOverride.fleetArn"
        "Reserved capacity fleet that builds run on; StartBuild can override it, StartBuildBatch cannot";
    EnvironmentVariableNames "environment_variable_names" TextList Settings
        "project: environment.environmentVariables[].name; build request: environmentVariablesOverride[].name"
        "Names of the environment variables, in order, never values; null where AWS masked them";
    EnvironmentVariableTypes "environment_variable_types" TextList Settings
        "project: environment.environmentVariables[].type; build request: environmentVariablesOverride[].type"
        "PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER per variable; null where AWS masked them";
    ServiceRole "service_role" Text Settings
        "project: serviceRole; build request: serviceRoleOverride"
        "Role that builds act as, an ARN as observed; the API also takes a bare role name";
    TimeoutInMinutes "timeout_in_minutes" Int32 Settings
        "project: timeoutInMinutes; StartBuild request: timeoutInMinutesOverride; \
         StartBuildBatch request: buildTimeoutInMinutesOverride; \
         response.buildBatch: buildTimeoutInMinutes"
        "Minutes after which a running build is stopped; for a batch the limit of each build";
    QueuedTimeoutInMinutes "queued_timeout_in_minutes" Int32 Settings
        "project: queuedTimeoutInMinutes; build request: queuedTimeoutInMinutesOverride"
        "Minutes after which a build that is still queued is given up";
    EncryptionKey "encryption_key" Text Settings
        "project: encryptionKey; build request: encryptionKeyOverride"
        "KMS key of the output, ARN or alias; null where AWS masked it, real in old records";
    CacheType "cache_type" Text Settings "project: cache.type; build request: cacheOverride.type"
        "NO_CACHE, S3 or LOCAL: where builds keep their cache";
    CacheLocation "cache_location" Text Settings
        "project: cache.location; build request: cacheOverride.location"
        "Bucket and prefix of an S3 cache; without meaning for the other cache types";
    CacheModes "cache_modes" TextList Settings
        "project: cache.modes; build request: cacheOverride.modes"
        "Modes of a LOCAL cache, such as LOCAL_SOURCE_CACHE; null for the other cache types";
    VpcId "vpc_id" Text Settings "project: vpcConfig.vpcId"
        "VPC that builds run in; set by the project alone, as no start request can override it";
    VpcSubnetIds "vpc_subnet_ids" TextList Settings "project: vpcConfig.subnets"
        "Subnets that builds run in; an empty list is not the same as null";
    VpcSecurityGroupIds "vpc_security_group_ids" TextList Settings
        "project: vpcConfig.securityGroupIds"
        "Security groups of the builds' network interfaces; an empty list is not the same as null";
    LogsCloudwatchStatus "logs_cloudwatch_status" Text Settings
        "logsConfig, logsConfigOverride, logs or logConfig: cloudWatchLogs.status"
        "ENABLED or DISABLED: whether builds log to CloudWatch Logs";
    LogsCloudwatchGroup "logs_cloudwatch_group" Text Settings
        "logsConfig, logsConfigOverride, logs or logConfig: cloudWatchLogs.groupName"
        "Log group as configured, if any; build_log_group is the one that a build writes to";
    LogsS3Status "logs_s3_status" Text Settings
        "logsConfig, logsConfigOverride, logs or logConfig: s3Logs.status"
        "ENABLED or DISABLED: whether builds log to S3";
    LogsS3Location "logs_s3_location" Text Settings
        "logsConfig, logsConfigOverride, logs or logConfig: s3Logs.location"
        "Bucket and prefix of the S3 logs, as configured";
    BuildLogGroup "build_log_group" Text Settings "response.build: logs.groupName"
        "Log group that the build really writes to; not known yet when StartBuild answers";
    BuildLogStream "build_log_stream" Text Settings "response.build: logs.streamName"
        "Log stream of the build in build_log_group; not known yet when StartBuild answers";
    Description "description" Text Settings "project: description"
        "Free text of the project; AWS does not mask it, whatever people put there";
    BadgeEnabled "badge_enabled" Bool Settings
        "project request: badgeEnabled; response.project: badge.badgeEnabled"
        "Whether the project has a public build badge";
    ConcurrentBuildLimit "concurrent_build_limit" Int32 Settings "project: concurrentBuildLimit"
        "Most builds of the project at one time; the account's own limit holds besides";
    AutoRetryLimit "auto_retry_limit" Int32 Settings
        "project: autoRetryLimit; StartBuild request: autoRetryLimitOverride; \
         response.build: autoRetryConfig.autoRetryLimit"
        "Most automatic retries after a failed build; a retry is not known to leave a StartBuild of its own";
    ProjectVisibility "project_visibility" Text Settings
        "response.project, UpdateProjectVisibility: projectVisibility"
        "PUBLIC_READ or PRIVATE; seen on UpdateProjectVisibility alone, as other responses drop it";
    FileSystemLocations "file_system_locations" TextList Settings
        "project: fileSystemLocations[].location"
        "EFS locations that builds mount, as DNS-NAME:/PATH";
    ProjectCreated "project_created" Time Settings "response.project: created"
        "When the project was created; null in old records, whose time has no zone";
    ProjectLastModified "project_last_modified" Time Settings "response.project: lastModified"
        "When the project's settings last changed; null in old records, whose time has no zone";
    BuildNumber "build_number" Int64 Settings
        "response.build: buildNumber; response.buildBatch: buildBatchNumber"
        "Running number of the build or batch in its project, from 1; never used again";
    BuildStatus "build_status" Text Settings
        "response.build: buildStatus; response.buildBatch: buildBatchStatus"
        "State when the call returned, not the outcome: IN_PROGRESS for every build just started";
    BuildCurrentPhase "build_current_phase" Text Settings
        "response.build, response.buildBatch: currentPhase"
        "Phase when the call returned: QUEUED, as observed, for a build just started";
    BuildComplete "build_complete" Bool Settings
        "response.build: buildComplete; response.buildBatch: complete"
        "Whether the build was over when the call returned; false for every build just started";
    BuildStartTime "build_start_time" Time Settings "response.build, response.buildBatch: startTime"
        "When the build or batch started; null in old records, whose time has no zone";
    BuildEndTime "build_end_time" Time Settings "response.build, response.buildBatch: endTime"
        "When it ended; only calls on a finished build, such as StopBuild or a retry, can show it";
    BuildInitiator "build_initiator" Text Settings "response.build, response.buildBatch: initiator"
        "Who started it: user, role/session, codepipeline/NAME, rule/NAME, GitHub-Hookshot/HASH and others";
    ParentBuildBatchArn "parent_build_batch_arn" Text Settings "response.build: buildBatchArn"
        "Batch build that this build is part of; null for a build on its own";
    DebugSessionEnabled "debug_session_enabled" Bool Settings
        "build request: debugSessionEnabled; response.build: debugSession.sessionEnabled; \
         response.buildBatch: debugSessionEnabled"
        "Whether one may open a shell in the running build through Session Manager";
    MaskedSettings "masked_settings" TextList Settings "(derived)"
        "Settings whose value AWS masked, by path, such as source.buildspec; empty list where none";
    Tags "tags" Text Settings "tags"
        "JSON text of the list of keys and values; null where AWS masked it, as in current records";

    WebhookUrl "webhook_url" Text OtherOperations
        "CreateWebhook,UpdateWebhook: response webhook.url"
        "API URL of the webhook at the source provider";
    WebhookPayloadUrl "webhook_payload_url" Text OtherOperations
        "CreateWebhook,UpdateWebhook: response webhook.payloadUrl"
        "CodeBuild endpoint that the provider calls; its query is like a token, so treat it as sensitive";
    WebhookFilterGroups "webhook_filter_groups" Text OtherOperations
        "CreateWebhook,UpdateWebhook: filterGroups"
        "JSON text of the list of lists of filters that decide which events start a build";
    WebhookBuildType "webhook_build_type" Text OtherOperations
        "CreateWebhook,UpdateWebhook: buildType"
        "BUILD, BUILD_BATCH or RUNNER_BUILDKITE_BUILD: what an event starts";
    WebhookScope "webhook_scope" Text OtherOperations "CreateWebhook: scopeConfiguration.scope"
        "GITHUB_ORGANIZATION, GITHUB_GLOBAL or GITLAB_GROUP; null for one repository's webhook";
    WebhookScopeName "webhook_scope_name" Text OtherOperations
        "CreateWebhook: scopeConfiguration.name"
        "Organization, enterprise or group that a scoped webhook covers";
    WebhookPrCommentApproval "webhook_pr_comment_approval" Text OtherOperations
        "CreateWebhook,UpdateWebhook: pullRequestBuildPolicy.requiresCommentApproval"
        "DISABLED, ALL_PULL_REQUESTS or FORK_PULL_REQUESTS: pull requests that wait for a comment";
    WebhookRotateSecret "webhook_rotate_secret" Bool OtherOperations
        "UpdateWebhook: request rotateSecret"
        "Whether UpdateWebhook asked for a new webhook secret";
    WebhookDeletedStatus "webhook_deleted_status" Text OtherOperations
        "UpdateProject,DeleteProject: response webhookDeletedStatus"
        "What became of the project's webhook, such as no_webhook; not in AWS's API model";
    FleetBaseCapacity "fleet_base_capacity" Int32 OtherOperations
        "CreateFleet,UpdateFleet: baseCapacity"
        "Machines the fleet starts with, so the number of builds that run in parallel";
    FleetMaxCapacity "fleet_max_capacity" Int32 OtherOperations
        "CreateFleet,UpdateFleet: scalingConfiguration.maxCapacity"
        "Most machines that the fleet may scale out to; absent from fleets that do not scale";
    FleetOverflowBehavior "fleet_overflow_behavior" Text OtherOperations
        "CreateFleet,UpdateFleet: overflowBehavior"
        "QUEUE or ON_DEMAND: what happens to builds beyond the capacity";
    FleetServiceRole "fleet_service_role" Text OtherOperations
        "CreateFleet,UpdateFleet: fleetServiceRole"
        "Role the fleet acts as; not service_role, the one that builds act as";
    FleetImageId "fleet_image_id" Text OtherOperations "CreateFleet,UpdateFleet: imageId"
        "Machine image (AMI) set for the fleet; a fleet without one uses that of AWS";
    FleetProxyDefaultBehavior "fleet_proxy_default_behavior" Text OtherOperations
        "CreateFleet,UpdateFleet: proxyConfiguration.defaultBehavior"
        "ALLOW_ALL or DENY_ALL: outgoing traffic that no proxy rule matches";
    ReportGroupType "report_group_type" Text OtherOperations "CreateReportGroup: type"
        "TEST or CODE_COVERAGE; given at creation, never changed";
    ReportExportConfigType "report_export_config_type" Text OtherOperations
        "CreateReportGroup,UpdateReportGroup: exportConfig.exportConfigType"
        "S3 or NO_EXPORT: whether the raw report data are exported";
    ReportExportBucket "report_export_bucket" Text OtherOperations
        "CreateReportGroup,UpdateReportGroup: exportConfig.s3Destination.bucket"
        "S3 bucket that raw report data are exported to";
    ReportExportEncryptionDisabled "report_export_encryption_disabled" Bool OtherOperations
        "CreateReportGroup,UpdateReportGroup: exportConfig.s3Destination.encryptionDisabled"
        "True where exported report data are stored without encryption";
    SourceCredentialServerType "source_credential_server_type" Text OtherOperations
        "ImportSourceCredentials: request serverType"
        "Provider of the imported credential, such as GITHUB or BITBUCKET";
    SourceCredentialAuthType "source_credential_auth_type" Text OtherOperations
        "ImportSourceCredentials: request authType"
        "PERSONAL_ACCESS_TOKEN, BASIC_AUTH, CODECONNECTIONS and others; the token has no column";
    SourceCredentialUsername "source_credential_username" Text OtherOperations
        "ImportSourceCredentials: request username"
        "User of the imported credential, for BASIC_AUTH at Bitbucket only";
    SourceCredentialShouldOverwrite "source_credential_should_overwrite" Bool OtherOperations
        "ImportSourceCredentials: request shouldOverwrite"
        "Whether an import may replace a credential that exists; taken as true where not sent";
    ResourcePolicy "resource_policy" Text OtherOperations "PutResourcePolicy: request policy"
        "JSON text of the sharing policy: the inner text of the JSON string that was sent";
    PublicProjectAlias "public_project_alias" Text OtherOperations
        "UpdateProjectVisibility: response publicProjectAlias"
        "Identifier of the project in the public build pages, once it is PUBLIC_READ";
    ResourceAccessRole "resource_access_role" Text OtherOperations
        "UpdateProjectVisibility: request resourceAccessRole"
        "Role that serves logs and artifacts of a public project to its visitors";
    SandboxStatus "sandbox_status" Text OtherOperations
        "StartSandbox,StopSandbox: response sandbox.status"
        "State of the sandbox when the call returned, not how it ended";
    CommandType "command_type" Text OtherOperations "StartCommandExecution: type"
        "Kind of command run in a sandbox: SHELL is the only one so far";
    CommandText "command_text" Text OtherOperations "StartCommandExecution: command"
        "Command run in a sandbox; AWS may mask it, as its model calls it sensitive";
    BuildsDeleted "builds_deleted" TextList OtherOperations
        "BatchDeleteBuilds,DeleteBuildBatch: response buildsDeleted"
        "ARNs of the builds that were deleted, which may be fewer than target_ids";

    UserIdentity "user_identity" Text JsonText "userIdentity"
        "JSON text of the whole member: the source's bytes but for redaction";
    RequestParameters "request_parameters" Text JsonText "requestParameters"
        "JSON text, normalised by CodeBuild and not as sent; null for JSON null and where absent";
    ResponseElements "response_elements" Text JsonText "responseElements"
        "JSON text; null for read-only and failed calls, and where absent";
    AdditionalEventData "additional_event_data" Text JsonText "additionalEventData"
        "JSON text, in no fixed form; not seen on CodeBuild records";
    ServiceEventDetails "service_event_details" Text JsonText "serviceEventDetails"
        "JSON text of an AwsServiceEvent's payload; null for API calls";
    Resources "resources" Text JsonText "resources"
        "JSON text of the list, with account and type beside the ARNs of resource_arns";
    Extra "extra" Text JsonText "(every other top-level member)"
        "JSON object of members that have no column or an unexpected type or form; null where none";

    Redacted "redacted" TextList Provenance "(derived)"
        "JSON paths that this tool masked itself; an empty list where none, and not what AWS masked";
    SourceFile "source_file" Text Provenance "(derived)"
        "URI of the log file read; of an event's copies in one run the least by name";
    SourceRecord "source_record" Int64 Provenance "(derived)"
        "Position of the record in source_file, from 0, over all records, kept or not";
    LogFileTime "log_file_time" Time Provenance "(derived)"
        "Delivery time from the log file's name, to the minute, after event_time; null where it has none";
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |column: &Column| Field::new(column.name, column.kind.data_type(), true);
    Arc::new(Schema::new(COLUMNS.iter().map(field).collect::<Vec<_>>()))
});

/// The Arrow schema of every part file: [`COLUMNS`] in order, all nullable.
#[must_use]
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// The position of the column called `name`, spelled exactly so.
#[must_use]
pub fn position(name: &str) -> Option<usize> {
    COLUMNS.iter().position(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn is_snake_case(name: &str) -> bool {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !name.ends_with('_')
            && !name.contains("__")
    }

    #[test]
    fn names_are_unique_and_snake_case() {
        let mut seen = HashSet::new();
        for column in COLUMNS {
            assert!(seen.insert(column.name), "twice: {}", column.name);
            assert!(is_snake_case(column.name), "not snake case: {}", column.name);
        }
    }

    #[test]
    fn the_number_of_columns_belongs_to_the_schema_version() {
        assert_eq!((SCHEMA_VERSION, COUNT), (1, 185));
    }

    #[test]
    fn a_col_is_at_its_index() {
        for (col, name) in [
            (Col::EventTime, "event_time"),
            (Col::ResourceArns, "resource_arns"),
            (Col::SessionEc2RoleDelivery, "session_ec2_role_delivery"),
            (Col::ActorBuildUuid, "actor_build_uuid"),
            (Col::BuildUuid, "build_uuid"),
            (Col::MaskedSettings, "masked_settings"),
            (Col::BuildsDeleted, "builds_deleted"),
            (Col::Extra, "extra"),
            (Col::LogFileTime, "log_file_time"),
        ] {
            assert_eq!(col.name(), name);
            assert_eq!(COLUMNS.get(col.index()), Some(col.column()), "{name}");
            assert_eq!(position(name), Some(col.index()), "{name}");
        }
        assert_eq!(Col::EventTime.index(), 0);
        assert_eq!(Col::LogFileTime.index(), COUNT - 1);
        assert_eq!(position("Event_Time"), None);
    }

    #[test]
    fn every_column_says_where_it_comes_from_and_what_it_means() {
        let mut meanings = HashSet::new();
        for Column { name, source, meaning, .. } in COLUMNS {
            assert!(!source.is_empty(), "no source: {name}");
            assert!(!meaning.is_empty() && meaning != name, "no meaning: {name}");
            assert!(meaning.len() <= 110, "more than a line: {name}");
            assert!(!meaning.contains(['\n', '\t', '|', '<', '`']), "not plain text: {name}");
            assert!(!meaning.ends_with('.'), "not a fragment: {name}");
            assert!(meanings.insert(meaning), "another column's meaning: {name}");
        }
    }

    #[test]
    fn groups_stand_together() {
        let mut groups: Vec<&str> = COLUMNS.iter().map(|column| column.group.name()).collect();
        groups.dedup();
        let spelled = [
            "record",
            "identity",
            "who",
            "target",
            "settings",
            "other operations",
            "json text",
            "provenance",
        ];
        assert_eq!(groups, spelled);
    }

    #[test]
    fn the_schema_is_the_table_and_all_nullable() {
        let schema = schema();
        assert_eq!(schema.fields().len(), COUNT);
        for (field, column) in schema.fields().iter().zip(COLUMNS) {
            assert_eq!(field.name(), column.name);
            assert_eq!(*field.data_type(), column.kind.data_type(), "{}", column.name);
            assert!(field.is_nullable(), "{}", column.name);
        }
        assert!(Arc::ptr_eq(&schema, &super::schema()));
    }
}
