//! A dataset in a bucket: the same as one on disk, whoever is killed and however many write at once.
//! Needs the server of `s3.rs`.

use crate::dataset::three_logs;
use crate::delta::{file, lines, without_time};
use crate::kill;
use crate::s3::Server;
use crate::support::{Dataset, SAMPLE, buildtrail, dataset, log_file, log_files, run};
use futures::TryStreamExt as _;
use object_store::multipart::MultipartStore as _;
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// A place for a dataset in a bucket of the test's own.
struct Place {
    server: Arc<Server>,
    runtime: Arc<tokio::runtime::Runtime>,
    prefix: String,
}

impl Place {
    fn in_bucket(bucket: &'static str) -> Self {
        let place = Self {
            server: Arc::new(Server::with(bucket)),
            runtime: Arc::new(tokio::runtime::Runtime::new().unwrap()),
            prefix: "lake/events".to_owned(),
        };
        // The server may have seen these tests before.
        let client = place.server.client();
        let left = client.list(Some(&Key::from("lake"))).try_collect::<Vec<_>>();
        for object in place.runtime.block_on(left).unwrap() {
            place.runtime.block_on(client.delete(&object.location)).unwrap();
        }
        place.give_uploads_up();
        place
    }

    /// A copy of it under another prefix of the same bucket.
    fn copy(&self, prefix: &str) -> Self {
        let (server, runtime) = (Arc::clone(&self.server), Arc::clone(&self.runtime));
        let copy = Self { server, runtime, prefix: prefix.to_owned() };
        let client = copy.server.client();
        for file in self.files().keys() {
            self.runtime.block_on(client.copy(&self.key(file), &copy.key(file))).unwrap();
        }
        copy
    }

    fn name(&self) -> String {
        format!("s3://{}/{}", self.server.bucket, self.prefix)
    }

    fn key(&self, file: &str) -> Key {
        Key::parse(format!("{}/{file}", self.prefix)).unwrap()
    }

    fn run(&self, args: &[&str], code: i32) -> crate::support::Run {
        run(self.server.command(args), "").exits(code)
    }

    fn convert(&self, args: &[&str]) -> Value {
        let name = self.name();
        self.run(&[&["convert", "--out", &name, "--format", "json"], args].concat(), 0).json()
    }

    fn sql(&self, sql: &str) -> Value {
        self.run(&["sql", &self.name(), "-c", sql, "--format", "json"], 0).json()
    }

    fn count(&self) -> u64 {
        self.sql("SELECT count(*) AS n FROM events")[0]["n"].as_u64().unwrap()
    }

    fn get(&self, file: &str) -> Option<Vec<u8>> {
        let client = self.server.client();
        self.runtime.block_on(async {
            Some(client.get(&self.key(file)).await.ok()?.bytes().await.unwrap().into())
        })
    }

    fn put(&self, file: &str, bytes: Vec<u8>) {
        let put = self.server.client();
        self.runtime.block_on(put.put(&self.key(file), PutPayload::from(bytes))).unwrap();
    }

    fn delete(&self, file: &str) {
        self.runtime.block_on(self.server.client().delete(&self.key(file))).unwrap();
    }

    /// The sizes of all objects below the dataset.
    fn files(&self) -> BTreeMap<String, u64> {
        let client = self.server.client();
        let found = client.list(Some(&Key::from(&*self.prefix))).try_collect::<Vec<_>>();
        let found = self.runtime.block_on(found).unwrap().into_iter();
        let below = format!("{}/", self.prefix);
        found.map(|o| (o.location.to_string().replace(&below, ""), o.size)).collect()
    }

    fn parts(&self) -> BTreeMap<String, u64> {
        self.files().into_iter().filter(|(name, _)| name.ends_with(".parquet")).collect()
    }

    /// Begins an upload that nobody completes.
    fn upload(&self, file: &str, bytes: Vec<u8>) -> (String, Vec<String>) {
        let (client, key) = (self.server.client(), self.key(file));
        self.runtime.block_on(async {
            let id = client.create_multipart(&key).await.unwrap();
            let part = client.put_part(&key, &id, 0, PutPayload::from(bytes)).await.unwrap();
            (id, vec![part.content_id])
        })
    }

