//! One order of rows, and the merge of sources that are in it.
//!
//! Converting merges runs and compacting merges part files; both take the least row that any source
//! is at, and both know copies of an event as neighbours.

use crate::rows::keys::Order;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The sort key of a row, apart from the row: event time, event id, log file, index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowOrder {
    time: (bool, Option<i64>),
    id: (bool, Option<Box<str>>),
    place: (Box<str>, i64),
}

impl RowOrder {
    /// Whether two rows have one event time and one id.
    pub(crate) fn is_same_event(&self, other: &Self) -> bool {
        (&self.time, &self.id) == (&other.time, &other.id)
    }
}

impl From<Order<'_>> for RowOrder {
    fn from((time, (without_id, id), (file, record)): Order<'_>) -> Self {
        Self { time, id: (without_id, id.map(Into::into)), place: (file.into(), record) }
    }
}

/// The next row of each source that has one, the least on top.
#[derive(Debug, Default)]
pub(crate) struct NextRows(BinaryHeap<Reverse<(RowOrder, usize)>>);

impl NextRows {
    /// Adds the row that the source `number` is at.
    pub(crate) fn push(&mut self, order: Order<'_>, number: usize) {
        self.0.push(Reverse((order.into(), number)));
    }

    /// Takes the least row; its source must then push the one after it.
    pub(crate) fn pop(&mut self) -> Option<(RowOrder, usize)> {
        self.0.pop().map(|Reverse(next)| next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_row_comes_first_and_rows_without_a_time_or_id_last() {
        let orders: [Order<'_>; 5] = [
            ((true, None), (false, Some("a")), ("f", 0)),
            ((false, Some(2)), (false, Some("b")), ("f", 1)),
            ((false, Some(2)), (true, None), ("f", 2)),
            ((false, Some(1)), (false, Some("z")), ("f", 3)),
            ((false, Some(2)), (false, Some("b")), ("e", 9)),
        ];
        let mut next = NextRows::default();
        orders.into_iter().enumerate().for_each(|(number, order)| next.push(order, number));
        let taken: Vec<_> = std::iter::from_fn(|| next.pop()).collect();
        assert_eq!(taken.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [3, 4, 1, 2, 0]);
        assert!(taken[1].0.is_same_event(&taken[2].0) && !taken[2].0.is_same_event(&taken[3].0));
    }
}
