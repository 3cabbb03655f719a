//! From a log file's bytes to its records' bytes.
//!
//! A log file is `{"Records":[...]}`; other members are legal and ignored. What else carries records
//! is told by its content, never by its name: lists, single records, documents one after another or
//! one a line, and the [`forms`] of other services. Records are delimited by their
//! brackets alone, so a record that is no JSON inside costs itself and not its neighbours. Whatever
//! cannot be followed is said, with its place. Of a record it looks at one thing, whose it is,
//! and refuses to look at more.

pub(super) mod forms;
pub(crate) mod piece;
mod recognise;
mod table;

use crate::json::{skip_space, skip_value};
use crate::log_file::budget::InflateBudget;
use crate::log_file::envelope::piece::{Piece, Sink};
use crate::log_file::envelope::recognise::{Recognised, recognise};
use crate::log_file::scan::{Sight, beginning, glance};
use crate::text::utf16;
use forms::{FormMembers, List};
use memchr::memchr_iter;
use std::borrow::Cow;

/// Documents within texts within documents that are followed: EventBridge through SNS has two.
const MAX_NESTING: usize = 4;
/// Documents of no known form that a file may begin with, and have others after them.
const MAX_UNKNOWN_DOCUMENTS: usize = 16;
/// How many times its own length may be looked at in vain, for what begins and never ends.
const MAX_RESCAN_FACTOR: usize = 16;

/// Where a text is: how deep in other documents, and what may still be unpacked there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position<'r> {
    depth: usize,
    /// Bytes of the file before the text that are not in it: places are told by those of the file.
    before: u64,
    pub(crate) room: &'r InflateBudget,
}

impl<'r> Position<'r> {
    /// That of a file as a whole.
    pub(crate) fn new(room: &'r InflateBudget) -> Self {
        Self { depth: 0, before: 0, room }
    }

    /// A reason with its place in the file.
    fn told(self, reason: &str, at: usize) -> String {
        format!("{reason} at byte {}", self.before + at as u64)
    }

    /// That of a text in a document here.
    pub(crate) fn within(self) -> Self {
        Self { depth: self.depth + 1, before: 0, ..self }
    }
}

/// Gives `each` every piece of a log file's bytes, in order.
pub(crate) fn split(bytes: &[u8], room: &InflateBudget, each: Sink<'_>) {
    split_from(bytes, 0, room, each);
}

/// The same for what is left of a log file that was read in part, with its beginning in place of what
/// was read: so many bytes more stood there.
pub(crate) fn split_from(bytes: &[u8], before: u64, room: &InflateBudget, each: Sink<'_>) {
    split_at(bytes, Position { depth: 0, before, room }, each);
}

/// The same for a text in other documents.
pub(crate) fn split_at(bytes: &[u8], place: Position<'_>, each: Sink<'_>) {
    if place.depth > MAX_NESTING {
        each(Piece::Broken(bytes, "documents within documents".to_owned()));
        return;
    }
    if let Some(units) = utf16(bytes) {
        // What is no character there becomes U+FFFD.
        return split_at(String::from_utf16_lossy(&units).as_bytes(), place.within(), each);
    }
    let at = beginning(bytes);
    let text = bytes.get(at..).unwrap_or_default();
    match recognise(text) {
        Some(Recognised::Test) => each(Piece::Test),
        Some(Recognised::Other(what)) => each(Piece::Broken(text, what.into_owned())),
        None => {
            if !table::read(text, each) {
                documents(bytes, at, place, each);
            }
        }
    }
}

