//! Where the bytes of a part file are read from: a file, or an object in a bucket by ranges.
//!
//! Over a network a request costs more than some bytes too many: an object's end is fetched when it is
//! opened, where the footer is, and of the columns that are read whole chunks, those that lie side by
//! side at once. What was fetched last is kept for a while. It refuses to know Parquet beyond that.

use crate::error::Result;
use crate::store::Bucket;
use bytes::{Buf as _, Bytes};
use object_store::GetRange;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of an object's end that are fetched with it: a footer has 20 to 120 KB.
const END: u64 = 128 << 10;
/// Bytes of what was fetched that are kept, about: more than a row group has.
const MAX_KEPT_BYTES: usize = 64 << 20;
/// Bytes between two chunks that are fetched rather than asked for apart.
const GAP: u64 = 256 << 10;
/// Bytes of one request at least, where the object has them: a page's header is not asked for alone.
const MIN_READ_BYTES: u64 = 64 << 10;
/// Bytes of one request at most, about.
const REQUEST: u64 = 16 << 20;

/// An open part file.
#[derive(Debug)]
pub(crate) enum PartSource {
    File(File),
    PartObject(PartObject),
}

/// An object that is read by ranges.
#[derive(Debug)]
pub(crate) struct PartObject {
    bucket: Arc<Bucket>,
    key: String,
    bytes: u64,
    /// What is to be fetched together, in order.
    together: Vec<Range<u64>>,
    fetched: Mutex<VecDeque<(u64, Bytes)>>,
}

impl PartSource {
    /// Opens an object; none where it is not there.
    pub(crate) fn object(bucket: &Arc<Bucket>, key: &str) -> Result<Option<Self>> {
        let Some((end, start, bytes)) = bucket.range(key, GetRange::Suffix(END))? else {
            return Ok(None);
        };
        Ok(Some(Self::PartObject(PartObject {
            bucket: Arc::clone(bucket),
            key: key.to_owned(),
            bytes,
            together: Vec::new(),
            fetched: Mutex::new(VecDeque::from([(start, end)])),
        })))
    }

    /// Says which ranges will be read.
    pub(crate) fn expect(&mut self, ranges: impl Iterator<Item = Range<u64>>) {
        if let Self::PartObject(object) = self {
            object.together = together(ranges);
        }
    }

    /// All its bytes from the beginning.
    pub(crate) fn reader(self) -> Box<dyn Read + Send> {
        match self {
            Self::File(file) => Box::new(file),
            Self::PartObject(object) => Box::new(Reader { object, next: 0, fetched: Bytes::new() }),
        }
    }
}

/// Ranges that lie near one another as one.
fn together(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut ranges: Vec<_> = ranges.collect();
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end + GAP && range.end - last.start <= REQUEST => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

impl PartObject {
    /// The bytes from `start`: as many as were fetched together, at least `length` where the object
    /// has them.
    fn at(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let end = start.saturating_add(length).min(self.bytes);
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let has =
            |(first, bytes): &(u64, Bytes)| *first <= start && end <= *first + bytes.len() as u64;
        let rest = |first: u64, bytes: &Bytes| {
            let skipped = usize::try_from(start - first).unwrap_or(usize::MAX);
            bytes.slice(skipped.min(bytes.len())..)
        };
        if let Some((first, bytes)) = fetched.iter().find(|block| has(block)) {
            return Ok(rest(*first, bytes));
        }
        let holds = |range: &&Range<u64>| range.start <= start && end <= range.end;
        let alone = || start..end.max(start.saturating_add(MIN_READ_BYTES).min(self.bytes));
        let range = self.together.iter().find(holds).cloned().unwrap_or_else(alone);
        let found = self.bucket.range(&self.key, GetRange::Bounded(range));
        let found = found.map_err(io::Error::other)?;
        let (bytes, first, _) = found.ok_or_else(|| {
            let gone = format!("{}: no longer there", self.bucket.uri(&self.key));
            io::Error::new(io::ErrorKind::NotFound, gone)
        })?;
        let from_start = rest(first, &bytes);
        fetched.push_back((first, bytes));
        while fetched.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MAX_KEPT_BYTES
            && fetched.len() > 1
        {
            fetched.pop_front();
        }
        Ok(from_start)
    }
}

/// An object from its beginning.
struct Reader {
    object: PartObject,
    /// Where what comes after `fetched` begins.
    next: u64,
    fetched: Bytes,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.object.bytes.saturating_sub(self.next);
        if self.fetched.is_empty() && left > 0 {
            self.fetched = self.object.at(self.next, left.min(REQUEST / 2))?;
            self.next += self.fetched.len() as u64;
        }
        let count = (&*self.fetched).read(buffer)?;
        self.fetched.advance(count);
        Ok(count)
    }
}

impl Length for PartSource {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => file.len(),
            Self::PartObject(object) => object.bytes,
        }
    }
}

impl ChunkReader for PartSource {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        match self {
            Self::File(file) => Ok(Box::new(file.get_read(start)?)),
            Self::PartObject(object) => Ok(Box::new(io::Cursor::new(object.at(start, 1)?))),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::PartObject(object) => {
                let bytes = object.at(start, length as u64)?;
                let short = || {
                    let got = bytes.len();
                    ParquetError::EOF(format!("expected {length} bytes at {start}, got {got}"))
                };
                bytes.get(..length).ok_or_else(short)?;
                Ok(bytes.slice(..length))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_fetched_together() {
        let ranges = [900_000..1_000_000, 0..10, 10..20, 300_000..300_100];
        assert_eq!(together(ranges.into_iter()), [0..20, 300_000..300_100, 900_000..1_000_000]);
        let far = [0..REQUEST, REQUEST..2 * REQUEST];
        assert_eq!(together(far.clone().into_iter()), far);
    }
}
