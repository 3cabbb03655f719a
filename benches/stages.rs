//! Stage by stage: what each of those between a log file as stored and a part file costs.
//!
//! One mixed log file, as a trail of a whole account has them, and one of CodeBuild alone. All their
//! records pass every stage, so that bytes of JSON a second of two stages can be compared. Needs
//! the feature `stages`, which opens the stages to it.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod support;

use buildtrail::convert::stages;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;

fn is_codebuild(record: &Value) -> bool {
    record.get("eventSource").is_some_and(|source| source == "codebuild.amazonaws.com")
}

/// The log files by name: 2 % of the mixed one's records are CodeBuild's.
fn log_files() -> anyhow::Result<[(&'static str, String); 2]> {
    let (codebuild, others): (Vec<_>, Vec<_>) =
        support::records()?.into_iter().partition(is_codebuild);
    let others = others.iter().cycle().take(support::size(49, 1) * codebuild.len());
    let mixed: Vec<_> = codebuild.iter().chain(others).cloned().collect();
    Ok([
        ("mixed", support::log_file(&mixed, 0, 1)),
        ("CodeBuild", support::log_file(&codebuild, 0, support::size(20, 1))),
    ])
}

fn every_stage(criterion: &mut Criterion) -> anyhow::Result<()> {
    for (name, text) in log_files()? {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20).throughput(Throughput::Bytes(text.len() as u64));
        stages::each(&support::gzip(&text)?, &mut |stage, run| {
            group.bench_function(stage, |bencher| bencher.iter(&mut *run));
        })?;
        group.finish();
    }
    Ok(())
}

fn benches(criterion: &mut Criterion) {
    support::finish(every_stage(criterion));
}

criterion_group!(all, benches);
criterion_main!(all);
