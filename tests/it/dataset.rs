//! A dataset over many runs: kills, faults, re-deliveries, compaction; and `status` and `verify`.

use crate::kill;
use crate::support::{
    Dataset, ROOT, SAMPLE, buildtrail, command, dataset, files, log_file, log_files, run, str,
    text, tree,
};
use arrow::array::RecordBatch;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// `verify`, and what it says.
#[track_caller]
fn verify(dataset: &Dataset, code: i32) -> Value {
    buildtrail(&["verify", &dataset.name(), "--format", "json"]).exits(code).json()
}

fn status(dataset: &Dataset) -> Value {
    buildtrail(&["status", &dataset.name(), "--format", "json"]).exits(0).json()
}

fn problems(found: &Value) -> Vec<String> {
    let problems = found["problems"].as_array().unwrap().iter();
    problems.map(|problem| problem.as_str().unwrap().to_owned()).collect()
}

/// A CodeBuild record.
pub(crate) fn record(id: &str, time: &str, name: &str) -> Value {
    json!({"eventVersion": "1.11", "eventID": id, "eventTime": time, "eventName": name,
           "eventSource": "codebuild.amazonaws.com", "awsRegion": "us-east-1",
           "recipientAccountId": "111122223333"})
}

/// The rows without what says where they were read.
fn content(dataset: &Dataset) -> BTreeSet<String> {
    let mut rows = dataset.rows();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        row.retain(|name, _| !name.starts_with("source_f") && name != "source_record");
        row.remove("log_file_time");
    }
    let count = rows.len();
    let rows: BTreeSet<_> = rows.into_iter().map(|row| row.to_string()).collect();
    assert_eq!(rows.len(), count);
    rows
}

/// Log files of events in two partitions; each repeats some of those before.
pub(crate) fn three_logs(folder: &Path) -> [String; 3] {
    let event = |id: &&str| {
        let mut record = record(id, "2026-09-01T00:00:00Z", "StartBuild");
        record["awsRegion"] = json!(if id.starts_with("us") { "us-east-1" } else { "eu-west-1" });
        record
    };
    [
        ("a.json", &["us-1", "eu-1"][..]),
        ("b.json", &["us-2", "us-1"]),
        ("c.json", &["us-3", "eu-3", "us-2", "eu-1"]),
    ]
    .map(|(name, ids)| log_file(folder, name, &ids.iter().map(event).collect::<Vec<_>>()))
}

