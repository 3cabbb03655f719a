//! A dataset in `DataFusion`: the table `events`, and running statements.
//!
//! The table has the columns of [`schema`](crate::schema) and the dataset's partition columns; it
//! reads the part files of the dataset's newest commit and nothing else. This module refuses to know
//! how rows were made.
//!
//! - `rules`: what we add to the engine's plans
//! - `session`: a dataset as a table, and what statements may do
//! - `saved`: saved queries, their parameters, the views
//! - `doubt`: why an answer may show less than there is to see
//! - `execute`: one statement, with or without workers (`distributed`)
//! - `names`: columns of one name
//! - `output`: results as people and programs read them
//! - `shell`: scripts and the interactive shell

#[cfg(feature = "distributed")]
mod distributed;
mod doubt;
mod execute;
mod failure;
mod names;
mod output;
mod precedence;
mod rules;
mod saved;
mod session;
mod shell;

#[cfg(feature = "distributed")]
pub use distributed::{Address, Worker, distribute};
pub use doubt::{Doubt, QuerySource};
pub use output::{Form, Format, MAX_ROWS, tabulate};
#[cfg(feature = "stages")]
#[doc(hidden)]
pub use rules::{COUNT_DISTINCT, RULES};
pub use saved::{
    Parameter, ParameterKind, SavedQueries, SavedQuery, Values, check_period, view_texts,
};
#[cfg(feature = "stages")]
#[doc(hidden)]
pub use session::open_without;
pub use session::{Access, QueryLimits, ReadLogs, open, register_logs};
pub use shell::{Out, Runner, Shell, Start};
