//! Which log files are wanted, by what their keys tell.
//!
//! A log file whose key does not tell whose it is, or when it was delivered, is wanted: it is read.

use crate::error::nearest;
use crate::log_file::key::Told;
use chrono::{DateTime, Days, NaiveDate};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Days after an event that its log file may still be delivered: CloudTrail tries for 30.
pub const LATE_DAYS: u32 = 30;

/// AWS's regions, to tell a slip from a region without log files. One that is not here is taken all the
/// same.
const REGIONS: [&str; 39] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// An account or region that was asked for, and that no log file is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// The option that asked for it: `account` or `region`.
    pub option: &'static str,
    /// As given.
    pub value: String,
}

impl Unmatched {
    /// What may have been meant, where it looks like a slip.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if self.option == "account" {
            let is_id = self.value.len() == 12 && self.value.bytes().all(|b| b.is_ascii_digit());
            return (!is_id).then(|| "an account id has 12 digits".to_owned());
        }
        if REGIONS.contains(&self.value.as_str()) {
            return None;
        }
        Some(match nearest(&self.value, REGIONS.into_iter()) {
            Some(region) => format!("did you mean `{region}`?"),
            None => "it is not the name of a region, such as `us-east-1`".to_owned(),
        })
    }
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { option, value } = self;
        write!(f, "no log file of the sources is of the {option} `{value}`, as their keys say")
    }
}

/// Which log files are wanted, by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of these accounts; none means all.
    pub accounts: Vec<String>,
    /// From these regions; none means all.
    pub regions: Vec<String>,
    /// Delivered on or after this day.
    pub from: Option<NaiveDate>,
    /// Delivered on or before this day.
    pub to: Option<NaiveDate>,
}

/// One of several runs that share log files between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Counted from 1.
    number: u64,
    of: u64,
}

impl Shard {
    /// Whether a log file is this shard's, by a hash of its name: where it lies does not matter, and
    /// copies of it fall to the same shard.
    pub(crate) fn takes(self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let hash = Sha256::digest(name.as_encoded_bytes());
        let hash = hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        hash % self.of + 1 == self.number
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shard = text.split_once('/').and_then(|(number, of)| {
            Some(Self { number: number.parse().ok()?, of: of.parse().ok()? })
        });
        let shard = shard.filter(|shard| (1..=shard.of).contains(&shard.number));
        shard.ok_or_else(|| "expected NUMBER/OF, from 1/OF to OF/OF: 1/8".to_owned())
    }
}

impl Selection {
    /// The log files that events of a period can be in, in milliseconds since 1970: none is delivered
    /// before its events, but for a clock's error, nor more than `late` days after them.
    #[must_use]
    pub fn of_period(mut self, since: Option<i64>, until: Option<i64>, late: u32) -> Self {
        self.from = since.and_then(day).and_then(|day| day.checked_sub_days(Days::new(1)));
        let late = Days::new(u64::from(late) + 1);
        self.to = until.and_then(day).and_then(|day| day.checked_add_days(late));
        self
    }

    /// The log files delivered in a period of whole days, in milliseconds since 1970.
    pub(crate) fn delivered(since: Option<i64>, until: Option<i64>) -> Self {
        Self { from: since.and_then(day), to: until.and_then(day), ..Self::default() }
    }

    /// Whether a folder, or a key, can be or hold a log file that is wanted.
    pub(crate) fn may_hold(&self, key: &str) -> bool {
        let told = Told::by(key);
        let is_of = |known: Option<&str>, wanted: &[String]| {
            wanted.is_empty() || known.is_none_or(|known| wanted.iter().any(|one| one == known))
        };
        is_of(told.account, &self.accounts)
            && is_of(told.region, &self.regions)
            && told.days.is_none_or(|(first, last)| {
                self.from.is_none_or(|from| last >= from) && self.to.is_none_or(|to| first <= to)
            })
    }

