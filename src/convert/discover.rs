//! From sources to log files: what there is to read, and what its name tells.
//!
//! A folder is walked; in it, names that end like log files are taken and all others counted. A
//! file named outright is taken whatever its name. Digest, Insight and aggregated files are known by
//! their key and skipped. Only names are looked at here: this module refuses to open anything.

use crate::convert::inflate::Limits;
use crate::convert::summary::SkippedFiles;
use crate::convert::{Problem, inventory};
use crate::dataset::Scope;
use crate::error::{Error, Result};
use crate::keys::{Selection, delivery_time};
use crate::layout::META_FOLDER;
use crate::store::{self, Bucket, Buckets, Object};
use globset::GlobBuilder;
use memchr::memmem;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use walkdir::WalkDir;

/// Endings of names that a folder's walk takes.
const ENDINGS: [&str; 8] = [".json", ".gz", ".jsonl", ".ndjson", ".csv", ".tar", ".tgz", ".zip"];

/// Between an archive and its member, in a log file's URI.
const MEMBER: char = '!';

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Where a log file's bytes come from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The file at its path.
    Disk,
    /// Whatever is piped.
    StandardInput,
    /// The object of a bucket; the path is its URI.
    Object(Arc<Bucket>),
    /// Its archive.
    Archive,
}

/// One log file.
#[derive(Debug)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
    /// The delivery time in its name, in milliseconds since 1970.
    pub(crate) delivered: Option<i64>,
    /// Its size, once [`ask_disk`](Self::ask_disk) was called.
    pub(crate) bytes: u64,
    /// The time of its last change, in seconds and nanoseconds since 1970; none where it is not told.
    /// Likewise.
    pub(crate) etag: String,
    /// Another version of it was read before.
    pub(crate) changed: bool,
    /// What it is read for, where that is not what the run is for.
    pub(crate) scope: Option<Scope>,
}

impl LogFile {
    /// A file by its name alone.
    pub(crate) fn named(path: PathBuf, origin: Origin) -> Self {
        let delivered = delivery_time(&path.file_name().unwrap_or_default().to_string_lossy());
        let etag = String::new();
        Self { path, origin, delivered, bytes: 0, etag, changed: false, scope: None }
    }

    /// The member of an archive; its changes are the archive's.
    pub(crate) fn member(&self, archive: &str, name: &str) -> Self {
        Self {
            path: PathBuf::from(format!("{archive}{MEMBER}{name}")),
            delivered: delivery_time(name.rsplit('/').next().unwrap_or_default()),
            origin: Origin::Archive,
            bytes: 0,
            etag: self.etag.clone(),
            changed: self.changed,
            scope: self.scope.clone(),
        }
    }

    /// An object of a bucket.
    fn object(bucket: &Arc<Bucket>, object: Object) -> Self {
        let path = PathBuf::from(bucket.uri(&object.key));
        let (bytes, etag) = (object.bytes, object.etag);
        Self { bytes, etag, ..Self::named(path, Origin::Object(Arc::clone(bucket))) }
    }

    /// Asks for its size and its last change where that is the disk's to tell: of many files that takes
    /// longer than to list them.
    pub(crate) fn ask_disk(&mut self) {
        if !matches!(self.origin, Origin::Disk) {
            return;
        }
        let Ok(metadata) = self.path.metadata() else { return };
        self.bytes = metadata.len();
        let modified = metadata.modified().ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        self.etag = modified.map_or_else(String::new, |time| {
            format!("{}.{:09}", time.as_secs(), time.subsec_nanos())
        });
    }

    /// Whether it is an object of a bucket.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.origin, Origin::Object(_))
    }

    /// The bucket and key, where it is an object.
    pub(crate) fn in_bucket(&self) -> Option<(&Arc<Bucket>, &str)> {
        let Origin::Object(bucket) = &self.origin else { return None };
        Some((bucket, self.path.to_str()?.strip_prefix(&bucket.uri(""))?))
    }

    /// What `source_file` says: the path as given and walked.
    pub(crate) fn uri(&self) -> Cow<'_, str> {
        text_of(self.path.as_os_str().as_encoded_bytes())
    }
}