#[test]
fn shards_at_once_are_one_run() {
    // Copies of all events under other names: most fall to another shard than their first.
    let copies = tempfile::tempdir().unwrap();
    for (number, name) in files(Path::new(SAMPLE)).iter().enumerate() {
        let copy = copies.path().join(format!("copy-{number}.json.gz"));
        fs::copy(Path::new(SAMPLE).join(name), copy).unwrap();
    }
    let copies = text(copies.path());
    let whole = dataset(&[SAMPLE, &copies]);
    let place = Dataset::place();
    let name = place.name();
    let shards: Vec<_> = (1..=4)
        .map(|number| {
            let shard = format!("{number}/4");
            let args = ["convert", SAMPLE, &copies, "--out", &name, "--shard", &shard];
            let mut command = command(&[&args[..], &["--format", "json"]].concat());
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let summaries: Vec<Value> = shards
        .into_iter()
        .map(|shard| {
            let output = shard.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0));
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .collect();
    let sum = |of: &str, what: &str| -> u64 {
        summaries.iter().map(|summary| summary[of][what].as_u64().unwrap()).sum()
    };
    for count in ["read", "written", "filtered", "duplicate", "rejected"] {
        assert_eq!(
            Some(sum("records", count)),
            whole.summary["records"][count].as_u64(),
            "{count}"
        );
    }
    assert_eq!(Some(sum("files", "read")), whole.summary["files"]["read"].as_u64());
    assert!(summaries.iter().all(|summary| summary["files"]["read"].as_u64() > Some(0)));
    // Which copy stays is the first committed one's: its JSON text may be spelled in another way.
    let events = |dataset: &Dataset| {
        let columns = ["event_id", "event_time", "event_name", "aws_region", "actor"];
        let event = |row: &Value| columns.map(|column| row[column].to_string());
        let mut events: Vec<_> = dataset.rows().iter().map(event).collect();
        events.sort();
        events
    };
    assert!(events(&place) == events(&whole), "other events");
    verify(&place, 0);
    // What a shard has read is known, and is to a run of all.
    let again = buildtrail(&["convert", SAMPLE, &copies, "--out", &name, "--format", "json"]);
    assert_eq!(again.exits(0).json()["records"]["read"], 0);
}

fn commits(dataset: &Dataset) -> usize {
    let folder = dataset.path().join("_buildtrail/commits");
    if folder.exists() { files(&folder).len() } else { 0 }
}

/// The ids of the events in the part files that stand in the partitions: what plain readers see.
fn plain_ids(dataset: &Dataset) -> Vec<String> {
    let parts = if dataset.path().exists() { dataset.rows() } else { Vec::new() };
    let mut ids: Vec<_> = parts.iter().map(|row| str(row, "event_id").to_owned()).collect();
    ids.sort();
    ids
}

/// Kills what `act` does to `start` at each of its points. Whatever the point, readers see the commit or
/// see it not, and the next run makes of it what a run that nobody killed makes. A compaction's old
/// and new part files may stand side by side: `copies`. `known` is a log file that has been read then.
fn killed_anywhere(
    start: &Dataset,
    copies: bool,
    known: &str,
    act: impl Fn(&str) -> Command,
) -> BTreeSet<String> {
    let act = |place: &Dataset| act(&place.name());
    let finish = |place: &Dataset| {
        run(act(place), "").exits(0);
        // Removes what the last commit replaced.
        place.convert(&[known]).exits(0);
    };
    let whole = start.copy();
    finish(&whole);
    verify(&whole, 0);
    let [before, after] = [start, &whole].map(plain_ids);
    let events = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    kill::at_each_point(
        || start.copy(),
        act,
        |point, place| {
            let committed = commits(&place) > commits(start);
            let (ids, wanted) = (plain_ids(&place), if committed { &after } else { &before });
            assert!(events(&ids).is_superset(&events(&before)), "{point}: {ids:?}");
            assert!(events(&ids).is_subset(&events(wanted)), "{point}: {ids:?}");
            assert!(copies || events(&ids).len() == ids.len(), "{point}: {ids:?}");
            // Ours see a commit whole, placed or not.
            if commits(&place) > 0 {
                let sql = "SELECT event_id FROM events ORDER BY event_id";
                let seen: Vec<_> = wanted.iter().map(|id| json!({ "event_id": id })).collect();
                assert_eq!(place.sql(sql), json!(seen), "{point}");
            }
            finish(&place);
            let [got, wanted] = [&place, &whole].map(|place| tree(&place.path()));
            let names: BTreeSet<_> = got.keys().chain(wanted.keys()).collect();
            let differ = names.into_iter().filter(|name| got.get(*name) != wanted.get(*name));
            assert_eq!(differ.collect::<Vec<_>>(), [""; 0], "{point}: other files");
        },
    )
}

#[cfg_attr(not(debug_assertions), ignore = "a release build has no kill points")]
#[test]
fn a_killed_run_is_in_the_dataset_or_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = three_logs(folder.path());
    let convert =
        |log: &str, name: &str| command(&["convert", log, "--out", name, "--threads", "1"]);
    let compact = |name: &str| command(&["compact", name]);
    let begun = dataset(&[&first]);
    begun.convert(&[&second]).exits(0);
    let mut reached = BTreeSet::new();
    for start in [&Dataset::place(), &begun] {
        reached.extend(killed_anywhere(start, false, &third, |name| convert(&third, name)));
    }
    reached.extend(killed_anywhere(&begun, true, &second, compact));
    // The run that completes a killed one is killed as well.
    let killed = begun.copy();
    kill::kill_at(compact(&killed.name()), "committed:1");
    let completing = killed_anywhere(&killed, true, &third, |name| convert(&third, name));
    for name in ["placed", "removed", "swept"] {
        assert!(completing.contains(name), "{name}");
    }
    // Without a Delta Lake log no version follows; `delta.rs` kills there.
    reached.insert("followed".to_owned());
    kill::assert_reached(&reached, &kill::ON_DISK);
}

/// With several threads the points come in another order each time, but they all come.
#[cfg_attr(not(debug_assertions), ignore = "a release build has no kill points")]
#[test]
fn a_run_of_many_threads_is_killed_as_well() {
    let clean = dataset(&[SAMPLE]);
    for point in ["part-begun:3", "staged:2", "file-unnamed:2", "recorded:1", "placed:4"] {
        let place = Dataset::place();
        let name = place.name();
        kill::kill_at(command(&["convert", SAMPLE, "--out", &name, "--threads", "4"]), point);
        assert_eq!(commits(&place), usize::from(point.starts_with("placed")), "{point}");
        place.convert(&[SAMPLE]).exits(0);
        assert_eq!(tree(&place.path()), tree(&clean.path()), "{point}");
        verify(&place, 0);
    }
}

/// A disk that is full is a write that fails at some byte: here by the limit on a file's size.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_dataset_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let first =
        log_file(folder.path(), "a.json", &[record("a", "2026-09-01T00:00:00Z", "ListBuilds")]);
    let place = Dataset::place();
    place.convert(&[&first]).exits(0);
    let before = tree(&place.path());
    for (kilobytes, threads) in [(1, "1"), (1, "2"), (16, "1"), (16, "2")] {
        let mut limited = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f $0; exec \"$@\"";
        let blocks = (kilobytes * 2).to_string();
        limited.args(["-c", script, &blocks, env!("CARGO_BIN_EXE_buildtrail"), "convert"]);
        limited.args([SAMPLE, "--out", &place.name(), "--threads", threads]).current_dir(ROOT);
        let failed = run(limited, "").exits(1);
        assert!(failed.stderr.starts_with("error: write "), "{}", failed.stderr);
        let parts: Vec<_> = before.keys().filter(|name| name.ends_with(".parquet")).collect();
        assert_eq!(place.parts().iter().collect::<Vec<_>>(), parts);
        verify(&place, 0);
    }
    place.convert(&[SAMPLE]).exits(0);
    assert_eq!(verify(&place, 0)["rows"], 79);
}

