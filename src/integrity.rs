//! Whether log files are what CloudTrail delivered: its digests, their chain, their signatures.
//!
//! Each hour CloudTrail writes a digest: the hashes of the log files delivered, and the hash and
//! signature of the digest before. A digest's own signature is kept beside it in S3; away from S3 it is
//! found in the digest after it, so that of a chain on disk all but the newest can be checked. How:
//! CloudTrail guide, "Custom implementations of CloudTrail log file integrity validation". Everything
//! works offline. It refuses to change anything, and to look into records.

mod digest;
mod files;
mod keys;

use crate::error::Result;
use digest::Digest;
use files::Files;
use keys::{Keys, Signatures};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// What to check.
#[derive(Debug, Clone)]
pub struct IntegrityConfig {
    /// The folder of the log files.
    pub logs: PathBuf,
    /// The folder of the digests, where that is another.
    pub digests: Option<PathBuf>,
    /// What `aws cloudtrail list-public-keys` printed.
    pub public_keys: Vec<PathBuf>,
    /// Metadata of digests in S3: an object of `{"KEY": {"x-amz-meta-signature": "HEX"}}`.
    pub metadata: Option<PathBuf>,
}

/// What is known of a digest or log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
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
    /// The key that it was signed with is not among those given.
    NoPublicKey,
    /// Its signature is not at hand: the newest digest's is in S3 alone.
    Unsigned,
    /// No digest names it.
    NotCovered,
}

impl State {
    /// Whether something is wrong, not only unknown.
    #[must_use]
    pub fn is_wrong(self) -> bool {
        matches!(
            self,
            Self::InvalidHash
                | Self::InvalidSignature
                | Self::MissingObject
                | Self::Moved
                | Self::Gap
        )
    }

    /// As reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::InvalidHash => "invalid-hash",
            Self::InvalidSignature => "invalid-signature",
            Self::MissingObject => "missing-object",
            Self::Moved => "moved",
            Self::Gap => "gap",
            Self::NoPublicKey => "no-public-key",
            Self::Unsigned => "unsigned",
            Self::NotCovered => "not-covered",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was found of one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// `digest` or `log file`.
    pub kind: &'static str,
    /// Where it is in S3, as digests say; of what no digest names, its path.
    pub object: String,
    /// Where it was read.
    pub path: Option<PathBuf>,
    /// What is known of it.
    pub state: State,
    /// Why.
    pub detail: String,
}

/// What was found, and what may be relied on.
#[derive(Debug, Default)]
pub struct Report {
    /// Every digest and log file, in order.
    pub findings: Vec<Finding>,
    /// The SHA-256 of each log file's content that a valid digest vouches for, by its path.
    pub vouched: HashMap<PathBuf, String>,
}

impl Report {
    /// How many there are of each state.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<State, u64> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.state).or_default() += 1;
        }
        counts
    }
}

/// Checks digests and log files. Fails where folders or keys cannot be read.
pub fn check(config: &IntegrityConfig) -> Result<Report> {
    let keys = Keys::read(&config.public_keys)?;
    let signatures = Signatures::read(config.metadata.as_deref())?;
    let logs = Files::below(&config.logs)?;
    let elsewhere = config.digests.as_deref().map(Files::below).transpose()?;
    let (digests, unreadable) = digest::read_all(elsewhere.as_ref().unwrap_or(&logs));
    let mut report = Report { findings: unreadable, vouched: HashMap::new() };
    let chain = Chain::of(&digests);
    let mut states = Vec::new();
    for digest in &digests {
        let (state, detail) = chain.check(digest, &keys, &signatures);
        states.push(state);
        report.findings.push(digest.finding(state, detail));
        chain.check_previous(digest, &mut report.findings);
    }
    report.findings.extend(gaps(&digests));
    check_log_files(&digests, &states, &logs, &mut report);
    report.findings.sort();
    report.findings.dedup();
    Ok(report)
}

/// Digests by their keys, and the one after each.
struct Chain<'d> {
    by_key: HashMap<&'d str, &'d Digest>,
    next: HashMap<&'d str, &'d Digest>,
}

impl<'d> Chain<'d> {
    fn of(digests: &'d [Digest]) -> Self {
        let by_key = digests.iter().map(|digest| (&*digest.text.object, digest)).collect();
        let next = digests.iter().filter_map(|digest| Some((digest.text.previous()?, digest)));
        Self { by_key, next: next.collect() }
    }

