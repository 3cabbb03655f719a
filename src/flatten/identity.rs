//! Who made the call: the columns of the groups `identity` and `who`.
//!
//! The members of `userIdentity` are columns as they are. What is derived answers the page's three
//! questions, and names the caller in one word and one short name, by rules that look at members
//! present, never at the event version. Where the identity cannot tell, the answer is null: an
//! account that calls across accounts is neither a root user nor not one.

use crate::flatten::coerce::{self, Coerced};
use crate::flatten::paths::PathTree;
use crate::flatten::record::Record;
use crate::flatten::row::{Row, Text, Value, part_of};
use crate::json::Json;
use crate::schema::{COLUMNS, Col, Group};
use crate::scope::CODEBUILD;
use std::sync::LazyLock;

/// The session name of a build's own credentials is this and the build's UUID.
const BUILD_SESSION: &str = "AWSCodeBuild-";

static COLUMNS_IN: LazyLock<(Vec<Col>, PathTree)> = LazyLock::new(|| {
    let of_identity =
        || Col::ALL.iter().zip(COLUMNS).filter(|(_, column)| column.group == Group::Identity);
    let paths = of_identity().filter_map(|(_, column)| column.source.strip_prefix("userIdentity."));
    (of_identity().map(|(col, _)| *col).collect(), PathTree::new(paths))
});

/// Fills the groups `identity` and `who`.
pub(crate) fn fill<'a>(record: &Record<'a, '_>, row: &mut Row<'a>) {
    let identity = record.get("userIdentity");
    let found = identity.map(|identity| fill_members(identity, row)).unwrap_or_default();
    let session = role_session_name(row);
    let build = session.as_ref().and_then(|name| Some(part_of(name, build_of_session(name)?)));
    row.set(Col::ActorBuildUuid, build);
    row.set(Col::RoleSessionName, session);

    let kind = Caller::parse(row.str(Col::UserIdentityType));
    let by_service = by_aws_service(kind, row);
    row.set(Col::ByRootOrUser, by_root_or_user(kind));
    row.set(Col::ByTemporaryCredentials, by_temporary_credentials(kind, row));
    row.set(Col::ByAwsService, by_service);
    let credential = credential_kind(kind, by_service, found.has_creation_date, row);
    row.set(Col::CredentialKind, credential);
    let actor = actor(kind, row).or_else(|| fallback_actor(row));
    row.set(Col::Actor, actor);

    let failed = record.get("errorCode").is_some() || record.get("errorMessage").is_some();
    row.set(Col::Succeeded, Value::Bool(!failed));
}

/// What the members tell besides their columns.
#[derive(Debug, Default)]
struct CallerMembers {
    /// Whether the session says when it began, in whatever form.
    has_creation_date: bool,
}

fn fill_members<'a>(identity: Json<'a, '_>, row: &mut Row<'a>) -> CallerMembers {
    let mut told = CallerMembers::default();
    if !identity.is_object() {
        row.misfits.push("userIdentity".to_owned());
        return told;
    }
    let (cols, tree) = &*COLUMNS_IN;
    let found = tree.find(identity);
    for (number, col) in cols.iter().enumerate() {
        let Some(value) = found.get(number) else { continue };
        told.has_creation_date |= *col == Col::SessionCreationDate && !value.is_null();
        match coerce::coerce(value, col.column().kind) {
            Coerced::Value(value) => row.set(*col, value),
            Coerced::Null => {}
            Coerced::Misfit => row.misfits.push(col.column().source.to_owned()),
        }
    }
    row.misfits.extend(found.blocked.iter().map(|(path, _)| format!("userIdentity.{path}")));
    told
}

/// The values of `userIdentity.type` that the documentation lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Root,
    IamUser,
    AssumedRole,
    Role,
    FederatedUser,
    IdentityCenterUser,
    SamlUser,
    WebIdentityUser,
    AwsService,
    AwsAccount,
    Directory,
    /// `Unknown`, or a type newer than this list.
    Unknown,
    /// No type at all, as in some service events.
    Untyped,
}

