//! A Delta Lake log over the dataset's part files, for readers that want one commit and no other.
//!
//! `_delta_log/00000000000000000007.json` says which part files version 7 has added and which it no longer
//! has. The dataset's own commit decides and knows the version that follows from it, the first one too:
//! the version is written when the commit's part files are in their places and those that it replaces
//! still are. A run killed before that is followed by the next one, from the same commit: [`follow`] does
//! nothing where the version is there. A commit that changes no part file has no version of its own.
//!
//! Plain readers take every `*.parquet` below the dataset for data, so this refuses to write checkpoints,
//! which are Parquet: a reader goes through all versions (a second for 1,800 of them). Nor may anybody
//! else write, for which the log asks writers for a feature that they cannot have.
//!
//! By hand, not with the crate `deltalake-core` (1.1.3, no default features): that costs 57 crates and 48
//! CPU seconds of a dev build, loads all versions before it writes one, takes the next free number for it
//! where here the commit has decided which, and refuses itself to write where a feature keeps others out.

mod action;

use crate::dataset::commit::{Action, Commit};
use crate::dataset::kill_points::reached;
use crate::dataset::parts::PartFile;
use crate::dataset::{Dataset, Root, Transaction, remembered, segment};
use crate::error::{DatasetProblem, Error, Result};
use crate::layout::PartitionColumn;
use crate::schema::SCHEMA_VERSION;
use action::{Mark, Version};
use chrono::Utc;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The folder that the Delta Lake protocol has its log in.
const LOG: &str = "_delta_log";

/// A version's file.
pub(crate) fn file(version: u64) -> String {
    format!("{LOG}/{version:020}.json")
}

/// Begins a log of the dataset, unless it has one; its newest version.
pub(crate) fn keep(dataset: &Dataset) -> Result<u64> {
    let (root, head) = (dataset.root(), dataset.head());
    if let Some(version) = kept(root, head.delta)? {
        return Ok(version);
    }
    if !root.names(LOG)?.is_empty() && !is_late(root, head)? {
        return Err(Error::dataset(root.name(LOG).display(), DatasetProblem::ForeignDeltaLog));
    }
    Transaction::new(dataset).commit_delta()?;
    Ok(0)
}

/// The newest version, as a commit has it. A log that was removed is kept no longer.
pub(crate) fn kept(root: &Root, version: Option<u64>) -> Result<Option<u64>> {
    match version {
        Some(version) if root.exists(&file(version))? => Ok(Some(version)),
        _ => Ok(None),
    }
}

/// The version that follows from the commit after `head`. Fails where somebody else has written it:
/// before the commit, which then is not made.
pub(crate) fn next(root: &Root, head: &Commit, changes: bool) -> Result<Option<u64>> {
    let Some(newest) = kept(root, head.delta)? else { return Ok(None) };
    let next = newest + u64::from(changes);
    if changes && root.exists(&file(next))? && !is_late(root, head)? {
        return Err(not_ours(root, next));
    }
    Ok(Some(next))
}

/// Whether another run has committed after `head`: what is in the log is its, and the commit, which only
/// one of two can make, says so.
fn is_late(root: &Root, head: &Commit) -> Result<bool> {
    Ok(Commit::newest(root)?.version > head.version)
}

/// Brings the log up to a commit, whose part files are in their places.
pub(crate) fn follow(root: &Root, commit: &Commit) -> Result<()> {
    let Some(version) = commit.delta else { return Ok(()) };
    let name = file(version);
    if let Some(text) = root.read(&name)? {
        return check(root, commit, version, &text);
    }
    let Some(lines) = owed(root, commit)? else { return Ok(()) };
    if !root.create(&name, lines)? {
        // Of a run that only seemed dead.
        let text = root.read(&name)?.unwrap_or_default();
        return check(root, commit, version, &text);
    }
    reached("followed");
    // The first names the folder, too.
    if version == 0 { root.sync("") } else { Ok(()) }
}

