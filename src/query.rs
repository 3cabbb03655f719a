//! A dataset in `DataFusion`: the table `events`, and running statements.
//!
//! The table has the columns of [`schema`](crate::schema) and the dataset's partition columns; it
//! reads the part files of the dataset's newest commit and nothing else. This module refuses to know
//! how rows were made.

mod access;
mod command;
mod describe;
mod distinct;
#[cfg(feature = "distributed")]
mod distributed;
mod limits;
mod logs;
mod neighbours;
mod output;
mod parameter;
mod per_text;
mod runner;
mod saved;
mod script;
mod shell;
mod snapshot;
mod texts;
mod views;
mod waiting;

pub use access::Access;
#[cfg(feature = "distributed")]
pub use distributed::{Address, Worker, distribute};
pub use limits::Limits;
pub use logs::{ReadLogs, register_logs};
pub use output::{Form, Format, MAX_ROWS, tabulate};
pub use parameter::{Parameter, ParameterKind};
pub use runner::{Out, Runner};
pub use saved::{SavedQueries, SavedQuery};
pub use shell::{Shell, Start};
pub use views::view_texts;

use crate::dataset::Dataset;
use crate::error::Result;
use crate::layout::DEFAULT_PARTITION;
use crate::schema::schema;
use arrow::datatypes::{DataType, Schema};
use datafusion::catalog::Session;
use datafusion::catalog::view::ViewTable;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Column, ScalarValue, internal_datafusion_err};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::{SessionConfig, SessionContext, ident, lit};
use datafusion::sql::parser::{DFParser, Statement};
use datafusion_functions_json::functions::json_union_to_text;
use distinct::Count;
use neighbours::LookAtNeighbours;
use per_text::AskPerText;
use snapshot::{ROOT, Snapshot};
use std::collections::VecDeque;
use std::sync::Arc;
use texts::CompactTexts;

/// The name of the table.
pub const TABLE: &str = "events";

/// Opens a dataset for queries.
pub fn open(dataset: &Dataset, access: Access, limits: &Limits) -> Result<SessionContext> {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_extension(Arc::new(access));
    settle(config.options_mut(), limits);
    let mut state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(limits.runtime()?);
    for rule in last_rules() {
        state = state.with_physical_optimizer_rule(rule);
    }
    let mut session = SessionContext::new_with_state(state.build());
    session.register_udaf(Count::function());
    datafusion_functions_json::register_all(&mut session)?;
    let table = attach(dataset, ROOT, &session.state())?;
    session.register_table(TABLE, Arc::new(table))?;
    Ok(session)
}

/// Our last rules of a plan.
fn last_rules() -> [Arc<dyn PhysicalOptimizerRule + Send + Sync>; 3] {
    [Arc::new(LookAtNeighbours), Arc::new(AskPerText), Arc::new(CompactTexts)]
}

/// The child of a node that has one.
fn only_child<T>(children: Vec<T>) -> std::result::Result<T, DataFusionError> {
    let child = <[T; 1]>::try_from(children).map(|[child]| child);
    child.map_err(|c| internal_datafusion_err!("{} children instead of one", c.len()))
}

/// The engine's options that differ from its own defaults.
fn settle(options: &mut ConfigOptions, limits: &Limits) {
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // A footer with its page index has 20 to 120 KB; by default 512 KB are read of each part file.
    options.execution.parquet.metadata_size_hint = Some(64 << 10);
    options.execution.sort_spill_reservation_bytes = limits.sort_reserve();
    options.execution.time_zone = Some("UTC".to_owned());
}

/// A dataset's events as a table of a session, which knows the dataset as the store `root`.
fn attach(dataset: &Dataset, root: &str, session: &dyn Session) -> Result<ViewTable> {
    let snapshot = Snapshot::of(dataset).map_err(DataFusionError::from)?;
    let root = ListingTableUrl::parse(root)?;
    session.runtime_env().register_object_store(root.as_ref(), Arc::new(snapshot));
    view(dataset, table(dataset, root, session)?)
}

/// The part files' table with Hive's default partition told as what it is: null.
fn view(dataset: &Dataset, part_files: ListingTable) -> Result<ViewTable> {
    let part_files = provider_as_source(Arc::new(part_files));
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

fn table(dataset: &Dataset, root: ListingTableUrl, session: &dyn Session) -> Result<ListingTable> {
    let partition_columns: Vec<_> =
        dataset.partition_by().iter().map(|c| (c.name().to_owned(), DataType::Utf8)).collect();
    // A partition column that is a column of the files, too (`event_name`), is read from the path.
    let in_files = |name: &str| !partition_columns.iter().any(|(column, _)| column == name);
    let columns = schema();
    let fields = columns.fields().iter().filter(|field| in_files(field.name())).map(texts::as_view);
    // A format of its own would not know the session's options.
    let options = session.default_table_options().parquet;
    let format = ParquetFormat::default().with_options(options);
    let options = ListingOptions::new(Arc::new(format))
        .with_file_extension(".parquet")
        .with_table_partition_cols(partition_columns.clone());
    let config = ListingTableConfig::new(root)
        .with_listing_options(options)
        .with_schema(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
    Ok(ListingTable::try_new(config)?)
}

/// The statements of a text.
fn statements(sql: &str) -> Result<VecDeque<Statement>> {
    Ok(DFParser::parse_sql(sql)?)
}

/// Values of parameters, by their names in the statement.
pub type Values = Vec<(String, ScalarValue)>;

/// Runs one statement with values for its parameters.
async fn execute(
    session: &SessionContext,
    statement: Statement,
    values: Values,
) -> Result<SendableRecordBatchStream> {
    views::make(session, &statement.to_string()).await?;
    let state = session.state();
    let plan = state.statement_to_plan(statement).await?;
    Access::of(state.config()).check(&plan)?;
    #[cfg(feature = "distributed")]
    distributed::check(&state, &plan)?;
    let mut frame = session.execute_logical_plan(plan).await?;
    if !values.is_empty() {
        frame = frame.with_param_values(values)?;
    }
    Ok(json_as_text(frame)?.execute_stream().await?)
}

/// `json_get` and `->` give any of JSON's types, which no form of a result has: they are shown as
/// JSON text.
fn json_as_text(frame: DataFrame) -> Result<DataFrame> {
    let is_json = |data_type: &DataType| matches!(data_type, DataType::Union(..));
    if !frame.schema().fields().iter().any(|field| is_json(field.data_type())) {
        return Ok(frame);
    }
    let columns = frame.schema().iter().map(|(table, field)| {
        let column = Expr::Column(Column::new(table.cloned(), field.name()));
        if is_json(field.data_type()) {
            json_union_to_text(column).alias(field.name())
        } else {
            column
        }
    });
    let columns: Vec<_> = columns.collect();
    Ok(frame.select(columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::RecordBatch;
    use arrow::util::pretty::pretty_format_batches;

    /// What a session says of a table `rows`, with a rule of ours or as the engine is.
    pub(super) fn answer_of(
        rows: RecordBatch,
        sql: &str,
        config: SessionConfig,
        rule: Option<Arc<dyn PhysicalOptimizerRule + Send + Sync>>,
    ) -> String {
        let mut state = SessionStateBuilder::new_with_default_features().with_config(config);
        if let Some(rule) = rule {
            state = state.with_physical_optimizer_rule(rule);
        }
        let session = SessionContext::new_with_state(state.build());
        session.register_batch("rows", rows).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(async { session.sql(sql).await?.collect().await });
        pretty_format_batches(&answer.unwrap()).unwrap().to_string()
    }
}
