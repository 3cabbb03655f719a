//! The ledger: every input ever read, and what became of its records.
//!
//! An input is known by its URI, its size and its `ETag` (on a local disk: the time of its last
//! change), without being opened. It is known for what it was read for: a run that keeps more, or a
//! longer period, reads it again, and finds the events that are there already as duplicates. An
//! input whose `ETag` changed is opened, and known still if its bytes are. Entries are only ever added;
//! what they say adds up to the dataset's rows.
//!
//! It refuses to hold the entries: a million of them are looked up by 48 bytes each.

use crate::dataset::Root;
use crate::dataset::segment::{self, Entry, Segment};
use crate::error::Result;
use crate::hash::short;
use crate::scope::{Keep, Scope};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

/// What became of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecordCounts {
    /// Elements of `Records` lists, whatever they are.
    pub read: u64,
    /// New rows.
    pub written: u64,
    /// Records that the options do not want.
    pub filtered: u64,
    /// Copies of an event that is written once.
    pub duplicate: u64,
    /// Of the written: those whose event id another row has with other content.
    pub conflicting: u64,
    /// Records that cannot be read.
    pub rejected: u64,
}

impl RecordCounts {
    /// Whether read = written + filtered + duplicate + rejected.
    #[must_use]
    pub fn add_up(&self) -> bool {
        self.read == self.written + self.filtered + self.duplicate + self.rejected
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.written += other.written;
        self.filtered += other.filtered;
        self.duplicate += other.duplicate;
        self.conflicting += other.conflicting;
        self.rejected += other.rejected;
    }
}

/// How far an input could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InputState {
    /// To its end.
    Read,
    /// Not again: its bytes are those that were read before, whatever its `ETag` says.
    Same,
    /// To where it breaks off, or not at all because it is no log file: its bytes are at fault.
    Broken,
    /// It could not be opened: the next run tries again.
    Unreadable,
}

/// One input, as one run read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Input {
    /// As `source_file` has it.
    pub(crate) uri: String,
    /// As stored.
    pub(crate) bytes: u64,
    /// On a local disk the time of the last change, in seconds and nanoseconds since 1970.
    pub(crate) etag: String,
    /// Of the bytes as stored; none where they could not be read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) sha256: String,
    /// The delivery time in its name, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delivered: Option<i64>,
    pub(crate) state: InputState,
    #[serde(flatten)]
    pub(crate) scope: Scope,
    #[serde(flatten)]
    pub(crate) records: RecordCounts,
}

impl Entry for Input {
    const FOLDER: &'static str = "inputs";
}

/// What is known of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    uri: u128,
    etag: u64,
    sha256: u64,
    scope: u32,
}

/// What the ledger says of an input at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LedgerMatch {
    /// Nothing.
    New,
    /// It was read, but for less than is wanted now.
    ForLess,
    /// Read already, for as much as is wanted now.
    Known,
    /// Another version of it was read, or the same at another time.
    Changed,
}

/// Look-up of inputs.
#[derive(Debug)]
pub(crate) struct Ledger {
    known: Vec<Known>,
    /// Inputs that could not be opened, by the hash of their URI.
    unreadable: HashSet<u128>,
    scopes: Vec<Scope>,
    state: [RandomState; 2],
}

impl Ledger {
    pub(crate) fn load(root: &Root, segments: &[Segment]) -> Result<Self> {
        let mut ledger = Self {
            known: Vec::new(),
            unreadable: HashSet::new(),
            scopes: Vec::new(),
            state: [RandomState::new(), RandomState::new()],
        };
        let entries: u64 = segments.iter().map(|segment| segment.entries).sum();
        ledger.known.reserve_exact(usize::try_from(entries).unwrap_or_default());
        segment::read(root, segments, &mut |input: Input| ledger.put(&input))?;
        ledger.known.sort_unstable_by_key(|known| known.uri);
        Ok(ledger)
    }

    fn put(&mut self, input: &Input) {
        if input.state == InputState::Unreadable {
            self.unreadable.insert(self.uri(&input.uri));
            return;
        }
        let scope = self.scopes.iter().rposition(|scope| *scope == input.scope);
        let scope = scope.unwrap_or_else(|| {
            self.scopes.push(input.scope.clone());
            self.scopes.len() - 1
        });
        self.known.push(Known {
            uri: self.uri(&input.uri),
            etag: self.etag(input.bytes, &input.etag),
            sha256: sha256_head(&input.sha256),
            scope: u32::try_from(scope).unwrap_or(u32::MAX),
        });
    }

    fn uri(&self, uri: &str) -> u128 {
        let [a, b] = self.state.each_ref().map(|state| u128::from(state.hash_one(uri)));
        a << 64 | b
    }

    fn etag(&self, bytes: u64, etag: &str) -> u64 {
        let [state, _] = &self.state;
        state.hash_one((bytes, etag))
    }

    /// What is known of this URI.
    fn entries_of(&self, uri: &str) -> &[Known] {
        let uri = self.uri(uri);
        let from = self.known.partition_point(|known| known.uri < uri);
        let known = self.known.get(from..).unwrap_or_default();
        let count = known.iter().take_while(|known| known.uri == uri).count();
        known.get(..count).unwrap_or_default()
    }

    /// Whether a run has ever tried to read this.
    pub(crate) fn has_met(&self, uri: &str) -> bool {
        !self.entries_of(uri).is_empty() || self.unreadable.contains(&self.uri(uri))
    }

    fn covers(&self, known: &Known, scope: &Scope) -> bool {
        let index = usize::try_from(known.scope).unwrap_or(usize::MAX);
        self.scopes.get(index).is_some_and(|known| known.covers(scope))
    }

