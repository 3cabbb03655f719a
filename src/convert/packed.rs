//! One row as bytes, and back: how rows are held until they are written.
//!
//! Most of 185 cells are null and most of the rest is text, so only what is there is packed, in an order
//! that shows what rows are sorted by without unpacking them: event time, event id, log file, index. Then
//! comes what tells of the reading, and last the content, so that copies of an event are told by their
//! bytes. It refuses to be a format: nothing of it outlives a run.

use crate::convert::row::{Row, Text, Value};
use crate::rows::Order;
use crate::schema::{COUNT, Col};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The cells that are packed by themselves, before the others.
const HEAD: [Col; 4] = [Col::EventTime, Col::EventId, Col::SourceFile, Col::SourceRecord];
/// What tells of the reading, and is no content.
const READING: [Col; 2] = [Col::LogFileTime, Col::Redacted];
const _: () = assert!(COUNT <= 256, "a column's number is one byte");

const TEXT: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const TIME: u8 = 4;
const LIST: u8 = 5;

/// Appends a row.
pub(crate) fn pack(row: &Row<'_>, out: &mut Vec<u8>) {
    let time = match row.get(Col::EventTime) {
        Value::Time(time) => Some(*time),
        _ => None,
    };
    let record = match row.get(Col::SourceRecord) {
        Value::Int(record) => *record,
        _ => -1,
    };
    out.push(u8::from(time.is_some()));
    out.extend(time.unwrap_or_default().to_le_bytes());
    pack_text(row.str(Col::EventId), out);
    pack_text(row.str(Col::SourceFile), out);
    out.extend(record.to_le_bytes());
    let reading = out.len();
    out.extend([0; 4]);
    for col in READING {
        pack_cell(col.index(), row.get(col), out);
    }
    let size = u32::try_from(out.len() - reading - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(reading..reading + 4) {
        place.copy_from_slice(&size.to_le_bytes());
    }
    for (number, (cell, is_apart)) in row.cells().iter().zip(IS_APART.iter()).enumerate() {
        if !is_apart {
            pack_cell(number, cell, out);
        }
    }
}

/// Whether a column is packed apart from the rest, by its number.
static IS_APART: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let apart = |number| HEAD.iter().chain(&READING).any(|col| col.index() == number);
    (0..COUNT).map(apart).collect()
});

fn pack_cell(number: usize, cell: &Value<'_>, out: &mut Vec<u8>) {
    let tag = match cell {
        Value::Null => return,
        Value::Text(_) => TEXT,
        Value::Bool(false) => FALSE,
        Value::Bool(true) => TRUE,
        Value::Int(_) => INT,
        Value::Time(_) => TIME,
        Value::List(_) => LIST,
    };
    out.extend([u8::try_from(number).unwrap_or(u8::MAX), tag]);
    match cell {
        Value::Null | Value::Bool(_) => {}
        Value::Text(text) => pack_text(Some(text), out),
        Value::Int(number) | Value::Time(number) => out.extend(number.to_le_bytes()),
        Value::List(list) => {
            out.extend(u32::try_from(list.len()).unwrap_or(u32::MAX).to_le_bytes());
            for text in list {
                pack_text(text.as_deref(), out);
            }
        }
    }
}

/// Lengths are counted from one: zero is no text.
fn pack_text(text: Option<&str>, out: &mut Vec<u8>) {
    let length = text.map_or(0, |text| u32::try_from(text.len() + 1).unwrap_or(u32::MAX));
    out.extend(length.to_le_bytes());
    out.extend(text.unwrap_or_default().as_bytes());
}

/// What rows are sorted by, and where the rest begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'p> {
    pub(crate) time: Option<i64>,
    pub(crate) id: Option<&'p str>,
    pub(crate) file: &'p str,
    pub(crate) record: i64,
    reading: &'p [u8],
    /// The cells that are neither above nor of the reading: with time and id, all that is equal
    /// where the content is.
    pub(crate) rest: &'p [u8],
}

impl<'p> Head<'p> {
    /// Of a packed row; `None` where the bytes are none.
    pub(crate) fn of(packed: &'p [u8]) -> Option<Self> {
        let mut bytes = Bytes(packed);
        let has_time = bytes.byte()? == 1;
        let time = bytes.number()?;
        let (id, file) = (bytes.text().ok()?, bytes.text().ok()?);
        let record = bytes.number()?;
        let size = bytes.size()?;
        let (reading, rest) = bytes.0.split_at_checked(size)?;
        let (time, file) = (has_time.then_some(time), file.unwrap_or_default());
        Some(Self { time, id, file, record, reading, rest })
    }

