//! Copies of a bucket's objects on disk: which file an object is, and what its content hashes to.
//!
//! A copy keeps the key from `AWSLogs/` on, whatever folder it was put into. A key only ever selects
//! among files that the walk has found, so that no digest can name its way out of the folder.

use crate::error::{Error, Result};
use crate::part::hex;
use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use walkdir::WalkDir;

/// The files below a folder.
#[derive(Debug)]
pub(super) struct Files {
    by_tail: BTreeMap<String, PathBuf>,
}

/// A key from `AWSLogs/` on; of another, its last level.
pub(super) fn tail(key: &str) -> &str {
    match key.rfind("AWSLogs/") {
        Some(at) => key.get(at..).unwrap_or(key),
        None => key.rsplit('/').next().unwrap_or(key),
    }
}

impl Files {
    pub(super) fn below(folder: &Path) -> Result<Self> {
        let mut by_tail = BTreeMap::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(folder).to_owned();
                Error::io("list", &path)(error.into())
            })?;
            if entry.file_type().is_file() {
                let path = entry.into_path();
                by_tail.insert(tail(&path.to_string_lossy()).to_owned(), path);
            }
        }
        Ok(Self { by_tail })
    }

    /// The file that an object is; stored without gzip it has lost its ending.
    pub(super) fn find(&self, key: &str) -> Option<&Path> {
        let name = key.rsplit('/').next().unwrap_or(key);
        let plain = |key: &str| key.strip_suffix(".gz").map(str::to_owned);
        let get = |key: &str| self.by_tail.get(key);
        let found = get(tail(key)).or_else(|| get(&plain(tail(key))?));
        found.or_else(|| get(name)).or_else(|| get(&plain(name)?)).map(PathBuf::as_path)
    }

    /// Those that are digests by their names.
    pub(super) fn digests(&self) -> impl Iterator<Item = &Path> {
        self.of_kind(|name| name.contains("_CloudTrail-Digest_"))
    }

    /// Those that are log files by their names.
    pub(super) fn log_files(&self) -> impl Iterator<Item = &Path> {
        self.of_kind(|name| name.contains("_CloudTrail") && !name.contains("_CloudTrail-Digest_"))
    }

    fn of_kind(&self, is: fn(&str) -> bool) -> impl Iterator<Item = &Path> {
        let of_kind =
            move |path: &&PathBuf| path.file_name().is_some_and(|name| is(&name.to_string_lossy()));
        self.by_tail.values().filter(of_kind).map(PathBuf::as_path)
    }
}

/// Gives `each` the content of a file piece by piece, inflated if it is gzip. What follows the gzip
/// stream is an error: an archive's extra would be outside every hash.
pub(super) fn content(path: &Path, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path)?);
    if !file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return pump(&mut file, each);
    }
    let mut inflated = BufReader::with_capacity(1 << 18, GzDecoder::new(file));
    pump(&mut inflated, each)?;
    let mut rest = inflated.into_inner().into_inner();
    if rest.fill_buf()?.is_empty() {
        return Ok(());
    }
    Err(io::Error::other("bytes follow the gzip stream"))
}

fn pump(from: &mut impl io::BufRead, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    loop {
        let piece = from.fill_buf()?;
        if piece.is_empty() {
            return Ok(());
        }
        each(piece);
        let used = piece.len();
        from.consume(used);
    }
}

fn hash(path: &Path) -> std::result::Result<String, String> {
    let mut hasher = Sha256::new();
    content(path, &mut |piece| hasher.update(piece)).map_err(|error| error.to_string())?;
    Ok(hex(&hasher.finalize()))
}

/// The SHA-256 of each file's content, on all cores, a piece of each at a time in memory.
pub(super) fn hash_all(paths: &[&Path]) -> Vec<std::result::Result<String, String>> {
    let next = AtomicUsize::new(0);
    let hashes = Mutex::new(vec![Err("was not read".to_owned()); paths.len()]);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(paths.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = paths.get(at) else { break };
                    let result = hash(path);
                    let mut hashes = hashes.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(place) = hashes.get_mut(at) {
                        *place = result;
                    }
                }
            });
        }
    });
    hashes.into_inner().unwrap_or_else(PoisonError::into_inner)
}
