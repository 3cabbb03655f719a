//! Tests from outside: the binary is run as its users run it, and what it wrote is read back by
//! other means than its own.
//!
//! One target, because linking takes longer than most tests. The cases of saved queries are a second
//! one, `tests/pack.rs`, because it lists them from their folders. A test has its own
//! temporary folder, or shares a dataset that nobody writes to. The sample trail in `data/` is the
//! common input; what is expected of it is either literal, or computed anew from the log files with
//! `flate2` and `serde_json` alone.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics, in helpers as well as in the tests themselves"
)]

mod architecture;
mod archives;
#[cfg(feature = "distributed")]
mod case;
mod columns;
mod convert;
mod dataset;
mod ddl;
mod delta;
mod digests;
#[cfg(feature = "distributed")]
mod distributed;
mod forms;
mod inventory;
mod kill;
mod malformed;
mod output;
mod program;
mod readme;
mod rebuild;
mod redaction;
mod s3;
mod s3_dataset;
mod saved;
mod schema;
mod scope;
mod shell;
mod sql;
mod support;
mod words;
mod wrappers;
