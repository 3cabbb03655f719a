//! The ledger and the quarantine against each other, and against the rows.

use crate::dataset::{Dataset, Input, InputState, Reject, gives_way};
use crate::error::Result;
use crate::verify::Verification;
use crate::verify::parts::SeenRows;
use std::collections::BTreeMap;

/// What the ledger says of one log file.
#[derive(Debug, Default)]
struct FileInputs {
    written: u64,
    /// The readings of it whose rejects are still to be in the quarantine.
    readings: Vec<Input>,
    quarantined: u64,
    broken_quarantined: u64,
}

impl FileInputs {
    /// What the quarantine should have: records, and times that it was broken.
    fn rejected(&self) -> (u64, u64) {
        let broken = self.readings.iter().filter(|input| input.state != InputState::Read).count();
        (self.readings.iter().map(|input| input.records.rejected).sum(), broken as u64)
    }
}

/// Adds the ledger up.
pub(super) fn check(dataset: &Dataset, seen: &SeenRows, found: &mut Verification) -> Result<()> {
    let (files, written) = read(dataset, found)?;
    check_rows(dataset, written, found);
    let head = dataset.head();
    // Compaction may have dropped the copy of either file, and adopted rows have no entry.
    let by_file = head.dropped == 0 && head.adopted == 0;
    for (name, file) in &files {
        let rows = seen.rows_of(name);
        if by_file && rows != file.written {
            let says = format!("{name}: {rows} rows are from it, the ledger says {}", file.written);
            found.problems.push(says);
        }
        let (records, broken) = file.rejected();
        if file.quarantined != records || file.broken_quarantined != broken {
            found.problems.push(format!(
                "{name}: the quarantine has {} of its records, the ledger says {records} were rejected",
                file.quarantined
            ));
        }
    }
    Ok(())
}

/// The ledger and the quarantine by log file, and the rows that the ledger says were written.
fn read(
    dataset: &Dataset,
    found: &mut Verification,
) -> Result<(BTreeMap<String, FileInputs>, u64)> {
    let mut files: BTreeMap<String, FileInputs> = BTreeMap::new();
    let mut written = 0;
    dataset.inputs(&mut |input: Input| {
        found.inputs += 1;
        let records = &input.records;
        written += records.written;
        if !records.add_up() {
            found.problems.push(format!(
                "ledger: {}: read {} is not written {} + filtered {} + duplicate {} + rejected {}",
                input.uri,
                records.read,
                records.written,
                records.filtered,
                records.duplicate,
                records.rejected
            ));
        }
        let file = files.entry(input.uri.clone()).or_default();
        file.written += records.written;
        let unreadable = |earlier: &Input| earlier.state == InputState::Unreadable;
        file.readings.retain(|earlier| !gives_way(unreadable(earlier), &earlier.scope, &input));
        if input.state == InputState::Broken || unreadable(&input) || records.rejected > 0 {
            file.readings.push(input);
        }
    })?;
    dataset.rejects(&mut |reject: Reject| {
        found.rejected += 1;
        let file = files.entry(reject.file).or_default();
        match reject.record {
            Some(_) => file.quarantined += 1,
            None => file.broken_quarantined += 1,
        }
    })?;
    Ok((files, written))
}

/// Whether part files, commit and ledger have as many rows.
fn check_rows(dataset: &Dataset, written: u64, found: &mut Verification) {
    let head = dataset.head();
    let committed: u64 = dataset.parts().iter().map(|part| part.rows).sum();
    let expected = i128::from(head.adopted) + i128::from(written) - i128::from(head.dropped);
    for (what, rows) in [
        ("the part files have", i128::from(found.rows)),
        ("the commit's part files have", i128::from(committed)),
        ("the ledger and compaction give", expected),
    ] {
        if rows != i128::from(head.rows) {
            let says = format!("{what} {rows} rows, the newest commit says {}", head.rows);
            found.problems.push(says);
        }
    }
}
