//! Carries out statements and commands, one after another, and puts their results where they belong:
//! standard output, a pager, a file.
//!
//! Statements run on threads of their own: one that computes without pause must not hold up the
//! thread that hears Ctrl-C and the clock. Given up, it keeps its threads until it next pauses, and
//! the next statement gets new ones.

use crate::error::{Error, QueryError, Result, SavedQueryProblem};
use crate::printable::say;
use crate::query::doubt::QuerySource;
use crate::query::execute::{execute, statements, statements_for};
use crate::query::output::{self, Form, Format, OutputFile, Paged, Shown, tabulate};
use crate::query::saved::{SavedQueries, SavedQuery, Values};
use crate::query::session::Access;
use crate::query::shell::command::{self, COMMANDS, ShellCommand, Width};
use crate::query::shell::describe;
use crate::query::shell::script::{Unit, units};
use crate::query::shell::spinner::Spinner;
use crate::text;
use console::Term;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use futures::{StreamExt as _, stream};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The tables and views, without those that describe the session itself.
const TABLES: &str = "SELECT table_name FROM information_schema.tables \
                      WHERE table_schema <> 'information_schema' ORDER BY table_name";

/// Whose commands they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandOrigin {
    /// The user's, as typed: they may name files.
    Person,
    /// A text's, which may be somebody else's.
    Script,
}

/// Where results go that go to no file.
pub type Out = Box<dyn Write + Send>;

/// Runs statements.
#[expect(missing_debug_implementations, reason = "it holds a session")]
pub struct Runner {
    pub(crate) session: SessionContext,
    pub(crate) queries: SavedQueries,
    /// How results are written.
    pub form: Form,
    /// What is asked, for what saved queries want to know of it.
    pub source: Option<QuerySource>,
    /// How long a statement may take.
    pub timeout: Option<Duration>,
    /// Whether a person sits before it: there are a pager, a spinner and counts of rows.
    pub(crate) is_interactive: bool,
    /// Whether the line of a table is the terminal's.
    auto_width: bool,
    timer: bool,
    workers: Option<Runtime>,
    out: Out,
    file: Option<OutputFile>,
    once: Option<OutputFile>,
    /// The last statement entered.
    pub(crate) last: String,
}

impl Runner {
    /// A runner that writes to `out`; where that is a terminal, tables have its width.
    pub fn new(session: SessionContext, queries: SavedQueries, form: Form, out: Out) -> Self {
        Self {
            session,
            queries,
            auto_width: form.width.is_none(),
            form,
            source: None,
            timeout: None,
            is_interactive: false,
            timer: true,
            workers: None,
            out,
            file: None,
            once: None,
            last: String::new(),
        }
    }

    /// How many characters a table's line has, whatever the terminal has; 0 cuts nothing.
    pub fn set_width(&mut self, width: usize) {
        self.auto_width = false;
        self.form.width = Some(width).filter(|width| *width > 0);
    }

    /// Writes what follows to a file.
    pub fn write_to(&mut self, path: &Path) -> Result<()> {
        self.finish()?;
        self.file = Some(OutputFile::create(path)?);
        Ok(())
    }

    /// Gives the file that was written to its name, if there is one.
    pub fn finish(&mut self) -> Result<()> {
        self.out.flush().map_err(Error::io("write", "standard output".as_ref()))?;
        self.file.take().map_or(Ok(()), OutputFile::finish)
    }

