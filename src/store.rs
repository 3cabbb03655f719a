//! S3: listing buckets, reading and writing objects.
//!
//! The client is `object_store`'s, with the credentials of the AWS SDK (environment, profiles, SSO,
//! roles, web identity, instance metadata) as `datafusion-cli` joins them. Callers are threads that
//! wait; what waits for the network runs on threads of its own here. Failures are told as what to do
//! about them. It refuses to know what an object means.

mod failure;
mod lease;
mod objects;

pub(crate) use lease::Lease;
pub(crate) use objects::{Precondition, Upload};

use crate::error::{Error, Result, StoreError, StoreProblem};
use datafusion_cli::object_storage::{AwsOptions, get_s3_object_store_builder};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::aws::{AmazonS3, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{Attribute, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, RetryConfig};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use url::Url;
use uuid::Uuid;

/// Requests at a time.
const REQUESTS: usize = 32;
/// Bytes of objects that are on their way or wait to be read, about, in KiB.
const AHEAD: u32 = 64 << 10;

/// A bucket.
pub(crate) struct Bucket {
    name: String,
    client: AmazonS3,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.name)
    }
}

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) bytes: u64,
    /// The entity tag, or the time of the last change where the server gives none.
    pub(crate) etag: String,
}

impl From<ObjectMeta> for Object {
    fn from(meta: ObjectMeta) -> Self {
        let changed = || meta.last_modified.timestamp_millis().to_string();
        let etag = meta.e_tag.map(|etag| etag.trim_matches('"').to_owned());
        Self { key: meta.location.into(), bytes: meta.size, etag: etag.unwrap_or_else(changed) }
    }
}

/// Whether a source or dataset is in S3.
pub(crate) fn is_s3(location: &str) -> bool {
    location.starts_with("s3://")
}

/// The bucket and the key or prefix of `s3://BUCKET/KEY`, which begins with no slash.
pub(crate) fn split_url(location: &str) -> Option<(&str, &str)> {
    let rest = location.strip_prefix("s3://")?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then(|| (bucket, key.trim_start_matches('/')))
}

fn wrong(location: &str) -> Error {
    StoreError::new(location, StoreProblem::InvalidUrl).into()
}

/// The buckets that were opened, by name: credentials are asked for once.
#[derive(Default)]
pub(crate) struct Buckets(HashMap<String, Arc<Bucket>>);

impl Buckets {
    /// The bucket and the key or prefix of `s3://BUCKET/KEY`.
    pub(crate) fn open(&mut self, location: &str) -> Result<(Arc<Bucket>, String)> {
        let (name, key) = split_url(location).ok_or_else(|| wrong(location))?;
        let bucket = match self.0.get(name) {
            Some(bucket) => Arc::clone(bucket),
            None => Bucket::open(name, location)?,
        };
        self.0.insert(name.to_owned(), Arc::clone(&bucket));
        Ok((bucket, key.to_owned()))
    }
}

/// A name that no other run gives.
pub(crate) fn token() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The threads that wait for the network.
fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let made = made.map_err(|error| Error::Threads(error.into()))?;
    Ok(RUNTIME.get_or_init(|| made))
}

impl Bucket {
    fn open(name: &str, location: &str) -> Result<Arc<Self>> {
        let url = Url::parse(&format!("s3://{name}")).ok();
        // A user, port or query is no part of a bucket's name.
        let url = url.filter(|url| url.host_str() == Some(name)).ok_or_else(|| wrong(location))?;
        let client = runtime()?.block_on(client(&url, name))?;
        Ok(Arc::new(Self { name: name.to_owned(), client }))
    }

