//! Records inside what others wrap around them, files that only look like log files, and text files of
//! other systems: what is whole is read, what is not is said with what to do.

use crate::s3::Server;
use crate::support::{
    Dataset, buildtrail, command, dataset, events, gzip, has, log_file, run, sample, text,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt as _, PutPayload};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn lines(values: impl Iterator<Item = Value>) -> Vec<u8> {
    values.map(|value| value.to_string() + "\n").collect::<String>().into_bytes()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn event_bridge(event: &Value) -> Value {
    json!({"version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail",
           "source": "aws.codebuild", "account": "111122223333", "detail": event})
}

fn csv(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).unwrap();
    rows.for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

/// A list of a member for each event.
fn list(name: &str, events: &[Value], element: impl Fn(&Value) -> Value) -> Vec<u8> {
    let elements: Vec<_> = events.iter().map(element).collect();
    bytes(&json!({ name: elements }))
}

/// The same events in everything that wraps them.
#[expect(clippy::too_many_lines, reason = "a table: one entry a carrier")]
fn wrapped(events: &[Value]) -> Vec<(&'static str, Vec<u8>)> {
    let each = || events.iter();
    let message = |event: &Value| json!({"id": "1", "message": event.to_string()});
    let subscription = |event: &Value| {
        let events = [message(event)];
        gzip(&bytes(&json!({"messageType": "DATA_MESSAGE", "logEvents": events})))
    };
    let sqs = |body: String| {
        json!({"messageId": "m", "receiptHandle": "h", "body": body, "attributes": {},
               "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:q",
               "awsRegion": "us-east-1"})
    };
    let sns = |event: &Value| {
        json!({"Type": "Notification", "Message": event_bridge(event).to_string()}).to_string()
    };
    let elastic = |event: &Value| {
        json!({"_index": "i", "_source": {"@timestamp": "t", "aws": {"cloudtrail": {}},
               "event": {"original": event.to_string(), "action": "x"}}})
    };
    let splunk = |event: &Value| json!({"_raw": event.to_string(), "host": "h", "eventName": "lost", "eventVersion": "0"});
    let found: Vec<_> = each().map(elastic).collect();
    vec![
        ("lambda_sqs.json", list("Records", events, |e| sqs(event_bridge(e).to_string()))),
        ("lambda_sqs_sns.json", list("Records", events, |e| sqs(sns(e)))),
        (
            "lambda_sns.json",
            list("Records", events, |e| {
                json!({"EventSource": "aws:sns", "EventVersion": "1.0",
                       "Sns": {"Message": event_bridge(e).to_string()}})
            }),
        ),
        (
            "lambda_kinesis.json",
            list("Records", events, |e| {
                json!({"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": "shard:1",
                       "eventName": "aws:kinesis:record",
                       "kinesis": {"data": base64(subscription(e)), "partitionKey": "k"}})
            }),
        ),
        (
            "kinesis.json",
            list(
                "Records",
                events,
                |e| json!({"SequenceNumber": "1", "Data": base64(e.to_string()), "PartitionKey": "k"}),
            ),
        ),
        (
            "sqs.json",
            list(
                "Messages",
                events,
                |e| json!({"MessageId": "m", "ReceiptHandle": "h", "Body": event_bridge(e).to_string()}),
            ),
        ),
        (
            "firehose_http.json",
            list("records", events, |e| json!({"data": base64(subscription(e))})),
        ),
        (
            "firehose_failed.json",
            lines(each().map(|e| {
                json!({"attemptsMade": 4, "errorCode": "Lambda.FunctionError",
                       "rawData": base64(e.to_string())})
            })),
        ),
        (
            "splunk.json",
            lines(each().map(|e| json!({"preview": false, "offset": 0, "result": splunk(e)}))),
        ),
        ("splunk_results.json", list("results", events, splunk)),
        ("cribl.ndjson", lines(each().map(splunk))),
        (
            "splunk.csv",
            csv(&["_time", "_raw"], each().map(|e| vec!["t".to_owned(), e.to_string()])),
        ),
        ("elastic.ndjson", lines(each().map(elastic))),
        ("elastic.json", bytes(&json!({"took": 1, "hits": {"total": 1, "hits": found}}))),
        (
            "filebeat.ndjson",
            lines(each().map(|e| json!({"@timestamp": "t", "message": e.to_string()}))),
        ),
        ("fluent_bit.ndjson", lines(each().map(|e| json!({"date": 1, "log": e.to_string()})))),
        (
            "insights.csv",
            csv(&["@timestamp", "@message"], each().map(|e| vec!["t".to_owned(), e.to_string()])),
        ),
        ("athena.csv", csv(&["any name"], each().map(|e| vec![e.to_string()]))),
        (
            "insights_console.json",
            bytes(&each().map(|e| json!({"@timestamp": "t", "@message": e})).collect()),
        ),
        ("texts.json", bytes(&each().map(|e| json!(e.to_string())).collect())),
        ("log.json.zst", zstd::encode_all(&*bytes(&json!({"Records": events})), 0).unwrap()),
    ]
}

fn ids(place: &Dataset) -> BTreeSet<String> {
    place.rows().iter().map(|row| row["event_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_wraps_records_gives_them() {
    let events = events();
    let folder = tempfile::tempdir().unwrap();
    let expected: BTreeSet<_> =
        events.iter().map(|event| event["eventID"].as_str().unwrap().to_owned()).collect();
    for (name, bytes) in wrapped(&events) {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let place = dataset(&[&text(&path)]);
        let counts = json!({"read": events.len(), "written": events.len(), "conflicting": 0});
        has(&place.summary["records"], &counts);
        assert_eq!(
            (&place.summary["foreign"], ids(&place)),
            (&json!(0), expected.clone()),
            "{name}"
        );
    }
    // The same in a folder, where the names are looked at: each event once.
    let all = dataset(&[&text(folder.path())]);
    has(
        &all.summary["records"],
        &json!({"written": events.len(), "rejected": 0, "conflicting": 0}),
    );
}

#[test]
fn lists_called_records_that_are_not_cloudtrail_s_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = json!({"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-09-01T18:15:00.000Z", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "trail"}, "object": {"key": "AWSLogs/x.json.gz"}}});
    let commit = json!({"eventId": "1", "eventVersion": "1.0", "eventSource": "aws:codecommit",
        "eventName": "ReferenceChanges", "codecommit": {"references": []}});
    let sqs = json!({"eventSource": "aws:sqs", "body": json!({"Records": [s3]}).to_string()});
    let edge = json!({"cf": {"config": {}, "request": {}}});
    for (record, reason) in [
        (&s3, "hand over the log file itself"),
        (&sqs, "hand over the log file itself"),
        (&commit, "an event of codecommit"),
        (&edge, "its members are [cf]"),
    ] {
        let path = log_file(folder.path(), "log.json", &[record.clone(), events()[0].clone()]);
        for keep in ["codebuild", "all"] {
            let place = Dataset::place();
            let run = place.convert(&[&path, "--keep", keep]).exits(3);
            assert!(run.stderr.contains(reason), "{}", run.stderr);
            has(&run.json()["records"], &json!({"read": 2, "written": 1, "rejected": 1}));
        }
    }
}

