//! One part file against what its commit says of it, and its rows against those of all others.

use crate::dataset::{Dataset, PartFile};
use crate::error::Result;
use crate::part::{self, BATCH_ROWS};
use crate::rows::{Keys, Partitioner, content};
use crate::schema::Col;
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};

/// What came in the part files so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    state: [RandomState; 2],
    /// Event ids with their contents, as hashes: 4 million of them take some 200 MB.
    events: HashMap<u128, Events>,
    /// Rows by log file, its name as a hash.
    files: HashMap<u128, u64>,
    pub(super) without_id: u64,
}

/// The contents of one event id.
#[derive(Debug)]
enum Events {
    One(u64),
    Several(HashSet<u64>),
}

impl Seen {
    fn hash(&self, value: impl Hash) -> u128 {
        let [a, b] = self.state.each_ref().map(|state| u128::from(state.hash_one(&value)));
        a << 64 | b
    }

    pub(super) fn ids(&self) -> u64 {
        self.events.len() as u64 - u64::from(self.without_id > 0)
    }

    /// Rows that say they come from a log file.
    pub(super) fn rows_of(&self, file: &str) -> u64 {
        self.files.get(&self.hash(file)).copied().unwrap_or_default()
    }

    /// Adds a row; whether its event is new.
    fn add(&mut self, keys: &Keys<'_>, row: usize) -> Result<bool> {
        let (file, _) = keys.place(row);
        let file = self.hash(file);
        *self.files.entry(file).or_default() += 1;
        let id = keys.id(row);
        self.without_id += u64::from(id.is_none());
        let [state, _] = &self.state;
        let content = state.hash_one(content(keys.rows(), row)?);
        let key = self.hash(id);
        match self.events.get_mut(&key) {
            None => {
                self.events.insert(key, Events::One(content));
                Ok(true)
            }
            Some(Events::Several(contents)) => Ok(contents.insert(content)),
            Some(one) => {
                let Events::One(first) = *one else { return Ok(true) };
                *one = Events::Several(HashSet::from([first, content]));
                Ok(first != content)
            }
        }
    }
}

/// Checks a part file; its rows.
pub(super) fn check(
    dataset: &Dataset,
    part: &PartFile,
    seen: &mut Seen,
    problems: &mut Vec<String>,
) -> Result<u64> {
    let candidates = dataset.candidates(&part.path);
    let Some(path) = candidates.iter().find(|path| path.exists()) else {
        problems.push("is in the newest commit, but not on the disk".to_owned());
        return Ok(0);
    };
    let (sha256, bytes) = part::hash(path)?;
    if bytes != part.bytes {
        problems.push(format!("has {bytes} bytes, the commit says {}", part.bytes));
    } else if sha256 != part.sha256 && !part.sha256.is_empty() {
        problems.push(format!("has another SHA-256 ({sha256}) than the commit says"));
    }
    let reader = dataset.part(part)?;
    if reader.rows() != part.rows {
        problems.push(format!("has {} rows, the commit says {}", reader.rows(), part.rows));
    }
    let mut rows = Rows { part, seen, problems, last: None, unsorted: false, rows: 0 };
    for batch in reader.batches(BATCH_ROWS)? {
        rows.check(dataset, &batch?)?;
    }
    Ok(rows.rows)
}

/// The rows of one part file.
struct Rows<'r> {
    part: &'r PartFile,
    seen: &'r mut Seen,
    problems: &'r mut Vec<String>,
    /// The order of the row before.
    last: Option<(Option<i64>, Option<String>)>,
    unsorted: bool,
    rows: u64,
}

impl Rows<'_> {
    fn check(&mut self, dataset: &Dataset, batch: &RecordBatch) -> Result<()> {
        let keys = Keys::of(batch)?;
        let mut partitioner = Partitioner::new(dataset.partition_by());
        let mut last: Option<(Option<i64>, Option<&str>)> = None;
        let before = self.last.take();
        for row in 0..batch.num_rows() {
            let order = (keys.time(row), keys.id(row));
            let least = |(time, id): (Option<i64>, Option<&str>)| {
                ((time.is_none(), time), (id.is_none(), id.map(str::to_owned)))
            };
            let known = last.or(before.as_ref().map(|(time, id)| (*time, id.as_deref())));
            if !self.unsorted && known.is_some_and(|known| least(known) > least(order)) {
                self.unsorted = true;
                self.problems.push(format!("row {} is out of order", self.rows));
            }
            let partition = partitioner.path(&keys, row);
            if partition != self.part.partition() {
                let id = keys.id(row).unwrap_or("without id");
                self.problems.push(format!("event {id} belongs into {partition}"));
            }
            if !self.seen.add(&keys, row)? {
                let id = keys.id(row).unwrap_or("without id");
                self.problems.push(format!("event {id} is in the dataset twice"));
            }
            last = Some(order);
            self.rows += 1;
        }
        self.last = last.map(|(time, id)| (time, id.map(str::to_owned))).or(before);
        let files = batch.columns().get(Col::SourceFile.index());
        let unnamed =
            files.and_then(|files| files.as_string_opt::<i32>()).map_or(0, |f| f.null_count());
        if unnamed > 0 {
            self.problems.push(format!("{unnamed} rows do not say which log file they are from"));
        }
        Ok(())
    }
}
