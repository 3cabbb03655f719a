//! `buildtrail sql`.

use crate::cli::common::args::{ExitStatus, runtime};
use crate::cli::common::query_args::{Asked, OPTIONAL_DATASET, QueryOptions};
use crate::query::{SavedQueries, Shell, Start};
use crate::text;
use anyhow::Context as _;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

/// Ask a dataset in SQL: a shell, or with -c or -f one run
///
/// The table is `events`. Without -c and -f, and with something other than a terminal as standard
/// input, the statements are read from there.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(help = OPTIONAL_DATASET)]
    dataset: Option<PathBuf>,
    /// Run these statements, separated by `;`, and end
    #[arg(long, short, value_name = "SQL", conflicts_with = "file", allow_hyphen_values = true)]
    command: Option<String>,
    /// Run the statements in this file (`-` is standard input), and end
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Run this file when the shell starts, in place of ~/.buildtrailrc
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "file"])]
    init: Option<PathBuf>,
    #[command(flatten)]
    options: QueryOptions,
}

pub(super) fn main(args: Args) -> anyhow::Result<ExitStatus> {
    let statements = match (&args.command, &args.file) {
        (Some(sql), _) => Some(sql.clone()),
        (None, Some(file)) if file.as_os_str() != "-" => {
            Some(text::read(file).with_context(|| format!("read {}", file.display()))?)
        }
        (None, None) if io::stdin().is_terminal() => None,
        _ => Some(text::read_from(io::stdin()).context("read standard input")?),
    };
    let queries = SavedQueries::load(args.options.sql_dir.as_deref())?;
    let Asked { mut runner, scratch: _scratch } =
        args.options.runner("sql", args.dataset.as_deref(), queries)?;
    if let Some(sql) = statements {
        let result = runtime()?.block_on(runner.run(&sql));
        // What came before an error is shown.
        runner.finish_after(result)?;
    } else {
        let start = args.init.map_or(Start::OfUser, Start::File);
        runtime()?.block_on(Shell::new(runner)?.run(start))?;
    }
    Ok(ExitStatus::Done)
}
