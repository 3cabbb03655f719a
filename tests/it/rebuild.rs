//! Nothing is lost: from a row alone its record is built again, member by member.

use crate::support::{Dataset, ROOT, SAMPLE, dataset, log_files, str, text};
use buildtrail::schema::{COLUMNS, Group};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Parses JSON text. `serde_json` refuses a lone surrogate: for the one that the sample has, both
/// sides of a comparison have the replacement character.
fn parse(text: &str) -> Value {
    serde_json::from_str(&text.replace(r"\ud83d ", r"\ufffd "))
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The record of a row: from its typed columns and JSON text, then from `extra`, which overrides.
fn rebuilt(row: &Value) -> Value {
    let mut record = Map::new();
    let mut extra = Value::Null;
    for column in COLUMNS {
        let value = match (column.group, &row[column.name]) {
            (_, Value::Null) => continue,
            (Group::Record, Value::Bool(value))
                if column.source == "sessionCredentialFromConsole" =>
            {
                json!(value.to_string())
            }
            (Group::Record, value) => value.clone(),
            (Group::JsonText, value) => parse(value.as_str().unwrap()),
            _ => continue,
        };
        match column.source.split_once('.') {
            // What `resources` has already.
            _ if column.source.contains("[]") => {}
            Some((member, part)) => record.entry(member).or_insert(json!({}))[part] = value,
            None if column.source.starts_with('(') => extra = value,
            None => _ = record.insert(column.source.to_owned(), value),
        }
    }
    if let Value::Object(extra) = extra {
        record.extend(extra);
    }
    Value::Object(record)
}

/// A record without its top-level nulls: the one difference that is not kept.
fn without_nulls(mut record: Value) -> Value {
    record.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    record
}

/// Fails unless every row rebuilds the record at its place; the number of rows.
fn check(dataset: &Dataset, sources: &BTreeMap<String, Vec<Value>>) -> usize {
    let rows = dataset.rows();
    for row in &rows {
        let number = usize::try_from(row["source_record"].as_u64().unwrap()).unwrap();
        let source = sources[str(row, "source_file")][number].clone();
        assert_eq!(rebuilt(row), without_nulls(source), "record {number}");
    }
    rows.len()
}

#[test]
fn every_record_is_rebuilt() {
    let odd = "data/malformed/odd_values.json";
    let mut sources = log_files();
    let text = fs::read_to_string(Path::new(ROOT).join(odd)).unwrap();
    let records = parse(&text)["Records"].take();
    sources.insert(odd.to_owned(), serde_json::from_value(records).unwrap());
    let dataset = dataset(&[SAMPLE, odd, "--keep", "all", "--redact", "none"]);
    assert_eq!(check(&dataset, &sources), 96 + 13);
    // The parts of this test have something to do.
    let rows = dataset.rows();
    let some = |column: &str| rows.iter().any(|row| !row[column].is_null());
    for column in ["session_credential_from_console", "tls_version", "addendum_reason", "extra"] {
        assert!(some(column), "{column}");
    }
}

#[test]
fn the_bytes_of_bodies_are_the_sources_own() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    let bodies = [
        ("userIdentity", "user_identity", r#"{ "type" : "IAMUser",  "x":1.50e1, "x":[ ] }"#),
        ("requestParameters", "request_parameters", r#"{"b":"\u00fc\/","a":{"":null}}"#),
        ("responseElements", "response_elements", "\"HIDDEN_DUE_TO_SECURITY_REASONS\""),
        ("additionalEventData", "additional_event_data", r"[1, 2,	3]"),
        ("serviceEventDetails", "service_event_details", r#""\ud83d and \udc00""#),
        ("resources", "resources", r#"[{"ARN" :"x"} , {} ]"#),
    ];
    let members = bodies.map(|(member, _, body)| format!("\"{member}\": {body}")).join(" ,\n");
    fs::write(&log, format!("{{\"Records\":[{{{members},\"newMember\":{{\"z\":1, \"z\":2}}}}]}}"))
        .unwrap();
    let row = dataset(&[&text(&log), "--keep", "all", "--redact", "none"]).rows().remove(0);
    for (_, column, body) in bodies {
        assert_eq!(row[column], body);
    }
    assert_eq!(row["extra"], "{\"newMember\":{\"z\":1, \"z\":2}}");
}

/// Every operation that the tool knows, and some that it does not.
const OPERATIONS: &[&str] = &[
    "BatchDeleteBuilds",
    "BatchGetBuildBatches",
    "BatchGetBuilds",
    "BatchGetCommandExecutions",
    "BatchGetFleets",
    "BatchGetProjects",
    "BatchGetReportGroups",
    "BatchGetReports",
    "BatchGetSandboxes",
    "BatchPutCodeCoverages",
    "BatchPutTestCases",
    "CreateFleet",
    "CreateProject",
    "CreateReport",
    "CreateReportGroup",
    "CreateWebhook",
    "DeleteBuildBatch",
    "DeleteFleet",
    "DeleteOAuthToken",
    "DeleteProject",
    "DeleteReport",
    "DeleteReportGroup",
    "DeleteResourcePolicy",
    "DeleteSourceCredentials",
    "DeleteWebhook",
    "DescribeCodeCoverages",
    "DescribeTestCases",
    "GetReportGroupTrend",
    "GetResourcePolicy",
    "ImportSourceCredentials",
    "InvalidateProjectCache",
    "ListBuildBatches",
    "ListBuildBatchesForProject",
    "ListBuilds",
    "ListBuildsForProject",
    "ListCommandExecutionsForSandbox",
    "ListConnectedOAuthAccounts",
    "ListCuratedEnvironmentImages",
    "ListFleets",
    "ListProjects",
    "ListReportGroups",
    "ListReports",
    "ListReportsForReportGroup",
    "ListRepositories",
    "ListSandboxes",
    "ListSandboxesForProject",
    "ListSharedProjects",
    "ListSharedReportGroups",
    "ListSourceCredentials",
    "PersistOAuthToken",
    "PutResourcePolicy",
    "RetryBuild",
    "RetryBuildBatch",
    "StartBuild",
    "StartBuildBatch",
    "StartCommandExecution",
    "StartSandbox",
    "StartSandboxConnection",
    "StopBuild",
    "StopBuildBatch",
    "StopSandbox",
    "UpdateFleet",
    "UpdateProject",
    "UpdateProjectVisibility",
    "UpdateReport",
    "UpdateReportGroup",
    "UpdateWebhook",
    "TeleportBuild",
    "",
];

/// Forms of a time, good and bad.
const TIMES: &[&str] = &[
    "2026-09-25T10:02:41Z",
    "2026-09-25T10:02:41.000Z",
    "2026-09-25T10:02:41.123456789Z",
    "2026-09-25T12:02:41+02:00",
    "2026-09-25t10:02:41z",
    "2026-09-25T10:02:41",
    "2026-09-25 10:02:41Z",
    "20260925T100241Z",
    "2026-02-30T00:00:00Z",
    "2026-09-25T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1790433770",
    "Sep 6, 2016 10:59:11\u{202f}AM",
    "",
];

/// Names that the tables of the flattening look for inside a record, mixed at random.
const NAMES: &[&str] = &[
    "name",
    "names",
    "id",
    "ids",
    "arn",
    "ARN",
    "type",
    "projectName",
    "project",
    "build",
    "buildBatch",
    "fleet",
    "webhook",
    "sandbox",
    "environment",
    "environmentVariables",
    "source",
    "auth",
    "location",
    "artifacts",
    "vpcConfig",
    "subnets",
    "tags",
    "created",
    "timeoutInMinutes",
    "awsActId",
    "userName",
    "sessionContext",
    "sessionIssuer",
    "attributes",
    "creationDate",
    "mfaAuthenticated",
    "invokedBy",
];

/// The members of a record that have a column of their own or are kept whole, and the parts of those
/// whose parts are columns.
fn members() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut members: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for column in COLUMNS.iter().filter(|column| !column.source.starts_with('(')) {
        if matches!(column.group, Group::Record | Group::JsonText) && !column.source.contains("[]")
        {
            let (member, part) = column.source.split_once('.').unwrap_or((column.source, ""));
            members.entry(member).or_default().push(part);
        }
    }
    members
}

fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "(?s).{0,8}",
        1 => select(TIMES).prop_map(str::to_owned),
        2 => select(&["true", "TRUE", "false", "10", "1.5", "HIDDEN_DUE_TO_SECURITY_REASONS", "***"][..])
            .prop_map(str::to_owned),
        2 => select(&["arn:aws:codebuild:r:1:project/p", "arn:aws:codebuild:r:1:build/p:u", "p:u",
                      "arn:aws:sts::1:assumed-role/r/AWSCodeBuild-x"][..])
            .prop_map(str::to_owned),
    ]
    .boxed()
}

fn any_value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    let name = prop_oneof![3 => select(NAMES).prop_map(str::to_owned), 1 => "(?s).{0,4}"];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

/// A value for a member: mostly of CloudTrail's own type, at times of any other.
fn member_value(member: &'static str, parts: &[&'static str]) -> BoxedStrategy<Value> {
    let own = match member {
        "eventTime" => select(TIMES).prop_map(Value::from).boxed(),
        "eventName" => select(OPERATIONS).prop_map(Value::from).boxed(),
        "eventSource" => {
            prop_oneof![4 => Just("codebuild.amazonaws.com"), 1 => Just("s3.amazonaws.com")]
                .prop_map(Value::from)
                .boxed()
        }
        "readOnly" | "managementEvent" => any::<bool>().prop_map(Value::from).boxed(),
        "sessionCredentialFromConsole" => {
            select(&["true", "false", "True"][..]).prop_map(Value::from).boxed()
        }
        _ if parts != [""] => {
            let some = subsequence(parts.to_vec(), 0..=parts.len());
            let values = proptest::collection::vec(
                prop_oneof![8 => any_text().prop_map(Value::from), 1 => any_value()],
                parts.len(),
            );
            let more = proptest::option::weighted(0.2, any_value());
            (some, values, more)
                .prop_map(|(names, values, more)| {
                    let known = names.into_iter().map(str::to_owned).zip(values);
                    known.chain(more.map(|value| ("newPart".to_owned(), value))).collect()
                })
                .boxed()
        }
        _ => any_text().prop_map(Value::from).boxed(),
    };
    let body = parts == [""] && member.chars().next().is_some_and(char::is_lowercase);
    let any = if body { 2 } else { 1 };
    prop_oneof![5 => own, any => any_value()].boxed()
}

