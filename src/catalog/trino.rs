//! Trino's `CREATE TABLE`, for its Hive connector.
//!
//! It refuses nothing of its own: any URL that Trino's file systems know will do.

use crate::catalog::{Table, sql_text};
use crate::error::Result;
use crate::schema::Kind;

/// Times are UTC; the connector has no `timestamp with time zone` for Parquet.
const fn column_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "varchar",
        Kind::Bool => "boolean",
        Kind::Int32 => "integer",
        Kind::Int64 => "bigint",
        Kind::Time => "timestamp(3)",
        Kind::TextList => "array(varchar)",
    }
}

pub(super) fn text(table: &Table) -> Result<String> {
    if !table.is_url() {
        return Err(super::refused(
            &table.location,
            "Trino needs a URL such as s3://BUCKET/PREFIX",
        ));
    }
    let columns = table.data_columns().map(|column| {
        let (kind, meaning) = (column_type(column.kind), sql_text(column.meaning));
        format!("  \"{}\" {kind} COMMENT {meaning}", column.name)
    });
    let keys = table.partition_by.iter().map(|column| format!("  \"{column}\" varchar"));
    let columns: Vec<_> = columns.chain(keys).collect();
    let (schema, name) = (table.name.schema.as_deref().unwrap_or("default"), &table.name.table);
    let by = table.partition_list(|column| sql_text(column.name()));
    let (by, sync) = if table.partition_by.is_empty() {
        (String::new(), String::new())
    } else {
        (
            format!(",\n  partitioned_by = ARRAY[{by}]"),
            format!("\nCALL system.sync_partition_metadata('{schema}', '{name}', 'FULL');\n"),
        )
    };
    Ok(format!(
        "-- In a catalog of the Hive connector (USE hive.{schema}). Run the last statement again when there\n\
         -- are new partitions.\n\
         CREATE TABLE IF NOT EXISTS \"{schema}\".\"{name}\" (\n{}\n)\n\
         WITH (\n  external_location = {},\n  format = 'PARQUET'{by}\n);\n{sync}",
        columns.join(",\n"),
        sql_text(&format!("{}/", table.location)),
    ))
}
