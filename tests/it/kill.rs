//! Kills a run at a named point of the commit protocol; `src/dataset/kill_points.rs` has the names.
//!
//! Nothing here depends on how fast the machine is: the process says that it has reached the point, and
//! waits there until it is killed.

use crate::program::{ROOT, run};
use crate::support::files;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const STOP_AT: &str = "BUILDTRAIL_TEST_STOP_AT";

/// What a run that writes to a dataset on disk can reach.
pub(crate) const ON_DISK: [&str; 12] = [
    "committed",
    "file-unnamed",
    "file-written",
    "followed",
    "locked",
    "part-begun",
    "placed",
    "recorded",
    "removed",
    "staged",
    "sweeping",
    "swept",
];
/// What is reached in a bucket alone.
const IN_BUCKET: [&str; 3] = ["intended", "sent", "upload-begun"];
/// What a worker reaches.
const WORKER: [&str; 1] = ["asked"];

/// The point that a line on standard error names.
fn point(line: &str) -> Option<&str> {
    line.strip_prefix("test point ")
}

/// The points that a run reaches, in order and counted: `staged:1`, `staged:2`.
pub(crate) fn points(mut command: Command) -> Vec<String> {
    command.env(STOP_AT, "");
    let said = run(command, "").exits(0).stderr;
    let points: Vec<_> = said.lines().filter_map(point).map(str::to_owned).collect();
    assert!(!points.is_empty(), "this build has no kill points: it has no debug assertions");
    points
}

/// Lets a command stop at a point.
pub(crate) fn stop_at<'c>(command: &'c mut Command, point: &str) -> &'c mut Command {
    command.env(STOP_AT, point).stderr(Stdio::piped())
}

/// Waits until a process has reached the point where it stops.
pub(crate) fn wait_for(child: &mut Child, wanted: &str) {
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if point(&line) == Some(wanted) {
            return;
        }
        said = said + &line + "\n";
    }
    panic!("ended with {} before it reached {wanted}:\n{said}", child.wait().unwrap());
}

/// Runs a command until it reaches a point, and kills it there.
pub(crate) fn kill_at(mut command: Command, wanted: &str) {
    stop_at(&mut command, wanted).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_for(&mut child, wanted);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Runs a command at each of its points on a place of its own, kills it there, and lets `check` look at
/// what is left. The names of the points.
pub(crate) fn at_each_point<P>(
    place: impl Fn() -> P,
    command: impl Fn(&P) -> Command,
    mut check: impl FnMut(&str, P),
) -> BTreeSet<String> {
    let points = points(command(&place()));
    for point in &points {
        let killed = place();
        kill_at(command(&killed), point);
        check(point, killed);
    }
    points.iter().map(|point| point.split(':').next().unwrap().to_owned()).collect()
}

/// Fails unless the tests have killed at exactly these points.
#[track_caller]
pub(crate) fn assert_reached(reached: &BTreeSet<String>, expected: &[&str]) {
    let expected = expected.iter().map(ToString::to_string).collect();
    assert_eq!(*reached, expected);
}

/// All points of a run that writes to a dataset in a bucket: no file waits for its name there.
pub(crate) fn in_bucket() -> Vec<&'static str> {
    let shared = ON_DISK.into_iter().filter(|name| *name != "file-unnamed");
    shared.chain(IN_BUCKET).collect()
}

/// A new point must be killed at: the tests know all that there are.
#[test]
fn every_point_is_known_to_the_tests() {
    let mut code = vec!["src/dataset.rs".to_owned()];
    let folder = files(&Path::new(ROOT).join("src/dataset"));
    code.extend(folder.into_iter().map(|name| format!("src/dataset/{name}")));
    let code: String =
        code.iter().map(|name| fs::read_to_string(Path::new(ROOT).join(name)).unwrap()).collect();
    let between = |text: &str, before: &str, after: &str| -> BTreeSet<String> {
        let found = text.split(before).skip(1).filter_map(|rest| rest.split_once(after));
        found.map(|(name, _)| name.to_owned()).collect()
    };
    let known = [&ON_DISK[..], &IN_BUCKET, &WORKER].concat();
    let known: BTreeSet<_> = known.into_iter().map(str::to_owned).collect();
    assert_eq!(between(&code, "reached(\"", "\")"), known);
    assert_eq!(between(&code, "//! | `", "` |"), known, "the table in kill_points.rs");
}

#[cfg(not(debug_assertions))]
#[test]
fn a_release_build_has_no_points() {
    let place = crate::support::Dataset::place();
    let name = place.name();
    let mut command = crate::program::command(&["convert", "data/AWSLogs", "--out", &name]);
    command.env(STOP_AT, "locked:1");
    assert_eq!(run(command, "").exits(0).stderr, "");
    let program = fs::read(env!("CARGO_BIN_EXE_buildtrail")).unwrap();
    assert!(!program.windows(STOP_AT.len()).any(|bytes| bytes == STOP_AT.as_bytes()));
}
