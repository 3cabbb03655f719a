//! A dataset, on disk or in a bucket: what it remembers of itself, its part files.
//!
//! `_buildtrail/dataset.json` says by which columns it is partitioned and what is kept. The newest of its
//! commits says which part files it has, which inputs were read for them and what was rejected;
//! [`protocol`] has the protocol, and [`delta`] the log that other engines may follow. Nothing in that
//! folder ends in `.parquet`. This module refuses to know what a row means.

pub(crate) mod commit;
mod delta;
mod kill_points;
pub(crate) mod ledger;
mod lock;
mod parts;
mod protocol;
mod quarantine;
mod root;
pub(crate) mod segment;
mod transaction;
mod upload;

pub use commit::Action;
pub use ledger::RecordCounts;

pub(crate) use ledger::{Input, InputState, Ledger, LedgerMatch};
pub(crate) use lock::Busy;
pub(crate) use parts::PartFile;
pub(crate) use quarantine::{
    MAX_REJECTED_FILE_BYTES, MAX_REJECTED_RECORD_BYTES, Reject, gives_way,
};
pub(crate) use root::{InBucket, Root, scratch_folder};
pub(crate) use transaction::Transaction;

use crate::error::{Chain, DatasetProblem, Error, Result};
use crate::layout::PartitionColumn;
use crate::part::{PartReader, PartSource};
use crate::schema::SCHEMA_VERSION;
use crate::scope::{Keep, Redact, Scope};
use commit::{COMMITS, Commit, REMOVED, removed_file};
use lock::Lock;
use root::STAGING;
use serde::{Deserialize, Serialize};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The file that makes a folder a dataset.
const DATASET_FILE: &str = "_buildtrail/dataset.json";
/// The version of this layout of a dataset. The first had no commits: its part files were its state.
const FORMAT: u32 = 2;

/// What a dataset remembers of itself.
#[derive(Debug, Serialize, Deserialize)]
struct DatasetMetadata {
    format: u32,
    schema_version: u32,
    partition_by: Vec<String>,
    redact: Redact,
    /// What every run keeps; none in datasets of before, which tell by their ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep: Option<Keep>,
}

/// What a run asks of a dataset. Where it asks nothing a dataset is taken as it is, and a new one has
/// the default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatasetRequest<'a> {
    pub(crate) partition_by: Option<&'a [PartitionColumn]>,
    pub(crate) redact: Redact,
    pub(crate) keep: Option<Keep>,
}

/// An open dataset, as its newest commit has it.
#[derive(Debug)]
pub struct Dataset {
    location: PathBuf,
    partition_by: Vec<PartitionColumn>,
    redact: Redact,
    /// As `dataset.json` has it.
    keep: Option<Keep>,
    head: Commit,
    /// By path.
    parts: Vec<PartFile>,
    places: Arc<Places>,
    /// Held while the dataset may be written.
    _lock: Option<Lock>,
}

impl Dataset {
    /// Opens the dataset at `location`, a folder or `s3://BUCKET/PREFIX`, for writing, or makes one.
    /// Completes the commit that a killed run left half placed, and removes what it left uncommitted.
    ///
    /// Fails where another run is writing to it, and where it is there with other partition
    /// columns than `partition_by` or other redaction than `redact`.
    pub fn create(
        location: &Path,
        partition_by: Option<&[PartitionColumn]>,
        redact: Redact,
    ) -> Result<Self> {
        Self::create_when(
            Busy::Refuse,
            location,
            DatasetRequest { partition_by, redact, keep: None },
        )
    }

    /// The same; what to do while another run writes is the caller's to say.
    pub(crate) fn create_when(
        busy: Busy,
        location: &Path,
        asked: DatasetRequest<'_>,
    ) -> Result<Self> {
        let root = Root::at(location)?;
        if remembered(&root)?.is_none() {
            refuse_remains(&root)?;
        }
        let lock = Lock::take(&root, busy)?;
        let remembered = if let Some(known) = remembered(&root)? {
            known
        } else {
            let default = [PartitionColumn::Region, PartitionColumn::Month];
            let partition_by = asked.partition_by.unwrap_or(&default);
            let keep = asked.keep.unwrap_or(Keep::CodeBuild);
            let new = remember(&root, partition_by, asked.redact, Some(keep))?;
            root.sync("")?;
            new
        };
        Self::recover(location, root, remembered, lock)?.accept(asked)
    }

