//! What a file is that is no log file, by how it begins, and what to do about it.
//!
//! "Expected an object" helps nobody who has downloaded a login page. All that is told here begins with
//! something else than JSON does, so a log file is never taken for it. It refuses to look further than the
//! beginning.

use memchr::memmem;
use std::borrow::Cow;
use std::str;

/// What a file is that is no log file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recognised {
    /// What CloudTrail puts into a bucket to see whether it may.
    Test,
    /// Something else, and what to do about it.
    Other(Cow<'static, str>),
}

/// Beginnings of files in other formats, and what to do about each.
const MAGIC: [(&[u8], &str); 12] = [
    (
        b"PAR1",
        "a Parquet file, not a log file: Security Lake's holds OCSF, not CloudTrail's \
               records; hand over the trail's own log files",
    ),
    (b"BZh", "packed by bzip2: unpack it (bunzip2), or pack it with gzip or zstd"),
    (b"\xfd7zXZ\0", "packed by xz: unpack it (unxz), or pack it with gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it, or pack it as zip or tar"),
    (b"Rar!\x1a\x07", "a RAR archive: unpack it, or pack it as zip or tar"),
    (b"\x04\x22\x4d\x18", "packed by lz4: unpack it (unlz4), or pack it with gzip or zstd"),
    (b"\xff\x06\0\0sNaPpY", "packed by snappy: unpack it, or pack it with gzip or zstd"),
    (b"Obj\x01", "an Avro file, not a log file: hand over the trail's own log files"),
    (b"ORC", "an ORC file, not a log file: hand over the trail's own log files"),
    (
        b"\0\x05\x16\x07",
        "a side file of macOS (`._NAME`), not a log file: the file itself is beside it",
    ),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: run `git lfs pull`"),
    (
        b"version account-id ",
        "VPC flow logs, not CloudTrail's: hand over what is in AWSLogs/ACCOUNT/CloudTrail",
    ),
];

/// What CloudTrail's test of a bucket holds.
const TEST: &[u8] = b"CloudTrail validation message.";
/// Bytes that are looked at.
const BEGINNING: usize = 4096;

/// What bytes are, if not JSON and known; they begin after a mark and white space.
pub(crate) fn recognise(bytes: &[u8]) -> Option<Recognised> {
    if let None | Some(b'{' | b'[' | b'"' | b'0'..=b'9') = bytes.first()
        && !bytes.starts_with(b"7z\xbc")
    {
        return None;
    }
    if bytes.trim_ascii() == TEST {
        return Some(Recognised::Test);
    }
    let mut magic = MAGIC.into_iter().filter(|(magic, _)| bytes.starts_with(magic));
    if let Some((_, what)) = magic.next() {
        return Some(Recognised::Other(Cow::Borrowed(what)));
    }
    markup(bytes).or_else(|| printed(bytes).map(Cow::Borrowed)).map(Recognised::Other)
}

/// A page, or what S3 answers in place of an object.
fn markup(bytes: &[u8]) -> Option<Cow<'static, str>> {
    let beginning = bytes.get(..BEGINNING).unwrap_or(bytes);
    let lower = beginning.to_ascii_lowercase();
    let has = |mark: &[u8]| memmem::find(&lower, mark).is_some();
    if !lower.starts_with(b"<") {
        return None;
    }
    if lower.starts_with(b"<!doctype html") || has(b"<html") {
        let what = "an HTML page, not a log file: a login or error page was saved in its place; log \
                    in, and fetch the log file again";
        return Some(Cow::Borrowed(what));
    }
    let Some(code) = has(b"<error>").then(|| between(beginning, b"<Code>", b"</Code>")).flatten()
    else {
        let what = "XML, not a log file: hand over the trail's own log files";
        return Some(Cow::Borrowed(what));
    };
    let advice = match code {
        "InvalidObjectState" => "restore the object from Glacier, and fetch it again",
        "AccessDenied" | "ExpiredToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" => {
            "check the credentials or the URL, and fetch the log file again"
        }
        "NoSuchKey" | "NoSuchBucket" => "check bucket and key, and fetch the log file again",
        _ => "fetch the log file again",
    };
    Some(Cow::Owned(format!(
        "an error of S3 ({code}) that was saved in a log file's place: {advice}"
    )))
}

