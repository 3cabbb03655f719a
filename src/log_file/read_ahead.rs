//! Gzip that a thread of its own inflates ahead of who reads it.
//!
//! One large log file is one stream: nobody can help to inflate it, but while it is inflated what came
//! before can be read. A few pieces are held in between, so neither is far ahead of the other. It refuses to
//! look at the bytes, and to count them: who reads has the limits.

use crate::log_file::gzip::Gunzip;
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

/// The steps of some gzip, one after another.
struct Steps<'p> {
    /// None once it ended or failed.
    packed: Option<Gunzip<'p>>,
    /// How it ended, while that was not told.
    last: Option<Step>,
}

impl<'p> Steps<'p> {
    fn new(packed: Gunzip<'p>) -> Self {
        Self { packed: Some(packed), last: None }
    }

    /// The next step; `piece` is memory for it. What came before a failure is good.
    fn next(&mut self, mut piece: Vec<u8>) -> Option<Step> {
        if let Some(packed) = &mut self.packed {
            let ended = fill(packed, &mut piece);
            if ended.is_some() {
                (self.packed, self.last) = (None, ended);
            }
            if !piece.is_empty() {
                return Some(Step::Piece(piece));
            }
        }
        self.last.take()
    }
}

/// Inflates until a piece is full; how it ended if it did.
fn fill(packed: &mut Gunzip<'_>, piece: &mut Vec<u8>) -> Option<Step> {
    piece.resize(PIECE, 0);
    let mut length = 0;
    let ended = loop {
        let rest = piece.get_mut(length..).unwrap_or_default();
        if rest.is_empty() {
            break None;
        }
        match packed.read(rest) {
            Ok(0) => break Some(Step::Ended(packed.end())),
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(Step::Failed(error)),
        }
    };
    piece.truncate(length);
    ended
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
    /// Whoever reads.
    Reader(Box<Steps<'p>>),
}

impl<'p> Ahead<'p> {
    /// Begins to inflate. The thread ends with the bytes, or when nobody reads them any more.
    pub(crate) fn on_thread<'s: 'p>(scope: &'s Scope<'s, '_>, packed: Gunzip<'s>) -> Self {
        let (to, taken) = sync_channel(WAITING);
        let (read, vacant) = channel();
        let steps = Steps::new(packed);
        scope.spawn(move || send_all(steps, &vacant, &to));
        Self::with(Inflater::Thread(taken, read))
    }

    /// The same without a thread.
    pub(crate) fn on_caller(packed: Gunzip<'p>) -> Self {
        Self::with(Inflater::Reader(Box::new(Steps::new(packed))))
    }

    fn with(inflater: Inflater<'p>) -> Self {
        Self { inflater, piece: io::Cursor::default(), end: Ok(()) }
    }

    /// See [`Gunzip::end`].
    pub(crate) fn end(&self) -> Result<(), String> {
        self.end.clone()
    }

    /// The next step, unless all were taken; `read` is a piece that was read.
    fn step(&mut self, read: Vec<u8>) -> Option<Step> {
        match &mut self.inflater {
            Inflater::Thread(steps, vacant) => {
                // Nobody takes it when all is inflated.
                drop(vacant.send(read));
                steps.recv().ok()
            }
            Inflater::Reader(steps) => steps.next(read),
        }
    }
}

/// Inflates until all is, or nobody wants to know any more.
fn send_all(mut steps: Steps<'_>, vacant: &Receiver<Vec<u8>>, to: &SyncSender<Step>) {
    while let Some(step) = steps.next(vacant.try_recv().unwrap_or_default()) {
        if to.send(step).is_err() {
            return;
        }
    }
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
