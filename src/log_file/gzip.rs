//! Gzip, inflated: one member at once where that is all, else member after member.

use crate::log_file::budget::InflateBudget;
use flate2::bufread::GzDecoder;
use libdeflater::Decompressor;
use memchr::memmem;
use std::io::{self, Read};

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
    /// The bytes, if `packed` is one member that ends with it, is whole, has room, and packs no gzip
    /// itself; what is anything else, the slower way tells.
    pub(super) fn inflate(&mut self, packed: &[u8], room: &InflateBudget) -> Option<&[u8]> {
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

/// Gzip, member after member, as one stream.
#[derive(Debug)]
pub(crate) struct Gunzip<'p>(GzDecoder<&'p [u8]>);

impl<'p> Gunzip<'p> {
    pub(crate) fn new(packed: &'p [u8]) -> Self {
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
