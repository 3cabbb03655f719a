//! A dataset on disk: its folder, what it remembers of itself, its part files.
//!
//! `_buildtrail/dataset.json` says by which columns it is partitioned. The newest of its commits says
//! which part files it has, which inputs were read for them and what was rejected; [`commit`] has the
//! protocol. Nothing in that folder ends in `.parquet`. This module refuses to know what a row means.

pub(crate) mod commit;
pub(crate) mod ledger;
mod parts;
mod quarantine;
pub(crate) mod segment;
mod transaction;

pub use commit::Action;
pub use ledger::RecordCounts;

pub(crate) use ledger::{Input, Ledger, Seen, State};
pub(crate) use parts::PartFile;
pub(crate) use quarantine::{LARGEST_FILE, LARGEST_RECORD, Reject, gives_way};
pub(crate) use transaction::Transaction;

use crate::error::{Error, Result};
use crate::layout::{META_FOLDER, PartitionColumn};
use crate::part::{self, PartReader};
use crate::schema::SCHEMA_VERSION;
use crate::store::is_s3;
use commit::{Commit, REMOVED, STAGING, removed_name};
use serde::{Deserialize, Serialize};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::NamedTempFile;
use walkdir::WalkDir;

/// The file that makes a folder a dataset, below [`META_FOLDER`].
const DATASET_FILE: &str = "dataset.json";
/// The file that a run locks; the system unlocks it when the run ends, however it ends.
const LOCK_FILE: &str = "lock";
/// The version of this layout of a dataset. The first had no commits: its part files were its state.
const FORMAT: u32 = 2;

/// Whether secrets are masked before they reach a dataset. One dataset has one answer: the same event
/// masked and not masked would be two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redact {
    /// Mask them.
    Standard,
    /// Keep every byte as it is in the log file.
    None,
}

/// Which records become rows. Each keeps what those before it keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Calls to CodeBuild.
    #[serde(rename = "codebuild")]
    CodeBuild,
    /// Those, what builds did in other services, and what CodeBuild itself did as a service.
    BuildActivity,
    /// Every record of every service.
    All,
}

/// What inputs are read for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) keep: Keep,
    /// Only events at or after this, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
    /// Only events before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<i64>,
}

impl Scope {
    /// Whether what was read for this has all that `other` wants.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let since = |scope: &Self| scope.since.unwrap_or(i64::MIN);
        let until = |scope: &Self| scope.until.unwrap_or(i64::MAX);
        // Without a period, records without a time are kept, too.
        let any_time = |scope: &Self| scope.since.is_none() && scope.until.is_none();
        self.keep >= other.keep
            && since(self) <= since(other)
            && until(self) >= until(other)
            && (any_time(self) || !any_time(other))
    }
}

impl Scope {
    /// What has all that either has.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            keep: self.keep.max(other.keep),
            since: self.since.zip(other.since).map(|(a, b)| a.min(b)),
            until: self.until.zip(other.until).map(|(a, b)| a.max(b)),
        }
    }
}

/// What a dataset remembers of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    format: u32,
    schema_version: u32,
    partition_by: Vec<String>,
    redact: Redact,
}

/// An open dataset, as its newest commit has it.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    partition_by: Vec<PartitionColumn>,
    redact: Redact,
    head: Commit,
    /// By path.
    parts: Vec<PartFile>,
    places: Arc<Places>,
    /// Held while the dataset may be written.
    _lock: Option<File>,
}

impl Dataset {
    /// Opens the dataset in `folder` for writing, or makes one. Completes the commit that a killed run
    /// left half placed, and removes what it left uncommitted.
    ///
    /// Fails where another run is writing to it, and where it is there with other partition
    /// columns than `partition_by` or other redaction than `redact`.
    pub fn create(
        folder: &Path,
        partition_by: Option<&[PartitionColumn]>,
        redact: Redact,
    ) -> Result<Self> {
        Self::create_when(Busy::Refuse, folder, partition_by, redact)
    }

    /// The same; what to do while another run writes is the caller's to say.
    pub(crate) fn create_when(
        busy: Busy,
        folder: &Path,
        partition_by: Option<&[PartitionColumn]>,
        redact: Redact,
    ) -> Result<Self> {
        refuse_bucket(folder)?;
        let meta = folder.join(META_FOLDER);
        if folder.exists() && remembered(&meta)?.is_none() {
            refuse_remains(folder, &meta)?;
        }
        fs::create_dir_all(&meta).map_err(Error::io("create", &meta))?;
        let lock = lock(&meta, busy)?;
        if remembered(&meta)?.is_none() {
            let default = [PartitionColumn::Region, PartitionColumn::Month];
            remember(&meta, partition_by.unwrap_or(&default), redact)?;
            sync_folder(folder)?;
        }
        Self::recover(folder, lock)?.accept(partition_by, redact)
    }

