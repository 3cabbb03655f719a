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
pub(crate) struct Ahead<'p> {
    inflater: Inflater<'p>,
    piece: io::Cursor<Vec<u8>>,
    end: Result<(), String>,
}

/// Who inflates. Both do it by the same pieces: what a damaged member loses depends on them.
enum Inflater<'p> {
    /// A thread of its own; it takes pieces that were read, whose memory is used again.
    Thread(Receiver<Step>, Sender<Vec<u8>>),
    /// Whoever reads; the step after the piece, where that was the last.
    Reader(Box<Gunzip<'p>>, Option<Step>),
    /// Nobody any more.
    Nobody,
}

impl<'p> Ahead<'p> {
    /// Begins to inflate. The thread ends with the bytes, or when nobody reads them any more.
    pub(crate) fn of<'s: 'p>(scope: &'s Scope<'s, '_>, mut packed: Gunzip<'s>) -> Self {
        let (to, steps) = sync_channel(WAITING);
        let (read, vacant) = channel();
        scope.spawn(move || inflate(&mut packed, &vacant, &to));
        Self::by(Inflater::Thread(steps, read))
    }

    /// The same without a thread.
    pub(crate) fn alone(packed: Gunzip<'p>) -> Self {
        Self::by(Inflater::Reader(Box::new(packed), None))
    }

    fn by(inflater: Inflater<'p>) -> Self {
        Self { inflater, piece: io::Cursor::default(), end: Ok(()) }
    }

    /// See [`Gunzip::end`].
    pub(crate) fn end(&self) -> Result<(), String> {
        self.end.clone()
    }

    /// The next step, unless all were taken; `read` is a piece that was read.
    fn step(&mut self, mut read: Vec<u8>) -> Option<Step> {
        match &mut self.inflater {
            Inflater::Thread(steps, vacant) => {
                // Nobody takes it when all is inflated.
                drop(vacant.send(read));
                steps.recv().ok()
            }
            Inflater::Reader(packed, last) => {
                if last.is_none() {
                    *last = fill(packed, &mut read);
                    if !read.is_empty() {
                        return Some(Step::Piece(read));
                    }
                }
                let last = last.take();
                self.inflater = Inflater::Nobody;
                last
            }
            Inflater::Nobody => None,
        }
    }
}

fn inflate(packed: &mut Gunzip<'_>, vacant: &Receiver<Vec<u8>>, to: &SyncSender<Step>) {
    loop {
        let mut piece = vacant.try_recv().unwrap_or_default();
        let ended = fill(packed, &mut piece);
        // What came before a failure is good.
        if !piece.is_empty() && to.send(Step::Piece(piece)).is_err() {
            return;
        }
        if let Some(last) = ended {
            // Nobody may want to know any more.
            drop(to.send(last));
            return;
        }
    }
}

/// Inflates a piece, or what is left; how it ended if it did.
fn fill(packed: &mut Gunzip<'_>, piece: &mut Vec<u8>) -> Option<Step> {
    piece.resize(PIECE, 0);
    let (length, ended) = fill_slice(packed, piece);
    piece.truncate(length);
    ended
}

/// Reads until a slice is full; how much that is, and how it ended if it did.
fn fill_slice(packed: &mut Gunzip<'_>, piece: &mut [u8]) -> (usize, Option<Step>) {
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

impl Read for Ahead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let read = std::mem::take(&mut self.piece).into_inner();
            match self.step(read) {
                Some(Step::Piece(piece)) => self.piece = io::Cursor::new(piece),
                Some(Step::Failed(error)) => return Err(error),
                Some(Step::Ended(end)) => self.end = end,
                // It ended, or failed, before.
                None => return Ok(0),
            }
        }
    }
}
