//! Secrets that are told by their own form, wherever they stand in a text.
//!
//! Each form is one step that gives the text with its secrets masked. A form is known by how it
//! begins, and words that merely contain such a beginning stay. This module refuses to know where
//! a text stands: that is `redact`'s.

use crate::redact::MASK;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::memmem;
use std::sync::LazyLock;

/// Tokens of services that mark them: prefix, further characters that may follow besides letters
/// and digits, how many follow at least. That many without a break are in no word; the prefixes
/// that are shorter or may be followed by `-` must also begin a word.
const TOKENS: &[(&str, &str, usize)] = &[
    ("ghp_", "", 30),
    ("gho_", "", 30),
    ("ghu_", "", 30),
    ("ghs_", "", 30),
    ("ghr_", "", 30),
    ("github_pat_", "_", 20),
    ("glpat-", "-_", 16),
    ("xoxb-", "-", 16),
    ("xoxp-", "-", 16),
    ("ATBB", "", 24),
];
/// Query parameters and variables whose value is a secret, in lower case. A name that does not
/// end in `=` counts where `=` or `:` follows.
const ASSIGNED: &[&str] = &[
    "x-amz-signature=",
    "x-amz-security-token=",
    "&signature=",
    "?signature=",
    "access_token=",
    "private_token=",
    "?token=",
    "&token=",
    "?password=",
    "&password=",
    "aws_secret_key",
    "secret_access_key",
    "session_token",
    "secretaccesskey",
    "sessiontoken",
];

const SCHEME: &str = "://";
const PEM: &str = "-----BEGIN ";

/// Everything that a secret here begins with but those in URLs: nearly every text has none, and is
/// looked at once. Without a searcher, which would be a defect, every text is looked at in full.
static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let tokens = TOKENS.iter().map(|(prefix, ..)| *prefix);
    let signs = tokens.chain(ASSIGNED.iter().copied()).chain([PEM]);
    let builder = &mut AhoCorasick::builder();
    builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(signs).ok()
});

/// What a secret here begins with.
#[cfg(test)]
pub(super) fn beginnings() -> Vec<&'static str> {
    let tokens = TOKENS.iter().map(|(prefix, ..)| *prefix);
    tokens.chain(ASSIGNED.iter().copied()).chain([SCHEME, "-----BEGIN PRIVATE KEY-----"]).collect()
}

/// The text with what is secret in it masked; `None` where there is nothing.
pub(super) fn mask(text: &str) -> Option<String> {
    // What this puts in place of a secret begins and ends nothing that the others look for.
    let mut masked = urls(text);
    if SIGNS.as_ref().is_some_and(|signs| !signs.is_match(text)) {
        return masked;
    }
    for step in [assignments, tokens, private_keys] {
        if let Some(next) = step(masked.as_deref().unwrap_or(text)) {
            masked = Some(next);
        }
    }
    masked
}

