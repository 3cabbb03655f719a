//! One row as bytes, and back: how rows are held until they are written.
//!
//! Most of 185 cells are null and most of the rest is text, so only what is there is packed, in an order
//! that shows what rows are sorted by without unpacking them: event time, index, event id, log file. Then
//! comes what tells of the reading, and last the content, so that copies of an event are told by their
//! bytes. It refuses to be a format: nothing of it outlives a run.

use crate::flatten::row::{Row, Value};
use crate::rows::keys::Order;
use crate::schema::{COUNT, Col};
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

/// Bytes of texts whose memory is kept for the next row.
const MAX_KEPT_ROW_BYTES: usize = 1 << 20;

/// Packs rows; what it needs for one serves the next.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    /// The texts of the cells, which come after them: one look tells that all are UTF-8.
    texts: Vec<u8>,
}

impl Packer {
    /// Appends a row.
    pub(crate) fn pack(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
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
        out.extend(record.to_le_bytes());
        for text in [row.str(Col::EventId), row.str(Col::SourceFile)] {
            out.extend(length_of(text).to_le_bytes());
            out.extend(text.unwrap_or_default().as_bytes());
        }
        let of_reading = READING.map(|col| (col.index(), row.get(col)));
        self.cells(of_reading.into_iter(), out);
        let others = row.cells().filter(|(number, _)| IS_APART.get(*number) == Some(&false));
        self.cells(others, out);
    }

    /// Appends cells: how many bytes they have, how many without their texts, they, their texts.
    fn cells<'r>(
        &mut self,
        cells: impl Iterator<Item = (usize, &'r Value<'r>)>,
        out: &mut Vec<u8>,
    ) {
        let begin = out.len();
        out.extend([0; 8]);
        self.texts.clear();
        self.texts.shrink_to(MAX_KEPT_ROW_BYTES);
        for (number, cell) in cells {
            self.cell(number, cell, out);
        }
        let bare = out.len() - begin - 8;
        out.extend(&self.texts);
        for (at, size) in [(begin, bare + self.texts.len()), (begin + 4, bare)] {
            if let Some(place) = out.get_mut(at..at + 4) {
                place.copy_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
            }
        }
    }

    fn cell(&mut self, number: usize, cell: &Value<'_>, out: &mut Vec<u8>) {
        let number = u8::try_from(number).unwrap_or(u8::MAX);
        match cell {
            Value::Null => {}
            Value::Bool(false) => out.extend([number, FALSE]),
            Value::Bool(true) => out.extend([number, TRUE]),
            Value::Text(text) => {
                out.extend([number, TEXT]);
                self.text(Some(text), out);
            }
            Value::Int(value) => {
                out.extend([number, INT]);
                out.extend(value.to_le_bytes());
            }
            Value::Time(value) => {
                out.extend([number, TIME]);
                out.extend(value.to_le_bytes());
            }
            Value::List(list) => {
                out.extend([number, LIST]);
                out.extend(u32::try_from(list.len()).unwrap_or(u32::MAX).to_le_bytes());
                for text in list {
                    self.text(text.as_deref(), out);
                }
            }
        }
    }

    fn text(&mut self, text: Option<&str>, out: &mut Vec<u8>) {
        out.extend(length_of(text).to_le_bytes());
        self.texts.extend(text.unwrap_or_default().as_bytes());
    }
}

/// Lengths are counted from one: zero is no text.
fn length_of(text: Option<&str>) -> u32 {
    text.map_or(0, |text| u32::try_from(text.len() + 1).unwrap_or(u32::MAX))
}

/// Whether a column is packed apart from the rest, by its number.
static IS_APART: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let apart = |number| HEAD.iter().chain(&READING).any(|col| col.index() == number);
    (0..COUNT).map(apart).collect()
});

/// What the [`Order`] of a row begins with, in a few words: its event time and the first letters of its
/// id. Rows of one are in the order of their whole [`Order`].
pub(crate) type First = ((bool, Option<i64>), (bool, u64));

/// Of a row with a time and an id.
pub(crate) fn first(time: Option<i64>, id: Option<&str>) -> First {
    let mut letters = [0; 8];
    letters.iter_mut().zip(id.unwrap_or_default().bytes()).for_each(|(to, from)| *to = from);
    ((time.is_none(), time), (id.is_none(), u64::from_be_bytes(letters)))
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
    pub(crate) fn parse(packed: &'p [u8]) -> Option<Self> {
        let mut bytes = Bytes(packed);
        let has_time = bytes.byte()? == 1;
        let (time, record) = (bytes.number()?, bytes.number()?);
        let id = bytes.own_text().ok()?;
        let file = bytes.own_text().ok()?.unwrap_or_default();
        let size = bytes.size()?;
        let reading = bytes.take(size.checked_add(4)?)?;
        bytes.size()?;
        let time = has_time.then_some(time);
        Some(Self { time, id, file, record, reading, rest: bytes.0 })
    }

    /// See [`Order`].
    pub(crate) fn order(&self) -> Order<'p> {
        let (time, id) = (self.time, self.id);
        ((time.is_none(), time), (id.is_none(), id), (self.file, self.record))
    }

    /// Gives `each` every cell that is not null, with its column's number; `None` where the bytes are
    /// no packed row.
    pub(crate) fn each(&self, mut each: impl FnMut(usize, Cell<'p>)) -> Option<()> {
        if let Some(time) = self.time {
            each(Col::EventTime.index(), Cell::Time(time));
        }
        if let Some(id) = self.id {
            each(Col::EventId.index(), Cell::Text(id));
        }
        each(Col::SourceFile.index(), Cell::Text(self.file));
        each(Col::SourceRecord.index(), Cell::Int(self.record));
        for part in [self.reading, self.rest] {
            let mut bytes = Bytes(part);
            let bare = bytes.size()?;
            let (bare, texts) = bytes.0.split_at_checked(bare)?;
            let mut cells = Cells { bare: Bytes(bare), texts: std::str::from_utf8(texts).ok()? };
            while !cells.bare.0.is_empty() {
                let number = usize::from(cells.bare.byte()?);
                each(number, cells.cell()?);
            }
        }
        Some(())
    }
}

