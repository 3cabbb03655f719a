//! The README's quick start is run as it is written, and shows what it really prints.

use crate::support::{ROOT, clean, run};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

/// Stands for `cargo`: what it would build is there already.
const CARGO: &str = r#"#!/bin/sh
case "$1" in
build) ;;
run) while [ "$1" != -- ]; do shift; done; shift; exec buildtrail "$@" ;;
*) exit 1 ;;
esac
"#;

/// The first fenced block of a language in a text.
fn block<'t>(text: &'t str, language: &str) -> &'t str {
    let fence = format!("```{language}\n");
    let (_, rest) = text.split_once(&fence).unwrap_or_else(|| panic!("no {fence}"));
    rest.split_once("```").expect("the block does not end").0
}

/// A folder that looks like a clone in which the release build is done.
fn set_up(folder: &Path) {
    for name in ["data", "sql", "README.md"] {
        symlink(Path::new(ROOT).join(name), folder.join(name)).unwrap();
    }
    let binary = env!("CARGO_BIN_EXE_buildtrail");
    for place in ["target/release", "bin"] {
        fs::create_dir_all(folder.join(place)).unwrap();
        symlink(binary, folder.join(place).join("buildtrail")).unwrap();
    }
    let cargo = folder.join("bin/cargo");
    fs::write(&cargo, CARGO).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_quick_start_works() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let (_, section) = readme.split_once("## Quick start").expect("no quick start");
    let commands = block(section, "sh");
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path());
    let calls = commands.matches("buildtrail ").count() + commands.matches("cargo run ").count();
    assert!(calls >= 2, "a first dataset and a first answer: {commands}");
    // Datasets go to the test's own folder, wherever the README puts them.
    let own = folder.path().to_str().unwrap();
    let mut shell = clean("sh");
    shell.args(["-e", "-c", &commands.replace("/tmp/", &format!("{own}/"))]).current_dir(own);
    shell.env("PATH", format!("{own}/bin:{}", std::env::var("PATH").unwrap()));
    let run = run(shell, "").exits(0);
    // The counts that the README shows are those that the reader gets.
    let shown = block(section, "text")
        .lines()
        .filter(|line| ["records ", "files "].iter().any(|beginning| line.starts_with(beginning)));
    let shown: Vec<_> = shown.collect();
    assert_eq!(shown.len(), 2, "{section}");
    for line in shown {
        assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
    }
    assert!(run.stdout.lines().count() > 10, "no answer: {}", run.stdout);
}
