//! Secrets: each is planted where CodeBuild, STS or a user could leave one, and must be nowhere
//! after; what only looks like a secret stays.

use crate::support::{Dataset, Run, buildtrail, files, log_file, str, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What every planted secret begins with; the rest tells where it was planted.
const PLANTED: &str = "Zq7PlantedSecret";
const MASK: &str = "REDACTED_BY_BUILDTRAIL";
const AWS_MASK: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

fn secret(place: &str) -> String {
    format!("{PLANTED}x{place}")
}

fn url(place: &str) -> String {
    format!("https://user:{}@git.example.com/repo.git", secret(place))
}

fn variables(place: &str) -> Value {
    json!([
        {"name": "MASKED", "value": AWS_MASK, "type": AWS_MASK},
        {"name": "PLAIN", "value": secret(place), "type": "PLAINTEXT"},
    ])
}

/// A record, and the paths at which it has secrets.
struct Case {
    record: Value,
    paths: Vec<String>,
}

fn case(event: &str, members: Value, paths: &[&str]) -> Case {
    let mut record = json!({
        "eventSource": "codebuild.amazonaws.com",
        "eventName": event,
        "eventID": event,
        "eventTime": "2026-09-26T12:00:00Z",
        "awsRegion": "us-east-1",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"},
    });
    let Value::Object(members) = members else { panic!("no members") };
    record.as_object_mut().unwrap().extend(members);
    Case { record, paths: paths.iter().map(ToString::to_string).collect() }
}

fn start_build() -> Case {
    let build = json!({
        "environment": {"image": "i", "environmentVariables": variables("build")},
        "source": {"type": "GITHUB", "location": url("build-url"),
                   "auth": {"type": "OAUTH", "resource": secret("build-auth")}},
        "secondarySources": [{"location": url("secondary")}],
    });
    let request = json!({
        "projectName": "p",
        "environmentVariablesOverride": variables("override"),
        "sourceLocationOverride": url("override-url"),
        "sourceAuthOverride": {"type": "OAUTH", "resource": secret("override-auth")},
    });
    let members = json!({"requestParameters": request, "responseElements": {"build": build}});
    case(
        "StartBuild",
        members,
        &[
            "requestParameters.environmentVariablesOverride[1].value",
            "requestParameters.sourceLocationOverride",
            "requestParameters.sourceAuthOverride.resource",
            "responseElements.build.environment.environmentVariables[1].value",
            "responseElements.build.source.location",
            "responseElements.build.source.auth.resource",
            "responseElements.build.secondarySources[0].location",
        ],
    )
}

fn create_project() -> Case {
    let project = |place: &str| {
        json!({
            "name": "p",
            "environment": {"image": "i", "environmentVariables": variables(place)},
            "source": {"location": url(&format!("{place}-url")),
                       "auth": {"type": "OAUTH", "resource": secret(&format!("{place}-auth"))}},
        })
    };
    let members = json!({"requestParameters": project("create"),
                         "responseElements": {"project": project("project")}});
    case(
        "CreateProject",
        members,
        &[
            "requestParameters.environment.environmentVariables[1].value",
            "requestParameters.source.location",
            "requestParameters.source.auth.resource",
            "responseElements.project.environment.environmentVariables[1].value",
            "responseElements.project.source.location",
            "responseElements.project.source.auth.resource",
        ],
    )
}

fn of_other_operations() -> Vec<Case> {
    vec![
        // The first era: the request holds the caller's context.
        case(
            "RetryBuild",
            json!({"requestParameters": {"awsActId": "111122223333"},
                   "responseElements": {"build": {"environment": {"environmentVariables": variables("legacy")}}}}),
            &["responseElements.build.environment.environmentVariables[1].value"],
        ),
        case(
            "StartBuildBatch",
            json!({"responseElements": {"buildBatch": {"environment": {"environmentVariables": variables("batch")}}}}),
            &["responseElements.buildBatch.environment.environmentVariables[1].value"],
        ),
        case(
            "ImportSourceCredentials",
            json!({"requestParameters": {"username": "ann", "token": secret("import"), "serverType": "GITHUB"}}),
            &["requestParameters.token"],
        ),
        case(
            "CreateWebhook",
            json!({"responseElements": {"webhook": {"url": "https://api.github.com/hooks/1",
                "payloadUrl": format!("https://codebuild.us-east-1.amazonaws.com/webhooks?t={}&v=1", secret("payload")),
                "secret": secret("webhook")}}}),
            &["responseElements.webhook.payloadUrl", "responseElements.webhook.secret"],
        ),
        case(
            "StartSandboxConnection",
            json!({"responseElements": {"ssmSession": {"sessionId": "s-1", "tokenValue": secret("ssm"),
                "streamUrl": format!("wss://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/s-1?x={}", secret("stream"))}}}),
            &["responseElements.ssmSession.tokenValue", "responseElements.ssmSession.streamUrl"],
        ),
        case(
            "UpdateProject",
            json!({"errorCode": "InvalidInputException",
                   "errorMessage": format!("Cannot clone {} now", url("message"))}),
            &["errorMessage"],
        ),
        case(
            "AssumeRole",
            json!({"eventSource": "sts.amazonaws.com", "responseElements": {"credentials": {
                "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "secretAccessKey": secret("sts"),
                "sessionToken": secret("session"), "expiration": "Sep 26, 2026, 1:00:00 PM"}}}),
            &[
                "responseElements.credentials.secretAccessKey",
                "responseElements.credentials.sessionToken",
            ],
        ),
        // In members that have no column, and in those that are JSON text whatever they hold.
        case(
            "DeleteProject",
            json!({"newMember": {"environmentVariables": variables("new")},
                   "additionalEventData": {"password": secret("additional")},
                   "serviceEventDetails": {"url": url("details")}}),
            &[
                "additionalEventData.password",
                "newMember.environmentVariables[1].value",
                "serviceEventDetails.url",
            ],
        ),
    ]
}

fn cases() -> Vec<Case> {
    let mut cases = vec![start_build(), create_project()];
    cases.extend(of_other_operations());
    cases
}

fn convert(folder: &Path, redact: &str) -> (Dataset, Run) {
    let records: Vec<_> = cases().into_iter().map(|case| case.record).collect();
    let log = log_file(folder, "log.json", &records);
    // One that is rejected is named, not quoted.
    let rejected = folder.join("rejected.json");
    let token = secret("rejected");
    let broken = format!(
        r#"{{"eventSource":"codebuild.amazonaws.com","requestParameters":{{"token":"{token}"}},"readOnly":fal}}"#
    );
    fs::write(&rejected, format!("{{\"Records\":[{broken}]}}")).unwrap();
    let place = Dataset::place();
    let args = ["--keep", "all", "--redact", redact];
    let run = place.convert(&[&[log.as_str(), &text(&rejected)], &args[..]].concat()).exits(3);
    (place, run)
}

/// Every secret in a text, by where it was planted.
fn found(text: &str) -> Vec<&str> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '-';
    let after = text.split(PLANTED).skip(1);
    after.map(|rest| rest.split(ends).next().unwrap_or_default()).collect()
}