    /// Opens the dataset at `location` for writing; fails where there is none.
    pub fn open_to_write(location: &Path) -> Result<Self> {
        let root = Root::at(location)?;
        if remembered(&root)?.is_none() {
            return Err(no_dataset(&root));
        }
        let lock = Lock::take(&root, Busy::Refuse)?;
        let remembered = remembered(&root)?.ok_or_else(|| no_dataset(&root))?;
        Self::recover(location, root, remembered, lock)
    }

    /// Opens the dataset at `location`; fails where there is none. Needs no right to write.
    pub fn open(location: &Path) -> Result<Self> {
        Self::newest(location, &Arc::new(Root::at(location)?))
    }

    /// The same dataset, as its newest commit has it by now.
    #[cfg(feature = "distributed")]
    pub(crate) fn reopen(&self) -> Result<Self> {
        kill_points::reached("asked");
        Self::newest(&self.location, &self.places.root)
    }

    fn newest(location: &Path, root: &Arc<Root>) -> Result<Self> {
        let mut attempts = 3;
        loop {
            attempts -= 1;
            let opened = Commit::readable(root).and_then(|head| {
                let remembered = remembered(root)?.ok_or_else(|| no_dataset(root))?;
                Self::at(location, Arc::clone(root), &remembered, head, None)
            });
            match opened {
                // A run has committed since, and swept what the commit before it named.
                Err(error) if error.is_not_found() && attempts > 0 => {}
                opened => return opened,
            }
        }
    }

    /// Lets others write to it: from now on it is read as it is here.
    pub(crate) fn unlock(self) -> Self {
        Self { _lock: None, ..self }
    }

    /// Opens it for the run that holds its lock, and brings it into order.
    fn recover(
        location: &Path,
        root: Root,
        mut remembered: DatasetMetadata,
        lock: Lock,
    ) -> Result<Self> {
        let columns = remembered.columns(&root)?;
        let mut head = Commit::newest(&root)?;
        if head.version == 0 && remembered.format == FORMAT {
            refuse_remains(&root)?;
        }
        kill_points::reached("locked");
        root.remove_all(REMOVED)?;
        head.place(&root)?;
        head.sweep(&root)?;
        if remembered.format < FORMAT {
            adopt(&root)?;
            head = Commit::newest(&root)?;
        }
        if remembered.format < FORMAT || remembered.schema_version < SCHEMA_VERSION {
            remembered = remember(&root, &columns, remembered.redact, remembered.keep)?;
        }
        Self::at(location, Arc::new(root), &remembered, head, Some(lock))
    }

    /// The dataset as of one commit.
    fn at(
        location: &Path,
        root: Arc<Root>,
        remembered: &DatasetMetadata,
        head: Commit,
        lock: Option<Lock>,
    ) -> Result<Self> {
        let partition_by = remembered.columns(&root)?;
        let mut parts = if remembered.format < FORMAT {
            counted(&root, root.part_files()?)?
        } else {
            segment::collect(&root, &head.parts)?
        };
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        let staged = head.place.iter().map(|(name, place)| (place.clone(), name.clone())).collect();
        let places = Arc::new(Places { root, staged });
        let (location, redact, keep) = (location.to_owned(), remembered.redact, remembered.keep);
        Ok(Self { location, partition_by, redact, keep, head, parts, places, _lock: lock })
    }

    /// The dataset, if it is as asked.
    pub(crate) fn accept(self, asked: DatasetRequest<'_>) -> Result<Self> {
        let refuse = |problem| Err(Error::dataset(self.location.display(), problem));
        if let Some(asked) = asked.partition_by.filter(|asked| *asked != self.partition_by) {
            let (known, asked) = (list(&self.partition_by), list(asked));
            return refuse(DatasetProblem::PartitionedOtherwise { known, asked });
        }
        if asked.redact != self.redact {
            return refuse(DatasetProblem::RedactedOtherwise);
        }
        if let Some(asked) = asked.keep {
            let known = self.keep()?;
            if asked < known {
                let (known, asked) = (known.name(), asked.name());
                return refuse(DatasetProblem::KeepsMore { known, asked });
            }
        }
        Ok(self)
    }

    /// Where it is, as it was opened: a folder, or `s3://BUCKET/PREFIX`.
    #[must_use]
    pub fn location(&self) -> &Path {
        &self.location
    }

    /// Its partition columns, in the order of their levels.
    #[must_use]
    pub fn partition_by(&self) -> &[PartitionColumn] {
        &self.partition_by
    }

