//! Log files from S3, from a real server on loopback: the environment's `BUILDTRAIL_TEST_S3` is its
//! URL (`moto_server`). CI starts one; `tests/README.md` says how to do it by hand. Tests that need it
//! are ignored unless they are asked for, and fail without it.

use crate::support::{Dataset, SAMPLE, buildtrail, command, dataset, files, run};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{
    Attribute, AttributeValue, Attributes, ObjectStore as _, ObjectStoreExt as _, PutOptions,
    PutPayload,
};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// A bucket of the test's own with the sample trail below `org/`.
pub(crate) struct Server {
    url: String,
    pub(crate) bucket: &'static str,
}

impl Server {
    pub(crate) fn with(bucket: &'static str) -> Self {
        let url = std::env::var("BUILDTRAIL_TEST_S3").expect(
            "BUILDTRAIL_TEST_S3 names no S3 server: start one with `moto_server -p 5555` and set it to \
             http://127.0.0.1:5555 (tests/README.md)",
        );
        let server = Self { url, bucket };
        assert!(server.request("PUT", "").contains(" 200 "), "no bucket {bucket}");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = server.client();
        for name in files(Path::new(SAMPLE)) {
            let bytes = std::fs::read(Path::new(SAMPLE).join(&name)).unwrap();
            let key = Key::parse(format!("org/AWSLogs/{name}")).unwrap();
            runtime.block_on(client.put(&key, PutPayload::from(bytes))).unwrap();
        }
        server
    }

