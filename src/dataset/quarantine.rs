//! The quarantine: what was rejected, whole as far as it can be, and why.
//!
//! A rejected record's text is kept so that somebody can look at it when the log file is long gone.
//! It passes redaction first, like all that is written; of text that is no JSON, where no member's
//! name can be trusted, every word is masked but for those that say which record it is.
//!
//! What was rejected stays until its log file is read again for at least as much as it was then.

use crate::dataset::segment::Entry;
use crate::dataset::{Input, InputState};
use crate::scope::Scope;
use serde::{Deserialize, Serialize};

/// Bytes of a rejected text that are kept: what CloudTrail itself lets a record have. A record of
/// 1 GB would make the quarantine larger than the dataset.
pub(crate) const MAX_REJECTED_RECORD_BYTES: usize = 1 << 20;
/// Bytes that are kept of a file that is no log file from there on.
pub(crate) const MAX_REJECTED_FILE_BYTES: usize = 16 << 10;

/// A rejected record or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reject {
    /// The log file, as `source_file` has it.
    pub(crate) file: String,
    /// The index of the record in it; none for the file itself.
    pub(crate) record: Option<i64>,
    /// What was expected and what was got.
    pub(crate) reason: String,
    /// Bytes that were rejected.
    pub(crate) bytes: u64,
    /// Their text, redacted, or the beginning of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// The file could not be opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unreadable: bool,
    /// What its log file was read for.
    #[serde(flatten)]
    pub(crate) scope: Scope,
}

impl Reject {
    /// Whether a later reading of its log file says all there is to say in its place.
    pub(crate) fn gives_way_to(&self, input: &Input) -> bool {
        gives_way(self.unreadable, &self.scope, input)
    }
}

/// Whether what was rejected of an input gives way to a later reading of it.
pub(crate) fn gives_way(unreadable: bool, scope: &Scope, later: &Input) -> bool {
    match later.state {
        InputState::Same => false,
        InputState::Unreadable => unreadable,
        InputState::Read | InputState::Broken => unreadable || later.scope.covers(scope),
    }
}

impl Entry for Reject {
    const FOLDER: &'static str = "rejected";
}
