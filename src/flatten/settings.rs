//! What a call set: the columns of the groups `settings` and `other operations`.
//!
//! The tables of [`operation`](mod@crate::flatten::operation) say where each column's value is: in the
//! answer, else in the request, member by member. An answer decides about every member that it has. Where
//! it lacks one, as `UpdateProjectVisibility` may lack the visibility, the request's is the value. A null
//! counts as lacking: the service's protocol has one meaning for both, and no record says otherwise.
//!
//! `settings_origin` is `response` where the answer gave any setting, or the mask of one; so a setting
//! beside it may still be the request's own. It is `request` where only the request gave some.
//!
//! A request of the first era (told by its content, not by a date) holds the caller's context and no
//! settings. Where AWS put a mask the column is null, and `masked_settings` names the setting by its path
//! in the project. A masked setting of the answer is one that it has: the request's is not put there.

use crate::flatten::coerce::{self, Coerced};
use crate::flatten::operation::{ANSWERS, OTHERS, Operation, SETTINGS, Setting, request_paths};
use crate::flatten::paths::{FoundPaths, PathTree, split_list};
use crate::flatten::record::Record;
use crate::flatten::row::{Row, Value};
use crate::json::{Json, Names};
use crate::schema::{Col, Kind};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Whether a request is of the first era: only the caller's context, nothing of the call's input.
pub(crate) fn is_legacy(request: Json<'_, '_>) -> bool {
    request.member("awsActId").is_some()
}

/// One form's column of [`SETTINGS`], compiled: the lines that it has, and their paths.
struct Compiled {
    lines: Vec<Line>,
    tree: PathTree,
}

/// A line of [`SETTINGS`] as one form has it.
struct Line {
    col: Option<Col>,
    /// Stands for the setting: the lines of one column share it, in all forms.
    bit: u128,
    path: &'static str,
    /// The member wanted of a list's objects.
    element: Option<&'static str>,
    /// What `masked_settings` calls it.
    project_path: &'static str,
}

static FORMS: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let line = |number: usize, (col, paths): &Setting, form: usize| {
        let path = paths.get(form).copied().filter(|path| !path.is_empty())?;
        let (element, project_path) = (split_list(path).1, project_path(paths, path));
        let of_column = SETTINGS.iter().position(|(other, _)| col.is_some() && other == col);
        let bit = 1_u128 << of_column.unwrap_or(number);
        Some(Line { col: *col, bit, path, element, project_path })
    };
    let compile = |form| {
        let numbered = SETTINGS.iter().enumerate();
        let lines = numbered.filter_map(|(number, setting)| line(number, setting, form));
        let lines: Vec<_> = lines.collect();
        let tree = PathTree::new(lines.iter().map(|line| split_list(line.path).0));
        Compiled { lines, tree }
    };
    (0..8).map(compile).collect()
});

const _: () = assert!(SETTINGS.len() <= 128, "a setting is a bit");

impl Compiled {
    /// The settings inside the object at `path`.
    fn inside(&self, path: &str) -> u128 {
        let is_inside =
            |line: &&Line| line.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.lines.iter().filter(is_inside).fold(0, |bits, line| bits | line.bit)
    }
}

/// The operations that [`OTHERS`] has lines of.
static OTHER_OPERATIONS: LazyLock<Names> = LazyLock::new(|| {
    let names: BTreeSet<_> =
        OTHERS.iter().flat_map(|(_, names, ..)| names.iter().copied()).collect();
    Names::new(names)
});
static OTHER_REQUESTS: LazyLock<PathTree> =
    LazyLock::new(|| PathTree::new(OTHERS.iter().map(|(_, _, request, _)| *request)));
static OTHER_ANSWERS: LazyLock<PathTree> =
    LazyLock::new(|| PathTree::new(OTHERS.iter().map(|(.., answer)| *answer)));

/// Fills both groups for a CodeBuild call.
pub(crate) fn fill<'a>(
    record: &Record<'a, '_>,
    operation: Option<&'static Operation>,
    legacy: bool,
    row: &mut Row<'a>,
) {
    let request = record.get("requestParameters").filter(|_| !legacy);
    let answer = record.get("responseElements");
    let own = operation.and_then(|operation| request_paths(operation.form));
    let mut settings = Settings::default();
    if let Some(place) = answer.and_then(|answer| SettingsAt::in_answer(answer, own)) {
        settings.take(&place, row);
    }
    if let Some(place) = request.and_then(|request| SettingsAt::in_request(request, own)) {
        settings.take(&place, row);
    }
    settings.finish(row);
    if let Some(operation) = operation {
        fill_others(request, answer, operation, row);
    }
}

