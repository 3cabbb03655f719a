//! The pack of saved queries and views: each finds what it must and nothing else.
//!
//! Each folder of `tests/pack` is a test of its name: `tests/pack/NAME` for a saved query,
//! `tests/pack/view-NAME` for a view, and any number of `NAME@what-it-shows` beside them. A folder has
//!
//! - `find.json`, a log file of what must be found,
//! - `other.json`, a log file of near misses, of which nothing must be found,
//! - `expected.csv`, the answer over both,
//! - and if it needs them `args`: a `name=value` a line, and `keep=...` for what `convert` keeps.
//!
//! A case `NAME@...` may be a near miss alone: then `expected.csv` has its header only, and `find.json`
//! may be missing. `tests/pack/duckdb.py` asks DuckDB the same questions.
//!
//! This is a target of its own, without libtest, because a macro cannot list folders: a new folder is
//! a new test, and none can be forgotten. It uses nothing of the library, so it links at once.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

#[path = "it/case.rs"]
mod case;
#[path = "it/program.rs"]
mod program;

use case::{Case, cases};
use libtest_mimic::{Arguments, Trial};
use program::{ROOT, buildtrail};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// A dataset; its folder goes when this goes.
struct Dataset(TempDir);

impl Dataset {
    fn new(logs: &[&str], keep: &str) -> Self {
        let dataset = Self(tempfile::tempdir().unwrap());
        let args = ["convert", "--out", &dataset.name(), "--keep", keep];
        buildtrail(&[&args, logs].concat()).exits(0);
        dataset
    }

    fn name(&self) -> String {
        self.0.path().join("dataset").to_str().unwrap().to_owned()
    }
}

/// A dataset without events: made when the first case asks for it, and not for `--list`.
type Empty = LazyLock<Dataset>;

fn empty() -> Dataset {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    fs::write(&log, "{\"Records\":[]}").unwrap();
    Dataset::new(&[log.to_str().unwrap()], "codebuild")
}

/// Fails unless the answer has the expected lines.
fn assert_same(answer: &str, expected: &str, is_view: bool, over: &str) {
    // A view has no order of its own.
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        if is_view {
            lines.sort();
        }
        lines.join("\n")
    };
    let (answer, expected) = (lines(answer), lines(expected));
    assert!(answer == expected, "over {over}, expected\n{expected}\n\nbut got\n{answer}");
}

/// Whether a view is a table of words: it gives its rows whatever the events are.
fn is_of_words(query: &str) -> bool {
    let Some(view) = query.strip_prefix("view-") else { return false };
    let sql = fs::read_to_string(Path::new(ROOT).join(format!("sql/views/{view}.sql"))).unwrap();
    let statement: String = sql.lines().filter(|line| !line.starts_with("--")).collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = statement.split(|c| !is_word(c));
    !sql.contains("-- uses:") && words.all(|word| word != "events")
}

/// Fails unless a case's answers are as expected.
fn check(case: &Case, empty: &Empty) {
    let file = |name: &str| case.folder.join(name);
    let is_view = case.query().starts_with("view-");
    let expected = fs::read_to_string(file("expected.csv")).expect("expected.csv is missing");
    let header = expected.lines().next().expect("expected.csv is empty");
    let finds = expected.lines().count() > 1;
    let is_more = case.name != case.query();
    assert!(
        finds || is_more,
        "expected.csv has no row: only a case NAME@... may be a near miss alone"
    );
    let path = |name: &str| file(name).to_str().unwrap().to_owned();
    let (find, other) = (path("find.json"), path("other.json"));
    if finds || file("find.json").exists() {
        let both = Dataset::new(&[&find, &other], &case.keep);
        assert_same(&case.ask(&both.name(), &[]), &expected, is_view, "find.json and other.json");
    }
    let nothing = if is_of_words(case.query()) { &*expected } else { header };
    let near = Dataset::new(&[&other], &case.keep);
    assert_same(&case.ask(&near.name(), &[]), nothing, is_view, "other.json alone");
    assert_same(&case.ask(&empty.name(), &[]), nothing, is_view, "no events");
}

fn every_query_and_view_has_its_case() {
    let listed = buildtrail(&["queries", "--format", "json"]).exits(0).json();
    let queries = listed.as_array().unwrap().iter();
    let mut names: BTreeSet<_> =
        queries.map(|query| query["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.len() >= 35);
    for view in fs::read_dir(Path::new(ROOT).join("sql/views")).unwrap() {
        let path = view.unwrap().path();
        names.insert(format!("view-{}", path.file_stem().unwrap().to_str().unwrap()));
    }
    let cases: BTreeSet<_> = cases().into_iter().map(|case| case.name).collect();
    let missing: Vec<_> = names.difference(&cases).collect();
    assert!(missing.is_empty(), "no folder in tests/pack for {missing:?}");
    let is_known = |case: &&String| names.contains(case.split('@').next().unwrap_or_default());
    let unknown: Vec<_> = cases.iter().filter(|case| !is_known(case)).collect();
    assert!(unknown.is_empty(), "neither a saved query nor a view: {unknown:?}");
}

fn main() -> ExitCode {
    let empty = Arc::new(Empty::new(empty));
    let trial = |case: Case| {
        let empty = Arc::clone(&empty);
        Trial::test(case.name.clone(), move || {
            check(&case, &empty);
            Ok(())
        })
    };
    let mut tests: Vec<_> = cases().into_iter().map(trial).collect();
    tests.push(Trial::test("every_query_and_view_has_its_case", || {
        every_query_and_view_has_its_case();
        Ok(())
    }));
    drop(empty);
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
