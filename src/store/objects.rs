//! Single objects of a bucket, read by ranges and written: what a dataset in S3 is made of.
//!
//! An object is there whole or not at all. What must decide between two writers is put on a
//! condition that the server checks; what must not be seen yet is a multipart upload, which becomes an
//! object when it is completed. It refuses to know what the objects mean.

use super::{Bucket, Object, REQUESTS, failure, runtime};
use crate::error::{Error, Result, StoreProblem, WithCauses};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode,
    PutOptions, PutPayload, UpdateVersion,
};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path as LocalPath;
use std::time::{Duration, SystemTime};

/// Bytes of one part of an upload: with the 10,000 parts that S3 takes, files of 160 GB.
const PART: u64 = 16 << 20;
/// Parts that one upload sends at a time.
const SENT: usize = 4;
/// Tries of a conditional put that S3 answers with a conflict of requests.
const CONFLICTS: u32 = 10;
/// Wait before the next of them: the other request is under way.
const CONFLICT_WAIT: Duration = Duration::from_millis(200);

/// A multipart upload that was sent and waits to be completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) id: String,
    /// The entity tags of its parts.
    pub(crate) parts: Vec<String>,
}

/// What an object must be for a put to go through.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Precondition<'e> {
    /// Not there.
    IfAbsent,
    /// The one with this entity tag.
    IfMatch(&'e str),
    /// Anything.
    None,
}

impl Bucket {
    /// The bytes of an object, and its entity tag; none where it is not there.
    pub(crate) fn find(&self, key: &str) -> Result<Option<(Bytes, String)>> {
        let found = self.get_whole(key, GetOptions::default())?;
        Ok(found.map(|(bytes, _, meta)| (bytes, meta.e_tag.unwrap_or_default())))
    }

    /// A range of an object, cut at its end, where that begins and how long it is in all; none where
    /// the object is not there.
    pub(crate) fn range(&self, key: &str, range: GetRange) -> Result<Option<(Bytes, u64, u64)>> {
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        let found = self.get_whole(key, options)?;
        Ok(found.map(|(bytes, start, meta)| (bytes, start, meta.size)))
    }

    /// What `options` ask for of an object, where that begins, and what is known of the object; none
    /// where it is not there.
    fn get_whole(
        &self,
        key: &str,
        options: GetOptions,
    ) -> Result<Option<(Bytes, u64, ObjectMeta)>> {
        runtime()?.block_on(async {
            let found = self.client.get_opts(&self.path(key)?, options).await;
            let Some(found) = self.there(key, found)? else { return Ok(None) };
            let (start, meta) = (found.range.start, found.meta.clone());
            let bytes = found.bytes().await.map_err(|error| self.failed(key, error))?;
            Ok(Some((bytes, start, meta)))
        })
    }