/// A place where settings are.
struct SettingsAt<'a, 't> {
    /// `response` or `request`.
    origin: &'static str,
    /// The object's member there; empty where it is the body itself.
    member: &'static str,
    object: Json<'a, 't>,
    /// The column of [`SETTINGS`] with its paths.
    form: usize,
}

impl<'a, 't> SettingsAt<'a, 't> {
    /// The first object of settings in an answer. `own` is the form of the operation's request.
    fn in_answer(answer: Json<'a, 't>, own: Option<usize>) -> Option<Self> {
        if !answer.is_object() {
            return None;
        }
        ANSWERS.iter().find_map(|(member, form)| {
            let object = match *member {
                // An answer that is the settings itself: only for the operation of that form.
                "" => (own == Some(*form)).then_some(answer),
                member => answer.member(member),
            };
            let object = object.filter(Json::is_object)?;
            Some(Self { origin: "response", member: *member, object, form: *form })
        })
    }

    fn in_request(request: Json<'a, 't>, own: Option<usize>) -> Option<Self> {
        let form = own.filter(|_| request.is_object())?;
        Some(Self { origin: "request", member: "", object: request, form })
    }

    /// The JSON path of a member in the record, for the count of what did not fit.
    fn full_path(&self, path: &str) -> String {
        let body = if self.origin == "request" { "requestParameters" } else { "responseElements" };
        let dot = if self.member.is_empty() { "" } else { "." };
        format!("{body}{dot}{}.{path}", self.member)
    }
}

/// The settings of one record, place after place: what an earlier place has a later one cannot give.
#[derive(Default)]
struct Settings<'a, 't> {
    found: FoundPaths<'a, 't>,
    /// The bits of what the places so far have: a value, a mask, or what does not fit.
    had: u128,
    /// The first place that gave a value or a mask.
    origin: Option<&'static str>,
    masked: Vec<Option<Cow<'static, str>>>,
}

impl<'a, 't> Settings<'a, 't> {
    fn take(&mut self, place: &SettingsAt<'a, 't>, row: &mut Row<'a>) {
        let Some(compiled) = FORMS.get(place.form) else { return };
        compiled.tree.find_again(place.object, &mut self.found);
        let (earlier, masked_earlier) = (self.had, self.masked.len());
        let mut any = false;
        for (number, line) in compiled.lines.iter().enumerate() {
            let value = self.found.get(number).filter(|value| !value.is_null());
            let Some(value) = value.filter(|_| earlier & line.bit == 0) else { continue };
            self.had |= line.bit;
            let (value, outcome) = setting(value, line.col, line.element);
            if let (Some(col), false) = (line.col, value == Value::Null) {
                any = true;
                row.set(col, value);
            }
            match outcome {
                Stored::Fits => {}
                Stored::Masked => self.note(Cow::Borrowed(line.project_path)),
                Stored::Misfit => row.misfits.push(place.full_path(line.path)),
            }
        }
        self.note_blocked(place, compiled, earlier, row);
        if any || self.masked.len() > masked_earlier {
            self.origin = self.origin.or(Some(place.origin));
        }
    }

    /// Objects that are something else: masked where a string stands for them.
    fn note_blocked(
        &mut self,
        place: &SettingsAt<'a, 't>,
        compiled: &Compiled,
        earlier: u128,
        row: &mut Row<'a>,
    ) {
        for (path, value) in std::mem::take(&mut self.found.blocked) {
            let inside = compiled.inside(path);
            if earlier & inside != 0 {
                continue;
            }
            self.had |= inside;
            if value.is_string() {
                self.note(Cow::Owned(object_path(place.form, path)));
            } else {
                row.misfits.push(place.full_path(path));
            }
        }
    }

    /// Names a masked setting, once.
    fn note(&mut self, path: Cow<'static, str>) {
        if !self.masked.iter().flatten().any(|known| *known == path) {
            self.masked.push(Some(path));
        }
    }

