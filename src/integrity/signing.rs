//! CloudTrail's public keys, and the signatures that S3 keeps beside digests.

use crate::error::{Error, Result};
use crate::hash::{from_hex, hex};
use crate::integrity::FindingState;
use crate::integrity::digest::Digest;
use crate::text;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// RSA keys by their fingerprints.
#[derive(Debug)]
pub(super) struct PublicKeys(HashMap<String, Vec<u8>>);

#[derive(Deserialize)]
struct ListedKeys {
    #[serde(rename = "PublicKeyList")]
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "Value")]
    value: String,
    #[serde(rename = "Fingerprint")]
    fingerprint: String,
}

fn wrong(path: &Path, reason: &str) -> Error {
    Error::Integrity { path: path.to_owned(), reason: reason.to_owned() }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path, expected: &str) -> Result<T> {
    let text = text::read(path).map_err(Error::io("read", path))?;
    serde_json::from_str(&text)
        .map_err(|error| wrong(path, &format!("expected {expected}: {error}")))
}

impl PublicKeys {
    /// Reads what `aws cloudtrail list-public-keys` printed. A key that its fingerprint does not fit is
    /// refused: the fingerprint is the MD5 of the key in DER.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut keys = HashMap::new();
        for path in paths {
            let listed: ListedKeys =
                read_json(path, "the output of `aws cloudtrail list-public-keys`")?;
            for key in listed.keys {
                let der = BASE64_STANDARD.decode(key.value.as_bytes());
                let der = der.map_err(|error| wrong(path, &format!("a key's value: {error}")))?;
                let fingerprint = hex(&Md5::digest(&der));
                if !fingerprint.eq_ignore_ascii_case(&key.fingerprint) {
                    let given = key.fingerprint;
                    let reason =
                        format!("a key has the fingerprint {fingerprint}, it says {given}");
                    return Err(wrong(path, &reason));
                }
                keys.insert(fingerprint, der);
            }
        }
        Ok(Self(keys))
    }

    /// Checks a digest's signature, in hexadecimal digits.
    pub(super) fn verify(&self, digest: &Digest, signature: &str) -> (FindingState, String) {
        if digest.text.algorithm != "SHA256withRSA" {
            let why = format!("signed with `{}`, expected SHA256withRSA", digest.text.algorithm);
            return (FindingState::InvalidSignature, why);
        }
        let fingerprint = digest.text.fingerprint.to_ascii_lowercase();
        let Some(key) = self.0.get(&fingerprint) else {
            return (FindingState::NoPublicKey, format!("signed with {fingerprint}"));
        };
        let Some(signature) = from_hex(signature) else {
            return (FindingState::InvalidSignature, "its signature is not hexadecimal".to_owned());
        };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        match key.verify(digest.signed().as_bytes(), &signature) {
            Ok(()) => (FindingState::Valid, String::new()),
            Err(_) => (
                FindingState::InvalidSignature,
                "its signature does not fit its content".to_owned(),
            ),
        }
    }
}

/// Signatures by the keys of their digests.
#[derive(Debug, Default)]
pub(super) struct Signatures(HashMap<String, String>);

/// What S3 keeps beside a digest: as its headers have it, or as `aws s3api head-object` prints it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Metadata {
    Headers {
        #[serde(rename = "x-amz-meta-signature")]
        signature: String,
    },
    Head {
        #[serde(rename = "Metadata")]
        metadata: Signed,
    },
}

#[derive(Deserialize)]
struct Signed {
    signature: String,
}

impl Signatures {
    /// Reads an object of digests' metadata by their keys.
    pub(super) fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let expected = "an object of {\"KEY\": {\"x-amz-meta-signature\": \"HEX\"}}, or of what \
                        `aws s3api head-object` prints by key";
        let listed: HashMap<String, Metadata> = read_json(path, expected)?;
        let signature = |(key, metadata)| match metadata {
            Metadata::Headers { signature } | Metadata::Head { metadata: Signed { signature } } => {
                (key, signature)
            }
        };
        Ok(Self(listed.into_iter().map(signature).collect()))
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}