    /// See [`Order`].
    pub(crate) fn order(&self) -> Order<'p> {
        let (time, id) = (self.time, self.id);
        ((time.is_none(), time), (id.is_none(), id), (self.file, self.record))
    }

    /// Gives `each` every cell that is not null, with its column's number; `None` where the bytes are
    /// no packed row.
    pub(crate) fn each(&self, each: &mut dyn FnMut(usize, Value<'p>)) -> Option<()> {
        if let Some(time) = self.time {
            each(Col::EventTime.index(), Value::Time(time));
        }
        if let Some(id) = self.id {
            each(Col::EventId.index(), Value::text(id));
        }
        each(Col::SourceFile.index(), Value::text(self.file));
        each(Col::SourceRecord.index(), Value::Int(self.record));
        for part in [self.reading, self.rest] {
            let mut bytes = Bytes(part);
            while !bytes.0.is_empty() {
                let (number, value) = bytes.cell()?;
                each(number, value);
            }
        }
        Some(())
    }
}

/// The bytes are no packed row.
struct Cut;

struct Bytes<'p>(&'p [u8]);

impl<'p> Bytes<'p> {
    fn take(&mut self, count: usize) -> Option<&'p [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<i64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i64::from_le_bytes(*number))
    }

    fn size(&mut self) -> Option<usize> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*number)).ok()
    }

    /// A text, or that there is none.
    fn text(&mut self) -> Result<Option<&'p str>, Cut> {
        let Some(length) = self.size().ok_or(Cut)?.checked_sub(1) else { return Ok(None) };
        let text = self.take(length).and_then(|text| std::str::from_utf8(text).ok());
        text.map(Some).ok_or(Cut)
    }

    fn cell(&mut self) -> Option<(usize, Value<'p>)> {
        let number = usize::from(self.byte()?);
        let value = match self.byte()? {
            TEXT => Value::Text(Cow::Borrowed(self.text().ok()??)),
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            INT => Value::Int(self.number()?),
            TIME => Value::Time(self.number()?),
            LIST => {
                let count = self.size()?;
                let texts = (0..count).map(|_| Ok(self.text()?.map(Text::Borrowed)));
                Value::List(texts.collect::<Result<_, Cut>>().ok()?)
            }
            _ => return None,
        };
        Some((number, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpack<'p>(head: &Head<'p>) -> Option<Row<'p>> {
        let mut row = Row::new();
        head.each(&mut |number, value| row.put(number, value))?;
        Some(row)
    }

    fn value() -> impl Strategy<Value = Value<'static>> {
        let text = ".{0,20}".prop_map(Value::text);
        let list =
            proptest::collection::vec(proptest::option::of(".{0,9}"), 0..4).prop_map(|list| {
                Value::List(list.into_iter().map(|text| text.map(Text::Owned)).collect())
            });
        prop_oneof![
            text,
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<i64>().prop_map(Value::Time),
            list,
        ]
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            cells in proptest::collection::vec((0..COUNT, value()), 0..30),
            time in proptest::option::of(any::<i64>()),
            id in proptest::option::of(".{0,9}"),
            file in ".{0,9}",
            record in any::<i64>(),
        ) {
            let mut row = Row::new();
            for (number, value) in cells {
                row.put(number, value);
            }
            row.set(Col::EventTime, time.map_or(Value::Null, Value::Time));
            row.set(Col::EventId, id.as_deref());
            row.set(Col::SourceFile, Value::text(file.as_str()));
            row.set(Col::SourceRecord, Value::Int(record));
            let mut packed = Vec::new();
            pack(&row, &mut packed);
            let head = Head::of(&packed).unwrap();
            prop_assert_eq!((head.time, head.id, head.file, head.record), (time, id.as_deref(), &*file, record));
            let unpacked = unpack(&head).unwrap();
            prop_assert_eq!(unpacked.cells(), row.cells());
            for length in 0..packed.len() {
                let cut = Head::of(&packed[..length]).map(|head| unpack(&head).is_some());
                // What is cut at a cell's end is a row of fewer cells.
                prop_assert!(cut.is_none() || length >= packed.len() - head.rest.len());
            }
        }
    }

    #[test]
    fn content_is_equal_whoever_read_it() {
        let rest = |file: &str, delivered: i64, name: &str| {
            let mut row = Row::new();
            row.set(Col::SourceFile, Value::text(file.to_owned()));
            row.set(Col::LogFileTime, Value::Time(delivered));
            row.set(Col::EventName, Value::text(name.to_owned()));
            let mut packed = Vec::new();
            pack(&row, &mut packed);
            Head::of(&packed).unwrap().rest.to_vec()
        };
        assert_eq!(rest("a", 1, "x"), rest("b", 2, "x"));
        assert_ne!(rest("a", 1, "x"), rest("a", 1, "y"));
    }
}
