//! Queries that workers do: three processes on loopback give the answers that one gives, and a worker
//! that fails is named, whatever has been printed by then.

use crate::case;
use crate::kill;
use crate::s3::Server;
use crate::support::{Dataset, SAMPLE, buildtrail, command, dataset, run, sample};
use std::io::{BufRead as _, BufReader, Read as _};
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
    // One case a query: workers are asked here, not the queries, which have more in tests/pack.rs. Those give
    // one event id several contents, so the order of rows would be anybody's.
    let cases = case::cases().into_iter().filter(|case| case.name == case.query());
    let cases: Vec<_> = cases.collect();
    let files =
        cases.iter().flat_map(|case| ["find.json", "other.json"].map(|f| case.folder.join(f)));
    let files: Vec<_> = files.map(|file| file.to_str().unwrap().to_owned()).collect();
    let mut args: Vec<&str> = files.iter().map(String::as_str).collect();
    args.extend(["--keep", "all"]);
    let dataset = dataset(&args);
    let workers = three(&dataset);
    let workers = addresses(&workers);
    let cases: Vec<_> = cases.iter().skip(third).step_by(3).collect();
    let (mut with_rows, mut refused) = (0, 0);
    for case in &cases {
        let question = case.question(&dataset.name());
        let mut args: Vec<&str> = question.iter().map(String::as_str).collect();
        args.extend(["--workers", &workers]);
        let together = buildtrail(&args);
        if together.stderr.contains("GROUPS is not for workers") {
            // A view of it has windows that workers do not take.
            refused += 1;
            continue;
        }
        let together = together.exits(0).stdout;
        let alone = case.ask(&dataset.name(), &[]);
        assert_eq!(sorted(&together), sorted(&alone), "{}", case.name);
        with_rows += usize::from(alone.lines().count() > 1);
    }
    let asked = cases.len() - refused;
    assert!(with_rows * 10 >= asked * 9 && refused < 6, "{with_rows} of {asked} have rows");
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

/// What a plan for one process says only by what it is: that a stream has all rows, and that a LIMIT
/// holds for all of it. Every answer has one order, and none depends on which rows a LIMIT takes.
const SHAPES: &str = "
SELECT count(*) AS limited_left FROM (SELECT event_id FROM events LIMIT 7) a
    JOIN events b ON a.event_id = b.event_id;
SELECT count(*) AS limited_right FROM events a
    JOIN (SELECT event_id FROM events LIMIT 7) b ON a.event_id = b.event_id;
SELECT count(*) AS filtered_left FROM
    (SELECT event_id FROM events WHERE event_name <> 'x' LIMIT 7) a
    JOIN events b ON a.event_id = b.event_id;
SELECT count(*) AS limited_groups FROM (SELECT DISTINCT event_id FROM events LIMIT 7) a
    JOIN events b ON a.event_id = b.event_id;
SELECT count(*) AS skipped FROM (SELECT event_id FROM events LIMIT 7 OFFSET 3) a
    JOIN events b ON a.event_id = b.event_id;
SELECT count(*) AS limited_product FROM (SELECT event_id FROM events LIMIT 7) a
    CROSS JOIN (SELECT event_id FROM events LIMIT 5) b;
SELECT count(*) AS limited_outer FROM (SELECT event_id FROM events LIMIT 7) a
    LEFT JOIN events b ON a.event_id = b.event_id;
SELECT count(*) AS limited_full FROM (SELECT event_id FROM events LIMIT 7) a
    FULL JOIN events b ON a.event_id = b.event_id;
SELECT count(*) AS limited_semi FROM events
    WHERE event_id IN (SELECT event_id FROM events LIMIT 7);
SELECT count(*) AS limited_anti FROM events
    WHERE event_id NOT IN (SELECT event_id FROM events LIMIT 7);
SELECT count(*) AS limited_join FROM
    (SELECT a.event_id FROM events a JOIN events b ON a.event_name = b.event_name LIMIT 11);
