//! S3 Inventory: the list of a bucket's objects that S3 itself writes every day or week.
//!
//! A manifest names data files, gzip CSV without a head or Parquet (S3 User Guide, "Locating your
//! inventory list"). With sizes and entity tags in them nothing of the bucket has to be listed: what
//! a bucket of hundreds of millions of log files costs. Data files are checked by the manifest's MD5.
//! It refuses ORC, and to judge which of the objects are log files.

use crate::error::{Error, Result};
use crate::hash::hex;
use crate::log_file::budget::{InflateBudget, Limits};
use crate::log_file::gzip::inflate;
use crate::store::{Bucket, Buckets, Object, is_s3};
use crate::text;
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A manifest, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    source_bucket: String,
    /// As an ARN.
    destination_bucket: String,
    file_format: String,
    file_schema: String,
    files: Vec<DataFile>,
}

#[derive(Debug, Deserialize)]
struct DataFile {
    key: String,
    #[serde(rename = "MD5checksum")]
    md5: Option<String>,
}

/// Whether a text is a manifest, and no list of sources.
pub(crate) fn is_manifest(text: &str) -> bool {
    let value = serde_json::from_str::<serde_json::Value>(text);
    value.is_ok_and(|value| value.get("sourceBucket").is_some())
}

/// Gives `each` what a manifest's inventory lists, and the bucket that it is of.
pub(super) fn read(
    location: &str,
    limits: Limits,
    each: &mut dyn FnMut(&Arc<Bucket>, ListedObject),
) -> Result<()> {
    let mut buckets = Buckets::default();
    let failed = |reason: String| Error::Inventory { location: location.to_owned(), reason };
    let text = fetch(&mut buckets, location)?;
    let text = text::decode(&text).map_err(|error| failed(error.to_string()))?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| failed(format!("is no manifest of an S3 Inventory: {error}")))?;
    let is_csv = manifest.file_format.eq_ignore_ascii_case("CSV");
    if !is_csv && !manifest.file_format.eq_ignore_ascii_case("Parquet") {
        let format = &manifest.file_format;
        return Err(failed(format!(
            "inventories in {format} are not read: configure the inventory as CSV or Parquet"
        )));
    }
    let (bucket, _) = buckets.open(&format!("s3://{}", manifest.source_bucket))?;
    for file in &manifest.files {
        let (name, bytes) = data_file(&mut buckets, location, &manifest, file)?;
        let failed = |reason: String| Error::Inventory { location: name.clone(), reason };
        let digest = hex(&Md5::digest(&bytes));
        if file.md5.as_ref().is_some_and(|md5| !md5.eq_ignore_ascii_case(&digest)) {
            return Err(failed(format!(
                "has the MD5 {digest}, not what the manifest says; fetch the inventory again"
            )));
        }
        let listed =
            if is_csv { of_csv(bytes, &manifest.file_schema, limits) } else { of_parquet(bytes) };
        listed.map_err(failed)?.into_iter().for_each(|listed| each(&bucket, listed));
    }
    Ok(())
}

fn fetch(buckets: &mut Buckets, location: &str) -> Result<Bytes> {
    if is_s3(location) {
        let (bucket, key) = buckets.open(location)?;
        let found = bucket.find(&key)?.map(|(bytes, _)| bytes);
        return found.ok_or_else(|| Error::NoSource(location.to_owned()));
    }
    let path = Path::new(location);
    fs::read(path).map(Bytes::from).map_err(Error::io("read", path))
}

/// A data file: beside the manifest where that is on disk, as a copy of the inventory's folder has
/// it; else in the bucket that the inventory was written to.
fn data_file(
    buckets: &mut Buckets,
    location: &str,
    manifest: &Manifest,
    file: &DataFile,
) -> Result<(String, Bytes)> {
    let at = if is_s3(location) {
        let arn = &manifest.destination_bucket;
        let bucket = arn.rsplit(':').next().unwrap_or(arn);
        format!("s3://{bucket}/{}", file.key)
    } else {
        let name = file.key.rsplit('/').next().unwrap_or(&file.key);
        let day = Path::new(location).parent().unwrap_or_else(|| Path::new(""));
        let places = [day.join("../data").join(name), day.join("data").join(name), day.join(name)];
        let there: Option<&PathBuf> = places.iter().find(|place| place.is_file());
        let [first, ..] = &places;
        there.unwrap_or(first).to_string_lossy().into_owned()
    };
    let bytes = fetch(buckets, &at)?;
    Ok((at, bytes))
}

/// A row of an inventory.
#[derive(Debug)]
pub(super) struct ListedObject {
    pub(super) key: String,
    bytes: Option<u64>,
    etag: Option<String>,
    /// A delete marker, or not the newest version.
    pub(super) is_past: bool,
}

impl ListedObject {
    /// The object, where the inventory tells all that is to be known of it; else its key.
    pub(super) fn object(self) -> std::result::Result<Object, String> {
        match (self.bytes, self.etag.filter(|etag| !etag.is_empty())) {
            (Some(bytes), Some(etag)) => Ok(Object { key: self.key, bytes, etag }),
            _ => Err(self.key),
        }
    }
}

