//! Text that makes other engines see a dataset as one table.
//!
//! Each engine has a file with its dialect; all say the same columns, types and partition columns,
//! from [`COLUMNS`] and the dataset's newest commit. Partition values are text
//! everywhere (an account id has leading zeros) but for Athena's year. It refuses to talk to any engine,
//! to read a part file, and to write what a dialect cannot quote.

mod athena;
mod clickhouse;
mod cloudtrail;
mod duckdb;
mod glue;
mod projection;
mod python;
mod spark;
mod trino;

use crate::dataset::Dataset;
use crate::error::{DatasetProblem, Error, Result};
use crate::layout::PartitionColumn;
use crate::printable::printable;
use crate::schema::{COLUMNS, Column};
use crate::store::is_s3;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path;

/// An engine that reads Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lowercase")]
pub enum Engine {
    /// Amazon Athena.
    Athena,
    /// The AWS Glue Data Catalog.
    Glue,
    /// Apache Spark.
    Spark,
    /// Trino, with its Hive connector.
    Trino,
    /// `DuckDB`.
    #[value(help = "DuckDB")]
    DuckDb,
    /// `ClickHouse`.
    #[value(help = "ClickHouse")]
    ClickHouse,
    /// Polars.
    Polars,
    /// pandas, with `PyArrow`.
    #[value(help = "pandas, with PyArrow")]
    Pandas,
}

impl Engine {
    /// Whether it reads from a local folder.
    #[must_use]
    pub const fn reads_folders(self) -> bool {
        !matches!(self, Self::Athena | Self::Glue | Self::Trino)
    }
}

/// What the text is to say beyond the table.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextOptions<'v> {
    /// Athena and Glue: leave partitions to the catalog instead of computing them.
    pub no_projection: bool,
    /// Athena: a view with the columns of AWS's own `CloudTrail` table as well.
    pub cloudtrail_view: bool,
    /// `DuckDB`: views over the table, by name, each behind those that it uses.
    pub views: &'v [(&'static str, &'static str)],
}

/// The text, and what of the dataset the table will not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineText {
    /// What to paste.
    pub text: String,
    /// In one sentence.
    pub warning: Option<String>,
}

/// A table's name, `events` or `audit.events`: lower case letters, digits and underscores, so that no
/// dialect can read it otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    schema: Option<String>,
    table: String,
}

impl TableName {
    /// The name in a text; what is no name is an error that says what is.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && name.len() <= 100
        };
        let (schema, table) = match text.split_once('.') {
            Some((schema, table)) => (Some(schema), table),
            None => (None, text),
        };
        if schema.into_iter().chain([table]).all(is_name) {
            return Ok(Self { schema: schema.map(str::to_owned), table: table.to_owned() });
        }
        Err("expected TABLE or DATABASE.TABLE of lower case letters, digits and underscores"
            .to_owned())
    }

    /// In quotes of a dialect.
    fn quoted(&self, quote: char) -> String {
        let schema = self.schema.iter().map(|schema| format!("{quote}{schema}{quote}."));
        schema.collect::<String>() + &format!("{quote}{}{quote}", self.table)
    }
}

/// A dataset as another engine's table.
#[derive(Debug)]
pub struct Table {
    name: TableName,
    /// Without a slash at its end.
    location: String,
    partition_by: Vec<PartitionColumn>,
    /// Rows by the folder of their partition.
    folders: BTreeMap<String, u64>,
}

impl Table {
    /// The table of a dataset; where no location is given, it is read where it is.
    pub fn new(dataset: &Dataset, name: TableName, location: Option<&str>) -> Result<Self> {
        let mut folders = BTreeMap::new();
        for part in dataset.parts() {
            *folders.entry(part.partition().to_owned()).or_default() += part.rows;
        }
        let shown = dataset.location().display().to_string();
        if folders.is_empty() {
            return Err(Error::dataset(shown, DatasetProblem::Empty));
        }
        let location = match location {
            Some(location) => location.to_owned(),
            None if is_s3(&shown) => shown.clone(),
            None => path::absolute(dataset.location())
                .map_err(Error::io("find", dataset.location()))?
                .into_os_string()
                .into_string()
                .map_err(|_name| refused(&shown, "its path is no UTF-8"))?,
        };
        let location = location.trim_end_matches('/').to_owned();
        let table = Self { name, location, partition_by: dataset.partition_by().to_vec(), folders };
        table.check_location()?;
        Ok(table)
    }

