//! `buildtrail schema`.

use crate::cli::common::args::{ExitStatus, print};
use crate::query::{Format, tabulate};
use crate::schema::COLUMNS;

/// List the columns: name, type, group, source, meaning
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of the list
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

pub(super) fn main(args: &Args) -> anyhow::Result<ExitStatus> {
    let rows = COLUMNS.iter().map(|column| {
        [column.name, column.kind.name(), column.group.name(), column.source, column.meaning]
    });
    print(&tabulate(["column", "type", "group", "source", "meaning"], rows, args.format)?)?;
    Ok(ExitStatus::Done)
}
