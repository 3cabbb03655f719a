//! From a log file to its bytes: reading, and inflating what is gzip.
//!
//! The name does not tell: clients decompress on download and keep the `.gz`, and Firehose packs what
//! `CloudWatch` Logs has packed. The first bytes do. What was inflated before an error is kept, so that a
//! cut file gives the records it has. It refuses what is no regular file, and what inflates past its
//! [`Limits`].

use crate::convert::discover::{LogFile, Origin};
use crate::convert::stream;
use crate::part::hex;
use bytesize::ByteSize;
use flate2::bufread::GzDecoder;
use libdeflater::Decompressor;
use memchr::memmem;
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read};

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The same with the one way of packing that gzip knows: what a member begins with.
const MEMBER: [u8; 3] = [0x1f, 0x8b, 8];
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, ratio: 200 }
    }
}

/// What may still be unpacked of one log file as stored: layers, members of an archive and what is
/// packed in its documents together, for many that are harmless alone add up.
#[derive(Debug)]
pub(crate) struct Room {
    limits: Limits,
    left: Cell<u64>,
}

impl Room {
    pub(crate) fn of(limits: Limits, stored: usize) -> Self {
        let left = (stored as u64).saturating_mul(limits.ratio).max(Limits::FREE);
        Self { limits, left: Cell::new(left) }
    }

    /// Unpacks to the end of `out`; why that is not all, where it breaks off or has no room.
    pub(crate) fn fill(
        &self,
        out: &mut Vec<u8>,
        from: impl Read,
        what: &str,
    ) -> Result<(), String> {
        self.fill_some(out.len() as u64, out, from, u64::MAX, what)
    }

    /// The same for `chunk` bytes at most, where `before` were unpacked already.
    pub(crate) fn fill_some(
        &self,
        before: u64,
        out: &mut Vec<u8>,
        from: impl Read,
        chunk: u64,
        what: &str,
    ) -> Result<(), String> {
        let (held, left) = (out.len(), self.left.get());
        let most = left.min(self.limits.bytes.saturating_sub(before));
        let read = from.take(most.saturating_add(1).min(chunk)).read_to_end(out);
        let grown = (out.len() - held) as u64;
        if grown > most {
            out.truncate(held.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)));
            self.left.set(left - most);
            let ratio = self.limits.ratio;
            let beyond = format!("inflates to more than {ratio} times its size");
            return Err(if most < left {
                too_large(self.limits.bytes)
            } else {
                format!("{beyond}: check what it is, or give --max-ratio")
            });
        }
        self.left.set(left - grown);
        read.map(drop).map_err(|error| format!("{what} breaks off or is damaged: {error}"))
    }
}

fn too_large(limit: u64) -> String {
    let limit = ByteSize::b(limit);
    format!("larger than {limit}: split it, check what it is, or give --max-file-size")
}

/// Bytes from which gzip of a log file is read piece by piece, inflated and as stored.
const LARGE: u32 = 32 << 20;
const LARGE_STORED: usize = 8 << 20;

/// Bytes of a buffer that is kept for the next log file: larger ones are rare.
const KEPT: usize = 64 << 20;

/// Buffers that one worker uses for file after file.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    raw: Vec<u8>,
    inflated: Vec<u8>,
    whole: Whole,
}

/// Inflates what is one gzip member, all at once: twice as fast as piece by piece.
struct Whole {
    decompressor: Decompressor,
    /// Used again and again: to fill it anew with zeros would cost half of what inflating does.
    out: Vec<u8>,
}

impl Default for Whole {
    fn default() -> Self {
        Self { decompressor: Decompressor::new(), out: Vec::new() }
    }
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Whole").field("out", &self.out.len()).finish_non_exhaustive()
    }
}

impl Whole {
    /// The bytes, if `packed` is one member that ends with it, is whole, has room, and packs no gzip
    /// itself; what is anything else, the slower way tells.
    fn inflate(&mut self, packed: &[u8], room: &Room) -> Option<&[u8]> {
        let size = packed.last_chunk().map(|size| u32::from_le_bytes(*size))?;
        let most = room.left.get().min(room.limits.bytes);
        if u64::from(size) > most || !is_one_member(packed) {
            return None;
        }
        let size = size as usize;
        if size > KEPT {
            // Fresh from the system, which has it zero for nothing, and only what is written takes memory.
            self.out = vec![0; size];
        } else if self.out.len() < size || self.out.len() > KEPT {
            self.out = vec![0; size.next_power_of_two()];
        }
        let out = self.out.get_mut(..size)?;
        let inflated = self.decompressor.gzip_decompress(packed, out).ok()?;
        if inflated != size || out.starts_with(&GZIP) {
            return None;
        }
        room.left.set(room.left.get() - size as u64);
        Some(out)
    }
}

/// Whether nothing after its beginning can be the beginning of another gzip member: by its first
/// bytes, the flags that a header has, and how well it says that it is packed.
fn is_one_member(packed: &[u8]) -> bool {
    let begins = |at: usize| {
        let header = packed.get(at + 3..at + 9).unwrap_or_default();
        matches!(header, [0..=0x1f, .., 0 | 2 | 4])
    };
    packed.starts_with(&MEMBER) && !memmem::find_iter(packed, &MEMBER).skip(1).any(begins)
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
    pub(crate) room: &'b Room,
}

