//! One thread's share of reading: log file to bytes to records to rows.
//!
//! A worker owns its buffers and builders and shares nothing, so a record costs no lock. What goes
//! wrong with a record or a file is counted and named; only a failure of our own columns ends the
//! run. It refuses to decide the order of rows: that is `merge`'s.

use crate::convert::columns::{BATCH_BYTES, BATCH_ROWS, Columns};
use crate::convert::discover::LogFile;
use crate::convert::envelope::{self, Piece};
use crate::convert::identity::{self, CODEBUILD};
use crate::convert::inflate::Buffers;
use crate::convert::merge::Source;
use crate::convert::record::Record;
use crate::convert::row::{Row, Value};
use crate::convert::summary::{Outcome, Problem};
use crate::convert::{ConvertConfig, Keep, Redact, coerce, flatten, json, redact};
use crate::error::{Error, Result};
use crate::schema::Col;
use std::borrow::Cow;

/// The largest record that becomes a row. CloudTrail's own limit is 1 MB (256 KB in log files).
const LARGEST: usize = 64 << 20;

/// How deep a record may nest: deeper ones are no row, whatever is in them.
const DEEPEST: usize = 128;

#[derive(Debug)]
pub(crate) struct Worker {
    buffers: Buffers,
    columns: Columns,
    /// The rows read so far.
    pub(crate) sources: Vec<Source>,
    /// The counts so far.
    pub(crate) outcome: Outcome,
}

/// What a record becomes.
enum Fate {
    Written,
    Filtered,
    Rejected(String),
}