fn of_csv(
    bytes: Bytes,
    columns: &str,
    limits: Limits,
) -> std::result::Result<Vec<ListedObject>, String> {
    let room = InflateBudget::new(limits, bytes.len());
    let text = inflate(bytes.into(), &room)?;
    let columns: Vec<_> = columns.split(',').map(str::trim).collect();
    let at = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let key = at("Key").ok_or("the manifest's schema has no column Key")?;
    let [size, etag, latest, marker] = ["Size", "ETag", "IsLatest", "IsDeleteMarker"].map(at);
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
    let listed = rows.records().map(|row| {
        let row = row.map_err(|error| error.to_string())?;
        let value = |at: Option<usize>| at.and_then(|at| row.get(at));
        let is = |at, text: &str| value(at).is_some_and(|v: &str| v.eq_ignore_ascii_case(text));
        // As in forms of the web: a space is a plus.
        let name = value(Some(key)).unwrap_or_default().replace('+', " ");
        let name = percent_decode_str(&name).decode_utf8().map_err(|error| error.to_string())?;
        Ok(ListedObject {
            key: name.into_owned(),
            bytes: value(size).and_then(|size| size.parse().ok()),
            etag: value(etag).map(str::to_owned),
            is_past: is(latest, "false") || is(marker, "true"),
        })
    });
    listed.collect()
}

fn of_parquet(bytes: Bytes) -> std::result::Result<Vec<ListedObject>, String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes);
    let reader = reader.and_then(ParquetRecordBatchReaderBuilder::build);
    let mut listed = Vec::new();
    for batch in reader.map_err(|error| error.to_string())? {
        listed.extend(of_batch(&batch.map_err(|error| error.to_string())?)?);
    }
    Ok(listed)
}

fn of_batch(batch: &RecordBatch) -> std::result::Result<Vec<ListedObject>, String> {
    let column = |name: &str| batch.column_by_name(name);
    let texts = |name: &str| column(name)?.as_string_opt::<i32>();
    let flags = |name: &str| column(name)?.as_boolean_opt();
    let keys = texts("key").ok_or("has no text column `key`")?;
    let sizes = column("size").and_then(|sizes| sizes.as_primitive_opt::<Int64Type>());
    let (etags, latest, marker) = (texts("e_tag"), flags("is_latest"), flags("is_delete_marker"));
    let listed = (0..batch.num_rows()).map(|row| {
        let is = |column: Option<&arrow::array::BooleanArray>, flag| {
            column.is_some_and(|column| column.is_valid(row) && column.value(row) == flag)
        };
        let bytes = sizes.filter(|sizes| sizes.is_valid(row)).map(|sizes| sizes.value(row));
        ListedObject {
            key: keys.value(row).to_owned(),
            bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()),
            etag: etags.filter(|e| e.is_valid(row)).map(|e| e.value(row).to_owned()),
            is_past: is(latest, false) || is(marker, true),
        }
    });
    Ok(listed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;

    #[test]
    fn keys_are_decoded_and_past_versions_left_out() {
        let text = "\"b\",\"AWSLogs/a%3Db+c%2B.json.gz\",\"v1\",\"true\",\"false\",\"12\",\"e1\"\n\
                    \"b\",\"old\",\"v0\",\"false\",\"false\",\"1\",\"e0\"\n\
                    \"b\",\"gone\",\"v2\",\"true\",\"true\",\"\",\"\"\n";
        let columns = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag";
        let rows = of_csv(Bytes::from(text), columns, Limits::default()).unwrap();
        let rows: Vec<_> = rows.iter().map(|r| (&*r.key, r.bytes, r.is_past)).collect();
        let expected = [
            ("AWSLogs/a=b c+.json.gz", Some(12), false),
            ("old", Some(1), true),
            ("gone", None, true),
        ];
        assert_eq!(rows, expected);
        assert!(of_csv(Bytes::new(), "Bucket, Size", Limits::default()).is_err());
    }

    #[test]
    fn inventories_in_parquet_are_read() {
        let keys: ArrayRef = Arc::new(StringArray::from(vec!["a b+%", "old", "gone"]));
        let sizes: ArrayRef = Arc::new(Int64Array::from(vec![Some(12), Some(1), None]));
        let etags: ArrayRef = Arc::new(StringArray::from(vec![Some("e1"), Some("e0"), None]));
        let latest: ArrayRef = Arc::new(BooleanArray::from(vec![true, false, true]));
        let marker: ArrayRef = Arc::new(BooleanArray::from(vec![false, false, true]));
        let columns = [
            ("key", keys),
            ("size", sizes),
            ("e_tag", etags),
            ("is_latest", latest),
            ("is_delete_marker", marker),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut file = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let mut rows = of_parquet(Bytes::from(file)).unwrap();
        assert_eq!(rows.iter().map(|r| r.is_past).collect::<Vec<_>>(), [false, true, true]);
        let expected = Object { key: "a b+%".to_owned(), bytes: 12, etag: "e1".to_owned() };
        assert_eq!(rows.remove(0).object(), Ok(expected));
        assert_eq!(rows.remove(1).object(), Err("gone".to_owned()));
        assert!(of_parquet(Bytes::from_static(b"PAR1")).is_err());
    }

    #[test]
    fn a_list_of_sources_is_no_manifest() {
        assert!(is_manifest("{\"sourceBucket\": \"b\"}"));
        assert!(!is_manifest("logs/{a,b}.json\n"));
        assert!(!is_manifest("{\"Records\": []}"));
    }
}
