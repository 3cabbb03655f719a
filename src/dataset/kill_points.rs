//! Named points of the commit protocol at which a test kills the process.
//!
//! A test that kills a run "about now" tests another state each time, and none on a busy machine. So a
//! test names the point: with `BUILDTRAIL_TEST_STOP_AT=placed:2` in the environment, the process says
//! `test point NAME:COUNT` on standard error at each point that it reaches, and at the second `placed`
//! it waits for its end. With an empty value it says all points and stops at none.
//!
//! | point | reached |
//! | --- | --- |
//! | `locked` | the run may write; it has changed nothing |
//! | `part-begun` | an empty file for a part file is there |
//! | `staged` | a part file is complete and staged |
//! | `file-unnamed` | a small file of the dataset is written, but has not its name yet (on disk) |
//! | `file-written` | a small file of the dataset is there |
//! | `upload-begun` | an upload is begun that no intent names yet (in a bucket) |
//! | `intended` | the intent names the uploads (in a bucket) |
//! | `sent` | a part file is uploaded, but not to be seen yet (in a bucket) |
//! | `recorded` | all that the commit names is there, but not the commit |
//! | `committed` | the commit is there, and none of its part files is in its place |
//! | `placed` | a part file is in its place |
//! | `followed` | the commit's version is in the Delta Lake log |
//! | `removed` | a part file that the commit replaces is out of its place |
//! | `sweeping` | all is in place; nothing is swept yet |
//! | `swept` | a segment is removed that no commit needs |
//! | `asked` | a worker has a task of a query and looks for the newest commit |
//!
//! Only builds with debug assertions have the points, so that `cargo test` has them without a feature to
//! name, and a release build has neither the variable nor the names.

/// Says that the process has reached a point, and waits there to be killed if a test asks for it.
#[cfg(debug_assertions)]
pub(crate) fn reached(name: &'static str) {
    use crate::printable::say;
    use std::collections::BTreeMap;
    use std::sync::{Mutex, OnceLock, PoisonError};

    static STOP_AT: OnceLock<Option<String>> = OnceLock::new();
    static COUNTS: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());

    let variable = || std::env::var("BUILDTRAIL_TEST_STOP_AT").ok();
    let Some(stop_at) = STOP_AT.get_or_init(variable) else { return };
    // Held while the process waits: no other thread passes a point meanwhile.
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let count = counts.entry(name).or_default();
    *count += 1;
    let point = format!("{name}:{count}");
    say(&format!("test point {point}"));
    if point == *stop_at {
        loop {
            std::thread::park();
        }
    }
}

#[cfg(not(debug_assertions))]
pub(crate) const fn reached(_: &'static str) {}
