//! The columns are a contract: what `buildtrail schema` prints is held against a list of its own.
//!
//! `contract.tsv` was not made by the tool. A change of name, type, group or order shows here before
//! it shows in somebody's table.

use crate::support::{buildtrail, str};
use buildtrail::schema::COLUMNS;
use std::collections::BTreeSet;

const CONTRACT: &str = include_str!("contract.tsv");

#[test]
fn the_columns_are_those_of_the_contract() {
    let printed = buildtrail(&["schema", "--format", "json"]).exits(0).json();
    let printed: Vec<_> = printed
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            format!("{}\t{}\t{}", str(column, "column"), str(column, "type"), str(column, "group"))
        })
        .collect();
    let contract: Vec<_> = CONTRACT.lines().skip(1).collect();
    assert_eq!(printed, contract);
}

#[test]
fn every_form_lists_every_column_with_source_and_meaning() {
    let table = buildtrail(&["schema"]).exits(0).stdout;
    let markdown = buildtrail(&["schema", "--format", "markdown"]).exits(0).stdout;
    assert_eq!(markdown.lines().count(), COLUMNS.len() + 2);
    for column in COLUMNS {
        let kind = column.kind.name().replace('<', "&lt;");
        for text in [column.source, column.meaning] {
            assert!(table.contains(text), "{}: {text}", column.name);
        }
        assert!(markdown.contains(&format!("| {} | {kind} |", column.name)));
    }
}

#[test]
fn the_readme_names_only_columns_that_exist() {
    let readme = include_str!("../../README.md");
    let section = readme.split("## Columns").nth(1).unwrap().split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let named: BTreeSet<_> = cells.flat_map(|cell| cell.split(['`', ',', ' ', '.'])).collect();
    let known: BTreeSet<_> = COLUMNS.iter().map(|column| column.name).collect();
    let unknown: Vec<_> = named.difference(&known).filter(|name| !name.is_empty()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(named.len() > 40, "the table was not found");
}
