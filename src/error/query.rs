//! Failures of statements, of the shell, and of saved queries.

use super::Cause;
use std::io;
use std::time::Duration;

/// A failure of a statement, or of what runs it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The engine refused or failed the statement.
    #[error("{message}")]
    Engine {
        /// The engine's reason in our words.
        message: String,
        /// The step that mends it, if one is known.
        hint: Option<String>,
        /// The engine's own error; `message` says all of it that helps.
        engine: Cause,
    },
    /// The statement needs an option that was not given.
    #[error("{what}: statements only read the dataset; {option} allows it")]
    NotAllowed {
        /// The kind of statement.
        what: String,
        /// The option that allows it.
        option: &'static str,
    },
    /// An option of the engine may not be changed.
    #[error("the option {option} cannot be changed: {reason}")]
    UnsafeOption {
        /// The option.
        option: String,
        /// The reason.
        reason: &'static str,
    },
    /// The statement does what workers cannot share.
    #[error("{0}; ask without --workers")]
    NotForWorkers(&'static str),
    /// The statement took longer than it may.
    #[error("the query took longer than the {0:?} of --timeout")]
    TimedOut(Duration),
    /// The task of the statement ended without an answer.
    #[error("the query broke off")]
    Broken(#[source] Cause),
    /// A statement gave no result.
    #[error("no result")]
    NoResult,
    /// A result of this shape cannot be written in the form asked for.
    #[error("{0}")]
    Unwritable(&'static str),
    /// A line of the shell is no command.
    #[error("{0}")]
    Command(String),
    /// A command works in the shell alone.
    #[error("{0} is for the shell only")]
    ShellOnly(String),
    /// A script's command names a file.
    #[error("{command} in a script names a file: {option} allows it")]
    FileInScript {
        /// The command.
        command: &'static str,
        /// The option that allows it.
        option: &'static str,
    },
    /// The terminal failed.
    #[error("terminal")]
    Terminal(#[source] Cause),
    /// The editor ended with a failure.
    #[error("the editor `{editor}` ended with {status}")]
    Editor {
        /// As `EDITOR` has it.
        editor: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The editor could not be started, or its file not be read.
    #[error("the editor `{editor}`")]
    EditorStart {
        /// As `EDITOR` has it.
        editor: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A view of ours could not be made.
    #[error("view {name}")]
    View {
        /// The view's name.
        name: &'static str,
        /// The engine's reason.
        source: Cause,
    },
}

impl QueryError {
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Engine { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}

/// A reason for which a saved query cannot be read or called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedQueryProblem {
    /// Its header lacks a line.
    #[error("has no line `-- {0}: ...` on top")]
    NoHeader(&'static str),
    /// It has only comments.
    #[error("has no statement")]
    NoStatement,
    /// It has several statements, and one is meant.
    #[error("{0}")]
    Statements(String),
    /// It needs a scope that there is not.
    #[error("`-- needs: {0}`: expected codebuild, build-activity or all")]
    UnknownNeed(String),
    /// A call's period ends before it begins.
    #[error("{0}")]
    NotInOrder(&'static str),
    /// Two of its parameters have one name.
    #[error("has two parameters called `{0}`")]
    SameParameter(String),
    /// A line that declares a parameter cannot be read.
    #[error("`{line}`: {reason}; expected `-- parameter: NAME TYPE [DEFAULT] HELP`")]
    InvalidParameter {
        /// The line.
        line: String,
        /// The reason.
        reason: String,
    },
    /// A parameter has the name of an option of `run`.
    #[error("the parameter `{0}` is an option of `run`: call it otherwise")]
    ReservedParameter(String),
    /// A call names a parameter that it does not have.
    #[error("no parameter `{name}`; it has {known}")]
    UnknownParameter {
        /// As given.
        name: String,
        /// Those that it has.
        known: String,
    },
    /// A call gives a parameter no value.
    #[error("--{0} needs a value")]
    MissingValue(String),
    /// A call gives a parameter a value of another type.
    #[error("--{name}: {reason}")]
    InvalidValue {
        /// The parameter.
        name: String,
        /// The reason.
        reason: String,
    },
}