    /// Ends a script: what came before an error is shown, but a file that is not whole gets no name.
    pub fn finish_after<T>(&mut self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.file = None;
        }
        let finished = self.finish();
        let value = result?;
        finished.map(|()| value)
    }

    /// Carries out a script. The first error ends it.
    pub async fn run(&mut self, text: &str) -> Result<()> {
        for unit in units(text) {
            match unit {
                Unit::Command(line) if command::parse(line) == Ok(ShellCommand::Quit) => break,
                Unit::Command(line) => self.command(line, CommandOrigin::Script).await?,
                Unit::Sql(sql) => self.sql(&sql, &Values::new()).await?,
            }
        }
        Ok(())
    }

    /// Runs a saved query with values for its parameters; how many rows it has.
    pub async fn run_saved(&mut self, query: &SavedQuery, values: Values) -> Result<u64> {
        let mut statements = statements(&query.sql)?;
        let (Some(statement), true) = (statements.pop_front(), statements.is_empty()) else {
            let problem = SavedQueryProblem::Statements("is not one statement".to_owned());
            return Err(Error::saved_query(&query.name, problem));
        };
        self.form.chart = query.bars();
        let shown = self.statement(statement, values).await;
        self.form.chart = None;
        Ok(shown?.rows)
    }

    /// Runs statements.
    pub(crate) async fn sql(&mut self, sql: &str, values: &Values) -> Result<()> {
        sql.trim().clone_into(&mut self.last);
        for statement in statements_for(&self.session, sql)? {
            self.statement(statement, values.clone()).await?;
        }
        Ok(())
    }

    /// Drops the threads of what was given up, and what was meant for it alone.
    pub(crate) fn give_up(&mut self) {
        self.once = None;
        self.form.chart = None;
        if let Some(workers) = self.workers.take() {
            workers.shutdown_background();
        }
    }

    async fn statement(&mut self, statement: Statement, values: Values) -> Result<Shown> {
        let Some(limit) = self.timeout else { return self.answer(statement, values).await };
        if let Ok(answer) = tokio::time::timeout(limit, self.answer(statement, values)).await {
            return answer;
        }
        self.give_up();
        Err(QueryError::TimedOut(limit).into())
    }

    async fn answer(&mut self, statement: Statement, values: Values) -> Result<Shown> {
        let started = Instant::now();
        let waiting = Spinner::new(self.is_interactive);
        let stream = self.start(statement, values).await?;
        let stream = waiting.counting(stream);
        let has_result = !stream.schema().fields().is_empty();
        let shown = if let Some(mut file) = self.once.take() {
            let shown = to_file(stream, &self.form, &mut file).await?;
            file.finish()?;
            shown
        } else if let Some(file) = &mut self.file {
            to_file(stream, &self.form, file).await?
        } else {
            self.on_screen(stream, &waiting).await?
        };
        drop(waiting);
        if has_result {
            self.tell_of(shown, started.elapsed());
        }
        Ok(shown)
    }

    async fn on_screen(
        &mut self,
        stream: SendableRecordBatchStream,
        waiting: &Spinner,
    ) -> Result<Shown> {
        let terminal = Some(Term::stdout()).filter(Term::is_term);
        let size = terminal.map(|terminal| terminal.size());
        if self.form.format == Format::Parquet && size.is_some() {
            let reason = "Parquet is not for a terminal: name a file with --output or .once";
            return Err(QueryError::Unwritable(reason).into());
        }
        let mut form = self.form.clone();
        if self.auto_width {
            form.width = size.map(|(_, columns)| usize::from(columns));
        }
        let paged = self.is_interactive && form.format.is_for_people();
        let screen = size.map(|(rows, _)| usize::from(rows)).filter(|_| paged);
        let mut out = waiting.before(Paged::new(&mut self.out, screen));
        let shown = output::write(stream, &form, &mut out).await;
        let paged = out.into_inner();
        if paged.was_left() {
            return Ok(Shown::default());
        }
        let shown = shown?;
        paged.finish().map_err(Error::io("write", "standard output".as_ref()))?;
        Ok(shown)
    }

    /// Starts a statement on its threads; its rows as they come.
    pub(super) async fn start(
        &mut self,
        statement: Statement,
        values: Values,
    ) -> Result<SendableRecordBatchStream> {
        let workers = match self.workers.take() {
            Some(workers) => workers,
            None => workers()?,
        };
        let session = self.session.clone();
        let (ready, schema) = oneshot::channel();
        let (send, receive) = mpsc::channel(2);
        let task = workers.spawn(async move {
            let mut stream = execute(&session, statement, values).await?;
            // Nobody to tell: the statement was given up.
            let _ = ready.send(stream.schema());
            while let Some(batch) = stream.next().await {
                if send.send(batch?).await.is_err() {
                    break;
                }
            }
            Ok::<_, Error>(())
        });
        self.workers = Some(workers);
        let task = Aborting(task);
        let Ok(schema) = schema.await else {
            let failed = task.join().await.err();
            return Err(failed.unwrap_or_else(|| QueryError::NoResult.into()));
        };
        let rows = stream::unfold((receive, Some(task)), |(mut receive, task)| async move {
            if let Some(batch) = receive.recv().await {
                return Some((Ok(batch), (receive, task)));
            }
            // The end is only one if the statement says so.
            match task?.join().await {
                Ok(()) => None,
                Err(error) => Some((Err(DataFusionError::External(error.into())), (receive, None))),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    /// Says what a result does not show by itself.
    fn tell_of(&self, shown: Shown, took: Duration) {
        if shown.more {
            let rows = shown.rows;
            say(&format!(
                "only the first {rows} rows are shown: --max-rows or .maxrows 0 shows all"
            ));
        }
        if shown.columns_cut > 0 {
            let cut = shown.columns_cut;
            let s = if cut == 1 { " has" } else { "s have" };
            say(&format!("{cut} more column{s} no room: .mode line or --format line shows them"));
        }
        if self.is_interactive {
            let s = if shown.rows == 1 { "" } else { "s" };
            let took =
                if self.timer { format!(", {:.3} s", took.as_secs_f64()) } else { String::new() };
            say(&format!("({} row{s}{took})", shown.rows));
        }
    }

    /// Puts a text where results go.
    pub(crate) fn put(&mut self, text: &str) -> Result<()> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(Error::io("write", "standard output".as_ref()))
    }

    /// Carries out a command that starts with a dot.
    pub(crate) async fn command(&mut self, line: &str, origin: CommandOrigin) -> Result<()> {
        let command = command::parse(line).map_err(QueryError::Command)?;
        match command {
            ShellCommand::Help => {
                let commands = tabulate(["command", "what"], COMMANDS.into_iter(), Format::Table)?;
                self.put(&commands)?;
            }
            ShellCommand::Tables => self.sql(TABLES, &Values::new()).await?,
            ShellCommand::Schema(table) => {
                let describe = format!("DESCRIBE \"{}\"", table.replace('"', "\"\""));
                self.sql(&describe, &Values::new()).await?;
            }
            ShellCommand::Describe(name) => {
                let text = describe::describe(name, &self.queries)?;
                self.put(&text)?;
            }
            ShellCommand::Queries => {
                let rows = self.queries.all().iter().map(|query| [&*query.name, &*query.question]);
                let queries = tabulate(["name", "question"], rows, Format::Table)?;
                self.put(&queries)?;
            }
            ShellCommand::Run(words) => {
                let (query, values) = self.queries.call(words)?;
                let query = query.clone();
                for doubt in self.doubts(&query, &values).await? {
                    doubt.tell();
                }
                self.run_saved(&query, values).await?;
                self.last = query.sql;
            }
            ShellCommand::Explain(statement) => {
                let last = self.last.clone();
                let statement = if statement.is_empty() { &last } else { statement };
                self.sql(&format!("EXPLAIN {statement}"), &Values::new()).await?;
                self.last = last;
            }
            ShellCommand::Output(_) | ShellCommand::Once(_) | ShellCommand::Read(_) => {
                return self.file_command(command, origin).await;
            }
            ShellCommand::Edit | ShellCommand::History(_) => {
                return Err(QueryError::ShellOnly(line.to_owned()).into());
            }
            // Shell and script end by themselves.
            ShellCommand::Quit => {}
            setting => self.set(setting)?,
        }
        Ok(())
    }

    /// Shows or changes how results are written.
    fn set(&mut self, setting: ShellCommand<'_>) -> Result<()> {
        let switch = |state| if state { "on\n" } else { "off\n" };
        match setting {
            ShellCommand::Mode(Some(format)) => self.form.format = format,
            ShellCommand::Mode(None) => {
                let format = format!("{:?}\n", self.form.format).to_lowercase();
                self.put(&format)?;
            }
            ShellCommand::Timer(Some(state)) => self.timer = state,
            ShellCommand::Timer(None) => self.put(switch(self.timer))?,
            ShellCommand::Headers(Some(state)) => self.form.headers = state,
            ShellCommand::Headers(None) => self.put(switch(self.form.headers))?,
            ShellCommand::MaxRows(Some(rows)) => {
                self.form.max_rows = Some(rows).filter(|rows| *rows > 0);
            }
            ShellCommand::MaxRows(None) => {
                self.put(&format!("{}\n", self.form.max_rows.unwrap_or_default()))?;
            }
            ShellCommand::Width(Some(Width::Characters(width))) => self.set_width(width),
            ShellCommand::Width(Some(Width::Terminal)) => self.auto_width = true,
            ShellCommand::Width(None) if self.auto_width => self.put("auto\n")?,
            ShellCommand::Width(None) => {
                self.put(&format!("{}\n", self.form.width.unwrap_or_default()))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Carries out a command that names a file. In a script it may be somebody else's idea.
    async fn file_command(
        &mut self,
        command: ShellCommand<'_>,
        origin: CommandOrigin,
    ) -> Result<()> {
        let access = Access::from_config(self.session.state().config());
        let refuse = |command, option| Err(QueryError::FileInScript { command, option }.into());
        let is_script = origin == CommandOrigin::Script;
        match command {
            ShellCommand::Output(Some(_)) if is_script && !access.write => {
                refuse(".output", "--allow-write")
            }
            ShellCommand::Once(_) if is_script && !access.write => refuse(".once", "--allow-write"),
            ShellCommand::Read(_) if is_script && !access.files => refuse(".read", "--allow-files"),
            ShellCommand::Output(Some(file)) => self.write_to(Path::new(file)),
            ShellCommand::Output(None) => self.finish(),
            ShellCommand::Once(file) => {
                self.once = Some(OutputFile::create(Path::new(file))?);
                Ok(())
            }
            ShellCommand::Read(file) => {
                let path = Path::new(file);
                let text = text::read(path).map_err(Error::io("read", path))?;
                Box::pin(self.run(&text)).await
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Runner {
    /// What still computes is not waited for.
    fn drop(&mut self) {
        self.give_up();
    }
}

/// Threads for queries.
fn workers() -> Result<Runtime> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Error::Threads(error.into()))
}

async fn to_file(
    stream: SendableRecordBatchStream,
    form: &Form,
    file: &mut OutputFile,
) -> Result<Shown> {
    if stream.schema().fields().is_empty() {
        return output::write(stream, form, file).await;
    }
    if form.format == Format::Parquet && file.results > 0 {
        let reason = "a Parquet file holds one result: use .once for each";
        return Err(QueryError::Unwritable(reason).into());
    }
    file.results += 1;
    output::write(stream, form, file).await
}

/// A task that ends when nobody waits for it any more.
struct Aborting(JoinHandle<Result<()>>);

impl Aborting {
    async fn join(mut self) -> Result<()> {
        let joined = (&mut self.0).await;
        joined.map_err(|error| QueryError::Broken(error.into()))?
    }
}

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}
