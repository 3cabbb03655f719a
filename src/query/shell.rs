//! The interactive shell.
//!
//! A loop of our own around `rustyline`, with `datafusion-cli`'s highlighter: statements run over
//! several lines until `;`, names are completed, history lives in the user's state folder, Ctrl-C
//! cancels a query. An error is told and the shell goes on.

mod command;
mod completion;
mod describe;
mod doubts;
mod runner;
mod script;
mod spinner;

pub use runner::{Out, Runner};

use crate::error::{Chain, Error, QueryError, Result};
use crate::printable::{say, say_with_hint};
use crate::text;
use command::ShellCommand;
use completion::Completion;
use runner::CommandOrigin;
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History as _, SearchDirection};
use rustyline::{Config, Editor};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Entries that `.history` shows.
const HISTORY: usize = 20;

/// What the shell runs before anything is typed.
#[derive(Debug, Clone)]
pub enum Start {
    /// `.buildtrailrc` in the user's home folder, if there is one.
    OfUser,
    /// This file.
    File(PathBuf),
}

/// The shell.
#[expect(missing_debug_implementations, reason = "it holds a session and a terminal")]
pub struct Shell {
    runner: Runner,
    editor: Editor<Completion, FileHistory>,
    history: Option<PathBuf>,
}

impl Shell {
    /// A shell around a runner.
    pub fn new(mut runner: Runner) -> Result<Self> {
        runner.is_interactive = true;
        let config = Config::builder().auto_add_history(false).build();
        let mut editor: Editor<Completion, FileHistory> =
            Editor::with_config(config).map_err(terminal_failed)?;
        let history = history_file();
        if let Some(history) = &history {
            // The first time there is none.
            let _ = editor.load_history(history);
        }
        Ok(Self { runner, editor, history })
    }

    /// Runs until the user leaves.
    pub async fn run(mut self, start: Start) -> Result<()> {
        self.begin(start).await?;
        self.runner.put(concat!(
            "buildtrail ",
            env!("CARGO_PKG_VERSION"),
            ": SQL over the table events; end a statement with ;  .help lists the commands\n"
        ))?;
        loop {
            self.editor.set_helper(Some(Completion::new(&self.runner).await));
            match self.editor.readline("buildtrail> ") {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => {
                    if self.enter(&line).await? {
                        break;
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(terminal_failed(error)),
            }
        }
        self.runner.finish()
    }

    /// Carries out the user's own file; what is wrong with it does not keep the shell from starting.
    async fn begin(&mut self, start: Start) -> Result<()> {
        let (file, is_named) = match start {
            Start::File(file) => (file, true),
            Start::OfUser => match dirs::home_dir() {
                Some(home) => (home.join(".buildtrailrc"), false),
                None => return Ok(()),
            },
        };
        if is_named || file.exists() {
            let text = text::read(&file).map_err(Error::io("read", &file))?;
            if let Err(error) = self.runner.run(&text).await {
                report(&file.display().to_string(), &error);
            }
        }
        Ok(())
    }

    /// Carries out what was entered; whether the user leaves.
    async fn enter(&mut self, line: &str) -> Result<bool> {
        let _ = self.editor.add_history_entry(line.trim_end());
        if let Some(history) = &self.history {
            // A shell without history is better than none.
            let _ = self.editor.save_history(history);
        }
        match command::is_command(line).then(|| command::parse(line)) {
            Some(Ok(ShellCommand::Quit)) => return Ok(true),
            Some(Ok(ShellCommand::History(count))) => {
                let entries = self.entries(count.unwrap_or(HISTORY));
                self.runner.put(&entries)?;
            }
            Some(Ok(ShellCommand::Edit)) => match edited(&self.runner.last) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    self.runner.put(&format!("{}\n", text.trim_end()))?;
                    let _ = self.editor.add_history_entry(text.trim_end());
                    self.carry_out(&text).await?;
                }
                Err(error) => report("", &error),
            },
            _ => self.carry_out(line).await?,
        }
        Ok(false)
    }

    /// Runs what was entered until it ends, fails, or Ctrl-C.
    async fn carry_out(&mut self, line: &str) -> Result<()> {
        let entered = async {
            if command::is_command(line) {
                self.runner.command(line, CommandOrigin::Person).await
            } else {
                self.runner.run(line).await
            }
        };
        let cancelled = tokio::select! {
            result = entered => match result {
                Err(error) if error.is_broken_pipe() => return Err(error),
                Err(error) => {
                    report("", &error);
                    false
                }
                Ok(()) => false,
            },
            _ = tokio::signal::ctrl_c() => true,
        };
        if cancelled {
            self.runner.give_up();
            say("cancelled");
        }
        Ok(())
    }

    /// The last entries, numbered.
    fn entries(&self, count: usize) -> String {
        let history = self.editor.history();
        let first = history.len().saturating_sub(count);
        let mut text = String::new();
        for at in first..history.len() {
            if let Ok(Some(entry)) = history.get(at, SearchDirection::Forward) {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{:>5}  {}", at + 1, entry.entry.replace('\n', "\n       "));
            }
        }
        text
    }
}

/// Says an error, in a file if one is named, and the advice for it.
fn report(file: &str, error: &Error) {
    let place = if file.is_empty() { String::new() } else { format!("{file}: ") };
    say_with_hint(&format!("error: {place}{}", Chain(error)), error.hint().as_deref());
}

fn terminal_failed(error: ReadlineError) -> Error {
    QueryError::Terminal(error.into()).into()
}

/// `~/.local/state/buildtrail/history` or what the system has in its place.
fn history_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("buildtrail");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// A text as the user leaves it in the editor.
fn edited(text: &str) -> Result<String> {
    let failed = |cause| Error::io("edit", Path::new("the last statement"))(cause);
    let mut file = tempfile::Builder::new().suffix(".sql").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let named = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    // An editor may be given with options: `code --wait`.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(file.path());
    let status = command.status().map_err(failed)?;
    if !status.success() {
        return Err(QueryError::Editor { editor, status }.into());
    }
    text::read(file.path()).map_err(failed)
}
