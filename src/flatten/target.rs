//! What a call was about: the columns of the group `target`.
//!
//! Every identifier that the record shows becomes a [`Mention`]: a name, an id or an ARN, in the
//! answer, the request, the resources or the error message, in this order; the first place that
//! names any resource of a kind decides. Nothing is made up: an ARN is one that stands in the
//! record, and a column of one identifier is null where a call names several.

use crate::flatten::coerce;
use crate::flatten::operation::{ANSWER_NAMES, Operation, Resource};
use crate::flatten::paths::{PathTree, split_list};
use crate::flatten::record::Record;
use crate::flatten::row::{Row, Text, Value, part_of};
use crate::flatten::settings;
use crate::json::Json;
use crate::schema::Col;
use memchr::memmem;
use std::borrow::Cow;
use std::sync::LazyLock;

/// One identifier in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mention<'a> {
    resource: Resource,
    /// The name or id without an ARN around it.
    id: Text<'a>,
    /// The ARN, where the record shows one.
    arn: Option<Text<'a>>,
}

impl<'a> Mention<'a> {
    /// Reads an identifier: an ARN says itself what it names, anything else is a `resource`.
    fn new(text: Text<'a>, resource: Resource) -> Option<Self> {
        if text.is_empty() || coerce::is_aws_mask(&text) {
            return None;
        }
        if text.starts_with("arn:") {
            return Self::of_arn(text);
        }
        (resource != Resource::Any).then_some(Self { resource, id: text, arn: None })
    }

    /// `arn:P:codebuild:R:A:TYPE/NAME`.
    fn of_arn(arn: Text<'a>) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let service = parts.nth(2)?;
        let (kind, name) = parts.nth(2)?.split_once('/')?;
        if service != "codebuild" || name.is_empty() || name.contains('*') {
            return None;
        }
        let resource = match kind {
            "project" => Resource::Project,
            "build" => Resource::Build,
            "build-batch" => Resource::BuildBatch,
            "fleet" => Resource::Fleet,
            "report-group" => Resource::ReportGroup,
            "report" => Resource::Report,
            "sandbox" => Resource::Sandbox,
            "token" => Resource::SourceCredential,
            _ => return None,
        };
        // A legacy project ARN ends in the project's UUID.
        let id = match resource {
            Resource::Project => name.split(':').next().unwrap_or(name),
            _ => name,
        };
        Some(Self { resource, id: part_of(&arn, id), arn: Some(arn) })
    }

    /// The project that the identifier tells: builds, batches and sandboxes are `PROJECT:UUID`.
    fn project(&self) -> Option<Text<'a>> {
        match self.resource {
            Resource::Project => Some(self.id.clone()),
            Resource::Build | Resource::BuildBatch | Resource::Sandbox => {
                self.id.rsplit_once(':').map(|(project, _)| part_of(&self.id, project))
            }
            _ => None,
        }
    }
}

/// The mentions of one record, by place.
#[derive(Debug, Default)]
struct Mentions<'a> {
    answer: Vec<Mention<'a>>,
    request: Vec<Mention<'a>>,
    resources: Vec<Mention<'a>>,
    message: Vec<Mention<'a>>,
}

impl<'a> Mentions<'a> {
    fn places(&self) -> [&[Mention<'a>]; 4] {
        [&self.answer, &self.request, &self.resources, &self.message]
    }

    /// What `pick` takes from the first place that has any; null where that place or the request
    /// has several.
    fn one<'m, T: PartialEq>(&'m self, pick: impl Fn(&'m Mention<'a>) -> Option<T>) -> Option<T> {
        single(self.request.iter().filter_map(&pick)).ok()?;
        let mut places = self.places().into_iter().map(|place| place.iter().filter_map(&pick));
        places.find_map(|place| single(place).transpose())?.ok()
    }

