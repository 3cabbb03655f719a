//! `buildtrail status`.

pub(super) mod rejects;

use crate::cli::common::args::{
    DATASET, ExitStatus, PART_SIZE, SummaryFormat, parse_part_size, print,
};
use crate::dataset::Dataset;
use crate::printable::printable;
use crate::status::{Status, status};
use indicatif::HumanBytes;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Show what is in a dataset
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset: a folder, or an S3 URL
    #[arg(env = DATASET, hide_env_values = true)]
    dataset: PathBuf,
    /// The size of part files that `compact` would aim at
    #[arg(long, value_name = "SIZE", default_value = PART_SIZE, value_parser = parse_part_size)]
    part_size: u64,
    /// The form of the summary
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    format: SummaryFormat,
}

pub(super) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    let status = status(&Dataset::open(&args.dataset)?, args.part_size)?;
    print(&match args.format {
        SummaryFormat::Table => summary(&status),
        SummaryFormat::Json => serde_json::to_string_pretty(&status)? + "\n",
    })?;
    Ok(ExitStatus::Done)
}

fn summary(s: &Status) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<11}{}", printable(&value));
    };
    line("rows", s.rows.to_string());
    if let (Some(first), Some(last)) = (&s.days.first, &s.days.last) {
        line("days", format!("{}, {first} to {last}", s.days.count));
    }
    line("accounts", list(&s.accounts));
    line("regions", list(&s.regions));
    line("keeps", keeps(s));
    let small = match s.parts.small {
        0 => String::new(),
        small => format!("; {small} of them small: `buildtrail compact` merges them"),
    };
    let bytes = HumanBytes(s.parts.bytes);
    line(
        "parts",
        format!(
            "{}, {bytes}, in {} partitions by {}{small}",
            s.parts.count,
            s.parts.partitions,
            s.partition_by.join(",")
        ),
    );
    let broken = match s.inputs.broken {
        0 => String::new(),
        broken => format!(", {broken} broken"),
    };
    line("inputs", format!("{}, {}{broken}", s.inputs.count, HumanBytes(s.inputs.bytes)));
    let r = &s.records;
    line(
        "records",
        format!(
            "{} read = {} written + {} filtered + {} duplicate + {} rejected",
            r.read, r.written, r.filtered, r.duplicate, r.rejected
        ),
    );
    let (records, files) = (s.rejected.records, s.rejected.files);
    let listed = if records + files > 0 { ": `buildtrail rejects` lists them" } else { "" };
    line("quarantine", format!("{records} records, {files} files{listed}"));
    if let Some(version) = s.delta_version {
        line("delta log", format!("version {version}"));
    }
    match &s.last_run {
        None => line("last run", "none".to_owned()),
        Some(last) => line(
            "last run",
            format!(
                "{} (commit {}, {})",
                last.at.as_deref().unwrap_or("at an unknown time"),
                last.commit,
                last.action.name()
            ),
        ),
    }
    text
}

/// The records that it keeps, and how many log files were read for less.
fn keeps(s: &Status) -> String {
    match s.read_for_less {
        0 => s.keep.to_string(),
        files => format!("{}; {files} log files were read for less: convert them again", s.keep),
    }
}

/// The first few of a list, and how many there are.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > 8 { ", ..." } else { "" };
    if names.is_empty() { "0".to_owned() } else { format!("{}: {shown}{more}", names.len()) }
}
