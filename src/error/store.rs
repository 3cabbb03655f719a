//! Failures of S3, told apart by the client's own error types and the server's `<Code>`.

use super::Cause;

/// A failure of S3 on one object or prefix.
#[derive(Debug, thiserror::Error)]
#[error("{uri}: {problem}")]
pub struct StoreError {
    /// `s3://BUCKET/KEY`.
    pub uri: String,
    /// The kind of failure.
    pub problem: StoreProblem,
    /// The client's or server's own words.
    #[source]
    pub source: Option<Cause>,
}

impl StoreError {
    /// A failure that needs no cause.
    pub(crate) fn new(uri: impl Into<String>, problem: StoreProblem) -> Self {
        Self { uri: uri.into(), problem, source: None }
    }

    /// A failure with its cause.
    pub(crate) fn caused(
        uri: impl Into<String>,
        problem: StoreProblem,
        cause: impl Into<Cause>,
    ) -> Self {
        Self { uri: uri.into(), problem, source: Some(cause.into()) }
    }
}

/// A kind of failure of S3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreProblem {
    /// The location is not a bucket and a key.
    #[error("expected s3://BUCKET/PREFIX")]
    InvalidUrl,
    /// The key has a part that the client cannot ask for.
    #[error("the client cannot ask for this key")]
    InvalidKey,
    /// The location holds nothing that was asked for.
    #[error("nothing found")]
    NothingFound,
    /// No bucket has the name.
    #[error("no such bucket")]
    NoBucket,
    /// The object is gone.
    #[error("no longer there")]
    NotFound,
    /// No credentials were found.
    #[error("no AWS credentials")]
    NoCredentials,
    /// The credentials are wrong or have expired.
    #[error("the credentials are wrong or have expired")]
    InvalidCredentials,
    /// The credentials do not allow it.
    #[error("access denied")]
    AccessDenied,
    /// The bucket is in another region.
    #[error("the bucket is in another region")]
    OtherRegion,
    /// The server asks for fewer requests.
    #[error("throttled")]
    Throttled,
    /// The server cannot be reached.
    #[error("cannot be reached")]
    Unreachable,
    /// The server did not answer in time.
    #[error("timed out")]
    TimedOut,
    /// The client could not be made.
    #[error("cannot open the bucket")]
    Unopened,
    /// Anything else.
    #[error("request failed")]
    Failed,
}

impl StoreProblem {
    /// The step that mends it, if one is known.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NothingFound => {
                "check bucket and prefix (and --account, --region, --since, --until)"
            }
            Self::NoBucket => "check the bucket's name",
            Self::NoCredentials => {
                "log in (aws sso login), set AWS_PROFILE or AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY; AWS_SKIP_SIGNATURE=true for a public bucket"
            }
            Self::InvalidCredentials => "log in again, or check AWS_PROFILE",
            Self::AccessDenied => {
                "the credentials need s3:ListBucket on the bucket, s3:GetObject on its objects, and \
                 kms:Decrypt where they are encrypted with a key; a dataset that is written to also \
                 s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and kms:GenerateDataKey"
            }
            Self::OtherRegion => "set AWS_REGION",
            Self::Throttled => "try again later, or convert fewer accounts at a time",
            Self::Unreachable => "check the network, and AWS_ENDPOINT_URL if it is set",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
