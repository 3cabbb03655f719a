//! Saved queries: SQL files that answer one question each.
//!
//! A file starts with a header of comments: `-- title: ...`, `-- question: ...`, for each parameter
//! `-- parameter: NAME TYPE [DEFAULT] HELP`, for a detection `-- severity: ...` and `-- attack: ...`
//! (its technique in MITRE ATT&CK), perhaps `-- chart: bar LABEL NUMBER`, and `-- needs: build-activity`
//! or `-- needs: all` where the calls to CodeBuild alone do not answer it. One statement follows, with
//! `$NAME` for the parameters. Ours are embedded in the binary, in folders by theme; a folder of one's
//! own adds to them, or takes the place of one by its name. The name is the file's, without `.sql`.

mod files;
mod parameter;
mod views;

pub use parameter::{Parameter, ParameterKind, Values};
pub use views::view_texts;
pub(super) use views::{make as make_views, names as view_names, question as view_question};

use crate::error::{Error, QueryError, Result, SavedQueryProblem, nearest};
use crate::scope::Keep;
use crate::text;
use crate::times;
use clap::ValueEnum as _;
use datafusion::common::ScalarValue;
use files::{OURS, header, headers};
use include_dir::{Dir, DirEntry};
use serde::Serialize;
use std::path::Path;
use walkdir::WalkDir;

/// A saved query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedQuery {
    /// What it is run by.
    pub name: String,
    /// The folder that it is in; none for one beside the folders.
    pub theme: Option<String>,
    /// What it shows, in a few words.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// What may be given to it.
    pub parameters: Vec<Parameter>,
    /// How bad it is where a detection finds something: info, low, medium, high, critical.
    pub severity: Option<String>,
    /// The technique in MITRE ATT&CK that a detection is about.
    pub attack: Option<String>,
    /// What a dataset has to keep for a whole answer; none where calls to `CodeBuild` are enough.
    pub needs: Option<Keep>,
    /// How to draw the result: `bar LABEL NUMBER`.
    pub chart: Option<String>,
    /// The statement, with its header.
    pub sql: String,
}

impl SavedQuery {
    fn parse(path: &Path, sql: &str) -> Result<Option<Self>> {
        let Some(name) = query_name(path) else { return Ok(None) };
        let needed = |key: &'static str| {
            header(sql, key)
                .map(str::to_owned)
                .ok_or_else(|| Error::saved_query(name, SavedQueryProblem::NoHeader(key)))
        };
        let statement = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        if statement.map(str::trim).all(str::is_empty) {
            return Err(Error::saved_query(name, SavedQueryProblem::NoStatement));
        }
        let parameters: Vec<Parameter> = headers(sql, "parameter")
            .map(|line| Parameter::read(name, line))
            .collect::<Result<_>>()?;
        let mut names: Vec<&str> = parameters.iter().map(|p| &*p.name).collect();
        names.sort_unstable();
        if let Some([twice, _]) = names.array_windows().find(|[a, b]| a == b) {
            let problem = SavedQueryProblem::SameParameter((*twice).to_owned());
            return Err(Error::saved_query(name, problem));
        }
        let needs = header(sql, "needs").map(|word| {
            Keep::from_str(word, false).ok().ok_or_else(|| {
                Error::saved_query(name, SavedQueryProblem::UnknownNeed(word.to_owned()))
            })
        });
        let optional = |key: &str| header(sql, key).map(str::to_owned);
        let theme = path.parent().and_then(Path::file_name).and_then(|theme| theme.to_str());
        Ok(Some(Self {
            name: name.to_owned(),
            theme: theme.map(str::to_owned),
            title: needed("title")?,
            question: needed("question")?,
            parameters,
            severity: optional("severity"),
            attack: optional("attack"),
            needs: needs.transpose()?,
            chart: optional("chart"),
            sql: sql.to_owned(),
        }))
    }
}

impl SavedQuery {
    /// The columns of its chart: what is drawn, and how long.
    pub(crate) fn bars(&self) -> Option<(String, String)> {
        let (label, number) = self.chart.as_deref()?.strip_prefix("bar ")?.split_once(' ')?;
        Some((label.trim().to_owned(), number.trim().to_owned()))
    }
}

