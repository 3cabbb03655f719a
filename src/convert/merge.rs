//! Sorted runs into partitions, in order, each event once.
//!
//! Copies of an event have the same content, so the same event time and id: in the merged order they
//! are neighbours. Of copies a committed row stays, else the one with the least log file and index. The
//! same id with other content is kept, counted and named, wherever it is. It refuses to hold a
//! partition: rows pass from the runs to their part file.

use crate::convert::Conflict;
use crate::convert::writer::{PartitionWriter, WrittenParts};
use crate::dataset::{Dataset, PartFile};
use crate::error::Result;
use crate::part::{BATCH_BYTES, BATCH_ROWS, IdFilter, PartMetadata, PartReader};
use crate::rows::Columns;
use crate::rows::Head;
use crate::rows::{Keys, content};
use crate::rows::{NextRows, Runs, Stream, cut};
#[cfg(feature = "stages")]
use arrow::array::RecordBatch;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use tempfile::TempPath;

/// Rows that are handed over to be written at once. Three such are in memory for each partition, one made,
/// one handed over, one written: with [`BATCH_ROWS`] a run over CodeBuild alone takes 110 MB more and no
/// less time.
const HANDED_OVER: usize = BATCH_ROWS / 4;

/// What was written of one partition.
#[derive(Debug)]
pub(crate) struct Partition {
    /// Its folder below the dataset.
    pub(crate) path: String,
    /// Its part files, which no reader sees yet.
    pub(crate) parts: WrittenParts,
}

/// Merged rows.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// By path.
    pub(crate) partitions: Vec<Partition>,
    /// How many rows of each log file are copies.
    pub(crate) duplicates: HashMap<String, u64>,
    /// Rows whose id another row has with other content, in order.
    pub(crate) conflicts: Vec<Conflict>,
}

/// Merges the rows of all workers into part files, partition by partition. Ids were hashed by `state`.
/// Part files are encoded on threads of their own unless one is to do all, `alone`.
pub(crate) fn merge(
    dataset: &Dataset,
    mut workers: Vec<Runs>,
    state: &RandomState,
    part_bytes: u64,
    single_threaded: bool,
) -> Result<Merged> {
    let mut partitions: BTreeMap<String, usize> = BTreeMap::new();
    for (path, rows) in workers.iter().flat_map(Runs::partitions) {
        if let Some(sum) = partitions.get_mut(path) {
            *sum += rows;
        } else {
            partitions.insert(path.to_owned(), rows);
        }
    }
    let committed = Committed::find(dataset, partitions.keys(), &mut workers, state)?;
    let merge_one = |(path, rows): (String, usize)| {
        let streams = workers.iter().flat_map(|worker| worker.streams_of(&path)).collect();
        thread::scope(|scope| {
            let writer = PartitionWriter::new(scope, dataset, rows, part_bytes, single_threaded);
            RunMerge::new(streams, &committed, state, writer).run(path)
        })
    };
    // The largest first: at the end it would be waited for.
    let mut partitions: Vec<_> = partitions.into_iter().collect();
    partitions.sort_by_key(|(_, rows)| Reverse(*rows));
    let done = partitions.into_par_iter().with_max_len(1).map(merge_one);
    let mut done = done.collect::<Result<Vec<_>>>()?;
    done.sort_by(|a, b| a.partition.path.cmp(&b.partition.path));
    let mut merged = Merged::default();
    let mut ids = Vec::new();
    for Done { partition, duplicates, conflicts, ids: of_one } in done {
        merged.partitions.push(partition);
        for (file, count) in duplicates {
            *merged.duplicates.entry(file).or_default() += count;
        }
        merged.conflicts.extend(conflicts);
        ids.extend(of_one);
    }
    merged.conflicts.extend(repeated(&merged.partitions, ids, state)?);
    merged.conflicts.sort();
    Ok(merged)
}

/// The merged rows of a worker, for benches: nothing of them is written, and nothing is committed.
#[cfg(feature = "stages")]
pub(crate) fn batches(worker: &Runs, state: &RandomState) -> Result<Vec<RecordBatch>> {
    let (to, merged) = std::sync::mpsc::channel();
    for (path, _) in worker.partitions() {
        let to = to.clone();
        thread::scope(|scope| {
            let writer = PartitionWriter::for_partition(scope, move |queue| {
                for batch in queue {
                    drop(to.send(batch)); // the other end waits for it below
                }
                Ok(Vec::new())
            });
            let committed = Committed::default();
            RunMerge::new(worker.streams_of(path), &committed, state, writer)
                .run(path.to_owned())
                .map(drop)
        })?;
    }
    drop(to);
    Ok(merged.iter().collect())
}

