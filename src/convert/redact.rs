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

use crate::convert::coerce::is_aws_mask;
use crate::convert::json::{self, Elements, Members};
use std::borrow::Cow;
use std::fmt::Write as _;

/// What stands in place of a secret.
pub(crate) const MASK: &str = "REDACTED_BY_BUILDTRAIL";

/// Lists or maps of environment variables: their values are masked. No name here minds its case.
const VARIABLES: &[&str] =
    &["environmentVariables", "environmentVariablesOverride", "exportedEnvironmentVariables"];

/// Members whose strings are secrets. A member that ends in `token` is one, too.
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

/// What the members above a value say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    /// In `environment`: a list of variables (a container's), or with `variables` below (a
    /// function's); a project's has neither.
    Environment,
    /// Below a member that holds variables: `value` in a list's objects, every string in a map.
    Variables,
    /// In `auth` or `sourceAuthOverride`: `resource` may be a token instead of an ARN.
    Auth,
    Secret,
    /// A URL whose query is a token.
    SecretQuery,
}

impl Place {
    fn below(self, name: &str) -> Self {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let is_one_of = |names: &[&str]| names.iter().any(|other| is(other));
        let ends_in_token = || {
            let tail = name.len().checked_sub("token".len()).and_then(|at| name.get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case("token"))
        };
        match self {
            Self::Secret => Self::Secret,
            Self::Variables if is("value") => Self::Secret,
            Self::Auth if is("resource") => Self::Auth,
            Self::Environment if is("variables") => Self::Variables,
            _ if is_one_of(VARIABLES) => Self::Variables,
            _ if is("environment") => Self::Environment,
            _ if is("auth") || is("sourceAuthOverride") => Self::Auth,
            _ if is("payloadUrl") => Self::SecretQuery,
            _ if is_one_of(SECRETS) || ends_in_token() => Self::Secret,
            _ => Self::Plain,
        }
    }
}

/// The record with its secrets masked, and the JSON paths of what was masked.
pub(crate) fn redact(record: &str) -> (Cow<'_, str>, Vec<String>) {
    let mut masker = Masker { out: String::new(), done: 0, source: record, paths: Vec::new() };
    masker.object(record, 0, &mut String::new(), Place::Plain);
    if masker.paths.is_empty() {
        return (Cow::Borrowed(record), Vec::new());
    }
    masker.out.push_str(record.get(masker.done..).unwrap_or_default());
    (Cow::Owned(masker.out), masker.paths)
}

struct Masker<'a> {
    source: &'a str,
    /// The redacted text of the source up to `done`.
    out: String,
    done: usize,
    paths: Vec<String>,
}

impl Masker<'_> {
    /// Replaces the source's text from `at`, `len` bytes long.
    fn replace(&mut self, at: usize, len: usize, with: &str, path: &str) {
        self.out.push_str(self.source.get(self.done..at).unwrap_or_default());
        json::push_string(&mut self.out, with);
        self.done = at + len;
        self.paths.push(path.to_owned());
    }

    /// `text` begins at byte `at` of the source. Recursion is bounded: deeper records were rejected.
    fn value(&mut self, text: &str, at: usize, path: &mut String, place: Place) {
        match text.as_bytes().first() {
            Some(b'{') => self.object(text, at, path, place),
            Some(b'[') => self.list(text, at, path, place),
            Some(b'"') => self.string(text, at, path, place),
            Some(b'n' | b't' | b'f') | None => {}
            Some(_) if place == Place::Secret => self.replace(at, text.len(), MASK, path),
            Some(_) => {}
        }
    }

    fn object(&mut self, text: &str, at: usize, path: &mut String, place: Place) {
        let whole = path.len();
        for (name, value) in Members::of(text) {
            let name = json::unescape(name);
            // In a map of variables the names are the people's own.
            let map = place == Place::Variables && value.starts_with('"');
            let below = place.below(&name);
            let is_name = matches!(name.as_ref(), "name" | "type" | "Name" | "Type");
            let below =
                if map && below == Place::Plain && !is_name { Place::Secret } else { below };
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&name);
            self.value(value, at + offset(text, value), path, below);
            path.truncate(whole);
        }
    }

    fn list(&mut self, text: &str, at: usize, path: &mut String, place: Place) {
        let whole = path.len();
        let place = if place == Place::Environment { Place::Variables } else { place };
        for (number, element) in Elements::of(text).enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(path, "[{number}]");
            // A variable given as one string, `NAME=value`.
            let string = place == Place::Variables && element.starts_with('"');
            let place = if string { Place::Secret } else { place };
            self.value(element, at + offset(text, element), path, place);
            path.truncate(whole);
        }
    }

    fn string(&mut self, raw: &str, at: usize, path: &str, place: Place) {
        let Some(text) = json::string(raw).filter(|text| !text.is_empty() && !is_aws_mask(text))
        else {
            return;
        };
        let masked = match place {
            Place::Secret => Some(MASK.to_owned()),
            Place::Auth if path.ends_with(".resource") && !text.starts_with("arn:") => {
                Some(MASK.to_owned())
            }
            Place::SecretQuery => {
                text.split_once('?').map(|(address, _)| format!("{address}?{MASK}"))
            }
            _ => patterns::mask(&text),
        };
        if let Some(masked) = masked.filter(|masked| *masked != text) {
            self.replace(at, raw.len(), &masked, path);
        }
    }
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

/// Secrets that are told by their own form, wherever they stand.
mod patterns {
    use super::MASK;

