//! The part files of a dataset's newest commit, as a store that can only be read.
//!
//! What a query sees is one commit: what a run adds, replaces or leaves half placed meanwhile is not
//! in it, and what it removes is still found. Nothing is listed on the disk, for the commit knows names
//! and sizes. A part file that is gone is an error that names it, never a row less.

use crate::dataset::{Dataset, InBucket, PartFile, Places, Root};
use crate::error::{DatasetProblem, WithCauses};
use crate::part::PartSource;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use object_store::path::{Path, PathPart};
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// The URL of the root of such a store.
pub(in crate::query) const ROOT: &str = "buildtrail://dataset/";

/// The part files of one commit.
#[derive(Debug)]
pub(in crate::query) struct Snapshot {
    parts: BTreeMap<Path, ObjectMeta>,
    places: Arc<Places>,
    /// Whether part files of other commits are found, too.
    any_commit: bool,
}

impl Snapshot {
    pub(in crate::query) fn new(dataset: &Dataset) -> Result<Self> {
        let part = |part: &PartFile| {
            let location = Path::parse(&part.path)?;
            Ok((location.clone(), meta(location, part.bytes)))
        };
        let parts = dataset.parts().iter().map(part).collect::<Result<_>>()?;
        Ok(Self { parts, places: Arc::clone(dataset.places()), any_commit: false })
    }

    /// The same for a worker: who asks it has opened the dataset at a commit of its own.
    #[cfg(feature = "distributed")]
    pub(in crate::query) fn of_any_commit(dataset: &Dataset) -> Result<Self> {
        Ok(Self { any_commit: true, ..Self::new(dataset)? })
    }

    /// What the commit says of a part file; none where it is another commit's that may be asked for.
    fn known(&self, location: &Path) -> Result<Option<&ObjectMeta>> {
        match self.parts.get(location) {
            None if !self.any_commit || !may_be_part(location) => {
                Err(not_found(location, "in no commit"))
            }
            known => Ok(known),
        }
    }

    /// Why a part file is not there.
    fn lost(&self, location: &Path) -> Error {
        if self.any_commit && !self.parts.contains_key(location) {
            let other = "the worker's dataset has no such part file; is it the one that was asked?";
            return not_found(location, other);
        }
        not_found(location, WithCauses(self.places.lost(location.as_ref())))
    }

    /// A part file that is an object.
    async fn in_bucket(
        &self,
        at: &InBucket,
        location: &Path,
        options: GetOptions,
    ) -> Result<GetResult> {
        let known = self.known(location)?;
        for file in self.places.candidates(location.as_ref()) {
            match at.bucket.get_opts(&at.key(&file), options.clone()).await {
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
                Ok(found) => {
                    if let Some(known) = known {
                        check_size(found.meta.size, &self.places.root().name(&file), known.size)?;
                    }
                    let meta = meta(location.clone(), found.meta.size);
                    return Ok(GetResult { meta, ..found });
                }
            }
        }
        Err(self.lost(location))
    }

    /// A part file on disk.
    async fn on_disk(&self, location: &Path, options: &GetOptions) -> Result<GetResult> {
        let known = self.known(location)?;
        known.map_or(Ok(()), |known| options.check_preconditions(known))?;
        let opened = self.open(location).await?;
        let (file, path, bytes) = opened.ok_or_else(|| self.lost(location))?;
        if let Some(known) = known {
            check_size(bytes, &path, known.size)?;
        }
        let meta = meta(location.clone(), bytes);
        let range = match &options.range {
            None => 0..bytes,
            Some(range) => range.as_range(bytes).map_err(other)?,
        };
        let payload = GetResultPayload::File(file, path);
        Ok(GetResult { payload, meta, range, attributes: Attributes::default() })
    }

    /// Opens a part file on disk; none where it is not there.
    async fn open(&self, location: &Path) -> Result<Option<Opened>> {
        if !self.any_commit {
            return open(&self.places, location);
        }
        // A worker may have the dataset over a network: the threads that others ask whether it is
        // still there must not wait for that. Alone, a change of threads would be for nothing.
        let (places, location) = (Arc::clone(&self.places), location.clone());
        spawn_blocking(move || open(&places, &location)).await.map_err(other)?
    }

    /// The part files below a prefix.
    fn below(&self, prefix: Option<&Path>) -> impl Iterator<Item = &ObjectMeta> {
        let all = self.parts.values();
        all.filter(move |part| prefix.is_none_or(|above| part.location.prefix_matches(above)))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the part files of a commit")
    }
}

/// A part file on disk, where it is, and its size.
type Opened = (File, PathBuf, u64);

