//! One partition's rows into part files of the wanted size.

use crate::dataset::{Dataset, Transaction};
use crate::error::Result;
use crate::part::{PartWriter, Written};
use arrow::array::RecordBatch;
use tempfile::{NamedTempFile, TempPath};

/// Writes the rows of a partition: part files that no reader sees yet.
#[derive(Debug)]
pub(crate) struct Writer<'d> {
    dataset: &'d Dataset,
    /// Rows to come, at most.
    left: usize,
    part_bytes: u64,
    open: Option<(NamedTempFile, PartWriter)>,
    parts: Vec<(TempPath, Written)>,
}

impl<'d> Writer<'d> {
    /// `rows` at most are to come.
    pub(crate) fn new(dataset: &'d Dataset, rows: usize, part_bytes: u64) -> Self {
        Self { dataset, left: rows, part_bytes, open: None, parts: Vec::new() }
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let (_, writer) = if let Some(open) = &mut self.open {
            open
        } else {
            let file = Transaction::file(self.dataset)?;
            let writer = PartWriter::new(file.as_file(), file.path().to_owned(), self.left)?;
            self.open.insert((file, writer))
        };
        writer.write(batch)?;
        self.left = self.left.saturating_sub(batch.num_rows());
        if writer.bytes() >= self.part_bytes { self.end_part() } else { Ok(()) }
    }

    fn end_part(&mut self) -> Result<()> {
        if let Some((file, writer)) = self.open.take() {
            let written = writer.finish()?;
            // Closed: a partition a day for years is more files than may be open.
            self.parts.push((file.into_temp_path(), written));
        }
        Ok(())
    }

    /// The part files.
    pub(crate) fn finish(mut self) -> Result<Vec<(TempPath, Written)>> {
        self.end_part()?;
        Ok(self.parts)
    }
}