#[test]
fn each_event_once_in_any_order_of_arrival() {
    let logs: Vec<String> = log_files().into_keys().collect();
    let one = dataset(&[SAMPLE]);
    let many = Dataset::place();
    // The last first, each in a run of its own, and some again under another name.
    for log in logs.iter().rev() {
        many.convert(&[log]).exits(0);
    }
    let folder = tempfile::tempdir().unwrap();
    for (number, log) in logs.iter().enumerate() {
        let name = if log.contains("Insight") { "skip.txt" } else { &format!("{number}.json.gz") };
        fs::copy(Path::new(ROOT).join(log), folder.path().join(name)).unwrap();
    }
    let again = many.convert(&[&text(folder.path())]).exits(0).json();
    let counts = json!({"read": 98, "written": 0, "filtered": 16, "duplicate": 82,
                        "conflicting": 0, "rejected": 0});
    assert_eq!(again["records"], counts);
    let ids = |dataset: &Dataset| {
        let rows = dataset.rows();
        let ids: BTreeSet<_> = rows.iter().map(|row| str(row, "event_id").to_owned()).collect();
        assert_eq!(ids.len(), rows.len());
        ids
    };
    assert_eq!(ids(&one), ids(&many));
    assert_eq!(verify(&many, 0)["rows"], 78);
}

#[test]
fn an_id_with_other_content_is_kept_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let time = "2026-09-01T00:00:00Z";
    let a = log_file(folder.path(), "a.json", &[record("same", time, "StartBuild")]);
    let b = log_file(
        folder.path(),
        "b.json",
        &[record("x", time, "StopBuild"), record("same", time, "StopBuild")],
    );
    let place = Dataset::place();
    place.convert(&[&a]).exits(0);
    let second = place.convert(&[&b]).exits(0);
    let expected = json!([{"event_id": "same", "file": b, "record": 1}]);
    assert_eq!(second.json()["conflicts"], expected);
    assert_eq!(second.json()["records"]["conflicting"], 1);
    assert!(second.stderr.contains("event id same is in another row"), "{}", second.stderr);
    let found = verify(&place, 0);
    assert_eq!((&found["rows"], &found["event_ids"]), (&json!(3), &json!(2)));
}

