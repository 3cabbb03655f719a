//! No false all-clear: what a dataset keeps, what a query needs, values that nothing has, periods that are
//! none, and places where a dataset must not be.

use crate::dataset::record;
use crate::kill;
use crate::support::{
    Dataset, ROOT, Run, SAMPLE, buildtrail, command, dataset, files, log_file, run, sample, text,
    tree,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn status(dataset: &Dataset) -> Value {
    buildtrail(&["status", &dataset.name(), "--format", "json"]).exits(0).json()
}

/// Two log files, each of a call to CodeBuild and one to another service.
fn two_logs(folder: &Path) -> [String; 2] {
    ["a", "b"].map(|name| {
        let time = "2026-09-01T00:00:00Z";
        let ours = record(&format!("{name}-1"), time, "StartBuild");
        let mut other = record(&format!("{name}-2"), time, "ListBuckets");
        other["eventSource"] = json!("s3.amazonaws.com");
        log_file(folder, &format!("{name}.json"), &[ours, other])
    })
}

/// Makes it a dataset of before, which does not remember what it keeps.
fn forget(dataset: &Dataset) {
    let file = dataset.path().join("_buildtrail/dataset.json");
    let mut remembered: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(remembered.as_object_mut().unwrap().remove("keep").is_some());
    fs::write(&file, remembered.to_string()).unwrap();
}

#[track_caller]
fn says(run: &Run, all: &[&str]) {
    for text in all {
        assert!(run.stderr.contains(text), "{text} is not in:\n{}", run.stderr);
    }
}

#[test]
fn a_run_keeps_what_the_dataset_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = two_logs(folder.path());
    assert_eq!(status(&dataset(&[&first]))["keep"], "codebuild");
    let place = dataset(&[&first, "--keep", "all"]);
    assert_eq!(status(&place)["keep"], "all");
    let later = place.convert(&[&second]).exits(0);
    assert_eq!((&later.json()["records"]["written"], later.stderr.as_str()), (&json!(2), ""));
    assert!(later.json().get("widened_from").is_none());
    let before = tree(&place.path());
    for less in ["codebuild", "build-activity"] {
        let refused = place.convert(&[&second, "--keep", less]).exits(1);
        says(&refused, &["keeps `all`", &format!("`{less}`"), "hint: leave --keep out"]);
    }
    assert_eq!(tree(&place.path()), before);
    place.convert(&["--retry-rejected"]).exits(0);
    assert_eq!(status(&place)["keep"], "all");
    let people = buildtrail(&["status", &place.name()]).exits(0).stdout;
    assert!(people.contains("keeps      all\n"), "{people}");
}

#[test]
fn a_wider_run_widens_and_says_what_was_read_for_less() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = two_logs(folder.path());
    let place = dataset(&[&first, &second]);
    let wider = place.convert(&[&first, "--keep", "all"]).exits(0);
    says(&wider, &["it kept `codebuild` before", "1 log file was read for less", "hint: "]);
    let summary = wider.json();
    assert_eq!(
        (&summary["widened_from"], &summary["read_for_less"], &summary["records"]["written"]),
        (&json!("codebuild"), &json!(1), &json!(1))
    );
    assert_eq!(
        (&status(&place)["keep"], &status(&place)["read_for_less"]),
        (&json!("all"), &json!(1))
    );
    // The next run reads it again without being asked to, if it is among the sources.
    let next = place.convert(&[&text(folder.path())]).exits(0);
    assert_eq!((&next.json()["records"]["read"], next.stderr.as_str()), (&json!(2), ""));
    assert!(status(&place).get("read_for_less").is_none());
    assert_eq!(place.rows().len(), 4);
    buildtrail(&["verify", &place.name()]).exits(0);
}

