//! CSV and TSV.
//!
//! As Postgres and `DuckDB` write and read it: a null is nothing between two separators, an empty text
//! is `""`. Arrow's own writer and the `csv` crate cannot tell the two apart. A log's text may begin
//! like a formula, which a spreadsheet would run: safe CSV puts `'` before it (OWASP, CSV injection).

use super::{Form, Format, is_null, written};
use crate::error::Result;
use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringViewArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::fmt::Write as _;
use std::io::Write;

/// Writes a batch, with the header if it is the first.
pub(super) fn write(
    batch: &RecordBatch,
    form: &Form,
    header: bool,
    out: &mut impl Write,
) -> Result<()> {
    let separator = if form.format == Format::Tsv { b'\t' } else { b',' };
    let options = FormatOptions::default();
    let mut line = String::new();
    let schema = batch.schema();
    if header {
        let names = schema.fields().iter().map(|field| Some((field.name().as_str(), true)));
        row(&mut line, separator, form.safe_csv, names);
        out.write_all(line.as_bytes()).map_err(written)?;
    }
    let columns = batch.columns().iter().map(|array| CellTexts::new(array, &options));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let mut shown = vec![String::new(); columns.len()];
    for at in 0..batch.num_rows() {
        line.clear();
        let cells = columns.iter().zip(batch.columns()).zip(&mut shown);
        let cells = cells.map(|((column, array), shown)| {
            (!is_null(array, at)).then(|| (column.cell(at, shown), column.is_text()))
        });
        row(&mut line, separator, form.safe_csv, cells);
        out.write_all(line.as_bytes()).map_err(written)?;
    }
    Ok(())
}

/// The cells of a column: text as it is, anything else as it is shown.
enum CellTexts<'a> {
    Text(&'a StringViewArray),
    Shown(ArrayFormatter<'a>, bool),
}

impl<'a> CellTexts<'a> {
    fn new(array: &'a ArrayRef, options: &'a FormatOptions<'a>) -> Result<Self> {
        if let Some(texts) = array.as_string_view_opt() {
            return Ok(Self::Text(texts));
        }
        let is_text = !array.data_type().is_numeric();
        Ok(Self::Shown(ArrayFormatter::try_new(array, options)?, is_text))
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Shown(_, true))
    }

    fn cell<'c>(&'c self, at: usize, shown: &'c mut String) -> &'c str {
        match self {
            Self::Text(texts) => texts.value(at),
            Self::Shown(column, _) => {
                shown.clear();
                // Writing to a String cannot fail but by what is written.
                let _ = write!(shown, "{}", column.value(at));
                shown
            }
        }
    }
}

/// Adds a line of cells: a null, or a text and whether it is one (and no number).
fn row<'c>(
    line: &mut String,
    separator: u8,
    safe: bool,
    cells: impl Iterator<Item = Option<(&'c str, bool)>>,
) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            line.push(char::from(separator));
        }
        let Some((text, is_text)) = cell else { continue };
        let formula = safe && is_text && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let special = |byte: u8| byte == separator || matches!(byte, b'"' | b'\n' | b'\r');
        let quoted = text.is_empty() || text.bytes().any(special);
        if quoted {
            line.push('"');
        }
        if formula {
            line.push('\'');
        }
        if quoted && text.contains('"') {
            line.push_str(&text.replace('"', "\"\""));
        } else {
            line.push_str(text);
        }
        if quoted {
            line.push('"');
        }
    }
    line.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn written(form: &Form, texts: Vec<Option<&str>>) -> String {
        let numbers: Vec<_> = (0..).map(|n| Some(-n)).take(texts.len()).collect();
        let batch = RecordBatch::try_from_iter([
            ("t", Arc::new(StringViewArray::from(texts)) as ArrayRef),
            ("n", Arc::new(Int64Array::from(numbers)) as ArrayRef),
        ]);
        let mut out = Vec::new();
        write(&batch.unwrap(), form, true, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn formulas_are_made_plain_and_numbers_left() {
        let mut form = Form::new(Format::Csv);
        let texts = || vec![Some("=1+1"), Some("@x,\"y\""), Some("a=b"), None];
        assert_eq!(written(&form, texts()), "t,n\n=1+1,0\n\"@x,\"\"y\"\"\",-1\na=b,-2\n,-3\n");
        form.safe_csv = true;
        assert_eq!(written(&form, texts()), "t,n\n'=1+1,0\n\"'@x,\"\"y\"\"\",-1\na=b,-2\n,-3\n");
    }

    proptest! {
        /// A reader of CSV gets every text back.
        #[test]
        fn texts_come_back(texts in prop::collection::vec("[ -~\n\r\t\"é]{0,12}", 1..8), tabs: bool) {
            let form = Form::new(if tabs { Format::Tsv } else { Format::Csv });
            let given = texts.iter().map(|text| Some(text.as_str())).collect();
            let text = written(&form, given);
            let delimiter = if tabs { b'\t' } else { b',' };
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
            let read: Vec<_> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
            prop_assert_eq!(read, texts);
        }
    }
}
