//! One statement, planned and run: the views that it names are made, and what it may not do is refused.
//!
//! What the engine's own shell runs is run, but for this:
//! - what reads or writes files (`COPY`, `CREATE EXTERNAL TABLE`, `INSERT` into anything but a table that a
//!   statement made): the command line has to allow it;
//! - `SELECT * FROM 'file.csv'`, and `CREATE EXTERNAL TABLE` in a bucket: a session has the stores that it
//!   was opened with, and no others;
//! - that shell's own functions, which look into files and its caches (`parquet_metadata`,
//!   `metadata_cache`, `statistics_cache`, `list_files_cache`), and its commands (`\d`): the shell's begin
//!   with a dot;
//! - `SET` of an option that gives wrong rows.
//!
//! `SET datafusion.sql_parser.dialect` counts from the next text on: the one that it stands in was read.

use crate::error::Result;
#[cfg(feature = "distributed")]
use crate::query::distributed;
use crate::query::saved::{Values, make_views};
use crate::query::session::Access;
use crate::query::{names, precedence};
use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::dialect::dialect_from_str;
use datafusion_functions_json::functions::json_union_to_text;
use std::collections::VecDeque;

/// The statements of a text in the engine's own SQL.
pub(super) fn statements(sql: &str) -> Result<VecDeque<Statement>> {
    Ok(DFParser::parse_sql(sql)?)
}

/// The statements of a text that a user wrote, in the session's dialect.
pub(super) fn statements_for(session: &SessionContext, sql: &str) -> Result<VecDeque<Statement>> {
    let config = session.copied_config();
    let name: &str = config.options().sql_parser.dialect.as_ref();
    let unknown = || DataFusionError::Plan(format!("no dialect `{name}`"));
    let dialect = dialect_from_str(name).ok_or_else(unknown)?;
    Ok(DFParser::parse_sql_with_dialect(sql, dialect.as_ref())?)
}

/// Plans a statement.
async fn plan(state: &SessionState, mut statement: Statement) -> Result<LogicalPlan> {
    precedence::regroup(&mut statement);
    let mut renamed = statement.clone();
    match state.statement_to_plan(statement).await {
        Err(error) if names::are_the_fault(&error) && names::tell_apart(&mut renamed) => {
            Ok(state.statement_to_plan(renamed).await?)
        }
        plan => Ok(plan?),
    }
}

/// Runs one statement with values for its parameters.
pub(super) async fn execute(
    session: &SessionContext,
    statement: Statement,
    values: Values,
) -> Result<SendableRecordBatchStream> {
    make_views(session, &statement.to_string()).await?;
    let state = session.state();
    let plan = plan(&state, statement).await?;
    Access::from_config(state.config()).check(&plan)?;
    #[cfg(feature = "distributed")]
    distributed::check(&state, &plan)?;
    let mut frame = session.execute_logical_plan(plan).await?;
    if !values.is_empty() {
        frame = frame.with_param_values(values)?;
    }
    start(json_as_text(frame)?).await
}

/// Starts a planned statement. The engine (55) refuses a plan of its own if a WHERE makes one of several sort
/// keys constant (`SanityCheckPlan`); without sorting partitions side by side it makes another.
async fn start(frame: DataFrame) -> Result<SendableRecordBatchStream> {
    let (mut state, plan) = frame.into_parts();
    match DataFrame::new(state.clone(), plan.clone()).execute_stream().await {
        Err(DataFusionError::Context(rule, _)) if rule == "SanityCheckPlan" => {
            state.config_mut().options_mut().optimizer.repartition_sorts = false;
            Ok(DataFrame::new(state, plan).execute_stream().await?)
        }
        started => Ok(started?),
    }
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
            json_union_to_text(column).alias_qualified(table.cloned(), field.name())
        } else {
            column
        }
    });
    let columns: Vec<_> = columns.collect();
    Ok(frame.select(columns)?)
}
