//! One JSON text read once: where every value in it is, in order.
//!
//! A row is made by many that look at the same record: what is to be masked, who called, what was set.
//! Each following the text anew would cost several times the reading. A [`Tape`] is the places of all
//! values in the order of the text, and for each the place of what comes after it, so that whoever has
//! no use for a value steps over it. It holds no text and copies none. Reading is checking: what has a
//! tape is JSON, as `serde_json` has it. It refuses to interpret a value beyond that.

use crate::json;
use std::borrow::Cow;
use wide::u8x16;

/// The places of a text's values; it is used again for the next text.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    nodes: Vec<TapeNode>,
    /// The objects and lists that are open while reading.
    open: Vec<Open>,
}

/// A value or a member's name, with its quotes.
#[derive(Debug, Clone, Copy)]
struct TapeNode {
    from: u32,
    to: u32,
    /// The number of the node after this one and all that is in it.
    next: u32,
    /// Whether it is a string with an escape in it.
    escaped: bool,
    is_name: bool,
    /// Whether it is a name with a `_` or `-` in it.
    marked: bool,
}

/// What stands in place of a value that has nothing in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    /// The value's number.
    pub(crate) number: u32,
    /// Bytes of the text that stands there now.
    pub(crate) bytes: u32,
    /// Whether that is a string with an escape in it.
    pub(crate) escaped: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    number: usize,
    is_object: bool,
}

/// No text that is read is longer than this.
const MAX_TEXT_BYTES: usize = u32::MAX as usize;
/// How deep objects and lists nest at most in a text that is read.
pub(crate) const MAX_DEPTH: usize = 128;
/// Nodes whose memory is kept for the next text: ordinary records have some hundreds.
const MAX_KEPT_NODES: usize = 1 << 16;

impl Tape {
    /// Reads a text; `None` where it is not one JSON value and nothing else, or nests deeper than
    /// [`MAX_DEPTH`].
    pub(crate) fn read<'a, 't>(&'t mut self, text: &'a str) -> Option<Document<'a, 't>> {
        self.nodes.clear();
        self.nodes.shrink_to(MAX_KEPT_NODES);
        self.open.clear();
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        self.read_all(text.as_bytes())?;
        Some(Document { text, nodes: &self.nodes })
    }

    /// Takes what another tape knows of a text to one in which some values have other texts: nothing is
    /// read again. `edits` are in the order of the text.
    pub(crate) fn edited<'a, 't>(
        &'t mut self,
        document: &Document<'_, '_>,
        text: &'a str,
        edits: &[Edit],
    ) -> Document<'a, 't> {
        self.nodes.clear();
        self.nodes.shrink_to(MAX_KEPT_NODES);
        self.nodes.reserve(document.nodes.len());
        self.open.clear();
        // How far what comes next has moved; backwards it wraps.
        let mut moved = 0_u32;
        let mut edits = edits.iter().peekable();
        for (number, old) in (0..).zip(document.nodes) {
            self.close_moved(number, moved);
            let mut node = TapeNode { from: old.from.wrapping_add(moved), ..*old };
            if let Some(edit) = edits.next_if(|edit| edit.number == number) {
                (node.to, node.escaped) = (node.from.wrapping_add(edit.bytes), edit.escaped);
                moved = node.to.wrapping_sub(old.to);
            } else if old.next == number + 1 {
                node.to = old.to.wrapping_add(moved);
            } else {
                self.open.push(Open { number: self.nodes.len(), is_object: false });
            }
            self.nodes.push(node);
        }
        self.close_moved(u32::MAX, moved);
        Document { text, nodes: &self.nodes }
    }

    /// Ends what is open and has nothing more in it at the node with this number.
    fn close_moved(&mut self, number: u32, moved: u32) {
        while let Some(open) = self.open.last() {
            match self.nodes.get_mut(open.number) {
                Some(node) if node.next > number => return,
                Some(node) => node.to = node.to.wrapping_add(moved),
                None => {}
            }
            self.open.pop();
        }
    }

