//! The other forms in which people have CloudTrail's records.
//!
//! `LookupEvents` and `CloudWatch` Logs carry a record as text in a member, `EventBridge` as the member
//! `detail`, queues and streams as text or base64, search engines as the text that they were given. Each is
//! told by the names of its members. What holds records that it has lost (fields without the text, a
//! pointer to log files) is refused, with what to hand over instead. Shapes and names: the guides of
//! CloudTrail, `EventBridge`, `CloudWatch` Logs, Lambda ("Using Lambda with ..."), Firehose, and of those
//! who export.

use crate::json;
use crate::log_file::envelope::piece::{Piece, Sink};
use crate::log_file::envelope::{DocumentError, Position, document, shown, split_at};
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
    /// `ReceiveMessage` of SQS: the text in `Body` is a document of any form.
    Queue,
    /// Firehose to a function or an HTTP endpoint: what base64 in `data` holds is one.
    Stream,
}

impl List {
    /// The list that a member of a document is.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"Records" => Self::Records,
            b"Events" => Self::LookupEvents,
            b"logEvents" | b"events" => Self::Messages,
            b"results" => Self::Insights,
            b"QueryResultRows" => Self::Lake,
            b"Messages" => Self::Queue,
            b"records" => Self::Stream,
            _ => return None,
        })
    }
}

/// Names that tell what a document is.
const TELLING: [&str; 25] = [
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
    "EventSource",
    "_raw",
    "rawData",
    "Body",
    "body",
    "@message",
    "event.original",
    "event",
    "message",
    "log",
    "_source",
    "hits",
    "result",
    "data",
    "aws",
];

/// Members of CloudTrail's records, of any version and kind (CloudTrail guide, "CloudTrail record contents").
const RECORD: [&str; 32] = [
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "eventID",
    "eventType",
    "eventCategory",
    "eventContext",
    "userIdentity",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "requestID",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "errorCode",
    "errorMessage",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "managementEvent",
    "readOnly",
    "apiVersion",
    "resources",
    "addendum",
    "sessionCredentialFromConsole",
    "edgeDeviceDetails",
    "tlsDetails",
    "insightDetails",
];

const OF_S3: &str =
    "a notification of S3, which only names a log file: hand over the log file itself";
const OF_SPLUNK: &str = "an export of Splunk without the records themselves: export `_raw` (search ... | \
                         table _raw), or hand over the trail's own log files";
const OF_ELASTIC: &str = "a document of Elasticsearch without the record itself: export `event.original` \
                          (the integration's \"preserve original event\"), or hand over the trail's own log \
                          files";
const OF_WAZUH: &str =
    "an alert of Wazuh, which changes the records: hand over the trail's own log files";
const NO_UTF8: &str = "not UTF-8, but some code page: export it again as UTF-8 (the AWS command line: \
                       with PYTHONUTF8=1 set)";

/// What a document's members tell of it.
#[derive(Debug, Default)]
pub(crate) struct FormMembers<'a> {
    /// Whether a list of records was among them.
    pub(crate) has_list: bool,
    known: Vec<(&'static str, &'a [u8])>,
    /// The first names, to say what it is if it is nothing else.
    names: Vec<Cow<'a, str>>,
}

impl<'a> FormMembers<'a> {
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
    members: &FormMembers<'_>,
    place: Position<'_>,
    each: Sink<'_>,
) -> Result<(), String> {
    let source = members.text("eventSource").or_else(|| members.text("EventSource"));
    if let Some(raw) = members.text("_raw") {
        // Beside it are the fields that were taken from it, which may look like a record's.
        carry(&raw, "_raw", place, each)?;
    } else if let Some(source) = source.filter(|source| source.starts_with(TRIGGER)) {
        trigger(text, &source, place, each)?;
    } else if members.are_of_record() {
        each(Piece::Record(text));
    } else if let (Some(detail), Some(kind)) = (members.get("detail"), members.text("detail-type"))
    {
        if kind == "Object Created" {
            return Err(OF_S3.to_owned());
        }
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
        exported(members, place, each)?;
    }
    Ok(())
}