impl Caller {
    fn parse(text: Option<&str>) -> Self {
        match text {
            Some("Root") => Self::Root,
            Some("IAMUser") => Self::IamUser,
            Some("AssumedRole") => Self::AssumedRole,
            Some("Role") => Self::Role,
            Some("FederatedUser") => Self::FederatedUser,
            Some("IdentityCenterUser") => Self::IdentityCenterUser,
            Some("SAMLUser") => Self::SamlUser,
            Some("WebIdentityUser") => Self::WebIdentityUser,
            Some("AWSService") => Self::AwsService,
            Some("AWSAccount") => Self::AwsAccount,
            Some("Directory") => Self::Directory,
            Some(_) => Self::Unknown,
            None => Self::Untyped,
        }
    }

    /// Whether the type says enough to answer the three questions.
    fn tells(self) -> bool {
        !matches!(self, Self::AwsAccount | Self::Directory | Self::Unknown | Self::Untyped)
    }

    fn always_temporary(self) -> bool {
        matches!(
            self,
            Self::AssumedRole
                | Self::Role
                | Self::FederatedUser
                | Self::IdentityCenterUser
                | Self::SamlUser
                | Self::WebIdentityUser
        )
    }
}

/// The page's first question: made with root or user credentials?
fn by_root_or_user(kind: Caller) -> Option<bool> {
    kind.tells().then_some(matches!(kind, Caller::Root | Caller::IamUser))
}

/// The page's second question: temporary credentials of a role or federated user? A user's own
/// temporary session is neither, so it is no.
fn by_temporary_credentials(kind: Caller, row: &Row<'_>) -> Option<bool> {
    let of_role = row.str(Col::SessionIssuerType) == Some("Role");
    kind.tells().then_some(kind.always_temporary() || of_role)
}

/// The page's third question: made by another AWS service? The address alone does not say so.
fn by_aws_service(kind: Caller, row: &Row<'_>) -> Option<bool> {
    let service = row.filled(Col::UserIdentityInvokedBy).is_some()
        || kind == Caller::AwsService
        || row.str(Col::EventType) == Some("AwsServiceEvent");
    if service { Some(true) } else { kind.tells().then_some(false) }
}

fn credential_kind(
    kind: Caller,
    by_service: Option<bool>,
    has_creation_date: bool,
    row: &Row<'_>,
) -> Option<&'static str> {
    let session = has_creation_date
        || row.str(Col::UserIdentityAccessKeyId).is_some_and(|key| key.starts_with("ASIA"));
    Some(match kind {
        Caller::Root if session => "root_session",
        Caller::Root => "root",
        Caller::IamUser if session => "iam_user_session",
        Caller::IamUser => "iam_user",
        Caller::AssumedRole => "assumed_role",
        Caller::Role => "role",
        Caller::FederatedUser => "federated_user",
        Caller::IdentityCenterUser => "identity_center_user",
        Caller::SamlUser => "saml_user",
        Caller::WebIdentityUser => "web_identity_user",
        Caller::AwsService => "aws_service",
        Caller::AwsAccount => "aws_account",
        Caller::Directory => "directory",
        Caller::Unknown => "unknown",
        Caller::Untyped if by_service == Some(true) => "aws_service",
        Caller::Untyped => return None,
    })
}

/// The part of an ARN after the account: `assumed-role/ROLE/SESSION`.
fn arn_resource(arn: &str) -> Option<&str> {
    arn.starts_with("arn:").then(|| arn.splitn(6, ':').nth(5)).flatten()
}

/// Role and session of an assumed-role ARN. A role's path is not in it.
fn assumed_role(arn: &str) -> Option<&str> {
    arn_resource(arn)?.strip_prefix("assumed-role/")
}

/// What `pick` takes of a cell's text.
fn part<'a>(row: &Row<'a>, col: Col, pick: impl Fn(&str) -> Option<&str>) -> Option<Text<'a>> {
    let text = row.text(col)?;
    pick(text).map(|part| part_of(text, part))
}

