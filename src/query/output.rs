//! Results in the forms that people and programs read.
//!
//! `table`, `line`, `markdown` and `chart` are for people: control characters are escaped. The others
//! are for programs: text is as it is in the log, rows are written as they come, and an empty result
//! is still a document (a header, `[]`). A null is told from an empty text in every form for programs.
//! Two columns of one name are shown as they are, but in JSON (see [`names`]).

mod chart;
mod file;
mod pager;
mod separated;
mod text;

pub(crate) use file::OutputFile;
pub(crate) use pager::Paged;

use crate::error::{Error, Result};
use crate::query::names;
use crate::query::rules::compact_views::as_plain;
use arrow::array::{Array as _, ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder as JsonBuilder;
use arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, Writer as JsonWriter};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use clap::ValueEnum;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt as _;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use std::borrow::Cow;
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
    /// Comma-separated, with a header; a null is nothing, an empty text is ""
    Csv,
    /// The same, tab-separated
    Tsv,
    /// One JSON list of objects
    Json,
    /// One JSON object a line
    Ndjson,
    /// A Markdown table
    Markdown,
    /// A Parquet file, for --output
    Parquet,
    /// A bar for each row, as long as its first number says, by its first other column
    Chart,
}

impl Format {
    /// Whether it is read by people, on a terminal.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Line | Self::Markdown | Self::Chart)
    }

    /// Endings of names, and the form that each asks for.
    pub const ENDINGS: [(&str, Self); 8] = [
        ("txt", Self::Table),
        ("csv", Self::Csv),
        ("tsv", Self::Tsv),
        ("json", Self::Json),
        ("ndjson", Self::Ndjson),
        ("jsonl", Self::Ndjson),
        ("md", Self::Markdown),
        ("parquet", Self::Parquet),
    ];

    /// The form that a file's name asks for.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        let is_it = |(known, _): &&(&str, Self)| known.eq_ignore_ascii_case(ending);
        Self::ENDINGS.iter().find(is_it).map(|(_, format)| *format)
    }
}

/// How a result is written.
#[derive(Debug, Clone)]
pub struct Form {
    /// In which form.
    pub format: Format,
    /// Whether names stand above the values, in the forms where they can be left out.
    pub headers: bool,
    /// Whether texts that a spreadsheet takes for formulas are made plain, in CSV and TSV.
    pub safe_csv: bool,
    /// How many characters a line of a table or chart has; `None` cuts nothing.
    pub width: Option<usize>,
    /// How many rows a table shows; `None` shows all.
    pub max_rows: Option<usize>,
    /// The columns of a chart: what is drawn, and how long.
    pub chart: Option<(String, String)>,
}

/// Rows that a table shows where nothing else is asked for: it is held to measure its columns.
pub const MAX_ROWS: usize = 10_000;

impl Form {
    /// The form with nothing else asked for.
    #[must_use]
    pub fn new(format: Format) -> Self {
        let max_rows = Some(MAX_ROWS);
        Self { format, headers: true, safe_csv: false, width: None, max_rows, chart: None }
    }
}

/// What was written, and what was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shown {
    /// Rows written.
    pub(crate) rows: u64,
    /// There are more rows than a table shows.
    pub(crate) more: bool,
    /// Columns that did not fit into a table's line.
    pub(crate) columns_cut: usize,
}

/// Writes a result as it comes.
pub(crate) async fn write(
    mut stream: SendableRecordBatchStream,
    form: &Form,
    out: &mut (impl Write + Send),
) -> Result<Shown> {
    let schema = stream.schema();
    let mut shown = Shown::default();
    if schema.fields().is_empty() {
        // A statement without a result, such as CREATE VIEW; it runs as it is read.
        while let Some(batch) = stream.next().await {
            batch?;
        }
        return Ok(shown);
    }
    let held = matches!(form.format, Format::Table | Format::Chart);
    let most = form.max_rows.filter(|_| held).map_or(u64::MAX, |rows| rows as u64);
    let mut writer = ResultWriter::new(&schema, form, out)?;
    while let Some(batch) = stream.next().await {
        let mut batch = batch?;
        let left = most - shown.rows;
        if batch.num_rows() as u64 > left {
            batch = batch.slice(0, usize::try_from(left).unwrap_or(usize::MAX));
            shown.more = true;
        }
        shown.rows += batch.num_rows() as u64;
        writer.write(&batch)?;
        if shown.more {
            break;
        }
    }
    shown.columns_cut = writer.finish()?;
    Ok(shown)
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
    let form = Form::new(format);
    let mut writer = ResultWriter::new(&schema, &form, &mut out)?;
    writer.write(&batch)?;
    writer.finish()?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Writes batches in one form.
struct ResultWriter<'w, W: Write + Send> {
    schema: SchemaRef,
    form: &'w Form,
    state: WriterState<'w, W>,
}

