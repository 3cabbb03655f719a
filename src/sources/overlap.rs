//! The place of a dataset beside the places of its sources: neither may be in the other.
//!
//! A dataset among log files would be walked by every later run, and whoever tidies up the one loses the
//! other. Places are compared level by level, on disk as the system resolves them.

use crate::error::{DatasetProblem, Error, Result};
use crate::sources::discover::{STANDARD_INPUT, literal_root, matcher};
use crate::store;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Fails if a dataset at `out` would be in one of the sources, or one of them in it.
pub(crate) fn refuse_overlap(sources: &[String], out: &Path) -> Result<()> {
    let place = levels(out);
    for source in sources {
        let path = Path::new(source);
        let (holds, inside) = if source == STANDARD_INPUT {
            (false, false)
        } else if store::is_s3(source) || path.is_dir() {
            let source = levels(path);
            (place.starts_with(&source), source.starts_with(&place))
        } else if path.symlink_metadata().is_ok() {
            (false, levels(path).starts_with(&place))
        } else {
            let root = literal_root(source);
            let above = levels(&root);
            (matches_a_level(source, &root, &above, &place), above.starts_with(&place))
        };
        let problem = if holds {
            DatasetProblem::InSource(source.clone())
        } else if inside && !is_plain_name(source) {
            DatasetProblem::HoldsSource(source.clone())
        } else {
            continue;
        };
        return Err(Error::dataset(out.display(), problem));
    }
    Ok(())
}

/// Whether a source that is not there is no pattern either: to list it says so.
fn is_plain_name(source: &str) -> bool {
    !store::is_s3(source)
        && Path::new(source).symlink_metadata().is_err()
        && !source.contains(['*', '?', '[', '{'])
}

/// Whether a pattern matches `place`, or a folder between the pattern's own and it: then all below is
/// taken.
fn matches_a_level(pattern: &str, root: &Path, above: &[OsString], place: &[OsString]) -> bool {
    let Some(below) = place.strip_prefix(above) else { return false };
    let Ok(glob) = matcher(pattern) else { return false };
    let mut path = root.to_owned();
    below.iter().any(|level| {
        path.push(level);
        glob.is_match(path.strip_prefix("./").unwrap_or(&path))
    })
}

/// The levels of a place, from its disk or bucket on.
fn levels(place: &Path) -> Vec<OsString> {
    if let Some((bucket, key)) = store::split_url(&place.to_string_lossy()) {
        let levels = key.split('/').filter(|level| !level.is_empty());
        return ["s3:", bucket].into_iter().chain(levels).map(OsString::from).collect();
    }
    resolved(place).components().map(|level| level.as_os_str().to_owned()).collect()
}

/// A path without links and `..`, as far as it is there; what is not there yet follows as it was given.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    let mut there = absolute.as_path();
    loop {
        if let Ok(mut known) = there.canonicalize() {
            known.extend(missing.iter().rev());
            return known;
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                there = parent;
            }
            _ => return absolute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_place_is_neither_in_a_source_nor_above_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("logs/deep")).unwrap();
        fs::create_dir_all(root.join("other")).unwrap();
        fs::write(root.join("logs/a.json"), "{}").unwrap();
        std::os::unix::fs::symlink(root.join("logs"), root.join("link")).unwrap();
        let at = |path: &str| root.join(path);
        let said = |source: &str, out: &str| {
            let source = if source.starts_with("s3:") || source == "-" {
                source.to_owned()
            } else {
                at(source).display().to_string()
            };
            let out = if out.starts_with("s3:") { PathBuf::from(out) } else { at(out) };
            refuse_overlap(&[source], &out).err().map(|error| error.to_string())
        };
        for (source, out) in [
            ("logs", "logs/dk"),
            ("logs", "logs"),
            ("logs", "link/deep/dk"),
            ("link", "logs/dk/new"),
            ("logs", "other/../logs/dk"),
            ("logs/*", "logs/dk"),
            ("logs/**", "logs/a/b/dk"),
            ("s3://b/logs", "s3://b/logs/dk"),
            ("s3://b", "s3://b/lake"),
        ] {
            let said = said(source, out).unwrap_or_default();
            assert!(said.contains("is in the source"), "{source} {out}: {said}");
        }
        for (source, out) in [
            ("logs/deep", "logs"),
            ("logs/a.json", "logs"),
            ("logs/deep", "."),
            ("logs/*.json", "logs"),
            ("s3://b/lake/logs/", "s3://b/lake"),
        ] {
            let said = said(source, out).unwrap_or_default();
            assert!(said.contains("holds the source"), "{source} {out}: {said}");
        }
        for (source, out) in [
            ("logs", "logs-dk"),
            ("logs", "other/dk"),
            ("logs/*.json", "logs/dk"),
            ("logs/a.json", "logs/dk"),
            ("no-such", "other"),
            ("-", "."),
            ("s3://b/logs", "s3://b/logs-dk"),
            ("s3://b/logs", "s3://c/logs/dk"),
            ("logs", "s3://b/logs"),
        ] {
            assert_eq!(said(source, out), None, "{source} {out}");
        }
    }
}