/// Gives what a queue, a log shipper or a search engine was given as text, and has kept whole.
fn exported(members: &FormMembers<'_>, place: Position<'_>, each: Sink<'_>) -> Result<(), String> {
    if let Some(data) = members.text("rawData") {
        // What Firehose could not deliver.
        return unpack(&data, "rawData", place, each);
    }
    for name in ["Body", "body", "@message", "event.original"] {
        if let Some(text) = members.text(name) {
            return carry(&text, name, place, each);
        }
    }
    let object = |name: &str| members.get(name).and_then(|value| str::from_utf8(value).ok());
    if let Some(record) = members.get("@message").filter(|value| value.starts_with(b"{")) {
        // The console prints Logs Insights' results so.
        each(Piece::Record(record));
        return Ok(());
    }
    if let Some(text) = object("event").and_then(|event| text_at(event, &["original"])) {
        return carry(&text, "event.original", place, each);
    }
    if object("data").is_some_and(|data| json::member(data, "aws").is_some()) {
        return Err(OF_WAZUH.to_owned());
    }
    if let Some(result) = object("result") {
        let raw = text_at(result, &["_raw"]).ok_or(OF_SPLUNK)?;
        return carry(&raw, "_raw", place, each);
    }
    if let Some(found) = object("hits").and_then(|hits| json::member(hits, "hits")) {
        for hit in json::RawElements::new(found) {
            inner(hit.as_bytes(), place, each);
        }
        return Ok(());
    }
    if let Some(source) = members.get("_source") {
        inner(source, place, each);
        return Ok(());
    }
    for name in ["message", "log"] {
        if let Some(text) = members.text(name) {
            return carry(&text, name, place, each);
        }
    }
    if object("aws").is_some_and(|aws| json::member(aws, "cloudtrail").is_some()) {
        return Err(OF_ELASTIC.to_owned());
    }
    let names = members.names.join(", ");
    Err(format!("not a CloudTrail log file: no `Records` list; its members are [{names}]"))
}

/// How the source begins of events by which AWS calls a function. No record of CloudTrail has such a
/// one: theirs are names of hosts.
const TRIGGER: &str = "aws:";

/// Gives what an event carries by which AWS calls a function; why it carries none.
fn trigger(event: &[u8], source: &str, place: Position<'_>, each: Sink<'_>) -> Result<(), String> {
    let event = str::from_utf8(event).map_err(|error| format!("not UTF-8: {error}"))?;
    let at = |path: &[&str]| {
        text_at(event, path).ok_or_else(|| format!("expected `{}` with a text", path.join(".")))
    };
    match source {
        "aws:sqs" => carry(&at(&["body"])?, "body", place, each),
        "aws:sns" => carry(&at(&["Sns", "Message"])?, "Message", place, each),
        "aws:kinesis" => unpack(&at(&["kinesis", "data"])?, "kinesis.data", place, each),
        "aws:s3" => Err(OF_S3.to_owned()),
        _ => {
            let source = source.strip_prefix(TRIGGER).unwrap_or_default();
            let source = shown(source.as_bytes());
            Err(format!(
                "an event of {source} that calls a function, not a record of CloudTrail: hand over \
                 the trail's log files"
            ))
        }
    }
}

