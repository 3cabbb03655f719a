//! From a log file's bytes to its records' bytes.
//!
//! A log file is `{"Records":[...]}`; other members are legal and ignored. What else carries records
//! is told by its content, never by its name: lists, single records, documents one after another or
//! one a line, and the [`forms`](super::forms) of other services. Records are delimited by their
//! brackets alone, so a record that is no JSON inside costs itself and not its neighbours. Whatever
//! cannot be followed is said, with its place. It refuses to look inside a record.

use crate::convert::forms::{self, List, Members};
use crate::json::{skip_space, skip_value};
use memchr::memchr_iter;
use std::borrow::Cow;

/// What an envelope gives, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'p> {
    /// The bytes of a record.
    Record(&'p [u8]),
    /// Where a record was expected there is none, and why.
    Bad(&'p [u8], String),
    /// The bytes of a record that breaks off at the end of the file.
    Cut(&'p [u8]),
    /// The file cannot be followed from these bytes on, or is no log file.
    Broken(&'p [u8], String),
    /// An event or message that is not CloudTrail's.
    Foreign,
    /// The file is a digest: it signs log files and holds no records.
    Digest,
}

/// Who is given the pieces.
pub(crate) type Each<'e> = &'e mut dyn FnMut(Piece<'_>);

/// Documents within texts within documents that are followed: EventBridge through SNS has two.
const NESTED: usize = 4;

/// Gives `each` every piece of a log file's bytes, in order.
pub(crate) fn split(bytes: &[u8], each: Each<'_>) {
    split_at(bytes, 0, each);
}

/// The same for what is nested so deep in other documents.
pub(crate) fn split_at(bytes: &[u8], nested: usize, each: Each<'_>) {
    if nested > NESTED {
        each(Piece::Broken(bytes, "documents within documents".to_owned()));
        return;
    }
    if let Some(text) = utf16(bytes) {
        return split_at(text.as_bytes(), nested + 1, each);
    }
    let bom = b"\xef\xbb\xbf";
    let start = skip_space(bytes, if bytes.starts_with(bom) { bom.len() } else { 0 });
    if forms::table(bytes.get(start..).unwrap_or_default(), each) {
        return;
    }
    let mut at = start;
    while let Some(first) = bytes.get(at) {
        let begin = if first.is_ascii_digit() { forms::after_time(bytes, at) } else { at };
        let (end, stop) = if bytes.get(begin) == Some(&b'[') {
            list(bytes, begin, List::Documents, nested, each)
        } else {
            document(bytes, begin, nested, each)
        }
        .map_or_else(|stop| (None, Some(stop)), |end| (Some(end), None));
        let next = match (end, stop) {
            (Some(end), _) => Some(skip_space(bytes, end)),
            (None, Some(stop)) => stop.tell(bytes, at, start, each),
            (None, None) => None,
        };
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
}

/// The text of bytes that begin with the mark of UTF-16. What is no character there becomes U+FFFD.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (rest, read): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        _ => return None,
    };
    let (pairs, _) = rest.as_chunks::<2>();
    let units: Vec<_> = pairs.iter().map(|pair| read(*pair)).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Why a document ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A record that begins here has no end.
    Cut(usize),
    /// From here on, and why.
    Broken(usize, String),
    /// A whole document that is no log file, its end, and why.
    Unknown(usize, String),
    /// A line that is no document, and why: what follows may be.
    Line(String),
}

impl Stop {
    /// Says what is wrong with the document that begins at `at`; where to go on, if anywhere.
    fn tell(self, bytes: &[u8], at: usize, start: usize, each: Each<'_>) -> Option<usize> {
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        match self {
            Self::Cut(from) => each(Piece::Cut(part(from, bytes.len()))),
            Self::Broken(from, reason) => each(Piece::Broken(part(from, bytes.len()), reason)),
            Self::Unknown(end, reason) => {
                let next = skip_space(bytes, end);
                if at > start || next < bytes.len() {
                    each(Piece::Bad(part(at, end), reason));
                    return Some(next);
                }
                each(Piece::Broken(part(at, end), reason));
            }
            Self::Line(reason) => {
                if let Some(next) = next_line(bytes, at) {
                    each(Piece::Bad(part(at, next), reason));
                    return Some(next);
                }
                if at > start {
                    // The last line of many.
                    each(Piece::Bad(part(at, bytes.len()), reason));
                } else {
                    each(Piece::Broken(part(at, bytes.len()), reason));
                }
            }
        }
        None
    }
}

/// The next line that a document can begin with.
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    memchr_iter(b'\n', rest).map(|newline| at + newline + 1).find(|line| {
        bytes.get(*line).is_some_and(|byte| b"{[".contains(byte) || byte.is_ascii_digit())
    })
}

fn broken<T>(at: usize, reason: &str) -> Result<T, Stop> {
    Err(Stop::Broken(at, format!("{reason} at byte {at}")))
}

/// Reads the document that begins at `at`; its end.
pub(crate) fn document(
    bytes: &[u8],
    at: usize,
    nested: usize,
    each: Each<'_>,
) -> Result<usize, Stop> {
    let start = at;
    if bytes.get(at) != Some(&b'{') {
        let reason = "not a CloudTrail log file: expected an object with a `Records` list at byte";
        return Err(Stop::Line(format!("{reason} {at}")));
    }
    let mut members = Members::at(start);
    let mut at = skip_space(bytes, at + 1);
    while bytes.get(at) != Some(&b'}') {
        let Some(end) = (bytes.get(at) == Some(&b'"')).then(|| skip_value(bytes, at)).flatten()
        else {
            return members.stop(bytes, at, "expected a member's name");
        };
        let name = bytes.get(at + 1..end - 1).unwrap_or_default();
        let colon = skip_space(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            return members.stop(bytes, colon, "expected `:`");
        }
        let value = skip_space(bytes, colon + 1);
        let of_name = List::of(name).filter(|_| bytes.get(value) == Some(&b'['));
        let end = if let Some(kind) = of_name {
            members.has_list = true;
            list(bytes, value, kind, nested, each)?
        } else if let Some(end) = skip_value(bytes, value) {
            members.add(name, bytes.get(value..end).unwrap_or_default());
            end
        } else {
            return members.stop(bytes, value, "a member breaks off");
        };
        at = match separator(bytes, end, b'}') {
            Err(Stop::Broken(at, reason)) => return members.stop_with(bytes, at, reason),
            at => at?,
        };
    }
    if !members.has_list {
        let document = bytes.get(start..=at).unwrap_or_default();
        forms::single(document, &members, nested, each).map_err(|reason| {
            Stop::Unknown(at + 1, format!("{reason}; the object ends at byte {at}"))
        })?;
    }
    Ok(at + 1)
}

impl Members<'_> {
    /// The end of a document that cannot be followed past `at`.
    fn stop<T>(&self, bytes: &[u8], at: usize, reason: &str) -> Result<T, Stop> {
        self.stop_with(bytes, at, format!("{reason} at byte {at}"))
    }

    fn stop_with<T>(&self, bytes: &[u8], at: usize, reason: String) -> Result<T, Stop> {
        Err(if self.has_list {
            Stop::Broken(at, reason)
        } else if self.are_of_record()
            && skip_value(bytes, self.start).is_none()
            && next_line(bytes, self.start).is_none()
        {
            Stop::Cut(self.start)
        } else {
            // Until a list of records has begun, the trouble is this document's alone.
            Stop::Line(reason)
        })
    }
}

/// Reads the list that begins at `at`; its end.
fn list(bytes: &[u8], at: usize, kind: List, nested: usize, each: Each<'_>) -> Result<usize, Stop> {
    let mut at = skip_space(bytes, at + 1);
    while bytes.get(at) != Some(&b']') {
        if at >= bytes.len() {
            return broken(at, "the list of records breaks off");
        }
        let end = match (bytes.get(at), skip_value(bytes, at)) {
            (_, Some(end)) => end,
            // Nothing between two commas: one bad element.
            (Some(b','), None) => at,
            (Some(b'}' | b':'), None) => return broken(at, "expected a record"),
            (_, None) => return Err(Stop::Cut(at)),
        };
        let element = bytes.get(at..end).unwrap_or_default();
        match kind {
            List::Records => each(Piece::Record(element)),
            kind => forms::element(element, kind, nested, each),
        }
        at = separator(bytes, end, b']')?;
    }
    Ok(at + 1)
}

/// Past the comma after `at`, or at the `closing` bracket.
fn separator(bytes: &[u8], at: usize, closing: u8) -> Result<usize, Stop> {
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
    use proptest::prelude::*;

    pub(crate) fn pieces(text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        split(text.as_bytes(), &mut |piece| {
            pieces.push(match piece {
                Piece::Record(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                Piece::Bad(bytes, reason) => {
                    format!("bad {}: {reason}", String::from_utf8_lossy(bytes))
                }
                Piece::Cut(bytes) => format!("cut {}", String::from_utf8_lossy(bytes)),
                Piece::Broken(_, reason) => format!("broken: {reason}"),
                Piece::Foreign => "foreign".to_owned(),
                Piece::Digest => "digest".to_owned(),
            });
        });
        pieces
    }

    #[test]
    fn records_are_elements_of_records() {
        assert_eq!(pieces(r#"{"Records":[{"a":"]}"}, 7 ,"x"]}"#), ["{\"a\":\"]}\"}", "7", "\"x\""]);
        assert!(pieces(r#" {"Records":[]} "#).is_empty());
        assert_eq!(pieces("\u{feff}{\"v\":{\"Records\":[0]},\"Records\":[1]}"), ["1"]);
        assert_eq!(pieces("{\"Records\":[1]}\n{\"Records\":[2,3]}"), ["1", "2", "3"]);
        assert_eq!(pieces("[1,{\"a\":2}] [3]"), ["1", "{\"a\":2}", "3"]);
        assert_eq!(pieces(r#"{"Records":[1,,2]}"#), ["1", "", "2"]);
        let utf16: Vec<u8> =
            "\u{feff}{\"Records\":[\"é\"]}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let mut records = 0;
        split(&utf16, &mut |piece| {
            records += u32::from(piece == Piece::Record("\"é\"".as_bytes()));
        });
        assert_eq!(records, 1);
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