/// A name as text. Bytes that are no UTF-8 are escaped as in a URL, so that two names stay two.
pub(crate) fn text_of(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name) {
        return Cow::Borrowed(text);
    }
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    Cow::Owned(text)
}

/// What the sources hold.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The log files, by path, each once.
    pub(crate) log_files: Vec<LogFile>,
    /// Digest files: they sign log files and hold no records.
    pub(crate) digests: Vec<LogFile>,
    /// Files that are not read, by kind.
    pub(crate) skipped: SkippedFiles,
    /// What could not be listed.
    pub(crate) problems: Vec<Problem>,
}

/// Lists what `sources` name: files, folders, patterns, buckets. Insight files and those of
/// aggregated records are taken only to `keep_all`.
pub(crate) fn discover(sources: &[String], wanted: &Selection, keep_all: bool) -> Result<Found> {
    let mut found = Found::default();
    let mut buckets = Buckets::default();
    for source in sources {
        let path = Path::new(source);
        if source == STANDARD_INPUT {
            found.log_files.push(LogFile::named(path.to_owned(), Origin::StandardInput));
        } else if store::is_s3(source) {
            found.list(&mut buckets, source, wanted, keep_all)?;
        } else if path.is_dir() {
            found.walk(path, wanted, keep_all);
        } else if path.symlink_metadata().is_ok() {
            found.take(path, keep_all);
        } else if source.contains(['*', '?', '[', '{']) {
            found.expand(source, wanted, keep_all)?;
        } else {
            return Err(Error::NoSource(source.clone()));
        }
    }
    found.arrange();
    Ok(found)
}

/// Log files by the names that they were read by.
pub(crate) fn again<'f>(files: impl Iterator<Item = &'f String>, keep_all: bool) -> Result<Found> {
    let mut found = Found::default();
    let mut buckets = Buckets::default();
    for file in files {
        let path = Path::new(file);
        if archive_of(file).is_some() {
            // The archive is among them.
        } else if store::is_s3(file) {
            let (bucket, key) = buckets.open(file)?;
            match bucket.head(&key)? {
                Some(object) => found.log_files.push(LogFile::object(&bucket, object)),
                None => found.problems.push(Problem::gone(file)),
            }
        } else if path.symlink_metadata().is_ok() {
            found.take(path, keep_all);
        } else {
            found.problems.push(Problem::gone(file));
        }
    }
    found.arrange();
    Ok(found)
}

impl Found {
    /// Takes the object, or all that is below the prefix, of a location in S3.
    fn list(
        &mut self,
        buckets: &mut Buckets,
        source: &str,
        wanted: &Selection,
        keep_all: bool,
    ) -> Result<()> {
        let (bucket, prefix) = buckets.open(source)?;
        let enters = |folder: &str| {
            wanted.may_hold(folder) && !folder.split('/').any(|level| level == META_FOLDER)
        };
        let mut objects = bucket.list(&prefix, &enters, &|folder| wanted.is_leaf(folder))?;
        let is_named = objects.is_empty() && !prefix.is_empty();
        if is_named {
            objects.extend(bucket.head(&prefix)?);
        }
        if objects.is_empty() {
            return Err(Error::Store(format!(
                "nothing in {source}: check bucket and prefix (and --account, --region, --since, --until)"
            )));
        }
        for object in objects {
            if is_named && !wanted.may_hold(&object.key) {
                self.skipped.outside += 1;
            } else if is_named || self.wants(&object.key, wanted) {
                self.take_object(&bucket, object, keep_all);
            }
        }
        Ok(())
    }