impl Worker {
    pub(crate) fn new() -> Self {
        Self {
            buffers: Buffers::default(),
            columns: Columns::new(),
            sources: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// Reads one log file; its rows, counts and problems are added to the worker's.
    pub(crate) fn read(&mut self, config: &ConvertConfig, log_file: &LogFile) -> Result<()> {
        let mut buffers = std::mem::take(&mut self.buffers);
        let read = buffers.read(&log_file.path);
        let mut broken = None;
        match read {
            Err(error) => broken = Some(error.to_string()),
            Ok(read) if read.bytes.is_empty() && read.broken.is_none() => {
                self.outcome.files.skipped.empty += 1;
            }
            Ok(read) => {
                self.outcome.bytes_read += read.size;
                broken = self.read_bytes(config, log_file, read.bytes)?;
                // A cut member explains itself better than the JSON that it cuts.
                broken = read.broken.or(broken);
                self.outcome.files.read += u64::from(broken.is_none());
            }
        }
        self.buffers = buffers;
        if let Some(reason) = broken {
            self.outcome.files.rejected += 1;
            self.problem(log_file, None, reason);
        }
        Ok(())
    }

    /// Reads the records of a log file's bytes; why the file is not whole, if it is not.
    fn read_bytes(
        &mut self,
        config: &ConvertConfig,
        log_file: &LogFile,
        bytes: &[u8],
    ) -> Result<Option<String>> {
        let mut index = 0;
        let mut broken = None;
        let mut failed: Option<Error> = None;
        envelope::split(bytes, &mut |piece| match piece {
            Piece::Record(bytes) => {
                let fate = self.record(config, log_file, index, bytes);
                self.count(log_file, index, fate);
                index += 1;
                if (self.columns.rows() >= BATCH_ROWS || self.columns.bytes() >= BATCH_BYTES)
                    && let Err(error) = self.flush()
                {
                    failed.get_or_insert(error);
                }
            }
            Piece::Cut(_) => {
                let reason = "the file ends inside this record".to_owned();
                self.count(log_file, index, Fate::Rejected(reason));
                broken = Some("the file breaks off".to_owned());
            }
            Piece::Broken(reason) => broken = Some(reason),
        });
        failed.map_or(Ok(broken), Err)
    }

    fn count(&mut self, log_file: &LogFile, index: i64, fate: Fate) {
        let records = &mut self.outcome.records;
        records.read += 1;
        match fate {
            Fate::Written => {}
            Fate::Filtered => records.filtered += 1,
            Fate::Rejected(reason) => {
                records.rejected += 1;
                self.problem(log_file, Some(index), reason);
            }
        }
    }

    fn problem(&mut self, log_file: &LogFile, record: Option<i64>, reason: String) {
        self.outcome.problems.push(Problem { file: log_file.uri.clone(), record, reason });
    }

    /// Makes a row of one record, if it is to be one.
    fn record(
        &mut self,
        config: &ConvertConfig,
        log_file: &LogFile,
        index: i64,
        bytes: &[u8],
    ) -> Fate {
        if bytes.len() > LARGEST {
            return Fate::Rejected(format!("larger than {LARGEST} bytes"));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return Fate::Rejected(format!("not UTF-8: {error}")),
        };
        let Some(record) = Record::read(text) else {
            return Fate::Rejected(format!("expected a JSON object, got {}", json_type(text)));
        };
        let is_kept = is_kept(config, &record);
        // What cannot be followed to its end may hide what it is about.
        if (is_kept || !record.is_whole)
            && let Err(error) = json::is_json(text)
        {
            return Fate::Rejected(format!("not JSON: {error}"));
        }
        if !is_kept {
            return Fate::Filtered;
        }
        if json::depth(text) > DEEPEST {
            return Fate::Rejected(format!("nests deeper than {DEEPEST} levels"));
        }
        let (text, redacted) = match config.redact {
            Redact::Standard => redact::redact(text),
            Redact::None => (Cow::Borrowed(text), Vec::new()),
        };
        let record = match &text {
            Cow::Borrowed(_) => Some(record),
            Cow::Owned(text) => Record::read(text),
        };
        let Some(record) = record else {
            return Fate::Rejected("redaction left no object".to_owned());
        };
        let mut row = flatten::flatten(&record);
        add_provenance(&mut row, log_file, index, &redacted);
        self.columns.append(&row);
        for path in row.misfits {
            *self.outcome.coercions.entry(path).or_default() += 1;
        }
        Fate::Written
    }

    fn flush(&mut self) -> Result<()> {
        let rows = self.columns.finish()?;
        self.sources.push(Source { rows, committed: false });
        Ok(())
    }

    /// The worker with all its rows in batches.
    pub(crate) fn finish(mut self) -> Result<Self> {
        if self.columns.rows() > 0 {
            self.flush()?;
        }
        Ok(self)
    }

    /// The sum of two workers.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.sources.extend(other.sources);
        self.outcome.add(other.outcome);
        self
    }
}

fn add_provenance<'a>(
    row: &mut Row<'a>,
    log_file: &'a LogFile,
    index: i64,
    redacted: &'a [String],
) {
    let redacted = redacted.iter().map(|path| Some(Cow::Borrowed(path.as_str())));
    row.set(Col::Redacted, Value::List(redacted.collect()));
    row.set(Col::SourceFile, Value::text(log_file.uri.as_str()));
    row.set(Col::SourceRecord, Value::Int(index));
    row.set(Col::LogFileTime, log_file.delivered.map_or(Value::Null, Value::Time));
}

/// Whether the options keep a record. Without an event time it is in no period.
fn is_kept(config: &ConvertConfig, record: &Record<'_>) -> bool {
    let is = |name, value| record.string(name).is_some_and(|text| text == value);
    // Records about calls, which are none themselves.
    let no_call = is("eventCategory", "Insight")
        || is("eventCategory", "Aggregated")
        || is("eventType", "AwsAggregatedEvent");
    if no_call && config.keep != Keep::All {
        return false;
    }
    let kept = config.keep == Keep::All
        || is("eventSource", CODEBUILD)
        || (config.keep == Keep::BuildActivity && identity::is_build_activity(record));
    if !kept || (config.since.is_none() && config.until.is_none()) {
        return kept;
    }
    let time = record.string("eventTime").and_then(|text| coerce::event_time(&text));
    time.is_some_and(|time| {
        config.since.is_none_or(|since| time >= since)
            && config.until.is_none_or(|until| time < until)
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
