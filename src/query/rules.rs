//! What we add to the engine's plans: rules and functions that the engine does not have yet.
//!
//! Each file says what it does, what it brings and when it can be deleted.

pub(super) mod compact_views;
pub(super) mod count_distinct;
mod lag;
mod per_distinct_value;
pub(super) mod pushdown;
pub(super) mod timestamps;

use compact_views::CompactTexts;
use datafusion::common::internal_datafusion_err;
use datafusion::error::DataFusionError;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use lag::LookAtNeighbours;
use per_distinct_value::AskPerText;
use std::sync::Arc;

/// Our last rules of a plan by their names, in their order.
#[cfg_attr(not(feature = "stages"), expect(unreachable_pub, reason = "for benches/rules.rs"))]
pub const RULES: [&str; 3] = ["lag", "per_distinct_value", "compact_views"];

/// The name of our aggregate, which is no rule of a plan.
#[cfg_attr(not(feature = "stages"), expect(unreachable_pub, reason = "for benches/rules.rs"))]
pub const COUNT_DISTINCT: &str = "count_distinct";

/// Our last rules of a plan.
pub(super) fn last_rules() -> [Arc<dyn PhysicalOptimizerRule + Send + Sync>; 3] {
    [Arc::new(LookAtNeighbours), Arc::new(AskPerText), Arc::new(CompactTexts)]
}

/// The child of a node that has one.
fn only_child<T>(children: Vec<T>) -> Result<T, DataFusionError> {
    let child = <[T; 1]>::try_from(children).map(|[child]| child);
    child.map_err(|c| internal_datafusion_err!("{} children instead of one", c.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::RecordBatch;
    use arrow::util::pretty::pretty_format_batches;
    use datafusion::execution::SessionStateBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};

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
