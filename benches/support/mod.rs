//! What the benches share: log files made from the records of `data/`, so that a figure needs nothing
//! but a clone.

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};

/// How much to make: `measured` where `cargo bench` runs this, else `smoke`, which only shows that the
/// bench works. Criterion tells the two apart by the same word.
pub(crate) fn size(measured: usize, smoke: usize) -> usize {
    if std::env::args().any(|arg| arg == "--bench") { measured } else { smoke }
}

/// Every record of `data/AWSLogs`.
pub(crate) fn records() -> anyhow::Result<Vec<Value>> {
    let mut records = Vec::new();
    for entry in walkdir::WalkDir::new("data/AWSLogs").sort_by_file_name() {
        let entry = entry?;
        if !entry.file_type().is_file() {
            continue;
        }
        let raw = fs::read(entry.path())?;
        let mut text = Vec::new();
        if raw.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(raw.as_slice()).read_to_end(&mut text)?;
        } else {
            text = raw;
        }
        let mut file: Value = serde_json::from_slice(&text)?;
        if let Some(Value::Array(list)) = file.get_mut("Records").map(Value::take) {
            records.extend(list);
        }
    }
    Ok(records)
}

/// The text of a log file that has all records so many times, each under an event id of its own; no
/// other `number` has the same.
pub(crate) fn log_file(records: &[Value], number: usize, repeats: usize) -> String {
    let mut list = Vec::new();
    for repeat in 0..repeats {
        for (index, record) in records.iter().enumerate() {
            let mut record = record.clone();
            if let Some(record) = record.as_object_mut() {
                let id = format!("{number:04}-{repeat:04}-{index:08}");
                record.insert("eventID".to_owned(), Value::String(id));
            }
            list.push(record);
        }
    }
    json!({ "Records": list }).to_string()
}

/// A log file as it is stored.
pub(crate) fn gzip(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

/// Ends a bench: one that cannot run has failed, and must say so.
pub(crate) fn finish(run: anyhow::Result<()>) {
    if let Err(error) = run {
        std::panic::resume_unwind(Box::new(format!("{error:#}")));
    }
}
