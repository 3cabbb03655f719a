//! The rows of one worker until they are written: sorted runs of packed rows.
//!
//! A worker fills a buffer; full, it is sorted by partition and order, packed with LZ4 and held, or
//! written to a file without a name when what is held reaches the worker's share of the memory. So a
//! run's memory does not grow with its input, but for 8 bytes an event. It refuses to compare rows of
//! different runs: that is `merge`'s.

use crate::error::{Error, Result};
use crate::flatten::row::{Row, Value};
use crate::layout::PartitionColumn;
use crate::rows::encoded::{First, Head, Packer, first};
use crate::rows::keys::Partitioner;
use crate::schema::Col;
use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::slice::Iter;
use std::sync::{Mutex, PoisonError};

/// Bytes of packed rows that are compressed together, about: what a merge holds of each run.
const BLOCK: usize = 64 << 10;

/// How much workers may hold, and where the rest goes.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBudget {
    /// Bytes of rows that one run has at most, about.
    pub(crate) run: usize,
    /// Bytes of packed runs that a worker holds at most.
    pub(crate) held: usize,
    /// The folder of the file for more.
    pub(crate) folder: PathBuf,
}

impl MemoryBudget {
    /// That of one of `threads` workers which together may use about `memory` bytes: an eighth for the
    /// runs being filled, an eighth for those held; the rest is for reading, merging and writing.
    pub(crate) fn new(memory: u64, threads: usize, folder: PathBuf) -> Self {
        let share = usize::try_from(memory).unwrap_or(usize::MAX) / 8 / threads.max(1);
        Self { run: share.clamp(1 << 20, 32 << 20), held: share, folder }
    }
}

/// Some packed rows of one run and partition, in order.
#[derive(Debug)]
enum Block {
    Held(Vec<u8>),
    /// Its place in the worker's file.
    Written(u64, usize),
}

/// A row in the buffer.
#[derive(Debug, Clone, Copy)]
struct At {
    partition: usize,
    /// What its order begins with: nearly all rows are told apart by it.
    first: First,
    from: usize,
    to: usize,
}

impl At {
    /// The row, packed.
    fn packed<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        buffer.get(self.from..self.to).unwrap_or_default()
    }
}

/// The rows of one worker.
#[derive(Debug)]
pub(crate) struct Runs {
    space: MemoryBudget,
    partitioner: Partitioner,
    packer: Packer,
    buffer: Vec<u8>,
    rows: Vec<At>,
    /// Of each run, its blocks by partition.
    ended: Vec<BTreeMap<usize, Vec<Block>>>,
    held: usize,
    file: Option<(Mutex<File>, u64)>,
    state: RandomState,
    /// The hashes of all event ids.
    pub(crate) ids: Vec<u64>,
    /// How many rows each partition has.
    counts: Vec<usize>,
    /// Whether a row has no event id.
    pub(crate) without_id: bool,
}

impl Runs {
    /// Rows for partitions by some columns; ids are hashed by `state`.
    pub(crate) fn new(
        space: MemoryBudget,
        columns: &[PartitionColumn],
        state: RandomState,
    ) -> Self {
        Self {
            space,
            partitioner: Partitioner::new(columns),
            packer: Packer::default(),
            buffer: Vec::new(),
            rows: Vec::new(),
            ended: Vec::new(),
            held: 0,
            file: None,
            state,
            ids: Vec::new(),
            counts: Vec::new(),
            without_id: false,
        }
    }

