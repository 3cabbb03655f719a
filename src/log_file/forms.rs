//! The other forms in which people have CloudTrail's records.
//!
//! `LookupEvents` and `CloudWatch` Logs carry a record as text in a member, `EventBridge` as the member
//! `detail`, CloudTrail Lake as a column. Each is told by the names of its members. What holds
//! records that it has lost (a table without requests, a pointer to log files) is refused, with what to
//! hand over instead. Shapes and names: the CloudTrail, `EventBridge` and `CloudWatch` Logs guides.

use crate::json;
use crate::log_file::envelope::{Each, Piece, Place, document, shown, split_at};
use crate::log_file::gzip::inflate;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::borrow::Cow;
use std::str;

/// A list, by what its elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Records.
    Records,
    /// Documents: a list alone.
    Documents,
    /// `LookupEvents`: the record is the text in `CloudTrailEvent`.
    LookupEvents,
    /// `CloudWatch` Logs, by subscription or `FilterLogEvents`: the record is the text in `message`.
    Messages,
    /// `CloudWatch` Logs Insights: the record is the `value` of the field `@message`.
    Insights,
    /// `GetQueryResults` of CloudTrail Lake: the record is the text in the column `eventJson`.
    Lake,
}

impl List {
    /// The list that a member of a document is.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"Records" => Self::Records,
            b"Events" => Self::LookupEvents,
            b"logEvents" | b"events" => Self::Messages,
            b"results" => Self::Insights,
            b"QueryResultRows" => Self::Lake,
            _ => return None,
        })
    }
}

/// Names that tell what a document is.
const TELLING: [&str; 10] = [
    "eventVersion",
    "eventName",
    "eventSource",
    "detail",
    "detail-type",
    "awslogs",
    "digestEndTime",
    "Message",
    "s3ObjectKey",
    "CloudTrailEvent",
];

/// What a document's members tell of it.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    /// Whether a list of records was among them.
    pub(crate) has_list: bool,
    known: Vec<(&'static str, &'a [u8])>,
    /// The first names, to say what it is if it is nothing else.
    names: Vec<Cow<'a, str>>,
}

impl<'a> Members<'a> {
    pub(crate) fn add(&mut self, name: &'a [u8], value: &'a [u8]) {
        if self.names.len() < 8 {
            self.names.push(shown(name));
        }
        if let Some(name) = TELLING.iter().find(|known| known.as_bytes() == name) {
            // Of duplicates the last counts.
            self.known.retain(|(known, _)| known != name);
            self.known.push((name, value));
        }
    }

    fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.known.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        json::string(str::from_utf8(self.get(name)?).ok()?)
    }

    /// Whether the document is a record itself.
    pub(crate) fn are_of_record(&self) -> bool {
        let has = |name| self.get(name).is_some();
        has("eventVersion") || (has("eventName") && has("eventSource"))
    }
}

/// Gives the pieces of a document without a list of records; what it is, if nothing that has any.
pub(crate) fn single(
    text: &[u8],
    members: &Members<'_>,
    place: Place<'_>,
    each: Each<'_>,
) -> Result<(), String> {
    if members.are_of_record() {
        each(Piece::Record(text));
    } else if let (Some(detail), Some(kind)) = (members.get("detail"), members.text("detail-type"))
    {
        each(if kind.ends_with(" via CloudTrail") {
            Piece::Record(detail)
        } else {
            Piece::Foreign
        });
    } else if members.get("CloudTrailEvent").is_some() {
        element(text, List::LookupEvents, place, each);
    } else if let Some(wrapped) = members.get("awslogs") {
        lambda(wrapped, place, each)?;
    } else if members.get("digestEndTime").is_some() {
        each(Piece::Digest);
    } else if members.get("s3ObjectKey").is_some() {
        return Err("a notification that names log files: hand over the log files".to_owned());
    } else if let Some(message) = members.text("Message") {
        // Through SNS.
        split_at(message.as_bytes(), place.within(), each);
    } else {
        let names = members.names.join(", ");
        return Err(format!(
            "not a CloudTrail log file: no `Records` list; its members are [{names}]"
        ));
    }
    Ok(())
}

/// What Lambda gets of a subscription: gzip in base64.
fn lambda(wrapped: &[u8], place: Place<'_>, each: Each<'_>) -> Result<(), String> {
    let data =
        str::from_utf8(wrapped).ok().and_then(|text| json::string(json::member(text, "data")?));
    let data = data.ok_or("`awslogs` without `data`")?;
    let packed = BASE64_STANDARD.decode(data.as_bytes());
    let packed = packed.map_err(|error| format!("`awslogs.data` is no base64: {error}"))?;
    let bytes = inflate(packed, place.room);
    let bytes = bytes.map_err(|reason| format!("`awslogs.data`: {reason}"))?;
    split_at(&bytes, place.within(), each);
    Ok(())
}