#[test]
fn a_dataset_of_before_keeps_what_all_its_runs_kept() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = two_logs(folder.path());
    for (runs, keep) in [(["all", "all"], "all"), (["codebuild", "all"], "codebuild")] {
        let place = dataset(&[&first, "--keep", runs[0]]);
        place.convert(&[&second, "--keep", runs[1]]).exits(0);
        forget(&place);
        let before = tree(&place.path());
        assert_eq!(status(&place)["keep"], keep);
        buildtrail(&["run", "timeline", &place.name()]).exits(0);
        assert_eq!(tree(&place.path()), before);
        place.convert(&[&second]).exits(0);
        assert_eq!(status(&place)["keep"], keep);
        let remembered = place.path().join("_buildtrail/dataset.json");
        assert!(fs::read_to_string(remembered).unwrap().contains(&format!("\"keep\": \"{keep}\"")));
    }
}

#[test]
fn shards_widen_together() {
    let place = dataset(&[SAMPLE]);
    for shard in ["1/2", "2/2"] {
        place.convert(&[SAMPLE, "--keep", "all", "--shard", shard]).exits(0);
    }
    assert_eq!(status(&place)["keep"], "all");
    assert!(status(&place).get("read_for_less").is_none());
    assert_eq!(place.rows().len(), sample("all").rows().len());
}

#[cfg_attr(not(debug_assertions), ignore = "a release build has no kill points")]
#[test]
fn a_killed_run_never_makes_a_dataset_claim_more() {
    let folder = tempfile::tempdir().unwrap();
    let [first, _] = two_logs(folder.path());
    let start = dataset(&[&first]);
    let widen = |place: &Dataset| {
        command(&["convert", &first, "--out", &place.name(), "--keep", "all", "--threads", "1"])
    };
    let finish = |place: &Dataset| {
        run(widen(place), "").exits(0);
        place.convert(&[&first]).exits(0);
    };
    let whole = start.copy();
    finish(&whole);
    let mut kept = BTreeSet::new();
    kill::at_each_point(
        || start.copy(),
        widen,
        |point, place| {
            let commits = files(&place.path().join("_buildtrail/commits")).len();
            let keep = status(&place)["keep"].as_str().unwrap().to_owned();
            assert!(keep == "codebuild" || commits > 1, "{point}: {keep}");
            kept.insert((commits, keep));
            finish(&place);
            assert_eq!(tree(&place.path()), tree(&whole.path()), "{point}");
        },
    );
    // Between the commit and what it changes in dataset.json, too.
    assert!(kept.contains(&(2, "codebuild".to_owned())), "{kept:?}");
    assert_eq!(status(&whole)["keep"], "all");
}

/// A folder with one saved query, `mine`, of this header and statement.
fn own_query(lines: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let query = format!("-- title: Mine\n-- question: Which?\n{lines}\n");
    fs::write(folder.path().join("mine.sql"), query).unwrap();
    folder
}

#[test]
fn a_query_that_needs_more_than_is_kept_is_no_all_clear() {
    let folder = own_query("-- needs: build-activity\nSELECT 1 AS a FROM events WHERE false");
    let own = text(folder.path());
    let (less, more) = (sample("codebuild"), sample("all"));
    let (less, more) = (less.name(), more.name());
    let ask = |dataset: &str, args: &[&str]| {
        buildtrail(&[&["run", "mine", dataset, "--sql-dir", &own], args].concat())
    };
    let named = ["warning: the dataset keeps `codebuild`, and mine needs `build-activity`"];
    let advice = format!("convert SOURCE --out {less} --keep build-activity`");
    let said = ask(&less, &[]).exits(0);
    says(&said, &[named[0], &advice]);
    says(&ask(&less, &["--fail-on-rows"]).exits(1), &named);
    assert_eq!(ask(&more, &["--fail-on-rows"]).exits(0).stderr, "");
    // The shell's command, and log files as they are.
    let typed = ["sql", &less, "--sql-dir", &own, "-c", ".run mine"];
    says(&buildtrail(&typed).exits(0), &named);
    let logs = |args: &[&str]| {
        let fixed = ["run", "mine", "--sql-dir", &own, "--fail-on-rows"];
        buildtrail(&[&fixed[..], args, &["--logs", SAMPLE]].concat())
    };
    says(&logs(&[]).exits(1), &[named[0], "hint: add --keep build-activity"]);
    assert_eq!(logs(&["--keep", "build-activity"]).exits(0).stderr, "");
    let listed = buildtrail(&["queries", "--sql-dir", &own, "--format", "json"]).exits(0).json();
    let needs = |name: &str| {
        let listed = listed.as_array().unwrap();
        listed.iter().find(|query| query["name"] == name).unwrap()["needs"].clone()
    };
    assert_eq!((needs("mine"), needs("timeline")), (json!("build-activity"), Value::Null));
    says(
        &buildtrail(&["run", "sensitive-build-calls", &less, "--fail-on-rows"]).exits(1),
        &["sensitive-build-calls needs `build-activity`"],
    );
    let folder = own_query("-- needs: more\nSELECT 1 AS a");
    let wrong = ["run", "mine", &more, "--sql-dir", &text(folder.path())];
    says(
        &buildtrail(&wrong).exits(1),
        &["`-- needs: more`: expected codebuild, build-activity or all"],
    );
}

