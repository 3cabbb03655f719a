//! Sorted part files into one sorted stream of rows, each event once.
//!
//! Copies of an event have the same content, so the same event time and id: in the stream they are
//! neighbours, and only neighbours are compared.

use crate::error::Result;
use crate::part::{BATCH_ROWS, Batches, PartReader};
use crate::rows::{Keys, NextRows, RowOrder, RowRef, content};
use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use std::collections::HashSet;

/// Rows that all sources together hold in memory, about.
const HELD_ROWS: usize = 16 * BATCH_ROWS;

/// A sorted source and the batch that it is at.
#[derive(Debug)]
struct MergeSource {
    batches: Batches,
    batch: RecordBatch,
    /// The row that is next; past the last row the source has ended.
    row: usize,
}

impl MergeSource {
    /// Goes to the next row; whether it is in another batch.
    fn advance(&mut self) -> Result<bool> {
        self.row += 1;
        if self.row < self.batch.num_rows() {
            return Ok(false);
        }
        self.load()?;
        Ok(true)
    }

    fn load(&mut self) -> Result<()> {
        self.row = 0;
        for batch in self.batches.by_ref() {
            self.batch = batch?;
            if self.batch.num_rows() > 0 {
                return Ok(());
            }
        }
        self.batch = self.batch.slice(0, 0);
        Ok(())
    }
}

/// Merges part files.
#[derive(Debug)]
pub(super) struct PartMerge {
    sources: Vec<MergeSource>,
    next: NextRows,
    /// The event that came last, and what of it came if it came more than once.
    last: Option<(RowOrder, Copies)>,
}

/// What came of one event.
#[derive(Debug)]
enum Copies {
    /// Its first row, whose content nobody has asked for.
    One(RecordBatch),
    Several(HashSet<String>),
}

impl PartMerge {
    pub(super) fn new(parts: Vec<PartReader>) -> Result<Self> {
        let size = (HELD_ROWS / parts.len().max(1)).clamp(64, BATCH_ROWS);
        let mut merge = Self { sources: Vec::new(), next: NextRows::default(), last: None };
        for part in parts {
            let batches = part.batches(size)?;
            let empty = RecordBatch::new_empty(crate::schema::schema());
            let mut source = MergeSource { batches, batch: empty, row: 0 };
            source.load()?;
            merge.sources.push(source);
            merge.push(merge.sources.len() - 1)?;
        }
        Ok(merge)
    }

    /// Puts the next row of a source on the heap.
    fn push(&mut self, number: usize) -> Result<()> {
        let Some(source) = self.sources.get(number) else { return Ok(()) };
        if source.row < source.batch.num_rows() {
            self.next.push(Keys::new(&source.batch)?.order(source.row), number);
        }
        Ok(())
    }

    /// The next rows, at most `rows` of them; none at the end.
    pub(super) fn next_batch(&mut self, rows: usize) -> Result<Option<RecordBatch>> {
        // Batches that rows were taken of, and which of them each source is at.
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut at: Vec<Option<usize>> = vec![None; self.sources.len()];
        let mut taken: Vec<RowRef> = Vec::new();
        while taken.len() < rows {
            let Some((order, number)) = self.next.pop() else { break };
            let Some(source) = self.sources.get_mut(number) else { break };
            if is_new(&mut self.last, order, &source.batch, source.row)? {
                let known = at.get(number).copied().flatten();
                let index = known.unwrap_or_else(|| {
                    batches.push(source.batch.clone());
                    batches.len() - 1
                });
                if let Some(at) = at.get_mut(number) {
                    *at = Some(index);
                }
                taken.push((index, source.row));
            }
            if source.advance()?
                && let Some(at) = at.get_mut(number)
            {
                *at = None;
            }
            self.push(number)?;
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let batches: Vec<_> = batches.iter().collect();
        Ok(Some(interleave_record_batch(&batches, &taken)?))
    }
}

/// Whether a row is no copy of one that came.
fn is_new(
    last: &mut Option<(RowOrder, Copies)>,
    order: RowOrder,
    batch: &RecordBatch,
    row: usize,
) -> Result<bool> {
    match last {
        Some((known, copies)) if known.is_same_event(&order) => {
            if let Copies::One(first) = copies {
                *copies = Copies::Several(HashSet::from([content(first, 0)?]));
            }
            match copies {
                Copies::Several(contents) => Ok(contents.insert(content(batch, row)?)),
                Copies::One(_) => Ok(true),
            }
        }
        _ => {
            *last = Some((order, Copies::One(batch.slice(row, 1))));
            Ok(true)
        }
    }
}
