//! The whole way, end to end: log files on disk to a dataset, and a question answered.
//!
//! The log files are made here from the records of `data/`, so that a figure needs nothing but a
//! clone. Criterion reports bytes of JSON a second for the conversion.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use anyhow::Context as _;
use buildtrail::convert::{ConvertConfig, Progress, convert};
use buildtrail::dataset::Dataset;
use buildtrail::query::{self, Access, Form, Format, Limits, Runner, SavedQueries};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Log files, and how often each repeats the records of `data/` under new event ids.
const LOG_FILES: usize = 16;
const REPEATS: usize = 20;

struct Silent;

impl Progress for Silent {
    fn start(&self, _: usize) {}
    fn advance(&self) {}
    fn writing(&self) {}
}

/// Every record of `data/AWSLogs`.
fn records() -> anyhow::Result<Vec<Value>> {
    let mut records = Vec::new();
    for entry in walkdir::WalkDir::new("data/AWSLogs").sort_by_file_name() {
        let entry = entry?;
        if !entry.file_type().is_file() {
            continue;
        }
        let raw = fs::read(entry.path())?;
        let mut text = Vec::new();
        if raw.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(raw.as_slice()).read_to_end(&mut text)?;
        } else {
            text = raw;
        }
        let mut file: Value = serde_json::from_slice(&text)?;
        if let Some(Value::Array(list)) = file.get_mut("Records").map(Value::take) {
            records.extend(list);
        }
    }
    Ok(records)
}

/// Writes the log files below `folder`; the bytes of JSON in them.
fn make_log_files(folder: &Path) -> anyhow::Result<u64> {
    let seed = records()?;
    let mut bytes = 0;
    for number in 0..LOG_FILES {
        let mut list = Vec::new();
        for repeat in 0..REPEATS {
            for (index, record) in seed.iter().enumerate() {
                let mut record = record.clone();
                if let Some(record) = record.as_object_mut() {
                    let id = format!("{number:04}-{repeat:04}-{index:08}");
                    record.insert("eventID".to_owned(), Value::String(id));
                }
                list.push(record);
            }
        }
        let text = json!({ "Records": list }).to_string();
        bytes += text.len() as u64;
        let file = File::create(folder.join(format!("{number}.json.gz")))?;
        GzEncoder::new(file, Compression::default()).write_all(text.as_bytes())?;
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
            let session = query::open(&dataset, Access::default(), &Limits::default()).ok()?;
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
    let count: u64 = match std::env::var("KNOWN_LOG_FILES") {
        Ok(count) => count.parse().context("KNOWN_LOG_FILES")?,
        Err(_) => 20_000,
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
    group.sample_size(10).throughput(Throughput::Elements(count));
    group.bench_function("convert again", |bencher| {
        bencher.iter(|| convert(&config(&logs, &out), &Silent).ok());
    });
    group.finish();
    Ok(())
}

fn benches(criterion: &mut Criterion) {
    if let Err(error) = end_to_end(criterion).and_then(|()| known(criterion)) {
        // A bench that cannot run has failed, and must say so.
        std::panic::resume_unwind(Box::new(error.to_string()));
    }
}

criterion_group!(all, benches);
criterion_main!(all);
