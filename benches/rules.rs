//! Compares each of our own rules of the engine's plans: the same statement with and without it.
//!
//! A rule whose two figures no longer differ can be deleted. Needs the feature `stages`, which lets a
//! session leave one out.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod support;

use buildtrail::convert::{ConvertConfig, Progress, convert};
use buildtrail::dataset::Dataset;
use buildtrail::query::{Access, COUNT_DISTINCT, QueryLimits, RULES, open_without};
use criterion::{Criterion, criterion_group, criterion_main};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

struct Quiet;

impl Progress for Quiet {
    fn start(&self, _: usize) {}
    fn advance(&self) {}
    fn writing(&self) {}
}

/// A dataset of the records of `data/`, many times.
fn dataset() -> anyhow::Result<(TempDir, Dataset)> {
    let folder = tempfile::tempdir()?;
    let records = support::records()?;
    let logs = folder.path().join("logs");
    fs::create_dir(&logs)?;
    for number in 0..support::size(40, 1) {
        let text = support::log_file(&records, number, support::size(100, 1));
        fs::write(logs.join(format!("{number}.json.gz")), support::gzip(&text)?)?;
    }
    let out = folder.path().join("dataset");
    let sources = vec![logs.display().to_string()];
    convert(&ConvertConfig::new(sources, out.clone()), &Quiet)?;
    let dataset = Dataset::open(Path::new(&out))?;
    Ok((folder, dataset))
}

/// A statement of the kind that a rule is for.
fn statement(rule: &str) -> &'static str {
    match rule {
        "lag" => {
            "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY event_id ORDER BY event_time) \
             AS nth, lag(actor) OVER (PARTITION BY event_id ORDER BY event_time) AS before \
             FROM events) WHERE nth = 1 AND before IS NULL"
        }
        "per_distinct_value" => {
            "SELECT count(*) FROM events WHERE lower(user_agent) LIKE '%terraform%' \
             OR lower(user_agent) LIKE '%jenkins%'"
        }
        "compact_views" => {
            "SELECT count(*) FROM (SELECT event_id, user_agent, row_number() OVER \
             (ORDER BY user_agent, event_id) AS nth FROM events) WHERE nth > 1"
        }
        _ => {
            "SELECT count(*), max(actors) FROM (SELECT event_id, count(DISTINCT actor) AS actors \
             FROM events GROUP BY event_id)"
        }
    }
}

fn with_and_without(criterion: &mut Criterion) -> anyhow::Result<()> {
    let (_folder, dataset) = dataset()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for rule in RULES.into_iter().chain([COUNT_DISTINCT]) {
        let mut group = criterion.benchmark_group(rule);
        group.sample_size(10);
        for (name, left_out) in [("with", ""), ("without", rule)] {
            let session =
                open_without(&dataset, Access::default(), &QueryLimits::default(), left_out)?;
            let ask =
                || runtime.block_on(async { session.sql(statement(rule)).await?.collect().await });
            anyhow::ensure!(ask()?.iter().any(|batch| batch.num_rows() > 0), "{rule}: no rows");
            group.bench_function(name, |bencher| bencher.iter(ask));
        }
        group.finish();
    }
    Ok(())
}

fn benches(criterion: &mut Criterion) {
    support::finish(with_and_without(criterion));
}

criterion_group!(all, benches);
criterion_main!(all);
