//! Rows that the dataset has already, of the events that a run has read.
//!
//! Of a part file in a touched partition one column is read, the event ids; the rest only of the rows
//! whose id has come again. So adding a day costs in proportion to the day and the ids beside it.

use crate::dataset::{Dataset, PartFile};
use crate::error::Result;
use crate::part::BATCH_ROWS;
use crate::rows::{Keys, is_content};
use crate::schema::Col;
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use std::hash::{BuildHasher as _, RandomState};

/// The event ids of a run's rows, as hashes: one that only looks known costs a look at its row.
#[derive(Debug)]
pub(crate) struct Wanted {
    state: RandomState,
    hashes: Vec<u64>,
    /// Some row has no id, and is compared by its content.
    without_id: bool,
}

impl Wanted {
    pub(crate) fn of<'b>(batches: impl Iterator<Item = &'b RecordBatch>) -> Result<Self> {
        let mut wanted = Self { state: RandomState::new(), hashes: Vec::new(), without_id: false };
        for batch in batches {
            let keys = Keys::of(batch)?;
            for row in 0..batch.num_rows() {
                match keys.id(row) {
                    Some(id) => wanted.hashes.push(wanted.state.hash_one(id)),
                    None => wanted.without_id = true,
                }
            }
        }
        wanted.hashes.sort_unstable();
        Ok(wanted)
    }

    fn has(&self, id: Option<&str>) -> bool {
        match id {
            Some(id) => self.hashes.binary_search(&self.state.hash_one(id)).is_ok(),
            None => self.without_id,
        }
    }
}

/// The rows of a part file that may be events of `wanted`: the columns of their content.
pub(crate) fn read(
    dataset: &Dataset,
    part: &PartFile,
    wanted: &Wanted,
) -> Result<Vec<RecordBatch>> {
    let mut rows = Vec::new();
    let mut first = 0;
    for batch in dataset.part(part)?.only(&[Col::EventId]).batches(8 * BATCH_ROWS)? {
        let batch = batch?;
        let ids = batch.columns().first().and_then(|ids| ids.as_string_opt::<i32>());
        let id = |row| ids.filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row));
        let found = (0..batch.num_rows()).filter(|row| wanted.has(id(*row)));
        rows.extend(found.map(|row| first + row));
        first += batch.num_rows();
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    dataset.part(part)?.only_such(is_content).select(&rows).batches(BATCH_ROWS)?.collect()
}