    fn read_all(&mut self, bytes: &[u8]) -> Option<()> {
        let mut at = json::skip_space(bytes, 0);
        loop {
            at = self.value(bytes, at)?;
            // What follows a value ends what it is in, or begins the next in it.
            loop {
                let Some(open) = self.open.last().copied() else {
                    return (json::skip_space(bytes, at) == bytes.len()).then_some(());
                };
                at = json::skip_space(bytes, at);
                match (bytes.get(at)?, open.is_object) {
                    (b',', true) => {
                        at = self.name(bytes, json::skip_space(bytes, at + 1))?;
                        break;
                    }
                    (b',', false) => {
                        at = json::skip_space(bytes, at + 1);
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        at += 1;
                        self.close(open.number, at);
                    }
                    _ => return None,
                }
            }
        }
    }

    /// Reads from the value that begins at `at` to the end of one that has nothing in it.
    fn value(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        loop {
            let end = match bytes.get(at)? {
                b'"' => {
                    let (end, escaped, _) = string::<false>(bytes, at)?;
                    self.push(TapeNode { escaped, ..plain(at, end) });
                    return Some(end);
                }
                first @ (b'{' | b'[') => {
                    let is_object = *first == b'{';
                    let number = self.nodes.len();
                    self.push(plain(at, at));
                    self.open.push(Open { number, is_object });
                    (self.open.len() <= MAX_DEPTH).then_some(())?;
                    at = json::skip_space(bytes, at + 1);
                    match (bytes.get(at)?, is_object) {
                        (b'}', true) | (b']', false) => {
                            self.close(number, at + 1);
                            return Some(at + 1);
                        }
                        (_, true) => at = self.name(bytes, at)?,
                        (_, false) => {}
                    }
                    continue;
                }
                b't' => literal(bytes, at, b"true")?,
                b'f' => literal(bytes, at, b"false")?,
                b'n' => literal(bytes, at, b"null")?,
                _ => number(bytes, at)?,
            };
            self.push(plain(at, end));
            return Some(end);
        }
    }

    /// Reads a member's name and its colon; where its value begins.
    fn name(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        (bytes.get(at)? == &b'"').then_some(())?;
        let (end, escaped, marked) = string::<true>(bytes, at)?;
        self.push(TapeNode { escaped, is_name: true, marked, ..plain(at, end) });
        let at = json::skip_space(bytes, end);
        (bytes.get(at)? == &b':').then(|| json::skip_space(bytes, at + 1))
    }

    #[expect(clippy::cast_possible_truncation, reason = "no text is longer than LONGEST")]
    fn push(&mut self, node: TapeNode) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(TapeNode { next, ..node });
    }

    #[expect(clippy::cast_possible_truncation, reason = "no text is longer than LONGEST")]
    fn close(&mut self, number: usize, end: usize) {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(number) {
            (node.to, node.next) = (end as u32, next);
        }
        self.open.pop();
    }
}

/// The node of a value with nothing in it.
#[expect(clippy::cast_possible_truncation, reason = "no text is longer than LONGEST")]
fn plain(from: usize, to: usize) -> TapeNode {
    let (from, to) = (from as u32, to as u32);
    TapeNode { from, to, next: u32::MAX, escaped: false, is_name: false, marked: false }
}

fn literal(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// The end of the number that begins at `at`.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let some_digits = |from: usize| Some(digits(from)).filter(|end| *end > from);
    let begin = at + usize::from(bytes.get(at) == Some(&b'-'));
    let mut end = if bytes.get(begin) == Some(&b'0') { begin + 1 } else { some_digits(begin)? };
    if bytes.get(end) == Some(&b'.') {
        end = some_digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = some_digits(end + 1 + sign)?;
    }
    Some(end)
}