/// From the ARN, else from a principal id `AROA...:name`.
fn role_session_name<'a>(row: &Row<'a>) -> Option<Text<'a>> {
    part(row, Col::UserIdentityArn, |arn| Some(assumed_role(arn)?.split_once('/')?.1)).or_else(
        || {
            part(row, Col::UserIdentityPrincipalId, |id| {
                let (id, name) = id.split_once(':')?;
                id.starts_with("AROA").then_some(name)
            })
        },
    )
}

/// The UUID of the build whose session name this is.
fn build_of_session(session: &str) -> Option<&str> {
    let uuid = session.strip_prefix(BUILD_SESSION)?;
    let hex = |b: u8| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (uuid.len() == 36 && uuid.bytes().all(hex)).then_some(uuid)
}

/// The short name that fits the caller's type.
fn actor<'a>(kind: Caller, row: &Row<'a>) -> Option<Text<'a>> {
    let filled = |col| row.filled(col).cloned();
    let of_arn = |pick: fn(&str) -> Option<&str>| part(row, Col::UserIdentityArn, pick);
    let last_of_arn = || of_arn(|arn| arn_resource(arn)?.rsplit('/').next());
    let user_name = || filled(Col::UserIdentityUserName);
    match kind {
        Caller::Root => Some(Text::Borrowed("root")),
        Caller::AssumedRole => of_arn(assumed_role),
        Caller::IamUser => user_name().or_else(last_of_arn),
        Caller::Role => {
            user_name().or_else(|| filled(Col::SessionIssuerUserName)).or_else(last_of_arn)
        }
        Caller::FederatedUser => of_arn(|arn| arn_resource(arn)?.strip_prefix("federated-user/"))
            .or_else(|| {
                part(row, Col::UserIdentityPrincipalId, |id| id.split_once(':').map(|(_, n)| n))
            }),
        Caller::AwsService => filled(Col::UserIdentityInvokedBy),
        Caller::AwsAccount => filled(Col::UserIdentityAccountId),
        Caller::IdentityCenterUser => filled(Col::OnBehalfOfUserId),
        Caller::Untyped => filled(Col::UserIdentityInvokedBy).or_else(user_name),
        Caller::SamlUser | Caller::WebIdentityUser | Caller::Directory | Caller::Unknown => {
            user_name()
        }
    }
}

/// What is left to call somebody by when the type's own place is empty.
fn fallback_actor<'a>(row: &Row<'a>) -> Option<Text<'a>> {
    let role = row.filled(Col::SessionIssuerUserName);
    if let (Some(role), Some(session)) = (role, row.filled(Col::RoleSessionName)) {
        return Some(Text::Owned(format!("{role}/{session}")));
    }
    [
        Col::UserIdentityUserName,
        Col::UserIdentityInvokedBy,
        Col::UserIdentityPrincipalId,
        Col::UserIdentityArn,
        Col::UserIdentityAccountId,
    ]
    .into_iter()
    .find_map(|col| row.filled(col))
    .cloned()
}