    /// The URI of a key.
    pub(crate) fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Lists what is below a prefix and `enters` lets through, folder by folder and many at a time;
    /// below a folder that `is_leaf`, all at once.
    pub(crate) fn list(
        &self,
        prefix: &str,
        enters: &(dyn Fn(&str) -> bool + Sync),
        is_leaf: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Vec<Object>> {
        runtime()?.block_on(async {
            let mut objects = Vec::new();
            let mut level = vec![prefix.trim_end_matches('/').to_owned()];
            while !level.is_empty() {
                let listed = stream::iter(std::mem::take(&mut level))
                    .map(|folder| async move {
                        if is_leaf(&folder) {
                            Ok((Vec::new(), self.below(&folder).await?))
                        } else {
                            self.folder(&folder).await
                        }
                    })
                    .buffered(REQUESTS);
                let listed: Vec<_> = listed.try_collect().await?;
                for (folders, found) in listed {
                    level.extend(folders.into_iter().filter(|folder| enters(folder)));
                    objects.extend(found);
                }
            }
            Ok(objects)
        })
    }

    /// All objects below a folder.
    async fn below(&self, folder: &str) -> Result<Vec<Object>> {
        let path = self.path(folder)?;
        let found = self.client.list(Some(&path)).map_ok(Object::from).try_collect().await;
        found.map_err(|error| self.failed(folder, error))
    }

    /// The folders and objects of a folder.
    async fn folder(&self, folder: &str) -> Result<(Vec<String>, Vec<Object>)> {
        let path = self.path(folder)?;
        let listed = self.client.list_with_delimiter(Some(&path)).await;
        let listed = listed.map_err(|error| self.failed(folder, error))?;
        let folders = listed.common_prefixes.into_iter().map(String::from).collect();
        Ok((folders, listed.objects.into_iter().map(Object::from).collect()))
    }

    /// One object by its key, if it is there.
    pub(crate) fn head(&self, key: &str) -> Result<Option<Object>> {
        Ok(self.meta(key)?.map(Object::from))
    }

    /// An object's bytes, and the signature in its metadata; waits for them.
    pub(crate) fn read(&self, key: &str) -> Result<(Vec<u8>, Option<String>)> {
        runtime()?.block_on(self.get(key))
    }

    async fn get(&self, key: &str) -> Result<(Vec<u8>, Option<String>)> {
        let path = self.path(key)?;
        let read = async {
            let found = self.client.get(&path).await?;
            let signature = found.attributes.get(&Attribute::Metadata("signature".into()));
            let signature = signature.map(|value| value.as_ref().to_owned());
            Ok((found.bytes().await?.into(), signature))
        };
        read.await.map_err(|error| self.failed(key, error))
    }

    fn path(&self, key: &str) -> Result<Path> {
        Path::parse(key.trim_end_matches('/')).map_err(|error| {
            StoreError::caused(self.uri(key), StoreProblem::InvalidKey, error).into()
        })
    }

    /// The failure by its kind, with its cause.
    fn failed(&self, key: &str, error: object_store::Error) -> Error {
        StoreError::caused(self.uri(key), failure::problem(&error), error).into()
    }
}

/// A client with the user's credentials.
async fn client(url: &Url, bucket: &str) -> Result<AmazonS3> {
    let uri = format!("s3://{bucket}");
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
    let endpoint = endpoint.iter().find_map(|name| set(name));
    let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
    let options = AwsOptions {
        // Servers that are not AWS's have no region to look up.
        region: region.or_else(|| endpoint.as_ref().map(|_| "us-east-1".to_owned())),
        allow_http: endpoint.as_ref().map(|endpoint| endpoint.starts_with("http://")),
        endpoint,
        ..AwsOptions::default()
    };
    let builder = get_s3_object_store_builder(url, &options, false).await;
    let builder =
        builder.map_err(|error| StoreError::caused(&uri, StoreProblem::Unopened, error))?;
    let unsigned = builder.get_config_value(&AmazonS3ConfigKey::SkipSignature);
    if unsigned.as_deref() == Some("true") && set("AWS_SKIP_SIGNATURE").is_none() {
        return Err(StoreError::new(uri, StoreProblem::NoCredentials).into());
    }
    let retry = RetryConfig {
        max_retries: 6,
        retry_timeout: Duration::from_mins(1),
        ..RetryConfig::default()
    };
    let built = builder.with_retry(retry).build();
    built.map_err(|error| StoreError::caused(uri, StoreProblem::Unopened, error).into())
}

/// An object on its way.
pub(crate) struct Fetched {
    /// Which of those asked for.
    pub(crate) index: usize,
    pub(crate) bytes: Result<Vec<u8>>,
    /// Its share of what may be ahead, given back when it has been read.
    _share: OwnedSemaphorePermit,
}

/// Objects that are fetched ahead of those who read them.
pub(crate) struct Fetching(Mutex<mpsc::Receiver<Fetched>>);

/// Begins to fetch objects, each with its number, bucket, key and size.
pub(crate) fn fetch(wanted: Vec<(usize, Arc<Bucket>, String, u64)>) -> Result<Fetching> {
    let (send, receive) = mpsc::channel(REQUESTS);
    let shares = Arc::new(Semaphore::new(AHEAD as usize));
    let fetch_one = move |(index, bucket, key, size): (usize, Arc<Bucket>, String, u64)| {
        let shares = Arc::clone(&shares);
        async move {
            // What is larger than all that may be ahead waits until nothing else is.
            let share = u32::try_from(size / 1024 + 1).unwrap_or(AHEAD).min(AHEAD);
            let share = shares.acquire_many_owned(share).await.ok()?;
            let bytes = bucket.get(&key).await.map(|(bytes, _)| bytes);
            Some(Fetched { index, bytes, _share: share })
        }
    };
    runtime()?.spawn(async move {
        let mut fetched = stream::iter(wanted).map(fetch_one).buffered(REQUESTS);
        while let Some(Some(object)) = fetched.next().await {
            // Nobody reads any more.
            if send.send(object).await.is_err() {
                break;
            }
        }
    });
    Ok(Fetching(Mutex::new(receive)))
}

impl Fetching {
    /// The next object; waits for it.
    pub(crate) fn next(&self) -> Option<Fetched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_bucket_and_a_key() {
        assert_eq!(split_url("s3://logs/AWSLogs/1/"), Some(("logs", "AWSLogs/1/")));
        assert_eq!(split_url("s3://logs/a b%20c?d#e//f"), Some(("logs", "a b%20c?d#e//f")));
        assert_eq!(split_url("s3://logs//a"), Some(("logs", "a")));
        for whole in ["s3://logs", "s3://logs/", "s3://logs//"] {
            assert_eq!(split_url(whole), Some(("logs", "")));
        }
        for none in ["s3://", "s3:///a", "logs/a", ""] {
            assert_eq!(split_url(none), None);
        }
    }

    #[test]
    fn a_wrong_url_is_told() {
        for wrong in ["s3://", "s3:///a", "s3://user@logs/a", "s3://logs:9000/a", "s3://logs?a/b"] {
            let error = Buckets::default().open(wrong).unwrap_err().to_string();
            assert_eq!(error, format!("{wrong}: expected s3://BUCKET/PREFIX"));
        }
    }
}
