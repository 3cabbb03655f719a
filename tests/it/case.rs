//! The cases of saved queries and views. Shared by the targets `pack` and, for workers, `it`.

use crate::program::{ROOT, buildtrail};
use std::fs;
use std::path::{Path, PathBuf};

/// One question about one query or view.
#[derive(Debug)]
pub(crate) struct Case {
    /// The folder's name: `NAME` or `NAME@what-it-shows`; a view's begins with `view-`.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// For `convert --keep`.
    pub(crate) keep: String,
    args: Vec<String>,
}

/// All cases, in the order of their names.
pub(crate) fn cases() -> Vec<Case> {
    let folders = fs::read_dir(Path::new(ROOT).join("tests/pack")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    // Python leaves a folder of its own beside the cases.
    let is_case = |path: &PathBuf| path.is_dir() && !path.ends_with("__pycache__");
    let mut cases: Vec<_> = folders.filter(is_case).map(Case::read).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let mut case = Self {
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
    }

    /// The query's name, or `view-` and the view's.
    pub(crate) fn query(&self) -> &str {
        self.name.split_once('@').map_or(&*self.name, |(query, _)| query)
    }

    /// The answer over a dataset, as CSV.
    pub(crate) fn ask(&self, dataset: &str, options: &[&str]) -> String {
        if let Some(view) = self.query().strip_prefix("view-") {
            let sql = format!("SELECT * FROM {view}");
            let args = ["sql", dataset, "-c", &sql, "--format", "csv"];
            return buildtrail(&[&args, options].concat()).exits(0).stdout;
        }
        let mut args = vec!["run", self.query(), dataset, "--format", "csv"];
        args.extend(self.args.iter().map(String::as_str));
        buildtrail(&[&args, options].concat()).exits(0).stdout
    }
}
