//! The text for other engines. That the engines take it, and read the same values, is checked by
//! `tests/engines/check.py`, which runs them.

use crate::support::{Dataset, SAMPLE, buildtrail, dataset, log_file, sample};
use buildtrail::schema::COLUMNS;
use serde_json::{Value, json};

const S3: &[&str] = &["--location", "s3://bucket/trail/"];
const ENGINES: [&str; 8] =
    ["athena", "glue", "spark", "trino", "duckdb", "clickhouse", "polars", "pandas"];

fn ddl(engine: &str, dataset: &Dataset, options: &[&str]) -> String {
    buildtrail(&[&["ddl", engine, &dataset.name()], options].concat()).exits(0).stdout
}

#[track_caller]
fn contains(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "no {expected} in:\n{text}");
    }
}

/// A record with what decides its partition.
fn record(number: u32, time: Option<&str>, region: &str) -> Value {
    json!({
        "eventID": format!("00000000-0000-0000-0000-{number:012}"),
        "eventSource": "codebuild.amazonaws.com",
        "eventName": "StartBuild",
        "eventTime": time,
        "awsRegion": region,
        "recipientAccountId": "000000000012",
    })
}

#[test]
fn every_engine_is_told_every_column() {
    let dataset = sample("codebuild");
    for engine in ENGINES {
        let text = ddl(engine, &dataset, S3);
        for column in COLUMNS {
            let quoted = ['`', '"', ' ', ':']
                .iter()
                .any(|quote| text.contains(&format!("{}{quote}", column.name)));
            // DuckDB reads names and types from the files.
            assert!(quoted || engine == "duckdb", "{engine}: {}", column.name);
        }
        contains(&text, &["s3://bucket/trail", "region", "month"]);
        assert!(!text.contains("trail//"), "{text}");
    }
}

#[test]
fn athena_projects_the_partitions_that_are_there() {
    let text = ddl("athena", &sample("codebuild"), S3);
    contains(
        &text,
        &[
            "CREATE EXTERNAL TABLE IF NOT EXISTS `events` (\n  `event_time` timestamp COMMENT 'When",
            "  `recipient_account_id` string COMMENT",
            "  `resource_arns` array<string> COMMENT",
            "PARTITIONED BY (`region` string, `month` string)\nSTORED AS PARQUET\n\
             LOCATION 's3://bucket/trail/'\n",
            "'projection.region.type' = 'enum',\n  'projection.region.values' = 'eu-west-1,region-ID,us-east-1',",
            "'projection.month.type' = 'date',\n  'projection.month.format' = 'yyyy-MM',\n  \
             'projection.month.range' = '2016-09,NOW',",
            "'projection.month.interval.unit' = 'MONTHS'",
            "'s3://bucket/trail/region=${region}/month=${month}/'\n);",
        ],
    );
    let plain = ddl("athena", &sample("codebuild"), &[S3, &["--no-projection"]].concat());
    assert!(!plain.contains("projection."), "{plain}");
    contains(&plain, &["MSCK REPAIR TABLE `events`;"]);
}

#[test]
fn a_partition_column_is_declared_once() {
    let dataset = dataset(&[SAMPLE, "--partition-by", "account,year,event_name"]);
    for engine in ["athena", "spark", "trino"] {
        let text = ddl(engine, &dataset, S3);
        let lines = text.lines().filter(|line| {
            line.starts_with("  `event_name`") || line.starts_with("  \"event_name\"")
        });
        let expected = usize::from(engine != "athena");
        assert_eq!(lines.count(), expected, "{engine}: {text}");
    }
    let text = ddl("athena", &dataset, S3);
    contains(
        &text,
        &[
            "PARTITIONED BY (`account` string, `year` int, `event_name` string)",
            "'projection.account.values' = '111122223333,444455556666,account-ID'",
            "'projection.year.type' = 'integer',\n  'projection.year.range' = '2016,2027'",
        ],
    );
    let glue: Value = serde_json::from_str(&ddl("glue", &dataset, S3)).unwrap();
    let names: Vec<_> = glue["TableInput"]["PartitionKeys"].as_array().unwrap().iter().collect();
    assert_eq!(names[1], &json!({"Name": "year", "Type": "int"}));
    let columns = &glue["TableInput"]["StorageDescriptor"]["Columns"];
    assert_eq!(columns.as_array().unwrap().len(), COLUMNS.len() - 1);
}

