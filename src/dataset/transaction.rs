//! What one run adds to a dataset, until it is committed: see [`commit`](super::commit).

use crate::dataset::commit::{Action, Commit};
use crate::dataset::kill_points::reached;
use crate::dataset::ledger::{Input, RecordCounts};
use crate::dataset::parts::PartFile;
use crate::dataset::quarantine::Reject;
use crate::dataset::root::{STAGING, rename, share};
use crate::dataset::segment::{self, Segment};
use crate::dataset::upload::{self, Sent};
use crate::dataset::{Dataset, Root, delta};
use crate::error::{Error, Result};
use crate::hash::short;
use crate::layout::META_FOLDER;
use crate::part::PartMetadata;
use crate::scope::Scope;
use std::collections::{HashMap, HashSet};
use tempfile::{NamedTempFile, TempPath};

/// A part file that waits for the commit.
#[derive(Debug)]
struct Staged {
    /// Its name in the staging folder.
    name: String,
    part: PartFile,
    /// Its bytes, where they are to be sent to a bucket.
    file: Option<TempPath>,
}

/// One run's changes. Dropped without a commit, it never was.
#[derive(Debug)]
pub(crate) struct Transaction<'d> {
    dataset: &'d Dataset,
    staged: Vec<Staged>,
    /// Places of part files that these replace.
    replaced: HashSet<String>,
    /// Rows that are copies and come no more.
    dropped: u64,
}

impl<'d> Transaction<'d> {
    pub(crate) fn new(dataset: &'d Dataset) -> Self {
        Self { dataset, staged: Vec::new(), replaced: HashSet::new(), dropped: 0 }
    }

    /// A file for a new part file, which no reader sees; gone if it is not staged.
    pub(crate) fn file(dataset: &Dataset) -> Result<NamedTempFile> {
        let folder = dataset.root().scratch()?;
        let file = NamedTempFile::new_in(&folder).map_err(Error::io("create", &folder))?;
        share(file.as_file(), file.path())?;
        reached("part-begun");
        Ok(file)
    }

    /// Stages a part file of a partition; its bytes are on the disk.
    pub(crate) fn stage(
        &mut self,
        partition: &str,
        file: TempPath,
        written: &PartMetadata,
    ) -> Result<()> {
        let name = format!("{:08}-{:04}", self.dataset.head.version + 1, self.staged.len());
        let file = match self.dataset.root() {
            Root::Folder(folder) => {
                let path = folder.join(STAGING).join(&name);
                let kept = file.keep();
                let kept = kept.map_err(|failed| Error::io("write", &path)(failed.error))?;
                rename(&kept, &path)?;
                None
            }
            Root::Bucket(_) => Some(file),
        };
        let hash = short(&written.sha256);
        let separator = if partition.is_empty() { "" } else { "/" };
        let part = PartFile {
            path: format!("{partition}{separator}part-{hash}.parquet"),
            rows: written.rows,
            bytes: written.bytes,
            sha256: written.sha256.clone(),
            from: written.from,
            to: written.to,
        };
        self.staged.push(Staged { name, part, file });
        reached("staged");
        Ok(())
    }

    /// Takes part files out of the dataset, by their places; `dropped` of their rows are not among
    /// those staged.
    pub(crate) fn replace(&mut self, places: impl IntoIterator<Item = String>, dropped: u64) {
        self.replaced.extend(places);
        self.dropped += dropped;
    }

    /// Commits a conversion: what was read for what, and what was rejected of it. Some of the inputs
    /// an earlier run has `met`.
    pub(crate) fn commit_converted(
        self,
        scope: &Scope,
        inputs: &[Input],
        rejects: Vec<Reject>,
        met: bool,
    ) -> Result<()> {
        let (root, head) = (self.dataset.root(), &self.dataset.head);
        let mut records = RecordCounts::default();
        for input in inputs {
            records.add(&input.records);
        }
        let rejected = if met {
            quarantine(self.dataset, inputs, rejects)?
        } else {
            segment::append(root, &head.rejected, &rejects)?
        };
        let inputs = segment::append(root, &head.inputs, inputs)?;
        let scope = Some(scope.clone());
        self.commit(Commit {
            action: Action::Convert,
            scope,
            records,
            inputs,
            rejected,
            ..head.clone()
        })
    }

