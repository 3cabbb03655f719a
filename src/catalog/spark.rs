//! Spark's `CREATE TABLE ... USING parquet`.
//!
//! It refuses a location with `${`, in which Spark puts variables before it reads quotes.

use crate::catalog::athena::column_type;
use crate::catalog::{Table, backslash_text};
use crate::error::Result;

pub(super) fn text(table: &Table) -> Result<String> {
    table.refuse_in_location("Spark", &["${"])?;
    let columns = table.data_columns().map(|column| {
        let (kind, meaning) = (column_type(column.kind), backslash_text(column.meaning));
        format!("  `{}` {kind} COMMENT {meaning}", column.name)
    });
    let keys = table.partition_by.iter().map(|column| format!("  `{column}` string"));
    let columns: Vec<_> = columns.chain(keys).collect();
    let name = table.name.quoted('`');
    let (by, repair) = if table.partition_by.is_empty() {
        (String::new(), String::new())
    } else {
        let list = table.partition_list(|column| format!("`{column}`"));
        (format!("PARTITIONED BY ({list})\n"), format!("\nMSCK REPAIR TABLE {name};\n"))
    };
    Ok(format!(
        "-- Run the last statement again when there are new partitions. Times are shown in the session's\n\
         -- zone: SET TIME ZONE 'UTC' shows what CloudTrail wrote.\n\
         CREATE TABLE IF NOT EXISTS {name} (\n{}\n)\nUSING parquet\n{by}LOCATION {};\n{repair}",
        columns.join(",\n"),
        backslash_text(&table.location),
    ))
}
