//! Bytes looked at once, without parsing: where records begin and end, and which of them must be read.

use crate::json::{self, Kernel, Lanes, skip_space};
use crate::scope::CODEBUILD;

/// Where the first document can begin: after the mark of UTF-8 and white space.
pub(crate) fn beginning(bytes: &[u8]) -> usize {
    let bom = b"\xef\xbb\xbf";
    skip_space(bytes, if bytes.starts_with(bom) { bom.len() } else { 0 })
}

/// Where the first record of a log file can begin, if its bytes begin like one.
pub(crate) fn first_record(bytes: &[u8]) -> Option<usize> {
    let mut at = beginning(bytes);
    for mark in [&b"{"[..], b"\"Records\"", b":", b"["] {
        at = skip_space(bytes, at);
        at = bytes.get(at..)?.starts_with(mark).then_some(at + mark.len())?;
    }
    Some(skip_space(bytes, at))
}

/// What one look tells of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It is a record of another service without doubt.
    Other,
    /// It is a record, and must be read: it is CodeBuild's, or could be, for a member's name or an
    /// `eventSource` has an escape, or it is no UTF-8.
    Read,
    /// Nothing tells that it is a record of CloudTrail: no `eventSource` is the name of a host of AWS.
    Doubt,
}

/// Hosts of AWS in every partition: what an `eventSource` ends with.
const HOST: &[u8] = b".amazonaws.com";

/// The end of the object that begins at `at`, and what it is. `None` where it cannot be followed from member
/// to member. Nearly all records are told so, and cost one look.
pub(crate) fn glance(bytes: &[u8], at: usize) -> Option<(usize, Sight)> {
    json::widest(Glance { bytes, begin: at })
}

pub(crate) struct Glance<'b> {
    pub(crate) bytes: &'b [u8],
    pub(crate) begin: usize,
}

impl Kernel for Glance<'_> {
    type Output = Option<(usize, Sight)>;

    #[inline(always)]
    fn look<L: Lanes>(self, lanes: L) -> Self::Output {
        let Self { bytes, begin } = self;
        let mut must_be_read = false;
        let mut is_record = false;
        let sight = |must_be_read, is_record| match (must_be_read, is_record) {
            (_, false) => Sight::Doubt,
            (true, true) => Sight::Read,
            (false, true) => Sight::Other,
        };
        let mut at = skip_space(bytes, begin + 1);
        while *bytes.get(at)? != b'}' {
            if must_be_read {
                // That will not change: whoever reads it whole judges all else.
                let end = json::skip_rest(lanes, bytes, begin, at)?;
                return Some((end, sight(true, is_record)));
            }
            let (name_end, is_escaped) =
                (bytes.get(at)? == &b'"').then(|| json::string_end(lanes, bytes, at))??;
            must_be_read |= is_escaped;
            let is_source = bytes.get(at..name_end)? == b"\"eventSource\"";
            at = skip_space(bytes, name_end);
            at = (bytes.get(at)? == &b':').then(|| skip_space(bytes, at + 1))?;
            let value = at;
            match bytes.get(at)? {
                b'"' => {
                    let (end, is_escaped) = json::string_end(lanes, bytes, at)?;
                    at = end;
                    if is_source {
                        let source = bytes.get(value + 1..end - 1)?;
                        must_be_read |= is_escaped || source == CODEBUILD.as_bytes();
                        is_record |= source.ends_with(HOST);
                    }
                }
                b'{' | b'[' => {
                    at = json::skip_rest(lanes, bytes, at, at)?;
                    must_be_read |= is_source && bytes.get(value..at)?.contains(&b'\\');
                }
                _ => {
                    at = json::skip_bare(bytes, at)?;
                    let bare = bytes.get(value..at)?;
                    if bare.iter().any(|byte| b"\"{[".contains(byte)) {
                        // Where this ends depends on who looks: it is no JSON.
                        return None;
                    }
                    must_be_read |= is_source && bare.contains(&b'\\');
                }
            }
            at = skip_space(bytes, at);
            if bytes.get(at) == Some(&b',') {
                at = skip_space(bytes, at + 1);
            }
        }
        let record = bytes.get(begin..=at)?;
        let is_ascii = record.iter().fold(0, |all, byte| all | byte) < 0x80;
        must_be_read |= !is_ascii && std::str::from_utf8(record).is_err();
        Some((at + 1, sight(must_be_read, is_record)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_file_that_begins_as_one_is_told() {
        for (text, at) in [
            ("{\"Records\":[", Some(12)),
            ("\u{feff} { \"Records\" : [ {", Some(20)),
            ("{\"Records\":[]}", Some(12)),
            ("{\"records\":[", None),
            ("[{}", None),
            ("{\"Records\"", None),
            ("", None),
        ] {
            assert_eq!(first_record(text.as_bytes()), at, "{text}");
        }
    }

    #[test]
    fn what_is_no_utf8_must_be_read() {
        for (text, sight) in [
            (&b"{\"eventSource\":\"s3.amazonaws.com\",\"x\":\"\xc3\xa9\"}"[..], Sight::Other),
            (b"{\"eventSource\":\"s3.amazonaws.com\",\"x\":\"\xff\"}", Sight::Read),
            (b"{\"x\":\"\xc3\",\"eventSource\":\"s3.amazonaws.com\"}", Sight::Read),
            (b"{\"x\":{\"\xff\":1},\"eventSource\":\"s3.amazonaws.com\"}", Sight::Read),
        ] {
            assert_eq!(glance(text, 0), Some((text.len(), sight)), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_has_no_host_of_aws_is_in_doubt() {
        for (text, sight) in [
            (r#"{"eventSource":"codebuild.amazonaws.com","x":1}"#, Sight::Read),
            (r#"{"eventSource":"iam.amazonaws.com"}"#, Sight::Other),
            (r#"{"eventSource":"aws:s3","s3":{}}"#, Sight::Doubt),
            (r#"{"eventSource":"amazonaws.com.example"}"#, Sight::Doubt),
            (r#"{"eventSource":null}"#, Sight::Doubt),
            (r#"{"insightDetails":{"eventSource":"iam.amazonaws.com"}}"#, Sight::Doubt),
            (r#"{"event\u0053ource":"aws:s3"}"#, Sight::Doubt),
            ("{}", Sight::Doubt),
        ] {
            assert_eq!(glance(text.as_bytes(), 0), Some((text.len(), sight)), "{text}");
        }
    }
}
