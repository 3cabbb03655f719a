//! Failures that end a command. A file or record that is rejected is a
//! [`Problem`](crate::convert::Problem) instead: it is named and counted, and the run goes on.
//!
//! Each failure has its cause as `source`; [`Chain`] prints all of them, once. Advice stands apart, in
//! [`Error::hint`], so that a program can leave it out.

mod dataset;
mod query;
mod store;

pub use dataset::DatasetProblem;
pub use query::{QueryError, SavedQueryProblem};
pub use store::{StoreError, StoreProblem};

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A cause from another crate.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// A failure of a whole command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A source names nothing that exists.
    #[error("no such file or folder: {0}")]
    NoSource(String),
    /// A source's pattern cannot be parsed.
    #[error("invalid pattern `{pattern}`")]
    Pattern {
        /// As given.
        pattern: String,
        /// Says where it is wrong.
        source: globset::Error,
    },
    /// Reading or writing failed, and the run cannot go on without it.
    #[error("{action} {path}", path = path.display())]
    Io {
        /// The step that failed: `create`, `write`, `list`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// The folder or prefix holds no dataset.
    #[error("not a dataset: {location} ({missing} is missing)")]
    NoDataset {
        /// As given.
        location: String,
        /// The file that every dataset has.
        missing: &'static str,
    },
    /// The dataset cannot be used as asked, or is damaged.
    #[error("{place}: {problem}")]
    Dataset {
        /// The dataset, or the file in it.
        place: String,
        /// The reason, with its data.
        problem: DatasetProblem,
    },
    /// A part file cannot be read or written.
    #[error("{action} {path}", path = path.display())]
    Parquet {
        /// The step that failed: `read`, `write`.
        action: &'static str,
        /// The part file.
        path: PathBuf,
        /// The reason.
        #[source]
        cause: parquet::errors::ParquetError,
    },
    /// Arrow failed on our own columns.
    #[error("arrange rows")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Threads could not be started.
    #[error("start threads")]
    Threads(#[source] Cause),
    /// The counts do not add up: a defect of this tool. The dataset is as it was.
    #[error("the counts do not add up ({0}); this is a defect, please report it")]
    Unreconciled(String),
    /// A thread of ours ended without an answer: a defect of this tool.
    #[error("{0} ended early; this is a defect, please report it")]
    Panicked(&'static str),
    /// Rows that were held outside of memory came back damaged.
    #[error("rows that were held are damaged: {0}")]
    Spilled(String),
    /// S3 failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest of an S3 Inventory, or a file that it lists, cannot be used.
    #[error("{location}: {reason}")]
    Inventory {
        /// The manifest, or the data file.
        location: String,
        /// The reason.
        reason: String,
    },
    /// A file of public keys or signatures cannot be used.
    #[error("{path}: {reason}", path = path.display())]
    Integrity {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A dialect cannot say where the dataset is.
    #[error("cannot write the location `{location}`: {reason}")]
    Catalog {
        /// As given.
        location: String,
        /// The reason.
        reason: String,
    },
    /// A query failed, or was not allowed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A saved query cannot be read or called.
    #[error("saved query {name}: {problem}")]
    SavedQuery {
        /// The query's name.
        name: String,
        /// The reason, with its data.
        problem: SavedQueryProblem,
    },
    /// A name that nothing has.
    #[error("no {kind} `{name}`")]
    UnknownName {
        /// The kind of thing that was looked for.
        kind: &'static str,
        /// As given.
        name: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
    /// A worker does not do its part.
    #[cfg(feature = "distributed")]
    #[error("worker {address}: {reason}")]
    Worker {
        /// As `--workers` or `--listen` has it.
        address: String,
        /// The reason.
        reason: String,
    },
}

impl Error {
    /// An I/O failure with its path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { action, path: path.to_owned(), cause }
    }

    /// A dataset's failure with its place.
    pub(crate) fn dataset(place: impl fmt::Display, problem: DatasetProblem) -> Self {
        Self::Dataset { place: place.to_string(), problem }
    }

    /// A saved query's failure with its name.
    pub(crate) fn saved_query(name: &str, problem: SavedQueryProblem) -> Self {
        Self::SavedQuery { name: name.to_owned(), problem }
    }

    /// Whether the reader of our output has left.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether a file of ours is gone that was there.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            Self::Io { cause, .. } => cause.kind() == io::ErrorKind::NotFound,
            Self::Store(error) => error.problem == StoreProblem::NotFound,
            _ => false,
        }
    }

    /// Advice: the step that mends the failure, if one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSource(_) => "check the path, or quote a pattern".to_owned(),
            Self::NoDataset { location, .. } if is_free(location) => {
                format!("create one with `buildtrail convert SOURCE --out {location}`")
            }
            Self::NoDataset { location, .. } => format!(
                "if these are log files, `buildtrail convert {location} --out DATASET` makes a dataset of \
                 them, in a place of its own"
            ),
            Self::Dataset { problem, .. } => problem.hint()?.to_owned(),
            Self::Store(error) => error.problem.hint()?,
            Self::Query(error) => error.hint()?,
            Self::UnknownName { kind, nearest, .. } => match (nearest, *kind) {
                (Some(name), _) => format!("did you mean `{name}`?"),
                (None, "saved query") => "`buildtrail queries` lists them all".to_owned(),
                (None, _) => return None,
            },
            _ => return None,
        })
    }
}

/// Whether a dataset may be proposed for a place: nothing is there yet, and nothing says that log files are.
fn is_free(location: &str) -> bool {
    let mut levels = location.split('/');
    if location.starts_with("s3://") || levels.any(|level| level == "AWSLogs") {
        return false;
    }
    match std::fs::read_dir(location) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Prints an error and all its causes in one line: `outer: cause: its cause`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain<'e>(pub(crate) &'e (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many crates print their cause themselves.
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

/// An error that says its causes and the advice itself, for those who print an error alone.
#[derive(Debug)]
pub(crate) struct WithCauses(pub(crate) Error);

impl fmt::Display for WithCauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Chain(&self.0).fmt(f)?;
        self.0.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl StdError for WithCauses {}

/// The name that is most like `wanted`, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = (wanted.len() / 3).max(2);
    let (away, name) = names.map(|name| (strsim::levenshtein(name, wanted), name)).min()?;
    (away <= near).then_some(name)
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let names = ["event_time", "event_name", "actor"];
        assert_eq!(nearest("event_tme", names.into_iter()), Some("event_time"));
        assert_eq!(nearest("acter", names.into_iter()), Some("actor"));
        assert_eq!(nearest("zzzzzz", names.into_iter()), None);
    }

    #[test]
    fn no_dataset_is_proposed_among_log_files() {
        let folder = tempfile::tempdir().unwrap();
        let hint = |location: &str| {
            let location = location.to_owned();
            Error::NoDataset { location, missing: "x" }.hint().unwrap()
        };
        let name = folder.path().to_str().unwrap();
        for free in [name, "no/such/folder"] {
            assert!(hint(free).contains(&format!("--out {free}`")), "{free}");
        }
        std::fs::write(folder.path().join("log.json"), "{}").unwrap();
        for taken in [name, "logs/AWSLogs/dk", "s3://bucket/logs"] {
            assert!(!hint(taken).contains(&format!("--out {taken}")), "{taken}");
        }
    }

    #[test]
    fn every_cause_is_said_once() {
        let cause = io::Error::new(io::ErrorKind::NotFound, "gone");
        let error = Error::io("read", Path::new("a"))(cause);
        assert_eq!(Chain(&error).to_string(), "read a: gone");
        assert!(StdError::source(&error).is_some() && error.is_not_found());
    }
}
