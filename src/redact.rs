//! Masking of secrets, before anything else sees a record's text.
//!
//! A Parquet dictionary or a minimum leaks as much as a row does, so redaction rewrites the text
//! itself: from then on no part of the tool holds the secret. What is masked: values of environment
//! variables; tokens, secrets and passwords by their member's name, webhook payload URLs' queries,
//! SSM session tokens and stream URLs; `auth.resource` that is no ARN; and inside any string:
//! user information in URLs, signatures of presigned URLs, private keys, tokens of known form, AWS
//! secret keys assigned to their variable.
//!
//! It refuses to touch what identifies: access key ids, ARNs, names. What AWS masked already stays
//! as AWS wrote it, so that its masks and ours ([`MASK`]) are told apart.

mod anchors;
mod patterns;

use crate::flatten::coerce::is_aws_mask;
use crate::json::{self, Document, Edit, Json, Name, Tape};
use anchors::Anchors;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::Peekable;

/// What stands in place of a secret.
pub(crate) const MASK: &str = "REDACTED_BY_BUILDTRAIL";

/// Lists or maps of environment variables: their values are masked. No name here minds its case.
const VARIABLES: &[&str] =
    &["environmentVariables", "environmentVariablesOverride", "exportedEnvironmentVariables"];

/// Members whose strings are secrets. One whose name ends in `token` or `password` is one, too.
const SECRETS: &[&str] = &[
    "apiKey",
    "authorization",
    "authorizationHeader",
    "clientSecret",
    "masterPassword",
    "masterUserPassword",
    "passphrase",
    "passwd",
    "password",
    "plaintext",
    "privateKey",
    "secret",
    "secretAccessKey",
    "secretBinary",
    "secretKey",
    "secretString",
    "streamUrl",
    "tokenValue",
    "webhookSecret",
];

/// Other names that say something of what they name, wherever they stand.
const PLACES: &[&str] = &["environment", "auth", "sourceAuthOverride", "payloadUrl"];

/// Which first letters the names of [`VARIABLES`], [`SECRETS`] and [`PLACES`] have, by their length:
/// most names have none of these.
static LETTERS: [u32; 32] = letters([VARIABLES, SECRETS, PLACES]);

#[expect(clippy::indexing_slicing, reason = "done while compiling")]
const fn letters(tables: [&[&str]; 3]) -> [u32; 32] {
    let mut letters = [0; 32];
    let mut table = 0;
    while table < tables.len() {
        let mut number = 0;
        while number < tables[table].len() {
            let name = tables[table][number].as_bytes();
            letters[name.len()] |= letter(name);
            number += 1;
        }
        table += 1;
    }
    letters
}

/// One bit for the letter that a name begins with.
const fn letter(name: &[u8]) -> u32 {
    match name {
        [first, ..] => 1 << (*first & 31),
        [] => 1,
    }
}

/// Whether a name may be one of those that say something wherever they stand.
fn may_tell(name: &Name<'_, '_>) -> bool {
    let text = name.raw().as_bytes();
    // Without `_` and `-` it is another name, of another length.
    name.is_marked()
        || name.is_escaped()
        || LETTERS.get(text.len()).is_some_and(|letters| letters & letter(text) != 0)
        || match text.last() {
            Some(b'n' | b'N') => ends_in(name.raw(), "token"),
            Some(b'd' | b'D') => ends_in(name.raw(), "password"),
            _ => false,
        }
}

/// Whether a name ends in a word, in whatever case.
fn ends_in(name: &str, end: &str) -> bool {
    let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// What the members above a value say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Plain,
    /// In `environment`: a container's list of variables, or with `variables` below a function's
    /// map of them; a project's has neither.
    Environment,
    /// What holds variables: a list of them, a map, or a text.
    Variables,
    /// One variable of a list: all but its name and type is its value.
    Variable,
    /// In `auth` or `sourceAuthOverride`.
    Auth,
    /// What may be a token instead of an ARN.
    ArnOrSecret,
    Secret,
    /// A URL whose query is a token.
    SecretQuery,
}

