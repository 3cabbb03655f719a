//! `buildtrail queries`.

use crate::cli::common::args::{ExitStatus, SQL_DIR, print};
use crate::query::{Format, SavedQueries, tabulate};
use std::path::PathBuf;

/// List the saved queries
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of the list
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// A folder of saved queries of your own, listed with ours
    #[arg(long, value_name = "FOLDER", env = SQL_DIR, hide_env_values = true)]
    sql_dir: Option<PathBuf>,
}

pub(super) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    let queries = SavedQueries::load(args.sql_dir.as_deref())?;
    let text = match args.format {
        // The JSON form has the statements and parameters, too: a contract for scripts.
        Format::Json => serde_json::to_string_pretty(queries.all())? + "\n",
        format => {
            let mut all: Vec<_> = queries.all().iter().collect();
            all.sort_by_key(|query| (&query.theme, &query.name));
            let rows = all.iter().map(|query| {
                let theme = query.theme.as_deref().unwrap_or_default();
                let severity = query.severity.as_deref().unwrap_or_default();
                [theme, &query.name, severity, &query.question]
            });
            tabulate(["theme", "name", "severity", "question"], rows, format)?
        }
    };
    print(&text)?;
    Ok(ExitStatus::Done)
}