#[test]
fn no_secret_is_in_any_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, run) = convert(folder.path(), "standard");
    for row in dataset.rows() {
        for (column, value) in row.as_object().unwrap() {
            assert_eq!(found(&value.to_string()), [""; 0], "{column} of {}", row["event_id"]);
        }
    }
    for name in files(&dataset.path()) {
        assert_eq!(found(&name), [""; 0]);
        let bytes = fs::read(dataset.path().join(&name)).unwrap();
        assert_eq!(found(&String::from_utf8_lossy(&bytes)), [""; 0], "{name}");
    }
    assert_eq!(found(&run.stdout), [""; 0]);
    assert_eq!(found(&run.stderr), [""; 0]);
}

#[test]
fn without_redaction_every_secret_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, run) = convert(folder.path(), "none");
    let rows = dataset.rows();
    for case in cases() {
        let row = rows.iter().find(|row| row["event_id"] == case.record["eventID"]).unwrap();
        let text = row.to_string();
        for secret in found(&case.record.to_string()) {
            assert!(found(&text).contains(&secret), "{secret} of {}", row["event_id"]);
        }
        assert_eq!(found(&case.record.to_string()).len(), case.paths.len(), "{}", row["event_id"]);
        assert_eq!((&row["redacted"], text.contains(MASK)), (&json!([]), false));
    }
    assert_eq!(found(&run.stderr), [""; 0], "a rejected record is not quoted");
    // The footers alone hold some: the search through the bytes of part files can find.
    let statistics = dataset.parts().iter().any(|part| {
        let bytes = fs::read(dataset.path().join(part)).unwrap();
        !found(&String::from_utf8_lossy(&bytes)).is_empty()
    });
    assert!(statistics);
}

