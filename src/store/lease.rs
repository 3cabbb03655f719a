//! A hold on something in a bucket, for as long as its holder lives.
//!
//! An object says who holds until when; the holder puts it off while it runs, and removes it when it
//! is done. What a killed run held is free when its time is over. That spares others wasted work and
//! refuses to be more: whoever must be sure puts its last word on a condition.

use super::objects::Precondition;
use super::{Bucket, runtime, token};
use crate::error::Result;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a killed run's hold lasts.
const TTL: TimeDelta = TimeDelta::seconds(90);
/// How often a living one's is put off.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// What the object says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LeaseRecord {
    /// None other's.
    token: String,
    /// The process, for people.
    pid: u32,
    until: DateTime<Utc>,
}

impl LeaseRecord {
    fn text(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    fn renew(&mut self) {
        self.until = Utc::now() + TTL;
    }
}

/// A hold; gone when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    bucket: Arc<Bucket>,
    key: String,
    /// The entity tag that the object has while it is ours.
    etag: Arc<Mutex<String>>,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Takes hold; otherwise until when another has it.
    pub(crate) fn take(
        bucket: &Arc<Bucket>,
        key: &str,
    ) -> Result<std::result::Result<Self, DateTime<Utc>>> {
        let mut holder = LeaseRecord { token: token(), pid: std::process::id(), until: Utc::now() };
        holder.renew();
        let mut etag = bucket.put(key, holder.text(), Precondition::IfAbsent)?;
        if etag.is_none() {
            match bucket.find(key)? {
                None => etag = bucket.put(key, holder.text(), Precondition::IfAbsent)?,
                Some((bytes, theirs)) => {
                    // What nobody can read, nobody puts off.
                    let other = serde_json::from_slice::<LeaseRecord>(&bytes).ok();
                    // A put whose answer was lost is sent again, and finds what it put itself.
                    let is_ours = other.as_ref().is_some_and(|other| other.token == holder.token);
                    // A clock that is wrong must not hold for years.
                    let until =
                        other.map_or_else(Utc::now, |other| other.until.min(Utc::now() + TTL));
                    if until > Utc::now() && !is_ours {
                        return Ok(Err(until));
                    }
                    etag = bucket.put(key, holder.text(), Precondition::IfMatch(&theirs))?;
                }
            }
        }
        let until = holder.until;
        let Some(etag) = etag else { return Ok(Err(until)) };
        let etag = Arc::new(Mutex::new(etag));
        let task = renew(Arc::clone(bucket), key.to_owned(), holder, Arc::clone(&etag));
        let renewal = runtime()?.spawn(task);
        Ok(Ok(Self { bucket: Arc::clone(bucket), key: key.to_owned(), etag, renewal }))
    }

    /// Whether it is still ours.
    fn holds(&self) -> Result<bool> {
        let found = self.bucket.find(&self.key)?;
        // Read after: a tag from before could be one that was put off since.
        let ours = self.etag.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(found.is_some_and(|(_, etag)| etag == *ours))
    }
}

/// Puts a hold off for as long as it is ours.
async fn renew(
    bucket: Arc<Bucket>,
    key: String,
    mut holder: LeaseRecord,
    etag: Arc<Mutex<String>>,
) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        holder.renew();
        let ours = etag.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bucket.put_when(&key, holder.text(), Precondition::IfMatch(&ours)).await {
            Ok(Some(new)) => *etag.lock().unwrap_or_else(PoisonError::into_inner) = new,
            // Another took it: the commit will tell.
            Ok(None) => break,
            // The network may come back before the time is over.
            Err(_) => {}
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
        // Where this fails it ends by itself.
        if self.holds().unwrap_or_default() {
            let _ = self.bucket.remove(vec![self.key.clone()]);
        }
    }
}