/// The end of the string whose opening quote is at `at`, whether anything in it is escaped, and of a name
/// whether a `_` or `-` stands in it.
fn string<const IS_NAME: bool>(bytes: &[u8], at: usize) -> Option<(usize, bool, bool)> {
    let mut at = at + 1;
    let (mut escaped, mut marked) = (false, false);
    loop {
        while let Some(block) = bytes.get(at..)?.first_chunk::<16>() {
            let lane = u8x16::new(*block);
            let is = |byte| lane.simd_eq(u8x16::splat(byte));
            let control = (lane & u8x16::splat(0xe0)).simd_eq(u8x16::splat(0));
            let stops = (is(b'"') | is(b'\\') | control).to_bitmask();
            if IS_NAME {
                let before = !stops & stops.wrapping_sub(1);
                marked |= (is(b'_') | is(b'-')).to_bitmask() & before != 0;
            }
            if stops != 0 {
                at += stops.trailing_zeros() as usize;
                break;
            }
            at += 16;
        }
        match bytes.get(at)? {
            b'"' => return Some((at + 1, escaped, marked)),
            b'\\' => {
                escaped = true;
                at = match bytes.get(at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at + 2,
                    b'u' => {
                        let hex = bytes.get(at + 2..at + 6)?;
                        hex.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)?
                    }
                    _ => return None,
                };
            }
            0..=0x1f => return None,
            byte => {
                marked |= IS_NAME && matches!(byte, b'_' | b'-');
                at += 1;
            }
        }
    }
}

/// A text that was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'a, 't> {
    pub(crate) text: &'a str,
    nodes: &'t [TapeNode],
}

impl<'a> Document<'a, '_> {
    /// Its value.
    pub(crate) fn value(&self) -> Json<'a, '_> {
        Json { document: self, number: 0 }
    }

    /// All members' names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = Name<'a, '_>> {
        let names = (0..).zip(self.nodes).filter(|(_, node)| node.is_name);
        names.map(|(number, node)| Name { document: self, node: *node, number })
    }

    fn node(&self, number: u32) -> TapeNode {
        let node = self.nodes.get(number as usize).copied();
        node.unwrap_or_else(|| plain(0, 0))
    }

    fn raw(&self, node: TapeNode) -> &'a str {
        self.text.get(node.from as usize..node.to as usize).unwrap_or_default()
    }

    /// What is in a string's quotes, as it is spelled.
    fn quoted(&self, node: TapeNode) -> &'a str {
        let end = (node.to as usize).saturating_sub(1);
        self.text.get(node.from as usize + 1..end).unwrap_or_default()
    }

    fn unescaped(&self, node: TapeNode) -> Cow<'a, str> {
        let inner = self.quoted(node);
        if node.escaped { json::unescape(inner) } else { Cow::Borrowed(inner) }
    }
}

/// The value of a text, for tests: what was read is never freed.
#[cfg(test)]
pub(crate) fn leaked(text: &str) -> Json<'_, '_> {
    let tape = Box::leak(Box::<Tape>::default());
    Box::leak(Box::new(tape.read(text).unwrap())).value()
}

/// A value of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a, 't> {
    document: &'t Document<'a, 't>,
    number: u32,
}

impl<'a, 't> Json<'a, 't> {
    fn node(&self) -> TapeNode {
        self.document.node(self.number)
    }

    /// Its text.
    pub(crate) fn raw(&self) -> &'a str {
        self.document.raw(self.node())
    }

    /// Where its text begins and ends in the whole.
    pub(crate) fn range(&self) -> (usize, usize) {
        let node = self.node();
        (node.from as usize, node.to as usize)
    }

    /// The numbers of what is in it: its own, and that of what follows.
    pub(crate) fn numbers(&self) -> (u32, u32) {
        (self.number, self.node().next)
    }

    fn kind(&self) -> u8 {
        let from = self.node().from as usize;
        self.document.text.as_bytes().get(from).copied().unwrap_or_default()
    }

    pub(crate) fn is_object(&self) -> bool {
        self.kind() == b'{'
    }

    pub(crate) fn is_list(&self) -> bool {
        self.kind() == b'['
    }

    pub(crate) fn is_string(&self) -> bool {
        self.kind() == b'"'
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.kind(), b'-' | b'0'..=b'9')
    }

    pub(crate) fn is_null(&self) -> bool {
        self.kind() == b'n'
    }

    /// The text of a string, unescaped; `None` for any other value.
    pub(crate) fn string(&self) -> Option<Cow<'a, str>> {
        self.is_string().then(|| self.document.unescaped(self.node()))
    }

    /// Whether it is a string with something escaped in it.
    pub(crate) fn is_escaped(&self) -> bool {
        self.node().escaped
    }

    /// The members of an object, in order; none of what is no object.
    pub(crate) fn members(&self) -> Members<'a, 't> {
        Members(self.inside(b'{'))
    }

    /// The elements of a list, in order; none of what is no list.
    pub(crate) fn elements(&self) -> Elements<'a, 't> {
        Elements(self.inside(b'['))
    }

    /// The value of the last member called `name`.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        self.members().filter(|(member, _)| member.is(name)).last().map(|(_, value)| value)
    }

    /// What is in it, if it is of a kind.
    fn inside(&self, kind: u8) -> Walk<'a, 't> {
        let end = if self.kind() == kind { self.node().next } else { 0 };
        Walk { document: self.document, number: self.number + 1, end }
    }
}

