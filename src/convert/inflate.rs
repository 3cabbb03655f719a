//! From a log file to its bytes: reading, and inflating what is gzip.
//!
//! The name does not tell: clients decompress on download and keep the `.gz`. The first bytes do.
//! What was inflated before an error is kept, so that a cut file gives the records it has. It
//! refuses what is no regular file, and what inflates past [`LIMIT`].

use crate::part::hex;
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Most bytes of one log file, inflated: a real one has a few MB.
const LIMIT: u64 = 4 << 30;
const GZIP: [u8; 2] = [0x1f, 0x8b];

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
    /// The size on disk.
    pub(crate) size: u64,
    /// Of the bytes on disk, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Why the bytes end before the file's end.
    pub(crate) broken: Option<String>,
}

impl Buffers {
    /// Reads the file at `path`. Fails where nothing can be read; a file that breaks off gives the
    /// bytes before the break.
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<Inflated<'_>> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        self.raw.clear();
        io::copy(&mut file, &mut self.raw)?;
        let size = self.raw.len() as u64;
        let sha256 = hex(&Sha256::digest(&self.raw));
        if !self.raw.starts_with(&GZIP) {
            return Ok(Inflated { bytes: &self.raw, size, sha256, broken: None });
        }
        self.inflated.clear();
        let mut decoder = MultiGzDecoder::new(self.raw.as_slice()).take(LIMIT + 1);
        let broken = match decoder.read_to_end(&mut self.inflated) {
            Ok(_) if self.inflated.len() as u64 > LIMIT => {
                Some(format!("inflates to more than {LIMIT} bytes; split it, or check what it is"))
            }
            Ok(_) => None,
            Err(error) => Some(format!("gzip breaks off or is damaged: {error}")),
        };
        Ok(Inflated { bytes: &self.inflated, size, sha256, broken })
    }
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
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut buffers = Buffers::default();
        let read = buffers.read(file.path()).unwrap();
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
    fn folders_are_refused() {
        assert!(Buffers::default().read(&std::env::temp_dir()).is_err());
    }
}