/// What the version of a commit has to say, if that is still to be written: a log that was removed
/// since is not written again.
fn owed(root: &Root, commit: &Commit) -> Result<Option<Vec<u8>>> {
    let Some(version) = commit.delta else { return Ok(None) };
    let begins = commit.action == Action::Delta;
    if (begins || commit.intent.is_some()) && !commit.is_to_be_placed(root)? {
        return Ok(None);
    }
    let mut lines =
        Version::new(commit.action, commit.version, changes_rows(root, commit), Utc::now());
    if begins {
        lines.protocol();
        lines.table(&partition_by(root)?);
        segment::read(root, &commit.parts, &mut |part: PartFile| lines.add(&part))?;
        return Ok(Some(lines.into_lines()));
    }
    let placed: HashSet<&str> = commit.placed().collect();
    if placed.is_empty() && commit.remove.is_empty() {
        // The version followed from an earlier commit.
        return Ok(None);
    }
    let before = version.checked_sub(1).map_or(Ok(None), |before| root.read(&file(before)))?;
    let Some(before) = before else { return Ok(None) };
    if Mark::parse(&before).map_or(0, |mark| mark.schema) < SCHEMA_VERSION {
        let first = root.read(&file(0))?.ok_or_else(|| root.missing(&file(0)))?;
        lines.table_again(&first, &partition_by(root)?);
    }
    segment::read(root, &commit.parts, &mut |part: PartFile| {
        if placed.contains(&*part.path) {
            lines.add(&part);
        }
    })?;
    commit.remove.iter().for_each(|path| lines.remove(path));
    Ok(Some(lines.into_lines()))
}

/// Whether rows come or go by a commit: by a compaction only where it drops copies.
fn changes_rows(root: &Root, commit: &Commit) -> bool {
    // Where the commit before was tidied away nobody knows: readers may look for changes in vain.
    let drops = || match Commit::load(root, commit.version.saturating_sub(1)) {
        Ok(before) => commit.dropped > before.dropped,
        Err(_) => true,
    };
    commit.action != Action::Compact || drops()
}

/// Fails where a version was written by somebody else.
fn check(root: &Root, commit: &Commit, version: u64, text: &[u8]) -> Result<()> {
    if Mark::parse(text).is_some_and(|mark| mark.commit <= commit.version) {
        return Ok(());
    }
    Err(not_ours(root, version))
}

fn not_ours(root: &Root, version: u64) -> Error {
    let place = root.name(&file(version));
    Error::dataset(place.display(), DatasetProblem::ForeignDeltaVersion(LOG))
}

fn partition_by(root: &Root) -> Result<Vec<PartitionColumn>> {
    remembered(root)?.map_or_else(|| Ok(Vec::new()), |remembered| remembered.columns(root))
}

/// What of the log does not fit the dataset.
pub(crate) fn problems(dataset: &Dataset) -> Result<Vec<String>> {
    let (root, head) = (dataset.root(), dataset.head());
    let Some(newest) = kept(root, head.delta)? else { return missed(root, head) };
    let mut problems = Vec::new();
    let mut in_log = BTreeMap::new();
    for version in 0..=newest {
        let name = file(version);
        match root.read(&name)?.map(|text| action::replay(&text, &mut in_log)) {
            Some(Ok(())) => {}
            Some(Err(reason)) => problems.push(format!("{name}: {reason}")),
            None => problems.push(gone(&name)),
        }
    }
    let parts = dataset.parts().iter();
    let parts: BTreeMap<_, _> = parts.map(|part| (part.path.clone(), part.bytes)).collect();
    let paths: BTreeSet<_> = parts.keys().chain(in_log.keys()).collect();
    for path in paths {
        let (wanted, got) = (parts.get(path), in_log.get(path));
        let problem = match (wanted, got) {
            (Some(_), None) => "is not in the Delta log".to_owned(),
            (None, _) => "is in the Delta log, but not in the dataset".to_owned(),
            (Some(wanted), Some(got)) if wanted != got => {
                format!("has {got} bytes in the Delta log instead of {wanted}")
            }
            _ => continue,
        };
        problems.push(format!("{path}: {problem}"));
    }
    Ok(problems)
}

/// What is wrong with a log whose newest version is not there.
fn missed(root: &Root, head: &Commit) -> Result<Vec<String>> {
    // Removed as a whole it is kept no longer, and what a killed run owes the next one writes.
    if root.names(LOG)?.is_empty() || owed(root, head)?.is_some() {
        return Ok(Vec::new());
    }
    if let Some(newest) = head.delta {
        return Ok(vec![gone(&file(newest))]);
    }
    let first = root.read(&file(0))?;
    let is_ours = first.is_some_and(|text| Mark::parse(&text).is_some());
    let problem = || format!("{LOG}: is kept by no run, and Delta readers see what was; remove it");
    Ok(is_ours.then(problem).into_iter().collect())
}

fn gone(name: &str) -> String {
    format!("{name}: is gone, and Delta readers with it")
}
