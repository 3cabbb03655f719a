//! The command line: what was typed, and the commands that carry it out.
//!
//! One file a command: its arguments (whose doc comments are the help) and what it does with the
//! library. Standard output is data, standard error is talk; both are owned here. Exit status is
//! [`ExitStatus`].

mod common;
mod compact;
mod convert;
mod ddl;
mod delta;
mod queries;
mod run;
mod schema;
mod sql;
mod status;
mod verify;
#[cfg(feature = "distributed")]
mod worker;

use crate::error::{Chain, Error};
use crate::printable::say_with_hint;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use common::args::{ExitStatus, WrongUsage};
use std::io;
use std::process::ExitCode;

/// AWS CodeBuild activity from CloudTrail log files, as sorted, deduplicated Parquet, with SQL
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, disable_help_subcommand = true, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 done; 1 failed; 2 wrong usage; 3 done, but some input was \
                           rejected (named on standard error); 4 `run --fail-on-rows` has found rows.";

#[derive(Debug, Subcommand)]
enum Command {
    Convert(convert::Args),
    Sql(sql::Args),
    Run(run::Args),
    Queries(queries::Args),
    Status(status::Args),
    Verify(verify::Args),
    Rejects(status::rejects::Args),
    Compact(compact::Args),
    Delta(delta::Args),
    Schema(schema::Args),
    Ddl(ddl::Args),
    #[cfg(feature = "distributed")]
    Worker(worker::Args),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let command_line: Vec<_> = std::env::args_os().collect();
    let command = Cli::command();
    let (queries, options) = match command.find_subcommand("run") {
        Some(run) => run::look_ahead(&command_line, run),
        None => (None, Vec::new()),
    };
    let command = command.mut_subcommand("run", |run| run.args(options));
    let matches = command.get_matches_from(command_line);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match cli.command {
        Command::Convert(args) => convert::main(args),
        Command::Sql(args) => sql::main(args),
        Command::Run(args) => {
            run::main(&args, matches.subcommand_matches("run").unwrap_or(&matches), queries)
        }
        Command::Queries(args) => queries::main(&args),
        Command::Status(args) => status::main(&args),
        Command::Verify(args) => verify::main(&args),
        Command::Rejects(args) => status::rejects::main(&args),
        Command::Compact(args) => compact::main(&args),
        Command::Delta(args) => delta::main(&args),
        Command::Schema(args) => schema::main(&args),
        Command::Ddl(args) => ddl::main(&args),
        #[cfg(feature = "distributed")]
        Command::Worker(args) => worker::main(args),
    };
    match result {
        Ok(status) => status.into(),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitStatus::Done.into(),
        Err(error) => failed(&error).into(),
    }
}

/// Says why a command failed, with all causes, and the advice for it.
fn failed(error: &anyhow::Error) -> ExitStatus {
    if let Some(wrong) = error.downcast_ref::<WrongUsage>() {
        usage_error(wrong).exit();
    }
    let hint = error.downcast_ref::<Error>().and_then(Error::hint);
    say_with_hint(&format!("error: {}", Chain(error.as_ref())), hint.as_deref());
    ExitStatus::Failed
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
            || cause.downcast_ref::<Error>().is_some_and(Error::is_broken_pipe)
    })
}

/// The error as clap says it for what it finds wrong itself: with the command's usage, and exit status 2.
fn usage_error(wrong: &WrongUsage) -> clap::Error {
    let mut cli = Cli::command();
    cli.build();
    match cli.find_subcommand_mut(wrong.command) {
        Some(command) => command.error(ErrorKind::ValueValidation, &wrong.reason),
        None => cli.error(ErrorKind::ValueValidation, &wrong.reason),
    }
}
