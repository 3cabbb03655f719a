//! The times that digests are of: where some are missing, and which log files they should name.
//!
//! A digest that replaces a lost one later (`_backfill`) covers its time like any other. Digests that
//! were deleted at the newest end leave no trace here.

use crate::integrity::files::CheckedFile;
use crate::integrity::{Finding, FindingState, Judged};
use crate::log_file::key;
use std::collections::BTreeMap;

/// A log file is in the digest of the hour it was delivered in, or, around the hour, the next one's.
const NEXT_DIGEST: i64 = 3_600_000;

/// The times between digests of a trail that no digest is of, also where several are missing in a row.
/// Where the next digest is valid and says that it begins a chain, logging was stopped.
pub(super) fn gaps(judged: &[Judged<'_>]) -> Vec<Finding> {
    let mut trails: BTreeMap<String, Vec<(i64, i64, &Judged<'_>)>> = BTreeMap::new();
    for one in judged {
        if let Some((start, end)) = one.digest.text.period() {
            trails.entry(one.digest.text.trail()).or_default().push((start, end, one));
        }
    }
    let mut found = Vec::new();
    for trail in trails.values_mut() {
        trail.sort_by_key(|(start, end, _)| (*start, *end));
        let mut covered: Option<(i64, &str)> = None;
        for (start, end, one) in trail.iter() {
            let text = &one.digest.text;
            if let Some((until, said)) = covered
                && until < *start
            {
                let begins = text.previous().is_none() && one.state == FindingState::Valid;
                let state = if begins { FindingState::LoggingStopped } else { FindingState::Gap };
                let detail = format!("no digest from {said} to {}", text.start);
                found.push(one.digest.finding(state, detail));
            }
            if covered.is_none_or(|(until, _)| until < *end) {
                covered = Some((*end, &text.end));
            }
        }
    }
    found
}

/// Of each account and region, the times that valid digests cover without a gap.
pub(super) struct Coverage(BTreeMap<(String, String), Vec<(i64, i64)>>);

impl Coverage {
    pub(super) fn new(judged: &[Judged<'_>]) -> Self {
        let mut covered: BTreeMap<(String, String), Vec<(i64, i64)>> = BTreeMap::new();
        for one in judged.iter().filter(|one| one.state == FindingState::Valid) {
            let text = &one.digest.text;
            if let (Some(owner), Some(period)) = (key::owner(&text.object), text.period()) {
                covered.entry(owner).or_default().push(period);
            }
        }
        for periods in covered.values_mut() {
            periods.sort_unstable();
            periods.dedup_by(|next, before| {
                let joins = next.0 <= before.1;
                if joins {
                    before.1 = before.1.max(next.1);
                }
                joins
            });
        }
        Self(covered)
    }

    /// What is known of a log file that no digest names.
    pub(super) fn of_unnamed(&self, file: &CheckedFile) -> (FindingState, String) {
        let path = file.path.to_string_lossy();
        let time = key::delivery_time(&file.path.file_name().unwrap_or_default().to_string_lossy());
        let is_covered = key::owner(&path).zip(time).is_some_and(|(owner, time)| {
            let periods = self.0.get(&owner).map(Vec::as_slice).unwrap_or_default();
            periods.iter().any(|(start, end)| *start <= time && time + NEXT_DIGEST <= *end)
        });
        if is_covered {
            let why = "the digests of its account, region and time are valid, and none names it";
            (FindingState::UnexpectedObject, why.to_owned())
        } else {
            (FindingState::NotCoveredByDigest, "no digest at hand names it".to_owned())
        }
    }
}