/// Whether a build, or CodeBuild itself, made the call: what `--keep build-activity` adds.
pub(crate) fn is_build_activity(record: &Record<'_, '_>) -> bool {
    let Some(identity) = record.get("userIdentity") else { return false };
    let text = identity.raw();
    // Cheap and without a false no: an escape in these names would have to be AWS's own.
    if !(text.contains(BUILD_SESSION) || text.contains(CODEBUILD) || text.contains('\\')) {
        return false;
    }
    let mut row = Row::new();
    fill_members(identity, &mut row);
    row.str(Col::UserIdentityInvokedBy) == Some(CODEBUILD)
        || role_session_name(&row).is_some_and(|name| build_of_session(&name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(identity: &str) -> (Row<'static>, String) {
        let text: &'static str = format!("{{\"userIdentity\":{identity}}}").leak();
        let record = Record::new(crate::json::leaked(text)).unwrap();
        let mut row = Row::new();
        fill(&record, &mut row);
        let answer = |col| match row.get(col) {
            Value::Bool(true) => 'y',
            Value::Bool(false) => 'n',
            _ => '-',
        };
        let answers = format!(
            "{}{}{} {} {}",
            answer(Col::ByRootOrUser),
            answer(Col::ByTemporaryCredentials),
            answer(Col::ByAwsService),
            row.str(Col::CredentialKind).unwrap_or("-"),
            row.str(Col::Actor).unwrap_or("-"),
        );
        (row, answers)
    }

    #[test]
    fn every_type_answers_the_three_questions() {
        for (identity, expected) in [
            (r#"{"type":"Root","accountId":"1"}"#, "ynn root root"),
            (r#"{"type":"Root","accessKeyId":"ASIAX"}"#, "ynn root_session root"),
            (r#"{"type":"IAMUser","userName":"ann","accessKeyId":"AKIAX"}"#, "ynn iam_user ann"),
            (
                r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user/team/bob","sessionContext":{"attributes":{"creationDate":"2026-09-01T00:00:00Z"}}}"#,
                "ynn iam_user_session bob",
            ),
            (
                r#"{"type":"IAMUser","userName":"ann","invokedBy":"cloudformation.amazonaws.com"}"#,
                "yny iam_user ann",
            ),
            (
                r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/ci/s-1"}"#,
                "nyn assumed_role ci/s-1",
            ),
            (
                r#"{"type":"AssumedRole","principalId":"AROAX:s","sessionContext":{"sessionIssuer":{"type":"Role","userName":"ci"}}}"#,
                "nyn assumed_role ci/s",
            ),
            (r#"{"type":"Role","userName":"r"}"#, "nyn role r"),
            (
                r#"{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/fed"}"#,
                "nyn federated_user fed",
            ),
            (
                r#"{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1"}}"#,
                "nyn identity_center_user u-1",
            ),
            (r#"{"type":"SAMLUser","userName":"s"}"#, "nyn saml_user s"),
            (r#"{"type":"WebIdentityUser","principalId":"p"}"#, "nyn web_identity_user p"),
            (
                r#"{"type":"AWSService","invokedBy":"events.amazonaws.com"}"#,
                "nny aws_service events.amazonaws.com",
            ),
            (r#"{"type":"AWSAccount","accountId":"012"}"#, "--- aws_account 012"),
            (r#"{"type":"Directory","userName":"d"}"#, "--- directory d"),
            (r#"{"type":"Unknown"}"#, "--- unknown -"),
            (r#"{"type":"BrandNew","userName":"n"}"#, "--- unknown n"),
            (r#"{"accountId":"1","invokedBy":"AWS Internal"}"#, "--y aws_service AWS Internal"),
            (r#"{"accountId":"1"}"#, "--- - 1"),
            ("\"a string\"", "--- - -"),
        ] {
            assert_eq!(who(identity).1, expected, "{identity}");
        }
    }

    #[test]
    fn a_builds_session_is_found_by_arn_and_by_principal_id() {
        let uuid = "0a1b2c3d-0000-1111-2222-333344445555";
        for identity in [
            format!(
                r#"{{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/AWSCodeBuild-{uuid}"}}"#
            ),
            format!(r#"{{"type":"AssumedRole","principalId":"AROAX:AWSCodeBuild-{uuid}"}}"#),
        ] {
            assert_eq!(who(&identity).0.str(Col::ActorBuildUuid), Some(uuid));
            let text = format!("{{\"userIdentity\":{identity}}}");
            assert!(is_build_activity(&Record::new(crate::json::leaked(&text)).unwrap()));
        }
        let other = r#"{"userIdentity":{"principalId":"AROAX:AWSCodeBuild-notauuid"}}"#;
        assert!(!is_build_activity(&Record::new(crate::json::leaked(other)).unwrap()));
        let service = r#"{"userIdentity":{"invokedBy":"codebuild.amazonaws.com"}}"#;
        assert!(is_build_activity(&Record::new(crate::json::leaked(service)).unwrap()));
    }

    #[test]
    fn an_identity_of_another_shape_is_counted() {
        let (row, _) = who(r#"{"type":"IAMUser","sessionContext":"HIDDEN"}"#);
        assert_eq!(row.misfits, ["userIdentity.sessionContext"]);
    }
}
