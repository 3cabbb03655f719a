//! The command line: what was typed, and the commands that carry it out.
//!
//! One file a command: its arguments (whose doc comments are the help) and what it does with the
//! library. Standard output is data, standard error is talk; both are owned here. Exit status is
//! [`Status`].

mod compact;
mod convert;
mod ddl;
mod delta;
mod queries;
mod query_args;
mod run;
mod schema;
mod sql;
mod status;
mod verify;
#[cfg(feature = "distributed")]
mod worker;

use crate::convert::Keep;
use crate::error::Error;
use crate::printable::say;
use bytesize::ByteSize;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::io::{self, Write as _};
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
    Compact(compact::Args),
    Delta(delta::Args),
    Schema(schema::Args),
    Ddl(ddl::Args),
    #[cfg(feature = "distributed")]
    Worker(worker::Args),
}

/// The form of a summary.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// [`PART_BYTES`](crate::convert::PART_BYTES) as people write it.
const PART_SIZE: &str = "256MB";

/// A part file's size: below a megabyte it is a slip.
fn parse_part_size(text: &str) -> Result<u64, String> {
    parse_size(text, PART_SIZE, 1)
}

/// A size of at least so many megabytes; the error shows what one looks like.
fn parse_size(text: &str, example: &str, least: u64) -> Result<u64, String> {
    let size = text
        .parse::<ByteSize>()
        .map_err(|reason| format!("expected a size such as {example}: {reason}"))?;
    if size < ByteSize::mb(least) {
        Err(format!("is less than {least}MB"))
    } else {
        Ok(size.as_u64())
    }
}

/// Which records become rows.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum KeepArg {
    /// Calls to CodeBuild
    Codebuild,
    /// Those, what builds did in other services, and what CodeBuild did as a service
    BuildActivity,
    /// Every record of every service
    All,
}

impl From<KeepArg> for Keep {
    fn from(keep: KeepArg) -> Self {
        match keep {
            KeepArg::Codebuild => Self::CodeBuild,
            KeepArg::BuildActivity => Self::BuildActivity,
            KeepArg::All => Self::All,
        }
    }
}

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Done.
    Done,
    /// Failed; standard error says why.
    Failed,
    /// Done, but some input was rejected.
    Rejected,
    /// A query that is a check has found something.
    Found,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Done => Self::SUCCESS,
            Status::Failed => Self::from(1),
            // 2 is wrong usage, which clap ends with by itself.
            Status::Rejected => Self::from(3),
            Status::Found => Self::from(4),
        }
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let command_line: Vec<_> = std::env::args_os().collect();
    let (queries, options) = run::look_ahead(&command_line);
    let command = Cli::command().mut_subcommand("run", |run| run.args(options));
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
        Err(error) if is_broken_pipe(&error) => Status::Done.into(),
        Err(error) => {
            say(&format!("error: {error:#}"));
            Status::Failed.into()
        }
    }
}

/// Ends the program with exit status 2, as clap does for what it finds wrong itself.
fn wrong_usage(command: &str, reason: &str) -> ! {
    let mut cli = Cli::command();
    cli.build();
    let error = match cli.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::ValueValidation, reason),
        None => cli.error(ErrorKind::ValueValidation, reason),
    };
    error.exit()
}

/// Puts data on standard output.
fn put(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
            || cause.downcast_ref::<Error>().is_some_and(Error::is_broken_pipe)
    })
}

/// The thread that a query's results are written on.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
