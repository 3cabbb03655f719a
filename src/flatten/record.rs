//! One record: its top-level members as text, and the columns of the group `record`.
//!
//! The columns' own sources in [`schema`](crate::schema) drive it: a member is a column, an object
//! whose parts are columns, or a body kept as JSON text. What has no column, or what a typed column
//! could not give back, goes to `extra`: together they rebuild the record. It refuses only what is
//! no JSON object; no member is required.

use crate::flatten::coerce::{self, Coerced};
use crate::flatten::row::{Row, Value};
use crate::json::{self, Json, Names};
use crate::schema::{COLUMNS, Col, Column, Group, Kind};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// The top-level members of one record.
#[derive(Debug)]
pub(crate) struct Record<'a, 't> {
    /// The text of the whole record.
    pub(crate) text: &'a str,
    members: Vec<Member<'a, 't>>,
    /// Where the members that have a plan are, by the plan's number.
    planned: [Option<u32>; MOST_PLANS],
    repeated: Vec<String>,
}

/// A member; of several with one name, the last.
#[derive(Debug)]
struct Member<'a, 't> {
    name: Cow<'a, str>,
    /// The name as the record spells it.
    raw_name: &'a str,
    value: Json<'a, 't>,
    plan: Option<usize>,
}

/// Plans there are at most.
const MOST_PLANS: usize = 48;

impl<'a, 't> Record<'a, 't> {
    /// The record that a value is; `None` where it is no object.
    pub(crate) fn new(value: Json<'a, 't>) -> Option<Self> {
        if !value.is_object() {
            return None;
        }
        let members = Vec::with_capacity(32);
        let planned = [None; MOST_PLANS];
        let mut record = Self { text: value.raw(), members, planned, repeated: Vec::new() };
        let mut others: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for (name, value) in value.members() {
            let raw_name = name.raw();
            let name = name.key();
            let plan = PLANS.names.find(&name);
            let place = match plan {
                Some(plan) => record.place(plan),
                None => others.get(&name).copied(),
            };
            if let Some(known) = place.and_then(|place| record.members.get_mut(place)) {
                (known.raw_name, known.value) = (raw_name, value);
                record.repeated.push(name.into_owned());
                continue;
            }
            let place = record.members.len();
            match plan.map(|plan| record.planned.get_mut(plan)) {
                Some(Some(planned)) => *planned = u32::try_from(place).ok(),
                _ => drop(others.insert(name.clone(), place)),
            }
            record.members.push(Member { name, raw_name, value, plan });
        }
        Some(record)
    }

    /// Where the member is that has a plan.
    fn place(&self, plan: usize) -> Option<usize> {
        usize::try_from(self.planned.get(plan).copied()??).ok()
    }

    /// A top-level member that has a plan, unless it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'a, 't>> {
        let place = PLANS.names.find(name).and_then(|plan| self.place(plan));
        let found = place.and_then(|place| self.members.get(place));
        found.map(|member| member.value).filter(|value| !value.is_null())
    }

    /// The string in a top-level member.
    pub(crate) fn string(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(|value| value.string())
    }
}

/// What a top-level member becomes.
#[derive(Debug)]
enum Plan {
    /// One typed column.
    Cell(Col),
    /// An object whose members are columns: member name, column.
    Parts(Vec<(&'static str, Col)>),
    /// A body, kept as JSON text.
    Body(Col),
}

/// Top-level members and what they become, made from the columns' sources.
struct Plans {
    names: Names,
    plans: Vec<Plan>,
}

static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    let mut plans = BTreeMap::new();
    for (col, column) in Col::ALL.iter().zip(COLUMNS) {
        match column.group {
            Group::Record => plan_cell(&mut plans, *col, column),
            Group::JsonText if !column.source.starts_with('(') => {
                plans.insert(column.source, Plan::Body(*col));
            }
            _ => {}
        }
    }
    Plans { names: Names::new(plans.keys().copied()), plans: plans.into_values().collect() }
});

fn plan_cell(plans: &mut BTreeMap<&'static str, Plan>, col: Col, column: &Column) {
    if column.source.contains("[]") {
        return; // `resource_arns`, read from the body `resources`
    }
    let Some((member, part)) = column.source.split_once('.') else {
        plans.insert(column.source, Plan::Cell(col));
        return;
    };
    match plans.entry(member).or_insert_with(|| Plan::Parts(Vec::new())) {
        Plan::Parts(parts) => parts.push((part, col)),
        Plan::Cell(_) | Plan::Body(_) => {}
    }
}