    /// Adds a row. Fails where what is too much for the memory cannot be written.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        let time = match row.get(Col::EventTime) {
            Value::Time(time) => Some(*time),
            _ => None,
        };
        let partition = self.partitioner.place(time, |col| row.str(col));
        match row.str(Col::EventId) {
            Some(id) => self.ids.push(self.state.hash_one(id)),
            None => self.without_id = true,
        }
        if self.counts.len() <= partition {
            self.counts.resize(partition + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(partition) {
            *count += 1;
        }
        let from = self.buffer.len();
        self.packer.pack(row, &mut self.buffer);
        let first = first(time, row.str(Col::EventId));
        self.rows.push(At { partition, first, from, to: self.buffer.len() });
        if self.buffer.len() >= self.space.run { self.end_run() } else { Ok(()) }
    }

    /// Ends the last run; no row is added any more. The only run of all stays as it is, sorted in its
    /// buffer: what it takes is there already.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if self.ended.is_empty() {
            self.sort();
            return Ok(());
        }
        if !self.rows.is_empty() {
            self.end_run()?;
        }
        self.buffer = Vec::new();
        Ok(())
    }

    /// Sorts what is in the buffer by partition and order.
    fn sort(&mut self) {
        let Self { rows, buffer, .. } = self;
        let order = |row: &At| Head::parse(row.packed(buffer)).map(|head| head.order());
        rows.sort_unstable_by(|a, b| {
            let first = (a.partition, a.first).cmp(&(b.partition, b.first));
            first.then_with(|| order(a).cmp(&order(b)))
        });
    }

    /// Sorts and compresses what is in the buffer.
    fn end_run(&mut self) -> Result<()> {
        self.sort();
        let rows = std::mem::take(&mut self.rows);
        let buffer = std::mem::take(&mut self.buffer);
        let mut run: BTreeMap<usize, Vec<Block>> = BTreeMap::new();
        let mut plain: Vec<u8> = Vec::with_capacity(2 * BLOCK);
        for of_partition in rows.chunk_by(|a, b| a.partition == b.partition) {
            let mut blocks = Vec::new();
            for row in of_partition {
                let row = row.packed(&buffer);
                plain.extend(u32::try_from(row.len()).unwrap_or(u32::MAX).to_le_bytes());
                plain.extend(row);
                if plain.len() >= BLOCK {
                    blocks.push(self.block(&mut plain)?);
                }
            }
            if !plain.is_empty() {
                blocks.push(self.block(&mut plain)?);
            }
            if let Some(first) = of_partition.first() {
                run.insert(first.partition, blocks);
            }
        }
        self.ended.push(run);
        // Both are used again: what they grew to was paid for once.
        (self.rows, self.buffer) = (rows, buffer);
        self.rows.clear();
        self.buffer.clear();
        Ok(())
    }

    /// Compresses rows, and takes them out of `plain`.
    fn block(&mut self, plain: &mut Vec<u8>) -> Result<Block> {
        let packed = lz4_flex::compress_prepend_size(plain);
        plain.clear();
        if self.held + packed.len() <= self.space.held {
            self.held += packed.len();
            return Ok(Block::Held(packed));
        }
        let failed = Error::io("write a file of rows in", &self.space.folder);
        let (file, end) = match &mut self.file {
            Some(file) => file,
            None => match tempfile::tempfile_in(&self.space.folder) {
                Ok(file) => self.file.insert((Mutex::new(file), 0)),
                Err(error) => return Err(failed(error)),
            },
        };
        let file = file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&packed).map_err(failed)?;
        let block = Block::Written(*end, packed.len());
        *end += packed.len() as u64;
        Ok(block)
    }

    /// The folders of the partitions that rows fall into, each with how many.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (&str, usize)> {
        let counts = self.counts.iter().enumerate();
        counts.map(|(number, count)| (self.partitioner.path_of(number), *count))
    }

    /// The rows of a partition, a sorted stream of each run.
    pub(crate) fn streams_of<'r>(&'r self, path: &str) -> Vec<Stream<'r>> {
        let Some(number) = self.partitioner.number_of(path) else { return Vec::new() };
        let from = self.rows.partition_point(|row| row.partition < number);
        let to = self.rows.partition_point(|row| row.partition <= number);
        let sorted = self.rows.get(from..to).unwrap_or_default();
        let of_run = |rows| Stream { runs: self, rows, plain: Vec::new(), row: (0, 0) };
        let blocks = self.ended.iter().filter_map(|run| run.get(&number));
        let ended = blocks.map(|blocks| of_run(RunRows::Ended(blocks.iter())));
        let last = (!sorted.is_empty()).then(|| of_run(RunRows::Sorted(sorted.iter())));
        ended.chain(last).collect()
    }

    fn unpack(&self, block: &Block) -> Result<Vec<u8>> {
        let unpack = |packed: &[u8]| {
            lz4_flex::decompress_size_prepended(packed).map_err(|error| damaged(&error.to_string()))
        };
        match block {
            Block::Held(packed) => unpack(packed),
            Block::Written(at, length) => {
                let (file, _) = self.file.as_ref().ok_or_else(|| damaged("no file"))?;
                let mut packed = vec![0; *length];
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let read = file.seek(SeekFrom::Start(*at));
                let read = read.and_then(|_| std::io::Read::read_exact(&mut *file, &mut packed));
                read.map_err(Error::io("read a file of rows in", &self.space.folder))?;
                drop(file);
                unpack(&packed)
            }
        }
    }
}

