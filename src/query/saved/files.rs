//! The files of `sql/`, embedded in the program, and the headers on top of them.

use include_dir::{Dir, include_dir};

pub(super) static OURS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql");

/// The lines of a file's header that begin with `key`.
pub(super) fn headers<'s>(sql: &'s str, key: &str) -> impl Iterator<Item = &'s str> {
    let lines = sql.lines().take_while(|line| line.starts_with("--"));
    lines.filter_map(move |line| {
        let text =
            line.trim_start_matches('-').trim_start().strip_prefix(key)?.strip_prefix(':')?;
        Some(text.trim())
    })
}

/// The first such line.
pub(super) fn header<'s>(sql: &'s str, key: &str) -> Option<&'s str> {
    headers(sql, key).next()
}
