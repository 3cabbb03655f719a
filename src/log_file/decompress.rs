//! From a log file to its bytes: reading, and inflating what is gzip or zstd.
//!
//! The name does not tell: clients decompress on download and keep the `.gz`, and Firehose packs what
//! `CloudWatch` Logs has packed. The first bytes do. CloudTrail writes gzip; who copies its log files may
//! use zstd. What was inflated before an error is kept, so that a cut file gives the records it has. It
//! refuses what is no regular file, and what inflates past its [`Limits`].

use crate::hash::hex;
use crate::log_file::budget::{InflateBudget, Limits, too_large};
use crate::log_file::gzip::{GZIP, Gunzip, MAX_KEPT_BUFFER_BYTES, Whole, gunzip};
use crate::log_file::scan::first_record;
use crate::log_file::{LogFile, Origin};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use zstd::stream::read::Decoder;

/// What a zstd frame begins with.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Gzip within gzip: `CloudWatch` Logs through a Firehose that packs has two.
const LAYERS: usize = 4;

/// Bytes from which gzip of a log file is read piece by piece, inflated and as stored.
const LARGE_INFLATED_BYTES: u32 = 32 << 20;
const LARGE_STORED_BYTES: usize = 8 << 20;

/// Buffers that one worker uses for file after file.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    raw: Vec<u8>,
    inflated: Vec<u8>,
    whole: Whole,
}

/// The bytes of one log file.
#[derive(Debug)]
pub(crate) struct Inflated<'b> {
    pub(crate) bytes: &'b [u8],
    /// In place of them, gzip of a large log file, to be read piece by piece.
    pub(crate) packed: Option<&'b [u8]>,
    /// The size as stored.
    pub(crate) size: u64,
    /// Of the bytes as stored, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Why the bytes end before the file's end.
    pub(crate) broken: Option<String>,
    /// What may still be unpacked of it.
    pub(crate) room: &'b InflateBudget,
}

impl Buffers {
    /// Reads a log file as stored; how much may be unpacked of it. Fails where it cannot be read.
    pub(crate) fn read(&mut self, file: &LogFile, limits: Limits) -> io::Result<InflateBudget> {
        self.raw.clear();
        self.raw.shrink_to(MAX_KEPT_BUFFER_BYTES);
        self.inflated.shrink_to(MAX_KEPT_BUFFER_BYTES);
        // One byte more tells that it is too large.
        let most = limits.bytes.saturating_add(1);
        match &file.origin {
            Origin::StandardInput => io::copy(&mut io::stdin().lock().take(most), &mut self.raw)?,
            // Objects are fetched ahead, but for those that are too large.
            Origin::Object(_) => return Err(io::Error::other(too_large(limits.bytes))),
            Origin::Disk | Origin::Archive => {
                // Not even opened: that waits until somebody writes to a pipe.
                if !fs::metadata(&file.path)?.is_file() {
                    let reason = "not a regular file; what is piped is read as `-`";
                    return Err(io::Error::other(reason));
                }
                io::copy(&mut File::open(&file.path)?.take(most), &mut self.raw)?
            }
        };
        if self.raw.len() as u64 > limits.bytes {
            return Err(io::Error::other(too_large(limits.bytes)));
        }
        Ok(InflateBudget::new(limits, self.raw.len()))
    }

    /// The same for bytes that are in memory already.
    pub(crate) fn hold(&mut self, raw: Vec<u8>) {
        self.raw = raw;
    }

    /// The bytes, inflated as far as they can be and there is room. A large log file stays packed if
    /// that `may` be.
    pub(crate) fn unpack<'b>(
        &'b mut self,
        room: &'b InflateBudget,
        may_stay_packed: bool,
    ) -> Inflated<'b> {
        let (size, sha256) = (self.raw.len() as u64, hex(&Sha256::digest(&self.raw)));
        let inflated = |bytes, broken| Inflated { bytes, packed: None, size, sha256, broken, room };
        if !is_packed(&self.raw) {
            return inflated(&self.raw, None);
        }
        if may_stay_packed && is_large_log_file(&self.raw) {
            return Inflated { packed: Some(&self.raw), ..inflated(&[], None) };
        }
        if let Some(bytes) = self.whole.inflate(&self.raw, room) {
            return inflated(bytes, None);
        }
        let mut broken = unpack_once(&self.raw, &mut self.inflated, room).err();
        for _ in 1..LAYERS {
            if !is_packed(&self.inflated) {
                break;
            }
            let mut inner = Vec::new();
            let why = unpack_once(&self.inflated, &mut inner, room).err();
            broken = broken.or(why);
            self.inflated = inner;
        }
        inflated(&self.inflated, broken)
    }
}

fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || bytes.starts_with(&ZSTD)
}

/// Inflates what is packed into `out`; why that is not all, where it breaks off.
fn unpack_once(packed: &[u8], out: &mut Vec<u8>, room: &InflateBudget) -> Result<(), String> {
    if packed.starts_with(&GZIP) {
        return gunzip(packed, out, room);
    }
    out.clear();
    // Frame after frame, as gzip's members.
    let source = Decoder::with_buffer(packed).map_err(|error| format!("zstd: {error}"))?;
    room.fill(out, source, "zstd").map_err(|reason| {
        if reason.starts_with("zstd") { format!("{reason}; fetch the file again") } else { reason }
    })
}

/// Whether gzip inflates to much, as well as can be told, and begins as a log file does.
fn is_large_log_file(packed: &[u8]) -> bool {
    if !packed.starts_with(&GZIP) {
        return false;
    }
    let size = packed.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    if size < LARGE_INFLATED_BYTES && packed.len() < LARGE_STORED_BYTES {
        return false;
    }
    let mut beginning = Vec::new();
    // Where this fails, so does reading it whole, which says why.
    let _ = Gunzip::new(packed).take(256).read_to_end(&mut beginning);
    first_record(&beginning).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_file::gzip::gzip;

    fn read(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut buffers = Buffers::default();
        buffers.hold(bytes.to_vec());
        let room = InflateBudget::new(Limits::default(), bytes.len());
        let read = buffers.unpack(&room, false);
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
        let outer = gzip([gzip("abc"), gzip("def")].concat());
        assert_eq!(read(&outer), (b"abcdef".to_vec(), false));
    }

    #[test]
    fn zstd_is_known_by_its_bytes_and_may_have_frames() {
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 0).unwrap();
        assert_eq!(read(&zstd(b"abc")), (b"abc".to_vec(), false));
        assert_eq!(read(&[zstd(b"abc"), zstd(b"def")].concat()), (b"abcdef".to_vec(), false));
        assert_eq!(read(&zstd(&gzip("abc"))), (b"abc".to_vec(), false));
        let text: String = (0..50_000).map(|n| n.to_string()).collect();
        let whole = zstd(text.as_bytes());
        let (bytes, broken) = read(&whole[..whole.len() - 9]);
        assert!(broken && !bytes.is_empty() && text.as_bytes().starts_with(&bytes));
        let mut buffers = Buffers::default();
        buffers.hold([ZSTD.to_vec(), vec![0; 40]].concat());
        let room = InflateBudget::new(Limits::default(), 44);
        let reason = buffers.unpack(&room, true).broken.unwrap();
        assert!(reason.starts_with("zstd breaks off or is damaged: "), "{reason}");
    }

    #[test]
    fn what_follows_the_gzip_is_told() {
        for (tail, told) in [(&b"junk"[..], "4 bytes follow"), (&[0; 512], "512 bytes follow")] {
            let mut buffers = Buffers::default();
            buffers.hold([gzip("abc"), tail.to_vec()].concat());
            let room = InflateBudget::new(Limits::default(), 1);
            assert!(buffers.unpack(&room, false).broken.unwrap().starts_with(told));
        }
    }

    #[test]
    fn what_inflates_beyond_measure_is_refused() {
        let unpacked = |limits: Limits, packed: Vec<u8>| {
            let mut buffers = Buffers::default();
            let room = InflateBudget::new(limits, packed.len());
            buffers.hold(packed);
            let read = buffers.unpack(&room, false);
            (read.bytes.len() as u64, read.broken.unwrap(), room.left.get())
        };
        let zeros = gzip("0".repeat(65 << 20));
        let (bytes, reason, left) = unpacked(Limits::default(), zeros);
        assert_eq!((bytes, left), (Limits::ALWAYS_ALLOWED_BYTES, 0));
        assert!(reason.contains("--max-ratio"), "{reason}");
        let small = Limits { bytes: 10, ratio: 200 };
        let members = [gzip("012345"), gzip("67890")].concat();
        let (bytes, reason, left) = unpacked(small, members);
        assert_eq!((bytes, left), (10, Limits::ALWAYS_ALLOWED_BYTES - 10));
        assert!(reason.contains("--max-file-size"), "{reason}");
    }
}
