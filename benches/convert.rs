//! The whole way, end to end: log files on disk to a dataset, and a question answered.
//!
//! Criterion reports bytes of JSON a second for the conversion.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod support;

use anyhow::Context as _;
use buildtrail::convert::{ConvertConfig, Progress, convert};
use buildtrail::dataset::Dataset;
use buildtrail::query::{self, Access, Form, Format, QueryLimits, Runner, SavedQueries};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::fs;
use std::hint::black_box;
use std::io;
use std::path::Path;

struct Silent;

impl Progress for Silent {
    fn start(&self, _: usize) {}
    fn advance(&self) {}
    fn writing(&self) {}
}

/// Writes the log files below `folder`; the bytes of JSON in them.
fn make_log_files(folder: &Path) -> anyhow::Result<u64> {
    let records = support::records()?;
    let mut bytes = 0;
    for number in 0..support::size(16, 2) {
        let text = support::log_file(&records, number, support::size(20, 1));
        bytes += text.len() as u64;
        fs::write(folder.join(format!("{number}.json.gz")), support::gzip(&text)?)?;
    }
    Ok(bytes)
}

fn config(logs: &Path, out: &Path) -> ConvertConfig {
    ConvertConfig::new(vec![logs.display().to_string()], out.to_owned())
}

fn end_to_end(criterion: &mut Criterion) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let logs = folder.path().join("logs");
    fs::create_dir(&logs)?;
    let bytes = make_log_files(&logs)?;

    let mut group = criterion.benchmark_group("end to end");
    group.sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function("convert", |bencher| {
        bencher.iter_with_large_drop(|| {
            let out = tempfile::tempdir().ok()?;
            black_box(convert(&config(&logs, out.path()), &Silent).ok())?;
            Some(out)
        });
    });
    group.finish();

    let out = folder.path().join("dataset");
    convert(&config(&logs, &out), &Silent).context("convert")?;
    let dataset = Dataset::open(&out)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    criterion.bench_function("ask: one project's changes", |bencher| {
        let sql = "SELECT event_time, actor FROM events WHERE project_name = 'payments-api' \
                   AND operation_access = 'write' ORDER BY event_time";
        bencher.iter(|| {
            let session = query::open(&dataset, Access::default(), &QueryLimits::default()).ok()?;
            let queries = SavedQueries::load(None).ok()?;
            let form = Form::new(Format::Csv);
            let mut runner = Runner::new(session, queries, form, Box::new(io::sink()));
            runtime.block_on(runner.run(sql)).ok()
        });
    });
    Ok(())
}

/// A run that has nothing to do, over log files that the ledger knows: links to one file, each under
/// its own name, as many as the environment's `KNOWN_LOG_FILES` says or 20,000.
fn known(criterion: &mut Criterion) -> anyhow::Result<()> {
    let count = match std::env::var("KNOWN_LOG_FILES") {
        Ok(count) => count.parse().context("KNOWN_LOG_FILES")?,
        Err(_) => support::size(20_000, 20),
    };
    let folder = tempfile::tempdir()?;
    let (logs, out) = (folder.path().join("logs"), folder.path().join("dataset"));
    for number in 0..count {
        // A file has so many names at most, a folder is best with few.
        let part = logs.join(format!("{:04}", number / 1000));
        let first = part.join("0.json");
        if number % 1000 == 0 {
            fs::create_dir_all(&part)?;
            fs::write(&first, r#"{"Records":[]}"#)?;
        } else {
            fs::hard_link(&first, part.join(format!("{number}.json")))?;
        }
    }
    convert(&config(&logs, &out), &Silent).context("convert")?;
    let mut group = criterion.benchmark_group("known log files");
    group.sample_size(10).throughput(Throughput::Elements(count as u64));
    group.bench_function("convert again", |bencher| {
        bencher.iter(|| convert(&config(&logs, &out), &Silent).ok());
    });
    group.finish();
    Ok(())
}

fn benches(criterion: &mut Criterion) {
    support::finish(end_to_end(criterion).and_then(|()| known(criterion)));
}

criterion_group!(all, benches);
criterion_main!(all);
