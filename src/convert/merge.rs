//! Rows into partitions, in order, each event once.
//!
//! The key of an event is its id; without one, its whole content. Copies with the same content are
//! dropped: a committed row stays, else the one with the least log file and index. The same id with
//! other content is kept and counted. Content is compared as JSON, from the columns that rebuild
//! the record, so members in another order make no other event. The order of rows is total (event
//! time, event id, log file, index): neither threads nor the order of reading show in it.
//!
//! The rows of a run are held in memory until here: simple, and bounded by the input's own size.

use crate::convert::json;
use crate::error::{Error, Result};
use crate::layout::{PartitionColumn, partition_path};
use crate::schema::{COLUMNS, Col, Group};
use arrow::array::{
    Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// Rows to be merged.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) rows: RecordBatch,
    /// Already in the dataset: only compared with, never written again.
    pub(crate) committed: bool,
}

/// A row: the number of its source, and its number there.
type RowRef = (usize, usize);

/// The rows to write of one partition, in order.
#[derive(Debug)]
pub(crate) struct Partition {
    /// Its folder below the dataset.
    pub(crate) path: String,
    pub(crate) rows: Vec<RowRef>,
}

/// Merged rows.
#[derive(Debug)]
pub(crate) struct Merged {
    /// What [`Partition::rows`] point into.
    pub(crate) sources: Vec<RecordBatch>,
    /// By path.
    pub(crate) partitions: Vec<Partition>,
    pub(crate) duplicate: u64,
    pub(crate) conflicting: u64,
}

impl Merged {
    /// Rows to write.
    pub(crate) fn rows(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.rows.len() as u64).sum()
    }
}

/// The columns of a source that order and identify its rows.
struct Keys<'a> {
    time: &'a TimestampMillisecondArray,
    id: &'a StringArray,
    file: &'a StringArray,
    record: &'a Int64Array,
    rows: &'a RecordBatch,
    committed: bool,
}

impl<'a> Keys<'a> {
    fn of(source: &'a Source) -> Result<Self> {
        let column = |col: Col| source.rows.column(col.index());
        let text = |col| column(col).as_string_opt::<i32>().ok_or_else(|| mistyped(col));
        Ok(Self {
            time: column(Col::EventTime)
                .as_primitive_opt::<TimestampMillisecondType>()
                .ok_or_else(|| mistyped(Col::EventTime))?,
            id: text(Col::EventId)?,
            file: text(Col::SourceFile)?,
            record: column(Col::SourceRecord)
                .as_primitive_opt::<Int64Type>()
                .ok_or_else(|| mistyped(Col::SourceRecord))?,
            rows: &source.rows,
            committed: source.committed,
        })
    }

    fn time(&self, row: usize) -> Option<i64> {
        self.time.is_valid(row).then(|| self.time.value(row))
    }

    fn id(&self, row: usize) -> Option<&'a str> {
        self.id.is_valid(row).then(|| self.id.value(row))
    }

    /// Where the row was read.
    fn place(&self, row: usize) -> (&'a str, i64) {
        (self.file.value(row), self.record.value(row))
    }

    fn text(&self, col: Col, row: usize) -> Option<&'a str> {
        let column = self.rows.column(col.index()).as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    /// What decides the row's partition, for each partition column.
    fn partition(&self, columns: &[PartitionColumn], row: usize) -> Vec<Decider<'a>> {
        let decider = |column: &PartitionColumn| match column {
            PartitionColumn::Account => Decider::Text(
                self.text(Col::RecipientAccountId, row)
                    .or_else(|| self.text(Col::UserIdentityAccountId, row)),
            ),
            PartitionColumn::Region => Decider::Text(self.text(Col::AwsRegion, row)),
            PartitionColumn::EventName => Decider::Text(self.text(Col::EventName, row)),
            PartitionColumn::Year | PartitionColumn::Month | PartitionColumn::Day => {
                Decider::Day(self.time(row).map(|millis| millis.div_euclid(DAY)))
            }
        };
        columns.iter().map(decider).collect()
    }
}

const DAY: i64 = 86_400_000;

/// What a partition column's value is made of: made once for all rows that share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Decider<'a> {
    Text(Option<&'a str>),
    /// Days since 1970.
    Day(Option<i64>),
}

impl Decider<'_> {
    fn value(self, column: PartitionColumn) -> Option<String> {
        match self {
            Self::Text(text) => text.map(str::to_owned),
            Self::Day(day) => column.of_time(day?.checked_mul(DAY)?),
        }
    }
}

/// Sorts rows into partitions.
struct Partitioner<'a> {
    columns: &'a [PartitionColumn],
    paths: HashMap<Vec<Decider<'a>>, String>,
}

impl<'a> Partitioner<'a> {
    fn new(columns: &'a [PartitionColumn]) -> Self {
        Self { columns, paths: HashMap::new() }
    }