#[test]
fn log_files_that_were_read_for_less_are_no_all_clear() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = two_logs(folder.path());
    let place = dataset(&[&first, &second]);
    place.convert(&[&second, "--keep", "build-activity"]).exits(0);
    let name = place.name();
    let ask = || buildtrail(&["run", "sensitive-build-calls", &name, "--fail-on-rows"]);
    says(&ask().exits(1), &["warning: 1 log file was read for less than `build-activity`"]);
    place.convert(&[&first]).exits(0);
    assert_eq!(ask().exits(0).stderr, "");
}

#[test]
fn a_value_that_nothing_has_is_told_with_the_nearest() {
    let sample = sample("codebuild");
    let name = sample.name();
    let ask = |args: &[&str]| buildtrail(&[&["run", "timeline", &name], args].concat());
    for (args, said) in [
        (
            ["--project", "payment-api"],
            &["warning: no project `payment-api` in this dataset", "did you mean `payments-api`?"]
                [..],
        ),
        (["--account", "42"], &["no account `42` in this dataset", "did you mean `"]),
        (["--actor", "nobody"], &["no actor `nobody` in this dataset", "did you mean `"]),
    ] {
        says(&ask(&args).exits(0), said);
        says(&ask(&[&args[..], &["--fail-on-rows"]].concat()).exits(2), said);
    }
    let known = ["--project", "payments-api", "--account", "111122223333"];
    assert_eq!(ask(&known).exits(0).stderr, "");
    let typed = ["sql", &name, "-c", ".run timeline --project payment-api"];
    says(
        &buildtrail(&typed).exits(0),
        &["no project `payment-api`", "did you mean `payments-api`?"],
    );
    // A parameter of one's own, and a dataset without any event.
    let folder = own_query(
        "-- parameter: region text [] Only this region\n\
         SELECT count(*) AS n FROM events WHERE $region IS NULL OR aws_region = $region",
    );
    let own = text(folder.path());
    let mine = ["run", "mine", &name, "--sql-dir", &own, "--fail-on-rows", "--region", "us-east1"];
    says(&buildtrail(&mine).exits(2), &["no region `us-east1`", "did you mean `us-east-1`?"]);
    let empty = tempfile::tempdir().unwrap();
    let place = dataset(&[&text(empty.path())]);
    let none = ["run", "timeline", &place.name(), "--project", "x"];
    let said = buildtrail(&none).exits(0);
    says(&said, &["no project `x` in this dataset"]);
    assert!(!said.stderr.contains("did you mean"), "{}", said.stderr);
}

