//! The options by which log files are checked: digests, their keys and signatures.

use crate::convert;
use crate::error::Result;
use crate::integrity::{self, CheckInputs, CheckedFile, Vouched};
use crate::log_file::LogFile;
use crate::printable::say;
use crate::sources::Selection;
use chrono::Days;
use std::path::PathBuf;
use std::sync::Arc;

/// Options for checking log files.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DigestArgs {
    /// The output of `aws cloudtrail list-public-keys`, of the time and region of the digests
    #[arg(long, value_name = "FILE")]
    public_keys: Vec<PathBuf>,
    /// Where the digests are, if not with the log files
    #[arg(long = "digests", value_name = "PLACE")]
    pub(in crate::cli) place: Vec<String>,
    /// The digests' metadata in S3: {"KEY": {"x-amz-meta-signature": "HEX"}}
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

impl DigestArgs {
    /// Whether log files are to be checked at all.
    pub(in crate::cli) fn are_given(&self) -> bool {
        !self.public_keys.is_empty() || !self.place.is_empty() || self.metadata.is_some()
    }

    /// Returns the statements of valid digests about the log files in sources.
    pub(in crate::cli) fn vouched(
        &self,
        sources: &[String],
        wanted: &Selection,
    ) -> Result<Vouched> {
        integrity::vouched(&self.inputs(sources, wanted)?)
    }

    /// Lists log files and digests as `convert` does, so that what it reads is what is checked.
    pub(in crate::cli) fn inputs(
        &self,
        sources: &[String],
        wanted: &Selection,
    ) -> Result<CheckInputs> {
        // A log file is in a digest of its day or, around midnight, the next day's.
        let later = wanted.to.and_then(|to| to.checked_add_days(Days::new(1)));
        let digest_selection = Selection { to: later, ..wanted.clone() };
        let (mut log_files, mut digests, mut problems) = convert::list(sources, &digest_selection)?;
        log_files.retain(|file| wanted.may_hold(&file.path.to_string_lossy()));
        if !self.place.is_empty() {
            let (_, elsewhere, more) = convert::list(&self.place, &digest_selection)?;
            digests = elsewhere;
            problems.extend(more);
        }
        if digests.is_empty() {
            say(
                "note: no digests were found: they are in the folder CloudTrail-Digest beside CloudTrail; \
                 --digests tells where",
            );
        }
        let files = |files: Vec<LogFile>| files.into_iter().map(CheckedFile::from).collect();
        Ok(CheckInputs {
            log_files: files(log_files),
            digests: files(digests),
            log_selection: wanted.clone(),
            digest_selection,
            unlisted: problems.into_iter().map(|problem| (problem.file, problem.reason)).collect(),
            public_keys: self.public_keys.clone(),
            metadata: self.metadata.clone(),
        })
    }
}

impl From<LogFile> for CheckedFile {
    fn from(file: LogFile) -> Self {
        let object = file.in_bucket().map(|(bucket, key)| (Arc::clone(bucket), key.to_owned()));
        Self { object, path: file.path }
    }
}
