//! What `sql` and `run` have in common: what is asked, how its answer is written, what it may use.

#[cfg(feature = "distributed")]
use crate::cli::common::args::runtime;
use crate::cli::common::args::{DATASET, SQL_DIR, parse_memory, parse_timeout, wrong_usage};
use crate::cli::common::problems;
use crate::cli::common::progress::Bar;
use crate::convert::ConvertConfig;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::query::{
    self, Access, Form, Format, MAX_ROWS, QueryLimits, QuerySource, Runner, SavedQueries,
    register_logs,
};
use crate::reader;
use crate::scope::Keep;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// The help of DATASET. Clap does not read the variable itself: it would take it to contradict --logs.
pub(in crate::cli) const OPTIONAL_DATASET: &str =
    "The dataset: a folder, or an S3 URL [default: that of the environment's BUILDTRAIL_DATASET]";

/// How the answer is written, and what it may use.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct QueryOptions {
    /// Log files, folders or patterns to ask as they are, in a dataset's place
    #[arg(long, value_name = "SOURCE", num_args = 1.., conflicts_with = "dataset")]
    logs: Vec<String>,
    /// Which records of --logs become rows
    #[arg(long, value_enum, default_value_t = Keep::CodeBuild, requires = "logs")]
    keep: Keep,
    /// The form of results [default: table, or what the name of --output asks for]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write results to this file; it takes its name when all is written
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// In CSV and TSV, put ' before texts that a spreadsheet would take for formulas
    #[arg(long)]
    safe_csv: bool,
    /// Leave out the names above the values
    #[arg(long)]
    no_headers: bool,
    /// Characters of a table's line; 0 cuts nothing [default: the terminal's]
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    /// How many rows a table shows; 0 shows all
    #[arg(long, value_name = "N", default_value_t = MAX_ROWS)]
    max_rows: usize,
    /// A folder of saved queries of your own; one of the same name takes the place of ours
    #[arg(long, value_name = "FOLDER", env = SQL_DIR, hide_env_values = true)]
    pub(in crate::cli) sql_dir: Option<PathBuf>,
    /// Memory for sorting, grouping, joining: 512MB, 4GB [default: half of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory)]
    memory: Option<u64>,
    /// Where to put what does not fit into memory [default: the system's temporary folder]
    #[arg(long, value_name = "FOLDER")]
    spill: Option<PathBuf>,
    /// End a statement that takes longer: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    timeout: Option<Duration>,
    /// Let statements read files that they name (CREATE EXTERNAL TABLE, cloudtrail('logs/'), .read)
    #[arg(long)]
    allow_files: bool,
    /// Let statements write files (COPY, INSERT, .output)
    #[arg(long)]
    allow_write: bool,
    /// Workers that do the work, each a `buildtrail worker` on the same dataset; statements only read
    /// the dataset then
    #[cfg(feature = "distributed")]
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',',
          conflicts_with_all = ["logs", "allow_files", "allow_write"])]
    workers: Vec<query::Address>,
}

/// Datasets made of log files, which go when the program ends.
type ScratchFolders = Arc<Mutex<Vec<TempDir>>>;

impl QueryOptions {
    /// A runner of statements over the dataset, or over log files.
    pub(in crate::cli) fn runner(
        &self,
        command: &'static str,
        dataset: Option<&Path>,
        queries: SavedQueries,
    ) -> anyhow::Result<Asked> {
        let named = self.named_form(command)?;
        let scratch = ScratchFolders::default();
        let dataset = if !self.logs.is_empty() {
            read_logs(&self.logs, self.keep, &scratch)?
        } else if let Some(dataset) = dataset {
            Dataset::open(dataset)?
        } else if let Some(dataset) = std::env::var_os(DATASET).filter(|name| !name.is_empty()) {
            Dataset::open(Path::new(&dataset))?
        } else {
            return Err(wrong_usage(command, "name a DATASET, or log files with --logs"));
        };
        let access = Access { files: self.allow_files, write: self.allow_write };
        let limits =
            QueryLimits { memory: self.memory, spill: self.spill.clone(), timeout: self.timeout };
        let session = query::open(&dataset, access, &limits)?;
        #[cfg(feature = "distributed")]
        let session = if self.workers.is_empty() {
            session
        } else {
            runtime()?.block_on(query::distribute(&session, &self.workers))?
        };
        let (keep, made) = (self.keep, Arc::clone(&scratch));
        let read = move |source: &str| read_logs(&[source.to_owned()], keep, &made);
        register_logs(&session, Box::new(read));
        let mut form = Form::new(self.format.or(named).unwrap_or(Format::Table));
        form.headers = !self.no_headers;
        form.safe_csv = self.safe_csv;
        form.max_rows = Some(self.max_rows).filter(|rows| *rows > 0);
        let out = BufWriter::with_capacity(1 << 16, io::stdout());
        let mut runner = Runner::new(session, queries, form, Box::new(out));
        if let Some(width) = self.width {
            runner.set_width(width);
        }
        runner.timeout = limits.timeout;
        runner.source = Some(QuerySource { dataset, of_logs: !self.logs.is_empty() });
        if let Some(output) = &self.output {
            runner.write_to(output)?;
        }
        Ok(Asked { runner, scratch })
    }

    /// The form that the name of --output asks for. A name without an ending asks for none, and one whose
    /// ending is no form's is a slip, unless --format says what is meant.
    fn named_form(&self, command: &'static str) -> anyhow::Result<Option<Format>> {
        let Some(output) = &self.output else { return Ok(None) };
        let named = Format::of_file(output);
        if named.is_some() || self.format.is_some() || output.extension().is_none() {
            return Ok(named);
        }
        let endings = Format::ENDINGS.map(|(ending, _)| format!(".{ending}")).join(", ");
        let reason = format!(
            "--output {}: no form has this ending; expected one of {endings}, or --format",
            output.display()
        );
        Err(wrong_usage(command, reason))
    }
}

/// A runner, and what it reads.
pub(in crate::cli) struct Asked {
    pub(in crate::cli) runner: Runner,
    /// Goes last.
    pub(in crate::cli) scratch: ScratchFolders,
}

/// Makes a dataset of log files, for as long as the program runs.
fn read_logs(sources: &[String], keep: Keep, scratch: &ScratchFolders) -> Result<Dataset> {
    let keep = Some(keep);
    let config = ConvertConfig { keep, ..ConvertConfig::new(sources.to_vec(), PathBuf::new()) };
    let bar = Bar::new();
    let made = reader::ScratchDataset::convert(config, &bar);
    bar.finish();
    let reader::ScratchDataset { dataset, outcome, folder } = made?;
    problems::tell(&outcome.problems, None);
    scratch.lock().unwrap_or_else(PoisonError::into_inner).push(folder);
    Ok(dataset)
}