    /// Whether secrets are masked in it.
    #[must_use]
    pub fn redact(&self) -> Redact {
        self.redact
    }

    /// What every run keeps of the log files. Those of before it was widened may have been read for
    /// less: [`read_for_less`](Self::read_for_less).
    pub fn keep(&self) -> Result<Keep> {
        self.keep.map_or_else(|| kept_by_all(self.root(), &self.head), Ok)
    }

    /// How many log files were read, but never for as much as this.
    pub(crate) fn read_for_less(&self, keep: Keep) -> Result<u64> {
        Ok(self.ledger()?.read_for_less(keep))
    }

    /// Remembers what every run keeps from now on.
    ///
    /// To be called when the commit of the run that keeps it is made, and not before: killed between the
    /// two, the dataset still says the less that it kept before, and the same run again widens it. So
    /// what it says is never more than what its newest run kept. Log files that earlier runs have read
    /// for less stay in the ledger with what they were read for, and whoever has to know asks
    /// [`read_for_less`](Self::read_for_less): no second record of them could lag behind.
    pub(crate) fn remember_keep(&self, keep: Keep) -> Result<()> {
        if self.keep == Some(keep) {
            return Ok(());
        }
        remember(self.root(), &self.partition_by, self.redact, Some(keep)).map(drop)
    }

    /// What its files are read and written by.
    pub(crate) fn root(&self) -> &Root {
        self.places.root()
    }

    /// Its newest commit.
    pub(crate) fn head(&self) -> &Commit {
        &self.head
    }

    /// Its part files, by path.
    pub(crate) fn parts(&self) -> &[PartFile] {
        &self.parts
    }

    /// The part files of a partition, by its folder below the dataset.
    pub(crate) fn parts_of(&self, partition: &str) -> impl Iterator<Item = &PartFile> {
        // A level may be called as another and more: `region=us-east-1` and `region=us-east-1a`.
        let is_before = |part: &PartFile| part.path.as_str() < partition;
        let from = self.parts.partition_point(is_before);
        let parts = self.parts.get(from..).unwrap_or_default().iter();
        let below = parts.take_while(move |part| part.path.starts_with(partition));
        below.filter(move |part| part.partition() == partition)
    }

    /// Where its part files are.
    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// Opens a part file.
    pub(crate) fn part(&self, part: &PartFile) -> Result<PartReader> {
        let (source, path) = self.places.open(&part.path)?;
        PartReader::new(source, &path)
    }

    /// The ledger of its inputs.
    pub(crate) fn ledger(&self) -> Result<Ledger> {
        Ledger::load(self.root(), &self.head.inputs)
    }

    /// Gives `each` every entry of the ledger, in the order they were made.
    pub(crate) fn inputs(&self, each: &mut impl FnMut(Input)) -> Result<()> {
        segment::read(self.root(), &self.head.inputs, each)
    }

    /// Gives `each` everything in the quarantine.
    pub(crate) fn rejects(&self, each: &mut impl FnMut(Reject)) -> Result<()> {
        segment::read(self.root(), &self.head.rejected, each)
    }

    /// What of its own tables was changed behind its back.
    pub(crate) fn changed_segments(&self) -> Vec<String> {
        let (root, head) = (self.root(), &self.head);
        let checked = [
            segment::check::<PartFile>(root, &head.parts),
            segment::check::<Input>(root, &head.inputs),
            segment::check::<Reject>(root, &head.rejected),
        ];
        checked.into_iter().filter_map(Result::err).map(|error| Chain(&error).to_string()).collect()
    }

    /// The log files of which something was rejected, and what they were read for then.
    pub(crate) fn files_with_rejects(&self) -> Result<BTreeMap<String, Scope>> {
        let mut files: BTreeMap<String, Scope> = BTreeMap::new();
        self.rejects(&mut |reject| match files.entry(reject.file) {
            Entry::Vacant(new) => {
                new.insert(reject.scope);
            }
            Entry::Occupied(mut known) => {
                let both = known.get().and(&reject.scope);
                known.insert(both);
            }
        })?;
        Ok(files)
    }

    /// Sees to it that a Delta Lake log is kept from now on; its newest version.
    pub fn keep_delta_log(&self) -> Result<u64> {
        delta::keep(self)
    }

    /// The newest version of its Delta Lake log; none where none is kept.
    pub fn delta_version(&self) -> Result<Option<u64>> {
        delta::kept(self.root(), self.head.delta)
    }

