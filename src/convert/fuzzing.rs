//! A door for the fuzz targets in `tests/fuzz`, built for them and for tests alone.
//!
//! It reads what it is given as `convert` does, up to the rows, and fails where a promise is broken. It
//! refuses to write anything.

use crate::convert::worker::{ConvertWorker, Job};
use crate::flatten::record::Record;
use crate::log_file::budget::{InflateBudget, Limits};
use crate::log_file::decompress::Buffers;
use crate::log_file::{LogFile, Origin};
use crate::rows::Columns;
use crate::rows::{MemoryBudget, Runs};

use crate::dataset::{Ledger, Root};
use crate::json::{self, Tape};
use crate::scope::{Keep, Redact, Scope};
use crate::{flatten, redact};
use std::hash::RandomState;
use std::path::PathBuf;

/// Reads a log file as stored; how many rows it gives.
///
/// # Panics
///
/// Where reading fails as a whole, or the counts do not add up.
pub fn log_file(stored: &[u8]) -> u64 {
    let limits = Limits { bytes: 16 << 20, ..Limits::default() };
    let scope = Scope { keep: Keep::All, since: None, until: None };
    let ledger = Ledger::load(&Root::Folder(PathBuf::new()), &[]);
    let read = ledger.and_then(|ledger| {
        let job = Job {
            scope: &scope,
            redact: Redact::Standard,
            ledger: &ledger,
            limits,
            single_threaded: stored.len().is_multiple_of(2),
            allowed_hashes: None,
        };
        let space = MemoryBudget { run: 1 << 30, held: 1 << 30, folder: PathBuf::new() };
        let runs = Runs::new(space, &[], RandomState::new());
        let (mut worker, mut buffers) = (ConvertWorker::new(runs), Buffers::default());
        let file = LogFile::named(PathBuf::from("log"), Origin::Disk);
        let room = InflateBudget::new(limits, stored.len());
        buffers.hold(stored.to_vec());
        worker.inflated(job, &file, buffers.unpack(&room, true))?;
        worker.finish()
    });
    let Ok(worker) = read else { unreachable!("{:?}", read.err()) };
    let rows: u64 = worker.runs.partitions().map(|(_, rows)| rows as u64).sum();
    let count = |of: fn(&crate::convert::RecordCounts) -> u64| -> u64 {
        worker.inputs.iter().map(|input| of(&input.records)).sum()
    };
    let rejected = count(|records| records.rejected);
    assert_eq!(count(|records| records.read), rows + count(|records| records.filtered) + rejected);
    assert!(worker.rejects.len() as u64 >= rejected);
    rows
}

