//! Connections to workers, and whose failure a failure is.
//!
//! A connection lives on the threads that it was opened on, so these are not a statement's, which go
//! with it when it is given up. What a worker reports of the query passes as it is; what breaks
//! between the machines says which worker it was. A machine that is gone without a word is found out
//! by asking whether it is there.

use super::VERSION;
use crate::error::Error;
use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{
    ChannelResolver, CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest,
    GetWorkerInfoResponse, SetPlanRequest, WorkerChannel, WorkerToCoordinatorMsg,
};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tonic::codegen::http::HeaderMap;
use tonic::transport::Endpoint;
use url::Url;

/// How long a worker may take to be connected to.
const CONNECTED: Duration = Duration::from_secs(10);
/// How long a connection is silent before the other end is asked whether it is there.
pub(super) const SILENT: Duration = Duration::from_secs(20);
/// How long it may take to say so: its threads may be deep in a sort.
pub(super) const ANSWERED: Duration = Duration::from_mins(1);

/// Connections to workers.
#[derive(Clone)]
pub(super) struct Connections {
    /// Those that were opened; each opens itself again when it is used after it broke.
    opened: Arc<Mutex<HashMap<Url, BoxCloneSyncChannel>>>,
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
    pub(super) fn with_threads() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Error::Threads(error.into()))?;
        Ok(Self::by(Threads::Own(Some(runtime))))
    }

    /// Connections on the threads that a worker has.
    pub(super) fn on(threads: Handle) -> Self {
        Self::by(Threads::Shared(threads))
    }

    fn by(threads: Threads) -> Self {
        Self { opened: Arc::default(), threads: Arc::new(threads) }
    }

    /// Fails where a worker is not there, or another version of this program.
    pub(super) async fn check(&self, workers: &[Url]) -> Result<(), Error> {
        for worker in workers {
            let version = self.version(worker).await.map_err(|error| match error {
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
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened().get(url).cloned();
        let channel = if let Some(channel) = known {
            channel
        } else {
            let opening = open(url.to_string());
            let channel = match self.threads.handle() {
                Some(threads) => threads.spawn(opening).await,
                None => tokio::spawn(opening).await,
            };
            let Ok(channel) = channel.map_err(|error| passing(url, &error.to_string()))? else {
                let reason = "is not there; start it with `buildtrail worker DATASET --listen`";
                return Err(passing(url, reason));
            };
            opened().insert(url.clone(), channel.clone());
            channel
        };
        Ok(Box::new(Named { worker: url.clone(), channel: create_worker_client(channel) }))
    }
}

/// Connects to a worker.
async fn open(worker: String) -> Result<BoxCloneSyncChannel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(worker)?
        .connect_timeout(CONNECTED)
        .http2_keep_alive_interval(SILENT)
        .keep_alive_timeout(ANSWERED);
    Ok(BoxCloneSyncChannel::new(endpoint.connect().await?))
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