    /// What of its Delta Lake log does not fit.
    pub(crate) fn delta_problems(&self) -> Result<Vec<String>> {
        delta::problems(self)
    }

    /// When its newest commit was made.
    pub(crate) fn committed_at(&self) -> Option<SystemTime> {
        self.root().modified(&Commit::file(self.head.version))
    }
}

/// Where the part files of one commit are.
#[derive(Debug)]
pub(crate) struct Places {
    root: Arc<Root>,
    /// Where they were staged, by their place.
    staged: HashMap<String, String>,
}

impl Places {
    /// Opens the part file that has a place, and says where it is.
    pub(crate) fn open(&self, place: &str) -> Result<(PartSource, PathBuf)> {
        for file in self.candidates(place) {
            if let Some(source) = self.root.open(&file)? {
                return Ok((source, self.root.name(&file)));
            }
        }
        Err(self.lost(place))
    }

    /// Where the part file may be that has a place: it is still staged, in its place, or removed by a
    /// later commit. Looked for in this order, it is found though it is on its way from one to the
    /// next.
    pub(crate) fn candidates(&self, place: &str) -> impl Iterator<Item = String> {
        let staged = self.staged.get(place).map(|name| format!("{STAGING}/{name}"));
        staged.into_iter().chain([place.to_owned(), removed_file(place)])
    }

    /// Fails with what a part file that is nowhere fails with.
    pub(crate) fn lost(&self, place: &str) -> Error {
        Error::dataset(self.root.name(place).display(), DatasetProblem::PartGone)
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }
}

impl DatasetMetadata {
    /// The partition columns; fails where the dataset is not one of this version.
    fn columns(&self, root: &Root) -> Result<Vec<PartitionColumn>> {
        let path = root.name(DATASET_FILE);
        let bad = |problem| Error::dataset(path.display(), problem);
        if self.format > FORMAT || self.schema_version > SCHEMA_VERSION {
            return Err(bad(DatasetProblem::Newer));
        }
        let columns = self.partition_by.iter().map(|name| name.parse());
        let columns: std::result::Result<_, _> = columns.collect();
        columns.map_err(|reason| bad(DatasetProblem::UnknownPartitionColumn(reason)))
    }
}

/// Fails where what says what the dataset is has been lost: to go on would make an empty one of it.
fn refuse_remains(root: &Root) -> Result<()> {
    let problem = if !root.names(COMMITS)?.is_empty() {
        DatasetProblem::NoMetadata(DATASET_FILE)
    } else if !root.part_files()?.is_empty() {
        DatasetProblem::NoCommits(COMMITS)
    } else {
        return Ok(());
    };
    Err(Error::dataset(root.shown(), problem))
}

fn no_dataset(root: &Root) -> Error {
    Error::NoDataset { location: root.shown(), missing: DATASET_FILE }
}

fn remembered(root: &Root) -> Result<Option<DatasetMetadata>> {
    let Some(text) = root.read(DATASET_FILE)? else { return Ok(None) };
    let bad = |error: serde_json::Error| {
        Error::dataset(root.name(DATASET_FILE).display(), DatasetProblem::Malformed(error))
    };
    serde_json::from_slice(&text).map(Some).map_err(bad)
}

fn remember(
    root: &Root,
    partition_by: &[PartitionColumn],
    redact: Redact,
    keep: Option<Keep>,
) -> Result<DatasetMetadata> {
    let partition_by = partition_by.iter().map(ToString::to_string).collect();
    let schema_version = SCHEMA_VERSION;
    let remembered = DatasetMetadata { format: FORMAT, schema_version, partition_by, redact, keep };
    let text = serde_json::to_string_pretty(&remembered).unwrap_or_default() + "\n";
    root.write(DATASET_FILE, text.into_bytes())?;
    Ok(remembered)
}

/// What the dataset at `location` keeps; none where there is no dataset. Needs no lock: a run asks before
/// it lists its sources, and is refused later if another has widened the dataset since.
pub(crate) fn kept(location: &Path) -> Result<Option<Keep>> {
    let root = Root::at(location)?;
    match remembered(&root)? {
        None => Ok(None),
        Some(DatasetMetadata { keep: Some(keep), .. }) => Ok(Some(keep)),
        Some(_) => kept_by_all(&root, &Commit::newest(&root)?).map(Some),
    }
}

