//! From sources to log files: what there is to read, and what its name tells.
//!
//! A folder is walked; in it, names that end like log files are taken and all others counted. A
//! file named outright is taken whatever its name. Digest, Insight and aggregated files and those of other
//! services are known by their key and skipped. Only names are looked at here: this module refuses to open
//! anything.

use crate::error::{Chain, Error, Result, StoreError, StoreProblem};
use crate::layout::META_FOLDER;
use crate::log_file::budget::Limits;
use crate::log_file::key::{FileKind, service};
use crate::log_file::{LogFile, MEMBER, Origin};
use crate::sources::{Problem, Selection, SkippedFiles, Unmatched, inventory};
use crate::store::{self, Bucket, Buckets, Object};
use globset::{GlobBuilder, GlobMatcher};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use walkdir::WalkDir;

/// Endings of names that a folder's walk takes.
const ENDINGS: [&str; 9] =
    [".json", ".gz", ".jsonl", ".ndjson", ".csv", ".tar", ".tgz", ".zip", ".zst"];

/// What stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// What the sources hold.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The log files, by path, each once.
    pub(crate) log_files: Vec<LogFile>,
    /// Digest files: they sign log files and hold no records.
    pub(crate) digests: Vec<LogFile>,
    /// Files that are not read, by kind.
    pub(crate) skipped: SkippedFiles,
    /// How many are of other services; a folder of a bucket is one, for what is below it is not asked for.
    pub(crate) services: BTreeMap<&'static str, u64>,
    /// What could not be listed.
    pub(crate) problems: Vec<Problem>,
}

