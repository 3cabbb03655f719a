//! Every form in which people have CloudTrail's records gives the rows that the trail's own log files
//! give; what holds none is counted or refused with what to do.

use crate::support::{
    Dataset, buildtrail, command, dataset, events, files, gzip, log_file, run, text,
};
use base64::Engine as _;
use serde_json::{Value, json};
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

fn lines(values: impl Iterator<Item = Value>, end: &str) -> Vec<u8> {
    values.map(|value| value.to_string() + end).collect::<String>().into_bytes()
}

/// A LookupEvents answer, as the AWS command line prints it.
fn lookup(events: &[Value]) -> Value {
    let event = |event: &Value| {
        json!({"EventId": event["eventID"], "EventName": event["eventName"], "ReadOnly": "false",
               "EventTime": "2026-09-26T15:42:50+01:00", "Resources": [],
               "CloudTrailEvent": event.to_string()})
    };
    json!({"Events": events.iter().map(event).collect::<Vec<_>>(), "NextToken": "x"})
}

fn event_bridge(event: &Value) -> Value {
    json!({"version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail",
           "source": "aws.codebuild", "account": "111122223333", "time": "2026-09-26T14:42:50Z",
           "region": "us-east-1", "resources": [], "detail": event})
}

fn subscription(events: &[Value]) -> Value {
    let message = |(at, event): (usize, &Value)| json!({"id": at.to_string(), "timestamp": 1_790_433_770_000_i64, "message": event.to_string()});
    let events: Vec<_> = events.iter().enumerate().map(message).collect();
    json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
           "subscriptionFilters": ["all"], "logEvents": events})
}

fn insights(events: &[Value]) -> Value {
    let row = |event: &Value| json!([{"field": "@timestamp", "value": "t"}, {"field": "@message", "value": event.to_string()}]);
    json!({"results": events.iter().map(row).collect::<Vec<_>>(), "status": "Complete"})
}

fn csv(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).unwrap();
    rows.for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

/// The members of an archive: two log files, and what is none.
fn members(events: &[Value]) -> Vec<(&'static str, Vec<u8>)> {
    let (first, second) = events.split_at(events.len() / 2);
    let log = |events: &[Value]| json!({"Records": events}).to_string().into_bytes();
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/09/26/d.json.gz";
    vec![
        ("../up/b.json.gz", gzip(&log(second))),
        ("/root/a.json", log(first)),
        ("README.txt", b"read me".to_vec()),
        (digest, gzip(b"{}")),
    ]
}

fn tar(events: &[Value]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members(events) {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        // As a hostile archive has it: the library refuses to write such names.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, bytes.as_slice()).unwrap();
    }
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    archive.append_link(&mut link, "link.json", "/etc/passwd").unwrap();
    archive.into_inner().unwrap()
}

fn zip(events: &[Value]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members(events) {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}"
        .chars()
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// Every form of the same events.
fn forms(events: &[Value]) -> Vec<(&'static str, Vec<u8>)> {
    let whole = |value: Value| value.to_string().into_bytes();
    let each = || events.iter().cloned();
    let lambda = |events: &[Value]| {
        let packed = gzip(&whole(subscription(events)));
        json!({"awslogs": {"data": base64::prelude::BASE64_STANDARD.encode(packed)}})
    };
    let export = events.iter().map(|event| format!("2026-09-26T14:42:50.000Z {event}\n"));
    let query = |event: &Value| json!([{"eventid": "x"}, {"eventJson": event.to_string()}]);
    let sns =
        |event: Value| json!({"Type": "Notification", "Message": event_bridge(&event).to_string()});
    let firehose: Vec<u8> =
        events.chunks(3).flat_map(|some| gzip(&whole(subscription(some)))).collect();
    let lake =
        csv(&["eventID", "eventJson"], events.iter().map(|e| vec![String::new(), e.to_string()]));
    vec![
        ("list.json", whole(json!(events))),
        ("list_of_event_bridge.json", whole(events.iter().map(event_bridge).collect())),
        ("ndjson.jsonl", lines(each(), "\n")),
        ("crlf.ndjson", lines(each(), "\r\n")),
        ("back_to_back.json", lines(each(), "")),
        (
            "lookup.json",
            [whole(lookup(&events[..9])), b"\n".to_vec(), whole(lookup(&events[9..]))].concat(),
        ),
        ("event_bridge.json", lines(events.iter().map(event_bridge), "\n")),
        ("sns.json", lines(each().map(sns), "\n")),
        ("subscription.gz", gzip(&whole(subscription(events)))),
        ("firehose.json.gz", firehose.clone()),
        ("gzip_in_gzip.gz", gzip(&firehose)),
        ("lambda.json", whole(lambda(events))),
        ("filter_log_events.json", whole(json!({"events": subscription(events)["logEvents"]}))),
        ("insights.json", whole(insights(events))),
        ("export.gz", gzip(export.collect::<String>().as_bytes())),
        ("lake.csv", lake.clone()),
        ("result_1.csv.gz", gzip(&lake)),
        (
            "lake.json",
            whole(json!({"QueryResultRows": events.iter().map(query).collect::<Vec<_>>()})),
        ),
        ("logs.tar", tar(events)),
        ("logs.tgz", gzip(&tar(events))),
        ("logs.zip", zip(events)),
        ("utf16.json", utf16(&json!({"Records": events}).to_string())),
    ]
}

/// The rows of a dataset without where they come from, and the order that gives.
fn rows(dataset: &Dataset) -> Vec<String> {
    let mut rows: Vec<_> = dataset.rows();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        for origin in ["source_file", "source_record", "log_file_time"] {
            row.remove(origin);
        }
    }
    let mut rows: Vec<_> = rows.iter().map(ToString::to_string).collect();
    rows.sort();
    rows
}