/// The rows whose ids others have that were written beside them, but for the first of each.
fn repeated(
    partitions: &[Partition],
    mut ids: Vec<u64>,
    state: &RandomState,
) -> Result<Vec<Conflict>> {
    ids.par_sort_unstable();
    let repeated = ids.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
    let repeated: Vec<u64> = repeated.filter_map(|same| same.first().copied()).collect();
    if repeated.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = IdFilter::hashed(state.clone(), repeated, false);
    let parts: Vec<_> = partitions.iter().flat_map(|partition| &partition.parts).collect();
    let find = |(path, _): &&(TempPath, PartMetadata)| wanted.places(|| PartReader::open(path));
    let found = parts.par_iter().map(find).collect::<Result<Vec<_>>>()?;
    let mut places: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (event_id, file, record) in found.into_iter().flatten() {
        places.entry(event_id).or_default().push((file, record));
    }
    let conflicts = places.into_iter().flat_map(|(event_id, mut places)| {
        places.sort();
        let others = places.into_iter().skip(1);
        others.map(move |(file, record)| Conflict { event_id: event_id.clone(), file, record })
    });
    Ok(conflicts.collect())
}

/// The SHA-256 of a content: rows without an id may be many at one time, and large.
type ContentHash = [u8; 32];

fn hash_of(content: &str) -> ContentHash {
    Sha256::digest(content).into()
}

/// The contents that the dataset has already of the events that are to be written, by id.
#[derive(Debug, Default)]
struct Committed(HashMap<Option<String>, HashSet<ContentHash>>);

impl Committed {
    fn find<'p>(
        dataset: &Dataset,
        partitions: impl Iterator<Item = &'p String>,
        workers: &mut [Runs],
        state: &RandomState,
    ) -> Result<Self> {
        let ids = workers.iter_mut().flat_map(|worker| std::mem::take(&mut worker.ids));
        let parts: Vec<&PartFile> = partitions.flat_map(|path| dataset.parts_of(path)).collect();
        if parts.is_empty() {
            ids.for_each(drop);
            return Ok(Self::default());
        }
        let ids = ids.collect();
        let without_id = workers.iter().any(|worker| worker.without_id);
        let wanted = IdFilter::hashed(state.clone(), ids, without_id);
        let find = |part: &&PartFile| wanted.find(|| dataset.part(part));
        let found = parts.par_iter().map(find).collect::<Result<Vec<_>>>()?;
        let mut known = Self::default();
        for batch in found.iter().flatten() {
            let keys = Keys::new(batch)?;
            for row in 0..batch.num_rows() {
                let id = keys.id(row).map(str::to_owned);
                known.0.entry(id).or_default().insert(hash_of(&content(batch, row)?));
            }
        }
        Ok(known)
    }

    fn contents_of(&self, id: Option<&str>) -> Option<&HashSet<ContentHash>> {
        if self.0.is_empty() { None } else { self.0.get(&id.map(str::to_owned)) }
    }
}

/// The rows of one event time and id.
#[derive(Debug, Default)]
struct EventGroup {
    /// The first, packed; empty before any.
    first: Vec<u8>,
    /// The contents of all, once one differs in its bytes.
    contents: HashSet<ContentHash>,
}

impl EventGroup {
    /// Adds the row that is next in order; whether none of its group has its content.
    fn adds(&mut self, packed: &[u8], row: &Head<'_>, one: &mut Columns) -> Result<bool> {
        let first = Head::parse(&self.first);
        let Some(first) = first.filter(|first| (first.time, first.id) == (row.time, row.id)) else {
            self.first.clear();
            self.first.extend(packed);
            self.contents.clear();
            return Ok(true);
        };
        if first.rest == row.rest {
            return Ok(false);
        }
        if self.contents.is_empty() {
            self.contents.insert(content_of(&first, one)?);
        }
        Ok(self.contents.insert(content_of(row, one)?))
    }
}

/// The content of a packed row; `one` makes a batch of it.
fn content_of(row: &Head<'_>, one: &mut Columns) -> Result<ContentHash> {
    one.append_packed(row).ok_or_else(cut)?;
    Ok(hash_of(&content(&one.finish()?, 0)?))
}