impl Context {
    /// Whether a name says something here that says nothing wherever else it stands.
    fn minds(self, name: &Name<'_, '_>) -> bool {
        match self {
            Self::Plain | Self::SecretQuery => false,
            Self::Environment => name.raw().len() == "variables".len(),
            _ => true,
        }
    }

    /// The place of the value of the member called `name` of an object in this place.
    fn below(self, name: &Name<'_, '_>) -> Self {
        let name = name.text();
        // `client_secret` and `client-secret` are `clientSecret`.
        let name = if memchr::memchr2(b'_', b'-', name.as_bytes()).is_some() {
            Cow::Owned(name.replace(['_', '-'], ""))
        } else {
            name
        };
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let is_one_of = |names: &[&str]| names.iter().any(|other| is(other));
        match self {
            Self::Variable if is("name") || is("type") => Self::Plain,
            // In a map of variables the names are people's own.
            Self::Secret | Self::Variables | Self::Variable => Self::Secret,
            Self::ArnOrSecret => Self::ArnOrSecret,
            Self::Auth if is("resource") => Self::ArnOrSecret,
            Self::Auth if is("type") => Self::Plain,
            Self::Environment if is("variables") => Self::Variables,
            _ if is_one_of(VARIABLES) => Self::Variables,
            _ if is("environment") => Self::Environment,
            _ if is("auth") || is("sourceAuthOverride") => Self::Auth,
            _ if is("payloadUrl") => Self::SecretQuery,
            _ if is_one_of(SECRETS) || ends_in(&name, "token") || ends_in(&name, "password") => {
                Self::Secret
            }
            _ => Self::Plain,
        }
    }

    /// The place of an element of a list in this place.
    fn element(self, element: Json<'_, '_>) -> Self {
        let has_sign = || match element.string() {
            Some(text) => text.contains('='),
            None => element.raw().contains(['=', '\\']),
        };
        match self {
            Self::Variables | Self::Environment if element.is_object() => Self::Variable,
            Self::Variables => Self::Secret,
            // `NAME=value`, as some write a container's variables.
            Self::Environment if has_sign() => Self::Secret,
            Self::Environment => Self::Plain,
            other => other,
        }
    }
}

/// The longest a member's name gets in a path: enough for any real one.
const LONGEST_NAME: usize = 200;

/// The paths of one record, in bytes: past it one `...` stands for the rest. A few dozen real ones are
/// a few KB; a hostile record could make them many times its own size.
const LONGEST_PATHS: usize = 64 << 10;

/// A record without its secrets.
#[derive(Debug)]
pub(crate) struct Redacted<'a> {
    pub(crate) text: Cow<'a, str>,
    /// The JSON paths of what was masked.
    pub(crate) paths: Vec<String>,
    edits: Vec<Edit>,
}

impl<'a> Redacted<'a> {
    /// A record in which nothing is masked.
    pub(crate) fn nothing(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), paths: Vec::new(), edits: Vec::new() }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.edits.is_empty()
    }

    /// The record as it is now; `tape` holds where all is in it.
    pub(crate) fn document<'r, 't>(
        &'r self,
        record: &Document<'_, '_>,
        tape: &'t mut Tape,
    ) -> Document<'r, 't> {
        tape.edited(record, &self.text, &self.edits)
    }
}

