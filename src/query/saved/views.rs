//! The views that come with the tool: `sql/views/`, one file each.
//!
//! A view is made when a statement first names it, for planning all of them takes longer than most
//! queries. It refuses to guess: a word that is a view's name makes the view, whatever it means there.

use crate::error::{QueryError, Result};
use crate::query::saved::files::{OURS, header};
use datafusion::prelude::SessionContext;
use include_dir::Dir;
use std::path::Path;

/// A view's file: its name and text.
fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = OURS.get_dir("views").into_iter().flat_map(Dir::files);
    files.filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
}

/// The names of the views.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    files().map(|(name, _)| name)
}

/// The question that a view answers.
pub(crate) fn question(name: &str) -> Option<&'static str> {
    files().find(|(known, _)| *known == name).and_then(|(_, sql)| header(sql, "question"))
}

/// Every view's name and statement, each behind those that it uses.
#[must_use]
pub fn view_texts() -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    names().for_each(|name| want(name, &mut wanted));
    wanted.into_iter().filter_map(|name| files().find(|(known, _)| *known == name)).collect()
}

/// Makes the views that a statement names, and those that they use.
pub(crate) async fn make(session: &SessionContext, statement: &str) -> Result<()> {
    let everything = ["information_schema", "tables"].iter().any(|word| mentions(statement, word));
    let mut wanted: Vec<&str> = Vec::new();
    for (name, _) in files().filter(|(name, _)| everything || mentions(statement, name)) {
        want(name, &mut wanted);
    }
    for name in wanted {
        if session.table_exist(name)? {
            continue;
        }
        let sql = files().find(|(known, _)| *known == name).map_or("", |(_, sql)| sql);
        let made = session.sql(&format!("CREATE VIEW \"{name}\" AS {sql}")).await;
        made.map_err(|error| QueryError::View { name, source: error.into() })?;
    }
    Ok(())
}

/// Puts a view behind those that it uses.
fn want(name: &'static str, wanted: &mut Vec<&'static str>) {
    if wanted.contains(&name) {
        return;
    }
    let uses = files().find(|(known, _)| *known == name).and_then(|(_, sql)| header(sql, "uses"));
    for used in uses.into_iter().flat_map(|uses| uses.split(',')).map(str::trim) {
        want(used, wanted);
    }
    if !wanted.contains(&name) {
        wanted.push(name);
    }
}

/// Whether a text has a word, in whatever case.
fn mentions(text: &str, word: &str) -> bool {
    let is_word = |part: &str| part.eq_ignore_ascii_case(word);
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(is_word)
}

/// Whether a file of `sql/` is a view's.
pub(crate) fn is_view(path: &Path) -> bool {
    path.starts_with("views")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_stands_behind_those_that_it_uses() {
        for (name, sql) in files() {
            let mut wanted = Vec::new();
            want(name, &mut wanted);
            assert_eq!(wanted.last(), Some(&name));
            for (other, _) in files().filter(|(other, _)| *other != name) {
                let statement: Vec<_> =
                    sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
                let statement = statement.join("\n");
                // A step of the statement itself may have the name.
                let is_step = statement.contains(&format!("{other} AS ("));
                let used = !is_step
                    && ["FROM", "JOIN"]
                        .iter()
                        .any(|word| statement.contains(&format!("{word} {other}\n")));
                assert!(
                    !used || wanted.contains(&other),
                    "{name} does not say that it uses {other}"
                );
            }
        }
        assert!(names().count() >= 6);
        for (name, sql) in files() {
            assert!(header(sql, "question").is_some_and(|text| text.ends_with('?')), "{name}");
        }
        assert!(mentions("select * from Builds;", "builds") && !mentions("rebuilds", "builds"));
    }
}
