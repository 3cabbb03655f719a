//! Archives of log files: tar and zip, told by their first bytes.
//!
//! Members are read one at a time, in the archive's order, into memory: nothing is ever written to
//! disk, so no member's name can lead anywhere. It refuses what is no regular file (links, devices,
//! folders) without a word, as a walk through folders does.

use crate::convert::inflate::Limits;
use std::io::{Cursor, Read};

/// Who is given a member's name and its bytes, or why they cannot be read.
pub(crate) type Each<'e> = &'e mut dyn FnMut(&str, Result<Vec<u8>, String>);

/// The kind of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    Tar,
    Zip,
}

impl Archive {
    /// What bytes are, if an archive.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            Some(Self::Zip)
        } else if bytes.get(257..262) == Some(b"ustar") {
            Some(Self::Tar)
        } else {
            None
        }
    }

    /// Gives `each` the name and bytes of every member, or why they cannot be read. The error says
    /// why the archive cannot be followed any further.
    pub(crate) fn members(
        self,
        bytes: &[u8],
        limits: Limits,
        each: Each<'_>,
    ) -> Result<(), String> {
        match self {
            Self::Tar => tar(bytes, limits, each),
            Self::Zip => zip(bytes, limits, each),
        }
    }
}

fn tar(bytes: &[u8], limits: Limits, each: Each<'_>) -> Result<(), String> {
    let damaged = |error| format!("tar breaks off or is damaged: {error}");
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            each(&name, content(&mut entry, limits));
        }
    }
    Ok(())
}

fn zip(bytes: &[u8], limits: Limits, each: Each<'_>) -> Result<(), String> {
    let archive = zip::ZipArchive::new(Cursor::new(bytes));
    let mut archive = archive.map_err(|error| format!("zip breaks off or is damaged: {error}"))?;
    for at in 0..archive.len() {
        let name = archive.name_for_index(at).and_then(Result::ok).unwrap_or_default().into_owned();
        match archive.by_index(at) {
            Ok(mut member) if member.is_file() => each(&name, content(&mut member, limits)),
            Ok(_) => {}
            Err(error) => each(&name, Err(error.to_string())),
        }
    }
    Ok(())
}

/// A member's bytes. What its header claims of its size is not believed.
fn content(member: &mut impl Read, limits: Limits) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = member.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() as u64 > limits.bytes => {
            Err(format!("larger than {} bytes: give --max-file-size", limits.bytes))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("breaks off or is damaged: {error}")),
    }
}
