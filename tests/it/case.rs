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

    /// The arguments that ask it, for CSV.
    pub(crate) fn question(&self, dataset: &str) -> Vec<String> {
        let mut args: Vec<String> = match self.query().strip_prefix("view-") {
            Some(view) => {
                vec!["sql".into(), dataset.into(), "-c".into(), format!("SELECT * FROM {view}")]
            }
            None => vec!["run".into(), self.query().into(), dataset.into()],
        };
        args.extend(["--format".to_owned(), "csv".to_owned()]);
        if !self.query().starts_with("view-") {
            args.extend(self.args.iter().cloned());
        }
        args
    }

    /// The answer over a dataset, as CSV.
    pub(crate) fn ask(&self, dataset: &str, options: &[&str]) -> String {
        let question = self.question(dataset);
        let args: Vec<&str> = question.iter().map(String::as_str).collect();
        buildtrail(&[&args, options].concat()).exits(0).stdout
    }
}
