//! Where in a record something may begin that is masked by its own form.
//!
//! Nearly all strings have no secret in them, and reading each for all the forms would cost more than all
//! else that is done with a record. Each form has an anchor, a few bytes that every secret of it has: the
//! whole record is searched for all of them at once, and only the strings that one stands in are read.
//! It refuses to judge: what has an anchor is most often no secret.

use aho_corasick::packed;
use std::ops::Range;
use std::sync::LazyLock;

/// What a URL has, as JSON may spell it. No other anchor begins within one of these, so none is hidden.
const URLS: &[&str] = &["://", ":\\/\\/", ":\\//", ":/\\/"];

/// What the other forms have, in small letters; and what an escape begins with that could hide one.
/// Each begins with three bytes that other text seldom has: those are what is looked for.
const OTHERS: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "b_pat_",
    "lpat-",
    "xoxb-",
    "xoxp-",
    "tbb",
    "--begin",
    "re=",
    "en=",
    "rd=",
    "t_key",
    "t_access_key",
    "n_token",
    "taccess",
    "ntoken",
    "\\u00",
];

/// None where the processor cannot: then every place has a sign.
static SEARCHER: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(URLS.iter().chain(OTHERS)));

/// An anchor in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    /// The place where it begins.
    pub(super) at: usize,
    /// Whether it is one of a URL.
    pub(super) is_url: bool,
}

/// The anchors of a text, in order.
#[derive(Debug)]
pub(super) enum Anchors<'a> {
    Found(packed::FindIter<'static, 'a>),
    Everywhere(Range<usize>),
}

impl<'a> Anchors<'a> {
    /// Of a text in small letters.
    pub(super) fn new(folded: &'a str) -> Self {
        match &*SEARCHER {
            Some(searcher) => Self::Found(searcher.find_iter(folded)),
            None => Self::Everywhere(0..folded.len()),
        }
    }
}

impl Iterator for Anchors<'_> {
    type Item = Anchor;

    fn next(&mut self) -> Option<Anchor> {
        match self {
            Self::Found(found) => found.next().map(|found| Anchor {
                at: found.start(),
                is_url: found.pattern().as_usize() < URLS.len(),
            }),
            Self::Everywhere(places) => places.next().map(|at| Anchor { at, is_url: false }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::patterns;
    use proptest::prelude::*;

    fn signs(text: &str) -> Vec<Anchor> {
        Anchors::new(&text.to_ascii_lowercase()).collect()
    }

    /// Each byte of a text as JSON may spell it.
    fn spelled(text: &str, escapes: &[bool]) -> String {
        let spell = |(byte, escaped): (char, &bool)| match (byte, escaped) {
            ('"' | '\\', _) => format!("\\{byte}"),
            ('/', true) => "\\/".to_owned(),
            (byte, true) => format!("\\u{:04x}", u32::from(byte)),
            (byte, false) => byte.to_string(),
        };
        text.chars().zip(escapes.iter().cycle()).map(spell).collect()
    }

    proptest! {
        /// What is masked has a sign of its kind, however JSON spells it.
        #[test]
        fn no_secret_is_without_a_sign(
            form in proptest::sample::select(patterns::beginnings()),
            before in "[a-z ?&:/\"'-]{0,40}",
            after in "[=: \"]{0,2}[A-Za-z0-9+/]{0,50}(@host|-----END)?",
            is_upper in any::<bool>(),
            escapes in proptest::collection::vec(proptest::bool::weighted(0.1), 1..40),
        ) {
            let form = if is_upper { form.to_ascii_uppercase() } else { form.to_owned() };
            let text = format!("{before}{form}{after}");
            let signs = signs(&spelled(&text, &escapes));
            if !signs.is_empty() && signs.iter().all(|sign| sign.is_url) {
                prop_assert_eq!(patterns::mask(&text), patterns::urls(&text));
            } else if signs.is_empty() {
                prop_assert_eq!(patterns::mask(&text), None);
            }
        }
    }

    #[test]
    fn every_form_has_a_sign() {
        assert!(SEARCHER.is_some());
        for form in patterns::beginnings() {
            for form in [form.to_owned(), form.to_ascii_uppercase()] {
                let of_url = [Anchor { at: 0, is_url: true }];
                assert_eq!(signs(&form) == of_url, form == "://", "{form}");
                assert!(!signs(&form).is_empty(), "{form}");
            }
        }
        for spelled in ["http:\\/\\/u:p@h", "http:\\//u:p@h", "http:/\\/u:p@h"] {
            assert_eq!(signs(spelled), [Anchor { at: 4, is_url: true }], "{spelled}");
        }
        // The escape behind it is not hidden by it.
        assert_eq!(signs(":/\\u002f").len(), 1);
    }
}
