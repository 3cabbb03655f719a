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
//! 4. *Placed.* The staged part files are renamed into their partitions; then, where a Delta Lake log
//!    is kept, its version is written ([`delta`]); then the part files that the commit replaces are
//!    renamed into `removed/`. Killed half way, the next run goes on from the commit's own
//!    list; until then our readers find each file in one of the three places. Plain readers see some
//!    of the run's part files and not yet the others, each of them whole and committed; of a
//!    compaction, the new ones beside the old until those are gone.
//! 5. *Swept.* Segments that neither the newest commit nor the one before names are removed. These,
//!    and what is in `removed/`, stay for readers that began before the commit, until the next run.
//!
//! A test kills a run at each point between these states: [`kill_points`](super::kill_points) names
//! them.
//!
//! The system lock is held throughout and ends with the process, however that ends. Nothing in a
//! commit depends on the clock: when it was made is the time of its file.
//!
//! In a bucket the states are the same, by other means. Staged part files are multipart uploads, which
//! nobody sees ([`upload`]). The commit is an object that is put only if none has its
//! name, which the server decides: of two runs that began from the same commit one gets in, the
//! other fails. To place is to complete the uploads; the intent in `staging/` is there until that is
//! done, and meanwhile readers take the commit before, all of whose part files are still found. What
//! is replaced is copied to `removed/` and removed. Segments of runs that were killed before their
//! commit stay: a run that only seems dead might still name them.

use crate::dataset::Root;
use crate::dataset::commit::{Commit, REMOVED, removed_file};
use crate::dataset::delta;
use crate::dataset::kill_points::reached;
use crate::dataset::ledger::Input;
use crate::dataset::parts::PartFile;
use crate::dataset::quarantine::Reject;
use crate::dataset::root::{InBucket, STAGING, rename, sync_folder};
use crate::dataset::segment;
use crate::dataset::upload;
use crate::error::{DatasetProblem, Error, Result};
use crate::layout::META_FOLDER;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

impl Commit {
    /// Makes the commit: state 3.
    pub(crate) fn write(&self, root: &Root) -> Result<()> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        // After any other failure nobody knows whether the commit is there: its uploads stay, to be
        // completed or given up by the next run.
        if !root.create(&Self::file(self.version), text.into_bytes())? {
            if let (Root::Bucket(at), Some(intent)) = (root, &self.intent) {
                upload::abort(at, intent, &self.uploads);
            }
            return Err(Error::dataset(root.shown(), DatasetProblem::Overtaken));
        }
        reached("committed");
        root.sync(META_FOLDER)
    }

    /// Makes the folders that the part files of the commit go into.
    pub(crate) fn make_folders(&self, root: &Root) -> Result<()> {
        let Root::Folder(folder) = root else { return Ok(()) };
        let partitions: BTreeSet<_> =
            self.place.iter().filter_map(|(_, place)| Path::new(place).parent()).collect();
        partitions.into_iter().map(|partition| folder.join(partition)).try_for_each(|partition| {
            fs::create_dir_all(&partition).map_err(Error::io("create", &partition))
        })
    }

    /// Puts the part files of the commit into their places, as far as they are not yet: state 4.
    pub(crate) fn place(&self, root: &Root) -> Result<()> {
        match root {
            Root::Folder(folder) => self.place_on_disk(root, folder),
            Root::Bucket(at) => self.place_in_bucket(root, at),
        }
    }

    fn place_on_disk(&self, root: &Root, folder: &Path) -> Result<()> {
        self.make_folders(root)?;
        let mut folders = BTreeSet::new();
        for (staged, place) in &self.place {
            let (from, to) = (folder.join(STAGING).join(staged), folder.join(place));
            // Renamed by a run that was killed before it synced: synced now.
            folders.extend(to.parent().map(Path::to_owned));
            if from.exists() {
                rename(&from, &to)?;
                reached("placed");
            }
        }
        sync_with_those_above(&folders, folder)?;
        delta::follow(root, self)?;
        folders.clear();
        for place in &self.remove {
            let from = folder.join(place);
            if from.exists() {
                let removed = folder.join(REMOVED);
                fs::create_dir_all(&removed).map_err(Error::io("create", &removed))?;
                rename(&from, &folder.join(removed_file(place)))?;
                reached("removed");
                folders.extend(from.parent().map(Path::to_owned));
            }
        }
        sync_with_those_above(&folders, folder)
    }

    fn place_in_bucket(&self, root: &Root, at: &InBucket) -> Result<()> {
        if !self.is_to_be_placed(root)? {
            return Ok(());
        }
        upload::complete(at, &self.uploads)?;
        delta::follow(root, self)?;
        for place in &self.remove {
            at.bucket.rename(&at.key(place), &at.key(&removed_file(place)))?;
            reached("removed");
        }
        let intent = self.intent.iter().map(|name| at.key(&format!("{STAGING}/{name}")));
        at.bucket.remove(intent.collect())
    }

    /// Removes what the newest commit does not name: state 5, and what killed runs left.
    pub(crate) fn sweep(&self, root: &Root) -> Result<()> {
        reached("sweeping");
        // The first has none before it, and old ones may have been tidied away.
        let earlier = |by: u64| {
            let version = self.version.saturating_sub(by);
            Self::load(root, version).unwrap_or_else(|_| Self::none())
        };
        let (before, dead) = match root {
            Root::Folder(_) => (earlier(1), Self::none()),
            Root::Bucket(_) => (earlier(1), earlier(2)),
        };
        let named = [&*self.parts, &before.parts].concat();
        segment::sweep::<PartFile>(root, &named, &dead.parts)?;
        let named = [&*self.inputs, &before.inputs].concat();
        segment::sweep::<Input>(root, &named, &dead.inputs)?;
        let named = [&*self.rejected, &before.rejected].concat();
        segment::sweep::<Reject>(root, &named, &dead.rejected)?;
        match root {
            Root::Folder(_) => root.remove_all(STAGING),
            Root::Bucket(at) => upload::sweep(root, at, self.version),
        }
    }
}

/// Waits until the disk has the names in folders of the dataset `root`, and their own: a new partition is
/// named by the folders above it.
fn sync_with_those_above(folders: &BTreeSet<PathBuf>, root: &Path) -> Result<()> {
    let above = |folder: &'_ PathBuf| {
        let above = folder.ancestors().take_while(|above| above.starts_with(root));
        above.map(Path::to_owned).collect::<Vec<_>>()
    };
    let all: BTreeSet<_> = folders.iter().flat_map(above).collect();
    all.iter().try_for_each(|folder| sync_folder(folder))
}
