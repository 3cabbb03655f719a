//! `buildtrail convert`.

use crate::cli::common::args::{
    ExitStatus, PART_SIZE, SummaryFormat, in_order, parse_part_size, parse_time, print, wrong_usage,
};
use crate::cli::common::digests::DigestArgs;
use crate::cli::common::problems;
use crate::cli::common::progress::Bar;
use crate::convert::{
    ConvertConfig, Keep, LATE_DAYS, Limits, Outcome, Redact, Selection, Shard, SkippedFiles,
    convert,
};
use crate::layout::PartitionColumn;
use crate::printable::{say, say_with_hint};
use crate::sources::is_manifest;
use crate::store::is_s3;
use crate::text;
use anyhow::Context as _;
use bytesize::ByteSize;
use indicatif::HumanBytes;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// Convert log files into a dataset
///
/// Reads CloudTrail log files, keeps the CodeBuild activity, and adds it to the dataset: sorted, each
/// event once. What is in the dataset already is not written again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    // An attribute, for a doc comment would want brackets around the URL.
    #[arg(help = SOURCES, required_unless_present_any = ["retry_rejected", "inputs_from"])]
    sources: Vec<String>,
    /// A file with more of them, one a line (`-` is standard input)
    #[arg(long, value_name = "FILE")]
    inputs_from: Option<PathBuf>,
    /// The dataset, a folder or an S3 URL; made if it is not there
    #[arg(long, short, value_name = "DATASET")]
    out: PathBuf,
    /// Which records become rows; a dataset that keeps less is widened [default: the dataset's own, else
    /// codebuild]
    #[arg(long, value_enum)]
    keep: Option<Keep>,
    /// Whether secrets are masked before anything is written
    #[arg(long, value_enum, default_value_t = Redact::Standard)]
    redact: Redact,
    // An attribute, for a doc comment would want backticks that a help text does not.
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS", help = PARTITION_BY)]
    partition_by: Option<Vec<PartitionColumn>>,
    /// Only log files of these accounts, as their keys say
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    account: Vec<String>,
    /// Only log files from these regions, as their keys say
    #[arg(long, value_delimiter = ',', value_name = "REGIONS")]
    region: Vec<String>,
    /// Days after --until that log files are still looked for: CloudTrail delivers up to 30 late
    #[arg(long, value_name = "N", default_value_t = LATE_DAYS)]
    late_days: u32,
    /// Only events at or after this time: 2026-09-01, 2026-09-01T12:00, yesterday, 7d, 12h, 1mo, now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<i64>,
    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,
    /// About how large a part file gets: 64MB, 1GB
    #[arg(long, value_name = "SIZE", default_value = PART_SIZE, value_parser = parse_part_size)]
    part_size: u64,
    /// Read log files again of which something was rejected; without SOURCE, all that the dataset knows
    #[arg(long)]
    retry_rejected: bool,
    /// Read only log files that a valid digest vouches for (--public-keys); reject the others
    #[arg(long, requires = "public_keys")]
    verify: bool,
    #[command(flatten)]
    digests: DigestArgs,
    /// Read only one of OF shares of the log files; all of them may run at once, into one dataset
    #[arg(long, value_name = "NUMBER/OF", conflicts_with = "retry_rejected")]
    shard: Option<Shard>,
    /// Most bytes of one log file, inflated
    #[arg(long, value_name = "SIZE", default_value = "4GiB")]
    max_file_size: ByteSize,
    /// How many times its own size a log file of more than 64 MB may inflate to
    #[arg(long, value_name = "N", default_value_t = Limits::default().ratio)]
    max_ratio: u64,
    /// About how much memory to use; what is more goes to a file beside what is staged
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    memory: ByteSize,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Say nothing but what is wrong: no summary for people, no notes, no progress
    #[arg(long, short)]
    quiet: bool,
    /// The form of the summary on standard output
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    format: SummaryFormat,
}

const SOURCES: &str = "Log files, folders, archives, quoted patterns ('logs/**/*.json.gz'), \
                       s3://BUCKET/PREFIX, - for standard input";

/// How many conflicts are named.
const CONFLICTS: usize = 20;