/// Names and values one after another.
#[derive(Debug, Clone)]
struct Walk<'a, 't> {
    document: &'t Document<'a, 't>,
    number: u32,
    end: u32,
}

impl<'a, 't> Walk<'a, 't> {
    fn value(&mut self) -> Option<Json<'a, 't>> {
        let value = Json { document: self.document, number: self.number };
        (self.number < self.end).then(|| {
            self.number = value.node().next;
            value
        })
    }
}

/// A member's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name<'a, 't> {
    document: &'t Document<'a, 't>,
    node: TapeNode,
    number: u32,
}

impl<'a> Name<'a, '_> {
    /// Names and values are numbered together, in order.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// As it is spelled, without its quotes.
    pub(crate) fn raw(&self) -> &'a str {
        self.document.quoted(self.node)
    }

    /// Unescaped. A lone surrogate is U+FFFD.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        self.document.unescaped(self.node)
    }

    /// Unescaped, but for lone surrogates, which would make one name of two.
    pub(crate) fn key(&self) -> Cow<'a, str> {
        if self.node.escaped { json::name(self.raw()) } else { Cow::Borrowed(self.raw()) }
    }

    /// Whether anything in it is escaped.
    pub(crate) fn is_escaped(&self) -> bool {
        self.node.escaped
    }

    /// Whether a `_` or `-` stands in it.
    pub(crate) fn is_marked(&self) -> bool {
        self.node.marked
    }

    /// Whether it spells `name`.
    pub(crate) fn is(&self, name: &str) -> bool {
        if self.node.escaped { self.text() == name } else { self.raw() == name }
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub(crate) struct Members<'a, 't>(Walk<'a, 't>);

impl<'a, 't> Iterator for Members<'a, 't> {
    type Item = (Name<'a, 't>, Json<'a, 't>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.0.value()?;
        let Json { document, number } = name;
        Some((Name { document, node: name.node(), number }, self.0.value()?))
    }
}

/// The elements of a list.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a, 't>(Walk<'a, 't>);

impl<'a, 't> Iterator for Elements<'a, 't> {
    type Item = Json<'a, 't>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// A value rebuilt from the tape alone.
    fn rebuilt(value: Json<'_, '_>) -> Value {
        if value.is_object() {
            let members = value.members().map(|(name, value)| (name.text().into(), rebuilt(value)));
            return Value::Object(members.collect());
        }
        if value.is_list() {
            return Value::Array(value.elements().map(rebuilt).collect());
        }
        let scalar = serde_json::from_str(value.raw());
        // `serde_json` refuses a lone surrogate and a number beyond a float, though both are JSON.
        scalar.unwrap_or_else(|_| Value::String(value.raw().to_owned()))
    }

    #[test]
    fn what_is_json_has_a_tape_and_nothing_else() {
        for text in [
            "{}",
            "[]",
            " [ ] ",
            "0",
            "-0",
            "-0.5e+7",
            "1E9",
            "\"\"",
            "\"\\u00e9\\\"\"",
            "null",
            "true",
            "{\"a\":[1,{\"b\":null}],\"a\":\"x\"}",
            "\"\\ud83d\"",
            "[[[[]]]]",
            "1e999",
            "\"\u{7f}é\"",
        ] {
            assert!(Tape::default().read(text).is_some() && json::is_json(text).is_ok(), "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "[",
            "]",
            "{]",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "{1:1}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "nul",
            "nulls",
            "True",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "1 2",
            "[1 2]",
            "{\"a\":1 \"b\":2}",
            "[1}",
            "\u{feff}1",
            "{\"a\":}",
            "\"\u{1f}\"",
        ] {
            assert!(Tape::default().read(text).is_none() && json::is_json(text).is_err(), "{text}");
        }
    }

    #[test]
    fn marks_are_found_wherever_they_stand() {
        for name in
            ["", "a", "_", "ab-", "abcdefghijklmno_", "abcdefghijklmnop-", "abcdefghijklmnopq"]
        {
            for after in ["", "_- _- _- _- _- _- _-"] {
                let text = format!("{{\"{name}\":\"{after}\"}}");
                let mut tape = Tape::default();
                let document = tape.read(&text).unwrap();
                let found = document.names().next().unwrap();
                assert_eq!(found.is_marked(), name.contains(['_', '-']), "{text}");
            }
        }
    }

    #[test]
    fn values_are_where_they_are() {
        let text = r#"{ "a" : [ 1 , {"b":"x\ny"} ] , "\u0061" : null , "c":{} }"#;
        let mut tape = Tape::default();
        let document = tape.read(text).unwrap();
        let root = document.value();
        let names: Vec<_> = root.members().map(|(name, value)| (name.raw(), value.raw())).collect();
        assert_eq!(names, [("a", "[ 1 , {\"b\":\"x\\ny\"} ]"), ("\\u0061", "null"), ("c", "{}")]);
        assert!(root.member("a").unwrap().is_null());
        let (_, list) = root.members().next().unwrap();
        let elements: Vec<_> = list.elements().map(|element| element.raw()).collect();
        assert_eq!(elements, ["1", "{\"b\":\"x\\ny\"}"]);
        let b = list.elements().nth(1).and_then(|element| element.member("b")).unwrap();
        assert_eq!((b.string().unwrap().as_ref(), b.is_escaped()), ("x\ny", true));
        assert_eq!(list.members().count() + root.elements().count() + b.members().count(), 0);
    }

    #[test]
    fn what_nests_too_deep_has_no_tape() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tape::default().read(&nested(MAX_DEPTH)).is_some());
        assert!(Tape::default().read(&nested(MAX_DEPTH + 1)).is_none());
        let aside = format!("[{0},{0},{{\"a\":{0}}}]", nested(MAX_DEPTH - 2));
        assert!(Tape::default().read(&aside).is_some());
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,40}|[\\x00-\\x20\"\\\\/é]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map("[a-c\"\\\\é]{0,20}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_tape_gives_the_value_back(value in any_value(), is_pretty in any::<bool>()) {
            let text = if is_pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                serde_json::to_string(&value).unwrap()
            };
            prop_assert_eq!(rebuilt(Tape::default().read(&text).unwrap().value()), serde_json::from_str::<Value>(&text).unwrap());
        }

        /// Damaged at one place, or anything at all: it is JSON to both, or to neither.
        #[test]
        fn serde_json_is_of_the_same_mind(
            value in any_value(),
            at in any::<proptest::sample::Index>(),
            with in "[{}\\[\\]\",:\\\\0-9eE.+\\- tfnu\\x00\\x1f]{0,3}",
            soup in "[{}\\[\\]\",:\\\\0-9eE.+\\- \\x1ftrufalsné]{0,40}",
        ) {
            let mut text = serde_json::to_string(&value).unwrap();
            let mut at = at.index(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let end = (at + 1..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(at);
            text.replace_range(at..end, &with);
            for text in [text, soup] {
                prop_assert_eq!(Tape::default().read(&text).is_some(), json::is_json(&text).is_ok(), "{}", text);
            }
        }
    }
}
