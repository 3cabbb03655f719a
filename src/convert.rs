//! Log files in, part files out: the pipeline, on all cores.
//!
//! Workers take one log file after another, and each keeps the rows of what it read as sorted runs;
//! when all are read the runs are merged, each event once, and written partition by partition. What comes
//! out depends on the input and the options alone: the order of rows is total, so it does not
//! matter who read what when. Nothing becomes visible in the dataset before the counts add up.
//! It refuses to print: what there is to say is in the [`Outcome`].

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod merge;
#[cfg(feature = "stages")]
#[doc(hidden)]
pub mod stages;
mod summary;
mod worker;
mod writer;

pub use crate::dataset::RecordCounts;
pub use crate::log_file::budget::Limits;
pub use crate::scope::{Keep, Redact};
pub use crate::sources::{LATE_DAYS, Problem, Selection, Shard, SkippedFiles, Unmatched};
pub use summary::{Conflict, FileCounts, Outcome};

use crate::dataset::{
    self, Busy, Dataset, DatasetRequest, Input, InputState, Ledger, LedgerMatch, Reject,
    Transaction,
};
use crate::error::{Error, Result};
use crate::layout::PartitionColumn;
use crate::log_file::LogFile;
use crate::rows::{MemoryBudget, Runs};
use crate::scope::Scope;
use crate::sources::{self, Listing};
use crate::store::{self, Fetching};
use merge::{Merged, Partition};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::hash::RandomState;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use worker::{ConvertWorker, Job};

/// What to convert, and how.
#[derive(Debug, Clone)]
pub struct ConvertConfig {
    /// Files, folders and patterns; with [`retry_rejected`](Self::retry_rejected) none stands for the
    /// log files that the dataset has rejects of.
    pub sources: Vec<String>,
    /// Manifests of S3 Inventories, on disk or in S3: more sources.
    pub inventories: Vec<String>,
    /// Which of the log files in them.
    pub selection: Selection,
    /// The dataset: a folder or `s3://BUCKET/PREFIX`; made if it is not there.
    pub out: PathBuf,
    /// Which records become rows; `None` takes the dataset's own, or calls to `CodeBuild` for a new one.
    /// A dataset that keeps less is widened, one that keeps more is refused.
    pub keep: Option<Keep>,
    /// Whether secrets are masked.
    pub redact: Redact,
    /// The partition columns; `None` takes the dataset's own, or region and month for a new one.
    pub partition_by: Option<Vec<PartitionColumn>>,
    /// How many threads; `None` takes one for each core.
    pub threads: Option<usize>,
    /// Only events at or after this, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Only events before this, in milliseconds since 1970.
    pub until: Option<i64>,
    /// About how many bytes a part file has at most.
    pub part_bytes: u64,
    /// Reads log files again of which something was rejected.
    pub retry_rejected: bool,
    /// The only log files that may be read, and what the SHA-256 of their contents, inflated, may be;
    /// `None` reads all.
    pub allowed_hashes: Option<HashMap<PathBuf, Vec<String>>>,
    /// One of several runs that share the log files between them.
    pub shard: Option<Shard>,
    /// How large a log file may be.
    pub limits: Limits,
    /// About how many bytes of memory to use; what is more goes to a file beside the part files that are not yet committed.
    pub memory: u64,
}

impl ConvertConfig {
    /// The sources to a dataset's folder, all else by default.
    #[must_use]
    pub fn new(sources: Vec<String>, out: PathBuf) -> Self {
        Self {
            sources,
            inventories: Vec::new(),
            selection: Selection::default(),
            out,
            keep: None,
            redact: Redact::Standard,
            partition_by: None,
            threads: None,
            since: None,
            until: None,
            part_bytes: PART_BYTES,
            retry_rejected: false,
            allowed_hashes: None,
            shard: None,
            limits: Limits::default(),
            memory: MEMORY,
        }
    }
}

/// Bytes of a part file at most, about, where nothing else is asked for: what the engines that read
/// from S3 split their work by is 128 to 512 MB.
pub const PART_BYTES: u64 = 256_000_000;

/// Bytes of memory to use, about, where nothing else is asked for.
pub const MEMORY: u64 = 512 << 20;

/// Bytes from which a log file is not left to the end: real ones have a few MB at most.
const LARGE_LOG_FILE_BYTES: u64 = 8 << 20;

