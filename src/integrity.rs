//! Whether log files are what CloudTrail delivered: its digests, their chain, their signatures.
//!
//! Each hour CloudTrail writes a digest: the hashes of the log files delivered, and the hash and
//! signature of the digest before. A digest's own signature is kept beside it in S3; away from S3 it is
//! found in the digest after it, so that of a chain on disk all but the newest can be checked. How:
//! CloudTrail guide, "Custom implementations of CloudTrail log file integrity validation". It refuses to
//! look for files (which are checked is the caller's to say, so that they are those that are read), to
//! change anything, and to look into records.

mod chain;
mod coverage;
mod digest;
mod files;
mod signing;

pub use files::CheckedFile;

use crate::error::Result;
use crate::sources::Selection;
use chain::Judged;
use coverage::Coverage;
use digest::{Digest, object};
use files::{ByName, fits, name_of};
use serde::Serialize;
use signing::{PublicKeys, Signatures};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;

/// What to check, and by what.
#[derive(Debug, Default)]
pub struct CheckInputs {
    /// The log files.
    pub log_files: Vec<CheckedFile>,
    /// The digests.
    pub digests: Vec<CheckedFile>,
    /// Which log files are wanted: others that digests name are not missed.
    pub log_selection: Selection,
    /// Which digests are wanted.
    pub digest_selection: Selection,
    /// What could not be listed, and why.
    pub unlisted: Vec<(String, String)>,
    /// What `aws cloudtrail list-public-keys` printed.
    pub public_keys: Vec<PathBuf>,
    /// Metadata of digests in S3: an object of `{"KEY": {"x-amz-meta-signature": "HEX"}}`.
    pub metadata: Option<PathBuf>,
}

/// What is known of a digest or log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// It is as CloudTrail wrote it.
    Valid,
    /// Its content is another.
    InvalidHash,
    /// Its signature is another's, or no signature.
    InvalidSignature,
    /// A digest names it, and it is not here.
    MissingObject,
    /// It is not where CloudTrail put it.
    Moved,
    /// Digests of some time are missing.
    Gap,
    /// The digests of its time are here, and none names it.
    UnexpectedObject,
    /// Before this digest the trail was not logging.
    LoggingStopped,
    /// The key that it was signed with is not among those given.
    NoPublicKey,
    /// Its signature is not at hand: the newest digest's is in S3 alone.
    Unsigned,
    /// No digest at hand names it.
    NotCoveredByDigest,
    /// It could not be read or listed.
    Unreadable,
}

impl FindingState {
    /// Whether something is wrong, not only unknown.
    #[must_use]
    pub fn is_wrong(self) -> bool {
        self.name_and_wrong().1
    }

    /// As reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name_and_wrong().0
    }

    fn name_and_wrong(self) -> (&'static str, bool) {
        match self {
            Self::Valid => ("valid", false),
            Self::InvalidHash => ("invalid-hash", true),
            Self::InvalidSignature => ("invalid-signature", true),
            Self::MissingObject => ("missing-object", true),
            Self::Moved => ("moved", true),
            Self::Gap => ("gap", true),
            Self::UnexpectedObject => ("unexpected-object", true),
            Self::LoggingStopped => ("logging-stopped", false),
            Self::NoPublicKey => ("no-public-key", false),
            Self::Unsigned => ("unsigned", false),
            Self::NotCoveredByDigest => ("not-covered-by-digest", false),
            Self::Unreadable => ("unreadable", false),
        }
    }
}

impl fmt::Display for FindingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was found of one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// `digest`, `log file`, or `folder`.
    pub kind: &'static str,
    /// Where it is in S3, as digests say; of what no digest names, its path.
    pub object: String,
    /// Where it was read.
    pub path: Option<PathBuf>,
    /// What is known of it.
    pub state: FindingState,
    /// Why.
    pub detail: String,
}

impl Finding {
    /// Of a file that no digest tells the object of.
    fn of_file(
        kind: &'static str,
        path: &std::path::Path,
        state: FindingState,
        detail: String,
    ) -> Self {
        let object = path.to_string_lossy().into_owned();
        Self { kind, object, path: Some(path.to_owned()), state, detail }
    }
}

/// How many findings there are of each state.
#[must_use]
pub fn counts(findings: &[Finding]) -> BTreeMap<FindingState, u64> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.state).or_default() += 1;
    }
    counts
}

/// The SHA-256 of the contents that valid digests give a log file, by its path.
pub type Vouched = HashMap<PathBuf, Vec<String>>;

