//! The lines of one version of a Delta Lake log: actions, each a JSON object, as the
//! [protocol](https://github.com/delta-io/delta/blob/master/PROTOCOL.md) has them.
//!
//! It refuses to know when a version is written, or to what.

use crate::dataset::commit::Action;
use crate::dataset::parts::PartFile;
use crate::layout::{PartitionColumn, parse_level};
use crate::schema::{COLUMNS, Kind, SCHEMA_VERSION};
use chrono::{DateTime, Datelike as _, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The application that the log's transactions are of, and the feature that its writers need.
const US: &str = "buildtrail";
/// Paths are URLs: what Hive has escaped already is escaped once more.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'=').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A version that is being written.
pub(super) struct Version {
    lines: Vec<Value>,
    now: i64,
    changes_rows: bool,
}

impl Version {
    /// The version that follows from commit `number`, by which rows come or go, or none do.
    pub(super) fn new(action: Action, number: u64, changes_rows: bool, now: DateTime<Utc>) -> Self {
        let now = now.timestamp_millis();
        let info = json!({"commitInfo": {
            "timestamp": now,
            "operation": operation(action),
            "operationParameters": {},
            "engineInfo": format!("{US}/{}", env!("CARGO_PKG_VERSION")),
            "schemaVersion": SCHEMA_VERSION,
        }});
        // By this a writer knows what it has written.
        let transaction = json!({"txn": {"appId": US, "version": number}});
        Self { lines: vec![info, transaction], now, changes_rows }
    }

    /// What readers and writers must know: nothing, and a feature that nobody else has.
    pub(super) fn protocol(&mut self) {
        self.lines.push(json!({"protocol": {
            "minReaderVersion": 1,
            "minWriterVersion": 7,
            "writerFeatures": [US],
        }}));
    }

    /// The table: its columns, and by which of them it is partitioned.
    pub(super) fn table(&mut self, partition_by: &[PartitionColumn]) {
        let names: Vec<_> = partition_by.iter().map(|column| column.name()).collect();
        self.lines.push(json!({"metaData": {
            "id": Uuid::new_v4().to_string(),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": schema(partition_by),
            "partitionColumns": names,
            "configuration": {},
            "createdTime": self.now,
        }}));
    }

    /// The table of the first version, with the columns that there are now.
    pub(super) fn table_again(&mut self, first: &[u8], partition_by: &[PartitionColumn]) {
        if let Some(Value::Object(mut table)) = find(first, "metaData") {
            table.insert("schemaString".to_owned(), schema(partition_by).into());
            self.lines.push(json!({"metaData": table}));
        }
    }

    /// A part file that is new in this version.
    pub(super) fn add(&mut self, part: &PartFile) {
        let levels = part.partition().split('/').filter_map(parse_level);
        let values = levels.map(|(name, value)| (name.to_owned(), Value::from(value)));
        self.lines.push(json!({"add": {
            "path": encode(&part.path),
            "partitionValues": values.collect::<Map<_, _>>(),
            "size": part.bytes,
            "modificationTime": self.now,
            "dataChange": self.changes_rows,
            "stats": stats(part).to_string(),
        }}));
    }

    /// A part file that is in the dataset no longer.
    pub(super) fn remove(&mut self, path: &str) {
        self.lines.push(json!({"remove": {
            "path": encode(path),
            "deletionTimestamp": self.now,
            "dataChange": self.changes_rows,
        }}));
    }

    pub(super) fn into_lines(self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
    }
}

/// By what a version of ours is known.
pub(super) struct Mark {
    /// The commit that it followed from.
    pub(super) commit: u64,
    /// The version of the columns that it knew.
    pub(super) schema: u32,
}

impl Mark {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let transaction = find(text, "txn")?;
        if transaction.get("appId")? != US {
            return None;
        }
        let schema = find(text, "commitInfo")?.get("schemaVersion")?.as_u64()?;
        let commit = transaction.get("version")?.as_u64()?;
        Some(Self { commit, schema: u32::try_from(schema).ok()? })
    }
}

/// The first action of a kind.
fn find(text: &[u8], kind: &str) -> Option<Value> {
    let actions = text.split(|byte| *byte == b'\n');
    let mut actions = actions.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    actions.find_map(|mut action| action.get_mut(kind).map(Value::take))
}