/// The widest that all runs kept, of a dataset of before this was remembered. Which runs there were its
/// ledger tells; of rows that are older than the ledger nothing is known, so the least.
fn kept_by_all(root: &Root, head: &Commit) -> Result<Keep> {
    let mut least: Option<Keep> = None;
    segment::read(root, &head.inputs, &mut |input: Input| {
        least = Some(least.map_or(input.scope.keep, |least| least.min(input.scope.keep)));
    })?;
    let is_known = head.adopted == 0;
    Ok(least.filter(|_| is_known).unwrap_or(Keep::CodeBuild))
}

/// Part files with their rows.
fn counted(root: &Root, mut parts: Vec<PartFile>) -> Result<Vec<PartFile>> {
    for part in &mut parts {
        let source = root.open(&part.path)?.ok_or_else(|| root.missing(&part.path))?;
        part.rows = PartReader::new(source, &root.name(&part.path))?.rows();
    }
    Ok(parts)
}

/// Makes the first commit of a dataset that had none: of the part files that are there. Which inputs
/// they are from it cannot know. Killed before `dataset.json` says so, it does the same again.
fn adopt(root: &Root) -> Result<()> {
    let mut parts = counted(root, root.part_files()?)?;
    for part in &mut parts {
        part.sha256 = root.hash(&part.path)?.0;
    }
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    if !parts.is_empty() {
        let commit = Commit {
            version: 1,
            action: Action::Adopt,
            rows,
            adopted: rows,
            parts: segment::replace(root, &parts)?,
            ..Commit::none()
        };
        commit.write(root)?;
    }
    Ok(())
}

fn list(columns: &[PartitionColumn]) -> String {
    columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_dataset_remembers_its_partition_columns() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Dataset::open(folder.path()), Err(Error::NoDataset { .. })));
        let by = [PartitionColumn::Account, PartitionColumn::Day];
        let create = |by: Option<&[_]>, redact| Dataset::create(folder.path(), by, redact);
        create(Some(&by), Redact::Standard).unwrap();
        assert_eq!(Dataset::open(folder.path()).unwrap().partition_by(), by);
        assert_eq!(create(None, Redact::Standard).unwrap().partition_by(), by);
        let refused = create(None, Redact::None).unwrap_err().to_string();
        assert!(refused.contains("other --redact"), "{refused}");
        let refused = create(Some(&by[..1]), Redact::Standard).unwrap_err().to_string();
        assert!(refused.contains("is partitioned by `account,day`, not by `account`"), "{refused}");
    }

    #[test]
    fn a_dataset_remembers_what_it_keeps() {
        let folder = tempfile::tempdir().unwrap();
        let create = |keep| {
            let asked = DatasetRequest { partition_by: None, redact: Redact::Standard, keep };
            Dataset::create_when(Busy::Refuse, folder.path(), asked)
        };
        assert_eq!(kept(folder.path()).unwrap(), None);
        let wider = create(Some(Keep::BuildActivity)).unwrap();
        assert_eq!(wider.keep().unwrap(), Keep::BuildActivity);
        drop(wider);
        let refused = create(Some(Keep::CodeBuild)).unwrap_err();
        assert!(refused.to_string().contains("keeps `build-activity`"), "{refused}");
        assert!(refused.hint().is_some());
        // Asked for more, it says so when it is told to, and not before.
        let all = create(Some(Keep::All)).unwrap();
        assert_eq!(all.keep().unwrap(), Keep::BuildActivity);
        all.remember_keep(Keep::All).unwrap();
        drop(all);
        assert_eq!(create(None).unwrap().keep().unwrap(), Keep::All);
        assert_eq!(kept(folder.path()).unwrap(), Some(Keep::All));
        // One of before has no runs yet.
        let file = folder.path().join(DATASET_FILE);
        let text = fs::read_to_string(&file).unwrap();
        let older = text.replace(",\n  \"keep\": \"all\"", "");
        assert_ne!(older, text);
        fs::write(&file, older).unwrap();
        assert_eq!(Dataset::open(folder.path()).unwrap().keep().unwrap(), Keep::CodeBuild);
        assert_eq!(kept(folder.path()).unwrap(), Some(Keep::CodeBuild));
    }

    #[test]
    fn a_newer_dataset_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Dataset::create(folder.path(), None, Redact::Standard).unwrap();
        let file = folder.path().join(DATASET_FILE);
        let text = fs::read_to_string(&file).unwrap().replace("\"format\": 2", "\"format\": 3");
        fs::write(&file, text).unwrap();
        assert!(Dataset::open(folder.path()).unwrap_err().to_string().contains("newer"));
    }
}
