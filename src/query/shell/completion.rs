//! What helps while typing: completion, highlighting, and knowing when a statement is whole.

use crate::query::output::Format;
use crate::query::saved::{Parameter, SavedQueries, view_names};
use crate::query::shell::command::COMMANDS;
use crate::query::shell::runner::Runner;
use crate::query::shell::script::is_complete;
use clap::ValueEnum as _;
use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion_cli::helper::CliHelper;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Words that begin or join clauses.
const KEYWORDS: [&str; 34] = [
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
    "IS NOT NULL",
    "LIKE",
    "ILIKE",
    "BETWEEN",
    "DISTINCT",
    "UNION ALL",
    "WITH",
    "AS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "OVER",
    "PARTITION BY",
    "DESC",
    "DESCRIBE",
    "EXPLAIN",
    "INTERVAL",
];

pub(super) struct Completion {
    highlighter: CliHelper,
    files: FilenameCompleter,
    /// Keywords, tables, views, columns, functions.
    names: Vec<String>,
    /// The saved queries, and the options of each.
    queries: BTreeMap<String, Vec<String>>,
    formats: Vec<String>,
}

impl Completion {
    /// Knows what a session has now.
    pub(super) async fn new(runner: &Runner) -> Self {
        Self::load(&runner.session, &runner.queries).await
    }

    async fn load(session: &SessionContext, queries: &SavedQueries) -> Self {
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut names: Vec<_> = KEYWORDS.iter().map(ToString::to_string).collect();
        names.extend(view_names().map(str::to_owned));
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
        let state = session.state();
        names.extend(state.scalar_functions().keys().cloned());
        names.extend(state.aggregate_functions().keys().cloned());
        names.extend(state.window_functions().keys().cloned());
        names.extend(state.table_functions().keys().cloned());
        names.sort();
        names.dedup();
        let options = |parameters: &[Parameter]| {
            parameters.iter().map(|parameter| format!("--{}", parameter.option())).collect()
        };
        let queries = queries.all().iter();
        let queries = queries.map(|query| (query.name.clone(), options(&query.parameters)));
        let formats = Format::value_variants().iter().filter_map(Format::to_possible_value);
        Self {
            formats: formats.map(|format| format.get_name().to_owned()).collect(),
            highlighter: CliHelper::new(&Dialect::Generic, color),
            files: FilenameCompleter::new(),
            names,
            queries: queries.collect(),
        }
    }

    /// What may stand after a command's name.
    fn arguments(&self, typed: &str) -> Option<Vec<&str>> {
        let mut words = typed.split_whitespace();
        let (command, name) = (words.next()?, words.next().unwrap_or_default());
        let is_first = !typed.trim_start().strip_prefix(command)?.trim_start().contains(' ');
        let queries = || self.queries.keys().map(String::as_str);
        Some(match command {
            ".run" if is_first => queries().collect(),
            ".run" => self.queries.get(name)?.iter().map(String::as_str).collect(),
            ".describe" => queries().chain(self.names.iter().map(String::as_str)).collect(),
            ".timer" | ".headers" => vec!["on", "off"],
            ".mode" => self.formats.iter().map(String::as_str).collect(),
            _ => return None,
        })
    }
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..pos).unwrap_or_default();
        let command = typed.trim_start();
        let has_argument = command.starts_with('.') && command.contains(' ');
        if has_argument
            && [".read", ".output", ".once"].iter().any(|name| command.starts_with(name))
        {
            return self.files.complete(line, pos, context);
        }
        let argument = has_argument.then(|| self.arguments(command)).flatten();
        // Names of queries and options have hyphens.
        let is_word = |c: char| {
            c.is_alphanumeric() || c == '_' || c == '.' || (c == '-' && argument.is_some())
        };
        let start = typed.rfind(|c: char| !is_word(c)).map_or(0, |at| {
            at + typed.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8)
        });
        let word = typed.get(start..).unwrap_or_default();
        if let Some(arguments) = argument {
            return Ok((start, pairs(word, arguments.into_iter())));
        }
        if word.starts_with('.') && start == line.len() - command.len() {
            let commands =
                COMMANDS.iter().filter_map(|[syntax, _]| syntax.split_whitespace().next());
            return Ok((start, pairs(word, commands)));
        }
        // `e.event_n` completes the column, not the alias.
        let (start, word) = match word.rsplit_once('.') {
            Some((_, column)) => (pos - column.len(), column),
            None => (start, word),
        };
        if word.is_empty() {
            return Ok((start, Vec::new()));
        }
        Ok((start, pairs(word, self.names.iter().map(String::as_str))))
    }
}

/// The names that begin with a word, in whatever case.
fn pairs<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Vec<Pair> {
    let begins =
        |name: &&str| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let pair = |name: &str| Pair { display: name.to_owned(), replacement: name.to_owned() };
    names.filter(begins).map(pair).collect()
}

impl Validator for Completion {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(ctx.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        self.highlighter.highlight(line, pos)
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        self.highlighter.highlight_char(line, pos, kind)
    }
}

impl Helper for Completion {}

#[cfg(test)]
mod tests {
    use super::*;
    use rustyline::history::FileHistory;

    #[tokio::test]
    async fn names_are_completed() {
        let session = SessionContext::new();
        session.sql("CREATE VIEW events AS SELECT 1 AS event_name, 2 AS event_time").await.unwrap();
        let queries = SavedQueries::load(None).unwrap();
        let assistant = Completion::load(&session, &queries).await;
        let history = FileHistory::new();
        let complete = |line: &str| {
            let (start, pairs) =
                assistant.complete(line, line.len(), &Context::new(&history)).unwrap();
            (start, pairs.into_iter().map(|pair| pair.replacement).collect::<Vec<_>>())
        };
        assert_eq!(complete("select event_n"), (7, vec!["event_name".to_owned()]));
        assert_eq!(complete("select e.EVENT_T"), (9, vec!["event_time".to_owned()]));
        assert_eq!(complete("select * from even").1, ["event_name", "event_time", "events"]);
        assert_eq!(complete("select approx_med").1, ["approx_median"]);
        assert_eq!(complete(".ta"), (0, vec![".tables".to_owned()]));
        assert_eq!(complete("select "), (7, vec![]));
        assert_eq!(complete(".run made-p"), (5, vec!["made-public".to_owned()]));
        assert_eq!(complete(".run timeline --pro").1, ["--project"]);
        assert_eq!(complete(".mode nd").1, ["ndjson"]);
        assert_eq!(complete(".timer o").1, ["on", "off"]);
    }
}
