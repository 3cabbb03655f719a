//! How far a command is, on standard error.

use crate::convert::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on standard error, shown on a terminal only.
pub(in crate::cli) struct Bar(ProgressBar);

impl Bar {
    pub(in crate::cli) fn new() -> Self {
        Self(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()))
    }

    /// One that is never shown.
    pub(in crate::cli) fn hidden() -> Self {
        Self(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()))
    }

    pub(in crate::cli) fn finish(self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn start(&self, log_files: usize) {
        self.0.set_length(log_files as u64);
        let style = "{bar:30} {pos}/{len} log files, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            self.0.set_style(style);
        }
    }

    fn advance(&self) {
        self.0.inc(1);
    }

    fn writing(&self) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} writing part files") {
            self.0.set_style(style);
        }
        self.0.tick();
    }
}
