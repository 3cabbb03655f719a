//! The interactive shell.
//!
//! A loop of our own around `rustyline`, with `datafusion-cli`'s highlighter: statements run over
//! several lines until `;`, names of tables and columns are completed, history lives in the user's
//! state folder, Ctrl-C cancels a query. An error is told and the shell goes on.
//!
//! Queries run on threads of their own: one that computes without pause must not hold up the
//! thread that hears Ctrl-C. Cancelled, it keeps its threads until it next pauses, and the shell goes
//! on with new ones.

use crate::error::{Error, Result};
use crate::printable::printable;
use crate::query::command::{self, COMMANDS, Command};
use crate::query::output::{self, Format, tabulate};
use crate::query::{SavedQueries, Values, execute, statements, views};
use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion_cli::helper::CliHelper;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper};
use std::borrow::Cow;
use std::io::{self, Write as _};
use std::path::PathBuf;
use tokio::runtime::{Builder, Runtime};

/// Words that begin or join clauses, for completion.
const KEYWORDS: [&str; 20] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS NULL",
    "LIKE",
    "BETWEEN",
    "COUNT",
    "DISTINCT",
    "DESCRIBE",
];

/// The tables and views, without those that describe the session itself.
const TABLES: &str = "SELECT table_name FROM information_schema.tables \
                      WHERE table_schema <> 'information_schema' ORDER BY table_name";

/// Runs the shell until the user leaves. `put` writes to standard output.
pub async fn shell(
    session: SessionContext,
    queries: SavedQueries,
    format: Format,
    put: fn(&str) -> io::Result<()>,
) -> Result<()> {
    let editor_failed = |error: ReadlineError| Error::SavedQuery(format!("terminal: {error}"));
    let config = Config::builder().auto_add_history(false).build();
    let mut editor: Editor<Assistant, FileHistory> =
        Editor::with_config(config).map_err(editor_failed)?;
    let history = history_file();
    if let Some(history) = &history {
        // The first time there is none.
        let _ = editor.load_history(history);
    }
    let mut shell = Shell { session, queries, workers: workers()?, format, put };
    shell.greet()?;
    loop {
        editor.set_helper(Some(Assistant::new(&shell.session).await));
        match editor.readline("buildtrail> ") {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                let _ = editor.add_history_entry(line.trim_end());
                if shell.enter(&line).await? {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(editor_failed(error)),
        }
        if let Some(history) = &history {
            // A shell without history is better than none.
            let _ = editor.save_history(history);
        }
    }
    shell.workers.shutdown_background();
    Ok(())
}

/// Threads for queries.
fn workers() -> Result<Runtime> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Error::SavedQuery(format!("start threads: {error}")))
}

/// `~/.local/state/buildtrail/history` or what the system has in its place.
fn history_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("buildtrail");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

struct Shell {
    session: SessionContext,
    queries: SavedQueries,
    workers: Runtime,
    format: Format,
    put: fn(&str) -> io::Result<()>,
}

impl Shell {
    fn put(&self, text: &str) -> Result<()> {
        (self.put)(text).map_err(Error::io("write", "standard output".as_ref()))
    }

    fn tell(text: &str) {
        let _ = writeln!(io::stderr(), "{}", printable(text));
    }

    fn greet(&self) -> Result<()> {
        self.put(concat!(
            "buildtrail ",
            env!("CARGO_PKG_VERSION"),
            ": SQL over the table events; end a statement with ;  .help lists the commands\n"
        ))
    }

    /// Carries out what was entered; whether the user leaves.
    async fn enter(&mut self, line: &str) -> Result<bool> {
        if !command::is_command(line) {
            self.run(line).await?;
            return Ok(false);
        }
        match command::parse(line) {
            Ok(Command::Quit) => return Ok(true),
            Ok(Command::Help) => {
                self.put(&tabulate(["command", "what"], COMMANDS.into_iter(), Format::Table)?)?;
            }
            Ok(Command::Tables) => self.run(TABLES).await?,
            Ok(Command::Schema(table)) => {
                self.run(&format!("DESCRIBE \"{}\"", table.replace('"', "\"\""))).await?;
            }
            Ok(Command::Queries) => {
                let rows = self.queries.all().iter().map(|query| [&*query.name, &*query.question]);
                self.put(&tabulate(["name", "question"], rows, Format::Table)?)?;
            }
            Ok(Command::Run(words)) => match self.queries.call(words) {
                Ok((query, values)) => {
                    let sql = query.sql.clone();
                    self.run_with(&sql, values).await?;
                }
                Err(error) => Self::tell(&format!("error: {error}")),
            },
            Ok(Command::Mode(None)) => self.put(&format!("{:?}\n", self.format).to_lowercase())?,
            Ok(Command::Mode(Some(format))) => self.format = format,
            Err(reason) => Self::tell(&format!("error: {reason}")),
        }
        Ok(false)
    }