const PARTITION_BY: &str = "Partition columns, in order: any of account, region, year, month, day, \
                            event_name [default: the dataset's own, else region,month]";

/// The sources that a file lists, or the manifest of an inventory.
fn listed(list: &Path, inventories: &mut Vec<String>) -> anyhow::Result<Vec<String>> {
    let name = list.to_string_lossy();
    if is_s3(&name) {
        inventories.push(name.into_owned());
        return Ok(Vec::new());
    }
    let text =
        if list.as_os_str() == "-" { text::read_from(io::stdin()) } else { text::read(list) };
    let text = text.with_context(|| format!("read {}", list.display()))?;
    if is_manifest(&text) {
        if list.as_os_str() == "-" {
            return Err(wrong_usage(
                "convert",
                "a manifest is named, not piped: its data files are found by its place",
            ));
        }
        inventories.push(name.into_owned());
        return Ok(Vec::new());
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

pub(super) fn main(args: Args) -> anyhow::Result<ExitStatus> {
    let by = args.partition_by.as_deref().unwrap_or_default();
    if let Some(twice) = by.iter().enumerate().find(|(at, c)| by.iter().take(*at).any(|d| d == *c))
    {
        return Err(wrong_usage("convert", format!("--partition-by names `{}` twice", twice.1)));
    }
    let (mut sources, mut inventories) = (args.sources, Vec::new());
    if let Some(list) = &args.inputs_from {
        sources.extend(listed(list, &mut inventories)?);
    }
    in_order("convert", args.since, args.until)?;
    if args.verify && !inventories.is_empty() {
        return Err(wrong_usage(
            "convert",
            "--verify needs the log files themselves as SOURCE, not an inventory",
        ));
    }
    let selection =
        Selection { accounts: args.account, regions: args.region, ..Selection::default() };
    let selection = selection.of_period(args.since, args.until, args.late_days);
    let vouched =
        if args.verify { Some(args.digests.vouched(&sources, &selection)?) } else { None };
    let config = ConvertConfig {
        sources,
        inventories,
        selection,
        out: args.out,
        keep: args.keep,
        redact: args.redact,
        partition_by: args.partition_by,
        threads: args.threads.map(usize::from),
        since: args.since,
        until: args.until,
        part_bytes: args.part_size,
        retry_rejected: args.retry_rejected,
        allowed_hashes: vouched,
        limits: Limits { bytes: args.max_file_size.as_u64(), ratio: args.max_ratio },
        memory: args.memory.as_u64(),
        shard: args.shard,
    };
    let bar = if args.quiet { Bar::hidden() } else { Bar::new() };
    let outcome = convert(&config, &bar);
    bar.finish();
    let outcome = outcome?;
    tell(&outcome, &config, args.quiet);
    print(&match args.format {
        SummaryFormat::Table if args.quiet => String::new(),
        SummaryFormat::Table => summary(&outcome, &config.out),
        SummaryFormat::Json => serde_json::to_string_pretty(&outcome)? + "\n",
    })?;
    Ok(if outcome.has_rejects() { ExitStatus::Rejected } else { ExitStatus::Done })
}

/// Says what the summary does not: conflicts, problems, what nothing was found of.
fn tell(outcome: &Outcome, config: &ConvertConfig, quiet: bool) {
    for conflict in outcome.conflicts.iter().take(CONFLICTS) {
        say(&format!("conflict: {conflict}"));
    }
    if outcome.conflicts.len() > CONFLICTS {
        let more = outcome.conflicts.len() - CONFLICTS;
        say(&format!("conflict: {more} more; --format json names them all"));
    }
    problems::tell(&outcome.problems, Some(&config.out));
    if !quiet && let Some(hint) = nothing_read(outcome, &config.selection) {
        say(&format!("note: no log file was read: {hint}"));
    }
    for unmatched in &outcome.unmatched {
        say_with_hint(&format!("warning: {unmatched}"), unmatched.hint().as_deref());
    }
    tell_of_scope(outcome, quiet);
}

/// Says what a run that widened the dataset has left to be done.
fn tell_of_scope(outcome: &Outcome, quiet: bool) {
    if let Some(before) = outcome.widened_from.filter(|_| !quiet) {
        say(&format!("note: the dataset keeps more from now on: it kept `{before}` before"));
    }
    let s = if outcome.read_for_less == 1 { " was" } else { "s were" };
    match outcome.read_for_less {
        0 if outcome.widened_from.is_some() && !quiet => {
            say("note: 0 log files have to be read again: all were read for as much");
        }
        0 => {}
        files => {
            say(&format!("warning: {files} log file{s} read for less than the dataset keeps"));
            say("hint: name them, or their folder, as SOURCE: they are read again");
        }
    }
}

/// What to try where nothing was there to be read.
fn nothing_read(outcome: &Outcome, selection: &Selection) -> Option<&'static str> {
    let f = &outcome.files;
    let skipped = &f.skipped;
    if f.read + f.rejected + skipped.known + skipped.empty > 0 {
        return None;
    }
    Some(if !outcome.services.is_empty() {
        "the files are other services' (see the summary); CloudTrail's are in AWSLogs/ACCOUNT/CloudTrail"
    } else if *selection != Selection::default() {
        "none is of the accounts, regions and time that were asked for; --late-days widens the time"
    } else if skipped.other > 0 {
        "names that end like no log file's (.json, .gz, .jsonl, .ndjson, .csv, .tar, .tgz, .zip, .zst) are \
         passed over in folders; name such a file itself"
    } else if skipped.insight + skipped.aggregated > 0 {
        "Insight files and those of aggregated records hold no calls; --keep all reads them"
    } else if skipped.digest > 0 {
        "digest files hold no records; the log files are in the folder CloudTrail beside theirs"
    } else {
        "the folder has no files; name the one that AWSLogs is in"
    })
}

/// The summary for people; every line adds up.
fn summary(outcome: &Outcome, dataset: &Path) -> String {
    let (r, f) = (&outcome.records, &outcome.files);
    let mut text = format!(
        "records  {} read = {} written + {} filtered + {} duplicate + {} rejected\n",
        r.read, r.written, r.filtered, r.duplicate, r.rejected
    );
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "files    {} found = {} read + {} skipped{} + {} rejected",
        f.found,
        f.read,
        f.skipped.total(),
        kinds(&f.skipped),
        f.rejected
    );
    let _ = writeln!(
        text,
        "parts    {} written, {}, in {}",
        outcome.parts,
        HumanBytes(outcome.bytes),
        crate::printable::printable(&dataset.display().to_string())
    );
    if outcome.changed > 0 {
        let changed = outcome.changed;
        let _ = writeln!(text, "note     {changed} files have changed since an earlier run");
    }
    if outcome.foreign > 0 {
        let foreign = outcome.foreign;
        let _ = writeln!(text, "note     {foreign} events in the files are not CloudTrail's");
    }
    if !outcome.services.is_empty() {
        let services: Vec<_> =
            outcome.services.iter().map(|(service, count)| format!("{count} {service}")).collect();
        let services = services.join(", ");
        let _ = writeln!(text, "note     of other services, not read: {services}");
    }
    if r.conflicting > 0 {
        let _ = writeln!(
            text,
            "note     {} of the written share their event id with another row of other content",
            r.conflicting
        );
    }
    let misfits: u64 = outcome.coercions.values().sum();
    if misfits > 0 {
        let paths: Vec<_> = outcome.coercions.keys().take(5).map(String::as_str).collect();
        let more = if outcome.coercions.len() > 5 { ", ..." } else { "" };
        let _ = writeln!(
            text,
            "note     {misfits} values did not fit their column and are in the JSON text only: {}{more}",
            crate::printable::printable(&paths.join(", "))
        );
    }
    text
}

fn kinds(skipped: &SkippedFiles) -> String {
    let kinds = [
        (skipped.digest, "digest"),
        (skipped.insight, "insight"),
        (skipped.aggregated, "aggregated"),
        (skipped.empty, "empty"),
        (skipped.known, "known"),
        (skipped.other, "other"),
        (skipped.outside, "outside"),
    ];
    let kinds: Vec<_> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) }
}