    /// Takes the objects that an inventory lists. S3 is asked for what it does not tell of those that
    /// are wanted.
    pub(crate) fn inventory(
        &mut self,
        manifest: &str,
        wanted: &Selection,
        limits: Limits,
        keep_all: bool,
    ) -> Result<()> {
        let mut asked = Vec::new();
        inventory::read(manifest, limits, &mut |bucket, listed| {
            let is_own = listed.key.split('/').any(|level| level == META_FOLDER);
            if !listed.is_past && !is_own && self.wants(&listed.key, wanted) {
                match listed.object() {
                    Ok(object) => self.take_object(bucket, object, keep_all),
                    Err(key) => asked.push((Arc::clone(bucket), key)),
                }
            }
        })?;
        for (bucket, key) in asked {
            let reason = match bucket.head(&key) {
                Ok(Some(object)) => {
                    self.take_object(&bucket, object, keep_all);
                    continue;
                }
                Ok(None) => "is in the inventory, but no longer there".to_owned(),
                Err(error) => error.to_string(),
            };
            self.problems.push(Problem { file: bucket.uri(&key), record: None, reason });
        }
        self.arrange();
        Ok(())
    }

    /// Whether an object is a log file that is wanted; one that is not is counted.
    fn wants(&mut self, key: &str, wanted: &Selection) -> bool {
        if !is_taken(key) {
            self.skipped.other += 1;
            return false;
        }
        let may = wanted.may_hold(key);
        self.skipped.outside += u64::from(!may);
        may
    }

    fn take_object(&mut self, bucket: &Arc<Bucket>, object: Object, keep_all: bool) {
        let kind = Kind::of(&object.key, keep_all);
        self.sort_in(kind, || LogFile::object(bucket, object));
    }

    fn walk(&mut self, folder: &Path, wanted: &Selection, keep_all: bool) {
        for entry in walk(folder, wanted) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    if !wanted.may_hold(&entry.path().to_string_lossy()) {
                        self.skipped.outside += 1;
                    } else if is_taken(&entry.file_name().to_string_lossy()) {
                        self.take(entry.path(), keep_all);
                    } else {
                        self.skipped.other += 1;
                    }
                }
                Err(error) => self.problems.push(Problem::unlisted(folder, &error)),
            }
        }
    }

    /// Leaves the log files that `is_wanted`; the others are counted as outside.
    pub(crate) fn keep(&mut self, is_wanted: impl Fn(&LogFile) -> bool) {
        let before = self.log_files.len();
        self.log_files.retain(is_wanted);
        self.skipped.outside += (before - self.log_files.len()) as u64;
    }

    /// Puts the files in order, each once. By bytes: by levels, as paths are compared, a million
    /// take 6 seconds.
    fn arrange(&mut self) {
        for files in [&mut self.log_files, &mut self.digests] {
            files.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
            files.dedup_by(|a, b| a.path.as_os_str() == b.path.as_os_str());
        }
    }

    fn take(&mut self, path: &Path, keep_all: bool) {
        let kind = Kind::of(&path.to_string_lossy(), keep_all);
        self.sort_in(kind, || LogFile::named(path.to_owned(), Origin::Disk));
    }

    fn sort_in(&mut self, kind: Kind, file: impl FnOnce() -> LogFile) {
        match kind {
            Kind::LogFile => return self.log_files.push(file()),
            Kind::Digest => self.digests.push(file()),
            Kind::Insight | Kind::Aggregated => {}
        }
        self.skipped.count(kind);
    }

    /// Takes the files and folders that match a pattern: `*` within a level, `**` across levels.
    fn expand(&mut self, pattern: &str, wanted: &Selection, keep_all: bool) -> Result<()> {
        let glob = GlobBuilder::new(pattern.trim_start_matches("./"))
            .literal_separator(true)
            .build()
            .map_err(|error| Error::Pattern {
                pattern: pattern.to_owned(),
                reason: error.kind().to_string(),
            })?
            .compile_matcher();
        let root = literal_root(pattern);
        let mut matches = walk(&root, wanted);
        let mut any = false;
        while let Some(entry) = matches.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problems.push(Problem::unlisted(&root, &error));
                    continue;
                }
            };
            let path = entry.path();
            if !glob.is_match(path.strip_prefix("./").unwrap_or(path)) {
                continue;
            }
            any = true;
            if entry.file_type().is_dir() {
                self.walk(entry.path(), wanted, keep_all);
                matches.skip_current_dir();
            } else {
                self.take(entry.path(), keep_all);
            }
        }
        if any { Ok(()) } else { Err(Error::NoSource(pattern.to_owned())) }
    }
}