fn damaged(what: &str) -> Error {
    Error::Spilled(what.to_string())
}

/// A packed row is none.
pub(crate) fn cut() -> Error {
    damaged("a row is cut")
}

/// The rows of one run and partition, in order.
#[derive(Debug)]
pub(crate) struct Stream<'r> {
    runs: &'r Runs,
    rows: RunRows<'r>,
    plain: Vec<u8>,
    /// Where the row that it is at is in `plain`, or in the buffer.
    row: (usize, usize),
}

/// What is left of a run.
#[derive(Debug)]
enum RunRows<'r> {
    Ended(Iter<'r, Block>),
    Sorted(Iter<'r, At>),
}

impl Stream<'_> {
    /// Goes to the next row; whether there is one.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        let blocks = match &mut self.rows {
            RunRows::Ended(blocks) => blocks,
            RunRows::Sorted(rows) => {
                let next = rows.next();
                self.row = next.map_or(self.row, |row| (row.from, row.to));
                return Ok(next.is_some());
            }
        };
        if self.row.1 >= self.plain.len() {
            let Some(block) = blocks.next() else { return Ok(false) };
            (self.plain, self.row) = (self.runs.unpack(block)?, (0, 0));
        }
        let rest = self.plain.get(self.row.1..).unwrap_or_default();
        let (length, _) = rest.split_first_chunk().ok_or_else(|| damaged("a block is cut"))?;
        let from = self.row.1 + 4;
        self.row = (from, from + u32::from_le_bytes(*length) as usize);
        Ok(true)
    }

    /// The row that it is at, packed.
    pub(crate) fn packed(&self) -> &[u8] {
        let bytes = match self.rows {
            RunRows::Ended(_) => &self.plain,
            RunRows::Sorted(_) => &self.runs.buffer,
        };
        bytes.get(self.row.0..self.row.1).unwrap_or_default()
    }

    /// The row that it is at.
    pub(crate) fn row(&self) -> Result<Head<'_>> {
        Head::parse(self.packed()).ok_or_else(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::encoded::Cell;

    /// The order of what comes out, over all runs.
    fn sorted(space: MemoryBudget) -> (Vec<Vec<i64>>, bool) {
        let mut runs = Runs::new(space, &[PartitionColumn::Region], RandomState::new());
        for number in 0..3000_i64 {
            let mut row = Row::new();
            row.set(Col::EventTime, Value::Time(number * 7919 % 3001));
            row.set(Col::AwsRegion, Value::text(if number % 3 == 0 { "a" } else { "b" }));
            row.set(Col::EventId, Value::text(format!("{number:032}")));
            row.set(Col::RequestParameters, Value::text("{}".repeat(200)));
            runs.push(&row).unwrap();
        }
        runs.finish().unwrap();
        assert_eq!(runs.partitions().collect::<Vec<_>>(), [("region=a", 1000), ("region=b", 2000)]);
        let streams = runs.streams_of("region=a").into_iter().map(|mut stream| {
            let mut times = Vec::new();
            while stream.advance().unwrap() {
                let row = stream.row().unwrap();
                let mut region = None;
                row.each(|number, cell| match cell {
                    Cell::Text(text) if number == Col::AwsRegion.index() => {
                        region = Some(text.to_owned());
                    }
                    _ => {}
                });
                assert_eq!(region.as_deref(), Some("a"));
                times.push(row.time.unwrap());
            }
            times
        });
        (streams.collect(), runs.file.is_some())
    }

    #[test]
    fn runs_are_sorted_held_or_written() {
        let folder = tempfile::tempdir().unwrap();
        for (run, held, files) in
            [(1 << 30, 1 << 30, false), (100_000, 1 << 30, false), (100_000, 0, true)]
        {
            let (streams, written) =
                sorted(MemoryBudget { run, held, folder: folder.path().to_owned() });
            assert_eq!(streams.len() > 1, run < 1 << 30);
            assert!(streams.iter().all(|times| times.is_sorted()));
            let mut all: Vec<_> = streams.concat();
            all.sort_unstable();
            all.dedup();
            assert_eq!((all.len(), written), (1000, files));
        }
        // The file has no name.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
