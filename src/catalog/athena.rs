//! Athena's `CREATE EXTERNAL TABLE`, in Hive's dialect.
//!
//! It refuses a location that is not in S3, and leaves a column that is a partition column, too
//! (`event_name`), to the partition.

use crate::catalog::projection::{hive_type, projection};
use crate::catalog::{EngineText, Table, TextOptions, backslash_text, cloudtrail, refused};
use crate::error::Result;
use crate::schema::Kind;
use std::fmt::Write as _;

/// The type of a column, in Hive's, Glue's and Athena's words.
pub(super) const fn column_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "string",
        Kind::Bool => "boolean",
        Kind::Int32 => "int",
        Kind::Int64 => "bigint",
        Kind::Time => "timestamp",
        Kind::TextList => "array<string>",
    }
}

const PROJECTED: &str = "\
-- Months and days up to today are found by themselves. Run `buildtrail ddl` again, and drop and create
-- the table, when a new account, region, year or event name appears: only listed values are found. Or
-- set 'projection.region.type' = 'injected' without values: then every query must say region = '...'.
-- A partition column has its folder's text, in which Hive's escapes stand as %XX.
";
const CATALOGUED: &str = "\
-- After each new partition, and now: MSCK REPAIR TABLE finds the folders in S3.
";

/// Fails unless the dataset is in S3.
pub(super) fn check_s3(table: &Table) -> Result<()> {
    if table.location.starts_with("s3://") {
        return Ok(());
    }
    Err(refused(&table.location, "Athena and Glue need s3://BUCKET/PREFIX"))
}

pub(super) fn text(table: &Table, options: TextOptions<'_>) -> Result<EngineText> {
    check_s3(table)?;
    let projected = !options.no_projection && !table.partition_by.is_empty();
    let projection = if projected { Some(projection(table)?) } else { None };
    let mut text = (if projected { PROJECTED } else { CATALOGUED }).to_owned();
    let warning = projection.as_ref().and_then(|projection| projection.left_out.clone());
    // Writing to a String cannot fail.
    if let Some(warning) = &warning {
        let _ = writeln!(text, "-- {warning}");
    }
    let name = table.name.quoted('`');
    let columns = table.data_columns().map(|column| {
        let meaning = backslash_text(column.meaning);
        format!("  `{}` {} COMMENT {meaning}", column.name, column_type(column.kind))
    });
    let columns: Vec<_> = columns.collect();
    let _ =
        writeln!(text, "CREATE EXTERNAL TABLE IF NOT EXISTS {name} (\n{}\n)", columns.join(",\n"));
    if !table.partition_by.is_empty() {
        let by =
            table.partition_list(|column| format!("`{column}` {}", hive_type(column, projected)));
        let _ = writeln!(text, "PARTITIONED BY ({by})");
    }
    let location = backslash_text(&format!("{}/", table.location));
    let _ = write!(text, "STORED AS PARQUET\nLOCATION {location}");
    if let Some(projection) = projection {
        let property = |(name, value): &(String, String)| {
            format!("  {} = {}", backslash_text(name), backslash_text(value))
        };
        let properties: Vec<_> = projection.properties.iter().map(property).collect();
        let _ = write!(text, "\nTBLPROPERTIES (\n{}\n)", properties.join(",\n"));
    }
    text.push_str(";\n");
    if !projected && !table.partition_by.is_empty() {
        let _ = writeln!(text, "\nMSCK REPAIR TABLE {name};");
    }
    if options.cloudtrail_view {
        text.push_str(&cloudtrail::view(table));
    }
    Ok(EngineText { text, warning })
}
