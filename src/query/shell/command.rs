//! The shell's own commands: one line each that starts with a dot, or with a backslash as in psql.
//!
//! A table says how each is written and what it does, and `.help` shows that table, so that a
//! command that is not in it does not exist. SQL never starts with a dot.

use crate::layout::TABLE;
use crate::query::output::Format;
use clap::ValueEnum as _;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShellCommand<'a> {
    Help,
    Tables,
    Schema(&'a str),
    Describe(&'a str),
    Queries,
    /// Run a saved query: its name, and `--parameter value` or `--parameter=value`.
    Run(&'a str),
    /// Show the form of results, or set it.
    Mode(Option<Format>),
    /// Results go to a file from now on; none is the terminal again.
    Output(Option<&'a str>),
    /// The next result goes to a file.
    Once(&'a str),
    Read(&'a str),
    Timer(Option<bool>),
    Headers(Option<bool>),
    MaxRows(Option<usize>),
    Width(Option<Width>),
    /// The plan of a statement, or of the last one.
    Explain(&'a str),
    Edit,
    History(Option<usize>),
    Quit,
}

/// How long a table's line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// As long as the terminal's.
    Terminal,
    /// So many characters; 0 cuts nothing.
    Characters(usize),
}

/// How commands are written, and what they do.
pub(crate) const COMMANDS: [[&str; 2]; 18] = [
    [".help", "this list (also \\?)"],
    [".tables", "the tables and views (also \\d)"],
    [".schema [TABLE]", "the columns of a table, or of events (also \\d TABLE)"],
    [".describe NAME", "what a column, view or saved query means"],
    [".queries", "the saved queries"],
    [".run NAME --PARAMETER VALUE", "run a saved query"],
    [
        ".mode [FORMAT]",
        "table, line, csv, tsv, json, ndjson, markdown, parquet, chart (also \\x for line)",
    ],
    [".output [FILE]", "write results to a file; without one, to the terminal again (also \\o)"],
    [".once FILE", "write the next result to a file"],
    [".read FILE", "run the statements and commands of a file (also \\i)"],
    [".timer [on|off]", "say how long each result took (also \\timing)"],
    [".headers [on|off]", "names above the values"],
    [".maxrows [N]", "how many rows a table shows; 0 shows all"],
    [".width [N|auto]", "characters of a table's line; 0 cuts nothing"],
    [".explain [STATEMENT]", "the plan of a statement, or of the last one"],
    [".edit", "the last statement in your editor (EDITOR), then run it (also \\e)"],
    [".history [N]", "the last entries"],
    [".quit", "leave (also .exit, \\q, Ctrl-D)"],
];

/// Whether a line is a command, not SQL.
pub(crate) fn is_command(line: &str) -> bool {
    line.trim_start().starts_with(['.', '\\'])
}

/// Reads a command; what is wrong with it, in one sentence.
pub(crate) fn parse(line: &str) -> Result<ShellCommand<'_>, String> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    let given = Some(argument).filter(|argument| !argument.is_empty());
    let needed = || given.ok_or_else(|| format!("{name} needs a name: .help shows how"));
    Ok(match (name, given) {
        (".help" | "\\?" | "\\h", None) => ShellCommand::Help,
        (".tables" | "\\d" | "\\dt", None) => ShellCommand::Tables,
        (".schema", None) => ShellCommand::Schema(TABLE),
        (".schema" | "\\d", Some(table)) => ShellCommand::Schema(table),
        (".describe", _) => ShellCommand::Describe(needed()?),
        (".queries", None) => ShellCommand::Queries,
        (".run", _) => ShellCommand::Run(needed()?),
        ("\\x", None) => ShellCommand::Mode(Some(Format::Line)),
        (".mode", format) => ShellCommand::Mode(format.map(read_format).transpose()?),
        (".output" | "\\o", file) => ShellCommand::Output(file.map(unquoted)),
        (".once", _) => ShellCommand::Once(unquoted(needed()?)),
        (".read" | "\\i", _) => ShellCommand::Read(unquoted(needed()?)),
        (".timer" | "\\timing", state) => ShellCommand::Timer(state.map(read_switch).transpose()?),
        (".headers" | ".header", state) => {
            ShellCommand::Headers(state.map(read_switch).transpose()?)
        }
        (".maxrows", rows) => ShellCommand::MaxRows(rows.map(read_count).transpose()?),
        (".width", Some("auto")) => ShellCommand::Width(Some(Width::Terminal)),
        (".width", width) => {
            ShellCommand::Width(width.map(read_count).transpose()?.map(Width::Characters))
        }
        (".explain", _) => ShellCommand::Explain(argument),
        (".edit" | "\\e", None) => ShellCommand::Edit,
        (".history" | "\\s", count) => ShellCommand::History(count.map(read_count).transpose()?),
        (".quit" | ".exit" | "\\q", None) => ShellCommand::Quit,
        _ => return Err(format!("unknown command `{line}`: .help lists the commands")),
    })
}

fn read_format(text: &str) -> Result<Format, String> {
    Format::from_str(text, true).ok().ok_or_else(|| {
        let names = Format::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value);
        let names: Vec<_> = names.map(|name| name.get_name().to_owned()).collect();
        format!("unknown format `{text}`: expected one of {}", names.join(", "))
    })
}

fn read_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}`: expected on or off")),
    }
}

fn read_count(text: &str) -> Result<usize, String> {
    text.parse().ok().ok_or_else(|| format!("`{text}`: expected a whole number"))
}

/// A file's name without the quotes around it.
fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_with_their_other_names() {
        for (line, command) in [
            (".help", ShellCommand::Help),
            ("\\?", ShellCommand::Help),
            (" .tables ; ", ShellCommand::Tables),
            ("\\d", ShellCommand::Tables),
            (".schema", ShellCommand::Schema("events")),
            ("\\d builds", ShellCommand::Schema("builds")),
            (".describe timeline", ShellCommand::Describe("timeline")),
            (".queries", ShellCommand::Queries),
            (".run a --since 7d", ShellCommand::Run("a --since 7d")),
            (".mode", ShellCommand::Mode(None)),
            (".mode JSON", ShellCommand::Mode(Some(Format::Json))),
            (".output 'a b.csv'", ShellCommand::Output(Some("a b.csv"))),
            ("\\o", ShellCommand::Output(None)),
            (".once x.json", ShellCommand::Once("x.json")),
            ("\\i a.sql", ShellCommand::Read("a.sql")),
            (".timer off", ShellCommand::Timer(Some(false))),
            (".headers", ShellCommand::Headers(None)),
            (".maxrows 0", ShellCommand::MaxRows(Some(0))),
            (".width auto", ShellCommand::Width(Some(Width::Terminal))),
            (".width 100", ShellCommand::Width(Some(Width::Characters(100)))),
            (".explain select 1;", ShellCommand::Explain("select 1")),
            ("\\e", ShellCommand::Edit),
            (".history 5", ShellCommand::History(Some(5))),
            (".quit;", ShellCommand::Quit),
        ] {
            assert!(is_command(line));
            assert_eq!(parse(line), Ok(command), "{line}");
        }
        for (line, reason) in [
            (".mode xml", "expected one of table, line, csv"),
            (".frob", ".help"),
            (".once", "needs a name"),
            (".timer maybe", "expected on or off"),
            (".maxrows -1", "expected a whole number"),
            (".tables x", "unknown command"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
        assert!(!is_command("SELECT .5"));
    }

    #[test]
    fn the_table_lists_what_is_read() {
        for [syntax, _] in COMMANDS {
            let name = syntax.split_whitespace().next().unwrap();
            let line = if syntax.contains(' ') && !syntax.contains('[') {
                format!("{name} x")
            } else {
                name.to_owned()
            };
            assert!(parse(&line).is_ok(), "{line}");
        }
    }
}
