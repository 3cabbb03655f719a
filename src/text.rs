//! Text files as people have them: statements, lists of files, keys, settings.
//!
//! Windows' own editors and shells begin a file with a mark, write UTF-16 or end lines with CRLF. All that
//! is read as text goes through here, so that no reader meets any of it. It refuses to guess other
//! encodings: a wrong guess changes names without a word.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// The mark that a UTF-8 file may begin with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    decode(&fs::read(path)?)
}

/// The text of what is piped.
pub(crate) fn read_from(mut from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)?;
    decode(&bytes)
}

/// The text of a file's bytes, with `\n` alone at the end of each line.
pub(crate) fn decode(bytes: &[u8]) -> io::Result<String> {
    let wrong = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    let text = match utf16(bytes) {
        Some(units) => String::from_utf16(&units)
            .map_err(|error| wrong(format!("not UTF-16 ({error}): save it as UTF-8")))?,
        None => std::str::from_utf8(bytes.strip_prefix(MARK).unwrap_or(bytes))
            .map_err(|error| wrong(format!("not UTF-8 ({error}): save it as UTF-8")))?
            .to_owned(),
    };
    Ok(if text.contains('\r') { text.replace("\r\n", "\n") } else { text })
}

/// The units of bytes that are UTF-16: they begin with its mark, or with two ASCII characters in it. A text
/// in UTF-8 has no NUL there. Half a unit at the end is left out.
pub(crate) fn utf16(bytes: &[u8]) -> Option<Vec<u16>> {
    let (rest, read): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        [1..=0x7f, 0, 1..=0x7f, 0, ..] => (bytes, u16::from_le_bytes),
        [0, 1..=0x7f, 0, 1..=0x7f, ..] => (bytes, u16::from_be_bytes),
        _ => return None,
    };
    let (pairs, _) = rest.as_chunks::<2>();
    Some(pairs.iter().map(|pair| read(*pair)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text in every encoding that is read.
    fn encoded(text: &str) -> Vec<Vec<u8>> {
        let marked = format!("\u{feff}{text}");
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        vec![
            text.as_bytes().to_vec(),
            marked.clone().into_bytes(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
        ]
    }

    #[test]
    fn every_encoding_gives_the_text() {
        let text = "SELECT 'é 😀';\r\n.read x\r\nlast";
        for bytes in encoded(text) {
            assert_eq!(decode(&bytes).unwrap(), "SELECT 'é 😀';\n.read x\nlast");
        }
        let bare: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&bare).unwrap(), "{\"a\":1}");
        assert_eq!(decode(b"").unwrap(), "");
        assert_eq!(decode(b"a\rb").unwrap(), "a\rb");
    }

    #[test]
    fn what_is_no_unicode_is_said() {
        for bytes in [&b"caf\xe9"[..], b"\xff\xfe\x00\xd8"] {
            let error = decode(bytes).unwrap_err().to_string();
            assert!(error.contains("save it as UTF-8"), "{error}");
        }
    }

    #[test]
    fn files_that_are_no_text_are_not_utf16() {
        for bytes in
            [&b"\x00\x05\x16\x07\x00\x02"[..], b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"a\0\0\0"]
        {
            assert_eq!(utf16(bytes), None, "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn encodings_agree(text in "[^\u{0}\r\u{feff}]{0,40}") {
            for bytes in encoded(&text) {
                prop_assert_eq!(&decode(&bytes).unwrap(), &text);
            }
        }
    }
}