    /// What no engine takes: what acts on terminals, and in URLs what engines take for patterns,
    /// variables or escapes, each in its own way.
    fn check_location(&self) -> Result<()> {
        let location = &self.location;
        if printable(location) != *location {
            return Err(refused(location, "a location has no control characters"));
        }
        if !location.starts_with('/') && !self.is_url() {
            return Err(refused(location, "a location is a URL or an absolute path"));
        }
        let in_url = |c: char| c.is_ascii_alphanumeric() || "-._~/:=+@,!&()'".contains(c);
        match location.chars().find(|c| !in_url(*c)) {
            Some(c) if self.is_url() => {
                Err(refused(location, &format!("engines read `{c}` in a URL in different ways")))
            }
            _ => Ok(()),
        }
    }

    fn is_url(&self) -> bool {
        self.location.split_once("://").is_some_and(|(scheme, rest)| {
            !rest.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric())
        })
    }

    /// Fails where the location has one of these, which `engine` cannot be told to take as they are.
    fn refuse_in_location(&self, engine: &str, parts: &[&str]) -> Result<()> {
        match parts.iter().find(|part| self.location.contains(**part)) {
            Some(part) => {
                Err(refused(&self.location, &format!("{engine} cannot read a path with `{part}`")))
            }
            None => Ok(()),
        }
    }

    /// The columns of the part files but those that are partition columns, too: of two columns with one
    /// name Hive and its kin take none.
    fn data_columns(&self) -> impl Iterator<Item = &'static Column> {
        let is_partition = |name| self.partition_by.iter().any(|column| column.name() == name);
        COLUMNS.iter().filter(move |column| !is_partition(column.name))
    }

    /// A pattern for the part files below the dataset: one level for each partition column, so that
    /// nothing beside the partitions is read.
    fn pattern(&self) -> String {
        let levels = self.partition_by.iter().map(|column| format!("/{column}=*"));
        levels.collect::<String>() + "/*.parquet"
    }

    fn partition_list(&self, each: impl Fn(PartitionColumn) -> String) -> String {
        self.partition_by.iter().map(|column| each(*column)).collect::<Vec<_>>().join(", ")
    }
}

fn refused(location: &str, reason: &str) -> Error {
    Error::Catalog { location: printable(location).into_owned(), reason: reason.to_owned() }
}

/// The text for an engine.
pub fn text(engine: Engine, table: &Table, options: TextOptions<'_>) -> Result<EngineText> {
    let plain = |text| EngineText { text, warning: None };
    Ok(match engine {
        Engine::Athena => athena::text(table, options)?,
        Engine::Glue => glue::text(table, options)?,
        Engine::Spark => plain(spark::text(table)?),
        Engine::Trino => plain(trino::text(table)?),
        Engine::DuckDb => plain(duckdb::text(table, options.views)?),
        Engine::ClickHouse => plain(clickhouse::text(table)?),
        Engine::Polars => plain(python::polars(table)),
        Engine::Pandas => plain(python::pandas(table)),
    })
}

/// A text as standard SQL quotes it.
fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text as Hive, Spark and `ClickHouse` quote it.
fn backslash_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A pattern that matches this path alone, for engines that know `[*]`.
fn literal_pattern(path: &str) -> String {
    let of = |c: char| if "*?[".contains(c) { format!("[{c}]") } else { c.to_string() };
    path.chars().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["events", "audit.events", "_e1"] {
            assert!(TableName::parse(name).is_ok(), "{name}");
        }
        for name in ["", ".", "a.", "a.b.c", "Events", "e-1", "1e", "e'", "e\"", "e`", "e;--", "é"]
        {
            assert!(TableName::parse(name).is_err(), "{name}");
        }
        assert_eq!(TableName::parse("audit.events").unwrap().quoted('"'), "\"audit\".\"events\"");
    }

    #[test]
    fn quoted_text_does_not_end_early() {
        assert_eq!(sql_text("it's"), "'it''s'");
        assert_eq!(backslash_text("it's\\"), "'it\\'s\\\\'");
        assert_eq!(literal_pattern("a*[b]?"), "a[*][[]b][?]");
    }
}
