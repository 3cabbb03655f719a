//! Whether a dataset is what its commits say: everything added up again, from the Parquet and the
//! ledger.
//!
//! Every part file is hashed and read: its size, checksum, columns, rows, order, and that each row
//! lies in its own partition and each event is there once. The ledger is added up, and compared with the
//! rows by log file. What does not fit is named. It refuses to repair: what a damaged dataset needs is a
//! decision.

mod ledger;
mod parts;

use crate::dataset::{Dataset, PartFile};
use crate::error::{Chain, Result};
use parts::SeenRows;
use serde::Serialize;
use std::collections::HashSet;

/// What was checked, and what does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verification {
    /// Part files of the newest commit.
    pub parts: u64,
    /// Rows in them.
    pub rows: u64,
    /// Different event ids.
    pub event_ids: u64,
    /// Rows without an event id.
    pub without_id: u64,
    /// Entries of the ledger.
    pub inputs: u64,
    /// Records and files in the quarantine.
    pub rejected: u64,
    /// What does not fit, each in a sentence.
    pub problems: Vec<String>,
}

/// Checks a dataset.
///
/// Fails only where nothing can be checked; all that is found is in [`Verification::problems`].
pub fn verify(dataset: &Dataset) -> Result<Verification> {
    let mut found = Verification::default();
    let mut seen = SeenRows::default();
    for part in dataset.parts() {
        found.parts += 1;
        let mut problems = Vec::new();
        match parts::check(dataset, part, &mut seen, &mut problems) {
            Ok(rows) => found.rows += rows,
            Err(error) => problems.push(Chain(&error).to_string()),
        }
        let named = problems.iter().map(|problem| format!("{}: {problem}", part.path));
        found.problems.extend(named);
    }
    found.problems.extend(strangers(dataset)?);
    found.problems.extend(dataset.delta_problems()?);
    found.problems.extend(dataset.changed_segments());
    found.event_ids = seen.ids();
    found.without_id = seen.without_id;
    ledger::check(dataset, &seen, &mut found)?;
    seen.copies(dataset, &mut found.problems)?;
    Ok(found)
}

/// Part files on the disk that no commit knows: plain readers would count them.
fn strangers(dataset: &Dataset) -> Result<Vec<String>> {
    let on_disk = dataset.root().part_files()?;
    // A run may have placed some since this dataset was opened.
    let newest = Dataset::open(dataset.location())?;
    let known = dataset.parts().iter().chain(newest.parts()).map(|part| &*part.path);
    let known: HashSet<&str> = known.collect();
    let replaced: HashSet<&str> = newest.head().remove.iter().map(String::as_str).collect();
    let strange = on_disk.iter().filter(|part| !known.contains(&*part.path));
    let says = |part: &PartFile| {
        let path = &part.path;
        if replaced.contains(&**path) {
            format!("{path}: was replaced by the newest commit; the next run removes it")
        } else {
            format!(
                "{path}: is in the dataset, but in no commit: readers other than this tool see it"
            )
        }
    };
    Ok(strange.map(says).collect())
}
