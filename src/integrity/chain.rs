//! Digests judged by their signatures and by one another.
//!
//! A signature proves a digest, whoever hands it over. What another digest says convicts one only
//! where that one has not been found wrong itself: otherwise a forged digest could be laid beside a
//! good one to discredit it. So the newest is judged first, and each by those after it.

use crate::integrity::digest::{Digest, object};
use crate::integrity::signing::{PublicKeys, Signatures};
use crate::integrity::{Finding, FindingState};
use std::collections::{HashMap, HashSet};

/// What is known of a digest, and why.
#[derive(Debug)]
pub(super) struct Judged<'d> {
    pub(super) digest: &'d Digest,
    pub(super) state: FindingState,
    detail: String,
}

impl Judged<'_> {
    pub(super) fn finding(&self) -> Finding {
        self.digest.finding(self.state, self.detail.clone())
    }
}

/// Judges each digest; the newest comes first.
pub(super) fn judge<'d>(
    digests: &'d [Digest],
    keys: &PublicKeys,
    signatures: &Signatures,
) -> Vec<Judged<'d>> {
    let mut newest_first: Vec<&Digest> = digests.iter().collect();
    newest_first.sort_by(|a, b| (&b.text.end, &b.path).cmp(&(&a.text.end, &a.path)));
    let mut judged: Vec<Judged<'d>> = Vec::with_capacity(digests.len());
    let mut after: HashMap<&str, Vec<usize>> = HashMap::new();
    for digest in newest_first {
        let next = after.get(&*digest.text.object).into_iter().flatten();
        let next: Vec<&Judged<'d>> = next.filter_map(|at| judged.get(*at)).collect();
        let beside = signatures.get(&digest.text.object).or(digest.signature.as_deref());
        let (state, detail) = judge_one(digest, &next, beside, keys);
        if let Some((_, key)) = digest.text.previous() {
            after.entry(key).or_default().push(judged.len());
        }
        judged.push(Judged { digest, state, detail });
    }
    convict(&mut judged);
    judged
}

fn judge_one(
    digest: &Digest,
    next: &[&Judged<'_>],
    beside: Option<&str>,
    keys: &PublicKeys,
) -> (FindingState, String) {
    if let Some(moved) = digest.moved() {
        return (FindingState::Moved, moved);
    }
    // What it may be judged by: `None` is its metadata.
    let in_next = next.iter().filter_map(|next| {
        Some((Some(*next), next.digest.text.previous_digest_signature.as_deref()?))
    });
    let verdicts: Vec<_> = beside
        .map(|beside| (None, beside))
        .into_iter()
        .chain(in_next)
        .map(|(by, signature)| (by, keys.verify(digest, signature)))
        .collect();
    let is_proven = verdicts.iter().any(|(_, (state, _))| *state == FindingState::Valid);
    let by_hash = next.iter().find(|next| {
        let may_judge =
            if is_proven { next.state == FindingState::Valid } else { !next.state.is_wrong() };
        let hash = next.digest.text.previous_hash.as_deref();
        may_judge && hash.is_some_and(|hash| !hash.eq_ignore_ascii_case(&digest.sha256))
    });
    if let Some(next) = by_hash {
        return (
            FindingState::InvalidHash,
            blame("the digest after it has another hash of it", next),
        );
    }
    if is_proven {
        return (FindingState::Valid, String::new());
    }
    let verdict = verdicts.into_iter().find(|(by, _)| by.is_none_or(|by| !by.state.is_wrong()));
    match verdict {
        Some((Some(by), (FindingState::InvalidSignature, why))) => {
            (FindingState::InvalidSignature, blame(&why, by))
        }
        Some((_, verdict)) => verdict,
        None => (
            FindingState::Unsigned,
            "its signature is in S3 alone: hand it over with --metadata".to_owned(),
        ),
    }
}

/// Says who else may be wrong, where that is not known.
fn blame(why: &str, by: &Judged<'_>) -> String {
    if by.state == FindingState::Valid {
        return why.to_owned();
    }
    let (name, state) = (&by.digest.text.object, by.state);
    format!("{why}; or that is wrong in the digest after it, which is {state}: {name}")
}

/// Finds those that nothing was known against, and that say something wrong of a valid one.
fn convict(judged: &mut [Judged<'_>]) {
    let mut valid: HashMap<&str, HashSet<String>> = HashMap::new();
    for one in judged.iter().filter(|one| one.state == FindingState::Valid) {
        valid.entry(&one.digest.text.object).or_default().insert(one.digest.sha256.clone());
    }
    for one in judged {
        let text = &one.digest.text;
        let told = text.previous().map(|(_, key)| key).zip(text.previous_hash.as_deref());
        let is_false = told.is_some_and(|(key, hash)| {
            valid.get(key).is_some_and(|known| !known.contains(&hash.to_ascii_lowercase()))
        });
        if is_false && matches!(one.state, FindingState::Unsigned | FindingState::NoPublicKey) {
            one.state = FindingState::InvalidHash;
            "it has another hash of the digest before it, which is valid"
                .clone_into(&mut one.detail);
        }
    }
}

/// The digests that others name as the one before them and that are not here, but should be.
pub(super) fn missing(
    digests: &[Digest],
    is_missing: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Finding> {
    let here: HashSet<&str> = digests.iter().map(|digest| &*digest.text.object).collect();
    digests.iter().filter_map(move |digest| {
        let (bucket, key) = digest.text.previous()?;
        (!here.contains(key) && is_missing(key)).then(|| Finding {
            kind: "digest",
            object: object(bucket, key),
            path: None,
            state: FindingState::MissingObject,
            detail: format!("the digest before {}", digest.text.object),
        })
    })
}
