//! A part file back into rows: with the columns of today, whichever version wrote it.

use crate::error::{Error, Result};
use crate::part::write::hex;
use crate::schema::{COLUMNS, Col, Column, schema};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open part file.
#[derive(Debug)]
pub(crate) struct PartReader {
    builder: ParquetRecordBatchReaderBuilder<File>,
    path: PathBuf,
    /// Which columns are read.
    wanted: Vec<usize>,
    /// Whether the others come as null, or not at all.
    whole: bool,
}

impl PartReader {
    /// Opens a part file; fails where it is none, or has a column of another type than ours.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::of(File::open(path).map_err(Error::io("read", path))?, path)
    }

    /// Of an open file, called `path`.
    pub(crate) fn of(file: File, path: &Path) -> Result<Self> {
        let failed = |cause| Error::Parquet { action: "read", path: path.to_owned(), cause };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
        let ours = schema();
        for field in builder.schema().fields() {
            let same = ours.field_with_name(field.name()).ok();
            if same.is_none_or(|same| same.data_type() != field.data_type()) {
                let (name, kind) = (field.name(), field.data_type());
                let reason = format!("column {name} of type {kind} is none of this version");
                return Err(Error::Dataset(path.display().to_string(), reason));
            }
        }
        let wanted = (0..schema().fields().len()).collect();
        Ok(Self { builder, path: path.to_owned(), wanted, whole: true })
    }

    /// Its rows, as its metadata says.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.builder.metadata().file_metadata().num_rows()).unwrap_or_default()
    }

    /// Reads these columns only, as far as it has them.
    pub(crate) fn only(mut self, columns: &[Col]) -> Self {
        self.wanted = columns.iter().map(|col| col.index()).collect();
        self.whole = false;
        self
    }

    /// Reads the columns that `is_wanted`; the others come as null.
    pub(crate) fn only_such(mut self, is_wanted: impl Fn(&Column) -> bool) -> Self {
        let all = COLUMNS.iter().enumerate();
        self.wanted = all.filter(|(_, column)| is_wanted(column)).map(|(index, _)| index).collect();
        self
    }

    /// Reads these rows only, by their numbers in order.
    pub(crate) fn select(mut self, rows: &[usize]) -> Self {
        let total = usize::try_from(self.rows()).unwrap_or(usize::MAX);
        let ranges = rows.iter().map(|row| *row..row + 1);
        self.builder =
            self.builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, total));
        self
    }

    /// Its rows in batches of `size` at most.
    pub(crate) fn batches(self, size: usize) -> Result<Batches> {
        let Self { builder, path, wanted, whole } = self;
        let ours = schema();
        let names: Vec<_> =
            wanted.iter().filter_map(|index| ours.fields().get(*index)).map(|f| f.name()).collect();
        let theirs = builder.schema().fields().iter().enumerate();
        let roots: Vec<_> =
            theirs.filter(|(_, f)| names.contains(&f.name())).map(|(index, _)| index).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder.with_projection(mask).with_batch_size(size).build();
        let failed = |cause| Error::Parquet { action: "read", path: path.clone(), cause };
        Ok(Batches { reader: reader.map_err(failed)?, path, whole })
    }
}

/// The rows of a part file, batch by batch; where not only some columns were asked for, with all
/// columns of this version.
#[derive(Debug)]
pub(crate) struct Batches {
    reader: ParquetRecordBatchReader,
    path: PathBuf,
    whole: bool,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        let batch = batch.map_err(|cause| self.failed(cause.into()));
        Some(if self.whole { batch.and_then(|batch| conform(&batch)) } else { batch })
    }
}

impl Batches {
    fn failed(&self, cause: parquet::errors::ParquetError) -> Error {
        Error::Parquet { action: "read", path: self.path.clone(), cause }
    }
}

/// The batch with all columns of this version: those that it has not are null.
fn conform(batch: &RecordBatch) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let ours = schema();
    let columns = ours.fields().iter().map(|field| -> ArrayRef {
        match batch.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), rows),
        }
    });
    let columns = columns.collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(ours, columns, &options)?)
}

/// A file's SHA-256 in hexadecimal digits, and its size.
pub(crate) fn hash(path: &Path) -> Result<(String, u64)> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(Error::io("read", path))?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        size += count as u64;
    }
    Ok((hex(&hash.finalize()), size))
}
