//! A dataset on disk: its folder, what it remembers of itself, its part files.
//!
//! `_buildtrail/dataset.json` says by which columns it is partitioned, and `_buildtrail/lock` is
//! locked by the run that writes: one at a time. What a killed run left of unfinished part files is
//! removed by the next. The ledger of inputs and the commits will live beside them; nothing in that
//! folder ends in `.parquet`. This module refuses to know what a row means.

use crate::error::{Error, Result};
use crate::layout::{META_FOLDER, PartitionColumn};
use crate::schema::{SCHEMA_VERSION, schema};
use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The file that makes a folder a dataset, below [`META_FOLDER`].
const DATASET_FILE: &str = "dataset.json";
/// The file that a run locks; the system unlocks it when the run ends, however it ends.
const LOCK_FILE: &str = "lock";
/// What the name of an unfinished file ends in.
const UNFINISHED: &str = ".tmp";
/// The version of this layout of a dataset.
const FORMAT: u32 = 1;

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

/// What a dataset remembers of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    format: u32,
    schema_version: u32,
    partition_by: Vec<String>,
    redact: Redact,
}

/// An open dataset.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    partition_by: Vec<PartitionColumn>,
    redact: Redact,
    /// Held while the dataset may be written.
    _lock: Option<File>,
}

impl Dataset {
    /// Opens the dataset in `folder` for writing, or makes one.
    ///
    /// Fails where another run is writing to it, and where it is there with other partition
    /// columns than `partition_by` or other redaction than `redact`.
    pub fn create(
        folder: &Path,
        partition_by: Option<&[PartitionColumn]>,
        redact: Redact,
    ) -> Result<Self> {
        let meta = folder.join(META_FOLDER);
        fs::create_dir_all(&meta).map_err(Error::io("create", &meta))?;
        let lock = Some(lock(&meta)?);
        remove_unfinished(&meta)?;
        if let Some(dataset) = Self::try_open(folder)? {
            return Ok(Self { _lock: lock, ..dataset.accept(partition_by, redact)? });
        }
        let default = [PartitionColumn::Region, PartitionColumn::Month];
        let partition_by = partition_by.unwrap_or(&default).to_vec();
        let remembered = Remembered {
            format: FORMAT,
            schema_version: SCHEMA_VERSION,
            partition_by: partition_by.iter().map(ToString::to_string).collect(),
            redact,
        };
        let path = meta.join(DATASET_FILE);
        let text = serde_json::to_string_pretty(&remembered).unwrap_or_default() + "\n";
        let dataset = Self { folder: folder.to_owned(), partition_by, redact, _lock: lock };
        // By renaming: half a file would make the dataset unreadable for good.
        let mut file = dataset.temporary_file()?;
        file.write_all(text.as_bytes()).map_err(Error::io("write", &path))?;
        file.persist(&path).map_err(|failed| Error::io("write", &path)(failed.error))?;
        Ok(dataset)
    }

    /// The dataset, if it is as asked.
    fn accept(self, partition_by: Option<&[PartitionColumn]>, redact: Redact) -> Result<Self> {
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

    /// Opens the dataset in `folder`; fails where there is none.
    pub fn open(folder: &Path) -> Result<Self> {
        let missing = || {
            let name = folder.display().to_string();
            Error::NoDataset(name, format!("{META_FOLDER}/{DATASET_FILE}"))
        };
        Self::try_open(folder)?.ok_or_else(missing)
    }

    fn try_open(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(META_FOLDER).join(DATASET_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let bad = |reason: String| Error::Dataset(path.display().to_string(), reason);
        let remembered: Remembered =
            serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        if remembered.format > FORMAT || remembered.schema_version > SCHEMA_VERSION {
            return Err(bad("was written by a newer buildtrail; use that one".to_owned()));
        }
        let columns = remembered.partition_by.iter().map(|name| name.parse());
        let partition_by = columns.collect::<std::result::Result<_, _>>().map_err(bad)?;
        let redact = remembered.redact;
        Ok(Some(Self { folder: folder.to_owned(), partition_by, redact, _lock: None }))
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

    /// A file that no reader of the dataset sees, gone if it is not given a place.
    pub(crate) fn temporary_file(&self) -> Result<NamedTempFile> {
        let meta = self.folder.join(META_FOLDER);
        let file = tempfile::Builder::new().suffix(UNFINISHED).tempfile_in(&meta);
        let file = file.map_err(Error::io("create", &meta))?;
        // Temporary files are for oneself only by custom; a dataset is for others, too.
        share(file.as_file(), file.path())?;
        Ok(file)
    }

    /// The rows that a partition already has, by the partition's folder below the dataset.
    pub(crate) fn read_partition(&self, partition: &str) -> Result<Vec<RecordBatch>> {
        let folder = self.folder.join(partition);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", &folder)(error)),
        };
        let mut batches = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::io("list", &folder))?.path();
            if path.extension().is_some_and(|extension| extension == "parquet") {
                read_part(&path, &mut batches)?;
            }
        }
        Ok(batches)
    }
}

/// Locks the dataset whose records are in `meta` for one run.
fn lock(meta: &Path) -> Result<File> {
    let path = meta.join(LOCK_FILE);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Dataset(
            meta.parent().unwrap_or(meta).display().to_string(),
            "another run is writing to it; try again when that has ended".to_owned(),
        )),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

/// Removes what a killed run left; the lock says that no run is at it.
fn remove_unfinished(meta: &Path) -> Result<()> {
    for entry in fs::read_dir(meta).map_err(Error::io("list", meta))? {
        let path = entry.map_err(Error::io("list", meta))?.path();
        if path.to_string_lossy().ends_with(UNFINISHED) {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Gives a temporary file the access rights of an ordinary one.
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

fn read_part(path: &Path, batches: &mut Vec<RecordBatch>) -> Result<()> {
    let bad = |reason: String| Error::Dataset(path.display().to_string(), reason);
    let file = File::open(path).map_err(Error::io("read", path))?;
    let failed = |cause| Error::Parquet { path: path.to_owned(), cause };
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let same = reader.schema().fields() == schema().fields();
    if !same {
        return Err(bad("has other columns than a part file of this version".to_owned()));
    }
    for batch in reader.build().map_err(failed)? {
        batches.push(RecordBatch::try_new(schema(), batch?.columns().to_vec())?);
    }
    Ok(())
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
        let text = fs::read_to_string(&file).unwrap().replace("\"format\": 1", "\"format\": 2");
        fs::write(&file, text).unwrap();
        assert!(Dataset::open(folder.path()).unwrap_err().to_string().contains("newer"));
    }
}
