//! From a log file to its bytes: reading, and inflating what is gzip.
//!
//! The name does not tell: clients decompress on download and keep the `.gz`, and Firehose packs what
//! `CloudWatch` Logs has packed. The first bytes do. What was inflated before an error is kept, so that a
//! cut file gives the records it has. It refuses what is no regular file, and what inflates past its
//! [`Limits`].

use crate::convert::discover::{LogFile, Origin};
use crate::part::hex;
use bytesize::ByteSize;
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Gzip within gzip: `CloudWatch` Logs through a Firehose that packs has two.
const LAYERS: usize = 4;

/// How large a log file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a log file, inflated: a real one has a few MB.
    pub bytes: u64,
    /// How many times the bytes as stored, where that is more than [`Limits::FREE`]: a real one has
    /// 10 to 30, gzip can have 1,000.
    pub ratio: u64,
}

impl Limits {
    /// Bytes that any log file may inflate to, whatever its ratio.
    pub const FREE: u64 = 64 << 20;

    /// The most bytes that `stored` bytes may inflate to.
    fn of(self, stored: usize) -> u64 {
        (stored as u64).saturating_mul(self.ratio).max(Self::FREE).min(self.bytes)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, ratio: 200 }
    }
}

/// Buffers that one worker uses for file after file.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    raw: Vec<u8>,
    inflated: Vec<u8>,
}

/// The bytes of one log file.
#[derive(Debug)]
pub(crate) struct Inflated<'b> {
    pub(crate) bytes: &'b [u8],
    /// The size as stored.
    pub(crate) size: u64,
    /// Of the bytes as stored, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Why the bytes end before the file's end.
    pub(crate) broken: Option<String>,
}

impl Buffers {
    /// Reads a log file. Fails where nothing can be read; a file that breaks off gives the bytes
    /// before the break.
    pub(crate) fn read(&mut self, file: &LogFile, limits: Limits) -> io::Result<Inflated<'_>> {
        self.raw.clear();
        // One byte more tells that it is too large.
        let most = limits.bytes.saturating_add(1);
        match &file.origin {
            Origin::StandardInput => io::copy(&mut io::stdin().lock().take(most), &mut self.raw)?,
            // Objects are fetched ahead, but for those that are too large.
            Origin::Object(_) => return Err(io::Error::other(too_large(limits.bytes))),
            Origin::Disk => {
                let open = File::open(&file.path)?;
                if !open.metadata()?.is_file() {
                    return Err(io::Error::other("not a regular file"));
                }
                io::copy(&mut open.take(most), &mut self.raw)?
            }
        };
        if self.raw.len() as u64 > limits.bytes {
            return Err(io::Error::other(too_large(limits.bytes)));
        }
        Ok(self.unpack(limits))
    }

    /// The same for bytes that are in memory already.
    pub(crate) fn take(&mut self, raw: Vec<u8>, limits: Limits) -> Inflated<'_> {
        self.raw = raw;
        self.unpack(limits)
    }

    fn unpack(&mut self, limits: Limits) -> Inflated<'_> {
        let (size, sha256) = (self.raw.len() as u64, hex(&Sha256::digest(&self.raw)));
        if !self.raw.starts_with(&GZIP) {
            return Inflated { bytes: &self.raw, size, sha256, broken: None };
        }
        let most = limits.of(self.raw.len());
        let mut broken = gunzip(&self.raw, &mut self.inflated, most);
        for _ in 1..LAYERS {
            if !self.inflated.starts_with(&GZIP) {
                break;
            }
            let mut inner = Vec::new();
            let why = gunzip(&self.inflated, &mut inner, most);
            broken = broken.or(why);
            self.inflated = inner;
        }
        Inflated { bytes: &self.inflated, size, sha256, broken }
    }
}

fn too_large(limit: u64) -> String {
    let limit = ByteSize::b(limit);
    format!("larger than {limit}: split it, check what it is, or give --max-file-size")
}

/// Inflates into `out`; why that is not all, where it breaks off.
fn gunzip(packed: &[u8], out: &mut Vec<u8>, most: u64) -> Option<String> {
    out.clear();
    let mut decoder = MultiGzDecoder::new(packed).take(most.saturating_add(1));
    match decoder.read_to_end(out) {
        Ok(_) if out.len() as u64 > most => {
            out.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            let times = out.len() / packed.len().max(1);
            Some(format!(
                "inflates to more than {} ({times} times its size): check what it is, or give \
                 --max-file-size and --max-ratio",
                ByteSize::b(most)
            ))
        }
        Ok(_) => None,
        Err(error) => Some(format!("gzip breaks off or is damaged: {error}")),
    }
}

/// The bytes of a text that was packed, or is plain.
pub(crate) fn inflate(packed: &[u8], limits: Limits) -> Result<Vec<u8>, String> {
    if !packed.starts_with(&GZIP) {
        return Ok(packed.to_vec());
    }
    let mut bytes = Vec::new();
    gunzip(packed, &mut bytes, limits.of(packed.len())).map_or(Ok(bytes), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut buffers = Buffers::default();
        let read = buffers.take(bytes.to_vec(), Limits::default());
        assert_eq!(read.size, bytes.len() as u64);
        (read.bytes.to_vec(), read.broken.is_some())
    }

    #[test]
    fn gzip_is_known_by_its_bytes_and_may_have_members() {
        assert_eq!(read(b"{}"), (b"{}".to_vec(), false));
        assert_eq!(read(&gzip("abc")), (b"abc".to_vec(), false));
        assert_eq!(read(&[gzip("abc"), gzip("def")].concat()), (b"abcdef".to_vec(), false));
    }

    #[test]
    fn what_came_before_a_break_is_kept() {
        let text: String = (0..5000).map(|n| n.to_string()).collect();
        let whole = gzip(&text);
        let (bytes, broken) = read(&whole[..whole.len() / 2]);
        assert!(broken && !bytes.is_empty() && text.as_bytes().starts_with(&bytes));
        assert_eq!(read(&[gzip("abc"), b"junk".to_vec()].concat()), (b"abc".to_vec(), true));
        assert_eq!(read(&[0x1f, 0x8b, 7, 7]), (vec![], true));
    }

    #[test]
    fn gzip_may_be_within_gzip() {
        let text = String::from_utf8(gzip("abc"))
            .map_err(std::string::FromUtf8Error::into_bytes)
            .unwrap_err();
        let mut outer = GzEncoder::new(Vec::new(), Compression::default());
        outer.write_all(&text).unwrap();
        outer.write_all(&gzip("def")).unwrap();
        assert_eq!(read(&outer.finish().unwrap()), (b"abcdef".to_vec(), false));
    }

    #[test]
    fn what_inflates_beyond_measure_is_refused() {
        let zeros = gzip(&"0".repeat(65 << 20));
        let mut buffers = Buffers::default();
        let read = buffers.take(zeros, Limits::default());
        assert_eq!(read.bytes.len() as u64, Limits::FREE);
        assert!(read.broken.unwrap().contains("--max-ratio"));
        let small = Limits { bytes: 10, ratio: 200 };
        assert_eq!(buffers.take(gzip("01234567890"), small).bytes.len(), 10);
    }
}
