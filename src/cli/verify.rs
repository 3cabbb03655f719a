//! `buildtrail verify`.

use super::{Format, Status, put, say, wrong_usage};
use crate::dataset::Dataset;
use crate::integrity::{self, Finding, IntegrityConfig, Report, State};
use crate::layout::META_FOLDER;
use crate::query::{self, tabulate};
use crate::verify::verify;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Add a dataset up again, or check log files by CloudTrail's digests
///
/// Of a dataset, reads every part file and compares checksums, rows, order, partitions and event ids
/// with the dataset's commits and ledger. What does not fit is named, and the exit status is 1.
///
/// Of log files (with --public-keys), checks the hash of each, the chain of their digests and the
/// digests' signatures, offline. Exit status 1 if something is wrong or missing; 3 if nothing is wrong
/// but something could not be checked: the newest digest's signature is in S3 alone (--metadata), log
/// files may be younger than their digest.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset's folder, or a folder of log files
    place: PathBuf,
    #[command(flatten)]
    digests: Digests,
    /// The form of the summary; JSON has what is valid, too
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What log files are checked by.
#[derive(Debug, clap::Args)]
pub(super) struct Digests {
    /// The output of `aws cloudtrail list-public-keys`, of the time and region of the digests
    #[arg(long, value_name = "FILE")]
    public_keys: Vec<PathBuf>,
    /// The folder of the digests, where it is not that of the log files
    #[arg(long = "digests", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The digests' metadata in S3: {"KEY": {"x-amz-meta-signature": "HEX"}}
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

impl Digests {
    /// Whether log files are to be checked at all.
    pub(super) fn are_given(&self) -> bool {
        !self.public_keys.is_empty() || self.folder.is_some() || self.metadata.is_some()
    }

    /// Checks the log files in a folder.
    pub(super) fn check(&self, logs: &Path) -> crate::error::Result<Report> {
        integrity::check(&IntegrityConfig {
            logs: logs.to_owned(),
            digests: self.folder.clone(),
            public_keys: self.public_keys.clone(),
            metadata: self.metadata.clone(),
        })
    }
}

pub(super) fn main(args: &Args) -> anyhow::Result<Status> {
    let is_dataset = args.place.join(META_FOLDER).is_dir();
    if is_dataset && args.digests.are_given() {
        wrong_usage("verify", "this is a dataset: digests are of log files");
    }
    if args.digests.are_given() {
        return log_files(&args.digests.check(&args.place)?, args.format);
    }
    dataset(&args.place, args.format)
}

fn log_files(report: &Report, format: Format) -> anyhow::Result<Status> {
    let counts = report.counts();
    if let Format::Json = format {
        let counts: serde_json::Map<_, _> =
            counts.iter().map(|(state, count)| (state.name().to_owned(), json!(count))).collect();
        let text = json!({"findings": report.findings, "counts": counts});
        put(&(serde_json::to_string_pretty(&text)? + "\n"))?;
    } else {
        let rest: Vec<_> = report.findings.iter().filter(|f| f.state != State::Valid).collect();
        if !rest.is_empty() {
            let row =
                |f: &&Finding| [f.kind, f.state.name(), &*f.object, &*f.detail].map(str::to_owned);
            let rows: Vec<_> = rest.iter().map(row).collect();
            let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
            put(&tabulate(["kind", "state", "object", "detail"], rows, query::Format::Table)?)?;
        }
        let counts = counts.iter().map(|(state, count)| format!("{count} {state}"));
        let counts: Vec<_> = counts.collect();
        let all = if counts.is_empty() {
            "no log files and no digests".to_owned()
        } else {
            counts.join(", ")
        };
        put(&format!("{all}\n"))?;
    }
    Ok(if counts.keys().any(|state| state.is_wrong()) || counts.is_empty() {
        Status::Failed
    } else if counts.keys().any(|state| *state != State::Valid) {
        Status::Rejected
    } else {
        Status::Done
    })
}

fn dataset(place: &Path, format: Format) -> anyhow::Result<Status> {
    let found = verify(&Dataset::open(place)?)?;
    for problem in &found.problems {
        say(&format!("does not fit: {problem}"));
    }
    put(&match format {
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
