//! What statements may do: read the dataset, and no more unless the command line says so.
//!
//! A saved query of somebody else's, or a statement that somebody pasted, must not write a file or
//! read one that the command line did not name.

use crate::error::{QueryError, Result};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement, TableSource};
use datafusion::prelude::SessionConfig;
use std::sync::Arc;

/// What the command line allows beyond reading the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// `CREATE EXTERNAL TABLE` on files that a statement names.
    pub files: bool,
    /// `COPY ... TO`, `INSERT INTO` what is not in memory alone.
    pub write: bool,
}

impl Access {
    /// What a session's statements may do; nothing more than reading where nobody has said.
    pub(in crate::query) fn from_config(session: &SessionConfig) -> Self {
        session.get_extension::<Self>().as_deref().copied().unwrap_or_default()
    }

    /// Fails where a plan does what is not allowed.
    pub(in crate::query) fn check(self, plan: &LogicalPlan) -> Result<()> {
        let mut refused = None;
        plan.apply_with_subqueries(|node| {
            refused = self.refuses(node);
            Ok(match refused {
                Some(_) => TreeNodeRecursion::Stop,
                None => TreeNodeRecursion::Continue,
            })
        })?;
        refused.map_or(Ok(()), |refused| Err(refused.into()))
    }

    fn refuses(self, node: &LogicalPlan) -> Option<QueryError> {
        let refuse =
            |what: &str, option| Some(QueryError::NotAllowed { what: what.to_owned(), option });
        match node {
            LogicalPlan::Dml(change) if is_in_memory(&change.target) => None,
            LogicalPlan::Copy(_) | LogicalPlan::Dml(_) if !self.write => {
                refuse("this statement writes", "--allow-write")
            }
            LogicalPlan::Ddl(DdlStatement::CreateExternalTable(_)) if !self.files => {
                refuse("CREATE EXTERNAL TABLE names files", "--allow-files")
            }
            LogicalPlan::Statement(Statement::SetVariable(set))
                if !self.write && set.variable.contains("directory") =>
            {
                refuse("SET names a folder", "--allow-write")
            }
            LogicalPlan::Statement(Statement::SetVariable(set)) => refuse_wrong_rows(&set.variable),
            LogicalPlan::Statement(Statement::ResetVariable(reset)) => {
                refuse_wrong_rows(&reset.variable)
            }
            _ => None,
        }
    }
}

/// Whether a table is one that a statement of the session made, which lasts as long as the session does.
fn is_in_memory(table: &Arc<dyn TableSource>) -> bool {
    source_as_provider(table).is_ok_and(|table| table.is::<MemTable>())
}

/// Refuses to change an option whose other value gives wrong rows in this version of the engine.
fn refuse_wrong_rows(variable: &str) -> Option<QueryError> {
    let reason =
        "it makes statements lose rows in this version of the engine (apache/datafusion #25264)";
    let wrong = [
        "datafusion.optimizer.enable_join_dynamic_filter_pushdown",
        "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown",
        // Switches the one above on with the others.
        "datafusion.optimizer.enable_dynamic_filter_pushdown",
    ];
    let is_wrong = wrong.iter().any(|option| variable.eq_ignore_ascii_case(option));
    is_wrong.then(|| QueryError::UnsafeOption { option: variable.to_owned(), reason })
}
