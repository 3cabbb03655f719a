//! One digest file, read.

use crate::hash::hex;
use crate::integrity::files::{self, CheckedFile, fits};
use crate::integrity::{Finding, FindingState};
use chrono::DateTime;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// The largest digest that is read: a real one has 300 bytes for each log file of an hour.
const MAX_DIGEST_BYTES: usize = 256 << 20;

/// What a digest says. Names: CloudTrail guide, "CloudTrail digest file structure".
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DigestText {
    #[serde(rename = "digestStartTime")]
    pub(super) start: String,
    #[serde(rename = "digestEndTime")]
    pub(super) end: String,
    #[serde(rename = "digestS3Bucket")]
    pub(super) bucket: String,
    #[serde(rename = "digestS3Object")]
    pub(super) object: String,
    #[serde(rename = "digestPublicKeyFingerprint")]
    pub(super) fingerprint: String,
    #[serde(rename = "digestSignatureAlgorithm")]
    pub(super) algorithm: String,
    #[serde(rename = "previousDigestS3Bucket")]
    previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    previous_object: Option<String>,
    #[serde(rename = "previousDigestHashValue")]
    pub(super) previous_hash: Option<String>,
    pub(super) previous_digest_signature: Option<String>,
    pub(super) log_files: Vec<SignedFile>,
}

/// A log file as a digest names it.
#[derive(Debug, Deserialize)]
pub(super) struct SignedFile {
    #[serde(rename = "s3Bucket")]
    pub(super) bucket: String,
    #[serde(rename = "s3Object")]
    pub(super) object: String,
    #[serde(rename = "hashValue")]
    pub(super) hash: String,
}

impl DigestText {
    /// The bucket and key of the digest before; a starting digest has none.
    pub(super) fn previous(&self) -> Option<(&str, &str)> {
        let bucket = self.previous_bucket.as_deref().unwrap_or(&self.bucket);
        Some((bucket, self.previous_object.as_deref()?))
    }

    /// The time that it is of, in milliseconds since 1970.
    pub(super) fn period(&self) -> Option<(i64, i64)> {
        let time = |text| Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis());
        Some((time(&self.start)?, time(&self.end)?))
    }

    /// What all digests of a trail in a region share: the key's name without its time.
    pub(super) fn trail(&self) -> String {
        let name = self.object.rsplit('/').next().unwrap_or_default();
        let name = name.split('.').next().unwrap_or_default();
        let name = name.strip_suffix("_backfill").unwrap_or(name);
        format!("{}/{}", self.bucket, name.rsplit_once('_').map_or(name, |(trail, _)| trail))
    }
}

/// The URI of an object.
pub(super) fn object(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}

/// A digest file.
#[derive(Debug)]
pub(super) struct Digest {
    pub(super) path: PathBuf,
    /// Of its content, inflated.
    pub(super) sha256: String,
    /// What S3 keeps beside it, where it was read from there.
    pub(super) signature: Option<String>,
    pub(super) text: DigestText,
}

impl Digest {
    /// The text that its signature signs.
    pub(super) fn signed(&self) -> String {
        let DigestText { end, bucket, object, previous_digest_signature, .. } = &self.text;
        let previous = previous_digest_signature.as_deref().unwrap_or("null");
        format!("{end}\n{bucket}/{object}\n{}\n{previous}", self.sha256)
    }

    /// Where it says that it belongs, if it is elsewhere.
    pub(super) fn moved(&self) -> Option<String> {
        let key = &self.text.object;
        (!fits(&self.path, key)).then(|| format!("it says that it is {key}"))
    }

    pub(super) fn finding(&self, state: FindingState, detail: String) -> Finding {
        let object = object(&self.text.bucket, &self.text.object);
        Finding { kind: "digest", object, path: Some(self.path.clone()), state, detail }
    }

    fn read(file: &CheckedFile) -> Result<Self, (FindingState, String)> {
        let (mut bytes, mut too_large) = (Vec::new(), false);
        let signature = file.content(&mut |piece| {
            too_large |= bytes.len() + piece.len() > MAX_DIGEST_BYTES;
            if !too_large {
                bytes.extend_from_slice(piece);
            }
        })?;
        if too_large {
            return Err((
                FindingState::InvalidHash,
                format!("larger than {MAX_DIGEST_BYTES} bytes"),
            ));
        }
        let text = serde_json::from_slice(&bytes)
            .map_err(|error| (FindingState::InvalidHash, format!("no digest: {error}")))?;
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(Self { path: file.path.clone(), sha256, signature, text })
    }
}

/// The digests, and what is wrong with those that cannot be read.
pub(super) fn read_all(files: &[CheckedFile]) -> (Vec<Digest>, Vec<Finding>) {
    let (mut digests, mut unreadable) = (Vec::new(), Vec::new());
    let files: Vec<&CheckedFile> = files.iter().collect();
    for (file, read) in files.iter().zip(files::of_each(&files, Digest::read)) {
        match read {
            Ok(digest) => digests.push(digest),
            Err((state, detail)) => {
                unreadable.push(Finding::of_file("digest", &file.path, state, detail));
            }
        }
    }
    (digests, unreadable)
}
