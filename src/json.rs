//! Where values begin and end in JSON text, without building a tree.
//!
//! A record is mostly bodies that become JSON text columns unchanged: building a tree of them, to
//! print it again, costs several times the inflating and loses the source's own bytes. This module
//! only finds boundaries: it skips strings and balances brackets, in one pass and without
//! recursion, so nesting depth costs nothing.
//!
//! It refuses to judge: `[1 2}` passes. Text that becomes a row goes through a [`Tape`] first, so that
//! what is written is JSON.

mod bracket_index;
mod names;
mod simd;
mod tape;

pub(crate) use names::Names;
pub(crate) use simd::{Kernel, Lanes, Narrow, widest};
#[cfg(test)]
pub(crate) use tape::leaked;
pub(crate) use tape::{Document, Edit, Json, MAX_DEPTH, Name, Tape};

use memchr::memchr;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

/// Whether `text` is one JSON value and nothing else. Not recursive: any depth is checked.
pub(crate) fn is_json(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<&RawValue>(text).map(|_| ())
}

/// The first position at or after `at` that is no JSON white space.
#[inline]
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the string whose opening quote is at `at`; `None` when the text ends inside it.
pub(crate) fn skip_string(bytes: &[u8], at: usize) -> Option<usize> {
    string_end(Narrow, bytes, at).map(|(end, _)| end)
}

/// The same, and whether anything in the string is escaped.
#[inline(always)]
pub(crate) fn string_end(lanes: impl Lanes, bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut at = at + 1;
    let mut escaped = false;
    loop {
        at = bracket_index::find_in_string(lanes, bytes, at)?;
        if bytes.get(at) == Some(&b'"') {
            return Some((at + 1, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// The end of the value that begins at `at`; `None` when the text ends inside it or none begins.
pub(crate) fn skip_value(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => skip_string(bytes, at),
        b'{' | b'[' => skip_brackets(bytes, at),
        _ => skip_bare(bytes, at),
    }
}

/// The same for a value that is neither a string, an object nor a list.
pub(crate) fn skip_bare(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let ends = |b: &u8| matches!(b, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    (!matches!(rest.first()?, b',' | b']' | b'}' | b':')).then_some(at + length)
}

/// The end of the object or list that begins at `at`. Brackets are counted, not paired.
fn skip_brackets(bytes: &[u8], at: usize) -> Option<usize> {
    skip_rest(Narrow, bytes, at, at)
}

/// The end of the object or list that begins at `from`. What comes before `at` was looked at: that is
/// `from` itself, or a place beside its own members.
#[inline(always)]
pub(crate) fn skip_rest(lanes: impl Lanes, bytes: &[u8], from: usize, at: usize) -> Option<usize> {
    match bracket_index::skip_brackets(lanes, bytes, at, u64::from(at > from)) {
        Ok(end) => end,
        Err(bracket_index::Stray) => skip_brackets_bytewise(bytes, from),
    }
}

/// The same, byte by byte: what the fast one must equal, and for what it cannot do.
fn skip_brackets_bytewise(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = skip_string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Where the member that begins at `at` has its name, without the quotes, and its value; and where the
/// next one can begin.
pub(crate) fn member_at(bytes: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>, usize)> {
    let name_end = (bytes.get(at) == Some(&b'"')).then(|| skip_string(bytes, at))??;
    let colon = skip_space(bytes, name_end);
    let value = (bytes.get(colon) == Some(&b':')).then(|| skip_space(bytes, colon + 1))?;
    let value_end = skip_value(bytes, value)?;
    let comma = skip_space(bytes, value_end);
    let next = comma + usize::from(bytes.get(comma) == Some(&b','));
    Some((at + 1..name_end - 1, value..value_end, next))
}

/// The members of an object, in order, as (name without its quotes, text of the value).
///
/// Ends early on text that is no object, or that breaks off.
#[derive(Debug, Clone)]
pub(crate) struct RawMembers<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> RawMembers<'a> {
    /// `text` is the text of the whole object, as [`skip_value`] delimits it.
    pub(crate) fn new(text: &'a str) -> Self {
        let opened = text.as_bytes().first() == Some(&b'{');
        Self { text, at: if opened { 1 } else { text.len() } }
    }

    fn step(&mut self) -> Option<(&'a str, &'a str)> {
        let bytes = self.text.as_bytes();
        let name = skip_space(bytes, self.at);
        let (name, value, next) = member_at(bytes, name)?;
        self.at = next;
        Some((self.text.get(name)?, self.text.get(value)?))
    }
}

impl<'a> Iterator for RawMembers<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.step();
        if member.is_none() {
            self.at = self.text.len();
        }
        member
    }
}

/// The elements of a list, in order, as text. Ends early on text that is no list.
#[derive(Debug, Clone)]
pub(crate) struct RawElements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> RawElements<'a> {
    /// `text` is the text of the whole list, as [`skip_value`] delimits it.
    pub(crate) fn new(text: &'a str) -> Self {
        let opened = text.as_bytes().first() == Some(&b'[');
        Self { text, at: if opened { 1 } else { text.len() } }
    }
}

impl<'a> Iterator for RawElements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let value = skip_space(bytes, self.at);
        let Some(end) = skip_value(bytes, value) else {
            self.at = self.text.len();
            return None;
        };
        let comma = skip_space(bytes, end);
        self.at = comma + usize::from(bytes.get(comma) == Some(&b','));
        self.text.get(value..end)
    }
}

