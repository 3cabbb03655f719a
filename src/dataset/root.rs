//! Where a dataset is: a folder, or a prefix of a bucket, behind the few verbs that its protocol needs.
//!
//! Files are named by their path below the dataset, with `/` between its levels. A file is there whole or
//! not at all. It refuses to know what the files are for.

use crate::dataset::kill_points::reached;
use crate::dataset::parts::PartFile;
use crate::error::{Error, Result};
use crate::hash::hash;
use crate::layout::META_FOLDER;
use crate::part::PartSource;
use crate::store::{Bucket, Buckets, Precondition, is_s3};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::{NamedTempFile, TempDir};
use walkdir::WalkDir;

/// Where half-written files are.
pub(crate) const STAGING: &str = "_buildtrail/staging";

/// Where a dataset is.
#[derive(Debug)]
pub(crate) enum Root {
    /// A folder.
    Folder(PathBuf),
    /// A prefix of a bucket.
    Bucket(InBucket),
}

/// A dataset in a bucket.
#[derive(Debug)]
pub(crate) struct InBucket {
    pub(crate) bucket: Arc<Bucket>,
    /// The prefix, which ends with a slash where there is one.
    prefix: String,
    /// A folder on disk for what is not yet in the bucket.
    scratch: TempDir,
}

impl InBucket {
    /// The key of a file.
    pub(crate) fn key(&self, file: &str) -> String {
        format!("{}{file}", self.prefix)
    }
}

impl Root {
    /// A dataset's place, as it was given.
    pub(crate) fn at(location: &Path) -> Result<Self> {
        let text = location.to_string_lossy();
        if !is_s3(&text) {
            return Ok(Self::Folder(location.to_owned()));
        }
        let (bucket, prefix) = Buckets::default().open(&text)?;
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self::Bucket(InBucket { bucket, prefix, scratch: scratch_folder()? }))
    }

    /// A folder on disk for files that nobody sees yet.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        match self {
            Self::Folder(folder) => {
                let staging = folder.join(STAGING);
                fs::create_dir_all(&staging).map_err(Error::io("create", &staging))?;
                Ok(staging)
            }
            Self::Bucket(place) => Ok(place.scratch.path().to_owned()),
        }
    }

    /// A file's name in messages.
    pub(crate) fn name(&self, file: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(file),
            Self::Bucket(place) => place.bucket.uri(&place.key(file)).into(),
        }
    }

    /// The dataset's own name in messages.
    pub(crate) fn shown(&self) -> String {
        let name = self.name("").display().to_string();
        // The root of a disk has no other name.
        Some(name.trim_end_matches('/')).filter(|name| !name.is_empty()).unwrap_or("/").to_owned()
    }

    /// A file's bytes; none where it is not there.
    pub(crate) fn read(&self, file: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(file);
                match fs::read(&path) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error) if is_absent(&error) => Ok(None),
                    Err(error) => Err(Error::io("read", &path)(error)),
                }
            }
            Self::Bucket(place) => {
                Ok(place.bucket.find(&place.key(file))?.map(|(bytes, _)| bytes.into()))
            }
        }
    }

    /// Whether a file is there.
    pub(crate) fn exists(&self, file: &str) -> Result<bool> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(file);
                path.try_exists().map_err(Error::io("read", &path))
            }
            Self::Bucket(place) => Ok(place.bucket.size(&place.key(file))?.is_some()),
        }
    }

    /// Fails with what a missing file fails with.
    pub(crate) fn missing(&self, file: &str) -> Error {
        Error::io("read", &self.name(file))(ErrorKind::NotFound.into())
    }

    /// A file from its beginning.
    pub(crate) fn reader(&self, file: &str) -> Result<Box<dyn BufRead>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(file);
                let file = File::open(&path).map_err(Error::io("read", &path))?;
                Ok(Box::new(BufReader::new(file)))
            }
            Self::Bucket(place) => {
                let source = PartSource::object(&place.bucket, &place.key(file))?;
                let source = source.ok_or_else(|| self.missing(file))?;
                Ok(Box::new(BufReader::new(source.reader())))
            }
        }
    }

    /// A file's SHA-256 in hexadecimal digits, and its size.
    pub(crate) fn hash(&self, file: &str) -> Result<(String, u64)> {
        hash(self.reader(file)?, &self.name(file))
    }

    /// A part file; none where it is not there.
    pub(crate) fn open(&self, file: &str) -> Result<Option<PartSource>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(file);
                match File::open(&path) {
                    Ok(file) => Ok(Some(PartSource::File(file))),
                    Err(error) if is_absent(&error) => Ok(None),
                    Err(error) => Err(Error::io("read", &path)(error)),
                }
            }
            Self::Bucket(place) => PartSource::object(&place.bucket, &place.key(file)),
        }
    }

    /// The names in a folder; none where it is not there.
    pub(crate) fn names(&self, folder: &str) -> Result<Vec<String>> {
        match self {
            Self::Folder(root) => names(&root.join(folder)),
            Self::Bucket(place) => {
                let below = format!("{}/", place.key(folder));
                let found = place.bucket.all_below(&below)?;
                let name = |key: String| key.strip_prefix(&below).map(str::to_owned);
                Ok(found.into_iter().filter_map(|object| name(object.key)).collect())
            }
        }
    }

    /// Writes a small file, and waits until it stays.
    pub(crate) fn write(&self, file: &str, bytes: Vec<u8>) -> Result<()> {
        match self {
            Self::Folder(folder) => write_whole(folder, &folder.join(file), &bytes)?,
            Self::Bucket(place) => {
                place.bucket.put(&place.key(file), bytes.into(), Precondition::None).map(drop)?;
            }
        }
        reached("file-written");
        Ok(())
    }

    /// Writes a small file that must be new; whether it was. On disk the caller holds the lock.
    pub(crate) fn create(&self, file: &str, bytes: Vec<u8>) -> Result<bool> {
        let Self::Bucket(place) = self else { return self.write(file, bytes).map(|()| true) };
        if place
            .bucket
            .put(&place.key(file), bytes.clone().into(), Precondition::IfAbsent)?
            .is_some()
        {
            return Ok(true);
        }
        // A put whose answer was lost is sent again, and finds what it put itself.
        Ok(self.read(file)?.is_some_and(|there| there == bytes))
    }

    /// Removes a file.
    pub(crate) fn remove(&self, file: &str) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(file);
                fs::remove_file(&path).map_err(Error::io("remove", &path))
            }
            Self::Bucket(place) => place.bucket.remove(vec![place.key(file)]),
        }
    }

    /// Removes what is in a folder.
    pub(crate) fn remove_all(&self, folder: &str) -> Result<()> {
        match self {
            Self::Folder(root) => remove_all(&root.join(folder)),
            Self::Bucket(place) => {
                let names = self.names(folder)?;
                let key = |name: String| place.key(&format!("{folder}/{name}"));
                place.bucket.remove(names.into_iter().map(key).collect())
            }
        }
    }

    /// Waits until the disk has the names in a folder.
    pub(crate) fn sync(&self, folder: &str) -> Result<()> {
        match self {
            Self::Folder(root) => sync_folder(&root.join(folder)),
            Self::Bucket(_) => Ok(()),
        }
    }

    /// When a file was last written, where that can be told.
    pub(crate) fn modified(&self, file: &str) -> Option<SystemTime> {
        match self {
            Self::Folder(folder) => fs::metadata(folder.join(file)).ok()?.modified().ok(),
            Self::Bucket(place) => place.bucket.modified(&place.key(file)).ok()?,
        }
    }

    /// The part files that stand in the partitions: their names and sizes, by name.
    pub(crate) fn part_files(&self) -> Result<Vec<PartFile>> {
        match self {
            Self::Folder(folder) => part_files_on_disk(folder),
            Self::Bucket(place) => {
                let found = place.bucket.all_below(&place.prefix)?;
                let parts = found.into_iter().filter_map(|object| {
                    let path = object.key.strip_prefix(&place.prefix)?;
                    let is_part = path.ends_with(".parquet")
                        && path.split('/').next().is_some_and(|level| level != META_FOLDER);
                    is_part.then(|| PartFile::found(path.to_owned(), object.bytes))
                });
                let mut parts: Vec<_> = parts.collect();
                parts.sort_by(|a, b| a.path.cmp(&b.path));
                Ok(parts)
            }
        }
    }
}

