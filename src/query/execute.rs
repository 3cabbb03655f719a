//! One statement, planned and run: the views that it names are made, and what it may not do is refused.

use crate::error::Result;
#[cfg(feature = "distributed")]
use crate::query::distributed;
use crate::query::saved::{Values, make_views};
use crate::query::session::Access;
use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::Expr;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion_functions_json::functions::json_union_to_text;
use std::collections::VecDeque;

/// The statements of a text.
pub(super) fn statements(sql: &str) -> Result<VecDeque<Statement>> {
    Ok(DFParser::parse_sql(sql)?)
}

/// Runs one statement with values for its parameters.
pub(super) async fn execute(
    session: &SessionContext,
    statement: Statement,
    values: Values,
) -> Result<SendableRecordBatchStream> {
    make_views(session, &statement.to_string()).await?;
    let state = session.state();
    let plan = state.statement_to_plan(statement).await?;
    Access::from_config(state.config()).check(&plan)?;
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
