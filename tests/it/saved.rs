//! Saved queries: that they are there, run, and answer what the log files say.

use crate::support::{buildtrail, events, sample, str, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn names() -> Vec<String> {
    let listed = buildtrail(&["queries", "--format", "json"]).exits(0).json();
    listed.as_array().unwrap().iter().map(|query| str(query, "name").to_owned()).collect()
}

/// The answer of a saved query on the sample.
fn answer(query: &str) -> Vec<Value> {
    let sample = sample("codebuild");
    let name = sample.name();
    let answer = buildtrail(&["run", query, &name, "--format", "json"]).exits(0).json();
    answer.as_array().unwrap().clone()
}

fn failed(event: &Value) -> bool {
    !event["errorCode"].is_null() || !event["errorMessage"].is_null()
}

/// Requests, failed ones, first and last time of the sample's events, by what `key` takes of each.
fn tally(key: impl Fn(&Value) -> Option<String>) -> BTreeMap<String, Value> {
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in events() {
        if let Some(key) = key(&event) {
            groups.entry(key).or_default().push(event);
        }
    }
    let counted = groups.into_iter().map(|(key, events)| {
        let times: BTreeSet<_> = events.iter().map(|event| str(event, "eventTime")).collect();
        let counts = json!({"requests": events.len(),
            "failed": events.iter().filter(|event| failed(event)).count(),
            "first_seen": times.first(), "last_seen": times.last()});
        (key, counts)
    });
    counted.collect()
}

/// The rows of an answer by `key`, with only those of the members that [`tally`] has.
fn tallied(rows: &[Value], key: &str) -> BTreeMap<String, Value> {
    let members = ["requests", "failed", "first_seen", "last_seen"];
    let of = |row: &Value| members.iter().map(|m| ((*m).to_owned(), row[m].clone())).collect();
    rows.iter().map(|row| (str(row, key).to_owned(), of(row))).collect()
}

#[test]
fn they_are_listed() {
    let listed = buildtrail(&["queries", "--format", "json"]).exits(0).json();
    for query in listed.as_array().unwrap() {
        for member in ["name", "title", "question", "sql"] {
            assert!(!str(query, member).is_empty(), "{query}");
        }
        assert!(query["parameters"].is_array(), "{query}");
    }
    let names = names();
    assert!(names.len() >= 8, "{names:?}");
    let table = buildtrail(&["queries"]).exits(0).stdout;
    assert!(names.iter().all(|name| table.contains(name.as_str())), "{table}");
}

/// The questions of the AWS page; the others are asked in `pack`.
#[test]
fn each_question_of_the_aws_page_has_an_answer() {
    for name in ["requests", "addresses", "callers", "timeline", "root-or-user"] {
        assert!(!answer(name).is_empty(), "{name}");
    }
    for name in ["temporary-credentials", "aws-services", "failures"] {
        assert!(!answer(name).is_empty(), "{name}");
    }
}

#[test]
fn parameters_are_typed_and_bound() {
    let sample = sample("codebuild");
    let name = sample.name();
    let run = |args: &[&str]| {
        buildtrail(&[&["run", "timeline", &name, "--format", "json"], args].concat())
    };
    let count = |args: &[&str]| run(args).exits(0).json().as_array().unwrap().len();
    let all = count(&[]);
    let late = count(&["--since", "2026-09-26"]);
    let early = count(&["--until", "2026-09-26T00:00:00Z"]);
    assert!(0 < late && late < all && late + early == all, "{late} {early} {all}");
    assert!(count(&["--project", "web-frontend"]) < all);
    assert!(
        buildtrail(&["run", "--project=", "timeline", &name])
            .exits(0)
            .stdout
            .contains("event_time")
    );
    // A value is a value, whatever it says.
    assert_eq!(count(&["--project=' OR 1=1 --"]), 0);
    for (args, reason) in
        [(&["--since", "soon"][..], "expected a time such as"), (&["--projct", "x"], "'--project'")]
    {
        let wrong = run(args).exits(2);
        assert!(wrong.stderr.contains(reason), "{}", wrong.stderr);
    }
    let help = buildtrail(&["run", "timeline", "--help"]).exits(0).stdout;
    assert!(help.contains("Parameters:") && help.contains("--since <TIMESTAMP>"), "{help}");
    let listed = buildtrail(&["queries", "--format", "json"]).exits(0).json();
    let listed =
        listed.as_array().unwrap().iter().find(|query| query["name"] == "timeline").unwrap();
    let expected = json!({"name": "since", "type": "timestamp", "default": null,
                          "help": "Only events at or after this time"});
    assert_eq!(listed["parameters"][0], expected);
}

#[test]
fn a_query_can_be_a_check() {
    let folder = tempfile::tempdir().unwrap();
    let own = "-- title: T\n-- question: Q?\n-- parameter: most_calls integer [3] More are too many\n\
               -- parameter: names list [] Only these\n\
               SELECT event_name FROM events WHERE $names IS NULL OR array_has($names, event_name)\n\
               GROUP BY event_name HAVING count(*) > $most_calls";
    fs::create_dir(folder.path().join("checks")).unwrap();
    fs::write(folder.path().join("checks/mine.sql"), own).unwrap();
    let sample = sample("codebuild");
    let (name, folder) = (sample.name(), text(folder.path()));
    let run = |args: &[&str]| {
        let own = ["run", "mine", &name, "--sql-dir", &folder, "--fail-on-rows", "--format", "csv"];
        buildtrail(&[&own, args].concat())
    };
    run(&[]).exits(4);
    run(&["--most-calls", "1000"]).exits(0);
    assert_eq!(run(&["--names=StartBuild,Nothing"]).exits(4).stdout, "event_name\nStartBuild\n");
    run(&["--most-calls", "many"]).exits(2);
}

#[test]
fn requests_are_counted_by_operation() {
    let expected = tally(|event| Some(str(event, "eventName").to_owned()));
    assert_eq!(tallied(&answer("requests"), "event_name"), expected);
    assert_eq!(expected["StartBuild"]["requests"], 16);
}

#[test]
fn addresses_are_those_of_the_records() {
    let expected = tally(|event| Some(str(event, "sourceIPAddress").to_owned()));
    assert_eq!(tallied(&answer("addresses"), "source_ip_address"), expected);
}

#[test]
fn failures_are_those_of_the_records() {
    let mut expected: Vec<_> = events().into_iter().filter(failed).collect();
    expected.sort_by_key(|event| {
        (str(event, "eventTime").to_owned(), str(event, "eventID").to_owned())
    });
    let members = [
        ("event_time", "eventTime"),
        ("event_name", "eventName"),
        ("error_code", "errorCode"),
        ("error_message", "errorMessage"),
        ("source_ip_address", "sourceIPAddress"),
    ];
    let rows = answer("failures");
    assert_eq!(rows.len(), expected.len());
    for (row, event) in rows.iter().zip(&expected) {
        for (column, member) in members {
            assert_eq!(row[column], event[member], "{event}");
        }
    }
}

/// The first of the page's three questions about the caller.
#[test]
fn root_or_user() {
    let of_user = |event: &Value| {
        ["Root", "IAMUser"].contains(&event["userIdentity"]["type"].as_str().unwrap_or_default())
    };
    let key = |time: &Value, name: &Value, access_key: &Value| {
        json!([time, name, access_key]).to_string()
    };
    let expected: BTreeSet<_> = events()
        .iter()
        .filter(|event| of_user(event))
        .map(|e| key(&e["eventTime"], &e["eventName"], &e["userIdentity"]["accessKeyId"]))
        .collect();
    let rows = answer("root-or-user");
    let found = rows.iter().map(|r| key(&r["event_time"], &r["event_name"], &r["access_key_id"]));
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
    assert_eq!(rows.len(), expected.len());
}

/// The second: temporary credentials of a role or federated user, by who issued them.
#[test]
fn temporary_credentials() {
    let expected = tally(|event| {
        let identity = &event["userIdentity"];
        let kinds = ["AssumedRole", "Role", "FederatedUser", "IdentityCenterUser"];
        let issuer = identity["sessionContext"]["sessionIssuer"]["arn"].as_str();
        let issuer = issuer.or_else(|| identity["arn"].as_str()).unwrap_or("nobody");
        kinds.contains(&identity["type"].as_str()?).then(|| issuer.to_owned())
    });
    let mut rows = answer("temporary-credentials");
    for row in &mut rows {
        if row["issuer"].is_null() {
            row["issuer"] = json!("nobody");
        }
    }
    assert_eq!(tallied(&rows, "issuer"), expected);
}

/// The third: another AWS service.
#[test]
fn aws_services() {
    let expected = tally(|event| {
        let identity = &event["userIdentity"];
        let by_service =
            identity["type"] == "AWSService" || event["eventType"] == "AwsServiceEvent";
        let service = identity["invokedBy"].as_str();
        let address = event["sourceIPAddress"].as_str().filter(|_| by_service);
        service.or(address).map(str::to_owned)
    });
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for row in answer("aws-services") {
        *found.entry(str(&row, "service").to_owned()).or_default() +=
            row["requests"].as_u64().unwrap();
    }
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(key, row)| (key, row["requests"].as_u64().unwrap())).collect();
    assert_eq!(found, expected);
    assert_eq!(found["codepipeline.amazonaws.com"], 5);
}

