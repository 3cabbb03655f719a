//! Rows of a part file by their event ids.
//!
//! One column is read, the event ids; the rest only of the rows whose id is wanted. So finding the
//! copies of a day's events costs in proportion to the day and the ids beside it.

use crate::error::Result;
use crate::part::{BATCH_ROWS, PartReader};
use crate::rows::{Keys, is_content};
use crate::schema::Col;
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use std::hash::{BuildHasher as _, RandomState};

/// Event ids, as hashes: one that only looks wanted costs a look at its row.
#[derive(Debug)]
pub(crate) struct Wanted {
    state: RandomState,
    hashes: Vec<u64>,
    /// Rows without an id are wanted, too: they are compared by their content.
    without_id: bool,
}

impl Wanted {
    /// The ids of all rows.
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
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        open()?.only_such(is_content).select(&rows).batches(BATCH_ROWS)?.collect()
    }
}
