//! What a conversion did: counts that add up, and problems by name.
//!
//! read = written + filtered + duplicate + rejected, checked before anything becomes visible. The
//! JSON form is a contract for scripts; nothing in it depends on the clock or the threads.

use crate::dataset::{RecordCounts, Reject};
use crate::error::{Error, Result};
use crate::scope::Keep;
use crate::sources::{Problem, SkippedFiles, Unmatched};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

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

/// Of what is in the quarantine.
pub(super) fn rejected(reject: &Reject) -> Problem {
    let Reject { file, record, reason, .. } = reject;
    Problem { file: file.clone(), record: *record, reason: reason.clone() }
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
    /// Files of other services, by the folder that their keys name; what a bucket has in such a folder is one,
    /// for it is not listed. They are no log files of CloudTrail's, and in no other count.
    pub services: BTreeMap<&'static str, u64>,
    /// What the dataset kept before this run, where the run has widened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widened_from: Option<Keep>,
    /// Log files that earlier runs have read for less than the dataset keeps, and none since.
    pub read_for_less: u64,
    /// Regions and accounts that were asked for, and that no log file is of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<Unmatched>,
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
        let Self { files, changed, foreign, services, bytes_read, coercions, .. } = other;
        self.files.found += files.found;
        self.files.read += files.read;
        self.changed += changed;
        self.foreign += foreign;
        self.add_services(services);
        self.files.skipped.add(files.skipped);
        self.files.rejected += files.rejected;
        self.bytes_read += bytes_read;
        for (path, count) in coercions {
            *self.coercions.entry(path).or_default() += count;
        }
    }

    /// Adds files of other services.
    pub(super) fn add_services(&mut self, services: BTreeMap<&'static str, u64>) {
        for (service, count) in services {
            *self.services.entry(service).or_default() += count;
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