    /// Runs statements until one fails or Ctrl-C.
    async fn run(&mut self, sql: &str) -> Result<()> {
        self.run_with(sql, Vec::new()).await
    }

    /// The same, with values for parameters.
    async fn run_with(&mut self, sql: &str, values: Values) -> Result<()> {
        tokio::select! {
            result = self.run_all(sql, values) => match result {
                Err(error @ Error::Io { .. }) => return Err(error),
                Err(error) => Self::tell(&format!("error: {error}")),
                Ok(()) => {}
            },
            _ = tokio::signal::ctrl_c() => {
                std::mem::replace(&mut self.workers, workers()?).shutdown_background();
                Self::tell("cancelled");
            }
        }
        Ok(())
    }

    async fn run_all(&self, sql: &str, values: Values) -> Result<()> {
        for statement in statements(sql)? {
            let session = self.session.clone();
            let (format, values) = (self.format, values.clone());
            let task = self.workers.spawn(async move {
                let mut result = Vec::new();
                let stream = execute(&session, statement, values).await?;
                output::write(stream, format, &mut result).await?;
                Ok::<_, Error>(result)
            });
            let task = Aborting(task);
            let result = task.join().await?;
            self.put(&String::from_utf8_lossy(&result))?;
        }
        Ok(())
    }
}

/// A task that ends when nobody waits for it any more.
struct Aborting<T>(tokio::task::JoinHandle<Result<T>>);

impl<T> Aborting<T> {
    async fn join(mut self) -> Result<T> {
        let joined = (&mut self.0).await;
        joined.map_err(|error| Error::SavedQuery(format!("the query broke off: {error}")))?
    }
}

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What helps while typing.
struct Assistant {
    highlighter: CliHelper,
    names: Vec<String>,
}

impl Assistant {
    async fn new(session: &SessionContext) -> Self {
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut names: Vec<_> = KEYWORDS.iter().map(ToString::to_string).collect();
        names.extend(
            COMMANDS
                .iter()
                .filter_map(|[syntax, _]| syntax.split_whitespace().next().map(str::to_owned)),
        );
        names.extend(views::names().map(str::to_owned));
        for name in session.catalog_names() {
            let Some(catalog) = session.catalog(&name) else { continue };
            for schema in catalog.schema_names().iter().filter_map(|name| catalog.schema(name)) {
                for table in schema.table_names() {
                    if let Ok(Some(provider)) = schema.table(&table).await {
                        let columns = provider.schema();
                        names.extend(columns.fields().iter().map(|field| field.name().clone()));
                        names.push(table);
                    }
                }
            }
        }
        names.sort();
        names.dedup();
        Self { highlighter: CliHelper::new(&Dialect::Generic, color), names }
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..pos).unwrap_or_default();
        let start =
            typed.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).map_or(0, |at| {
                at + typed.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8)
            });
        let word = typed.get(start..).unwrap_or_default();
        // `e.event_n` completes the column, not the alias.
        let (start, word) = match word.rsplit_once('.') {
            Some((before, column)) if !before.is_empty() => (pos - column.len(), column),
            _ => (start, word),
        };
        let begins = |name: &&String| {
            name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
        };
        let pair = |name: &String| Pair { display: name.clone(), replacement: name.clone() };
        let pairs = if word.is_empty() {
            Vec::new()
        } else {
            self.names.iter().filter(begins).map(pair).collect()
        };
        Ok((start, pairs))
    }
}

impl Validator for Assistant {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(ctx.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// Whether what was typed can run: a command, nothing, or SQL whose last `;` is outside quotes and
/// comments with nothing but space after it.
fn is_complete(input: &str) -> bool {
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
            (c, _) if c.is_whitespace() => {}
            _ => ended = false,
        }
    }
    ended
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        self.highlighter.highlight(line, pos)
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        self.highlighter.highlight_char(line, pos, kind)
    }
}

impl Helper for Assistant {}

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

    #[tokio::test]
    async fn names_are_completed() {
        let session = SessionContext::new();
        session.sql("CREATE VIEW events AS SELECT 1 AS event_name, 2 AS event_time").await.unwrap();
        let assistant = Assistant::new(&session).await;
        let history = FileHistory::new();
        let complete = |line: &str| {
            let (start, pairs) =
                assistant.complete(line, line.len(), &Context::new(&history)).unwrap();
            (start, pairs.into_iter().map(|pair| pair.replacement).collect::<Vec<_>>())
        };
        assert_eq!(complete("select event_n"), (7, vec!["event_name".to_owned()]));
        assert_eq!(complete("select e.EVENT_T"), (9, vec!["event_time".to_owned()]));
        assert_eq!(complete("select * from even").1, ["event_name", "event_time", "events"]);
        assert_eq!(complete(".ta"), (0, vec![".tables".to_owned()]));
        assert_eq!(complete("select "), (7, vec![]));
    }
}
