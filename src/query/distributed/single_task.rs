//! What must happen once, and not in each of the tasks that a plan is cut into.
//!
//! A plan is made for one process, in which a stream that is alone has all rows. The library (4.0.0)
//! keeps that where several streams come together, and sends a join's smaller side to every task. Two
//! cases escape it, and give wrong answers: a LIMIT of that side, and part files that are read as one
//! stream from the beginning.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _};
use datafusion_distributed::{DesiredTaskCountEvent, DesiredTaskCountEventResponse};
use std::sync::Arc;

/// One task for what is read as one stream: whatever stands above may take it for all rows.
pub(super) fn tasks(
    event: DesiredTaskCountEvent<'_>,
) -> Option<Result<DesiredTaskCountEventResponse>> {
    let is_leaf = event.plan.children().is_empty();
    let is_whole = is_leaf && event.plan.output_partitioning().partition_count() == 1;
    is_whole.then(|| Ok(DesiredTaskCountEventResponse::maximum(1)))
}

/// Gives each LIMIT that a [`CoalescePartitionsExec`] holds a node of its own.
///
/// Where one is the smaller side of a join, the library puts the sending below it: every task would
/// choose rows of its own. Below a node that it does not know it leaves everything as it is.
#[derive(Debug)]
pub(super) struct LimitOnce;

impl PhysicalOptimizerRule for LimitOnce {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let limited = plan.transform_up(|node| {
            let together = node.downcast_ref::<CoalescePartitionsExec>();
            let limit = together.and_then(ExecutionPlan::fetch);
            Ok(match limit {
                None => Transformed::no(node),
                limit => Transformed::yes(Arc::new(GlobalLimitExec::new(node, 0, limit))),
            })
        });
        limited.map(|plan| plan.data)
    }

    fn name(&self) -> &'static str {
        "limit_once"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
