//! Brackets balanced 64 bytes at a time.
//!
//! Of each block the bits of quotes, backslashes and brackets are taken at once; what is within a
//! string is found from the quotes' parity. The way of simdjson (Langdale and Lemire, "Parsing
//! Gigabytes of JSON per Second", 2019). A backslash outside of strings, which no JSON has, would be
//! read in another way than byte by byte: there it refuses.

use super::simd::Lanes;
use memchr::memchr2;

/// A backslash stands outside of strings: this is no JSON, and must be read byte by byte.
pub(super) struct Stray;

const BLOCK: usize = 64;

/// The bits of a block's bytes that are `byte`, after `fold` is set in each.
#[inline(always)]
fn bits<L: Lanes>(lanes: L, block: &[u8; BLOCK], fold: u8, byte: u8) -> u64 {
    let mut bits = 0;
    for (number, part) in block.chunks_exact(L::WIDTH).enumerate() {
        let equal = lanes.first(part).map_or(0, |lane| lanes.folded(lane, fold, byte));
        bits |= u64::from(equal) << (L::WIDTH * number);
    }
    bits
}

/// The bytes that an odd number of backslashes stands before.
#[inline(always)]
fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    if backslashes == 0 {
        return std::mem::take(carry);
    }
    // Runs that begin on an odd bit, added to, end on an odd bit where they are even.
    let potential = backslashes & !*carry;
    let maybe = potential << 1;
    let codes = (maybe | ODD).wrapping_sub(potential) ^ ODD;
    let escaped = codes ^ (backslashes | *carry);
    *carry = (codes & backslashes) >> 63;
    escaped
}

/// For each bit, whether an odd number of bits is set up to it.
#[inline(always)]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Lanes that are looked through here; what is longer is for who is faster on long ones.
const SHORT: usize = 4;

/// The next quote or backslash at or after `at`. Most strings are short, and a call costs as much as
/// they do.
#[inline(always)]
pub(super) fn find_in_string<L: Lanes>(lanes: L, bytes: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..SHORT {
        let Some(lane) = lanes.first(bytes.get(at..)?) else { break };
        let stops = lanes.either(lane, b'"', b'\\');
        if stops != 0 {
            return Some(at + stops.trailing_zeros() as usize);
        }
        at += L::WIDTH;
    }
    memchr2(b'"', b'\\', bytes.get(at..)?).map(|found| at + found)
}

/// The end of the object or list that begins at `at`, if it ends; with a `depth` of 1 of the one that `at`
/// is in, outside of strings.
#[inline(always)]
pub(super) fn skip_brackets(
    lanes: impl Lanes,
    bytes: &[u8],
    at: usize,
    depth: u64,
) -> Result<Option<usize>, Stray> {
    let rest = bytes.get(at..).unwrap_or_default();
    let (blocks, tail) = rest.as_chunks::<BLOCK>();
    // The end, with zeros after it: made when it is come to, which is seldom.
    let last = std::iter::once_with(|| {
        let mut last = [0; BLOCK];
        last.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
        last
    });
    let (mut depth, mut in_string, mut carry) = (depth, 0_u64, 0_u64);
    for (number, block) in blocks.iter().copied().chain(last).enumerate() {
        let block = &block;
        let backslashes = bits(lanes, block, 0, b'\\');
        let quotes = bits(lanes, block, 0, b'"') & !escaped(backslashes, &mut carry);
        let within = parity(quotes) ^ in_string;
        if backslashes & !within != 0 {
            return Err(Stray);
        }
        in_string = if within >> 63 == 1 { u64::MAX } else { 0 };
        // The bit by which `[` and `{`, and `]` and `}`, differ.
        let opening = bits(lanes, block, 0x20, b'{') & !within;
        let mut closing = bits(lanes, block, 0x20, b'}') & !within;
        let before = depth + u64::from(opening.count_ones());
        let closed = u64::from(closing.count_ones());
        if depth > closed {
            depth = before - closed;
            continue;
        }
        let mut closed = 0;
        while closing != 0 {
            let place = closing.trailing_zeros();
            closed += 1;
            let opened = u64::from((opening & ((1 << place) - 1)).count_ones());
            if depth + opened <= closed {
                return Ok(Some(at + number * BLOCK + place as usize + 1));
            }
            closing &= closing - 1;
        }
        depth = before - closed;
    }
    Ok(None)
}
