//! What the tests share: datasets, and reading them and log files without the binary.

pub(crate) use crate::program::{ROOT, Run, buildtrail, clean, command, run};

use arrow::json::ArrayWriter;
use arrow::json::writer::WriterBuilder;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use tempfile::TempDir;
use walkdir::WalkDir;

/// The sample trail, as the tests name it on the command line.
pub(crate) const SAMPLE: &str = "data/AWSLogs";
/// A dataset, or the place of one, in a folder of its own that goes when this goes.
#[derive(Debug)]
pub(crate) struct Dataset {
    folder: TempDir,
    /// What `convert` said of it.
    pub(crate) summary: Value,
}

impl Dataset {
    /// A place where no dataset is yet; its parent is empty but for it.
    pub(crate) fn place() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), summary: Value::Null }
    }

    /// A copy of it, in a folder of its own; of a place without a dataset another such place.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::place();
        let names = if self.path().exists() { files(&self.path()) } else { Vec::new() };
        for name in names {
            let to = copy.path().join(&name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(self.path().join(&name), to).unwrap();
        }
        copy
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("dataset")
    }

    pub(crate) fn name(&self) -> String {
        text(&self.path())
    }

    /// Converts into it.
    pub(crate) fn convert(&self, args: &[&str]) -> Run {
        let name = self.name();
        buildtrail(&[&["convert", "--out", &name, "--format", "json"], args].concat())
    }

    /// Its part files below it, by path.
    pub(crate) fn parts(&self) -> Vec<String> {
        let names = files(&self.path()).into_iter();
        names.filter(|name| Path::new(name).extension() == Some("parquet".as_ref())).collect()
    }

    /// The rows of a part file as JSON objects with a member for every column.
    pub(crate) fn rows_of(&self, part: &str) -> Vec<Value> {
        let file = File::open(self.path().join(part)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let mut out = Vec::new();
        let mut writer: ArrayWriter<_> =
            WriterBuilder::new().with_explicit_nulls(true).build(&mut out);
        for batch in reader {
            writer.write(&batch.unwrap()).unwrap();
        }
        writer.finish().unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    /// All its rows, read from its part files without the query engine.
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.parts().iter().flat_map(|part| self.rows_of(part)).collect()
    }

    /// The answer of `buildtrail sql`.
    pub(crate) fn sql(&self, sql: &str) -> Value {
        buildtrail(&["sql", &self.name(), "-c", sql, "--format", "json"]).exits(0).json()
    }
}

/// Converts into a new dataset.
#[track_caller]
pub(crate) fn dataset(args: &[&str]) -> Dataset {
    let mut dataset = Dataset::place();
    dataset.summary = dataset.convert(args).exits(0).json();
    dataset
}

/// The sample converted with `--keep`, shared by the tests that run at one time.
pub(crate) fn sample(keep: &'static str) -> Arc<Dataset> {
    static SAMPLES: Mutex<BTreeMap<&str, Weak<Dataset>>> = Mutex::new(BTreeMap::new());
    // A conversion that failed in another test fails here by itself.
    let mut samples = SAMPLES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = samples.get(keep).and_then(Weak::upgrade) {
        return known;
    }
    let new = Arc::new(dataset(&[SAMPLE, "--keep", keep]));
    samples.insert(keep, Arc::downgrade(&new));
    new
}

/// Every log file of the sample and its records, read with nothing of the tool: no digest file.
pub(crate) fn log_files() -> BTreeMap<String, Vec<Value>> {
    let names = files(&Path::new(ROOT).join(SAMPLE)).into_iter();
    let read = |name: String| {
        let bytes = fs::read(Path::new(ROOT).join(SAMPLE).join(&name)).unwrap();
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        let mut log: Value = serde_json::from_str(&text).unwrap();
        let records = log.get_mut("Records")?.take();
        Some((format!("{SAMPLE}/{name}"), serde_json::from_value(records).unwrap()))
    };
    names.filter_map(read).collect()
}

/// The records of the sample's log files of calls: no Insight file.
pub(crate) fn records() -> Vec<Value> {
    let calls = log_files().into_iter().filter(|(name, _)| !name.contains("CloudTrail-Insight"));
    calls.flat_map(|(_, records)| records).collect()
}

/// The CodeBuild events of the sample, each once.
pub(crate) fn events() -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let mut records = records();
    records.retain(|r| r["eventSource"] == "codebuild.amazonaws.com");
    records.retain(|r| seen.insert(r["eventID"].to_string()));
    records
}

/// Writes a log file; its path.
pub(crate) fn log_file(folder: &Path, name: &str, records: &[Value]) -> String {
    let path = folder.join(name);
    fs::write(&path, json!({"Records": records}).to_string()).unwrap();
    text(&path)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The path of every file below a folder, relative to it, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(|entry| text(entry.path().strip_prefix(folder).unwrap())).collect()
}

/// The hash of every file below a folder.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, String> {
    let hash = |name: &String| {
        let digest = Sha256::digest(fs::read(folder.join(name)).unwrap());
        digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    };
    files(folder).into_iter().map(|name| (name.clone(), hash(&name))).collect()
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A text member of an object.
pub(crate) fn str<'v>(object: &'v Value, name: &str) -> &'v str {
    object[name].as_str().unwrap_or_else(|| panic!("no text in {name}: {object}"))
}

/// Fails unless `row` has the members of `expected`; says all that differ.
#[track_caller]
pub(crate) fn has(row: &Value, expected: &Value) {
    let differs = |(name, value): &(&String, &Value)| row.get(name.as_str()) != Some(value);
    let wrong = expected.as_object().unwrap().iter().filter(differs);
    let wrong = wrong.map(|(name, value)| format!("{name}: {} is not {value}", row[name.as_str()]));
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}:\n{}", row["event_id"], wrong.join("\n"));
}
