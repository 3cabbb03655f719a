//! `DuckDB`: a view over the part files, and the saved views over it, which it runs unchanged.
//!
//! It refuses a backslash in the path, which `DuckDB` takes for a separator in patterns.

use crate::catalog::{Table, literal_pattern, sql_text};
use crate::error::Result;
use crate::layout::TABLE;
use std::fmt::Write as _;

pub(super) fn text(table: &Table, views: &[(&str, &str)]) -> Result<String> {
    table.refuse_in_location("DuckDB", &["\\"])?;
    let files = literal_pattern(&table.location) + &table.pattern();
    let types = table.partition_list(|column| format!("'{column}': VARCHAR"));
    let hive = if types.is_empty() {
        "hive_partitioning = false".to_owned()
    } else {
        format!("hive_partitioning = true,\n  hive_types = {{{types}}}")
    };
    let mut text = format!(
        "-- Times are instants: in another zone than UTC the views would count days otherwise.\n\
         SET TimeZone = 'UTC';\n\
         CREATE OR REPLACE VIEW {} AS\nSELECT * FROM read_parquet(\n  {},\n  {hive}\n);\n",
        table.name.quoted('"'),
        sql_text(&files),
    );
    // The views say `events`.
    let views = if table.name.quoted('"') == format!("\"{TABLE}\"") { views } else { &[] };
    for (name, sql) in views {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\nCREATE OR REPLACE VIEW \"{name}\" AS\n{};", sql.trim_end());
    }
    Ok(text)
}