    fn id(&self, resource: Resource) -> Option<&Text<'a>> {
        self.one(|m| (m.resource == resource).then_some(&m.id))
    }

    /// The first ARN of the one resource that is named.
    fn arn(&self, resource: Resource) -> Option<&Text<'a>> {
        let id = self.id(resource)?;
        let same = |m: &&Mention<'a>| m.resource == resource && m.id == *id;
        self.places().into_iter().flatten().filter(same).find_map(|m| m.arn.as_ref())
    }

    /// The ARN of the project called `name` in the first place that shows one, else anywhere in
    /// the record; null where there are several, as of two accounts' projects of one name.
    fn project_arn(&self, name: &str, record: &'a str) -> Option<Text<'a>> {
        let of_it = |m: &&Mention<'a>| m.resource == Resource::Project && m.id == name;
        let in_place = self.places().into_iter().find_map(|place| {
            single(place.iter().filter(of_it).filter_map(|m| m.arn.as_ref())).transpose()
        });
        if let Some(arn) = in_place {
            return arn.ok().cloned();
        }
        PROJECT_ARN.find(record.as_bytes())?;
        let anywhere: Vec<_> =
            arns(record).map(Cow::Borrowed).filter_map(Mention::of_arn).collect();
        let arns = anywhere.iter().filter(of_it).filter_map(|m| m.arn.as_ref());
        single(arns).ok().flatten().cloned()
    }
}

/// What every project's ARN has in it.
static PROJECT_ARN: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(b":project/"));

/// Several different values where one was looked for.
struct Several;

/// The one value that all are; none where there are none.
fn single<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Several> {
    let Some(first) = values.next() else { return Ok(None) };
    if values.all(|value| value == first) { Ok(Some(first)) } else { Err(Several) }
}

/// Fills what every service's records have: the request's members and what was denied.
pub(crate) fn fill_general<'a>(record: &Record<'a, '_>, row: &mut Row<'a>) {
    if let Some(request) = record.get("requestParameters").filter(Json::is_object) {
        let names = request.members().map(|(name, _)| Some(name.text()));
        row.set(Col::RequestMembers, Value::List(names.collect()));
    }
    let Some(message) = row.filled(Col::ErrorMessage) else { return };
    if let Some((_, denied)) = message.split_once("is not authorized to perform: ") {
        let action = denied.split_whitespace().next().map(str::to_owned);
        let resource = denied
            .split_once("on resource: ")
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .filter(|arn| arn.starts_with("arn:"))
            .map(|arn| arn.trim_end_matches(['.', ',']).to_owned());
        row.set(Col::DeniedAction, action);
        row.set(Col::DeniedResourceArn, resource);
    }
}

/// Fills the target of a CodeBuild call. `legacy` requests hold caller context only.
pub(crate) fn fill<'a>(
    record: &Record<'a, '_>,
    operation: Option<&Operation>,
    legacy: bool,
    row: &mut Row<'a>,
) {
    let request = record.get("requestParameters").filter(|_| !legacy);
    let kind = operation.map_or("", |operation| operation.kind);
    if !kind.is_empty() {
        row.set(Col::TargetKind, Value::text(kind));
    }
    if let (Some(request), Some(operation)) = (request, operation) {
        row.set(Col::TargetIds, target_ids(request, operation));
    }
    let mut mentions = Mentions {
        answer: record.get("responseElements").map(in_answer).unwrap_or_default(),
        request: request.map(|text| in_request(text, operation)).unwrap_or_default(),
        resources: in_resources(row),
        message: row.text(Col::ErrorMessage).map(in_message).unwrap_or_default(),
    };
    let project = mentions.one(Mention::project);
    let project_arn = project.as_deref().and_then(|name| mentions.project_arn(name, record.text));
    if operation.is_some_and(|operation| operation.answers_new) {
        // What the request names is the old build: not the one this call made.
        mentions.request.clear();
        mentions.message.clear();
    }
    if kind == "build_batch" {
        // The builds that went with a batch are in `builds_deleted`.
        mentions.answer.retain(|m| m.resource != Resource::Build);
    }
    let build = mentions.id(Resource::Build);
    let uuid = build.and_then(|id| Some(part_of(id, id.rsplit_once(':')?.1)));
    row.set(Col::ProjectName, project);
    row.set(Col::ProjectArn, project_arn);
    row.set(Col::BuildUuid, uuid);
    for (col, text) in [
        (Col::BuildId, build),
        (Col::BuildArn, mentions.arn(Resource::Build)),
        (Col::BuildBatchId, mentions.id(Resource::BuildBatch)),
        (Col::BuildBatchArn, mentions.arn(Resource::BuildBatch)),
        (Col::ReportGroupArn, mentions.arn(Resource::ReportGroup)),
        (Col::ReportArn, mentions.arn(Resource::Report)),
        (Col::FleetArn, mentions.arn(Resource::Fleet)),
        (Col::SandboxId, mentions.id(Resource::Sandbox)),
        (Col::CommandExecutionId, mentions.id(Resource::CommandExecution)),
        (Col::SourceCredentialArn, mentions.arn(Resource::SourceCredential)),
    ] {
        row.set(col, text.cloned());
    }
}

