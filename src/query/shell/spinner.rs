//! A sign of life while a person waits for a statement.

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt as _;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Nobody wonders before.
const SHOW_AFTER: Duration = Duration::from_millis(500);

/// A spinner on standard error that comes after a while and goes before anything is shown.
pub(crate) struct Spinner {
    bar: ProgressBar,
    task: Option<JoinHandle<()>>,
    rows: Arc<AtomicU64>,
}

impl Spinner {
    /// Begins to wait; without a person nothing is shown.
    pub(crate) fn new(is_interactive: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let rows = Arc::new(AtomicU64::new(0));
        let task = is_interactive.then(|| tokio::spawn(spin(bar.clone(), Arc::clone(&rows))));
        Self { bar, task, rows }
    }

    /// The stream, its rows counted.
    pub(crate) fn counting(&self, stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let rows = Arc::clone(&self.rows);
        let schema = stream.schema();
        let counted = stream.inspect(move |batch| {
            let more = batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
            rows.fetch_add(more, Ordering::Relaxed);
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, counted))
    }

    /// A writer that ends the wait before it first writes.
    pub(crate) fn before<W: Write>(&self, out: W) -> Before<'_, W> {
        Before { waiting: self, out }
    }

    fn end(&self) {
        if let Some(task) = &self.task
            && !task.is_finished()
        {
            task.abort();
            self.bar.finish_and_clear();
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.end();
    }
}

async fn spin(bar: ProgressBar, rows: Arc<AtomicU64>) {
    tokio::time::sleep(SHOW_AFTER).await;
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}, {msg} (Ctrl-C cancels)") {
        bar.set_style(style);
    }
    loop {
        bar.set_message(format!("{} rows", HumanCount(rows.load(Ordering::Relaxed))));
        bar.tick();
        tokio::time::sleep(SHOW_AFTER / 5).await;
    }
}

/// See [`Spinner::before`].
pub(crate) struct Before<'w, W> {
    waiting: &'w Spinner,
    out: W,
}

impl<W> Before<'_, W> {
    pub(crate) fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Write for Before<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.end();
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
