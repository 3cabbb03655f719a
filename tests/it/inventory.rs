//! S3 Inventories as sources. Needs the server of `s3.rs`.

use crate::s3::Server;
use crate::support::{Dataset, SAMPLE, dataset, gzip, run};
use futures::TryStreamExt as _;
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};
use serde_json::json;
use std::fs;

/// The rows of an inventory of the sample's bucket, each with bucket, key, size and entity tag, and one
/// object that is gone since.
fn rows(server: &Server) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = server.client();
    let listed = client.list(Some(&Key::from("org"))).try_collect::<Vec<_>>();
    let row = |object: object_store::ObjectMeta| {
        let etag = object.e_tag.as_ref().unwrap().trim_matches('"').to_owned();
        let key = object.location.to_string().replace('_', "%5F");
        format!("\"b\",\"{key}\",\"{}\",\"{etag}\"\n", object.size)
    };
    let rows: String = runtime.block_on(listed).unwrap().into_iter().map(row).collect();
    let gone = "org/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/15/gone.json.gz";
    format!("{rows}\"b\",\"{gone}\",\"10\",\"0\"\n")
}

/// A manifest of one data file.
fn manifest(server: &Server, columns: &str, md5: Option<&str>) -> String {
    json!({
        "sourceBucket": server.bucket,
        "destinationBucket": format!("arn:aws:s3:::{}", server.bucket),
        "version": "2016-11-30", "creationTimestamp": "1790000000000", "fileFormat": "CSV",
        "fileSchema": columns,
        "files": [{"key": "inv/data/1.csv.gz", "size": 1, "MD5checksum": md5}]
    })
    .to_string()
}

const COLUMNS: &str = "Bucket, Key, Size, ETag";

/// The same log files, known from then on as if they had been listed.
#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn an_inventory_stands_for_a_listing() {
    let server = Server::with("inventoried");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = server.client();
    let put = |key: &str, bytes: Vec<u8>| {
        let put = runtime.block_on(client.put(&Key::from(key), PutPayload::from(bytes)));
        put.unwrap().e_tag.unwrap().trim_matches('"').to_owned()
    };
    let md5 = put("inv/data/1.csv.gz", gzip(rows(&server).as_bytes()));
    let key = "inv/2026-09-30T01-00Z/manifest.json";
    put(key, manifest(&server, COLUMNS, Some(&md5)).into_bytes());
    let place = Dataset::place();
    let (name, from) = (place.name(), format!("s3://inventoried/{key}"));
    let args = ["convert", "--inputs-from", &from, "--out", &name, "--format", "json"];
    // The object that is gone since is rejected, all else is read.
    let first = run(server.command(&args), "").exits(3);
    assert!(first.stderr.contains("gone.json.gz"), "{}", first.stderr);
    assert_eq!(first.json()["records"], dataset(&[SAMPLE]).summary["records"]);
    assert_eq!(server.convert(&place, &["s3://inventoried/org"])["files"]["skipped"]["known"], 13);
}

#[test]
#[ignore = "needs BUILDTRAIL_TEST_S3, see tests/README.md"]
fn an_inventory_may_lie_on_disk_and_tell_less() {
    let server = Server::with("copied");
    let folder = tempfile::tempdir().unwrap();
    let (day, data) = (folder.path().join("2026-09-30T01-00Z"), folder.path().join("data"));
    fs::create_dir(&day).unwrap();
    fs::create_dir(&data).unwrap();
    let file = day.join("manifest.json").to_str().unwrap().to_owned();
    let rows = rows(&server);
    let convert = |manifest: &str, code: i32| {
        fs::write(&file, manifest).unwrap();
        let place = Dataset::place();
        let name = place.name();
        let args = ["convert", "--inputs-from", &file, "--region", "eu-west-1", "--out", &name];
        (run(server.command(&args), "").exits(code).stderr, place)
    };
    fs::write(data.join("1.csv.gz"), gzip(rows.as_bytes())).unwrap();
    assert_eq!(convert(&manifest(&server, COLUMNS, None), 3).1.rows().len(), 27);
    // Without sizes S3 is asked, for what is wanted alone.
    let keys = rows.lines().map(|row| row.split(',').take(2).collect::<Vec<_>>().join(",") + "\n");
    fs::write(data.join("1.csv.gz"), keys.collect::<String>()).unwrap();
    let (said, place) = convert(&manifest(&server, "Bucket, Key", None), 3);
    assert_eq!(place.rows().len(), 27);
    assert!(said.contains("is in the inventory, but no longer there"), "{said}");
    let wrong = manifest(&server, COLUMNS, Some("00000000000000000000000000000000"));
    let said = convert(&wrong, 1).0;
    assert!(said.contains("not what the manifest says"), "{said}");
    let orc = manifest(&server, COLUMNS, None).replace("\"CSV\"", "\"ORC\"");
    let said = convert(&orc, 1).0;
    assert!(said.contains("configure the inventory as CSV or Parquet"), "{said}");
    let piped = server.command(&["convert", "--inputs-from", "-", "--out", "x"]);
    let said = run(piped, &orc).exits(2).stderr;
    assert!(said.contains("a manifest is named, not piped"), "{said}");
}
