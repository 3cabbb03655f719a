//! One digest file, read.

use crate::integrity::files::{self, Files, tail};
use crate::integrity::{Finding, State};
use crate::part::hex;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// The largest digest that is read: a real one has 300 bytes for each log file of an hour.
const LARGEST: usize = 256 << 20;

/// What a digest says. Names: CloudTrail guide, "CloudTrail digest file structure".
#[derive(Debug, Deserialize)]
pub(super) struct Text {
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
    pub(super) previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    previous_object: Option<String>,
    #[serde(rename = "previousDigestHashValue")]
    pub(super) previous_hash: Option<String>,
    #[serde(rename = "previousDigestSignature")]
    pub(super) previous_signature: Option<String>,
    #[serde(rename = "logFiles")]
    pub(super) log_files: Vec<LogFile>,
}

/// A log file as a digest names it.
#[derive(Debug, Deserialize)]
pub(super) struct LogFile {
    #[serde(rename = "s3Bucket")]
    pub(super) bucket: String,
    #[serde(rename = "s3Object")]
    pub(super) object: String,
    #[serde(rename = "hashValue")]
    pub(super) hash: String,
}

impl Text {
    /// The key of the digest before; a starting digest has none.
    pub(super) fn previous(&self) -> Option<&str> {
        self.previous_object.as_deref()
    }

    /// What all digests of a trail in a region share: the key's name without its time.
    pub(super) fn trail(&self) -> String {
        let name = self.object.rsplit('/').next().unwrap_or_default();
        let name = name.split('.').next().unwrap_or_default();
        let name = name.strip_suffix("_backfill").unwrap_or(name);
        format!("{}/{}", self.bucket, name.rsplit_once('_').map_or(name, |(trail, _)| trail))
    }
}

/// A digest file.
#[derive(Debug)]
pub(super) struct Digest {
    pub(super) path: PathBuf,
    /// Of its content, inflated.
    pub(super) sha256: String,
    pub(super) text: Text,
}

impl Digest {
    /// The text that its signature signs.
    pub(super) fn signed(&self) -> String {
        let Text { end, bucket, object, previous_signature, .. } = &self.text;
        let previous = previous_signature.as_deref().unwrap_or("null");
        format!("{end}\n{bucket}/{object}\n{}\n{previous}", self.sha256)
    }

    /// Where it says that it belongs, if it is elsewhere.
    pub(super) fn moved(&self) -> Option<String> {
        let path = self.path.to_string_lossy();
        let (here, there) = (tail(&path), tail(&self.text.object));
        let plain = |key: &str| key.strip_suffix(".gz").unwrap_or(key).to_owned();
        // A copy that has lost its folders is told by its name.
        let name = there.rsplit('/').next().unwrap_or(there);
        let fits = [there, name].iter().any(|known| plain(known) == plain(here));
        (!fits).then(|| format!("it says that it is {}", self.text.object))
    }

    pub(super) fn finding(&self, state: State, detail: String) -> Finding {
        let object = format!("s3://{}/{}", self.text.bucket, self.text.object);
        Finding { kind: "digest", object, path: Some(self.path.clone()), state, detail }
    }

    fn read(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let mut too_large = false;
        files::content(path, &mut |piece| {
            too_large |= bytes.len() + piece.len() > LARGEST;
            if !too_large {
                bytes.extend_from_slice(piece);
            }
        })
        .map_err(|error| error.to_string())?;
        if too_large {
            return Err(format!("larger than {LARGEST} bytes"));
        }
        let text = serde_json::from_slice(&bytes).map_err(|error| format!("no digest: {error}"))?;
        Ok(Self { path: path.to_owned(), sha256: hex(&Sha256::digest(&bytes)), text })
    }
}

/// The digests among files, and what is wrong with those that cannot be read.
pub(super) fn read_all(files: &Files) -> (Vec<Digest>, Vec<Finding>) {
    let (mut digests, mut unreadable) = (Vec::new(), Vec::new());
    for path in files.digests() {
        match Digest::read(path) {
            Ok(digest) => digests.push(digest),
            Err(detail) => unreadable.push(Finding {
                kind: "digest",
                object: path.display().to_string(),
                path: Some(path.to_owned()),
                state: State::InvalidHash,
                detail,
            }),
        }
    }
    (digests, unreadable)
}