/// Reads document after document from `at` on.
///
/// What is of no known form is held back until something is: a file that has nothing else is no log
/// file, and is said to be none once instead of line by line.
fn documents(bytes: &[u8], mut at: usize, place: Position<'_>, each: Sink<'_>) {
    let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
    let rest = |from: usize| part(from, bytes.len());
    let mut strangers: Vec<(usize, usize, String)> = Vec::new();
    let mut known = false;
    let mut in_vain = 0;
    while let Some(first) = bytes.get(at) {
        let begin = if first.is_ascii_digit() { forms::after_time(bytes, at) } else { at };
        let mut each_known = |piece: Piece<'_>| {
            known = true;
            for (from, to, reason) in strangers.drain(..) {
                each(Piece::Bad(part(from, to), reason));
            }
            each(piece);
        };
        let end = if bytes.get(begin) == Some(&b'[') {
            list(bytes, begin, List::Documents, place, &mut each_known)
        } else {
            document(bytes, begin, place, &mut each_known)
        };
        let (next, reason) = match end {
            Ok(end) => {
                known = true;
                at = skip_space(bytes, end);
                continue;
            }
            Err(DocumentError::Cut(from)) => return each_known(Piece::Cut(rest(from))),
            Err(DocumentError::Broken(from, reason)) => {
                return each_known(Piece::Broken(rest(from), place.told(reason, from)));
            }
            Err(DocumentError::Unknown(end, reason)) => (skip_space(bytes, end), reason),
            Err(DocumentError::Line(to, reason)) => {
                in_vain += to.saturating_sub(begin);
                (next_line(bytes, at).unwrap_or(bytes.len()), reason)
            }
        };
        strangers.push((at, next, reason));
        at = next;
        if in_vain / MAX_RESCAN_FACTOR > bytes.len()
            || (!known && strangers.len() > MAX_UNKNOWN_DOCUMENTS)
        {
            break;
        }
    }
    if let (false, Some((from, _, reason))) = (known, strangers.first()) {
        return each(Piece::Broken(rest(*from), reason.clone()));
    }
    for (from, to, reason) in strangers {
        each(Piece::Bad(part(from, to), reason));
    }
    if at < bytes.len() {
        let at_all = place.before + at as u64;
        let reason = format!("too much begins and does not end: not read from byte {at_all} on");
        each(Piece::Broken(rest(at), reason));
    }
}

/// Why a document ends early.
#[derive(Debug)]
pub(crate) enum DocumentError {
    /// A record that begins here has no end.
    Cut(usize),
    /// From here on, and why.
    Broken(usize, &'static str),
    /// A whole document that is no log file, its end, and why.
    Unknown(usize, String),
    /// A line that is no document, what was looked at to find that, and why: what follows may be one.
    Line(usize, String),
}

/// The next line that a document can begin with.
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let mut lines = memchr_iter(b'\n', rest).map(|newline| at + newline + 1);
    lines.find(|line| match bytes.get(*line) {
        Some(b'{' | b'[') => true,
        Some(b'0'..=b'9') => forms::after_time(bytes, *line) > *line,
        _ => false,
    })
}

fn broken<T>(at: usize, reason: &'static str) -> Result<T, DocumentError> {
    Err(DocumentError::Broken(at, reason))
}

/// Reads the document that begins at `at`; its end.
pub(crate) fn document(
    bytes: &[u8],
    at: usize,
    place: Position<'_>,
    each: Sink<'_>,
) -> Result<usize, DocumentError> {
    if bytes.get(at) != Some(&b'{') {
        let reason = "not a CloudTrail log file: expected an object with a `Records` list";
        return Err(DocumentError::Line(at, place.told(reason, at)));
    }
    let mut members = FormMembers::default();
    let end = match object(bytes, at, place, &mut members, each) {
        // Until a list of records has begun, the trouble is this document's alone.
        Err(DocumentError::Broken(from, reason)) if !members.has_list => {
            let ends = skip_value(bytes, from).is_none() && !is_mark(bytes.get(from));
            let is_cut = ends && members.are_of_record() && next_line(bytes, at).is_none();
            let to = if ends { bytes.len() } else { from };
            let reason = place.told(reason, from);
            return Err(if is_cut {
                DocumentError::Cut(at)
            } else {
                DocumentError::Line(to, reason)
            });
        }
        end => end?,
    };
    if !members.has_list {
        let document = bytes.get(at..end).unwrap_or_default();
        forms::single(document, &members, place, each).map_err(|reason| {
            DocumentError::Unknown(end, place.told(&format!("{reason}; the object ends"), end - 1))
        })?;
    }
    Ok(end)
}

/// Whether a byte stands between values: no value that breaks off begins with it.
fn is_mark(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| b",:]}".contains(byte))
}