/// The value of the last member called `name` of the object `text`: with duplicate names the last
/// one counts, as in every common parser.
pub(crate) fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    RawMembers::new(text).filter(|(key, _)| name_is(key, name)).last().map(|(_, value)| value)
}

/// A member's name: unescaped, but for lone surrogates, which would make one name of two.
pub(crate) fn name(raw: &str) -> Cow<'_, str> {
    if has_lone_surrogate(raw) { Cow::Borrowed(raw) } else { unescape(raw) }
}

/// Whether a member's raw name, escapes and all, spells `name`.
pub(crate) fn name_is(raw: &str, name: &str) -> bool {
    raw == name || (has_escape(raw) && unescape(raw) == name)
}

/// Whether anything in a JSON string is escaped.
pub(crate) fn has_escape(raw: &str) -> bool {
    memchr(b'\\', raw.as_bytes()).is_some()
}

/// The text of a JSON string, given with its quotes; `None` for any other value.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    Some(unescape(inner))
}

/// What is inside a JSON string's quotes, unescaped. A lone surrogate, which UTF-8 cannot hold,
/// becomes U+FFFD (see [`has_lone_surrogate`]).
pub(crate) fn unescape(inner: &str) -> Cow<'_, str> {
    unescape_all(inner).0
}

/// Whether a JSON string holds an escaped surrogate without its other half: then its text column
/// cannot give it back.
pub(crate) fn has_lone_surrogate(raw: &str) -> bool {
    has_escape(raw) && raw.contains("\\u") && unescape_all(raw).1
}

/// The unescaped text, and whether a lone surrogate was replaced in it.
fn unescape_all(inner: &str) -> (Cow<'_, str>, bool) {
    if !has_escape(inner) {
        return (Cow::Borrowed(inner), false);
    }
    let mut out = String::with_capacity(inner.len());
    let mut lone = false;
    let mut rest = inner;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        let (plain, escaped) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let escaped = escaped.get(1..).unwrap_or_default();
        out.push_str(plain);
        let (c, used) = unescape_one(escaped);
        lone |= c.is_none();
        out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = escaped.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    (Cow::Owned(out), lone)
}

/// The character that an escape stands for (none for a lone surrogate), and how many bytes after
/// its backslash it takes.
fn unescape_one(escaped: &str) -> (Option<char>, usize) {
    let c = match escaped.as_bytes().first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unicode(escaped),
        Some(_) => {
            let other = escaped.chars().next();
            return (other, other.map_or(0, char::len_utf8));
        }
        None => return (None, 0),
    };
    (Some(c), 1)
}

fn unescape_unicode(escaped: &str) -> (Option<char>, usize) {
    let unit =
        |from: usize| escaped.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(first) = unit(1) else { return (None, 1) };
    let second = escaped.get(5..7).filter(|s| *s == "\\u").and_then(|_| unit(7));
    if let (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) = (first, second) {
        return (char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)), 11);
    }
    (char::from_u32(first), 5)
}

