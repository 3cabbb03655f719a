//! `sql`: statements given, piped and typed; the forms of results; errors.

use crate::support::{Dataset, buildtrail, command, dataset, log_file, run, sample, text};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;
use std::fs;

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
    assert_eq!(answer(&sample, sql, "csv"), format!("{header}\n{row}\n"));
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
        assert!(run.stderr.contains(&format!("not a dataset: {name}")), "{}", run.stderr);
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

#[test]
fn two_columns_may_have_one_name() {
    let two = two_builds();
    let twice = "SELECT a.actor, b.actor FROM events a JOIN events b ON a.event_id < b.event_id";
    assert_eq!(answer(&two, twice, "csv"), "actor,actor\na1,x1\n");
    assert_eq!(answer(&two, twice, "tsv"), "actor\tactor\na1\tx1\n");
    assert_eq!(answer(&two, twice, "line"), "actor = a1\nactor = x1\n");
    assert!(answer(&two, twice, "markdown").starts_with("| actor | actor |"));
    assert!(answer(&two, twice, "table").contains("| actor | actor |"));
    // An object's members have names of their own.
    assert_eq!(answer(&two, twice, "json"), "[{\"actor\":\"a1\",\"actor:1\":\"x1\"}]\n");
    assert_eq!(answer(&two, twice, "ndjson"), "{\"actor\":\"a1\",\"actor:1\":\"x1\"}\n");
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("twice.parquet"));
    buildtrail(&["sql", &two.name(), "-c", twice, "--output", &file]).exits(0);
    let reader = fs::File::open(&file).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(reader).unwrap();
    let names: Vec<_> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["actor", "actor"]);
    let values = "SELECT a.v, b.v FROM (SELECT event_id AS i, request_parameters->'projectName' AS v \
                  FROM events) a JOIN (SELECT event_id AS i, request_parameters->'x' AS v \
                  FROM events) b ON a.i = b.i ORDER BY a.i";
    assert_eq!(answer(&two, values, "csv"), "v,v\n\"\"\"x1\"\"\",\n,\n");
    // What the engine itself refuses.
    for (sql, csv) in [
        ("SELECT 1, 1", "1,1:1\n1,1\n"),
        ("SELECT 1 AS a, 2 AS a", "a,a:1\n1,2\n"),
        ("SELECT count(*), count(*) FROM events", "count(*),count(*):1\n2,2\n"),
        ("SELECT actor, actor FROM events ORDER BY actor", "actor,actor:1\na1,a1\nx1,x1\n"),
    ] {
        assert_eq!(answer(&two, sql, "csv"), csv, "{sql}");
    }
}