/// A word between two marks.
fn between<'b>(bytes: &'b [u8], from: &[u8], to: &[u8]) -> Option<&'b str> {
    let rest = bytes.get(memmem::find(bytes, from)? + from.len()..)?;
    let word = rest.get(..memmem::find(rest, to)?)?;
    let is_word =
        !word.is_empty() && word.len() <= 60 && word.iter().all(u8::is_ascii_alphanumeric);
    str::from_utf8(word).ok().filter(|_| is_word)
}

/// What the AWS command line prints in other forms than JSON.
fn printed(bytes: &[u8]) -> Option<&'static str> {
    let mut lines = bytes.get(..BEGINNING).unwrap_or(bytes).split(|byte| *byte == b'\n');
    let first = lines.next()?.trim_ascii_end();
    let second = lines.next().unwrap_or_default();
    if ["EVENTS\t", "RESOURCES\t", "NEXTTOKEN\t"]
        .iter()
        .any(|tag| first.starts_with(tag.as_bytes()))
    {
        return Some(
            "printed by the AWS command line as text: print it again with `--output json`",
        );
    }
    let is_ruler = first.len() > 9 && first.iter().all(|byte| *byte == b'-');
    if is_ruler && second.starts_with(b"|") {
        return Some(
            "printed by the AWS command line as a table: print it again with `--output json`",
        );
    }
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric);
    let opens = first.strip_suffix(b":").is_some_and(is_name)
        && (second.starts_with(b"- ") || second.starts_with(b"  "));
    let item = first.strip_prefix(b"- ").unwrap_or_default();
    let colon = item.iter().position(|byte| *byte == b':');
    let is_item = colon.and_then(|at| item.get(..at)).is_some_and(is_name);
    let is_yaml = first == b"---" || opens || is_item;
    is_yaml.then_some("YAML: print it again as JSON (the AWS command line: `--output json`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file is said to be.
    fn said(bytes: &[u8]) -> String {
        match recognise(bytes) {
            Some(Recognised::Other(what)) => what.into_owned(),
            Some(Recognised::Test) => "test".to_owned(),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn what_is_no_log_file_is_told_with_what_to_do() {
        let glacier =
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidObjectState\
                        </Code><Message>The operation is not valid</Message></Error>";
        let odd = b"<Error><Code>\x1b[31m</Code></Error>";
        for (bytes, expected) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n"[..],
                "git lfs pull",
            ),
            (
                glacier,
                "an error of S3 (InvalidObjectState) that was saved in a log file's place: restore",
            ),
            (b"<Error><Code>AccessDenied</Code></Error>", "check the credentials"),
            (odd, "XML, not a log file"),
            (b"<!DOCTYPE html><html><head>", "log in"),
            (b"<HTML lang=en>", "an HTML page"),
            (b"BZh91AY&SY", "bunzip2"),
            (b"\xfd7zXZ\0\0", "unxz"),
            (b"7z\xbc\xaf\x27\x1c\0", "7z archive"),
            (b"PAR1....PAR1", "Security Lake"),
            (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", "macOS"),
            (b"EVENTS\tAKIA\t{}\t", "--output json"),
            (b"----------------\r\n|  LookupEvents  |\r\n", "--output json"),
            (b"Events:\n- CloudTrailEvent: '{}'\n", "YAML"),
            (b"Events:\r\n  - EventId: x\n", "YAML"),
            (b"- CloudTrailEvent: x\n  EventId: x\n", "YAML"),
            (b"---\nEvents: []\n", "YAML"),
            (b"CloudTrail validation message.\n", "test"),
        ] {
            let said = said(bytes);
            assert!(said.contains(expected), "{}: {said}", bytes.escape_ascii());
        }
    }

    #[test]
    fn nothing_else_is_recognised() {
        for bytes in [
            &b""[..],
            b"{\"Records\":[]}",
            b"[]",
            b"2026-09-26T14:42:50.000Z {}",
            b"\"eventjson\"\n\"{}\"",
            b"eventID,eventJson\nx,y",
            b"@timestamp,@message\n",
            b"hello",
            b"- x",
            b"CloudTrail validation message. And more",
        ] {
            assert_eq!(recognise(bytes), None, "{}", bytes.escape_ascii());
        }
    }
}
