//! What goes wrong in the input: one bad file or record is named and counted, the rest is converted.

use crate::support::{Dataset, ROOT, buildtrail, dataset, log_file, text};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

/// A file of `data/malformed` and what is expected of it.
struct Case {
    file: &'static str,
    read: u64,
    /// The records that are rows.
    rows: &'static [u64],
    /// Whether the file itself is rejected.
    broken: bool,
}

const fn case(file: &'static str, read: u64, rows: &'static [u64], broken: bool) -> Case {
    Case { file, read, rows, broken }
}

const CASES: &[Case] = &[
    case("truncated.json.gz", 4, &[0, 1, 2], true),
    case("not_json.json.gz", 0, &[], true),
    case("no_records.json", 0, &[], true),
    case("records_not_a_list.json", 0, &[], true),
    case("record_not_an_object.json", 6, &[0, 5], false),
    case("bad_record.json", 3, &[0, 2], false),
    case("cut_in_record.json", 3, &[0, 1], true),
    case("invalid_utf8.json", 3, &[0, 2], false),
    case("empty.json", 0, &[], false),
    case("not_gzip.json.gz", 0, &[], true),
    case("deep.json", 2, &[0], false),
    case("odd_values.json", 13, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], false),
];

impl Case {
    fn path(&self) -> String {
        format!("data/malformed/{}", self.file)
    }

    fn rejected(&self) -> u64 {
        self.read - self.rows.len() as u64
    }

    /// How the lines on standard error begin.
    fn named(&self) -> Vec<String> {
        let records = (0..self.read).filter(|number| !self.rows.contains(number));
        let records = records.map(|number| format!("rejected: {}: record {number}: ", self.path()));
        let file = self.broken.then(|| format!("rejected: {}: ", self.path()));
        file.into_iter().chain(records).collect()
    }
}

/// Fails unless standard error has exactly the lines that begin so.
#[track_caller]
fn check_named(stderr: &str, expected: &[String]) {
    let lines: Vec<_> = stderr.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{stderr}");
    for (line, beginning) in lines.iter().zip(expected) {
        assert!(line.starts_with(beginning) && line.len() > beginning.len(), "{line}\n{beginning}");
        // One that names the file is not one that names a record of it.
        assert_eq!(line.contains(": record "), beginning.contains(": record "), "{line}");
    }
}

#[test]
fn every_fault_costs_itself_alone() {
    for case in CASES {
        let place = Dataset::place();
        let run = place.convert(&[&case.path()]);
        let rejects = case.broken || case.rejected() > 0;
        let run = run.exits(if rejects { 3 } else { 0 });
        check_named(&run.stderr, &case.named());
        let summary = run.json();
        let expected = json!({"read": case.read, "written": case.rows.len(), "filtered": 0,
            "duplicate": 0, "conflicting": 0, "rejected": case.rejected()});
        assert_eq!(summary["records"], expected, "{}", case.file);
        let empty = case.file == "empty.json";
        let files = json!({"found": 1, "read": u64::from(!case.broken && !empty),
            "rejected": u64::from(case.broken),
            "skipped": {"aggregated": 0, "digest": 0, "insight": 0, "empty": u64::from(empty), "known": 0, "other": 0, "outside": 0}});
        assert_eq!(summary["files"], files, "{}", case.file);
        assert_eq!(summary["rejected"].as_array().unwrap().len(), case.named().len());
        let mut rows: Vec<_> =
            place.rows().iter().map(|row| row["source_record"].as_u64().unwrap()).collect();
        rows.sort_unstable();
        assert_eq!(rows, case.rows, "{}", case.file);
    }
}

#[test]
fn all_faults_together_stop_nothing() {
    let place = Dataset::place();
    let run = place.convert(&["data/malformed", "data/AWSLogs"]).exits(3);
    let mut named: Vec<_> = CASES.iter().collect();
    named.sort_by_key(|case| case.file);
    check_named(&run.stderr, &named.iter().flat_map(|case| case.named()).collect::<Vec<_>>());
    let sum = |count: fn(&Case) -> u64| CASES.iter().map(count).sum::<u64>();
    let written = sum(|case| case.rows.len() as u64);
    let expected = json!({"read": 98 + sum(|case| case.read), "written": 78 + written,
        "filtered": 16, "duplicate": 4, "conflicting": 0, "rejected": sum(Case::rejected)});
    let summary = run.json();
    assert_eq!(summary["records"], expected);
    assert_eq!(summary["files"]["rejected"], sum(|case| u64::from(case.broken)));
    // The list of rejects in the summary is what standard error says.
    let lines = summary["rejected"].as_array().unwrap().iter().map(|reject| {
        let [file, reason] = ["file", "reason"].map(|name| reject[name].as_str().unwrap());
        match &reject["record"] {
            Value::Null => format!("rejected: {file}: {reason}"),
            record => format!("rejected: {file}: record {record}: {reason}"),
        }
    });
    assert_eq!(lines.collect::<Vec<_>>(), run.stderr.lines().collect::<Vec<_>>());
}