/// Who is told how far a conversion is.
pub trait Progress: Sync {
    /// So many log files are to be read.
    fn start(&self, log_files: usize);
    /// One more was read.
    fn advance(&self);
    /// All were read; rows are being written.
    fn writing(&self);
}

/// Converts log files into a dataset.
///
/// Fails where the run cannot go on: a source that is not there, a dataset that cannot be written.
/// A file or record that cannot be read is in [`Outcome::problems`] and does not stop the run.
pub fn convert(config: &ConvertConfig, progress: &dyn Progress) -> Result<Outcome> {
    sources::refuse_overlap(&config.sources, &config.out)?;
    run(config, progress)
}

/// The same, wherever the dataset is: one that goes with the process may lie below a source.
pub(crate) fn run(config: &ConvertConfig, progress: &dyn Progress) -> Result<Outcome> {
    let keep = match config.keep {
        Some(keep) => keep,
        None => dataset::kept(&config.out)?.unwrap_or(Keep::CodeBuild),
    };
    let Sources { mut found, mut dataset, retry, unmatched } = Sources::open(config, keep)?;
    let pool = thread_pool(config.threads)?;
    pool.install(|| found.log_files.par_iter_mut().for_each(LogFile::ask_disk));
    let scope = Scope { keep, since: config.since, until: config.until };
    let ledger = dataset.ledger()?;
    if config.shard.is_some() {
        // Shards read side by side; each writes when no other does.
        dataset = dataset.unlock();
    }
    let known = skip_known(&mut found.log_files, &ledger, &scope, &retry);
    let single_threaded = pool.current_num_threads() == 1;
    progress.start(found.log_files.len());
    let job = Job {
        scope: &scope,
        redact: config.redact,
        ledger: &ledger,
        limits: config.limits,
        single_threaded,
        allowed_hashes: config.allowed_hashes.as_ref(),
    };
    let space =
        MemoryBudget::new(config.memory, pool.current_num_threads(), dataset.root().scratch()?);
    let state = RandomState::new();
    let new =
        || ConvertWorker::new(Runs::new(space.clone(), dataset.partition_by(), state.clone()));
    let read = read_all(&pool, job, &found.log_files, new, progress);
    progress.writing();
    let Read { runs, mut inputs, mut rejects, mut outcome } = read?;
    let ledger = if config.shard.is_some() {
        dataset = open_again(&dataset, config, keep)?;
        dataset.ledger()?
    } else {
        ledger
    };
    let met = inputs.iter().any(|input| ledger.has_met(&input.uri));
    outcome.widened_from = Some(dataset.keep()?).filter(|known| *known < keep);
    outcome.read_for_less = left_for_less(&ledger, &inputs, keep);
    outcome.unmatched = unmatched;
    drop(ledger);
    inputs.sort_by(|a, b| a.uri.cmp(&b.uri));
    rejects.sort_by(|a, b| (&a.file, a.record).cmp(&(&b.file, b.record)));
    outcome.files.skipped.known += known;
    outcome.files.found += known;
    outcome.problems = rejects.iter().map(summary::rejected).collect();
    add_listing(&mut outcome, found);
    let merged =
        pool.install(|| merge::merge(&dataset, runs, &state, config.part_bytes, single_threaded))?;
    reconcile(&mut inputs, &merged, &mut outcome)?;
    if inputs.is_empty() {
        dataset.remember_keep(keep)?;
        return Ok(outcome);
    }
    let mut transaction = Transaction::new(&dataset);
    stage(&mut transaction, merged.partitions, &mut outcome)?;
    transaction.commit_converted(&scope, &inputs, rejects, met)?;
    dataset.remember_keep(keep)?;
    Ok(outcome)
}

/// Stages the part files, and counts them.
fn stage(
    transaction: &mut Transaction<'_>,
    partitions: Vec<Partition>,
    outcome: &mut Outcome,
) -> Result<()> {
    for Partition { path, parts } in partitions {
        for (file, written) in parts {
            outcome.parts += 1;
            outcome.bytes += written.bytes;
            transaction.stage(&path, file, &written)?;
        }
    }
    Ok(())
}

/// Opens the dataset again for a shard that has read: others have committed since, perhaps the same events.
fn open_again(dataset: &Dataset, config: &ConvertConfig, keep: Keep) -> Result<Dataset> {
    let partition_by = dataset.partition_by().to_vec();
    let asked = DatasetRequest {
        partition_by: Some(&partition_by),
        redact: config.redact,
        keep: Some(keep),
    };
    Dataset::create_when(Busy::Wait, &config.out, asked)
}

