//! Hashes as text, and the short form that files are named by.

use crate::error::{Error, Result};
use sha2::{Digest as _, Sha256};
use std::io::Read;
use std::path::Path;

/// Bytes in hexadecimal digits, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    ::hex::encode(bytes)
}

/// The bytes of hexadecimal digits in either case; `None` if other letters are among them.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    ::hex::decode(text).ok()
}

/// The SHA-256 of all that is read, in hexadecimal digits, and how many bytes it was; `path` names it.
pub(crate) fn hash(mut file: impl Read, path: &Path) -> Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(Error::io("read", path))?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        size += count as u64;
    }
    Ok((hex(&hash.finalize()), size))
}

/// What a file is named by: the first 16 digits of its SHA-256.
pub(crate) fn short(sha256: &str) -> &str {
    sha256.get(..16).unwrap_or_default()
}
