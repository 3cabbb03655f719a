//! `buildtrail rejects`.

use crate::cli::common::args::{DATASET, ExitStatus, print};
use crate::dataset::Dataset;
use crate::query::{self, tabulate};
use clap::ValueEnum;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// List what a dataset has rejected
///
/// Each record or file that could not be read, with the reason, until it can: its log file is read again
/// with `convert --retry-rejected`. The JSON forms have the text, too, redacted.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The dataset: a folder, or an S3 URL
    #[arg(env = DATASET, hide_env_values = true)]
    dataset: PathBuf,
    /// The form of the list
    #[arg(long, value_enum, default_value_t = RejectsFormat::Table)]
    format: RejectsFormat,
}

/// The form of the list.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RejectsFormat {
    /// Columns in a frame
    Table,
    /// One JSON list of objects
    Json,
    /// One JSON object a line
    Ndjson,
}

pub(in crate::cli) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    let dataset = Dataset::open(&args.dataset)?;
    match args.format {
        RejectsFormat::Table => print(&table(&dataset)?)?,
        RejectsFormat::Json => write(&dataset, ["[", ",\n", "]\n"])?,
        RejectsFormat::Ndjson => write(&dataset, ["", "\n", ""])?,
    }
    Ok(ExitStatus::Done)
}

fn table(dataset: &Dataset) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    dataset.rejects(&mut |reject| {
        let record = reject.record.map_or_else(String::new, |record| record.to_string());
        rows.push([reject.file, record, reject.reason]);
    })?;
    let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
    Ok(tabulate(["file", "record", "reason"], rows, query::Format::Table)?)
}

/// Writes them as they are read, for a text may be large: between, after the first, and at the end.
fn write(dataset: &Dataset, [begin, between, end]: [&str; 3]) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    out.write_all(begin.as_bytes())?;
    let mut written: anyhow::Result<()> = Ok(());
    let mut any = false;
    dataset.rejects(&mut |reject| {
        if written.is_ok() {
            let before = if any { between } else { "" };
            any = true;
            written = serde_json::to_string(&reject)
                .map_err(anyhow::Error::from)
                .and_then(|text| Ok(write!(out, "{before}{text}")?));
        }
    })?;
    written?;
    let last = if any && end.is_empty() { between } else { end };
    out.write_all(last.as_bytes())?;
    out.flush()?;
    Ok(())
}
