//! Part files: one sorted piece of a partition as Parquet, written and read back.
//!
//! What a part file says of itself, how its rows are grouped and what readers can skip by is decided
//! here and nowhere else. It refuses to know where part files stand and when they become visible:
//! that is [`dataset`](crate::dataset)'s.

mod find;
mod read;
mod source;
mod write;

pub(crate) use find::IdFilter;
pub(crate) use read::{Batches, PartReader};
pub(crate) use source::PartSource;
pub(crate) use write::{PartMetadata, PartWriter};

/// Rows of one batch at most: small enough to sort in cache, large enough to hide the cost of 185
/// arrays.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Bytes of text of one batch, about: far below the 2 GiB that a text column can hold.
pub(crate) const BATCH_BYTES: usize = 64 << 20;
