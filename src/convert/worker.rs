//! One thread's share of reading: log file to bytes to records to rows.
//!
//! A worker owns its buffers and builders and shares nothing, so a record costs no lock. What goes
//! wrong with a record or a file is counted and named; only a failure of our own columns ends the
//! run. It refuses to decide the order of rows: that is `merge`'s.

mod members;

use crate::convert::summary::Outcome;
use crate::dataset::{
    Input, InputState, Ledger, MAX_REJECTED_FILE_BYTES, MAX_REJECTED_RECORD_BYTES, RecordCounts,
    Reject,
};
use crate::error::{Chain, Error, Result};
use crate::flatten::flatten;
use crate::flatten::record::Record;
use crate::flatten::row::{Row, Value};
use crate::flatten::{coerce, identity};
use crate::hash::hex;
use crate::hash::short;
use crate::json::{self, MAX_DEPTH, Tape};
use crate::log_file::archive::Archive;
use crate::log_file::budget::{InflateBudget, Limits};
use crate::log_file::decompress::{Buffers, Inflated};
use crate::log_file::envelope;
use crate::log_file::envelope::piece::Piece;
use crate::log_file::{LogFile, Origin, large};
use crate::redact::{self, Redacted};
use crate::rows::Runs;
use crate::schema::Col;
use crate::scope::{CODEBUILD, Keep, Redact, Scope};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

/// The largest record that becomes a row. CloudTrail's own limit is 1 MB (256 KB in log files).
const MAX_RECORD_BYTES: usize = 64 << 20;

/// What all workers read for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'j> {
    pub(crate) scope: &'j Scope,
    pub(crate) redact: Redact,
    pub(crate) ledger: &'j Ledger,
    pub(crate) limits: Limits,
    /// Whether one thread does all.
    pub(crate) single_threaded: bool,
    /// What the hashes of those that may be read may be; none may all.
    pub(crate) allowed_hashes: Option<&'j HashMap<PathBuf, Vec<String>>>,
}

