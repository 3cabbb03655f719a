//! What ends a run. What only rejects a file or a record is a
//! [`Problem`](crate::convert::Problem): it is named and counted, and the run goes on.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use std::io;
use std::path::{Path, PathBuf};

/// A failure of a whole command. Each reads as a fragment that fits after `error:`, and says its cause
/// itself: none has a `source`, which would be said twice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source names nothing that is there.
    #[error("no such file or folder: {0}; check the path, or quote a pattern")]
    NoSource(String),
    /// A source's pattern is no pattern.
    #[error("`{pattern}` is no pattern: {reason}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What the pattern's parser says.
        reason: String,
    },
    /// Reading or writing failed where the run cannot go on without it.
    #[error("{action} {path}: {cause}")]
    Io {
        /// What was tried: `create`, `write`, `list`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// The folder is no dataset.
    #[error(
        "{0} is no dataset: it has no {1}; make one with `buildtrail convert SOURCE --out {0}`"
    )]
    NoDataset(String, String),
    /// The dataset cannot be used as asked.
    #[error("{0}: {1}")]
    Dataset(String, String),
    /// Arrow or Parquet failed on our own columns.
    #[error("{action} {path}: {cause}")]
    Parquet {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// The part file.
        path: PathBuf,
        /// Why it failed.
        cause: parquet::errors::ParquetError,
    },
    /// Arrow failed on our own columns.
    #[error("arrange rows: {0}")]
    Arrow(arrow::error::ArrowError),
    /// The pool of threads could not be made.
    #[error("start {0} threads: {1}")]
    Threads(usize, String),
    /// The counts do not add up: a defect of this tool, and the dataset was left as it was.
    #[error("the counts do not add up ({0}); this is a defect, please report it")]
    Unreconciled(String),
    /// S3 failed, and what to do about it.
    #[error("{0}")]
    Store(String),
    /// Keys or signatures to check log files by cannot be used.
    #[error("{0}")]
    Integrity(String),
    /// A dialect cannot say where the dataset is.
    #[error("{0}")]
    Catalog(String),
    /// A query failed.
    #[error("{}", query_failure(.0))]
    Query(DataFusionError),
    /// A worker does not do its part.
    #[cfg(feature = "distributed")]
    #[error("worker {address}: {reason}")]
    Worker {
        /// As `--workers` or `--listen` has it.
        address: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A query could not be found or understood.
    #[error("{0}")]
    SavedQuery(String),
}

impl From<arrow::error::ArrowError> for Error {
    fn from(cause: arrow::error::ArrowError) -> Self {
        Self::Arrow(cause)
    }
}

impl From<DataFusionError> for Error {
    fn from(cause: DataFusionError) -> Self {
        Self::Query(cause)
    }
}

impl Error {
    /// An I/O failure with its path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { action, path: path.to_owned(), cause }
    }

    /// Whether a reader has seen enough and left.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What a query failed by. A column that is not there is told without the list of all that are: with
/// 185 of them nobody would see the sentence.
fn query_failure(error: &DataFusionError) -> String {
    let failure = match error.find_root() {
        DataFusionError::SchemaError(failure, _) => failure,
        DataFusionError::ResourcesExhausted(reason) => {
            // What follows is a list of the engine's parts and what each holds.
            let reason = reason.split(" with top memory").next().unwrap_or_default();
            return format!("out of memory: {reason}; --memory gives more");
        }
        // Ours, on its way through the engine.
        DataFusionError::External(cause) if cause.is::<Error>() => return cause.to_string(),
        DataFusionError::Plan(reason)
            if reason.contains("'json_") && reason.ends_with("got Boolean.") =>
        {
            let hint = "-> and ->> bind less than a comparison: write (a->>'b') = 'c'";
            return format!("{reason} {hint}");
        }
        _ => return error.strip_backtrace(),
    };
    let SchemaError::FieldNotFound { field, valid_fields } = failure.as_ref() else {
        return error.strip_backtrace();
    };
    let names = valid_fields.iter().map(|column| column.name.as_str());
    match nearest(&field.name, names) {
        Some(name) => format!("no column `{}`; did you mean `{name}`?", field.name),
        None => format!("no column `{}`", field.name),
    }
}

/// The name that is most like `wanted`, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = (wanted.len() / 3).max(2);
    let (away, name) = names.map(|name| (distance(name, wanted), name)).min()?;
    (away <= near).then_some(name)
}

/// How many letters must change to make one word of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above), corner) in b.chars().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above + 1).min(left + 1).min(corner + usize::from(x != y)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The result of a command's part.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_changed_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
