//! Text that may be shown on a terminal.
//!
//! Log content, file names and error messages that quote them may hold terminal escapes and
//! direction marks. Shown to a person they are escaped; data formats carry them as they are. What is
//! said on standard error is always for people, so it is said here.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// Whether a character acts on a terminal instead of being shown.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// `text` with what acts on a terminal written as `\u{1b}`.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Writing to a String cannot fail.
            c if acts(c) => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Says one line on standard error. Where that is closed there is nobody to tell.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

/// Says a line on standard error and, on a line of its own, the step that mends it, if one is known.
pub(crate) fn say_with_hint(line: &str, hint: Option<&str>) {
    say(line);
    if let Some(hint) = hint {
        say(&format!("hint: {hint}"));
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escapes_are_shown_not_run() {
        assert_eq!(printable("plain é 😀"), "plain é 😀");
        assert_eq!(
            printable("\u{1b}[31mred\u{9b}\n\0\u{202e}"),
            "\\u{1b}[31mred\\u{9b}\\n\\u{0}\\u{202e}"
        );
    }
}