    /// Commits a compaction.
    pub(crate) fn commit_compacted(self) -> Result<()> {
        let head = self.dataset.head.clone();
        let records = RecordCounts::default();
        self.commit(Commit { action: Action::Compact, scope: None, records, ..head })
    }

    /// Commits that a Delta Lake log is begun, and writes its first version.
    pub(crate) fn commit_delta(self) -> Result<()> {
        let head = self.dataset.head.clone();
        let records = RecordCounts::default();
        self.commit(Commit { action: Action::Delta, scope: None, records, ..head })
    }

    /// Makes `next` the newest commit, with the part files of this run: states 2 to 5.
    fn commit(self, next: Commit) -> Result<()> {
        let root = self.dataset.root();
        let commit = self.record(next)?;
        // What can fail, before the commit: a file where a partition's folder is to be.
        commit.make_folders(root)?;
        root.sync(META_FOLDER)?;
        reached("recorded");
        commit.write(root)?;
        commit.place(root)?;
        commit.sweep(root)
    }

    /// Writes what the commit will name; the commit itself is not written yet.
    fn record(self, next: Commit) -> Result<Commit> {
        let root = self.dataset.root();
        let added: Vec<PartFile> = self.staged.iter().map(|staged| staged.part.clone()).collect();
        // The same rows merged again could be the same file: then it stays where it is.
        let stays: HashSet<&str> = added.iter().map(|part| &*part.path).collect();
        let remove = self.replaced.iter().filter(|place| !stays.contains(&***place)).cloned();
        let mut remove: Vec<String> = remove.collect();
        remove.sort();
        let parts = if self.replaced.is_empty() {
            segment::append(root, &self.dataset.head.parts, &added)?
        } else {
            let known = self.dataset.parts.iter();
            let mut parts: Vec<_> =
                known.filter(|part| !self.replaced.contains(&part.path)).cloned().collect();
            parts.extend(added);
            segment::replace(root, &parts)?
        };
        let rows: u64 = self.staged.iter().map(|staged| staged.part.rows).sum();
        let replaced = self.dataset.parts.iter().filter(|p| self.replaced.contains(&p.path));
        let replaced: u64 = replaced.map(|part| part.rows).sum();
        let version = self.dataset.head.version + 1;
        let changes = !self.staged.is_empty() || !remove.is_empty();
        let begins = next.action == Action::Delta;
        let delta = if begins { Some(0) } else { delta::next(root, &self.dataset.head, changes)? };
        let Stage { place, uploads, intent } = Stage::new(root, version, self.staged, begins)?;
        Ok(Commit {
            version,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            rows: (next.rows + rows).saturating_sub(replaced),
            dropped: next.dropped + self.dropped,
            parts,
            place,
            uploads,
            intent,
            remove,
            delta,
            ..next
        })
    }
}

/// What a commit says of its staged part files.
struct Stage {
    place: Vec<(String, String)>,
    uploads: Vec<Sent>,
    intent: Option<String>,
}

impl Stage {
    /// Sees to it that the staged part files stay; `begins` where the commit begins a Delta Lake log.
    fn new(root: &Root, version: u64, staged: Vec<Staged>, begins: bool) -> Result<Self> {
        match root {
            Root::Folder(_) => {
                // Else nobody could tell a log that is to be begun from one that was removed.
                let intent = begins.then(|| format!("{version:08}-delta.json"));
                if let Some(name) = &intent {
                    root.write(&format!("{STAGING}/{name}"), b"[]".to_vec())?;
                }
                root.sync(STAGING)?;
                let place = staged.into_iter().map(|staged| (staged.name, staged.part.path));
                Ok(Self { place: place.collect(), uploads: Vec::new(), intent })
            }
            Root::Bucket(at) => {
                let file =
                    |staged: Staged| Some((staged.part.path, staged.part.bytes, staged.file?));
                let files: Vec<_> = staged.into_iter().filter_map(file).collect();
                let (intent, uploads) = upload::send(at, version, &files)?;
                Ok(Self { place: Vec::new(), uploads, intent: Some(intent) })
            }
        }
    }
}