#[test]
fn what_projection_cannot_name_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let records = [
        record(1, Some("2026-09-01T00:00:00Z"), "us-east-1"),
        record(2, None, "us-east-1"),
        record(3, Some("2026-09-01T00:00:00Z"), "a,b"),
        record(4, Some("2026-09-01T00:00:00Z"), "x';\nDROP TABLE \"t\"; --"),
    ];
    let log = log_file(folder.path(), "log.json", &records);
    let dataset = dataset(&[&log]);
    let run = buildtrail(&[&["ddl", "athena", &dataset.name()], S3].concat()).exits(0);
    let sentence = "cannot name their folder: 2, in region=a,b/month=2026-09 and 1 more";
    contains(&run.stdout, &[sentence, "= 'us-east-1,x%27;%0ADROP TABLE %22t%22; --',"]);
    contains(&run.stderr, &["warning: ", sentence]);
    for line in run.stdout.lines() {
        assert!(!line.starts_with("DROP"), "{}", run.stdout);
    }
    let all = ddl("athena", &dataset, &[S3, &["--no-projection"]].concat());
    assert!(!all.contains("cannot name"), "{all}");

    let log = log_file(folder.path(), "timeless.json", &[record(1, None, "us-east-1")]);
    let timeless = crate::support::dataset(&[&log]);
    let run = buildtrail(&[&["ddl", "glue", &timeless.name()], S3].concat()).exits(1);
    contains(&run.stderr, &["use --no-projection"]);
    contains(&ddl("spark", &timeless, &[]), &["MSCK REPAIR TABLE `events`;"]);
}

#[test]
fn a_hostile_location_stays_in_its_quotes_or_is_refused() {
    let dataset = sample("codebuild");
    for (engine, quoted) in [
        ("athena", r"LOCATION 's3://b/x\')--/'"),
        ("spark", r"LOCATION 's3://b/x\')--'"),
        ("clickhouse", r"'s3://b/x\')--/region=*/month=*/*.parquet'"),
        ("trino", "external_location = 's3://b/x'')--/'"),
        ("duckdb", "'s3://b/x'')--/region=*/month=*/*.parquet'"),
    ] {
        contains(&ddl(engine, &dataset, &["--location", "s3://b/x')--"]), &[quoted]);
    }
    for location in [
        "s3://b/a\nb",
        "s3://b/${x}",
        "s3://b/a\\",
        "s3://b/*",
        "s3://b/a b",
        "s3://b/x;y",
        "bucket/x",
        "s3://",
    ] {
        for engine in ENGINES {
            let run =
                buildtrail(&["ddl", engine, &dataset.name(), "--location", location]).exits(1);
            assert!(run.stdout.is_empty(), "{engine}: {location}");
            contains(&run.stderr, &["error: cannot write the location `"]);
        }
    }
}

#[test]
fn a_hostile_folder_is_no_pattern() {
    let dataset = sample("codebuild");
    let name = "/tmp/a[b]*?'\"{c}";
    let text = |engine| ddl(engine, &dataset, &["--location", name]);
    contains(&text("duckdb"), &["'/tmp/a[[]b][*][?]''\"{c}/region=*/month=*/*.parquet'"]);
    contains(&text("polars"), &["\"/tmp/a[[]b][*][?]'\\\"{c}/region=*/month=*/*.parquet\""]);
    contains(&text("pandas"), &["\"/tmp/a[b]*?'\\\"{c}\""]);
    contains(&text("spark"), &["LOCATION '/tmp/a[b]*?\\'\"{c}'"]);
    for (engine, name) in [("clickhouse", name), ("duckdb", "/a\\b"), ("spark", "/${x}")] {
        let run = buildtrail(&["ddl", engine, &dataset.name(), "--location", name]).exits(1);
        contains(&run.stderr, &["cannot read a path with `"]);
    }
}

#[test]
fn what_is_wrongly_asked_is_wrong_usage() {
    let dataset = sample("codebuild");
    let name = dataset.name();
    for engine in ["athena", "glue", "trino"] {
        let run = buildtrail(&["ddl", engine, &name]).exits(2);
        contains(&run.stderr, &["--location s3://BUCKET/PREFIX"]);
    }
    for table in ["a`b", "a\"b", "a'b", "a.b.c", "Events", "", "a;b", "a\nb"] {
        let run = buildtrail(&["ddl", "duckdb", &name, "--table", table]).exits(2);
        contains(&run.stderr, &["lower case letters, digits and underscores"]);
    }
    buildtrail(&["ddl", "duckdb", &name, "--cloudtrail-view"]).exits(2);
    buildtrail(&["ddl", "spark", &name, "--no-projection"]).exits(2);
}

#[test]
fn an_empty_dataset_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = dataset(&[&log_file(folder.path(), "log.json", &[])]);
    for engine in ENGINES {
        let run = buildtrail(&[&["ddl", engine, &empty.name()], S3].concat()).exits(1);
        contains(&run.stderr, &["has no part files yet"]);
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn views_come_with_the_table() {
    let dataset = sample("codebuild");
    let text = ddl("duckdb", &dataset, &[]);
    for view in ["builds", "calls", "webhooks"] {
        contains(&text, &[&format!("\nCREATE OR REPLACE VIEW \"{view}\" AS\n")]);
    }
    // They name the table `events`.
    assert!(!ddl("duckdb", &dataset, &["--table", "audit.calls"]).contains("\"builds\""));

    let options = [S3, &["--cloudtrail-view", "--table", "audit.trail"]].concat();
    contains(
        &ddl("athena", &dataset, &options),
        &[
            "CREATE OR REPLACE VIEW \"audit\".\"trail_cloudtrail\" AS\nSELECT\n",
            "AS tlsdetails,\n  \"region\",\n  \"month\"\nFROM \"audit\".\"trail\";\n",
        ],
    );
}
