//! The shell's own commands: one line each that starts with a dot.
//!
//! A table says how each is written and what it does, and `.help` shows that table, so that a
//! command that is not in it does not exist. SQL never starts with a dot.

use crate::query::output::Format;
use clap::ValueEnum as _;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Help,
    Tables,
    Schema(&'a str),
    Queries,
    /// Run a saved query: its name, and `--parameter value` or `--parameter=value`.
    Run(&'a str),
    /// Show the form of results, or set it.
    Mode(Option<Format>),
    Quit,
}

/// How commands are written, and what they do.
pub(crate) const COMMANDS: [[&str; 2]; 7] = [
    [".help", "this list (also \\?)"],
    [".tables", "the tables (also \\d)"],
    [".schema [TABLE]", "the columns of a table, or of events (also \\d TABLE)"],
    [".queries", "the saved queries"],
    [".run NAME --PARAMETER VALUE", "run a saved query"],
    [".mode [FORMAT]", "the form of results: table, line, csv, tsv, json, ndjson, markdown"],
    [".quit", "leave (also .exit, \\q, Ctrl-D)"],
];

/// Whether a line is a command, not SQL.
pub(crate) fn is_command(line: &str) -> bool {
    line.trim_start().starts_with(['.', '\\'])
}

/// Reads a command; what is wrong with it, in one sentence.
pub(crate) fn parse(line: &str) -> Result<Command<'_>, String> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    match (name, argument) {
        (".help" | "\\?" | "\\h", "") => Ok(Command::Help),
        (".tables" | "\\d" | "\\dt", "") => Ok(Command::Tables),
        (".schema", "") => Ok(Command::Schema(crate::query::TABLE)),
        (".schema" | "\\d", table) => Ok(Command::Schema(table)),
        (".queries", "") => Ok(Command::Queries),
        (".run", words) => Ok(Command::Run(words)),
        (".mode", "") => Ok(Command::Mode(None)),
        (".mode", format) => match Format::from_str(format, true) {
            Ok(format) => Ok(Command::Mode(Some(format))),
            Err(_) => Err(format!(
                "unknown format `{format}`: expected table, line, csv, tsv, json, ndjson or markdown"
            )),
        },
        (".quit" | ".exit" | "\\q", "") => Ok(Command::Quit),
        _ => Err(format!("unknown command `{line}`: .help lists the commands")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_with_their_other_names() {
        for (line, command) in [
            (".help", Command::Help),
            ("\\?", Command::Help),
            (" .tables ; ", Command::Tables),
            ("\\d", Command::Tables),
            (".schema", Command::Schema("events")),
            ("\\d builds", Command::Schema("builds")),
            (".queries", Command::Queries),
            (".run a --since 7d", Command::Run("a --since 7d")),
            (".mode", Command::Mode(None)),
            (".mode JSON", Command::Mode(Some(Format::Json))),
            (".quit;", Command::Quit),
        ] {
            assert!(is_command(line));
            assert_eq!(parse(line), Ok(command), "{line}");
        }
        assert!(parse(".mode xml").unwrap_err().contains("expected table"));
        assert!(parse(".frob").unwrap_err().contains(".help"));
        assert!(!is_command("SELECT .5"));
    }

    #[test]
    fn the_table_lists_what_is_read() {
        for [syntax, _] in COMMANDS {
            let name = syntax.split_whitespace().next().unwrap();
            assert!(parse(name).is_ok(), "{name}");
        }
    }
}
