//! `buildtrail run`.

use crate::cli::common::args::{ExitStatus, SQL_DIR, runtime, wrong_usage};
use crate::cli::common::query_args::{Asked, OPTIONAL_DATASET, QueryOptions};
use crate::error::{Error, Result, SavedQueryProblem};
use crate::query::{Doubt, Parameter, SavedQueries, SavedQuery, Values, check_period};
use clap::{Arg, ArgMatches, Args as _, Command};
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
    #[arg(help = OPTIONAL_DATASET)]
    dataset: Option<PathBuf>,
    /// End with exit status 4 where the result has rows: for checks in cron and CI. 1 where the dataset
    /// keeps less than the query needs, 2 where it has nothing of a project, account, actor or region
    #[arg(long)]
    fail_on_rows: bool,
    #[command(flatten)]
    options: QueryOptions,
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

/// Looks ahead in a command line for `run QUERY`, so that the query's parameters can be added as options.
/// Errors are ignored here: the command itself reports them. `run` is the command without them.
pub(super) fn look_ahead(command_line: &[OsString], run: &Command) -> (Option<Loaded>, Vec<Arg>) {
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
            ("--sql-dir", None) => folder = words.next().map(Cow::into_owned),
            ("--sql-dir", Some(value)) => folder = Some(value.to_owned()),
            (option, None) if option.starts_with('-') && takes_value(run, option) => {
                words.next();
            }
            (option, _) if option.starts_with('-') => {}
            _ if name.is_none() => name = Some(word.into_owned()),
            _ => {}
        }
    }
    let folder = folder.map(PathBuf::from).or_else(|| std::env::var_os(SQL_DIR).map(PathBuf::from));
    let Ok(loaded) = Loaded::new(folder) else { return (None, Vec::new()) };
    let query = name.and_then(|name| loaded.queries.find(&name).ok());
    // An option that clashes is left out here; `main` refuses it by name.
    let of_query = |query: &SavedQuery| {
        let parameters = query.parameters.iter();
        parameters
            .filter(|p| known(run, &format!("--{}", p.option())).is_none())
            .map(option)
            .collect()
    };
    let options = query.map_or_else(Vec::new, of_query);
    (Some(loaded), options)
}

/// The option of `run` that a word of a command line names: `--width`, `-o`, `-oFILE`.
fn known<'r>(run: &'r Command, word: &str) -> Option<&'r Arg> {
    run.get_arguments().find(|arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => word.strip_prefix('-').is_some_and(|w| w.chars().next() == arg.get_short()),
    })
}

/// Whether the next word is the value of this one. A parameter of a saved query always has one.
fn takes_value(run: &Command, word: &str) -> bool {
    match known(run, word) {
        Some(arg) => arg.get_action().takes_values() && (word.starts_with("--") || word.len() == 2),
        None => !["--help", "-h"].contains(&word),
    }
}

/// Fails if a parameter of a saved query is an option of `run`, too: nobody could say which is meant.
fn refuse_clash(query: &SavedQuery) -> Result<()> {
    let run = Args::augment_args(Command::new("run"));
    let clash = |p: &&Parameter| {
        let option = p.option();
        option == "help"
            || run.get_arguments().any(|arg| *arg.get_id() == p.name)
            || known(&run, &format!("--{option}")).is_some()
    };
    query.parameters.iter().find(clash).map_or(Ok(()), |parameter| {
        let problem = SavedQueryProblem::ReservedParameter(parameter.name.clone());
        Err(Error::saved_query(&query.name, problem))
    })
}

fn option(parameter: &Parameter) -> Arg {
    let kind = parameter.kind;
    let of_text = parameter.clone();
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
        .value_parser(move |text: &str| of_text.parse(text))
}

pub(super) fn main(
    args: &Args,
    matches: &ArgMatches,
    loaded: Option<Loaded>,
) -> anyhow::Result<ExitStatus> {
    let folder = &args.options.sql_dir;
    let loaded = match loaded.filter(|loaded| loaded.folder == *folder) {
        Some(loaded) => loaded,
        // They could not be read, or the folder was read otherwise than meant.
        None => Loaded::new(folder.clone())?,
    };
    let queries = loaded.queries;
    let query = queries.find(&args.query)?.clone();
    refuse_clash(&query)?;
    let value = |parameter: &Parameter| {
        let given = matches.try_get_one::<ScalarValue>(&parameter.name).ok().flatten();
        (parameter.name.clone(), given.cloned().unwrap_or_else(|| parameter.default_value()))
    };
    let values: Values = query.parameters.iter().map(value).collect();
    check_period(&query, &values).map_err(|error| wrong_usage("run", error.to_string()))?;
    let Asked { mut runner, scratch: _scratch } =
        args.options.runner("run", args.dataset.as_deref(), queries)?;
    let result = runtime()?.block_on(async {
        let doubts = runner.doubts(&query, &values).await?;
        doubts.iter().for_each(Doubt::tell);
        Ok::<_, Error>((doubts, runner.run_saved(&query, values).await?))
    });
    let (doubts, rows) = runner.finish_after(result)?;
    Ok(if args.fail_on_rows { verdict(&doubts, rows) } else { ExitStatus::Done })
}

/// What a check has found. An answer that may show less than there is to see is no all-clear.
fn verdict(doubts: &[Doubt], rows: u64) -> ExitStatus {
    if doubts.iter().any(Doubt::is_of_value) {
        ExitStatus::Unmatched
    } else if !doubts.is_empty() {
        ExitStatus::Failed
    } else if rows > 0 {
        ExitStatus::Found
    } else {
        ExitStatus::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_ahead(words: &[&str]) -> Option<String> {
        let run = Args::augment_args(Command::new("run"));
        let line: Vec<OsString> =
            ["buildtrail", "run"].iter().chain(words).map(Into::into).collect();
        let (_, options) = look_ahead(&line, &run);
        options.first().map(|arg| arg.get_id().to_string())
    }

    /// Every option of `run`, before the query's name: its value is not taken for the name.
    #[test]
    fn a_new_option_cannot_be_forgotten() {
        let run = Args::augment_args(Command::new("run"));
        let mut options = 0;
        for arg in run.get_arguments().filter(|arg| !arg.is_positional()) {
            let value = arg.get_action().takes_values().then_some("value");
            for option in [
                arg.get_long().map(|long| format!("--{long}")),
                arg.get_short().map(|c| format!("-{c}")),
            ] {
                let Some(option) = option.filter(|option| option != "--sql-dir") else { continue };
                let words: Vec<&str> = [option.as_str()]
                    .into_iter()
                    .chain(value)
                    .chain(["timeline", "dataset"])
                    .collect();
                assert_eq!(looked_ahead(&words).as_deref(), Some("since"), "{words:?}");
                options += 1;
            }
        }
        assert!(options > 15, "{options}");
        assert_eq!(looked_ahead(&["--fail-on-rows", "timeline"]).as_deref(), Some("since"));
        assert_eq!(looked_ahead(&["--since", "7d", "timeline"]).as_deref(), Some("since"));
        assert_eq!(looked_ahead(&["nosuch"]), None);
    }

    #[test]
    fn no_parameter_of_ours_is_an_option() {
        for query in SavedQueries::load(None).unwrap().all() {
            refuse_clash(query).unwrap();
        }
    }
}
