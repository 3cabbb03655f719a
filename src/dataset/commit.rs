//! The protocol by which a run gets into a dataset: all of it or nothing, whenever it is killed.
//!
//! ```text
//! DATASET/_buildtrail/dataset.json        what the dataset remembers of itself
//!                     lock                locked by the run that writes
//!                     commits/00000007.json   one file a commit; the newest says what the dataset is
//!                     parts/ inputs/ rejected/   segments of its tables
//!                     staging/            part files that wait for their commit or their place
//!                     removed/            part files that the last commit replaced
//! ```
//!
//! A run goes through these states, and what a kill leaves in each:
//!
//! 1. *Staged.* Part files are written to `staging/` and synced. Killed here, the run never was: no
//!    commit names the files, and the next run removes them.
//! 2. *Recorded.* New segments are written beside the old ones and synced. Killed here: the same.
//! 3. *Committed.* `commits/N.json` gets its name by renaming, when all before it is on the disk. This
//!    instant decides: from now on the run is in the dataset.
//! 4. *Placed.* The staged part files are renamed into their partitions; those that the commit
//!    replaces are renamed into `removed/`. Killed half way, the next run goes on from the commit's own
//!    list; until then our readers find each file in one of the three places. Plain readers see some
//!    of the run's part files and not yet the others, each of them whole and committed; of a
//!    compaction, the new ones beside the old until those are gone.
//! 5. *Swept.* Segments that neither the newest commit nor the one before names are removed. These,
//!    and what is in `removed/`, stay for readers that began before the commit, until the next run.
//!
//! The system lock is held throughout and ends with the process, however that ends. Nothing in a
//! commit depends on the clock: when it was made is the time of its file.

use crate::dataset::Scope;
use crate::dataset::ledger::RecordCounts;
use crate::dataset::parts::PartFile;
use crate::dataset::quarantine::Reject;
use crate::dataset::segment::{self, Segment};
use crate::dataset::{Input, names, remove_all, rename, short, sync_folder, write_whole};
use crate::error::{Error, Result};
use crate::part::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const COMMITS: &str = "commits";
pub(crate) const STAGING: &str = "staging";
pub(crate) const REMOVED: &str = "removed";

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
}

impl Action {
    /// Its name, as in a commit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Convert => "convert",
            Self::Compact => "compact",
            Self::Adopt => "adopt",
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
    /// Part files that are no longer in the dataset.
    pub(crate) remove: Vec<String>,
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
            remove: Vec::new(),
        }
    }

    /// The newest commit below `meta`; none yet is version 0.
    pub(crate) fn newest(meta: &Path) -> Result<Self> {
        let folder = meta.join(COMMITS);
        let version = |name: &String| name.strip_suffix(".json")?.parse::<u64>().ok();
        let newest = names(&folder)?.iter().filter_map(version).max();
        match newest {
            None => Ok(Self::none()),
            Some(version) => Self::load(meta, version),
        }
    }

    fn load(meta: &Path, version: u64) -> Result<Self> {
        let path = Self::path(meta, version);
        let text = fs::read(&path).map_err(Error::io("read", &path))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::Dataset(path.display().to_string(), error.to_string()))
    }

    pub(crate) fn path(meta: &Path, version: u64) -> PathBuf {
        meta.join(COMMITS).join(format!("{version:08}.json"))
    }

    /// Makes the commit: state 3.
    pub(crate) fn write(&self, meta: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        write_whole(meta, &Self::path(meta, self.version), text.as_bytes())?;
        sync_folder(meta)
    }

    /// Makes the folders that the part files of the commit go into.
    pub(crate) fn make_folders(&self, folder: &Path) -> Result<()> {
        let partitions: BTreeSet<_> =
            self.place.iter().filter_map(|(_, place)| Path::new(place).parent()).collect();
        partitions.into_iter().map(|partition| folder.join(partition)).try_for_each(|partition| {
            fs::create_dir_all(&partition).map_err(Error::io("create", &partition))
        })
    }

    /// Puts the part files of the commit into their places, as far as they are not yet: state 4.
    pub(crate) fn place(&self, folder: &Path, meta: &Path) -> Result<()> {
        self.make_folders(folder)?;
        let mut folders = BTreeSet::new();
        for (staged, place) in &self.place {
            let (from, to) = (meta.join(STAGING).join(staged), folder.join(place));
            // Renamed by a run that was killed before it synced: synced now.
            folders.extend(to.parent().map(Path::to_owned));
            if from.exists() {
                rename(&from, &to)?;
            }
        }
        for place in &self.remove {
            let from = folder.join(place);
            if from.exists() {
                let removed = meta.join(REMOVED);
                fs::create_dir_all(&removed).map_err(Error::io("create", &removed))?;
                rename(&from, &removed.join(removed_name(place)))?;
                folders.extend(from.parent().map(Path::to_owned));
            }
        }
        // A new partition is named by the folders above it, which must be on the disk as well.
        let above = |partition: &'_ PathBuf| {
            let above = partition.ancestors().take_while(|above| above.starts_with(folder));
            above.map(Path::to_owned).collect::<Vec<_>>()
        };
        let all: BTreeSet<_> = folders.iter().flat_map(above).collect();
        all.iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Removes what the newest commit does not name: state 5, and what killed runs left.
    pub(crate) fn sweep(&self, meta: &Path) -> Result<()> {
        // The first has none before it, and old ones may have been tidied away.
        let before = Self::load(meta, self.version.saturating_sub(1));
        let before = before.unwrap_or_else(|_| Self::none());
        segment::sweep::<PartFile>(meta, &[&*self.parts, &before.parts].concat())?;
        segment::sweep::<Input>(meta, &[&*self.inputs, &before.inputs].concat())?;
        segment::sweep::<Reject>(meta, &[&*self.rejected, &before.rejected].concat())?;
        remove_all(&meta.join(STAGING))
    }
}

/// The name in `removed/` of a part file that had this place: none that ends like a part file's, and
/// another for each place.
pub(crate) fn removed_name(place: &str) -> String {
    format!("{}.removed", short(&hex(&Sha256::digest(place))))
}