fn any_record() -> impl Strategy<Value = Value> {
    let members: Vec<_> = members().into_iter().collect();
    let values: Vec<_> = members.iter().map(|(name, parts)| member_value(name, parts)).collect();
    let names: Vec<_> = members.iter().map(|(name, _)| (*name).to_owned()).collect();
    let present = proptest::collection::vec(proptest::bool::weighted(0.7), names.len());
    let unknown = proptest::collection::btree_map("[a-zA-Z\u{e9}\"\\\\]{1,6}", any_value(), 0..3);
    (values, present, unknown).prop_map(move |(values, present, unknown)| {
        let known = names.iter().cloned().zip(values).zip(present);
        let known = known.filter_map(|(member, present)| present.then_some(member));
        known.chain(unknown).collect()
    })
}

proptest! {
    // A case is a run of the binary over many records.
    #![proptest_config(ProptestConfig {
        cases: 10, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn any_record_is_rebuilt(
        records in proptest::collection::vec(any_record(), 40),
        operations in proptest::collection::vec(any::<Index>(), 40),
    ) {
        let mut records = records;
        // Every operation comes up within few cases.
        for (record, operation) in records.iter_mut().zip(operations) {
            record["eventName"] = json!(operation.get(OPERATIONS));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.json");
        let log = json!({"Records": records}).to_string();
        fs::write(&path, &log).unwrap();
        let args = ["--keep", "all", "--redact", "none", "--partition-by", "year"];
        let place = Dataset::place();
        let summary = place.convert(&[&[text(&path).as_str()], &args[..]].concat()).exits(0).json();
        // The records as written, for a number's text may be longer than the number.
        let written = serde_json::from_value(parse(&log)["Records"].take()).unwrap();
        let rows = check(&place, &BTreeMap::from([(text(&path), written)]));
        let counts = &summary["records"];
        prop_assert_eq!(&counts["written"], &json!(rows));
        let accounted = rows as u64 + counts["duplicate"].as_u64().unwrap();
        prop_assert_eq!((accounted, &counts["rejected"]), (40, &json!(0)));
    }
}
