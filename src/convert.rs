//! Log files in, part files out: the pipeline, and the only place with threads.
//!
//! Workers take one log file after another, and each keeps the rows of what it read; when all are
//! read the rows are put in order, each event once, and written partition by partition. What comes
//! out depends on the input and the options alone: the order of rows is total, so it does not
//! matter who read what when. Nothing becomes visible in the dataset before the counts add up.
//! It refuses to print: what there is to say is in the [`Outcome`].

mod coerce;
mod columns;
mod discover;
mod envelope;
mod flatten;
mod identity;
mod inflate;
mod json;
mod merge;
mod operation;
mod paths;
mod record;
mod redact;
mod row;
mod settings;
mod summary;
mod target;
mod worker;
mod writer;

pub use summary::{FileCounts, Outcome, Problem, RecordCounts, SkippedFiles};

pub use crate::dataset::Redact;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::layout::PartitionColumn;
use discover::{Found, LogFile};
use merge::{Merged, Source};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use worker::Worker;

/// Which records become rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Calls to CodeBuild.
    CodeBuild,
    /// Those, what builds did in other services, and what CodeBuild itself did as a service.
    BuildActivity,
    /// Every record of every service.
    All,
}

/// What to convert, and how.
#[derive(Debug, Clone)]
pub struct ConvertConfig {
    /// Files, folders and patterns.
    pub sources: Vec<String>,
    /// The dataset's folder; made if it is not there.
    pub out: PathBuf,
    /// Which records become rows.
    pub keep: Keep,
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
}

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
    let found = discover::discover(&config.sources, config.keep == Keep::All)?;
    let dataset = Dataset::create(&config.out, config.partition_by.as_deref(), config.redact)?;
    let pool = thread_pool(config.threads)?;
    progress.start(found.log_files.len());
    let worker = read_all(&pool, config, &found.log_files, progress);
    progress.writing();
    let Worker { sources, mut outcome, .. } = worker?;
    add_listing(&mut outcome, found);
    let merged = arrange(&dataset, sources)?;
    outcome.records.duplicate = merged.duplicate;
    outcome.records.conflicting = merged.conflicting;
    outcome.records.written = merged.rows();
    outcome.check()?;
    let parts = pool.install(|| {
        let write = |partition| writer::write(&dataset, &merged, partition);
        merged.partitions.par_iter().map(write).collect::<Result<Vec<_>>>()
    })?;
    for part in parts {
        outcome.parts += 1;
        outcome.bytes += part.commit()?;
    }
    Ok(outcome)
}

fn thread_pool(threads: Option<usize>) -> Result<ThreadPool> {
    // Zero asks rayon for one thread a core.
    let threads = threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Threads(threads, error.to_string()))
}

/// Reads every log file, one worker a thread, and adds up what they have.
fn read_all(
    pool: &ThreadPool,
    config: &ConvertConfig,
    log_files: &[LogFile],
    progress: &dyn Progress,
) -> Result<Worker> {
    let next = AtomicUsize::new(0);
    let workers = pool.broadcast(|_| {
        let mut worker = Worker::new();
        while let Some(log_file) = log_files.get(next.fetch_add(1, Ordering::Relaxed)) {
            worker.read(config, log_file)?;
            progress.advance();
        }
        worker.finish()
    });
    workers.into_iter().try_fold(Worker::new(), |sum, worker| Ok(sum.join(worker?)))
}

/// Adds what listing found, and puts the problems in order.
fn add_listing(outcome: &mut Outcome, found: Found) {
    let Found { log_files, digests, insights, aggregated, others, problems } = found;
    let skipped = &mut outcome.files.skipped;
    (skipped.digest, skipped.insight) = (digests, insights);
    (skipped.aggregated, skipped.other) = (aggregated, others);
    let unlisted = problems.len() as u64;
    outcome.files.rejected += unlisted;
    outcome.files.found =
        log_files.len() as u64 + digests + insights + aggregated + others + unlisted;
    outcome.problems.extend(problems);
    outcome.problems.sort();
}

/// Puts the rows in order beside those that the dataset already has in their partitions.
fn arrange(dataset: &Dataset, mut sources: Vec<Source>) -> Result<Merged> {
    let touched = merge::partitions(&sources, dataset.partition_by())?;
    for partition in touched {
        for rows in dataset.read_partition(&partition)? {
            sources.push(Source { rows, committed: true });
        }
    }
    merge::merge(sources, dataset.partition_by())
}