/// Brings part files and their sizes from one version to the next.
pub(super) fn replay(text: &[u8], parts: &mut BTreeMap<String, u64>) -> Result<(), String> {
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let action: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        for kind in ["add", "remove"] {
            let Some(action) = action.get(kind) else { continue };
            let path = action.get("path").and_then(Value::as_str);
            let path = path.ok_or_else(|| format!("`{kind}` has no path"))?;
            let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
            match kind {
                "add" => {
                    let bytes = action.get("size").and_then(Value::as_u64);
                    parts.insert(path, bytes.unwrap_or_default())
                }
                _ => parts.remove(&path),
            };
        }
    }
    Ok(())
}

/// What the protocol calls it.
const fn operation(action: Action) -> &'static str {
    match action {
        Action::Convert => "WRITE",
        Action::Compact => "OPTIMIZE",
        Action::Adopt | Action::Delta => "CONVERT",
    }
}

fn encode(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

/// What of its rows a commit knows without reading the part file.
fn stats(part: &PartFile) -> Value {
    let text = |millis| {
        // The protocol has no text for other years.
        let time = DateTime::<Utc>::from_timestamp_millis(millis)?;
        let is_plain = (0..=9999).contains(&time.year());
        is_plain.then(|| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
    };
    match (part.from.and_then(text), part.to.and_then(text)) {
        (Some(from), Some(to)) => json!({
            "numRecords": part.rows,
            "minValues": {"event_time": from},
            "maxValues": {"event_time": to},
        }),
        _ => json!({"numRecords": part.rows}),
    }
}

/// The columns of the part files, and the partition columns that these do not have, as Spark's JSON.
fn schema(partition_by: &[PartitionColumn]) -> String {
    let columns = COLUMNS.iter().map(|column| {
        let metadata = json!({"comment": column.meaning});
        json!({"name": column.name, "type": kind(column.kind), "nullable": true, "metadata": metadata})
    });
    let own = partition_by.iter().map(|column| column.name());
    let own = own.filter(|name| COLUMNS.iter().all(|column| column.name != *name));
    let own =
        own.map(|name| json!({"name": name, "type": "string", "nullable": true, "metadata": {}}));
    json!({"type": "struct", "fields": columns.chain(own).collect::<Vec<_>>()}).to_string()
}

fn kind(kind: Kind) -> Value {
    match kind {
        Kind::Text => "string".into(),
        Kind::Bool => "boolean".into(),
        Kind::Int32 => "integer".into(),
        Kind::Int64 => "long".into(),
        // Of microseconds; every reader widens the milliseconds of the part files.
        Kind::Time => "timestamp".into(),
        Kind::TextList => {
            json!({"type": "array", "elementType": "string", "containsNull": true})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_urls_and_come_back() {
        for (path, url) in [
            ("region=us-east-1/part-0.parquet", "region=us-east-1/part-0.parquet"),
            ("event_name=a%2Fb/part-0.parquet", "event_name=a%252Fb/part-0.parquet"),
            ("region=us east é+&/p", "region=us%20east%20%C3%A9%2B%26/p"),
        ] {
            assert_eq!(encode(path), url);
            let mut parts = BTreeMap::new();
            let line = json!({"add": {"path": url, "size": 7}}).to_string();
            replay(line.as_bytes(), &mut parts).unwrap();
            assert_eq!(parts, BTreeMap::from([(path.to_owned(), 7)]));
            let line = json!({"remove": {"path": url}}).to_string() + "\n";
            replay(line.as_bytes(), &mut parts).unwrap();
            assert!(parts.is_empty());
        }
    }

    #[test]
    fn times_that_the_protocol_cannot_write_are_left_out() {
        let part =
            PartFile { rows: 3, from: Some(0), to: Some(1), ..PartFile::found("p".into(), 1) };
        let stats = |to| stats(&PartFile { to, ..part.clone() });
        assert_eq!(stats(Some(1))["maxValues"]["event_time"], "1970-01-01T00:00:00.001Z");
        for to in [None, Some(i64::MAX), Some(253_402_300_800_000)] {
            assert_eq!(stats(to), json!({"numRecords": 3}));
        }
    }

    #[test]
    fn a_version_of_others_has_no_mark() {
        let ours = Version::new(Action::Compact, 7, false, Utc::now()).into_lines();
        assert_eq!(
            Mark::parse(&ours).map(|mark| (mark.commit, mark.schema)),
            Some((7, SCHEMA_VERSION))
        );
        for text in ["", "{", "[]\n{}", r#"{"txn":{"appId":"spark","version":7}}"#] {
            assert!(Mark::parse(text.as_bytes()).is_none(), "{text}");
        }
        let id = Uuid::new_v4().to_string();
        assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id}");
    }
}
