//! Saved queries: SQL files that answer one question each.
//!
//! A file starts with a header of comments, `-- title: ...` and `-- question: ...`, and holds one
//! statement. Ours are embedded in the binary; a folder of one's own adds to them, or takes the place
//! of one by its name. The name is the file's, without `.sql`.

use crate::error::{Error, Result, nearest};
use include_dir::{Dir, include_dir};
use serde::Serialize;
use std::path::Path;

static OURS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql");

/// A saved query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedQuery {
    /// What it is run by.
    pub name: String,
    /// What it shows, in a few words.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// What may be given to it; none yet.
    pub parameters: Vec<Parameter>,
    /// The statement, with its header.
    pub sql: String,
}

/// A parameter of a saved query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// `--name`, and `$name` in the statement.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value where none is given.
    pub default: Option<String>,
    /// What it means.
    pub help: String,
}

impl SavedQuery {
    fn parse(name: &str, sql: &str) -> Result<Self> {
        let header = |key: &str| {
            let line = sql.lines().take_while(|line| line.starts_with("--")).find_map(|line| {
                line.trim_start_matches('-').trim().strip_prefix(key)?.strip_prefix(':')
            });
            line.map(|text| text.trim().to_owned()).ok_or_else(|| {
                Error::SavedQuery(format!("saved query {name} has no line `-- {key}: ...` on top"))
            })
        };
        let statement = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        if statement.map(str::trim).all(str::is_empty) {
            return Err(Error::SavedQuery(format!("saved query {name} has no statement")));
        }
        Ok(Self {
            name: name.to_owned(),
            title: header("title")?,
            question: header("question")?,
            parameters: Vec::new(),
            sql: sql.to_owned(),
        })
    }
}

/// The saved queries at hand, by name.
#[derive(Debug)]
pub struct SavedQueries(Vec<SavedQuery>);

impl SavedQueries {
    /// Ours, and those of a folder. Fails where the folder or a file in it cannot be read.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut queries = Self(Vec::new());
        for file in OURS.files() {
            if let (Some(name), Some(sql)) = (query_name(file.path()), file.contents_utf8()) {
                queries.put(SavedQuery::parse(name, sql)?);
            }
        }
        if let Some(folder) = folder {
            for entry in std::fs::read_dir(folder).map_err(Error::io("list", folder))? {
                let path = entry.map_err(Error::io("list", folder))?.path();
                if let Some(name) = query_name(&path) {
                    let sql = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
                    queries.put(SavedQuery::parse(name, &sql)?);
                }
            }
        }
        queries.0.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(queries)
    }

    fn put(&mut self, query: SavedQuery) {
        self.0.retain(|known| known.name != query.name);
        self.0.push(query);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[SavedQuery] {
        &self.0
    }

    /// The one called `name`; the error names the nearest.
    pub fn find(&self, name: &str) -> Result<&SavedQuery> {
        self.0.iter().find(|query| query.name == name).ok_or_else(|| {
            let nearest = nearest(name, self.0.iter().map(|query| query.name.as_str()));
            let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
            let hint = hint.as_deref().unwrap_or(";");
            Error::SavedQuery(format!(
                "no saved query `{name}`{hint} `buildtrail queries` lists them all"
            ))
        })
    }
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
        assert!(queries.all().len() >= 8);
        for query in queries.all() {
            assert!(query.question.ends_with('?'), "{}", query.name);
            assert_eq!(crate::query::statements(&query.sql).unwrap().len(), 1, "{}", query.name);
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
        let error = queries.find("mime").unwrap_err().to_string();
        assert!(error.contains("did you mean `mine`?"), "{error}");
        std::fs::write(folder.path().join("bad.sql"), "SELECT 1").unwrap();
        let error = SavedQueries::load(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("bad has no line `-- title: ...`"), "{error}");
    }
}