/// What is below a folder, but for datasets' own records, which are no source, and folders whose
/// names say that nothing wanted is in them.
fn walk<'w>(
    folder: &Path,
    wanted: &'w Selection,
) -> walkdir::FilterEntry<walkdir::IntoIter, impl FnMut(&walkdir::DirEntry) -> bool + use<'w>> {
    let walk = WalkDir::new(folder).follow_links(true).into_iter();
    walk.filter_entry(|entry| {
        let enters = || wanted.may_hold(&entry.path().to_string_lossy());
        entry.file_name() != META_FOLDER && (!entry.file_type().is_dir() || enters())
    })
}

/// The folder above a pattern's first level that is not literal.
fn literal_root(pattern: &str) -> PathBuf {
    let literal = |part: &&str| !part.contains(['*', '?', '[', '{']);
    let parts: Vec<_> = pattern.split('/').take_while(literal).collect();
    match parts.join("/").as_str() {
        "" if pattern.starts_with('/') => PathBuf::from("/"),
        "" => PathBuf::from("."),
        root => PathBuf::from(root),
    }
}

/// What a file is, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    LogFile,
    Digest,
    Insight,
    Aggregated,
}

impl Kind {
    pub(crate) fn of(key: &str, keep_all: bool) -> Self {
        if is_of_kind(key, "CloudTrail-Digest") {
            Self::Digest
        } else if is_of_kind(key, "CloudTrail-Insight") && !keep_all {
            Self::Insight
        } else if is_of_kind(key, "CloudTrail-Aggregated") && !keep_all {
            Self::Aggregated
        } else {
            Self::LogFile
        }
    }
}

/// Whether a walk takes a file for what its name ends with.
pub(crate) fn is_taken(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The archive that a URI's member is in, if it is one that is there.
pub(crate) fn archive_of(uri: &str) -> Option<&str> {
    if Path::new(uri).exists() {
        return None;
    }
    let mut archives = uri.match_indices(MEMBER).filter_map(|(at, _)| uri.get(..at));
    archives.find(|archive| Path::new(archive).is_file())
}

/// Whether a key is of a kind: a level of it is called so, or its file name says so.
fn is_of_kind(key: &str, kind: &str) -> bool {
    // Nearly none has it anywhere.
    if memmem::find(key.as_bytes(), kind.as_bytes()).is_none() {
        return false;
    }
    let mut levels = key.rsplit(['/', '\\']);
    let name = levels.next().unwrap_or_default();
    name.split('_').nth(1) == Some(kind) || levels.any(|level| level == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_level_or_name() {
        let digest = "CloudTrail-Digest";
        assert!(is_of_kind("x/AWSLogs/1/CloudTrail-Digest/r/2026/f.json.gz", digest));
        assert!(is_of_kind(
            "111122223333_CloudTrail-Digest_r_t_r_20260926T160131Z.json.gz",
            digest
        ));
        assert!(!is_of_kind("CloudTrail-Digest.json", digest));
        assert!(!is_of_kind("a/CloudTrail/f_CloudTrail_r.json", digest));
    }

    #[test]
    fn patterns_start_at_their_literal_folder() {
        for (pattern, root) in
            [("a/b/*.json", "a/b"), ("*.gz", "."), ("/*/x", "/"), ("/a/**", "/a"), ("./a/*", "./a")]
        {
            assert_eq!(literal_root(pattern), Path::new(root), "{pattern}");
        }
    }
}
