//! A dataset in `DataFusion`: the table `events`, and running statements.
//!
//! The table has the columns of [`schema`](crate::schema) and the dataset's partition columns; it
//! reads the part files of the dataset's newest commit and nothing else. This module refuses to know
//! how rows were made.

mod access;
mod command;
mod output;
mod parameter;
mod saved;
mod shell;
mod snapshot;
mod views;

pub use access::Access;
pub use output::{Format, tabulate};
pub use parameter::{Parameter, ParameterKind};
pub use saved::{SavedQueries, SavedQuery};
pub use shell::shell;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::layout::DEFAULT_PARTITION;
use crate::schema::schema;
use arrow::datatypes::{DataType, Schema};
use datafusion::catalog::view::ViewTable;
use datafusion::common::ScalarValue;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::{SessionConfig, SessionContext, ident, lit};
use datafusion::sql::parser::{DFParser, Statement};
use snapshot::{ROOT, Snapshot};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

/// The name of the table.
pub const TABLE: &str = "events";

/// Opens a dataset for queries.
pub fn open(dataset: &Dataset, access: Access) -> Result<SessionContext> {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_extension(Arc::new(access));
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // A footer with its page index has 20 to 120 KB; by default 512 KB are read of each part file.
    options.execution.parquet.metadata_size_hint = Some(64 << 10);
    // Our text columns are plain UTF-8 in every part file.
    options.execution.parquet.schema_force_view_types = false;
    options.execution.time_zone = Some("UTC".to_owned());
    let session = SessionContext::new_with_config(config);
    let snapshot = Snapshot::of(dataset).map_err(DataFusionError::from)?;
    let root = ListingTableUrl::parse(ROOT)?;
    session.register_object_store(root.as_ref(), Arc::new(snapshot));
    session.register_table(TABLE, Arc::new(view(dataset, &session)?))?;
    Ok(session)
}

/// The part files' table with Hive's default partition told as what it is: null.
fn view(dataset: &Dataset, session: &SessionContext) -> Result<ViewTable> {
    let part_files = provider_as_source(Arc::new(table(dataset, session)?));
    let null = || lit(ScalarValue::Utf8(Some(DEFAULT_PARTITION.to_owned())));
    let partition_columns = dataset.partition_by().iter().map(|column| column.name());
    let partition_columns: Vec<_> = partition_columns.collect();
    let columns = part_files.schema();
    let columns = columns.fields().iter().map(|field| {
        let column = ident(field.name());
        if partition_columns.contains(&field.name().as_str()) {
            nullif(column, null()).alias(field.name())
        } else {
            column
        }
    });
    let columns: Vec<_> = columns.collect();
    let plan =
        LogicalPlanBuilder::scan("part_files", part_files, None)?.project(columns)?.build()?;
    Ok(ViewTable::new(plan, None))
}

fn table(dataset: &Dataset, session: &SessionContext) -> Result<ListingTable> {
    let partition_columns: Vec<_> =
        dataset.partition_by().iter().map(|c| (c.name().to_owned(), DataType::Utf8)).collect();
    // A partition column that is a column of the files, too (`event_name`), is read from the path.
    let in_files = |name: &str| !partition_columns.iter().any(|(column, _)| column == name);
    let columns = schema();
    let fields = columns.fields().iter().filter(|field| in_files(field.name())).map(Arc::clone);
    // A format of its own would not know the session's options.
    let options = session.state().default_table_options().parquet;
    let format = ParquetFormat::default().with_options(options);
    let options = ListingOptions::new(Arc::new(format))
        .with_file_extension(".parquet")
        .with_table_partition_cols(partition_columns.clone());
    let config = ListingTableConfig::new(ListingTableUrl::parse(ROOT)?)
        .with_listing_options(options)
        .with_schema(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
    Ok(ListingTable::try_new(config)?)
}

/// The statements of a text.
fn statements(sql: &str) -> Result<VecDeque<Statement>> {
    Ok(DFParser::parse_sql(sql)?)
}

/// Runs one statement with values for its parameters.
async fn execute(
    session: &SessionContext,
    statement: Statement,
    values: Values,
) -> Result<SendableRecordBatchStream> {
    views::make(session, &statement.to_string()).await?;
    let state = session.state();
    let plan = state.statement_to_plan(statement).await?;
    let access = state.config().get_extension::<Access>();
    access.as_deref().copied().unwrap_or_default().check(&plan)?;
    let mut frame = session.execute_logical_plan(plan).await?;
    if !values.is_empty() {
        frame = frame.with_param_values(values)?;
    }
    Ok(frame.execute_stream().await?)
}

/// Runs the statements of a text in order and writes their results. The first error ends it.
pub async fn run(
    session: &SessionContext,
    sql: &str,
    format: Format,
    out: &mut impl Write,
) -> Result<()> {
    for statement in statements(sql)? {
        let stream = execute(session, statement, Values::new()).await?;
        output::write(stream, format, out).await?;
    }
    Ok(())
}

/// Values of parameters, by their names in the statement.
pub type Values = Vec<(String, ScalarValue)>;

/// Runs a saved query with values for its parameters, and writes its result; how many rows it has.
pub async fn run_saved(
    session: &SessionContext,
    query: &SavedQuery,
    values: Values,
    format: Format,
    out: &mut impl Write,
) -> Result<u64> {
    let mut statements = statements(&query.sql)?;
    let (Some(statement), true) = (statements.pop_front(), statements.is_empty()) else {
        let reason = format!("saved query {} is not one statement", query.name);
        return Err(Error::SavedQuery(reason));
    };
    let stream = execute(session, statement, values).await?;
    output::write(stream, format, out).await
}