/// A log file of one good record, as gzip.
fn good_gzip(id: &str) -> Vec<u8> {
    let record = json!({"eventSource": "codebuild.amazonaws.com", "eventID": id});
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json!({"Records": [record]}).to_string().as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn damage_after_the_last_record_is_named_and_costs_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let trailing = [good_gzip("a"), b"junk".to_vec()].concat();
    let mut checksum = good_gzip("b");
    let end = checksum.len();
    checksum[end - 6] ^= 1;
    fs::write(folder.path().join("trailing.json.gz"), trailing).unwrap();
    fs::write(folder.path().join("checksum.json.gz"), checksum).unwrap();
    fs::write(folder.path().join("good.json.gz"), good_gzip("c")).unwrap();
    let place = Dataset::place();
    let run = place.convert(&[&text(folder.path())]).exits(3);
    assert_eq!(run.json()["records"]["written"], 3);
    assert_eq!(run.json()["files"]["read"], 1);
    assert_eq!(run.json()["files"]["rejected"], 2);
    for name in ["checksum.json.gz", "trailing.json.gz"] {
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
}

#[test]
fn a_record_that_hides_its_service_behind_a_fault_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    let broken = r#"{"eventVersion" "1.11","eventSource":"codebuild.amazonaws.com"}"#;
    fs::write(&log, format!("{{\"Records\":[{broken}]}}")).unwrap();
    let run = Dataset::place().convert(&[&text(&log)]).exits(3);
    assert_eq!(run.json()["records"]["rejected"], 1);
    assert!(run.stderr.contains("log.json: record 0: "), "{}", run.stderr);
}

#[test]
fn names_cannot_act_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = "red\u{1b}[31m\u{202e}.json";
    fs::write(folder.path().join(name), "no log file").unwrap();
    let out = |format: &str| text(&folder.path().join(format!("data\u{1b}[2Jset {format}")));
    for format in ["table", "json"] {
        let source = text(&folder.path().join(name));
        let out = out(format);
        let run = buildtrail(&["convert", &source, "--out", &out, "--format", format]).exits(3);
        assert!(run.stderr.contains("/red\\u{1b}[31m\\u{202e}.json: "), "{}", run.stderr);
        for text in [&run.stderr, &run.stdout] {
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
    }
    let missing = buildtrail(&["convert", "no\u{1b}[31m", "--out", &out("x")]).exits(1);
    assert!(missing.stderr.contains("no\\u{1b}[31m"), "{}", missing.stderr);
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let record = json!({"eventSource": "codebuild.amazonaws.com", "eventID": "e"});
    log_file(folder.path(), "open.json", std::slice::from_ref(&record));
    let closed = log_file(folder.path(), "closed.json", &[record]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&closed).is_ok() {
        return; // Nothing is closed to root.
    }
    let run = Dataset::place().convert(&[&text(folder.path())]).exits(3);
    assert_eq!(run.json()["records"]["written"], 1);
    assert!(run.stderr.contains("closed.json: "), "{}", run.stderr);
}

#[test]
fn links_that_lead_nowhere_or_back_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let record = json!({"eventSource": "codebuild.amazonaws.com", "eventID": "e"});
    log_file(folder.path(), "log.json", &[record]);
    let loops = folder.path().join("sub").join("loop");
    fs::create_dir(folder.path().join("sub")).unwrap();
    symlink(folder.path(), &loops).unwrap();
    symlink(folder.path().join("gone"), folder.path().join("nowhere.json")).unwrap();
    let run = Dataset::place().convert(&[&text(folder.path())]).exits(3);
    assert_eq!(run.json()["records"]["written"], 1);
    assert_eq!(
        run.json()["files"],
        json!({"found": 3, "read": 1, "rejected": 2,
        "skipped": {"aggregated": 0, "digest": 0, "insight": 0, "empty": 0, "known": 0, "other": 0, "outside": 0}})
    );
    for name in ["nowhere.json: ", "sub/loop: a link that leads back"] {
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
}

/// Names that end like no log file's, and empty files, are counted and no fault.
#[test]
fn what_is_no_log_file_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["notes.txt", "empty.json", "empty.json.gz"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let skipped = json!({"aggregated": 0, "digest": 0, "insight": 0, "empty": 2, "known": 0, "other": 1, "outside": 0});
    assert_eq!(dataset(&[&text(folder.path())]).summary["files"]["skipped"], skipped);
    // Named outright it is read, whatever its name.
    let copy = folder.path().join("log.txt");
    fs::copy(Path::new(ROOT).join("data/malformed/odd_values.json"), &copy).unwrap();
    assert_eq!(dataset(&[&text(&copy)]).summary["records"]["written"], 13);
}