/// Reads the members of the object that begins at `at`; its end. Lists of records go to `each`.
fn object<'b>(
    bytes: &'b [u8],
    at: usize,
    place: Position<'_>,
    members: &mut FormMembers<'b>,
    each: Sink<'_>,
) -> Result<usize, DocumentError> {
    let mut at = skip_space(bytes, at + 1);
    while bytes.get(at) != Some(&b'}') {
        let Some(end) = (bytes.get(at) == Some(&b'"')).then(|| skip_value(bytes, at)).flatten()
        else {
            return broken(at, "expected a member's name");
        };
        let name = bytes.get(at + 1..end - 1).unwrap_or_default();
        let colon = skip_space(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            return broken(colon, "expected `:`");
        }
        let value = skip_space(bytes, colon + 1);
        let of_name = List::from_name(name).filter(|_| bytes.get(value) == Some(&b'['));
        let end = if let Some(kind) = of_name {
            members.has_list = true;
            list(bytes, value, kind, place, each)?
        } else if let Some(end) = skip_value(bytes, value) {
            members.add(name, bytes.get(value..end).unwrap_or_default());
            end
        } else {
            return broken(value, "a member breaks off");
        };
        at = separator(bytes, end, b'}')?;
    }
    Ok(at + 1)
}

/// Reads the list that begins at `at`; its end.
fn list(
    bytes: &[u8],
    at: usize,
    kind: List,
    place: Position<'_>,
    each: Sink<'_>,
) -> Result<usize, DocumentError> {
    let mut at = skip_space(bytes, at + 1);
    while bytes.get(at) != Some(&b']') {
        if at >= bytes.len() {
            return broken(at, "the list of records breaks off");
        }
        let looked_at = match (kind, bytes.get(at)) {
            (List::Records, Some(b'{')) => glance(bytes, at),
            _ => None,
        };
        if let Some((end, Sight::Other)) = looked_at {
            each(Piece::Other(bytes.get(at..end).unwrap_or_default()));
            at = separator(bytes, end, b']')?;
            continue;
        }
        let end = looked_at.map(|(end, _)| end).or_else(|| skip_value(bytes, at));
        let end = match (bytes.get(at), end) {
            (_, Some(end)) => end,
            // Nothing between two commas: one bad element.
            (Some(b','), None) => at,
            (Some(b'}' | b':'), None) => return broken(at, "expected a record"),
            (_, None) => return Err(DocumentError::Cut(at)),
        };
        let element = bytes.get(at..end).unwrap_or_default();
        match (kind, looked_at) {
            (List::Records, Some((_, Sight::Doubt))) => forms::listed(element, place, each),
            (List::Records, _) => each(Piece::Record(element)),
            (kind, _) => forms::element(element, kind, place, each),
        }
        at = separator(bytes, end, b']')?;
    }
    Ok(at + 1)
}

/// Past the comma after `at`, or at the `closing` bracket.
fn separator(bytes: &[u8], at: usize, closing: u8) -> Result<usize, DocumentError> {
    let at = skip_space(bytes, at);
    match bytes.get(at) {
        Some(b',') => Ok(skip_space(bytes, at + 1)),
        Some(byte) if *byte == closing => Ok(at),
        Some(_) => broken(at, "expected `,` or a closing bracket"),
        None => broken(at, "the file breaks off"),
    }
}