/// Merges the runs of one partition.
struct RunMerge<'m> {
    streams: Vec<Stream<'m>>,
    next: NextRows,
    committed: &'m Committed,
    state: &'m RandomState,
    columns: Columns,
    /// Makes a batch of one row.
    one: Columns,
    group: EventGroup,
    writer: PartitionWriter<'m>,
    duplicates: HashMap<String, u64>,
    conflicts: Vec<Conflict>,
    ids: Vec<u64>,
}

/// What [`RunMerge`] did.
struct Done {
    partition: Partition,
    duplicates: HashMap<String, u64>,
    conflicts: Vec<Conflict>,
    /// The hashes of the ids that were written and that the dataset did not have.
    ids: Vec<u64>,
}

impl<'m> RunMerge<'m> {
    fn new(
        streams: Vec<Stream<'m>>,
        committed: &'m Committed,
        state: &'m RandomState,
        writer: PartitionWriter<'m>,
    ) -> Self {
        Self {
            streams,
            next: NextRows::default(),
            committed,
            state,
            columns: Columns::new(),
            one: Columns::new(),
            group: EventGroup::default(),
            writer,
            duplicates: HashMap::new(),
            conflicts: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// Queues the next row of a stream, if it has one.
    fn queue(&mut self, number: usize) -> Result<()> {
        if let Some(stream) = self.streams.get_mut(number)
            && stream.advance()?
        {
            self.next.push(stream.row()?.order(), number);
        }
        Ok(())
    }

    fn run(mut self, path: String) -> Result<Done> {
        let merged = self.merge_all();
        let Self { writer, duplicates, conflicts, ids, .. } = self;
        // Why rows were not taken says more than that they were not.
        let parts = writer.finish();
        merged?;
        Ok(Done { partition: Partition { path, parts: parts? }, duplicates, conflicts, ids })
    }

    /// Merges until there are no more rows, or they are not taken.
    fn merge_all(&mut self) -> Result<()> {
        for number in 0..self.streams.len() {
            self.queue(number)?;
        }
        while let Some((_, number)) = self.next.pop() {
            if !self.take(number)? {
                return Ok(());
            }
            self.queue(number)?;
        }
        self.flush()?;
        Ok(())
    }

    /// Writes the row that a stream is at, unless it is a copy; whether more are taken.
    fn take(&mut self, number: usize) -> Result<bool> {
        let Some(stream) = self.streams.get(number) else { return Ok(true) };
        let row = stream.row()?;
        let is_new = self.group.adds(stream.packed(), &row, &mut self.one)?;
        let known = self.committed.contents_of(row.id);
        let is_committed = match known.filter(|_| is_new) {
            Some(known) => known.contains(&content_of(&row, &mut self.one)?),
            None => false,
        };
        if !is_new || is_committed {
            if let Some(count) = self.duplicates.get_mut(row.file) {
                *count += 1;
            } else {
                self.duplicates.insert(row.file.to_owned(), 1);
            }
            return Ok(true);
        }
        match (row.id, known) {
            (Some(id), Some(_)) => {
                let (event_id, file) = (id.to_owned(), row.file.to_owned());
                self.conflicts.push(Conflict { event_id, file, record: row.record });
            }
            (Some(id), None) => self.ids.push(self.state.hash_one(id)),
            (None, _) => {}
        }
        self.columns.append_packed(&row).ok_or_else(cut)?;
        if self.columns.rows() >= HANDED_OVER || self.columns.bytes() >= BATCH_BYTES {
            return self.flush();
        }
        Ok(true)
    }

    /// Hands the rows over to be written; whether they were taken.
    fn flush(&mut self) -> Result<bool> {
        Ok(self.columns.rows() == 0 || self.writer.write(self.columns.finish()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Transaction;
    use crate::flatten::row::{Row, Value};
    use crate::layout::PartitionColumn;
    use crate::rows::MemoryBudget;
    use crate::schema::Col;
    use crate::scope::{Keep, Redact, Scope};

    /// Event time, event id, log file, request.
    type Given<'g> = (i64, Option<&'g str>, &'g str, &'g str);

    /// A worker's rows, each a run of its own.
    fn worker(dataset: &Dataset, state: &RandomState, rows: &[Given<'_>]) -> Runs {
        let space = MemoryBudget { run: 0, held: 0, folder: dataset.location().to_owned() };
        let mut runs = Runs::new(space, dataset.partition_by(), state.clone());
        for (number, (time, id, file, request)) in rows.iter().enumerate() {
            let mut row = Row::new();
            row.set(Col::EventTime, Value::Time(*time));
            row.set(Col::EventId, *id);
            row.set(Col::AwsRegion, Value::text("r"));
            row.set(Col::SourceFile, Value::text(*file));
            row.set(Col::SourceRecord, Value::Int(i64::try_from(number).unwrap()));
            row.set(Col::RequestParameters, Value::text(*request));
            runs.push(&row).unwrap();
        }
        runs.finish().unwrap();
        runs
    }

    /// Adds what workers have read to what is committed; what was written, in order, and how many
    /// were copies and conflicts.
    fn merged(committed: &[Given<'_>], workers: &[&[Given<'_>]]) -> (Vec<String>, u64, u64) {
        let folder = tempfile::tempdir().unwrap();
        let by = [PartitionColumn::Region, PartitionColumn::Month];
        let state = RandomState::new();
        if !committed.is_empty() {
            let dataset = Dataset::create(folder.path(), Some(&by), Redact::Standard).unwrap();
            let runs = vec![worker(&dataset, &state, committed)];
            let written = merge(&dataset, runs, &state, 1 << 30, true).unwrap();
            let mut transaction = Transaction::new(&dataset);
            for Partition { path, parts } in written.partitions {
                for (file, written) in parts {
                    transaction.stage(&path, file, &written).unwrap();
                }
            }
            let scope = Scope { keep: Keep::CodeBuild, since: None, until: None };
            transaction.commit_converted(&scope, &[], Vec::new(), false).unwrap();
        }
        let dataset = Dataset::create(folder.path(), Some(&by), Redact::Standard).unwrap();
        let runs = workers.iter().map(|rows| worker(&dataset, &state, rows)).collect();
        let merged = merge(&dataset, runs, &state, 1 << 30, false).unwrap();
        let mut rows = Vec::new();
        for (path, _) in merged.partitions.iter().flat_map(|partition| &partition.parts) {
            for batch in PartReader::open(path).unwrap().batches(100).unwrap() {
                let batch = batch.unwrap();
                let keys = Keys::new(&batch).unwrap();
                let name = |row| format!("{}@{}", keys.id(row).unwrap_or("-"), keys.place(row).0);
                rows.extend((0..batch.num_rows()).map(name));
            }
        }
        let conflicting = u64::try_from(merged.conflicts.len()).unwrap();
        (rows, merged.duplicates.values().sum(), conflicting)
    }

    #[test]
    fn rows_are_in_order_and_each_event_comes_once() {
        let a = &[(2, Some("b"), "f2", "{}"), (1, Some("c"), "f2", "{}")];
        let b = &[(2, Some("a"), "f1", "{}"), (2, Some("b"), "f1", "{}")];
        assert_eq!(merged(&[], &[a, b]), (vec!["c@f2".into(), "a@f1".into(), "b@f1".into()], 1, 0));
    }

    #[test]
    fn members_in_another_order_make_no_other_event() {
        let a = &[(1, Some("a"), "f2", r#"{"x":1,"y":[{"p":1,"q":2}]}"#)];
        let b = &[(1, Some("a"), "f1", r#"{ "y":[{"q":2,"p":1}],"x":1}"#)];
        assert_eq!(merged(&[], &[a, b]), (vec!["a@f1".into()], 1, 0));
    }

    #[test]
    fn one_id_with_other_content_is_kept_and_counted() {
        let rows = &[
            (1, Some("a"), "f1", r#"{"x":1}"#),
            (1, Some("a"), "f2", r#"{"x":2}"#),
            // In another partition.
            (9_000_000_000, Some("a"), "f3", r#"{"x":2}"#),
            (1, Some("a"), "f4", r#"{"x":1}"#),
        ];
        let expected = vec!["a@f1".into(), "a@f2".into(), "a@f3".into()];
        assert_eq!(merged(&[], &[rows]), (expected, 1, 2));
    }

    #[test]
    fn without_an_id_the_content_is_the_key() {
        let rows = &[(1, None, "f1", "{}"), (1, None, "f2", "{}"), (1, None, "f3", r#"{"x":1}"#)];
        let expected = vec!["-@f1".into(), "-@f3".into()];
        assert_eq!(merged(&[], &[rows]), (expected, 1, 0));
    }

    #[test]
    fn what_is_committed_stays_and_is_not_written_again() {
        let old = &[(1, Some("a"), "f9", "{}"), (1, None, "f9", "{}")];
        let new = &[
            (1, Some("a"), "f1", "{}"),
            (1, Some("a"), "f2", "[1]"),
            (1, None, "f1", "{}"),
            (1, Some("b"), "f1", "{}"),
        ];
        assert_eq!(merged(old, &[new]), (vec!["a@f2".into(), "b@f1".into()], 2, 1));
    }
}