    /// Tokens of services that mark them; each is followed by at least so many token characters.
    const TOKENS: &[(&str, usize)] = &[
        ("ghp_", 20),
        ("gho_", 20),
        ("ghu_", 20),
        ("ghs_", 20),
        ("ghr_", 20),
        ("github_pat_", 20),
        ("glpat-", 16),
        ("xoxb-", 16),
        ("xoxp-", 16),
        ("ATBB", 20),
    ];
    /// Query parameters and variables whose value is a secret, in lower case.
    const ASSIGNED: &[&str] = &[
        "x-amz-signature=",
        "x-amz-security-token=",
        "access_token=",
        "aws_secret_access_key",
        "aws_session_token",
        "secretaccesskey",
    ];
    const PEM: (&str, &str) = ("-----BEGIN ", "-----END ");

    /// The text with what is secret in it masked; `None` where there is nothing.
    pub(super) fn mask(text: &str) -> Option<String> {
        let mut masked: Option<String> = None;
        for step in [urls, assignments, tokens, private_keys] {
            if let Some(next) = step(masked.as_deref().unwrap_or(text)) {
                masked = Some(next);
            }
        }
        masked
    }

    /// `https://user:password@host`: the password, or the whole where the user may be the token.
    fn urls(text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        let mut changed = false;
        while let Some((before, after)) = rest.split_once("://") {
            out.push_str(before);
            out.push_str("://");
            let end = after
                .find(|c: char| c.is_whitespace() || "/?#\"'<>`\\".contains(c))
                .unwrap_or(after.len());
            let (authority, tail) = after.split_at_checked(end).unwrap_or((after, ""));
            let web = before.to_ascii_lowercase().ends_with("http")
                || before.to_ascii_lowercase().ends_with("https");
            match authority.rsplit_once('@') {
                Some((user, host)) if !user.is_empty() => {
                    let kept = user_information(user, web);
                    changed |= kept != user;
                    out.push_str(&kept);
                    out.push('@');
                    out.push_str(host);
                }
                _ => out.push_str(authority),
            }
            rest = tail;
        }
        out.push_str(rest);
        changed.then_some(out)
    }

    fn user_information(user: &str, web: bool) -> String {
        match user.split_once(':') {
            // `TOKEN:x-oauth-basic` and `TOKEN:`: the user name is the token.
            Some((_, "" | "x-oauth-basic")) => MASK.to_owned(),
            Some((name, _)) => format!("{name}:{MASK}"),
            None if web => MASK.to_owned(),
            None => user.to_owned(),
        }
    }

    /// `name=value`, `name: value`: the value up to white space, a quote, `&` or `;`.
    fn assignments(text: &str) -> Option<String> {
        let lower = text.to_ascii_lowercase();
        let mut out = String::new();
        let mut done = 0;
        while let Some((at, name)) = ASSIGNED
            .iter()
            .filter_map(|name| Some((done + lower.get(done..)?.find(name)?, *name)))
            .min()
        {
            let after = at + name.len();
            let rest = text.get(after..)?;
            let skip = rest.find(|c: char| !(c.is_whitespace() || "\"'=:\\".contains(c)));
            let value = rest.get(skip.unwrap_or(rest.len())..)?;
            let end = value
                .find(|c: char| c.is_whitespace() || "\"'&;,\\".contains(c))
                .unwrap_or(value.len());
            let assigned =
                name.ends_with('=') || rest.get(..skip.unwrap_or(0))?.contains(['=', ':']);
            let start = after + skip.unwrap_or(rest.len());
            if assigned && end >= 8 && !value.starts_with(MASK) {
                out.push_str(text.get(done..start)?);
                out.push_str(MASK);
                done = start + end;
            } else {
                out.push_str(text.get(done..after)?);
                done = after;
            }
        }
        out.push_str(text.get(done..)?);
        (out != text).then_some(out)
    }

    fn tokens(text: &str) -> Option<String> {
        let mut masked: Option<String> = None;
        for (prefix, least) in TOKENS {
            let current = masked.as_deref().unwrap_or(text);
            let mut out = String::new();
            let mut rest = current;
            while let Some((before, after)) = rest.split_once(prefix) {
                let is_token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let end = after.find(|c| !is_token(c)).unwrap_or(after.len());
                out.push_str(before);
                out.push_str(if end >= *least { MASK } else { prefix });
                rest = if end >= *least { after.get(end..)? } else { after };
            }
            out.push_str(rest);
            if out != current {
                masked = Some(out);
            }
        }
        masked
    }

    fn private_keys(text: &str) -> Option<String> {
        let (before, key) = text.split_once(PEM.0)?;
        if !key.contains("PRIVATE KEY") {
            return None;
        }
        // A key that is cut off has no end: all that follows is taken for it.
        let end = key.split_once(PEM.1).and_then(|(_, end)| end.split_once("-----"));
        let after = end.map_or("", |(_, after)| after);
        Some(format!("{before}{MASK}{after}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &str, expected: &str, paths: &[&str]) {
        let (text, found) = redact(record);
        assert_eq!(text, expected.replace('#', MASK));
        assert_eq!(found, paths);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert_eq!(redact(&text).1, Vec::<String>::new(), "redaction is not stable");
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
    fn an_auth_resource_that_is_no_arn_is_masked() {
        check(
            r#"{"requestParameters":{"source":{"auth":{"type":"OAUTH","resource":"leak"}},"sourceAuthOverride":{"resource":"arn:aws:x"}}}"#,
            r##"{"requestParameters":{"source":{"auth":{"type":"OAUTH","resource":"#"}},"sourceAuthOverride":{"resource":"arn:aws:x"}}}"##,
            &["requestParameters.source.auth.resource"],
        );
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
            r#"{"a":"https://github.com/org/repo.git","b":"user@example.com","c":"aws_secret_access_key"}"#,
        ] {
            assert_eq!(redact(record), (Cow::Borrowed(record), Vec::new()));
        }
    }
}
