//! How much of a log file may be unpacked: bounds against what inflates without end.

use bytesize::ByteSize;
use std::cell::Cell;
use std::io::Read;

/// How large a log file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a log file, inflated: a real one has a few MB.
    pub bytes: u64,
    /// How many times the bytes as stored, where that is more than [`Limits::ALWAYS_ALLOWED_BYTES`]: a real one has
    /// 10 to 30, gzip can have 1,000.
    pub ratio: u64,
}

impl Limits {
    /// Bytes that any log file may inflate to, whatever its ratio.
    pub const ALWAYS_ALLOWED_BYTES: u64 = 64 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, ratio: 200 }
    }
}

/// What may still be unpacked of one log file as stored: layers, members of an archive and what is
/// packed in its documents together, for many that are harmless alone add up.
#[derive(Debug)]
pub(crate) struct InflateBudget {
    pub(super) limits: Limits,
    pub(super) left: Cell<u64>,
}

impl InflateBudget {
    pub(crate) fn new(limits: Limits, stored: usize) -> Self {
        let left = (stored as u64).saturating_mul(limits.ratio).max(Limits::ALWAYS_ALLOWED_BYTES);
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

pub(super) fn too_large(limit: u64) -> String {
    let limit = ByteSize::b(limit);
    format!("larger than {limit}: split it, check what it is, or give --max-file-size")
}
