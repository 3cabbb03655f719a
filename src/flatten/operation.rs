//! What each CodeBuild API call names and sets: the tables that drive the flattening.
//!
//! A new operation, or a new member of a request, is a line here. No other module knows the name of
//! an operation. Sources: the API model of CodeBuild (2016-10-06), the permission-only actions of
//! the IAM reference, and what real records show instead of the model. An operation that is not
//! listed is no error: its row has what every record has.

use crate::json::Names;
use crate::schema::Col;
use std::sync::LazyLock;

/// Whether a call reads or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationAccess {
    Read,
    Write,
}

/// A kind of resource that an identifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Project,
    Build,
    BuildBatch,
    Fleet,
    ReportGroup,
    Report,
    Sandbox,
    CommandExecution,
    SourceCredential,
    /// Only an ARN says what it is.
    Any,
}

/// The form of a request that carries settings: which column of [`SETTINGS`] has its paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestForm {
    Project,
    StartBuild,
    StartBuildBatch,
    Fleet,
    Visibility,
    None,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) access: OperationAccess,
    /// `target_kind`; empty where the call names no resource.
    pub(crate) kind: &'static str,
    /// The request members that name resources; the first is the target. A member may be a list.
    pub(crate) names: &'static [(&'static str, Resource)],
    pub(crate) form: RequestForm,
    /// The answer names a new resource, so that the request names another one (the retries).
    pub(crate) answers_new: bool,
}

const fn op(
    name: &'static str,
    access: OperationAccess,
    kind: &'static str,
    names: &'static [(&'static str, Resource)],
    form: RequestForm,
) -> Operation {
    Operation { name, access, kind, names, form, answers_new: false }
}

const fn retry(
    name: &'static str,
    kind: &'static str,
    names: &'static [(&'static str, Resource)],
) -> Operation {
    Operation { name, access: Write, kind, names, form: RequestForm::None, answers_new: true }
}

use OperationAccess::{Read, Write};
use Resource::{
    Any, Build, BuildBatch, CommandExecution, Fleet, Project, Report, ReportGroup, Sandbox,
    SourceCredential,
};

