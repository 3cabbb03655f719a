//! One record's values on their way to the columns: what was read, before any Arrow type.
//!
//! The parts of the flattening fill a [`Row`] by column, from text borrowed from the log file;
//! `columns` appends it. A value that does not fit its column's type is counted by path and left
//! null here: its text is safe in the JSON text columns.

use crate::schema::{COUNT, Col};
use std::borrow::Cow;

/// Text borrowed from the log file where no escape had to be undone.
pub(crate) type Text<'a> = Cow<'a, str>;

/// A part of a text, borrowed from where the text is.
pub(crate) fn part_of<'a>(text: &Text<'a>, part: &str) -> Text<'a> {
    if let Cow::Borrowed(text) = text {
        let from = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let same = text.get(from..from.wrapping_add(part.len()));
        if let Some(same) = same.filter(|same| *same == part) {
            return Cow::Borrowed(same);
        }
    }
    Cow::Owned(part.to_owned())
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Value<'a> {
    #[default]
    Null,
    Text(Text<'a>),
    Bool(bool),
    Int(i64),
    /// Milliseconds since 1970, UTC.
    Time(i64),
    List(Vec<Option<Text<'a>>>),
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: impl Into<Text<'a>>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::text)
    }
}

impl<'a> From<Option<Text<'a>>> for Value<'a> {
    fn from(text: Option<Text<'a>>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }
}

impl From<Option<bool>> for Value<'_> {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Self::Null, Self::Bool)
    }
}

/// The cells of one record, by column. Most of 185 were never set, and only the others are held.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    cells: Vec<Value<'a>>,
    /// The place of each column's cell among those held, counted from one; zero where none was set.
    places: [u8; COUNT],
    /// Paths of values that did not fit their column.
    pub(crate) misfits: Vec<String>,
}

impl<'a> Row<'a> {
    pub(crate) fn new() -> Self {
        Self { cells: Vec::with_capacity(64), places: [0; COUNT], misfits: Vec::new() }
    }

    pub(crate) fn set(&mut self, col: Col, value: impl Into<Value<'a>>) {
        self.put(col.index(), value.into());
    }

    /// Sets a cell by its column's number.
    pub(crate) fn put(&mut self, number: usize, value: Value<'a>) {
        let Some(place) = self.places.get_mut(number) else { return };
        if let Some(cell) = usize::from(*place).checked_sub(1).and_then(|at| self.cells.get_mut(at))
        {
            *cell = value;
        } else if value != Value::Null {
            self.cells.push(value);
            *place = u8::try_from(self.cells.len()).unwrap_or_default();
        }
    }

    pub(crate) fn get(&self, col: Col) -> &Value<'a> {
        self.cell(self.places.get(col.index()).copied().unwrap_or_default())
    }

    fn cell(&self, place: u8) -> &Value<'a> {
        let at = usize::from(place).checked_sub(1);
        at.and_then(|at| self.cells.get(at)).unwrap_or(&Value::Null)
    }

    /// The text in `col`, if it holds any, as it is held.
    pub(crate) fn text(&self, col: Col) -> Option<&Text<'a>> {
        match self.get(col) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text in `col`, if it holds any.
    pub(crate) fn str(&self, col: Col) -> Option<&str> {
        self.get(col).as_str()
    }

    /// The text in `col` if it holds any but the empty text.
    pub(crate) fn filled(&self, col: Col) -> Option<&Text<'a>> {
        self.text(col).filter(|text| !text.is_empty())
    }

    /// The cells that are held, by the numbers of their columns.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, &Value<'a>)> {
        let held = self.places.iter().enumerate().filter(|(_, place)| **place > 0);
        held.map(|(number, place)| (number, self.cell(*place)))
    }
}

const _: () = assert!(COUNT < 256, "a place is one byte");
