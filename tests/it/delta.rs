//! The Delta Lake log: it names the part files of one commit, whoever is killed. That Delta readers take it,
//! and read the same values, is checked by `tests/engines/check.py`, which runs them.

use crate::dataset::{record, three_logs};
use crate::kill;
use crate::support::{Dataset, buildtrail, command, dataset, files, log_file, run, str};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

const LOG: &str = "_delta_log";

pub(crate) fn file(version: usize) -> String {
    format!("{LOG}/{version:020}.json")
}

/// The actions of a version.
fn actions(dataset: &Dataset, version: usize) -> Vec<Value> {
    lines(&fs::read(dataset.path().join(file(version))).unwrap())
}

pub(crate) fn lines(text: &[u8]) -> Vec<Value> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// The actions of one kind in a version.
fn of_kind(dataset: &Dataset, version: usize, kind: &str) -> Vec<Value> {
    let actions = actions(dataset, version).into_iter();
    actions.filter_map(|mut action| action.get_mut(kind).map(Value::take)).collect()
}

/// A version without what tells the time.
fn timeless(dataset: &Dataset, version: usize) -> Vec<Value> {
    without_time(actions(dataset, version))
}

pub(crate) fn without_time(mut actions: Vec<Value>) -> Vec<Value> {
    for action in actions.iter_mut().flat_map(|action| action.as_object_mut().unwrap().values_mut())
    {
        for name in ["timestamp", "modificationTime", "deletionTimestamp", "createdTime", "id"] {
            action.as_object_mut().unwrap().remove(name);
        }
    }
    actions
}

fn path(action: &Value) -> String {
    percent_decode_str(str(action, "path")).decode_utf8().unwrap().into_owned()
}

fn versions(dataset: &Dataset) -> usize {
    let folder = dataset.path().join(LOG);
    let names = if folder.exists() { files(&folder) } else { Vec::new() };
    let numbered: Vec<_> = (0..names.len()).map(|version| format!("{version:020}.json")).collect();
    assert_eq!(names, numbered);
    names.len()
}

/// What a Delta reader has: part files, and the rows that the log says each has.
fn snapshot(dataset: &Dataset) -> BTreeMap<String, u64> {
    let mut parts = BTreeMap::new();
    for version in 0..versions(dataset) {
        for add in of_kind(dataset, version, "add") {
            let stats: Value = serde_json::from_str(str(&add, "stats")).unwrap();
            parts.insert(path(&add), stats["numRecords"].as_u64().unwrap());
            let bytes = add["size"].as_u64().unwrap();
            let on_disk = fs::metadata(dataset.path().join(path(&add)));
            assert!(on_disk.is_err() || on_disk.unwrap().len() == bytes, "{add}");
        }
        for remove in of_kind(dataset, version, "remove") {
            assert!(parts.remove(&path(&remove)).is_some(), "{remove}");
        }
    }
    for part in parts.keys() {
        assert!(dataset.path().join(part).exists(), "{part}");
    }
    parts
}

fn delta(dataset: &Dataset) -> Value {
    buildtrail(&["delta", &dataset.name(), "--format", "json"]).exits(0).json()
}

fn verify(dataset: &Dataset, code: i32) -> String {
    let done = buildtrail(&["verify", &dataset.name()]).exits(code);
    done.stdout + &done.stderr
}

/// What plain readers see is what Delta readers see.
#[track_caller]
fn agrees(dataset: &Dataset) {
    let snapshot = snapshot(dataset);
    assert_eq!(snapshot.keys().cloned().collect::<Vec<_>>(), dataset.parts());
    for (part, rows) in snapshot {
        assert_eq!(dataset.rows_of(&part).len() as u64, rows, "{part}");
    }
    verify(dataset, 0);
}

/// A dataset with a log, of one event, and a log file of another in the same partition.
fn with_log(folder: &Path) -> (Dataset, String) {
    let name = |number| format!("{number}.json");
    let [first, second] = [1, 2].map(|number| {
        let time = format!("2026-09-0{number}T00:00:00Z");
        log_file(folder, &name(number), &[record(&format!("id-{number}"), &time, "StartBuild")])
    });
    let place = Dataset::place();
    place.convert(&[&first]).exits(0);
    assert_eq!(delta(&place), json!({"version": 0, "parts": 1, "rows": 1}));
    (place, second)
}

