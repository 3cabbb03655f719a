//! One partition's rows into part files of the wanted size.
//!
//! Rows are encoded on a thread of their own while the next are merged: a run with one partition
//! would otherwise leave a core idle for half of its time. With `--threads 1` the thread that merges
//! encodes, too.

use crate::dataset::{Dataset, Transaction};
use crate::error::{Error, Result};
use crate::part::{PartMetadata, PartWriter};
use arrow::array::RecordBatch;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use tempfile::{NamedTempFile, TempPath};

/// Part files that no reader sees yet.
pub(crate) type WrittenParts = Vec<(TempPath, PartMetadata)>;

/// Writes the rows of a partition.
#[derive(Debug)]
pub(crate) enum PartitionWriter<'s> {
    /// On a thread of its own.
    Apart(SyncSender<RecordBatch>, ScopedJoinHandle<'s, Result<WrittenParts>>),
    /// On the thread that has the rows.
    Here(Box<PartFiles<'s>>),
}

impl<'s> PartitionWriter<'s> {
    /// `rows` at most are to come.
    pub(crate) fn new<'e>(
        scope: &'s Scope<'s, 'e>,
        dataset: &'e Dataset,
        rows: usize,
        part_bytes: u64,
        single_threaded: bool,
    ) -> Self {
        let mut files =
            PartFiles { dataset, left: rows, part_bytes, parts: Vec::new(), open: None };
        if single_threaded {
            return Self::Here(Box::new(files));
        }
        Self::for_partition(scope, move |queue| {
            queue.iter().try_for_each(|batch| files.write(&batch))?;
            files.finish()
        })
    }

    /// `take` has all batches, on a thread of its own.
    pub(crate) fn for_partition(
        scope: &'s Scope<'s, '_>,
        take: impl FnOnce(&Receiver<RecordBatch>) -> Result<WrittenParts> + Send + 's,
    ) -> Self {
        let (batches, queue) = sync_channel(0);
        Self::Apart(batches, scope.spawn(move || take(&queue)))
    }

    /// Writes rows; whether they were taken. Where a thread of its own did not take them,
    /// [`finish`](Self::finish) tells why.
    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<bool> {
        match self {
            Self::Apart(batches, _) => Ok(batches.send(batch).is_ok()),
            Self::Here(files) => files.write(&batch).map(|()| true),
        }
    }

    /// The part files.
    pub(crate) fn finish(self) -> Result<WrittenParts> {
        match self {
            Self::Apart(batches, thread) => {
                drop(batches);
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Error::Panicked("the thread that writes part files")))
            }
            Self::Here(files) => files.finish(),
        }
    }
}

/// The part files of a partition, one after another.
#[derive(Debug)]
pub(crate) struct PartFiles<'e> {
    dataset: &'e Dataset,
    /// Rows that are to come at most.
    left: usize,
    part_bytes: u64,
    parts: WrittenParts,
    open: Option<(NamedTempFile, PartWriter)>,
}

impl PartFiles<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let (file, mut writer) = if let Some(open) = self.open.take() {
            open
        } else {
            let file = Transaction::file(self.dataset)?;
            let writer = PartWriter::new(file.as_file(), file.path().to_owned(), self.left)?;
            (file, writer)
        };
        writer.write(batch)?;
        self.left = self.left.saturating_sub(batch.num_rows());
        if writer.bytes() < self.part_bytes {
            self.open = Some((file, writer));
        } else {
            // Closed: a partition a day for years is more files than may be open.
            self.parts.push((file.into_temp_path(), writer.finish()?));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<WrittenParts> {
        if let Some((file, writer)) = self.open {
            self.parts.push((file.into_temp_path(), writer.finish()?));
        }
        Ok(self.parts)
    }
}