    /// Making a bucket is no request of the client's.
    pub(crate) fn request(&self, method: &str, path: &str) -> String {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let bucket = self.bucket;
        write!(stream, "{method} /{bucket}{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn client(&self) -> AmazonS3 {
        let builder = AmazonS3Builder::new().with_bucket_name(self.bucket).with_endpoint(&self.url);
        let builder = builder.with_access_key_id("test").with_secret_access_key("test");
        builder.with_region("us-east-1").with_allow_http(true).build().unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    /// The summary of a conversion.
    pub(crate) fn convert(&self, place: &Dataset, args: &[&str]) -> serde_json::Value {
        let name = place.name();
        let args = [&["convert", "--out", &name, "--format", "json"], args].concat();
        run(self.command(&args), "").exits(0).json()
    }
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn a_bucket_gives_what_its_folder_gives() {
    let server = Server::with("whole");
    let (local, place) = (dataset(&[SAMPLE]), Dataset::place());
    let summary = server.convert(&place, &["s3://whole/org"]);
    for counts in ["records", "files"] {
        assert_eq!(summary[counts], local.summary[counts]);
    }
    let (mut rows, mut expected) = (place.rows(), local.rows());
    for row in rows.iter_mut().chain(&mut expected) {
        let file = row["source_file"].as_str().unwrap().to_owned();
        row["source_file"] = file.replace("s3://whole/org/AWSLogs", SAMPLE).into();
    }
    assert_eq!(rows, expected);
    buildtrail(&["verify", &place.name()]).exits(0);
    // Known by entity tag, from a list as well, with one object named outright.
    assert_eq!(server.convert(&place, &["s3://whole/org/"])["files"]["skipped"]["known"], 13);
    let one = rows[0]["source_file"].as_str().unwrap().replace(SAMPLE, "s3://whole/org/AWSLogs");
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), format!("{one}\n\n")).unwrap();
    let listed =
        server.convert(&Dataset::place(), &["--inputs-from", list.path().to_str().unwrap()]);
    assert_eq!((&listed["files"]["found"], &listed["files"]["read"]), (&json!(1), &json!(1)));
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn keys_tell_what_is_read() {
    let server = Server::with("pruned");
    let period = ["--since", "2026-09-20", "--until", "2026-09-22"];
    for (args, local) in [
        (&["--region", "eu-west-1"][..], "data/AWSLogs/111122223333/CloudTrail/eu-west-1"),
        (&["--account", "444455556666"], "data/AWSLogs/444455556666"),
    ] {
        let place = Dataset::place();
        let pruned = server.convert(&place, &[&["s3://pruned"], args].concat());
        assert_eq!(pruned["records"]["written"], dataset(&[local]).summary["records"]["written"]);
        // The same on disk.
        assert_eq!(pruned["records"], dataset(&[&[SAMPLE], args].concat()).summary["records"]);
    }
    let place = Dataset::place().name();
    let none = ["convert", "s3://pruned", "--account", "999999999999", "--out", &place];
    let none = run(server.command(&none), "").exits(1);
    assert!(none.stderr.contains("s3://pruned: nothing found"), "{}", none.stderr);
    // The events of a day, delivered on it, the day before, or three days later.
    let late = [&period[..], &["--late-days", "3"]].concat();
    let day = server.convert(&Dataset::place(), &[&["s3://pruned"], &late[..]].concat());
    let all = server.convert(&Dataset::place(), &[&["s3://pruned"], &period[..]].concat());
    // One comes later than that: the 30 days that CloudTrail tries for are not for nothing.
    let written = |summary: &serde_json::Value| summary["records"]["written"].as_u64().unwrap();
    assert_eq!((written(&day), written(&all)), (8, 9));
    assert!(day["files"]["read"].as_u64() < all["files"]["read"].as_u64(), "{day} {all}");
    assert_eq!(day["records"], dataset(&[&[SAMPLE], &late[..]].concat()).summary["records"]);
}

/// A digest's own signature is in its metadata, so that even the newest is valid.
#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn digests_are_checked_with_their_metadata() {
    let server = Server::with("validated");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (client, folder) = (server.client(), Path::new("data/validated"));
    let metadata = std::fs::read(folder.join("metadata.json")).unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
    let put = |name: &str, bytes: Vec<u8>| {
        let signature = metadata[name]["Metadata"]["signature"].as_str();
        let pairs = signature.map(|signature| {
            (Attribute::Metadata("signature".into()), AttributeValue::from(signature.to_owned()))
        });
        let options =
            PutOptions { attributes: Attributes::from_iter(pairs), ..PutOptions::default() };
        let key = Key::parse(format!("trail/{name}")).unwrap();
        runtime.block_on(client.put_opts(&key, PutPayload::from(bytes), options)).unwrap();
    };
    let names = files(&folder.join("AWSLogs")).into_iter().map(|name| format!("AWSLogs/{name}"));
    let names: Vec<_> = names.collect();
    for name in &names {
        put(name, std::fs::read(folder.join(name)).unwrap());
    }
    let verify = ["verify", "s3://validated/trail", "--public-keys"];
    let verify = [&verify[..], &["data/validated/public-keys.json"]].concat();
    assert_eq!(run(server.command(&verify), "").exits(0).stdout, "5 valid\n");
    let place = Dataset::place();
    let by = ["--verify", "--public-keys", "data/validated/public-keys.json"];
    let summary = server.convert(&place, &[&["s3://validated/trail"], &by[..]].concat());
    assert_eq!((&summary["files"]["read"], &summary["files"]["rejected"]), (&json!(2), &json!(0)));
    let log = names.iter().find(|name| !name.contains("Digest")).unwrap();
    put(log, b"{\"Records\":[]}".to_vec());
    let found = run(server.command(&verify), "").exits(1);
    assert!(found.stdout.contains("invalid-hash"), "{}", found.stdout);
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn what_is_wrong_with_a_bucket_is_said() {
    let server = Server::with("wrong");
    let place = Dataset::place();
    let fails = |mut command: Command, reason: &str| {
        command.env("HOME", "/nonexistent");
        let run = run(command, "").exits(1);
        assert!(run.stderr.contains(reason), "{}", run.stderr);
        let hint = run.stderr.lines().skip(1).all(|line| line.starts_with("hint: "));
        assert!(hint && run.stderr.lines().count() < 3, "{}", run.stderr);
        assert!(!place.path().exists());
    };
    let convert = |source: &str| server.command(&["convert", source, "--out", &place.name()]);
    fails(convert("s3://no-such-bucket/x"), ": no such bucket: S3 answers 404 NoSuchBucket: ");
    fails(convert("s3://wrong/nothing/here"), "s3://wrong/nothing/here: nothing found");
    fails(convert("s3://"), "s3://");
    let mut unsigned = convert("s3://wrong");
    unsigned.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    fails(unsigned, "no AWS credentials");
    let mut away = convert("s3://wrong");
    away.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    fails(away, "cannot be reached");
    fails(
        server.command(&["convert", SAMPLE, "--out", "s3://no-such-bucket/dataset"]),
        ": no such bucket: S3 answers 404 NoSuchBucket: ",
    );
}
