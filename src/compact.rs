//! Many small part files into few sorted ones, as one transaction.
//!
//! In a partition the part files below half the wanted size are merged, if there are two or more. They
//! are sorted already, so the merge holds a batch of each; each event stays once, and nothing else
//! changes. It refuses to look across partitions, for rows never move between them.

mod merge;

use crate::dataset::{Dataset, PartFile, Transaction};
use crate::error::Result;
use crate::part::{BATCH_ROWS, PartMetadata, PartReader, PartWriter};
use merge::PartMerge;
use serde::Serialize;
use std::collections::BTreeMap;
use tempfile::TempPath;

/// Part files that are merged at a time.
const FAN_IN: usize = 32;

/// What compaction did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Compaction {
    /// Whether it only said so.
    pub dry_run: bool,
    /// By partition.
    pub partitions: Vec<CompactedPartition>,
}

/// What compaction did in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactedPartition {
    /// Its folder below the dataset.
    pub partition: String,
    /// Part files that were merged.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// Part files that they became; none in a dry run.
    pub new_parts: u64,
    /// Their bytes.
    pub new_bytes: u64,
    /// Copies of events that were dropped.
    pub duplicate: u64,
}

/// Merges small part files of the dataset into parts of about `part_bytes`; with `dry_run` only says
/// which.
pub fn compact(dataset: &Dataset, part_bytes: u64, dry_run: bool) -> Result<Compaction> {
    let mut transaction = Transaction::new(dataset);
    let mut partitions = Vec::new();
    for (partition, parts) in small_parts(dataset, part_bytes) {
        let mut done = CompactedPartition {
            partition: partition.to_owned(),
            parts: parts.len() as u64,
            bytes: parts.iter().map(|part| part.bytes).sum(),
            rows: parts.iter().map(|part| part.rows).sum(),
            new_parts: 0,
            new_bytes: 0,
            duplicate: 0,
        };
        if !dry_run {
            let written = merge_parts(dataset, &parts, part_bytes)?;
            let rows: u64 = written.iter().map(|(_, written)| written.rows).sum();
            done.duplicate = done.rows.saturating_sub(rows);
            for (file, written) in written {
                done.new_parts += 1;
                done.new_bytes += written.bytes;
                transaction.stage(partition, file, &written)?;
            }
            transaction.replace(parts.iter().map(|part| part.path.clone()), done.duplicate);
        }
        partitions.push(done);
    }
    if !dry_run && !partitions.is_empty() {
        transaction.commit_compacted()?;
    }
    Ok(Compaction { dry_run, partitions })
}

/// The parts to merge, by partition.
pub(crate) fn small_parts(dataset: &Dataset, part_bytes: u64) -> BTreeMap<&str, Vec<&PartFile>> {
    let mut small: BTreeMap<&str, Vec<&PartFile>> = BTreeMap::new();
    for part in dataset.parts().iter().filter(|part| part.bytes < part_bytes / 2) {
        small.entry(part.partition()).or_default().push(part);
    }
    small.retain(|_, parts| parts.len() > 1);
    small
}

/// Writes the rows of part files as new ones that no reader sees yet.
///
/// More than [`FAN_IN`] are merged in passes: a year of hourly part files is more than may be open, and
/// each that is takes some 5 MB.
fn merge_parts(
    dataset: &Dataset,
    parts: &[&PartFile],
    part_bytes: u64,
) -> Result<Vec<(TempPath, PartMetadata)>> {
    let mut passes: Vec<(TempPath, PartMetadata)> = Vec::new();
    let mut left = parts;
    while passes.len() + left.len() > FAN_IN {
        if left.is_empty() {
            let (some, rest) = (passes.drain(..FAN_IN).collect::<Vec<_>>(), passes);
            passes = rest;
            passes.extend(write(dataset, sources(dataset, &some, &[])?, u64::MAX)?);
        } else {
            let (some, rest) = left.split_at_checked(FAN_IN).unwrap_or((left, &[]));
            left = rest;
            passes.extend(write(dataset, sources(dataset, &[], some)?, u64::MAX)?);
        }
    }
    write(dataset, sources(dataset, &passes, left)?, part_bytes)
}

/// Opens part files, staged and committed ones.
fn sources(
    dataset: &Dataset,
    staged: &[(TempPath, PartMetadata)],
    parts: &[&PartFile],
) -> Result<Vec<PartReader>> {
    let staged = staged.iter().map(|(path, _)| PartReader::open(path));
    staged.chain(parts.iter().map(|part| dataset.part(part))).collect()
}

/// Writes the rows of sorted sources.
fn write(
    dataset: &Dataset,
    sources: Vec<PartReader>,
    part_bytes: u64,
) -> Result<Vec<(TempPath, PartMetadata)>> {
    let rows = sources.iter().map(PartReader::rows).sum::<u64>();
    let mut left = usize::try_from(rows).unwrap_or(usize::MAX);
    let mut merge = PartMerge::new(sources)?;
    let mut written = Vec::new();
    while let Some(batch) = merge.next_batch(BATCH_ROWS)? {
        let file = Transaction::file(dataset)?;
        let mut writer = PartWriter::new(file.as_file(), file.path().to_owned(), left)?;
        let mut next = Some(batch);
        while let Some(batch) = next {
            left = left.saturating_sub(batch.num_rows());
            writer.write(&batch)?;
            next = if writer.bytes() < part_bytes { merge.next_batch(BATCH_ROWS)? } else { None };
        }
        let done = writer.finish()?;
        written.push((file.into_temp_path(), done));
    }
    Ok(written)
}
