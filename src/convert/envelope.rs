//! From a log file's bytes to its records' bytes.
//!
//! A log file is `{"Records":[...]}`; other members are legal and ignored, and documents may follow
//! each other. Other producers leave the object out and write the list alone. Records are delimited
//! by their brackets alone, so a record that is no JSON inside costs itself and not its neighbours.
//! Whatever cannot be followed any further is said once, with its place. It refuses to look inside a
//! record.

use crate::json::{skip_space, skip_value};

/// What an envelope gives, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// The bytes of one element of a `Records` list.
    Record(&'a [u8]),
    /// The bytes of a record that breaks off at the end of the file.
    Cut(&'a [u8]),
    /// The file cannot be followed from these bytes on, or is no log file.
    Broken(&'a [u8], String),
}

/// Gives `each` every piece of a log file's bytes, in order.
pub(crate) fn split<'a>(bytes: &'a [u8], each: &mut impl FnMut(Piece<'a>)) {
    let bom = b"\xef\xbb\xbf";
    let mut at = skip_space(bytes, if bytes.starts_with(bom) { bom.len() } else { 0 });
    loop {
        let end = if bytes.get(at) == Some(&b'[') {
            records(bytes, at, each)
        } else {
            document(bytes, at, each)
        };
        match end {
            Ok(end) => at = skip_space(bytes, end),
            Err(Stop::Cut(from)) => {
                let cut = bytes.get(from..).unwrap_or_default();
                each(Piece::Cut(cut));
                return;
            }
            Err(Stop::Broken(from, reason)) => {
                each(Piece::Broken(bytes.get(from..).unwrap_or_default(), reason));
                return;
            }
        }
        if at >= bytes.len() {
            return;
        }
    }
}

/// Why a document ends early.
enum Stop {
    /// A record that begins here has no end.
    Cut(usize),
    /// From here on, and why.
    Broken(usize, String),
}

fn broken<T>(at: usize, reason: &str) -> Result<T, Stop> {
    Err(Stop::Broken(at, format!("{reason} at byte {at}")))
}

/// Reads the document that begins at `at`; its end.
fn document<'a>(
    bytes: &'a [u8],
    at: usize,
    each: &mut impl FnMut(Piece<'a>),
) -> Result<usize, Stop> {
    if bytes.get(at) != Some(&b'{') {
        return broken(at, "not a CloudTrail log file: expected an object with a `Records` list");
    }
    let start = at;
    let mut names = Vec::new();
    let mut has_records = false;
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
        let is_list = bytes.get(value) == Some(&b'[');
        let end = if name == b"Records" && is_list {
            has_records = true;
            records(bytes, value, each)?
        } else {
            // In what is no log file, a name could be anything: only what looks like one is shown.
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
            let plain = name.len() <= 40 && name.iter().all(is_plain);
            names.push(if plain {
                String::from_utf8_lossy(name).into_owned()
            } else {
                "...".into()
            });
            let Some(end) = skip_value(bytes, value) else {
                return broken(value, "a member breaks off");
            };
            end
        };
        at = separator(bytes, end, b'}')?;
    }
    if !has_records {
        names.truncate(8);
        let reason = not_a_log_file(&names);
        return Err(Stop::Broken(start, format!("{reason} at byte {at}")));
    }
    Ok(at + 1)
}

fn not_a_log_file(names: &[String]) -> String {
    format!(
        "not a CloudTrail log file: no `Records` list; its members are [{}]; the object ends",
        names.join(", ")
    )
}

/// Reads the list of records that begins at `at`; its end.
fn records<'a>(
    bytes: &'a [u8],
    at: usize,
    each: &mut impl FnMut(Piece<'a>),
) -> Result<usize, Stop> {
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
        each(Piece::Record(bytes.get(at..end).unwrap_or_default()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        split(text.as_bytes(), &mut |piece| {
            pieces.push(match piece {
                Piece::Record(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                Piece::Cut(bytes) => format!("cut {}", String::from_utf8_lossy(bytes)),
                Piece::Broken(_, reason) => format!("broken: {reason}"),
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
                r#"{"Events":[],"x":1}"#,
                vec![
                    "broken: not a CloudTrail log file: no `Records` list; its members are [Events, x]; the object ends at byte 18",
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
        fn any_text_ends(text in "[\\[\\]{}\",:\\\\ Recodsx1]{0,60}") {
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