/// The identifiers as sent.
fn target_ids<'a>(request: Json<'a, '_>, operation: &Operation) -> Value<'a> {
    let Some((member, _)) = operation.names.first() else { return Value::Null };
    let Some(value) = request.member(member) else { return Value::Null };
    if value.is_list() {
        return settings::elements(value, None).0;
    }
    let text = coerce::text(value).filter(|text| !coerce::is_aws_mask(text));
    text.map_or(Value::Null, |text| Value::List(vec![Some(text)]))
}

static ANSWER_TREE: LazyLock<PathTree> =
    LazyLock::new(|| PathTree::new(ANSWER_NAMES.iter().map(|(path, _)| split_list(path).0)));

fn in_answer<'a>(answer: Json<'a, '_>) -> Vec<Mention<'a>> {
    let found = ANSWER_TREE.find(answer);
    let mut mentions = Vec::new();
    for (number, (path, resource)) in ANSWER_NAMES.iter().enumerate() {
        if let Some(value) = found.get(number) {
            mention_all(value, split_list(path).1, *resource, &mut mentions);
        }
    }
    mentions
}

/// What an unlisted operation's request is searched for.
const COMMON_NAMES: &[(&str, Resource)] = &[
    ("projectName", Resource::Project),
    ("projectArn", Resource::Any),
    ("resourceArn", Resource::Any),
    ("arn", Resource::Any),
];

fn in_request<'a>(request: Json<'a, '_>, operation: Option<&Operation>) -> Vec<Mention<'a>> {
    let names = operation.map_or(COMMON_NAMES, |operation| operation.names);
    let mut mentions = Vec::new();
    for (member, resource) in names {
        if let Some(value) = request.member(member) {
            mention_all(value, None, *resource, &mut mentions);
        }
    }
    mentions
}

fn mention_all<'a>(
    value: Json<'a, '_>,
    element: Option<&str>,
    resource: Resource,
    out: &mut Vec<Mention<'a>>,
) {
    if value.is_list() {
        let texts = value.elements().filter_map(|value| coerce::element(value, element));
        out.extend(texts.filter_map(|id| Mention::new(id, resource)));
    } else if let Some(text) = value.string() {
        out.extend(Mention::new(text, resource));
    }
}

fn in_resources<'a>(row: &Row<'a>) -> Vec<Mention<'a>> {
    let Value::List(arns) = row.get(Col::ResourceArns) else { return Vec::new() };
    let arns = arns.iter().flatten().cloned();
    arns.filter_map(|arn| Mention::new(arn, Resource::Any)).collect()
}

/// The ARNs in an error message, and the id in `Build PROJECT:UUID does not exist`.
fn in_message<'a>(message: &Text<'a>) -> Vec<Mention<'a>> {
    let arns = arns(message).map(|arn| part_of(message, arn));
    let mut mentions: Vec<_> = arns.filter_map(Mention::of_arn).collect();
    let id = message.strip_prefix("Build ").and_then(|rest| rest.split_whitespace().next());
    let id = id.filter(|id| id.contains(':')).map(|id| part_of(message, id));
    mentions.extend(id.and_then(|id| Mention::new(id, Resource::Build)));
    mentions
}

/// No ARN is longer: IAM allows 2,048 characters.
const LONGEST_ARN: usize = 2048;

