//! A large log file piece by piece: its records are read as they are inflated, and then forgotten.
//!
//! What CloudTrail itself writes has a few MB and is held whole. A file of hundreds of MB would take its
//! size in memory, so of gzip that begins as a log file does, `{"Records":[`, only a window is held: the
//! objects that are whole in it, each with the comma after it, are given away. All else is left to
//! [`envelope`], which reads what remains as the log file that it would be had it
//! begun there: it judges the same as if it had read all. This module refuses to judge.

use crate::json::{skip_space, skip_value};
use crate::log_file::budget::InflateBudget;
use crate::log_file::envelope::forms;
use crate::log_file::envelope::piece::{Piece, Sink};
use crate::log_file::envelope::{self, Position};
use crate::log_file::gzip::Gunzip;
use crate::log_file::read_ahead::Ahead;
use crate::log_file::scan::{Sight, first_record, glance};
use std::thread;

/// Bytes that are inflated at a time.
pub(crate) const CHUNK: u64 = 1 << 20;
/// Bytes from which a window without a whole record grows no further by chunks: no row is that large.
const MAX_WINDOW_BYTES: usize = 80 << 20;
/// How a log file begins, and what stands in its place where it was read already.
const BEGINNING: &[u8] = b"{\"Records\":[";

/// Gives `each` the pieces of a log file that begins as one, inflating `chunk` bytes at a time, on a thread
/// of its own unless it is to be `single_threaded`; why inflating ended before the file's end.
pub(crate) fn split(
    packed: &[u8],
    room: &InflateBudget,
    chunk: u64,
    single_threaded: bool,
    each: Sink<'_>,
) -> Option<String> {
    let packed = Gunzip::new(packed);
    if single_threaded {
        return split_ahead(Ahead::on_caller(packed), room, chunk, each);
    }
    thread::scope(|scope| split_ahead(Ahead::on_thread(scope, packed), room, chunk, each))
}

fn split_ahead(
    source: Ahead<'_>,
    room: &InflateBudget,
    chunk: u64,
    each: Sink<'_>,
) -> Option<String> {
    let mut window = Window { source, room, bytes: Vec::new(), total: 0 };
    let mut ends = window.grow(chunk);
    let Some(mut at) = first_record(&window.bytes) else {
        let ends = window.fill(ends);
        envelope::split(&window.bytes, room, each);
        return ends.err();
    };
    loop {
        while let Some(next) = give_one(&window.bytes, at, room, each) {
            at = next;
        }
        window.bytes.drain(..at);
        at = 0;
        if !matches!(ends, Ok(true)) || window.bytes.len() > MAX_WINDOW_BYTES {
            break;
        }
        // More where a long record is not whole yet: each time it is looked at from its beginning.
        ends = window.grow(chunk.max(window.bytes.len() as u64 / 4));
    }
    let ends = window.fill(ends);
    let skipped = window.total - window.bytes.len() as u64;
    let rest = [BEGINNING, &window.bytes].concat();
    drop(window);
    envelope::split_from(&rest, skipped.saturating_sub(BEGINNING.len() as u64), room, each);
    ends.err()
}

/// Gives away the object that begins at `at`, if it and the comma after it are whole; where what follows
/// it begins.
fn give_one(bytes: &[u8], at: usize, room: &InflateBudget, each: Sink<'_>) -> Option<usize> {
    (bytes.get(at)? == &b'{').then_some(())?;
    let looked_at = glance(bytes, at);
    let end = looked_at.map(|(end, _)| end).or_else(|| skip_value(bytes, at))?;
    let comma = skip_space(bytes, end);
    (bytes.get(comma)? == &b',').then_some(())?;
    let next = skip_space(bytes, comma + 1);
    bytes.get(next)?;
    let object = bytes.get(at..end)?;
    match looked_at {
        Some((_, Sight::Other)) => each(Piece::Other(object)),
        Some((_, Sight::Doubt)) => forms::listed(object, Position::new(room), each),
        Some((_, Sight::Read)) | None => each(Piece::Record(object)),
    }
    Some(next)
}

/// The part of a file that is held.
struct Window<'r> {
    source: Ahead<'r>,
    room: &'r InflateBudget,
    bytes: Vec<u8>,
    /// Bytes that were inflated so far.
    total: u64,
}

/// Whether there is more, or why there is not.
type Ends = Result<bool, String>;

