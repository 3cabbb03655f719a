//! Partition projection: Athena computes a table's partitions from its properties.
//!
//! Months and days go on to today by themselves; accounts, regions and event names are those that are
//! there now. A folder that no property can name (a value with a comma, events without a time) is left
//! out, and said: it must not keep others from being seen. It refuses to guess values that the dataset
//! does not have.

use crate::catalog::{Table, refused};
use crate::error::Result;
use crate::layout::PartitionColumn;
use crate::printable::printable;
use std::collections::BTreeSet;

/// The properties, and a sentence on the folders that they cannot name.
#[derive(Debug)]
pub(super) struct Projection {
    pub(super) properties: Vec<(String, String)>,
    pub(super) left_out: Option<String>,
}

/// The Hive type of a partition column.
pub(super) const fn hive_type(column: PartitionColumn, projected: bool) -> &'static str {
    match column {
        PartitionColumn::Year if projected => "int",
        _ => "string",
    }
}

pub(super) fn projection(table: &Table) -> Result<Projection> {
    let mut values = vec![BTreeSet::new(); table.partition_by.len()];
    let mut left_out = Vec::new();
    for (folder, rows) in &table.folders {
        let texts =
            folder.split('/').map(|level| level.split_once('=').map_or("", |(_, text)| text));
        let levels: Vec<_> = table.partition_by.iter().zip(texts).collect();
        if levels.iter().all(|(column, text)| can_name(**column, text)) {
            for (values, (_, text)) in values.iter_mut().zip(levels) {
                values.insert(text);
            }
        } else {
            left_out.push((folder, rows));
        }
    }
    let mut properties = vec![("projection.enabled".to_owned(), "true".to_owned())];
    for (column, values) in table.partition_by.iter().zip(values) {
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            return Err(refused(
                &table.location,
                "partition projection can name none of its folders; use --no-projection",
            ));
        };
        for (property, value) in of_column(*column, first, last, &values) {
            properties.push((format!("projection.{column}.{property}"), value));
        }
    }
    let levels = table.partition_by.iter().map(|column| format!("/{column}=${{{column}}}"));
    let template = format!("{}{}/", table.location, levels.collect::<String>());
    properties.push(("storage.location.template".to_owned(), template));
    Ok(Projection { properties, left_out: sentence(&left_out) })
}

/// How many rows the table will not show, and where the first of them are.
fn sentence(left_out: &[(&String, &u64)]) -> Option<String> {
    let (first, _) = left_out.first()?;
    let rows: u64 = left_out.iter().map(|(_, rows)| *rows).sum();
    let more = match left_out.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "rows that are not seen, for partition projection cannot name their folder: {rows}, in \
         {}{more}; --no-projection has them",
        printable(first)
    ))
}

fn of_column(
    column: PartitionColumn,
    first: &str,
    last: &str,
    values: &BTreeSet<&str>,
) -> Vec<(&'static str, String)> {
    let date = |format: &str, unit: &str| {
        vec![
            ("type", "date".to_owned()),
            ("format", format.to_owned()),
            ("range", format!("{first},NOW")),
            ("interval", "1".to_owned()),
            ("interval.unit", unit.to_owned()),
        ]
    };
    match column {
        PartitionColumn::Month => date("yyyy-MM", "MONTHS"),
        PartitionColumn::Day => date("yyyy-MM-dd", "DAYS"),
        // The type has no NOW; one year more, so that nothing is missing on New Year's Day.
        PartitionColumn::Year => {
            let next = last.parse::<u32>().map_or(9999, |year| (year + 1).min(9999));
            vec![("type", "integer".to_owned()), ("range", format!("{first},{next}"))]
        }
        PartitionColumn::Account | PartitionColumn::Region | PartitionColumn::EventName => {
            let values: Vec<_> = values.iter().copied().collect();
            vec![("type", "enum".to_owned()), ("values", values.join(","))]
        }
    }
}

/// Whether a property can name a folder's value, as it is escaped in the path.
fn can_name(column: PartitionColumn, text: &str) -> bool {
    let form = match column {
        PartitionColumn::Year => "0000",
        PartitionColumn::Month => "0000-00",
        PartitionColumn::Day => "0000-00-00",
        PartitionColumn::Account | PartitionColumn::Region | PartitionColumn::EventName => {
            return !text.contains([',', '$']) && text == text.trim();
        }
    };
    let fits = |(c, form): (char, char)| if form == '0' { c.is_ascii_digit() } else { c == form };
    text.len() == form.len() && text.chars().zip(form.chars()).all(fits)
        // Java's years begin with 1.
        && !text.starts_with("0000")
}

#[cfg(test)]
mod tests {
    use super::*;
    use PartitionColumn::{Account, Day, EventName, Month, Region, Year};

    #[test]
    fn a_property_names_what_engines_can_compute() {
        let can = [(Year, "2026"), (Month, "2026-09"), (Day, "2026-09-30"), (Account, "000111")];
        let all = [(Region, "eu-west-1"), (Region, "a%2Fb"), (EventName, "Start Build")];
        for (column, text) in can.into_iter().chain(all) {
            assert!(can_name(column, text), "{column} {text}");
        }
        let default = "__HIVE_DEFAULT_PARTITION__";
        let cannot = [(Year, default), (Month, default), (Month, "2026-9"), (Day, "2026-09-3x")];
        let hostile = [(Year, "0000"), (Region, "a,b"), (Region, "${x}"), (EventName, " a")];
        for (column, text) in cannot.into_iter().chain(hostile) {
            assert!(!can_name(column, text), "{column} {text}");
        }
    }

    #[test]
    fn months_go_on_and_years_to_one_after_the_last() {
        let of = |column, values: &[&str]| {
            let values: BTreeSet<_> = values.iter().copied().collect();
            let (first, last) = (*values.first().unwrap(), *values.last().unwrap());
            let properties = of_column(column, first, last, &values);
            properties
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
        };
        let months = of(Month, &["2026-09", "2025-01"]);
        assert!(months.contains(&"range=2025-01,NOW".to_owned()), "{months:?}");
        assert_eq!(of(Year, &["2025", "2026"]), ["type=integer", "range=2025,2027"]);
        assert_eq!(of(Year, &["9999"]), ["type=integer", "range=9999,9999"]);
        assert_eq!(of(Region, &["b", "a"]), ["type=enum", "values=a,b"]);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(sentence(&[]), None);
        let said = sentence(&[(&"a=1".to_owned(), &2), (&"a=2".to_owned(), &3)]).unwrap();
        assert!(said.contains(": 5, in a=1 and 1 more;"), "{said}");
    }
}