impl Job<'_> {
    /// Why a log file's content may not be read, if digests do not vouch for it.
    fn refuses(&self, file: &LogFile, read: &Inflated<'_>) -> Option<String> {
        match self.allowed_hashes?.get(&file.path) {
            None => Some("no valid digest names it: `buildtrail verify` tells more".to_owned()),
            Some(hashes)
                if read.broken.is_none() && hashes.contains(&hex(&Sha256::digest(read.bytes))) =>
            {
                None
            }
            Some(_) => Some("its content is not what its digest says".to_owned()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct ConvertWorker {
    buffers: Buffers,
    /// Of the record that is read, and of the same with its secrets masked.
    tape: Tape,
    masked_tape: Tape,
    /// The rows read so far.
    pub(crate) runs: Runs,
    /// Why rows cannot be held any more.
    failed: Option<Error>,
    /// The log files read so far; none of their records is written or duplicate yet.
    pub(crate) inputs: Vec<Input>,
    /// What was rejected so far.
    pub(crate) rejects: Vec<Reject>,
    /// The counts so far.
    pub(crate) outcome: Outcome,
}

/// One log file while it is read.
struct Reading<'f> {
    file: &'f LogFile,
    uri: Cow<'f, str>,
    scope: &'f Scope,
    records: RecordCounts,
    /// It could not be opened.
    unreadable: bool,
}

impl<'f> Reading<'f> {
    fn new(job: Job<'f>, file: &'f LogFile, unreadable: bool) -> Self {
        let scope = file.scope.as_ref().unwrap_or(job.scope);
        Self { file, uri: file.uri(), scope, records: RecordCounts::default(), unreadable }
    }
}

/// What a record becomes.
enum RecordOutcome {
    Written,
    Filtered,
    Rejected(String),
}

impl ConvertWorker {
    pub(crate) fn new(runs: Runs) -> Self {
        Self {
            buffers: Buffers::default(),
            tape: Tape::default(),
            masked_tape: Tape::default(),
            runs,
            failed: None,
            inputs: Vec::new(),
            rejects: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// Reads one log file; its rows, counts and rejects are added to the worker's.
    pub(crate) fn read(&mut self, job: Job<'_>, file: &LogFile) -> Result<()> {
        let mut buffers = std::mem::take(&mut self.buffers);
        match buffers.read(file, job.limits) {
            Ok(room) => {
                self.inflated(job, file, buffers.unpack(&room, job.allowed_hashes.is_none()))?;
            }
            Err(error) => self.unreadable(job, file, error.to_string()),
        }
        self.buffers = buffers;
        Ok(())
    }

    /// Reads a log file whose bytes were fetched, or could not be.
    pub(crate) fn fetched(
        &mut self,
        job: Job<'_>,
        file: &LogFile,
        bytes: Result<Vec<u8>>,
    ) -> Result<()> {
        match bytes {
            Ok(bytes) => {
                let mut buffers = std::mem::take(&mut self.buffers);
                let room = InflateBudget::new(job.limits, bytes.len());
                buffers.hold(bytes);
                self.inflated(job, file, buffers.unpack(&room, job.allowed_hashes.is_none()))?;
                self.buffers = buffers;
            }
            Err(error) => self.unreadable(job, file, Chain(&error).to_string()),
        }
        Ok(())
    }

    /// A log file that nothing can be read of.
    fn unreadable(&mut self, job: Job<'_>, file: &LogFile, reason: String) {
        let reading = Reading::new(job, file, true);
        self.reject(job, &reading, None, b"", reason);
        self.outcome.files.rejected += 1;
        self.end(file, reading, file.bytes, String::new(), InputState::Unreadable);
    }

    /// Reads a log file's bytes, unless they are known.
    pub(crate) fn inflated(
        &mut self,
        job: Job<'_>,
        file: &LogFile,
        read: Inflated<'_>,
    ) -> Result<()> {
        let mut reading = Reading::new(job, file, false);
        let piped = matches!(file.origin, Origin::StandardInput);
        if piped {
            // What is piped has no name: its bytes are told apart, and known again, by their hash.
            reading.uri = Cow::Owned(format!("stdin-{}", short(&read.sha256)));
        }
        let known = file.changed || piped;
        let files = &mut self.outcome.files;
        let state = if known && job.ledger.knows_bytes(&reading.uri, &read.sha256, reading.scope) {
            files.skipped.known += 1;
            InputState::Same
        } else if let Some(reason) = job.refuses(file, &read) {
            // It may be read another time: its digest can still come.
            self.unreadable(job, file, reason);
            return Ok(());
        } else if read.bytes.is_empty() && read.packed.is_none() && read.broken.is_none() {
            files.skipped.empty += 1;
            InputState::Read
        } else {
            self.outcome.bytes_read += read.size;
            self.outcome.changed += u64::from(file.changed);
            if let Some(archive) = Archive::detect(read.bytes) {
                self.archive(job, &reading, archive, &read)?
            } else {
                self.read_bytes(job, &mut reading, &read)?
            }
        };
        self.outcome.files.rejected += u64::from(state == InputState::Broken);
        self.end(file, reading, read.size, read.sha256, state);
        Ok(())
    }

    /// Enters a log file into the ledger.
    fn end(
        &mut self,
        file: &LogFile,
        reading: Reading<'_>,
        bytes: u64,
        sha256: String,
        state: InputState,
    ) {
        self.inputs.push(Input {
            uri: reading.uri.into_owned(),
            bytes,
            etag: file.etag.clone(),
            sha256,
            delivered: file.delivered,
            state,
            scope: reading.scope.clone(),
            records: reading.records,
        });
    }

    /// Reads the records of a log file's bytes.
    fn read_bytes(
        &mut self,
        job: Job<'_>,
        reading: &mut Reading<'_>,
        read: &Inflated<'_>,
    ) -> Result<InputState> {
        let mut broken: Option<(Vec<u8>, String)> = None;
        let (mut is_digest, mut is_test) = (false, false);
        let mut each = |piece: Piece<'_>| match piece {
            Piece::Other(bytes) if reading.scope.keep == Keep::CodeBuild => {
                self.count(job, reading, bytes, RecordOutcome::Filtered);
            }
            Piece::Record(bytes) | Piece::Other(bytes) => {
                let index = i64::try_from(reading.records.read).unwrap_or(i64::MAX);
                let fate = self.record(job, reading, index, bytes);
                self.count(job, reading, bytes, fate);
            }
            Piece::Bad(bytes, reason) => {
                self.count(job, reading, bytes, RecordOutcome::Rejected(reason));
            }
            Piece::Cut(bytes) => {
                let reason = "the file ends inside this record".to_owned();
                self.count(job, reading, bytes, RecordOutcome::Rejected(reason));
                broken.get_or_insert_with(|| (Vec::new(), "the file breaks off".to_owned()));
            }
            Piece::Broken(rest, reason) if broken.is_none() => {
                let most = rest.get(..MAX_REJECTED_FILE_BYTES).unwrap_or(rest);
                broken = Some((most.to_vec(), reason));
            }
            // A file breaks once; what is nested in it may, too.
            Piece::Broken(rest, reason) => {
                self.count(job, reading, rest, RecordOutcome::Rejected(reason));
            }
            Piece::Foreign => self.outcome.foreign += 1,
            Piece::Digest => is_digest = true,
            Piece::Test => is_test = true,
        };
        let mut cut = read.broken.clone();
        if let Some(packed) = read.packed {
            let ends =
                large::split(packed, read.room, large::CHUNK, job.single_threaded, &mut each);
            cut = cut.or(ends);
        } else {
            envelope::split(read.bytes, read.room, &mut each);
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let files = &mut self.outcome.files;
        let (rest, reason) = match (cut, broken) {
            (None, None) if is_digest && reading.records.read == 0 => {
                files.skipped.digest += 1;
                return Ok(InputState::Read);
            }
            (None, None) if is_test && reading.records.read == 0 => {
                files.skipped.other += 1;
                return Ok(InputState::Read);
            }
            (None, None) => {
                files.read += 1;
                return Ok(InputState::Read);
            }
            (None, Some(broken)) => broken,
            // A cut member explains itself better than the JSON that it cuts.
            (Some(reason), broken) => (broken.map_or_else(Vec::new, |(rest, _)| rest), reason),
        };
        self.reject(job, reading, None, &rest, reason);
        Ok(InputState::Broken)
    }

    fn count(
        &mut self,
        job: Job<'_>,
        reading: &mut Reading<'_>,
        bytes: &[u8],
        fate: RecordOutcome,
    ) {
        let index = i64::try_from(reading.records.read).unwrap_or(i64::MAX);
        reading.records.read += 1;
        match fate {
            RecordOutcome::Written => {}
            RecordOutcome::Filtered => reading.records.filtered += 1,
            RecordOutcome::Rejected(reason) => {
                reading.records.rejected += 1;
                self.reject(job, reading, Some(index), bytes, reason);
            }
        }
    }

    fn reject(
        &mut self,
        job: Job<'_>,
        reading: &Reading<'_>,
        record: Option<i64>,
        bytes: &[u8],
        reason: String,
    ) {
        let unreadable = reading.unreadable;
        let most =
            if record.is_some() { MAX_REJECTED_RECORD_BYTES } else { MAX_REJECTED_FILE_BYTES };
        let head = String::from_utf8_lossy(bytes.get(..most).unwrap_or(bytes));
        // Read as it could be, a name that is no UTF-8 is another name.
        let is_record =
            matches!(head, Cow::Borrowed(_)) && record.is_some() && head.starts_with('{');
        let record_of = |tape: &mut Tape| {
            let document = tape.read(&head).filter(|_| is_record)?;
            Some(redact::redact(&document).text.into_owned())
        };
        let text = match job.redact {
            _ if bytes.is_empty() => None,
            Redact::None => Some(head.into_owned()),
            // Whatever else it is, it is no record whose members can be trusted.
            Redact::Standard => {
                Some(record_of(&mut self.tape).unwrap_or_else(|| redact::redact_anything(&head)))
            }
        };
        self.rejects.push(Reject {
            file: reading.uri.clone().into_owned(),
            record,
            reason,
            bytes: bytes.len() as u64,
            text,
            unreadable,
            scope: reading.scope.clone(),
        });
    }

    /// Makes a row of one record, if it is to be one.
    fn record(
        &mut self,
        job: Job<'_>,
        reading: &Reading<'_>,
        index: i64,
        bytes: &[u8],
    ) -> RecordOutcome {
        if bytes.len() > MAX_RECORD_BYTES {
            return RecordOutcome::Rejected(format!("larger than {MAX_RECORD_BYTES} bytes"));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return RecordOutcome::Rejected(format!("not UTF-8: {error}")),
        };
        let Self { tape, masked_tape, .. } = self;
        let Some(document) = tape.read(text) else {
            return RecordOutcome::Rejected(match json::is_json(text) {
                Err(error) => format!("not JSON: {error}"),
                Ok(()) => format!("nests deeper than {MAX_DEPTH} levels"),
            });
        };
        let Some(record) = Record::new(document.value()) else {
            return RecordOutcome::Rejected(format!(
                "expected a JSON object, got {}",
                json_type(text)
            ));
        };
        if !is_kept(reading.scope, &record) {
            return RecordOutcome::Filtered;
        }
        let redacted = match job.redact {
            Redact::Standard => redact::redact(&document),
            Redact::None => Redacted::nothing(text),
        };
        let masked;
        let record = if redacted.is_nothing() {
            Some(record)
        } else {
            masked = redacted.document(&document, masked_tape);
            Record::new(masked.value())
        };
        let Some(record) = record else {
            return RecordOutcome::Rejected("redaction left no object".to_owned());
        };
        let mut row = flatten(&record);
        add_provenance(&mut row, reading, index, &redacted.paths);
        if let Err(error) = self.runs.push(&row) {
            self.failed.get_or_insert(error);
        }
        for path in row.misfits {
            *self.outcome.coercions.entry(path).or_default() += 1;
        }
        RecordOutcome::Written
    }

    /// The worker with all its rows in runs.
    pub(crate) fn finish(mut self) -> Result<Self> {
        self.runs.finish()?;
        Ok(self)
    }
}

fn add_provenance<'a>(
    row: &mut Row<'a>,
    reading: &'a Reading<'_>,
    index: i64,
    redacted: &'a [String],
) {
    let redacted = redacted.iter().map(|path| Some(Cow::Borrowed(path.as_str())));
    row.set(Col::Redacted, Value::List(redacted.collect()));
    row.set(Col::SourceFile, Value::text(&*reading.uri));
    row.set(Col::SourceRecord, Value::Int(index));
    row.set(Col::LogFileTime, reading.file.delivered.map_or(Value::Null, Value::Time));
}

/// Whether the options keep a record. Without an event time it is in no period.
fn is_kept(scope: &Scope, record: &Record<'_, '_>) -> bool {
    let is = |name, value| record.string(name).is_some_and(|text| text == value);
    // Records about calls, which are none themselves.
    let no_call = is("eventCategory", "Insight")
        || is("eventCategory", "Aggregated")
        || is("eventType", "AwsAggregatedEvent");
    if no_call && scope.keep != Keep::All {
        return false;
    }
    let kept = scope.keep == Keep::All
        || is("eventSource", CODEBUILD)
        || (scope.keep == Keep::BuildActivity && identity::is_build_activity(record));
    if !kept || (scope.since.is_none() && scope.until.is_none()) {
        return kept;
    }
    let time = record.string("eventTime").and_then(|text| coerce::event_time(&text));
    time.is_some_and(|time| {
        scope.since.is_none_or(|since| time >= since)
            && scope.until.is_none_or(|until| time < until)
    })
}

fn json_type(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "no JSON",
    }
}