#[test]
fn exports_without_the_record_are_refused_with_what_to_export() {
    let folder = tempfile::tempdir().unwrap();
    let splunk = json!({"result": {"eventName": "StartBuild", "eventVersion": "1.08"}});
    let elastic = json!({"_source": {"@timestamp": "t", "aws": {"cloudtrail": {"x": 1}}}});
    let wazuh =
        json!({"rule": {"id": "1"}, "data": {"integration": "aws", "aws": {"eventName": "x"}}});
    let lake = "\"eventversion\",\"useridentity\",\"eventtime\"\n\"1.08\",\"{type=x}\",\"t\"\n";
    for (name, bytes, reason) in [
        ("splunk.json", bytes(&splunk), "export `_raw`"),
        ("elastic.json", bytes(&elastic), "export `event.original`"),
        ("wazuh.json", bytes(&wazuh), "Wazuh"),
        ("lake.csv", lake.as_bytes().to_vec(), "SELECT eventJson"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let run = Dataset::place().convert(&[&text(&path), "--keep", "all"]).exits(3);
        assert!(run.stderr.contains(reason), "{name}: {}", run.stderr);
        assert_eq!(run.json()["records"]["written"], 0);
    }
}

#[test]
fn what_is_no_log_file_is_said_to_be_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let glacier = "<?xml version=\"1.0\"?>\n<Error><Code>InvalidObjectState</Code></Error>";
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd][..], &[0; 40]].concat();
    let mut page = b"{\"Events\":[{\"CloudTrailEvent\":\"{\\\"eventVersion\\\":\\\"caf".to_vec();
    page.extend(b"\xe9\\\"}\"}]}");
    for (name, bytes, reason) in [
        (
            "lfs.json",
            &b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"[..],
            "git lfs pull",
        ),
        ("error.json.gz", glacier.as_bytes(), "restore the object from Glacier"),
        ("error.gz", &gzip(glacier.as_bytes())[..], "restore the object from Glacier"),
        ("login.json", b"<!DOCTYPE html><html><head><title>Sign in</title>", "log in"),
        ("yaml.json", b"Events:\n- CloudTrailEvent: '{}'\n", "--output json"),
        ("text.json", b"EVENTS\tAKIA\t{\"eventVersion\":\"1.08\"}\tx\n", "--output json"),
        ("a.bz2", b"BZh91AY&SY....", "bunzip2"),
        ("a.xz", b"\xfd7zXZ\0\0\x04", "unxz"),
        ("zstd.json", &zstd[..], "zstd breaks off or is damaged"),
        ("page.json", &page[..], "not UTF-8"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let run = Dataset::place().convert(&[&text(&path)]).exits(3);
        assert!(run.stderr.contains(reason), "{name}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{name}: {}", run.stderr);
    }
    // CloudTrail's own test of the bucket is nothing to worry about.
    let test = folder.path().join("validation.json");
    fs::write(&test, "CloudTrail validation message.").unwrap();
    let tested = dataset(&[&text(&test)]).summary;
    has(&tested["files"], &json!({"found": 1, "read": 0, "rejected": 0}));
    assert_eq!(tested["files"]["skipped"]["other"], 1);
}

