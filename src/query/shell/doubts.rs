//! Looks for reasons to doubt the answer of a saved query before it is given.

use crate::error::Result;
use crate::layout::TABLE;
use crate::query::doubt::{Doubt, nearest, of_scope};
use crate::query::execute::statements;
use crate::query::saved::{SavedQuery, Values};
use crate::query::shell::runner::Runner;
use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use futures::StreamExt as _;

/// Parameters that are values of a column in every saved query, and the column.
const FILTERS: [(&str, &str); 4] = [
    ("project", "project_name"),
    ("account", "recipient_account_id"),
    ("actor", "actor"),
    ("region", "aws_region"),
];

impl Runner {
    /// Why the answer of a saved query to these values may show less than there is to see.
    pub async fn doubts(&mut self, query: &SavedQuery, values: &Values) -> Result<Vec<Doubt>> {
        let mut doubts = Vec::new();
        if let (Some(source), Some(needs)) = (&self.source, query.needs) {
            doubts.extend(of_scope(source, &query.name, needs)?);
        }
        for (parameter, column) in FILTERS {
            let of_name = |(name, value): &(String, ScalarValue)| match value {
                ScalarValue::Utf8(Some(text)) if name == parameter => Some(text.clone()),
                _ => None,
            };
            if let Some(value) = values.iter().find_map(of_name) {
                doubts.extend(self.of_value(parameter, column, value).await?);
            }
        }
        Ok(doubts)
    }

    /// Whether any event has a value; the values are only looked through if none has.
    async fn of_value(
        &mut self,
        parameter: &'static str,
        column: &str,
        value: String,
    ) -> Result<Option<Doubt>> {
        let one = format!("SELECT 1 FROM {TABLE} WHERE {column} = $value LIMIT 1");
        let bound = vec![("value".to_owned(), ScalarValue::Utf8(Some(value.clone())))];
        let found = self.collect(&one, &bound).await?;
        if found.iter().any(|batch| batch.num_rows() > 0) {
            return Ok(None);
        }
        let all = format!("SELECT DISTINCT {column} FROM {TABLE} WHERE {column} IS NOT NULL");
        let mut known = Vec::new();
        for batch in self.collect(&all, &Values::new()).await? {
            let Some(column) = batch.columns().first() else { continue };
            let column = cast(column, &DataType::Utf8)?;
            let texts = column.as_string_opt::<i32>().into_iter().flatten().flatten();
            known.extend(texts.map(str::to_owned));
        }
        let nearest = nearest(&value, known);
        Ok(Some(Doubt::NoSuchValue { parameter, value, nearest }))
    }

    /// The rows of a statement of ours.
    async fn collect(&mut self, sql: &str, values: &Values) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for statement in statements(sql)? {
            let mut rows = self.start(statement, values.clone()).await?;
            while let Some(batch) = rows.next().await {
                batches.push(batch?);
            }
        }
        Ok(batches)
    }
}
