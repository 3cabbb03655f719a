//! The engine's failures in our words.

use crate::error::{Chain, Error, QueryError, nearest};
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

impl From<DataFusionError> for Error {
    /// An error of ours that has come through the engine is itself again.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(cause) => match cause.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(cause) => engine(DataFusionError::External(cause)),
            },
            other => engine(other),
        }
    }
}

fn engine(error: DataFusionError) -> Error {
    let (message, hint) = told(&error);
    QueryError::Engine { message, hint, engine: Box::new(error) }.into()
}

/// The message, and advice. A column that does not exist is told without the list of all that do: among
/// 185 of them nobody would see the sentence.
fn told(error: &DataFusionError) -> (String, Option<String>) {
    let failure = match error.find_root() {
        DataFusionError::SchemaError(failure, _) => failure,
        DataFusionError::ResourcesExhausted(reason) => {
            // A list follows of the engine's parts and the memory that each holds.
            let reason = reason.split(" with top memory").next().unwrap_or_default();
            let hint = "--memory gives more".to_owned();
            return (format!("out of memory: {reason}"), Some(hint));
        }
        // Ours, on its way through the engine.
        DataFusionError::External(cause) => {
            return match cause.downcast_ref::<Error>() {
                Some(ours) => (Chain(ours).to_string(), ours.hint()),
                None => (error.strip_backtrace(), None),
            };
        }
        DataFusionError::Plan(reason)
            if reason.contains("'json_") && reason.ends_with("got Boolean.") =>
        {
            let hint = "-> and ->> bind less than a comparison: write (a->>'b') = 'c'";
            return (reason.clone(), Some(hint.to_owned()));
        }
        _ => return (error.strip_backtrace(), None),
    };
    let SchemaError::FieldNotFound { field, valid_fields } = failure.as_ref() else {
        return (error.strip_backtrace(), None);
    };
    let names = valid_fields.iter().map(|column| column.name.as_str());
    let hint = nearest(&field.name, names).map(|name| format!("did you mean `{name}`?"));
    (format!("no column `{}`", field.name), hint)
}
