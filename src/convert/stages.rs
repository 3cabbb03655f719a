//! A door for the benches in `benches/stages.rs`, built for them alone.
//!
//! It takes one log file from stage to stage as `convert` does and hands each to who measures it, with
//! what goes into it made before: what is measured is the stage and nothing else. It refuses to do
//! a stage's work itself.

use crate::convert::merge;
use crate::error::{Error, Result};
use crate::flatten::record::Record;
use crate::flatten::row::{Row, Value};
use crate::json::{Document, Tape};
use crate::log_file::budget::{InflateBudget, Limits};
use crate::log_file::decompress::Buffers;
use crate::log_file::envelope;
use crate::log_file::envelope::piece::Piece;
use crate::part::PartWriter;
use crate::rows::{MemoryBudget, Runs};
use crate::schema::Col;
use crate::{flatten, redact};
use arrow::array::RecordBatch;
use std::borrow::Cow;
use std::hash::RandomState;
use std::hint::black_box;
use std::path::PathBuf;

/// Who is given each stage: its name, and what does it once.
pub type Measure<'m> = &'m mut dyn FnMut(&str, &mut dyn FnMut() -> usize);

/// What a run of rows has at most: little, so that one log file has runs to merge.
const RUN: usize = 1 << 20;

/// Gives `measure` every stage of converting one log file, of which all records are to become rows.
pub fn each(stored: &[u8], measure: Measure<'_>) -> Result<()> {
    let room = || InflateBudget::new(Limits::default(), stored.len());
    let mut buffers = Buffers::default();
    buffers.hold(stored.to_vec());
    let bytes = buffers.unpack(&room(), false).bytes.to_vec();
    stage("inflate", bytes.len(), measure, || {
        Ok(black_box(buffers.unpack(&room(), false)).bytes.len())
    })?;

    let mut texts = Vec::new();
    envelope::split(&bytes, &room(), &mut |piece| {
        if let Piece::Record(bytes) | Piece::Other(bytes) = piece {
            texts.push(String::from_utf8_lossy(bytes).into_owned());
        }
    });
    stage("first look", texts.len(), measure, || {
        let mut pieces = 0;
        envelope::split(&bytes, &room(), &mut |piece| {
            black_box(piece);
            pieces += 1;
        });
        Ok(pieces)
    })?;
    each_of_records(&texts, measure)
}

/// The stages from records to rows.
fn each_of_records(texts: &[String], measure: Measure<'_>) -> Result<()> {
    let mut tape = Tape::default();
    stage("tape", texts.len(), measure, || {
        Ok(texts.iter().filter(|text| black_box(tape.read(text)).is_some()).count())
    })?;

    let mut tapes = tapes(texts.len());
    let documents = documents(texts, &mut tapes);
    stage("redact", texts.len(), measure, || {
        Ok(documents.iter().map(redact::redact).map(black_box).count())
    })?;

    let masked: Vec<Cow<'_, str>> =
        documents.iter().map(|document| redact::redact(document).text).collect();
    let mut tapes = self::tapes(texts.len());
    let documents = self::documents(&masked, &mut tapes);
    let rows = || {
        let records = documents.iter().filter_map(|document| Record::new(document.value()));
        records.map(|record| flatten::flatten(&record))
    };
    stage("flatten", texts.len(), measure, || Ok(rows().map(black_box).count()))?;

    let numbered = (0..).zip(rows()).map(|(number, mut row)| {
        row.set(Col::SourceFile, Value::text("log"));
        row.set(Col::SourceRecord, Value::Int(number));
        row
    });
    each_of_rows(&numbered.collect::<Vec<_>>(), measure)
}

/// The stages from rows to a part file.
fn each_of_rows(rows: &[Row<'_>], measure: Measure<'_>) -> Result<()> {
    let state = RandomState::new();
    let sorted = || {
        let space = MemoryBudget { run: RUN, held: usize::MAX, folder: PathBuf::new() };
        let mut runs = Runs::new(space, &[], state.clone());
        rows.iter().try_for_each(|row| runs.push(row))?;
        runs.finish().map(|()| runs)
    };
    stage("pack and sort", rows.len(), measure, || {
        Ok(black_box(sorted()?).partitions().map(|(_, rows)| rows).sum())
    })?;

    let runs = sorted()?;
    let merged = || merge::batches(&runs, &state);
    let count = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).sum();
    stage("merge", rows.len(), measure, || Ok(count(&black_box(merged()?))))?;

    let batches = merged()?;
    stage("encode", rows.len(), measure, || {
        let name = PathBuf::from("part");
        let file = tempfile::tempfile().map_err(Error::io("make", &name))?;
        let mut writer = PartWriter::new(&file, name, rows.len())?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        Ok(usize::try_from(writer.finish()?.rows).unwrap_or_default())
    })
}

/// Hands a stage over once it was seen to give what it should: one that fails is fast.
fn stage(
    name: &str,
    expected: usize,
    measure: Measure<'_>,
    mut run: impl FnMut() -> Result<usize>,
) -> Result<()> {
    let given = run()?;
    if given != expected || given == 0 {
        return Err(Error::Unreconciled(format!("{name} gives {given}, not {expected}")));
    }
    measure(name, &mut || run().unwrap_or_default());
    Ok(())
}

fn tapes(count: usize) -> Vec<Tape> {
    (0..count).map(|_| Tape::default()).collect()
}

fn documents<'a, 't>(texts: &'a [impl AsRef<str>], tapes: &'t mut [Tape]) -> Vec<Document<'a, 't>> {
    texts.iter().zip(tapes).filter_map(|(text, tape)| tape.read(text.as_ref())).collect()
}
