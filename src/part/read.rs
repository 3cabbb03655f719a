//! A part file back into rows: with the columns of today, whichever version wrote it.

use crate::error::{DatasetProblem, Error, Result};
use crate::part::source::PartSource;
use crate::schema::{COLUMNS, Col, Column, schema};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open part file.
#[derive(Debug)]
pub(crate) struct PartReader {
    source: PartSource,
    metadata: ArrowReaderMetadata,
    selection: Option<RowSelection>,
    path: PathBuf,
    /// Which columns are read.
    wanted: Vec<usize>,
    /// Whether the others come as null, or not at all.
    whole: bool,
}

impl PartReader {
    /// Opens a part file; fails where it is none, or has a column of another type than ours.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::new(PartSource::File(File::open(path).map_err(Error::io("read", path))?), path)
    }

    /// Of an open file or object, called `path`.
    pub(crate) fn new(source: PartSource, path: &Path) -> Result<Self> {
        let failed = |cause| Error::Parquet { action: "read", path: path.to_owned(), cause };
        let metadata = ArrowReaderMetadata::load(&source, ArrowReaderOptions::default());
        let metadata = metadata.map_err(failed)?;
        let ours = schema();
        for field in metadata.schema().fields() {
            let same = ours.field_with_name(field.name()).ok();
            if same.is_none_or(|same| same.data_type() != field.data_type()) {
                let (name, kind) = (field.name().clone(), field.data_type().to_string());
                let problem = DatasetProblem::UnexpectedColumn { name, kind };
                return Err(Error::dataset(path.display(), problem));
            }
        }
        let wanted = (0..schema().fields().len()).collect();
        Ok(Self { source, metadata, selection: None, path: path.to_owned(), wanted, whole: true })
    }

    /// Its rows, as its metadata says.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default()
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
        self.selection = Some(RowSelection::from_consecutive_ranges(ranges, total));
        self
    }

    /// Its rows in batches of `size` at most.
    pub(crate) fn batches(self, size: usize) -> Result<Batches> {
        let Self { mut source, metadata, selection, path, wanted, whole } = self;
        let ours = schema();
        let names: Vec<_> =
            wanted.iter().filter_map(|index| ours.fields().get(*index)).map(|f| f.name()).collect();
        let theirs = metadata.schema().fields().iter().enumerate();
        let roots: Vec<_> =
            theirs.filter(|(_, f)| names.contains(&f.name())).map(|(index, _)| index).collect();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        let chunks = metadata.metadata().row_groups().iter().flat_map(|group| {
            let columns = group.columns().iter().enumerate();
            let wanted = columns.filter(|(leaf, _)| mask.leaf_included(*leaf));
            wanted.map(|(_, column)| {
                let (start, length) = column.byte_range();
                start..start.saturating_add(length)
            })
        });
        source.expect(chunks);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata);
        let builder = builder.with_projection(mask).with_batch_size(size);
        let reader = match selection {
            Some(rows) => builder.with_row_selection(rows).build(),
            None => builder.build(),
        };
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