    /// Opens the dataset in `folder` for writing; fails where there is none.
    pub fn open_to_write(folder: &Path) -> Result<Self> {
        refuse_bucket(folder)?;
        let meta = folder.join(META_FOLDER);
        if remembered(&meta)?.is_none() {
            return Err(no_dataset(folder));
        }
        Self::recover(folder, lock(&meta, Busy::Refuse)?)
    }

    /// Opens the dataset in `folder`; fails where there is none. Needs no right to write.
    pub fn open(folder: &Path) -> Result<Self> {
        refuse_bucket(folder)?;
        let mut attempts = 3;
        loop {
            attempts -= 1;
            match Self::try_open(folder, None) {
                // A run has committed since, and swept what the commit before it named.
                Err(Error::Io { action: "read", cause, .. })
                    if cause.kind() == ErrorKind::NotFound && attempts > 0 => {}
                opened => return opened,
            }
        }
    }

    /// Lets others write to it: from now on it is read as it is here.
    pub(crate) fn unlock(self) -> Self {
        Self { _lock: None, ..self }
    }

    /// Opens it for the run that holds its lock, and brings it into order.
    fn recover(folder: &Path, lock: File) -> Result<Self> {
        let meta = folder.join(META_FOLDER);
        let remembered = remembered(&meta)?.ok_or_else(|| no_dataset(folder))?;
        let columns = remembered.columns(folder)?;
        let head = Commit::newest(&meta)?;
        if head.version == 0 && remembered.format == FORMAT {
            refuse_remains(folder, &meta)?;
        }
        remove_all(&meta.join(REMOVED))?;
        head.place(folder, &meta)?;
        head.sweep(&meta)?;
        if remembered.format < FORMAT {
            adopt(folder, &meta)?;
        }
        if remembered.format < FORMAT || remembered.schema_version < SCHEMA_VERSION {
            remember(&meta, &columns, remembered.redact)?;
        }
        Self::try_open(folder, Some(lock))
    }

    fn try_open(folder: &Path, lock: Option<File>) -> Result<Self> {
        let meta = folder.join(META_FOLDER);
        let remembered = remembered(&meta)?.ok_or_else(|| no_dataset(folder))?;
        let partition_by = remembered.columns(folder)?;
        let head = Commit::newest(&meta)?;
        let mut parts = if remembered.format < FORMAT {
            counted(folder, part_files_on_disk(folder)?)?
        } else {
            segment::collect(&meta, &head.parts)?
        };
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        let (folder, redact) = (folder.to_owned(), remembered.redact);
        let staged = head.place.iter().map(|(name, place)| (place.clone(), name.clone())).collect();
        let places = Arc::new(Places { folder: folder.clone(), staged });
        Ok(Self { folder, partition_by, redact, head, parts, places, _lock: lock })
    }