/// Fills the groups `record` and `json text`.
pub(crate) fn fill<'a>(record: &Record<'a, '_>, row: &mut Row<'a>) {
    let mut extra = String::new();
    for Member { name, raw_name, value, plan } in &record.members {
        if value.is_null() {
            continue;
        }
        let kept = match plan.and_then(|plan| PLANS.plans.get(plan)) {
            Some(Plan::Cell(col)) => fill_cell(*col, &|| name.to_string(), *value, row),
            Some(Plan::Parts(parts)) => fill_parts(parts, name, *value, row),
            Some(Plan::Body(col)) => {
                row.set(*col, Value::text(value.raw()));
                true
            }
            None => false,
        };
        if !kept {
            extra.push(if extra.is_empty() { '{' } else { ',' });
            extra.push('"');
            extra.push_str(raw_name);
            extra.push_str("\":");
            extra.push_str(value.raw());
        }
    }
    if !extra.is_empty() {
        extra.push('}');
        row.set(Col::Extra, Value::text(extra));
    }
    row.misfits.extend(record.repeated.iter().map(|name| format!("{name} (repeated member)")));
    fill_resource_arns(record, row);
}

/// Fills one typed column; whether the column alone gives the member back.
fn fill_cell<'a>(
    col: Col,
    path: &dyn Fn() -> String,
    value: Json<'a, '_>,
    row: &mut Row<'a>,
) -> bool {
    let kind = col.column().kind;
    if col == Col::EventTime {
        let text = value.string().unwrap_or_default();
        let time = coerce::event_time(&text);
        if time.is_none() {
            row.misfits.push(path());
        }
        row.set(col, time.map_or(Value::Null, Value::Time));
        return coerce::canonical_time(&text).is_some();
    }
    if col == Col::AddendumUpdatedFields && value.is_list() {
        // One text in the records seen; a list would be the other way to write several names.
        let names: Vec<_> = value.elements().filter_map(|element| element.string()).collect();
        row.set(col, Value::text(names.join(",")));
        return false;
    }
    match coerce::coerce(value, kind) {
        Coerced::Value(value) => row.set(col, value),
        Coerced::Null => {}
        Coerced::Misfit => row.misfits.push(path()),
    }
    gives_back(col, kind, value)
}

/// Whether a column's value rebuilds exactly the text: CloudTrail's own JSON type of the member, and
/// text that UTF-8 can hold.
fn gives_back(col: Col, kind: Kind, value: Json<'_, '_>) -> bool {
    match kind {
        Kind::Text => {
            value.is_string() && !(value.is_escaped() && json::has_lone_surrogate(value.raw()))
        }
        Kind::Bool if col == Col::SessionCredentialFromConsole => {
            matches!(value.raw(), "\"true\"" | "\"false\"")
        }
        Kind::Bool => matches!(value.raw(), "true" | "false"),
        _ => false,
    }
}