#[test]
fn every_form_gives_the_same_rows() {
    let events = events();
    let folder = tempfile::tempdir().unwrap();
    let own = log_file(folder.path(), "own.json", &events);
    let expected = rows(&dataset(&[&own]));
    assert_eq!(expected.len(), events.len());
    for (name, bytes) in forms(&events) {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let alone = dataset(&[&text(&path)]);
        assert_eq!(alone.summary["records"]["read"], events.len(), "{name}: {}", alone.summary);
        assert_eq!(alone.summary["foreign"], 0, "{name}");
        assert_eq!(rows(&alone), expected, "{name}");
    }
    // Together they are the same events, each once; nothing conflicts, nothing is left over.
    let all = dataset(&[&text(folder.path())]);
    let forms = files(folder.path()).len();
    let records = &all.summary["records"];
    assert_eq!(records["written"], events.len());
    assert_eq!(records["duplicate"], events.len() * (forms - 1));
    assert_eq!((&records["conflicting"], &records["rejected"]), (&json!(0), &json!(0)));
    // Three archives of two log files, two other files each; a link in two of them.
    let counted = json!({"found": forms + 14, "read": forms + 6, "rejected": 0});
    crate::support::has(&all.summary["files"], &counted);
    assert_eq!(
        (&all.summary["files"]["skipped"]["digest"], &all.summary["files"]["skipped"]["other"]),
        (&json!(3), &json!(5))
    );
    buildtrail(&["verify", &all.name()]).exits(0);
    let again = all.convert(&[&text(folder.path())]);
    assert_eq!(again.json()["files"]["skipped"]["known"], forms);
}