impl Buffers {
    /// Reads a log file as stored; how much may be unpacked of it. Fails where it cannot be read.
    pub(crate) fn read(&mut self, file: &LogFile, limits: Limits) -> io::Result<Room> {
        self.raw.clear();
        self.raw.shrink_to(KEPT);
        self.inflated.shrink_to(KEPT);
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
        Ok(Room::of(limits, self.raw.len()))
    }

    /// The same for bytes that are in memory already.
    pub(crate) fn hold(&mut self, raw: Vec<u8>) {
        self.raw = raw;
    }

    /// The bytes, inflated as far as they can be and there is room. A large log file stays packed if
    /// that `may` be.
    pub(crate) fn unpack<'b>(&'b mut self, room: &'b Room, may_stay_packed: bool) -> Inflated<'b> {
        let (size, sha256) = (self.raw.len() as u64, hex(&Sha256::digest(&self.raw)));
        let inflated = |bytes, broken| Inflated { bytes, packed: None, size, sha256, broken, room };
        if !self.raw.starts_with(&GZIP) {
            return inflated(&self.raw, None);
        }
        if may_stay_packed && is_large_log_file(&self.raw) {
            return Inflated { packed: Some(&self.raw), ..inflated(&[], None) };
        }
        if let Some(bytes) = self.whole.inflate(&self.raw, room) {
            return inflated(bytes, None);
        }
        let mut broken = gunzip(&self.raw, &mut self.inflated, room).err();
        for _ in 1..LAYERS {
            if !self.inflated.starts_with(&GZIP) {
                break;
            }
            let mut inner = Vec::new();
            let why = gunzip(&self.inflated, &mut inner, room).err();
            broken = broken.or(why);
            self.inflated = inner;
        }
        inflated(&self.inflated, broken)
    }
}

/// Whether gzip inflates to much, as well as can be told, and begins as a log file does.
fn is_large_log_file(packed: &[u8]) -> bool {
    let size = packed.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    if size < LARGE && packed.len() < LARGE_STORED {
        return false;
    }
    let mut beginning = Vec::new();
    // Where this fails, so does reading it whole, which says why.
    let _ = Gunzip::of(packed).take(256).read_to_end(&mut beginning);
    stream::first_record(&beginning).is_some()
}

/// Gzip, member after member, as one stream.
#[derive(Debug)]
pub(crate) struct Gunzip<'p>(GzDecoder<&'p [u8]>);

impl<'p> Gunzip<'p> {
    pub(crate) fn of(packed: &'p [u8]) -> Self {
        Self(GzDecoder::new(packed))
    }

    /// Whether that was all, when nothing more comes.
    pub(crate) fn end(&self) -> Result<(), String> {
        let rest = self.0.get_ref().len();
        if rest == 0 {
            return Ok(());
        }
        Err(format!("{rest} bytes follow the end of the gzip that are no part of it"))
    }
}

impl Read for Gunzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.0.read(buffer)?;
            let rest = *self.0.get_ref();
            if count > 0 || buffer.is_empty() || !rest.starts_with(&GZIP) {
                return Ok(count);
            }
            self.0 = GzDecoder::new(rest);
        }
    }
}

/// Inflates gzip, member after member, into `out`; why that is not all, where it breaks off.
fn gunzip(packed: &[u8], out: &mut Vec<u8>, room: &Room) -> Result<(), String> {
    out.clear();
    let mut source = Gunzip::of(packed);
    room.fill(out, &mut source, "gzip")?;
    source.end()
}

/// The bytes of a text that is packed, or plain.
pub(crate) fn inflate(packed: Vec<u8>, room: &Room) -> Result<Vec<u8>, String> {
    if !packed.starts_with(&GZIP) {
        return Ok(packed);
    }
    let mut bytes = Vec::new();
    gunzip(&packed, &mut bytes, room).map(|()| bytes)
}

/// A member of gzip, for tests.
#[cfg(test)]
pub(crate) fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut buffers = Buffers::default();
        buffers.hold(bytes.to_vec());
        let room = Room::of(Limits::default(), bytes.len());
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
    fn what_follows_the_gzip_is_told() {
        for (tail, told) in [(&b"junk"[..], "4 bytes follow"), (&[0; 512], "512 bytes follow")] {
            let mut buffers = Buffers::default();
            buffers.hold([gzip("abc"), tail.to_vec()].concat());
            let room = Room::of(Limits::default(), 1);
            assert!(buffers.unpack(&room, false).broken.unwrap().starts_with(told));
        }
    }

    #[test]
    fn what_inflates_beyond_measure_is_refused() {
        let unpacked = |limits: Limits, packed: Vec<u8>| {
            let mut buffers = Buffers::default();
            let room = Room::of(limits, packed.len());
            buffers.hold(packed);
            let read = buffers.unpack(&room, false);
            (read.bytes.len() as u64, read.broken.unwrap(), room.left.get())
        };
        let zeros = gzip("0".repeat(65 << 20));
        let (bytes, reason, left) = unpacked(Limits::default(), zeros);
        assert_eq!((bytes, left), (Limits::FREE, 0));
        assert!(reason.contains("--max-ratio"), "{reason}");
        let small = Limits { bytes: 10, ratio: 200 };
        let members = [gzip("012345"), gzip("67890")].concat();
        let (bytes, reason, left) = unpacked(small, members);
        assert_eq!((bytes, left), (10, Limits::FREE - 10));
        assert!(reason.contains("--max-file-size"), "{reason}");
    }
}
