//! Copies the texts that rows use out of their pages where rows are kept, and nowhere else.
//!
//! Columns of texts are read as views: places in a page's texts instead of copies of them. What is grouped,
//! filtered or compared is not copied for each row then. But a sort or a join's smaller side keeps, and
//! counts, all the texts of the page for each batch.
//!
//! Upstream: apache/datafusion #14823. Gain over a year of 4,019,730 events: without it a sort runs out of
//! 12 GB; with it `image-changes` 9 to 6.3 s (2026-11-28). Delete it when the engine's sorts and joins
//! compact views: `cargo bench --features stages --bench rules` compares.

use super::only_child;
use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringViewArray};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, replace_children_if_necessary,
};
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
};
use futures::stream::{self, StreamExt as _};
use std::fmt;
use std::sync::Arc;

/// A column of the part files as a query reads it.
pub(in crate::query) fn as_view(field: &FieldRef) -> FieldRef {
    retyped(field, &DataType::Utf8, DataType::Utf8View)
}

/// A column of a query as it is handed on: a view is a way of reading.
pub(in crate::query) fn as_plain(field: &FieldRef) -> FieldRef {
    retyped(field, &DataType::Utf8View, DataType::Utf8)
}

fn retyped(field: &FieldRef, from: &DataType, to: DataType) -> FieldRef {
    if field.data_type() != from {
        return Arc::clone(field);
    }
    Arc::new(field.as_ref().clone().with_data_type(to))
}

/// Puts [`Compacted`] below what keeps rows. The last rule, when it is known what does.
#[derive(Debug)]
pub(in crate::query) struct CompactTexts;

impl PhysicalOptimizerRule for CompactTexts {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let compacted = plan.transform_up(|node| {
            let kept = children_kept(node.as_ref());
            if kept == 0 {
                return Ok(Transformed::no(node));
            }
            let children = node.children().into_iter().map(Arc::clone).enumerate();
            let children = children.map(
                |(index, child)| {
                    if index < kept { Compacted::above(child) } else { child }
                },
            );
            let children = children.collect();
            Ok(Transformed::yes(replace_children_if_necessary(node, children)?))
        });
        compacted.map(|plan| plan.data)
    }

    fn name(&self) -> &'static str {
        "compact_texts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Of how many of its children, from the first on, a plan keeps rows.
fn children_kept(node: &dyn ExecutionPlan) -> usize {
    let keeps_first = node.is::<SortExec>()
        || node.is::<WindowAggExec>()
        || node.is::<HashJoinExec>()
        || node.is::<NestedLoopJoinExec>()
        || node.is::<CrossJoinExec>();
    let keeps_both = node.is::<SortMergeJoinExec>();
    if keeps_both { 2 } else { usize::from(keeps_first) }
}

/// The same rows, whose texts hold no more than twice the bytes that they need.
#[derive(Debug)]
pub(in crate::query) struct Compacted(Arc<dyn ExecutionPlan>);

impl Compacted {
    /// The plan with this above, if it has texts.
    pub(in crate::query) fn above(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let is_view = |field: &FieldRef| field.data_type() == &DataType::Utf8View;
        if plan.schema().fields().iter().any(is_view) { Arc::new(Self(plan)) } else { plan }
    }
}

impl DisplayAs for Compacted {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ExecutionPlan for Compacted {
    fn name(&self) -> &'static str {
        "CompactTextsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.0.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.0]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self(only_child(children)?)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = context.session_config().batch_size();
        let batches = self.0.execute(partition, context)?;
        let schema = batches.schema();
        let batches = batches.flat_map(move |batch| stream::iter(compact(batch, rows)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

/// A batch in pieces of some rows: a sort would cut what is larger, and count its texts for each piece.
fn compact(batch: Result<RecordBatch>, rows: usize) -> Vec<Result<RecordBatch>> {
    let batch = match batch {
        Ok(batch) if batch.num_rows() <= rows => return vec![compact_piece(batch)],
        Ok(batch) => batch,
        Err(error) => return vec![Err(error)],
    };
    let starts = (0..batch.num_rows()).step_by(rows.max(1));
    let pieces = starts.map(|start| batch.slice(start, rows.min(batch.num_rows() - start)));
    pieces.map(compact_piece).collect()
}

fn compact_piece(batch: RecordBatch) -> Result<RecordBatch> {
    let (schema, columns, _) = batch.into_parts();
    let columns = columns.into_iter().map(|column| match column.as_string_view_opt() {
        Some(texts) if is_wasteful(texts) => Arc::new(texts.gc()) as ArrayRef,
        _ => column,
    });
    Ok(RecordBatch::try_new(schema, columns.collect())?)
}

/// A text longer than this stands in a buffer; a view holds the others itself.
const IN_VIEW: u32 = 12;

fn is_wasteful(texts: &StringViewArray) -> bool {
    let held: usize = texts.data_buffers().iter().map(Buffer::len).sum();
    let in_buffers = texts.lengths().filter(|length| *length > IN_VIEW);
    held > 2 * in_buffers.map(|length| length as usize).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::util::pretty::pretty_format_batches;
    use datafusion::datasource::MemTable;
    use datafusion::execution::SessionStateBuilder;
    use datafusion::prelude::SessionContext;

    /// 20,000 rows that are one slice of many texts.
    fn rows() -> RecordBatch {
        let texts = (0..100_000).map(|n| Some(format!("a text longer than a view holds, {n}")));
        let texts = texts.collect::<StringViewArray>().slice(50_000, 20_000);
        RecordBatch::try_from_iter([("t", Arc::new(texts) as ArrayRef)]).unwrap()
    }

    #[test]
    fn pieces_hold_what_they_need() {
        let batch = rows();
        let pieces = compact(Ok(batch.clone()), 8_192).into_iter().map(Result::unwrap);
        let pieces: Vec<_> = pieces.collect();
        assert_eq!(
            pieces.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(),
            [8_192, 8_192, 3_616]
        );
        let held = pieces.iter().map(RecordBatch::get_array_memory_size);
        assert!(held.sum::<usize>() < batch.get_array_memory_size() / 3);
        let text = |batches: &[RecordBatch]| pretty_format_batches(batches).unwrap().to_string();
        assert_eq!(text(&pieces), text(&[batch]));
    }

    #[test]
    fn what_keeps_rows_is_given_compacted_ones() {
        let state = SessionStateBuilder::new_with_default_features()
            .with_physical_optimizer_rule(Arc::new(CompactTexts))
            .build();
        let session = SessionContext::new_with_state(state);
        let table = MemTable::try_new(rows().schema(), vec![vec![rows()], vec![rows()]]);
        session.register_table("rows", Arc::new(table.unwrap())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ask = |sql: &str| {
            let answer = runtime.block_on(async { session.sql(sql).await?.collect().await });
            pretty_format_batches(&answer.unwrap()).unwrap().to_string()
        };
        let compacted = |plan: String| plan.matches("CompactTextsExec").count();
        assert_eq!(compacted(ask("EXPLAIN SELECT t FROM rows ORDER BY t")), 1);
        assert_eq!(compacted(ask("EXPLAIN SELECT a.t FROM rows a JOIN rows b ON a.t = b.t")), 1);
        assert_eq!(compacted(ask("EXPLAIN SELECT t, count(*) FROM rows GROUP BY t")), 0);
        let sql = "SELECT count(*) AS n, min(t) AS least FROM (SELECT a.t, row_number() OVER (ORDER BY a.t) FROM rows a JOIN rows b ON a.t = b.t)";
        assert!(ask(sql).contains("| 80000 | a text longer than a view holds, 50000 |"));
    }
}