    /// What was found of an object; none where it is the object that is not there, and not its
    /// bucket.
    fn there<T>(&self, key: &str, found: object_store::Result<T>) -> Result<Option<T>> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if failure::problem(&error) == StoreProblem::NotFound => Ok(None),
            Err(error) => Err(self.failed(key, error)),
        }
    }

    /// Reads an object for the engine, on whose threads it waits.
    pub(crate) async fn get_opts(
        &self,
        key: &str,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        let path = Path::parse(key)?;
        match self.client.get_opts(&path, options).await {
            Err(error @ object_store::Error::NotFound { .. }) => Err(error),
            Err(error) => {
                let source = Box::new(WithCauses(self.failed(key, error)));
                Err(object_store::Error::Generic { store: "S3", source })
            }
            found => found,
        }
    }

    /// What is known of an object without reading it; none where it is not there.
    pub(super) fn meta(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.there(key, runtime()?.block_on(self.client.head(&self.path(key)?)))
    }

    /// When an object was last written; none where it is not there.
    pub(crate) fn modified(&self, key: &str) -> Result<Option<SystemTime>> {
        Ok(self.meta(key)?.map(|meta| meta.last_modified.into()))
    }

    /// An object's size; none where it is not there.
    pub(crate) fn size(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.meta(key)?.map(|meta| meta.size))
    }

    /// All objects below a folder.
    pub(crate) fn all_below(&self, folder: &str) -> Result<Vec<Object>> {
        runtime()?.block_on(self.below(folder))
    }

    /// Puts an object; its entity tag, or none where another is there than `precondition` lets be.
    pub(crate) fn put(
        &self,
        key: &str,
        bytes: Bytes,
        precondition: Precondition<'_>,
    ) -> Result<Option<String>> {
        runtime()?.block_on(self.put_when(key, bytes, precondition))
    }

    pub(super) async fn put_when(
        &self,
        key: &str,
        bytes: Bytes,
        precondition: Precondition<'_>,
    ) -> Result<Option<String>> {
        let mode = match precondition {
            Precondition::IfAbsent => PutMode::Create,
            Precondition::None => PutMode::Overwrite,
            Precondition::IfMatch(etag) => {
                PutMode::Update(UpdateVersion { e_tag: Some(etag.to_owned()), version: None })
            }
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        let path = self.path(key)?;
        let mut tries = CONFLICTS;
        loop {
            let payload = PutPayload::from(bytes.clone());
            match self.client.put_opts(&path, payload, options.clone()).await {
                Ok(put) => return Ok(Some(put.e_tag.unwrap_or_default())),
                Err(error) if failure::is_undecided(&error) && tries > 0 => {
                    tries -= 1;
                    // Nothing may have landed: the put is decided when the key is there, or goes through.
                    tokio::time::sleep(CONFLICT_WAIT).await;
                }
                Err(
                    object_store::Error::AlreadyExists { .. }
                    | object_store::Error::Precondition { .. },
                ) => return Ok(None),
                Err(error) => return Err(self.failed(key, error)),
            }
        }
    }

    /// Removes objects; those that are not there are no failure.
    pub(crate) fn remove(&self, keys: Vec<String>) -> Result<()> {
        runtime()?.block_on(async {
            // One by one: not every server takes lists.
            let removed = stream::iter(keys).map(|key| async move {
                match self.client.delete(&self.path(&key)?).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                    Err(error) => Err(self.failed(&key, error)),
                }
            });
            removed.buffered(REQUESTS).try_collect().await
        })
    }

    /// Gives an object another key; nothing is done where it is not there.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        let copied = runtime()?.block_on(self.client.copy(&self.path(from)?, &self.path(to)?));
        match copied {
            Ok(()) => self.remove(vec![from.to_owned()]),
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(from, error)),
        }
    }

    /// Begins an upload.
    pub(crate) fn begin(&self, key: &str) -> Result<String> {
        let begun = runtime()?.block_on(self.client.create_multipart(&self.path(key)?));
        begun.map_err(|error| self.failed(key, error))
    }

    /// Sends a file as the upload `id`.
    pub(crate) fn send(&self, key: &str, id: String, file: &LocalPath) -> Result<Upload> {
        let size = file.metadata().map_err(Error::io("read", file))?.len();
        let path = self.path(key)?;
        let begins = (0..size).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
        let parts = stream::iter(begins.enumerate()).map(|(index, begin)| {
            let (id, path) = (&id, &path);
            async move {
                let range = begin..size.min(begin + PART);
                let bytes = part_of(file, range).map_err(Error::io("read", file))?;
                let sent = self.client.put_part(path, id, index, PutPayload::from(bytes)).await;
                sent.map(|part| part.content_id).map_err(|error| self.failed(key, error))
            }
        });
        let parts = runtime()?.block_on(parts.buffered(SENT).try_collect())?;
        Ok(Upload { id, parts })
    }

    /// Makes an object of an upload; whether there was one.
    pub(crate) fn complete(&self, key: &str, upload: &Upload) -> Result<bool> {
        let parts = upload.parts.iter().map(|etag| PartId { content_id: etag.clone() }).collect();
        let path = self.path(key)?;
        match runtime()?.block_on(self.client.complete_multipart(&path, &upload.id, parts)) {
            Ok(_) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(self.failed(key, error)),
        }
    }

    /// Gives an upload up; one that is not there is no failure.
    pub(crate) fn abort(&self, key: &str, id: &str) -> Result<()> {
        let path = self.path(key)?;
        match runtime()?.block_on(self.client.abort_multipart(&path, &id.to_owned())) {
            Err(error) if !is_gone(&error) => Err(self.failed(key, error)),
            _ => Ok(()),
        }
    }
}

fn is_gone(error: &object_store::Error) -> bool {
    failure::problem(error) == StoreProblem::NotFound
}

/// A range of a local file.
fn part_of(file: &LocalPath, range: Range<u64>) -> io::Result<Vec<u8>> {
    use std::io::{Seek as _, SeekFrom};
    let mut bytes = Vec::new();
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(range.start))?;
    file.take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}