#[test]
fn the_log_follows_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let (place, second) = with_log(folder.path());
    let first = actions(&place, 0);
    assert_eq!(first[2]["protocol"]["minReaderVersion"], 1);
    let table = &first[3]["metaData"];
    assert_eq!(table["partitionColumns"], json!(["region", "month"]));
    let schema: Value = serde_json::from_str(str(table, "schemaString")).unwrap();
    let names = schema["fields"].as_array().unwrap().iter().map(|field| str(field, "name"));
    assert_eq!(names.collect::<BTreeSet<_>>().len(), 187);
    agrees(&place);
    // The same again begins no second log.
    assert_eq!(delta(&place)["version"], 0);

    place.convert(&[&second]).exits(0);
    assert_eq!(versions(&place), 2);
    let added = of_kind(&place, 1, "add");
    assert_eq!(added.len(), 1);
    assert_eq!(added[0]["partitionValues"], json!({"region": "us-east-1", "month": "2026-09"}));
    let stats: Value = serde_json::from_str(str(&added[0], "stats")).unwrap();
    assert_eq!(stats["maxValues"], json!({"event_time": "2026-09-02T00:00:00.000Z"}));
    agrees(&place);

    // Runs that change no part file: one with nothing new, and one whose commit has no rows.
    let other = json!({"eventSource": "s3.amazonaws.com", "eventID": "other"});
    let other = log_file(folder.path(), "other.json", &[other]);
    place.convert(&[&second]).exits(0);
    place.convert(&[&other]).exits(0);
    assert_eq!(versions(&place), 2);

    let before = place.parts();
    buildtrail(&["compact", &place.name()]).exits(0);
    let removed = of_kind(&place, 2, "remove");
    assert_eq!(removed.iter().map(path).collect::<Vec<_>>(), before);
    let added = of_kind(&place, 2, "add");
    assert!(added.iter().chain(&removed).all(|action| action["dataChange"] == false));
    agrees(&place);
    let shown = buildtrail(&["status", &place.name()]).exits(0).stdout;
    assert!(shown.contains("delta log  version 2\n"), "{shown}");
}

#[test]
fn a_version_that_a_killed_run_owes_is_written_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (place, second) = with_log(folder.path());
    place.convert(&[&second]).exits(0);
    let before = place.parts();
    let copies: Vec<_> =
        before.iter().map(|part| fs::read(place.path().join(part)).unwrap()).collect();
    let owed = |version: usize, heal: &[&str]| {
        let whole = timeless(&place, version);
        fs::remove_file(place.path().join(file(version))).unwrap();
        assert!(verify(&place, 0).contains("all fits"), "a log that is behind is no damage");
        buildtrail(heal).exits(0);
        assert_eq!(timeless(&place, version), whole);
        agrees(&place);
    };
    let name = place.name();
    owed(1, &["convert", &second, "--out", &name]);
    // A compaction, killed before it took away what it replaced.
    buildtrail(&["compact", &name]).exits(0);
    for (part, bytes) in before.iter().zip(copies) {
        fs::write(place.path().join(part), bytes).unwrap();
    }
    let whole = timeless(&place, 2);
    fs::remove_file(place.path().join(file(2))).unwrap();
    assert_eq!(snapshot(&place).keys().collect::<Vec<_>>(), before.iter().collect::<Vec<_>>());
    buildtrail(&["convert", &second, "--out", &name]).exits(0);
    assert_eq!(timeless(&place, 2), whole);
    agrees(&place);
}

#[cfg_attr(not(debug_assertions), ignore = "a release build has no kill points")]
#[test]
fn a_reader_of_the_log_sees_a_killed_run_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = three_logs(folder.path());
    let start = dataset(&[&first]);
    start.convert(&[&second]).exits(0);
    let mut reached = BTreeSet::new();
    let convert = |name: &str| command(&["convert", &third, "--out", name, "--threads", "1"]);
    for (act, copied) in [
        (&(|name: &str| command(&["delta", name])) as &dyn Fn(&str) -> Command, false),
        (&convert, true),
        (&|name| command(&["compact", name]), true),
    ] {
        if copied && versions(&start) == 0 {
            delta(&start);
        }
        let act = |place: &Dataset| act(&place.name());
        let whole = start.copy();
        run(act(&whole), "").exits(0);
        agrees(&whole);
        let wanted = (snapshot(&whole), whole.parts());
        let last = versions(&whole) - 1;
        assert_eq!(last, versions(&start));
        reached.extend(kill::at_each_point(
            || start.copy(),
            act,
            |point, place| {
                let as_of = if versions(&place) == last { &start } else { &whole };
                assert_eq!(snapshot(&place), snapshot(as_of), "{point}");
                run(act(&place), "").exits(0);
                assert_eq!((snapshot(&place), place.parts()), wanted, "{point}");
                assert_eq!(timeless(&place, last), timeless(&whole, last), "{point}");
            },
        ));
    }
    kill::assert_reached(&reached, &kill::ON_DISK);
}

