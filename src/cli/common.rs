//! Shared by several commands: options, the parsers of their values, how a command ends.

pub(super) mod args;
pub(super) mod digests;
pub(super) mod problems;
pub(super) mod progress;
pub(super) mod query_args;