/// A member's name as it may be shown: in what is no log file it could be anything.
pub(crate) fn shown(name: &[u8]) -> Cow<'_, str> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    if name.len() <= 40 && name.iter().all(is_plain) {
        String::from_utf8_lossy(name)
    } else {
        Cow::Borrowed("...")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_file::budget::Limits;
    use proptest::prelude::*;

    fn room(stored: usize) -> InflateBudget {
        InflateBudget::new(Limits::default(), stored)
    }

    fn pieces(text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        split(text.as_bytes(), &room(text.len()), &mut |piece| {
            pieces.push(match piece {
                Piece::Record(bytes) | Piece::Other(bytes) => {
                    String::from_utf8(bytes.to_vec()).unwrap()
                }
                Piece::Bad(bytes, reason) => {
                    format!("bad {}: {reason}", String::from_utf8_lossy(bytes))
                }
                Piece::Cut(bytes) => format!("cut {}", String::from_utf8_lossy(bytes)),
                Piece::Broken(_, reason) => format!("broken: {reason}"),
                Piece::Foreign => "foreign".to_owned(),
                Piece::Digest => "digest".to_owned(),
                Piece::Test => "test".to_owned(),
            });
        });
        pieces
    }

    #[test]
    fn records_are_elements_of_records() {
        let one = r#"{"eventID":"]}"}"#;
        assert_eq!(pieces(&format!(r#"{{"Records":[{one}, 7 ,"x"]}}"#)), [one, "7", "\"x\""]);
        assert!(pieces(r#" {"Records":[]} "#).is_empty());
        assert_eq!(pieces("\u{feff}{\"v\":{\"Records\":[0]},\"Records\":[1]}"), ["1"]);
        assert_eq!(pieces("{\"Records\":[1]}\n{\"Records\":[2,3]}"), ["1", "2", "3"]);
        assert_eq!(pieces("[1,{\"eventID\":2}] [3]"), ["1", "{\"eventID\":2}", "3"]);
        assert_eq!(pieces(r#"["{\"eventVersion\":1}"]"#), ["{\"eventVersion\":1}"]);
        assert_eq!(pieces(r#"{"Records":[1,,2]}"#), ["1", "", "2"]);
        let utf16: Vec<u8> =
            "\u{feff}{\"Records\":[\"é\"]}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let mut records = 0;
        split(&utf16, &room(0), &mut |piece| {
            records += u32::from(piece == Piece::Record("\"é\"".as_bytes()));
        });
        assert_eq!(records, 1);
    }

    #[test]
    fn what_is_of_another_service_is_told_without_doubt_only() {
        let others = |record: &str| {
            let (mut others, mut records) = (0, 0);
            let text = format!("{{\"Records\":[{record}]}}");
            split(text.as_bytes(), &room(0), &mut |piece| match piece {
                Piece::Other(bytes) => {
                    assert_eq!(bytes, record.as_bytes());
                    others += 1;
                }
                Piece::Record(bytes) => {
                    assert_eq!(bytes, record.as_bytes());
                    records += 1;
                }
                piece => panic!("{piece:?}"),
            });
            assert_eq!(others + records, 1, "{record}");
            others == 1
        };
        for other in [
            r#"{"eventSource":"s3.amazonaws.com"}"#,
            r#"{"eventSource":"s3.amazonaws.com","x":{"eventSource":"codebuild.amazonaws.com"}}"#,
            r#"{"x":"codebuild.amazonaws.com","y":"\u0063","eventSource":"s3.amazonaws.com"}"#,
            r#"{"eventSource":"s3.amazonaws.com","y":["}",1]}"#,
        ] {
            assert!(others(other), "{other}");
        }
        for perhaps in [
            r#"{"eventSource":null,"y":["}",1]}"#,
            r#"{"insightDetails":{"eventSource":"s3.amazonaws.com"}}"#,
            r#"{"eventSource":"codebuild.amazonaws.com"}"#,
            r#"{"eventSource":"s3","eventSource":"codebuild.amazonaws.com"}"#,
            r#"{"eventSource":"\u0063odebuild.amazonaws.com"}"#,
            r#"{"event\u0053ource":"codebuild.amazonaws.com"}"#,
            r#"{"a":,"eventSource":"s3"}"#,
            r#"{"a" "b"}"#,
            r#"[{"eventSource":"s3"}]"#,
            "1",
        ] {
            assert!(!others(perhaps), "{perhaps}");
        }
    }

    /// `$` stands for a record as text, `b` for one in base64.
    #[test]
    fn records_are_carried_by_other_documents() {
        let record = r#"{"eventVersion":"1.11","eventSource":"codebuild.amazonaws.com"}"#;
        let text = serde_json::to_string(record).unwrap();
        let packed = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, record);
        for carrying in [
            r#"{"Records":[{"eventSource":"aws:sqs","body":$}]}"#,
            r#"{"Records":[{"EventSource":"aws:sns","Sns":{"Message":$}}]}"#,
            r#"{"Records":[{"eventSource":"aws:kinesis","kinesis":{"data":"b"}}]}"#,
            r#"{"Records":[{"SequenceNumber":"1","Data":"b"}]}"#,
            r#"[{"eventSource":"aws:sqs","body":$}]"#,
            r#"{"Messages":[{"MessageId":"m","Body":$}]}"#,
            r#"{"MessageId":"m","Body":$}"#,
            r#"{"records":[{"recordId":"1","data":"b"}]}"#,
            r#"{"rawData":"b","errorCode":"x"}"#,
            r#"{"_raw":$,"eventVersion":"1.0"}"#,
            r#"{"preview":false,"result":{"_raw":$,"eventVersion":"1.0"}}"#,
            r#"{"results":[{"_raw":$}]}"#,
            r#"{"_source":{"event":{"original":$}}}"#,
            r#"{"hits":{"hits":[{"_source":{"event":{"original":$}}}]}}"#,
            r#"{"event.original":$}"#,
            r#"{"@timestamp":"t","message":$}"#,
            r#"{"log":$}"#,
            r#"[{"@timestamp":"t","@message":$}]"#,
            "[$]",
        ] {
            let document = carrying.replace('$', &text).replace("\"b\"", &format!("{packed:?}"));
            assert_eq!(pieces(&document), [record], "{document}");
        }
        for (none, reason) in [
            (
                r#"{"Records":[{"eventSource":"aws:s3","eventVersion":"2.1"}]}"#,
                "only names a log file",
            ),
            (
                r#"{"Records":[{"eventSource":"minio:s3","s3":{"object":{}}}]}"#,
                "only names a log file",
            ),
            (r#"{"Records":[{"eventSource":"aws:codecommit"}]}"#, "an event of codecommit"),
            (r#"{"Records":[{"eventSource":"aws:sqs"}]}"#, "expected `body`"),
            (r#"{"Records":[{"eventSource":"aws:sqs","body":"hello"}]}"#, "is no JSON"),
            (r#"{"Records":[{"cf":{}}]}"#, "its members are [cf]"),
            (r#"{"Records":[{}]}"#, "its members are []"),
            (r#"[{"x":1}]"#, "its members are [x]"),
            (r#"{"results":[{"eventVersion":"1.11"}]}"#, "export `_raw`"),
            (r#"{"Messages":[{}]}"#, "expected `Body`"),
        ] {
            let found = pieces(none);
            assert!(found.len() == 1 && found[0].starts_with("bad "), "{none}: {found:?}");
            assert!(found[0].contains(reason), "{none}: {found:?}");
        }
        for (none, reason) in [
            (r#"{"result":{"eventVersion":"1.11"}}"#, "export `_raw`"),
            (r#"{"@timestamp":"t","aws":{"cloudtrail":{}}}"#, "`event.original`"),
            (r#"{"rule":{},"data":{"aws":{"eventName":"x"}}}"#, "Wazuh"),
            (r#"{"detail-type":"Object Created","detail":{}}"#, "only names a log file"),
            (r#"{"message":"hello"}"#, "is no JSON"),
        ] {
            let found = pieces(none);
            assert!(found.len() == 1 && found[0].starts_with("broken: "), "{none}: {found:?}");
            assert!(found[0].contains(reason), "{none}: {found:?}");
        }
    }

    #[test]
    fn records_of_every_kind_are_records() {
        for record in [
            r#"{"eventVersion":"1.0"}"#,
            r#"{"eventSource":"a.service.of.its.own","eventName":"x"}"#,
            r#"{"eventVersion":"1.07","insightDetails":{},"eventCategory":"Insight"}"#,
            r#"{"eventType":"AwsAggregatedEvent"}"#,
            r#"{"event\u0056ersion":"1.08"}"#,
            r#"{"requestID":null}"#,
        ] {
            assert_eq!(pieces(&format!("{{\"Records\":[{record}]}}")), [record]);
            assert_eq!(pieces(&format!("[{record}]")), [record]);
        }
    }

    #[test]
    fn what_nests_without_end_is_not_followed() {
        for (open, close) in
            [("{\"_source\":", "}"), ("{\"hits\":{\"hits\":[", "]}}"), ("{\"records\":[", "]}")]
        {
            let text = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
            let found = pieces(&text);
            assert!(found.len() == 1 && found[0].starts_with("bad "), "{open}");
        }
    }

    #[test]
    fn single_records_stand_one_after_another() {
        let record = |n: u32| format!(r#"{{"eventVersion":"1.11","eventName":"N","n":{n}}}"#);
        let (a, b, c) = (record(1), record(2), record(3));
        assert_eq!(pieces(&a), [a.as_str()]);
        for between in ["\n", "", " \r\n"] {
            assert_eq!(pieces(&format!("{a}{between}{b}")), [a.clone(), b.clone()], "{between:?}");
        }
        // A bad line costs itself, the cut end is told.
        let reason = "expected `:` at byte";
        let found = pieces(&format!("{a}\n{{\"oops\" 1}}\n{b}\n{{\"x\":\"open\n{c}"));
        assert_eq!([&found[0], &found[2], &found[4]], [&a, &b, &c]);
        assert!(found[1].starts_with("bad {\"oops\" 1}") && found[1].contains(reason), "{found:?}");
        assert!(found[3].starts_with("bad {\"x\":\"open"), "{found:?}");
        let found = pieces(&format!("{a}\n{}", b.get(..b.len() - 4).unwrap()));
        assert_eq!(found[0], a);
        assert!(found[1].starts_with("cut {"), "{found:?}");
        // A line of another kind between them is told, and is not the end.
        let found = pieces(&format!("{a}\n{{\"x\":1}}\n{b}"));
        assert!(found.len() == 3 && found[1].starts_with("bad {\"x\":1}"), "{found:?}");
    }

    #[test]
    fn what_is_no_log_file_is_said_once() {
        let record = r#"{"eventVersion":"1.11"}"#;
        let lines = |line: &str, count| format!("{line}\n").repeat(count);
        for line in [r#"{"x":1}"#, "2 111122223333 eni-0 ACCEPT", "{\"x\" 1}", "{\"x\":["] {
            for count in [1, 2, 1000] {
                let found = pieces(&lines(line, count));
                assert!(found.len() == 1 && found[0].starts_with("broken: "), "{found:?}");
            }
        }
        // Few lines before the first record are told apart from it, and so are all after it.
        let found = pieces(&(lines(r#"{"x":1}"#, 9) + record + "\n" + &lines("{\"x\" 1}", 99)));
        assert_eq!((found.len(), &*found[9]), (109, record));
    }

    #[test]
    fn what_never_ends_is_not_looked_for_again_and_again() {
        let record = r#"{"eventVersion":"1.11"}"#;
        let found = pieces(&format!("{record}\n{}", "{\"x\":[\n".repeat(100_000)));
        assert_eq!(found[0], record);
        assert!(found.len() < 100 && found.last().unwrap().contains("not read from byte"));
    }

    #[test]
    fn breaks_are_said_and_what_came_before_is_kept() {
        for (text, expected) in [
            (r#"{"Records":[1,{"a":"#, vec!["1", r#"cut {"a":"#]),
            (r#"{"Records":[1,"#, vec!["1", "broken: the list of records breaks off at byte 14"]),
            (r#"{"Records":[1]"#, vec!["1", "broken: the file breaks off at byte 14"]),
            (
                r#"{"Records":[1 2]}"#,
                vec!["1", "broken: expected `,` or a closing bracket at byte 14"],
            ),
            (r#"{"Records":[1,}"#, vec!["1", "broken: expected a record at byte 14"]),
            (
                "hello",
                vec![
                    "broken: not a CloudTrail log file: expected an object with a `Records` list at byte 0",
                ],
            ),
            (
                r#"{"events":{},"x":1}"#,
                vec![
                    "broken: not a CloudTrail log file: no `Records` list; its members are [events, x]; the object ends at byte 18",
                ],
            ),
            (
                r#"{"Records":{}}"#,
                vec![
                    "broken: not a CloudTrail log file: no `Records` list; its members are [Records]; the object ends at byte 13",
                ],
            ),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[\\[\\]{}\",:\\\\ Recodsx1\n]{0,60}") {
            pieces(&text);
        }

        #[test]
        fn every_record_comes_once_in_order(numbers in proptest::collection::vec(any::<u32>(), 0..50)) {
            let text = serde_json::json!({"x": [1], "Records": numbers}).to_string();
            let expected: Vec<_> = numbers.iter().map(ToString::to_string).collect();
            prop_assert_eq!(pieces(&text), expected);
        }
    }
}
