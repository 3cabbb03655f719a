//! What rows are told apart by: their order, their partition, their content.
//!
//! The order is total (event time, event id, log file, index), so neither threads nor the order of
//! reading show in what is written. The key of an event is its id; without one, its content.
//! Content is what rebuilds the record, compared as JSON: members in another order make no other
//! event. It refuses to hold rows: all here looks at batches that others own.

use crate::error::{Error, Result};
use crate::json;
use crate::layout::{PartitionColumn, partition_path};
use crate::schema::{COLUMNS, Col, Column, Group, Kind};
use arrow::array::{
    Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// The columns of a batch that order and identify its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'a> {
    time: &'a TimestampMillisecondArray,
    id: &'a StringArray,
    file: &'a StringArray,
    record: &'a Int64Array,
    rows: &'a RecordBatch,
}

impl<'a> Keys<'a> {
    /// Of a batch with all columns of [`schema`](crate::schema::schema).
    pub(crate) fn of(rows: &'a RecordBatch) -> Result<Self> {
        let column = |col: Col| {
            rows.columns().get(col.index()).map(AsRef::as_ref).ok_or_else(|| mistyped(col))
        };
        let text = |col: Col| column(col)?.as_string_opt::<i32>().ok_or_else(|| mistyped(col));
        Ok(Self {
            time: column(Col::EventTime)?
                .as_primitive_opt::<TimestampMillisecondType>()
                .ok_or_else(|| mistyped(Col::EventTime))?,
            id: text(Col::EventId)?,
            file: text(Col::SourceFile)?,
            record: column(Col::SourceRecord)?
                .as_primitive_opt::<Int64Type>()
                .ok_or_else(|| mistyped(Col::SourceRecord))?,
            rows,
        })
    }

    /// The batch.
    pub(crate) fn rows(&self) -> &'a RecordBatch {
        self.rows
    }

    pub(crate) fn time(&self, row: usize) -> Option<i64> {
        self.time.is_valid(row).then(|| self.time.value(row))
    }

    pub(crate) fn id(&self, row: usize) -> Option<&'a str> {
        self.id.is_valid(row).then(|| self.id.value(row))
    }

    /// Where the row was read.
    pub(crate) fn place(&self, row: usize) -> (&'a str, i64) {
        let (file, record) = (self.file, self.record);
        let file = if file.is_valid(row) { file.value(row) } else { "" };
        (file, if record.is_valid(row) { record.value(row) } else { -1 })
    }

    /// What rows are sorted by: a row without a time or id comes last.
    pub(crate) fn order(&self, row: usize) -> Order<'a> {
        let (time, id) = (self.time(row), self.id(row));
        ((time.is_none(), time), (id.is_none(), id), self.place(row))
    }

    fn text(&self, col: Col, row: usize) -> Option<&'a str> {
        let column = self.rows.columns().get(col.index())?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    /// What decides the row's partition, for each partition column.
    fn partition(&self, columns: &[PartitionColumn], row: usize) -> Vec<Decider<'a>> {
        let decider = |column: &PartitionColumn| match column {
            PartitionColumn::Account => Decider::Text(
                self.text(Col::RecipientAccountId, row)
                    .or_else(|| self.text(Col::UserIdentityAccountId, row)),
            ),
            PartitionColumn::Region => Decider::Text(self.text(Col::AwsRegion, row)),
            PartitionColumn::EventName => Decider::Text(self.text(Col::EventName, row)),
            PartitionColumn::Year | PartitionColumn::Month | PartitionColumn::Day => {
                Decider::Day(self.time(row).map(|millis| millis.div_euclid(DAY)))
            }
        };
        columns.iter().map(decider).collect()
    }
}

/// See [`Keys::order`].
pub(crate) type Order<'a> = ((bool, Option<i64>), (bool, Option<&'a str>), (&'a str, i64));

/// A row: the number of its batch, and its number there.
pub(crate) type RowRef = (usize, usize);

/// The order of two rows of `keys`.
pub(crate) fn compare(keys: &[Keys<'_>], a: RowRef, b: RowRef) -> Ordering {
    let (Some(ka), Some(kb)) = (keys.get(a.0), keys.get(b.0)) else { return Ordering::Equal };
    ka.order(a.1).cmp(&kb.order(b.1))
}

/// What a partition column's value is made of: made once for all rows that share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Decider<'a> {
    Text(Option<&'a str>),
    /// Days since 1970.
    Day(Option<i64>),
}

impl Decider<'_> {
    fn value(self, column: PartitionColumn) -> Option<String> {
        match self {
            Self::Text(text) => text.map(str::to_owned),
            Self::Day(day) => column.of_time(day?.checked_mul(DAY)?),
        }
    }
}

/// Sorts rows into partitions.
#[derive(Debug)]
pub(crate) struct Partitioner<'a> {
    columns: &'a [PartitionColumn],
    paths: HashMap<Vec<Decider<'a>>, String>,
}

impl<'a> Partitioner<'a> {
    pub(crate) fn new(columns: &'a [PartitionColumn]) -> Self {
        Self { columns, paths: HashMap::new() }
    }

    /// The folder of a row's partition.
    pub(crate) fn path(&mut self, keys: &Keys<'a>, row: usize) -> &str {
        let deciders = keys.partition(self.columns, row);
        self.paths.entry(deciders).or_insert_with_key(|deciders| {
            let value =
                |(decider, column): (&Decider<'_>, &PartitionColumn)| decider.value(*column);
            let values: Vec<_> = deciders.iter().zip(self.columns).map(value).collect();
            partition_path(self.columns, &values)
        })
    }

    /// The folders of all rows so far.
    pub(crate) fn into_paths(self) -> impl Iterator<Item = String> {
        self.paths.into_values()
    }
}

fn mistyped(col: Col) -> Error {
    let column = col.column();
    arrow::error::ArrowError::SchemaError(format!("{} is not {}", column.name, column.kind.name()))
        .into()
}

/// Whether a column is of those that rebuild the record: a row's content.
pub(crate) fn is_content(column: &Column) -> bool {
    matches!(column.group, Group::Record | Group::JsonText)
}

/// A row's content as text: equal for records that are equal as JSON.
pub(crate) fn content(rows: &RecordBatch, row: usize) -> Result<String> {
    let options = FormatOptions::default();
    let mut content = String::new();
    for (column, array) in COLUMNS.iter().zip(rows.columns()) {
        if !is_content(column) || array.is_null(row) {
            continue;
        }
        let text = ArrayFormatter::try_new(array, &options)?.value(row).to_string();
        content.push_str(column.name);
        content.push('=');
        if column.group == Group::JsonText {
            json::push_canonical(&mut content, &text);
        } else {
            content.push_str(&text);
        }
        content.push('\0');
    }
    Ok(content)
}

/// The bytes of the record's own texts in a row: the other columns are made of them.
pub(crate) fn text_bytes(rows: &RecordBatch, row: usize) -> usize {
    static TEXTS: LazyLock<Vec<usize>> = LazyLock::new(|| {
        let is_text = |column: &Column| column.kind == Kind::Text && is_content(column);
        let texts = COLUMNS.iter().enumerate().filter(|(_, column)| is_text(column));
        texts.map(|(index, _)| index).collect()
    });
    let texts = TEXTS.iter().filter_map(|index| rows.columns().get(*index));
    let texts = texts.filter_map(|array| array.as_string_opt::<i32>());
    texts.filter(|text| text.is_valid(row)).map(|text| text.value(row).len()).sum()
}
