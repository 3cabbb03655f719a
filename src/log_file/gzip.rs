//! Gzip, inflated: one member at once where that is all, else member after member.

use crate::log_file::budget::InflateBudget;
use flate2::bufread::GzDecoder;
use libdeflater::Decompressor;
use memchr::memmem;
use std::io::{self, BufRead, Read};

pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The same with the one way of packing that gzip knows: what a member begins with.
const MEMBER: [u8; 3] = [0x1f, 0x8b, 8];

/// Bytes of a buffer that is kept for the next log file: larger ones are rare.
pub(super) const MAX_KEPT_BUFFER_BYTES: usize = 64 << 20;

/// Inflates what is one gzip member, all at once: twice as fast as piece by piece.
pub(super) struct Whole {
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
    /// The bytes, if `packed` is one member that ends with it, is whole, has room, and has nothing in it
    /// that is packed itself; what is anything else, the slower way tells.
    pub(super) fn inflate(
        &mut self,
        packed: &[u8],
        room: &InflateBudget,
        is_packed: fn(&[u8]) -> bool,
    ) -> Option<&[u8]> {
        let size = packed.last_chunk().map(|size| u32::from_le_bytes(*size))?;
        let most = room.left.get().min(room.limits.bytes);
        if u64::from(size) > most || !is_one_member(packed) {
            return None;
        }
        let size = size as usize;
        if size > MAX_KEPT_BUFFER_BYTES {
            // Fresh from the system, which has it zero for nothing, and only what is written takes memory.
            self.out = vec![0; size];
        } else if self.out.len() < size || self.out.len() > MAX_KEPT_BUFFER_BYTES {
            self.out = vec![0; size.next_power_of_two()];
        }
        let out = self.out.get_mut(..size)?;
        let inflated = self.decompressor.gzip_decompress(packed, out).ok()?;
        if inflated != size || is_packed(out) {
            return None;
        }
        room.left.set(room.left.get() - size as u64);
        Some(out)
    }
}

/// Whether nothing after its beginning can be the beginning of another gzip member: by its first
/// bytes, the flags that a header has, and how well it says that it is packed. What is inflated at once is
/// taken for good whatever follows it, and with a header's own checksum wrong: such files are not for it.
fn is_one_member(packed: &[u8]) -> bool {
    let has_checksum = packed.get(3).is_some_and(|flags| flags & 2 != 0);
    if has_checksum || may_end_before(packed) {
        return false;
    }
    let begins = |at: usize| {
        let header = packed.get(at + 3..at + 9).unwrap_or_default();
        matches!(header, [0..=0x1f, .., 0 | 2 | 4])
    };
    packed.starts_with(&MEMBER) && !memmem::find_iter(packed, &MEMBER).skip(1).any(begins)
}

/// Whether a member may end before the file does, with the size that the file ends with.
fn may_end_before(packed: &[u8]) -> bool {
    let Some(size) = packed.last_chunk::<4>() else { return false };
    let before = packed.split_last().map_or(packed, |(_, before)| before);
    memmem::find(before, size).is_some()
}

/// Bytes that tell how something is packed.
const HEAD: usize = 4;

/// A source whose next bytes can be looked at, in whatever pieces it comes.
#[derive(Debug)]
pub(super) struct Peeked<R> {
    /// Bytes that were looked at, and not read yet.
    head: Vec<u8>,
    source: R,
}

impl<R: BufRead> Peeked<R> {
    pub(super) fn new(source: R) -> Self {
        Self { head: Vec::new(), source }
    }

    /// The next bytes: [`HEAD`] of them at least, or all that are left.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        while self.head.len() < HEAD {
            let Some(next) = self.source.fill_buf()?.first().copied() else { break };
            self.head.push(next);
            self.source.consume(1);
        }
        Ok(&self.head)
    }
}

impl<R: BufRead> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut piece = self.fill_buf()?;
        let count = piece.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Peeked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.head.is_empty() { self.source.fill_buf() } else { Ok(&self.head) }
    }

    fn consume(&mut self, count: usize) {
        if self.head.is_empty() {
            self.source.consume(count);
        } else {
            self.head.drain(..count.min(self.head.len()));
        }
    }
}

/// Gzip, member after member, as one stream. An empty member is one like others.
#[derive(Debug)]
pub(crate) struct Gunzip<R>(Option<GzDecoder<Peeked<R>>>);

impl<R: BufRead> Gunzip<R> {
    pub(crate) fn new(packed: R) -> Self {
        Self(Some(GzDecoder::new(Peeked::new(packed))))
    }

    /// Whether that was all, when nothing more comes.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        let Some(member) = &mut self.0 else { return Ok(()) };
        match io::copy(member.get_mut(), &mut io::sink()) {
            Ok(0) => Ok(()),
            Ok(rest) => {
                Err(format!("{rest} bytes follow the end of the gzip that are no part of it"))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.0 else { return Ok(0) };
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() || !member.get_mut().peek()?.starts_with(&GZIP) {
                return Ok(count);
            }
            self.0 = self.0.take().map(|member| GzDecoder::new(member.into_inner()));
        }
    }
}

/// Inflates gzip, member after member, into `out`; why that is not all, where it breaks off.
pub(super) fn gunzip(packed: &[u8], out: &mut Vec<u8>, room: &InflateBudget) -> Result<(), String> {
    out.clear();
    let mut source = Gunzip::new(packed);
    room.fill(out, &mut source, "gzip")?;
    source.end()
}

/// The bytes of a text that is packed, or plain.
pub(crate) fn inflate(packed: Vec<u8>, room: &InflateBudget) -> Result<Vec<u8>, String> {
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
