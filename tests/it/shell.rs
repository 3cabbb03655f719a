//! The shell, driven through a terminal of its own.

use crate::support::{Dataset, command, sample};
use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use std::fs;
use std::path::Path;

/// How long the shell may take for an answer, on a machine however busy: only a shell that hangs takes it.
const PATIENCE_MS: Option<u64> = Some(600_000);

/// A shell over a dataset with a home folder of its own, past its greeting.
fn start(sample: &Dataset, home: &Path, args: &[&str]) -> PtySession {
    start_with(sample, home, args, &[])
}

/// The same with variables of its environment.
fn start_with(
    sample: &Dataset,
    home: &Path,
    args: &[&str],
    variables: &[(&str, &str)],
) -> PtySession {
    let mut shell = command(&[&["sql", &sample.name()], args].concat());
    shell.env("TERM", "dumb").env("XDG_STATE_HOME", home).env("HOME", home).env("PAGER", "");
    shell.envs(variables.iter().copied());
    let mut shell = spawn_command(shell, PATIENCE_MS).unwrap();
    shell.exp_string(".help lists the commands").unwrap();
    shell
}

/// Leaves with `.quit`.
fn quit(mut shell: PtySession) {
    shell.send_line(".quit").unwrap();
    shell.exp_eof().unwrap();
    assert!(matches!(shell.process().wait(), Ok(WaitStatus::Exited(_, 0))));
}

#[test]
fn the_shell() {
    let sample = sample("codebuild");
    let state = tempfile::tempdir().unwrap();
    let mut shell = start(&sample, state.path(), &[]);
    // A statement ends at its semicolon, not at the end of a line.
    shell.send_line("SELECT count(*) AS n,").unwrap();
    shell.send_line("  'a;b' AS s FROM events;").unwrap();
    shell.exp_string("| 78 | a;b |").unwrap();
    shell.send_line(".tables").unwrap();
    shell.exp_string("| events          |").unwrap();
    shell.send_line(".run requests --project web-frontend").unwrap();
    shell.exp_string("| CreateProject ").unwrap();
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
    quit(shell);
    let history = fs::read_to_string(state.path().join("buildtrail/history")).unwrap();
    assert!(history.contains("SELECT 6 * 7 AS answer;"), "{history}");
}

#[test]
fn settings_last() {
    let sample = sample("codebuild");
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".buildtrailrc"), ".mode csv\n.timer off\n").unwrap();
    let mut shell = start(&sample, home.path(), &[]);
    shell.send_line("SELECT 'from' || 'rc' AS a;").unwrap();
    shell.exp_string("a\r\nfromrc\r\n(1 row)").unwrap();
    shell.send_line(".timer on").unwrap();
    shell.send_line(".headers off").unwrap();
    shell.send_line("SELECT 20 + 3;").unwrap();
    shell.exp_regex("23\r\n\\(1 row, [0-9.]+ s\\)").unwrap();
    // A wide table is cut to the terminal, and says so; lines show all.
    shell.send_line(".mode table").unwrap();
    shell.send_line(".headers on").unwrap();
    shell.send_line(".width 60").unwrap();
    shell.send_line("SELECT repeat('wide', 100) AS w, 1 AS n;").unwrap();
    // A character of three bytes marks the cut.
    shell.exp_regex("widewid[^w|]+ \\| 1 ").unwrap();
    shell.send_line("SELECT * FROM events LIMIT 1;").unwrap();
    shell.exp_string("more columns have no room: .mode line").unwrap();
    shell.send_line("\\x").unwrap();
    shell.send_line("SELECT repeat('wide', 100) || 'end' AS w;").unwrap();
    shell.exp_string("widewideend").unwrap();
    shell.send_line(".mode table").unwrap();
    shell.send_line(".maxrows 2").unwrap();
    shell.send_line("SELECT event_id FROM events;").unwrap();
    shell.exp_string("only the first 2 rows are shown").unwrap();
    shell.send_line(".mode parquet").unwrap();
    shell.send_line("SELECT 1;").unwrap();
    shell.exp_string("error: Parquet is not for a terminal").unwrap();
    quit(shell);
}