    /// What of the accounts and regions none of these keys is of.
    pub(super) fn unmatched<'k>(&self, keys: impl Iterator<Item = Cow<'k, str>>) -> Vec<Unmatched> {
        let of = |values: &'_ [String]| values.iter().cloned().collect::<BTreeSet<String>>();
        let (mut accounts, mut regions) = (of(&self.accounts), of(&self.regions));
        for key in keys {
            if accounts.is_empty() && regions.is_empty() {
                break;
            }
            let told = Told::by(&key);
            for (told, left) in [(told.account, &mut accounts), (told.region, &mut regions)] {
                if let Some(told) = told {
                    left.remove(told);
                }
            }
        }
        let named = |option| move |value| Unmatched { option, value };
        let accounts = accounts.into_iter().map(named("account"));
        accounts.chain(regions.into_iter().map(named("region"))).collect()
    }

    /// Whether a folder is best listed all at once: a month that is wanted whole, or a day.
    pub(crate) fn is_leaf(&self, folder: &str) -> bool {
        let told = Told::by(folder);
        let inside = told.days.is_some_and(|(first, last)| {
            self.from.is_none_or(|from| first >= from) && self.to.is_none_or(|to| last <= to)
        });
        told.date_levels == 3 || (told.date_levels == 2 && inside)
    }
}

/// The day of a time in milliseconds since 1970.
fn day(millis: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp_millis(millis).map(|time| time.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_log_file_is_one_shards() {
        let shards: Vec<Shard> = (1..=7).map(|n| format!("{n}/7").parse().unwrap()).collect();
        let mut taken = [0; 7];
        for number in 0..700 {
            let (path, copy) = (format!("a/{number}.json"), format!("b/c/{number}.json"));
            let takers: Vec<_> = (0..7).filter(|at| shards[*at].takes(Path::new(&path))).collect();
            assert_eq!(takers.len(), 1);
            assert!(shards[takers[0]].takes(Path::new(&copy)));
            taken[takers[0]] += 1;
        }
        assert!(taken.iter().all(|taken| (50..150).contains(taken)), "{taken:?}");
        for text in ["0/7", "8/7", "1", "a/b", "1/0", "-1/2", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_no_key_is_of_is_told() {
        let selection = Selection {
            accounts: vec!["111122223333".to_owned(), "42".to_owned()],
            regions: vec!["us-east1".to_owned(), "us-east-1".to_owned(), "eu-west-1".to_owned()],
            ..Selection::default()
        };
        let told = selection.unmatched([NAME, "x.json"].into_iter().map(Cow::from));
        let shown: Vec<_> = told.iter().map(|one| (one.option, &*one.value, one.hint())).collect();
        let slip = Some("did you mean `us-east-1`?".to_owned());
        let digits = Some("an account id has 12 digits".to_owned());
        assert_eq!(
            shown,
            [
                ("account", "42", digits),
                ("region", "eu-west-1", None),
                ("region", "us-east1", slip)
            ]
        );
        assert!(Selection::default().unmatched(std::iter::empty()).is_empty());
        assert!(REGIONS.is_sorted());
    }

    const NAME: &str = "111122223333_CloudTrail_us-east-1_20260926T1455Z_9nYN7gp2eWAJHIfT.json.gz";

    #[test]
    fn keys_are_wanted_or_not() {
        let millis = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
        let selection = Selection {
            accounts: vec!["111122223333".to_owned()],
            regions: vec!["us-east-1".to_owned()],
            ..Selection::default()
        };
        let (since, until) = (millis("2026-02-10T12:00:00Z"), millis("2026-03-05T00:00:00Z"));
        let selection = selection.of_period(Some(since), Some(until), 3);
        for (key, wanted) in [
            ("anything/at/all.json", true),
            ("AWSLogs", true),
            ("p/q/AWSLogs/o-abcdefghij/111122223333", true),
            ("AWSLogs/999999999999", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1", false),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2025", false),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2026", true),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2026/01", false),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2026/02", true),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2026/02/08", false),
            // A day before for clocks, three days late and the rest of the day.
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2026/02/09", true),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/09", true),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/10", false),
            (NAME, false),
            ("x/111122223333_CloudTrail_us-east-1_20260215T0000Z_x.json.gz", true),
            ("x/999999999999_CloudTrail_us-east-1_20260215T0000Z_x.json.gz", false),
        ] {
            assert_eq!(selection.may_hold(key), wanted, "{key}");
        }
        let month = |month: &str| format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/{month}");
        assert!(!selection.is_leaf(&month("02")) && selection.is_leaf(&month("02/11")));
        assert!(
            Selection::default().is_leaf(&month("12")) && !Selection::default().is_leaf("AWSLogs")
        );
        assert!(Selection::default().may_hold(NAME));
    }
}