#[test]
fn accounts_and_regions_that_no_log_file_is_of_are_told() {
    let convert = |args: &[&str]| Dataset::place().convert(&[&[SAMPLE], args].concat()).exits(0);
    let slip = convert(&["--region", "us-east1"]);
    says(
        &slip,
        &["no log file of the sources is of the region `us-east1`", "did you mean `us-east-1`?"],
    );
    let some = convert(&["--account", "111122223333,42", "--region", "us-east-1,sa-east-1"]);
    says(&some, &["of the account `42`", "12 digits", "of the region `sa-east-1`"]);
    assert!(!some.stderr.contains("111122223333") && !some.stderr.contains("us-east-1`"));
    let unmatched = some.json()["unmatched"].clone();
    assert_eq!(unmatched[0], json!({"option": "account", "value": "42"}));
    assert_eq!(convert(&["--account", "111122223333", "--region", "us-east-1"]).stderr, "");
}

#[test]
fn a_period_that_ends_before_it_begins_is_wrong_usage() {
    let sample = sample("codebuild");
    let name = sample.name();
    let keys = ["--public-keys", "data/validated/public-keys.json"];
    for period in [
        ["--since", "1d", "--until", "7d"],
        ["--since", "2026-09-02", "--until", "2026-09-01T23:59"],
    ] {
        for args in [
            &["convert", SAMPLE, "--out", "never"][..],
            &[&["verify", "data/validated/AWSLogs"], &keys[..]].concat(),
            &["run", "timeline", &name],
        ] {
            says(&buildtrail(&[args, &period].concat()).exits(2), &["--since is after --until"]);
        }
        let typed = format!(".run timeline {}", period.join(" "));
        says(&buildtrail(&["sql", &name, "-c", &typed]).exits(1), &["--since is after --until"]);
    }
    assert!(!Path::new(ROOT).join("never").exists());
    // Read one after the other, the same time is not the same to the millisecond.
    buildtrail(&["run", "timeline", &name, "--until", "7d", "--since", "7d"]).exits(0);
}

#[test]
fn times_are_written_as_people_write_them() {
    let sample = sample("codebuild");
    let name = sample.name();
    let since = |time: &str| {
        let ask = ["run", "timeline", &name, "--format", "json", "--since", time];
        buildtrail(&ask).exits(0).json()
    };
    let expected = since("2026-09-24T12:00:00Z");
    assert!(!expected.as_array().unwrap().is_empty());
    for same in ["2026-09-24T12:00", "2026-09-24 12:00:00", "2026-09-24 12:00"] {
        assert_eq!(since(same), expected, "{same}");
    }
    let all = since("20y");
    assert_eq!(since("240mo"), all);
    for past in ["yesterday", "today", "1mo", "1y"] {
        assert!(since(past).as_array().unwrap().len() <= all.as_array().unwrap().len(), "{past}");
    }
}

#[test]
fn a_file_whose_name_asks_for_no_form_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample("codebuild");
    let name = sample.name();
    let file = text(&folder.path().join("x.xlsx"));
    for args in [&["sql", &name, "-c", "SELECT 1"][..], &["run", "timeline", &name]] {
        let wrong = buildtrail(&[args, &["--output", &file]].concat()).exits(2);
        says(&wrong, &["x.xlsx", ".csv, .tsv, .json", "--format"]);
        assert!(files(folder.path()).is_empty());
    }
    buildtrail(&["sql", &name, "-c", "SELECT 1", "-o", &file, "--format", "csv"]).exits(0);
    let plain = text(&folder.path().join("x"));
    buildtrail(&["sql", &name, "-c", "SELECT 1", "-o", &plain]).exits(0);
    assert_eq!(files(folder.path()), ["x", "x.xlsx"]);
}