/// Kinds of statements that the engine's own shell runs.
#[test]
fn statements_of_every_kind_run() {
    let sample = sample("codebuild");
    for (sql, csv) in [
        (
            "CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2); SELECT sum(a) AS s FROM t",
            "count\n1\ns\n3\n",
        ),
        ("CREATE TABLE t (a INT); SELECT * FROM t", "a\n"),
        ("PREPARE p(INT) AS SELECT $1 AS a; EXECUTE p(3); DEALLOCATE p", "a\n3\n"),
        ("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a; SELECT * FROM s.t", "a\n1\n"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1 AS a; SELECT * FROM v; DROP VIEW v", "a\n1\n"),
        ("DROP TABLE IF EXISTS x; DROP VIEW IF EXISTS y", ""),
        ("SHOW TIME ZONE", "name,value\ndatafusion.execution.time_zone,UTC\n"),
        ("DESCRIBE SELECT 1 AS a", "column_name,data_type,is_nullable\na,Int64,NO\n"),
        ("VALUES (1, 2)", "column1,column2\n1,2\n"),
        ("FROM events SELECT count(*) AS n", "n\n78\n"),
        ("SELECT unnest([1, 2]) AS a", "a\n1\n2\n"),
    ] {
        assert_eq!(answer(&sample, sql, "csv"), csv, "{sql}");
    }
    // A dialect counts from the next text on.
    let script =
        "SET datafusion.sql_parser.dialect = 'mysql';\n.headers on\nSELECT \"text\" AS a;\n";
    let name = sample.name();
    let run = run(command(&["sql", &name, "--format", "csv"]), script).exits(0);
    assert_eq!(run.stdout, "a\ntext\n");
}

#[test]
fn json_text_can_be_reached_into() {
    let sample = sample("codebuild");
    let one = |sql: &str| {
        let rows = sample.sql(&format!("SELECT {sql} AS v FROM events LIMIT 1"));
        rows[0]["v"].clone()
    };
    let text = r#"'{"a":{"b":[1,"x",null,{"c":true}]},"n":1.0,"s":"3","u":"\u00e9","d":1,"d":2}'"#;
    for (expression, value) in [
        ("json_get_str(J, 'a', 'b', 1)", json!("x")),
        ("json_get_int(J, 'n')", json!(1)),
        ("J->'a'->'b'->>1", json!("x")),
        ("J->>'s'", json!("3")),
        ("J->>'u'", json!("é")),
        ("J->'a'", json!(r#"{"b":[1,"x",null,{"c":true}]}"#)),
        ("J->'a'->'b'->3->'c'", json!("true")),
        ("json_get_bool(J, 'a', 'b', 3, 'c')", json!(true)),
        ("json_length(J, 'a', 'b')", json!(4)),
        ("json_contains(J, 'n')", json!(true)),
        // What is not there, is null, or is of another type, is null.
        ("J->>'nothing'", json!(null)),
        ("J->'a'->'b'->>2", json!(null)),
        ("json_get_str(J, 'a')", json!(null)),
        ("json_get_int(J, 's')", json!(3)),
        // Text that is no JSON, and no text at all.
        ("json_get_str('broken {', 'a')", json!(null)),
        ("json_get_str('\"text\"', 'a')", json!(null)),
        ("json_get_str(NULL::text, 'a')", json!(null)),
    ] {
        assert_eq!(one(&expression.replace('J', text)), value, "{expression}");
    }
    // The record's own texts: the same as a typed column says, also where the request is null.
    let sql = "SELECT count(*) AS n FROM events WHERE event_name = 'StartBuild' AND project_name \
               IS NOT NULL AND (request_parameters->>'projectName') NOT LIKE 'arn:%' \
               AND (request_parameters->>'projectName') IS DISTINCT FROM project_name";
    assert_eq!(sample.sql(sql), json!([{"n": 0}]));
    let name = sample.name();
    let loose = buildtrail(&["sql", &name, "-c", "SELECT 1 FROM events WHERE extra->>'a' = 'b'"]);
    assert!(loose.exits(1).stderr.contains("write (a->>'b') = 'c'"));
    let sql = "SELECT DISTINCT request_parameters->'projectName' AS p FROM events \
               WHERE event_name = 'StartBuild' ORDER BY p LIMIT 2";
    let csv = answer(&sample, sql, "csv");
    assert!(csv.lines().count() > 1 && !csv.contains('{'), "{csv}");
}

#[test]
fn log_files_are_asked_as_they_are() {
    let converted = sample("codebuild");
    let counts =
        "SELECT event_name, count(*) AS n, min(source_file) AS f FROM events GROUP BY 1 ORDER BY 1";
    let expected = answer(&converted, counts, "csv");
    let raw = buildtrail(&["sql", "--logs", "data/AWSLogs", "-c", counts, "--format", "csv"]);
    assert_eq!(raw.exits(0).stdout, expected);
    let raw =
        buildtrail(&["run", "requests", "--logs", "data/AWSLogs", "--format", "json"]).exits(0);
    let name = converted.name();
    assert_eq!(raw.json(), buildtrail(&["run", "requests", &name, "--format", "json"]).json());
    // Beside a dataset, where the command line lets statements name files.
    let function = counts.replace("events", "cloudtrail('data/AWSLogs')");
    let run = |options: &[&str]| {
        buildtrail(&[&["sql", &name, "-c", &function, "--format", "csv"], options].concat())
    };
    assert!(run(&[]).exits(1).stderr.contains("--allow-files"));
    assert_eq!(run(&["--allow-files"]).exits(0).stdout, expected);
    let twice = "SELECT count(*) AS n FROM cloudtrail('data/AWSLogs') a JOIN \
                 cloudtrail('data/AWSLogs') b USING (event_id)";
    let run =
        |sql: &str| buildtrail(&["sql", &name, "-c", sql, "--format", "csv", "--allow-files"]);
    assert_eq!(run(twice).exits(0).stdout, "n\n78\n");
    let missing = run("SELECT * FROM cloudtrail('no/such')").exits(1);
    assert!(missing.stderr.contains("no such file or folder: no/such"), "{}", missing.stderr);
    assert!(run("SELECT * FROM cloudtrail(1)").exits(1).stderr.contains("takes one text"));
    // What is wrong with a log file is told, and the rest answers.
    let odd = buildtrail(&[
        "sql",
        "--logs",
        "data/malformed",
        "-c",
        "SELECT count(*) > 0 AS n FROM events",
    ]);
    assert!(odd.exits(0).stderr.contains("rejected: "));
    buildtrail(&["sql", &name, "--logs", "data/AWSLogs", "-c", "SELECT 1"]).exits(2);
    assert!(buildtrail(&["sql", "-c", "SELECT 1"]).exits(2).stderr.contains("--logs"));
}

#[test]
fn queries_keep_to_their_limits() {
    let sample = sample("codebuild");
    let name = sample.name();
    let endless = "SELECT count(*) FROM events a, events b, events c, events d, events e, events f \
                   WHERE a.actor || b.actor || f.actor LIKE '%x%'";
    let run = buildtrail(&["sql", &name, "-c", endless, "--timeout", "1s"]).exits(1);
    assert!(run.stderr.contains("longer than the 1s of --timeout"), "{}", run.stderr);
    let folder = tempfile::tempdir().unwrap();
    let spill = folder.path().join("spill");
    let groups = "SELECT count(*) AS n FROM \
                  (SELECT value::text AS t, count(*) FROM generate_series(1, 400000) GROUP BY 1)";
    let limits = ["--memory", "16MB", "--spill", &text(&spill)];
    let run = |sql: &str| {
        let args = ["sql", &name, "-c", sql, "--format", "csv"];
        buildtrail(&[&args[..], &limits].concat()).exits(0).stdout
    };
    assert_eq!(run(groups), "n\n400000\n");
    let analyzed = run(&format!("EXPLAIN ANALYZE {groups}"));
    let spills = analyzed.split("spill_count=").skip(1);
    assert!(spills.into_iter().any(|rest| !rest.starts_with('0')), "{analyzed}");
    assert!(spill.is_dir());
    let cross = "SELECT count(*) FROM (SELECT repeat(value::text, 200) AS t FROM generate_series(1, 200000)) a \
                 JOIN (SELECT repeat(value::text, 200) AS t FROM generate_series(1, 200000)) b ON a.t = b.t";
    let run = buildtrail(&["sql", &name, "-c", cross, "--memory", "16MB"]).exits(1);
    assert!(run.stderr.contains("--memory gives more"), "{}", run.stderr);
    buildtrail(&["sql", &name, "-c", "SELECT 1", "--memory", "1KB"]).exits(2);
    buildtrail(&["sql", &name, "-c", "SELECT 1", "--timeout", "soon"]).exits(2);
}

#[test]
fn scripts_have_the_shell_s_commands() {
    let sample = sample("codebuild");
    let folder = tempfile::tempdir().unwrap();
    let (out, inner) = (folder.path().join("out.json"), folder.path().join("inner.sql"));
    fs::write(&inner, ".headers off\nSELECT 'inner' AS a;\n").unwrap();
    let script = |text: &str, options: &[&str]| {
        let name = sample.name();
        run(command(&[&["sql", &name, "--format", "csv"], options].concat()), text)
    };
    let plain =
        "-- a comment\n.mode tsv\nSELECT 1 AS a,\n 2 AS b;\n.run requests --project api\n.mode";
    let answer = script(plain, &[]).exits(0).stdout;
    assert!(
        answer.starts_with("a\tb\n1\t2\nevent_name\t") && answer.ends_with("tsv\n"),
        "{answer}"
    );
    let (once, read) = (
        format!(".mode json\n.once {}\nSELECT 1 AS a;\n", out.display()),
        format!(".read '{}'", inner.display()),
    );
    assert!(script(&once, &[]).exits(1).stderr.contains("--allow-write"));
    assert!(script(&read, &[]).exits(1).stderr.contains("--allow-files"));
    assert!(!out.exists());
    assert_eq!(script(&once, &["--allow-write"]).exits(0).stdout, "");
    assert_eq!(fs::read_to_string(&out).unwrap(), "[{\"a\":1}]\n");
    assert_eq!(script(&read, &["--allow-files"]).exits(0).stdout, "inner\n");
    assert_eq!(script("SELECT 1 AS a;\n.quit\nSELECT 2 AS b;\n", &[]).exits(0).stdout, "a\n1\n");
    assert!(script(".edit", &[]).exits(1).stderr.contains("for the shell only"));
    let described =
        script(".describe made-public\n.describe builds\n.describe actor\n", &[]).exits(0);
    for part in [
        "saved query made-public: ",
        "--since TIMESTAMP",
        "view builds: ",
        "column actor of events, utf8",
    ] {
        assert!(described.stdout.contains(part), "{}", described.stdout);
    }
    assert!(script(".describe actr", &[]).exits(1).stderr.contains("did you mean `actor`?"));
    assert!(
        script(".mode table\n.explain SELECT 1", &[])
            .exits(0)
            .stdout
            .contains("physical_plan\nProjectionExec")
    );
}

/// Two builds: the second was started by the one after whom the first one's project is called.
fn two_builds() -> Dataset {
    let call = |id: &str, user: &str, request: serde_json::Value, started: &str| {
        json!({
            "eventVersion": "1.11", "eventTime": "2026-09-01T18:10:00Z", "eventID": id,
            "eventSource": "codebuild.amazonaws.com", "eventName": "StartBuild",
            "awsRegion": "us-east-1", "eventType": "AwsApiCall",
            "userIdentity": {"type": "IAMUser", "userName": user, "accountId": "111122223333"},
            "requestParameters": request,
            "responseElements": {"build": {"startTime": started, "initiator": "18:10, 1 Sep 2026"}},
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let records = [
        call("1", "a1", json!({"projectName": "x1"}), "2026-09-01T18:10:00Z"),
        call("2", "x1", json!({}), "2026-09-01T18:10:00Z"),
    ];
    dataset(&[&log_file(folder.path(), "log.json", &records)])
}

#[test]
fn a_join_of_a_table_with_itself_loses_no_rows() {
    let two = two_builds();
    let sql = "SELECT s.actor AS s, q.x, q.y \
               FROM (SELECT actor FROM events WHERE project_name IS NULL) s \
               JOIN (SELECT a.actor AS x, b.actor AS y FROM events a \
                     LEFT JOIN events b ON a.project_name = b.actor \
                     GROUP BY a.actor, b.actor) q ON s.actor = q.y";
    assert_eq!(two.sql(sql), json!([{"s": "x1", "x": "a1", "y": "x1"}]));
    for set in [
        "SET datafusion.optimizer.enable_join_dynamic_filter_pushdown = true",
        "set DATAFUSION.OPTIMIZER.enable_dynamic_filter_pushdown = true",
        "RESET datafusion.optimizer.enable_join_dynamic_filter_pushdown",
        "SET datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown = true",
    ] {
        let refused = buildtrail(&["sql", &two.name(), "-c", set]).exits(1);
        assert!(refused.stderr.contains("makes statements lose rows"), "{set}: {}", refused.stderr);
        assert!(refused.stderr.contains("#25264"), "{set}: {}", refused.stderr);
    }
}

/// The engine would push the condition below the join, by the column's name alone.
#[test]
fn a_filter_of_both_sides_loses_no_rows() {
    let two = two_builds();
    let sql = "SELECT b.actor FROM events a RIGHT JOIN events b ON a.actor = b.request_id \
               WHERE a.actor IS DISTINCT FROM b.actor ORDER BY b.actor";
    assert_eq!(two.sql(sql), json!([{"actor": "a1"}, {"actor": "x1"}]));
    let sql = "SELECT c.actor FROM (SELECT a.actor AS c1, b.actor FROM events a \
               RIGHT JOIN events b ON a.actor = b.request_id) c \
               WHERE coalesce(c.c1, '') <> c.actor ORDER BY c.actor";
    assert_eq!(two.sql(sql), json!([{"actor": "a1"}, {"actor": "x1"}]));
}

/// The engine would skip the second part file, whose projects come before the first's.
#[test]
fn several_extremes_are_of_all_part_files() {
    let folder = tempfile::tempdir().unwrap();
    let record = |id: &str, time: &str, user: Option<&str>, project: Option<&str>| {
        let mut identity = json!({"type": "IAMUser", "accountId": "111122223333"});
        if let Some(user) = user {
            identity["userName"] = json!(user);
        }
        json!({
            "eventID": id, "eventTime": time, "eventSource": "codebuild.amazonaws.com",
            "eventName": "StartBuild", "awsRegion": "us-east-1", "userIdentity": identity,
            "requestParameters": project.map(|name| json!({"projectName": name})),
        })
    };
    let records = [
        record("1", "2026-09-01T00:00:00Z", None, Some("y")),
        record("2", "2026-10-01T00:00:00Z", Some("a"), None),
        record("3", "2026-10-01T00:00:01Z", Some("a"), Some("x")),
    ];
    let months = dataset(&[&log_file(folder.path(), "log.json", &records)]);
    let sql = "SELECT max(project_name) AS last, min(user_identity_user_name) AS first FROM events";
    assert_eq!(months.sql(sql), json!([{"last": "y", "first": "a"}]));
}

#[test]
fn and_binds_less_than_is_distinct_from() {
    let two = two_builds();
    let sql = "SELECT true IS DISTINCT FROM true AND false AS both";
    assert_eq!(two.sql(sql), json!([{"both": false}]));
    let sql =
        "SELECT count(*) AS n FROM events WHERE actor IS NOT DISTINCT FROM 'a1' AND succeeded";
    assert_eq!(two.sql(sql), json!([{"n": 1}]));
}

/// Functions that make times of texts, over a column of them: each is the event's own time.
#[test]
#[expect(clippy::too_many_lines, reason = "a table: one entry a function")]
fn texts_become_times_in_every_zone() {
    let two = two_builds();
    for (set, hours) in [
        ("", 0),
        ("SET datafusion.execution.time_zone = 'UTC'; ", 0),
        ("SET datafusion.execution.time_zone = '+02:00'; ", 2),
        ("SET datafusion.execution.time_zone = 'Europe/Berlin'; ", 2),
        ("RESET datafusion.execution.time_zone; ", 0),
    ] {
        let local = format!("event_time - INTERVAL '{hours} hours'");
        let mut claims = Vec::new();
        for function in [
            "to_timestamp",
            "to_timestamp_seconds",
            "to_timestamp_millis",
            "to_timestamp_micros",
            "to_timestamp_nanos",
        ] {
            for arguments in
                ["t", "t, '%+'", "t, '%c', '%+'", "odd || ' +0000', '%H:%M, %d %b %Y %z'"]
            {
                claims.push(format!("{function}({arguments}) = event_time"));
            }
            // A text without a zone is a time in the session's.
            for arguments in ["substr(t, 1, 19)", "odd, '%H:%M, %d %b %Y'"] {
                claims.push(format!("{function}({arguments}) = {local}"));
            }
        }
        let others = [
            "to_unixtime(t) = to_unixtime(event_time)",
            "to_unixtime(t, '%+') = to_unixtime(event_time)",
            "to_date(t) = DATE '2026-09-01'",
            "to_date(t, '%+') = DATE '2026-09-01'",
            "to_time(substr(t, 12, 8)) = TIME '18:10:00'",
            "to_time(substr(t, 12, 5), '%H:%M') = TIME '18:10:00'",
            "CAST(t AS TIMESTAMP WITH TIME ZONE) = event_time",
            "t::timestamp = TIMESTAMP '2026-09-01 18:10:00'",
            "t::date = DATE '2026-09-01'",
            "date_bin(INTERVAL '10 minutes', to_timestamp(t)) = event_time",
            "date_trunc('minute', to_timestamp(t)) = event_time",
            "date_part('minute', to_timestamp(t)) = 10",
            "to_char(to_timestamp(t), '%Y') = '2026'",
            "to_timestamp(t) + INTERVAL '1 second' > event_time",
        ];
        claims.extend(others.map(str::to_owned));
        let texts = "(SELECT event_time, response_elements->'build'->>'startTime' AS t, \
                     response_elements->'build'->>'initiator' AS odd FROM events)";
        let columns = claims.iter().map(|claim| format!("bool_and({claim}) AS \"{claim}\""));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let row = two.sql(&format!("{set}SELECT {columns} FROM {texts}"))[0].take();
        for claim in &claims {
            assert_eq!(row[claim], true, "{set}{claim}");
        }
        let all = claims.join(" AND ");
        let found = two.sql(&format!("{set}SELECT count(*) AS n FROM {texts} WHERE {all}"));
        assert_eq!(found, json!([{"n": 2}]), "{set}");
    }
    // They are shown with their zone, as the table's own times are.
    let shown = "SELECT DISTINCT to_timestamp(response_elements->'build'->>'startTime') AS t \
                 FROM events";
    assert_eq!(answer(&two, shown, "csv"), "t\n2026-09-01T18:10:00Z\n");
    assert_eq!(two.sql(shown), json!([{"t": "2026-09-01T18:10:00Z"}]));
    let no_time = "SELECT to_timestamp(actor) FROM events";
    let failed = buildtrail(&["sql", &two.name(), "-c", no_time]).exits(1);
    assert!(failed.stderr.contains("Error parsing timestamp"), "{}", failed.stderr);
}