/// Every ARN in a text, up to what cannot be part of one. A sentence's full stop is none of it.
fn arns(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = memmem::find(rest.as_bytes(), b"arn:")?;
        let arn = rest.get(at..)?;
        let ends = |c: char| c.is_whitespace() || "\"'\\,()[]{}<>;".contains(c);
        let end = arn.find(ends).unwrap_or(arn.len());
        rest = arn.get(end..)?;
        Some(arn.get(..end)?.trim_end_matches(['.', ':']))
    })
    .filter(|arn| arn.len() <= LONGEST_ARN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flatten;

    const ARN: &str = "arn:aws:codebuild:us-east-1:111122223333";

    fn row(name: &str, members: &str) -> Row<'static> {
        let text: &'static str = format!(
            r#"{{"eventSource":"codebuild.amazonaws.com","eventName":"{name}",{}}}"#,
            members.replace("ARN:", &format!("{ARN}:"))
        )
        .leak();
        flatten::flatten(&Record::new(crate::json::leaked(text)).unwrap())
    }

    fn texts(row: &Row<'_>, cols: &[Col]) -> Vec<String> {
        cols.iter().map(|col| row.str(*col).unwrap_or("-").replace(ARN, "ARN")).collect()
    }

    const PROJECT: &[Col] = &[Col::TargetKind, Col::ProjectName, Col::ProjectArn];

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn projects_are_found_in_answer_request_resources_and_message() {
        for (name, members, expected) in [
            (
                "CreateProject",
                r#""requestParameters":{"name":"ARN:project/web"},"responseElements":{"project":{"name":"web"}}"#,
                ["project", "web", "ARN:project/web"],
            ),
            (
                "CreateProject",
                r#""requestParameters":{"awsActId":"1"},"responseElements":{"project":{"name":"web","arn":"ARN:project/web:uuid"}}"#,
                ["project", "web", "ARN:project/web:uuid"],
            ),
            ("DeleteProject", r#""requestParameters":{"name":"web"}"#, ["project", "web", "-"]),
            (
                "BatchGetProjects",
                r#""resources":[{"ARN":"ARN:project/web"}]"#,
                ["project", "web", "ARN:project/web"],
            ),
            (
                "BatchGetProjects",
                r#""requestParameters":{"names":["a","b"]},"resources":[{"ARN":"ARN:project/a"}]"#,
                ["project", "-", "-"],
            ),
            (
                "StartBuild",
                r#""errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::1:user/x is not authorized to perform: codebuild:StartBuild on resource: ARN:project/web because no","requestParameters":null"#,
                ["project", "web", "ARN:project/web"],
            ),
            (
                "BatchGetProjects",
                r#""requestParameters":{"names":["ARN:project/web","arn:aws:codebuild:us-east-1:444455556666:project/web"]}"#,
                ["project", "web", "-"],
            ),
            (
                "CreateProject",
                r#""errorMessage":"Project already exists : ARN:project/web.""#,
                ["project", "web", "ARN:project/web"],
            ),
            (
                "StopBuild",
                r#""requestParameters":{"id":"web:u-1"},"errorMessage":"Build web:u-1 does not exist""#,
                ["build", "web", "-"],
            ),
            (
                "PutResourcePolicy",
                r#""requestParameters":{"resourceArn":"ARN:project/web","policy":"{}"}"#,
                ["resource_policy", "web", "ARN:project/web"],
            ),
            (
                "CreateWebhook",
                r#""requestParameters":{"projectName":"web"}"#,
                ["webhook", "web", "-"],
            ),
            ("ListBuilds", r#""requestParameters":null"#, ["-", "-", "-"]),
            ("BrandNewCall", r#""requestParameters":{"projectName":"web"}"#, ["-", "web", "-"]),
            (
                "StartSandbox",
                r#""responseElements":{"sandbox":{"id":"web:u-2","projectName":"web"}}"#,
                ["project", "web", "-"],
            ),
        ] {
            assert_eq!(texts(&row(name, members), PROJECT), expected, "{name} {members}");
        }
    }

    const BUILD: &[Col] = &[Col::BuildId, Col::BuildUuid, Col::BuildArn, Col::BuildBatchId];

    #[test]
    fn builds_are_found_and_a_retry_names_the_new_one() {
        for (name, members, expected) in [
            (
                "RetryBuild",
                r#""requestParameters":{"id":"p:old"},"responseElements":{"build":{"id":"p:new","arn":"ARN:build/p:new"}}"#,
                ["p:new", "new", "ARN:build/p:new", "-"],
            ),
            (
                "RetryBuild",
                r#""requestParameters":{"id":"p:old"},"errorCode":"ResourceNotFoundException","errorMessage":"Build p:old does not exist""#,
                ["-", "-", "-", "-"],
            ),
            (
                "BatchGetBuilds",
                r#""requestParameters":{"ids":["ARN:build/p:u"]}"#,
                ["p:u", "u", "ARN:build/p:u", "-"],
            ),
            (
                "BatchGetBuilds",
                r#""requestParameters":{"ids":["p:u","p:v"]}"#,
                ["-", "-", "-", "-"],
            ),
            (
                "DeleteBuildBatch",
                r#""requestParameters":{"id":"p:b"},"responseElements":{"buildsDeleted":["ARN:build/p:u"]}"#,
                ["-", "-", "-", "p:b"],
            ),
            (
                "BatchDeleteBuilds",
                r#""requestParameters":{"ids":["p:u","p:v"]},"responseElements":{"buildsDeleted":["ARN:build/p:u"],"buildsNotDeleted":[{"id":"ARN:build/p:v"}]}"#,
                ["-", "-", "-", "-"],
            ),
        ] {
            assert_eq!(texts(&row(name, members), BUILD), expected, "{name} {members}");
        }
    }

    #[test]
    fn other_resources_are_found() {
        let fleet = row("UpdateFleet", r#""requestParameters":{"arn":"ARN:fleet/f:u"}"#);
        assert_eq!(texts(&fleet, &[Col::FleetArn, Col::TargetKind]), ["ARN:fleet/f:u", "fleet"]);
        let report = row("DeleteReport", r#""requestParameters":{"arn":"ARN:report/g:u"}"#);
        assert_eq!(texts(&report, &[Col::ReportArn, Col::ReportGroupArn]), ["ARN:report/g:u", "-"]);
        let token =
            row("ImportSourceCredentials", r#""responseElements":{"arn":"ARN:token/github"}"#);
        assert_eq!(texts(&token, &[Col::SourceCredentialArn]), ["ARN:token/github"]);
        let command = row(
            "StartCommandExecution",
            r#""requestParameters":{"sandboxId":"ARN:sandbox/p:s"},"responseElements":{"commandExecution":{"id":"c","sandboxId":"p:s"}}"#,
        );
        assert_eq!(
            texts(&command, &[Col::SandboxId, Col::CommandExecutionId, Col::ProjectName]),
            ["p:s", "c", "p"]
        );
    }

    #[test]
    fn target_ids_are_as_sent() {
        let ids = |name, members| row(name, members).get(Col::TargetIds).clone();
        let list =
            |ids: &[&'static str]| Value::List(ids.iter().map(|i| Some((*i).into())).collect());
        assert_eq!(ids("StopBuild", r#""requestParameters":{"id":"p:u"}"#), list(&["p:u"]));
        assert_eq!(ids("BatchGetBuilds", r#""requestParameters":{"ids":[]}"#), list(&[]));
        assert_eq!(ids("StopBuild", r#""requestParameters":null"#), Value::Null);
        assert_eq!(ids("StopBuild", r#""requestParameters":{"awsActId":"1"}"#), Value::Null);
    }

    #[test]
    fn denied_calls_name_action_and_resource() {
        let denied = row(
            "ListBuilds",
            r#""errorMessage":"User: u is not authorized to perform: codebuild:ListBuilds on resource: * with an explicit deny""#,
        );
        assert_eq!(
            texts(&denied, &[Col::DeniedAction, Col::DeniedResourceArn]),
            ["codebuild:ListBuilds", "-"]
        );
    }
}