/// Every operation, by name.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    op("BatchDeleteBuilds", Write, "build", &[("ids", Build)], RequestForm::None),
    op("BatchGetBuildBatches", Read, "build_batch", &[("ids", BuildBatch)], RequestForm::None),
    op("BatchGetBuilds", Read, "build", &[("ids", Build)], RequestForm::None),
    op("BatchGetCommandExecutions", Read, "command_execution", &[("commandExecutionIds", CommandExecution), ("sandboxId", Sandbox)], RequestForm::None),
    op("BatchGetFleets", Read, "fleet", &[("names", Fleet)], RequestForm::None),
    op("BatchGetProjects", Read, "project", &[("names", Project)], RequestForm::None),
    op("BatchGetReportGroups", Read, "report_group", &[("reportGroupArns", ReportGroup)], RequestForm::None),
    op("BatchGetReports", Read, "report", &[("reportArns", Report)], RequestForm::None),
    op("BatchGetSandboxes", Read, "sandbox", &[("ids", Sandbox)], RequestForm::None),
    op("CreateFleet", Write, "fleet", &[("name", Fleet)], RequestForm::Fleet),
    op("CreateProject", Write, "project", &[("name", Project)], RequestForm::Project),
    op("CreateReportGroup", Write, "report_group", &[("name", ReportGroup)], RequestForm::None),
    op("CreateWebhook", Write, "webhook", &[("projectName", Project)], RequestForm::None),
    op("DeleteBuildBatch", Write, "build_batch", &[("id", BuildBatch)], RequestForm::None),
    op("DeleteFleet", Write, "fleet", &[("arn", Fleet)], RequestForm::None),
    op("DeleteProject", Write, "project", &[("name", Project)], RequestForm::None),
    op("DeleteReport", Write, "report", &[("arn", Report)], RequestForm::None),
    op("DeleteReportGroup", Write, "report_group", &[("arn", ReportGroup)], RequestForm::None),
    op("DeleteResourcePolicy", Write, "resource_policy", &[("resourceArn", Any)], RequestForm::None),
    op("DeleteSourceCredentials", Write, "source_credential", &[("arn", SourceCredential)], RequestForm::None),
    op("DeleteWebhook", Write, "webhook", &[("projectName", Project)], RequestForm::None),
    op("DescribeCodeCoverages", Read, "report", &[("reportArn", Report)], RequestForm::None),
    op("DescribeTestCases", Read, "report", &[("reportArn", Report)], RequestForm::None),
    op("GetReportGroupTrend", Read, "report_group", &[("reportGroupArn", ReportGroup)], RequestForm::None),
    op("GetResourcePolicy", Read, "resource_policy", &[("resourceArn", Any)], RequestForm::None),
    op("ImportSourceCredentials", Write, "source_credential", &[], RequestForm::None),
    op("InvalidateProjectCache", Write, "project", &[("projectName", Project)], RequestForm::None),
    op("ListBuildBatches", Read, "", &[], RequestForm::None),
    op("ListBuildBatchesForProject", Read, "project", &[("projectName", Project)], RequestForm::None),
    op("ListBuilds", Read, "", &[], RequestForm::None),
    op("ListBuildsForProject", Read, "project", &[("projectName", Project)], RequestForm::None),
    op("ListCommandExecutionsForSandbox", Read, "sandbox", &[("sandboxId", Sandbox)], RequestForm::None),
    op("ListCuratedEnvironmentImages", Read, "", &[], RequestForm::None),
    op("ListFleets", Read, "", &[], RequestForm::None),
    op("ListProjects", Read, "", &[], RequestForm::None),
    op("ListReportGroups", Read, "", &[], RequestForm::None),
    op("ListReports", Read, "", &[], RequestForm::None),
    op("ListReportsForReportGroup", Read, "report_group", &[("reportGroupArn", ReportGroup)], RequestForm::None),
    op("ListSandboxes", Read, "", &[], RequestForm::None),
    op("ListSandboxesForProject", Read, "project", &[("projectName", Project)], RequestForm::None),
    op("ListSharedProjects", Read, "", &[], RequestForm::None),
    op("ListSharedReportGroups", Read, "", &[], RequestForm::None),
    op("ListSourceCredentials", Read, "", &[], RequestForm::None),
    op("PutResourcePolicy", Write, "resource_policy", &[("resourceArn", Any)], RequestForm::None),
    retry("RetryBuild", "build", &[("id", Build)]),
    retry("RetryBuildBatch", "build_batch", &[("id", BuildBatch)]),
    op("StartBuild", Write, "project", &[("projectName", Project)], RequestForm::StartBuild),
    op("StartBuildBatch", Write, "project", &[("projectName", Project)], RequestForm::StartBuildBatch),
    op("StartCommandExecution", Write, "sandbox", &[("sandboxId", Sandbox)], RequestForm::None),
    op("StartSandbox", Write, "project", &[("projectName", Project)], RequestForm::None),
    op("StartSandboxConnection", Write, "sandbox", &[("sandboxId", Sandbox)], RequestForm::None),
    op("StopBuild", Write, "build", &[("id", Build)], RequestForm::None),
    op("StopBuildBatch", Write, "build_batch", &[("id", BuildBatch)], RequestForm::None),
    op("StopSandbox", Write, "sandbox", &[("id", Sandbox)], RequestForm::None),
    op("UpdateFleet", Write, "fleet", &[("arn", Fleet)], RequestForm::Fleet),
    op("UpdateProject", Write, "project", &[("name", Project)], RequestForm::Project),
    op("UpdateProjectVisibility", Write, "project", &[("projectArn", Project)], RequestForm::Visibility),
    op("UpdateReportGroup", Write, "report_group", &[("arn", ReportGroup)], RequestForm::None),
    op("UpdateWebhook", Write, "webhook", &[("projectName", Project)], RequestForm::None),
    // Actions of the IAM reference without a public API shape: what they name is not known.
    op("BatchPutCodeCoverages", Write, "", &[], RequestForm::None),
    op("BatchPutTestCases", Write, "", &[], RequestForm::None),
    op("CreateReport", Write, "", &[], RequestForm::None),
    op("DeleteOAuthToken", Write, "", &[], RequestForm::None),
    op("ListConnectedOAuthAccounts", Read, "", &[], RequestForm::None),
    op("ListRepositories", Read, "", &[], RequestForm::None),
    op("PersistOAuthToken", Write, "", &[], RequestForm::None),
    op("UpdateReport", Write, "", &[], RequestForm::None),
];