    /// Key and id of every upload in the bucket that is not completed.
    fn uploads_begun(&self) -> Vec<(String, String)> {
        let listed = self.server.request("GET", "?uploads");
        let between = |before: &str, after: &str| -> Vec<String> {
            let found = listed.split(before).skip(1);
            found.map(|rest| rest.split_once(after).unwrap().0.to_owned()).collect()
        };
        let (keys, ids) = (between("<Key>", "</Key>"), between("<UploadId>", "</UploadId>"));
        assert_eq!(keys.len(), ids.len());
        keys.into_iter().zip(ids).collect()
    }

    fn uploads(&self) -> usize {
        self.uploads_begun().len()
    }

    /// As a rule of the bucket's life cycle does.
    fn give_uploads_up(&self) {
        let client = self.server.client();
        for (key, id) in self.uploads_begun() {
            let key = Key::parse(key).unwrap();
            self.runtime.block_on(client.abort_multipart(&key, &id)).unwrap();
        }
    }

    /// Lets the hold of a run end, as it does 90 seconds after the run was killed.
    fn end_hold(&self) {
        let mut hold: Value =
            serde_json::from_slice(&self.get("_buildtrail/lock").unwrap()).unwrap();
        hold["until"] = json!("2020-01-01T00:00:00Z");
        self.put("_buildtrail/lock", hold.to_string().into_bytes());
    }

    /// Where the intent of the newest commit is until all is done.
    fn intent(&self) -> String {
        let commits = self.files().into_keys().filter(|file| file.contains("/commits/"));
        let commit = self.get(&commits.max().unwrap()).unwrap();
        let commit: Value = serde_json::from_slice(&commit).unwrap();
        format!("_buildtrail/staging/{}", commit["intent"].as_str().unwrap())
    }

    /// Nothing is left of what a run needs while it runs.
    fn is_tidy(&self) {
        self.has_nothing_left();
        assert!(self.run(&["verify", &self.name()], 0).stdout.ends_with("all fits\n"));
    }

    fn has_nothing_left(&self) {
        let of_a_run = |name: &&String| name.contains("staging/") || name.ends_with("/lock");
        assert_eq!(self.files().keys().find(of_a_run), None);
        assert_eq!(self.uploads(), 0);
    }

    fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.server.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn a_bucket_has_what_a_folder_has() {
    let place = Place::in_bucket("lake");
    let local = dataset(&[SAMPLE]);
    let summary = place.convert(&[SAMPLE]);
    for counts in ["records", "files", "parts", "bytes"] {
        assert_eq!(summary[counts], local.summary[counts], "{counts}");
    }
    // Part files are named by their content.
    assert_eq!(place.parts().into_keys().collect::<Vec<_>>(), local.parts());
    place.is_tidy();
    let all = "SELECT * FROM events ORDER BY event_time, event_id";
    assert_eq!(place.sql(all), local.sql(all));
    let one =
        "SELECT event_name FROM events WHERE region = 'eu-west-1' AND event_time > '2026-09-20'";
    assert_eq!(place.sql(one), local.sql(one));
    let saved = |name: &str| ["run", "callers", name, "--format", "json"].map(str::to_owned);
    let asked = |name: &str| {
        let args = saved(name);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        run(place.server.command(&args), "").exits(0).json()
    };
    assert_eq!(asked(&place.name()), asked(&local.name()));
    let status = |name: &str| {
        let mut status = place.run(&["status", name, "--format", "json"], 0).json();
        status["last_run"]["at"].take();
        status
    };
    assert_eq!(status(&place.name()), status(&local.name()));
    let ddl = place.run(&["ddl", "athena", &place.name()], 0).stdout;
    assert!(ddl.contains("'s3://lake/lake/events/"), "{ddl}");
    // Nothing new: nothing is written.
    let before = place.files();
    assert_eq!(place.convert(&[SAMPLE])["files"]["skipped"]["known"], 13);
    assert_eq!(place.files(), before);
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn runs_add_to_a_bucket_and_compaction_merges() {
    let place = Place::in_bucket("grown");
    let local = Dataset::place();
    for log in log_files().keys() {
        local.convert(&[log]).exits(0);
        place.convert(&[log]);
    }
    assert_eq!(place.parts().into_keys().collect::<Vec<_>>(), local.parts());
    place.is_tidy();
    let many = place.parts().len();
    place.run(&["compact", &place.name()], 0);
    buildtrail(&["compact", &local.name()]).exits(0);
    assert_eq!(place.parts().into_keys().collect::<Vec<_>>(), local.parts());
    assert!(place.parts().len() < many);
    let all = "SELECT * FROM events ORDER BY event_time, event_id";
    assert_eq!(place.sql(all), local.sql(all));
    place.is_tidy();
    // What was replaced is there for readers that began before, until the next run.
    let removed = || place.files().keys().filter(|name| name.contains("/removed/")).count();
    assert!(removed() > 0);
    place.convert(&[SAMPLE]);
    assert_eq!(removed(), 0);
    place.is_tidy();
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn a_log_in_a_bucket_is_that_of_a_folder() {
    let place = Place::in_bucket("followed");
    let folder = tempfile::tempdir().unwrap();
    let in_region = |region: &str| {
        json!({"eventID": region, "eventSource": "codebuild.amazonaws.com",
               "eventTime": "2026-09-01T00:00:00Z", "awsRegion": region})
    };
    let odd = [in_region("../e 'v%\u{e9}"), in_region("us-east-1")];
    let odd = log_file(folder.path(), "odd.json", &odd);
    let local = Dataset::place();
    for log in [&*odd, "data/AWSLogs/111122223333/CloudTrail/eu-west-1", SAMPLE] {
        place.convert(&[log]);
        local.convert(&[log]).exits(0);
        place.run(&["delta", &place.name()], 0);
        buildtrail(&["delta", &local.name()]).exits(0);
    }
    for name in [&place.name(), &local.name()] {
        place.run(&["compact", name], 0);
    }
    let version = |text: Option<Vec<u8>>| without_time(lines(&text.expect("a version")));
    let expected = |number| version(std::fs::read(local.path().join(file(number))).ok());
    let same = || (0..4).all(|number| version(place.get(&file(number))) == expected(number));
    assert!(same() && place.get(&file(4)).is_none());
    let keys = place.files();
    for add in (0..4).flat_map(expected).filter_map(|mut a| a.get_mut("add").map(Value::take)) {
        let path = percent_encoding::percent_decode_str(add["path"].as_str().unwrap());
        let path = path.decode_utf8().unwrap().into_owned();
        let removed = expected(3).iter().any(|action| action["remove"]["path"] == add["path"]);
        assert!(removed || keys.get(&path) == add["size"].as_u64().as_ref(), "{path}");
    }
    // As killed before the version: the intent is there until all is done.
    place.put(&place.intent(), b"[]".to_vec());
    place.delete(&file(3));
    place.convert(&[SAMPLE]);
    assert!(same());
    place.run(&["verify", &place.name()], 0);
    place.is_tidy();
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn a_log_that_a_killed_run_began_in_a_bucket_is_written_by_the_next() {
    let place = Place::in_bucket("begun");
    place.convert(&["data/AWSLogs/111122223333/CloudTrail/eu-west-1"]);
    place.run(&["delta", &place.name()], 0);
    let version = |number| place.get(&file(number)).map(|text| without_time(lines(&text)));
    let whole = version(0).unwrap();
    place.put(&place.intent(), b"[]".to_vec());
    place.delete(&file(0));
    place.convert(&[SAMPLE]);
    assert_eq!(version(0), Some(whole));
    assert!(version(1).is_some());
    place.is_tidy();
    // Lost when all was done, it is owed by nobody.
    place.delete(&file(1));
    let found = place.run(&["verify", &place.name()], 1).stderr;
    assert!(found.contains("1.json: is gone"), "{found}");
}

/// Kills a conversion and a compaction at each of their points. Readers see the commit before until all
/// part files of the new one are in their places.
#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn a_killed_run_is_in_the_bucket_or_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = three_logs(folder.path());
    let start = Place::in_bucket("killed-anywhere");
    start.convert(&[&first]);
    start.convert(&[&second]);
    start.run(&["delta", &start.name()], 0);
    let names = |place: &Place| place.parts().into_keys().collect::<BTreeSet<_>>();
    let convert = |place: &Place| {
        place.server.command(&["convert", &third, "--out", &place.name(), "--threads", "1"])
    };
    let compact = |place: &Place| place.server.command(&["compact", &place.name()]);
    let (mut reached, copies) = (BTreeSet::new(), Cell::new(0));
    let prefix = || format!("lake/copy-{}", copies.replace(copies.get() + 1));
    for act in [&convert as &dyn Fn(&Place) -> Command, &compact] {
        let whole = start.copy(&prefix());
        run(act(&whole), "").exits(0);
        whole.is_tidy();
        let (before, after) = (names(&start), names(&whole));
        let (rows_before, rows_after) = (start.count(), whole.count());
        reached.extend(kill::at_each_point(
            || start.copy(&prefix()),
            act,
            |point, place| {
                let parts = names(&place);
                let committed = place.get("_buildtrail/commits/00000004.json").is_some();
                let all: BTreeSet<_> = before.union(&after).cloned().collect();
                assert!(if committed { parts.is_subset(&all) } else { parts == before }, "{point}");
                let is_placed = committed && parts.is_superset(&after);
                let rows = if is_placed { rows_after } else { rows_before };
                assert_eq!(place.count(), rows, "{point}");
                // An upload has its id from the server, so that none can be named before it is begun.
                let nameless =
                    point.strip_prefix("upload-begun:").map_or(0, |count| count.parse().unwrap());
                if nameless > 0 {
                    assert_eq!(place.uploads(), nameless, "{point}");
                    place.give_uploads_up();
                }
                place.end_hold();
                run(act(&place), "").exits(0);
                assert_eq!(names(&place), after, "{point}");
                let version =
                    |place: &Place| without_time(lines(&place.get(&file(1)).expect("a version")));
                assert_eq!(version(&place), version(&whole), "{point}");
                place.has_nothing_left();
            },
        ));
    }
    kill::assert_reached(&reached, &kill::in_bucket());
}

/// A run that was killed between its commit and its last upload's completion.
#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn what_a_killed_run_committed_is_completed() {
    let place = Place::in_bucket("killed");
    let eu = "data/AWSLogs/111122223333/CloudTrail/eu-west-1";
    place.convert(&[eu]);
    let (before, parts) = (place.count(), place.parts());
    place.convert(&[SAMPLE]);
    let (after, all) = (place.count(), place.parts());
    assert!(before < after);
    let file = "_buildtrail/commits/00000002.json";
    let mut commit: Value = serde_json::from_slice(&place.get(file).unwrap()).unwrap();
    let mut begun = Vec::new();
    for sent in commit["uploads"].as_array_mut().unwrap() {
        let part = sent["place"].as_str().unwrap().to_owned();
        let bytes = place.get(&part).unwrap();
        place.delete(&part);
        let (id, tags) = place.upload(&part, bytes);
        begun.push(json!([part, id]));
        sent["id"] = json!(id);
        sent["parts"] = json!(tags);
    }
    assert_eq!(begun.len(), all.len() - parts.len());
    place.put(file, commit.to_string().into_bytes());
    let intent = format!("_buildtrail/staging/{}", commit["intent"].as_str().unwrap());
    place.put(&intent, json!(begun).to_string().into_bytes());
    // Readers see the commit before, whole.
    assert_eq!((place.count(), place.parts()), (before, parts));
    assert_eq!(place.convert(&[SAMPLE])["records"]["written"], 0);
    assert_eq!((place.count(), place.parts()), (after, all));
    place.is_tidy();
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn what_a_killed_run_did_not_commit_is_given_up() {
    let place = Place::in_bucket("given-up");
    place.convert(&["data/AWSLogs/111122223333/CloudTrail/eu-west-1"]);
    // One for a commit that another made, one for the next.
    let leave = |version: u64, part: &str| {
        let (id, _) = place.upload(part, b"part".to_vec());
        let intent = format!("_buildtrail/staging/{version:08}-00.json");
        place.put(&intent, json!([[part, id]]).to_string().into_bytes());
    };
    leave(1, "region=a/month=1/part-a.parquet");
    leave(2, "region=a/month=1/part-b.parquet");
    assert_eq!(place.uploads(), 2);
    place.convert(&[SAMPLE]);
    place.is_tidy();
    assert_eq!(place.count(), 78);
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn of_two_runs_from_one_commit_one_gets_in() {
    let place = Place::in_bucket("raced");
    place.convert(&["data/AWSLogs/111122223333/CloudTrail/eu-west-1"]);
    let name = place.name();
    // The version that the other writes is not taken for a stranger's.
    place.run(&["delta", &name], 0);
    // The first has its hold and waits for its input.
    let mut first = place.spawn(&["convert", "-", "--out", &name]);
    while place.get("_buildtrail/lock").is_none() {
        assert!(first.try_wait().unwrap().is_none(), "ended without a hold");
    }
    let refused = place.run(&["convert", SAMPLE, "--out", &name], 1).stderr;
    assert!(refused.contains("another run is writing to it"), "{refused}");
    assert!(refused.contains("if it was killed, its hold ends at "), "{refused}");
    // Its time is over though it lives: another takes it for dead.
    place.end_hold();
    place.convert(&[SAMPLE]);
    let before = place.files();
    let record = json!({"Records": [{
        "eventSource": "codebuild.amazonaws.com", "eventName": "ListBuilds", "eventID": "late",
        "eventTime": "2026-09-01T00:00:00Z", "awsRegion": "us-east-1", "eventVersion": "1.11",
        "userIdentity": {"type": "Root"}
    }]});
    let mut input = first.stdin.take().unwrap();
    input.write_all(record.to_string().as_bytes()).unwrap();
    drop(input);
    let first = first.wait_with_output().unwrap();
    let said = String::from_utf8(first.stderr).unwrap();
    assert_eq!(first.status.code(), Some(1), "{said}");
    assert!(said.contains("another run has committed to it since this one began"), "{said}");
    assert_eq!(
        (place.parts(), place.count(), place.uploads()),
        (before.into_iter().filter(|(name, _)| name.ends_with(".parquet")).collect(), 78, 0)
    );
    place.convert(&[SAMPLE]);
    place.is_tidy();
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn shards_at_once_fill_one_bucket() {
    let place = Place::in_bucket("sharded");
    let (name, source) = (place.name(), "s3://sharded/org");
    let shards: Vec<_> = (1..=4)
        .map(|n| place.spawn(&["convert", source, "--out", &name, "--shard", &format!("{n}/4")]))
        .collect();
    for shard in shards {
        let output = shard.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(place.count(), 78);
    place.is_tidy();
    assert_eq!(place.convert(&[source])["files"]["skipped"]["known"], 13);
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn what_is_wrong_with_a_dataset_in_a_bucket_is_said() {
    let place = Place::in_bucket("damaged");
    let name = place.name();
    let none = place.run(&["sql", &name, "-c", "SELECT 1"], 1).stderr;
    assert!(none.contains("not a dataset: s3://damaged/lake/events"), "{none}");
    let none = place.run(&["status", "s3://no-such-bucket/x"], 1).stderr;
    assert!(none.contains(": no such bucket: S3 answers 404 NoSuchBucket: "), "{none}");
    place.convert(&[SAMPLE]);
    let parts = place.parts();
    let part = parts.keys().next().unwrap();
    let whole = place.get(part).unwrap();
    place.put(part, whole[..whole.len() - 1].to_vec());
    let cut = place.run(&["sql", &name, "-c", "SELECT max(event_id) FROM events"], 1).stderr;
    assert!(cut.contains(part.as_str()) && cut.contains("buildtrail verify"), "{cut}");
    let cut = place.run(&["verify", &name], 1).stderr;
    assert!(cut.contains(part.as_str()) && cut.contains("bytes, the commit says"), "{cut}");
    place.delete(part);
    let lost = place.run(&["sql", &name, "-c", "SELECT max(event_id) FROM events"], 1).stderr;
    assert!(lost.contains(part.as_str()) && lost.contains("put it back"), "{lost}");
    place.put(part, whole);
    place.put("region=x/month=1/part-0.parquet", Vec::new());
    let strange = place.run(&["verify", &name], 1).stderr;
    assert!(strange.contains("region=x/month=1/part-0.parquet: is"), "{strange}");
    place.delete("_buildtrail/dataset.json");
    let remains = place.run(&["convert", SAMPLE, "--out", &name], 1).stderr;
    assert!(remains.contains("has commits, but no _buildtrail/dataset.json"), "{remains}");
}