    fn finish(self, row: &mut Row<'a>) {
        if let Some(origin) = self.origin {
            row.set(Col::SettingsOrigin, Value::text(origin));
        }
        if !self.masked.is_empty() {
            row.set(Col::MaskedSettings, Value::List(self.masked));
        }
    }
}

/// How a value and its setting's column get on.
#[derive(Debug, PartialEq)]
pub(crate) enum Stored {
    Fits,
    Masked,
    Misfit,
}

/// The typed value of one setting. `element` is the member wanted of a list's objects; without a
/// column (`col`) only the mask is looked for.
fn setting<'a>(
    value: Json<'a, '_>,
    col: Option<Col>,
    element: Option<&str>,
) -> (Value<'a>, Stored) {
    if coerce::is_masked(value) {
        return (Value::Null, Stored::Masked);
    }
    if element.is_some() || col.is_some_and(|col| col.column().kind == Kind::TextList) {
        let (value, outcome) = elements(value, element);
        return (if col.is_some() { value } else { Value::Null }, outcome);
    }
    let coerced = match col {
        Some(Col::Tags) => json_list(value),
        Some(col) => coerce::coerce(value, col.column().kind),
        None => Coerced::Null,
    };
    match coerced {
        Coerced::Null => (Value::Null, Stored::Fits),
        Coerced::Value(value) => (col.map_or(Value::Null, |col| spell(col, value)), Stored::Fits),
        // Text where a list or number is expected is how AWS masks, whatever it says.
        Coerced::Misfit if value.is_string() && !is_text(col) => (Value::Null, Stored::Masked),
        Coerced::Misfit => (Value::Null, Stored::Misfit),
    }
}

/// Whether a setting is written as text, so that a text that does not fit is no mask.
fn is_text(col: Option<Col>) -> bool {
    let kind = col.filter(|col| *col != Col::Tags).map(|col| col.column().kind);
    matches!(kind, Some(Kind::Text | Kind::Time | Kind::Bool))
}

/// A list's texts, or the wanted member of each of its objects. A masked one is a null element; all
/// masked, there is no list.
pub(crate) fn elements<'a>(value: Json<'a, '_>, element: Option<&str>) -> (Value<'a>, Stored) {
    match coerce::list(value, element) {
        Coerced::Value(Value::List(mut list)) => {
            let mut masked = 0;
            for (text, element) in list.iter_mut().zip(value.elements()) {
                if coerce::is_masked(element) || text.as_deref().is_some_and(coerce::is_aws_mask) {
                    *text = None;
                    masked += 1;
                }
            }
            let outcome = if masked > 0 { Stored::Masked } else { Stored::Fits };
            let all_masked = masked > 0 && masked == list.len();
            (if all_masked { Value::Null } else { Value::List(list) }, outcome)
        }
        Coerced::Value(_) | Coerced::Null => (Value::Null, Stored::Fits),
        Coerced::Misfit if value.is_string() => (Value::Null, Stored::Masked),
        Coerced::Misfit => (Value::Null, Stored::Misfit),
    }
}

/// A list kept as JSON text.
fn json_list<'a>(value: Json<'a, '_>) -> Coerced<'a> {
    if value.is_list() {
        Coerced::Value(Value::text(value.raw()))
    } else if value.is_null() {
        Coerced::Null
    } else {
        Coerced::Misfit
    }
}

