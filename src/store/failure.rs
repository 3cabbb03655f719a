//! What a failure of S3 is: told by the client's error types, the status and the server's `<Code>`, never by
//! words that a key may have.

use crate::error::StoreProblem;
use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as StdError;
use std::fmt;

/// The beginning of the client's own text for an answer that is no success. The client keeps the type
/// to itself (`RequestError::Status`, `object_store` 0.13), so its text is the only way to the answer.
const STATUS: &str = "Server returned non-2xx status code: ";
/// The same for an answer 200 that has an error in it (`RequestError::Response`).
const RESPONSE: &str = "Server returned error response: ";
/// The same for a redirect that does not say where to (`RequestError::BareRedirect`).
const REDIRECT: &str = "Received redirect without LOCATION";

/// The client's error, in few words: the server's answer, else the innermost cause. The whole has the request,
/// times and XML, which nobody reads.
#[derive(Debug)]
pub(super) struct Said {
    text: String,
    /// The whole, for `{:?}`.
    #[expect(dead_code, reason = "kept for `Debug`")]
    error: Error,
}

impl From<Error> for Said {
    fn from(error: Error) -> Self {
        let answer = Answer::from_error(&error);
        let text = match (answer.status, answer.code) {
            (Some(status), Some(code)) => {
                let message = answer.message.map_or_else(String::new, |text| format!(": {text}"));
                format!("S3 answers {status} {code}{message}")
            }
            (Some(status), None) => format!("S3 answers {status}"),
            (None, _) => innermost(&error).to_string(),
        };
        Self { text, error }
    }
}

fn innermost<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    error.source().map_or(error, innermost)
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Said {}

/// The kind of a failure.
pub(super) fn problem(error: &Error) -> StoreProblem {
    let answer = Answer::from_error(error);
    if let Some(known) = answer.code.as_deref().and_then(by_code) {
        return known;
    }
    match error {
        Error::NotFound { .. } => return StoreProblem::NotFound,
        Error::PermissionDenied { .. } => return StoreProblem::AccessDenied,
        Error::Unauthenticated { .. } => return StoreProblem::InvalidCredentials,
        Error::InvalidPath { .. } => return StoreProblem::InvalidKey,
        _ => {}
    }
    match (answer.status, answer.http) {
        (Some(301 | 307 | 308), _) => StoreProblem::OtherRegion,
        (Some(429 | 503), _) => StoreProblem::Throttled,
        (_, Some(HttpErrorKind::Connect)) => StoreProblem::Unreachable,
        (_, Some(HttpErrorKind::Timeout)) => StoreProblem::TimedOut,
        _ => StoreProblem::Failed,
    }
}

/// Whether S3 gave up a conditional put for another request to the same key, so that neither may have
/// landed: 409 `ConditionalRequestConflict` (Amazon S3 API reference, `PutObject`).
pub(super) fn is_undecided(error: &Error) -> bool {
    Answer::from_error(error).code.as_deref() == Some("ConditionalRequestConflict")
}

/// The kind that a `<Code>` stands for (Amazon S3 API reference, "Error responses").
fn by_code(code: &str) -> Option<StoreProblem> {
    Some(match code {
        "NoSuchBucket" => StoreProblem::NoBucket,
        "NoSuchKey" | "NoSuchUpload" => StoreProblem::NotFound,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired" => StoreProblem::InvalidCredentials,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => StoreProblem::AccessDenied,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => StoreProblem::OtherRegion,
        "SlowDown"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded" => StoreProblem::Throttled,
        "RequestTimeout" => StoreProblem::TimedOut,
        _ => return None,
    })
}

/// What the server, or the way to it, has answered.
#[derive(Debug, Default)]
struct Answer {
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    http: Option<HttpErrorKind>,
}

