//! `buildtrail run`.

use super::{Status, runtime};
use crate::dataset::Dataset;
use crate::query::{self, Format, SavedQueries};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

/// Run a saved query on a dataset
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The query's name, as `buildtrail queries` lists it
    query: String,
    /// The dataset's folder
    dataset: PathBuf,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// A folder of saved queries of your own; one of the same name takes the place of ours
    #[arg(long, value_name = "FOLDER")]
    sql_dir: Option<PathBuf>,
}

pub(super) fn main(args: &Args) -> anyhow::Result<Status> {
    let queries = SavedQueries::load(args.sql_dir.as_deref())?;
    let query = queries.find(&args.query)?;
    let dataset = Dataset::open(&args.dataset)?;
    runtime()?.block_on(async {
        let session = query::open(&dataset)?;
        let mut out = BufWriter::new(io::stdout());
        query::run(&session, &query.sql, args.format, &mut out).await?;
        out.flush()?;
        Ok(Status::Done)
    })
}
