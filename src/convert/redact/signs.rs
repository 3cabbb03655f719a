//! Where in a text something may begin that is masked by its own form.
//!
//! Nearly all strings have no secret in them, and reading each for all the forms would cost more than all
//! else that is done with a record. Each form has an anchor, a few bytes that every secret of it has: the whole record is searched for them, 16 places at a time, and only the strings that one stands in
//! are read. It refuses to judge: what has an anchor is most often no secret.

use wide::u8x16;

/// The longest anchor.
const LONGEST: usize = 4;
const LANES: usize = 16;

/// Capitals as small letters, and some marks as others.
fn fold(byte: u8) -> u8 {
    byte | 0x20
}

/// The places of all anchors of a text, in order.
#[derive(Debug, Clone)]
pub(super) struct Signs<'a> {
    bytes: &'a [u8],
    /// Where the block begins that was looked at, and the one after it.
    at: usize,
    next: usize,
    /// The places that are left in it, a bit for each.
    left: u32,
}

impl<'a> Signs<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, next: 0, left: 0 }
    }

    /// Goes to the next block that has an anchor.
    fn look(&mut self) {
        let mut at = self.next;
        while let Some(block) = self.bytes.get(at..).and_then(|rest| rest.first_chunk()) {
            if may_have_places(block) {
                let left = places(block);
                if left != 0 {
                    (self.at, self.next, self.left) = (at, at + LANES, left);
                    return;
                }
            }
            at += LANES;
        }
        if let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            // The end, with zeros after it.
            let mut last = [0; LANES + LONGEST - 1];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.left = places(&last);
        }
        (self.at, self.next) = (at, at.saturating_add(LANES));
    }
}

impl Iterator for Signs<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            if self.next >= self.bytes.len() {
                return None;
            }
            self.look();
        }
        let place = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.at + place)
    }
}

type Block = [u8; LANES + LONGEST - 1];

/// 16 bytes of a block from `from` on, folded.
#[inline]
fn lane(block: &Block, from: usize) -> u8x16 {
    let lane = block.get(from..).and_then(|rest| rest.first_chunk()).copied();
    u8x16::new(lane.unwrap_or_default()) | u8x16::splat(fold(0))
}

#[inline]
fn is(lane: u8x16, byte: u8) -> u8x16 {
    lane.simd_eq(u8x16::splat(fold(byte)))
}

/// Whether a block has one of the bytes or two that each anchor has and other text seldom: half of the
/// work of [`places`], and most blocks have none.
#[inline]
fn may_have_places(block: &Block) -> bool {
    let [a, b, c, d] = [0, 1, 2, 3].map(|from| lane(block, from));
    let may = is(d, b'_')
        | (is(d, b'-') & is(c, b't'))
        | (is(a, b'x') & is(c, b'x'))
        | (is(b, b'b') & (is(c, b'b') | is(a, b'-')))
        | (is(b, b'o') & is(c, b'k'))
        | is(c, b'=')
        | (is(a, b'c') & is(d, b't'))
        | is(a, b'@')
        | is(a, b'\\');
    may.to_bitmask() != 0
}

/// The places among the first 16 of a block at which an anchor begins, a bit for each: `gh._` (`.` is any
/// byte), `pat_`, `pat-`, `xox`, `tbb`, `tok`, `re=`, `rd=`, `cret`, `-be`, `@`, and the escapes that could
/// hide one of them, `\u` and `\/`. Of letters and `_`, either case.
#[inline]
fn places(block: &Block) -> u32 {
    let [a, b, c, d] = [0, 1, 2, 3].map(|from| lane(block, from));
    let found = (is(a, b'g') & is(b, b'h') & is(d, b'_'))
        | (is(a, b'p') & is(b, b'a') & is(c, b't') & (is(d, b'_') | is(d, b'-')))
        | (is(a, b'x') & is(b, b'o') & is(c, b'x'))
        | (is(a, b't') & ((is(b, b'b') & is(c, b'b')) | (is(b, b'o') & is(c, b'k'))))
        | (is(a, b'r') & (is(b, b'e') | is(b, b'd')) & is(c, b'='))
        | (is(a, b'c') & is(b, b'r') & is(c, b'e') & is(d, b't'))
        | (is(a, b'-') & is(b, b'b') & is(c, b'e'))
        | is(a, b'@')
        | (is(a, b'\\') & (is(b, b'u') | is(b, b'/')));
    found.to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::redact::patterns;
    use proptest::prelude::*;

    const ANCHORS: &[&str] = &[
        "gh._", "pat_", "pat-", "xox", "tbb", "tok", "re=", "rd=", "cret", "-be", "@", "\\u", "\\/",
    ];

    /// The same, place by place.
    fn signs_bytewise(text: &str) -> Vec<usize> {
        let bytes = text.as_bytes();
        let is_at = |at: usize, anchor: &str| {
            let here = bytes.get(at..at + anchor.len());
            let same = |(byte, wanted): (&u8, u8)| wanted == b'.' || fold(*byte) == fold(wanted);
            here.is_some_and(|here| here.iter().zip(anchor.bytes()).all(same))
        };
        (0..bytes.len()).filter(|at| ANCHORS.iter().any(|anchor| is_at(*at, anchor))).collect()
    }

    proptest! {
        #[test]
        fn anchors_are_found_wherever_they_stand(
            parts in proptest::collection::vec(
                prop_oneof![
                    proptest::sample::select(ANCHORS).prop_map(str::to_owned),
                    r"[gGhHpPxXtTbBrRkKoOeE=@_u/é\\\x00-\x7f-]{0,20}",
                ], 0..8),
        ) {
            let text = parts.concat();
            prop_assert_eq!(Signs::of(&text).collect::<Vec<_>>(), signs_bytewise(&text));
        }

        /// What is masked has a sign.
        #[test]
        fn no_secret_is_without_a_sign(
            form in proptest::sample::select(patterns::beginnings()),
            before in "[a-z ?&:/\"'-]{0,40}",
            after in "[=: \"]{0,2}[A-Za-z0-9+/]{0,50}(@host|-----END)?",
            is_upper in any::<bool>(),
        ) {
            let form = if is_upper { form.to_ascii_uppercase() } else { form.to_owned() };
            let text = format!("{before}{form}{after}");
            prop_assert!(patterns::mask(&text).is_none() || Signs::of(&text).next().is_some(), "{}", text);
        }
    }

    #[test]
    fn every_form_has_a_sign() {
        for form in patterns::beginnings() {
            // A URL alone has no secret: its user does.
            assert_eq!(Signs::of(form).next().is_none(), form == "://", "{form}");
        }
    }
}
