//! Tables, lines and Markdown: for people.
//!
//! What acts on a terminal is escaped. A table is cut to the line: long cells end with a mark, and
//! columns without room are left out and counted.

use super::{Form, formatters, is_null, written};
use crate::error::Result;
use crate::printable::printable;
use arrow::array::{Array as _, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_options;
use console::{measure_text_width, truncate_str};
use std::io::Write;
use std::sync::Arc;

/// Ends a cell that was cut.
pub(super) const CUT: &str = "…";
/// What a column of text has at least, if its cells need as much: fewer characters tell nothing.
const NARROWEST: usize = 16;
/// What a frame adds to a column, and to a line.
const FRAME: (usize, usize) = (3, 1);

/// A table in a frame, and how many columns have no room in it.
pub(super) fn framed(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    form: &Form,
) -> Result<(String, usize)> {
    let names: Vec<_> =
        schema.fields().iter().map(|field| printable(field.name()).into_owned()).collect();
    let mut columns = Vec::with_capacity(names.len());
    for at in 0..names.len() {
        columns.push(cells(batches, at)?);
    }
    let widest = |(name, cells): (&String, &Vec<Option<String>>)| {
        let cells = cells.iter().flatten().map(|cell| measure_text_width(cell));
        cells.max().unwrap_or_default().max(measure_text_width(name))
    };
    let natural = names.iter().zip(&columns).map(widest);
    // Half a number or time is a wrong one.
    let can_be_cut = schema.fields().iter().map(|field| is_long(field.data_type()));
    let natural: Vec<_> = natural.zip(can_be_cut).collect();
    let widths = fit(&natural, form.width.unwrap_or(usize::MAX));
    let mut fields = Vec::with_capacity(widths.len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(widths.len());
    for ((name, cells), width) in names.iter().zip(&columns).zip(&widths) {
        fields.push(Field::new(truncate_str(name, *width, CUT), DataType::Utf8, true));
        let cells = cells.iter().map(|cell| Some(truncate_str(cell.as_deref()?, *width, CUT)));
        arrays.push(Arc::new(cells.collect::<StringArray>()));
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    let table = pretty_format_batches_with_options(&[batch], &FormatOptions::default())?;
    let mut text = format!("{table}\n");
    if !form.headers {
        // The names, and the line below them.
        let kept = text.lines().enumerate().filter(|(at, _)| !(1..=2).contains(at));
        text = kept.fold(String::new(), |text, (_, line)| text + line + "\n");
    }
    Ok((text, names.len() - widths.len()))
}

/// Whether rows are what EXPLAIN answers.
pub(super) fn are_plans(schema: &SchemaRef) -> bool {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    names.eq(["plan_type", "plan"])
}

/// Plans, which are lines already.
pub(super) fn plans(batches: &[RecordBatch]) -> Result<String> {
    let options = FormatOptions::default();
    let mut text = String::new();
    for batch in batches {
        let columns = formatters(batch, &options)?;
        for row in 0..batch.num_rows() {
            for cell in &columns {
                for line in cell.value(row).to_string().lines() {
                    text.push_str(&printable(line));
                    text.push('\n');
                }
            }
        }
    }
    Ok(text)
}

/// A column's cells as they are shown.
fn cells(batches: &[RecordBatch], at: usize) -> Result<Vec<Option<String>>> {
    let options = FormatOptions::default();
    let mut cells = Vec::new();
    for array in batches.iter().filter_map(|batch| batch.columns().get(at)) {
        let formatter = ArrayFormatter::try_new(array, &options)?;
        let cell = |row| {
            let text = || printable(&formatter.value(row).to_string()).into_owned();
            (!is_null(array, row)).then(text)
        };
        cells.extend((0..array.len()).map(cell));
    }
    Ok(cells)
}

/// Whether a column's cells may be cut: texts and what is nested.
fn is_long(data_type: &DataType) -> bool {
    data_type.is_string() || data_type.is_nested()
}

/// The widths that columns get in a line, from what each needs and whether it can be cut; those that
/// have no room are left out at the end.
fn fit(natural: &[(usize, bool)], line: usize) -> Vec<usize> {
    let cut_to = |shown: &[(usize, bool)], most: usize| -> Vec<usize> {
        let cut = |(width, can): &(usize, bool)| if *can { *width.min(&most) } else { *width };
        shown.iter().map(cut).collect()
    };
    let fits =
        |widths: &[usize]| widths.iter().map(|w| w + FRAME.0).sum::<usize>() + FRAME.1 <= line;
    let mut shown = natural;
    while let [rest @ .., _] = shown
        && !rest.is_empty()
        && !fits(&cut_to(shown, NARROWEST))
    {
        shown = rest;
    }
    let widest = shown.iter().map(|(width, _)| *width).max().unwrap_or_default();
    let whole = cut_to(shown, widest);
    if fits(&whole) {
        return whole;
    }
    // The more a column may have the longer the line: the first that does not fit ends it.
    let most = (NARROWEST..widest).take_while(|most| fits(&cut_to(shown, *most))).last();
    cut_to(shown, most.unwrap_or(NARROWEST))
}

/// `name = value` for each value that is there, rows apart by an empty line.
pub(super) fn lines(batch: &RecordBatch, first: &mut bool, out: &mut impl Write) -> Result<()> {
    let options = FormatOptions::default();
    let schema = batch.schema();
    let names: Vec<_> = schema.fields().iter().map(|field| printable(field.name())).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let columns = formatters(batch, &options)?;
    for row in 0..batch.num_rows() {
        if !std::mem::take(first) {
            out.write_all(b"\n").map_err(written)?;
        }
        for ((name, array), column) in names.iter().zip(batch.columns()).zip(&columns) {
            if !is_null(array, row) {
                let value = column.value(row).to_string();
                writeln!(out, "{name:>width$} = {}", printable(&value)).map_err(written)?;
            }
        }
    }
    Ok(())
}

/// Lines of a Markdown table, with its head if they are the first.
pub(super) fn markdown(batch: &RecordBatch, header: bool, out: &mut impl Write) -> Result<()> {
    let cell = |text: &str| printable(text).replace('|', "\\|").replace('<', "&lt;");
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let schema = batch.schema();
    let mut text = String::new();
    if header {
        text.push_str(&line(schema.fields().iter().map(|field| cell(field.name())).collect()));
        text.push_str(&line(vec!["---".to_owned(); schema.fields().len()]));
    }
    let options = FormatOptions::default();
    let columns = formatters(batch, &options)?;
    for row in 0..batch.num_rows() {
        text.push_str(&line(columns.iter().map(|c| cell(&c.value(row).to_string())).collect()));
    }
    out.write_all(text.as_bytes()).map_err(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(widths: &[usize]) -> Vec<(usize, bool)> {
        widths.iter().map(|width| (*width, true)).collect()
    }

    #[test]
    fn wide_columns_give_way_first() {
        assert_eq!(fit(&texts(&[5, 5]), 80), [5, 5]);
        // 3 characters of frame a column and one a line: 80 - 10 are left.
        assert_eq!(fit(&texts(&[5, 200, 100]), 80), [5, 32, 32]);
        assert_eq!(fit(&texts(&[10, 20, 300]), 80), [10, 20, 40]);
        assert_eq!(fit(&[(30, false), (200, true)], 80), [30, 43]);
        assert_eq!(fit(&texts(&[50; 187]), 80).len(), 4);
        assert_eq!(fit(&texts(&[50]), 3), [16]);
        assert_eq!(fit(&[], 80), [] as [usize; 0]);
    }

    proptest! {
        #[test]
        fn a_line_has_room_for_what_is_shown(
            natural in prop::collection::vec((1_usize..300, any::<bool>()), 1..40),
            line in 20_usize..300,
        ) {
            let widths = fit(&natural, line);
            let used = widths.iter().map(|width| width + 3).sum::<usize>() + 1;
            prop_assert!(used <= line || widths.len() == 1, "{} of {}", used, line);
            for (width, (natural, can_be_cut)) in widths.iter().zip(&natural) {
                prop_assert!(width <= natural && (*can_be_cut || width == natural));
            }
        }
    }
}