/// The saved queries at hand, by name.
#[derive(Debug)]
pub struct SavedQueries(Vec<SavedQuery>);

impl SavedQueries {
    /// Ours, and those of a folder. Fails where the folder or a file in it cannot be read.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut queries = Self(Vec::new());
        queries.embedded(&OURS)?;
        for entry in folder.into_iter().flat_map(WalkDir::new) {
            let failed = |error: walkdir::Error| {
                let path = error.path().or(folder).unwrap_or_else(|| Path::new("")).to_owned();
                Error::io("list", &path)(error.into())
            };
            let entry = entry.map_err(failed)?;
            if query_name(entry.path()).is_some() && !entry.file_type().is_dir() {
                let path = entry.path();
                let sql = text::read(path).map_err(Error::io("read", path))?;
                let below = folder.and_then(|folder| path.strip_prefix(folder).ok());
                queries.put(SavedQuery::parse(below.unwrap_or(path), &sql)?);
            }
        }
        queries.0.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(queries)
    }

    fn embedded(&mut self, folder: &Dir<'_>) -> Result<()> {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(folder) if !views::is_view(folder.path()) => self.embedded(folder)?,
                DirEntry::File(file) => {
                    if let Some(sql) = file.contents_utf8() {
                        self.put(SavedQuery::parse(file.path(), sql)?);
                    }
                }
                DirEntry::Dir(_) => {}
            }
        }
        Ok(())
    }

    fn put(&mut self, query: Option<SavedQuery>) {
        let Some(query) = query else { return };
        self.0.retain(|known| known.name != query.name);
        self.0.push(query);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[SavedQuery] {
        &self.0
    }

    /// The query and the values that a line of words names: `NAME --parameter value --other=value`. Words
    /// are a shell's: a value with spaces stands in quotes.
    pub(crate) fn call(&self, line: &str) -> Result<(&SavedQuery, Values)> {
        let words = shlex::split(line);
        let words =
            words.ok_or_else(|| QueryError::Command(format!("a quote is not closed: {line}")))?;
        let mut words = words.into_iter();
        let query = self.find(&words.next().unwrap_or_default())?;
        let wrong = |problem| Error::saved_query(&query.name, problem);
        let mut values: Values =
            query.parameters.iter().map(|p| (p.name.clone(), p.default_value())).collect();
        while let Some(word) = words.next() {
            let option = word.strip_prefix("--").unwrap_or(&word);
            let (option, value) = match option.split_once('=') {
                Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
                None => (option.to_owned(), words.next()),
            };
            let of_name = |p: &&Parameter| p.option() == option;
            let parameter = query.parameters.iter().find(of_name).ok_or_else(|| {
                let options: Vec<_> = query.parameters.iter().map(Parameter::option).collect();
                wrong(SavedQueryProblem::UnknownParameter {
                    name: option.clone(),
                    known: options.join(", "),
                })
            })?;
            let value =
                value.ok_or_else(|| wrong(SavedQueryProblem::MissingValue(option.clone())))?;
            let value = parameter.parse(&value);
            let value = value.map_err(|reason| {
                wrong(SavedQueryProblem::InvalidValue { name: option.clone(), reason })
            })?;
            values.retain(|(name, _)| *name != parameter.name);
            values.push((parameter.name.clone(), value));
        }
        check_period(query, &values)?;
        Ok((query, values))
    }

    /// The one called `name`; the error names the nearest.
    pub fn find(&self, name: &str) -> Result<&SavedQuery> {
        self.0.iter().find(|query| query.name == name).ok_or_else(|| {
            let nearest = nearest(name, self.0.iter().map(|query| query.name.as_str()));
            let (name, nearest) = (name.to_owned(), nearest.map(str::to_owned));
            Error::UnknownName { kind: "saved query", name, nearest }
        })
    }
}

/// Fails if the period between the parameters `since` and `until` ends before it begins.
pub fn check_period(query: &SavedQuery, values: &Values) -> Result<()> {
    let millis = |wanted: &str| {
        values.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| match value {
            ScalarValue::TimestampMillisecond(millis, _) => *millis,
            _ => None,
        })
    };
    if times::are_in_order(millis("since"), millis("until")) {
        return Ok(());
    }
    Err(Error::saved_query(&query.name, SavedQueryProblem::NotInOrder(times::NOT_IN_ORDER)))
}