enum WriterState<'w, W: Write + Send> {
    Separated { out: &'w mut W, header: bool },
    Json(JsonWriter<&'w mut W, JsonArray>),
    Ndjson(JsonWriter<&'w mut W, LineDelimited>),
    Parquet(Box<ArrowWriter<&'w mut W>>),
    Line { out: &'w mut W, first: bool },
    Markdown { out: &'w mut W, header: bool },
    Held { out: &'w mut W, batches: Vec<RecordBatch> },
}

impl<'w, W: Write + Send> ResultWriter<'w, W> {
    fn new(schema: &SchemaRef, form: &'w Form, out: &'w mut W) -> Result<Self> {
        let mut schema = Arc::clone(schema);
        let state = match form.format {
            Format::Csv | Format::Tsv => WriterState::Separated { out, header: form.headers },
            Format::Json | Format::Ndjson => {
                schema = with_own_names(&schema);
                if form.format == Format::Json {
                    WriterState::Json(json(out))
                } else {
                    WriterState::Ndjson(json(out))
                }
            }
            Format::Parquet => {
                let level = ZstdLevel::try_new(3).map_err(parquet_failed)?;
                let options = WriterProperties::builder().set_compression(Compression::ZSTD(level));
                let fields: Fields = schema.fields().iter().map(as_plain).collect();
                schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
                let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(options.build()));
                WriterState::Parquet(Box::new(writer.map_err(parquet_failed)?))
            }
            Format::Line => WriterState::Line { out, first: true },
            Format::Markdown => WriterState::Markdown { out, header: form.headers },
            Format::Table | Format::Chart => WriterState::Held { out, batches: Vec::new() },
        };
        Ok(Self { schema, form, state })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.state {
            WriterState::Separated { out, header } => {
                separated::write(batch, self.form, std::mem::take(header), *out)?;
            }
            WriterState::Json(writer) => {
                writer.write(named(batch, &self.schema)?.as_ref()).map_err(failed)?;
            }
            WriterState::Ndjson(writer) => {
                writer.write(named(batch, &self.schema)?.as_ref()).map_err(failed)?;
            }
            WriterState::Parquet(writer) => {
                let columns = batch.columns().iter().zip(self.schema.fields());
                let columns = columns.map(|(column, field)| cast(column, field.data_type()));
                let columns = columns.collect::<std::result::Result<_, _>>()?;
                let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
                writer.write(&batch).map_err(parquet_failed)?;
            }
            WriterState::Line { out, first } => text::lines(batch, first, *out)?,
            WriterState::Markdown { out, header } => {
                text::markdown(batch, std::mem::take(header), *out)?;
            }
            WriterState::Held { batches, .. } => batches.push(batch.clone()),
        }
        Ok(())
    }

    /// Ends the document; how many columns it has no room for.
    fn finish(self) -> Result<usize> {
        let empty = RecordBatch::new_empty(Arc::clone(&self.schema));
        match self.state {
            WriterState::Separated { out, header } => {
                separated::write(&empty, self.form, header, out)?;
            }
            WriterState::Json(mut writer) => {
                writer.finish().map_err(failed)?;
                writer.into_inner().write_all(b"\n").map_err(written)?;
            }
            WriterState::Ndjson(mut writer) => writer.finish().map_err(failed)?,
            WriterState::Parquet(writer) => _ = writer.close().map_err(parquet_failed)?,
            WriterState::Line { .. } => {}
            WriterState::Markdown { out, header } => text::markdown(&empty, header, out)?,
            WriterState::Held { out, batches } => {
                let (text, columns_cut) = if self.form.format == Format::Chart {
                    (chart::draw(&self.schema, &batches, self.form)?, 0)
                } else if text::are_plans(&self.schema) {
                    (text::plans(&batches)?, 0)
                } else {
                    text::framed(&self.schema, &batches, self.form)?
                };
                out.write_all(text.as_bytes()).map_err(written)?;
                return Ok(columns_cut);
            }
        }
        Ok(0)
    }
}

/// The columns, each with a name of its own.
fn with_own_names(schema: &SchemaRef) -> SchemaRef {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let fields = schema.fields().iter().zip(names::distinct(&names));
    let fields = fields.map(|(field, name)| field.as_ref().clone().with_name(name));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch whose columns are called as a schema says.
fn named<'b>(batch: &'b RecordBatch, schema: &SchemaRef) -> Result<Cow<'b, RecordBatch>> {
    let own = batch.schema();
    let columns = own.fields().iter().zip(schema.fields());
    if columns.clone().all(|(own, named)| own.name() == named.name()) {
        return Ok(Cow::Borrowed(batch));
    }
    let fields = columns.map(|(own, named)| own.as_ref().clone().with_name(named.name().clone()));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Ok(Cow::Owned(RecordBatch::try_new(schema, batch.columns().to_vec())?))
}

/// What writes the cells of each column as text.
fn formatters<'a>(
    batch: &'a RecordBatch,
    options: &'a FormatOptions<'a>,
) -> Result<Vec<ArrayFormatter<'a>>> {
    let columns = batch.columns().iter().map(|array| ArrayFormatter::try_new(array, options));
    Ok(columns.collect::<std::result::Result<_, _>>()?)
}

/// Whether a cell is null; an array of nulls alone does not say so itself.
fn is_null(array: &ArrayRef, row: usize) -> bool {
    array.data_type().is_null() || array.is_null(row)
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

fn parquet_failed(cause: ParquetError) -> Error {
    Error::Parquet { action: "write", path: "the result".into(), cause }
}

fn written(source: io::Error) -> Error {
    Error::io("write", Path::new("the result"))(source)
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
        assert_eq!(shown(Format::Csv, &rows), "a,b\n1,x|y\u{1b}\n\"\",\"z,\"\"q\"\"\"\n");
        assert_eq!(shown(Format::Tsv, &rows), "a\tb\n1\tx|y\u{1b}\n\"\"\t\"z,\"\"q\"\"\"\n");
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
        assert_eq!(shown(Format::Line, &[]), "");
    }

    #[test]
    fn a_file_s_name_tells_the_form() {
        let of = |name: &str| Format::of_file(Path::new(name));
        assert_eq!(of("a/b.CSV"), Some(Format::Csv));
        assert_eq!(of("b.jsonl"), Some(Format::Ndjson));
        assert_eq!(of("b.parquet"), Some(Format::Parquet));
        assert_eq!((of("csv"), of("a.xlsx")), (None, None));
    }
}
