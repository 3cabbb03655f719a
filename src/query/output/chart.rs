//! Bars: a result of labels and numbers as people see it at a glance.

use super::{Form, is_null, text};
use crate::error::{QueryError, Result};
use crate::printable::printable;
use arrow::array::{Array as _, ArrayRef, AsArray as _, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use console::{measure_text_width, pad_str, truncate_str};
use std::fmt::Write as _;

/// The longest label, and a line where no width is known.
const LABEL: usize = 40;
const LINE: usize = 80;
/// A bar's last character, in eighths of a whole one.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A line for each row: label, bar, number.
pub(super) fn draw(schema: &SchemaRef, batches: &[RecordBatch], form: &Form) -> Result<String> {
    let (label, number) = columns(schema, form)?;
    let mut rows: Vec<(String, Option<(String, f64)>)> = Vec::new();
    let options = FormatOptions::default();
    for batch in batches {
        let column = |at: usize| batch.columns().get(at);
        let (Some(labels), Some(numbers)) = (column(label), column(number)) else { continue };
        let values = floats(numbers)?;
        let (names, texts) = (
            ArrayFormatter::try_new(labels, &options)?,
            ArrayFormatter::try_new(numbers, &options)?,
        );
        for row in 0..batch.num_rows() {
            let name = if is_null(labels, row) {
                "(null)".to_owned()
            } else {
                printable(&names.value(row).to_string()).into_owned()
            };
            let value =
                (!values.is_null(row)).then(|| (texts.value(row).to_string(), values.value(row)));
            rows.push((truncate_str(&name, LABEL, text::CUT).into_owned(), value));
        }
    }
    Ok(bars(&rows, form.width.unwrap_or(LINE)))
}

/// Where label and number stand: as the query says, or the first number and the first other column.
fn columns(schema: &SchemaRef, form: &Form) -> Result<(usize, usize)> {
    if let Some((label, number)) = &form.chart
        && let (Ok(label), Ok(number)) = (schema.index_of(label), schema.index_of(number))
    {
        return Ok((label, number));
    }
    let fields = schema.fields();
    let number = fields.iter().position(|field| field.data_type().is_numeric());
    let label = fields.iter().position(|field| !field.data_type().is_numeric());
    match (label, number) {
        (Some(label), Some(number)) => Ok((label, number)),
        _ => Err(QueryError::Unwritable(
            "a chart needs a column of labels and one of numbers: use another format",
        )
        .into()),
    }
}

fn floats(numbers: &ArrayRef) -> Result<Float64Array> {
    Ok(cast(numbers, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

fn bars(rows: &[(String, Option<(String, f64)>)], line: usize) -> String {
    let width = |texts: &mut dyn Iterator<Item = &str>| {
        texts.map(measure_text_width).max().unwrap_or_default()
    };
    let label = width(&mut rows.iter().map(|(label, _)| label.as_str()));
    let number = width(&mut rows.iter().filter_map(|(_, v)| v.as_ref()).map(|(t, _)| t.as_str()));
    let room = line.saturating_sub(label + number + 3).max(10);
    let values = rows.iter().filter_map(|(_, value)| value.as_ref()).map(|(_, value)| *value);
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    let mut text = String::new();
    for (name, value) in rows {
        let name = pad_str(name, label, console::Alignment::Left, None);
        let (shown, value) = value.as_ref().map_or(("(null)", 0.0), |(text, v)| (text, *v));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} {shown:>number$} {}", bar(value, most, room));
    }
    text
}

/// A bar of at most `room` characters; less than nothing has none.
fn bar(value: f64, most: f64, room: usize) -> String {
    if !(value > 0.0 && most > 0.0) {
        return String::new();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "between 0 and eight times a line's characters"
    )]
    let eighths = ((value / most).min(1.0) * (room * 8) as f64).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(EIGHTHS.get(eighths % 8).unwrap_or(&""));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_line() {
        let row = |label: &str, value: Option<f64>| {
            (label.to_owned(), value.map(|value| (value.to_string(), value)))
        };
        let rows =
            [row("a", Some(4.0)), row("bc", Some(1.0)), row("d", None), row("e", Some(-2.0))];
        assert_eq!(bars(&rows, 16), "a   4 ██████████\nbc  1 ██▌\nd  (null) \ne  -2 \n");
        assert_eq!(bars(&[], 80), "");
    }
}