#[test]
fn hostile_partitions_are_named_as_the_protocol_wants() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (Some("2026-09-01T00:00:00Z"), Some("../e'v\"i\nl"), Some("a%2Fb")),
        (None, Some("us east é"), Some("[x]?+&=")),
        (Some("2026-09-01T00:00:00Z"), None, None),
    ];
    let records = cases.iter().enumerate().map(|(number, (time, region, name))| {
        let mut record = record(&format!("id-{number}"), "", "");
        record["eventTime"] = json!(time);
        record["awsRegion"] = json!(region);
        record["eventName"] = json!(name);
        record
    });
    let log = log_file(folder.path(), "log.json", &records.collect::<Vec<_>>());
    let place = Dataset::place();
    place.convert(&[&log, "--partition-by", "account,region,month,event_name"]).exits(0);
    delta(&place);
    agrees(&place);
    let values = of_kind(&place, 0, "add").into_iter().map(|add| {
        assert!(str(&add, "path").chars().all(|c| c.is_ascii_graphic()), "{add}");
        let values = &add["partitionValues"];
        assert_eq!(values["account"], "111122223333");
        ["month", "region", "event_name"].map(|name| values[name].as_str().map(str::to_owned))
    });
    let expected = cases.map(|(time, region, name)| {
        [time.map(|time| &time[..7]), region, name].map(|value| value.map(str::to_owned))
    });
    assert_eq!(values.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
}

#[test]
fn nobody_else_writes_to_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (place, second) = with_log(folder.path());
    let parts = place.parts();
    let foreign = json!({"commitInfo": {"operation": "WRITE"}}).to_string();
    fs::write(place.path().join(file(1)), &foreign).unwrap();
    let failed = place.convert(&[&second]).exits(1);
    assert!(failed.stderr.contains("1.json: was not written by buildtrail"), "{}", failed.stderr);
    assert_eq!(place.parts(), parts);
    // Without a log there is no quarrel, and none is kept until it is asked for.
    fs::remove_dir_all(place.path().join(LOG)).unwrap();
    place.convert(&[&second]).exits(0);
    assert_eq!(versions(&place), 0);
    fs::create_dir(place.path().join(LOG)).unwrap();
    fs::write(place.path().join(file(0)), &foreign).unwrap();
    let refused = buildtrail(&["delta", &place.name()]).exits(1).stderr;
    assert!(refused.contains("_delta_log: is not a log that buildtrail keeps"), "{refused}");
    fs::remove_file(place.path().join(file(0))).unwrap();
    assert_eq!(delta(&place), json!({"version": 0, "parts": 2, "rows": 2}));
    agrees(&place);
}

#[test]
fn a_log_that_a_killed_run_began_is_written_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (place, second) = with_log(folder.path());
    let whole = timeless(&place, 0);
    // As killed between the commit and the first version.
    fs::remove_dir_all(place.path().join(LOG)).unwrap();
    let commit = fs::read(place.path().join("_buildtrail/commits/00000002.json")).unwrap();
    let commit: Value = serde_json::from_slice(&commit).unwrap();
    let intent = format!("_buildtrail/staging/{}", str(&commit, "intent"));
    fs::write(place.path().join(&intent), "").unwrap();
    verify(&place, 0);
    place.convert(&[&second]).exits(0);
    assert!(!place.path().join(intent).exists());
    assert_eq!((versions(&place), timeless(&place, 0)), (2, whole));
    agrees(&place);
}