/// Checks digests and log files; what was found of each, in order. Fails where keys or metadata cannot
/// be read.
pub fn check(inputs: &CheckInputs) -> Result<Vec<Finding>> {
    let DigestSet { read: digests, mut findings, keys, signatures } = DigestSet::read(inputs)?;
    let judged = chain::judge(&digests, &keys, &signatures);
    let unreadable: HashSet<String> =
        findings.iter().map(|finding| name_of(&finding.object).to_owned()).collect();
    findings.extend(judged.iter().map(Judged::finding));
    let is_missing =
        |key: &str| !unreadable.contains(name_of(key)) && inputs.digest_selection.may_hold(key);
    findings.extend(chain::missing(&digests, is_missing));
    findings.extend(coverage::gaps(&judged));
    findings.extend(log_files(&judged, inputs));
    findings.extend(inputs.unlisted.iter().map(|(path, why)| {
        Finding::of_file("folder", path.as_ref(), FindingState::Unreadable, why.clone())
    }));
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// The log files that valid digests vouch for, if their contents have these hashes: they are not
/// read here. Fails where keys or metadata cannot be read.
pub fn vouched(inputs: &CheckInputs) -> Result<Vouched> {
    let DigestSet { read: digests, keys, signatures, .. } = DigestSet::read(inputs)?;
    let files = ByName::new(&inputs.log_files);
    let mut vouched = Vouched::new();
    for judged in chain::judge(&digests, &keys, &signatures) {
        for log in
            judged.digest.text.log_files.iter().filter(|_| judged.state == FindingState::Valid)
        {
            for file in files.named(&log.object).filter(|file| fits(&file.path, &log.object)) {
                vouched.entry(file.path.clone()).or_default().push(log.hash.to_ascii_lowercase());
            }
        }
    }
    Ok(vouched)
}

/// The digests, and what they are judged by.
struct DigestSet {
    read: Vec<Digest>,
    /// Of those that could not be read.
    findings: Vec<Finding>,
    keys: PublicKeys,
    signatures: Signatures,
}

impl DigestSet {
    fn read(inputs: &CheckInputs) -> Result<Self> {
        let keys = PublicKeys::read(&inputs.public_keys)?;
        let signatures = Signatures::read(inputs.metadata.as_deref())?;
        let (read, findings) = digest::read_all(&inputs.digests);
        Ok(Self { read, findings, keys, signatures })
    }
}

/// What a digest says of a log file.
struct Claim<'d> {
    hash: &'d str,
    object: String,
    key: &'d str,
    by: &'d Judged<'d>,
}

impl Claim<'_> {
    /// How little what it says is worth: nothing that a wrong digest says counts where another speaks.
    fn rank(&self) -> u8 {
        match self.by.state {
            FindingState::Valid => 0,
            state if !state.is_wrong() => 1,
            _ => 2,
        }
    }
}

/// What is known of the log files that digests name, and of those that none names.
fn log_files(judged: &[Judged<'_>], inputs: &CheckInputs) -> Vec<Finding> {
    let mut claims: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
    for by in judged {
        for log in &by.digest.text.log_files {
            let object = object(&log.bucket, &log.object);
            let claim = Claim { hash: &log.hash, object, key: &log.object, by };
            claims.entry(name_of(&log.object)).or_default().push(claim);
        }
    }
    for claims in claims.values_mut() {
        let best = claims.iter().map(Claim::rank).min().unwrap_or_default();
        claims.retain(|claim| claim.rank() == best);
    }
    let files = ByName::new(&inputs.log_files);
    let named: Vec<(&CheckedFile, &[Claim<'_>])> = claims
        .iter()
        .flat_map(|(name, claims)| files.named(name).map(|file| (file, claims.as_slice())))
        .collect();
    let hashes = files::hash_all(&named.iter().map(|(file, _)| *file).collect::<Vec<_>>());
    let found = named.iter().zip(hashes).map(|((file, claims), hash)| of_named(file, claims, hash));
    let missing = claims.iter().filter(|(name, _)| files.named(name).next().is_none());
    let missing = missing.filter_map(|(_, claims)| claims.first());
    let missing = missing.filter(|claim| inputs.log_selection.may_hold(claim.key)).map(|claim| {
        let detail = format!("named by {}", claim.by.digest.text.object);
        let (object, state) = (claim.object.clone(), FindingState::MissingObject);
        Finding { kind: "log file", object, path: None, state, detail }
    });
    let coverage = Coverage::new(judged);
    let others = inputs.log_files.iter().filter(|file| !claims.contains_key(&*file.name()));
    let others = others.map(|file| {
        let (state, detail) = coverage.of_unnamed(file);
        Finding::of_file("log file", &file.path, state, detail)
    });
    found.chain(missing).chain(others).collect()
}

/// What is known of a log file that digests name.
fn of_named(file: &CheckedFile, claims: &[Claim<'_>], hash: files::Hash) -> Finding {
    let hash = match hash {
        Ok(hash) => hash,
        Err((state, why)) => return Finding::of_file("log file", &file.path, state, why),
    };
    let holds = claims.iter().find(|claim| claim.hash.eq_ignore_ascii_case(&hash));
    let Some(claim) = holds.or_else(|| claims.first()) else {
        let detail = "no digest at hand names it".to_owned();
        return Finding::of_file("log file", &file.path, FindingState::NotCoveredByDigest, detail);
    };
    let (state, detail) = match claim.by.state {
        _ if holds.is_none() => {
            let detail = format!("its content has {hash}, the digest says {}", claim.hash);
            (FindingState::InvalidHash, detail)
        }
        FindingState::Valid if fits(&file.path, claim.key) => (FindingState::Valid, String::new()),
        FindingState::Valid => {
            (FindingState::Moved, format!("its digest says that it is {}", claim.key))
        }
        state => (state, format!("its content fits, but its digest is {state}")),
    };
    let (object, path) = (claim.object.clone(), Some(file.path.clone()));
    Finding { kind: "log file", object, path, state, detail }
}
