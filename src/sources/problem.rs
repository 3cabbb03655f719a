//! Files that are not read, by kind, and what could not be read, by name.

use crate::log_file::key::FileKind;
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// Files that were not read, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SkippedFiles {
    /// Digest files.
    pub digest: u64,
    /// Insight files.
    pub insight: u64,
    /// Files of aggregated records.
    pub aggregated: u64,
    /// Files of zero bytes.
    pub empty: u64,
    /// Files that an earlier run has read, unchanged since.
    pub known: u64,
    /// Files in folders whose names end like no log file's, macOS's side files, and CloudTrail's own test of a
    /// bucket.
    pub other: u64,
    /// Log files of other accounts, regions, times or shards than asked for, as their keys say. What is below
    /// a folder whose name says so is not looked at, and not counted.
    pub outside: u64,
}

impl SkippedFiles {
    /// Counts one that is no log file, or whose name is none's.
    pub(crate) fn count(&mut self, kind: FileKind) {
        *match kind {
            FileKind::Digest => &mut self.digest,
            FileKind::Insight => &mut self.insight,
            FileKind::Aggregated => &mut self.aggregated,
            FileKind::LogFile => &mut self.other,
        } += 1;
    }

    pub(crate) fn add(&mut self, other: Self) {
        let Self { digest, insight, aggregated, empty, known, other, outside } = other;
        self.digest += digest;
        self.insight += insight;
        self.aggregated += aggregated;
        self.empty += empty;
        self.known += known;
        self.other += other;
        self.outside += outside;
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.digest
            + self.insight
            + self.aggregated
            + self.empty
            + self.known
            + self.other
            + self.outside
    }
}

/// A file or record that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The log file, as `source_file` has it.
    pub file: String,
    /// The index of the record in it; `None` for the file itself.
    pub record: Option<i64>,
    /// What was expected and what was got.
    pub reason: String,
}

impl Problem {
    /// A log file that was to be read again.
    pub(crate) fn gone(file: &str) -> Self {
        let reason = "is no longer there to be read again; what was rejected of it stays rejected";
        Self { file: file.to_owned(), record: None, reason: reason.to_owned() }
    }

    /// An entry of a folder that could not be listed.
    pub(crate) fn unlisted(folder: &Path, error: &walkdir::Error) -> Self {
        let path = error.path().unwrap_or(folder).to_string_lossy().into_owned();
        let reason = match error.loop_ancestor() {
            Some(above) => format!("a link that leads back to {}", above.display()),
            None => format!(
                "list: {}",
                error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
            ),
        };
        Self { file: path, record: None, reason }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record {
            Some(record) => write!(f, "{}: record {record}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}
