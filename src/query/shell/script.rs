//! From a script's text to what it asks for: statements, and the shell's commands.
//!
//! A command is a line of its own between statements; a statement runs to a line whose last `;` is
//! outside quotes and comments. It refuses to understand SQL any further.

use crate::query::shell::command;

/// A part of a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unit<'t> {
    Command(&'t str),
    /// One or more statements.
    Sql(String),
}

/// The parts of a text, in order.
pub(crate) fn units(text: &str) -> Vec<Unit<'_>> {
    let mut units = Vec::new();
    let mut sql = String::new();
    for line in text.split_inclusive('\n') {
        if is_blank(&sql) && command::is_command(line) {
            sql.clear();
            units.push(Unit::Command(line.trim()));
            continue;
        }
        sql.push_str(line);
        if line.contains(';') && is_complete(&sql) {
            units.push(Unit::Sql(std::mem::take(&mut sql)));
        }
    }
    if !is_blank(&sql) {
        units.push(Unit::Sql(sql));
    }
    units
}

/// Whether a text holds nothing but lines of comment.
fn is_blank(sql: &str) -> bool {
    sql.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with("--"))
}

/// Whether what was typed can run: a command, nothing, or SQL whose last `;` is outside quotes and
/// comments with nothing but space after it.
pub(crate) fn is_complete(input: &str) -> bool {
    if command::is_command(input) || input.trim().is_empty() {
        return true;
    }
    let mut ended = false;
    let mut rest = input.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\'' | '"', _) => {
                ended = false;
                if !rest.by_ref().any(|other| other == c) {
                    return false;
                }
            }
            ('-', Some('-')) => {
                rest.by_ref().find(|c| *c == '\n');
            }
            ('/', Some('*')) => {
                let mut last = ' ';
                if !rest
                    .by_ref()
                    .skip(1)
                    .any(|c| std::mem::replace(&mut last, c) == '*' && c == '/')
                {
                    return false;
                }
            }
            (';', _) => ended = true,
            (c, _) => ended &= c.is_whitespace(),
        }
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_run_until_a_semicolon_outside_quotes_and_comments() {
        for complete in
            ["select 1;", "select ';';", "select 1; -- done", ".tables", "\\q", "", "a /* ; */ ;  "]
        {
            assert!(is_complete(complete), "{complete}");
        }
        for open in ["select 1", "select ';", "select 1 -- ;", "select \"a;", "/* ;", "select 1; x"]
        {
            assert!(!is_complete(open), "{open}");
        }
    }

    #[test]
    fn commands_stand_between_statements() {
        let sql = |text: &str| Unit::Sql(text.to_owned());
        assert_eq!(
            units("-- a; b\n.mode csv\nselect 1,\n.5;\n.timer on\nselect 2; select\n3"),
            [
                Unit::Command(".mode csv"),
                sql("select 1,\n.5;\n"),
                Unit::Command(".timer on"),
                sql("select 2; select\n3")
            ]
        );
        assert_eq!(units("\n .tables\n\n"), [Unit::Command(".tables")]);
        assert_eq!(units(""), []);
    }
}
