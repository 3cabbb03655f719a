//! One run at a time writes to a dataset.
//!
//! On disk a file is locked by the system, which unlocks it when the run ends, however it ends. In a
//! bucket it is a [`Lease`]: it spares runs work that would be for nothing, and what makes it safe is
//! the commit, which only one of two runs can make.

use crate::dataset::Root;
use crate::error::{DatasetProblem, Error, Result};
use crate::layout::META_FOLDER;
use crate::store::Lease;
use chrono::{DateTime, Utc};
use std::fs::{self, File, TryLockError};
use std::thread;
use std::time::Duration;

/// The file that a run locks.
const LOCK_FILE: &str = "lock";
/// How long a run waits before it looks again whether a bucket's dataset is free.
const LOOK: Duration = Duration::from_secs(1);

/// What a run does while another writes to its dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    Refuse,
    Wait,
}

/// Held while a run writes.
#[derive(Debug)]
#[expect(dead_code, reason = "is held, and gone when dropped")]
pub(super) enum Lock {
    File(File),
    Lease(Lease),
}

impl Lock {
    pub(super) fn take(root: &Root, busy: Busy) -> Result<Self> {
        match root {
            Root::Folder(_) => file(root, busy).map(Self::File),
            Root::Bucket(place) => {
                let key = place.key(&format!("{META_FOLDER}/{LOCK_FILE}"));
                loop {
                    match Lease::take(&place.bucket, &key)? {
                        Ok(lease) => return Ok(Self::Lease(lease)),
                        Err(_) if busy == Busy::Wait => thread::sleep(LOOK),
                        Err(until) => {
                            return Err(is_busy(root, Some(until)));
                        }
                    }
                }
            }
        }
    }
}

fn file(root: &Root, busy: Busy) -> Result<File> {
    let meta = root.name(META_FOLDER);
    fs::create_dir_all(&meta).map_err(Error::io("create", &meta))?;
    let path = meta.join(LOCK_FILE);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(Error::io("open", &path))?;
    if busy == Busy::Wait {
        return file.lock().map(|()| file).map_err(Error::io("lock", &path));
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(is_busy(root, None)),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

fn is_busy(root: &Root, until: Option<DateTime<Utc>>) -> Error {
    Error::dataset(root.shown(), DatasetProblem::Busy(until))
}