/// Appends a form of the JSON value `raw` that is the same for equal values: members in the order of
/// their names, the last of duplicates only, no white space, one spelling of every string. Numbers
/// keep their text, for a float would make equals of different ones.
pub(crate) fn push_canonical(out: &mut String, raw: &str) {
    match raw.as_bytes().first() {
        Some(b'{') => {
            let members = RawMembers::new(raw).map(|(raw, value)| (name(raw), value));
            out.push('{');
            for (name, value) in members.collect::<BTreeMap<_, _>>() {
                push_string(out, &name);
                push_canonical(out, value);
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            for element in RawElements::new(raw) {
                push_canonical(out, element);
                out.push(',');
            }
            out.push(']');
        }
        // Two lone surrogates differ, though both become U+FFFD.
        Some(b'"') if !has_lone_surrogate(raw) => {
            push_string(out, &string(raw).unwrap_or_default());
        }
        _ => out.push_str(raw),
    }
}

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn push_string(out: &mut String, text: &str) {
    let must_be_escaped = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\');
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(must_be_escaped) {
        let (plain, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        match from.bytes().next().unwrap_or_default() {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control @ ..b' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{control:04x}");
            }
            mark => out.extend(['\\', char::from(mark)]),
        }
        rest = from.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_end_where_they_end() {
        for (text, end) in
            [(r#""a\"]" ,"#, 6), ("[1,[2,\"]\"]] x", 11), ("tru}", 3), ("12", 2), ("{}", 2)]
        {
            assert_eq!(skip_value(text.as_bytes(), 0), Some(end), "{text}");
        }
        for text in ["\"abc", "[1,2", "{\"a\":\"b\\", "", ",", "\"\\\""] {
            assert_eq!(skip_value(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn members_keep_order_and_text() {
        let text = r#"{ "a" : 1.0 , "b\n":{"c":[ ]},"d":"x" }"#;
        let members: Vec<_> = RawMembers::new(text).collect();
        assert_eq!(members, [("a", "1.0"), ("b\\n", "{\"c\":[ ]}"), ("d", "\"x\"")]);
        assert_eq!(RawMembers::new("[1]").count(), 0);
        assert_eq!(
            RawElements::new("[ 1, {\"a\":2} ,\"x\"]").collect::<Vec<_>>(),
            ["1", "{\"a\":2}", "\"x\""]
        );
        assert_eq!(member(r#"{"a":1,"\u0061":2}"#, "a"), Some("2"));
    }

    #[test]
    fn lone_surrogates_are_replaced_and_found() {
        assert_eq!(string(r#""a\ud83db""#).unwrap(), "a\u{fffd}b");
        assert_eq!(string(r#""\ud83d\ude00""#).unwrap(), "😀");
        assert!(has_lone_surrogate(r#""\ud83d""#));
        assert!(!has_lone_surrogate(r#""\ud83d\ude00""#));
        assert!(!has_lone_surrogate("\"\\uFFFD\u{fffd}\""));
    }

    #[test]
    fn equal_values_have_one_canonical_form() {
        let canonical = |raw| {
            let mut out = String::new();
            push_canonical(&mut out, raw);
            out
        };
        let form = canonical(r#"{"a":[1,{"c":"é","d":null}],"b":1.0}"#);
        assert_eq!(form, canonical(r#"{ "b":1.0, "a":[ 1,{"d":null,"c":"x","c":"\u00e9"}] }"#));
        for other in [
            r#"{"a":[{"c":"é","d":null},1],"b":1.0}"#,
            r#"{"a":[1,{"c":"é","d":null}],"b":1}"#,
            r#"{"a":[1,{"c":"é"}],"b":1.0}"#,
        ] {
            assert_ne!(form, canonical(other));
        }
        assert_ne!(canonical("100000000000000000000"), canonical("100000000000000000001"));
        assert_ne!(canonical(r#""\ud83d""#), canonical(r#""\ud83e""#));
        assert_ne!(canonical(r#"{"\ud83d":1}"#), canonical(r#"{"\ud83e":1}"#));
    }

    /// The end of an object or list, and that of a string.
    struct Ends<'b>(&'b [u8]);

    impl Kernel for Ends<'_> {
        type Output = (Option<usize>, Option<(usize, bool)>);

        #[inline(always)]
        fn look<L: Lanes>(self, lanes: L) -> Self::Output {
            (skip_rest(lanes, self.0, 0, 0), string_end(lanes, self.0, 0))
        }
    }

    proptest! {
        #[test]
        fn strings_unescape_as_serde_json_does(text in "\\PC*|[\\x00-\\x20\"\\\\]*") {
            let raw = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(string(&raw).unwrap(), text.as_str());
            let mut ours = String::new();
            push_string(&mut ours, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&ours).unwrap(), text);
        }

        #[test]
        fn brackets_end_where_they_end_byte_by_byte(
            text in "\\{[{}\\[\\]\"\\\\ab:, ]{0,300}",
            long in "\\[(\\{\"a{0,90}\":\"[\\\\\"{}]{0,3}a{0,90}\",\"b\":\\[[1-9,]{0,9}\\]\\},){0,9}\\]",
        ) {
            for text in [text, long] {
                let bytes = text.as_bytes();
                let end = skip_brackets_bytewise(bytes, 0);
                prop_assert_eq!(skip_brackets(bytes, 0), end);
                prop_assert_eq!(widest(Ends(bytes)).0, end);
            }
        }

        #[test]
        fn strings_end_at_their_quote(
            text in "(a{0,3}|a{30,33}|a{60,70}|a{120,130}|a{200})(\\\\[\"\\\\n])?",
            after in "a{0,70}",
        ) {
            let bytes = format!("\"{text}\"{after}").into_bytes();
            let end = Some((text.len() + 2, text.contains('\\')));
            prop_assert_eq!(Ends(&bytes).look(Narrow).1, end);
            prop_assert_eq!(widest(Ends(&bytes)).1, end);
        }

        #[test]
        fn any_bytes_end_or_break_off(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(end) = skip_value(&bytes, 0) {
                prop_assert!(end <= bytes.len());
            }
        }
    }
}
