//! One partition's rows into part files of the wanted size.
//!
//! Rows are encoded on a thread of their own while the next are merged: a run with one partition
//! would otherwise leave a core idle for half of its time.

use crate::dataset::{Dataset, Transaction};
use crate::error::{Error, Result};
use crate::part::{PartWriter, Written};
use arrow::array::RecordBatch;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use tempfile::{NamedTempFile, TempPath};

/// Part files that no reader sees yet.
pub(crate) type Parts = Vec<(TempPath, Written)>;

/// Writes the rows of a partition.
#[derive(Debug)]
pub(crate) struct Writer<'s> {
    batches: SyncSender<RecordBatch>,
    thread: ScopedJoinHandle<'s, Result<Parts>>,
}

impl<'s> Writer<'s> {
    /// `rows` at most are to come.
    pub(crate) fn new<'e>(
        scope: &'s Scope<'s, 'e>,
        dataset: &'e Dataset,
        rows: usize,
        part_bytes: u64,
    ) -> Self {
        Self::of(scope, move |queue| write_all(queue, dataset, rows, part_bytes))
    }

    /// `take` has all batches, on a thread of its own.
    pub(crate) fn of(
        scope: &'s Scope<'s, '_>,
        take: impl FnOnce(&Receiver<RecordBatch>) -> Result<Parts> + Send + 's,
    ) -> Self {
        let (batches, queue) = sync_channel(0);
        let thread = scope.spawn(move || take(&queue));
        Self { batches, thread }
    }

    /// Writes rows; whether they were taken. Where not, [`finish`](Self::finish) tells why.
    pub(crate) fn write(&self, batch: RecordBatch) -> bool {
        self.batches.send(batch).is_ok()
    }

    /// The part files.
    pub(crate) fn finish(self) -> Result<Parts> {
        drop(self.batches);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(Error::Unreconciled("a writing thread panicked".to_owned())))
    }
}

/// Writes all batches; `left` rows at most are to come.
fn write_all(
    queue: &Receiver<RecordBatch>,
    dataset: &Dataset,
    mut left: usize,
    part_bytes: u64,
) -> Result<Parts> {
    let mut parts = Vec::new();
    let mut open: Option<(NamedTempFile, PartWriter)> = None;
    while let Ok(batch) = queue.recv() {
        let (file, mut writer) = if let Some(open) = open.take() {
            open
        } else {
            let file = Transaction::file(dataset)?;
            let writer = PartWriter::new(file.as_file(), file.path().to_owned(), left)?;
            (file, writer)
        };
        writer.write(&batch)?;
        left = left.saturating_sub(batch.num_rows());
        if writer.bytes() < part_bytes {
            open = Some((file, writer));
        } else {
            // Closed: a partition a day for years is more files than may be open.
            parts.push((file.into_temp_path(), writer.finish()?));
        }
    }
    if let Some((file, writer)) = open {
        parts.push((file.into_temp_path(), writer.finish()?));
    }
    Ok(parts)
}