/// The quarantine after a run: what was rejected of an input before gives way to what is now.
fn quarantine(dataset: &Dataset, inputs: &[Input], rejects: Vec<Reject>) -> Result<Vec<Segment>> {
    let (root, head) = (dataset.root(), &dataset.head);
    let inputs: HashMap<&str, &Input> = inputs.iter().map(|input| (&*input.uri, input)).collect();
    let mut kept = Vec::new();
    let mut gone = 0;
    segment::read(root, &head.rejected, &mut |reject: Reject| match inputs.get(&*reject.file) {
        Some(input) if reject.gives_way_to(input) => gone += 1,
        _ => kept.push(reject),
    })?;
    if gone == 0 {
        return segment::append(root, &head.rejected, &rejects);
    }
    kept.extend(rejects);
    segment::replace(root, &kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::PartWriter;
    use crate::rows::columns_for_tests;
    use crate::scope::{Keep, Redact};
    use std::fs;
    use std::path::Path;

    const SCOPE: Scope = Scope { keep: Keep::CodeBuild, since: None, until: None };

    /// What plain readers and our own see: part files on the disk, and rows.
    fn seen(folder: &Path) -> (Vec<String>, u64) {
        let dataset = Dataset::open(folder).unwrap();
        let rows = |part: &PartFile| dataset.part(part).unwrap().rows();
        let on_disk = dataset.root().part_files().unwrap();
        let on_disk = on_disk.into_iter().map(|part| part.path).collect();
        (on_disk, dataset.parts().iter().map(rows).sum())
    }

    fn stage<'d>(dataset: &'d Dataset, partition: &str, id: &str) -> Transaction<'d> {
        let mut transaction = Transaction::new(dataset);
        let batch = columns_for_tests(&[id]);
        let file = Transaction::file(dataset).unwrap();
        let name = file.path().to_owned();
        let mut writer = PartWriter::new(file.as_file(), name, 1).unwrap();
        writer.write(&batch).unwrap();
        let written = writer.finish().unwrap();
        transaction.stage(partition, file.into_temp_path(), &written).unwrap();
        transaction
    }

    fn open(folder: &Path) -> Dataset {
        Dataset::create(folder, None, Redact::Standard).unwrap()
    }

    fn staging(folder: &Path) -> usize {
        fs::read_dir(folder.join(STAGING)).unwrap().count()
    }

    #[test]
    fn killed_before_its_commit_a_run_never_was() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        stage(&open(folder), "month=1", "a").commit_converted(&SCOPE, &[], vec![], false).unwrap();
        let before = seen(folder);
        assert_eq!((before.0.len(), before.1), (1, 1));
        // Staged, and staged and recorded; a file that was not even staged lies about as well.
        drop(stage(&open(folder), "month=1", "b"));
        {
            let dataset = open(folder);
            let transaction = stage(&dataset, "month=2", "c");
            drop(Transaction::file(&dataset).unwrap().into_temp_path().keep().unwrap());
            transaction.record(dataset.head.clone()).unwrap();
        }
        assert_eq!(staging(folder), 2);
        assert_eq!(seen(folder), before);
        drop(open(folder));
        assert_eq!((seen(folder), staging(folder)), (before, 0));
    }

    #[test]
    fn killed_after_its_commit_a_run_is_completed() {
        for placed in [0, 1] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            stage(&open(folder), "month=1", "a")
                .commit_converted(&SCOPE, &[], vec![], false)
                .unwrap();
            let dataset = open(folder);
            let mut transaction = stage(&dataset, "month=1", "b");
            let old: Vec<_> = dataset.parts.iter().map(|part| part.path.clone()).collect();
            transaction.replace(old.clone(), 1);
            let commit = transaction.record(dataset.head.clone()).unwrap();
            commit.write(dataset.root()).unwrap();
            if placed == 1 {
                let (staged, place) = &commit.place[0];
                let to = folder.join(place);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::rename(folder.join(STAGING).join(staged), to).unwrap();
            }
            drop(dataset);
            // Ours see the commit at once; plain readers see the old part file until it is placed.
            let (on_disk, rows) = seen(folder);
            assert_eq!(rows, 1);
            assert!(on_disk.contains(&old[0]) && on_disk.len() == 1 + placed, "{on_disk:?}");
            // A reader that began before the commit still finds what it replaced.
            let before = Dataset { head: Commit::none(), ..Dataset::open(folder).unwrap() };
            drop(open(folder));
            let (on_disk, rows) = seen(folder);
            assert_eq!((on_disk, rows), (vec![commit.place[0].1.clone()], 1));
            assert!(before.places.open(&old[0]).is_ok());
        }
    }
}