/// A folder with what other services deliver beside CloudTrail's log files.
fn shared(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join("AWSLogs/111122223333").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    put("vpcflowlogs/us-east-1/2026/09/01/a.log.gz", &gzip(b"version account-id interface-id\n"));
    put("vpcflowlogs/us-east-1/2026/09/01/b.log.gz", &gzip(b"version account-id interface-id\n"));
    put(
        "Config/us-east-1/2026/9/1/ConfigSnapshot/c.json.gz",
        &gzip(b"{\"configurationItems\":[]}"),
    );
    put("Config/ConfigWritabilityCheckFile", b"");
    put("CloudTrail/us-east-1/2026/09/01/log.json", &bytes(&json!({"Records": events()})));
}

#[test]
fn what_other_services_deliver_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    shared(folder.path());
    let source = text(folder.path());
    let pattern = format!("{source}/**/*.gz");
    let services = json!({"Config": 2, "vpcflowlogs": 2});
    for options in [&[][..], &["--account", "111122223333", "--region", "us-east-1"]] {
        let place = dataset(&[&[source.as_str()], options].concat());
        assert_eq!(place.summary["services"], services);
        has(&place.summary["files"], &json!({"found": 1, "read": 1, "rejected": 0}));
        assert_eq!(place.rows().len(), events().len());
    }
    let none = Dataset::place().convert(&[&pattern]).exits(0);
    assert_eq!(none.json()["services"], json!({"Config": 1, "vpcflowlogs": 2}));
    assert!(none.stderr.contains("other services'"), "{}", none.stderr);
    let said = buildtrail(&["convert", &source, "--out", &Dataset::place().name()]).exits(0);
    assert!(said.stdout.contains("2 Config, 2 vpcflowlogs"), "{}", said.stdout);
    // In an archive as well. What is named outright is read, and what is not known is, too.
    let archive = folder.path().join("all.tar");
    let mut tar = tar::Builder::new(fs::File::create(&archive).unwrap());
    tar.append_dir_all("AWSLogs", folder.path().join("AWSLogs")).unwrap();
    tar.finish().unwrap();
    let place = dataset(&[&text(&archive)]);
    assert_eq!(place.summary["services"], services);
    let flow = folder.path().join("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/09/01/a.log.gz");
    let run = Dataset::place().convert(&[&text(&flow)]).exits(3);
    assert!(run.stderr.contains("VPC flow logs"), "{}", run.stderr);
    let new = folder.path().join("AWSLogs/111122223333/NextYear");
    fs::create_dir(&new).unwrap();
    fs::write(new.join("x.json"), "{\"x\":1}").unwrap();
    Dataset::place().convert(&[&source]).exits(3);
}

