//! `sql`: statements given, piped and typed; the forms of results; errors.

use crate::support::{Dataset, buildtrail, command, dataset, run, sample, text};
use rexpect::process::WaitStatus;
use rexpect::session::spawn_command;
use serde_json::json;
use std::fs;

/// How long the shell may take for an answer, on a machine however busy.
const PATIENCE_MS: Option<u64> = Some(30_000);

const MOST_FREQUENT: &str = "SELECT event_name, count(*) AS n, max(error_code) AS error FROM events \
                             GROUP BY 1 ORDER BY n DESC, 1 LIMIT 3";

/// The answer to a statement in a format.
fn answer(dataset: &Dataset, sql: &str, format: &str) -> String {
    let run = buildtrail(&["sql", &dataset.name(), "--command", sql, "--format", format]).exits(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

#[test]
fn results_have_many_forms() {
    let sample = sample("codebuild");
    let most_frequent = |format| answer(&sample, MOST_FREQUENT, format);
    insta::assert_snapshot!(most_frequent("table"), @r"
    +----------------+----+--------------------------------+
    | event_name     | n  | error                          |
    +----------------+----+--------------------------------+
    | StartBuild     | 16 | ResourceNotFoundException      |
    | BatchGetBuilds | 9  |                                |
    | CreateProject  | 8  | ResourceAlreadyExistsException |
    +----------------+----+--------------------------------+
    ");
    insta::assert_snapshot!(most_frequent("csv"), @r"
    event_name,n,error
    StartBuild,16,ResourceNotFoundException
    BatchGetBuilds,9,
    CreateProject,8,ResourceAlreadyExistsException
    ");
    insta::assert_snapshot!(most_frequent("tsv"), @r"
    event_name	n	error
    StartBuild	16	ResourceNotFoundException
    BatchGetBuilds	9	
    CreateProject	8	ResourceAlreadyExistsException
    ");
    insta::assert_snapshot!(most_frequent("json"), @r#"[{"event_name":"StartBuild","n":16,"error":"ResourceNotFoundException"},{"event_name":"BatchGetBuilds","n":9,"error":null},{"event_name":"CreateProject","n":8,"error":"ResourceAlreadyExistsException"}]"#);
    insta::assert_snapshot!(most_frequent("ndjson"), @r#"
    {"event_name":"StartBuild","n":16,"error":"ResourceNotFoundException"}
    {"event_name":"BatchGetBuilds","n":9,"error":null}
    {"event_name":"CreateProject","n":8,"error":"ResourceAlreadyExistsException"}
    "#);
    insta::assert_snapshot!(most_frequent("markdown"), @r"
    | event_name | n | error |
    | --- | --- | --- |
    | StartBuild | 16 | ResourceNotFoundException |
    | BatchGetBuilds | 9 |  |
    | CreateProject | 8 | ResourceAlreadyExistsException |
    ");
}

#[test]
fn an_empty_result_is_still_a_document() {
    let sample = sample("codebuild");
    let none = |format| answer(&sample, "SELECT event_name, succeeded FROM events LIMIT 0", format);
    assert_eq!(none("json"), "[]\n");
    assert_eq!(none("ndjson"), "");
    assert_eq!(none("csv"), "event_name,succeeded\n");
    assert_eq!(none("tsv"), "event_name\tsucceeded\n");
    assert_eq!(none("markdown"), "| event_name | succeeded |\n| --- | --- |\n");
    assert!(none("table").contains("| event_name | succeeded |"));
}

#[test]
fn null_empty_and_list_are_told_apart() {
    let sample = sample("all");
    let sql = "SELECT error_code, user_identity_access_key_id AS key, redacted, target_ids, \
               event_time, read_only FROM events WHERE event_id LIKE 'dba50127-%'";
    let expected = json!([{"error_code": null, "key": "", "redacted": [], "target_ids": null,
                           "event_time": "2026-09-26T22:18:03Z", "read_only": false}]);
    assert_eq!(sample.sql(sql), expected);
    let header = "error_code,key,redacted,target_ids,event_time,read_only";
    let row = r#","",[],,2026-09-26T22:18:03Z,false"#;
    let csv = answer(&sample, sql, "csv");
    assert_eq!(csv.replace(",,[]", r#","",[]"#), format!("{header}\n{row}\n"));
}

#[test]
fn statements_come_from_options_files_and_pipes() {
    let sample = sample("codebuild");
    let name = sample.name();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.sql");
    let two = "SELECT 1 -- the first; no more\n AS a;\n\nSELECT count(*) AS n FROM events";
    fs::write(&file, two).unwrap();
    let file = text(&file);
    for (args, stdin) in
        [(&["-c", two][..], ""), (&["-f", &file], ""), (&["-f", "-"], two), (&[], two)]
    {
        let args = [&["sql", &name, "--format", "csv"], args].concat();
        let run = run(command(&args), stdin).exits(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("a\n1\nn\n78\n", ""), "{args:?}");
    }
    // A view lasts for the run, and has no result of its own.
    let view = "CREATE VIEW v AS SELECT 2 AS b; SELECT * FROM v";
    assert_eq!(answer(&sample, view, "csv"), "b\n2\n");
    // The shell has a terminal to itself; without one and without statements nothing is done.
    assert_eq!(run(command(&["sql", &name]), "").exits(0).stdout, "");
    buildtrail(&["sql", &name, "-f", "no-such-file.sql"]).exits(1);
    buildtrail(&["sql", &name, "-c", "SELECT 1", "-f", &file]).exits(2);
}

#[test]
fn a_statement_may_begin_with_a_comment() {
    let sample = sample("codebuild");
    assert_eq!(
        answer(&sample, "-- as in the files of saved queries\nSELECT 2 AS b", "csv"),
        "b\n2\n"
    );
}

#[test]
fn the_first_error_ends_a_run() {
    let sql = "SELECT 1 AS a; SELECT no_such_column FROM events; SELECT 2 AS b";
    let sample = sample("codebuild");
    let name = sample.name();
    let run = buildtrail(&["sql", &name, "-c", sql, "--format", "csv"]).exits(1);
    assert_eq!(run.stdout, "a\n1\n");
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    for wrong in ["SELEC 1", "SELECT 1; SELECT 'open", "SELECT * FROM nowhere", "SELECT 1/0"] {
        let run = buildtrail(&["sql", &name, "-c", wrong]).exits(1);
        assert!(run.stdout.is_empty() && run.stderr.starts_with("error: "), "{wrong}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
}

#[test]
fn an_error_is_said_once() {
    let sample = sample("codebuild");
    let name = sample.name();
    let run = buildtrail(&["sql", &name, "-c", "SELECT no_such_column FROM events"]).exits(1);
    assert_eq!(run.stderr.matches("no_such_column").count(), 1, "{}", run.stderr);
}

#[test]
fn whoever_has_seen_enough_is_no_failure() {
    let sample = sample("codebuild");
    let name = sample.name();
    let sql = "SELECT * FROM events";
    let mut runs = vec![
        vec!["convert", "data/AWSLogs", "--out", &name],
        vec!["run", "timeline", &name],
        vec!["queries"],
        vec!["schema"],
    ];
    for format in ["table", "csv", "tsv", "json", "ndjson", "markdown"] {
        runs.push(vec!["sql", &name, "-c", sql, "--format", format]);
    }
    for args in runs {
        // Nobody reads from the very beginning.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&args).stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn terminals_are_not_written_to_by_log_files() {
    let odd = dataset(&["data/malformed/odd_values.json"]);
    let sql = "SELECT user_agent, chr(27) || '[31m' AS \"a\u{1b}b\" FROM events \
               WHERE source_record = 7";
    for format in ["table", "markdown"] {
        let shown = answer(&odd, sql, format);
        assert!(!shown.contains(['\u{1b}', '\0']), "{shown:?}");
        assert!(shown.contains(r"agent \u{0} end") && shown.contains(r"\u{1b}[31m"), "{shown}");
    }
    assert!(answer(&odd, sql, "csv").contains("agent \0 end"));
}

#[test]
fn what_is_no_dataset_is_said() {
    let place = Dataset::place();
    fs::create_dir(place.path()).unwrap();
    for name in [place.name(), "data".to_owned(), "no-such-folder".to_owned()] {
        let run = buildtrail(&["sql", &name, "-c", "SELECT 1"]).exits(1);
        assert!(run.stderr.contains(&format!("{name} is no dataset")), "{}", run.stderr);
    }
}

#[test]
fn an_empty_dataset_answers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log.json"), r#"{"Records":[]}"#).unwrap();
    let empty = dataset(&[&text(folder.path())]);
    assert_eq!(empty.sql("SELECT count(*) AS n FROM events"), json!([{"n": 0}]));
    let columns = empty.sql("SELECT count(*) AS n FROM (SELECT region, month, extra FROM events)");
    assert_eq!(columns, json!([{"n": 0}]));
}

#[test]
fn the_default_partition_is_null() {
    let name = dataset(&["data/AWSLogs", "--keep", "all", "--partition-by", "event_name"]);
    let sql = "SELECT count(*) AS n FROM events WHERE event_name IS NULL";
    // The two records of the Insight file.
    assert_eq!(name.sql(sql), json!([{"n": 2}]));
    assert_eq!(sample("all").sql(sql), json!([{"n": 2}]));
    let odd = dataset(&["data/malformed/odd_values.json"]);
    let sql = "SELECT count(*) AS n FROM events WHERE month IS NULL";
    assert_eq!(odd.sql(sql), json!([{"n": 2}]));
}

#[test]
fn the_shell() {
    let sample = sample("codebuild");
    let state = tempfile::tempdir().unwrap();
    let mut shell = command(&["sql", &sample.name()]);
    shell.env("TERM", "dumb").env("XDG_STATE_HOME", state.path());
    let mut shell = spawn_command(shell, PATIENCE_MS).unwrap();
    shell.exp_string("buildtrail ").unwrap();
    // A statement ends at its semicolon, not at the end of a line.
    shell.send_line("SELECT count(*) AS n,").unwrap();
    shell.send_line("  'a;b' AS s FROM events;").unwrap();
    shell.exp_string("| 78 | a;b |").unwrap();
    shell.send_line(".tables").unwrap();
    shell.exp_string("| events          |").unwrap();
    shell.send_line(".run requests --project web-frontend").unwrap();
    shell.exp_string("| CreateProject").unwrap();
    shell.send_line(".queries").unwrap();
    shell.exp_string("made-public").unwrap();
    shell.send_line(".help").unwrap();
    shell.exp_string("Ctrl-D").unwrap();
    shell.send_line(".schema").unwrap();
    shell.exp_string("log_file_time").unwrap();
    shell.send_line(".mode csv").unwrap();
    shell.send_line("SELECT 6 * 7 AS answer;").unwrap();
    shell.exp_string("answer\r\n42\r\n").unwrap();
    // Errors are told, and it goes on.
    shell.send_line("SELECT no_such_column FROM events;").unwrap();
    shell.exp_string("error: ").unwrap();
    shell.send_line(".frobnicate").unwrap();
    shell.exp_string("error: unknown command `.frobnicate`").unwrap();
    shell.send_line("SELECT 1 + 1 AS two;").unwrap();
    shell.exp_string("two\r\n2\r\n").unwrap();
    // Ctrl-C ends a query that would run for hours, and what comes after runs. The first statement's
    // result says that the second has begun.
    let endless = "SELECT 'be' || 'gun' AS s; SELECT count(*) FROM events a, events b, events c, \
                   events d, events e, events f WHERE a.actor || b.actor || f.actor LIKE '%x%';";
    shell.send_line(endless).unwrap();
    shell.exp_string("begun").unwrap();
    shell.send_control('c').unwrap();
    shell.exp_string("cancelled").unwrap();
    shell.send_line("SELECT 2 + 3 AS five;").unwrap();
    shell.exp_string("five\r\n5\r\n").unwrap();
    shell.send_line(".quit").unwrap();
    shell.exp_eof().unwrap();
    assert!(matches!(shell.process().wait(), Ok(WaitStatus::Exited(_, 0))));
    let history = fs::read_to_string(state.path().join("buildtrail/history")).unwrap();
    assert!(history.contains("SELECT 6 * 7 AS answer;"), "{history}");
}

#[test]
fn statements_only_read_the_dataset() {
    let sample = sample("codebuild");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv").display().to_string();
    let copy = format!("COPY (SELECT event_id FROM events) TO '{file}' STORED AS CSV");
    let external = format!("CREATE EXTERNAL TABLE x (a TEXT) STORED AS CSV LOCATION '{file}'");
    let set = "SET datafusion.runtime.temp_directory = '/tmp/elsewhere'";
    let run = |sql: &str, options: &[&str]| {
        buildtrail(&[&["sql", &sample.name(), "-c", sql], options].concat())
    };
    for (sql, option) in [
        (&*copy, "--allow-write"),
        (&format!("EXPLAIN ANALYZE {copy}"), "--allow-write"),
        (&external, "--allow-files"),
        (set, "--allow-write"),
        ("INSERT INTO events SELECT * FROM events", "--allow-write"),
    ] {
        let refused = run(sql, &[]).exits(1);
        assert!(refused.stderr.contains(option), "{sql}: {}", refused.stderr);
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    run(&copy, &["--allow-write"]).exits(0);
    let read = format!("{external}; SELECT count(*) AS n FROM x");
    let read = run(&read, &["--allow-files", "--format", "csv"]).exits(0);
    assert!(
        read.stdout.ends_with("n\n78\n") || read.stdout.ends_with("n\n79\n"),
        "{}",
        read.stdout
    );
    // What is in memory alone may be made.
    run(
        "CREATE VIEW v AS SELECT 1; SELECT * FROM v; SET datafusion.execution.batch_size = 100",
        &[],
    )
    .exits(0);
}
