//! What `aws glue create-table --cli-input-json` takes: Athena's table without Athena.
//!
//! It refuses what [`athena`](super::athena) refuses.

use crate::catalog::athena::{check_s3, column_type};
use crate::catalog::projection::{hive_type, projection};
use crate::catalog::{EngineText, Table, TextOptions};
use crate::error::Result;
use serde_json::{Map, Value, json};

pub(super) fn text(table: &Table, options: TextOptions<'_>) -> Result<EngineText> {
    check_s3(table)?;
    let projected = !options.no_projection && !table.partition_by.is_empty();
    let mut parameters = Map::new();
    parameters.insert("EXTERNAL".to_owned(), "TRUE".into());
    parameters.insert("classification".to_owned(), "parquet".into());
    let mut warning = None;
    if projected {
        let projection = projection(table)?;
        warning = projection.left_out;
        parameters
            .extend(projection.properties.into_iter().map(|(name, value)| (name, value.into())));
    }
    let columns = table.data_columns().map(|column| {
        json!({"Name": column.name, "Type": column_type(column.kind), "Comment": column.meaning})
    });
    let keys = table.partition_by.iter();
    let keys = keys.map(|key| json!({"Name": key.name(), "Type": hive_type(*key, projected)}));
    let input = json!({
        "DatabaseName": table.name.schema.as_deref().unwrap_or("default"),
        "TableInput": {
            "Name": table.name.table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": keys.collect::<Vec<Value>>(),
            "StorageDescriptor": {
                "Columns": columns.collect::<Vec<Value>>(),
                "Location": format!("{}/", table.location),
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
                "SerdeInfo": {
                    "SerializationLibrary":
                        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
                },
            },
        },
    });
    Ok(EngineText { text: format!("{input:#}\n"), warning })
}
