//! Parameters of saved queries: typed values, bound and never pasted into the text.

use crate::error::{Error, Result, SavedQueryProblem};
use crate::times;
use chrono::Utc;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use serde::Serialize;

/// Values of parameters, by their names in the statement.
pub type Values = Vec<(String, ScalarValue)>;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// Any text.
    Text,
    /// A signed integer of 64 bits.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// `2026-09-01T12:00:00Z`, `2026-09-01T12:00`, `2026-09-01`, `yesterday`, `7d`, `12h`, `1mo`, `now`.
    Timestamp,
    /// Texts, separated by commas.
    List,
}

impl ParameterKind {
    const ALL: [Self; 5] = [Self::Text, Self::Integer, Self::Boolean, Self::Timestamp, Self::List];

    /// Its name in a saved query's header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::List => "list",
        }
    }

    /// The value that a text stands for.
    pub fn parse(self, text: &str) -> std::result::Result<ScalarValue, String> {
        match self {
            Self::Text => Ok(ScalarValue::Utf8(Some(text.to_owned()))),
            Self::Integer => {
                let number =
                    text.parse().map_err(|error| format!("expected a whole number: {error}"))?;
                Ok(ScalarValue::Int64(Some(number)))
            }
            Self::Boolean => match text {
                "true" => Ok(ScalarValue::Boolean(Some(true))),
                "false" => Ok(ScalarValue::Boolean(Some(false))),
                _ => Err("expected true or false".to_owned()),
            },
            Self::Timestamp => Ok(timestamp(Some(times::parse(text, Utc::now())?))),
            Self::List => {
                let texts = text.split(',').map(|text| ScalarValue::from(text.trim()));
                let texts: Vec<_> = texts.collect();
                Ok(ScalarValue::List(ScalarValue::new_list_nullable(&texts, &DataType::Utf8)))
            }
        }
    }

    /// The value where none is given: null, of its type.
    fn null(self) -> ScalarValue {
        match self {
            Self::Text => ScalarValue::Utf8(None),
            Self::Integer => ScalarValue::Int64(None),
            Self::Boolean => ScalarValue::Boolean(None),
            Self::Timestamp => timestamp(None),
            Self::List => ScalarValue::new_null_list(DataType::Utf8, true, 1),
        }
    }
}

fn timestamp(millis: Option<i64>) -> ScalarValue {
    ScalarValue::TimestampMillisecond(millis, Some("UTC".into()))
}

/// A parameter of a saved query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// `$name` in the statement, and `--name` on the command line, with `-` for `_`.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// Its value where none is given; without one it is null.
    pub default: Option<String>,
    /// What it means.
    pub help: String,
}

impl Parameter {
    /// Reads what follows `-- parameter:`, as `since timestamp [7d] Only events from this time`.
    pub(crate) fn read(query: &str, line: &str) -> Result<Self> {
        let wrong = |reason: &str| {
            let (line, reason) = (line.to_owned(), reason.to_owned());
            Error::saved_query(query, SavedQueryProblem::InvalidParameter { line, reason })
        };
        let (head, help) = line.split_once(']').ok_or_else(|| wrong("no default in brackets"))?;
        let (head, default) = head.split_once('[').ok_or_else(|| wrong("no `[`"))?;
        let mut words = head.split_whitespace();
        let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
            return Err(wrong("not a name and a type"));
        };
        let kind = ParameterKind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(|| wrong("the type is none of text, integer, boolean, timestamp, list"))?;
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let parameter = Self {
            name: name.to_owned(),
            kind,
            default: Some(default.trim().to_owned()).filter(|default| !default.is_empty()),
            help: help.trim().to_owned(),
        };
        if !is_name {
            return Err(wrong("the name is not lower case"));
        }
        if let Some(Err(reason)) = parameter.default.as_deref().map(|text| parameter.parse(text)) {
            return Err(wrong(&reason));
        }
        Ok(parameter)
    }

    /// The least and the most that an integer may be, where its help ends with them: `... (1 to 1440)`.
    fn range(&self) -> Option<(i64, i64)> {
        let (_, range) = self.help.strip_suffix(')')?.rsplit_once('(')?;
        let (least, most) = range.split_once(" to ")?;
        let range = (least.trim().parse().ok()?, most.trim().parse().ok()?);
        (self.kind == ParameterKind::Integer).then_some(range)
    }

    /// The value that a text stands for.
    pub fn parse(&self, text: &str) -> std::result::Result<ScalarValue, String> {
        let value = self.kind.parse(text)?;
        if let ScalarValue::Int64(Some(number)) = value
            && let Some((least, most)) = self.range()
            && !(least..=most).contains(&number)
        {
            return Err(format!("expected a whole number from {least} to {most}"));
        }
        Ok(value)
    }

    /// Its name on the command line, without the dashes before it.
    #[must_use]
    pub fn option(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Its value where none is given.
    #[must_use]
    pub fn default_value(&self) -> ScalarValue {
        let default = self.default.as_deref().and_then(|text| self.kind.parse(text).ok());
        default.unwrap_or_else(|| self.kind.null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_line_is_read() {
        let read = |line| Parameter::read("q", line);
        let parameter = read("max_calls integer [20] Calls: at most").unwrap();
        assert_eq!((&*parameter.name, parameter.kind), ("max_calls", ParameterKind::Integer));
        assert_eq!((&*parameter.option(), &*parameter.help), ("max-calls", "Calls: at most"));
        assert_eq!(parameter.default_value(), ScalarValue::Int64(Some(20)));
        let minutes = read("minutes integer [15] Length of a window (1 to 1440)").unwrap();
        assert_eq!(minutes.parse("1440"), Ok(ScalarValue::Int64(Some(1440))));
        assert!(minutes.parse("1441").is_err() && minutes.parse("0").is_err());
        assert!(read("names list [] Only these").unwrap().default_value().is_null());
        for (line, reason) in [
            ("since timestamp Only", "no default in brackets"),
            ("since date [] Only", "the type is none of"),
            ("since [] Only", "not a name and a type"),
            ("Since text [] X", "not lower case"),
            ("n integer [many] X", "expected a whole number"),
            ("n integer [0] Minutes (1 to 1440)", "expected a whole number from 1 to 1440"),
        ] {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("saved query q"), "{error}");
        }
    }

    #[test]
    fn values_have_their_type() {
        let parse = |kind: ParameterKind, text| kind.parse(text).map(|value| value.to_string());
        assert_eq!(parse(ParameterKind::Text, "a'; --").unwrap(), "a'; --");
        assert_eq!(parse(ParameterKind::List, "a, b").unwrap(), "[a, b]");
        assert_eq!(parse(ParameterKind::Timestamp, "2026-09-01").unwrap(), "1788220800000");
        assert!(parse(ParameterKind::Timestamp, "soon").is_err());
        assert!(parse(ParameterKind::Boolean, "yes").unwrap_err().contains("true or false"));
        for kind in ParameterKind::ALL {
            assert!(kind.null().is_null(), "{kind:?}");
        }
    }
}
