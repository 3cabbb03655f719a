//! `buildtrail queries`.

use super::{Status, put};
use crate::query::{Format, SavedQueries, tabulate};
use std::path::PathBuf;

/// List the saved queries
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of the list
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// A folder of saved queries of your own, listed with ours
    #[arg(long, value_name = "FOLDER")]
    sql_dir: Option<PathBuf>,
}

pub(super) fn main(args: &Args) -> anyhow::Result<Status> {
    let queries = SavedQueries::load(args.sql_dir.as_deref())?;
    let text = match args.format {
        // The JSON form has the statements and parameters, too: a contract for scripts.
        Format::Json => serde_json::to_string_pretty(queries.all())? + "\n",
        format => {
            let rows = queries.all().iter().map(|query| [&query.name, &query.title]);
            tabulate(["name", "title"], rows.map(|row| row.map(String::as_str)), format)?
        }
    };
    put(&text)?;
    Ok(Status::Done)
}
