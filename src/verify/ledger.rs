//! The ledger and the quarantine against each other, and against the rows.

use crate::dataset::{Dataset, Input, Reject, State};
use crate::error::Result;
use crate::verify::Verification;
use crate::verify::parts::Seen;
use std::collections::BTreeMap;

/// What the ledger says of one log file.
#[derive(Debug, Default)]
struct File {
    written: u64,
    /// As the last reading has it.
    rejected: u64,
    broken: bool,
    quarantined: u64,
    broken_quarantined: bool,
}

/// Adds the ledger up.
pub(super) fn check(dataset: &Dataset, seen: &Seen, found: &mut Verification) -> Result<()> {
    let mut files: BTreeMap<String, File> = BTreeMap::new();
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
        let file = files.entry(input.uri).or_default();
        file.written += records.written;
        if input.state != State::Same {
            (file.rejected, file.broken) = (records.rejected, input.state != State::Read);
        }
    })?;
    dataset.rejects(&mut |reject: Reject| {
        found.rejected += 1;
        let file = files.entry(reject.file).or_default();
        match reject.record {
            Some(_) => file.quarantined += 1,
            None => file.broken_quarantined = true,
        }
    })?;
    let head = dataset.head();
    let committed: u64 = dataset.parts().iter().map(|part| part.rows).sum();
    let expected = i128::from(written) - i128::from(head.dropped);
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
    // Compaction may have dropped the copy of either file, and adopted rows have no entry.
    let by_file = head.dropped == 0;
    for (name, file) in &files {
        let rows = seen.rows_of(name);
        if by_file && rows != file.written {
            let says = format!("{name}: {rows} rows are from it, the ledger says {}", file.written);
            found.problems.push(says);
        }
        if file.quarantined != file.rejected || file.broken != file.broken_quarantined {
            found.problems.push(format!(
                "{name}: the quarantine has {} of its records, the ledger says {} were rejected",
                file.quarantined, file.rejected
            ));
        }
    }
    Ok(())
}
