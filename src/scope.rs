//! What a run is asked to keep of the log files: which records, of which period, masked or not.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The `eventSource` of CodeBuild's own calls.
pub(crate) const CODEBUILD: &str = "codebuild.amazonaws.com";

/// Whether secrets are masked before they reach a dataset. One dataset has one answer: the same event
/// masked and not masked would be two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Redact {
    /// Mask values of environment variables, tokens, passwords in URLs, secret keys.
    Standard,
    /// Keep every byte as it is.
    None,
}

/// Which records become rows. Each keeps what those before it keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Calls to CodeBuild.
    #[serde(rename = "codebuild")]
    #[value(name = "codebuild")]
    CodeBuild,
    /// Those, what builds did in other services, and what CodeBuild did as a service.
    BuildActivity,
    /// Every record of every service.
    All,
}

impl Keep {
    /// Its name, as `--keep` and `dataset.json` have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CodeBuild => "codebuild",
            Self::BuildActivity => "build-activity",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What inputs are read for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) keep: Keep,
    /// Only events at or after this, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
    /// Only events before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<i64>,
}

impl Scope {
    /// Whether what was read for this has all that `other` wants.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let since = |scope: &Self| scope.since.unwrap_or(i64::MIN);
        let until = |scope: &Self| scope.until.unwrap_or(i64::MAX);
        // Without a period, records without a time are kept, too.
        let any_time = |scope: &Self| scope.since.is_none() && scope.until.is_none();
        self.keep >= other.keep
            && since(self) <= since(other)
            && until(self) >= until(other)
            && (any_time(self) || !any_time(other))
    }

    /// What has all that either has.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            keep: self.keep.max(other.keep),
            since: self.since.zip(other.since).map(|(a, b)| a.min(b)),
            until: self.until.zip(other.until).map(|(a, b)| a.max(b)),
        }
    }
}
