//! Evaluates conditions and functions of texts once per distinct value of a batch instead of once per row.
//!
//! A log says the same few things millions of times: who, from where, with which client. A view tells
//! which rows have the same text without reading it, so a search in 8,192 rows of a column is one in a
//! handful of texts. Only what reads one column of texts and nothing else is done like that.
//!
//! Upstream: apache/datafusion #25271, #23564. Gain over a year of 4,019,730 events: `clients` 1.2 to 0.5 s
//! (2026-11-28). Delete it when the engine evaluates dictionaries of texts so:
//! `cargo bench --features stages --bench rules` compares.

use super::only_child;
use arrow::array::{Array as _, AsArray as _, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::{take, take_record_batch};
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::HashMap;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::sort_properties::ExprProperties;
use datafusion::physical_expr::expressions::{Column, LikeExpr};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Puts [`PerText`] around what reads one column of texts, in projections and conditions.
#[derive(Debug)]
pub(in crate::query) struct AskPerText;

impl PhysicalOptimizerRule for AskPerText {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let asking = plan.transform_up(|node| {
            if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
                let input = projection.input();
                let mut any = false;
                let exprs = projection.expr().iter().map(|column| {
                    let asked = per_text(&column.expr, &input.schema())?;
                    any |= asked.transformed;
                    Ok(ProjectionExpr { expr: asked.data, alias: column.alias.clone() })
                });
                let exprs = exprs.collect::<Result<Vec<_>>>()?;
                if any {
                    let projection = ProjectionExec::try_new(exprs, Arc::clone(input))?;
                    return Ok(Transformed::yes(Arc::new(projection)));
                }
            } else if let Some(filter) = node.downcast_ref::<FilterExec>() {
                let predicate = per_text(filter.predicate(), &filter.input().schema())?;
                if predicate.transformed {
                    let filter = FilterExecBuilder::from(filter).with_predicate(predicate.data);
                    return Ok(Transformed::yes(Arc::new(filter.build()?)));
                }
            }
            Ok(Transformed::no(node))
        });
        asking.map(|plan| plan.data)
    }

    fn name(&self) -> &'static str {
        "ask_per_text"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// An expression with [`PerText`] where it is worth it.
fn per_text(
    expr: &Arc<dyn PhysicalExpr>,
    schema: &Schema,
) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    Arc::clone(expr).transform_down(|expr| {
        if !is_search(&expr, schema)? {
            return Ok(Transformed::no(expr));
        }
        Ok(Transformed::new(PerText::around(expr)?, true, TreeNodeRecursion::Jump))
    })
}

/// Whether an expression reads one column, which is of texts, and there is something to search.
fn is_search(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<bool> {
    let searches =
        expr.exists(|expr| Ok(expr.is::<LikeExpr>() || expr.is::<ScalarFunctionExpr>()))?;
    if !searches || is_volatile(expr) {
        return Ok(false);
    }
    let is_text = |column: Column| schema.field(column.index()).data_type() == &DataType::Utf8View;
    Ok(only_column(expr).is_some_and(is_text))
}

/// The column that an expression reads, if it reads one.
fn only_column(expr: &Arc<dyn PhysicalExpr>) -> Option<Column> {
    let mut columns = collect_columns(expr).into_iter();
    columns.next().filter(|_| columns.next().is_none())
}

/// An expression of one column of texts, asked of its different texts.
#[derive(Debug)]
pub(in crate::query) struct PerText {
    asked: Arc<dyn PhysicalExpr>,
    column: usize,
    /// The same, of a batch that has nothing but the column.
    alone: Arc<dyn PhysicalExpr>,
}

impl PerText {
    fn new(asked: Arc<dyn PhysicalExpr>, column: &Column) -> Result<Self> {
        let alone = Arc::clone(&asked).transform(|expr| {
            let column = expr.downcast_ref::<Column>();
            let alone = column.map(|column| Arc::new(Column::new(column.name(), 0)) as _);
            Ok(alone.map_or_else(|| Transformed::no(expr), Transformed::yes))
        });
        Ok(Self { asked, column: column.index(), alone: alone?.data })
    }

    /// What is asked, asked of each text if it reads one column; the engine may have put anything in
    /// a column's place.
    pub(in crate::query) fn around(asked: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        match only_column(&asked) {
            Some(column) => Ok(Arc::new(Self::new(asked, &column)?)),
            None => Ok(asked),
        }
    }
}

impl PartialEq for PerText {
    fn eq(&self, other: &Self) -> bool {
        self.asked.eq(&other.asked)
    }
}

impl Eq for PerText {}

impl Hash for PerText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked.hash(state);
    }
}

impl fmt::Display for PerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "per_text({})", self.asked)
    }
}