/// The members of an answer that name resources.
pub(crate) const ANSWER_NAMES: &[(&str, Resource)] = &[
    ("project.name", Project),
    ("project.arn", Project),
    ("build.id", Build),
    ("build.arn", Build),
    ("build.projectName", Project),
    ("buildBatch.id", BuildBatch),
    ("buildBatch.arn", BuildBatch),
    ("buildBatch.projectName", Project),
    ("reportGroup.arn", ReportGroup),
    ("fleet.arn", Fleet),
    ("sandbox.id", Sandbox),
    ("sandbox.arn", Sandbox),
    ("sandbox.projectName", Project),
    ("commandExecution.id", CommandExecution),
    ("commandExecution.sandboxId", Sandbox),
    ("commandExecution.sandboxArn", Sandbox),
    ("projectArn", Any),
    ("resourceArn", Any),
    ("arn", Any),
    ("buildsDeleted", Build),
    ("buildsNotDeleted[].id", Build),
];

/// The members of an answer that hold settings, and the column of [`SETTINGS`] with their paths.
/// The empty member is the answer itself.
pub(crate) const ANSWERS: [(&str, usize); 5] =
    [("project", 3), ("build", 4), ("buildBatch", 5), ("fleet", 6), ("", 7)];

/// The column of [`SETTINGS`] with a request form's paths.
pub(crate) fn request_paths(form: RequestForm) -> Option<usize> {
    match form {
        RequestForm::Project => Some(0),
        RequestForm::StartBuild => Some(1),
        RequestForm::StartBuildBatch => Some(2),
        RequestForm::Fleet => Some(6),
        RequestForm::Visibility => Some(7),
        RequestForm::None => None,
    }
}

