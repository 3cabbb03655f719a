//! `buildtrail verify`.

use super::{Format, Status, put, say};
use crate::dataset::Dataset;
use crate::verify::verify;
use std::path::PathBuf;

/// Add everything up again: part files, ledger, quarantine
///
/// Reads every part file and compares checksums, rows, order, partitions and event ids with the
/// dataset's commits and ledger. What does not fit is named, and the exit status is 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset's folder
    dataset: PathBuf,
    /// The form of the summary
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

pub(super) fn main(args: &Args) -> anyhow::Result<Status> {
    let found = verify(&Dataset::open(&args.dataset)?)?;
    for problem in &found.problems {
        say(&format!("does not fit: {problem}"));
    }
    put(&match args.format {
        Format::Json => serde_json::to_string_pretty(&found)? + "\n",
        Format::Table => format!(
            "{} parts, {} rows, {} event ids, {} rows without one, {} inputs, {} rejected: {}\n",
            found.parts,
            found.rows,
            found.event_ids,
            found.without_id,
            found.inputs,
            found.rejected,
            match found.problems.len() {
                0 => "all fits".to_owned(),
                1 => "1 problem".to_owned(),
                count => format!("{count} problems"),
            }
        ),
    })?;
    Ok(if found.problems.is_empty() { Status::Done } else { Status::Failed })
}
