//! `verify` of log files: a chain of digests that the test signs itself, tampered with in every way.
//!
//! The key in `tests/digests` was made for these tests and signs nothing else.

use crate::support::{Dataset, Run, buildtrail, events, files, text};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const BUCKET: &str = "trail-bucket";
const ACCOUNT: &str = "AWSLogs/111122223333";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn digest_key(hour: usize) -> String {
    format!(
        "{ACCOUNT}/CloudTrail-Digest/us-east-1/2026/09/26/\
         111122223333_CloudTrail-Digest_us-east-1_trail_us-east-1_20260926T{hour:02}0131Z.json.gz"
    )
}

fn log_key(hour: usize) -> String {
    format!(
        "{ACCOUNT}/CloudTrail/us-east-1/2026/09/26/\
         111122223333_CloudTrail_us-east-1_20260926T{hour:02}00Z_abcdefghijklmnop.json.gz"
    )
}

/// A folder with a log file and a digest for each of six hours.
struct Trail {
    folder: TempDir,
    key: RsaKeyPair,
}

impl Trail {
    /// `restarts`: hours whose digest begins a chain.
    fn new(restarts: &[usize]) -> Self {
        let key = RsaKeyPair::from_pkcs8(
            &fs::read("tests/digests/private-key-for-tests-only.pk8").unwrap(),
        );
        let trail = Self { folder: tempfile::tempdir().unwrap(), key: key.unwrap() };
        let public = trail.key.public_key().as_ref().to_vec();
        let fingerprint = hex(&md5::Md5::digest(&public));
        let keys = json!({"PublicKeyList": [{"Value": BASE64_STANDARD.encode(&public),
            "ValidityStartTime": "2026-09-20T00:00:00Z", "Fingerprint": fingerprint}]});
        trail.write("keys.json", keys.to_string().as_bytes());
        let (mut before, mut metadata) = (None, Map::new());
        for (hour, event) in events().iter().enumerate().take(6) {
            let log = json!({"Records": [event]}).to_string();
            trail.write(&log_key(hour), &gzip(&log));
            let previous = before.take().filter(|_| !restarts.contains(&hour));
            let (content, signature) = trail.digest(hour, &log, &fingerprint, previous);
            trail.write(&digest_key(hour), &gzip(&content));
            metadata.insert(digest_key(hour), json!({"x-amz-meta-signature": signature}));
            before = Some((hex(&Sha256::digest(&content)), signature));
        }
        trail.write("metadata.json", Value::from(metadata).to_string().as_bytes());
        trail
    }

    /// A digest's content and signature.
    fn digest(
        &self,
        hour: usize,
        log: &str,
        fingerprint: &str,
        before: Option<(String, String)>,
    ) -> (String, String) {
        let end = format!("2026-09-26T{hour:02}:01:31Z");
        let start = format!(
            "2026-09-{:02}T{:02}:01:31Z",
            if hour == 0 { 25 } else { 26 },
            (hour + 23) % 24
        );
        let key = digest_key(hour);
        let previous = before.as_ref().map(|_| digest_key(hour - 1));
        let (hash, signed) = before.unzip();
        let content = json!({"awsAccountId": "111122223333", "digestStartTime": start, "digestEndTime": end,
            "digestS3Bucket": BUCKET, "digestS3Object": key, "digestPublicKeyFingerprint": fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": previous.as_ref().map(|_| BUCKET), "previousDigestS3Object": previous,
            "previousDigestHashValue": hash, "previousDigestHashAlgorithm": "SHA-256",
            "previousDigestSignature": signed,
            "logFiles": [{"s3Bucket": BUCKET, "s3Object": log_key(hour), "hashAlgorithm": "SHA-256",
                          "hashValue": hex(&Sha256::digest(log)), "newestEventTime": null, "oldestEventTime": null}]});
        let content = content.to_string();
        let signed = signed.as_deref().unwrap_or("null");
        let text = format!("{end}\n{BUCKET}/{key}\n{}\n{signed}", hex(&Sha256::digest(&content)));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .unwrap();
        (content, hex(&signature))
    }

