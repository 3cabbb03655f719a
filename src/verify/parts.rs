//! One part file against what its commit says of it, and its rows against those of all others.

use crate::dataset::{Dataset, PartFile};
use crate::error::Result;
use crate::hash::hash;
use crate::part::{BATCH_ROWS, IdFilter};
use crate::rows::{Keys, Partitioner, content};
use crate::schema::Col;
use arrow::array::{Array, AsArray as _, RecordBatch};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// What came in the part files so far.
#[derive(Debug, Default)]
pub(super) struct SeenRows {
    state: [RandomState; 2],
    /// Event ids as hashes: 4 million of them take 140 MB.
    ids: HashSet<u128>,
    /// Those that came again, as the first half of their hashes.
    again: Vec<u64>,
    /// Rows by log file, its name as a hash.
    files: HashMap<u128, u64>,
    pub(super) without_id: u64,
}

impl SeenRows {
    fn hash(&self, value: &str) -> u128 {
        let [a, b] = self.state.each_ref().map(|state| u128::from(state.hash_one(value)));
        a << 64 | b
    }

    pub(super) fn ids(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Rows that say they come from a log file.
    pub(super) fn rows_of(&self, file: &str) -> u64 {
        self.files.get(&self.hash(file)).copied().unwrap_or_default()
    }

    /// Adds a row.
    fn add(&mut self, keys: &Keys<'_>, row: usize) {
        let (file, _) = keys.place(row);
        *self.files.entry(self.hash(file)).or_default() += 1;
        match keys.id(row) {
            None => self.without_id += 1,
            Some(id) => {
                if !self.ids.insert(self.hash(id)) {
                    let [state, _] = &self.state;
                    self.again.push(state.hash_one(id));
                }
            }
        }
    }

    /// Events that are there twice: only the rows whose id came again, and those without one, are
    /// compared by their content.
    pub(super) fn copies(self, dataset: &Dataset, problems: &mut Vec<String>) -> Result<()> {
        let without_id = self.without_id > 1;
        if self.again.is_empty() && !without_id {
            return Ok(());
        }
        let [state, _] = self.state;
        let wanted = IdFilter::hashed(state, self.again, without_id);
        let mut contents = HashSet::new();
        for part in dataset.parts() {
            // A part file that cannot be read has been named.
            for batch in wanted.find(|| dataset.part(part)).unwrap_or_default() {
                let keys = Keys::new(&batch)?;
                for row in 0..batch.num_rows() {
                    if !contents.insert(content(&batch, row)?) {
                        let id = keys.id(row).unwrap_or("without id");
                        problems.push(format!("{}: event {id} is in the dataset twice", part.path));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Checks a part file; its rows.
pub(super) fn check(
    dataset: &Dataset,
    part: &PartFile,
    seen: &mut SeenRows,
    problems: &mut Vec<String>,
) -> Result<u64> {
    let (source, path) = dataset.places().open(&part.path)?;
    if path != dataset.root().name(&part.path) {
        problems.push("is committed, but not in its place yet; the next run puts it there".into());
    }
    let (sha256, bytes) = hash(source.reader(), &path)?;
    if bytes != part.bytes {
        problems.push(format!("has {bytes} bytes, the commit says {}", part.bytes));
    } else if sha256 != part.sha256 && !part.sha256.is_empty() {
        problems.push(format!("has another SHA-256 ({sha256}) than the commit says"));
    }
    let reader = dataset.part(part)?;
    if reader.rows() != part.rows {
        problems.push(format!("has {} rows, the commit says {}", reader.rows(), part.rows));
    }
    let mut rows = PartRows { part, seen, problems, last: None, unsorted: false, count: 0 };
    for batch in reader.batches(BATCH_ROWS)? {
        rows.check(dataset, &batch?)?;
    }
    Ok(rows.count)
}

/// The rows of one part file.
struct PartRows<'r> {
    part: &'r PartFile,
    seen: &'r mut SeenRows,
    problems: &'r mut Vec<String>,
    /// The row before.
    last: Option<RecordBatch>,
    unsorted: bool,
    count: u64,
}

impl PartRows<'_> {
    fn check(&mut self, dataset: &Dataset, batch: &RecordBatch) -> Result<()> {
        let keys = Keys::new(batch)?;
        let mut partitioner = Partitioner::new(dataset.partition_by());
        let before = self.last.take();
        let before = before.as_ref().map(Keys::new).transpose()?;
        let mut last = before.map(|before| before.order(0));
        for row in 0..batch.num_rows() {
            let order = keys.order(row);
            let falls = last.is_some_and(|last| (last.0, last.1) > (order.0, order.1));
            if !self.unsorted && falls {
                self.unsorted = true;
                self.problems.push(format!("row {} is out of order", self.count));
            }
            let partition = partitioner.path(&keys, row);
            if partition != self.part.partition() {
                let id = keys.id(row).unwrap_or("without id");
                self.problems.push(format!("event {id} belongs into {partition}"));
            }
            self.seen.add(&keys, row);
            last = Some(order);
            self.count += 1;
        }
        self.last = batch.num_rows().checked_sub(1).map(|row| batch.slice(row, 1));
        let files = batch.columns().get(Col::SourceFile.index());
        let unnamed =
            files.and_then(|files| files.as_string_opt::<i32>()).map_or(0, Array::null_count);
        if unnamed > 0 {
            self.problems.push(format!("{unnamed} rows do not say which log file they are from"));
        }
        Ok(())
    }
}
