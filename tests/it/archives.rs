//! Archives of log files, and what somebody could put in one; files that are no files.

use crate::support::{Dataset, buildtrail, dataset, events, files, gzip, has, log_file, str, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::Command;
use tar::EntryType;
use zip::write::SimpleFileOptions;

/// A member of an archive: name, bytes.
type Member<'m> = (&'m str, Vec<u8>);

fn tar_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        // Not by `set_path`, which refuses what a hostile archive has.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn zip_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn log(records: &[Value]) -> Vec<u8> {
    json!({"Records": records}).to_string().into_bytes()
}

/// A log file of one record of CodeBuild.
fn one(id: &str) -> Vec<u8> {
    log(&[json!({"eventSource": "codebuild.amazonaws.com", "eventID": id})])
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    text(&path)
}

fn ids(dataset: &Dataset) -> BTreeSet<String> {
    dataset.rows().iter().map(|row| str(row, "event_id").to_owned()).collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn members_are_log_files() {
    let folder = tempfile::tempdir().unwrap();
    let records = events();
    let (first, second) = records.split_at(records.len() / 2);
    let delivered = "111122223333_CloudTrail_us-east-1_20260926T1455Z_9nYN7gp2eWAJHIfT.json.gz";
    let digest = "AWSLogs/1/CloudTrail-Digest/r/2026/09/26/d.json.gz";
    let members = [
        (delivered, gzip(&log(first))),
        ("README.txt", b"about".to_vec()),
        (digest, gzip(b"{}")),
        ("sub/b.json", log(second)),
    ];
    let tar = tar_of(&members);
    for (name, bytes) in
        [("a.tar", tar.clone()), ("a.tgz", gzip(&tar)), ("a.zip", zip_of(&members))]
    {
        let archive = put(folder.path(), name, &bytes);
        let place = dataset(&[&archive]);
        has(&place.summary["records"], &json!({"read": records.len(), "written": records.len()}));
        has(&place.summary["files"], &json!({"found": 5, "read": 3, "rejected": 0}));
        has(&place.summary["files"]["skipped"], &json!({"digest": 1, "other": 1}));
        let sources: BTreeSet<_> =
            place.rows().iter().map(|row| str(row, "source_file").to_owned()).collect();
        let names = [format!("{archive}!{delivered}"), format!("{archive}!sub/b.json")];
        assert_eq!(sources, names.into());
        let times = place
            .sql("SELECT DISTINCT log_file_time AS t FROM events WHERE log_file_time IS NOT NULL");
        assert_eq!(times, json!([{"t": "2026-09-26T14:55:00Z"}]));
        let again = place.convert(&[&archive]).exits(0).json();
        has(&again["files"], &json!({"found": 1, "read": 0}));
        buildtrail(&["verify", &place.name()]).exits(0);
    }
}

#[test]
fn of_an_archive_that_grew_the_new_members_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let members = [("a.json", one("a")), ("b.json", one("b"))];
    let archive = put(folder.path(), "a.tar", &tar_of(&members[..1]));
    let place = dataset(&[&archive]);
    put(folder.path(), "a.tar", &tar_of(&members));
    let grown = place.convert(&[&archive]).exits(0).json();
    has(&grown["records"], &json!({"read": 1, "written": 1}));
    has(&grown["files"]["skipped"], &json!({"known": 1}));
    buildtrail(&["verify", &place.name()]).exits(0);
}

#[test]
fn what_is_rejected_of_a_member_is_read_again_with_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let bad = log(&[json!({"eventSource": "codebuild.amazonaws.com", "eventID": "c"}), json!(1)]);
    let large = [one("d"), vec![b' '; 2000]].concat();
    let members = [("a.json", one("a")), ("b.json", bad), ("large!.json", large)];
    let archive = put(folder.path(), "logs!.zip", &zip_of(&members));
    let place = Dataset::place();
    let run = place.convert(&[&archive, "--max-file-size", "1kB"]).exits(3);
    has(&run.json()["records"], &json!({"read": 4, "written": 3, "rejected": 1}));
    assert!(run.stderr.contains("logs!.zip!b.json: record 1: "), "{}", run.stderr);
    assert!(run.stderr.contains("logs!.zip!large!.json: larger than"), "{}", run.stderr);
    buildtrail(&["verify", &place.name()]).exits(0);
    let again = place.convert(&["--retry-rejected"]).exits(3);
    has(&again.json()["records"], &json!({"read": 4, "duplicate": 3, "rejected": 1}));
    has(&again.json()["files"], &json!({"rejected": 0}));
    buildtrail(&["verify", &place.name()]).exits(0);
}

#[test]
fn no_member_leaves_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["../evil.json", "/tmp/evil.json", "a/../../evil.json", "red\u{1b}[31m.json"];
    let members: Vec<_> = names.iter().map(|name| (*name, one(name))).collect();
    let mut tar = tar::Builder::new(Vec::new());
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Char] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_link_name("/etc/passwd").unwrap();
        tar.append_data(&mut header, "link.json", &b""[..]).unwrap();
    }
    let links = tar.into_inner().unwrap();
    let end = links.len() - 1024;
    let tar = [&links[..end], &tar_of(&members)].concat();
    for (name, bytes, others) in [("a.tar", tar, 4), ("a.zip", zip_of(&members), 0)] {
        let archive = put(folder.path(), name, &bytes);
        let before = files(folder.path());
        let place = dataset(&[&archive]);
        assert_eq!(ids(&place), set(&names));
        has(&place.summary["files"]["skipped"], &json!({"other": others}));
        assert_eq!(files(folder.path()), before);
        assert_eq!(fs::read_dir(place.path().parent().unwrap()).unwrap().count(), 1);
    }
}