/// How many inputs were read for less than the dataset keeps once this run is in it.
fn left_for_less(ledger: &Ledger, inputs: &[Input], keep: Keep) -> u64 {
    let is_read =
        |input: &&Input| input.state != InputState::Unreadable && input.scope.keep >= keep;
    let read = inputs.iter().filter(is_read);
    let again = read.filter(|input| ledger.was_read_for_less(&input.uri, keep)).count() as u64;
    ledger.read_for_less(keep).saturating_sub(again)
}

/// What a run reads, and what it writes to.
struct Sources {
    found: Listing,
    dataset: Dataset,
    /// Log files to read again, and what for.
    retry: BTreeMap<String, Scope>,
    /// What was asked for, and no log file is of.
    unmatched: Vec<Unmatched>,
}

impl Sources {
    /// Lists the sources first: without them no dataset is made.
    fn open(config: &ConvertConfig, keep: Keep) -> Result<Self> {
        let keep_all = keep == Keep::All;
        let partition_by = config.partition_by.as_deref();
        let asked = DatasetRequest { partition_by, redact: config.redact, keep: Some(keep) };
        let (listed, dataset) = if config.sources.is_empty() && config.inventories.is_empty() {
            let dataset = Dataset::open_to_write(&config.out)?;
            (None, dataset.accept(asked)?)
        } else {
            let mut found = sources::discover(&config.sources, &config.selection, keep_all)?;
            for manifest in &config.inventories {
                found.inventory(manifest, &config.selection, config.limits, keep_all)?;
            }
            let busy = if config.shard.is_some() { Busy::Wait } else { Busy::Refuse };
            (Some(found), Dataset::create_when(busy, &config.out, asked)?)
        };
        let mut retry =
            if config.retry_rejected { dataset.files_with_rejects()? } else { BTreeMap::new() };
        // A member is read again with its archive.
        let archives = retry
            .iter()
            .filter_map(|(uri, scope)| Some((sources::archive_of(uri)?.to_owned(), scope.clone())));
        for (archive, scope) in archives.collect::<Vec<_>>() {
            let both = retry.get(&archive).map_or_else(|| scope.clone(), |known| known.and(&scope));
            retry.insert(archive, both);
        }
        let mut found = match listed {
            Some(listed) => listed,
            None => sources::again(retry.keys(), keep_all)?,
        };
        let unmatched = found.unmatched(&config.selection);
        if let Some(shard) = config.shard {
            found.keep(|file| shard.takes(&file.path));
        }
        Ok(Self { found, dataset, retry, unmatched })
    }
}

/// Leaves the log files that are to be read; how many are not, because they were. Those of `retry`
/// are read again.
fn skip_known(
    log_files: &mut Vec<LogFile>,
    ledger: &Ledger,
    scope: &Scope,
    retry: &BTreeMap<String, Scope>,
) -> u64 {
    let before = log_files.len();
    log_files.retain_mut(|log_file| {
        let uri = log_file.uri();
        if let Some(rejected) = retry.get(&*uri) {
            // For what it was read for then, too, so that nothing of it stays rejected for that alone.
            log_file.scope = Some(rejected.and(scope));
            return true;
        }
        let seen = ledger.look_up(&uri, log_file.bytes, &log_file.etag, scope);
        log_file.changed = seen == LedgerMatch::Changed;
        seen != LedgerMatch::Known
    });
    (before - log_files.len()) as u64
}

/// Counts for each input what merging found, and checks that all adds up.
fn reconcile(inputs: &mut [Input], merged: &Merged, outcome: &mut Outcome) -> Result<()> {
    let mut conflicting: HashMap<&str, u64> = HashMap::new();
    for conflict in &merged.conflicts {
        *conflicting.entry(&conflict.file).or_default() += 1;
    }
    let mut duplicates: HashMap<&str, u64> =
        merged.duplicates.iter().map(|(file, count)| (&**file, *count)).collect();
    for input in inputs {
        let records = &mut input.records;
        let kept = records.read.saturating_sub(records.filtered + records.rejected);
        let duplicate = duplicates.get(&*input.uri).copied().unwrap_or_default().min(kept);
        // Should two names be one URI, each has its share.
        if let Some(left) = duplicates.get_mut(&*input.uri) {
            *left -= duplicate;
        }
        records.conflicting = conflicting.remove(&*input.uri).unwrap_or_default();
        records.duplicate = duplicate;
        records.written = kept - duplicate;
        outcome.records.add(records);
    }
    outcome.conflicts.clone_from(&merged.conflicts);
    let parts = merged.partitions.iter().flat_map(|partition| &partition.parts);
    let rows: u64 = parts.map(|(_, written)| written.rows).sum();
    if outcome.records.written != rows {
        return Err(Error::Unreconciled(format!(
            "the log files have {} new events, the partitions {rows}",
            outcome.records.written
        )));
    }
    outcome.check()
}