SELECT a.event_id FROM events a JOIN events b ON a.event_name = b.event_name
    ORDER BY a.event_id, b.event_id LIMIT 11;
SELECT 1 AS one FROM events a JOIN events b ON a.event_id = b.event_id LIMIT 11;
SELECT 1 AS one FROM events a JOIN events b ON a.event_time < b.event_time LIMIT 11;
SELECT 1 AS one FROM (SELECT event_id FROM events LIMIT 7) a
    JOIN events b ON a.event_id = b.event_id LIMIT 5;
SELECT count(*) AS nested FROM (SELECT event_id FROM events LIMIT 7) a
    JOIN (SELECT b.event_id FROM events b JOIN events c ON b.event_id = c.event_id LIMIT 70) d
    ON a.event_id <> d.event_id OR a.event_id = d.event_id;
SELECT b.event_id FROM (SELECT event_id FROM events ORDER BY event_time, event_id LIMIT 7) a
    JOIN events b ON a.event_id = b.event_id ORDER BY b.event_id;
SELECT count(*) AS limited_union FROM
    ((SELECT event_id FROM events LIMIT 7) UNION ALL (SELECT event_name FROM events LIMIT 5));
SELECT count(*) AS joined_union FROM ((SELECT event_id FROM events LIMIT 7) UNION ALL
    (SELECT event_id FROM events WHERE event_id IS NULL LIMIT 5)) a
    JOIN events b ON a.event_id = b.event_id;
SELECT count(*) AS latest FROM events a
    JOIN (SELECT max(event_time) AS last, count(*) AS n FROM events) b ON a.event_time <= b.last;
SELECT max(b.n) AS n, count(*) AS rows FROM events a
    CROSS JOIN (SELECT count(*) AS n FROM events WHERE event_name = 'StartBuild') b;
SELECT count(*) AS before FROM events WHERE event_time < (SELECT max(event_time) FROM events);
SELECT event_name, (SELECT count(*) FROM events b WHERE b.event_name = a.event_name) AS n
    FROM events a GROUP BY event_name ORDER BY event_name;
SELECT count(*) AS sides, count(a.event_id) AS left, count(b.event_id) AS right
    FROM events a FULL JOIN (SELECT * FROM events WHERE event_name = 'StartBuild') b
    ON a.event_time < b.event_time;
SELECT event_id, row_number() OVER (ORDER BY event_time, event_id) AS n,
    lag(event_name) OVER (PARTITION BY actor ORDER BY event_time, event_id) AS before
    FROM events ORDER BY n;
SELECT event_name, aws_region, count(*) AS n FROM events
    GROUP BY ROLLUP (event_name, aws_region) ORDER BY event_name, aws_region, n;
SELECT event_name FROM events INTERSECT SELECT event_name FROM events
    WHERE aws_region = 'us-east-1' ORDER BY event_name;
SELECT event_name FROM events EXCEPT SELECT event_name FROM events
    WHERE aws_region = 'us-east-1' ORDER BY event_name;
SELECT count(DISTINCT actor) AS actors, count(DISTINCT event_name) AS names, avg(source_record) AS a
    FROM events;
SELECT DISTINCT ON (event_name) event_name, event_id FROM events ORDER BY event_name, event_id";

#[test]
fn plans_of_every_shape_give_the_same_answers() {
    // Of many part files, and of one, which is read as one stream.
    let one = "data/AWSLogs/111122223333/CloudTrail/us-east-1/2026";
    for dataset in [dataset(&[SAMPLE]), dataset(&[one, "--partition-by", "account"])] {
        let workers = three(&dataset);
        let name = dataset.name();
        let args = ["sql", &name, "-c", SHAPES, "--format", "csv"];
        let alone = buildtrail(&args).exits(0).stdout;
        let workers = addresses(&workers);
        let together = buildtrail(&[&args[..], &["--workers", &workers]].concat()).exits(0).stdout;
        assert_eq!(together, alone);
    }
}

