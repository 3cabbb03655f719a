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
    /// Where the block begins that is looked at, and the places in it that are left, a bit for each.
    at: usize,
    left: u32,
}

impl<'a> Signs<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut signs = Self { bytes: text.as_bytes(), at: 0, left: 0 };
        signs.look();
        signs
    }

    /// Looks at the block that begins here.
    fn look(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.left = if let Some(block) = rest.first_chunk() {
            places(block)
        } else {
            // The end, with zeros after it.
            let mut last = [0; LANES + LONGEST - 1];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            places(&last)
        };
    }
}

impl Iterator for Signs<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.at += LANES;
            if self.at >= self.bytes.len() {
                return None;
            }
            self.look();
        }
        let place = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.at + place)
    }
}

/// The places among the first 16 of a block at which an anchor begins, a bit for each: `gh._` (`.` is any
/// byte), `pat_`, `pat-`, `xox`, `tbb`, `tok`, `re=`, `rd=`, `cret`, `-be`, `@`, and the escapes that could
/// hide one of them, `\u` and `\/`. Of letters and `_`, either case.
#[inline]
fn places(block: &[u8; LANES + LONGEST - 1]) -> u32 {
    let [a, b, c, d] = [0, 1, 2, 3].map(|from| {
        let lane = block.get(from..).and_then(|rest| rest.first_chunk()).copied();
        u8x16::new(lane.unwrap_or_default()) | u8x16::splat(0x20)
    });
    let is = |lane: u8x16, byte: u8| lane.simd_eq(u8x16::splat(fold(byte)));
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
