//! `buildtrail compact`.

use crate::cli::common::args::{
    DATASET, ExitStatus, PART_SIZE, SummaryFormat, parse_part_size, print,
};
use crate::compact::{Compaction, compact};
use crate::dataset::Dataset;
use crate::printable::printable;
use indicatif::HumanBytes;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Merge small part files of a dataset
///
/// Hourly runs leave many small part files; this makes few sorted ones of them, in one transaction.
/// No answer changes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset: a folder, or an S3 URL
    #[arg(env = DATASET, hide_env_values = true)]
    dataset: PathBuf,
    /// About how large a part file gets; those below half of it are merged
    #[arg(long, value_name = "SIZE", default_value = PART_SIZE, value_parser = parse_part_size)]
    part_size: u64,
    /// Say what would be merged, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The form of the summary
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    format: SummaryFormat,
}

pub(super) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    let dataset = if args.dry_run {
        Dataset::open(&args.dataset)?
    } else {
        Dataset::open_to_write(&args.dataset)?
    };
    let done = compact(&dataset, args.part_size, args.dry_run)?;
    print(&match args.format {
        SummaryFormat::Table => summary(&done),
        SummaryFormat::Json => serde_json::to_string_pretty(&done)? + "\n",
    })?;
    Ok(ExitStatus::Done)
}

fn summary(done: &Compaction) -> String {
    let mut text = String::new();
    for p in &done.partitions {
        let name = if p.partition.is_empty() { "." } else { &p.partition };
        let _ = write!(
            text,
            "{}: {} parts, {}, {} rows",
            printable(name),
            p.parts,
            HumanBytes(p.bytes),
            p.rows
        );
        if !done.dry_run {
            let _ = write!(text, " -> {} parts, {}", p.new_parts, HumanBytes(p.new_bytes));
        }
        if p.duplicate > 0 {
            let _ = write!(text, ", {} copies dropped", p.duplicate);
        }
        text.push('\n');
    }
    let (parts, partitions) =
        (done.partitions.iter().map(|p| p.parts).sum::<u64>(), done.partitions.len());
    let _ = match (partitions, done.dry_run) {
        (0, _) => writeln!(text, "nothing to merge: no partition has two small part files"),
        (_, true) => writeln!(text, "would merge {parts} part files in {partitions} partitions"),
        (_, false) => writeln!(text, "merged {parts} part files in {partitions} partitions"),
    };
    text
}
