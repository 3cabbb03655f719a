//! Rows at rest and in order: encoded, kept as sorted runs within a memory budget, and made columns.
//!
//! Here stands which row comes before which, and which two rows are the same event; reading log
//! files and compacting part files both ask it.

mod columns;
mod encoded;
mod keys;
mod merge;
mod runs;

pub(crate) use columns::Columns;
#[cfg(test)]
pub(crate) use columns::columns_for_tests;
pub(crate) use encoded::Head;
pub(crate) use keys::{DAY, Keys, Partitioner, RowRef, content, is_content};
pub(crate) use merge::{NextRows, RowOrder};
pub(crate) use runs::{MemoryBudget, Runs, Stream, cut};
