//! `buildtrail ddl`.

use crate::catalog::{Engine, Table, TableName, TextOptions, text};
use crate::cli::common::args::{DATASET, ExitStatus, print, wrong_usage};
use crate::dataset::Dataset;
use crate::layout::TABLE;
use crate::printable::say;
use crate::query::view_texts;
use crate::store::is_s3;
use std::path::PathBuf;

/// Print what makes another engine see a dataset as a table
///
/// The text names every column with its type, the dataset's partition columns and where it is; paste
/// it in the engine.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The engine
    #[arg(value_enum)]
    engine: Engine,
    /// The dataset: a folder, or an S3 URL
    #[arg(env = DATASET, hide_env_values = true)]
    dataset: PathBuf,
    /// Where the engine finds the dataset, such as `s3://BUCKET/PREFIX` [default: the folder itself, where
    /// the engine reads folders]
    #[arg(long, value_name = "URL")]
    location: Option<String>,
    /// The table's name, or DATABASE.TABLE
    #[arg(long, value_name = "NAME", default_value = TABLE, value_parser = TableName::parse)]
    table: TableName,
    /// Athena, Glue: without partition projection; MSCK REPAIR TABLE or a crawler finds the partitions
    #[arg(long)]
    no_projection: bool,
    /// Athena: also a view `TABLE_cloudtrail` with the columns of AWS's own CloudTrail table
    #[arg(long)]
    cloudtrail_view: bool,
}

pub(super) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    let engine = args.engine;
    let in_bucket = is_s3(&args.dataset.to_string_lossy());
    if args.location.is_none() && !in_bucket && !engine.reads_folders() {
        return Err(wrong_usage(
            "ddl",
            "this engine reads no local folder: say where the dataset is with --location s3://BUCKET/PREFIX",
        ));
    }
    if args.cloudtrail_view && engine != Engine::Athena {
        return Err(wrong_usage("ddl", "--cloudtrail-view is for athena"));
    }
    if args.no_projection && !matches!(engine, Engine::Athena | Engine::Glue) {
        return Err(wrong_usage("ddl", "--no-projection is for athena and glue"));
    }
    let dataset = Dataset::open(&args.dataset)?;
    let table = Table::new(&dataset, args.table.clone(), args.location.as_deref())?;
    let views = view_texts();
    let options = TextOptions {
        no_projection: args.no_projection,
        cloudtrail_view: args.cloudtrail_view,
        views: &views,
    };
    let written = text(engine, &table, options)?;
    if let Some(warning) = &written.warning {
        say(&format!("warning: {warning}"));
    }
    print(&written.text)?;
    Ok(ExitStatus::Done)
}