#[test]
fn a_version_that_nobody_owes_is_missed_and_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let (place, second) = with_log(folder.path());
    place.convert(&[&second]).exits(0);
    // The newest commit changes no part file: what the version before it said, it does not know.
    let other = json!({"eventSource": "s3.amazonaws.com", "eventID": "other"});
    let other = log_file(folder.path(), "other.json", &[other]);
    place.convert(&[&other]).exits(0);
    fs::remove_file(place.path().join(file(1))).unwrap();
    let is_missed = || verify(&place, 1).contains("1.json: is gone, and Delta readers with it");
    assert!(is_missed());
    place.convert(&[&second]).exits(0);
    assert!(is_missed());
    assert_eq!(versions(&place), 1);
    // What is left of the log is kept by no run.
    let third = record("id-3", "2026-09-03T00:00:00Z", "StartBuild");
    place.convert(&[&log_file(folder.path(), "3.json", &[third])]).exits(0);
    let found = verify(&place, 1);
    assert!(found.contains("_delta_log: is kept by no run"), "{found}");
    let refused = buildtrail(&["delta", &place.name()]).exits(1).stderr;
    assert!(refused.contains("_delta_log: is not a log that buildtrail keeps"), "{refused}");
    fs::remove_dir_all(place.path().join(LOG)).unwrap();
    assert_eq!(delta(&place), json!({"version": 0, "parts": 3, "rows": 3}));
    agrees(&place);
}

#[test]
fn a_compaction_that_drops_copies_changes_rows() {
    let folder = tempfile::tempdir().unwrap();
    let [place, other] = ["a.json", "b.json"].map(|name| {
        let event = record("same", "2026-09-01T00:00:00Z", "StartBuild");
        dataset(&[&log_file(folder.path(), name, &[event])])
    });
    // Twice in one partition, as a version without commits could leave it.
    let copy = &other.parts()[0];
    fs::copy(other.path().join(copy), place.path().join(copy)).unwrap();
    fs::remove_dir_all(place.path().join("_buildtrail/commits")).unwrap();
    let remembered = place.path().join("_buildtrail/dataset.json");
    let older = fs::read_to_string(&remembered).unwrap().replace("\"format\": 2", "\"format\": 1");
    fs::write(&remembered, older).unwrap();
    assert_eq!(delta(&place), json!({"version": 0, "parts": 2, "rows": 2}));
    buildtrail(&["compact", &place.name()]).exits(0);
    assert_eq!(snapshot(&place).values().sum::<u64>(), 1);
    let changed = [of_kind(&place, 1, "add"), of_kind(&place, 1, "remove")].concat();
    // What is left of the two is one of them: it is added again.
    assert_eq!(changed.len(), 2);
    assert!(changed.iter().all(|action| action["dataChange"] == true), "{changed:?}");
    agrees(&place);
}

#[test]
fn new_columns_reach_the_log_with_the_next_version() {
    let folder = tempfile::tempdir().unwrap();
    let (place, second) = with_log(folder.path());
    let first = place.path().join(file(0));
    let known = fs::read_to_string(&first).unwrap();
    let older = known
        .replace("\"schemaVersion\":1", "\"schemaVersion\":0")
        .replace("event_version", "event_past");
    fs::write(&first, older).unwrap();
    place.convert(&[&second]).exits(0);
    let (old, new) = (of_kind(&place, 0, "metaData"), of_kind(&place, 1, "metaData"));
    assert_eq!(old[0]["id"], new[0]["id"]);
    assert!(str(&old[0], "schemaString").contains("event_past"));
    assert!(str(&new[0], "schemaString").contains("event_version"));
    assert!(known.contains(&json!(str(&new[0], "schemaString")).to_string()));
}

#[test]
fn verify_names_what_does_not_fit_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (place, second) = with_log(folder.path());
    place.convert(&[&second]).exits(0);
    let first = place.path().join(file(0));
    let known = fs::read_to_string(&first).unwrap();
    let changed: Vec<_> = known.lines().filter(|line| !line.contains("\"add\"")).collect();
    fs::write(&first, changed.join("\n")).unwrap();
    // What other programs write there is Parquet.
    let part = place.path().join(&place.parts()[0]);
    fs::copy(part, place.path().join(LOG).join(format!("{:020}.checkpoint.parquet", 1))).unwrap();
    let found = verify(&place, 1);
    assert!(found.contains("is not in the Delta log"), "{found}");
    assert!(found.contains("checkpoint.parquet: is in the dataset, but in no commit"), "{found}");
    fs::remove_file(&first).unwrap();
    let found = verify(&place, 1);
    assert!(found.contains("0.json: is gone"), "{found}");
}