/// A folder on disk that goes when it is dropped.
pub(crate) fn scratch_folder() -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("buildtrail-").tempdir();
    folder.map_err(Error::io("create", &std::env::temp_dir()))
}

fn part_files_on_disk(folder: &Path) -> Result<Vec<PartFile>> {
    let mut parts = Vec::new();
    if !folder.exists() {
        return Ok(parts);
    }
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
        parts.push(PartFile::found(levels.join("/"), metadata.len()));
    }
    Ok(parts)
}

/// Writes a small file at `path` below the dataset, which is there whole or not at all, and waits
/// until the disk has it. Half-written files are in the staging folder.
fn write_whole(root: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(root);
    let staging = root.join(STAGING);
    for folder in [folder, &staging] {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let mut file = NamedTempFile::new_in(&staging).map_err(Error::io("create", &staging))?;
    share(file.as_file(), file.path())?;
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
    written.map_err(Error::io("write", path))?;
    reached("file-unnamed");
    file.persist(path).map_err(|failed| Error::io("write", path)(failed.error))?;
    sync_folder(folder)
}

/// Waits until the disk has the names in a folder.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("write", folder))
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::io("write", to))
}

/// Whether nothing is there: a file among the folders above is for writing to fail by.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", folder)(error)),
    };
    let name = |entry: std::io::Result<fs::DirEntry>| {
        Ok(entry.map_err(Error::io("list", folder))?.file_name().to_string_lossy().into_owned())
    };
    entries.map(name).collect()
}

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
pub(crate) fn share(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644)).map_err(Error::io("write", path))
}