impl PhysicalExpr for PerText {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.asked.return_field(schema)
    }

    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.asked.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.asked.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let alone = batch.project(&[self.column])?;
        let texts = alone.columns().first().and_then(|texts| texts.as_string_view_opt());
        let Some((firsts, places)) = texts.and_then(different) else {
            return self.asked.evaluate(batch);
        };
        let alone = take_record_batch(&alone, &firsts)?;
        let answers = self.alone.evaluate(&alone)?.into_array(alone.num_rows())?;
        Ok(ColumnarValue::Array(take(&answers, &places, None)?))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.asked]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Self::around(only_child(children)?)
    }

    fn get_properties(&self, children: &[ExprProperties]) -> Result<ExprProperties> {
        let asked = children.first().cloned();
        Ok(asked.unwrap_or_else(ExprProperties::new_unknown))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked.fmt_sql(f)
    }
}

/// Rows that are worth it.
const FEWEST: usize = 64;

/// The first row of each different text, and which of those each row has; none where most are different.
///
/// The same text in two places counts as two: that costs time and changes nothing.
fn different(texts: &StringViewArray) -> Option<(UInt32Array, UInt32Array)> {
    let most = texts.len() / 4;
    if texts.len() < FEWEST {
        return None;
    }
    let mut known: HashMap<Option<u128>, u32> = HashMap::new();
    let mut firsts = Vec::new();
    let mut places = Vec::with_capacity(texts.len());
    let mut last = None;
    for (row, view) in (0_u32..).zip(texts.views()) {
        let view = texts.is_valid(row as usize).then_some(*view);
        let place = match last {
            Some((seen, place)) if seen == view => place,
            _ => *known.entry(view).or_insert_with(|| {
                firsts.push(row);
                u32::try_from(firsts.len() - 1).unwrap_or(u32::MAX)
            }),
        };
        if firsts.len() > most {
            return None;
        }
        last = Some((view, place));
        places.push(place);
    }
    Some((firsts.into(), places.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::rules::tests::answer_of;
    use arrow::array::ArrayRef;
    use datafusion::prelude::SessionConfig;
    use proptest::prelude::*;

    fn answer(rows: &[Option<String>], sql: &str, per_text: bool) -> String {
        let texts = Arc::new(rows.iter().map(Option::as_deref).collect::<StringViewArray>());
        let numbers = Arc::new(UInt32Array::from_iter_values((0..).take(rows.len())));
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("t", texts as ArrayRef, true),
            ("n", numbers as ArrayRef, false),
        ]);
        answer_of(
            batch.unwrap(),
            sql,
            SessionConfig::new(),
            per_text.then(|| Arc::new(AskPerText) as _),
        )
    }

    #[test]
    fn a_search_is_asked_per_text_and_what_reads_more_is_not() {
        let rows = vec![Some("abc".to_owned()); 100];
        let plan = answer(
            &rows,
            "EXPLAIN SELECT lower(t) LIKE '%b%', t = n, upper(t) || n FROM rows",
            true,
        );
        assert_eq!(plan.matches("per_text(").count(), 2, "{plan}");
        assert!(
            plan.contains("per_text(lower(t@0) LIKE %b%)")
                && plan.contains("per_text(upper(t@0)) ||"),
            "{plan}"
        );
    }

    #[test]
    fn where_most_texts_are_different_each_row_is_asked() {
        let texts = |different: usize| {
            let texts = (0..400).map(|row| format!("more than a view holds {}", row % different));
            texts.map(Some).collect::<StringViewArray>()
        };
        assert!(different(&texts(101)).is_none());
        // Each text stands in a place of its own here, as in a part file without a dictionary.
        assert!(different(&texts(3)).is_none());
        let in_one_place =
            take(&texts(3), &UInt32Array::from_iter_values((0..400).map(|row| row % 3)), None);
        let (firsts, places) = different(in_one_place.unwrap().as_string_view()).unwrap();
        assert_eq!(firsts.values(), &[0, 1, 2]);
        assert_eq!(places.value(399), 399 % 3);
    }

    proptest! {
        /// The answer is that of asking each row: texts of all lengths, nulls, empty ones, few and many.
        #[test]
        fn the_answer_is_the_same(rows in prop::collection::vec(prop::option::of("[aA%]{0,2}|B{11,14}"), 0..200)) {
            for sql in [
                "SELECT n, CASE WHEN n % 3 = 0 THEN lower(t) WHEN t LIKE '%a' THEN 'a' ELSE upper(t) END FROM rows ORDER BY n",
                "SELECT n FROM rows WHERE (lower(t) LIKE 'a%' OR t IS NULL) AND n > 3 ORDER BY n",
                "SELECT coalesce(lower(t), 'none') AS t, count(*) FROM rows GROUP BY 1 ORDER BY 1",
            ] {
                prop_assert_eq!(answer(&rows, sql, true), answer(&rows, sql, false));
            }
        }
    }
}
