//! From a file's bytes to one record's bytes: one log file, whatever form it was delivered in.
//!
//! ```text
//! bytes as stored -> decompress -> archive -> envelope, forms, table -> one record's bytes
//! ```
//!
//! A budget bounds all that is inflated. Nothing here knows what a record means;
//! [`flatten`](crate::flatten) reads it.

pub(crate) mod archive;
pub(crate) mod budget;
pub(crate) mod decompress;
pub(crate) mod envelope;
pub(crate) mod gzip;
pub(crate) mod key;
pub(crate) mod large;
mod read_ahead;
pub(crate) mod scan;

use crate::scope::Scope;
use crate::store::{Bucket, Object};
use key::delivery_time;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// Between an archive and its member, in a log file's URI.
pub(crate) const MEMBER: char = '!';

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
    pub(crate) fn object(bucket: &Arc<Bucket>, object: Object) -> Self {
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
