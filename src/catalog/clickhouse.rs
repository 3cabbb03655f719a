//! `ClickHouse`: a view over `file()` or `s3()`.
//!
//! Partition values are taken from the path by the view itself: the engine's own Hive partitioning
//! guesses types, and an account id would lose its zeros. A list is not nullable there, so a null list
//! is read as an empty one. It refuses characters of patterns, which `ClickHouse` cannot escape.

use crate::catalog::{Table, backslash_text};
use crate::error::Result;
use crate::layout::{DEFAULT_PARTITION, PartitionColumn};
use crate::schema::{COLUMNS, Kind, position};

const fn column_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "Nullable(String)",
        Kind::Bool => "Nullable(Bool)",
        Kind::Int32 => "Nullable(Int32)",
        Kind::Int64 => "Nullable(Int64)",
        Kind::Time => "Nullable(DateTime64(3, 'UTC'))",
        Kind::TextList => "Array(Nullable(String))",
    }
}

pub(super) fn text(table: &Table) -> Result<String> {
    table.refuse_in_location("ClickHouse", &["*", "?", "{"])?;
    let structure: Vec<_> = COLUMNS
        .iter()
        .map(|column| format!("{} {}", column.name, column_type(column.kind)))
        .collect();
    let (function, format) = if table.is_url() { ("s3", "'Parquet'") } else { ("file", "Parquet") };
    let own = table.partition_by.iter().filter(|column| position(column.name()).is_none());
    let partitions: String = own.map(|column| partition(table, *column)).collect();
    Ok(format!(
        "-- A null list is read as an empty one. file() reads below user_files_path, but in clickhouse-local.\n\
         CREATE OR REPLACE VIEW {} AS\nSELECT\n  *{partitions}\nFROM {function}(\n  {},\n  {format},\n  {}\n)\n\
         SETTINGS use_hive_partitioning = 0;\n",
        table.name.quoted('`'),
        backslash_text(&(table.location.clone() + &table.pattern())),
        backslash_text(&structure.join(", ")),
    ))
}

/// A partition column, from the last levels of the path: those above may be called alike.
fn partition(table: &Table, column: PartitionColumn) -> String {
    let level = |level: &PartitionColumn| {
        if *level == column { format!("/{level}=([^/]*)") } else { format!("/{level}=[^/]*") }
    };
    let levels: String = table.partition_by.iter().map(level).collect();
    format!(
        ",\n  nullIf(decodeURLComponent(extract(_path, '{levels}/[^/]*$')), '{DEFAULT_PARTITION}') AS `{column}`"
    )
}