/// `https://user:password@host`: the password, or the whole where the user may be the token.
pub(super) fn urls(text: &str) -> Option<String> {
    memchr::memchr(b'@', text.as_bytes())?;
    text.contains(SCHEME).then_some(())?;
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some((before, after)) = rest.split_once(SCHEME) {
        out.push_str(before);
        out.push_str(SCHEME);
        let end = after
            .find(|c: char| c.is_whitespace() || "/?#\"'<>`\\".contains(c))
            .unwrap_or(after.len());
        // `https://a,https://u:p@b`: the authority ends where the next URL's scheme does.
        let next = after.get(..end).filter(|a| a.ends_with(':'));
        let next = next.filter(|_| after.get(end..).is_some_and(|tail| tail.starts_with("//")));
        let end = next.map_or(end, |authority| authority.len() - 1);
        let (authority, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        let is_web = ["http", "https"].iter().any(|scheme| {
            let start = before.len().checked_sub(scheme.len());
            let head = start.and_then(|start| before.get(start..));
            head.is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        });
        match authority.rsplit_once('@') {
            Some((user, host)) if !user.is_empty() => {
                let kept = user_information(user, is_web);
                changed |= kept != user;
                out.push_str(&kept);
                out.push('@');
                out.push_str(host);
            }
            _ => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    changed.then_some(out)
}

fn user_information(user: &str, is_web: bool) -> String {
    match user.split_once(':') {
        // `TOKEN:x-oauth-basic` and `TOKEN:`: the user name is the token.
        Some((_, "" | "x-oauth-basic")) => MASK.to_owned(),
        Some((name, _)) => format!("{name}:{MASK}"),
        None if is_web => MASK.to_owned(),
        None => user.to_owned(),
    }
}

/// `name=value`, `name: value`: the value up to white space, a quote, `&` or `;`.
fn assignments(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let find = |name: &str, from: usize| {
        let at = memmem::find(lower.as_bytes().get(from..)?, name.as_bytes())?;
        Some(from + at)
    };
    // Each name's next place is looked for once only, so many of one name cost no more.
    let mut next: Vec<_> = ASSIGNED.iter().map(|name| (find(name, 0), *name)).collect();
    let mut out = String::new();
    let mut done = 0;
    while let Some((at, name)) = next.iter().filter_map(|(at, name)| Some(((*at)?, *name))).min() {
        let after = at + name.len();
        let (start, end) =
            assigned_value(text, after, name.ends_with('=')).unwrap_or((after, after));
        out.push_str(text.get(done..start)?);
        if end > start {
            out.push_str(MASK);
        }
        done = end;
        for (at, name) in &mut next {
            if at.is_some_and(|at| at < done) {
                *at = find(name, done);
            }
        }
    }
    out.push_str(text.get(done..)?);
    (out != text).then_some(out)
}

/// Where the value begins and ends that is assigned at `after`, if one long enough to be a
/// secret is. What stands between name and value is short.
fn assigned_value(text: &str, after: usize, is_assigned: bool) -> Option<(usize, usize)> {
    let rest = text.get(after..)?;
    let between = |c: char| c.is_whitespace() || "\"'=:\\".contains(c);
    let skip = rest.char_indices().take(16).find(|(_, c)| !between(*c))?.0;
    if !is_assigned && !rest.get(..skip)?.contains(['=', ':']) {
        return None;
    }
    let value = rest.get(skip..)?;
    let end =
        value.find(|c: char| c.is_whitespace() || "\"'&;,\\".contains(c)).unwrap_or(value.len());
    let is_secret = end >= 8 && !value.starts_with(MASK);
    is_secret.then_some((after + skip, after + skip + end))
}

fn tokens(text: &str) -> Option<String> {
    let mut masked: Option<String> = None;
    for (prefix, others, least) in TOKENS {
        let current = masked.as_deref().unwrap_or(text);
        let mut out = String::new();
        let mut rest = current;
        while let Some((before, after)) = rest.split_once(prefix) {
            let inside = is_word_part(prefix) && ends_in_word(before);
            let is_token = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
            let end = after.find(|c| !is_token(c)).unwrap_or(after.len());
            let is_secret = !inside && end >= *least;
            out.push_str(before);
            out.push_str(if is_secret { MASK } else { prefix });
            rest = if is_secret { after.get(end..)? } else { after };
        }
        out.push_str(rest);
        if out != current {
            masked = Some(out);
        }
    }
    masked
}

fn is_word_part(prefix: &str) -> bool {
    matches!(prefix, "ATBB" | "xoxb-" | "xoxp-")
}

/// Whether a text ends inside a word; the letter of an escape such as `\n` is none.
fn ends_in_word(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !["\\n", "\\r", "\\t"].iter().any(|escape| text.ends_with(escape))
}

/// Private keys between `-----BEGIN ... PRIVATE KEY-----` and their end. A key that is cut off
/// has no end: all that follows is taken for it. Certificates stay.
fn private_keys(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some((before, block)) = rest.split_once(PEM) {
        out.push_str(before);
        let label = block.split("-----").next().unwrap_or_default();
        if !label.contains("PRIVATE KEY") {
            out.push_str(PEM);
            rest = block;
            continue;
        }
        out.push_str(MASK);
        changed = true;
        let end = block.split_once("-----END ").and_then(|(_, end)| end.split_once("-----"));
        rest = end.map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    changed.then_some(out)
}
