//! `convert`: counts, partitions, part files, and that running it again or otherwise changes nothing.

use crate::support::{
    Dataset, ROOT, SAMPLE, buildtrail, dataset, events, files, log_file, log_files, sample, str,
    text, tree,
};
use arrow::datatypes::Schema;
use buildtrail::schema::{COUNT, SCHEMA_VERSION, schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::SortingColumn;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

/// Whether `--keep` wants a record, by the record alone.
fn is_kept(record: &Value, keep: &str) -> bool {
    let identity = &record["userIdentity"];
    let session = |id: &Value, mark: char| {
        let name = id.as_str().and_then(|id| id.rsplit(mark).next()).unwrap_or_default();
        name.strip_prefix("AWSCodeBuild-").is_some_and(|uuid| uuid.len() == 36)
    };
    match keep {
        "codebuild" => record["eventSource"] == "codebuild.amazonaws.com",
        "build-activity" => {
            is_kept(record, "codebuild")
                || identity["invokedBy"] == "codebuild.amazonaws.com"
                || session(&identity["arn"], '/')
                || session(&identity["principalId"], ':')
        }
        _ => true,
    }
}

/// The record counts expected of a folder of the sample.
fn expected_counts(source: &str, keep: &str) -> Value {
    let insights = keep == "all";
    let logs = log_files().into_iter().filter(|(name, _)| {
        name.starts_with(source) && (insights || !name.contains("/CloudTrail-Insight/"))
    });
    let all: Vec<_> = logs.flat_map(|(_, records)| records).collect();
    let kept: Vec<_> = all.iter().filter(|record| is_kept(record, keep)).collect();
    let ids: BTreeSet<_> = kept.iter().map(|record| str(record, "eventID")).collect();
    json!({
        "read": all.len(),
        "written": ids.len(),
        "filtered": all.len() - kept.len(),
        "duplicate": kept.len() - ids.len(),
        "conflicting": 0,
        "rejected": 0,
    })
}

#[test]
fn the_sample_gives_what_its_readme_says() {
    let counts = |read, written, filtered, duplicate| {
        json!({"read": read, "written": written, "filtered": filtered, "duplicate": duplicate,
               "conflicting": 0, "rejected": 0})
    };
    for (keep, expected) in [
        ("codebuild", counts(98, 78, 16, 4)),
        ("build-activity", counts(98, 90, 4, 4)),
        // With the two records of the Insight file.
        ("all", counts(100, 96, 0, 4)),
    ] {
        let sample = sample(keep);
        assert_eq!(sample.summary["records"], expected, "{keep}");
        assert_eq!(expected_counts(SAMPLE, keep), expected, "{keep}");
        assert_eq!(json!(sample.rows().len()), expected["written"], "{keep}");
        let insight = u64::from(keep != "all");
        let files = json!({"found": 15, "read": 14 - insight, "rejected": 0,
            "skipped": {"aggregated": 0, "digest": 1, "insight": insight, "empty": 0, "known": 0, "other": 0, "outside": 0}});
        assert_eq!(sample.summary["files"], files, "{keep}");
    }
    let insights = sample("all").rows().into_iter().filter(|r| r["event_category"] == "Insight");
    assert_eq!(insights.count(), 2);
}

/// The table of log files in `data/README.md`: written rows by path.
#[test]
fn each_log_file_gives_what_the_readme_says() {
    let readme = fs::read_to_string(Path::new(ROOT).join("data/README.md")).unwrap();
    let mut expected = BTreeMap::new();
    for line in readme.lines().filter(|line| line.starts_with("| `1") || line.starts_with("| `4")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [path, outcome] = [cells[1].trim_matches('`'), cells[cells.len() - 2]];
        if let [written, _, _] = outcome.split(" / ").collect::<Vec<_>>()[..] {
            expected.insert(format!("{SAMPLE}/{path}"), written.parse::<usize>().unwrap());
        }
    }
    assert_eq!(expected.len(), 13);
    let mut written: BTreeMap<_, usize> = expected.keys().map(|path| (path.clone(), 0)).collect();
    for row in sample("codebuild").rows() {
        *written.get_mut(str(&row, "source_file")).unwrap() += 1;
    }
    assert_eq!(written, expected);
}

#[test]
fn counts_add_up() {
    let sum = |counts: &Value| {
        counts.as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>()
    };
    // A partition is a file: the columns that make many of them get the smaller folder.
    let small = "data/AWSLogs/444455556666";
    for keep in ["codebuild", "build-activity", "all"] {
        for (source, columns) in
            [(SAMPLE, "year,account"), (SAMPLE, "day"), (small, "event_name,day")]
        {
            let dataset = dataset(&[source, "--keep", keep, "--partition-by", columns]);
            let Value::Object(counts) = &dataset.summary else { panic!("no summary") };
            assert_eq!(counts["records"], expected_counts(source, keep), "{keep} {columns}");
            let [files, skipped] = [&counts["files"], &counts["files"]["skipped"]];
            let accounted = sum(files) - files["found"].as_u64().unwrap() + sum(skipped);
            assert_eq!(files["found"], accounted, "{keep} {columns}");
            assert_eq!(counts["parts"], dataset.parts().len());
            let rows = check_partitions(&dataset, &columns.split(',').collect::<Vec<_>>());
            let ids: BTreeSet<_> = rows.iter().map(|row| row["event_id"].to_string()).collect();
            assert_eq!((rows.len(), &counts["records"]["written"]), (ids.len(), &json!(ids.len())));
        }
    }
}

/// Undoes the escapes of a partition's value.
fn unescape(value: &str) -> String {
    let mut parts = value.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// Fails unless every row lies in the folder of its own region, time and so on; the rows.
fn check_partitions(dataset: &Dataset, columns: &[&str]) -> Vec<Value> {
    let mut all = Vec::new();
    for part in dataset.parts() {
        let levels: Vec<_> = part.split('/').collect();
        let (name, levels) = levels.split_last().unwrap();
        assert!(name.ends_with(".parquet"), "{part}");
        let values: Vec<_> = levels.iter().map(|level| level.split_once('=').unwrap()).collect();
        assert_eq!(values.iter().map(|(name, _)| *name).collect::<Vec<_>>(), columns, "{part}");
        let rows = dataset.rows_of(&part);
        for row in &rows {
            for (column, value) in &values {
                let (from, length) = match *column {
                    "account" => ("recipient_account_id", usize::MAX),
                    "region" => ("aws_region", usize::MAX),
                    "year" => ("event_time", 4),
                    "month" => ("event_time", 7),
                    "day" => ("event_time", 10),
                    other => (other, usize::MAX),
                };
                match row[from].as_str() {
                    None => assert_eq!(*value, "__HIVE_DEFAULT_PARTITION__", "{part}: {row}"),
                    Some(own) => {
                        let own = &own[..own.len().min(length)];
                        assert_eq!(unescape(value), own, "{part}");
                    }
                }
            }
        }
        all.extend(rows);
    }
    all
}

#[test]
fn partitions() {
    let sample = sample("codebuild");
    check_partitions(&sample, &["region", "month"]);
    let rows = |sql| sample.sql(sql);
    assert_eq!(
        rows("SELECT region, month, count(*) AS rows FROM events GROUP BY 1, 2 ORDER BY 1, 2"),
        json!([
            {"region": "eu-west-1", "month": "2026-09", "rows": 27},
            {"region": "region-ID", "month": "2016-09", "rows": 1},
            {"region": "us-east-1", "month": "2017-11", "rows": 1},
            {"region": "us-east-1", "month": "2026-09", "rows": 46},
            {"region": "us-east-1", "month": "2026-10", "rows": 3},
        ])
    );
    // Delivered in October.
    let late = rows("SELECT month, log_file_time FROM events WHERE event_id LIKE '13f04560-%'");
    assert_eq!(late, json!([{"month": "2026-09", "log_file_time": "2026-10-01T00:05:00Z"}]));
}

#[test]
fn no_value_leaves_the_dataset() {
    let odd = dataset(&["data/malformed/odd_values.json", "--partition-by", "region,month"]);
    let rows = check_partitions(&odd, &["region", "month"]);
    let parent = odd.path().parent().unwrap().to_owned();
    let beside: Vec<_> = fs::read_dir(parent).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(beside, ["dataset"]);
    let regions: BTreeSet<_> = rows.iter().map(|row| str(row, "aws_region").to_owned()).collect();
    assert!(regions.contains("../../etc") && regions.contains("a/b=c%"), "{regions:?}");
    // What is written can be found again, in its folder too.
    assert_eq!(odd.sql("SELECT count(*) AS n FROM events"), json!([{"n": 13}]));
    let hostile = "SELECT count(*) AS n FROM events WHERE region IN ('../../etc', 'a/b=c%')";
    assert_eq!(odd.sql(hostile), json!([{"n": 2}]));
}

#[test]
fn part_files_are_sorted_and_hold_each_event_once() {
    let all = sample("all");
    let mut ids = BTreeSet::new();
    for part in all.parts() {
        let rows = all.rows_of(&part);
        let keys: Vec<_> =
            rows.iter().map(|row| (str(row, "event_time"), str(row, "event_id"))).collect();
        assert!(keys.is_sorted(), "{part}: {keys:?}");
        for (_, id) in keys {
            assert!(ids.insert(id.to_owned()), "twice: {id}");
        }
    }
    // A row without a time comes last, one without an id after those of its time.
    let folder = tempfile::tempdir().unwrap();
    let log = log_file(
        folder.path(),
        "log.json",
        &[
            json!({"eventID": "a", "eventName": "no time"}),
            json!({"eventTime": "2026-09-02T00:00:00Z", "eventName": "no id"}),
            json!({"eventTime": "2026-09-02T00:00:00Z", "eventID": "b"}),
            json!({"eventTime": "2026-09-01T00:00:00Z", "eventID": "c"}),
        ],
    );
    let one = dataset(&[&log, "--keep", "all", "--partition-by", "account"]);
    let ids: Vec<_> = one.rows().iter().map(|row| row["event_id"].clone()).collect();
    assert_eq!(ids, [json!("c"), json!("b"), Value::Null, json!("a")]);
}

#[test]
fn a_part_file_says_what_it_is() {
    let sample = sample("codebuild");
    assert_eq!(sample.parts().len(), 5);
    for part in sample.parts() {
        let file = File::open(sample.path().join(&part)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(reader.schema().fields(), schema().fields());
        let metadata = reader.metadata().file_metadata();
        let pairs = metadata.key_value_metadata().unwrap().iter();
        let pairs: BTreeMap<_, _> =
            pairs.map(|pair| (pair.key.as_str(), pair.value.clone().unwrap())).collect();
        assert_eq!(pairs["buildtrail.schema_version"], SCHEMA_VERSION.to_string());
        assert_eq!(pairs["buildtrail.version"], env!("CARGO_PKG_VERSION"));
        for row_group in reader.metadata().row_groups() {
            let names = [schema().index_of("event_time"), schema().index_of("event_id")];
            let sorted_by = names.map(|index| SortingColumn {
                column_idx: i32::try_from(index.unwrap()).unwrap(),
                descending: false,
                nulls_first: false,
            });
            assert_eq!(row_group.sorting_columns(), Some(&sorted_by.to_vec()));
            assert_eq!(row_group.columns().len(), COUNT);
            for column in row_group.columns() {
                assert!(matches!(column.compression(), Compression::ZSTD(_)), "{part}");
                assert!(column.offset_index_offset().is_some(), "{part} has no page index");
            }
            let time = row_group.column(0);
            assert!(time.statistics().is_some() && time.column_index_offset().is_some());
        }
    }
}

#[test]
fn partition_columns_are_in_the_path_alone() {
    let parts = dataset(&[SAMPLE, "--partition-by", "account,year,day"]);
    let file = File::open(parts.path().join(&parts.parts()[0])).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(Schema::fields(reader.schema()), schema().fields());
}

#[test]
fn only_part_files_look_like_part_files() {
    let sample = sample("codebuild");
    let own = files(&sample.path().join("_buildtrail"));
    assert!(own.contains(&"commits/00000001.json".to_owned()), "{own:?}");
    assert!(!own.iter().any(|name| name.ends_with(".parquet")), "{own:?}");
    assert_eq!(files(&sample.path()).len(), own.len() + sample.parts().len());
}

#[test]
fn the_same_bytes_come_out() {
    let accounts = [format!("{SAMPLE}/111122223333"), format!("{SAMPLE}/444455556666")];
    let [a, b] = &accounts;
    let one = dataset(&[a, b, "--threads", "1", "--keep", "all"]);
    let other = dataset(&[b, a, "--threads", "4", "--keep", "all"]);
    assert_eq!(tree(&one.path()), tree(&other.path()));
    assert_eq!(one.summary, other.summary);
}

#[test]
fn the_same_inputs_twice_change_nothing() {
    let dataset = dataset(&[SAMPLE]);
    let before = tree(&dataset.path());
    let again = dataset.convert(&[SAMPLE]).exits(0).json();
    let expected = json!({"read": 0, "written": 0, "filtered": 0, "duplicate": 0,
                          "conflicting": 0, "rejected": 0});
    assert_eq!(again["records"], expected);
    let files = json!({"found": 15, "read": 0, "rejected": 0, "skipped": {"aggregated": 0,
                       "digest": 1, "insight": 1, "empty": 0, "known": 13, "other": 0, "outside": 0}});
    assert_eq!(again["files"], files);
    assert_eq!((&again["parts"], &again["bytes"]), (&json!(0), &json!(0)));
    assert_eq!(tree(&dataset.path()), before);
}

#[test]
fn two_runs_give_the_rows_of_one() {
    let logs: Vec<String> = log_files().into_keys().collect();
    let logs: Vec<&str> = logs.iter().map(String::as_str).collect();
    // The later half first: what is in the dataset stays, the earlier copy does not replace it.
    let (first, second) = logs.split_at(logs.len() / 2);
    let parts = dataset(second);
    let added = parts.convert(first).exits(0).json();
    let read = |summary: &Value, count: &str| summary["records"][count].as_u64().unwrap();
    for (count, expected) in [("read", 98), ("written", 78), ("filtered", 16), ("duplicate", 4)] {
        assert_eq!(read(&parts.summary, count) + read(&added, count), expected, "{count}");
    }
    let content = |dataset: &Dataset| {
        let mut rows = dataset.rows();
        for row in &mut rows {
            let row = row.as_object_mut().unwrap();
            row.retain(|name, _| {
                !["source_file", "source_record", "log_file_time"].contains(&&**name)
            });
        }
        // The copy with its members in another order differs in its JSON text alone.
        rows.sort_by_key(|row| row["event_id"].to_string());
        rows.into_iter().map(|row| row.to_string()).collect::<Vec<_>>()
    };
    let (one, two) = (content(&sample("codebuild")), content(&parts));
    let differ: Vec<_> = one.iter().zip(&two).filter(|(a, b)| a != b).map(|(a, _)| a).collect();
    assert_eq!(one.len(), two.len());
    assert!(differ.iter().all(|row| row.contains("c56994c8-")), "{differ:?}");
}

#[test]
fn a_period_is_of_event_times() {
    let (since, until) = ("2026-09-21", "2026-09-26T22:04:00Z");
    let inside = |since: &str, until: &str| {
        let times = events().into_iter().map(|event| str(&event, "eventTime").to_owned());
        times.filter(|time| since <= time.as_str() && time.as_str() < until).count()
    };
    for (args, expected) in [
        (vec!["--since", since], inside(since, "9")),
        (vec!["--until", until], inside("0", until)),
        (vec!["--since", since, "--until", until], inside(since, until)),
        // From an event's own second on, and up to but without it.
        (vec!["--since", "2026-09-30T23:58:40Z"], 4),
        (vec!["--since", "2026-10-01T01:58:41+02:00"], 3),
        (vec!["--until", "2016-09-06T17:59:11Z"], 0),
    ] {
        let period = dataset(&[&[SAMPLE], args.as_slice()].concat());
        assert_eq!(period.rows().len(), expected, "{args:?}");
        let counts = &period.summary["records"];
        let [read, written, filtered, duplicate] = ["read", "written", "filtered", "duplicate"]
            .map(|count| counts[count].as_u64().unwrap());
        assert_eq!(read, written + filtered + duplicate, "{args:?}");
        // Keys say of some log files that they are of another time; what is late is not missed.
        assert!(read <= 98 && counts["rejected"] == 0, "{args:?}");
    }
}

#[test]
fn sources_may_be_patterns_and_may_overlap() {
    let american = log_files().into_keys().filter(|name| {
        name.contains("/CloudTrail/us-east-1/")
            && Path::new(name).extension() == Some("gz".as_ref())
    });
    let pattern = dataset(&["data/AWSLogs/*/CloudTrail/us-east-1/**/*.json.gz"]);
    assert_eq!(pattern.summary["files"]["found"], american.count());
    assert_eq!(pattern.summary["files"]["read"], pattern.summary["files"]["found"]);
    let logs: Vec<String> = log_files().into_keys().collect();
    // A file by itself and in its folder is one file.
    let twice = dataset(&[&logs[2], SAMPLE, &logs[1]]);
    assert_eq!(twice.summary, sample("codebuild").summary);
    assert_eq!(tree(&twice.path()), tree(&sample("codebuild").path()));
}

#[test]
fn a_source_that_is_not_there_ends_the_run() {
    for source in ["data/no-such-folder", "data/AWSLogs/*/no-such/*.json"] {
        let place = Dataset::place();
        let run = place.convert(&[SAMPLE, source]).exits(1);
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(source), "{}", run.stderr);
        assert_eq!(run.stdout, "");
        assert!(!place.path().exists());
    }
}

#[test]
fn a_dataset_keeps_its_partition_columns() {
    let dataset = dataset(&[SAMPLE, "--partition-by", "day"]);
    let before = tree(&dataset.path());
    let refused = dataset.convert(&[SAMPLE, "--partition-by", "region,month"]).exits(1).stderr;
    assert!(refused.contains("is partitioned by `day`, not by `region,month`"), "{refused}");
    assert_eq!(tree(&dataset.path()), before);
    // Without the option its own columns hold.
    let again = dataset.convert(&[SAMPLE]).exits(0).json();
    assert_eq!(again["files"]["skipped"]["known"], 13);
}

#[test]
fn wrong_usage_is_status_2() {
    for args in [
        &["convert", SAMPLE][..],
        &["convert", "--out", "never"],
        &["convert", SAMPLE, "--out", "never", "--keep", "some"],
        &["convert", SAMPLE, "--out", "never", "--threads", "0"],
        &["convert", SAMPLE, "--out", "never", "--partition-by", "region,planet"],
        &["convert", SAMPLE, "--out", "never", "--since", "2026-09-01T25:00:00"],
        &["sql"],
        &["frobnicate"],
        &[],
    ] {
        let run = buildtrail(args).exits(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{args:?}");
    }
    assert!(!Path::new(ROOT).join("never").exists());
}

/// A log file of records given as text, so that the order of members is ours.
fn raw(folder: &Path, name: &str, records: &[&str]) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
    text(&path)
}

#[test]
fn copies_are_told_by_id_and_content() {
    let members = r#""eventSource":"codebuild.amazonaws.com","eventTime":"2026-09-01T00:00:00Z""#;
    let one = format!(
        r#"{{"eventID":"e",{members},"requestParameters":{{"a":1,"b":[{{"c":2,"d":3}}]}}}}"#
    );
    let turned = format!(
        r#"{{ "requestParameters": {{"b":[{{"d":3,"c":2}}],"a":1}}, "errorCode":null, {members}, "eventID":"e"}}"#
    );
    let other = format!(r#"{{"eventID":"e",{members},"requestParameters":{{"a":2}}}}"#);
    let nameless = format!(r#"{{{members},"requestParameters":{{"a":1}}}}"#);
    let nameless_other = format!(r#"{{{members},"requestParameters":{{"a":2}}}}"#);
    for (records, [written, duplicate, conflicting]) in [
        (vec![&one, &one], [1, 1, 0]),
        (vec![&one, &turned], [1, 1, 0]),
        (vec![&one, &other], [2, 0, 1]),
        (vec![&one, &other, &turned, &other], [2, 2, 1]),
        (vec![&nameless, &nameless], [1, 1, 0]),
        (vec![&nameless, &nameless_other, &one], [3, 0, 0]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let texts: Vec<_> = records.iter().map(|record| record.as_str()).collect();
        let log = raw(folder.path(), "log.json", &texts);
        let expected = json!({"read": records.len(), "written": written, "filtered": 0,
            "duplicate": duplicate, "conflicting": conflicting, "rejected": 0});
        let together = dataset(&[&log]);
        assert_eq!(together.summary["records"], expected, "{records:?}");
        assert_eq!(together.rows().len(), written);
        // The same in a run for each record, where the earlier ones are in the dataset already.
        let runs = Dataset::place();
        let mut sums = [0_u64; 3];
        for (number, record) in texts.iter().enumerate() {
            let log = raw(folder.path(), &format!("{number}.json"), &[record]);
            let counts = runs.convert(&[&log]).exits(0).json()["records"].take();
            for (sum, count) in sums.iter_mut().zip(["written", "duplicate", "conflicting"]) {
                *sum += counts[count].as_u64().unwrap();
            }
        }
        assert_eq!(json!(sums), json!([written, duplicate, conflicting]), "{records:?}");
    }
}

#[test]
fn of_copies_the_least_file_and_record_stays() {
    let sample = sample("codebuild");
    let rows = sample.rows();
    // Delivered on the 14th and again on the 28th.
    for id in ["c56994c8-", "6f4e2283-", "58945441-", "f76b754f-"] {
        let mut found = rows.iter().filter(|row| str(row, "event_id").starts_with(id));
        let row = found.next().unwrap();
        assert!(str(row, "source_file").contains("/2026/09/14/"), "{row}");
        assert!(found.next().is_none());
    }
}

#[test]
fn a_dataset_inside_its_own_source_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let record = json!({"eventSource": "codebuild.amazonaws.com", "eventID": "e"});
    log_file(folder.path(), "log.json", &[record]);
    let (source, out) = (text(folder.path()), text(&folder.path().join("dataset")));
    let before = tree(folder.path());
    let refused = buildtrail(&["convert", &source, "--out", &out]).exits(1).stderr;
    assert!(
        refused.contains("dataset: is in the source") && refused.contains("hint: "),
        "{refused}"
    );
    assert_eq!(tree(folder.path()), before);
    // Above it is no better.
    let log = text(&folder.path().join("log.json"));
    let refused = buildtrail(&["convert", &log, "--out", &source]).exits(1).stderr;
    assert!(refused.contains("holds the source"), "{refused}");
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn the_summary_has_its_members() {
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let summary = &sample("codebuild").summary;
    let members = "bytes bytes_read changed coercions conflicts files foreign parts read_for_less records rejected \
                   services";
    assert_eq!(names(summary), set(&members.split(' ').collect::<Vec<_>>()));
    let records = ["read", "written", "filtered", "duplicate", "conflicting", "rejected"];
    assert_eq!(names(&summary["records"]), set(&records));
    assert_eq!(names(&summary["files"]), set(&["found", "read", "skipped", "rejected"]));
    assert_eq!(
        names(&summary["files"]["skipped"]),
        set(&["aggregated", "digest", "insight", "empty", "known", "other", "outside"])
    );
    let sizes = log_files().into_keys().filter(|name| !name.contains("Insight"));
    let sizes = sizes.map(|name| fs::metadata(Path::new(ROOT).join(name)).unwrap().len());
    assert_eq!(summary["bytes_read"], sizes.sum::<u64>());
    // Times without a zone, in the records of the first years.
    assert_eq!(
        summary["coercions"],
        json!({"responseElements.build.startTime": 1, "responseElements.project.created": 1,
               "responseElements.project.lastModified": 1})
    );
}

#[test]
fn the_summary_for_people() {
    let place = Dataset::place();
    let run = buildtrail(&["convert", SAMPLE, "--out", &place.name()]).exits(0);
    assert_eq!(run.stderr, "");
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9.]+ KiB, in .*", "[size], in [dataset]");
    settings.bind(|| {
        insta::assert_snapshot!(run.stdout, @r"
        records  98 read = 78 written + 16 filtered + 4 duplicate + 0 rejected
        files    15 found = 13 read + 2 skipped (1 digest, 1 insight) + 0 rejected
        parts    5 written, [size], in [dataset]
        note     3 values did not fit their column and are in the JSON text only: responseElements.build.startTime, responseElements.project.created, responseElements.project.lastModified
        ");
    });
}

#[test]
fn aggregated_files_are_known_by_their_key_and_read_only_to_keep_all() {
    let folder = tempfile::tempdir().unwrap();
    let name = "111122223333_CloudTrail-Aggregated_us-east-1_20260926T1455Z_0123456789abcdef.json";
    let record = json!({"eventType": "AwsAggregatedEvent", "eventCategory": "Aggregated"});
    fs::write(folder.path().join(name), json!([record, record]).to_string()).unwrap();
    let source = text(folder.path());
    let skipped = dataset(&[&source]).summary;
    assert_eq!(skipped["files"]["skipped"]["aggregated"], 1);
    assert_eq!(skipped["records"]["read"], 0);
    // Without an id the content is the key, so the two are one.
    let all = dataset(&[&source, "--keep", "all"]);
    assert_eq!(all.summary["records"]["read"], 2);
    assert_eq!(all.rows().len(), 1);
    assert_eq!(str(&all.rows()[0], "event_category"), "Aggregated");
}

#[test]
fn a_partition_column_named_twice_is_wrong_usage() {
    let place = Dataset::place();
    let run = place.convert(&[SAMPLE, "--partition-by", "region,month,region"]).exits(2);
    assert!(run.stderr.contains("names `region` twice"), "{}", run.stderr);
    assert!(!place.path().exists());
}

#[test]
fn a_dataset_keeps_to_its_redaction() {
    let place = Dataset::place();
    place.convert(&[SAMPLE]).exits(0);
    let before = tree(&place.path());
    let run = place.convert(&[SAMPLE, "--redact", "none"]).exits(1);
    assert!(run.stderr.contains("other --redact"), "{}", run.stderr);
    assert_eq!(tree(&place.path()), before);
}

#[test]
fn one_run_at_a_time_writes_and_cleans_up_after_a_killed_one() {
    let place = Dataset::place();
    place.convert(&[SAMPLE]).exits(0);
    let before = tree(&place.path());
    let meta = place.path().join("_buildtrail");
    let unfinished = meta.join("staging").join(".tmpKILLED");
    fs::write(&unfinished, "half a part file").unwrap();

    let lock = File::open(meta.join("lock")).unwrap();
    lock.lock().unwrap();
    let refused = place.convert(&[SAMPLE]).exits(1);
    assert!(refused.stderr.contains("another run is writing"), "{}", refused.stderr);
    assert!(unfinished.exists());
    // Readers need not wait.
    assert_eq!(place.sql("SELECT count(*) AS n FROM events"), json!([{"n": 78}]));

    lock.unlock().unwrap();
    place.convert(&[SAMPLE]).exits(0);
    assert_eq!(tree(&place.path()), before);
}

#[test]
fn a_pattern_takes_no_dataset_for_a_source() {
    let folder = tempfile::tempdir().unwrap();
    log_file(folder.path(), "log.json", &[json!({"eventSource": "codebuild.amazonaws.com"})]);
    let pattern = format!("{}/**/*.json", text(folder.path()));
    let out = text(&folder.path().join("dataset"));
    for known in [0, 1] {
        let run = buildtrail(&["convert", &pattern, "--out", &out, "--format", "json"]).exits(0);
        assert_eq!(run.json()["files"]["skipped"]["known"], known);
        assert_eq!(run.json()["files"]["found"], 1);
    }
}

#[test]
fn records_about_calls_are_no_calls() {
    let folder = tempfile::tempdir().unwrap();
    let record = |category: &str| {
        json!({"eventSource": "codebuild.amazonaws.com", "eventName": "StartBuild",
               "eventCategory": category, "eventID": category})
    };
    let records = ["Aggregated", "Insight", "Management"].map(record);
    let file = log_file(folder.path(), "log.json", &records);
    let calls = dataset(&[&file]);
    assert_eq!(calls.summary["records"]["filtered"], 2);
    assert_eq!(str(&calls.rows()[0], "event_category"), "Management");
    assert_eq!(dataset(&[&file, "--keep", "all"]).summary["records"]["written"], 3);
}

#[test]
fn where_nothing_is_read_the_next_step_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let put = |folder: &str, name: &str, text: &str| {
        fs::create_dir_all(folder).unwrap();
        fs::write(Path::new(folder).join(name), text).unwrap();
    };
    let below = |name: &str| text(&folder.path().join(name));
    fs::create_dir(below("nothing")).unwrap();
    put(&below("texts"), "notes.txt", "");
    put(&below("CloudTrail-Digest"), "d.json", "{}");
    put(&below("CloudTrail-Insight"), "i.json", "{}");
    for (name, said) in [
        ("nothing", "the folder has no files"),
        ("texts", "name such a file itself"),
        ("CloudTrail-Digest", "digest files hold no records"),
        ("CloudTrail-Insight", "--keep all reads them"),
    ] {
        let run = Dataset::place().convert(&[&below(name)]).exits(0);
        let lines: Vec<_> = run.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].starts_with("note: no log file was read: "));
        assert!(lines[0].contains(said), "{name}: {}", run.stderr);
    }
    let elsewhere = Dataset::place().convert(&[SAMPLE, "--account", "999999999999"]).exits(0);
    assert!(elsewhere.stderr.contains("none is of the accounts"), "{}", elsewhere.stderr);
    for source in [below("gone"), below("*.json")] {
        let run = Dataset::place().convert(&[&source]).exits(1);
        assert!(run.stderr.starts_with("error: no such file or folder: "), "{}", run.stderr);
    }
}
