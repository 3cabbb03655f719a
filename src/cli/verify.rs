//! `buildtrail verify`.

use super::convert::parse_time;
use super::{Format, Status, put, say, wrong_usage};
use crate::convert::{self, Selection};
use crate::dataset::Dataset;
use crate::error::Result;
use crate::integrity::{self, File, Finding, Inputs, State, Vouched};
use crate::layout::META_FOLDER;
use crate::log_file::LogFile;
use crate::query::{self, tabulate};
use crate::verify::verify;
use chrono::Days;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    #[arg(required = true, value_name = "PLACE", help = PLACES)]
    places: Vec<String>,
    #[command(flatten)]
    digests: Digests,
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
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const PLACES: &str = "A dataset; or log files: folders, quoted patterns, s3://BUCKET/PREFIX";

/// What log files are checked by.
#[derive(Debug, clap::Args)]
pub(super) struct Digests {
    /// The output of `aws cloudtrail list-public-keys`, of the time and region of the digests
    #[arg(long, value_name = "FILE")]
    public_keys: Vec<PathBuf>,
    /// Where the digests are, if not with the log files
    #[arg(long = "digests", value_name = "PLACE")]
    place: Vec<String>,
    /// The digests' metadata in S3: {"KEY": {"x-amz-meta-signature": "HEX"}}
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

impl Digests {
    /// Whether log files are to be checked at all.
    fn are_given(&self) -> bool {
        !self.public_keys.is_empty() || !self.place.is_empty() || self.metadata.is_some()
    }

    /// What valid digests say of log files in sources.
    pub(super) fn vouched(&self, sources: &[String], wanted: &Selection) -> Result<Vouched> {
        integrity::vouched(&self.inputs(sources, wanted)?)
    }

    /// Lists log files and digests as `convert` does, so that what it reads is what is checked.
    fn inputs(&self, sources: &[String], wanted: &Selection) -> Result<Inputs> {
        // A log file is in a digest of its day or, around midnight, the next day's.
        let later = wanted.to.and_then(|to| to.checked_add_days(Days::new(1)));
        let digest_selection = Selection { to: later, ..wanted.clone() };
        let (mut log_files, mut digests, mut problems) = convert::list(sources, &digest_selection)?;
        log_files.retain(|file| wanted.may_hold(&file.path.to_string_lossy()));
        if !self.place.is_empty() {
            let (_, elsewhere, more) = convert::list(&self.place, &digest_selection)?;
            digests = elsewhere;
            problems.extend(more);
        }
        if digests.is_empty() {
            say(
                "note: no digests were found: they are in the folder CloudTrail-Digest beside CloudTrail; \
                 --digests tells where",
            );
        }
        let files = |files: Vec<LogFile>| files.into_iter().map(File::from).collect();
        Ok(Inputs {
            log_files: files(log_files),
            digests: files(digests),
            log_selection: wanted.clone(),
            digest_selection,
            unlisted: problems.into_iter().map(|problem| (problem.file, problem.reason)).collect(),
            public_keys: self.public_keys.clone(),
            metadata: self.metadata.clone(),
        })
    }
}

impl From<LogFile> for File {
    fn from(file: LogFile) -> Self {
        let object = file.in_bucket().map(|(bucket, key)| (Arc::clone(bucket), key.to_owned()));
        Self { object, path: file.path }
    }
}

pub(super) fn main(args: &Args) -> anyhow::Result<Status> {
    let is_dataset = |place: &&String| Path::new(place).join(META_FOLDER).is_dir();
    let a_dataset = args.places.iter().find(is_dataset);
    match (a_dataset, args.digests.are_given(), args.places.as_slice()) {
        (Some(_), true, _) => wrong_usage("verify", "this is a dataset: digests are of log files"),
        (None, true, places) => {
            if places.iter().chain(&args.digests.place).any(|place| place == "-") {
                wrong_usage("verify", "what is piped has no key: name files or folders");
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
        (_, false, _) => {
            wrong_usage("verify", "one dataset at a time; log files are checked with --public-keys")
        }
    }
}

fn log_files(findings: &[Finding], format: Format) -> anyhow::Result<Status> {
    let counts = integrity::counts(findings);
    if let Format::Json = format {
        let counts: serde_json::Map<_, _> =
            counts.iter().map(|(state, count)| (state.name().to_owned(), json!(count))).collect();
        let text = json!({"findings": findings, "counts": counts});
        put(&(serde_json::to_string_pretty(&text)? + "\n"))?;
    } else {
        let rest: Vec<_> = findings.iter().filter(|f| f.state != State::Valid).collect();
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
