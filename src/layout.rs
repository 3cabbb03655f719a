//! Where rows lie in a dataset: partition columns, and paths both ways.
//!
//! `DATASET/region=us-east-1/month=2026-09/<name>.parquet`. The partition is that of the event,
//! never of the delivery. Values are escaped as Hive escapes them, so that no value, however
//! hostile, leaves its folder or adds a level; what a path's constructor writes, its parser reads.
//! This module refuses to touch the disk.

use chrono::DateTime;
use percent_encoding::percent_decode_str;
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The name of the table that a dataset is to every engine.
pub const TABLE: &str = "events";

/// What Hive, Spark, Athena and Trino call the partition of rows without a value.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The folder of a dataset that holds its own records; nothing there ends in `.parquet`.
pub const META_FOLDER: &str = "_buildtrail";

/// The longest value that a folder name can hold once escaped; longer ones are cut, and a hash of
/// the whole keeps them apart.
const LONGEST_VALUE: usize = 200;

/// A column that a dataset can be partitioned by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartitionColumn {
    /// The account that received the event.
    Account,
    /// The region that the call was made to.
    Region,
    /// The event time's year, `2026`.
    Year,
    /// Its month, `2026-09`.
    Month,
    /// Its day, `2026-09-26`.
    Day,
    /// The event name.
    EventName,
}

impl PartitionColumn {
    /// Every partition column.
    pub const ALL: [Self; 6] =
        [Self::Account, Self::Region, Self::Year, Self::Month, Self::Day, Self::EventName];

    /// The name in the path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::EventName => "event_name",
        }
    }

    /// The value for an event time in milliseconds since 1970; `None` for the other columns.
    #[must_use]
    pub fn of_time(self, millis: i64) -> Option<String> {
        let length = match self {
            Self::Year => 4,
            Self::Month => 7,
            Self::Day => 10,
            Self::Account | Self::Region | Self::EventName => return None,
        };
        let day = DateTime::from_timestamp_millis(millis)?.date_naive().to_string();
        // Years past 9999 or before 0 are written longer; their dates keep their own length.
        let longer = day.len().saturating_sub(10);
        day.get(..length + longer).map(str::to_owned)
    }
}

impl fmt::Display for PartitionColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PartitionColumn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|column| column.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|column| column.name()).collect();
            format!("unknown partition column `{text}`: expected one of {}", names.join(", "))
        })
    }
}

/// The folder of a partition below the dataset, `region=us-east-1/month=2026-09`; empty for a
/// dataset without partition columns. A null value has Hive's default partition.
#[must_use]
pub fn partition_path(columns: &[PartitionColumn], values: &[Option<String>]) -> String {
    let levels = columns.iter().zip(values).map(|(column, value)| {
        let value = value.as_deref().map_or_else(|| DEFAULT_PARTITION.to_owned(), escape);
        format!("{column}={value}")
    });
    levels.collect::<Vec<_>>().join("/")
}

/// The name and value of one level of a partition's path; `None` where it is no such level.
#[must_use]
pub fn parse_level(level: &str) -> Option<(&str, Option<String>)> {
    let (name, value) = level.split_once('=')?;
    let value = (value != DEFAULT_PARTITION).then(|| unescape(value));
    Some((name, value))
}

/// Escapes a value as Hive does (`FileUtils.escapePathName`): control characters and
/// `"#%'*/:=?\{[]^` as `%XX`. A leading dot, the empty value and the default partition's own name
/// are escaped as well, where Hive is silent.
fn escape(value: &str) -> String {
    if value.is_empty() {
        return DEFAULT_PARTITION.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        let special = c.is_control() || "\"#%'*/:=?\\{}[]^<>|".contains(c);
        if special || (at == 0 && (c == '.' || value == DEFAULT_PARTITION)) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    if out.len() > LONGEST_VALUE { shorten(value, &out) } else { out }
}

/// The head of a long value and a hash of it all (FNV-1a, fixed for all time).
fn shorten(value: &str, escaped: &str) -> String {
    let hash = value.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut end = LONGEST_VALUE - 20;
    while !escaped.is_char_boundary(end) {
        end -= 1;
    }
    let head = escaped.get(..end).unwrap_or_default();
    // An escape must not be cut in two.
    let head = head
        .rfind('%')
        .filter(|at| head.len() - at < 3)
        .map_or(head, |at| head.get(..at).unwrap_or_default());
    format!("{head}-{hash:016x}")
}

fn unescape(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_partition_is_of_the_event_time() {
        let last_second = 1_790_812_799_000; // 2026-09-30T23:59:59Z
        assert_eq!(PartitionColumn::Year.of_time(last_second).unwrap(), "2026");
        assert_eq!(PartitionColumn::Month.of_time(last_second).unwrap(), "2026-09");
        assert_eq!(PartitionColumn::Day.of_time(last_second + 1000).unwrap(), "2026-10-01");
        assert_eq!(PartitionColumn::Region.of_time(0), None);
        assert_eq!(PartitionColumn::Month.of_time(i64::MAX), None);
    }

    #[test]
    fn hostile_values_stay_in_their_folder() {
        let columns = [PartitionColumn::Region, PartitionColumn::EventName];
        for value in ["../../etc", "a/b=c%", "..", ".", "", "a\0b\n", DEFAULT_PARTITION, "C:\\x"] {
            let path = partition_path(&columns, &[Some(value.to_owned()), None]);
            let levels: Vec<_> = path.split('/').collect();
            assert_eq!(levels.len(), 2, "{path}");
            assert!(!path.chars().any(char::is_control), "{path:?}");
            assert!(!levels[0].contains("=."), "{path}");
            let (name, parsed) = parse_level(levels[0]).unwrap();
            assert_eq!(name, "region");
            let expected = (!value.is_empty()).then(|| value.to_owned());
            assert_eq!(parsed, expected);
            assert_eq!(parse_level(levels[1]).unwrap(), ("event_name", None));
        }
    }

    proptest! {
        #[test]
        fn paths_round_trip(value in "\\PC{1,40}|[\\x00-\\x7f]{1,40}") {
            let path = partition_path(&[PartitionColumn::Account], &[Some(value.clone())]);
            prop_assert!(!path.contains('/'));
            prop_assert_eq!(parse_level(&path).unwrap(), ("account", Some(value)));
        }

        #[test]
        fn long_values_are_cut_and_kept_apart(value in "[a/é%]{150,400}") {
            let path = |value: &str| partition_path(&[PartitionColumn::Region], &[Some(value.to_owned())]);
            prop_assert!(path(&value).len() <= 255);
            prop_assert_ne!(path(&value), path(&format!("{value}x")));
        }
    }
}
