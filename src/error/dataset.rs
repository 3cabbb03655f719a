//! Reasons for which a dataset cannot be used.

use chrono::{DateTime, Utc};

/// A reason for which a dataset cannot be used as asked, or is damaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetProblem {
    /// Other partition columns were asked for.
    #[error("is partitioned by `{known}`, not by `{asked}`")]
    PartitionedOtherwise {
        /// The dataset's own.
        known: String,
        /// Those that were asked for.
        asked: String,
    },
    /// Its secrets are masked otherwise than asked for.
    #[error("was made with other --redact: the same event masked and not masked would be two")]
    RedactedOtherwise,
    /// It keeps more than was asked for.
    #[error("keeps `{known}`: a run that keeps `{asked}` would leave gaps in it")]
    KeepsMore {
        /// The dataset's scope.
        known: &'static str,
        /// The one that was asked for.
        asked: &'static str,
    },
    /// It would be among the log files that it is made of.
    #[error("is in the source {0}: its files would lie among the log files")]
    InSource(String),
    /// The log files that it is made of lie among its own files.
    #[error("holds the source {0}: the log files would lie among its own files")]
    HoldsSource(String),
    /// Its format or schema is newer than this program.
    #[error("was written by a newer buildtrail")]
    Newer,
    /// It names a partition column that this version does not know.
    #[error("{0}")]
    UnknownPartitionColumn(String),
    /// A file of its own is not the JSON that it should be.
    #[error("{0}")]
    Malformed(serde_json::Error),
    /// One of its tables has other entries than its commit says.
    #[error("{0}")]
    DamagedSegment(String),
    /// One of its tables no longer has the hash that it is named by.
    #[error("was changed: its name is no longer its hash")]
    ChangedSegment,
    /// Its metadata is gone, its commits are not.
    #[error("has commits, but no {0}")]
    NoMetadata(&'static str),
    /// Its commits are gone, its part files are not.
    #[error("has Parquet files, but no {0}")]
    NoCommits(&'static str),
    /// A part file of the newest commit is gone.
    #[error("is in the dataset's newest commit, but gone")]
    PartGone,
    /// A part file has another size than its commit says.
    #[error(
        "has {bytes} bytes, the dataset's commit says {expected}; `buildtrail verify` tells more"
    )]
    PartResized {
        /// Its bytes.
        bytes: u64,
        /// The commit's.
        expected: u64,
    },
    /// The upload of a part file of the newest commit is gone.
    #[error(
        "is in the dataset's newest commit, but its upload is gone (does a lifecycle rule end \
         uploads?)"
    )]
    UploadGone,
    /// Another run is writing.
    #[error("another run is writing to it; try again when that has ended{}", until(.0.as_ref()))]
    Busy(Option<DateTime<Utc>>),
    /// Another run has committed since this one began.
    #[error(
        "another run has committed to it since this one began; nothing of this run is in it: run \
         it again"
    )]
    Overtaken,
    /// A Delta Lake log is there that another program keeps.
    #[error("is not a log that buildtrail keeps; remove it if nobody needs it")]
    ForeignDeltaLog,
    /// A version of the Delta Lake log was written by another program.
    #[error(
        "was not written by buildtrail, and no other program may write to the dataset; take out \
         what it wrote, remove {0}, and `buildtrail delta` begins a new log"
    )]
    ForeignDeltaVersion(&'static str),
    /// A part file has a column that this version does not know.
    #[error("unexpected column {name} ({kind}): the file was written by another version")]
    UnexpectedColumn {
        /// The column's name.
        name: String,
        /// Its type.
        kind: String,
    },
    /// It has no part files yet.
    #[error("has no part files yet, so no engine could make a table of it")]
    Empty,
}

fn until(hold: Option<&DateTime<Utc>>) -> String {
    let hold = hold.map(|until| until.format("%H:%M:%S"));
    hold.map_or_else(String::new, |until| {
        format!("; if it was killed, its hold ends at {until} UTC")
    })
}

impl DatasetProblem {
    /// The step that mends it, if one is known.
    pub(super) const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::PartitionedOtherwise { .. } => {
                "leave the option out, or convert into a new dataset"
            }
            Self::RedactedOtherwise => "convert into a new dataset",
            Self::KeepsMore { .. } => "leave --keep out, or convert into a new dataset",
            Self::InSource(_) | Self::HoldsSource(_) => {
                "choose a place for --out that is neither in a source nor above one"
            }
            Self::Newer => "use the newer buildtrail",
            Self::DamagedSegment(_) => "restore it, or convert into a new dataset",
            Self::NoMetadata(_) => "restore it",
            Self::NoCommits(_) => "restore it, or choose another folder",
            Self::PartGone => "put it back, or convert its log files into a new dataset",
            Self::UploadGone => "convert its log files into a new dataset",
            _ => return None,
        })
    }
}
