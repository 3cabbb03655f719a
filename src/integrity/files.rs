//! The files that are checked: by name, and their contents, inflated.
//!
//! CloudTrail's names are unique (account, region, time, 16 letters), so a file is told by its name
//! wherever a copy of the trail put it. Contents pass piece by piece; what an inflated one may have at
//! most bounds the time that a bomb takes.

use crate::error::Chain;
use crate::hash::hex;
use crate::integrity::FindingState;
use crate::store::Bucket;
use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of a log file, inflated.
const MAX_LOG_FILE_BYTES: u64 = 4 << 30;

/// The SHA-256 of a content in hexadecimal digits, or why there is none.
pub(super) type Hash = Result<String, (FindingState, String)>;

/// A digest or log file.
#[derive(Debug)]
pub struct CheckedFile {
    /// Where it is; an object's URI.
    pub path: PathBuf,
    /// Its bucket and key, where it is an object.
    pub(crate) object: Option<(Arc<Bucket>, String)>,
}

/// The last level of a key or path, without the ending that a file stored without gzip has lost.
pub(super) fn name_of(key: &str) -> &str {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.strip_suffix(".gz").unwrap_or(name)
}

/// Whether a file is where its key says, as far as its path has the key's levels: a copy that has
/// lost its folders is told by its name.
pub(super) fn fits(path: &Path, key: &str) -> bool {
    let path = path.to_string_lossy();
    let levels = |key: &str| key.rfind("AWSLogs/").and_then(|at| key.get(at..)).map(str::to_owned);
    let plain = |key: String| key.strip_suffix(".gz").map(str::to_owned).unwrap_or(key);
    let (here, there) = (levels(&path).map(plain), levels(key).map(plain));
    name_of(&path) == name_of(key) && (here.is_none() || here == there)
}

impl CheckedFile {
    pub(super) fn name(&self) -> Cow<'_, str> {
        match self.path.to_string_lossy() {
            Cow::Borrowed(path) => Cow::Borrowed(name_of(path)),
            Cow::Owned(path) => Cow::Owned(name_of(&path).to_owned()),
        }
    }

    /// Gives `each` the content piece by piece; the signature that S3 keeps beside it.
    pub(super) fn content(
        &self,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<String>, (FindingState, String)> {
        let unreadable = |why: String| (FindingState::Unreadable, why);
        let wrong = |error: io::Error| (FindingState::InvalidHash, error.to_string());
        if let Some((bucket, key)) = &self.object {
            let (bytes, signature) =
                bucket.read(key).map_err(|error| unreadable(Chain(&error).to_string()))?;
            inflate(&*bytes, each).map_err(wrong)?;
            return Ok(signature);
        }
        let metadata = fs::metadata(&self.path).map_err(|error| unreadable(error.to_string()))?;
        if !metadata.is_file() {
            return Err(unreadable("not a regular file".to_owned()));
        }
        let file = fs::File::open(&self.path).map_err(|error| unreadable(error.to_string()))?;
        inflate(BufReader::with_capacity(1 << 18, file), each).map_err(wrong)?;
        Ok(None)
    }

    fn hash(&self) -> Hash {
        let mut hasher = Sha256::new();
        self.content(&mut |piece| hasher.update(piece))?;
        Ok(hex(&hasher.finalize()))
    }
}

/// Files by their names: copies of a trail share them.
pub(super) struct ByName<'f>(HashMap<String, Vec<&'f CheckedFile>>);

impl<'f> ByName<'f> {
    pub(super) fn new(files: &'f [CheckedFile]) -> Self {
        let mut by_name: HashMap<String, Vec<&CheckedFile>> = HashMap::new();
        for file in files {
            by_name.entry(file.name().into_owned()).or_default().push(file);
        }
        Self(by_name)
    }

    /// The files that are, or claim to be, the object with a key.
    pub(super) fn named(&self, key: &str) -> impl Iterator<Item = &'f CheckedFile> {
        self.0.get(name_of(key)).into_iter().flatten().copied()
    }
}

/// Inflates what is gzip. What follows the gzip stream is an error: it would be outside every hash.
fn inflate(mut from: impl BufRead, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    if !from.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return pump(&mut from, each);
    }
    let mut inflated = BufReader::with_capacity(1 << 18, GzDecoder::new(from));
    pump(&mut inflated, each)?;
    let mut rest = inflated.into_inner().into_inner();
    if rest.fill_buf()?.is_empty() {
        return Ok(());
    }
    Err(io::Error::other("bytes follow the gzip stream"))
}

fn pump(from: &mut impl BufRead, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut left = MAX_LOG_FILE_BYTES;
    loop {
        let piece = from.fill_buf()?;
        if piece.is_empty() {
            return Ok(());
        }
        each(piece);
        let used = piece.len();
        from.consume(used);
        left = left.checked_sub(used as u64).ok_or_else(|| {
            io::Error::other(format!("larger than {MAX_LOG_FILE_BYTES} bytes: no log file is"))
        })?;
    }
}

/// The hash of each file's content, a piece of each at a time in memory.
pub(super) fn hash_all(files: &[&CheckedFile]) -> Vec<Hash> {
    of_each(files, CheckedFile::hash)
}

/// What `of` gives for each file, in their order, on all cores; of objects some wait for the network.
pub(super) fn of_each<T: Send>(
    files: &[&CheckedFile],
    of: impl Fn(&CheckedFile) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let waiting = if files.iter().any(|file| file.object.is_some()) { 8 } else { 0 };
    let done = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..cores.max(waiting).min(files.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(at) else { break };
                    let result = of(file);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
