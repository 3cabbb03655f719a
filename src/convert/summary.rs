//! What a conversion did: counts that add up, and problems by name.
//!
//! read = written + filtered + duplicate + rejected, checked before anything becomes visible. The
//! JSON form is a contract for scripts; nothing in it depends on the clock or the threads.

use crate::convert::discover::Kind;
use crate::dataset::{RecordCounts, Reject};
use crate::error::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What became of the files: found = read + skipped + rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FileCounts {
    /// Files that the sources name.
    pub found: u64,
    /// Log files read to their end.
    pub read: u64,
    /// Files that hold no records, by kind.
    pub skipped: SkippedFiles,
    /// Files that cannot be read, or not to their end. What came before the break is kept.
    pub rejected: u64,
}

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
    /// Files in folders whose names end like no log file's.
    pub other: u64,
    /// Log files of other accounts, regions, times or shards than asked for, as their keys say. What is below
    /// a folder whose name says so is not looked at, and not counted.
    pub outside: u64,
}

impl SkippedFiles {
    /// Counts one that is no log file, or whose name is none's.
    pub(crate) fn count(&mut self, kind: Kind) {
        *match kind {
            Kind::Digest => &mut self.digest,
            Kind::Insight => &mut self.insight,
            Kind::Aggregated => &mut self.aggregated,
            Kind::LogFile => &mut self.other,
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
    /// Of what is in the quarantine.
    pub(crate) fn rejected(reject: &Reject) -> Self {
        let Reject { file, record, reason, .. } = reject;
        Self { file: file.clone(), record: *record, reason: reason.clone() }
    }

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

/// A row whose event id another row has with other content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Conflict {
    /// The id.
    pub event_id: String,
    /// The log file, as `source_file` has it.
    pub file: String,
    /// The index of the record in it.
    pub record: i64,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_id, file, record } = self;
        write!(
            f,
            "{file}: record {record}: event id {event_id} is in another row with other content"
        )
    }
}

/// What a conversion did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Outcome {
    /// The records.
    pub records: RecordCounts,
    /// The files.
    pub files: FileCounts,
    /// Files that an earlier run has read with other content.
    pub changed: u64,
    /// Events and messages in the log files that are not CloudTrail's: EventBridge's own, control
    /// messages of `CloudWatch` Logs. They are no records, and in no other count.
    pub foreign: u64,
    /// Bytes of log files read, as stored.
    pub bytes_read: u64,
    /// New part files.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Values that did not fit their typed column, by path; their text is in the JSON text columns.
    pub coercions: BTreeMap<String, u64>,
    /// Rows that share their event id with another of other content, in order.
    pub conflicts: Vec<Conflict>,
    /// What was rejected, in order.
    #[serde(rename = "rejected")]
    pub problems: Vec<Problem>,
}

impl Outcome {
    /// Adds what another worker counted; records are added up by log file.
    pub(crate) fn add(&mut self, other: Self) {
        let Self { files, changed, foreign, bytes_read, coercions, .. } = other;
        self.files.found += files.found;
        self.files.read += files.read;
        self.changed += changed;
        self.foreign += foreign;
        self.files.skipped.add(files.skipped);
        self.files.rejected += files.rejected;
        self.bytes_read += bytes_read;
        for (path, count) in coercions {
            *self.coercions.entry(path).or_default() += count;
        }
    }

    /// Fails unless the counts add up.
    pub(crate) fn check(&self) -> Result<()> {
        let r = &self.records;
        if !r.add_up() {
            return Err(Error::Unreconciled(format!(
                "read {} is not written {} + filtered {} + duplicate {} + rejected {}",
                r.read, r.written, r.filtered, r.duplicate, r.rejected
            )));
        }
        let f = &self.files;
        if f.found != f.read + f.skipped.total() + f.rejected {
            return Err(Error::Unreconciled(format!(
                "found {} is not read {} + skipped {} + rejected {}",
                f.found,
                f.read,
                f.skipped.total(),
                f.rejected
            )));
        }
        Ok(())
    }

    /// Whether any input was rejected: exit status 3.
    #[must_use]
    pub fn has_rejects(&self) -> bool {
        self.records.rejected > 0 || self.files.rejected > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_do_not_add_up_are_an_error() {
        let mut outcome = Outcome::default();
        assert!(outcome.check().is_ok());
        outcome.records.read = 3;
        assert!(outcome.check().unwrap_err().to_string().contains("read 3 is not"));
        outcome.records.written = 1;
        outcome.records.duplicate = 2;
        assert!(outcome.check().is_ok());
        outcome.files.found = 1;
        assert!(outcome.check().is_err());
        outcome.files.skipped.other = 1;
        assert!(outcome.check().is_ok());
    }
}