#[test]
fn a_bucket_s_folders_of_other_services_are_not_listed() {
    let server = Server::with("shared");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = server.client();
    for name in ["vpcflowlogs/us-east-1/a.log.gz", "vpcflowlogs/us-east-1/b.log.gz", "Config/c"] {
        let key = Key::parse(format!("org/AWSLogs/111122223333/{name}")).unwrap();
        runtime.block_on(client.put(&key, PutPayload::from("x"))).unwrap();
    }
    let summary = server.convert(&Dataset::place(), &["s3://shared/org"]);
    assert_eq!(summary["services"], json!({"Config": 1, "vpcflowlogs": 1}));
    assert_eq!(summary["files"], sample("codebuild").summary["files"]);
    let below = ["s3://shared/org/AWSLogs/111122223333/vpcflowlogs"];
    let below = server.convert(&Dataset::place(), &below);
    assert_eq!(
        (&below["services"], &below["files"]["found"]),
        (&json!({"vpcflowlogs": 1}), &json!(0))
    );
}

#[test]
fn side_files_of_macos_are_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let side = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ";
    let log = gzip(&bytes(&json!({"Records": events()})));
    for (name, bytes) in [("c.json.gz", &log[..]), ("._c.json.gz", side), (".DS_Store", b"Bud1")] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let expected = json!({"found": 3, "read": 1, "rejected": 0});
    let place = dataset(&[&text(folder.path())]);
    has(&place.summary["files"], &expected);
    assert_eq!(place.summary["files"]["skipped"]["other"], 2);
    let pattern = dataset(&[&format!("{}/*.gz", text(folder.path()))]);
    assert_eq!(pattern.summary["files"]["skipped"]["other"], 1);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in
        [("c.json.gz", &log[..]), ("__MACOSX/._c.json.gz", side), ("__MACOSX/d.json", b"{")]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let archive = folder.path().join("logs.zip");
    fs::write(&archive, zip.finish().unwrap().into_inner()).unwrap();
    let place = dataset(&[&text(&archive)]);
    // The archive itself is one more.
    has(&place.summary["files"], &json!({"found": 4, "read": 2, "rejected": 0}));
    assert_eq!(place.summary["files"]["skipped"]["other"], 2);
    // Named outright it is said what it is.
    let side = Dataset::place().convert(&[&text(&folder.path().join("._c.json.gz"))]).exits(3);
    assert!(side.stderr.contains("macOS"), "{}", side.stderr);
}

/// A text as Windows' shell writes it.
fn utf16(text: &str) -> Vec<u8> {
    let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn text_files_of_windows_are_text() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        text(&path)
    };
    let place = sample("codebuild");
    let name = place.name();
    let sql = "-- é\nSELECT 1 AS x;\n";
    let marked = format!("\u{feff}{}", sql.replace('\n', "\r\n"));
    for file in [put("a.sql", &utf16(sql)), put("b.sql", marked.as_bytes())] {
        let run = buildtrail(&["sql", &name, "-f", &file, "--format", "json"]).exits(0);
        assert_eq!(run.json(), json!([{"x": 1}]));
    }
    let piped = run(command(&["sql", &name, "--format", "json"]), &marked).exits(0);
    assert_eq!(piped.json(), json!([{"x": 1}]));
    let bad = put("c.sql", b"SELECT 'caf\xe9';");
    let bad = buildtrail(&["sql", &name, "-f", &bad]).exits(1);
    assert!(bad.stderr.contains("save it as UTF-8"), "{}", bad.stderr);
    // Saved queries, lists of sources, keys and metadata.
    let queries = folder.path().join("queries");
    fs::create_dir(&queries).unwrap();
    let query = "-- title: T\n-- question: Q?\nSELECT 'é' AS x\n";
    fs::write(queries.join("mine.sql"), utf16(query)).unwrap();
    let args = ["run", "mine", &name, "--sql-dir", &text(&queries), "--format", "json"];
    assert_eq!(buildtrail(&args).exits(0).json(), json!([{"x": "é"}]));
    let log = log_file(folder.path(), "é.json", &events());
    let sources = put("sources.txt", &utf16(&format!("{log}\n\n")));
    let listed = Dataset::place().convert(&["--inputs-from", &sources]).exits(0);
    assert_eq!(listed.json()["files"]["read"], 1);
    let read = |name: &str| fs::read_to_string(Path::new("data/validated").join(name)).unwrap();
    let keys = put("keys.json", &utf16(&read("public-keys.json")));
    let metadata = put("metadata.json", &utf16(&read("metadata.json")));
    let valid =
        ["verify", "data/validated/AWSLogs", "--public-keys", &keys, "--metadata", &metadata];
    assert_eq!(buildtrail(&valid).exits(0).stdout, "5 valid\n");
}