#[test]
fn what_is_not_cloudtrail_s_is_counted() {
    let events = events();
    let folder = tempfile::tempdir().unwrap();
    let foreign = json!({"version": "0", "detail-type": "CodeBuild Build State Change",
                         "source": "aws.codebuild", "detail": {"build-status": "FAILED"}});
    let control = json!({"messageType": "CONTROL_MESSAGE", "logEvents":
                         [{"id": "", "message": "CWL CONTROL MESSAGE: Checking health"}]});
    let mixed =
        [event_bridge(&events[0]), foreign, control, events[1].clone(), lookup(&events[2..4])];
    let path = folder.path().join("mixed.json");
    fs::write(&path, lines(mixed.into_iter(), "\n")).unwrap();
    let mixed = dataset(&[&text(&path)]);
    assert_eq!(
        (&mixed.summary["foreign"], &mixed.summary["records"]["written"]),
        (&json!(2), &json!(4))
    );
    let told = buildtrail(&["convert", &text(&path), "--out", &Dataset::place().name()]).exits(0);
    assert!(told.stdout.contains("2 events in the files are not CloudTrail's"), "{}", told.stdout);
    // A digest is one whatever it is called.
    let digest = folder.path().join("renamed.json");
    fs::write(&digest, r#"{"digestEndTime": "2026-09-26T15:01:31Z", "logFiles": []}"#).unwrap();
    assert_eq!(dataset(&[&text(&digest)]).summary["files"]["skipped"]["digest"], 1);
}

#[test]
fn what_cannot_be_right_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let history = csv(
        &["Event name", "Event time", "User name"],
        [vec!["a".into(), "b".into(), "c".into()]].into_iter(),
    );
    let pointer = r#"{"s3Bucket": "b", "s3ObjectKey": ["k"]}"#;
    let row = json!({"QueryResultRows": [[{"eventid": "x"}]]}).to_string();
    for (name, bytes, status, reason) in [
        ("history.csv", history.as_slice(), "file", "export Event history as JSON"),
        ("pointer.json", pointer.as_bytes(), "file", "hand over the log files"),
        ("lake.parquet", b"PAR1....PAR1", "file", "Security Lake"),
        ("unknown.json", br#"{"a": 1}"#, "file", "its members are [a]"),
        ("rows.json", row.as_bytes(), "record", "SELECT eventJson"),
        ("lookup.json", br#"{"Events": [{"EventId": "x"}]}"#, "record", "`CloudTrailEvent`"),
        ("lambda.json", br#"{"awslogs": {"data": "?"}}"#, "file", "is no base64"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let place = Dataset::place();
        let run =
            buildtrail(&["convert", &text(&path), "--out", &place.name(), "--format", "json"]);
        let run = run.exits(3);
        assert!(run.stderr.contains(reason), "{name}: {}", run.stderr);
        let summary = run.json();
        let rejected = (&summary["files"]["rejected"], &summary["records"]["rejected"]);
        let (file, record) = if status == "file" { (1, 0) } else { (0, 1) };
        assert_eq!(rejected, (&json!(file), &json!(record)), "{name}");
        buildtrail(&["verify", &place.name()]).exits(0);
    }
}

#[test]
fn standard_input_is_known_by_its_bytes() {
    let events = events();
    let place = Dataset::place();
    let name = place.name();
    let pipe =
        |text: &str| run(command(&["convert", "-", "--out", &name, "--format", "json"]), text);
    let text = json!({"Records": events}).to_string();
    assert_eq!(pipe(&text).exits(0).json()["records"]["written"], events.len());
    assert_eq!(pipe(&text).exits(0).json()["files"]["skipped"]["known"], 1);
    let more = text.replacen(":[{", ":[7,{", 1);
    let other = pipe(&more).exits(3).json();
    assert_eq!(
        (&other["records"]["duplicate"], &other["records"]["rejected"]),
        (&json!(events.len()), &json!(1))
    );
    buildtrail(&["verify", &name]).exits(0);
    let named = place.sql("SELECT DISTINCT source_file LIKE 'stdin-%' AS n FROM events");
    assert_eq!(named, json!([{"n": true}]));
}

#[test]
fn an_archive_s_bad_member_is_named_and_can_be_read_again() {
    let events = events();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs.zip");
    let write = |bad: &[u8]| {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let good = json!({"Records": &events[..3]}).to_string();
        for (name, bytes) in
            [("good.json", good.as_bytes()), ("bad.json", bad), ("empty.json", b"")]
        {
            archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        fs::write(&path, archive.finish().unwrap().into_inner()).unwrap();
    };
    let place = Dataset::place();
    let convert = |args: &[&str]| {
        buildtrail(&[&["convert", "--out", &place.name(), "--format", "json"], args].concat())
    };
    write(b"{\"Records\":[{]}");
    let run = convert(&[&text(&path)]).exits(3);
    let member = format!("{}!bad.json: ", text(&path));
    assert!(run.stderr.contains(&member), "{}", run.stderr);
    assert_eq!(
        (&run.json()["records"]["written"], &run.json()["files"]["skipped"]["empty"]),
        (&json!(3), &json!(1))
    );
    buildtrail(&["verify", &place.name()]).exits(0);
    write(json!({"Records": &events[3..5]}).to_string().as_bytes());
    assert_eq!(convert(&["--retry-rejected"]).exits(0).json()["records"]["written"], 2);
    buildtrail(&["verify", &place.name()]).exits(0);
    // Cut in the middle, a tar gives what came before.
    let cut = folder.path().join("cut.tar");
    let whole = tar(&events);
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let run = convert(&[&text(&cut)]).exits(3);
    assert!(run.stderr.contains("cut.tar"), "{}", run.stderr);
    assert!(!Path::new("/root/a.json").exists());
}

#[test]
fn what_inflates_beyond_measure_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = json!({"Records": &events()[..1]}).to_string();
    let bomb = gzip(format!("{good}{}", " ".repeat(70 << 20)).as_bytes());
    for (name, bytes) in [("a.gz", bomb.clone()), ("b.gz", gzip(&bomb))] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let place = Dataset::place();
        let convert = |args: &[&str]| {
            buildtrail(
                &[&["convert", &text(&path), "--out", &place.name(), "--format", "json"], args]
                    .concat(),
            )
        };
        let refused = convert(&[]).exits(3);
        assert!(refused.stderr.contains("--max-ratio"), "{}", refused.stderr);
        // What came before the limit counts.
        assert_eq!(refused.json()["records"]["written"], 1);
        let place = Dataset::place();
        let allowed = ["convert", &text(&path), "--out", &place.name(), "--max-ratio", "100000"];
        buildtrail(&allowed).exits(0);
        buildtrail(&[&allowed[..], &["--max-file-size", "1MB"]].concat()).exits(0);
    }
    let plain = folder.path().join("large.json");
    fs::write(&plain, &good).unwrap();
    let place = Dataset::place();
    let run =
        buildtrail(&["convert", &text(&plain), "--out", &place.name(), "--max-file-size", "100B"]);
    assert!(run.exits(3).stderr.contains("--max-file-size"));
}
