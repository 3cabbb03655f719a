//! Runs the program as a user runs it. Shared by the targets `it` and `pack`.

use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// The project's folder, where the binary runs: paths of the sample stay short and alike everywhere.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What became of one run of the binary.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Fails unless the exit status is `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

/// A command in a clean environment, in the project's folder.
pub(crate) fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(ROOT);
    // The second is where a coverage build of the binary writes its counts.
    for name in ["PATH", "LLVM_PROFILE_FILE"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let home = env!("CARGO_TARGET_TMPDIR");
    command
        .env("HOME", home)
        .env("XDG_STATE_HOME", home)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100");
    command
}

/// The binary with arguments.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = clean(env!("CARGO_BIN_EXE_buildtrail"));
    command.args(args);
    command
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command, stdin: &str) -> Run {
    command.stdin(if stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let Some(mut input) = child.stdin.take() {
        input.write_all(stdin.as_bytes()).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the binary.
pub(crate) fn buildtrail(args: &[&str]) -> Run {
    run(command(args), "")
}
