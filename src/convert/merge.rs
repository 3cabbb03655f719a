//! Rows into partitions, in order, each event once.
//!
//! Copies with the same content are dropped: a committed row stays, else the one with the least log
//! file and index. The same id with other content is kept, counted and named.
//!
//! The rows of a run are held in memory until here: simple, and bounded by the input's own size.

use crate::convert::Conflict;
use crate::error::Result;
use crate::layout::PartitionColumn;
use crate::rows::{Keys, Partitioner, RowRef, compare, content};
use arrow::array::RecordBatch;
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
    pub(crate) batches: Vec<RecordBatch>,
    /// By path.
    pub(crate) partitions: Vec<Partition>,
    /// How many rows of each log file are copies.
    pub(crate) duplicates: HashMap<String, u64>,
    /// Rows whose id another row has with other content, in order.
    pub(crate) conflicts: Vec<Conflict>,
}

/// The folders of the partitions that the rows fall into.
pub(crate) fn partitions(
    sources: &[Source],
    columns: &[PartitionColumn],
) -> Result<BTreeSet<String>> {
    let mut partitioner = Partitioner::new(columns);
    for source in sources {
        let keys = Keys::of(&source.rows)?;
        for row in 0..source.rows.num_rows() {
            partitioner.path(&keys, row);
        }
    }
    Ok(partitioner.into_paths().collect())
}

/// Merges rows into partitions.
pub(crate) fn merge(sources: Vec<Source>, columns: &[PartitionColumn]) -> Result<Merged> {
    let mut sets: BTreeMap<String, Vec<RowRef>> = BTreeMap::new();
    let kept = {
        let keys =
            sources.iter().map(|source| Keys::of(&source.rows)).collect::<Result<Vec<_>>>()?;
        let kept = distinct(&sources, &keys)?;
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
    let batches = sources.into_iter().map(|source| source.rows).collect();
    let Distinct { duplicates, mut conflicts, .. } = kept;
    conflicts.sort();
    Ok(Merged { batches, partitions, duplicates, conflicts })
}

#[derive(Debug, Default)]
struct Distinct {
    rows: Vec<RowRef>,
    duplicates: HashMap<String, u64>,
    conflicts: Vec<Conflict>,
}

/// Drops the copies of events.
///
/// Rows are grouped by the hash of their key first: nearly every group has one row, whose text is
/// then never looked at again.
fn distinct(sources: &[Source], keys: &[Keys<'_>]) -> Result<Distinct> {
    let state = RandomState::new();
    let mut hashed: Vec<(u64, RowRef)> = Vec::new();
    for (source, key) in keys.iter().enumerate() {
        for row in 0..key.rows().num_rows() {
            let hash = match key.id(row) {
                Some(id) => state.hash_one(Some(id)),
                None => state.hash_one(content(key.rows(), row)?),
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
            rows.sort_unstable_by(|a, b| by_precedence(sources, keys, *a, *b));
            kept.take(sources, keys, &rows, id)?;
        }
    }
    Ok(kept)
}

/// Committed rows first, then by place.
fn by_precedence(sources: &[Source], keys: &[Keys<'_>], a: RowRef, b: RowRef) -> Ordering {
    let committed = |row: RowRef| sources.get(row.0).is_some_and(|source| source.committed);
    let place = |row: RowRef| keys.get(row.0).map(|keys| keys.place(row.1));
    committed(b).cmp(&committed(a)).then_with(|| place(a).cmp(&place(b)))
}

impl Distinct {
    /// Takes the rows of one key, by precedence. Rows without an id that differ are no conflict: only
    /// their hash is the same.
    fn take(
        &mut self,
        sources: &[Source],
        keys: &[Keys<'_>],
        rows: &[RowRef],
        id: Option<&str>,
    ) -> Result<()> {
        let mut contents = HashSet::new();
        for (number, (source, row)) in rows.iter().enumerate() {
            let (Some(from), Some(key)) = (sources.get(*source), keys.get(*source)) else {
                continue;
            };
            let is_new = rows.len() == 1 || contents.insert(content(key.rows(), *row)?);
            if from.committed {
                continue;
            }
            let (file, record) = key.place(*row);
            if !is_new {
                *self.duplicates.entry(file.to_owned()).or_default() += 1;
                continue;
            }
            self.rows.push((*source, *row));
            if let Some(id) = id.filter(|_| number > 0) {
                let (event_id, file) = (id.to_owned(), file.to_owned());
                self.conflicts.push(Conflict { event_id, file, record });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::columns::Columns;
    use crate::convert::row::{Row, Value};
    use crate::schema::Col;
    use arrow::array::{Array as _, AsArray as _};

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
            let batch = &merged.batches[*source];
            let text = |col: Col| {
                let column = batch.column(col.index()).as_string::<i32>();
                if column.is_valid(*row) { column.value(*row) } else { "-" }
            };
            rows.push(format!("{}@{}", text(Col::EventId), text(Col::SourceFile)));
        }
        let conflicting = u64::try_from(merged.conflicts.len()).unwrap();
        (rows, merged.duplicates.values().sum(), conflicting)
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