/// Gives what an element of a list called `Records` is, where one look did not tell that it is a record.
///
/// The rule: a record of CloudTrail is an object with at least one of the members that CloudTrail gives its
/// records, and its `eventSource` does not begin with `aws:`. Events that call a function are lists called
/// `Records`, too. What is no JSON object is given as a record: who reads it tells what is wrong with it.
pub(crate) fn listed(bytes: &[u8], place: Position<'_>, each: Sink<'_>) {
    let object = str::from_utf8(bytes).ok();
    let object = object.filter(|text| text.starts_with('{') && json::is_json(text).is_ok());
    let Some(object) = object else { return each(Piece::Record(bytes)) };
    let source = text_at(object, &["eventSource"]).or_else(|| text_at(object, &["EventSource"]));
    let given = if let Some(source) = source.filter(|source| source.starts_with(TRIGGER)) {
        trigger(bytes, &source, place, each)
    } else if json::member(object, "s3").is_some_and(|of| json::member(of, "object").is_some()) {
        // Other servers call themselves otherwise: `minio:s3`.
        Err(OF_S3.to_owned())
    } else if has_any_of_record(object) {
        each(Piece::Record(bytes));
        Ok(())
    } else if let Some(data) = text_at(object, &["Data"]) {
        // `GetRecords` of Kinesis.
        unpack(&data, "Data", place, each)
    } else {
        let names = json::RawMembers::new(object).map(|(name, _)| shown(name.as_bytes()));
        let names: Vec<_> = names.take(8).collect();
        let names = names.join(", ");
        Err(format!(
            "not a record of CloudTrail: its members are [{names}]; hand over the trail's log files"
        ))
    };
    if let Err(reason) = given {
        each(Piece::Bad(bytes, reason));
    }
}

/// Whether an object has a member that records of CloudTrail have.
fn has_any_of_record(object: &str) -> bool {
    let mut names = json::RawMembers::new(object).map(|(name, _)| json::name(name));
    names.any(|name| RECORD.contains(&&*name))
}

/// The text at a path of members.
fn text_at<'a>(object: &'a str, path: &[&str]) -> Option<Cow<'a, str>> {
    let value = path.iter().try_fold(object, |object, name| json::member(object, name))?;
    json::string(value)
}

/// Gives the pieces of a text that a member carries: a record, or a document of any form.
fn carry(text: &str, name: &str, place: Position<'_>, each: Sink<'_>) -> Result<(), String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return Err(format!("the text in `{name}` is no JSON, so no record of CloudTrail"));
    }
    inner(text.as_bytes(), place, each);
    Ok(())
}

/// The same for base64, perhaps of gzip.
fn unpack(text: &str, name: &str, place: Position<'_>, each: Sink<'_>) -> Result<(), String> {
    inner(&unpacked(text, name, place)?, place, each);
    Ok(())
}

fn unpacked(text: &str, name: &str, place: Position<'_>) -> Result<Vec<u8>, String> {
    let packed = BASE64_STANDARD.decode(text.as_bytes());
    let packed = packed.map_err(|error| format!("`{name}` is no base64: {error}"))?;
    inflate(packed, place.room).map_err(|reason| format!("`{name}`: {reason}"))
}

/// Gives the pieces of one of many documents that are carried: what is wrong with it costs the others nothing.
fn inner(bytes: &[u8], place: Position<'_>, each: Sink<'_>) {
    split_at(bytes, place.within(), &mut |piece| match piece {
        Piece::Broken(bytes, reason) => each(Piece::Bad(bytes, reason)),
        Piece::Cut(bytes) => {
            each(Piece::Bad(bytes, "the text ends inside this record".to_owned()));
        }
        piece => each(piece),
    });
}

/// What Lambda gets of a subscription: gzip in base64.
fn lambda(wrapped: &[u8], place: Position<'_>, each: Sink<'_>) -> Result<(), String> {
    let data = str::from_utf8(wrapped).ok().and_then(|text| text_at(text, &["data"]));
    let data = data.ok_or("`awslogs` without `data`")?;
    split_at(&unpacked(&data, "awslogs.data", place)?, place.within(), each);
    Ok(())
}

