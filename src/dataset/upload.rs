//! Part files on their way into a bucket.
//!
//! A multipart upload is seen by nobody until it is completed, so part files are sent before their
//! commit, which names the uploads, and completed after it. Before anything is sent, an intent (an object
//! in the staging folder) says which uploads there are: what a killed run leaves is given up by a
//! later one, when no commit can name it any more. Only uploads that were begun before their intent was
//! there stay, because the server gives an upload its id: nothing was sent for them, and a rule of the
//! bucket's life cycle ends them.

use crate::dataset::Root;
use crate::dataset::kill_points::reached;
use crate::dataset::root::{InBucket, STAGING};
use crate::error::{DatasetProblem, Error, Result};
use crate::store::{Precondition, Upload, token};
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

/// A part file that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// Its place in the dataset.
    pub(crate) place: String,
    pub(crate) bytes: u64,
    #[serde(flatten)]
    upload: Upload,
}

/// What an intent says: place and id of each upload.
#[derive(Debug, Serialize, Deserialize)]
struct Intent(Vec<(String, String)>);

/// Part files by their places.
type StagedFiles<'f> = &'f [(String, u64, TempPath)];

/// Sends part files for commit `version`; the intent's name, and what was sent.
pub(crate) fn send(
    at: &InBucket,
    version: u64,
    files: StagedFiles<'_>,
) -> Result<(String, Vec<Sent>)> {
    let name = format!("{version:08}-{}.json", token());
    let mut intent = Intent(Vec::new());
    let sent = begin_and_send(at, &name, files, &mut intent);
    sent.map(|sent| (name.clone(), sent)).inspect_err(|_| give_up(at, &name, &intent))
}

fn begin_and_send(
    at: &InBucket,
    name: &str,
    files: StagedFiles<'_>,
    intent: &mut Intent,
) -> Result<Vec<Sent>> {
    for (place, ..) in files {
        intent.0.push((place.clone(), at.bucket.begin(&at.key(place))?));
        reached("upload-begun");
    }
    let text = serde_json::to_vec(&intent).unwrap_or_default();
    at.bucket.put(&at.key(&format!("{STAGING}/{name}")), text.into(), Precondition::None)?;
    reached("intended");
    let sent = intent.0.iter().zip(files).map(|((place, id), (_, bytes, file))| {
        let upload = at.bucket.send(&at.key(place), id.clone(), file)?;
        reached("sent");
        Ok(Sent { place: place.clone(), bytes: *bytes, upload })
    });
    sent.collect()
}

/// Gives up what was begun for a commit that was not made. What cannot be, a later run gives up.
pub(crate) fn abort(at: &InBucket, name: &str, sent: &[Sent]) {
    let begun = sent.iter().map(|sent| (sent.place.clone(), sent.upload.id.clone()));
    give_up(at, name, &Intent(begun.collect()));
}

fn give_up(at: &InBucket, name: &str, intent: &Intent) {
    let aborted = intent.0.iter().try_for_each(|(place, id)| at.bucket.abort(&at.key(place), id));
    if aborted.is_ok() {
        let _ = at.bucket.remove(vec![at.key(&format!("{STAGING}/{name}"))]);
    }
}

/// Makes part files of what was sent, as far as it is not yet.
pub(crate) fn complete(at: &InBucket, sent: &[Sent]) -> Result<()> {
    for Sent { place, bytes, upload } in sent {
        let key = at.key(place);
        if !at.bucket.complete(&key, upload)? && at.bucket.size(&key)? != Some(*bytes) {
            return Err(Error::dataset(at.bucket.uri(&key), DatasetProblem::UploadGone));
        }
        reached("placed");
    }
    Ok(())
}

/// Whether all that was sent has been completed.
pub(crate) fn are_complete(at: &InBucket, sent: &[Sent]) -> Result<bool> {
    for Sent { place, bytes, .. } in sent {
        if at.bucket.size(&at.key(place))? != Some(*bytes) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Gives up what runs left that can no longer be committed: those for commits up to `version`.
pub(crate) fn sweep(root: &Root, at: &InBucket, version: u64) -> Result<()> {
    for name in root.names(STAGING)? {
        let number = name.split_once('-').and_then(|(number, _)| number.parse::<u64>().ok());
        if number.is_none_or(|number| number > version) {
            continue;
        }
        let text = root.read(&format!("{STAGING}/{name}"))?.unwrap_or_default();
        // What nobody can read names nothing.
        let intent = serde_json::from_slice(&text).unwrap_or(Intent(Vec::new()));
        give_up(at, &name, &intent);
    }
    Ok(())
}