/// Fills the columns of an object's members; whether they alone give the object back.
fn fill_parts<'a>(
    parts: &[(&'static str, Col)],
    path: &str,
    object: Json<'a, '_>,
    row: &mut Row<'a>,
) -> bool {
    if !object.is_object() {
        row.misfits.push(path.to_owned());
        return false;
    }
    let mut seen = Vec::new();
    let mut kept = true;
    for (name, value) in object.members() {
        let Some((part, col)) = parts.iter().find(|(part, _)| name.is(part)) else {
            kept = false;
            continue;
        };
        row.set(*col, Value::Null); // of duplicate members the last counts
        let path = || format!("{path}.{part}");
        kept &= fill_cell(*col, &path, value, row) && !seen.contains(part);
        seen.push(*part);
    }
    kept && !seen.is_empty()
}

fn fill_resource_arns<'a>(record: &Record<'a, '_>, row: &mut Row<'a>) {
    let Some(resources) = record.get("resources") else { return };
    if !resources.is_list() {
        row.misfits.push("resources".to_owned());
        return;
    }
    let arn = |element: Json<'a, '_>| {
        coerce::text(element.member("ARN").or_else(|| element.member("arn"))?)
    };
    row.set(Col::ResourceArns, Value::List(resources.elements().map(arn).collect()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Kernel as _, Tape, leaked};
    use crate::log_file::scan::{Glance, Sight, glance};
    use crate::scope::CODEBUILD;
    use proptest::prelude::*;

    fn filled(text: &'static str) -> Row<'static> {
        let mut row = Row::new();
        fill(&Record::new(leaked(text)).unwrap(), &mut row);
        row
    }

    #[test]
    fn only_objects_are_records() {
        for text in ["1", "\"x\"", "null", "[]", "true"] {
            assert!(Record::new(leaked(text)).is_none(), "{text}");
        }
        assert!(Record::new(leaked("{}")).is_some());
        assert!(PLANS.plans.len() <= MOST_PLANS);
    }

    #[test]
    fn members_become_columns() {
        let row = filled(
            r#"{"eventTime":"2026-09-26T14:42:50Z","eventName":"StartBuild","readOnly":false,
            "sessionCredentialFromConsole":"true","requestParameters":{"a": 1.0},
            "tlsDetails":{"tlsVersion":"TLSv1.3"},"resources":[{"ARN":"x"},{"arn":"y"},{}],
            "errorCode":null}"#,
        );
        assert_eq!(row.get(Col::EventTime), &Value::Time(1_790_433_770_000));
        assert_eq!(row.str(Col::EventName), Some("StartBuild"));
        assert_eq!(row.get(Col::ReadOnly), &Value::Bool(false));
        assert_eq!(row.get(Col::SessionCredentialFromConsole), &Value::Bool(true));
        assert_eq!(row.str(Col::RequestParameters), Some(r#"{"a": 1.0}"#));
        assert_eq!(row.str(Col::TlsVersion), Some("TLSv1.3"));
        assert_eq!(row.get(Col::ErrorCode), &Value::Null);
        assert_eq!(row.get(Col::Extra), &Value::Null);
        assert_eq!(
            row.get(Col::ResourceArns),
            &Value::List(vec![Some("x".into()), Some("y".into()), None])
        );
    }

    #[test]
    fn what_a_column_cannot_give_back_is_in_extra() {
        for (member, misfits) in [
            (r#""eventTime":"2026-09-26T14:42:50.5+01:00""#, 0),
            (r#""eventTime":"yesterday""#, 1),
            (r#""eventTime":7"#, 1),
            (r#""eventName":5"#, 0),
            (r#""readOnly":"true""#, 0),
            (r#""sessionCredentialFromConsole":true"#, 0),
            (r#""userAgent":"\ud83d""#, 0),
            (r#""userAgent":{"a":1}"#, 1),
            (r#""tlsDetails":{}"#, 0),
            (r#""tlsDetails":{"tlsVersion":"x","new":1}"#, 0),
            (r#""tlsDetails":{"tlsVersion":null}"#, 0),
            (r#""tlsDetails":"HIDDEN""#, 1),
            (r#""newMember":{"a":[1,2 ]}"#, 0),
        ] {
            let text: &'static str = format!("{{{member},\"eventID\":\"e\"}}").leak();
            let row = filled(text);
            assert_eq!(row.str(Col::Extra), Some(format!("{{{member}}}").as_str()));
            assert_eq!(row.misfits.len(), misfits, "{member}");
        }
    }

    #[test]
    fn many_members_are_still_told_apart() {
        let members: Vec<_> = (0..200).map(|n| format!("\"m{}\":{n}", n % 150)).collect();
        let text =
            format!("{{{},\"event\\u004eame\":\"X\",\"eventName\":null}}", members.join(","));
        let record = Record::new(leaked(&text)).unwrap();
        assert_eq!(record.members.len(), 151);
        assert_eq!(record.repeated.len(), 51);
        assert_eq!(record.members[49].value.raw(), "199");
        assert_eq!(record.members[50].value.raw(), "50");
        assert!(record.get("eventName").is_none());
    }

    #[test]
    fn of_duplicate_members_the_last_counts() {
        let row = filled(r#"{"eventName":"A","eventName":"B"}"#);
        assert_eq!(row.str(Col::EventName), Some("B"));
        assert_eq!(row.misfits, ["eventName (repeated member)"]);
        assert_eq!(row.get(Col::Extra), &Value::Null);
    }

    proptest! {
        /// Whatever is hidden in it: what a glance calls another's, reading it whole does, too.
        #[test]
        fn a_glance_is_never_wrong(
            members in proptest::collection::vec((
                proptest::sample::select(vec![
                    "eventSource", "event\\u0053ource", "x", "\\\"eventSource", "eventSource\\\"",
                ]),
                proptest::sample::select(vec![
                    "\"codebuild.amazonaws.com\"", "\"\\u0063odebuild.amazonaws.com\"", "null", "",
                    "\"s3.amazonaws.com\"", "{\"eventSource\":\"codebuild.amazonaws.com\"}", "[\"}\"]",
                    "\"\\\\\"", "\"\\\",\\\"eventSource\\\":\\\"codebuild.amazonaws.com\\\"\"", "{]", "1", "\\", "\\\"", "}", "[1,{}]",
                ]),
                proptest::sample::select(vec![",", "", " , ", ",,"]),
            ), 0..6),
        ) {
            let members = members.iter().map(|(name, value, end)| format!("\"{name}\":{value}{end}"));
            let text = format!("{{{}}}", members.collect::<String>());
            let glanced = glance(text.as_bytes(), 0);
            let narrow = Glance { bytes: text.as_bytes(), begin: 0 }.look(json::Narrow);
            prop_assert_eq!(narrow, glanced);
            if let Some((end, _)) = glanced {
                prop_assert_eq!(json::skip_value(text.as_bytes(), 0), Some(end));
            }
            if let Some((end, Sight::Other)) = glanced {
                let whole = text.get(..end).unwrap();
                let mut tape = Tape::default();
                if let Some(document) = tape.read(whole) {
                    let record = Record::new(document.value()).unwrap();
                    let source = record.string("eventSource");
                    prop_assert!(source.as_deref() != Some(CODEBUILD), "{}", whole);
                }
            }
        }
    }
}
