//! Tables of what a dataset knows of itself: part files, inputs, rejected records.
//!
//! A table is a list of segments, each a gzip file of JSON lines named by its hash, never changed
//! once written: `zcat` and any engine read them. A commit appends its entries; small segments at the
//! end are merged on the way, each at most about as often as a number has binary digits, so an hourly
//! run for years leaves a dozen of them. It refuses to know which segments count: the newest commit
//! names them; those of the commit before lie beside them for a while.

use crate::dataset::Root;
use crate::dataset::kill_points::reached;
use crate::error::{DatasetProblem, Error, Result};
use crate::hash::{hex, short};
use crate::layout::META_FOLDER;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader, BufWriter, IntoInnerError, Write as _};
use std::path::Path;

/// Bytes of entries that are compressed together.
const BUFFER: usize = 64 << 10;

/// A row of such a table.
pub(crate) trait Entry: Serialize + DeserializeOwned {
    /// The folder of its segments, below the dataset's records.
    const FOLDER: &'static str;
}

/// One segment of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) entries: u64,
}

fn folder<E: Entry>() -> String {
    format!("{META_FOLDER}/{}", E::FOLDER)
}

fn file<E: Entry>(name: &str) -> String {
    format!("{}/{name}.ndjson.gz", folder::<E>())
}

/// Gives `each` every entry of `segments`, in order.
pub(crate) fn read<E: Entry>(
    root: &Root,
    segments: &[Segment],
    each: &mut impl FnMut(E),
) -> Result<()> {
    for segment in segments {
        let file = file::<E>(&segment.name);
        let path = root.name(&file);
        let damaged =
            |reason| Error::dataset(path.display(), DatasetProblem::DamagedSegment(reason));
        let mut lines = BufReader::new(GzDecoder::new(root.reader(&file)?));
        let mut line = Vec::new();
        let mut entries = 0;
        loop {
            line.clear();
            let count = lines.read_until(b'\n', &mut line).map_err(Error::io("read", &path))?;
            if count == 0 {
                break;
            }
            each(serde_json::from_slice(&line).map_err(|error| damaged(error.to_string()))?);
            entries += 1;
        }
        if entries != segment.entries {
            return Err(damaged(format!("has {entries} entries instead of {}", segment.entries)));
        }
    }
    Ok(())
}

/// All entries of `segments`.
pub(crate) fn collect<E: Entry>(root: &Root, segments: &[Segment]) -> Result<Vec<E>> {
    let mut all = Vec::new();
    read(root, segments, &mut |entry| all.push(entry))?;
    Ok(all)
}

/// `segments` with `entries` after them; writes what is new.
pub(crate) fn append<E: Entry>(
    root: &Root,
    segments: &[Segment],
    entries: &[E],
) -> Result<Vec<Segment>> {
    let mut kept = segments.to_vec();
    let mut count = entries.len() as u64;
    if count == 0 {
        return Ok(kept);
    }
    let mut merged = Vec::new();
    while let Some(last) = kept.pop_if(|last| last.entries <= 2 * count) {
        count += last.entries;
        merged.push(last);
    }
    merged.reverse();
    let mut writer = SegmentWriter::new();
    let mut failed = Ok(());
    read(root, &merged, &mut |entry: E| {
        if failed.is_ok() {
            failed = writer.put(&entry);
        }
    })?;
    failed?;
    for entry in entries {
        writer.put(entry)?;
    }
    kept.push(writer.finish::<E>(root)?);
    Ok(kept)
}

/// A table of these entries alone.
pub(crate) fn replace<E: Entry>(root: &Root, entries: &[E]) -> Result<Vec<Segment>> {
    append(root, &[], entries)
}

/// Fails where a segment's bytes are not those that it was named by.
pub(crate) fn check<E: Entry>(root: &Root, segments: &[Segment]) -> Result<()> {
    for segment in segments {
        let file = file::<E>(&segment.name);
        if !root.hash(&file)?.0.starts_with(&segment.name) {
            let place = root.name(&file);
            return Err(Error::dataset(place.display(), DatasetProblem::ChangedSegment));
        }
    }
    Ok(())
}

/// Entries on their way into a segment.
struct SegmentWriter {
    /// An entry is written by its words: each by itself would cost the encoder more than all its bytes.
    encoder: BufWriter<GzEncoder<Vec<u8>>>,
    entries: u64,
}

impl SegmentWriter {
    fn new() -> Self {
        // Without a time or name in its head, equal entries are equal bytes.
        let encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
        Self { encoder: BufWriter::with_capacity(BUFFER, encoder), entries: 0 }
    }

    fn put(&mut self, entry: &impl Serialize) -> Result<()> {
        let written = serde_json::to_writer(&mut self.encoder, entry).map_err(Into::into);
        let written = written.and_then(|()| self.encoder.write_all(b"\n"));
        written.map_err(Error::io("compress", Path::new("a ledger's entry")))?;
        self.entries += 1;
        Ok(())
    }

    fn finish<E: Entry>(self, root: &Root) -> Result<Segment> {
        let encoder = self.encoder.into_inner().map_err(IntoInnerError::into_error);
        let finished = encoder.and_then(GzEncoder::finish);
        let bytes = finished.map_err(Error::io("compress", Path::new(E::FOLDER)))?;
        let name = short(&hex(&Sha256::digest(&bytes))).to_owned();
        root.write(&file::<E>(&name), bytes)?;
        Ok(Segment { name, entries: self.entries })
    }
}

/// Removes the segments that no commit of `named` names; of a bucket those of `dead` alone, as others
/// may be a run's that is not yet committed.
pub(crate) fn sweep<E: Entry>(root: &Root, named: &[Segment], dead: &[Segment]) -> Result<()> {
    let of = |segments: &[Segment], name: &str| segments.iter().any(|s| s.name == name);
    let files = match root {
        Root::Folder(_) => root.names(&folder::<E>())?,
        Root::Bucket(_) => dead.iter().map(|s| format!("{}.ndjson.gz", s.name)).collect(),
    };
    for name in files {
        if !name.strip_suffix(".ndjson.gz").is_some_and(|known| of(named, known)) {
            root.remove(&format!("{}/{name}", folder::<E>()))?;
            reached("swept");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Number(u64);
    impl Entry for Number {
        const FOLDER: &'static str = "numbers";
    }

    #[test]
    fn entries_come_back_in_order_from_few_segments() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::Folder(folder.path().to_owned());
        let mut segments = Vec::new();
        for number in 0..1000 {
            segments = append(&root, &segments, &[Number(number)]).unwrap();
            assert!(segments.len() < 12, "{segments:?}");
        }
        let all: Vec<Number> = collect(&root, &segments).unwrap();
        assert_eq!(all, (0..1000).map(Number).collect::<Vec<_>>());
        sweep::<Number>(&root, &segments, &[]).unwrap();
        let files = root.names(&super::folder::<Number>()).unwrap().len();
        assert_eq!(files, segments.len());
        assert_eq!(append::<Number>(&root, &segments, &[]).unwrap(), segments);
    }

    #[test]
    fn a_damaged_segment_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::Folder(folder.path().to_owned());
        let segments = replace(&root, &[Number(1), Number(2)]).unwrap();
        let more = [Segment { entries: 3, ..segments[0].clone() }];
        let error = collect::<Number>(&root, &more).unwrap_err().to_string();
        assert!(error.contains("has 2 entries instead of 3"), "{error}");
        let path = root.name(&file::<Number>(&segments[0].name));
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(collect::<Number>(&root, &segments).is_err());
    }
}