#[test]
fn known_inputs_are_not_opened_and_changed_ones_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let time = "2026-09-01T00:00:00Z";
    let log = log_file(folder.path(), "a.json", &[record("a", time, "StartBuild")]);
    let place = dataset(&[&log]);
    let known = |run: Value| run["files"]["skipped"]["known"].clone();

    // The same size and time: taken for the same, though the bytes differ; so it was not opened.
    let modified = fs::metadata(&log).unwrap().modified().unwrap();
    let bytes = fs::read_to_string(&log).unwrap();
    let set_time = |to| File::options().write(true).open(&log).unwrap().set_modified(to).unwrap();
    fs::write(&log, bytes.replace("StartBuild", "XtartBuild")).unwrap();
    set_time(modified);
    assert_eq!(known(place.convert(&[&log]).exits(0).json()), 1);
    fs::write(&log, &bytes).unwrap();

    // The same bytes at another time: opened, and known.
    set_time(modified + std::time::Duration::from_secs(5));
    let touched = place.convert(&[&log]).exits(0).json();
    assert_eq!(
        (&touched["files"]["skipped"]["known"], &touched["changed"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(verify(&place, 0)["inputs"], 2);

    // Other bytes.
    log_file(
        folder.path(),
        "a.json",
        &[record("a", time, "StartBuild"), record("b", time, "StopBuild")],
    );
    let changed = place.convert(&[&log]).exits(0).json();
    assert_eq!((&changed["changed"], &changed["records"]["written"]), (&json!(1), &json!(1)));
    assert_eq!(changed["records"]["duplicate"], 1);

    // What was read for less is read again for more.
    let more = place.convert(&[&log, "--keep", "all"]).exits(0).json();
    assert_eq!((&more["records"]["read"], &more["records"]["duplicate"]), (&json!(2), &json!(2)));
    let less = place.convert(&[&log, "--since", "2026-09-01"]).exits(0).json();
    assert_eq!(known(less), 1);
    assert_eq!(status(&place)["inputs"]["count"], 1);
    assert_eq!(verify(&place, 0)["rows"], 2);
}

#[test]
fn rejects_are_kept_and_can_be_taken_back_in() {
    let folder = tempfile::tempdir().unwrap();
    let time = "2026-09-01T00:00:00Z";
    let good = record("a", time, "StartBuild");
    let secret = r#"{"eventSource":"codebuild.amazonaws.com","eventID":"b",
        "environmentVariables":[{"name":"X","value":"s3cret-s3cret"}"#;
    let log = folder.path().join("a.json");
    fs::write(&log, format!("{{\"Records\":[{good},{secret}")).unwrap();
    let log = text(&log);
    let place = Dataset::place();
    place.convert(&[&log]).exits(3);
    let quarantined = |place: &Dataset| {
        let rejected = place.path().join("_buildtrail/rejected");
        files(&rejected).iter().map(|name| read_gzip(&rejected.join(name))).collect::<String>()
    };
    let kept = quarantined(&place);
    assert!(kept.contains(r#"\"eventID\":\"b\""#) && !kept.contains("s3cret"), "{kept}");
    let before = status(&place);
    assert_eq!(before["rejected"], json!({"records": 1, "files": 1}));
    assert_eq!(before["inputs"]["broken"], 1);
    // A later run passes it by, unless it is asked to try again.
    place.convert(&[&log]).exits(0);
    place.convert(&["--retry-rejected"]).exits(3);
    assert_eq!(status(&place)["rejected"], before["rejected"]);
    verify(&place, 0);
    // It was mended.
    log_file(folder.path(), "a.json", &[good, record("b", time, "StopBuild")]);
    let mended = place.convert(&["--retry-rejected"]).exits(0).json();
    assert_eq!(
        (&mended["records"]["written"], &mended["records"]["duplicate"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(status(&place)["rejected"], json!({"records": 0, "files": 0}));
    assert_eq!(verify(&place, 0)["rows"], 2);
}

#[test]
fn a_log_file_that_is_gone_stays_rejected_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let log = text(&folder.path().join("a.json"));
    fs::write(&log, "no log file").unwrap();
    let place = Dataset::place();
    place.convert(&[&log]).exits(3);
    fs::remove_file(&log).unwrap();
    let again = place.convert(&["--retry-rejected"]).exits(3);
    assert!(again.stderr.contains("a.json: is no longer there"), "{}", again.stderr);
    assert_eq!(status(&place)["rejected"]["files"], 1);
}

#[test]
fn compaction_changes_no_answer() {
    let logs: Vec<String> = log_files().into_keys().collect();
    let place = Dataset::place();
    for log in &logs {
        place.convert(&[log]).exits(0);
    }
    let ask = |place: &Dataset| place.sql("SELECT * FROM events ORDER BY event_time, event_id");
    let (rows, answer, parts) = (content(&place), ask(&place), place.parts().len());
    let compact = |args: &[&str]| {
        let name = place.name();
        buildtrail(&[&["compact", &name, "--format", "json"], args].concat()).exits(0).json()
    };
    let before = tree(&place.path());
    let would = compact(&["--dry-run"]);
    assert_eq!(tree(&place.path()), before);
    let done = compact(&[]);
    let merged = |done: &Value, of: &str| -> u64 {
        done["partitions"].as_array().unwrap().iter().map(|p| p[of].as_u64().unwrap()).sum()
    };
    assert_eq!(merged(&would, "parts"), merged(&done, "parts"));
    assert_eq!((merged(&would, "new_parts"), merged(&done, "new_parts")), (0, 2));
    assert_eq!(merged(&done, "duplicate"), 0);
    assert!(place.parts().len() < parts);
    assert_eq!(place.parts().len(), dataset(&[SAMPLE]).parts().len());
    assert_eq!((content(&place), ask(&place)), (rows, answer));
    verify(&place, 0);
    assert!(compact(&[])["partitions"].as_array().unwrap().is_empty());
    // What was there is known still, and a new event finds its copies.
    assert_eq!(place.convert(&[SAMPLE]).exits(0).json()["records"]["read"], 0);
    let copy = tempfile::tempdir().unwrap();
    fs::copy(Path::new(ROOT).join(&logs[0]), copy.path().join("x.json.gz")).unwrap();
    assert_eq!(place.convert(&[&text(copy.path())]).exits(0).json()["records"]["written"], 0);
}

#[test]
fn status_says_what_is_there() {
    let place = dataset(&[SAMPLE]);
    let mut status = status(&place);
    let at = status["last_run"]["at"].take();
    assert!(at.as_str().unwrap().ends_with('Z'), "{at}");
    let bytes: u64 =
        place.parts().iter().map(|p| fs::metadata(place.path().join(p)).unwrap().len()).sum();
    let records = json!({"read": 98, "written": 78, "filtered": 16, "duplicate": 4,
                         "conflicting": 0, "rejected": 0});
    assert_eq!(
        status,
        json!({
            "partition_by": ["region", "month"], "redact": "standard", "keep": "codebuild",
            "rows": 78,
            "days": {"first": "2016-09-06", "last": "2026-10-01", "count": 11},
            "accounts": ["111122223333", "444455556666", "account-ID"],
            "regions": ["eu-west-1", "region-ID", "us-east-1"],
            "parts": {"count": 5, "bytes": bytes, "partitions": 5, "small": 0},
            "inputs": {"count": 13, "bytes": place.summary["bytes_read"], "broken": 0},
            "records": records, "dropped": 0, "rejected": {"records": 0, "files": 0},
            "last_run": {"commit": 1, "action": "convert", "at": null, "records": records},
        })
    );
    let people = buildtrail(&["status", &place.name()]).exits(0).stdout;
    assert!(people.contains("days       11, 2016-09-06 to 2026-10-01\n"), "{people}");
}

#[test]
fn verify_names_what_does_not_fit() {
    let place = dataset(&[SAMPLE]);
    let sound = verify(&place, 0);
    assert_eq!(
        (&sound["rows"], &sound["event_ids"], &sound["inputs"]),
        (&json!(78), &json!(78), &json!(13))
    );
    let part = place.parts()[0].clone();
    let path = place.path().join(&part);
    let bytes = fs::read(&path).unwrap();
    let check = |expected: &[&str]| {
        let found = problems(&verify(&place, 1));
        for expected in expected {
            assert!(
                found.iter().any(|problem| problem.contains(expected)),
                "{expected}: {found:#?}"
            );
        }
    };

    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    check(&[&format!("{part}: has {} bytes, the commit says {}", bytes.len() / 2, bytes.len())]);
    let mut flipped = bytes.clone();
    flipped[100] ^= 1;
    fs::write(&path, flipped).unwrap();
    check(&[&format!("{part}: has another SHA-256")]);
    fs::remove_file(&path).unwrap();
    check(&[
        &format!("{part}: is in the dataset's newest commit, but gone"),
        "the part files have 51 rows",
    ]);
    let asked =
        buildtrail(&["sql", &place.name(), "-c", "SELECT count(actor) FROM events"]).exits(1);
    assert!(asked.stderr.contains(&part), "{}", asked.stderr);
    fs::write(&path, &bytes).unwrap();

    let stranger = place.path().join("region=eu-west-1/part-0.parquet");
    fs::write(&stranger, &bytes).unwrap();
    check(&["region=eu-west-1/part-0.parquet: is in the dataset, but in no commit"]);
    fs::remove_file(&stranger).unwrap();
    assert_eq!(verify(&place, 0), sound);
}

/// Rewrites the rows of a part file behind the dataset's back, and what its commit says of the file.
fn tamper(place: &Dataset, part: &str, change: impl Fn(&RecordBatch) -> RecordBatch) {
    let path = place.path().join(part);
    let file = File::open(&path).unwrap();
    let batch = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<_> = batch.map(|batch| change(&batch.unwrap())).collect();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batches[0].schema(), None).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
    let parts = place.path().join("_buildtrail/parts");
    let [segment] = &files(&parts)[..] else { panic!("several segments") };
    let segment = parts.join(segment);
    let lines = read_gzip(&segment);
    let mut changed = GzEncoder::new(File::create(&segment).unwrap(), Compression::default());
    for line in lines.lines() {
        let mut entry: Value = serde_json::from_str(line).unwrap();
        if entry["path"] == part {
            entry["bytes"] = json!(fs::metadata(&path).unwrap().len());
            entry["sha256"] = json!("");
        }
        writeln!(changed, "{entry}").unwrap();
    }
    changed.finish().unwrap();
}

fn read_gzip(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn verify_reads_the_rows_themselves() {
    let place = dataset(&[SAMPLE]);
    let part = place.parts()[0].clone();
    let reversed = |batch: &RecordBatch| {
        let rows = batch.num_rows();
        let rows: Vec<_> = (0..rows).rev().map(|row| (0, row)).collect();
        arrow::compute::interleave_record_batch(&[batch], &rows).unwrap()
    };
    tamper(&place, &part, reversed);
    let found = problems(&verify(&place, 1));
    assert!(found.iter().any(|p| p.contains("row 1 is out of order")), "{found:#?}");
    let twice = |batch: &RecordBatch| {
        arrow::compute::interleave_record_batch(&[batch], &[(0, 0), (0, 0)]).unwrap()
    };
    tamper(&place, &part, twice);
    let found = problems(&verify(&place, 1));
    assert!(found.iter().any(|p| p.contains("is in the dataset twice")), "{found:#?}");
    assert!(found.iter().any(|p| p.contains("rows are from it, the ledger says")), "{found:#?}");
}

/// A dataset whose part files lack columns that came later.
#[test]
fn an_older_schema_opens_and_new_columns_are_null() {
    let place = dataset(&[SAMPLE]);
    let part = place.parts().into_iter().find(|part| part.contains("eu-west-1")).unwrap();
    tamper(&place, &part, |batch| {
        let keep = |name: &&str| !["actor", "build_number"].contains(name);
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str()).filter(keep);
        let indices: Vec<_> = names.map(|name| schema.index_of(name).unwrap()).collect();
        batch.project(&indices).unwrap()
    });
    let counts = "SELECT count(*) AS rows, count(actor) AS actors FROM events";
    assert_eq!(place.sql(counts), json!([{"rows": 78, "actors": 51}]));
    // A run that adds to its partition finds the copies, and compaction gives it all columns.
    let folder = tempfile::tempdir().unwrap();
    let file = log_files().into_keys().find(|name| name.contains("20260915T0810Z")).unwrap();
    fs::copy(Path::new(ROOT).join(file), folder.path().join("copy.json.gz")).unwrap();
    let late = json!({"eventID": "late", "eventTime": "2026-09-30T00:00:00Z", "awsRegion": "eu-west-1",
                      "eventSource": "codebuild.amazonaws.com"});
    log_file(folder.path(), "late.json", &[late]);
    let added = place.convert(&[&text(folder.path())]).exits(0).json();
    assert_eq!(
        (&added["records"]["written"], &added["records"]["duplicate"]),
        (&json!(1), &json!(10))
    );
    buildtrail(&["compact", &place.name()]).exits(0);
    for part in place.parts() {
        assert!(place.rows_of(&part)[0].as_object().unwrap().contains_key("actor"), "{part}");
    }
    assert_eq!(place.sql(counts), json!([{"rows": 79, "actors": 51}]));
}

/// One tiny dataset of each released schema version, as that version wrote it.
#[test]
fn datasets_of_released_versions_open() {
    let versions = Path::new(ROOT).join("tests/datasets");
    let mut checked = 0;
    for version in fs::read_dir(&versions).unwrap() {
        let place = Dataset::place();
        let version = version.unwrap().path();
        for name in files(&version) {
            let to = place.path().join(&name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(version.join(&name), to).unwrap();
        }
        let count = "SELECT count(*) AS rows, count(DISTINCT event_id) AS ids, count(actor) AS actors FROM events";
        assert_eq!(place.sql(count), json!([{"rows": 6, "ids": 6, "actors": 6}]), "{version:?}");
        // It can be added to, and finds what it has.
        let folder = format!("{SAMPLE}/444455556666");
        let added = place.convert(&[&folder]).exits(0).json();
        assert_eq!(added["records"]["written"], 0, "{version:?}");
        assert_eq!(verify(&place, 0)["rows"], 6, "{version:?}");
        checked += 1;
    }
    assert_eq!(checked, 2);
}

/// 100 small calls, a footer of 185 columns: the part file stays below 40 KB.
#[test]
fn a_small_part_file_is_small() {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<_> = (0..100)
        .map(|n| {
            record(
                &format!("00000000-0000-4000-8000-{n:012}"),
                "2026-09-01T00:00:00Z",
                "ListBuilds",
            )
        })
        .collect();
    let log = log_file(folder.path(), "log.json", &records);
    let place = dataset(&[&log]);
    let bytes = place.summary["bytes"].as_u64().unwrap();
    assert!(bytes < 40_000, "{bytes}");
}

/// Texts that cannot be compressed make part files large soon; a part is closed at the batch of 8,192
/// rows that fills it.
#[test]
fn parts_keep_to_the_wanted_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = 1_u64;
    let mut records: Vec<_> = (0..20_000)
        .map(|n| {
            let text = (0..25).fold(String::new(), |text, _| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                format!("{text}{:08x}", random >> 32)
            });
            let time = format!("2026-09-01T{:02}:{:02}:{:02}Z", n / 3600, n / 60 % 60, n % 60);
            let mut record = record(&format!("id{n}"), &time, "StartBuild");
            record["errorMessage"] = json!(text);
            record
        })
        .collect();
    records.reverse();
    let log = log_file(folder.path(), "log.json", &records);
    let place = dataset(&[&log, "--part-size", "1MB"]);
    let mut sizes: Vec<_> =
        place.parts().iter().map(|p| fs::metadata(place.path().join(p)).unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    assert!(sizes[2] < 2_000_000, "{sizes:?}");
    assert_eq!(verify(&place, 0)["rows"], 20_000);
    // One after the other: no two overlap in time, so a reader skips by them.
    let mut ranges: Vec<_> = place
        .parts()
        .iter()
        .map(|part| {
            let rows = place.rows_of(part);
            (
                str(&rows[0], "event_time").to_owned(),
                str(rows.last().unwrap(), "event_time").to_owned(),
            )
        })
        .collect();
    ranges.sort();
    assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ranges:?}");
    // Compaction to a larger size makes one of them.
    buildtrail(&["compact", &place.name()]).exits(0);
    assert_eq!(place.parts().len(), 1);
    assert_eq!(verify(&place, 0)["rows"], 20_000);
    let wrong = buildtrail(&["convert", SAMPLE, "--out", "x", "--part-size", "12"]).exits(2);
    assert!(wrong.stderr.contains("is less than 1MB"), "{}", wrong.stderr);
    let wrong = buildtrail(&["convert", SAMPLE, "--out", "x", "--part-size", "many"]).exits(2);
    assert!(wrong.stderr.contains("expected a size such as 256MB"), "{}", wrong.stderr);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let out = text(&folder.path().join("file/dataset"));
    let failed = buildtrail(&["convert", SAMPLE, "--out", &out]).exits(1);
    assert!(
        failed.stderr.starts_with("error: create ") && failed.stderr.contains(&out),
        "{}",
        failed.stderr
    );
    for name in ["status", "verify", "compact"] {
        let failed = buildtrail(&[name, &text(folder.path())]).exits(1);
        assert!(failed.stderr.contains("not a dataset: "), "{}", failed.stderr);
    }
}

#[test]
fn a_newer_dataset_is_refused_and_left_alone() {
    let place = dataset(&[SAMPLE]);
    let meta = place.path().join("_buildtrail");
    let text = fs::read_to_string(meta.join("dataset.json")).unwrap();
    fs::write(meta.join("dataset.json"), text.replace("\"format\": 2", "\"format\": 99")).unwrap();
    for file in ["parts/foreign", "staging/00000002-0000", "removed/x"] {
        fs::create_dir_all(meta.join(file).parent().unwrap()).unwrap();
        fs::write(meta.join(file), "").unwrap();
    }
    let before = tree(&place.path());
    for refused in [place.convert(&[SAMPLE]), buildtrail(&["compact", &place.name()])] {
        assert!(refused.exits(1).stderr.contains("a newer buildtrail"));
    }
    assert_eq!(tree(&place.path()), before);
}

#[test]
fn a_dataset_that_lost_its_commits_is_refused_and_left_alone() {
    for lost in ["commits", "dataset.json"] {
        let place = dataset(&[SAMPLE]);
        let path = place.path().join("_buildtrail").join(lost);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        let before = tree(&place.path());
        let refused = place.convert(&["data/malformed/odd_values.json"]).exits(1);
        assert!(refused.stderr.contains("restore it"), "{}", refused.stderr);
        assert_eq!(tree(&place.path()), before);
    }
}

#[test]
fn what_was_rejected_stays_until_it_is_read_for_as_much() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.json");
    // One is CodeBuild's, one is not.
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep = |source: &str| format!(r#"{{"eventSource":"{source}","x":{nested}}}"#);
    let [ours, other] = ["codebuild.amazonaws.com", "s3.amazonaws.com"].map(deep);
    fs::write(&log, format!("{{\"Records\":[{ours},{other}]}}")).unwrap();
    let place = Dataset::place();
    let log = text(&log);
    place.convert(&[&log, "--keep", "all"]).exits(3);
    assert_eq!(status(&place)["rejected"]["records"], 2);
    // Read again for less, it is read for what it was read for before.
    place.convert(&["--retry-rejected"]).exits(3);
    assert_eq!(status(&place)["rejected"]["records"], 2);
    place.convert(&["--retry-rejected", "--since", "2026-01-01"]).exits(3);
    assert_eq!(status(&place)["rejected"]["records"], 2);
    verify(&place, 0);
    place.convert(&["--retry-rejected", "--keep", "all"]).exits(3);
    assert_eq!(status(&place)["rejected"]["records"], 2);
    verify(&place, 0);
    // Gone for a while, it keeps what was kept of it.
    let aside = folder.path().join("aside");
    fs::rename(&log, &aside).unwrap();
    std::os::unix::fs::symlink("nowhere", &log).unwrap();
    place.convert(&["--retry-rejected", "--keep", "all"]).exits(3);
    assert_eq!(status(&place)["rejected"], json!({"records": 2, "files": 1}));
    verify(&place, 0);
    fs::remove_file(&log).unwrap();
    fs::rename(&aside, &log).unwrap();
    place.convert(&["--retry-rejected", "--keep", "all"]).exits(3);
    assert_eq!(status(&place)["rejected"], json!({"records": 2, "files": 0}));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf_8_stay_apart() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let log =
        json!({"Records": [record("same", "2026-09-01T00:00:00Z", "StartBuild")]}).to_string();
    for name in [&b"a\xff.json"[..], b"a\xfe.json"] {
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), &log).unwrap();
    }
    let place = Dataset::place();
    let counts = place.convert(&[&text(folder.path())]).exits(0).json()["records"].clone();
    assert_eq!((&counts["written"], &counts["duplicate"]), (&json!(1), &json!(1)));
    assert!(str(&place.rows()[0], "source_file").ends_with("a%FE.json"));
    verify(&place, 0);
}

/// More partitions than files may be open, and more part files to merge than that.
#[cfg(target_os = "linux")]
#[test]
fn the_number_of_open_files_is_bounded() {
    let limited = |args: &[&str]| {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 60; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_buildtrail")]);
        limited.args(args);
        run(limited, "").exits(0)
    };
    let folder = tempfile::tempdir().unwrap();
    let day = |n: usize| format!("{}-{:02}-01T00:00:00Z", 2000 + n / 12, n % 12 + 1);
    let records: Vec<_> =
        (0..80).map(|n| record(&format!("id{n}"), &day(n), "ListBuilds")).collect();
    let log = log_file(folder.path(), "log.json", &records);
    for threads in ["1", "2"] {
        let place = Dataset::place();
        limited(&["convert", &log, "--out", &place.name(), "--threads", threads]);
        assert_eq!(place.parts().len(), 80);
    }

    let small = Dataset::place();
    for n in 0..40 {
        let log = log_file(
            folder.path(),
            &format!("{n}.json"),
            &[record(&format!("id{n}"), &day(0), "x")],
        );
        small.convert(&[&log]).exits(0);
    }
    assert_eq!(small.parts().len(), 40);
    limited(&["compact", &small.name()]);
    assert_eq!(small.parts().len(), 1);
    assert_eq!(verify(&small, 0)["rows"], 40);
}

#[test]
fn verify_notices_a_changed_ledger() {
    let place = dataset(&[SAMPLE]);
    let inputs = place.path().join("_buildtrail/inputs");
    let segment = inputs.join(&files(&inputs)[0]);
    let lines = read_gzip(&segment).replace("\"sha256\":\"", "\"sha256\":\"0");
    let mut changed = GzEncoder::new(File::create(&segment).unwrap(), Compression::default());
    changed.write_all(lines.as_bytes()).unwrap();
    changed.finish().unwrap();
    let found = problems(&verify(&place, 1));
    assert!(found.iter().any(|p| p.contains("its name is no longer its hash")), "{found:#?}");
}

#[test]
fn old_commits_may_be_tidied_away() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dataset::place();
    for n in 0..3 {
        let time = "2026-09-01T00:00:00Z";
        let log =
            log_file(folder.path(), &format!("{n}.json"), &[record(&format!("{n}"), time, "x")]);
        place.convert(&[&log]).exits(0);
    }
    for commit in ["00000001.json", "00000002.json"] {
        fs::remove_file(place.path().join("_buildtrail/commits").join(commit)).unwrap();
    }
    place.convert(&[SAMPLE]).exits(0);
    assert_eq!(verify(&place, 0)["rows"], 81);
}

#[test]
fn a_partition_that_cannot_be_made_fails_the_run_before_its_commit() {
    let place = dataset(&[&format!("{SAMPLE}/444455556666")]);
    let before = tree(&place.path());
    fs::write(place.path().join("region=eu-west-1"), "").unwrap();
    let failed = place.convert(&[SAMPLE]).exits(1);
    assert!(failed.stderr.contains("region=eu-west-1"), "{}", failed.stderr);
    fs::remove_file(place.path().join("region=eu-west-1")).unwrap();
    assert_eq!(verify(&place, 0)["rows"], 6);
    assert!(before.keys().all(|name| place.path().join(name).exists()));
    place.convert(&[SAMPLE]).exits(0);
    assert_eq!(verify(&place, 0)["rows"], 78);
}
