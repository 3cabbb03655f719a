//! What the names mean that a person meets in the shell: columns, views, saved queries.

use crate::error::{Error, Result, nearest};
use crate::layout::TABLE;
use crate::query::saved::{SavedQueries, SavedQuery, view_names, view_question};
use crate::schema::COLUMNS;
use std::fmt::Write as _;

/// What `name` means, in lines.
pub(super) fn describe(name: &str, queries: &SavedQueries) -> Result<String> {
    if let Some(query) = queries.all().iter().find(|query| query.name == name) {
        return Ok(saved_query(query));
    }
    if let Some(question) = view_question(name) {
        return Ok(format!("view {name}: {question}\n.schema {name} lists its columns\n"));
    }
    if let Some(column) = COLUMNS.iter().find(|column| column.name == name) {
        let (kind, meaning, source) = (column.kind.name(), column.meaning, column.source);
        return Ok(format!("column {name} of {TABLE}, {kind}: {meaning}\nfrom {source}\n"));
    }
    if name == TABLE {
        let columns = COLUMNS.len();
        return Ok(format!(
            "table {TABLE}: one row an event, {columns} columns and the partition columns\n.schema lists them\n"
        ));
    }
    let mut names: Vec<&str> = queries.all().iter().map(|query| query.name.as_str()).collect();
    let ours = COLUMNS.iter().map(|column| column.name).chain(view_names());
    ours.for_each(|name| names.push(name));
    let nearest = nearest(name, names.into_iter());
    let nearest = nearest.map(str::to_owned);
    let kind = "column, view or saved query";
    Err(Error::UnknownName { kind, name: name.to_owned(), nearest })
}

fn saved_query(query: &SavedQuery) -> String {
    let mut text = format!("saved query {}: {}\n", query.name, query.question);
    for parameter in &query.parameters {
        let default = parameter.default.as_deref().map(|default| format!(" [default: {default}]"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  --{} {}  {}{}",
            parameter.option(),
            parameter.kind.name().to_uppercase(),
            parameter.help,
            default.unwrap_or_default()
        );
    }
    text
}