#[test]
fn the_timeline_is_of_changes_in_order() {
    let reads = ["BatchGet", "Describe", "Get", "List"];
    let is_write = |event: &&Value| {
        !reads.iter().any(|verb| str(event, "eventName").starts_with(verb))
            && event["readOnly"] != true
    };
    let mut expected: Vec<_> = events()
        .iter()
        .filter(is_write)
        .map(|event| (str(event, "eventTime").to_owned(), str(event, "eventName").to_owned()))
        .collect();
    expected.sort();
    let rows = answer("timeline");
    let found =
        rows.iter().map(|r| (str(r, "event_time").to_owned(), str(r, "event_name").to_owned()));
    let found: Vec<_> = found.collect();
    assert!(found.iter().map(|(time, _)| time).is_sorted());
    let mut found = found;
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_folder_adds_and_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let query = |title, sql| format!("-- title: {title}\n-- question: How many?\n{sql}\n");
    let count = "SELECT count(*) AS n FROM events";
    fs::write(folder.path().join("mine.sql"), query("Mine", count)).unwrap();
    fs::write(folder.path().join("requests.sql"), query("Theirs", "SELECT 7 AS n")).unwrap();
    let folder = text(folder.path());
    let sample = sample("codebuild");
    let name = sample.name();
    for (query, answer) in [("mine", 78), ("requests", 7)] {
        let run = buildtrail(&["run", query, &name, "--sql-dir", &folder, "--format", "json"]);
        assert_eq!(run.exits(0).json(), json!([{"n": answer}]), "{query}");
    }
    let listed = buildtrail(&["queries", "--sql-dir", &folder, "--format", "json"]).exits(0).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), names().len() + 1);
    let title =
        |name: &str| listed.iter().find(|query| query["name"] == name).unwrap()["title"].clone();
    assert_eq!((title("mine"), title("requests")), (json!("Mine"), json!("Theirs")));
    buildtrail(&["run", "mine", &name]).exits(1);
}

#[test]
fn a_name_that_is_nearly_right_is_answered_with_the_right_one() {
    let sample = sample("codebuild");
    let name = sample.name();
    let run = buildtrail(&["run", "reqests", &name]).exits(1);
    assert!(run.stderr.contains("`reqests`") && run.stderr.contains("did you mean `requests`?"));
    assert_eq!(run.stdout, "");
    buildtrail(&["run", "requests", "no-such-dataset"]).exits(1);
}
