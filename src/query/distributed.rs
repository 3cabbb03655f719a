//! Queries on several machines: a session that sends its work to workers.
//!
//! Whoever asks plans alone, cuts the plan into tasks and gives each to a [`Worker`], which has the same
//! dataset. Nothing is asked again: where a worker fails the statement fails and names it, never a row
//! less. This module refuses to find workers, to start them, and to prove who they are.

mod connections;
mod scan;
mod single_task;
mod worker;

pub use worker::Worker;

use crate::error::{QueryError, Result};
use crate::query::rules::last_rules;
use connections::Connections;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result as EngineResult;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan, Statement, WindowFrameUnits};
use datafusion::prelude::SessionContext;
use datafusion_distributed::{
    DistributedExt as _, DistributedGetterExt as _, SessionStateBuilderExt as _, WorkerResolver,
};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use url::Url;

/// What a worker must have in common with those who ask it.
const VERSION: &str = concat!("buildtrail ", env!("CARGO_PKG_VERSION"));

/// Where a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let url = Url::parse(&format!("http://{text}")).ok();
        let is_address = |url: &Url| {
            url.port_or_known_default().is_some_and(|port| text.ends_with(&format!(":{port}")))
                && url.path() == "/"
                && url.username().is_empty()
        };
        let expected = || "expected HOST:PORT such as 127.0.0.1:7000".to_owned();
        url.filter(is_address).map(Self).ok_or_else(expected)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", connections::authority(&self.0))
    }
}

/// The workers of a session.
struct Workers(Vec<Url>);

impl WorkerResolver for Workers {
    fn get_urls(&self) -> EngineResult<Vec<Url>> {
        Ok(self.0.clone())
    }
}

/// The session with its work done by workers; fails where one is not there or of another version.
pub async fn distribute(session: &SessionContext, workers: &[Address]) -> Result<SessionContext> {
    let connections = Connections::with_threads()?;
    let urls: Vec<_> = workers.iter().map(|Address(url)| url.clone()).collect();
    connections.check(&urls).await?;
    let mut state = session.state();
    let streams = &mut state.config_mut().options_mut().execution.target_partitions;
    // Of one stream nothing could be shared.
    *streams = (*streams).max(2);
    // Workers apply them to what they are sent: the library does not know what they put into plans.
    let of_workers = last_rules().map(|rule| rule.name().to_owned());
    let rules = state.physical_optimizers().iter();
    let rules = rules.filter(|rule| !of_workers.iter().any(|name| name == rule.name())).cloned();
    let rules = rules.collect();
    let state = SessionStateBuilder::new_from_existing(state)
        .with_physical_optimizer_rules(rules)
        .with_distributed_worker_resolver(Workers(urls))
        .with_distributed_channel_resolver(connections)
        // Who names workers wants them used, however small the dataset.
        .with_distributed_file_scan_config_bytes_per_partition(1)?
        // EXPLAIN ANALYZE would wait for ever for tasks that a LIMIT has left without work.
        .with_distributed_metrics_collection(false)?
        .with_distributed_desired_task_count_handler(single_task::tasks)
        .with_distributed_scale_up_leaf_node_handler(scan::share)
        .with_physical_optimizer_rule(Arc::new(single_task::LimitOnce))
        .with_distributed_planner()
        .build();
    Ok(SessionContext::new_with_state(state))
}

/// Whether a window's frame counts groups of equal rows.
fn is_by_groups(window: &Expr) -> bool {
    let Expr::WindowFunction(function) = window.clone().unalias() else { return false };
    function.params.window_frame.units == WindowFrameUnits::Groups
}

/// Fails where workers would not do as the session says, or not be asked as often as the plan says.
pub(super) fn check(session: &SessionState, plan: &LogicalPlan) -> Result<()> {
    if session.config().get_distributed_worker_resolver().is_err() {
        return Ok(());
    }
    let mut refused = None;
    plan.apply_with_subqueries(|node| {
        refused = refused.or_else(|| match node {
            LogicalPlan::Statement(Statement::SetVariable(_) | Statement::ResetVariable(_)) => {
                Some("SET and RESET do not reach the workers")
            }
            LogicalPlan::RecursiveQuery(_) => Some("WITH RECURSIVE is not for workers"),
            // The view `webhooks` gave other rows than alone (datafusion-distributed 4.0).
            LogicalPlan::Window(window) if window.window_expr.iter().any(is_by_groups) => {
                Some("a window frame of GROUPS is not for workers")
            }
            _ => None,
        });
        Ok(TreeNodeRecursion::Continue)
    })?;
    refused.map_or(Ok(()), |why| Err(QueryError::NotForWorkers(why).into()))
}

#[cfg(test)]
mod tests {
    use super::{Address, SessionContext, distribute};

    #[tokio::test]
    async fn a_worker_that_is_not_there_is_named_to_async_code() {
        // Bound, and nobody listens once it is dropped.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let workers = [gone.to_string().parse().unwrap()];
        let error = distribute(&SessionContext::new(), &workers).await.err().unwrap().to_string();
        assert!(error.starts_with(&format!("worker {gone}: is not there")), "{error}");
    }

    #[test]
    fn addresses_are_a_host_and_a_port() {
        for text in ["127.0.0.1:7000", "[::1]:7000", "worker-1.example:80"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in
            ["", "7000", "localhost", ":7000", "host:", "host:0x1", "host:70000", "a:1/b", "u@a:1"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
