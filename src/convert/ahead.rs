//! Gzip that a thread of its own inflates ahead of who reads it.
//!
//! One large log file is one stream: nobody can help to inflate it, but while it is inflated what came
//! before can be read. A few pieces are held in between, so neither is far ahead of the other. It refuses to
//! look at the bytes, and to count them: who reads has the limits.

use crate::convert::inflate::Gunzip;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::Scope;

/// Bytes of a piece.
const PIECE: usize = 256 << 10;
/// Pieces that wait to be read.
const WAITING: usize = 8;

/// What the inflating thread has.
enum Step {
    Piece(Vec<u8>),
    Failed(io::Error),
    /// All was read; what else the file has.
    Ended(Result<(), String>),
}

/// The bytes, as they come.
pub(crate) struct Ahead {
    steps: Receiver<Step>,
    piece: io::Cursor<Vec<u8>>,
    /// Takes pieces that were read: their memory is used again.
    read: Sender<Vec<u8>>,
    end: Result<(), String>,
}

impl Ahead {
    /// Begins to inflate. The thread ends with the bytes, or when nobody reads them any more.
    pub(crate) fn of<'s>(scope: &'s Scope<'s, '_>, mut packed: Gunzip<'s>) -> Self {
        let (to, steps) = sync_channel(WAITING);
        let (read, vacant) = channel();
        scope.spawn(move || inflate(&mut packed, &vacant, &to));
        Self { steps, piece: io::Cursor::default(), read, end: Ok(()) }
    }

    /// See [`Gunzip::end`].
    pub(crate) fn end(&self) -> Result<(), String> {
        self.end.clone()
    }
}

fn inflate(packed: &mut Gunzip<'_>, vacant: &Receiver<Vec<u8>>, to: &SyncSender<Step>) {
    loop {
        let mut piece = vacant.try_recv().unwrap_or_default();
        piece.resize(PIECE, 0);
        let (length, ended) = fill(packed, &mut piece);
        piece.truncate(length);
        // What came before a failure is good.
        if length > 0 && to.send(Step::Piece(piece)).is_err() {
            return;
        }
        if let Some(last) = ended {
            // Nobody may want to know any more.
            drop(to.send(last));
            return;
        }
    }
}

/// Reads until a piece is full; how much that is, and how it ended if it did.
fn fill(packed: &mut Gunzip<'_>, piece: &mut [u8]) -> (usize, Option<Step>) {
    let mut length = 0;
    while let Some(rest) = piece.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match packed.read(rest) {
            Ok(0) => return (length, Some(Step::Ended(packed.end()))),
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (length, Some(Step::Failed(error))),
        }
    }
    (length, None)
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.steps.recv() {
                Ok(Step::Piece(piece)) => {
                    let read = std::mem::replace(&mut self.piece, io::Cursor::new(piece));
                    // Nobody takes it when all is inflated.
                    drop(self.read.send(read.into_inner()));
                }
                Ok(Step::Failed(error)) => return Err(error),
                Ok(Step::Ended(end)) => self.end = end,
                // It ended, or failed, before.
                Err(_) => return Ok(0),
            }
        }
    }
}
