//! Connections to workers, and whose failure a failure is.
//!
//! A connection lives on the threads that it was opened on, so these are not a statement's, which go
//! with it when it is given up. What a worker reports of the query passes as it is; what breaks
//! between the machines says which worker it was.

use super::VERSION;
use crate::error::{Error, Result};
use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::grpc::{DefaultChannelResolver, create_worker_client};
use datafusion_distributed::{
    ChannelResolver, CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest,
    GetWorkerInfoResponse, SetPlanRequest, WorkerChannel, WorkerToCoordinatorMsg,
};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::sync::Arc;
use tokio::runtime::{Builder, Handle, Runtime};
use tonic::codegen::http::HeaderMap;
use url::Url;

/// Connections to workers.
#[derive(Clone)]
pub(super) struct Connections {
    channels: DefaultChannelResolver,
    threads: Arc<Threads>,
}

/// The threads that connections live on.
enum Threads {
    /// Of our own, until the last connection goes.
    Own(Option<Runtime>),
    /// Those that a worker has for everything.
    Shared(Handle),
}

impl Threads {
    fn handle(&self) -> Option<&Handle> {
        match self {
            Self::Own(runtime) => runtime.as_ref().map(Runtime::handle),
            Self::Shared(handle) => Some(handle),
        }
    }
}

impl Drop for Threads {
    /// The last one to hold a session may be a thread that must not wait.
    fn drop(&mut self) {
        if let Self::Own(runtime) = self
            && let Some(runtime) = runtime.take()
        {
            runtime.shutdown_background();
        }
    }
}

impl Connections {
    /// Connections that live as long as this does.
    pub(super) fn with_threads() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::SavedQuery(format!("start threads: {error}")))?;
        let threads = Threads::Own(Some(runtime));
        Ok(Self { channels: DefaultChannelResolver::default(), threads: Arc::new(threads) })
    }

    /// Connections on the threads that a worker has.
    pub(super) fn on(threads: Handle) -> Self {
        let threads = Arc::new(Threads::Shared(threads));
        Self { channels: DefaultChannelResolver::default(), threads }
    }

    /// Fails where a worker is not there, or another version of this program.
    pub(super) fn check(&self, workers: &[Url]) -> Result<()> {
        let Some(threads) = self.threads.handle() else { return Ok(()) };
        for worker in workers {
            let version = threads.block_on(self.version(worker)).map_err(|error| match error {
                DataFusionError::External(cause) if cause.is::<Error>() => match cause.downcast() {
                    Ok(error) => *error,
                    Err(cause) => broken(worker, &cause.to_string()),
                },
                error => broken(worker, &error.strip_backtrace()),
            })?;
            if version != VERSION {
                let reason = format!("is {version}, this is {VERSION}; use one version");
                return Err(Error::Worker { address: authority(worker), reason });
            }
        }
        Ok(())
    }

    async fn version(&self, worker: &Url) -> EngineResult<String> {
        let mut channel = self.get_worker_client_for_url(worker).await?;
        let info = channel.get_worker_info(GetWorkerInfoRequest {}).await?;
        Ok(info.version)
    }
}

#[async_trait]
impl ChannelResolver for Connections {
    async fn get_worker_client_for_url(&self, url: &Url) -> EngineResult<Box<dyn WorkerChannel>> {
        let (channels, wanted) = (self.channels.clone(), url.clone());
        let open = async move { channels.get_channel(&wanted).await };
        let opened = match self.threads.handle() {
            Some(threads) => threads.spawn(open).await,
            None => tokio::spawn(open).await,
        };
        let channel = match opened {
            Ok(Ok(channel)) => channel,
            Ok(Err(_)) => {
                let reason = "is not there; start it with `buildtrail worker DATASET --listen`";
                return Err(passing(url, reason));
            }
            Err(error) => return Err(passing(url, &error.to_string())),
        };
        Ok(Box::new(Named { worker: url.clone(), channel: create_worker_client(channel) }))
    }
}

/// A worker's host and port.
pub(super) fn authority(worker: &Url) -> String {
    let host = worker.host_str().unwrap_or_default();
    format!("{host}:{}", worker.port_or_known_default().unwrap_or_default())
}

fn broken(worker: &Url, reason: &str) -> Error {
    Error::Worker { address: authority(worker), reason: reason.to_owned() }
}

fn passing(worker: &Url, reason: &str) -> DataFusionError {
    DataFusionError::External(Box::new(broken(worker, reason)))
}

/// A connection that knows its worker.
struct Named {
    worker: Url,
    channel: Box<dyn WorkerChannel>,
}

/// What came as an answer is the query's failure; a failure of the connection is the worker's.
fn name(worker: &Url, error: DataFusionError) -> DataFusionError {
    let DataFusionError::External(cause) = &error else { return error };
    match cause.downcast_ref::<tonic::Status>() {
        Some(status) => {
            passing(worker, &format!("broke off ({}); ask again without it", status.message()))
        }
        None => error,
    }
}

fn naming<T: 'static>(
    worker: &Url,
    stream: BoxStream<'static, EngineResult<T>>,
) -> BoxStream<'static, EngineResult<T>> {
    let worker = worker.clone();
    stream.map(move |item| item.map_err(|error| name(&worker, error))).boxed()
}

#[async_trait]
impl WorkerChannel for Named {
    async fn coordinator_channel(
        &mut self,
        headers: HeaderMap,
        plan: SetPlanRequest,
        messages: BoxStream<'static, CoordinatorToWorkerMsg>,
        metrics: ExecutionPlanMetricsSet,
        task: &Arc<TaskContext>,
    ) -> EngineResult<BoxStream<'static, EngineResult<WorkerToCoordinatorMsg>>> {
        let answer = self.channel.coordinator_channel(headers, plan, messages, metrics, task).await;
        let stream = answer.map_err(|error| name(&self.worker, error))?;
        Ok(naming(&self.worker, stream))
    }

    async fn execute_task(
        &mut self,
        headers: HeaderMap,
        request: ExecuteTaskRequest,
        metrics: ExecutionPlanMetricsSet,
        task: &Arc<TaskContext>,
    ) -> EngineResult<Vec<BoxStream<'static, EngineResult<RecordBatch>>>> {
        let answer = self.channel.execute_task(headers, request, metrics, task).await;
        let streams = answer.map_err(|error| name(&self.worker, error))?;
        Ok(streams.into_iter().map(|stream| naming(&self.worker, stream)).collect())
    }

    async fn get_worker_info(
        &mut self,
        request: GetWorkerInfoRequest,
    ) -> EngineResult<GetWorkerInfoResponse> {
        let answer = self.channel.get_worker_info(request).await;
        answer.map_err(|error| name(&self.worker, error))
    }
}
