//! The pack of saved queries and views: each finds what it must and nothing else.
//!
//! `tests/pack/NAME` (for a view `view-NAME`) has `find.json`, log files of what must be found,
//! `other.json` of near misses, `expected.csv`, and perhaps `args`: a `name=value` a line, and
//! `keep=...` for what `convert` keeps. `tests/pack/duckdb.py` asks DuckDB the same.

use crate::support::{Dataset, ROOT, buildtrail, log_file};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One query or view and what is expected of it.
pub(crate) struct Case {
    pub(crate) name: String,
    folder: PathBuf,
    keep: String,
    args: Vec<String>,
}

pub(crate) fn cases() -> Vec<Case> {
    let folders = fs::read_dir(Path::new(ROOT).join("tests/pack")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let case = |folder: PathBuf| {
        let mut case = Case {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            keep: "codebuild".to_owned(),
            args: Vec::new(),
            folder,
        };
        let args = fs::read_to_string(case.folder.join("args")).unwrap_or_default();
        for (name, value) in args.lines().filter_map(|line| line.split_once('=')) {
            if name == "keep" {
                value.clone_into(&mut case.keep);
            } else {
                case.args.push(format!("--{}={value}", name.replace('_', "-")));
            }
        }
        case
    };
    let mut cases: Vec<_> = folders.map(case).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Case {
    fn dataset(&self, files: &[&str]) -> Dataset {
        let place = Dataset::place();
        let files: Vec<_> =
            files.iter().map(|f| self.folder.join(f).to_str().unwrap().to_owned()).collect();
        let mut args: Vec<&str> = files.iter().map(String::as_str).collect();
        args.extend(["--keep", &self.keep]);
        place.convert(&args).exits(0);
        place
    }

    /// The answer as CSV.
    fn ask(&self, dataset: &Dataset) -> String {
        self.ask_with(dataset, &[])
    }

    /// The answer with more options.
    pub(crate) fn ask_with(&self, dataset: &Dataset, options: &[&str]) -> String {
        let name = dataset.name();
        if let Some(view) = self.name.strip_prefix("view-") {
            let sql = format!("SELECT * FROM {view}");
            let args = ["sql", &name, "-c", &sql, "--format", "csv"];
            return buildtrail(&[&args, options].concat()).exits(0).stdout;
        }
        let mut args = vec!["run", &self.name, &name, "--format", "csv"];
        args.extend(self.args.iter().map(String::as_str));
        buildtrail(&[&args, options].concat()).exits(0).stdout
    }

    /// Fails unless all is as expected; `empty` is a dataset without events.
    fn check(&self, empty: &Dataset) {
        let expected = fs::read_to_string(self.folder.join("expected.csv")).unwrap();
        let answer = self.ask(&self.dataset(&["find.json", "other.json"]));
        // A view has no order of its own.
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            if self.name.starts_with("view-") {
                lines.sort();
            }
            lines
        };
        assert_eq!(sorted(&answer), sorted(&expected), "{}", self.name);
        assert!(expected.lines().count() > 1, "{}: nothing to find", self.name);
        let header = expected.lines().next().unwrap();
        let other = self.ask(&self.dataset(&["other.json"]));
        assert_eq!(other.trim_end(), header, "{}: found a near miss", self.name);
        assert_eq!(self.ask(empty).trim_end(), header, "{}: on an empty dataset", self.name);
    }
}

/// Checks every third case, so that the machine's cores share them.
fn check_third(third: usize) {
    let folder = tempfile::tempdir().unwrap();
    let empty = Dataset::place();
    empty.convert(&[&log_file(folder.path(), "log.json", &[])]).exits(0);
    for case in cases().iter().skip(third).step_by(3) {
        case.check(&empty);
    }
}

#[test]
fn queries_find_what_they_must_first_third() {
    check_third(0);
}

#[test]
fn queries_find_what_they_must_second_third() {
    check_third(1);
}

#[test]
fn queries_find_what_they_must_last_third() {
    check_third(2);
}

#[test]
fn every_query_and_view_has_its_case() {
    let listed = buildtrail(&["queries", "--format", "json"]).exits(0).json();
    let queries = listed.as_array().unwrap().iter();
    let mut names: BTreeSet<_> =
        queries.map(|query: &Value| query["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.len() >= 35);
    for view in fs::read_dir(Path::new(ROOT).join("sql/views")).unwrap() {
        let path = view.unwrap().path();
        names.insert(format!("view-{}", path.file_stem().unwrap().to_str().unwrap()));
    }
    let cases: BTreeSet<_> = cases().into_iter().map(|case| case.name).collect();
    assert_eq!(cases, names);
}
