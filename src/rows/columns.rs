//! Rows into Arrow columns: one builder a column, all of [`schema`](crate::schema)'s.
//!
//! It refuses to interpret: a cell that is not of its column's type is a null, because whoever made
//! the row has already counted it.

#[cfg(any(test, feature = "fuzzing"))]
use crate::flatten::row::Row;
#[cfg(any(test, feature = "fuzzing"))]
use crate::rows::encoded::Packer;
use crate::rows::encoded::{Cell, Head};
use crate::schema::{COLUMNS, Kind, schema};
use arrow::array::{
    ArrayBuilder as _, ArrayRef, BooleanBuilder, Int32Builder, Int64Builder, ListBuilder,
    RecordBatch, StringBuilder, TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use std::sync::Arc;

/// The builders of one batch.
#[derive(Debug)]
pub(crate) struct Columns {
    builders: Vec<Builder>,
    /// How many rows each builder has.
    filled: Vec<usize>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Bool(BooleanBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Time(TimestampMillisecondBuilder),
    TextList(ListBuilder<StringBuilder>),
}

impl Columns {
    pub(crate) fn new() -> Self {
        Self {
            builders: COLUMNS.iter().map(|column| Builder::new(column.kind)).collect(),
            filled: vec![0; COLUMNS.len()],
            rows: 0,
            bytes: 0,
        }
    }

    /// Rows appended since the last batch.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of text appended since the last batch.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a packed row, cell by cell; `None` where the bytes are none.
    pub(crate) fn append_packed(&mut self, row: &Head<'_>) -> Option<()> {
        let Self { builders, filled, rows, bytes } = self;
        row.each(|number, cell| {
            *bytes += cell.bytes();
            if let (Some(builder), Some(filled)) =
                (builders.get_mut(number), filled.get_mut(number))
            {
                if *filled < *rows {
                    builder.append_nulls(*rows - *filled);
                }
                builder.append(cell);
                *filled = *rows + 1;
            }
        })?;
        *rows += 1;
        Some(())
    }

    /// Appends a row that was never packed: for tests.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn append(&mut self, row: &Row<'_>) {
        let mut packed = Vec::new();
        Packer::default().pack(row, &mut packed);
        if let Some(row) = Head::parse(&packed) {
            self.append_packed(&row);
        }
    }

    /// The rows appended so far, as a batch; the builders start again.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = self.rows;
        for (builder, filled) in self.builders.iter_mut().zip(&mut self.filled) {
            builder.append_nulls(rows.saturating_sub(*filled));
            *filled = 0;
        }
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(schema(), self.builders.iter_mut().map(Builder::finish).collect())
    }
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Int32 => Self::Int32(Int32Builder::new()),
            Kind::Int64 => Self::Int64(Int64Builder::new()),
            Kind::Time => Self::Time(TimestampMillisecondBuilder::new().with_timezone("UTC")),
            Kind::TextList => {
                let element = Field::new("element", DataType::Utf8, true);
                Self::TextList(ListBuilder::new(StringBuilder::new()).with_field(element))
            }
        }
    }

    /// Appends nulls: many at once cost next to nothing.
    fn append_nulls(&mut self, count: usize) {
        match self {
            Self::Text(builder) => builder.append_nulls(count),
            Self::Bool(builder) => builder.append_nulls(count),
            Self::Int32(builder) => builder.append_nulls(count),
            Self::Int64(builder) => builder.append_nulls(count),
            Self::Time(builder) => builder.append_nulls(count),
            Self::TextList(builder) => (0..count).for_each(|_| builder.append_null()),
        }
    }

    fn append(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Int32(builder), cell) => builder.append_option(match cell {
                Cell::Int(value) => i32::try_from(value).ok(),
                _ => None,
            }),
            (Self::Int64(builder), Cell::Int(value)) => builder.append_value(value),
            (Self::Int64(builder), _) => builder.append_null(),
            (Self::Time(builder), Cell::Time(millis)) => builder.append_value(millis),
            (Self::Time(builder), _) => builder.append_null(),
            (Self::TextList(builder), Cell::List(texts)) => {
                texts.for_each(|text| builder.values().append_option(text));
                builder.append(true);
            }
            (Self::TextList(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => {
                // The next batch is about as large.
                let (rows, bytes) = (builder.len(), builder.values_slice().len());
                let next = StringBuilder::with_capacity(rows, bytes + bytes / 16);
                Arc::new(std::mem::replace(builder, next).finish())
            }
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::TextList(builder) => Arc::new(builder.finish()),
        }
    }
}

/// A row for each event id, for the tests of other modules.
#[cfg(test)]
pub(crate) fn columns_for_tests(ids: &[&str]) -> RecordBatch {
    use crate::schema::Col;
    let mut columns = Columns::new();
    for id in ids {
        let mut row = Row::new();
        row.set(Col::EventTime, crate::flatten::row::Value::Time(1));
        row.set(Col::EventId, Some(*id));
        columns.append(&row);
    }
    columns.finish().unwrap_or_else(|_| RecordBatch::new_empty(schema()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flatten::row::Value;
    use crate::schema::Col;
    use arrow::array::{Array, AsArray};

    #[test]
    fn cells_of_another_type_are_null() {
        let mut columns = Columns::new();
        let mut row = Row::new();
        row.set(Col::EventTime, Value::text("not a time"));
        row.set(Col::EventName, Value::text("StartBuild"));
        row.set(Col::TargetIds, Value::List(vec![None, Some("a".into())]));
        row.set(Col::Redacted, Value::List(vec![]));
        columns.append(&row);
        columns.append(&Row::new());
        assert_eq!(columns.rows(), 2);
        let batch = columns.finish().unwrap();
        assert_eq!(columns.rows(), 0);
        let column = |col: Col| Arc::clone(batch.column(col.index()));
        assert!(column(Col::EventTime).is_null(0));
        assert_eq!(column(Col::EventName).as_string::<i32>().value(0), "StartBuild");
        let ids = column(Col::TargetIds);
        assert_eq!(ids.as_list::<i32>().value(0).len(), 2);
        assert!(ids.is_null(1));
        assert_eq!(column(Col::Redacted).as_list::<i32>().value(0).len(), 0);
        assert!(!column(Col::Redacted).is_null(0));
    }
}