    /// What is known of an input, by its URI, size and `ETag`.
    pub(crate) fn look_up(&self, uri: &str, bytes: u64, etag: &str, scope: &Scope) -> LedgerMatch {
        let etag = self.etag(bytes, etag);
        let of_uri = self.entries_of(uri);
        let same = |known: &&Known| known.etag == etag;
        if of_uri.iter().filter(same).any(|known| self.covers(known, scope)) {
            LedgerMatch::Known
        } else if of_uri.is_empty() {
            LedgerMatch::New
        } else if of_uri.iter().any(|known| same(&known)) {
            LedgerMatch::ForLess
        } else {
            LedgerMatch::Changed
        }
    }

    fn keeps(&self, known: &Known, keep: Keep) -> bool {
        let index = usize::try_from(known.scope).unwrap_or(usize::MAX);
        self.scopes.get(index).is_some_and(|scope| scope.keep >= keep)
    }

    /// How many inputs were read, but never for as much as this.
    pub(crate) fn read_for_less(&self, keep: Keep) -> u64 {
        let of_one = self.known.chunk_by(|a, b| a.uri == b.uri);
        of_one.filter(|known| !known.iter().any(|known| self.keeps(known, keep))).count() as u64
    }

    /// Whether this input is one of them.
    pub(crate) fn was_read_for_less(&self, uri: &str, keep: Keep) -> bool {
        let known = self.entries_of(uri);
        !known.is_empty() && !known.iter().any(|known| self.keeps(known, keep))
    }

    /// Whether these very bytes were read under this URI, for as much as is wanted now.
    pub(crate) fn knows_bytes(&self, uri: &str, sha256: &str, scope: &Scope) -> bool {
        let sha256 = sha256_head(sha256);
        self.entries_of(uri).iter().any(|known| known.sha256 == sha256 && self.covers(known, scope))
    }
}

/// The first 64 bits; zero where there is no hash.
fn sha256_head(sha256: &str) -> u64 {
    u64::from_str_radix(short(sha256), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(keep: Keep, since: Option<i64>) -> Scope {
        Scope { keep, since, until: None }
    }

    fn input(uri: &str, etag: &str, sha256: &str, scope: Scope, rejected: u64) -> Input {
        let records = RecordCounts { read: rejected, rejected, ..RecordCounts::default() };
        let (uri, etag, sha256) = (uri.to_owned(), etag.to_owned(), sha256.to_owned());
        Input {
            uri,
            bytes: 7,
            etag,
            sha256,
            delivered: None,
            state: InputState::Read,
            scope,
            records,
        }
    }

    fn ledger(inputs: &[Input]) -> Ledger {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::Folder(folder.path().to_owned());
        let segments = segment::replace(&root, inputs).unwrap();
        Ledger::load(&root, &segments).unwrap()
    }

    #[test]
    fn an_input_is_known_for_what_it_was_read_for() {
        let all = scope(Keep::CodeBuild, None);
        let ledger = ledger(&[
            input("a", "1", "aaaaaaaaaaaaaaaa", all.clone(), 0),
            input("b", "1", "bbbbbbbbbbbbbbbb", scope(Keep::All, Some(100)), 0),
        ]);
        let look = |uri, etag, scope: &Scope| ledger.look_up(uri, 7, etag, scope);
        assert_eq!(look("a", "1", &all), LedgerMatch::Known);
        assert_eq!(look("a", "1", &scope(Keep::CodeBuild, Some(5))), LedgerMatch::Known);
        assert_eq!(look("a", "1", &scope(Keep::BuildActivity, None)), LedgerMatch::ForLess);
        assert_eq!(look("a", "2", &all), LedgerMatch::Changed);
        assert_eq!(ledger.look_up("a", 8, "1", &all), LedgerMatch::Changed);
        assert_eq!(look("b", "1", &all), LedgerMatch::ForLess);
        assert_eq!(look("b", "1", &scope(Keep::CodeBuild, Some(200))), LedgerMatch::Known);
        assert_eq!(look("c", "1", &all), LedgerMatch::New);
        assert!(ledger.knows_bytes("a", "aaaaaaaaaaaaaaaa", &all));
        assert!(!ledger.knows_bytes("a", "bbbbbbbbbbbbbbbb", &all));
        assert!(!ledger.knows_bytes("a", "aaaaaaaaaaaaaaaa", &scope(Keep::All, None)));
    }

    #[test]
    fn what_was_read_for_less_is_counted_by_file() {
        let ledger = ledger(&[
            input("a", "1", "", scope(Keep::CodeBuild, None), 0),
            input("b", "1", "", scope(Keep::CodeBuild, None), 0),
            input("a", "1", "", scope(Keep::All, None), 0),
            input("c", "1", "", scope(Keep::BuildActivity, None), 0),
        ]);
        let counts = [Keep::CodeBuild, Keep::BuildActivity, Keep::All];
        assert_eq!(counts.map(|keep| ledger.read_for_less(keep)), [0, 1, 2]);
        let less = |uri| ledger.was_read_for_less(uri, Keep::All);
        assert_eq!([less("a"), less("b"), less("c"), less("new")], [false, true, true, false]);
    }

    #[test]
    fn what_could_not_be_opened_is_not_known() {
        let all = scope(Keep::CodeBuild, None);
        let unreadable =
            Input { state: InputState::Unreadable, ..input("a", "1", "", all.clone(), 0) };
        assert_eq!(ledger(&[unreadable]).look_up("a", 7, "1", &all), LedgerMatch::New);
    }
}