/// Gives what an element of a list carries.
pub(crate) fn element(bytes: &[u8], list: List, place: Place<'_>, each: Each<'_>) {
    let carried = match list {
        List::Records => return each(Piece::Record(bytes)),
        List::Documents => return one_of_many(bytes, place, each),
        List::LookupEvents => carried(bytes, "CloudTrailEvent"),
        List::Messages => carried(bytes, "message"),
        List::Insights => of_fields(bytes, |field| {
            let name = json::string(json::member(field, "field")?)?;
            (name == "@message").then(|| json::member(field, "value")).flatten()
        }),
        List::Lake => of_fields(bytes, |field| {
            let mut columns = json::Members::of(field);
            columns.find(|(name, _)| name.eq_ignore_ascii_case("eventjson")).map(|(_, text)| text)
        }),
    };
    match carried {
        // Other messages are not CloudTrail's: `CWL CONTROL MESSAGE`.
        Some(text) if !text.trim_start().starts_with('{') => each(Piece::Foreign),
        Some(text) => each(Piece::Record(text.trim().as_bytes())),
        None => {
            let expected = match list {
                List::LookupEvents => "`CloudTrailEvent` with a record's text",
                List::Messages => "`message` with a record's text",
                List::Insights => "the field `@message` with a record's text",
                _ => "a column `eventJson`: in CloudTrail Lake, SELECT eventJson",
            };
            each(Piece::Bad(bytes, format!("expected {expected}")));
        }
    }
}

/// An element of a list alone: a record, or a document of any form.
fn one_of_many(bytes: &[u8], place: Place<'_>, each: Each<'_>) {
    let mut found = false;
    let whole = document(bytes, 0, place, &mut |piece| {
        found = true;
        each(piece);
    });
    // What is nothing else is taken for a record, which tells what is wrong with it.
    if whole.is_err() && !found {
        each(Piece::Record(bytes));
    }
}

/// The text in a member of an object.
fn carried<'a>(object: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    json::string(json::member(str::from_utf8(object).ok()?, name)?)
}

/// The text in one of a list of fields.
fn of_fields<'a>(
    fields: &'a [u8],
    mut text: impl FnMut(&'a str) -> Option<&'a str>,
) -> Option<Cow<'a, str>> {
    let fields = str::from_utf8(fields).ok()?;
    json::Elements::of(fields).find_map(|field| json::string(text(field)?))
}

/// Past the time that a line of an export task of `CloudWatch` Logs begins with: `TIME {...}`.
pub(crate) fn after_time(bytes: &[u8], at: usize) -> usize {
    let line = bytes.get(at..).unwrap_or_default();
    let is_of_time = |byte: &u8| byte.is_ascii_digit() || b"-:.TZ+".contains(byte);
    let time = line.iter().take(40).take_while(|byte| is_of_time(byte)).count();
    let document = json::skip_space(bytes, at + time);
    if bytes.get(document) == Some(&b'{') { document } else { at }
}

/// Reads a table, if it is one: CloudTrail Lake's results in CSV, or what only looks like records.
pub(crate) fn table(bytes: &[u8], each: Each<'_>) -> bool {
    if bytes.starts_with(b"PAR1") {
        let reason = "a Parquet file, not a log file: Security Lake's holds OCSF, not CloudTrail's \
                      records; hand over the trail's own log files";
        each(Piece::Broken(bytes, reason.to_owned()));
        return true;
    }
    if matches!(bytes.first(), None | Some(b'{' | b'[' | b'0'..=b'9')) {
        return false;
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let Ok(header) = reader.byte_headers() else { return false };
    let is = |name: &[u8], wanted: &str| {
        let plain = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
        plain.map(u8::to_ascii_lowercase).eq(wanted.bytes())
    };
    let place = |wanted: &str| header.iter().position(|name| is(name, wanted));
    if let Some(column) = place("eventjson") {
        rows(&mut reader, column, each);
        return true;
    }
    if place("eventname").is_some() && place("eventtime").is_some() {
        let reason = "a table of events without their requests: export Event history as JSON, or in \
                      CloudTrail Lake SELECT eventJson";
        each(Piece::Broken(bytes, reason.to_owned()));
        return true;
    }
    false
}

/// The records of a table's column.
fn rows(reader: &mut csv::Reader<&[u8]>, column: usize, each: Each<'_>) {
    for row in reader.byte_records() {
        match row {
            Ok(row) => match row.get(column) {
                Some(record) => each(Piece::Record(record)),
                None => each(Piece::Bad(row.as_slice(), "a row without `eventJson`".to_owned())),
            },
            Err(error) => return each(Piece::Broken(b"", format!("not CSV: {error}"))),
        }
    }
}
