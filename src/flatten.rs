//! From one record to one row: the order in which its parts are read.
//!
//! It adds nothing of its own but the access of an operation that no table knows. Provenance is
//! set by the pipeline, which alone knows the log file.

pub(crate) mod coerce;
pub(crate) mod identity;
mod operation;
mod paths;
pub(crate) mod record;
pub(crate) mod row;
mod settings;
mod target;

use crate::flatten::operation::{OperationAccess, operation};
use crate::flatten::record::Record;
use crate::flatten::row::{Row, Value};
use crate::schema::Col;
use crate::scope::CODEBUILD;

/// Flattens a record.
pub(crate) fn flatten<'a>(record: &Record<'a, '_>) -> Row<'a> {
    let mut row = Row::new();
    record::fill(record, &mut row);
    identity::fill(record, &mut row);
    target::fill_general(record, &mut row);
    row.set(Col::MaskedSettings, Value::List(Vec::new()));
    row.set(Col::Redacted, Value::List(Vec::new()));
    let codebuild = row.str(Col::EventSource) == Some(CODEBUILD);
    let known = row.str(Col::EventName).filter(|_| codebuild).and_then(operation);
    let read_only = match (known.map(|operation| operation.access), row.get(Col::ReadOnly)) {
        (Some(access), _) => Some(access == OperationAccess::Read),
        (None, Value::Bool(read_only)) => Some(*read_only),
        _ => None,
    };
    if let Some(read_only) = read_only {
        row.set(Col::OperationAccess, Value::text(if read_only { "read" } else { "write" }));
    }
    if codebuild {
        let legacy = record.get("requestParameters").is_some_and(settings::is_legacy);
        target::fill(record, known, legacy, &mut row);
        settings::fill(record, known, legacy, &mut row);
    }
    row
}
