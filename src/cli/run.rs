//! `buildtrail run`.

use super::query_args::{Asked, FLAGS, Options};
use super::{Status, runtime};
use crate::error::Result;
use crate::query::{Parameter, SavedQueries};
use clap::{Arg, ArgMatches};
use datafusion::common::ScalarValue;
use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;

/// Run a saved query on a dataset
///
/// A query's parameters are options: `buildtrail run NAME --help` lists them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The query's name, as `buildtrail queries` lists it
    query: String,
    /// The dataset: a folder, or an S3 URL
    dataset: Option<PathBuf>,
    /// End with exit status 4 where the result has rows: for checks in cron and CI
    #[arg(long)]
    fail_on_rows: bool,
    #[command(flatten)]
    options: Options,
}

/// The saved queries, and the folder that some of them are from.
#[derive(Debug)]
pub(super) struct Loaded {
    folder: Option<PathBuf>,
    queries: SavedQueries,
}

impl Loaded {
    fn new(folder: Option<PathBuf>) -> Result<Self> {
        let queries = SavedQueries::load(folder.as_deref())?;
        Ok(Self { folder, queries })
    }
}

/// The saved queries that a command line asks for, if it is one of `run`, and the options for the
/// parameters of the query that it names, if it names one. What is wrong with the name or the files is
/// said later.
pub(super) fn look_ahead(command_line: &[OsString]) -> (Option<Loaded>, Vec<Arg>) {
    let mut words = command_line.iter().map(|word| word.to_string_lossy()).skip(1);
    if words.next().as_deref() != Some("run") {
        return (None, Vec::new());
    }
    let (mut name, mut folder) = (None, None);
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (&*word, None),
        };
        match (option, value) {
            ("--fail-on-rows" | "--help" | "-h", _) => {}
            (flag, _) if FLAGS.contains(&flag) => {}
            ("--sql-dir", None) => folder = words.next().map(Cow::into_owned),
            ("--sql-dir", Some(value)) => folder = Some(value.to_owned()),
            (option, None) if option.starts_with("--") || option == "-o" => {
                words.next();
            }
            (option, _) if option.starts_with('-') => {}
            _ if name.is_none() => name = Some(word.into_owned()),
            _ => {}
        }
    }
    let Ok(loaded) = Loaded::new(folder.map(PathBuf::from)) else { return (None, Vec::new()) };
    let query = name.and_then(|name| loaded.queries.find(&name).ok());
    let options =
        query.map_or_else(Vec::new, |query| query.parameters.iter().map(option).collect());
    (Some(loaded), options)
}

fn option(parameter: &Parameter) -> Arg {
    let kind = parameter.kind;
    let default = parameter.default.as_ref();
    let default = default.map_or_else(String::new, |default| format!(" [default: {default}]"));
    // A command line lives as long as its process, and clap keeps to what does.
    let leak = |text: String| -> &'static str { text.leak() };
    Arg::new(leak(parameter.name.clone()))
        .long(leak(parameter.option()))
        .value_name(leak(kind.name().to_uppercase()))
        .help(format!("{}{default}", parameter.help))
        .help_heading("Parameters")
        .allow_hyphen_values(true)
        .value_parser(move |text: &str| kind.parse(text))
}

pub(super) fn main(
    args: &Args,
    matches: &ArgMatches,
    loaded: Option<Loaded>,
) -> anyhow::Result<Status> {
    let folder = &args.options.sql_dir;
    let loaded = match loaded.filter(|loaded| loaded.folder == *folder) {
        Some(loaded) => loaded,
        // They could not be read, or the folder was read otherwise than meant.
        None => Loaded::new(folder.clone())?,
    };
    let queries = loaded.queries;
    let query = queries.find(&args.query)?.clone();
    let value = |parameter: &Parameter| {
        let given = matches.try_get_one::<ScalarValue>(&parameter.name).ok().flatten();
        (parameter.name.clone(), given.cloned().unwrap_or_else(|| parameter.default_value()))
    };
    let values = query.parameters.iter().map(value).collect();
    let Asked { mut runner, scratch: _scratch } =
        args.options.runner("run", args.dataset.as_deref(), queries)?;
    let result = runtime()?.block_on(runner.run_saved(&query, values));
    let rows = runner.finish_after(result)?;
    Ok(if args.fail_on_rows && rows > 0 { Status::Found } else { Status::Done })
}