fn thread_pool(threads: Option<usize>) -> Result<ThreadPool> {
    // Zero asks rayon for one thread a core.
    let threads = threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Threads(error.into()))
}

/// What all workers have read.
#[derive(Debug, Default)]
struct Read {
    runs: Vec<Runs>,
    inputs: Vec<Input>,
    rejects: Vec<Reject>,
    outcome: Outcome,
}

/// Reads every log file, one worker a thread, and adds up what they have.
fn read_all(
    pool: &ThreadPool,
    job: Job<'_>,
    log_files: &[LogFile],
    new: impl Fn() -> ConvertWorker + Sync,
    progress: &dyn Progress,
) -> Result<Read> {
    let next = AtomicUsize::new(0);
    let fetching = fetch(job, log_files)?;
    // What is large goes first: at the end it would be waited for.
    let (large, others): (Vec<_>, Vec<_>) =
        log_files.iter().partition(|log_file| log_file.bytes >= LARGE_LOG_FILE_BYTES);
    let in_turn: Vec<&LogFile> = large.into_iter().chain(others).collect();
    let workers = pool.broadcast(|_| {
        let mut worker = new();
        while let Some(log_file) = in_turn.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !is_fetched(job, log_file) {
                worker.read(job, log_file)?;
                progress.advance();
            }
        }
        while let Some(object) = fetching.as_ref().and_then(Fetching::next) {
            if let Some(log_file) = log_files.get(object.index) {
                worker.fetched(job, log_file, object.bytes)?;
                progress.advance();
            }
        }
        worker.finish()
    });
    let mut read = Read::default();
    for worker in workers {
        let ConvertWorker { runs, inputs, rejects, outcome, .. } = worker?;
        read.runs.push(runs);
        read.inputs.extend(inputs);
        read.rejects.extend(rejects);
        read.outcome.add(outcome);
    }
    Ok(read)
}

/// Whether a log file's bytes come from afar, ahead of those who read them.
fn is_fetched(job: Job<'_>, log_file: &LogFile) -> bool {
    log_file.is_object() && log_file.bytes <= job.limits.bytes
}

/// Begins to fetch the log files that are objects.
fn fetch(job: Job<'_>, log_files: &[LogFile]) -> Result<Option<Fetching>> {
    let objects = log_files.iter().enumerate().filter(|(_, file)| is_fetched(job, file));
    let objects = objects.filter_map(|(index, file)| {
        let (bucket, key) = file.in_bucket()?;
        Some((index, Arc::clone(bucket), key.to_owned(), file.bytes))
    });
    let objects: Vec<_> = objects.collect();
    if objects.is_empty() { Ok(None) } else { store::fetch(objects).map(Some) }
}

/// What sources hold, for those who do something else with it than to convert it: log files, digests,
/// and what could not be listed.
pub(crate) fn list(
    sources: &[String],
    selection: &Selection,
) -> Result<(Vec<LogFile>, Vec<LogFile>, Vec<Problem>)> {
    let Listing { log_files, digests, problems, .. } =
        sources::discover(sources, selection, false)?;
    Ok((log_files, digests, problems))
}

/// Adds what listing found, and puts the problems in order.
fn add_listing(outcome: &mut Outcome, found: Listing) {
    let Listing { log_files, skipped, services, problems, .. } = found;
    let unlisted = problems.len() as u64;
    outcome.files.skipped.add(skipped);
    outcome.add_services(services);
    outcome.files.rejected += unlisted;
    outcome.files.found += log_files.len() as u64 + skipped.total() + unlisted;
    outcome.problems.extend(problems);
    outcome.problems.sort();
}
