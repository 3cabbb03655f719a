//! Shared by several commands: parsers of sizes and times, the form of a summary, the exit status.

use crate::times;
use bytesize::ByteSize;
use chrono::Utc;
use clap::ValueEnum;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// The form of a summary.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum SummaryFormat {
    Table,
    Json,
}

/// The environment's variable for a DATASET that is not named.
pub(in crate::cli) const DATASET: &str = "BUILDTRAIL_DATASET";

/// The environment's variable for `--sql-dir`.
pub(in crate::cli) const SQL_DIR: &str = "BUILDTRAIL_SQL_DIR";

/// [`PART_BYTES`](crate::convert::PART_BYTES) as people write it.
pub(in crate::cli) const PART_SIZE: &str = "256MB";

/// A part file's size: below a megabyte it is a slip.
pub(in crate::cli) fn parse_part_size(text: &str) -> Result<u64, String> {
    parse_size(text, PART_SIZE, 1)
}

/// A size of at least so many megabytes; the error shows what one looks like.
fn parse_size(text: &str, example: &str, least: u64) -> Result<u64, String> {
    let size = text
        .parse::<ByteSize>()
        .map_err(|reason| format!("expected a size such as {example}: {reason}"))?;
    if size < ByteSize::mb(least) {
        Err(format!("is less than {least}MB"))
    } else {
        Ok(size.as_u64())
    }
}

pub(in crate::cli) fn parse_memory(text: &str) -> Result<u64, String> {
    parse_size(text, "512MB", 16)
}

pub(in crate::cli) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let span = times::span(text).and_then(|span| span.to_std().ok()).filter(|span| !span.is_zero());
    span.ok_or_else(|| "expected a time such as 30s, 5m or 1h".to_owned())
}

/// A point in time, in milliseconds since 1970.
pub(in crate::cli) fn parse_time(text: &str) -> Result<i64, String> {
    times::parse(text, Utc::now())
}

/// Fails if a period ends before it begins. Times that look back from now (`7d`) are told by the clock
/// when they are read, one after the other: less than a second apart they are the same.
pub(in crate::cli) fn in_order(
    command: &'static str,
    since: Option<i64>,
    until: Option<i64>,
) -> anyhow::Result<()> {
    if times::are_in_order(since, until) {
        return Ok(());
    }
    Err(wrong_usage(command, times::NOT_IN_ORDER))
}

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ExitStatus {
    /// Done.
    Done,
    /// Failed; standard error says why.
    Failed,
    /// A value was given that nothing has.
    Unmatched,
    /// Done, but some input was rejected.
    Rejected,
    /// A query that is a check has found something.
    Found,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Done => Self::SUCCESS,
            ExitStatus::Failed => Self::from(1),
            // As for wrong usage, which clap ends with by itself.
            ExitStatus::Unmatched => Self::from(2),
            ExitStatus::Rejected => Self::from(3),
            ExitStatus::Found => Self::from(4),
        }
    }
}

/// A command line that clap takes, and that asks for what cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(in crate::cli) struct WrongUsage {
    pub(in crate::cli) command: &'static str,
    pub(in crate::cli) reason: String,
}

/// The error of a command line that asks for what cannot be: exit status 2.
pub(in crate::cli) fn wrong_usage(
    command: &'static str,
    reason: impl Into<String>,
) -> anyhow::Error {
    WrongUsage { command, reason: reason.into() }.into()
}

/// Puts data on standard output.
pub(in crate::cli) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// The thread that a query's results are written on.
pub(in crate::cli) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