/// Else each task takes seven rows of its own, which are the same by chance only.
#[test]
fn a_limit_holds_before_rows_go_to_every_task() {
    let dataset = sample("all");
    let workers = three(&dataset);
    let workers = addresses(&workers);
    let sql = "EXPLAIN ANALYZE SELECT a.event_id
         FROM (SELECT event_id FROM events WHERE event_name <> 'x' LIMIT 7) a
         JOIN events b ON a.event_id = b.event_id LIMIT 5";
    let args = ["sql", &dataset.name(), "-c", sql, "--workers", &workers];
    let plan = buildtrail(&args).exits(0).stdout;
    let (before, sent) = plan.split_once("BroadcastExec: input_partitions=1").expect(&plan);
    let before = before.trim_end_matches([' ', '│', '\n']);
    assert!(before.ends_with("tasks=1, partitions=3"), "{plan}");
    assert!(sent.contains("GlobalLimitExec: skip=0, fetch=7"), "{plan}");
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
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn workers_of_a_dataset_in_a_bucket_follow_it() {
    let server = Server::with("asked");
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

/// Fails unless the query has failed because of this worker. Who notices first may be another worker,
/// which was about to connect to it: its failure comes as a text, and says first that it is another's.
#[track_caller]
fn names_the_worker(mut asking: Child, worker: &Worker) {
    let mut said = String::new();
    asking.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(asking.wait().unwrap().code(), Some(1), "{said}");
    let said = said.strip_prefix("error: ").expect(&said);
    let said = said.strip_prefix("External error: ").unwrap_or(said);
    let expected =
        ["broke off", "is not there"].map(|how| format!("worker {}: {how}", worker.address));
    let is_named = expected.iter().any(|expected| said.starts_with(expected));
    assert!(is_named && said.lines().count() == 1, "{said}");
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
        names_the_worker(asking, &workers[victim]);
    }
}

#[cfg_attr(not(debug_assertions), ignore = "a release build has no kill points")]
#[test]
fn a_worker_killed_as_it_takes_a_task_is_named() {
    let dataset = sample("all");
    for victim in 0..3 {
        let mut workers = three(&dataset);
        let mut command_of_victim = command(&["worker", &dataset.name()]);
        kill::stop_at(&mut command_of_victim, "asked:1");
        workers[victim] = Worker::spawn(command_of_victim);
        let list = addresses(&workers);
        let sql = "SELECT event_name, count(*) FROM events GROUP BY event_name";
        let args = ["sql", &dataset.name(), "-c", sql, "--workers", &list];
        let asking = command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        kill::wait_for(&mut workers[victim].process, "asked:1");
        workers[victim].kill();
        names_the_worker(asking, &workers[victim]);
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
        (
            "SELECT * FROM (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n
             WHERE i < 3) SELECT * FROM n JOIN events ON source_record = i)",
            "WITH RECURSIVE is not for workers",
        ),
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
    let sql = "SELECT max(to_timestamp(response_elements->'build'->>'startTime')) AS t FROM events \
               WHERE build_start_time IS NOT NULL";
    let times = ask(&["-c", sql, "--format", "csv"]).exits(0).stdout;
    assert!(times.starts_with("t\n2026-") && times.ends_with("Z\n"), "{times}");
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
    let dataset = sample("all");
    let name = dataset.name();
    for address in ["", "localhost", "7000", "127.0.0.1:70000", "127.0.0.1:1/path"] {
        let run = buildtrail(&["sql", &name, "-c", "SELECT 1", "--workers", address]).exits(2);
        assert!(run.stderr.contains("expected HOST:PORT"), "{}", run.stderr);
    }
    for address in ["", "here", "7000", "127.0.0.1"] {
        buildtrail(&["worker", &name, "--listen", address]).exits(2);
    }
    let worker = Worker::start(&dataset);
    let run = buildtrail(&["worker", &name, "--listen", &worker.address]).exits(1);
    let expected = format!("error: worker {}: cannot listen there", worker.address);
    assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
    let run = buildtrail(&["worker", "data"]).exits(1);
    assert!(run.stderr.contains("not a dataset: "), "{}", run.stderr);
}