impl Answer {
    fn from_error(error: &Error) -> Self {
        let mut answer = Self::default();
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(http) = error.downcast_ref::<HttpError>() {
                answer.http = Some(http.kind());
            }
            answer.read(&error.to_string());
            cause = error.source();
        }
        answer
    }

    /// Reads the client's text of an answer; any other text begins otherwise.
    fn read(&mut self, text: &str) {
        let body = if let Some(rest) = text.strip_prefix(STATUS) {
            self.status = rest.get(..3).and_then(|status| status.parse().ok());
            rest
        } else if let Some(body) = text.strip_prefix(RESPONSE) {
            body
        } else {
            if text.starts_with(REDIRECT) {
                self.status = Some(301);
            }
            return;
        };
        // The first: what comes after it (a message, the key) may be anybody's words.
        let element = |name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>"))?;
            rest.split_once(&format!("</{name}>")).map(|(text, _)| text.to_owned())
        };
        self.code = element("Code");
        self.message = element("Message");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Text(String);

    /// A log file of a day, and of an account, whose digits are those of a status.
    const KEYS: [&str; 4] = [
        "AWSLogs/111122223333/111122223333_CloudTrail_us-east-1_20260301T0005Z_x.json.gz",
        "AWSLogs/111122223333/111122223333_CloudTrail_us-east-1_20260403T0005Z_x.json.gz",
        "AWSLogs/111122223333/111122223333_CloudTrail_us-east-1_20260503T0005Z_x.json.gz",
        "AWSLogs/301403503404/NoSuchBucket AccessDenied <Code>SlowDown</Code>.json.gz",
    ];

    fn generic(text: String) -> Error {
        Error::Generic { store: "S3", source: Box::new(Text(text)) }
    }

    #[test]
    fn a_key_tells_nothing_of_a_failure() {
        for key in KEYS {
            let path = key.to_owned();
            let source = || Box::new(Text(format!("Error performing GET http://s3/{key} in 1s")));
            let not_found = Error::NotFound { path: path.clone(), source: source() };
            assert_eq!(problem(&not_found), StoreProblem::NotFound, "{key}");
            let denied = Error::PermissionDenied { path, source: source() };
            assert_eq!(problem(&denied), StoreProblem::AccessDenied, "{key}");
            let timeout =
                HttpError::new(HttpErrorKind::Timeout, Text(format!("GET {key}: too slow")));
            let timeout = Error::Generic { store: "S3", source: Box::new(timeout) };
            assert_eq!(problem(&timeout), StoreProblem::TimedOut, "{key}");
            assert_eq!(problem(&generic(format!("reading {key} failed"))), StoreProblem::Failed);
        }
    }

    #[test]
    fn the_server_tells() {
        for (text, expected) in [
            ("403 Forbidden: <Error><Code>ExpiredToken</Code>", StoreProblem::InvalidCredentials),
            ("403 Forbidden: <Error><Code>AccessDenied</Code>", StoreProblem::AccessDenied),
            ("404 Not Found: <Error><Code>NoSuchBucket</Code>", StoreProblem::NoBucket),
            ("301 Moved Permanently: ", StoreProblem::OtherRegion),
            ("503 Slow Down: <Error><Code>SlowDown</Code>", StoreProblem::Throttled),
            ("503 Service Unavailable: ", StoreProblem::Throttled),
            ("500 Oops: <Error><Code>InternalError</Code><Key>403</Key>", StoreProblem::Failed),
        ] {
            assert_eq!(problem(&generic(format!("{STATUS}{text}"))), expected, "{text}");
        }
        let missing = "404 Not Found: <Error><Code>NoSuchBucket</Code><Message>gone</Message>";
        let said = Said::from(generic(format!("{STATUS}{missing}"))).to_string();
        assert_eq!(said, "S3 answers 404 NoSuchBucket: gone");
        let conflict = "409 Conflict: <Error><Code>ConditionalRequestConflict</Code>";
        assert!(is_undecided(&generic(format!("{STATUS}{conflict}"))));
        assert!(!is_undecided(&generic(format!("{STATUS}412 Precondition Failed: "))));
        assert_eq!(problem(&generic(format!("{REDIRECT}, this"))), StoreProblem::OtherRegion);
    }
}
