//! A pager for what is longer than the screen.
//!
//! What fits is written to standard output as it is; when it does not, the user's pager is started
//! (`PAGER`, else `less`) and has it all. Leaving the pager ends the result, and is no failure.

use memchr::memchr_iter;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

/// Standard output, or a pager once there is more than a screen.
pub(crate) struct Paged<'o> {
    out: &'o mut (dyn Write + Send),
    /// The lines of the screen; `None` starts no pager.
    screen: Option<usize>,
    held: Vec<u8>,
    lines: usize,
    pager: Option<Child>,
    left: bool,
}

impl<'o> Paged<'o> {
    pub(crate) fn new(out: &'o mut (dyn Write + Send), screen: Option<usize>) -> Self {
        Self { out, screen, held: Vec::new(), lines: 0, pager: None, left: false }
    }

    /// Whether the user left the pager before it had all.
    pub(crate) fn was_left(&self) -> bool {
        self.left
    }

    /// Writes what is held, or waits until the user leaves the pager.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(&std::mem::take(&mut self.held))?;
        self.out.flush()
    }

    /// Starts the pager; without one everything goes to standard output.
    fn start(&mut self) -> io::Result<()> {
        self.screen = None;
        let named = std::env::var("PAGER").ok();
        if named.as_deref().is_none_or(|pager| !pager.trim().is_empty()) {
            // Where there is no `less`, starting it fails, and all is shown without.
            let mut command = Command::new(if named.is_some() { "sh" } else { "less" });
            if let Some(pager) = &named {
                command.args(["-c", pager]);
            }
            command.stdin(Stdio::piped());
            if std::env::var_os("LESS").is_none() {
                // Ends at once where all fits, cuts long lines, leaves the screen as it was.
                command.env("LESS", "FSRX");
            }
            self.pager = command.spawn().ok();
        }
        let held = std::mem::take(&mut self.held);
        self.write_all(&held)
    }
}

impl Write for Paged<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(stdin) = self.pager.as_mut().and_then(|pager| pager.stdin.as_mut()) {
            let written = stdin.write(bytes);
            self.left |= written.is_err();
            return written;
        }
        let Some(screen) = self.screen else { return self.out.write(bytes) };
        self.lines += memchr_iter(b'\n', bytes).count();
        self.held.extend_from_slice(bytes);
        // The prompt has a line, too.
        if self.lines >= screen {
            self.start()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Paged<'_> {
    fn drop(&mut self) {
        if let Some(mut pager) = self.pager.take() {
            drop(pager.stdin.take());
            // Whatever it ends with, the user has left it.
            let _ = pager.wait();
        }
    }
}
