//! One partition's rows into part files of the wanted size.

use crate::convert::merge::{Merged, Partition};
use crate::dataset::{Dataset, Transaction};
use crate::error::Result;
use crate::part::{BATCH_ROWS, PartWriter, Written};
use arrow::array::RecordBatch;
use tempfile::TempPath;

/// Writes the rows of a partition: part files that no reader sees yet.
pub(crate) fn write(
    dataset: &Dataset,
    merged: &Merged,
    partition: &Partition,
    part_bytes: u64,
) -> Result<Vec<(TempPath, Written)>> {
    let batches: Vec<&RecordBatch> = merged.batches.iter().collect();
    let mut chunks = partition.rows.chunks(BATCH_ROWS);
    let mut left = partition.rows.len();
    let mut parts = Vec::new();
    while chunks.len() > 0 {
        let file = Transaction::file(dataset)?;
        let mut writer = PartWriter::new(file.as_file(), file.path().to_owned(), left)?;
        while writer.bytes() < part_bytes
            && let Some(rows) = chunks.next()
        {
            writer.write(&batches, rows)?;
            left = left.saturating_sub(rows.len());
        }
        let written = writer.finish()?;
        // Closed: a partition a day for years is more files than may be open.
        parts.push((file.into_temp_path(), written));
    }
    Ok(parts)
}