#[test]
fn a_query_that_fails_leaves_no_chart() {
    let sample = sample("codebuild");
    let home = tempfile::tempdir().unwrap();
    let query = "-- title: T\n-- question: Q?\n-- chart: bar b n\n\
                 SELECT 'b' AS b, 1 / (count(*) - count(*)) AS n FROM events\n";
    fs::write(home.path().join("fails.sql"), query).unwrap();
    let folder = home.path().to_str().unwrap();
    let mut shell = start(&sample, home.path(), &["--sql-dir", folder, "--format", "chart"]);
    shell.send_line(".run fails").unwrap();
    shell.exp_string("error: ").unwrap();
    shell.send_line("SELECT 'one' || 'st' AS a, 6 * 7 AS m, 'b' AS b, 1 AS n;").unwrap();
    shell.exp_string("onest 42 ").unwrap();
    quit(shell);
}

#[test]
fn results_go_to_files() {
    let sample = sample("codebuild");
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (home.path().join("one.csv"), home.path().join("two.csv"));
    let init = home.path().join("init.sql");
    fs::write(&init, ".mode csv\n").unwrap();
    let mut shell = start(&sample, home.path(), &["--init", init.to_str().unwrap()]);
    shell.send_line(&format!(".once {}", one.display())).unwrap();
    shell.send_line("SELECT 1 AS a;").unwrap();
    shell.exp_string("(1 row").unwrap();
    shell.send_line(&format!(".output {}", two.display())).unwrap();
    shell.send_line("SELECT 2 AS b; SELECT 3 AS c;").unwrap();
    shell.exp_string("(1 row").unwrap();
    shell.exp_string("(1 row").unwrap();
    // The file has its name when it is whole.
    shell.send_line(".output").unwrap();
    shell.send_line("SELECT 4 + 40 AS d;").unwrap();
    shell.exp_string("d\r\n44\r\n").unwrap();
    assert_eq!(fs::read_to_string(&one).unwrap(), "a\n1\n");
    assert_eq!(fs::read_to_string(&two).unwrap(), "b\n2\nc\n3\n");
    // `.read` runs a file; in it, a command that names a file is refused.
    let script = home.path().join("script.sql");
    fs::write(&script, "SELECT 5 AS e;\n.once never.csv\n").unwrap();
    shell.send_line(&format!(".read {}", script.display())).unwrap();
    shell.exp_string("e\r\n5\r\n").unwrap();
    shell.exp_string("error: .once in a script names a file: --allow-write allows it").unwrap();
    quit(shell);
}

#[test]
fn the_last_statement_can_be_edited_explained_and_found() {
    let sample = sample("codebuild");
    let home = tempfile::tempdir().unwrap();
    // A dumb terminal completes nothing.
    let variables = [("TERM", "xterm"), ("EDITOR", "sed -i s/19/23/")];
    let mut shell = start_with(&sample, home.path(), &["--format", "csv"], &variables);
    shell.send_line("SELECT 19 * 2 AS a;").unwrap();
    shell.exp_string("a\r\n38\r\n").unwrap();
    shell.send_line(".edit").unwrap();
    shell.exp_string("SELECT 23 * 2 AS a;").unwrap();
    shell.exp_string("a\r\n46\r\n").unwrap();
    shell.send_line(".explain").unwrap();
    shell.exp_string("logical_plan").unwrap();
    shell.send_line(".history 3").unwrap();
    shell.exp_regex("[0-9]+  SELECT 23 \\* 2 AS a;").unwrap();
    // Completion: a saved query's name, and an option of it.
    shell.send("  .run made-pub\t --sin\t 1h").unwrap();
    shell.send_line("").unwrap();
    shell.exp_string("(0 rows").unwrap();
    quit(shell);
}

#[test]
fn a_long_result_has_a_pager() {
    let sample = sample("codebuild");
    let home = tempfile::tempdir().unwrap();
    let mut shell = start_with(&sample, home.path(), &[], &[("PAGER", "sed s/^/paged:/")]);
    shell.send_line("SELECT value AS n FROM generate_series(1, 500);").unwrap();
    shell.exp_string("paged:| 500 |").unwrap();
    shell.exp_string("(500 rows").unwrap();
    shell.send_line("SELECT 8 * 8 AS short;").unwrap();
    let before = shell.exp_string("| 64    |").unwrap();
    assert!(!before.contains("paged:"), "{before}");
    quit(shell);
}