/// Gives what an element of a list carries.
pub(crate) fn element(bytes: &[u8], list: List, place: Position<'_>, each: Sink<'_>) {
    match list {
        List::Records => return each(Piece::Record(bytes)),
        List::Documents => return one_of_many(bytes, place, each),
        _ => {}
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return each(Piece::Bad(bytes, format!("{NO_UTF8}; {error}"))),
    };
    let given = match list {
        // Splunk's results are called so, too.
        List::Insights if text.starts_with('{') => match text_at(text, &["_raw"]) {
            Some(raw) => carry(&raw, "_raw", place, each),
            None => Err(OF_SPLUNK.to_owned()),
        },
        List::Queue => match text_at(text, &["Body"]) {
            Some(body) => carry(&body, "Body", place, each),
            None => Err("expected `Body` with the text of a message".to_owned()),
        },
        List::Stream => match text_at(text, &["data"]) {
            Some(data) => unpack(&data, "data", place, each),
            None => return inner(bytes, place, each),
        },
        list => message(text, list, each),
    };
    if let Err(reason) = given {
        each(Piece::Bad(bytes, reason));
    }
}

/// Gives the record that an element of a list carries as text.
fn message(element: &str, list: List, each: Sink<'_>) -> Result<(), String> {
    let carried = match list {
        List::LookupEvents => text_at(element, &["CloudTrailEvent"]),
        List::Messages => text_at(element, &["message"]),
        List::Insights => of_fields(element, |field| {
            let name = json::string(json::member(field, "field")?)?;
            (name == "@message").then(|| json::member(field, "value")).flatten()
        }),
        _ => of_fields(element, |field| {
            let mut columns = json::RawMembers::new(field);
            columns.find(|(name, _)| name.eq_ignore_ascii_case("eventjson")).map(|(_, text)| text)
        }),
    };
    let expected = match list {
        List::LookupEvents => "`CloudTrailEvent` with a record's text",
        List::Messages => "`message` with a record's text",
        List::Insights => "the field `@message` with a record's text",
        _ => "a column `eventJson`: in CloudTrail Lake, SELECT eventJson",
    };
    let text = carried.ok_or_else(|| format!("expected {expected}"))?;
    // Other messages are not CloudTrail's: `CWL CONTROL MESSAGE`.
    let is_record = text.trim_start().starts_with('{');
    each(if is_record { Piece::Record(text.trim().as_bytes()) } else { Piece::Foreign });
    Ok(())
}

/// An element of a list alone: a record, or a document of any form.
fn one_of_many(bytes: &[u8], place: Position<'_>, each: Sink<'_>) {
    let text = str::from_utf8(bytes).ok();
    if let Some(text) = text.filter(|text| text.starts_with('"')).and_then(json::string)
        && text.trim_start().starts_with('{')
    {
        // The AWS command line prints texts, asked for `--query 'Events[].CloudTrailEvent'`.
        return inner(text.as_bytes(), place, each);
    }
    let mut found = false;
    let whole = document(bytes, 0, place, &mut |piece| {
        found = true;
        each(piece);
    });
    match whole {
        Err(DocumentError::Unknown(_, reason)) if !found && !text.is_none_or(has_any_of_record) => {
            each(Piece::Bad(bytes, reason));
        }
        // What is nothing else is taken for a record, which tells what is wrong with it.
        Err(_) if !found => each(Piece::Record(bytes)),
        _ => {}
    }
}

/// The text in one of a list of fields.
fn of_fields<'a>(
    fields: &'a str,
    mut text: impl FnMut(&'a str) -> Option<&'a str>,
) -> Option<Cow<'a, str>> {
    json::RawElements::new(fields).find_map(|field| json::string(text(field)?))
}

/// Past the time that a line of an export task of `CloudWatch` Logs begins with: `TIME {...}`.
pub(crate) fn after_time(bytes: &[u8], at: usize) -> usize {
    let line = bytes.get(at..).unwrap_or_default();
    let is_of_time = |byte: &u8| byte.is_ascii_digit() || b"-:.TZ+".contains(byte);
    let time = line.iter().take(40).take_while(|byte| is_of_time(byte)).count();
    let document = json::skip_space(bytes, at + time);
    if bytes.get(document) == Some(&b'{') { document } else { at }
}
