//! What a commit says: the part files, inputs and rejects of a dataset, and what has to be done for them.
//!
//! [`protocol`](super::protocol) writes commits and carries them out.

use crate::dataset::Root;
use crate::dataset::ledger::RecordCounts;
use crate::dataset::root::STAGING;
use crate::dataset::segment::Segment;
use crate::dataset::upload::{self, Sent};
use crate::error::{DatasetProblem, Error, Result};
use crate::hash::{hex, short};
use crate::scope::Scope;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub(crate) const COMMITS: &str = "_buildtrail/commits";
pub(crate) const REMOVED: &str = "_buildtrail/removed";

/// What made a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Log files were converted.
    Convert,
    /// Small part files were merged.
    Compact,
    /// Part files of a version without commits were taken over.
    Adopt,
    /// A Delta Lake log was begun.
    Delta,
}

impl Action {
    /// Its name, as in a commit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Convert => "convert",
            Self::Compact => "compact",
            Self::Adopt => "adopt",
            Self::Delta => "delta",
        }
    }
}

/// What one commit did, and what the dataset is since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Commit {
    pub(crate) version: u64,
    pub(crate) action: Action,
    /// The version of the tool.
    pub(crate) tool: String,
    /// What the run asked for, if it converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Scope>,
    /// What became of the records of this run.
    pub(crate) records: RecordCounts,
    /// Rows of the dataset.
    pub(crate) rows: u64,
    /// Rows that were there before the ledger was: rows = adopted + all that the ledger says were
    /// written - dropped.
    #[serde(default)]
    pub(crate) adopted: u64,
    /// Rows that compaction found to be copies.
    pub(crate) dropped: u64,
    pub(crate) parts: Vec<Segment>,
    pub(crate) inputs: Vec<Segment>,
    pub(crate) rejected: Vec<Segment>,
    /// Staged part files by their name in `staging/`, and the place each has in the dataset.
    pub(crate) place: Vec<(String, String)>,
    /// The same in a bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) uploads: Vec<Sent>,
    /// What is in `staging/` until the commit's part files are in their places: in a bucket, and on
    /// disk if the commit begins a Delta Lake log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<String>,
    /// Part files that are no longer in the dataset.
    pub(crate) remove: Vec<String>,
    /// The version of the Delta Lake log that follows from the commit, or from one before if the part
    /// files are the same; none where no log is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delta: Option<u64>,
}

impl Commit {
    /// The state of a dataset before its first commit.
    pub(crate) fn none() -> Self {
        Self {
            version: 0,
            action: Action::Convert,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            scope: None,
            records: RecordCounts::default(),
            rows: 0,
            adopted: 0,
            dropped: 0,
            parts: Vec::new(),
            inputs: Vec::new(),
            rejected: Vec::new(),
            place: Vec::new(),
            uploads: Vec::new(),
            intent: None,
            remove: Vec::new(),
            delta: None,
        }
    }

    /// The newest commit; none yet is version 0.
    pub(crate) fn newest(root: &Root) -> Result<Self> {
        let version = |name: &String| name.strip_suffix(".json")?.parse::<u64>().ok();
        let newest = root.names(COMMITS)?.iter().filter_map(version).max();
        newest.map_or_else(|| Ok(Self::none()), |version| Self::load(root, version))
    }

    /// The newest commit whose part files can be read: in a bucket those of the last may still be on
    /// their way, or wait for the next run to place them.
    pub(crate) fn readable(root: &Root) -> Result<Self> {
        let newest = Self::newest(root)?;
        if let Root::Bucket(at) = root
            && newest.is_to_be_placed(root)?
            && !upload::are_complete(at, &newest.uploads)?
        {
            return match newest.version {
                1 => Ok(Self::none()),
                version => Self::load(root, version.saturating_sub(1)),
            };
        }
        Ok(newest)
    }

    pub(crate) fn load(root: &Root, version: u64) -> Result<Self> {
        let file = Self::file(version);
        let text = root.read(&file)?.ok_or_else(|| root.missing(&file))?;
        serde_json::from_slice(&text).map_err(|error| {
            Error::dataset(root.name(&file).display(), DatasetProblem::Malformed(error))
        })
    }

    pub(crate) fn file(version: u64) -> String {
        format!("{COMMITS}/{version:08}.json")
    }

    /// The places of part files that are new in the commit.
    pub(crate) fn placed(&self) -> impl Iterator<Item = &str> {
        let sent = self.uploads.iter().map(|sent| &*sent.place);
        self.place.iter().map(|(_, place)| &**place).chain(sent)
    }

    /// Whether the commit's intent is still there.
    pub(crate) fn is_to_be_placed(&self, root: &Root) -> Result<bool> {
        let Some(name) = &self.intent else { return Ok(false) };
        Ok(root.read(&format!("{STAGING}/{name}"))?.is_some())
    }
}

/// Where a part file that had this place is when it was removed: under no name that ends like a part
/// file's, and another for each place.
pub(crate) fn removed_file(place: &str) -> String {
    format!("{REMOVED}/{}.removed", short(&hex(&Sha256::digest(place))))
}