/// Lists what `sources` name: files, folders, patterns, buckets. Insight files and those of
/// aggregated records are taken only to `keep_all`.
pub(crate) fn discover(sources: &[String], wanted: &Selection, keep_all: bool) -> Result<Listing> {
    let mut found = Listing::default();
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
pub(crate) fn again<'f>(
    files: impl Iterator<Item = &'f String>,
    keep_all: bool,
) -> Result<Listing> {
    let mut found = Listing::default();
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

impl Listing {
    /// Takes the object, or all that is below the prefix, of a location in S3.
    fn list(
        &mut self,
        buckets: &mut Buckets,
        source: &str,
        wanted: &Selection,
        keep_all: bool,
    ) -> Result<()> {
        let (bucket, prefix) = buckets.open(source)?;
        let passed = Mutex::new(Vec::<&'static str>::new());
        let enters = |folder: &str| {
            let service = service(folder);
            passed.lock().unwrap_or_else(PoisonError::into_inner).extend(service);
            service.is_none()
                && wanted.may_hold(folder)
                && !folder.split('/').any(|level| level == META_FOLDER)
        };
        let mut objects = bucket.list(&prefix, &enters, &|folder| wanted.is_leaf(folder))?;
        let passed = passed.into_inner().unwrap_or_else(PoisonError::into_inner);
        for &service in &passed {
            self.pass(service);
        }
        let is_named = objects.is_empty() && passed.is_empty() && !prefix.is_empty();
        if is_named {
            objects.extend(bucket.head(&prefix)?);
        }
        if objects.is_empty() && passed.is_empty() {
            return Err(StoreError::new(source, StoreProblem::NothingFound).into());
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
                Err(error) => Chain(&error).to_string(),
            };
            self.problems.push(Problem { file: bucket.uri(&key), record: None, reason });
        }
        self.arrange();
        Ok(())
    }

    /// Whether an object is a log file that is wanted; one that is not is counted.
    fn wants(&mut self, key: &str, wanted: &Selection) -> bool {
        if let Some(service) = service(key) {
            self.pass(service);
            return false;
        }
        if !is_taken(key) {
            self.skipped.other += 1;
            return false;
        }
        let may = wanted.may_hold(key);
        self.skipped.outside += u64::from(!may);
        may
    }

    /// Counts one of another service.
    fn pass(&mut self, service: &'static str) {
        *self.services.entry(service).or_default() += 1;
    }

    fn take_object(&mut self, bucket: &Arc<Bucket>, object: Object, keep_all: bool) {
        let kind = FileKind::from_key(&object.key, keep_all);
        self.sort_in(kind, || LogFile::object(bucket, object));
    }

    fn walk(&mut self, folder: &Path, wanted: &Selection, keep_all: bool) {
        for entry in walk(folder, wanted) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let path = entry.path().to_string_lossy();
                    if let Some(service) = service(&path) {
                        self.pass(service);
                    } else if !wanted.may_hold(&path) {
                        self.skipped.outside += 1;
                    } else if is_taken(&path) {
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

    /// What of the accounts and regions that were asked for no log file is of, as their keys say.
    pub(crate) fn unmatched(&self, wanted: &Selection) -> Vec<Unmatched> {
        wanted.unmatched(self.log_files.iter().map(|file| file.path.to_string_lossy()))
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
        let kind = FileKind::from_key(&path.to_string_lossy(), keep_all);
        self.sort_in(kind, || LogFile::named(path.to_owned(), Origin::Disk));
    }

    fn sort_in(&mut self, kind: FileKind, file: impl FnOnce() -> LogFile) {
        match kind {
            FileKind::LogFile => return self.log_files.push(file()),
            FileKind::Digest => self.digests.push(file()),
            FileKind::Insight | FileKind::Aggregated => {}
        }
        self.skipped.count(kind);
    }

    /// Takes the files and folders that match a pattern: `*` within a level, `**` across levels.
    fn expand(&mut self, pattern: &str, wanted: &Selection, keep_all: bool) -> Result<()> {
        let glob = matcher(pattern)?;
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
            } else if let Some(service) = service(&path.to_string_lossy()) {
                self.pass(service);
            } else if is_of_macos(&path.to_string_lossy()) {
                self.skipped.other += 1;
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

/// What tells whether a path matches a pattern: `*` within a level, `**` across levels.
pub(super) fn matcher(pattern: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(pattern.trim_start_matches("./")).literal_separator(true).build();
    let glob = glob.map_err(|source| Error::Pattern { pattern: pattern.to_owned(), source })?;
    Ok(glob.compile_matcher())
}

/// The folder above a pattern's first level that is not literal.
pub(super) fn literal_root(pattern: &str) -> PathBuf {
    let literal = |part: &&str| !part.contains(['*', '?', '[', '{']);
    let parts: Vec<_> = pattern.split('/').take_while(literal).collect();
    match parts.join("/").as_str() {
        "" if pattern.starts_with('/') => PathBuf::from("/"),
        "" => PathBuf::from("."),
        root => PathBuf::from(root),
    }
}

/// Whether a walk takes a file for what its name ends with, unless it is a side file of macOS.
pub(crate) fn is_taken(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending)) && !is_of_macos(key)
}

/// Whether a file is one that macOS puts beside another, called `._NAME`, where the file system or archive has
/// no place for what belongs to it; in zip files they have a folder of their own.
fn is_of_macos(key: &str) -> bool {
    let mut levels = key.rsplit(['/', '\\']);
    levels.next().is_some_and(|name| name.starts_with("._"))
        || levels.any(|level| level == "__MACOSX")
}

/// The archive that a URI's member is in, if it is one that is there.
pub(crate) fn archive_of(uri: &str) -> Option<&str> {
    if Path::new(uri).exists() {
        return None;
    }
    let mut archives = uri.match_indices(MEMBER).filter_map(|(at, _)| uri.get(..at));
    archives.find(|archive| Path::new(archive).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_files_of_macos_are_no_log_files() {
        for name in ["a/b.json.gz", "B.JSON", "a/._/b.csv", "_.json", "MACOSX/a.zst"] {
            assert!(is_taken(name), "{name}");
        }
        for name in
            ["a/._b.json.gz", "._b.json", "__MACOSX/a/b.json", "x\\._b.json", ".DS_Store", ""]
        {
            assert!(!is_taken(name), "{name}");
        }
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
