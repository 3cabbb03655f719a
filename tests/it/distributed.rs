//! Queries that workers do: three processes on loopback give the answers that one gives, and a worker
//! that fails is named, whatever has been printed by then.

use crate::pack;
use crate::s3::Server;
use crate::support::{Dataset, ROOT, SAMPLE, buildtrail, command, dataset, run, sample};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A worker process; it goes when this goes.
struct Worker {
    process: Child,
    address: String,
}

impl Worker {
    /// A worker that listens, on a port that the system chose.
    fn start(dataset: &Dataset) -> Self {
        Self::spawn(command(&["worker", &dataset.name()]))
    }

    fn spawn(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        Self { process, address: address.trim().to_owned() }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn three(dataset: &Dataset) -> Vec<Worker> {
    (0..3).map(|_| Worker::start(dataset)).collect()
}

fn addresses(workers: &[Worker]) -> String {
    workers.iter().map(|worker| worker.address.as_str()).collect::<Vec<_>>().join(",")
}

/// The lines of an answer, in an order of their own: not every query has one.
fn sorted(answer: &str) -> Vec<&str> {
    let mut lines: Vec<_> = answer.lines().collect();
    lines.sort_unstable();
    lines
}

/// Asks every third query and view of the pack, alone and with workers, over all that the pack finds.
fn check_third(third: usize) {
    let folder = Path::new(ROOT).join("tests/pack");
    let files = folder.join("*/*.json").to_str().unwrap().to_owned();
    let dataset = dataset(&[&files, "--keep", "all"]);
    let workers = three(&dataset);
    let workers = addresses(&workers);
    let cases = pack::cases();
    let cases: Vec<_> = cases.iter().skip(third).step_by(3).collect();
    let mut with_rows = 0;
    for case in &cases {
        let alone = case.ask_with(&dataset, &[]);
        let together = case.ask_with(&dataset, &["--workers", &workers]);
        assert_eq!(sorted(&together), sorted(&alone), "{}", case.name);
        with_rows += usize::from(alone.lines().count() > 1);
    }
    assert!(with_rows * 10 >= cases.len() * 9, "{with_rows} of {} have rows", cases.len());
}

#[test]
fn workers_give_the_same_answers_first_third() {
    check_third(0);
}

#[test]
fn workers_give_the_same_answers_second_third() {
    check_third(1);
}

#[test]
fn workers_give_the_same_answers_last_third() {
    check_third(2);
}

#[test]
fn the_work_is_done_by_workers() {
    let dataset = sample("all");
    let workers = three(&dataset);
    let sql = "EXPLAIN ANALYZE SELECT event_name, count(*) FROM events GROUP BY event_name";
    let args = ["sql", &dataset.name(), "-c", sql, "--format", "csv", "--workers"];
    let plan = buildtrail(&[&args[..], &[&addresses(&workers)]].concat()).exits(0).stdout;
    for part in ["DistributedExec", "remote_coordinator_channels=6", "NetworkShuffleExec"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert!(plan.contains("Stage 1 ── tasks=3") && plan.contains("Stage 2 ── tasks=3"), "{plan}");
    let alone = buildtrail(&args[..6]).exits(0).stdout;
    assert!(!alone.contains("DistributedExec"), "{alone}");
}

/// A worker sees a commit that came after it began, and what a later one has replaced.
#[test]
fn workers_follow_the_dataset() {
    let place = dataset(&["tests/pack/root-use/find.json"]);
    let workers = three(&place);
    let workers = addresses(&workers);
    let count = || {
        let sql = "SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM events";
        let args = ["sql", &place.name(), "-c", sql, "--format", "csv"];
        let alone = buildtrail(&args).exits(0).stdout;
        let args = [&args[..], &["--workers", &workers]].concat();
        assert_eq!(buildtrail(&args).exits(0).stdout, alone);
        alone
    };
    let before = count();
    place.convert(&["data/AWSLogs"]).exits(0);
    assert_ne!(count(), before);
    place.convert(&["tests/pack/root-use/other.json"]).exits(0);
    buildtrail(&["compact", &place.name()]).exits(0);
    count();
}

#[test]
fn workers_of_a_dataset_in_a_bucket_follow_it() {
    let Some(server) = Server::with("asked") else { return };
    let name = "s3://asked/lake";
    let ask = |args: &[&str]| run(server.command(args), "").exits(0).stdout;
    ask(&["convert", "data/AWSLogs/111122223333", "--out", name]);
    let workers: Vec<_> =
        (0..3).map(|_| Worker::spawn(server.command(&["worker", name]))).collect();
    let workers = addresses(&workers);
    ask(&["convert", SAMPLE, "--out", name]);
    for sql in [
        "SELECT event_name, count(*) AS n FROM events GROUP BY event_name ORDER BY event_name",
        "SELECT * FROM events ORDER BY event_time, event_id",
    ] {
        let args = ["sql", name, "-c", sql, "--format", "csv"];
        let alone = ask(&args);
        assert_eq!(ask(&[&args[..], &["--workers", &workers]].concat()), alone);
    }
    let sql = "EXPLAIN ANALYZE SELECT event_name, count(*) FROM events GROUP BY event_name";
    let plan = ask(&["sql", name, "-c", sql, "--workers", &workers]);
    assert!(plan.contains("DistributedExec"), "{plan}");
}

/// A query without end, so that it cannot be over before its worker is.
const ENDLESS: &str = "SELECT a.event_id FROM events a, events b, events c, events d, events e";

#[test]
fn a_worker_killed_during_a_query_is_named() {
    let dataset = sample("all");
    for victim in 0..3 {
        let mut workers = three(&dataset);
        let list = addresses(&workers);
        let name = dataset.name();
        let args = ["sql", &name, "-c", ENDLESS, "--format", "ndjson", "--workers", &list];
        let mut asking =
            command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut rows = BufReader::new(asking.stdout.take().unwrap());
        let mut row = String::new();
        rows.read_line(&mut row).unwrap();
        assert!(row.starts_with("{\"event_id\""), "{row}");
        workers[victim].kill();
        std::io::copy(&mut rows, &mut std::io::sink()).unwrap();
        let mut said = String::new();
        asking.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(asking.wait().unwrap().code(), Some(1), "{said}");
        let expected = format!("error: worker {}: broke off", workers[victim].address);
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_worker_that_is_not_there_is_named() {
    let dataset = sample("all");
    let mut workers = three(&dataset);
    workers[1].kill();
    let list = addresses(&workers);
    let run = buildtrail(&["run", "callers", &dataset.name(), "--workers", &list]).exits(1);
    let expected = format!("error: worker {}: is not there", workers[1].address);
    assert!(run.stderr.starts_with(&expected) && run.stdout.is_empty(), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn a_worker_of_another_dataset_fails() {
    let asked = sample("all");
    let other = dataset(&["tests/pack/root-use/find.json"]);
    // With one worker there is nothing to share, and the asking process does all itself.
    let workers = three(&other);
    let sql = "SELECT DISTINCT event_id FROM events";
    let args = ["sql", &asked.name(), "-c", sql, "--workers", &addresses(&workers)];
    let run = buildtrail(&args).exits(1);
    assert!(run.stderr.contains("is it the one that was asked?"), "{}", run.stderr);
    assert!(run.stdout.is_empty(), "{}", run.stdout);
}

#[test]
fn what_workers_cannot_do_is_refused() {
    let dataset = sample("all");
    let worker = Worker::start(&dataset);
    let name = dataset.name();
    let ask =
        |more: &[&str]| buildtrail(&[&["sql", &name, "--workers", &worker.address], more].concat());
    for option in ["--allow-files", "--allow-write"] {
        let run = ask(&["-c", "SELECT 1", option]).exits(2);
        assert!(run.stderr.contains("cannot be used with"), "{}", run.stderr);
    }
    for (sql, reason) in [
        ("SET TIME ZONE = '+01:00'", "do not reach the workers"),
        ("RESET datafusion.execution.time_zone", "do not reach the workers"),
        ("SELECT * FROM cloudtrail('data/AWSLogs')", "cloudtrail() names files"),
    ] {
        let run = ask(&["-c", sql]).exits(1);
        assert!(run.stderr.contains(reason), "{sql}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    // What has no part files is done here; JSON functions are known there.
    ask(&["-c", "SELECT 1", "-c", "SELECT 1"]).exits(2);
    ask(&["-c", ".tables"]).exits(0);
    let sql = "SELECT max(request_parameters->>'projectName') AS name FROM events";
    assert!(ask(&["-c", sql, "--format", "csv"]).exits(0).stdout.lines().count() == 2);
    // An error of the query is the query's.
    let run = ask(&["-c", "SELECT 1 / (source_record - source_record) FROM events"]).exits(1);
    assert!(
        run.stderr.contains("Divide by zero") && !run.stderr.contains("worker"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_wrong_address_is_wrong_usage() {
    let name = sample("all").name();
    for address in ["", "localhost", "7000", "127.0.0.1:70000", "127.0.0.1:1/path"] {
        let run = buildtrail(&["sql", &name, "-c", "SELECT 1", "--workers", address]).exits(2);
        assert!(run.stderr.contains("expected HOST:PORT"), "{}", run.stderr);
    }
    for address in ["", "here", "7000", "127.0.0.1"] {
        buildtrail(&["worker", &name, "--listen", address]).exits(2);
    }
    let worker = Worker::start(&sample("all"));
    let run = buildtrail(&["worker", &name, "--listen", &worker.address]).exits(1);
    let expected = format!("error: worker {}: cannot listen there", worker.address);
    assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
    let run = buildtrail(&["worker", "data"]).exits(1);
    assert!(run.stderr.contains("is no dataset"), "{}", run.stderr);
}
