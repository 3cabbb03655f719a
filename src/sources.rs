//! From what the user names to log files: folders, patterns, buckets and inventories.
//!
//! Only names and keys are looked at; [`log_file`](crate::log_file) opens what is found here.

mod discover;
mod inventory;
mod overlap;
mod problem;
mod selection;

pub use problem::{Problem, SkippedFiles};
pub use selection::{LATE_DAYS, Selection, Shard, Unmatched};

pub(crate) use discover::{Listing, again, archive_of, discover, is_taken};
pub(crate) use inventory::is_manifest;
pub(crate) use overlap::refuse_overlap;