    /// The folder of a row's partition.
    fn path(&mut self, keys: &Keys<'a>, row: usize) -> &str {
        let deciders = keys.partition(self.columns, row);
        self.paths.entry(deciders).or_insert_with_key(|deciders| {
            let value =
                |(decider, column): (&Decider<'_>, &PartitionColumn)| decider.value(*column);
            let values: Vec<_> = deciders.iter().zip(self.columns).map(value).collect();
            partition_path(self.columns, &values)
        })
    }
}

fn mistyped(col: Col) -> Error {
    let column = col.column();
    arrow::error::ArrowError::SchemaError(format!("{} is not {}", column.name, column.kind.name()))
        .into()
}

/// The folders of the partitions that the rows fall into.
pub(crate) fn partitions(
    sources: &[Source],
    columns: &[PartitionColumn],
) -> Result<BTreeSet<String>> {
    let mut partitioner = Partitioner::new(columns);
    for source in sources {
        let keys = Keys::of(source)?;
        for row in 0..source.rows.num_rows() {
            partitioner.path(&keys, row);
        }
    }
    Ok(partitioner.paths.into_values().collect())
}

/// Merges rows into partitions.
pub(crate) fn merge(sources: Vec<Source>, columns: &[PartitionColumn]) -> Result<Merged> {
    let mut sets: BTreeMap<String, Vec<RowRef>> = BTreeMap::new();
    let kept = {
        let keys = sources.iter().map(Keys::of).collect::<Result<Vec<_>>>()?;
        let kept = distinct(&keys)?;
        let mut partitioner = Partitioner::new(columns);
        for (source, row) in &kept.rows {
            let Some(keys) = keys.get(*source) else { continue };
            let path = partitioner.path(keys, *row);
            if let Some(rows) = sets.get_mut(path) {
                rows.push((*source, *row));
            } else {
                sets.insert(path.to_owned(), vec![(*source, *row)]);
            }
        }
        for rows in sets.values_mut() {
            rows.sort_unstable_by(|a, b| compare(&keys, *a, *b));
        }
        kept
    };
    let partitions = sets.into_iter().map(|(path, rows)| Partition { path, rows }).collect();
    let sources = sources.into_iter().map(|source| source.rows).collect();
    let Distinct { duplicate, conflicting, .. } = kept;
    Ok(Merged { sources, partitions, duplicate, conflicting })
}

/// By event time, event id, place; a row without a time or id comes last.
fn compare(keys: &[Keys<'_>], a: RowRef, b: RowRef) -> Ordering {
    let (Some(ka), Some(kb)) = (keys.get(a.0), keys.get(b.0)) else { return Ordering::Equal };
    let last = |value: Option<i64>| (value.is_none(), value);
    last(ka.time(a.1))
        .cmp(&last(kb.time(b.1)))
        .then_with(|| {
            let (a, b) = (ka.id(a.1), kb.id(b.1));
            (a.is_none(), a).cmp(&(b.is_none(), b))
        })
        .then_with(|| ka.place(a.1).cmp(&kb.place(b.1)))
}

#[derive(Debug, Default)]
struct Distinct {
    rows: Vec<RowRef>,
    duplicate: u64,
    conflicting: u64,
}

/// Drops the copies of events.
///
/// Rows are grouped by the hash of their key first: nearly every group has one row, whose text is
/// then never looked at again.
fn distinct(keys: &[Keys<'_>]) -> Result<Distinct> {
    let state = RandomState::new();
    let mut hashed: Vec<(u64, RowRef)> = Vec::new();
    for (source, key) in keys.iter().enumerate() {
        for row in 0..key.rows.num_rows() {
            let hash = match key.id(row) {
                Some(id) => state.hash_one(Some(id)),
                None => state.hash_one(content(key.rows, row)?),
            };
            hashed.push((hash, (source, row)));
        }
    }
    hashed.sort_unstable();
    let mut kept = Distinct::default();
    for group in hashed.chunk_by(|a, b| a.0 == b.0) {
        let mut by_key: BTreeMap<Option<&str>, Vec<RowRef>> = BTreeMap::new();
        for (_, row) in group {
            let id = keys.get(row.0).and_then(|key| key.id(row.1));
            by_key.entry(id).or_default().push(*row);
        }
        for (id, mut rows) in by_key {
            rows.sort_unstable_by(|a, b| by_precedence(keys, *a, *b));
            kept.take(keys, &rows, id.is_some())?;
        }
    }
    Ok(kept)
}

/// Committed rows first, then by place.
fn by_precedence(keys: &[Keys<'_>], a: RowRef, b: RowRef) -> Ordering {
    let (Some(ka), Some(kb)) = (keys.get(a.0), keys.get(b.0)) else { return Ordering::Equal };
    kb.committed.cmp(&ka.committed).then_with(|| ka.place(a.1).cmp(&kb.place(b.1)))
}

impl Distinct {
    /// Takes the rows of one key, by precedence. Rows without an id that differ are no conflict: only
    /// their hash is the same.
    fn take(&mut self, keys: &[Keys<'_>], rows: &[RowRef], has_id: bool) -> Result<()> {
        let mut contents = HashSet::new();
        for (number, (source, row)) in rows.iter().enumerate() {
            let Some(key) = keys.get(*source) else { continue };
            let is_new = rows.len() == 1 || contents.insert(content(key.rows, *row)?);
            match (is_new, key.committed) {
                (true, false) => {
                    self.rows.push((*source, *row));
                    self.conflicting += u64::from(has_id && number > 0);
                }
                (false, false) => self.duplicate += 1,
                (_, true) => {}
            }
        }
        Ok(())
    }
}

/// A row's content as text: equal for records that are equal as JSON.
fn content(rows: &RecordBatch, row: usize) -> Result<String> {
    let options = FormatOptions::default();
    let mut content = String::new();
    for (column, array) in COLUMNS.iter().zip(rows.columns()) {
        if !matches!(column.group, Group::Record | Group::JsonText) || array.is_null(row) {
            continue;
        }
        let text = ArrayFormatter::try_new(array, &options)?.value(row).to_string();
        content.push_str(column.name);
        content.push('=');
        if column.group == Group::JsonText {
            json::push_canonical(&mut content, &text);
        } else {
            content.push_str(&text);
        }
        content.push('\0');
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::columns::Columns;
    use crate::convert::row::{Row, Value};

    /// A source of rows: event time, event id, log file, request.
    fn source(committed: bool, rows: &[(i64, Option<&str>, &str, &str)]) -> Source {
        let mut columns = Columns::new();
        for (number, (time, id, file, request)) in rows.iter().enumerate() {
            let mut row = Row::new();
            row.set(Col::EventTime, Value::Time(*time));
            row.set(Col::EventId, *id);
            row.set(Col::AwsRegion, Value::text("r"));
            row.set(Col::SourceFile, Value::text(*file));
            row.set(Col::SourceRecord, Value::Int(i64::try_from(number).unwrap()));
            row.set(Col::RequestParameters, Value::text(*request));
            columns.append(&row);
        }
        Source { rows: columns.finish().unwrap(), committed }
    }

    fn merged(sources: Vec<Source>) -> (Vec<String>, u64, u64) {
        let merged = merge(sources, &[PartitionColumn::Region]).unwrap();
        let mut rows = Vec::new();
        for (source, row) in merged.partitions.iter().flat_map(|p| &p.rows) {
            let batch = &merged.sources[*source];
            let text = |col: Col| {
                let column = batch.column(col.index()).as_string::<i32>();
                if column.is_valid(*row) { column.value(*row) } else { "-" }
            };
            rows.push(format!("{}@{}", text(Col::EventId), text(Col::SourceFile)));
        }
        (rows, merged.duplicate, merged.conflicting)
    }

    #[test]
    fn rows_are_in_order_and_each_event_comes_once() {
        let a = source(false, &[(2, Some("b"), "f2", "{}"), (1, Some("c"), "f2", "{}")]);
        let b = source(false, &[(2, Some("a"), "f1", "{}"), (2, Some("b"), "f1", "{}")]);
        assert_eq!(merged(vec![a, b]), (vec!["c@f2".into(), "a@f1".into(), "b@f1".into()], 1, 0));
    }

    #[test]
    fn members_in_another_order_make_no_other_event() {
        let a = source(false, &[(1, Some("a"), "f2", r#"{"x":1,"y":[{"p":1,"q":2}]}"#)]);
        let b = source(false, &[(1, Some("a"), "f1", r#"{ "y":[{"q":2,"p":1}],"x":1}"#)]);
        assert_eq!(merged(vec![a, b]), (vec!["a@f1".into()], 1, 0));
    }

    #[test]
    fn one_id_with_other_content_is_kept_and_counted() {
        let rows = &[
            (1, Some("a"), "f1", r#"{"x":1}"#),
            (1, Some("a"), "f2", r#"{"x":2}"#),
            (9, Some("a"), "f3", r#"{"x":2}"#),
            (1, Some("a"), "f4", r#"{"x":1}"#),
        ];
        let expected = vec!["a@f1".into(), "a@f2".into(), "a@f3".into()];
        assert_eq!(merged(vec![source(false, rows)]), (expected, 1, 2));
    }

    #[test]
    fn without_an_id_the_content_is_the_key() {
        let rows = &[(1, None, "f1", "{}"), (1, None, "f2", "{}"), (1, None, "f3", r#"{"x":1}"#)];
        let expected = vec!["-@f1".into(), "-@f3".into()];
        assert_eq!(merged(vec![source(false, rows)]), (expected, 1, 0));
    }

    #[test]
    fn what_is_committed_stays_and_is_not_written_again() {
        let old = source(true, &[(1, Some("a"), "f9", "{}"), (1, None, "f9", "{}")]);
        let new = source(
            false,
            &[
                (1, Some("a"), "f1", "{}"),
                (1, Some("a"), "f2", "[1]"),
                (1, None, "f1", "{}"),
                (1, Some("b"), "f1", "{}"),
            ],
        );
        assert_eq!(merged(vec![new, old]), (vec!["a@f2".into(), "b@f1".into()], 2, 1));
    }
}
