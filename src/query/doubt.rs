//! Reasons to doubt an answer that shows little: the dataset keeps less than the saved query needs, or has
//! nothing of a value that was asked for. It refuses to change an answer.

use crate::dataset::Dataset;
use crate::error::Result;
use crate::printable::say_with_hint;
use crate::scope::Keep;
use std::fmt;

/// What is asked.
#[derive(Debug)]
pub struct QuerySource {
    /// The dataset.
    pub dataset: Dataset,
    /// Whether it was made of log files for this one asking.
    pub of_logs: bool,
}

impl QuerySource {
    /// How to get a dataset that keeps more.
    fn advice(&self, needs: Keep) -> String {
        if self.of_logs {
            return format!("add --keep {needs}");
        }
        format!(
            "`buildtrail convert SOURCE --out {} --keep {needs}`, with its log files as SOURCE, reads \
             them again",
            self.dataset.location().display()
        )
    }
}

/// A reason why an answer may show less than there is to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The dataset keeps less than the saved query needs.
    KeepsLess {
        /// The saved query.
        query: String,
        /// The dataset's scope.
        keeps: Keep,
        /// The scope that the query needs.
        needs: Keep,
        /// The step that mends it.
        advice: String,
    },
    /// The dataset keeps as much by now, but some of its log files were read for less.
    ReadForLess {
        /// The saved query.
        query: String,
        /// How many.
        files: u64,
        /// The scope that the query needs.
        needs: Keep,
        /// The step that mends it.
        advice: String,
    },
    /// No event has the value of a parameter.
    NoSuchValue {
        /// The parameter.
        parameter: &'static str,
        /// As given.
        value: String,
        /// The value that is most like it.
        nearest: Option<String>,
    },
}

impl Doubt {
    /// Whether what was asked for is at fault, not what is there.
    #[must_use]
    pub fn is_of_value(&self) -> bool {
        matches!(self, Self::NoSuchValue { .. })
    }

    /// Advice: the step that mends it, if one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::KeepsLess { advice, .. } | Self::ReadForLess { advice, .. } => {
                Some(advice.clone())
            }
            Self::NoSuchValue { nearest, .. } => {
                nearest.as_ref().map(|value| format!("did you mean `{value}`?"))
            }
        }
    }

    /// Says it on standard error.
    pub fn tell(&self) {
        say_with_hint(&format!("warning: {self}"), self.hint().as_deref());
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepsLess { query, keeps, needs, .. } => write!(
                f,
                "the dataset keeps `{keeps}`, and {query} needs `{needs}`: what it looks for was not kept"
            ),
            Self::ReadForLess { query, files, needs, .. } => {
                let s = if *files == 1 { " was" } else { "s were" };
                write!(
                    f,
                    "{files} log file{s} read for less than `{needs}`, which {query} needs: what it \
                     looks for was not kept of them"
                )
            }
            Self::NoSuchValue { parameter, value, .. } => {
                write!(f, "no {parameter} `{value}` in this dataset")
            }
        }
    }
}

/// Whether the dataset has all that a saved query needs.
pub(super) fn of_scope(source: &QuerySource, query: &str, needs: Keep) -> Result<Option<Doubt>> {
    let (query, advice) = (query.to_owned(), source.advice(needs));
    let keeps = source.dataset.keep()?;
    if keeps < needs {
        return Ok(Some(Doubt::KeepsLess { query, keeps, needs, advice }));
    }
    let files = source.dataset.read_for_less(needs)?;
    Ok((files > 0).then_some(Doubt::ReadForLess { query, files, needs, advice }))
}

/// The value that is most like `wanted`: one that has it in it goes first, such as the ARN of a name.
pub(super) fn nearest(wanted: &str, known: Vec<String>) -> Option<String> {
    let wanted = wanted.to_lowercase();
    if wanted.is_empty() {
        return None;
    }
    let away = |value: &String| {
        let lower = value.to_lowercase();
        (!lower.contains(&wanted), strsim::levenshtein(&lower, &wanted), value.clone())
    };
    known.into_iter().min_by_key(away)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_value_has_the_wanted_one_in_it() {
        let known = || ["notifier", "web-frontend", "arn:aws:iam::1:role/app-ci"];
        let nearest = |wanted| nearest(wanted, known().map(str::to_owned).to_vec());
        assert_eq!(nearest("notifer").as_deref(), Some("notifier"));
        assert_eq!(nearest("App-CI").as_deref(), Some("arn:aws:iam::1:role/app-ci"));
        // However far: there is no list to look it up in.
        assert_eq!(nearest("nosuch").as_deref(), Some("notifier"));
        assert_eq!(nearest(""), None);
    }
}
