//! Log files as Arrow record batches, for programs that use this crate.
//!
//! What comes is what `convert` would write: the same rows and columns, redacted, sorted, each event
//! once. To sort and compare, all log files are read before the first batch; the rows wait as
//! Parquet in the system's temporary folder, so memory is bounded as it is there. It refuses to hide what
//! was rejected: that is in the [`Outcome`].

use crate::convert::{self, ConvertConfig, Outcome, Progress};
use crate::dataset::{Dataset, PartFile, scratch_folder};
use crate::error::Result;
use crate::part::{BATCH_ROWS, Batches};
use crate::schema::schema;
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use std::collections::VecDeque;
use std::path::PathBuf;
use tempfile::TempDir;

/// The rows of log files, by event time and event id.
#[derive(Debug)]
pub struct LogFileReader {
    outcome: Outcome,
    dataset: Dataset,
    /// Those that are not yet read, in order.
    parts: VecDeque<PartFile>,
    batches: Option<Batches>,
    /// Where they are; goes last.
    _folder: TempDir,
}

impl LogFileReader {
    /// Reads the `CodeBuild` calls of files, folders, patterns or `s3://BUCKET/PREFIX`.
    ///
    /// Fails where [`convert`](convert::convert) fails; a file or record that cannot be read is in the outcome.
    pub fn open(sources: Vec<String>) -> Result<Self> {
        Self::with(ConvertConfig::new(sources, PathBuf::new()))
    }

    /// Reads what `config` says; its `out` and its partition columns are of no account.
    pub fn with(config: ConvertConfig) -> Result<Self> {
        let config = ConvertConfig { partition_by: Some(Vec::new()), ..config };
        let ScratchDataset { dataset, outcome, folder } = ScratchDataset::convert(config, &Quiet)?;
        let mut parts = dataset.parts().to_vec();
        // Rows without a time come last.
        parts.sort_by_key(|part| (part.from.is_none(), part.from, part.to));
        Ok(Self { outcome, dataset, parts: parts.into(), batches: None, _folder: folder })
    }

    /// What was read, and what of it was rejected and why.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.batches.as_mut().and_then(Iterator::next) {
                return batch.map(Some);
            }
            let Some(part) = self.parts.pop_front() else { return Ok(None) };
            self.batches = Some(self.dataset.part(&part)?.batches(BATCH_ROWS)?);
        }
    }
}

impl Iterator for LogFileReader {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_batch().map_err(|error| ArrowError::ExternalError(Box::new(error)));
        next.transpose()
    }
}

impl RecordBatchReader for LogFileReader {
    fn schema(&self) -> SchemaRef {
        schema()
    }
}

/// A dataset for a while.
#[derive(Debug)]
pub(crate) struct ScratchDataset {
    pub(crate) dataset: Dataset,
    pub(crate) outcome: Outcome,
    /// Where it is; the dataset goes with it.
    pub(crate) folder: TempDir,
}

impl ScratchDataset {
    /// Converts into the system's temporary folder, whatever the `out` of `config` is.
    pub(crate) fn convert(config: ConvertConfig, progress: &dyn Progress) -> Result<Self> {
        let folder = scratch_folder()?;
        let config = ConvertConfig { out: folder.path().join("events"), ..config };
        let outcome = convert::run(&config, progress)?;
        Ok(Self { dataset: Dataset::open(&config.out)?, outcome, folder })
    }
}

/// Nobody is told how far it is.
struct Quiet;

impl Progress for Quiet {
    fn start(&self, _: usize) {}
    fn advance(&self) {}
    fn writing(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Keys;

    #[test]
    fn rows_come_in_order_and_each_event_once() {
        // Part files of a few rows each.
        let sources = vec!["data/AWSLogs".to_owned()];
        let config = ConvertConfig { part_bytes: 1, ..ConvertConfig::new(sources, PathBuf::new()) };
        let reader = LogFileReader::with(config).unwrap();
        let written = reader.outcome().records.written;
        let columns = reader.schema();
        let mut times = Vec::new();
        let mut ids = std::collections::HashSet::new();
        for batch in reader {
            let batch = batch.unwrap();
            assert_eq!(batch.schema(), columns);
            let keys = Keys::new(&batch).unwrap();
            ids.extend((0..batch.num_rows()).filter_map(|row| keys.id(row).map(str::to_owned)));
            times.extend((0..batch.num_rows()).map(|row| keys.time(row)));
        }
        assert_eq!((times.len() as u64, ids.len() as u64), (written, written));
        assert!(written > 0 && times.is_sorted());
    }

    #[test]
    fn a_source_that_is_not_there_is_an_error() {
        let error = LogFileReader::open(vec!["no/such/folder".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("no/such/folder"), "{error}");
    }
}
