//! The quarantine: what was rejected, whole as far as it can be, and why.
//!
//! A rejected record's text is kept so that somebody can look at it when the log file is long gone.
//! It passes redaction first, like all that is written; of text that is no JSON, where no member's
//! name can be trusted, every string is masked but for those of the record's own identifying members.

use crate::dataset::segment::Entry;
use serde::{Deserialize, Serialize};

/// Bytes of a rejected text that are kept: what CloudTrail itself lets a record have. A record of
/// 1 GB would make the quarantine larger than the dataset.
pub(crate) const LARGEST: usize = 1 << 20;

/// A rejected record or file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Reject {
    /// The log file, as `source_file` has it.
    pub(crate) file: String,
    /// The index of the record in it; none for the file itself.
    pub(crate) record: Option<i64>,
    /// What was expected and what was got.
    pub(crate) reason: String,
    /// Bytes that were rejected.
    pub(crate) bytes: u64,
    /// Their text, redacted; at most [`LARGEST`] bytes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

impl Entry for Reject {
    const FOLDER: &'static str = "rejected";
}