/// Builds spell artifacts in lower case and `buildId`, projects in capitals: one spelling for both.
fn spell(col: Col, value: Value<'_>) -> Value<'_> {
    match (col, value) {
        (Col::ArtifactsNamespaceType, Value::Text(text)) if text == "buildId" => {
            Value::text("BUILD_ID")
        }
        (
            Col::ArtifactsType | Col::ArtifactsPackaging | Col::ArtifactsNamespaceType,
            Value::Text(text),
        ) => Value::text(text.to_ascii_uppercase()),
        (_, value) => value,
    }
}

/// The path by which `masked_settings` names a setting: the project's own up to a list of
/// variables, which AWS masks whole.
fn project_path(paths: &[&'static str; 8], path: &'static str) -> &'static str {
    let [own, _, _, answer, ..] = *paths;
    let path = [own, answer, path].into_iter().find(|path| !path.is_empty()).unwrap_or_default();
    path.strip_suffix("[].name")
        .or_else(|| path.strip_suffix("[].type"))
        .or_else(|| path.strip_suffix("[].value"))
        .or_else(|| path.strip_suffix("[].location"))
        .unwrap_or(path)
}

/// The project's path of the object at `path` of a form: `sourceAuthOverride` is `source.auth`.
fn object_path(form: usize, path: &str) -> String {
    let of_line = |(_, paths): &(Option<Col>, [&'static str; 8])| {
        let rest = paths.get(form)?.strip_prefix(path)?.strip_prefix('.')?;
        let [own, _, _, answer, ..] = *paths;
        let own = if own.is_empty() { answer } else { own };
        own.strip_suffix(rest)?.strip_suffix('.').map(str::to_owned)
    };
    SETTINGS.iter().find_map(of_line).unwrap_or_else(|| path.to_owned())
}

fn fill_others<'a>(
    request: Option<Json<'a, '_>>,
    answer: Option<Json<'a, '_>>,
    operation: &Operation,
    row: &mut Row<'a>,
) {
    if OTHER_OPERATIONS.find(operation.name).is_none() {
        return;
    }
    let in_answer = answer.map(|object| OTHER_ANSWERS.find(object));
    let in_request = request.map(|object| OTHER_REQUESTS.find(object));
    for (number, (col, operations, request_path, answer_path)) in OTHERS.iter().enumerate() {
        if !operations.contains(&operation.name) {
            continue;
        }
        let places = [
            (&in_answer, "responseElements", answer_path),
            (&in_request, "requestParameters", request_path),
        ];
        for (found, body, path) in places {
            let value = found.as_ref().and_then(|found| found.get(number));
            let value = value.filter(|value| !path.is_empty() && !value.is_null());
            match value.map(|value| other(value, *col)) {
                Some(Coerced::Value(value)) => {
                    row.set(*col, value);
                    break;
                }
                Some(Coerced::Null) | None => {}
                Some(Coerced::Misfit) => row.misfits.push(format!("{body}.{path}")),
            }
        }
    }
}

fn other<'a>(value: Json<'a, '_>, col: Col) -> Coerced<'a> {
    if coerce::is_masked(value) {
        return Coerced::Null;
    }
    match col {
        Col::WebhookFilterGroups => json_list(value),
        _ if col.column().kind == Kind::TextList && value.is_list() => {
            Coerced::Value(elements(value, None).0)
        }
        // JSON inside a JSON string; kept as it is should it come as an object.
        Col::ResourcePolicy if value.is_object() => Coerced::Value(Value::text(value.raw())),
        _ => coerce::coerce(value, col.column().kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flatten;

    fn row(name: &str, members: &str) -> Row<'static> {
        let text: &'static str = format!(
            r#"{{"eventSource":"codebuild.amazonaws.com","eventName":"{name}",{members}}}"#
        )
        .leak();
        flatten::flatten(&Record::new(crate::json::leaked(text)).unwrap())
    }

    fn masked(row: &Row<'_>) -> Vec<String> {
        let Value::List(list) = row.get(Col::MaskedSettings) else { panic!("no list") };
        list.iter().flatten().map(ToString::to_string).collect()
    }

    const HIDDEN: &str = "\"HIDDEN_DUE_TO_SECURITY_REASONS\"";

    #[test]
    fn the_answer_decides_and_the_request_fills_in() {
        let both = row(
            "UpdateProject",
            r#""requestParameters":{"name":"p","description":"asked","cache":{"type":"S3","location":"l"}},"responseElements":{"project":{"description":"now","cache":{"type":"LOCAL"}}}"#,
        );
        assert_eq!(both.str(Col::Description), Some("now"));
        assert_eq!(both.str(Col::CacheType), Some("LOCAL"));
        assert_eq!(both.str(Col::CacheLocation), Some("l"));
        assert_eq!(both.str(Col::SettingsOrigin), Some("response"));
        let failed = row(
            "StartBuild",
            r#""requestParameters":{"projectName":"p","imageOverride":"i","timeoutInMinutesOverride":"5"},"errorCode":"x""#,
        );
        assert_eq!(failed.str(Col::EnvironmentImage), Some("i"));
        assert_eq!(failed.get(Col::TimeoutInMinutes), &Value::Int(5));
        assert_eq!(failed.str(Col::SettingsOrigin), Some("request"));
        let none = row("StartBuild", r#""requestParameters":{"projectName":"p"}"#);
        assert_eq!(none.str(Col::SettingsOrigin), None);
        assert!(masked(&none).is_empty());
        let legacy =
            row("StartBuild", r#""requestParameters":{"awsActId":"1","imageOverride":"i"}"#);
        assert_eq!(legacy.str(Col::SettingsOrigin), None);
        assert_eq!(legacy.str(Col::EnvironmentImage), None);
    }

    #[test]
    fn an_answer_without_the_visibility_leaves_the_requests() {
        let visible = |answer: &str| {
            row(
                "UpdateProjectVisibility",
                &format!(
                    r#""requestParameters":{{"projectVisibility":"PUBLIC_READ"}},"responseElements":{answer}"#
                ),
            )
        };
        for (answer, visibility, origin) in [
            (r#"{"projectArn":"arn:x"}"#, Some("PUBLIC_READ"), Some("request")),
            (r#"{"projectVisibility":null}"#, Some("PUBLIC_READ"), Some("request")),
            ("{}", Some("PUBLIC_READ"), Some("request")),
            ("null", Some("PUBLIC_READ"), Some("request")),
            (r#"{"projectVisibility":"PRIVATE"}"#, Some("PRIVATE"), Some("response")),
            // What the answer has decides, masked or not.
            (r#"{"projectVisibility":"***"}"#, None, Some("response")),
            (r#"{"projectVisibility":{}}"#, None, None),
        ] {
            let row = visible(answer);
            assert_eq!(row.str(Col::ProjectVisibility), visibility, "{answer}");
            assert_eq!(row.str(Col::SettingsOrigin), origin, "{answer}");
        }
    }

    #[test]
    fn masks_of_a_request_count_where_the_answer_lacks_the_setting() {
        let project = row(
            "CreateProject",
            &format!(
                r#""requestParameters":{{"encryptionKey":{HIDDEN},"tags":{HIDDEN},"environment":{HIDDEN},"source":{{"auth":{HIDDEN}}}}},"responseElements":{{"project":{{"tags":[],"environment":{{"image":"i"}},"source":{{"type":"GITHUB"}}}}}}"#
            ),
        );
        assert_eq!(masked(&project), ["encryptionKey", "source.auth"]);
        assert_eq!(project.str(Col::Tags), Some("[]"));
        assert_eq!(project.str(Col::SettingsOrigin), Some("response"));
        // An object of the answer that is masked is not made up from the request.
        let masked_whole = row(
            "CreateProject",
            &format!(
                r#""requestParameters":{{"environment":{{"image":"i"}},"timeoutInMinutes":{{}}}},"responseElements":{{"project":{{"environment":{HIDDEN}}}}}"#
            ),
        );
        assert_eq!(masked(&masked_whole), ["environment"]);
        assert_eq!(masked_whole.str(Col::EnvironmentImage), None);
        assert_eq!(masked_whole.misfits, ["requestParameters.timeoutInMinutes"]);
        // The two names of the artifacts' name are one setting.
        let named = row(
            "UpdateProject",
            r#""requestParameters":{"artifacts":{"name":"asked"}},"responseElements":{"project":{"artifacts":{"outputName":"now"}}}"#,
        );
        assert_eq!(named.str(Col::ArtifactsName), Some("now"));
    }

    /// The JSON of an object with `value` at a dotted path; in a list where the path has one.
    fn object_with(path: &str, value: &str) -> String {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let inner = if rest.is_empty() { value.to_owned() } else { object_with(rest, value) };
        match first.strip_suffix("[]") {
            Some(list) => format!(r#"{{"{list}":[{inner}]}}"#),
            None => format!(r#"{{"{first}":{inner}}}"#),
        }
    }

    /// Every setting of every operation: the answer's, and the request's where the answer lacks it.
    #[test]
    fn every_setting_is_found_in_either_place() {
        let value = |col: Col, place: u8| match col.column().kind {
            Kind::Bool => (place == 1).to_string(),
            Kind::Time => format!("\"2026-09-0{}T00:00:00Z\"", place + 1),
            Kind::Int32 | Kind::Int64 => (place + 1).to_string(),
            Kind::Text if col == Col::Tags => format!(r#"[{{"key":"T{place}"}}]"#),
            Kind::Text | Kind::TextList => format!("\"T{place}\""),
        };
        // A list of texts, where the path does not say that it is a list of objects.
        let listed = |col: Col, path: &str, value: String| {
            let is_list = col.column().kind == Kind::TextList && !path.contains("[]");
            if is_list { format!("[{value}]") } else { value }
        };
        let mut compared = 0;
        for (name, member, asked, answered) in [
            ("UpdateProject", "project", 0, 3),
            ("StartBuild", "build", 1, 4),
            ("StartBuildBatch", "buildBatch", 2, 5),
            ("UpdateFleet", "fleet", 6, 6),
            ("UpdateProjectVisibility", "", 7, 7),
        ] {
            for (col, paths) in SETTINGS {
                let (Some(col), request, answer) = (*col, paths[asked], paths[answered]) else {
                    continue;
                };
                if request.is_empty() || answer.is_empty() {
                    continue;
                }
                let in_request = object_with(request, &listed(col, request, value(col, 0)));
                let in_answer = object_with(answer, &listed(col, answer, value(col, 1)));
                let wrap = |object: &str| match member {
                    "" => object.to_owned(),
                    member => format!(r#"{{"{member}":{object}}}"#),
                };
                let of = |request: &str, answer: &str| {
                    let bodies = format!(
                        r#""requestParameters":{request},"responseElements":{}"#,
                        wrap(answer)
                    );
                    row(name, &bodies)
                };
                let (only_asked, only_answered) = (of(&in_request, "null"), of("null", &in_answer));
                assert_ne!(only_asked.get(col), &Value::Null, "{name} {request}");
                assert_ne!(only_asked.get(col), only_answered.get(col), "{name} {request}");
                let lacking = of(&in_request, r#"{"other":1}"#);
                assert_eq!(lacking.get(col), only_asked.get(col), "{name} {request}");
                assert_eq!(lacking.str(Col::SettingsOrigin), Some("request"));
                let both = of(&in_request, &in_answer);
                assert_eq!(both.get(col), only_answered.get(col), "{name} {answer}");
                assert_eq!(both.str(Col::SettingsOrigin), Some("response"));
                compared += 1;
            }
        }
        assert!(compared > 120, "{compared}");
    }

    #[test]
    fn masks_are_named_by_the_projects_path() {
        let start = row(
            "StartBuild",
            &format!(
                r#""requestParameters":{{"projectName":"p","buildspecOverride":{HIDDEN},"environmentVariablesOverride":[{{"name":{HIDDEN},"value":{HIDDEN},"type":{HIDDEN}}}],"encryptionKeyOverride":{HIDDEN},"sourceAuthOverride":{HIDDEN}}}"#
            ),
        );
        assert_eq!(
            masked(&start),
            [
                "source.buildspec",
                "environment.environmentVariables",
                "encryptionKey",
                "source.auth"
            ]
        );
        assert_eq!(start.get(Col::EnvironmentVariableNames), &Value::Null);
        let project = row(
            "UpdateProject",
            &format!(
                r#""responseElements":{{"project":{{"tags":{HIDDEN},"environment":{HIDDEN},"timeoutInMinutes":{HIDDEN},"secondarySources":[{{"buildspec":{HIDDEN},"location":"l"}}]}}}}"#
            ),
        );
        assert_eq!(
            masked(&project),
            ["secondarySources[].buildspec", "timeoutInMinutes", "tags", "environment"]
        );
        assert_eq!(project.str(Col::Tags), None);
        assert!(project.misfits.is_empty());
    }

    #[test]
    fn masked_elements_are_no_texts() {
        let project = row(
            "UpdateProject",
            &format!(
                r#""responseElements":{{"project":{{"environment":{{"environmentVariables":[{HIDDEN}]}},"cache":{{"modes":[{HIDDEN},"LOCAL"]}},"secondarySources":[{HIDDEN}]}}}}"#
            ),
        );
        assert_eq!(project.get(Col::EnvironmentVariableNames), &Value::Null);
        assert_eq!(project.get(Col::SecondarySourceLocations), &Value::Null);
        assert_eq!(project.get(Col::CacheModes), &Value::List(vec![None, Some("LOCAL".into())]));
        assert_eq!(
            masked(&project),
            [
                "secondarySources",
                "secondarySources[].buildspec",
                "environment.environmentVariables",
                "cache.modes"
            ]
        );
    }

    #[test]
    fn empty_absent_and_null_lists_differ() {
        let names = |variables: &str| {
            let answer =
                format!(r#""responseElements":{{"project":{{"environment":{{{variables}}}}}}}"#);
            row("CreateProject", &answer).get(Col::EnvironmentVariableNames).clone()
        };
        assert_eq!(names(r#""environmentVariables":[]"#), Value::List(vec![]));
        assert_eq!(names(r#""environmentVariables":null"#), Value::Null);
        assert_eq!(names(""), Value::Null);
        assert_eq!(
            names(r#""environmentVariables":[{"name":"A","value":"x"},{"value":"y"}]"#),
            Value::List(vec![Some("A".into()), None])
        );
    }

    #[test]
    fn one_spelling_of_artifacts() {
        let build = row(
            "StopBuild",
            r#""responseElements":{"build":{"artifacts":{"type":"no_artifacts","packaging":"zip","namespaceType":"buildId","location":""}}}"#,
        );
        assert_eq!(build.str(Col::ArtifactsType), Some("NO_ARTIFACTS"));
        assert_eq!(build.str(Col::ArtifactsPackaging), Some("ZIP"));
        assert_eq!(build.str(Col::ArtifactsNamespaceType), Some("BUILD_ID"));
        assert_eq!(build.str(Col::ArtifactsLocation), Some(""));
    }

    #[test]
    fn what_does_not_fit_is_counted_by_path() {
        let odd = row(
            "CreateProject",
            r#""responseElements":{"project":{"timeoutInMinutes":1.5,"vpcConfig":[1],"created":"Sep 6, 2016 10:59:11 AM","cache":{"modes":{}}}}"#,
        );
        let mut paths = odd.misfits.clone();
        paths.sort();
        assert_eq!(
            paths,
            [
                "responseElements.project.cache.modes",
                "responseElements.project.created",
                "responseElements.project.timeoutInMinutes",
                "responseElements.project.vpcConfig",
            ]
        );
    }

    #[test]
    fn other_operations_have_their_columns_and_no_others() {
        let webhook = row(
            "UpdateWebhook",
            r#""requestParameters":{"projectName":"p","rotateSecret":true,"filterGroups":[[{"type":"EVENT"}]]},"responseElements":{"webhook":{"url":"u"}}"#,
        );
        assert_eq!(webhook.str(Col::WebhookUrl), Some("u"));
        assert_eq!(webhook.str(Col::WebhookFilterGroups), Some(r#"[[{"type":"EVENT"}]]"#));
        assert_eq!(webhook.get(Col::WebhookRotateSecret), &Value::Bool(true));
        let policy =
            row("PutResourcePolicy", r#""requestParameters":{"policy":"{\"Version\":\"1\"}"}"#);
        assert_eq!(policy.str(Col::ResourcePolicy), Some(r#"{"Version":"1"}"#));
        let delete = row("DeleteWebhook", r#""responseElements":{"webhook":{"url":"u"}}"#);
        assert_eq!(delete.str(Col::WebhookUrl), None);
        let visible = row(
            "UpdateProjectVisibility",
            r#""requestParameters":{"projectVisibility":"PUBLIC_READ"},"responseElements":{"projectVisibility":"PUBLIC_READ","publicProjectAlias":"a"}"#,
        );
        assert_eq!(visible.str(Col::ProjectVisibility), Some("PUBLIC_READ"));
        assert_eq!(visible.str(Col::PublicProjectAlias), Some("a"));
        assert_eq!(visible.str(Col::SettingsOrigin), Some("response"));
        let fleet = row(
            "CreateFleet",
            r#""requestParameters":{"name":"f","baseCapacity":1,"computeType":"C","vpcConfig":{"vpcId":"v"}}"#,
        );
        assert_eq!(fleet.str(Col::EnvironmentComputeType), Some("C"));
        assert_eq!(fleet.str(Col::VpcId), Some("v"));
        assert_eq!(fleet.get(Col::FleetBaseCapacity), &Value::Int(1));
        assert_eq!(row("Kind", "\"x\":1").get(Col::CommandText), &Value::Null);
    }
}
