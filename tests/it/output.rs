//! Results in files and forms beyond the plain ones.

use crate::support::{Dataset, buildtrail, command, run, sample, text};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::{self, File};

fn sql(sample: &Dataset, sql: &str, options: &[&str]) -> crate::support::Run {
    buildtrail(&[&["sql", &sample.name(), "-c", sql], options].concat())
}

#[test]
fn a_result_goes_to_a_file_in_the_form_of_its_name() {
    let sample = sample("codebuild");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| text(&folder.path().join(name));
    let one = "SELECT 1 AS a, 'x' AS b, NULL::text AS c";
    for (name, expected) in [
        ("r.csv", "a,b,c\n1,x,\n"),
        ("r.tsv", "a\tb\tc\n1\tx\t\n"),
        ("r.json", "[{\"a\":1,\"b\":\"x\",\"c\":null}]\n"),
        ("r.ndjson", "{\"a\":1,\"b\":\"x\",\"c\":null}\n"),
        ("r.md", "| a | b | c |\n| --- | --- | --- |\n| 1 | x |  |\n"),
    ] {
        let answer = sql(&sample, one, &["--output", &file(name)]).exits(0);
        assert_eq!((&*answer.stdout, &*answer.stderr), ("", ""));
        assert_eq!(fs::read_to_string(file(name)).unwrap(), expected);
    }
    // The form may be another than the name's.
    sql(&sample, one, &["-o", &file("r.csv"), "--format", "json"]).exits(0);
    assert!(fs::read_to_string(file("r.csv")).unwrap().starts_with("[{"));
    // What fails leaves what was there.
    sql(&sample, "SELECT 2 AS a; SELECT no_such", &["--output", &file("r.md")]).exits(1);
    assert!(fs::read_to_string(file("r.md")).unwrap().contains("| 1 |"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    assert!(sql(&sample, one, &["-o", &file("no/such/r.csv")]).exits(1).stderr.contains("create"));
}

#[test]
fn a_result_can_be_parquet() {
    let sample = sample("codebuild");
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("r.parquet"));
    let all = "SELECT *, request_parameters->'projectName' AS p FROM events";
    sql(&sample, all, &["--output", &file]).exits(0);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 78);
    assert_eq!(reader.schema().fields().len(), 188);
    // It is a table again.
    let again = format!(
        "CREATE EXTERNAL TABLE r STORED AS PARQUET LOCATION '{file}'; \
                         SELECT count(DISTINCT event_id) AS n FROM r"
    );
    let again = sql(&sample, &again, &["--allow-files", "--format", "csv"]).exits(0);
    assert_eq!(again.stdout.lines().last(), Some("78"));
    let two = sql(&sample, "SELECT 1; SELECT 2", &["--output", &file]).exits(1);
    assert!(two.stderr.contains("one result"), "{}", two.stderr);
    // To a pipe, too.
    let piped = command(&["sql", &sample.name(), "-c", "SELECT 1", "--format", "parquet"]);
    let piped = { piped }.output().unwrap().stdout;
    assert!(piped.starts_with(b"PAR1") && piped.ends_with(b"PAR1"));
}

#[test]
fn csv_can_be_made_safe_for_spreadsheets() {
    let sample = sample("codebuild");
    let cells =
        "SELECT '=HYPERLINK(\"x\")' AS a, '-1' AS b, -1 AS c, '' AS d, NULL AS e, 'x@y' AS \"=f\"";
    let csv = |options: &[&str]| {
        sql(&sample, cells, &[&["--format", "csv"], options].concat()).exits(0).stdout
    };
    assert_eq!(csv(&[]), "a,b,c,d,e,=f\n\"=HYPERLINK(\"\"x\"\")\",-1,-1,\"\",,x@y\n");
    assert_eq!(
        csv(&["--safe-csv", "--no-headers"]),
        "\"'=HYPERLINK(\"\"x\"\")\",'-1,-1,\"\",,x@y\n"
    );
    assert!(csv(&["--safe-csv"]).starts_with("a,b,c,d,e,'=f\n"));
}

#[test]
fn numbers_are_drawn() {
    let sample = sample("codebuild");
    let rows =
        "SELECT * FROM (VALUES ('a', 1, 4), ('b\u{1b}', 2, 8), (NULL, 3, NULL)) AS t (l, m, n)";
    let chart = sql(&sample, rows, &["--format", "chart", "--width", "30"]).exits(0).stdout;
    // The first number is drawn where no query says which.
    insta::assert_snapshot!(chart, @r"
    a       1 ██████▍
    b\u{1b} 2 ████████████▋
    (null)  3 ███████████████████
    ");
    // A saved query says which columns are drawn.
    let name = sample.name();
    let chart =
        buildtrail(&["run", "requests", &name, "--format", "chart", "--width", "60"]).exits(0);
    let first = chart.stdout.lines().next().unwrap();
    assert!(first.starts_with("StartBuild ") && first.contains(" 16 ██████"), "{}", chart.stdout);
    let none = sql(&sample, "SELECT 'a' AS a", &["--format", "chart"]).exits(1);
    assert!(none.stderr.contains("a column of labels and one of numbers"), "{}", none.stderr);
}

#[test]
fn a_table_says_what_it_leaves_out() {
    let sample = sample("codebuild");
    let wide = sql(&sample, "SELECT * FROM events LIMIT 2", &["--width", "80"]).exits(0);
    assert!(wide.stdout.lines().all(|line| line.chars().count() <= 80), "{}", wide.stdout);
    assert!(wide.stderr.contains("more columns have no room"), "{}", wide.stderr);
    let whole = sql(&sample, "SELECT * FROM events LIMIT 2", &[]).exits(0);
    assert!(whole.stdout.contains("| redacted ") && whole.stderr.is_empty());
    let some = sql(&sample, "SELECT event_id FROM events", &["--max-rows", "3"]).exits(0);
    assert_eq!(some.stdout.lines().count(), 7);
    assert!(some.stderr.contains("only the first 3 rows"), "{}", some.stderr);
    let all = sql(&sample, "SELECT event_id FROM events", &["--max-rows", "0"]).exits(0);
    assert_eq!((all.stdout.lines().count(), &*all.stderr), (82, ""));
    // Other forms have all rows.
    let csv = sql(&sample, "SELECT event_id FROM events", &["--max-rows", "3", "--format", "csv"]);
    assert_eq!(csv.exits(0).stdout.lines().count(), 79);
    // Without names, the frame alone.
    let bare = run(command(&["sql", &sample.name(), "--no-headers"]), "SELECT 1 AS a").exits(0);
    assert_eq!(bare.stdout, "+---+\n| 1 |\n+---+\n");
}