#[test]
fn an_archive_within_an_archive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for inner in [zip_of(&[("x.json", one("x"))]), gzip(&tar_of(&[("x.json", one("x"))]))] {
        let members = [("inner.gz", inner), ("a.json", one("a"))];
        let archive = put(folder.path(), "a.zip", &zip_of(&members));
        let place = Dataset::place();
        let run = place.convert(&[&archive]).exits(3);
        assert!(run.stderr.contains("a.zip!inner.gz: an archive within"), "{}", run.stderr);
        assert_eq!(ids(&place), set(&["a"]));
    }
}

#[test]
fn many_members_are_no_way_around_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    let padded = |id| [one(id), vec![b' '; 30 << 20]].concat();
    let members = [("a.json", padded("a")), ("b.json", padded("b")), ("c.json", padded("c"))];
    let packed: Vec<_> = members.iter().map(|(name, bytes)| (*name, gzip(bytes))).collect();
    for (name, bytes) in [("a.zip", zip_of(&members)), ("b.tar", tar_of(&packed))] {
        let archive = put(folder.path(), name, &bytes);
        let place = Dataset::place();
        let run = place.convert(&[&archive]).exits(3);
        let lines: Vec<_> = run.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains("c.json: inflates to more than 200 times"));
        // What was read of it is kept.
        assert_eq!(ids(&place), set(&["a", "b", "c"]));
        let more = Dataset::place();
        more.convert(&[&archive, "--max-ratio", "100000"]).exits(0);
    }
}

#[test]
fn a_name_that_comes_twice_is_two_log_files() {
    let folder = tempfile::tempdir().unwrap();
    let members = [("a.json", one("a")), ("a.json", one("b"))];
    let archive = put(folder.path(), "a.tar", &tar_of(&members));
    let place = dataset(&[&archive]);
    assert_eq!(ids(&place), set(&["a", "b"]));
    let sources = place.sql("SELECT source_file AS f FROM events ORDER BY event_id");
    assert_eq!(
        sources,
        json!([{"f": format!("{archive}!a.json")}, {"f": format!("{archive}!a.json!2")}])
    );
}

#[test]
fn a_cut_archive_gives_what_came_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let long = log(&events());
    let tar = tar_of(&[("a.json", one("a")), ("b.json", long.clone())]);
    let cut = &tar[..512 * 3 + long.len() / 2];
    let archive = put(folder.path(), "a.tar", cut);
    let place = Dataset::place();
    let run = place.convert(&[&archive]).exits(3);
    assert!(place.rows().len() > 10, "{}", run.stderr);
    for said in ["a.tar: tar breaks off", "a.tar!b.json: record 39: the file ends inside"] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    buildtrail(&["verify", &place.name()]).exits(0);
    let zip = zip_of(&[("a.json", one("a"))]);
    let archive = put(folder.path(), "a.zip", &zip[..zip.len() - 30]);
    let run = Dataset::place().convert(&[&archive]).exits(3);
    assert!(run.stderr.contains("a.zip: zip breaks off"), "{}", run.stderr);
}

/// Changes both headers of a zip of one member: in the member's own, and in the list at the end.
fn patched(mut zip: Vec<u8>, own: usize, listed: usize, bytes: &[u8]) -> Vec<u8> {
    for (mark, offset) in [(b"PK\x03\x04", own), (b"PK\x01\x02", listed)] {
        let at = zip.windows(4).position(|four| four == mark).unwrap() + offset;
        zip[at..at + bytes.len()].copy_from_slice(bytes);
    }
    zip
}

#[test]
fn what_a_zip_claims_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let zip = zip_of(&[("a.json", one("a"))]);
    let claiming = |size: u32| patched(zip.clone(), 22, 24, &size.to_le_bytes());
    put(folder.path(), "a.zip", &claiming(0xffff_fff0));
    assert_eq!(ids(&dataset(&[&text(&folder.path().join("a.zip"))])), set(&["a"]));
    for size in [0, 1] {
        let archive = put(folder.path(), "a.zip", &claiming(size));
        let run = Dataset::place().convert(&[&archive]).exits(3);
        assert!(run.stderr.contains("a.zip!a.json: it breaks off or is damaged"), "{}", run.stderr);
    }
    let archive = put(folder.path(), "b.zip", &patched(zip, 6, 8, &[1, 0]));
    let run = Dataset::place().convert(&[&archive]).exits(3);
    assert!(run.stderr.to_lowercase().contains("password"), "{}", run.stderr);
}

/// A tar is told by `ustar` at byte 257, where a record may have the name of somebody's session.
#[test]
fn no_text_makes_an_archive_of_a_log_file() {
    let folder = tempfile::tempdir().unwrap();
    let session = "ustar".repeat(80);
    let records = (0..5).map(|shift| {
        let record = json!({"eventID": shift.to_string(), "eventSource": "codebuild.amazonaws.com",
            "eventTime": "2026-09-26T14:42:50Z", "a": format!("{}{session}", " ".repeat(shift))});
        log_file(folder.path(), &format!("{shift}.json"), &[record])
    });
    assert_eq!(records.count(), 5);
    assert_eq!(dataset(&[&text(folder.path())]).rows().len(), 5);
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.json", &one("a"));
    let pipe = text(&folder.path().join("pipe.json"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for source in [&*text(folder.path()), &pipe, "/dev/zero"] {
        let run = Dataset::place().convert(&[source]).exits(3);
        assert!(run.stderr.contains("not a regular file"), "{}", run.stderr);
        has(&run.json()["files"], &json!({"rejected": 1}));
    }
}