#[test]
fn what_was_masked_is_listed_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, _) = convert(folder.path(), "standard");
    let rows = dataset.rows();
    let row = |event: &str| rows.iter().find(|row| row["event_id"] == event).unwrap();
    for case in cases() {
        let row = row(str(&case.record, "eventID"));
        // In the order of the record's text, which is `serde_json`'s here.
        let listed = row["redacted"].as_array().unwrap().iter().map(|path| path.as_str().unwrap());
        let paths = case.paths.iter().map(String::as_str).collect::<BTreeSet<_>>();
        assert_eq!(listed.collect::<BTreeSet<_>>(), paths, "{}", row["event_id"]);
        assert!(row.to_string().contains(MASK), "{row}");
    }
    // AWS's own mask stays as it is, beside ours.
    let request: Value =
        serde_json::from_str(str(row("StartBuild"), "request_parameters")).unwrap();
    let variables = &request["environmentVariablesOverride"];
    assert_eq!(variables[0]["value"], AWS_MASK);
    assert_eq!(variables[1], json!({"name": "PLAIN", "value": MASK, "type": "PLAINTEXT"}));
    assert_eq!(
        request["sourceLocationOverride"],
        format!("https://user:{MASK}@git.example.com/repo.git")
    );
    // Typed columns are read from the masked text.
    assert_eq!(
        row("StartBuild")["source_location"],
        format!("https://user:{MASK}@git.example.com/repo.git")
    );
    assert_eq!(row("StartBuild")["source_auth_resource"], MASK);
    let message = format!("Cannot clone https://user:{MASK}@git.example.com/repo.git now");
    assert_eq!(row("UpdateProject")["error_message"], message);
    // Identifiers are no secrets.
    assert_eq!(row("StartBuild")["user_identity_access_key_id"], "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(row("ImportSourceCredentials")["source_credential_username"], "ann");
    assert_eq!(row("CreateWebhook")["webhook_url"], "https://api.github.com/hooks/1");
    assert!(str(row("AssumeRole"), "response_elements").contains("ASIAIOSFODNN7EXAMPLE"));
    assert!(
        str(row("StartSandboxConnection"), "response_elements").contains(r#""sessionId":"s-1""#)
    );
}

#[test]
fn a_secret_manager_arn_is_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:github-a1b2c3";
    let auth = json!({"type": "SECRETS_MANAGER", "resource": arn});
    let record = json!({"eventSource": "codebuild.amazonaws.com", "eventName": "StartBuild",
        "requestParameters": {"projectName": "p", "sourceAuthOverride": auth}});
    let log = log_file(folder.path(), "log.json", &[record]);
    let place = Dataset::place();
    buildtrail(&["convert", &log, "--out", &place.name()]).exits(0);
    let row = place.rows().remove(0);
    assert_eq!((&row["source_auth_resource"], &row["redacted"]), (&json!(arn), &json!([])));
}

#[test]
fn the_sample_loses_its_password_and_nothing_else() {
    let sample = crate::support::sample("codebuild");
    let rows = sample.rows();
    let masked: Vec<_> = rows.iter().filter(|row| row["redacted"] != json!([])).collect();
    assert!(!masked.is_empty() && masked.iter().all(|row| row.to_string().contains(MASK)));
    let jenkins = rows.iter().find(|row| str(row, "event_id").starts_with("bbe83b18-")).unwrap();
    let masked =
        ["requestParameters.sourceLocationOverride", "responseElements.build.source.location"];
    assert_eq!(jenkins["redacted"], json!(masked));
    let location =
        format!("https://build-user:{MASK}@git.example.com/example-shop/web-frontend.git");
    assert_eq!(jenkins["source_location"], location);
    for name in files(&sample.path()) {
        let bytes = fs::read(sample.path().join(name)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("EXAMPLE-PASSWORD"));
    }
}