fn query_name(path: &Path) -> Option<&str> {
    path.extension().filter(|extension| *extension == "sql")?;
    path.file_stem()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_well_formed() {
        let queries = SavedQueries::load(None).unwrap();
        assert!(queries.all().len() >= 35);
        for query in queries.all() {
            assert!(query.theme.is_some(), "{}", query.name);
            let severities = ["info", "low", "medium", "high", "critical"];
            assert!(query.severity.as_deref().is_none_or(|s| severities.contains(&s)));
            assert_eq!(query.severity.is_some(), query.attack.is_some(), "{}", query.name);
            for parameter in &query.parameters {
                assert!(query.sql.contains(&format!("${}", parameter.name)), "{}", query.name);
            }
            assert!(query.question.ends_with('?'), "{}", query.name);
            assert_eq!(
                crate::query::execute::statements(&query.sql).unwrap().len(),
                1,
                "{}",
                query.name
            );
        }
    }

    #[test]
    fn a_line_calls_a_query() {
        let queries = SavedQueries::load(None).unwrap();
        let call = |line| queries.call(line);
        let (query, values) = call("timeline --project='a b' --since 2026-09-01").unwrap();
        assert_eq!((&*query.name, values.len()), ("timeline", query.parameters.len()));
        let value = |name| values.iter().find(|(known, _)| known == name).unwrap().1.to_string();
        assert_eq!((value("project"), value("since")), ("a b".into(), "1788220800000".into()));
        for (line, reason) in [
            ("timelin", "did you mean `timeline`?"),
            ("timeline --projct x", "no parameter `projct`; it has since, until"),
            ("timeline --since", "--since needs a value"),
            ("timeline --since soon", "--since: expected a time"),
            ("timeline --since 1d --until 2d", "--since is after --until"),
        ] {
            let error = call(line).unwrap_err();
            let said = format!("{error}; {}", error.hint().unwrap_or_default());
            assert!(said.contains(reason), "{said}");
        }
    }

    #[test]
    fn a_folder_adds_and_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let known = SavedQueries::load(None).unwrap().all()[0].name.clone();
        let text = "-- title: T\n-- question: Q?\nSELECT 1\n";
        std::fs::write(folder.path().join(format!("{known}.sql")), text).unwrap();
        std::fs::write(folder.path().join("mine.sql"), text).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
        let queries = SavedQueries::load(Some(folder.path())).unwrap();
        assert_eq!(queries.find(&known).unwrap().title, "T");
        assert_eq!(queries.find("mine").unwrap().question, "Q?");
        let hint = queries.find("mime").unwrap_err().hint();
        assert_eq!(hint.as_deref(), Some("did you mean `mine`?"));
        let twice = format!("-- parameter: a text [] A\n-- parameter: a text [] A\n{text}");
        std::fs::write(folder.path().join("twice.sql"), twice).unwrap();
        let error = SavedQueries::load(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("two parameters called `a`"), "{error}");
        std::fs::remove_file(folder.path().join("twice.sql")).unwrap();
        let needs = |word: &str| {
            let own = format!("-- needs: {word}\n{text}");
            std::fs::write(folder.path().join("needs.sql"), own).unwrap();
            SavedQueries::load(Some(folder.path()))
        };
        let needed = |word| needs(word).unwrap().find("needs").unwrap().needs;
        assert_eq!(needed("build-activity"), Some(Keep::BuildActivity));
        assert_eq!(needed("all"), Some(Keep::All));
        let error = needs("everything").unwrap_err().to_string();
        assert!(error.contains("saved query needs: `-- needs: everything`"), "{error}");
        std::fs::remove_file(folder.path().join("needs.sql")).unwrap();
        std::fs::write(folder.path().join("bad.sql"), "SELECT 1").unwrap();
        let error = SavedQueries::load(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("saved query bad: has no line `-- title: ...`"), "{error}");
    }
}