/// One setting: its column (none where only its mask matters) and where each form has it.
pub(crate) type Setting = (Option<Col>, [&'static str; 8]);

const fn set(col: Col, paths: [&'static str; 6]) -> Setting {
    let [project_request, build_request, batch_request, project, build, batch] = paths;
    (Some(col), [project_request, build_request, batch_request, project, build, batch, "", ""])
}

/// A setting that fleets have too, at `fleet` in request and answer alike.
const fn shared(col: Col, paths: [&'static str; 6], fleet: &'static str) -> Setting {
    let [project_request, build_request, batch_request, project, build, batch] = paths;
    (Some(col), [project_request, build_request, batch_request, project, build, batch, fleet, ""])
}

/// The settings and their paths: in the requests `CreateProject`/`UpdateProject`, `StartBuild`,
/// `StartBuildBatch`; in the answers' `project`, `build`, `buildBatch`; in a fleet; in
/// `UpdateProjectVisibility`. The path in the project names the setting in `masked_settings`.
#[rustfmt::skip]
pub(crate) const SETTINGS: &[Setting] = &[
    set(Col::SourceType, ["source.type", "sourceTypeOverride", "sourceTypeOverride", "source.type", "source.type", "source.type"]),
    set(Col::SourceLocation, ["source.location", "sourceLocationOverride", "sourceLocationOverride", "source.location", "source.location", "source.location"]),
    set(Col::SourceVersion, ["sourceVersion", "sourceVersion", "sourceVersion", "sourceVersion", "sourceVersion", "sourceVersion"]),
    set(Col::ResolvedSourceVersion, ["", "", "", "", "resolvedSourceVersion", "resolvedSourceVersion"]),
    set(Col::SourceAuthType, ["source.auth.type", "sourceAuthOverride.type", "sourceAuthOverride.type", "source.auth.type", "source.auth.type", "source.auth.type"]),
    set(Col::SourceAuthResource, ["source.auth.resource", "sourceAuthOverride.resource", "sourceAuthOverride.resource", "source.auth.resource", "source.auth.resource", "source.auth.resource"]),
    set(Col::SourceInsecureSsl, ["source.insecureSsl", "insecureSslOverride", "insecureSslOverride", "source.insecureSsl", "source.insecureSsl", "source.insecureSsl"]),
    set(Col::SourceReportBuildStatus, ["source.reportBuildStatus", "reportBuildStatusOverride", "reportBuildBatchStatusOverride", "source.reportBuildStatus", "source.reportBuildStatus", "source.reportBuildStatus"]),
    set(Col::SourceBuildspec, ["source.buildspec", "buildspecOverride", "buildspecOverride", "source.buildspec", "source.buildspec", "source.buildspec"]),
    set(Col::SecondarySourceLocations, ["secondarySources[].location", "secondarySourcesOverride[].location", "secondarySourcesOverride[].location", "secondarySources[].location", "secondarySources[].location", "secondarySources[].location"]),
    (None, ["secondarySources[].buildspec", "secondarySourcesOverride[].buildspec", "secondarySourcesOverride[].buildspec", "secondarySources[].buildspec", "secondarySources[].buildspec", "secondarySources[].buildspec", "", ""]),
    set(Col::ArtifactsType, ["artifacts.type", "artifactsOverride.type", "artifactsOverride.type", "artifacts.type", "artifacts.type", "artifacts.type"]),
    set(Col::ArtifactsLocation, ["artifacts.location", "artifactsOverride.location", "artifactsOverride.location", "artifacts.location", "artifacts.location", "artifacts.location"]),
    // The first era's name of it; a `name` beside it comes later and wins.
    set(Col::ArtifactsName, ["artifacts.outputName", "artifactsOverride.outputName", "artifactsOverride.outputName", "artifacts.outputName", "artifacts.outputName", "artifacts.outputName"]),
    set(Col::ArtifactsName, ["artifacts.name", "artifactsOverride.name", "artifactsOverride.name", "artifacts.name", "artifacts.name", "artifacts.name"]),
    set(Col::ArtifactsPath, ["artifacts.path", "artifactsOverride.path", "artifactsOverride.path", "artifacts.path", "artifacts.path", "artifacts.path"]),
    set(Col::ArtifactsPackaging, ["artifacts.packaging", "artifactsOverride.packaging", "artifactsOverride.packaging", "artifacts.packaging", "artifacts.packaging", "artifacts.packaging"]),
    set(Col::ArtifactsNamespaceType, ["artifacts.namespaceType", "artifactsOverride.namespaceType", "artifactsOverride.namespaceType", "artifacts.namespaceType", "artifacts.namespaceType", "artifacts.namespaceType"]),
    set(Col::ArtifactsEncryptionDisabled, ["artifacts.encryptionDisabled", "artifactsOverride.encryptionDisabled", "artifactsOverride.encryptionDisabled", "artifacts.encryptionDisabled", "artifacts.encryptionDisabled", "artifacts.encryptionDisabled"]),
    shared(Col::EnvironmentType, ["environment.type", "environmentTypeOverride", "environmentTypeOverride", "environment.type", "environment.type", "environment.type"], "environmentType"),
    set(Col::EnvironmentImage, ["environment.image", "imageOverride", "imageOverride", "environment.image", "environment.image", "environment.image"]),
    shared(Col::EnvironmentComputeType, ["environment.computeType", "computeTypeOverride", "computeTypeOverride", "environment.computeType", "environment.computeType", "environment.computeType"], "computeType"),
    set(Col::EnvironmentPrivilegedMode, ["environment.privilegedMode", "privilegedModeOverride", "privilegedModeOverride", "environment.privilegedMode", "environment.privilegedMode", "environment.privilegedMode"]),
    set(Col::EnvironmentImagePullCredentialsType, ["environment.imagePullCredentialsType", "imagePullCredentialsTypeOverride", "imagePullCredentialsTypeOverride", "environment.imagePullCredentialsType", "environment.imagePullCredentialsType", "environment.imagePullCredentialsType"]),
    set(Col::EnvironmentCertificate, ["environment.certificate", "certificateOverride", "certificateOverride", "environment.certificate", "environment.certificate", "environment.certificate"]),
    set(Col::EnvironmentRegistryCredential, ["environment.registryCredential.credential", "registryCredentialOverride.credential", "registryCredentialOverride.credential", "environment.registryCredential.credential", "environment.registryCredential.credential", "environment.registryCredential.credential"]),
    set(Col::EnvironmentFleetArn, ["environment.fleet.fleetArn", "fleetOverride.fleetArn", "", "environment.fleet.fleetArn", "environment.fleet.fleetArn", "environment.fleet.fleetArn"]),
    set(Col::EnvironmentVariableNames, ["environment.environmentVariables[].name", "environmentVariablesOverride[].name", "environmentVariablesOverride[].name", "environment.environmentVariables[].name", "environment.environmentVariables[].name", "environment.environmentVariables[].name"]),
    set(Col::EnvironmentVariableTypes, ["environment.environmentVariables[].type", "environmentVariablesOverride[].type", "environmentVariablesOverride[].type", "environment.environmentVariables[].type", "environment.environmentVariables[].type", "environment.environmentVariables[].type"]),
    (None, ["environment.environmentVariables[].value", "environmentVariablesOverride[].value", "environmentVariablesOverride[].value", "environment.environmentVariables[].value", "environment.environmentVariables[].value", "environment.environmentVariables[].value", "", ""]),
    set(Col::ServiceRole, ["serviceRole", "serviceRoleOverride", "serviceRoleOverride", "serviceRole", "serviceRole", "serviceRole"]),
    set(Col::TimeoutInMinutes, ["timeoutInMinutes", "timeoutInMinutesOverride", "buildTimeoutInMinutesOverride", "timeoutInMinutes", "timeoutInMinutes", "buildTimeoutInMinutes"]),
    set(Col::QueuedTimeoutInMinutes, ["queuedTimeoutInMinutes", "queuedTimeoutInMinutesOverride", "queuedTimeoutInMinutesOverride", "queuedTimeoutInMinutes", "queuedTimeoutInMinutes", "queuedTimeoutInMinutes"]),
    set(Col::EncryptionKey, ["encryptionKey", "encryptionKeyOverride", "encryptionKeyOverride", "encryptionKey", "encryptionKey", "encryptionKey"]),
    set(Col::CacheType, ["cache.type", "cacheOverride.type", "cacheOverride.type", "cache.type", "cache.type", "cache.type"]),
    set(Col::CacheLocation, ["cache.location", "cacheOverride.location", "cacheOverride.location", "cache.location", "cache.location", "cache.location"]),
    set(Col::CacheModes, ["cache.modes", "cacheOverride.modes", "cacheOverride.modes", "cache.modes", "cache.modes", "cache.modes"]),
    shared(Col::VpcId, ["vpcConfig.vpcId", "", "", "vpcConfig.vpcId", "vpcConfig.vpcId", "vpcConfig.vpcId"], "vpcConfig.vpcId"),
    shared(Col::VpcSubnetIds, ["vpcConfig.subnets", "", "", "vpcConfig.subnets", "vpcConfig.subnets", "vpcConfig.subnets"], "vpcConfig.subnets"),
    shared(Col::VpcSecurityGroupIds, ["vpcConfig.securityGroupIds", "", "", "vpcConfig.securityGroupIds", "vpcConfig.securityGroupIds", "vpcConfig.securityGroupIds"], "vpcConfig.securityGroupIds"),
    set(Col::LogsCloudwatchStatus, ["logsConfig.cloudWatchLogs.status", "logsConfigOverride.cloudWatchLogs.status", "logsConfigOverride.cloudWatchLogs.status", "logsConfig.cloudWatchLogs.status", "logs.cloudWatchLogs.status", "logConfig.cloudWatchLogs.status"]),
    set(Col::LogsCloudwatchGroup, ["logsConfig.cloudWatchLogs.groupName", "logsConfigOverride.cloudWatchLogs.groupName", "logsConfigOverride.cloudWatchLogs.groupName", "logsConfig.cloudWatchLogs.groupName", "logs.cloudWatchLogs.groupName", "logConfig.cloudWatchLogs.groupName"]),
    set(Col::LogsS3Status, ["logsConfig.s3Logs.status", "logsConfigOverride.s3Logs.status", "logsConfigOverride.s3Logs.status", "logsConfig.s3Logs.status", "logs.s3Logs.status", "logConfig.s3Logs.status"]),
    set(Col::LogsS3Location, ["logsConfig.s3Logs.location", "logsConfigOverride.s3Logs.location", "logsConfigOverride.s3Logs.location", "logsConfig.s3Logs.location", "logs.s3Logs.location", "logConfig.s3Logs.location"]),
    set(Col::BuildLogGroup, ["", "", "", "", "logs.groupName", ""]),
    set(Col::BuildLogStream, ["", "", "", "", "logs.streamName", ""]),
    set(Col::Description, ["description", "", "", "description", "", ""]),
    set(Col::BadgeEnabled, ["badgeEnabled", "", "", "badge.badgeEnabled", "", ""]),
    set(Col::ConcurrentBuildLimit, ["concurrentBuildLimit", "", "", "concurrentBuildLimit", "", ""]),
    set(Col::AutoRetryLimit, ["autoRetryLimit", "autoRetryLimitOverride", "", "autoRetryLimit", "autoRetryConfig.autoRetryLimit", ""]),
    (Some(Col::ProjectVisibility), ["", "", "", "projectVisibility", "", "", "", "projectVisibility"]),
    set(Col::FileSystemLocations, ["fileSystemLocations[].location", "", "", "fileSystemLocations[].location", "fileSystemLocations[].location", "fileSystemLocations[].location"]),
    set(Col::ProjectCreated, ["", "", "", "created", "", ""]),
    set(Col::ProjectLastModified, ["", "", "", "lastModified", "", ""]),
    set(Col::BuildNumber, ["", "", "", "", "buildNumber", "buildBatchNumber"]),
    set(Col::BuildStatus, ["", "", "", "", "buildStatus", "buildBatchStatus"]),
    set(Col::BuildCurrentPhase, ["", "", "", "", "currentPhase", "currentPhase"]),
    set(Col::BuildComplete, ["", "", "", "", "buildComplete", "complete"]),
    set(Col::BuildStartTime, ["", "", "", "", "startTime", "startTime"]),
    set(Col::BuildEndTime, ["", "", "", "", "endTime", "endTime"]),
    set(Col::BuildInitiator, ["", "", "", "", "initiator", "initiator"]),
    set(Col::ParentBuildBatchArn, ["", "", "", "", "buildBatchArn", ""]),
    set(Col::DebugSessionEnabled, ["", "debugSessionEnabled", "debugSessionEnabled", "", "debugSession.sessionEnabled", "debugSessionEnabled"]),
    shared(Col::Tags, ["tags", "", "", "tags", "", ""], "tags"),
];

/// One column of another operation: its operations, its path in the request, its path in the
/// answer. The answer counts first.
pub(crate) type Other = (Col, &'static [&'static str], &'static str, &'static str);

const WEBHOOKS: &[&str] = &["CreateWebhook", "UpdateWebhook"];
const FLEETS: &[&str] = &["CreateFleet", "UpdateFleet"];
const REPORT_GROUPS: &[&str] = &["CreateReportGroup", "UpdateReportGroup"];
const SANDBOXES: &[&str] = &["StartSandbox", "StopSandbox"];

/// The columns of the group `other operations`.
#[rustfmt::skip]
pub(crate) const OTHERS: &[Other] = &[
    (Col::WebhookUrl, WEBHOOKS, "", "webhook.url"),
    (Col::WebhookPayloadUrl, WEBHOOKS, "", "webhook.payloadUrl"),
    (Col::WebhookFilterGroups, WEBHOOKS, "filterGroups", "webhook.filterGroups"),
    (Col::WebhookBuildType, WEBHOOKS, "buildType", "webhook.buildType"),
    (Col::WebhookScope, &["CreateWebhook"], "scopeConfiguration.scope", "webhook.scopeConfiguration.scope"),
    (Col::WebhookScopeName, &["CreateWebhook"], "scopeConfiguration.name", "webhook.scopeConfiguration.name"),
    (Col::WebhookPrCommentApproval, WEBHOOKS, "pullRequestBuildPolicy.requiresCommentApproval", "webhook.pullRequestBuildPolicy.requiresCommentApproval"),
    (Col::WebhookRotateSecret, &["UpdateWebhook"], "rotateSecret", ""),
    (Col::WebhookDeletedStatus, &["UpdateProject", "DeleteProject"], "", "webhookDeletedStatus"),
    (Col::FleetBaseCapacity, FLEETS, "baseCapacity", "fleet.baseCapacity"),
    (Col::FleetMaxCapacity, FLEETS, "scalingConfiguration.maxCapacity", "fleet.scalingConfiguration.maxCapacity"),
    (Col::FleetOverflowBehavior, FLEETS, "overflowBehavior", "fleet.overflowBehavior"),
    (Col::FleetServiceRole, FLEETS, "fleetServiceRole", "fleet.fleetServiceRole"),
    (Col::FleetImageId, FLEETS, "imageId", "fleet.imageId"),
    (Col::FleetProxyDefaultBehavior, FLEETS, "proxyConfiguration.defaultBehavior", "fleet.proxyConfiguration.defaultBehavior"),
    (Col::ReportGroupType, &["CreateReportGroup"], "type", "reportGroup.type"),
    (Col::ReportExportConfigType, REPORT_GROUPS, "exportConfig.exportConfigType", "reportGroup.exportConfig.exportConfigType"),
    (Col::ReportExportBucket, REPORT_GROUPS, "exportConfig.s3Destination.bucket", "reportGroup.exportConfig.s3Destination.bucket"),
    (Col::ReportExportEncryptionDisabled, REPORT_GROUPS, "exportConfig.s3Destination.encryptionDisabled", "reportGroup.exportConfig.s3Destination.encryptionDisabled"),
    (Col::SourceCredentialServerType, &["ImportSourceCredentials"], "serverType", ""),
    (Col::SourceCredentialAuthType, &["ImportSourceCredentials"], "authType", ""),
    (Col::SourceCredentialUsername, &["ImportSourceCredentials"], "username", ""),
    (Col::SourceCredentialShouldOverwrite, &["ImportSourceCredentials"], "shouldOverwrite", ""),
    (Col::ResourcePolicy, &["PutResourcePolicy"], "policy", ""),
    (Col::PublicProjectAlias, &["UpdateProjectVisibility"], "", "publicProjectAlias"),
    (Col::ResourceAccessRole, &["UpdateProjectVisibility"], "resourceAccessRole", ""),
    (Col::SandboxStatus, SANDBOXES, "", "sandbox.status"),
    (Col::CommandType, &["StartCommandExecution"], "type", "commandExecution.type"),
    (Col::CommandText, &["StartCommandExecution"], "command", "commandExecution.command"),
    (Col::BuildsDeleted, &["BatchDeleteBuilds", "DeleteBuildBatch"], "", "buildsDeleted"),
];

static NAMES: LazyLock<Names> =
    LazyLock::new(|| Names::new(OPERATIONS.iter().map(|operation| operation.name)));

/// The operation called `name`, if it is known.
pub(crate) fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.get(NAMES.find(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{COLUMNS, Group};

    #[test]
    fn every_settings_and_other_column_has_a_line() {
        let lines: Vec<Col> = SETTINGS
            .iter()
            .filter_map(|(col, _)| *col)
            .chain(OTHERS.iter().map(|(col, ..)| *col))
            .collect();
        for (col, column) in Col::ALL.iter().zip(COLUMNS) {
            let derived = *col == Col::MaskedSettings;
            let wanted = matches!(column.group, Group::Settings | Group::OtherOperations);
            assert_eq!(lines.contains(col), wanted && !derived, "{}", column.name);
        }
    }

    /// What people read of a column's source is what the tables do: every path's first and other
    /// parts stand in it.
    #[test]
    fn the_sources_that_people_read_name_the_paths() {
        let settings = SETTINGS.iter().filter_map(|(col, paths)| Some(((*col)?, paths.to_vec())));
        let others = OTHERS.iter().map(|(col, _, request, answer)| (*col, vec![*request, *answer]));
        for (col, paths) in settings.chain(others) {
            let source = format!("{} {}", col.column().source, col.column().meaning);
            for path in paths.into_iter().filter(|path| !path.is_empty()) {
                let (first, rest) = path.split_once('.').unwrap_or((path, path));
                let split = source.contains(first) && source.contains(rest);
                let below = ["webhook.", "fleet.", "reportGroup.", "sandbox.", "commandExecution."];
                let below = below.iter().find_map(|above| path.strip_prefix(above));
                let named =
                    source.contains(path) || split || below.is_some_and(|p| source.contains(p));
                assert!(named, "{}: `{source}` does not name {path}", col.name());
            }
        }
    }

    #[test]
    fn names_are_unique_and_every_operation_of_a_column_is_known() {
        for (at, operation) in OPERATIONS.iter().enumerate() {
            assert!(OPERATIONS[at + 1..].iter().all(|other| other.name != operation.name));
        }
        for (col, operations, request, answer) in OTHERS {
            assert!(operations.iter().all(|name| operation(name).is_some()), "{col:?}");
            assert!(!request.is_empty() || !answer.is_empty(), "{col:?}");
        }
    }

    #[test]
    fn a_call_that_names_something_says_of_which_kind() {
        for operation in OPERATIONS {
            assert!(operation.names.is_empty() || !operation.kind.is_empty(), "{}", operation.name);
        }
    }
}