    /// What is known of a digest, and why.
    fn check(&self, digest: &Digest, keys: &Keys, signatures: &Signatures) -> (State, String) {
        if let Some(moved) = digest.moved() {
            return (State::Moved, moved);
        }
        let key = &*digest.text.object;
        let next = self.next.get(key);
        if let Some(hash) = next.and_then(|next| next.text.previous_hash.as_deref())
            && !hash.eq_ignore_ascii_case(&digest.sha256)
        {
            return (State::InvalidHash, "the digest after it has another hash of it".to_owned());
        }
        let beside = signatures.of(key);
        let in_next = next.and_then(|next| next.text.previous_signature.as_deref());
        if let (Some(beside), Some(in_next)) = (beside, in_next)
            && !beside.eq_ignore_ascii_case(in_next)
        {
            let why = "its metadata and the digest after it have different signatures of it";
            return (State::InvalidSignature, why.to_owned());
        }
        let Some(signature) = beside.or(in_next) else {
            let why = "its signature is in S3 alone: hand it over with --metadata";
            return (State::Unsigned, why.to_owned());
        };
        keys.verify(digest, signature)
    }

    /// Says where the digest before one is missing.
    fn check_previous(&self, digest: &Digest, findings: &mut Vec<Finding>) {
        if let Some(previous) = digest.text.previous()
            && !self.by_key.contains_key(previous)
        {
            let bucket = digest.text.previous_bucket.as_deref().unwrap_or(&digest.text.bucket);
            findings.push(Finding {
                kind: "digest",
                object: format!("s3://{bucket}/{previous}"),
                path: None,
                state: State::MissingObject,
                detail: format!("the digest before {}", digest.text.object),
            });
        }
    }
}

/// The times between digests of a trail that no digest is of: also where several are missing in a row,
/// and where logging was stopped.
fn gaps(digests: &[Digest]) -> Vec<Finding> {
    let mut trails: BTreeMap<String, Vec<&Digest>> = BTreeMap::new();
    for digest in digests {
        trails.entry(digest.text.trail()).or_default().push(digest);
    }
    let mut found = Vec::new();
    for trail in trails.values_mut() {
        trail.sort_by(|a, b| a.text.start.cmp(&b.text.start));
        let mut covered: Option<&Digest> = None;
        for digest in trail.iter() {
            if let Some(before) = covered
                && before.text.end < digest.text.start
            {
                let stopped = digest.text.previous().is_none();
                let why =
                    if stopped { ": logging was stopped, or digests are missing" } else { "" };
                found.push(Finding {
                    kind: "digest",
                    object: format!("s3://{}/{}", digest.text.bucket, digest.text.object),
                    path: Some(digest.path.clone()),
                    state: State::Gap,
                    detail: format!(
                        "no digest from {} to {}{why}",
                        before.text.end, digest.text.start
                    ),
                });
            }
            if covered.is_none_or(|before| before.text.end < digest.text.end) {
                covered = Some(digest);
            }
        }
    }
    found
}

/// Checks the log files that digests name, and finds those that none names.
fn check_log_files(digests: &[Digest], states: &[State], logs: &Files, report: &mut Report) {
    let mut wanted = Vec::new();
    let mut named: BTreeSet<PathBuf> = BTreeSet::new();
    for (digest, state) in digests.iter().zip(states) {
        for log in &digest.text.log_files {
            let object = format!("s3://{}/{}", log.bucket, log.object);
            match logs.find(&log.object) {
                Some(path) => {
                    named.insert(path.to_owned());
                    wanted.push((object, path.to_owned(), log.hash.to_ascii_lowercase(), *state));
                }
                None => report.findings.push(Finding {
                    kind: "log file",
                    object,
                    path: None,
                    state: State::MissingObject,
                    detail: format!("named by {}", digest.text.object),
                }),
            }
        }
    }
    let paths: Vec<&Path> = wanted.iter().map(|(_, path, ..)| path.as_path()).collect();
    let hashes = files::hash_all(&paths);
    let mut seen = HashSet::new();
    for ((object, path, expected, digest), hash) in wanted.into_iter().zip(hashes) {
        let (state, detail) = match hash {
            Err(why) => (State::InvalidHash, why),
            Ok(hash) if hash != expected => {
                (State::InvalidHash, format!("its content has {hash}, the digest says {expected}"))
            }
            Ok(_) if digest == State::Valid => (State::Valid, String::new()),
            Ok(_) => (digest, format!("its content fits, but its digest is {digest}")),
        };
        if state == State::Valid {
            report.vouched.insert(path.clone(), expected);
        }
        // Two digests may name one log file: a backfill repeats what others have.
        if seen.insert((path.clone(), state)) {
            let path = Some(path);
            report.findings.push(Finding { kind: "log file", object, path, state, detail });
        }
    }
    for path in logs.log_files().filter(|path| !named.contains(*path)) {
        report.findings.push(Finding {
            kind: "log file",
            object: path.display().to_string(),
            path: Some(path.to_owned()),
            state: State::NotCovered,
            detail: "no digest at hand names it".to_owned(),
        });
    }
}
