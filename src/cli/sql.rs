//! `buildtrail sql`.

use super::{Status, put, runtime};
use crate::dataset::Dataset;
use crate::query::{self, Access, Format, SavedQueries};
use anyhow::Context as _;
use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

/// Ask a dataset in SQL: a shell, or with -c or -f one run
///
/// The table is `events`. Without -c and -f, and with something other than a terminal as standard
/// input, the statements are read from there.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The dataset's folder
    dataset: PathBuf,
    /// Run these statements, separated by `;`, and end
    #[arg(long, short, value_name = "SQL", conflicts_with = "file", allow_hyphen_values = true)]
    command: Option<String>,
    /// Run the statements in this file (`-` is standard input), and end
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The form of results
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// A folder of saved queries of your own, for .run
    #[arg(long, value_name = "FOLDER")]
    sql_dir: Option<PathBuf>,
    /// Let statements read files that they name (CREATE EXTERNAL TABLE)
    #[arg(long)]
    allow_files: bool,
    /// Let statements write files (COPY, INSERT)
    #[arg(long)]
    allow_write: bool,
}

pub(super) fn main(args: &Args) -> anyhow::Result<Status> {
    let dataset = Dataset::open(&args.dataset)?;
    let statements = match (&args.command, &args.file) {
        (Some(sql), _) => Some(sql.clone()),
        (None, Some(file)) if file.as_os_str() != "-" => Some(
            std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?,
        ),
        (None, None) if io::stdin().is_terminal() => None,
        _ => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).context("read standard input")?;
            Some(text)
        }
    };
    let access = Access { files: args.allow_files, write: args.allow_write };
    let session = query::open(&dataset, access)?;
    if let Some(sql) = statements {
        let mut out = BufWriter::new(io::stdout());
        let result = runtime()?.block_on(query::run(&session, &sql, args.format, &mut out));
        // What came before an error is shown.
        out.flush()?;
        result?;
    } else {
        let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let queries = SavedQueries::load(args.sql_dir.as_deref())?;
        control.block_on(query::shell(session, queries, args.format, put))?;
    }
    Ok(Status::Done)
}
