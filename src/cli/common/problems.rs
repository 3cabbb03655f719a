//! Names rejected files and records on standard error, as far as anybody reads on.

use crate::convert::Problem;
use crate::printable::say;
use std::collections::BTreeMap;
use std::path::Path;

/// Problems that are named; the others are counted by kind.
const NAMED: usize = 20;

/// Says what was rejected; `dataset` keeps all of it.
pub(in crate::cli) fn tell(problems: &[Problem], dataset: Option<&Path>) {
    for line in lines(problems) {
        say(&line);
    }
    if let Some(dataset) = dataset.filter(|_| problems.len() > NAMED) {
        say(&format!("hint: `buildtrail rejects {}` lists them all", dataset.display()));
    }
}

/// The first by name, the others counted by kind, the most frequent first.
fn lines(problems: &[Problem]) -> Vec<String> {
    let (named, others) = problems.split_at(problems.len().min(NAMED));
    let mut lines: Vec<_> = named.iter().map(|problem| format!("rejected: {problem}")).collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for problem in others {
        *kinds.entry(kind(&problem.reason)).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    lines.extend(kinds.iter().map(|(kind, count)| format!("rejected: {count} more: {kind}")));
    lines
}

/// A reason without what is the one file's or record's own.
fn kind(reason: &str) -> &str {
    reason.split([':', ';']).next().unwrap_or(reason).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_problems_are_counted_by_kind() {
        let problem = |number: usize| Problem {
            file: format!("{number}.json"),
            record: None,
            reason: match number {
                0..30 => format!("not JSON: at byte {number}"),
                _ => "the file breaks off".to_owned(),
            },
        };
        let problems: Vec<_> = (0..50).map(problem).collect();
        assert_eq!(lines(&problems[..20]).len(), 20);
        let lines = lines(&problems);
        assert_eq!(lines.len(), 22);
        assert_eq!(lines[0], "rejected: 0.json: not JSON: at byte 0");
        assert_eq!(lines[20], "rejected: 20 more: the file breaks off");
        assert_eq!(lines[21], "rejected: 10 more: not JSON");
    }
}