#[test]
fn the_environment_names_dataset_and_queries() {
    let folder = own_query("SELECT 7 AS n");
    let sample = sample("codebuild");
    let ask = |args: &[&str]| {
        let mut command = command(args);
        command.env("BUILDTRAIL_DATASET", sample.path()).env("BUILDTRAIL_SQL_DIR", folder.path());
        run(command, "")
    };
    let count = ["sql", "-c", "SELECT count(*) AS n FROM events", "--format", "json"];
    assert_eq!(ask(&count).exits(0).json(), json!([{"n": 78}]));
    assert_eq!(ask(&["run", "mine", "--format", "json"]).exits(0).json(), json!([{"n": 7}]));
    assert_eq!(ask(&["status", "--format", "json"]).exits(0).json()["rows"], 78);
    assert!(ask(&["queries"]).exits(0).stdout.contains("mine"));
    ask(&["verify"]).exits(0);
    ask(&["compact", "--dry-run"]).exits(0);
    ask(&["ddl", "duckdb"]).exits(0);
    // What is named goes first, and log files are not contradicted.
    let log = "data/AWSLogs/444455556666";
    let logs = ["sql", "-c", "SELECT count(*) AS n FROM events", "--format", "json", "--logs", log];
    assert_ne!(ask(&logs).exits(0).json(), json!([{"n": 78}]));
    ask(&["status", "no/such/dataset"]).exits(1);
    buildtrail(&["status"]).exits(2);
}

#[test]
fn what_is_rejected_is_listed_and_standard_error_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..30 {
        let name = folder.path().join(format!("{number:02}.json"));
        fs::write(name, "no log file").unwrap();
    }
    let place = Dataset::place();
    let said = place.convert(&[&text(folder.path())]).exits(3).stderr;
    assert_eq!(said.matches("rejected: ").count(), 21, "{said}");
    assert!(said.contains("rejected: 10 more: not a CloudTrail log file"), "{said}");
    assert!(said.contains(&format!("hint: `buildtrail rejects {}`", place.name())), "{said}");
    let list =
        |format: &str| buildtrail(&["rejects", &place.name(), "--format", format]).exits(0).stdout;
    let all: Value = serde_json::from_str(&list("json")).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 30);
    assert!(all[0]["file"].as_str().unwrap().ends_with("00.json") && all[0]["record"].is_null());
    assert!(all[0]["reason"].as_str().unwrap().contains("not a CloudTrail log file"));
    let lines: Vec<Value> =
        list("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(lines), all);
    assert_eq!(list("table").matches(".json").count(), 30);
    assert!(
        buildtrail(&["status", &place.name()]).exits(0).stdout.contains("`buildtrail rejects`")
    );
    let none = dataset(&[SAMPLE]);
    let list = |format: &str| buildtrail(&["rejects", &none.name(), "--format", format]).exits(0);
    assert_eq!((list("json").json(), list("ndjson").stdout.as_str()), (json!([]), ""));
}

#[test]
fn a_quiet_run_says_nothing_but_what_is_wrong() {
    let place = Dataset::place();
    let name = place.name();
    let quiet =
        |sources: &[&str]| buildtrail(&[&["convert", "--out", &name, "--quiet"], sources].concat());
    let done = quiet(&[SAMPLE]).exits(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    let wrong = quiet(&["data/malformed/no_records.json"]).exits(3);
    assert_eq!(wrong.stdout, "");
    says(&wrong, &["rejected: data/malformed/no_records.json"]);
}

#[test]
fn a_number_out_of_its_range_is_wrong_usage() {
    let folder = own_query(
        "-- parameter: minutes integer [15] Length of a window (1 to 1440)\nSELECT $minutes AS n",
    );
    let own = text(folder.path());
    let sample = sample("codebuild");
    let name = sample.name();
    let ask = |minutes: &str| {
        buildtrail(&["run", "mine", &name, "--sql-dir", &own, "--minutes", minutes])
    };
    ask("1440").exits(0);
    for wrong in ["0", "1441", "-5"] {
        says(&ask(wrong).exits(2), &["expected a whole number from 1 to 1440"]);
    }
}

#[test]
fn no_advice_puts_a_dataset_among_log_files() {
    for args in [&["status", SAMPLE][..], &["sql", SAMPLE, "-c", "SELECT 1"]] {
        let said = buildtrail(args).exits(1);
        says(&said, &["not a dataset", "hint: ", &format!("convert {SAMPLE} --out DATASET")]);
        assert!(!said.stderr.contains(&format!("--out {SAMPLE}")), "{}", said.stderr);
    }
}
