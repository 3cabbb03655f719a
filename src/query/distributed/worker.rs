//! `buildtrail worker`: does tasks of other processes' queries on one dataset.
//!
//! Nobody is asked who they are, and nothing is encrypted: whoever reaches the address can read the
//! whole dataset, use the memory and the disk that the limits give, and have connections made to
//! where a plan says that other workers are. More it cannot read: the only store that a task finds is
//! the dataset's, which cannot be written to either.

use super::VERSION;
use super::connections::{ANSWERED, Connections, SILENT};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::query::rules::count_distinct::Count;
use crate::query::rules::last_rules;
use crate::query::session::snapshot::{ROOT, Snapshot};
use crate::query::session::{QueryLimits, settle};
use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::SessionState;
use datafusion::execution::registry::FunctionRegistry as _;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion_distributed::{
    DistributedExt as _, WorkerPlanRewriteEvent, WorkerPlanRewriteEventResponse,
    WorkerQueryContext, WorkerSessionBuilder,
};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use url::Url;

/// A worker that listens.
#[derive(Debug)]
pub struct Worker {
    listener: TcpListener,
    address: SocketAddr,
    dataset: Dataset,
    limits: QueryLimits,
    runtime: Arc<RuntimeEnv>,
}

impl Worker {
    /// Begins to listen.
    pub async fn listen(
        dataset: Dataset,
        address: SocketAddr,
        limits: QueryLimits,
    ) -> Result<Self> {
        let runtime = only_the_dataset(&limits)?;
        let refused = |error: std::io::Error| Error::Worker {
            address: address.to_string(),
            reason: format!("cannot listen there: {error}"),
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, dataset, limits, runtime })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does tasks until the process ends.
    pub async fn serve(self) -> Result<()> {
        let connections = Connections::on(Handle::current());
        let sessions = Sessions {
            dataset: Arc::new(self.dataset),
            limits: self.limits,
            runtime: Arc::clone(&self.runtime),
            connections,
            seen: Mutex::new(None),
        };
        let worker = datafusion_distributed::Worker::from_session_builder(sessions)
            .with_runtime_env(self.runtime)
            .with_version(VERSION)
            .into_worker_server();
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let served = Server::builder()
            .http2_keepalive_interval(Some(SILENT))
            .http2_keepalive_timeout(Some(ANSWERED))
            .add_service(worker)
            .serve_with_incoming(incoming)
            .await;
        let address = self.address.to_string();
        served.map_err(|error| Error::Worker { address, reason: error.to_string() })
    }
}

/// The engine's surroundings without the store of local files that it comes with.
fn only_the_dataset(limits: &QueryLimits) -> Result<Arc<RuntimeEnv>> {
    let runtime = limits.runtime()?;
    let files = Url::parse("file://").map_err(failed)?;
    runtime.deregister_object_store(&files)?;
    Ok(runtime)
}

/// Sessions for tasks.
struct Sessions {
    dataset: Arc<Dataset>,
    limits: QueryLimits,
    runtime: Arc<RuntimeEnv>,
    connections: Connections,
    /// The commit whose part files tasks find.
    seen: Mutex<Option<u64>>,
}

impl Sessions {
    /// Sees the newest commit: a task may be of a query that has seen it.
    async fn refresh(&self) -> EngineResult<()> {
        let dataset = Arc::clone(&self.dataset);
        let newest = spawn_blocking(move || dataset.reopen()).await.map_err(failed)?;
        self.show(&newest.map_err(failed)?)
    }

    /// Lets tasks find the part files of a commit, unless they find those of a newer one: another task
    /// may have looked later and been done sooner.
    fn show(&self, dataset: &Dataset) -> EngineResult<()> {
        let commit = dataset.head().version;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|seen| seen < commit) {
            let root = Url::parse(ROOT).map_err(failed)?;
            let snapshot = Snapshot::of_any_commit(dataset)?;
            self.runtime.register_object_store(&root, Arc::new(snapshot));
            *seen = Some(commit);
        }
        Ok(())
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl WorkerSessionBuilder for Sessions {
    async fn build_session_state(&self, context: WorkerQueryContext) -> EngineResult<SessionState> {
        self.refresh().await?;
        let mut builder = context.builder;
        settle(builder.config().get_or_insert_default().options_mut(), &self.limits);
        let mut state = builder
            .with_distributed_channel_resolver(self.connections.clone())
            .with_distributed_worker_plan_rewrite_handler(with_last_rules)
            .build();
        state.register_udaf(Arc::new(Count::function()))?;
        datafusion_functions_json::register_all(&mut state)?;
        Ok(state)
    }
}

/// A task's plan with the rules that its client has left to workers.
fn with_last_rules(
    event: WorkerPlanRewriteEvent<'_>,
) -> EngineResult<WorkerPlanRewriteEventResponse> {
    let options = event.session_config.options();
    let mut rules = last_rules().into_iter();
    let plan = rules.try_fold(event.plan, |plan, rule| rule.optimize(plan, options))?;
    Ok(WorkerPlanRewriteEventResponse::new(plan))
}

#[cfg(test)]
mod tests {
    use super::{Connections, Sessions, only_the_dataset};
    use crate::dataset::Dataset;
    use crate::query::QueryLimits;
    use crate::query::session::snapshot::ROOT;
    use crate::scope::Redact;
    use std::sync::{Arc, Mutex};
    use url::Url;

    #[test]
    fn of_two_commits_tasks_find_the_newer() {
        let folder = tempfile::tempdir().unwrap();
        let before = Dataset::create(folder.path(), None, Redact::Standard).unwrap().unlock();
        // A commit without part files.
        Dataset::open_to_write(folder.path()).unwrap().keep_delta_log().unwrap();
        let newer = before.reopen().unwrap();
        let limits = QueryLimits::default();
        let sessions = Sessions {
            dataset: Arc::new(Dataset::open(folder.path()).unwrap()),
            runtime: only_the_dataset(&limits).unwrap(),
            limits,
            connections: Connections::with_threads().unwrap(),
            seen: Mutex::new(None),
        };
        let root = Url::parse(ROOT).unwrap();
        let shown = |dataset| {
            sessions.show(dataset).unwrap();
            sessions.runtime.object_store_registry.get_store(&root).unwrap()
        };
        let [first, second, late] = [&before, &newer, &before].map(shown);
        assert!(!Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&second, &late));
    }

    #[test]
    fn a_worker_finds_no_files_but_its_datasets() {
        let runtime = only_the_dataset(&QueryLimits::default()).unwrap();
        for url in ["file:///etc/passwd", "s3://bucket/key", "http://host/file"] {
            let store = runtime.object_store_registry.get_store(&Url::parse(url).unwrap());
            assert!(store.is_err(), "{url}");
        }
    }
}
