//! `buildtrail verify`.

use crate::cli::common::args::{
    DATASET, ExitStatus, SummaryFormat, in_order, parse_time, print, wrong_usage,
};
use crate::cli::common::digests::DigestArgs;
use crate::dataset::Dataset;
use crate::integrity::{self, Finding, FindingState};
use crate::layout::META_FOLDER;
use crate::printable::say;
use crate::query::{self, tabulate};
use crate::sources::Selection;
use crate::verify::verify;
use serde_json::json;
use std::path::Path;

/// Add a dataset up again, or check log files by CloudTrail's digests
///
/// Of a dataset, reads every part file and compares checksums, rows, order, partitions and event ids
/// with the dataset's commits and ledger. What does not fit is named, and the exit status is 1.
///
/// Of log files (with --public-keys), checks the hash of each, the chain of their digests and the
/// digests' signatures. Exit status 1 if something is wrong or missing; 3 if nothing is wrong but
/// something could not be checked: the newest digest's signature is in S3 alone (--metadata), log files
/// may be younger than their digest.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    // An attribute, for a doc comment would want brackets around the URL.
    #[arg(required = true, value_name = "PLACE", help = PLACES, env = DATASET, hide_env_values = true)]
    places: Vec<String>,
    #[command(flatten)]
    digests: DigestArgs,
    /// Only log files of these accounts, as their keys say
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    account: Vec<String>,
    /// Only log files from these regions, as their keys say
    #[arg(long, value_delimiter = ',', value_name = "REGIONS")]
    region: Vec<String>,
    /// Only log files delivered on or after this day: 2026-09-01, 30d
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<i64>,
    /// Only log files delivered on or before this day
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,
    /// The form of the summary; JSON has what is valid, too
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    format: SummaryFormat,
}

const PLACES: &str = "A dataset; or log files: folders, quoted patterns, s3://BUCKET/PREFIX";

pub(super) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    in_order("verify", args.since, args.until)?;
    let is_dataset = |place: &&String| Path::new(place).join(META_FOLDER).is_dir();
    let a_dataset = args.places.iter().find(is_dataset);
    match (a_dataset, args.digests.are_given(), args.places.as_slice()) {
        (Some(_), true, _) => {
            Err(wrong_usage("verify", "this is a dataset: digests are of log files"))
        }
        (None, true, places) => {
            if places.iter().chain(&args.digests.place).any(|place| place == "-") {
                return Err(wrong_usage(
                    "verify",
                    "what is piped has no key: name files or folders",
                ));
            }
            let wanted = Selection {
                accounts: args.account.clone(),
                regions: args.region.clone(),
                ..Selection::delivered(args.since, args.until)
            };
            let findings = integrity::check(&args.digests.inputs(places, &wanted)?)?;
            log_files(&findings, args.format)
        }
        (_, false, [place]) => dataset(Path::new(place), args.format),
        (_, false, _) => Err(wrong_usage(
            "verify",
            "one dataset at a time; log files are checked with --public-keys",
        )),
    }
}

fn log_files(findings: &[Finding], format: SummaryFormat) -> anyhow::Result<ExitStatus> {
    let counts = integrity::counts(findings);
    if let SummaryFormat::Json = format {
        let counts: serde_json::Map<_, _> =
            counts.iter().map(|(state, count)| (state.name().to_owned(), json!(count))).collect();
        let text = json!({"findings": findings, "counts": counts});
        print(&(serde_json::to_string_pretty(&text)? + "\n"))?;
    } else {
        let rest: Vec<_> = findings.iter().filter(|f| f.state != FindingState::Valid).collect();
        if !rest.is_empty() {
            let row =
                |f: &&Finding| [f.kind, f.state.name(), &*f.object, &*f.detail].map(str::to_owned);
            let rows: Vec<_> = rest.iter().map(row).collect();
            let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
            print(&tabulate(["kind", "state", "object", "detail"], rows, query::Format::Table)?)?;
        }
        let counts = counts.iter().map(|(state, count)| format!("{count} {state}"));
        let counts: Vec<_> = counts.collect();
        let all = if counts.is_empty() {
            "no log files and no digests".to_owned()
        } else {
            counts.join(", ")
        };
        print(&format!("{all}\n"))?;
    }
    Ok(if counts.keys().any(|state| state.is_wrong()) || counts.is_empty() {
        ExitStatus::Failed
    } else if counts.keys().any(|state| *state != FindingState::Valid) {
        ExitStatus::Rejected
    } else {
        ExitStatus::Done
    })
}

fn dataset(place: &Path, format: SummaryFormat) -> anyhow::Result<ExitStatus> {
    let found = verify(&Dataset::open(place)?)?;
    for problem in &found.problems {
        say(&format!("does not fit: {problem}"));
    }
    print(&match format {
        SummaryFormat::Json => serde_json::to_string_pretty(&found)? + "\n",
        SummaryFormat::Table => format!(
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
    Ok(if found.problems.is_empty() { ExitStatus::Done } else { ExitStatus::Failed })
}
