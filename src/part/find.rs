//! Rows of a part file by their event ids.
//!
//! One column is read, the event ids; the rest only of the rows whose id is wanted. So finding the
//! copies of a day's events costs in proportion to the day and the ids beside it.

use crate::error::Result;
use crate::part::{BATCH_ROWS, PartReader};
use crate::rows::{Keys, is_content};
use crate::schema::{Col, Column};
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use std::hash::{BuildHasher as _, RandomState};

/// Event ids, as hashes: one that only looks wanted costs a look at its row.
#[derive(Debug)]
pub(crate) struct IdFilter {
    state: RandomState,
    hashes: Vec<u64>,
    /// Rows without an id are wanted, too: they are compared by their content.
    without_id: bool,
}

impl IdFilter {
    /// Ids by their hashes under `state`.
    pub(crate) fn hashed(state: RandomState, mut hashes: Vec<u64>, without_id: bool) -> Self {
        hashes.sort_unstable();
        Self { state, hashes, without_id }
    }

    fn has(&self, id: Option<&str>) -> bool {
        match id {
            Some(id) => self.hashes.binary_search(&self.state.hash_one(id)).is_ok(),
            None => self.without_id,
        }
    }

    /// The rows of a part file that may be wanted: the columns of their content.
    pub(crate) fn find(&self, open: impl Fn() -> Result<PartReader>) -> Result<Vec<RecordBatch>> {
        let rows = self.numbers(&open)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        open()?.only_such(is_content).select(&rows).batches(BATCH_ROWS)?.collect()
    }

    /// The wanted ids that are in a part file, each with its log file and index there.
    pub(crate) fn places(
        &self,
        open: impl Fn() -> Result<PartReader>,
    ) -> Result<Vec<(String, String, i64)>> {
        const PLACE: [Col; 4] = [Col::EventTime, Col::EventId, Col::SourceFile, Col::SourceRecord];
        let rows = self.numbers(&open)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let is_of_place = |column: &Column| PLACE.iter().any(|col| col.name() == column.name);
        let mut places = Vec::new();
        for batch in open()?.only_such(is_of_place).select(&rows).batches(BATCH_ROWS)? {
            let batch = batch?;
            let keys = Keys::new(&batch)?;
            places.extend((0..batch.num_rows()).filter_map(|row| {
                let (file, record) = keys.place(row);
                Some((keys.id(row)?.to_owned(), file.to_owned(), record))
            }));
        }
        Ok(places)
    }

    /// The numbers of the rows that may be wanted.
    fn numbers(&self, open: &impl Fn() -> Result<PartReader>) -> Result<Vec<usize>> {
        let mut rows = Vec::new();
        let mut first = 0;
        for batch in open()?.only(&[Col::EventId]).batches(8 * BATCH_ROWS)? {
            let batch = batch?;
            let ids = batch.columns().first().and_then(|ids| ids.as_string_opt::<i32>());
            let id = |row| ids.filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row));
            let found = (0..batch.num_rows()).filter(|row| self.has(id(*row)));
            rows.extend(found.map(|row| first + row));
            first += batch.num_rows();
        }
        Ok(rows)
    }
}