    fn path(&self, name: &str) -> PathBuf {
        let is_beside = ["keys.json", "metadata.json"].contains(&name);
        self.folder.path().join(if is_beside { "beside" } else { "logs" }).join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    fn edit(&self, name: &str, edit: impl FnOnce(String) -> String) {
        let mut content = String::new();
        let packed = fs::read(self.path(name)).unwrap();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*packed), &mut content)
            .unwrap();
        self.write(name, &gzip(&edit(content)));
    }

    /// Adds a digest that nobody signed, with some hash of the digest before it.
    fn forge(&self, hour: usize, hash: &str) {
        let fingerprint = "0".repeat(32);
        let before = Some((hash.to_owned(), "00".repeat(256)));
        let (content, _) = self.digest(hour, "{}", &fingerprint, before);
        let content = content.replace(&log_key(hour), &log_key(2));
        self.write(&digest_key(hour), &gzip(&content));
    }

    fn verify(&self, options: &[&str]) -> Run {
        let (logs, keys) = (text(&self.path("")), text(&self.path("keys.json")));
        buildtrail(
            &[&["verify", &logs, "--public-keys", &keys, "--format", "json"], options].concat(),
        )
    }

    fn convert(&self, place: &Dataset) -> Run {
        let (logs, keys) = (text(&self.path("AWSLogs")), text(&self.path("keys.json")));
        let (name, metadata) = (place.name(), text(&self.path("metadata.json")));
        let by = ["--verify", "--public-keys", &keys, "--metadata", &metadata];
        buildtrail(&[&["convert", &logs, "--out", &name, "--format", "json"], &by[..]].concat())
    }

    /// Every state but valid, with the end of the object's name, after a check with metadata.
    fn found(&self, status: i32) -> Vec<(String, String)> {
        let metadata = text(&self.path("metadata.json"));
        let report = self.verify(&["--metadata", &metadata]).exits(status).json();
        let findings = report["findings"].as_array().unwrap().iter();
        let wrong = findings.filter(|finding| finding["state"] != "valid");
        wrong.map(|f| (f["state"].as_str().unwrap().to_owned(), hour_of(&f["object"]))).collect()
    }
}

/// `digest 3` or `log 3`: which object it is.
fn hour_of(object: &Value) -> String {
    let object = object.as_str().unwrap();
    let names = (0..6).map(|hour| (digest_key(hour), log_key(hour), hour));
    let hour = names.into_iter().find_map(|(digest, log, hour)| {
        let is = |key: &str| object.ends_with(key) || object.ends_with(key.trim_end_matches(".gz"));
        is(&digest)
            .then(|| format!("digest {hour}"))
            .or_else(|| is(&log).then(|| format!("log {hour}")))
    });
    hour.unwrap_or_else(|| "other".to_owned())
}

#[test]
fn a_whole_chain_is_valid() {
    let trail = Trail::new(&[]);
    assert_eq!(trail.found(0), []);
    let report = trail.verify(&["--metadata", &text(&trail.path("metadata.json"))]).json();
    assert_eq!(report["counts"], json!({"valid": 12}));
    // The newest digest's signature is in S3 alone: its log file is not vouched for without.
    let unsigned = trail.verify(&[]).exits(3).json();
    assert_eq!(unsigned["counts"], json!({"unsigned": 2, "valid": 10}));
    // Stored without gzip, in a folder of its own, found all the same.
    for name in files(&trail.path("")).iter().filter(|name| name.contains(".gz")) {
        let mut content = Vec::new();
        let packed = fs::read(trail.path(name)).unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut content)
            .unwrap();
        trail.write(&format!("copy/{}", name.trim_end_matches(".gz")), &content);
        fs::remove_file(trail.path(name)).unwrap();
    }
    assert_eq!(trail.found(0), []);
}

