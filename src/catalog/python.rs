//! Polars and pandas: Python that makes `events`, with every type pinned.
//!
//! It refuses to leave a type to be guessed, or a path to be taken for a pattern.

use crate::catalog::{Table, literal_pattern};
use crate::schema::{COLUMNS, Kind};
use serde_json::Value;

const fn polars_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "pl.String",
        Kind::Bool => "pl.Boolean",
        Kind::Int32 => "pl.Int32",
        Kind::Int64 => "pl.Int64",
        Kind::Time => "pl.Datetime(\"ms\", \"UTC\")",
        Kind::TextList => "pl.List(pl.String)",
    }
}

const fn arrow_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "pa.string()",
        Kind::Bool => "pa.bool_()",
        Kind::Int32 => "pa.int32()",
        Kind::Int64 => "pa.int64()",
        Kind::Time => "pa.timestamp(\"ms\", \"UTC\")",
        Kind::TextList => "pa.list_(pa.field(\"element\", pa.string()))",
    }
}

/// A text as Python's; JSON's escapes are Python's as well.
fn python_text(text: &str) -> Value {
    Value::from(text)
}

/// Each column of the files as a line.
fn lines(each: impl Fn(&str, Kind) -> String) -> String {
    COLUMNS.iter().map(|column| each(column.name, column.kind)).collect::<Vec<_>>().concat()
}

pub(super) fn polars(table: &Table) -> String {
    let files = python_text(&(literal_pattern(&table.location) + &table.pattern())).to_string();
    let hive = table.partition_list(|column| format!("\"{column}\": pl.String"));
    let is_partitioned = if table.partition_by.is_empty() { "False" } else { "True" };
    let columns = lines(|name, kind| format!("    \"{name}\": {},\n", polars_type(kind)));
    format!(
        "import polars as pl\n\nschema = {{\n{columns}}}\nevents = pl.scan_parquet(\n    {files},\n    \
         schema=schema,\n    hive_partitioning={is_partitioned},\n    hive_schema={{{hive}}},\n)\n"
    )
}

pub(super) fn pandas(table: &Table) -> String {
    let location = python_text(&table.location).to_string();
    // A partition column that the files have, too, is read from the files.
    let own = table
        .partition_by
        .iter()
        .filter(|column| COLUMNS.iter().all(|known| known.name != column.name()));
    let keys: Vec<_> = own.map(|key| format!("(\"{key}\", pa.string())")).collect();
    let columns = lines(|name, kind| format!("    (\"{name}\", {}),\n", arrow_type(kind)));
    format!(
        "import pandas as pd\nimport pyarrow as pa\nimport pyarrow.dataset as ds\n\n\
         partitions = pa.schema([{}])\nschema = pa.schema([\n{columns}    *partitions,\n])\n\
         # To read less: dataset.to_table(columns=[...], filter=...). A folder with `_` in front is not read.\n\
         dataset = ds.dataset(\n    {location},\n    schema=schema,\n    format=\"parquet\",\n    \
         partitioning=ds.partitioning(partitions, flavor=\"hive\"),\n)\n\
         events = dataset.to_table().to_pandas(types_mapper=pd.ArrowDtype)\n",
        keys.join(", "),
    )
}
