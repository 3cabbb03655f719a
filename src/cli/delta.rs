//! `buildtrail delta`.

use crate::cli::common::args::{DATASET, ExitStatus, SummaryFormat, print};
use crate::dataset::Dataset;
use std::path::PathBuf;

/// Keep a Delta Lake log of a dataset
///
/// Writes `_delta_log` into the dataset: of the same part files, so that Delta readers see one commit
/// and no other, even while a run makes the next. From then on every run keeps it; to end that,
/// remove `_delta_log`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset: a folder, or an S3 URL
    #[arg(env = DATASET, hide_env_values = true)]
    dataset: PathBuf,
    /// The form of the summary
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    format: SummaryFormat,
}

pub(super) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    let dataset = Dataset::open_to_write(&args.dataset)?;
    let version = dataset.keep_delta_log()?;
    let (parts, rows) =
        (dataset.parts().len(), dataset.parts().iter().map(|part| part.rows).sum::<u64>());
    print(&match args.format {
        SummaryFormat::Table => {
            format!("version {version} of the Delta log: {parts} part files, {rows} rows\n")
        }
        SummaryFormat::Json => {
            let summary = serde_json::json!({"version": version, "parts": parts, "rows": rows});
            serde_json::to_string_pretty(&summary)? + "\n"
        }
    })?;
    Ok(ExitStatus::Done)
}
