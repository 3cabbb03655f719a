//! Archives of log files: tar and zip, told by their first bytes.
//!
//! Members are read one at a time, in the archive's order, into memory: nothing is ever written to
//! disk, so no member's name can lead anywhere. It refuses to follow links: in a tar what they lead to is
//! a member itself, or somewhere else.

use crate::log_file::budget::InflateBudget;
use crate::log_file::text_of;
use std::io::{Cursor, Read};

/// A member's bytes as far as they can be read, and why that is not all.
pub(crate) type MemberContent = (Vec<u8>, Option<String>);

/// Who is given the name of each member and its bytes; none of what is no file.
pub(crate) type MemberSink<'e> = &'e mut dyn FnMut(&str, Option<MemberContent>);

/// The kind of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    Tar,
    Zip,
}

impl Archive {
    /// What bytes are, if an archive. The mark of a tar ends in a NUL here, which no JSON has: a text
    /// with `ustar` at that place, in a user's name for one, must not make its log file an archive.
    pub(crate) fn detect(bytes: &[u8]) -> Option<Self> {
        let mark = bytes.get(257..265).unwrap_or_default();
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            Some(Self::Zip)
        } else if mark.starts_with(b"ustar\0") || mark == b"ustar  \0" {
            Some(Self::Tar)
        } else {
            None
        }
    }

    /// Gives `each` every member but folders, in the archive's order. The error says why the archive
    /// cannot be followed any further.
    pub(crate) fn members(
        self,
        bytes: &[u8],
        room: &InflateBudget,
        each: MemberSink<'_>,
    ) -> Result<(), String> {
        match self {
            Self::Tar => tar(bytes, room, each),
            Self::Zip => zip(bytes, room, each),
        }
    }
}

fn tar(bytes: &[u8], room: &InflateBudget, each: MemberSink<'_>) -> Result<(), String> {
    let damaged = |error| format!("tar breaks off or is damaged: {error}");
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        let name = text_of(&entry.path_bytes()).into_owned();
        if kind.is_file() {
            each(&name, Some(content(&mut entry, room)));
        } else if !kind.is_dir() && !kind.is_pax_global_extensions() {
            each(&name, None);
        }
    }
    Ok(())
}

fn zip(bytes: &[u8], room: &InflateBudget, each: MemberSink<'_>) -> Result<(), String> {
    let archive = zip::ZipArchive::new(Cursor::new(bytes));
    let mut archive = archive.map_err(|error| format!("zip breaks off or is damaged: {error}"))?;
    for at in 0..archive.len() {
        let name = archive.name_for_index(at).and_then(Result::ok).unwrap_or_default().into_owned();
        match archive.by_index(at) {
            Ok(member) if member.is_dir() => {}
            Ok(mut member) => {
                let is_file = member.is_file();
                each(&name, is_file.then(|| content(&mut member, room)));
            }
            Err(error) => each(&name, Some((Vec::new(), Some(error.to_string())))),
        }
    }
    if archive.has_duplicate_names() {
        return Err("of members with one name only the last is read: pack it again".to_owned());
    }
    Ok(())
}

/// What can be read of a member. What its header claims of its size is not believed.
fn content(member: &mut impl Read, room: &InflateBudget) -> MemberContent {
    let mut bytes = Vec::new();
    let broken = room.fill(&mut bytes, member, "it").err();
    (bytes, broken)
}
