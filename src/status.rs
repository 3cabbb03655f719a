//! What is in a dataset, at a glance.
//!
//! Counts of part files, inputs and rejects are the newest commit's; days, accounts and regions are
//! read from their columns. It refuses to judge whether they are right: that is `verify`'s.

use crate::dataset::{Action, Dataset, Input, InputState, PartFile, RecordCounts};
use crate::error::Result;
use crate::layout::PartitionColumn;
use crate::part::BATCH_ROWS;
use crate::rows::DAY;
use crate::schema::Col;
use crate::scope::{Keep, Redact};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// What is in a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its partition columns.
    pub partition_by: Vec<String>,
    /// Whether secrets are masked.
    pub redact: Redact,
    /// Which records its runs keep.
    pub keep: Keep,
    /// Log files that were read for less, before it was widened, and not again since.
    #[serde(skip_serializing_if = "is_zero")]
    pub read_for_less: u64,
    /// Events.
    pub rows: u64,
    /// Days that have events.
    pub days: Days,
    /// Accounts that received events, in order.
    pub accounts: Vec<String>,
    /// Regions, in order.
    pub regions: Vec<String>,
    /// Its part files.
    pub parts: PartCounts,
    /// The log files that it was made of.
    pub inputs: InputCounts,
    /// What became of their records, over all runs.
    pub records: RecordCounts,
    /// Rows that compaction found to be copies.
    pub dropped: u64,
    /// What is in the quarantine.
    pub rejected: Rejected,
    /// The newest version of its Delta Lake log, where one is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_version: Option<u64>,
    /// Its newest commit; none has been made yet.
    pub last_run: Option<LastRun>,
}

/// Days that have events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Days {
    /// The first, `2026-09-26`.
    pub first: Option<String>,
    /// The last.
    pub last: Option<String>,
    /// How many.
    pub count: u64,
}

/// Part files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PartCounts {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Partitions.
    pub partitions: u64,
    /// Part files that compaction would merge.
    pub small: u64,
}

/// Log files that were read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct InputCounts {
    /// How many, each once however often it was read.
    pub count: u64,
    /// Their bytes as stored, as last read.
    pub bytes: u64,
    /// Of these: those that could not be read, or not to their end, when they were last.
    pub broken: u64,
}

/// The quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Rejected {
    /// Records.
    pub records: u64,
    /// Files that could not be read, or not to their end.
    pub files: u64,
}

/// The newest commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// Its number.
    pub commit: u64,
    /// What it did.
    pub action: Action,
    /// When, RFC 3339; none where the file system does not tell.
    pub at: Option<String>,
    /// What became of its records.
    pub records: RecordCounts,
}

/// Looks at a dataset; part files smaller than half of `part_bytes` are small.
pub fn status(dataset: &Dataset, part_bytes: u64) -> Result<Status> {
    let mut seen = SeenParts::default();
    for part in dataset.parts() {
        let columns = [Col::EventTime, Col::AwsRegion, Col::RecipientAccountId];
        for batch in dataset.part(part)?.only(&columns).batches(8 * BATCH_ROWS)? {
            seen.add(&batch?);
        }
    }
    let (inputs, records) = inputs(dataset)?;
    let mut rejected = Rejected::default();
    dataset.rejects(&mut |reject| match reject.record {
        Some(_) => rejected.records += 1,
        None => rejected.files += 1,
    })?;
    let partitions: HashSet<_> = dataset.parts().iter().map(PartFile::partition).collect();
    let head = dataset.head();
    let at = dataset.committed_at().map(DateTime::<Utc>::from);
    let small = crate::compact::small_parts(dataset, part_bytes);
    let keep = dataset.keep()?;
    Ok(Status {
        partition_by: dataset.partition_by().iter().map(ToString::to_string).collect(),
        redact: dataset.redact(),
        keep,
        read_for_less: dataset.read_for_less(keep)?,
        rows: dataset.parts().iter().map(|part| part.rows).sum(),
        days: seen.days(),
        accounts: seen.accounts.into_iter().collect(),
        regions: seen.regions.into_iter().collect(),
        parts: PartCounts {
            count: dataset.parts().len() as u64,
            bytes: dataset.parts().iter().map(|part| part.bytes).sum(),
            partitions: partitions.len() as u64,
            small: small.values().map(|parts| parts.len() as u64).sum(),
        },
        inputs,
        records,
        dropped: head.dropped,
        rejected,
        delta_version: dataset.delta_version()?,
        last_run: (head.version > 0).then(|| LastRun {
            commit: head.version,
            action: head.action,
            at: at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
            records: head.records,
        }),
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn inputs(dataset: &Dataset) -> Result<(InputCounts, RecordCounts)> {
    let mut inputs = InputCounts::default();
    let mut records = RecordCounts::default();
    let state = RandomState::new();
    // By hash: a million names would be 100 MB.
    let mut files: HashMap<u64, (u64, bool)> = HashMap::new();
    dataset.inputs(&mut |input: Input| {
        records.add(&input.records);
        let (bytes, is_broken) = files.entry(state.hash_one(&input.uri)).or_default();
        *bytes = input.bytes;
        if input.state != InputState::Same {
            *is_broken = input.state != InputState::Read;
        }
    })?;
    inputs.count = files.len() as u64;
    inputs.bytes = files.values().map(|(bytes, _)| bytes).sum();
    inputs.broken = files.values().filter(|(_, is_broken)| *is_broken).count() as u64;
    Ok((inputs, records))
}

/// What the columns have.
#[derive(Debug, Default)]
struct SeenParts {
    days: BTreeSet<i64>,
    accounts: BTreeSet<String>,
    regions: BTreeSet<String>,
}

impl SeenParts {
    fn add(&mut self, batch: &RecordBatch) {
        if let Some(times) = batch.column_by_name(Col::EventTime.name())
            && let Some(times) = times.as_primitive_opt::<TimestampMillisecondType>()
        {
            self.days.extend(times.iter().flatten().map(|time| time.div_euclid(DAY)));
        }
        for (col, set) in
            [(Col::RecipientAccountId, &mut self.accounts), (Col::AwsRegion, &mut self.regions)]
        {
            let column = batch.column_by_name(col.name());
            for text in
                column.and_then(|c| c.as_string_opt::<i32>()).into_iter().flatten().flatten()
            {
                if !set.contains(text) {
                    set.insert(text.to_owned());
                }
            }
        }
    }

    fn days(&self) -> Days {
        let date = |day: &i64| PartitionColumn::Day.of_time(day.checked_mul(DAY)?);
        Days {
            first: self.days.first().and_then(date),
            last: self.days.last().and_then(date),
            count: self.days.len() as u64,
        }
    }
}
