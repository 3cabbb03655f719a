//! Results in the forms that people and programs read.
//!
//! `table` and `markdown` are for people: control characters are escaped, and the whole result is
//! held to measure its columns. The others are for programs: text is as it is in the log, batches
//! are written as they come, an empty result is still a document (a header, `[]`), and a null in
//! JSON is written as null.

use crate::error::{Error, Result};
use crate::printable::printable;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder as JsonBuilder;
use arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, Writer as JsonWriter};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_options;
use clap::ValueEnum;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt as _;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns in a frame
    Table,
    /// A line for each value, an empty one between rows: for long texts
    Line,
    /// Comma-separated, with a header
    Csv,
    /// Tab-separated, with a header
    Tsv,
    /// One JSON list of objects
    Json,
    /// One JSON object a line
    Ndjson,
    /// A Markdown table
    Markdown,
}

/// Writes a result as it comes; how many rows it has.
pub(crate) async fn write(
    mut stream: SendableRecordBatchStream,
    format: Format,
    out: &mut impl Write,
) -> Result<u64> {
    let schema = stream.schema();
    if schema.fields().is_empty() {
        // A statement without a result, such as CREATE VIEW; it runs as it is read.
        while let Some(batch) = stream.next().await {
            batch?;
        }
        return Ok(0);
    }
    let mut writer = Writer::new(&schema, format, out);
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    writer.finish()?;
    Ok(rows)
}

/// Rows of text in a form; what the commands that list things print.
pub fn tabulate<'a, const N: usize>(
    names: [&str; N],
    rows: impl Iterator<Item = [&'a str; N]>,
    format: Format,
) -> Result<String> {
    let mut columns = vec![Vec::new(); N];
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            column.push(cell);
        }
    }
    let fields = names.map(|name| Field::new(name, DataType::Utf8, false)).to_vec();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|column| Arc::new(StringArray::from(column)) as ArrayRef);
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect())?;
    let mut out = Vec::new();
    let mut writer = Writer::new(&schema, format, &mut out);
    writer.write(&batch)?;
    writer.finish()?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Writes batches in one form.
struct Writer<'w, W: Write> {
    schema: SchemaRef,
    format: Format,
    state: State<'w, W>,
}