/// Makes columns of a record, if the bytes are one; whether they are.
pub fn record(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (mut tape, mut masked_tape) = (Tape::default(), Tape::default());
    let Some(document) = tape.read(text) else { return false };
    assert!(json::is_json(text).is_ok());
    let redacted = redact::redact(&document);
    let masked = redacted.document(&document, &mut masked_tape);
    let mut tape = Tape::default();
    let Some(read) = tape.read(&redacted.text) else { unreachable!("masked, it is no JSON") };
    assert_eq!(format!("{masked:?}"), format!("{read:?}"));
    let Some(record) = Record::new(masked.value()) else { return false };
    let mut columns = Columns::new();
    columns.append(&flatten::flatten(&record));
    columns.finish().is_ok_and(|rows| rows.num_rows() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::io::{Cursor, Write as _};
    use std::sync::LazyLock;

    /// A trail's log file in gzip.
    const PACKED: &str = "data/AWSLogs/111122223333/CloudTrail/us-east-1/2026/10/01/\
                          111122223333_CloudTrail_us-east-1_20261001T0005Z_Eg4B1OpP3FJKWawM.json.gz";

    fn records() -> Vec<Value> {
        let record = |n: u32| {
            json!({"eventVersion": "1.11", "eventID": n.to_string(), "eventName": "StartBuild",
                   "eventSource": "codebuild.amazonaws.com", "awsRegion": "us-east-1",
                   "eventTime": "2026-09-26T14:42:50Z", "userAgent": "an agent of some length",
                   "requestParameters": {"projectName": "web", "tags": [{"key": "\"\\é"}]}})
        };
        (0..5).map(record).collect()
    }

    /// A valid file of every form.
    static FORMS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let texts = || records().into_iter().map(|record| record.to_string());
        let packed = std::fs::read(PACKED).unwrap();
        let of_messages = texts().map(|message| json!({"message": message}));
        let bridged = records()
            .into_iter()
            .map(|record| json!({"detail-type": "AWS API Call via CloudTrail", "detail": record}));
        let bridged: Vec<_> = bridged.collect();
        let rows = texts().map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
        let csv = rows.collect::<Vec<_>>().join("\n");
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let mut tar = tar::Builder::new(Vec::new());
        for name in ["a.json.gz", "b.json.gz"] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&packed).unwrap();
            let mut header = tar::Header::new_gnu();
            header.set_size(packed.len() as u64);
            tar.append_data(&mut header, name, packed.as_slice()).unwrap();
        }
        let utf16 = format!("\u{feff}{}", json!(records()));
        let documents = [
            json!({"Records": records()}),
            json!(records()),
            json!({"Events": texts().map(|t| json!({"CloudTrailEvent": t})).collect::<Vec<_>>()}),
            json!({"logEvents": of_messages.collect::<Vec<_>>()}),
            json!(bridged),
            json!({"Message": bridged[0].to_string()}),
            json!({"results": texts().map(|t| json!([{"field": "@message", "value": t}])).collect::<Vec<_>>()}),
            json!({"QueryResultRows": texts().map(|t| json!([{"eventJson": t}])).collect::<Vec<_>>()}),
            json!({"awslogs": {"data": BASE64_STANDARD.encode(&packed)}}),
            json!({"Records": texts().map(|t| json!({"eventSource": "aws:sqs", "body": t})).collect::<Vec<_>>()}),
            json!({"Messages": texts().map(|t| json!({"Body": t})).collect::<Vec<_>>()}),
            json!({"records": texts().map(|t| json!({"data": BASE64_STANDARD.encode(t)})).collect::<Vec<_>>()}),
            json!({"hits": {"hits": texts().map(|t| json!({"_source": {"event": {"original": t}}})).collect::<Vec<_>>()}}),
            json!({"result": {"_raw": bridged[0].to_string()}}),
            json!(texts().collect::<Vec<_>>()),
        ];
        let mut forms: Vec<_> =
            documents.iter().map(|form| form.to_string().into_bytes()).collect();
        forms.push(texts().collect::<Vec<_>>().join("\n").into_bytes());
        forms.push(
            texts().flat_map(|t| format!("2026-09-26T14:42:50Z {t}\n").into_bytes()).collect(),
        );
        forms.push(format!("eventjson\n{csv}").into_bytes());
        forms.push(format!("any name\n{csv}").into_bytes());
        forms.push(zstd::encode_all(utf16.as_bytes(), 0).unwrap());
        forms.push(utf16.encode_utf16().flat_map(u16::to_le_bytes).collect());
        forms.push(packed);
        forms.push(zip.finish().unwrap().into_inner());
        forms.push(tar.into_inner().unwrap());
        forms
    });

    #[test]
    fn every_form_gives_rows() {
        for form in FORMS.iter() {
            assert!(log_file(form) > 0, "{}", String::from_utf8_lossy(form));
        }
        for text in records() {
            assert!(record(text.to_string().as_bytes()));
        }
    }

    /// One change of a file's bytes: what is done, where, to how many, with which byte.
    type Change = (u8, prop::sample::Index, usize, u8);

    fn change(bytes: &mut Vec<u8>, (what, at, length, byte): &Change) {
        if bytes.is_empty() {
            return;
        }
        let from = at.index(bytes.len());
        let to = (from + length).min(bytes.len());
        match what {
            0 => bytes[from] = *byte,
            1 => bytes.truncate(from),
            2 => drop(bytes.drain(from..to)),
            3 => bytes.insert(from, *byte),
            _ => {
                let copy = bytes[from..to].to_vec();
                bytes.splice(from..from, copy);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_damage_to_a_file_breaks_a_promise(
            form in any::<prop::sample::Index>(),
            changes in prop::collection::vec(
                (0_u8..5, any::<prop::sample::Index>(), 1_usize..200, any::<u8>()), 1..6),
        ) {
            let mut bytes = form.get(&FORMS).clone();
            for each in &changes {
                change(&mut bytes, each);
            }
            log_file(&bytes);
        }

        #[test]
        fn damage_within_a_text_costs_its_record_alone(
            place in 0_usize..5, at in 0_usize..20, bytes in prop::collection::vec(any::<u8>(), 1..4),
        ) {
            prop_assume!(bytes.iter().all(|byte| !b"\"\\".contains(byte)));
            for separator in [",", "\n"] {
                let texts: Vec<_> = records().iter().map(ToString::to_string).collect();
                let before: usize = texts[..place].iter().map(|text| text.len() + 1).sum();
                let agent = before + texts[place].find("an agent").unwrap();
                let mut all = texts.join(separator).into_bytes();
                all.splice(agent + at..agent + at + bytes.len(), bytes.iter().copied());
                if separator == "," {
                    all = [b"{\"Records\":[".to_vec(), all, b"]}".to_vec()].concat();
                }
                prop_assert!(log_file(&all) >= 4);
            }
        }

        #[test]
        fn any_record_has_columns(text in "[\\[\\]{}\",:\\\\ eventNamud0.-]{0,60}") {
            record(text.as_bytes());
            record(format!("{{\"eventName\":\"StartBuild\",\"requestParameters\":{text}}}").as_bytes());
        }
    }
}
