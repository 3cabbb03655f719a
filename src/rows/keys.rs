//! What rows are told apart by: their order, their partition, their content.
//!
//! The order is total (event time, event id, log file, index), so neither threads nor the order of
//! reading show in what is written. The key of an event is its id; without one, its content.
//! Content is what rebuilds the record, compared as JSON: members in another order make no other
//! event. It refuses to hold rows: all here looks at batches that others own.

use crate::error::{Error, Result};
use crate::json;
use crate::layout::{PartitionColumn, partition_path};
use crate::schema::{COLUMNS, Col, Column, Group};
use arrow::array::{
    Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::collections::HashMap;

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
    pub(crate) fn new(rows: &'a RecordBatch) -> Result<Self> {
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
}

/// See [`Keys::order`].
pub(crate) type Order<'a> = ((bool, Option<i64>), (bool, Option<&'a str>), (&'a str, i64));

/// A row: the number of its batch, and its number there.
pub(crate) type RowRef = (usize, usize);

/// Sorts rows into partitions, which it numbers as they come.
#[derive(Debug)]
pub(crate) struct Partitioner {
    columns: Vec<PartitionColumn>,
    /// What the value of each column is made of, one after another, and the partition's number:
    /// its path is made once for all rows that share it.
    known: HashMap<Vec<u8>, usize>,
    numbers: HashMap<String, usize>,
    paths: Vec<String>,
    /// The row's own key, made in place.
    key: Vec<u8>,
}

impl Partitioner {
    pub(crate) fn new(columns: &[PartitionColumn]) -> Self {
        let (known, numbers) = (HashMap::new(), HashMap::new());
        Self { columns: columns.to_vec(), known, numbers, paths: Vec::new(), key: Vec::new() }
    }

    /// The number of a row's partition, by its time and texts.
    pub(crate) fn place<'r>(
        &mut self,
        time: Option<i64>,
        text: impl Fn(Col) -> Option<&'r str>,
    ) -> usize {
        self.key.clear();
        let day = time.map(|millis| millis.div_euclid(DAY));
        for column in &self.columns {
            if let Some(text) = text_of(*column, &text) {
                self.key.push(1);
                self.key.extend(text.len().to_le_bytes());
                self.key.extend(text.as_bytes());
            } else if let Some(day) = day.filter(|_| is_of_time(*column)) {
                self.key.push(2);
                self.key.extend(day.to_le_bytes());
            } else {
                self.key.push(0);
            }
        }
        if let Some(number) = self.known.get(&self.key) {
            return *number;
        }
        let value = |column: &PartitionColumn| {
            let of_day = || column.of_time(day?.checked_mul(DAY)?);
            text_of(*column, &text).map(str::to_owned).or_else(of_day)
        };
        let values: Vec<_> = self.columns.iter().map(value).collect();
        let path = partition_path(&self.columns, &values);
        let next = self.paths.len();
        let number = *self.numbers.entry(path.clone()).or_insert(next);
        if number == next {
            self.paths.push(path);
        }
        self.known.insert(self.key.clone(), number);
        number
    }

    /// The folder of a row's partition.
    pub(crate) fn path(&mut self, keys: &Keys<'_>, row: usize) -> &str {
        let number = self.place(keys.time(row), |col| keys.text(col, row));
        self.path_of(number)
    }

    /// The folder of a partition.
    pub(crate) fn path_of(&self, number: usize) -> &str {
        self.paths.get(number).map_or("", String::as_str)
    }

    /// The number of a partition that a row has fallen into.
    pub(crate) fn number_of(&self, path: &str) -> Option<usize> {
        self.numbers.get(path).copied()
    }
}

/// The text that is a partition column's value.
fn text_of<'r>(column: PartitionColumn, text: impl Fn(Col) -> Option<&'r str>) -> Option<&'r str> {
    match column {
        PartitionColumn::Account => {
            text(Col::RecipientAccountId).or_else(|| text(Col::UserIdentityAccountId))
        }
        PartitionColumn::Region => text(Col::AwsRegion),
        PartitionColumn::EventName => text(Col::EventName),
        PartitionColumn::Year | PartitionColumn::Month | PartitionColumn::Day => None,
    }
}

fn is_of_time(column: PartitionColumn) -> bool {
    matches!(column, PartitionColumn::Year | PartitionColumn::Month | PartitionColumn::Day)
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
