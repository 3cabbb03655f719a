//! What people read, as snapshots: help, summaries, failures. A change of words shows as a change of
//! `tests/it/snapshots`, so that it is read before it is made.

use crate::dataset::three_logs;
use crate::support::{Dataset, Run, SAMPLE, buildtrail, dataset, log_file, text};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;

/// Compares a text with its snapshot, without what differs from run to run.
fn is_as_before(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"/[^\s:,'`]*/(\.tmp\w+)", "[folder]");
    settings.add_filter(r"\b[0-9][0-9,.]* (B|KiB|MiB)\b", "[size]");
    settings.add_filter(r"the commit says \d+\b", "the commit says [size]");
    settings.add_filter(r"part-[0-9a-f]{16}", "part-[hash]");
    settings.add_filter(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z \(commit", "[time] (commit");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A command line and all that came of it.
fn put(shown: &mut String, args: &[&str], run: &Run) {
    let args: Vec<_> = args
        .iter()
        .map(|arg| if arg.contains(' ') { format!("\"{arg}\"") } else { (*arg).to_owned() })
        .collect();
    writeln!(shown, "$ buildtrail {}", args.join(" ")).unwrap();
    *shown += &run.stdout;
    for line in run.stderr.lines() {
        writeln!(shown, "! {line}").unwrap();
    }
    writeln!(shown, "exit status {}\n", run.code.unwrap()).unwrap();
}

/// Runs commands one after the other, and shows them.
fn shown(commands: &[&[&str]]) -> String {
    let mut shown = String::new();
    for args in commands {
        put(&mut shown, args, &buildtrail(args));
    }
    shown
}

/// The commands, as the help lists them.
fn commands(help: &str) -> Vec<String> {
    let (_, listed) = help.split_once("Commands:\n").expect("no list of commands");
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn help() {
    let whole = buildtrail(&["--help"]).exits(0).stdout;
    let commands = commands(&whole);
    assert!(commands.len() > 9, "{commands:?}");
    // The feature has a command and options of its own.
    let with = if cfg!(feature = "distributed") { "-with-workers" } else { "" };
    is_as_before(&format!("help{with}"), &whole);
    for command in &commands {
        let text = buildtrail(&[command, "--help"]).exits(0).stdout;
        let with = if text.contains("--workers <") { with } else { "" };
        is_as_before(&format!("help-{command}{with}"), &text);
    }
}

#[test]
fn summaries_of_conversions() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dataset::place();
    let name = place.name();
    let id = "11111111-2222-4333-8444-555555555555";
    let event = |name: &str| {
        json!({"eventID": id, "eventName": name, "eventSource": "codebuild.amazonaws.com",
               "eventTime": "2026-09-01T00:00:00Z", "awsRegion": "us-east-1"})
    };
    let [one, other] = ["StartBuild", "StopBuild"]
        .map(|name| log_file(folder.path(), &format!("{name}.json"), &[event(name)]));
    fs::create_dir(folder.path().join("empty")).unwrap();
    let empty = text(&folder.path().join("empty"));
    is_as_before(
        "convert",
        &shown(&[
            &["convert", SAMPLE, "--out", &name],
            &["convert", SAMPLE, "--out", &name],
            &["convert", SAMPLE, "--out", &name, "--keep", "all"],
            &["convert", "data/malformed", "--out", &name, "--threads", "1"],
            &["convert", &one, &other, "--out", &name, "--threads", "1"],
            &["convert", &empty, "--out", &name],
            &["convert", "--retry-rejected", "--out", &name, "--threads", "1"],
        ]),
    );
}

#[test]
fn summaries_of_datasets() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dataset::place();
    let name = place.name();
    for log in three_logs(folder.path()) {
        place.convert(&[&log]).exits(0);
    }
    let mut all = shown(&[
        &["status", &name],
        &["compact", &name, "--dry-run"],
        &["compact", &name],
        &["compact", &name],
        &["delta", &name],
        &["status", &name],
        &["verify", &name],
    ]);
    let part = place.path().join(&place.parts()[0]);
    fs::write(&part, "").unwrap();
    all += &shown(&[&["verify", &name]]);
    fs::remove_file(&part).unwrap();
    all += &shown(&[&["verify", &name], &["sql", &name, "-c", "SELECT max(event_id) FROM events"]]);
    is_as_before("dataset", &all);
}

#[test]
fn summaries_of_digests() {
    let keys = ["--public-keys", "data/validated/public-keys.json"];
    let logs = "data/validated/AWSLogs";
    let metadata = ["--metadata", "data/validated/metadata.json"];
    is_as_before(
        "verify-log-files",
        &shown(&[
            &[&["verify", logs], &keys[..], &metadata].concat(),
            &[&["verify", logs], &keys[..]].concat(),
            &[&["verify", "data/AWSLogs/444455556666"], &keys[..]].concat(),
        ]),
    );
}

/// The failures that people meet first.
#[test]
fn failures() {
    let folder = tempfile::tempdir().unwrap();
    let place = dataset(&["data/AWSLogs/444455556666"]);
    let (name, none) = (place.name(), text(folder.path()));
    is_as_before(
        "failures",
        &shown(&[
            &["convert", "no-such-folder", "--out", &none],
            &["convert", SAMPLE],
            &["convert", SAMPLE, "--out", &name, "--partition-by", "day"],
            &["convert", SAMPLE, "--out", &name, "--partition-by", "week"],
            &["convert", SAMPLE, "--out", &name, "--redact", "none"],
            &["convert", SAMPLE, "--out", &name, "--since", "someday"],
            &["convert", SAMPLE, "--out", &name, "--part-size", "12"],
            &["convert", SAMPLE, "--out", &name, "--shard", "3/2"],
            &["convert", SAMPLE, "--out", &name, "--verify"],
            &["status", &none],
            &["verify", &none],
            &["compact", &none],
            &["delta", &none],
            &["ddl", "mysql", &name],
            &["sql", &none, "-c", "SELECT 1"],
            &["sql", &name, "-c", "SELECT"],
            &["sql", &name, "-c", "SELECT no_such_column FROM events"],
            &["sql", &name, "-c", "SELECT * FROM no_such_table"],
            &["sql", &name, "-c", "SELECT 1 / 0"],
            &["sql", &name, "-c", "DELETE FROM events"],
            &["sql", &name, "-c", "COPY events TO 'x.csv'"],
            &["sql", &name, "-c", "SELECT * FROM 'x.csv'"],
            &["sql", &name, "-c", ".frobnicate"],
            &["run", "no-such-query", &name],
            &["run", "caller", &name],
            &["run", "callers", &name, "--no-such-option", "x"],
            &["run", "callers", &name, "--since", "never"],
            &["frobnicate"],
        ]),
    );
}