enum State<'w, W: Write> {
    Separated { out: &'w mut W, header: bool },
    Json(JsonWriter<&'w mut W, JsonArray>),
    Ndjson(JsonWriter<&'w mut W, LineDelimited>),
    Held { out: &'w mut W, batches: Vec<RecordBatch> },
}

impl<'w, W: Write> Writer<'w, W> {
    fn new(schema: &SchemaRef, format: Format, out: &'w mut W) -> Self {
        let state = match format {
            Format::Csv | Format::Tsv => State::Separated { out, header: true },
            Format::Json => State::Json(json(out)),
            Format::Ndjson => State::Ndjson(json(out)),
            Format::Table | Format::Line | Format::Markdown => {
                State::Held { out, batches: Vec::new() }
            }
        };
        Self { schema: Arc::clone(schema), format, state }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.state {
            State::Separated { out, header } => {
                separated(batch, self.format, *header, *out)?;
                *header = false;
            }
            State::Json(writer) => writer.write(batch).map_err(failed)?,
            State::Ndjson(writer) => writer.write(batch).map_err(failed)?,
            State::Held { batches, .. } => batches.push(texts(batch, printable_cell)?),
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        match self.state {
            State::Separated { out, header: true } => {
                separated(&RecordBatch::new_empty(self.schema), self.format, true, out)
            }
            State::Separated { .. } => Ok(()),
            State::Json(mut writer) => {
                writer.finish().map_err(failed)?;
                writer.into_inner().write_all(b"\n").map_err(written)
            }
            State::Ndjson(mut writer) => writer.finish().map_err(failed),
            State::Held { out, batches } => {
                let text = match self.format {
                    Format::Markdown => markdown(&self.schema, &batches)?,
                    Format::Line => lines(&batches)?,
                    _ => framed(&self.schema, &batches)?,
                };
                out.write_all(text.as_bytes()).map_err(written)
            }
        }
    }
}

fn json<W: Write, F: JsonFormat>(out: W) -> JsonWriter<W, F> {
    JsonBuilder::new().with_explicit_nulls(true).build(out)
}

/// An I/O error inside Arrow's is told as what it is, so that a closed pipe is known.
fn failed(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => written(source),
        other => other.into(),
    }
}

fn written(source: io::Error) -> Error {
    Error::io("write", Path::new("standard output"))(source)
}

fn separated(
    batch: &RecordBatch,
    format: Format,
    header: bool,
    out: &mut impl Write,
) -> Result<()> {
    let delimiter = if format == Format::Tsv { b'\t' } else { b',' };
    let nested = batch.schema().fields().iter().any(|field| field.data_type().is_nested());
    let batch = if nested { &texts(batch, str::to_owned)? } else { batch };
    let mut writer = CsvBuilder::new().with_header(header).with_delimiter(delimiter).build(out);
    writer.write(batch).map_err(|error| match error {
        // The writer's own buffer says what failed only as text.
        ArrowError::CsvError(text) if text.contains("Broken pipe") => {
            written(io::ErrorKind::BrokenPipe.into())
        }
        other => failed(other),
    })
}

fn printable_cell(text: &str) -> String {
    printable(text).into_owned()
}

/// The batch with every cell as text; nulls stay null.
fn texts(batch: &RecordBatch, spell: impl Fn(&str) -> String) -> Result<RecordBatch> {
    let options = FormatOptions::default();
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let formatter = ArrayFormatter::try_new(array, &options)?;
        let cell = |row| (!array.is_null(row)).then(|| spell(&formatter.value(row).to_string()));
        let cells: StringArray = (0..array.len()).map(cell).collect();
        fields.push(Field::new(spell(field.name()), DataType::Utf8, true));
        arrays.push(Arc::new(cells));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn framed(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String> {
    let empty = [texts(&RecordBatch::new_empty(Arc::clone(schema)), printable_cell)?];
    let batches = if batches.is_empty() { &empty } else { batches };
    Ok(format!("{}\n", pretty_format_batches_with_options(batches, &FormatOptions::default())?))
}

/// `name = value` for each value that is there, rows apart by an empty line.
fn lines(batches: &[RecordBatch]) -> Result<String> {
    let mut text = String::new();
    let options = FormatOptions::default();
    for batch in batches {
        let schema = batch.schema();
        let width =
            schema.fields().iter().map(|field| field.name().len()).max().unwrap_or_default();
        for row in 0..batch.num_rows() {
            if !text.is_empty() {
                text.push('\n');
            }
            for (field, array) in schema.fields().iter().zip(batch.columns()) {
                if !array.is_null(row) {
                    let value = ArrayFormatter::try_new(array, &options)?.value(row).to_string();
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "{:>width$} = {value}", field.name());
                }
            }
        }
    }
    Ok(text)
}

fn markdown(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String> {
    let cell = |text: &str| printable(text).replace('|', "\\|").replace('<', "&lt;");
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(schema.fields().iter().map(|field| cell(field.name())).collect());
    text.push_str(&line(vec!["---".to_owned(); schema.fields().len()]));
    let options = FormatOptions::default();
    for batch in batches {
        let columns = batch.columns().iter().map(|array| ArrayFormatter::try_new(array, &options));
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            text.push_str(&line(columns.iter().map(|c| cell(&c.value(row).to_string())).collect()));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: Format, rows: &[[&str; 2]]) -> String {
        tabulate(["a", "b"], rows.iter().copied(), format).unwrap()
    }

    #[test]
    fn every_form_shows_the_same_rows() {
        let rows = [["1", "x|y\u{1b}"], ["", "z,\"q\""]];
        assert_eq!(
            shown(Format::Table, &rows),
            "+---+-----------+\n| a | b         |\n+---+-----------+\n| 1 | x|y\\u{1b} |\n|   | z,\"q\"     |\n+---+-----------+\n"
        );
        assert_eq!(shown(Format::Line, &rows), "a = 1\nb = x|y\\u{1b}\n\na = \nb = z,\"q\"\n");
        assert_eq!(shown(Format::Csv, &rows), "a,b\n1,x|y\u{1b}\n,\"z,\"\"q\"\"\"\n");
        assert_eq!(shown(Format::Tsv, &rows), "a\tb\n1\tx|y\u{1b}\n\t\"z,\"\"q\"\"\"\n");
        assert_eq!(
            shown(Format::Ndjson, &rows),
            "{\"a\":\"1\",\"b\":\"x|y\\u001b\"}\n{\"a\":\"\",\"b\":\"z,\\\"q\\\"\"}\n"
        );
        assert_eq!(
            shown(Format::Markdown, &rows),
            "| a | b |\n| --- | --- |\n| 1 | x\\|y\\u{1b} |\n|  | z,\"q\" |\n"
        );
    }

    #[test]
    fn an_empty_result_is_still_a_document() {
        assert_eq!(shown(Format::Json, &[]), "[]\n");
        assert_eq!(shown(Format::Ndjson, &[]), "");
        assert_eq!(shown(Format::Csv, &[]), "a,b\n");
        assert_eq!(shown(Format::Markdown, &[]), "| a | b |\n| --- | --- |\n");
        assert!(shown(Format::Table, &[]).contains("| a | b |"));
    }
}