/// What is done, how, and the states that it must give, each with its object.
type Tampering = (&'static str, fn(&Trail), &'static [(&'static str, &'static str)]);

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_tampering_has_its_state() {
    let cases: &[Tampering] = &[
        (
            "a log file changed",
            |t| t.edit(&log_key(2), |text| text.replace("1.1", "1.2")),
            &[("invalid-hash", "log 2")],
        ),
        (
            "a log file gone",
            |t| fs::remove_file(t.path(&log_key(2))).unwrap(),
            &[("missing-object", "log 2")],
        ),
        (
            "a log file cut",
            |t| {
                let bytes = fs::read(t.path(&log_key(2))).unwrap();
                t.write(&log_key(2), &bytes[..bytes.len() - 9]);
            },
            &[("invalid-hash", "log 2")],
        ),
        (
            "bytes after a log file",
            |t| {
                let bytes = fs::read(t.path(&log_key(2))).unwrap();
                t.write(&log_key(2), &[bytes, gzip("{}")].concat());
            },
            &[("invalid-hash", "log 2")],
        ),
        (
            "a log file that no digest names",
            |t| {
                t.write(&log_key(2).replace("abcdefgh", "zzzzzzzz"), &gzip("{}"));
            },
            &[("unexpected-object", "other")],
        ),
        (
            "a log file that no digest can name yet",
            |t| {
                t.write(&log_key(5).replace("abcdefgh", "zzzzzzzz"), &gzip("{}"));
            },
            &[("not-covered-by-digest", "other")],
        ),
        (
            "a log file with a name of its own",
            |t| {
                t.write("AWSLogs/planted.json", b"{}");
            },
            &[("not-covered-by-digest", "other")],
        ),
        ("a log file emptied", |t| t.write(&log_key(2), b""), &[("invalid-hash", "log 2")]),
        (
            "a log file moved to another day",
            |t| {
                let there = log_key(2).replace("09/26", "09/27");
                t.write(&there, &fs::read(t.path(&log_key(2))).unwrap());
                fs::remove_file(t.path(&log_key(2))).unwrap();
            },
            &[("moved", "log 2")],
        ),
        (
            "a log file altered in a copy of the trail",
            |t| {
                for hour in 0..6 {
                    for key in [log_key(hour), digest_key(hour)] {
                        t.write(&format!("copy/{key}"), &fs::read(t.path(&key)).unwrap());
                    }
                }
                t.edit(&format!("copy/{}", log_key(2)), |text| text.replace("1.1", "1.2"));
            },
            &[("invalid-hash", "log 2")],
        ),
        (
            "a digest altered in a copy of the trail",
            |t| {
                t.write(
                    &format!("copy/{}", digest_key(2)),
                    &fs::read(t.path(&digest_key(2))).unwrap(),
                );
                t.edit(&format!("copy/{}", digest_key(2)), |text| text.replace("null", "1"));
            },
            &[("invalid-hash", "digest 2")],
        ),
        (
            "a forged digest after the newest",
            |t| t.forge(6, &"0".repeat(64)),
            &[("invalid-hash", "other")],
        ),
        (
            "a forged digest that says nothing wrong",
            |t| {
                let mut packed = Vec::new();
                let bytes = fs::read(t.path(&digest_key(5))).unwrap();
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*bytes), &mut packed)
                    .unwrap();
                t.forge(6, &hex(&Sha256::digest(&packed)));
            },
            &[("unsigned", "other")],
        ),
        (
            "a digest gone",
            |t| fs::remove_file(t.path(&digest_key(2))).unwrap(),
            &[
                ("gap", "digest 3"),
                ("missing-object", "digest 2"),
                ("not-covered-by-digest", "log 2"),
            ],
        ),
        (
            "two digests gone in a row",
            |t| {
                fs::remove_file(t.path(&digest_key(2))).unwrap();
                fs::remove_file(t.path(&digest_key(3))).unwrap();
            },
            &[
                ("gap", "digest 4"),
                ("missing-object", "digest 3"),
                ("not-covered-by-digest", "log 2"),
                ("not-covered-by-digest", "log 3"),
            ],
        ),
        (
            "a digest changed",
            |t| t.edit(&digest_key(2), |text| text.replace("null", "1")),
            &[("invalid-hash", "digest 2"), ("invalid-hash", "log 2")],
        ),
        (
            "the newest digest changed",
            |t| t.edit(&digest_key(5), |text| text.replace("null", "1")),
            &[("invalid-signature", "digest 5"), ("invalid-signature", "log 5")],
        ),
        (
            "two digests swapped",
            |t| {
                let (a, b) = (t.path(&digest_key(2)), t.path(&digest_key(3)));
                let (two, three) = (fs::read(&a).unwrap(), fs::read(&b).unwrap());
                fs::write(a, three).unwrap();
                fs::write(b, two).unwrap();
            },
            &[("moved", "digest 2"), ("moved", "digest 3"), ("moved", "log 2"), ("moved", "log 3")],
        ),
        (
            "another signature",
            |t| {
                let metadata = fs::read_to_string(t.path("metadata.json")).unwrap();
                let mut metadata: Value = serde_json::from_str(&metadata).unwrap();
                metadata[digest_key(5)] = metadata[digest_key(4)].clone();
                t.write("metadata.json", metadata.to_string().as_bytes());
            },
            &[("invalid-signature", "digest 5"), ("invalid-signature", "log 5")],
        ),
        (
            "no key",
            |t| t.write("keys.json", br#"{"PublicKeyList": []}"#),
            &[("no-public-key", "all")],
        ),
        (
            "a digest that is none",
            |t| t.write(&digest_key(5), b"{}"),
            &[("invalid-hash", "digest 5"), ("not-covered-by-digest", "log 5")],
        ),
    ];
    for (what, tamper, expected) in cases {
        let trail = Trail::new(&[]);
        tamper(&trail);
        let wrong =
            |state: &str| !["no-public-key", "not-covered-by-digest", "unsigned"].contains(&state);
        let status = if expected.iter().any(|(state, _)| wrong(state)) { 1 } else { 3 };
        let mut found = trail.found(status);
        if expected[0].1 == "all" {
            assert_eq!(found.len(), 12, "{what}");
            found.truncate(1);
            found[0].1 = "all".to_owned();
        }
        found.sort();
        let expected: Vec<_> =
            expected.iter().map(|(s, o)| ((*s).to_owned(), (*o).to_owned())).collect();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn the_example_is_valid() {
    let keys = "data/validated/public-keys.json";
    let verify = |options: &[&str]| {
        buildtrail(
            &[&["verify", "data/validated/AWSLogs", "--public-keys", keys], options].concat(),
        )
    };
    assert!(verify(&[]).exits(3).stdout.ends_with("4 valid, 1 unsigned\n"));
    let metadata = verify(&["--metadata", "data/validated/metadata.json"]).exits(0);
    assert_eq!(metadata.stdout, "5 valid\n");
}

#[test]
fn logging_that_stopped_is_told_only_if_time_is_missing() {
    // Restarted at once: a starting digest in the middle, signed by its metadata alone.
    assert_eq!(Trail::new(&[3]).found(0), []);
    let trail = Trail::new(&[4]);
    fs::remove_file(trail.path(&digest_key(3))).unwrap();
    fs::remove_file(trail.path(&log_key(3))).unwrap();
    assert_eq!(trail.found(3), [("logging-stopped".to_owned(), "digest 4".to_owned())]);
}

#[test]
fn a_hostile_digest_leads_nowhere() {
    let trail = Trail::new(&[]);
    trail.edit(&digest_key(5), |text| text.replace(&log_key(5), "AWSLogs/../../../../etc/passwd"));
    let found = trail.found(1);
    assert!(found.contains(&("missing-object".to_owned(), "other".to_owned())), "{found:?}");
    let keys = text(&trail.path("keys.json"));
    fs::write(&keys, fs::read_to_string(&keys).unwrap().replace("MII", "MIJ")).unwrap();
    let run = trail.verify(&[]).exits(1);
    assert!(run.stderr.contains("a key has the fingerprint"), "{}", run.stderr);
}

#[test]
fn only_vouched_log_files_are_converted() {
    let trail = Trail::new(&[]);
    trail.edit(&log_key(1), |text| text.replace("1.1", "1.2"));
    trail.write(&log_key(2).replace("abcdefgh", "zzzzzzzz"), &gzip("{\"Records\":[]}"));
    let place = Dataset::place();
    let (keys, name) = (text(&trail.path("keys.json")), place.name());
    let run = trail.convert(&place).exits(3);
    let summary = run.json();
    assert_eq!(
        (&summary["records"]["written"], &summary["files"]["rejected"]),
        (&json!(5), &json!(2))
    );
    assert!(
        run.stderr.contains("its content is not what its digest says")
            || run.stderr.contains("no valid digest"),
        "{}",
        run.stderr
    );
    buildtrail(&["verify", &name]).exits(0);
    let misused = buildtrail(&["verify", &name, "--public-keys", &keys]).exits(2);
    assert!(misused.stderr.contains("digests are of log files"), "{}", misused.stderr);
    assert!(Path::new(&keys).exists());
}

#[test]
fn a_log_file_is_refused_until_its_digest_comes() {
    let trail = Trail::new(&[]);
    let place = Dataset::place();
    let digest = fs::read(trail.path(&digest_key(5))).unwrap();
    fs::remove_file(trail.path(&digest_key(5))).unwrap();
    // Emptied, it is another file than the digest names, and not one with nothing to say.
    let log = fs::read(trail.path(&log_key(1))).unwrap();
    trail.write(&log_key(1), b"");
    let summary = trail.convert(&place).exits(3).json();
    assert_eq!(summary["records"]["written"], 4);
    assert_eq!(
        (&summary["files"]["rejected"], &summary["files"]["skipped"]["empty"]),
        (&json!(2), &json!(0))
    );
    trail.write(&digest_key(5), &digest);
    trail.write(&log_key(1), &log);
    let summary = trail.convert(&place).exits(0).json();
    assert_eq!(summary["records"]["written"], 2);
    assert_eq!(trail.convert(&place).exits(0).json()["files"]["skipped"]["known"], 6);
    buildtrail(&["verify", &place.name()]).exits(0);
}

/// What `convert` reads behind a link, `verify` reads too.
#[test]
fn links_are_followed() {
    let (trail, elsewhere) = (Trail::new(&[]), tempfile::tempdir().unwrap());
    let name = log_key(2).replace("abcdefgh", "zzzzzzzz");
    let name = name.rsplit('/').next().unwrap();
    fs::write(elsewhere.path().join(name), gzip("{}")).unwrap();
    let link = trail.path(&log_key(2)).parent().unwrap().join("more");
    std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
    assert_eq!(trail.found(1), [("unexpected-object".to_owned(), "other".to_owned())]);
}

#[test]
fn what_is_not_asked_for_is_not_missed() {
    let trail = Trail::new(&[]);
    let metadata = text(&trail.path("metadata.json"));
    let counts = |options: &[&str], status| {
        let options = [&["--metadata", &*metadata], options].concat();
        trail.verify(&options).exits(status).json()["counts"].clone()
    };
    assert_eq!(
        counts(&["--since", "2026-09-26", "--until", "2026-09-26"], 0),
        json!({"valid": 12})
    );
    assert_eq!(counts(&["--since", "2026-09-27"], 1), json!({}));
    assert_eq!(
        counts(&["--region", "us-east-1", "--account", "111122223333"], 0),
        json!({"valid": 12})
    );
    assert_eq!(counts(&["--region", "eu-west-1"], 1), json!({}));
    // The digest before the first of the period is in none of its days.
    let first = digest_key(0).replace("09/26", "09/25").replace("20260926T00", "20260925T23");
    trail.edit(&digest_key(0), |text| {
        text.replace(
            "\"previousDigestS3Object\":null",
            &format!("\"previousDigestS3Object\":\"{first}\""),
        )
    });
    assert_eq!(counts(&["--since", "2026-09-26"], 1), json!({"invalid-hash": 2, "valid": 10}));
}

#[test]
fn nothing_to_check_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), "{}").unwrap();
    let trail = Trail::new(&[]);
    let (place, keys) = (text(folder.path()), text(&trail.path("keys.json")));
    let run = buildtrail(&["verify", &place, "--public-keys", &keys]).exits(3);
    assert!(run.stderr.contains("no digests were found"), "{}", run.stderr);
    let misused = buildtrail(&["verify", "-", "--public-keys", &keys]).exits(2);
    assert!(misused.stderr.contains("what is piped has no key"), "{}", misused.stderr);
}
