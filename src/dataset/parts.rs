//! The part files of a dataset, as its commits know them.

use crate::dataset::segment::Entry;
use serde::{Deserialize, Serialize};

/// One part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartFile {
    /// Below the dataset, with `/` between its levels.
    pub(crate) path: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
    /// The first and last event time, in milliseconds since 1970; none where no row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<i64>,
}

impl Entry for PartFile {
    const FOLDER: &'static str = "parts";
}

impl PartFile {
    /// One that was found, and of which no more is known.
    pub(crate) fn found(path: String, bytes: u64) -> Self {
        Self { path, rows: 0, bytes, sha256: String::new(), from: None, to: None }
    }

    /// The folder of its partition, below the dataset.
    pub(crate) fn partition(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(partition, _)| partition)
    }
}