impl Window<'_> {
    /// Inflates some more.
    fn grow(&mut self, chunk: u64) -> Ends {
        let before = self.bytes.len();
        let filled =
            self.room.fill_some(self.total, &mut self.bytes, &mut self.source, chunk, "gzip");
        let grown = (self.bytes.len() - before) as u64;
        self.total += grown;
        filled?;
        if grown > 0 { Ok(true) } else { self.source.end().map(|()| false) }
    }

    /// Inflates all that is left.
    fn fill(&mut self, mut ends: Ends) -> Ends {
        while matches!(ends, Ok(true)) {
            ends = self.grow(CHUNK);
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_file::budget::Limits;
    use crate::log_file::gzip::gzip;
    use proptest::prelude::*;
    use std::io::Read as _;

    /// What a piece is, and its bytes.
    fn shown(piece: Piece<'_>) -> String {
        let (kind, bytes) = match piece {
            Piece::Record(bytes) => ("record".to_owned(), bytes),
            Piece::Other(bytes) => ("other".to_owned(), bytes),
            Piece::Bad(bytes, reason) => (format!("bad, {reason}"), bytes),
            Piece::Cut(bytes) => ("cut".to_owned(), bytes),
            Piece::Broken(bytes, reason) => (format!("broken, {reason}"), bytes),
            Piece::Foreign => ("foreign".to_owned(), &b""[..]),
            Piece::Digest => ("digest".to_owned(), &b""[..]),
            Piece::Test => ("test".to_owned(), &b""[..]),
        };
        format!("{kind}: {}", String::from_utf8_lossy(bytes))
    }

    /// The pieces of gzip read by chunks, and of the same read whole.
    fn both(
        packed: &[u8],
        chunk: u64,
        single_threaded: bool,
    ) -> [(Vec<String>, Option<String>); 2] {
        let room = || InflateBudget::new(Limits::default(), packed.len());
        let (mut pieces, mut whole) = (Vec::new(), Vec::new());
        let ends =
            split(packed, &room(), chunk, single_threaded, &mut |piece| pieces.push(shown(piece)));
        let mut source = Gunzip::new(packed);
        let mut bytes = Vec::new();
        let read = room().fill(&mut bytes, source.by_ref(), "gzip");
        envelope::split(&bytes, &room(), &mut |piece| whole.push(shown(piece)));
        [(pieces, ends), (whole, read.and_then(|()| source.end()).err())]
    }

    #[test]
    fn only_a_window_is_held() {
        let record =
            format!("{{\"eventSource\":\"s3.amazonaws.com\",\"x\":\"{}\"}},", "a".repeat(900));
        let packed = gzip(format!("{{\"Records\":[{}{{}}]}}", record.repeat(1000)));
        let room = InflateBudget::new(Limits::default(), packed.len());
        thread::scope(|scope| {
            let source = Ahead::on_thread(scope, Gunzip::new(&packed));
            let mut window = Window { source, room: &room, bytes: Vec::new(), total: 0 };
            let mut widest = 0;
            while window.grow(10_000).unwrap() {
                let mut at = first_record(&window.bytes).unwrap_or_default();
                while let Some(next) = give_one(&window.bytes, at, &room, &mut |_| {}) {
                    at = next;
                }
                widest = widest.max(window.bytes.len());
                window.bytes.drain(..at);
            }
            assert_eq!(window.bytes, b"{}]}");
            assert!(widest < 12_000, "{widest}");
        });
    }

    /// What a damaged member gives does not depend on who inflates it.
    #[test]
    fn damage_costs_the_same_whoever_inflates() {
        let record = |n: u64| format!("{{\"n\":\"{:x}\"}},", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let packed =
            gzip(format!("{{\"Records\":[{}{{}}]}}", (0..60_000).map(record).collect::<String>()));
        for at in [packed.len() / 3, packed.len() / 2, packed.len() * 2 / 3] {
            let mut damaged = packed.clone();
            damaged[at..at + 64].fill(0xff);
            let [pieces, _] = both(&damaged, CHUNK, true);
            assert!(pieces.0.len() > 10_000 && pieces.1.is_some(), "{}", pieces.0.len());
            assert!(pieces == both(&damaged, CHUNK, false)[0]);
        }
    }

    proptest! {
        /// Whatever the file and wherever the chunks end: the same pieces, and the same said of them.
        #[test]
        fn chunks_change_nothing(
            elements in proptest::collection::vec(
                proptest::sample::select(vec![
                    "{\"eventSource\":\"s3.amazonaws.com\",\"a\":[1,{\"b\":\"]},{\"}]}",
                    "{\"eventSource\":\"codebuild.amazonaws.com\",\"n\":7}", "{}", "7", "\"x\"", "null",
                    "{\"a\":\"\\\\\"}", "{\"a\":b}", "{\"a\":\"é\\\"\"}", "[1]", "", "{\"a\" 1}", "}",
                ]), 0..12),
            separator in proptest::sample::select(vec![",", " , ", ",\n", ",,", " "]),
            begin in proptest::sample::select(vec![
                "{\"Records\":[", "\u{feff}{ \"Records\" : [ ", "[", "{\"v\":1,\"Records\":[",
            ]),
            end in proptest::sample::select(vec![
                "]}", " ] } \n", "]", "", "],\"x\":[1]}", "]}{\"Records\":[{}]}", "]} x", ",]}", "]}\n{",
            ]),
            chunk in 1_u64..80,
            single_threaded in any::<bool>(),
            cut in proptest::option::of(any::<proptest::sample::Index>()),
            has_two_members in any::<bool>(),
            tail in proptest::sample::select(vec![&b""[..], b"\0\0", b"x"]),
        ) {
            let text = format!("{begin}{}{end}", elements.join(separator)).into_bytes();
            let mut packed = if has_two_members {
                let (a, b) = text.split_at(text.len() / 2);
                [gzip(a), gzip(b)].concat()
            } else {
                gzip(&text)
            };
            packed.extend(tail);
            if let Some(cut) = cut {
                packed.truncate(cut.index(packed.len()));
            }
            let [pieces, whole] = both(&packed, chunk, single_threaded);
            prop_assert_eq!(pieces, whole);
        }
    }
}
