//! The members of an archive, each a log file of its own.
//!
//! In the ledger the archive is an input without records, by which it is known again unopened; each member
//! is an input as well, called `ARCHIVE!MEMBER`, with its own counts and rejects. So whatever holds for a
//! log file holds for a member, and adds up the same way. It refuses archives within archives: one that
//! holds itself has no end.

use super::{ConvertWorker, Job, Reading};
use crate::convert::Keep;
use crate::dataset::InputState;
use crate::error::Result;
use crate::log_file::archive::{Archive, MemberContent};
use crate::log_file::budget::InflateBudget;
use crate::log_file::decompress::{Buffers, Inflated};
use crate::log_file::key::{FileKind, service};
use crate::log_file::{LogFile, Origin};
use crate::sources::is_taken;
use std::collections::HashMap;

impl ConvertWorker {
    /// Reads the members of an archive, each a log file of its own.
    pub(super) fn archive(
        &mut self,
        job: Job<'_>,
        reading: &Reading<'_>,
        archive: Archive,
        read: &Inflated<'_>,
    ) -> Result<InputState> {
        if matches!(reading.file.origin, Origin::Archive) {
            let reason = "an archive within an archive: unpack the outer one".to_owned();
            self.reject(job, reading, None, b"", reason);
            return Ok(InputState::Broken);
        }
        let mut failed = None;
        let mut buffers = Buffers::default();
        let mut names: HashMap<String, u64> = HashMap::new();
        let whole = archive.members(read.bytes, read.room, &mut |name, content| {
            let is_wanted = self.is_wanted(reading, name, content.is_some());
            let (Some(content), true, true) = (content, is_wanted, failed.is_none()) else {
                return;
            };
            // A tar may have a name twice: the later one is another log file.
            let times = names.entry(name.to_owned()).or_default();
            *times += 1;
            let again = if *times > 1 { format!("!{times}") } else { String::new() };
            let file = reading.file.member(&reading.uri, &format!("{name}{again}"));
            failed = self.member(job, &file, &mut buffers, content, read.room).err();
        });
        if let Some(error) = failed {
            return Err(error);
        }
        // A cut archive explains itself better than the format that it cuts.
        let Some(reason) = read.broken.clone().or_else(|| whole.err()) else {
            self.outcome.files.read += 1;
            return Ok(InputState::Read);
        };
        self.reject(job, reading, None, b"", reason);
        Ok(InputState::Broken)
    }

    /// Whether a member of an archive is a log file to be read; if not, it is counted as what it is.
    fn is_wanted(&mut self, reading: &Reading<'_>, name: &str, is_file: bool) -> bool {
        if let Some(service) = service(name) {
            *self.outcome.services.entry(service).or_default() += 1;
            return false;
        }
        let files = &mut self.outcome.files;
        files.found += 1;
        let kind = FileKind::from_key(name, reading.scope.keep == Keep::All);
        let is_wanted = kind == FileKind::LogFile && is_file && is_taken(name);
        if !is_wanted {
            files.skipped.count(kind);
        }
        is_wanted
    }

    fn member(
        &mut self,
        job: Job<'_>,
        file: &LogFile,
        buffers: &mut Buffers,
        (bytes, broken): MemberContent,
        room: &InflateBudget,
    ) -> Result<()> {
        match broken {
            Some(reason) if bytes.is_empty() => self.unreadable(job, file, reason),
            broken => {
                buffers.hold(bytes);
                let read = buffers.unpack(room, job.allowed_hashes.is_none());
                let broken = broken.or_else(|| read.broken.clone());
                self.inflated(job, file, Inflated { broken, ..read })?;
            }
        }
        Ok(())
    }
}