fn open(places: &Places, location: &Path) -> Result<Option<Opened>> {
    for file in places.candidates(location.as_ref()) {
        let path = places.root().name(&file);
        if let Some(PartSource::File(file)) = places.root().open(&file).map_err(failed)? {
            let bytes = file.metadata().map_err(crate::Error::io("read", &path)).map_err(failed)?;
            return Ok(Some((file, path, bytes.len())));
        }
    }
    Ok(None)
}

/// Whether a part file may have this place: nothing else of a dataset is for others.
fn may_be_part(location: &Path) -> bool {
    let is_hidden = |level: &PathPart<'_>| level.as_ref().starts_with('_');
    location.extension() == Some("parquet") && !location.parts().any(|level| is_hidden(&level))
}

fn failed(error: crate::Error) -> Error {
    other(WithCauses(error))
}

fn other(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "dataset", source: source.into() }
}

/// What is told of a part file. Its name has the content's hash: what has the name has the content.
fn meta(location: Path, size: u64) -> ObjectMeta {
    let last_modified = DateTime::<Utc>::UNIX_EPOCH;
    ObjectMeta { location, last_modified, size, e_tag: None, version: None }
}

fn not_found(
    location: &Path,
    reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::NotFound { path: location.to_string(), source: reason.into() }
}

/// Fails where a part file was changed behind the dataset's back.
fn check_size(bytes: u64, path: &std::path::Path, expected: u64) -> Result<()> {
    if bytes == expected {
        return Ok(());
    }
    let problem = DatasetProblem::PartResized { bytes, expected };
    Err(failed(crate::Error::dataset(path.display(), problem)))
}

fn read_only<T>(operation: &str) -> Result<T> {
    Err(Error::NotSupported { source: format!("{operation}: a dataset is only read here").into() })
}

#[async_trait]
impl ObjectStore for Snapshot {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.places.root() {
            Root::Folder(_) => self.on_disk(location, &options).await,
            Root::Bucket(at) => self.in_bucket(at, location, options).await,
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let found: Vec<_> = self.below(prefix).cloned().map(Ok).collect();
        stream::iter(found).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = Path::default();
        let prefix = prefix.unwrap_or(&root);
        let mut folders = BTreeSet::new();
        let mut objects = Vec::new();
        for part in self.below(Some(prefix)) {
            let mut levels = part.location.prefix_match(prefix).into_iter().flatten();
            match (levels.next(), levels.next()) {
                (Some(folder), Some(_)) => {
                    folders.insert(prefix.clone().join(folder));
                }
                _ => objects.push(part.clone()),
            }
        }
        Ok(ListResult { common_prefixes: folders.into_iter().collect(), objects })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        read_only("write")
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        read_only("write")
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| read_only("delete")).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        read_only("copy")
    }
}

#[cfg(all(test, unix, feature = "distributed"))]
mod tests {
    use super::*;
    use crate::scope::Redact;
    use object_store::ObjectStoreExt as _;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[tokio::test]
    async fn of_any_commit_only_part_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = Dataset::create(folder.path(), None, Redact::Standard).unwrap();
        let place = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        let names = [
            "region=a/part-1.parquet",
            "notes.txt",
            "_buildtrail/rejected/0.ndjson.gz",
            "_buildtrail/rejected/0.parquet",
            "region=a/_more/0.parquet",
        ];
        for name in names {
            fs::write(place(name), "bytes").unwrap();
        }
        let removed =
            Places::candidates(dataset.places(), "region=a/part-0.parquet").last().unwrap();
        fs::write(place(&removed), "bytes").unwrap();
        symlink("part-2.parquet", place("region=a/part-2.parquet")).unwrap();
        let snapshot = Snapshot::of_any_commit(&dataset).unwrap();
        let get = async |name: &str| {
            snapshot.get(&Path::parse(name).unwrap()).await.map(drop).map_err(|e| e.to_string())
        };
        assert_eq!(get("region=a/part-0.parquet").await, Ok(()));
        assert_eq!(get("region=a/part-1.parquet").await, Ok(()));
        for name in names.iter().skip(1).chain(["_buildtrail/dataset.json"].iter()) {
            assert!(get(name).await.unwrap_err().contains("in no commit"), "{name}");
        }
        for absent in ["region=a/part-3.parquet", "notes.txt/part-0.parquet"] {
            let said = get(absent).await.unwrap_err();
            assert!(said.contains("has no such part file"), "{said}");
        }
        // A link to itself: it is there, and cannot be opened.
        let said = get("region=a/part-2.parquet").await.unwrap_err();
        assert!(said.contains("part-2.parquet: ") && !said.contains("no such part file"), "{said}");
    }
}
