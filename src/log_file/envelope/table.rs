//! Tables in CSV: a column that has whole records is read, a table that has parts of them is refused.
//!
//! The column is known by its name where a service gives it one (CloudTrail Lake's `eventJson`, Logs Insights'
//! `@message`, Splunk's `_raw`), else by the first row: in Athena it is called as the user likes. It
//! refuses to put a record together from columns: what they show of it is not all of it.

use crate::json;
use crate::log_file::envelope::piece::{Piece, Sink};
use csv::{Reader, ReaderBuilder};
use std::str;

/// Columns of tables that have parts of records, without marks and in small letters.
const PARTS: [&str; 10] = [
    "eventversion",
    "eventtime",
    "eventname",
    "eventsource",
    "eventid",
    "awsregion",
    "sourceipaddress",
    "useridentity",
    "requestparameters",
    "responseelements",
];

/// Gives the records of a table, if it is one of events.
pub(crate) fn read(bytes: &[u8], each: Sink<'_>) -> bool {
    if matches!(bytes.first(), None | Some(b'{' | b'[' | b'0'..=b'9')) {
        return false;
    }
    let reader = |has_headers| {
        ReaderBuilder::new().flexible(true).has_headers(has_headers).from_reader(bytes)
    };
    let mut rows = reader(true);
    let Ok(header) = rows.byte_headers().cloned() else { return false };
    if let Some(column) = header.iter().position(is_record) {
        // It has no header: the first row is a record.
        give(&mut reader(false), column, false, each);
        return true;
    }
    let called = |wanted: &[u8]| header.iter().position(|name| name == wanted);
    let plain = |name: &[u8]| -> String {
        let plain = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
        plain.map(|byte| char::from(byte.to_ascii_lowercase())).collect()
    };
    if let Some(column) = header.iter().position(|name| plain(name) == "eventjson") {
        give(&mut rows, column, false, each);
        return true;
    }
    if let Some(column) = called(b"@message") {
        // A log group may have other messages, too.
        give(&mut rows, column, true, each);
        return true;
    }
    let first = reader(true).byte_records().next().and_then(Result::ok);
    let of_first = || first.as_ref()?.iter().position(is_record);
    if let Some(column) = called(b"_raw").or_else(of_first) {
        give(&mut rows, column, false, each);
        return true;
    }
    if header.iter().filter(|name| PARTS.contains(&plain(name).as_str())).count() > 1 {
        let reason = "a table of events without the whole records: export Event history as JSON; in \
                      CloudTrail Lake SELECT eventJson; in Athena SELECT the records' own JSON text";
        each(Piece::Broken(bytes, reason.to_owned()));
        return true;
    }
    false
}

/// Whether a cell has a whole record.
fn is_record(cell: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(cell) else { return false };
    let text = text.trim();
    let has = |name: &str| json::member(text, name).is_some();
    text.starts_with('{')
        && (has("eventVersion") || (has("eventName") && has("eventSource")))
        && json::is_json(text).is_ok()
}

/// Gives the records of a column.
fn give(rows: &mut Reader<&[u8]>, column: usize, has_others: bool, each: Sink<'_>) {
    for row in rows.byte_records() {
        match row {
            Ok(row) => match row.get(column) {
                Some(cell) if has_others && !cell.trim_ascii().starts_with(b"{") => {
                    each(Piece::Foreign);
                }
                Some(cell) => each(Piece::Record(cell)),
                None => {
                    let reason = "a row without the column that has the record".to_owned();
                    each(Piece::Bad(row.as_slice(), reason));
                }
            },
            Err(error) => return each(Piece::Broken(b"", format!("not CSV: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of a table, or none if it is no table of events.
    fn pieces(text: &str) -> Option<Vec<String>> {
        let mut pieces = Vec::new();
        let is_table = read(text.as_bytes(), &mut |piece| pieces.push(format!("{piece:?}")));
        is_table.then_some(pieces)
    }

    #[test]
    fn the_column_with_the_whole_record_is_found() {
        let record = r#"{"eventVersion":"1.11"}"#;
        let quoted = format!("\"{}\"", record.replace('"', "\"\""));
        let expected = Some(vec![format!("{:?}", Piece::Record(record.as_bytes()))]);
        for header in ["a,eventjson", "\"eventID\",\"eventJson\"", "a,@message", "a,_raw", "a,any"]
        {
            assert_eq!(pieces(&format!("{header}\r\nx,{quoted}\r\n")), expected, "{header}");
        }
        assert_eq!(pieces(&format!("{quoted}\n")), expected);
    }

    #[test]
    fn other_messages_of_a_log_group_are_foreign() {
        let found = pieces("@timestamp,@message\nt,START RequestId\n").unwrap();
        assert_eq!(found, ["Foreign"]);
    }

    #[test]
    fn tables_of_parts_are_refused_and_others_are_none() {
        let parts =
            "\"eventversion\",\"useridentity\",\"eventtime\"\n\"1.08\",\"{type=x}\",\"t\"\n";
        for refused in [parts, "Event name,Event time,User name\na,b,c\n", "eventName,eventTime\n"]
        {
            let found = pieces(refused).unwrap();
            assert!(found.len() == 1 && found[0].contains("SELECT eventJson"), "{found:?}");
        }
        for other in ["", "hello", "a,b\nc,d\n", "eventid,x\n1,2\n", "a\n{\"x\":1}\n"] {
            assert_eq!(pieces(other), None, "{other}");
        }
    }
}
