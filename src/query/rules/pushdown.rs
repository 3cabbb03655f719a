//! Keeps the engine's physical filter pushdown from crossing joins.
//!
//! The rule (55) hands a filter down by column names. Below a join two columns may have one name, so a filter
//! of both sides becomes a filter of one, and rows are lost without a word: `... FROM events a RIGHT JOIN events b
//! ON ... WHERE a.actor <> b.actor`. Each side of a join is therefore given to the rule on its own; the
//! logical plan has brought the filters of one side there before.
//!
//! Upstream: apache/datafusion #25264, #25244, #25262. Delete it when `a_filter_of_both_sides_loses_no_rows` in
//! `tests/it/sql.rs` passes without it.

use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PiecewiseMergeJoinExec, SortMergeJoinExec,
    SymmetricHashJoinExec,
};
use std::fmt;
use std::sync::Arc;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// The engine's rules of a plan; those that push filters down stop at joins.
pub(in crate::query) fn engine_rules() -> Vec<Rule> {
    let rules = PhysicalOptimizer::new().rules.into_iter();
    let guarded = |rule: Rule| -> Rule {
        if rule.name().starts_with("FilterPushdown") { Arc::new(BesideJoins(rule)) } else { rule }
    };
    rules.map(guarded).collect()
}

/// A rule that is applied to the parts of a plan that have no join.
struct BesideJoins(Rule);

impl fmt::Debug for BesideJoins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BesideJoins").field(&self.0.name()).finish()
    }
}

fn is_join(plan: &dyn ExecutionPlan) -> bool {
    plan.is::<HashJoinExec>()
        || plan.is::<SortMergeJoinExec>()
        || plan.is::<NestedLoopJoinExec>()
        || plan.is::<CrossJoinExec>()
        || plan.is::<SymmetricHashJoinExec>()
        || plan.is::<PiecewiseMergeJoinExec>()
}

fn has_join(plan: &Arc<dyn ExecutionPlan>) -> bool {
    is_join(plan.as_ref()) || plan.children().into_iter().any(has_join)
}

impl PhysicalOptimizerRule for BesideJoins {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        options: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !has_join(&plan) {
            return self.0.optimize(plan, options);
        }
        let children = plan.children().into_iter().map(Arc::clone);
        let children = children.map(|child| self.optimize(child, options));
        let children = children.collect::<Result<Vec<_>>>()?;
        replace_children_if_necessary(plan, children)
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}