/// Masks the secrets of a record.
pub(crate) fn redact<'a>(record: &Document<'a, '_>) -> Redacted<'a> {
    let text = record.text;
    let telling = record.names().filter(may_tell);
    let folded = text.to_ascii_lowercase();
    let mut masker = Masker {
        source: text,
        signs: Anchors::new(&folded).peekable(),
        telling: telling.map(|name| name.number()).peekable(),
        out: String::new(),
        done: 0,
        paths: Vec::new(),
        paths_bytes: 0,
        edits: Vec::new(),
    };
    masker.value(record.value(), &Path::Record, Context::Plain);
    let Masker { mut out, done, paths, edits, .. } = masker;
    if edits.is_empty() {
        return Redacted::nothing(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Redacted { text: Cow::Owned(out), paths, edits }
}

/// Members of a record that say which one it is. Their values are one word each, of few characters.
const IDENTIFYING: &[&str] = &[
    "awsRegion",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "recipientAccountId",
    "requestID",
];

/// A text of which nobody can tell where a secret stands: every word is masked but members' names,
/// `true`, `false`, `null`, and what follows the colon of an [`IDENTIFYING`] member of the outermost
/// object. From where it is no longer JSON, every word is.
pub(crate) fn redact_anything(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut depth = 0_usize;
    let mut trusted = true;
    // What came before, the name if that was one, and the name before the colon if that was one.
    let mut before = "{";
    let mut name = None;
    let mut member = None;
    while let Some(first) = rest.chars().next() {
        let (word, after) = split_word(rest, first);
        rest = after;
        if word.trim().is_empty() {
            out.push_str(word);
            continue;
        }
        let is_mark = first.is_ascii() && !first.is_ascii_alphanumeric() && first != '"';
        trusted &= if is_mark {
            "{}[],:".contains(first)
        } else {
            matches!(before, "{" | "[" | "," | ":")
        };
        let is_name = trusted
            && first == '"'
            && matches!(before, "{" | ",")
            && after.trim_start().starts_with(':');
        let inner = word.trim_matches('"');
        let is_plain = if is_name {
            is_short(inner, "_-")
        } else if depth == 1 && member.is_some_and(|member| IDENTIFYING.contains(&member)) {
            trusted && is_short(inner, "_-.:")
        } else {
            trusted && matches!(inner, "true" | "false" | "null")
        };
        if is_mark || is_plain {
            out.push_str(word);
        } else {
            out.push('"');
            out.push_str(MASK);
            out.push('"');
        }
        match first {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        member = if first == ':' { name } else { None };
        name = is_name.then_some(inner);
        before = word;
    }
    out
}

/// Whether a word is letters, digits and `others`, and not long.
fn is_short(word: &str, others: &str) -> bool {
    word.len() <= 64 && word.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// The string, word or mark that a text begins with, and what follows.
fn split_word(text: &str, first: char) -> (&str, &str) {
    let mut escaped = false;
    let end = if first == '"' {
        let mut inside = text.char_indices().skip(1);
        let closing = inside.find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        closing.map(|(at, _)| at + 1)
    } else if first.is_ascii_alphanumeric() || !first.is_ascii() {
        // A word ends where JSON could go on.
        text.find(|c: char| c.is_ascii_whitespace() || "\"{}[],:".contains(c))
    } else {
        Some(first.len_utf8())
    };
    text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((text, ""))
}

/// Where a value stands in the record: spelled only for what is masked.
enum Path<'p, 'a, 't> {
    Record,
    Member(&'p Self, Name<'a, 't>),
    Element(&'p Self, usize),
}

impl Path<'_, '_, '_> {
    /// Appends its spelling.
    fn spell(&self, out: &mut String) {
        match self {
            Self::Record => {}
            Self::Member(above, name) => {
                above.spell(out);
                if !matches!(above, Self::Record) {
                    out.push('.');
                }
                let name = name.text();
                if name.len() <= LONGEST_NAME {
                    out.push_str(&name);
                } else {
                    out.extend(name.chars().take(LONGEST_NAME));
                }
            }
            Self::Element(above, number) => {
                above.spell(out);
                // Writing to a String cannot fail.
                let _ = write!(out, "[{number}]");
            }
        }
    }
}

struct Masker<'a, N: Iterator<Item = u32>> {
    source: &'a str,
    /// The places that are left where something may begin that is masked by its own form.
    signs: Peekable<Anchors<'a>>,
    /// The numbers of the names that are left that may tell something of what they name.
    telling: Peekable<N>,
    /// The redacted text of the source up to `done`.
    out: String,
    done: usize,
    paths: Vec<String>,
    paths_bytes: usize,
    edits: Vec<Edit>,
}

impl<N: Iterator<Item = u32>> Masker<'_, N> {
    /// Writes a text in place of a value.
    fn replace(&mut self, value: Json<'_, '_>, with: &str, path: &Path<'_, '_, '_>) {
        let (at, end) = value.range();
        self.out.push_str(self.source.get(self.done..at).unwrap_or_default());
        let begin = self.out.len();
        json::push_string(&mut self.out, with);
        self.done = end;
        let new = self.out.get(begin..).unwrap_or_default();
        self.edits.push(Edit {
            number: value.numbers().0,
            bytes: u32::try_from(new.len()).unwrap_or(u32::MAX),
            escaped: json::has_escape(new),
        });
        if self.paths_bytes < LONGEST_PATHS {
            let mut spelled = String::with_capacity(96);
            path.spell(&mut spelled);
            self.paths_bytes += spelled.len();
            self.paths.push(spelled);
        } else if self.paths.last().is_none_or(|last| last != "...") {
            self.paths.push("...".to_owned());
        }
    }

    /// Masks what is secret in a value.
    fn value<'a, 't>(&mut self, value: Json<'a, 't>, path: &Path<'_, 'a, 't>, place: Context) {
        if value.is_string() {
            self.string(value, path, place);
        } else if value.is_object() {
            for (name, member) in value.members() {
                let tells = self.tells(&name) || place.minds(&name);
                let below = if tells { place.below(&name) } else { Context::Plain };
                if below != Context::Plain || self.has_any(member) {
                    self.value(member, &Path::Member(path, name), below);
                }
            }
        } else if value.is_list() {
            for (number, element) in value.elements().enumerate() {
                let below = place.element(element);
                if below != Context::Plain || self.has_any(element) {
                    self.value(element, &Path::Element(path, number), below);
                }
            }
        } else if matches!(place, Context::Secret | Context::ArnOrSecret) && value.is_number() {
            self.replace(value, MASK, path);
        }
    }

    /// Whether a sign or a telling name stands in a value.
    fn has_any(&mut self, value: Json<'_, '_>) -> bool {
        self.has_sign(value) || self.has_telling_name(value)
    }

    /// Whether a sign stands in a value; values are asked for in their order.
    fn has_sign(&mut self, value: Json<'_, '_>) -> bool {
        let (from, to) = value.range();
        while self.signs.next_if(|sign| sign.at < from).is_some() {}
        self.signs.peek().is_some_and(|sign| sign.at < to)
    }

    /// Whether all signs in a value are those of URLs.
    fn has_only_urls(&mut self, value: Json<'_, '_>) -> bool {
        let (_, to) = value.range();
        let mut only = true;
        while let Some(sign) = self.signs.next_if(|sign| sign.at < to) {
            only &= sign.is_url;
        }
        only
    }

    /// Whether a name may tell something of what it names; names are asked for in their order.
    fn tells(&mut self, name: &Name<'_, '_>) -> bool {
        while self.telling.next_if(|number| *number < name.number()).is_some() {}
        self.telling.next_if_eq(&name.number()).is_some()
    }

    /// Whether a name stands in a value that may tell something of what it names; asked like
    /// [`has_sign`](Self::has_sign).
    fn has_telling_name(&mut self, value: Json<'_, '_>) -> bool {
        let (from, to) = value.numbers();
        while self.telling.next_if(|number| *number < from).is_some() {}
        self.telling.peek().is_some_and(|number| *number < to)
    }

    fn string(&mut self, value: Json<'_, '_>, path: &Path<'_, '_, '_>, place: Context) {
        let has_sign = self.has_sign(value);
        if place == Context::Plain && !has_sign {
            return;
        }
        let Some(text) = value.string().filter(|text| !text.is_empty() && !is_aws_mask(text))
        else {
            return;
        };
        let masked = match place {
            Context::Secret | Context::Variables => Some(MASK.to_owned()),
            Context::Auth | Context::ArnOrSecret if !text.starts_with("arn:") => {
                Some(MASK.to_owned())
            }
            Context::SecretQuery => Some(without_query(&text)),
            _ if has_sign && self.has_only_urls(value) => patterns::urls(&text),
            _ if has_sign => patterns::mask(&text),
            _ => None,
        };
        // Rewritten text would lose a lone surrogate's escape, so all of it goes.
        let masked = masked.filter(|masked| *masked != text);
        if let Some(masked) = masked {
            let masked = if json::has_lone_surrogate(value.raw()) { MASK } else { &masked };
            self.replace(value, masked, path);
        }
    }
}

/// A URL with its query or fragment masked, and whatever is secret before it.
fn without_query(url: &str) -> String {
    let Some(end) = url.find(['?', '#']) else {
        return patterns::mask(url).unwrap_or_else(|| url.to_owned());
    };
    let (address, query) = url.split_at_checked(end).unwrap_or((url, ""));
    let address = patterns::mask(address).unwrap_or_else(|| address.to_owned());
    format!("{address}{}{MASK}", query.get(..1).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::leaked;

    /// Where all is in a masked record is what reading it tells.
    fn redact(record: &str) -> (Cow<'static, str>, Vec<String>) {
        let mut tape = Tape::default();
        let document = tape.read(record).unwrap();
        let redacted = super::redact(&document);
        let (mut edited, mut read) = (Tape::default(), Tape::default());
        let edited = redacted.document(&document, &mut edited);
        assert_eq!(format!("{edited:?}"), format!("{:?}", read.read(&redacted.text).unwrap()));
        (Cow::Owned(redacted.text.into_owned()), redacted.paths)
    }

    fn check(record: &str, expected: &str, paths: &[&str]) {
        let (text, found) = redact(record);
        assert_eq!(text, expected.replace('#', MASK));
        assert_eq!(found, paths);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert_eq!(redact(&text).1, Vec::<String>::new(), "redaction is not stable");
    }

    #[test]
    fn every_name_is_looked_for() {
        for name in VARIABLES.iter().chain(SECRETS) {
            let object = format!("{{\"{name}\":0}}");
            let (name, _) = leaked(&object).members().next().unwrap();
            assert!(may_tell(&name), "{object}");
            assert_ne!(Context::Plain.below(&name), Context::Plain, "{object}");
        }
    }

    #[test]
    fn environment_variables_lose_their_values() {
        check(
            r#"{"requestParameters":{"environmentVariablesOverride":[{"name":"A","value":"s3cret", "type":"PLAINTEXT"},{"name":"B","value":""}]}}"#,
            r##"{"requestParameters":{"environmentVariablesOverride":[{"name":"A","value":"#", "type":"PLAINTEXT"},{"name":"B","value":""}]}}"##,
            &["requestParameters.environmentVariablesOverride[0].value"],
        );
        check(
            r#"{"responseElements":{"build":{"environment":{"image":"i","environmentVariables":[{"value":7},"K=v"]}}}}"#,
            r##"{"responseElements":{"build":{"environment":{"image":"i","environmentVariables":[{"value":"#"},"#"]}}}}"##,
            &[
                "responseElements.build.environment.environmentVariables[0].value",
                "responseElements.build.environment.environmentVariables[1]",
            ],
        );
        check(
            r#"{"requestParameters":{"environment":{"variables":{"KEY":"s3cret"}}}}"#,
            r##"{"requestParameters":{"environment":{"variables":{"KEY":"#"}}}}"##,
            &["requestParameters.environment.variables.KEY"],
        );
    }

    #[test]
    fn secrets_are_known_by_their_member() {
        check(
            r#"{"requestParameters":{"token":"abc","shouldOverwrite":true},"responseElements":{"ssmSession":{"sessionId":"s","tokenValue":"t","streamUrl":"wss://x"},"webhook":{"payloadUrl":"https://c/webhooks?t=abc&v=1","secret":"w","lastModifiedSecret":"2020"}}}"#,
            r##"{"requestParameters":{"token":"#","shouldOverwrite":true},"responseElements":{"ssmSession":{"sessionId":"s","tokenValue":"#","streamUrl":"#"},"webhook":{"payloadUrl":"https://c/webhooks?#","secret":"#","lastModifiedSecret":"2020"}}}"##,
            &[
                "requestParameters.token",
                "responseElements.ssmSession.tokenValue",
                "responseElements.ssmSession.streamUrl",
                "responseElements.webhook.payloadUrl",
                "responseElements.webhook.secret",
            ],
        );
    }

    #[test]
    fn the_paths_of_a_hostile_record_are_bounded() {
        let name = "n".repeat(1000);
        let record = format!(r#"{{"{name}":{{"token":[{}""]}}}}"#, "\"x\",".repeat(10_000));
        let (text, paths) = redact(&record);
        assert_eq!(text.matches(MASK).count(), 10_000);
        assert!(paths.iter().map(String::len).sum::<usize>() < 2 * LONGEST_PATHS);
        assert_eq!(paths.last().unwrap(), "...");
    }

    #[test]
    fn an_auth_resource_that_is_no_arn_is_masked() {
        check(
            r#"{"requestParameters":{"source":{"auth":{"type":"OAUTH","resource":"leak"}},"sourceAuthOverride":{"resource":"arn:aws:x"}}}"#,
            r##"{"requestParameters":{"source":{"auth":{"type":"OAUTH","resource":"#"}},"sourceAuthOverride":{"resource":"arn:aws:x"}}}"##,
            &["requestParameters.source.auth.resource"],
        );
    }

    #[test]
    fn no_shape_hides_a_variable_or_a_token() {
        for record in [
            r#"{"environmentVariables":"[{\"name\":\"A\",\"value\":\"s3cret\"}]"}"#,
            r#"{"environment":{"variables":{"type":"s3cret","AUTH":"s3cret","N":{"x":["s3cret"]}}}}"#,
            r#"{"environmentVariables":[{"name":"A","val":{"x":"s3cret"}}]}"#,
            r#"{"environmentVariables":{"A":"s3cret"}}"#,
            r#"{"environment":["A\u003ds3cret"]}"#,
            r#"{"environment":[{"name":"A","value":"s3cret"},"B=s3cret"]}"#,
            r#"{"auth":{"Resource":"s3cret"}}"#,
            r#"{"auth":{"resource":["s3cret",{"t":"s3cret"}]}}"#,
            r#"{"sourceAuthOverride":"s3cret"}"#,
            r#"{"secondarySources":[{"auth":{"resource":"s3cret"}}]}"#,
            r#"{"payloadUrl":"https://u:s3cret@h/x"}"#,
            r#"{"payloadUrl":"https://h/x#t=s3cret"}"#,
            r#"{"errorMessage":"\ud83d https://u:s3cret@h/x"}"#,
            r#"{"a":"GOPROXY=https://proxy.golang.org,https://u:s3cret@goproxy.corp"}"#,
            r#"{"a":"https://a.com|http://u:s3cret@h"}"#,
            r#"{"a":"https://[::1]:80,https://u:s3cret@h"}"#,
            r#"{"a":"https://h/x?token=s3cret00&b=1"}"#,
            r#"{"client_secret":"s3cret","new-Password":"s3cret"}"#,
            r#"{"a":"-----BEGIN PGP PRIVATE KEY BLOCK-----s3cret-----END PGP PRIVATE KEY BLOCK-----"}"#,
            r#"{"a":"env:\\nghp_s3crets3crets3crets3crets3cret00"}"#,
            r#"{"a":"MYTOKEN_ghp_s3crets3crets3crets3crets3cret00"}"#,
            r#"{"a":"x\\nATBBs3crets3crets3crets3cret"}"#,
        ] {
            let (text, paths) = redact(record);
            assert!(!text.contains("s3cret") && !paths.is_empty(), "{record} {text}");
        }
    }

    #[test]
    fn what_is_no_record_keeps_only_what_identifies() {
        let anything = |text: &str| redact_anything(text).replace(MASK, "#");
        assert_eq!(
            anything(r#"{"eventID":"e-1","request":{"x":"s3cret","n":12,"b":true,"y":"s3c"#),
            r##"{"eventID":"e-1","request":{"x":"#","n":"#","b":true,"y":"#""##
        );
        assert_eq!(anything("PASSWORD=s3cret {'a': s3cret}"), r##""#" {'"#": "#"}"##);
        assert_eq!(anything(r#"{"a":"x \" s3cret", é}"#), r##"{"a":"#", "#"}"##);
        assert_eq!(anything("\u{fffd}\u{0}"), format!("\"#\""));
    }

    #[test]
    fn no_broken_text_hides_a_secret() {
        for text in [
            r#"{"eventID":"e","token" "s3cret"}"#,
            r#"{"requestID":"r", token: s3cret}"#,
            r#"{"requestID":"r",'token':'s3cret'}"#,
            r#"{"requestID":"r","environmentVariables"[{"name""A","value""s3cret"}]}"#,
            r#"{"eventID":["x","s3cret"]"#,
            r#"{"eventID":"x" "s3cret""#,
            r#"{"environment":{"variables":{"eventID":"s3cret"}}, z: 1"#,
            r#"{"value":"s3cret" :"x""#,
            r#"{"eventID":"a b s3cret""#,
            r#"{"tok?":"s3cret""#,
            r#"{"db_pass":"s3cret"}"#,
            r#"[{"eventID":"e"},"s3cret"]"#,
            r#"{"Events":[{"CloudTrailEvent":"{\"value\":\"s3cret\"}"}]}"#,
            r#"{"eventID":"e" "token":"s3cret"}"#,
            r#"{"eventID":"e"; "token":"s3cret"}"#,
            r#"{"eventName":"X":"s3cret"}"#,
            r#"{"requestID":"r", 'token': "s3cret"}"#,
            r#"{"requestID":"r"; token: s3cret }"#,
            r#"{"eventID":"e" /* x */ "token":"s3cret"}"#,
            r#"{"eventID":"e",("token":"s3cret")}"#,
            r#"{"a":"x,"value":"p,s3cret:q"}"#,
            r#"{"a":"x,"value":"p,"s3cret":q"}"#,
            "s3cret",
            "{s3cret",
            "{\"a\":s3cret",
        ] {
            let masked = redact_anything(text);
            assert!(!masked.contains("s3cret"), "{text} {masked}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_form() {
        for (text, expected) in [
            ("https://u:pw@github.com/x.git", "https://u:#@github.com/x.git"),
            ("https://tok@github.com/x", "https://#@github.com/x"),
            ("https://tok:x-oauth-basic@github.com/x", "https://#@github.com/x"),
            ("see https://a:b@c and http://d:e@f/", "see https://a:#@c and http://d:#@f/"),
            (
                "https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef&x=1",
                "https://b.s3.amazonaws.com/k?X-Amz-Signature=#&x=1",
            ),
            (
                "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG; ls",
                "export AWS_SECRET_ACCESS_KEY=#; ls",
            ),
            ("use ghp_0123456789abcdefghijABCDEFGHIJ01 now", "use # now"),
            ("{'SessionToken':'FwoGZXIvYXdz','x':1}", "{'SessionToken':'#','x':1}"),
            (
                "-----BEGIN CERTIFICATE-----\\nMII\\n-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\\nS\\n-----END PRIVATE KEY-----\\nend",
                "-----BEGIN CERTIFICATE-----\\nMII\\n-----END CERTIFICATE-----\\n#\\nend",
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\\nMII\\n", "#"),
        ] {
            check(
                &format!("{{\"errorMessage\":\"{text}\"}}"),
                &format!("{{\"errorMessage\":\"{expected}\"}}"),
                &["errorMessage"],
            );
        }
    }

    #[test]
    fn what_identifies_and_what_aws_masked_stays() {
        for record in [
            r#"{"userIdentity":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"x":"ssh://git@github.com/x"}"#,
            r#"{"requestParameters":{"token":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#,
            r#"{"requestParameters":{"environmentVariables":[{"name":"***","value":"***"}]}}"#,
            r#"{"environment":{"type":"LINUX_CONTAINER","image":"i"},"auth":{"type":"OAUTH"}}"#,
            r#"{"environment":["prod"],"projectName":"highs_and_lows_integration_tests_of_all_kinds"}"#,
            r#"{"a":"https://github.com/org/repo.git","b":"user@example.com","c":"aws_secret_access_key"}"#,
        ] {
            assert_eq!(redact(record), (Cow::Borrowed(record), Vec::new()));
        }
    }
}