/// One cell of a packed row.
#[derive(Debug, Clone)]
pub(crate) enum Cell<'p> {
    Text(&'p str),
    Bool(bool),
    Int(i64),
    Time(i64),
    List(Texts<'p>),
}

impl Cell<'_> {
    /// Bytes of text in the cell.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(list) => list.texts.len(),
            _ => 0,
        }
    }
}

/// The texts of a list.
#[derive(Debug, Clone)]
pub(crate) struct Texts<'p> {
    lengths: Bytes<'p>,
    texts: &'p str,
}

impl<'p> Iterator for Texts<'p> {
    type Item = Option<&'p str>;

    fn next(&mut self) -> Option<Self::Item> {
        let length = self.lengths.size()?;
        let text = take_text(&mut self.texts, length.saturating_sub(1))?;
        Some((length > 0).then_some(text))
    }
}

fn take_text<'p>(texts: &mut &'p str, length: usize) -> Option<&'p str> {
    let (text, rest) = texts.split_at_checked(length)?;
    *texts = rest;
    Some(text)
}

/// The bytes are no packed row.
struct Cut;

#[derive(Debug, Clone)]
struct Bytes<'p>(&'p [u8]);

impl<'p> Bytes<'p> {
    fn take(&mut self, count: usize) -> Option<&'p [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
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

    /// A text that follows its length, or that there is none.
    fn own_text(&mut self) -> Result<Option<&'p str>, Cut> {
        let Some(length) = self.size().ok_or(Cut)?.checked_sub(1) else { return Ok(None) };
        let text = self.take(length).and_then(|text| std::str::from_utf8(text).ok());
        text.map(Some).ok_or(Cut)
    }
}

/// Cells and, apart, their texts.
struct Cells<'p> {
    bare: Bytes<'p>,
    texts: &'p str,
}

impl<'p> Cells<'p> {
    fn cell(&mut self) -> Option<Cell<'p>> {
        Some(match self.bare.byte()? {
            TEXT => {
                let length = self.bare.size()?.checked_sub(1)?;
                Cell::Text(take_text(&mut self.texts, length)?)
            }
            FALSE => Cell::Bool(false),
            TRUE => Cell::Bool(true),
            INT => Cell::Int(self.bare.number()?),
            TIME => Cell::Time(self.bare.number()?),
            LIST => {
                let count = self.bare.size()?;
                let lengths = self.bare.take(count.checked_mul(4)?)?;
                let (each, _) = lengths.as_chunks::<4>();
                let bytes = each.iter().map(|length| u32::from_le_bytes(*length).saturating_sub(1));
                let bytes: u64 = bytes.map(u64::from).sum();
                let texts = take_text(&mut self.texts, usize::try_from(bytes).ok()?)?;
                Cell::List(Texts { lengths: Bytes(lengths), texts })
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flatten::row::Text;
    use proptest::prelude::*;

    fn unpack<'p>(head: &Head<'p>) -> Option<Row<'p>> {
        let mut row = Row::new();
        head.each(|number, cell| {
            let value = match cell {
                Cell::Text(text) => Value::text(text),
                Cell::Bool(value) => Value::Bool(value),
                Cell::Int(value) => Value::Int(value),
                Cell::Time(value) => Value::Time(value),
                Cell::List(texts) => {
                    Value::List(texts.map(|text| text.map(Text::Borrowed)).collect())
                }
            };
            row.put(number, value);
        })?;
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
            Packer::default().pack(&row, &mut packed);
            let head = Head::parse(&packed).unwrap();
            prop_assert_eq!((head.time, head.id, head.file, head.record), (time, id.as_deref(), &*file, record));
            let unpacked = unpack(&head).unwrap();
            prop_assert!(unpacked.cells().eq(row.cells().filter(|(_, cell)| **cell != Value::Null)));
            for length in 0..packed.len() {
                let cut = Head::parse(&packed[..length]).and_then(|head| unpack(&head));
                prop_assert!(cut.is_none());
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
            Packer::default().pack(&row, &mut packed);
            Head::parse(&packed).unwrap().rest.to_vec()
        };
        assert_eq!(rest("a", 1, "x"), rest("b", 2, "x"));
        assert_ne!(rest("a", 1, "x"), rest("a", 1, "y"));
    }
}