    /// The dataset, if it is as asked.
    pub(crate) fn accept(
        self,
        partition_by: Option<&[PartitionColumn]>,
        redact: Redact,
    ) -> Result<Self> {
        let refuse = |reason| Err(Error::Dataset(self.folder.display().to_string(), reason));
        match partition_by {
            Some(asked) if asked != self.partition_by => refuse(format!(
                "is partitioned by `{}`, not by `{}`; leave the option out, or convert into a new \
                 dataset",
                list(&self.partition_by),
                list(asked)
            )),
            _ if redact != self.redact => refuse(
                "was made with other --redact: the same event masked and not masked would be two; \
                 convert into a new dataset"
                    .to_owned(),
            ),
            _ => Ok(self),
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
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

    /// The folder of what it knows of itself.
    pub(crate) fn meta(&self) -> PathBuf {
        self.folder.join(META_FOLDER)
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
        let (file, path) = self.places.open(&part.path)?;
        PartReader::of(file, &path)
    }

    /// The ledger of its inputs.
    pub(crate) fn ledger(&self) -> Result<Ledger> {
        Ledger::load(&self.meta(), &self.head.inputs)
    }

    /// Gives `each` every entry of the ledger, in the order they were made.
    pub(crate) fn inputs(&self, each: &mut impl FnMut(Input)) -> Result<()> {
        segment::read(&self.meta(), &self.head.inputs, each)
    }

    /// Gives `each` everything in the quarantine.
    pub(crate) fn rejects(&self, each: &mut impl FnMut(Reject)) -> Result<()> {
        segment::read(&self.meta(), &self.head.rejected, each)
    }

    /// What of its own tables was changed behind its back.
    pub(crate) fn changed_segments(&self) -> Vec<String> {
        let (meta, head) = (self.meta(), &self.head);
        let checked = [
            segment::check::<PartFile>(&meta, &head.parts),
            segment::check::<Input>(&meta, &head.inputs),
            segment::check::<Reject>(&meta, &head.rejected),
        ];
        checked.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect()
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

    /// When its newest commit was made.
    pub(crate) fn committed_at(&self) -> Option<SystemTime> {
        fs::metadata(Commit::path(&self.meta(), self.head.version)).ok()?.modified().ok()
    }
}

/// Where the part files of one commit are.
#[derive(Debug)]
pub(crate) struct Places {
    folder: PathBuf,
    /// Where they were staged, by their place.
    staged: HashMap<String, String>,
}

impl Places {
    /// Opens the part file that has a place: it is still staged, in its place, or removed by a later
    /// commit. Looked for in this order, it is found though it is on its way from one to the next.
    pub(crate) fn open(&self, place: &str) -> Result<(File, PathBuf)> {
        let meta = self.folder.join(META_FOLDER);
        let staged = self.staged.get(place).map(|name| meta.join(STAGING).join(name));
        let in_place = std::iter::once_with(|| self.folder.join(place));
        let removed = std::iter::once_with(|| meta.join(REMOVED).join(removed_name(place)));
        for path in staged.into_iter().chain(in_place).chain(removed) {
            match File::open(&path) {
                Ok(file) => return Ok((file, path)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("read", &path)(error)),
            }
        }
        let reason = "is in the dataset's newest commit, but not on the disk; put it back, or \
                      convert its log files into a new dataset";
        Err(Error::Dataset(self.folder.join(place).display().to_string(), reason.to_owned()))
    }
}

impl Remembered {
    /// The partition columns; fails where the dataset at `folder` is not one of this version.
    fn columns(&self, folder: &Path) -> Result<Vec<PartitionColumn>> {
        let path = folder.join(META_FOLDER).join(DATASET_FILE);
        let bad = |reason: String| Error::Dataset(path.display().to_string(), reason);
        if self.format > FORMAT || self.schema_version > SCHEMA_VERSION {
            return Err(bad("was written by a newer buildtrail; use that one".to_owned()));
        }
        let columns = self.partition_by.iter().map(|name| name.parse());
        columns.collect::<std::result::Result<_, _>>().map_err(bad)
    }
}

/// Fails where what says what the dataset is has been lost: to go on would make an empty one of it.
fn refuse_remains(folder: &Path, meta: &Path) -> Result<()> {
    let reason = if !names(&meta.join(commit::COMMITS))?.is_empty() {
        format!("has commits, but no {META_FOLDER}/{DATASET_FILE}; restore it")
    } else if !part_files_on_disk(folder)?.is_empty() {
        format!(
            "has Parquet files, but no {META_FOLDER}/{}; restore it, or choose another folder",
            commit::COMMITS
        )
    } else {
        return Ok(());
    };
    Err(Error::Dataset(folder.display().to_string(), reason))
}

fn no_dataset(folder: &Path) -> Error {
    Error::NoDataset(folder.display().to_string(), format!("{META_FOLDER}/{DATASET_FILE}"))
}

fn remembered(meta: &Path) -> Result<Option<Remembered>> {
    let path = meta.join(DATASET_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let bad =
        |error: serde_json::Error| Error::Dataset(path.display().to_string(), error.to_string());
    serde_json::from_str(&text).map(Some).map_err(bad)
}

fn remember(meta: &Path, partition_by: &[PartitionColumn], redact: Redact) -> Result<()> {
    let partition_by = partition_by.iter().map(ToString::to_string).collect();
    let remembered =
        Remembered { format: FORMAT, schema_version: SCHEMA_VERSION, partition_by, redact };
    let text = serde_json::to_string_pretty(&remembered).unwrap_or_default() + "\n";
    write_whole(meta, &meta.join(DATASET_FILE), text.as_bytes())
}

/// Part files with their rows.
fn counted(folder: &Path, mut parts: Vec<PartFile>) -> Result<Vec<PartFile>> {
    for part in &mut parts {
        part.rows = PartReader::open(&folder.join(&part.path))?.rows();
    }
    Ok(parts)
}

/// The part files that stand in a dataset's partitions: their names and sizes.
pub(crate) fn part_files_on_disk(folder: &Path) -> Result<Vec<PartFile>> {
    let mut parts = Vec::new();
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.file_name() != META_FOLDER) {
        let entry = entry.map_err(|error| Error::io("list", folder)(error.into()))?;
        let path = entry.path();
        let is_part = path.extension().is_some_and(|extension| extension == "parquet");
        if !is_part || entry.file_type().is_dir() {
            continue;
        }
        let levels = path.strip_prefix(folder).unwrap_or(path).components();
        let levels: Vec<_> = levels.map(|level| level.as_os_str().to_string_lossy()).collect();
        let metadata = entry.metadata().map_err(|error| Error::io("read", path)(error.into()))?;
        parts.push(PartFile {
            path: levels.join("/"),
            rows: 0,
            bytes: metadata.len(),
            sha256: String::new(),
            from: None,
            to: None,
        });
    }
    Ok(parts)
}

/// Makes the first commit of a dataset that had none: of the part files that are there. Which inputs
/// they are from it cannot know. Killed before `dataset.json` says so, it does the same again.
fn adopt(folder: &Path, meta: &Path) -> Result<()> {
    let mut parts = counted(folder, part_files_on_disk(folder)?)?;
    for part in &mut parts {
        part.sha256 = part::hash(&folder.join(&part.path))?.0;
    }
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    if !parts.is_empty() {
        let commit = Commit {
            version: 1,
            action: Action::Adopt,
            rows,
            adopted: rows,
            parts: segment::replace(meta, &parts)?,
            ..Commit::none()
        };
        commit.write(meta)?;
    }
    Ok(())
}

/// What a run does while another writes to its dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    Refuse,
    Wait,
}

/// Locks the dataset whose records are in `meta` for one run.
fn lock(meta: &Path, busy: Busy) -> Result<File> {
    let path = meta.join(LOCK_FILE);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(Error::io("open", &path))?;
    if busy == Busy::Wait {
        return file.lock().map(|()| file).map_err(Error::io("lock", &path));
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Dataset(
            meta.parent().unwrap_or(meta).display().to_string(),
            "another run is writing to it; try again when that has ended".to_owned(),
        )),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

/// Writes a small file at `path` below `meta`, which is there whole or not at all, and waits until the
/// disk has it. Half-written files are in the staging folder.
fn write_whole(meta: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(meta);
    let staging = meta.join(STAGING);
    for folder in [folder, &staging] {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let mut file = NamedTempFile::new_in(&staging).map_err(Error::io("create", &staging))?;
    share(file.as_file(), file.path())?;
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
    written.map_err(Error::io("write", path))?;
    file.persist(path).map_err(|failed| Error::io("write", path)(failed.error))?;
    sync_folder(folder)
}

/// A dataset is a folder on disk: a name that looks like a bucket's would be a folder called `s3:`.
fn refuse_bucket(folder: &Path) -> Result<()> {
    let location = folder.to_string_lossy();
    if !is_s3(&location) {
        return Ok(());
    }
    let reason = "a dataset is written to and asked on disk: use a folder, and \
                  `aws s3 sync FOLDER S3-URL` after each run for engines that read from S3";
    Err(Error::Dataset(location.into_owned(), reason.to_owned()))
}

/// What a file is named by: the first 16 digits of its SHA-256.
pub(crate) fn short(sha256: &str) -> &str {
    sha256.get(..16).unwrap_or_default()
}

/// Waits until the disk has the names in a folder.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("write", folder))
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::io("write", to))
}

/// The names in a folder; none where it is not there.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", folder)(error)),
    };
    let name = |entry: std::io::Result<fs::DirEntry>| {
        Ok(entry.map_err(Error::io("list", folder))?.file_name().to_string_lossy().into_owned())
    };
    entries.map(name).collect()
}

/// Removes what is in a folder.
fn remove_all(folder: &Path) -> Result<()> {
    for name in names(folder)? {
        let path = folder.join(name);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(Error::io("remove", &path))?;
    }
    Ok(())
}

/// Gives a temporary file the access rights of an ordinary one: a dataset is for others, too.
#[cfg(unix)]
fn share(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644)).map_err(Error::io("write", path))
}

#[cfg(not(unix))]
fn share(_: &File, _: &Path) -> Result<()> {
    Ok(())
}

fn list(columns: &[PartitionColumn]) -> String {
    columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_remembers_its_partition_columns() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Dataset::open(folder.path()), Err(Error::NoDataset(..))));
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
    fn a_newer_dataset_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Dataset::create(folder.path(), None, Redact::Standard).unwrap();
        let file = folder.path().join(META_FOLDER).join(DATASET_FILE);
        let text = fs::read_to_string(&file).unwrap().replace("\"format\": 2", "\"format\": 3");
        fs::write(&file, text).unwrap();
        assert!(Dataset::open(folder.path()).unwrap_err().to_string().contains("newer"));
    }
}
