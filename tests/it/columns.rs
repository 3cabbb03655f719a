//! Columns of the sample trail, one by one, against values read off the log files by eye.

use crate::support::{dataset, has, sample, str, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The rows of `--keep all`, by the beginning of their event id.
struct Rows(Vec<Value>);

impl Rows {
    fn sample() -> Self {
        Self(sample("all").rows())
    }

    #[track_caller]
    fn get(&self, id: &str) -> &Value {
        let mut found = self.0.iter().filter(|row| str(row, "event_id").starts_with(id));
        let row = found.next().unwrap_or_else(|| panic!("no event {id}"));
        assert!(found.next().is_none(), "several events {id}");
        row
    }

    #[track_caller]
    fn check(&self, id: &str, expected: &Value) {
        has(self.get(id), expected);
    }
}

#[test]
fn the_create_project_of_2016() {
    let rows = Rows::sample();
    let id = "581f7dd1-8d2e-40b0-aeee-0dbf7EXAMPLE";
    rows.check(id, &json!({
        "event_time": "2016-09-06T17:59:11Z", "event_name": "CreateProject", "aws_region": "region-ID",
        "recipient_account_id": "account-ID", "source_ip_address": "127.0.0.1", "event_version": "1.05",
        "request_id": "9d32b228-745b-11e6-98bb-23b67EXAMPLE", "read_only": null,
        "management_event": null, "event_category": null, "error_code": null, "extra": null,
        "operation_access": "write", "succeeded": true, "target_kind": "project",
    }));
    // The request holds the caller's context and names nothing.
    rows.check(id, &json!({
        "target_ids": null, "request_members": ["awsActId"], "settings_origin": "response",
        "project_name": "codebuild-demo-project",
        "project_arn": "arn:aws:codebuild:region-ID:account-ID:project/codebuild-demo-project:project-ID",
    }));
    rows.check(id, &json!({
        "environment_image": "image-ID", "environment_compute_type": "BUILD_GENERAL1_SMALL",
        "environment_type": "LINUX_CONTAINER", "environment_variable_names": [],
        "environment_privileged_mode": null, "description": "This is my demo project",
        "encryption_key": "arn:aws:kms:region-ID:key-ID", "timeout_in_minutes": 10,
        "artifacts_type": "S3", "artifacts_packaging": "ZIP", "artifacts_name": "MyOutputArtifact.zip",
        "artifacts_location": "arn:aws:s3:::codebuild-region-ID-account-ID-output-bucket",
        "service_role": "arn:aws:iam::account-ID:role/CodeBuildServiceRole",
        "source_type": "GITHUB", "source_location": "https://github.com/my-repo.git",
        "masked_settings": [], "redacted": [],
    }));
    // A date without a zone is no instant: the text stays.
    rows.check(id, &json!({"project_created": null, "project_last_modified": null}));
    let response = str(rows.get(id), "response_elements");
    assert!(response.contains(r#""lastModified":"Sep 6, 2016 10:59:11 AM""#), "{response}");
}

#[test]
fn the_start_build_of_2017() {
    let rows = Rows::sample();
    rows.check("7e587b8d-", &json!({
        "project_name": "web-frontend-old", "project_arn": null, "target_ids": null,
        "build_id": "web-frontend-old:83e47068-3e48-4564-9ea0-36526661feb5",
        "build_uuid": "83e47068-3e48-4564-9ea0-36526661feb5", "build_start_time": null,
        "build_status": "IN_PROGRESS", "build_complete": false, "build_initiator": "release",
        "source_buildspec": "version: 0.2\nphases:\n  build:\n    commands:\n      - npm test\n",
        "environment_variable_names": ["STAGE", "NPM_TOKEN"],
        "environment_variable_types": ["PLAINTEXT", "PARAMETER_STORE"],
        "masked_settings": ["environment.environmentVariables"], "redacted": [],
        "encryption_key": "arn:aws:kms:us-east-1:111122223333:alias/aws/s3",
        "artifacts_type": null, "cache_type": "NO_CACHE",
    }));
    let response = str(rows.get("7e587b8d-"), "response_elements");
    assert!(response.contains("9:14:07\u{202f}AM") || response.contains(r"9:14:07\u202fAM"));
}

/// Event; root or user, temporary credentials, service; kind; actor.
type Who = (&'static str, [Option<bool>; 3], &'static str, &'static str);

const Y: Option<bool> = Some(true);
const N: Option<bool> = Some(false);

const WHO: &[Who] = &[
    ("581f7dd1-", [N, Y, N], "federated_user", "user-name"),
    ("f4cfcc9e-", [N, Y, N], "federated_user", "auditor-kim"),
    ("7e587b8d-", [Y, N, N], "iam_user", "release"),
    ("3965a0bf-", [Y, N, N], "iam_user", "deploy-bot"),
    ("0d64e525-", [Y, N, N], "iam_user_session", "jonas.weber"),
    ("f76b754f-", [N, Y, N], "assumed_role", "github-actions-web-frontend/GitHubActions"),
    (
        "a2cb0333-",
        [N, Y, Y],
        "assumed_role",
        "AWSReservedSSO_BuildEngineer_4c1f0a9be27d8835/mara.lindqvist@example.com",
    ),
    ("33f7ddfa-", [N, Y, Y], "assumed_role", "codepipeline-payments/1789458990417"),
    ("19ced2e1-", [N, N, Y], "aws_service", "codebuild.amazonaws.com"),
    ("0ec86c32-", [N, N, Y], "aws_service", "events.amazonaws.com"),
    ("9c4d154b-", [None, None, Y], "aws_service", "AWS Internal"),
    (
        "a1a814e8-",
        [N, Y, N],
        "web_identity_user",
        "repo:example-shop/web-frontend:ref:refs/heads/main",
    ),
    ("4ebac22d-", [N, Y, N], "saml_user", "hana.sato"),
    ("8aed3077-", [N, Y, N], "identity_center_user", "5265c4a4-70e1-4029-9a1b-02f4d6c8e013"),
    ("eae77889-", [N, Y, N], "role", "platform-maintenance"),
    ("dba50127-", [Y, N, N], "root", "root"),
    ("2309fc3e-", [Y, N, N], "root_session", "root"),
    ("cfc1e4e0-", [None, None, None], "directory", "reporting-reader"),
    ("81a91520-", [None, None, None], "unknown", "legacy-cron"),
    ("5e297425-", [None, None, None], "aws_account", "777788889999"),
];

#[test]
fn who_made_the_call() {
    let rows = Rows::sample();
    let mut types = BTreeSet::new();
    for (id, [root_or_user, temporary, service], kind, actor) in WHO {
        rows.check(
            id,
            &json!({
                "by_root_or_user": root_or_user, "by_temporary_credentials": temporary,
                "by_aws_service": service, "credential_kind": kind, "actor": actor,
            }),
        );
        types.insert(rows.get(id)["user_identity_type"].to_string());
    }
    let calls = rows.0.iter().filter(|row| row["event_category"] != "Insight");
    let all: BTreeSet<_> = calls.map(|row| row["user_identity_type"].to_string()).collect();
    assert_eq!(types, all, "every type of the sample has its line");
}

#[test]
fn members_of_the_identity_have_columns() {
    let rows = Rows::sample();
    rows.check("f76b754f-", &json!({
        "user_identity_principal_id": "AROAV7WYRPYCLGEXAMPLE:GitHubActions",
        "user_identity_access_key_id": "ASIAP2S4NT3MEEXAMPLE",
        "user_identity_account_id": "111122223333", "session_issuer_type": "Role",
        "session_issuer_arn": "arn:aws:iam::111122223333:role/github-actions-web-frontend",
        "session_creation_date": "2026-09-14T14:21:02Z", "session_mfa_authenticated": false,
        "session_source_identity": "example-shop-web-frontend", "role_session_name": "GitHubActions",
        "web_id_federated_provider":
            "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
    }));
    rows.check("0d64e525-", &json!({
        "session_mfa_authenticated": true, "session_issuer_type": null, "role_session_name": null,
        "web_id_federated_provider": null, "user_identity_user_name": "jonas.weber",
    }));
    // ISO basic in the record.
    rows.check("f4cfcc9e-", &json!({"session_creation_date": "2026-09-15T08:00:02Z"}));
    rows.check(
        "8aed3077-",
        &json!({
            "user_identity_credential_id": "EXAMPLEbearerCredential-0001-EXAMPLE",
            "on_behalf_of_identity_store_arn":
                "arn:aws:identitystore::111122223333:identitystore/d-9367example",
        }),
    );
    rows.check("bbe83b18-", &json!({"session_ec2_role_delivery": "2.0"}));
    rows.check(
        "9c4d154b-",
        &json!({"user_identity_type": null, "event_type": "AwsServiceEvent",
        "user_identity_invoked_by": "AWS Internal"}),
    );
    // An empty text is not null.
    rows.check("dba50127-", &json!({"user_identity_access_key_id": ""}));
}

#[test]
fn what_a_build_did_joins_the_build() {
    let rows = sample("build-activity").sql(
        "SELECT b.event_name, count(*) AS calls FROM events a JOIN events b \
         ON a.actor_build_uuid = b.build_uuid AND b.event_name = 'StartBuild' \
         WHERE a.event_source <> 'codebuild.amazonaws.com' GROUP BY 1",
    );
    // The calls of builds in other services, less the four roles that CodeBuild itself assumed.
    assert_eq!(rows, json!([{"event_name": "StartBuild", "calls": 8}]));
    Rows::sample().check(
        "b650a57d-",
        &json!({
            "event_source": "logs.amazonaws.com",
            "actor_build_uuid": "f19324f2-cbb5-4ac6-a7d3-71d7bdb79a14", "target_kind": null,
        }),
    );
}

#[test]
fn a_refusal_names_its_target_in_the_message_alone() {
    let rows = Rows::sample();
    let project = |account, name| format!("arn:aws:codebuild:{account}:project/{name}");
    for (id, action, name, arn) in [
        (
            "e0cf215c-",
            "DeleteProject",
            "web-frontend",
            project("us-east-1:111122223333", "web-frontend"),
        ),
        (
            "1835a344-",
            "UpdateProject",
            "payments-api",
            project("eu-west-1:111122223333", "payments-api"),
        ),
        (
            "5e297425-",
            "BatchGetProjects",
            "shared-images",
            project("us-east-1:444455556666", "shared-images"),
        ),
    ] {
        rows.check(
            id,
            &json!({
                "error_code": "AccessDenied", "succeeded": false, "request_parameters": null,
                "response_elements": null, "denied_action": format!("codebuild:{action}"),
                "denied_resource_arn": arn, "project_name": name, "project_arn": arn,
                "target_ids": null, "request_members": null, "settings_origin": null,
            }),
        );
    }
    rows.check(
        "5a37e709-",
        &json!({
            "denied_action": "codebuild:ImportSourceCredentials", "project_name": null,
            "denied_resource_arn": "arn:aws:codebuild:eu-west-1:111122223333:token/github",
            "actor_build_uuid": "425b02a8-f583-4623-b44f-0418bd91f1e2",
        }),
    );
    // Other failures show their request.
    rows.check(
        "5f36dd39-",
        &json!({
            "error_code": "ResourceNotFoundException", "project_name": "web-frontned",
            "target_ids": ["web-frontned"], "denied_action": null, "denied_resource_arn": null,
            "settings_origin": "request", "source_version": "main",
        }),
    );
    rows.check(
        "1d7bd475-",
        &json!({
            "target_kind": "build", "project_name": "web-frontend", "build_arn": null,
            "build_id": "web-frontend:00000000-0000-4000-8000-000000000000",
        }),
    );
}

#[test]
fn settings_are_read_and_masks_are_named() {
    let rows = Rows::sample();
    rows.check("3965a0bf-", &json!({
        "target_ids": ["arn:aws:codebuild:eu-west-1:111122223333:project/payments-api"],
        "project_name": "payments-api", "settings_origin": "response",
        "environment_image": "registry.example.net/tools/builder:latest",
        "environment_privileged_mode": true, "environment_compute_type": "BUILD_GENERAL1_LARGE",
        "description": "Zahlungs-API: Prüfung und Auslieferung", "vpc_id": "vpc-0e4b7a91c2d35f608",
        "vpc_subnet_ids": ["subnet-01f3c9d27ab86e450", "subnet-0b82e6f1d94c7a035"],
        "vpc_security_group_ids": ["sg-0d5a17c8e3b92f461"], "concurrent_build_limit": 3,
        "project_created": "2026-09-15T07:55:20Z", "project_last_modified": "2026-09-26T22:02:44Z",
        "webhook_deleted_status": "no_webhook", "badge_enabled": false, "cache_modes": null,
        "logs_cloudwatch_group": "/aws/codebuild/payments-api", "logs_s3_status": "DISABLED",
    }));
    rows.check(
        "3965a0bf-",
        &json!({
            "source_buildspec": null, "environment_variable_names": null,
            "environment_variable_types": null, "encryption_key": null, "tags": null,
            "masked_settings":
                ["source.buildspec", "environment.environmentVariables", "encryptionKey", "tags"],
        }),
    );
    // A build spells its artifacts in lower case.
    rows.check("f76b754f-", &json!({
        "artifacts_type": "S3", "artifacts_packaging": "ZIP", "artifacts_namespace_type": "BUILD_ID",
        "build_id": "web-frontend:30632115-8b84-4431-aaaf-f1816fef4824", "build_number": 2,
        "build_current_phase": "QUEUED", "auto_retry_limit": 0, "queued_timeout_in_minutes": 480,
        "cache_modes": ["LOCAL_SOURCE_CACHE", "LOCAL_CUSTOM_CACHE"], "source_insecure_ssl": false,
        "secondary_source_locations": [], "project_arn": null,
    }));
    rows.check("ecfc98de-", &json!({
        "target_kind": "project", "build_id": null, "project_name": "sdk-matrix",
        "build_batch_id": "sdk-matrix:93ff4746-82b4-4593-b4e3-31150a24d9bb", "build_number": 1,
        "timeout_in_minutes": 20, "artifacts_type": "NO_ARTIFACTS", "artifacts_location": "",
        "build_status": "IN_PROGRESS", "build_complete": false, "debug_session_enabled": false,
        "logs_cloudwatch_group": "/aws/codebuild/sdk-matrix", "environment_type": "ARM_CONTAINER",
    }));
}

/// Answers that lack a member: what the request says of it, and of no other.
#[test]
fn an_answer_hides_only_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.json");
    let call = |id: &str, name: &str, request: Value, response: Value| {
        json!({
            "eventVersion": "1.11", "eventTime": "2026-09-01T09:00:00Z", "eventID": id,
            "eventSource": "codebuild.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
            "requestParameters": request, "responseElements": response,
        })
    };
    let arn = "arn:aws:codebuild:us-east-1:111122223333:project/web";
    let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
    let public = json!({"projectArn": arn, "projectVisibility": "PUBLIC_READ"});
    let records = [
        call("1", "UpdateProjectVisibility", public.clone(), json!({"projectArn": arn})),
        call("2", "UpdateProjectVisibility", public.clone(), json!({"projectVisibility": null})),
        call("3", "UpdateProjectVisibility", public, json!({"projectVisibility": "PRIVATE"})),
        call(
            "4",
            "StartBuild",
            json!({"projectName": "web", "sourceVersion": "main", "imageOverride": "asked",
                   "buildspecOverride": hidden, "environmentVariablesOverride": [{"name": "A"}]}),
            json!({"build": {"id": "web:u", "environment": {"image": "got",
                   "environmentVariables": []}}}),
        ),
        call(
            "5",
            "UpdateFleet",
            json!({"arn": "a", "computeType": "asked", "baseCapacity": 2, "tags": hidden}),
            json!({"fleet": {"arn": "a", "computeType": "got", "vpcConfig": hidden}}),
        ),
    ];
    std::fs::write(&file, json!({"Records": records}).to_string()).unwrap();
    let mut rows = dataset(&[&text(&file)]).rows();
    rows.sort_by_key(|row| str(row, "event_id").to_owned());
    for (row, visibility, origin) in [
        (&rows[0], "PUBLIC_READ", "request"),
        (&rows[1], "PUBLIC_READ", "request"),
        (&rows[2], "PRIVATE", "response"),
    ] {
        has(row, &json!({"project_visibility": visibility, "settings_origin": origin}));
    }
    has(
        &rows[3],
        &json!({
            "source_version": "main", "environment_image": "got", "source_buildspec": null,
            "environment_variable_names": [], "masked_settings": ["source.buildspec"],
            "settings_origin": "response",
        }),
    );
    has(
        &rows[4],
        &json!({
            "environment_compute_type": "got", "fleet_base_capacity": 2, "vpc_id": null,
            "masked_settings": ["vpcConfig", "tags"], "settings_origin": "response",
        }),
    );
}

#[test]
fn targets_of_calls_on_builds() {
    let rows = Rows::sample();
    // A retry names the old build and answers with a new one.
    rows.check("6f4e2283-", &json!({
        "target_kind": "build", "build_id": "web-frontend:3b4a8ba9-8d1d-455f-bac7-84e34a09713a",
        "target_ids": ["web-frontend:30632115-8b84-4431-aaaf-f1816fef4824"], "auto_retry_limit": 2,
    }));
    // Several builds: none is the build.
    rows.check("1d656e6b-", &json!({
        "build_id": null, "build_uuid": null, "build_arn": null, "project_name": "payments-api",
        "target_ids": ["payments-api:dac6ef9e-f344-43d3-b7ce-b0fd31eb14f7",
                       "payments-api:b141e0c1-43e8-4cce-9cce-76fe4fed014b"],
        "builds_deleted": ["arn:aws:codebuild:eu-west-1:111122223333:build/payments-api:dac6ef9e-f344-43d3-b7ce-b0fd31eb14f7"],
    }));
    rows.check(
        "b8b693b4-",
        &json!({
            "target_kind": "build_batch", "build_id": null, "project_name": "sdk-matrix",
            "build_batch_id": "sdk-matrix:93ff4746-82b4-4593-b4e3-31150a24d9bb",
        }),
    );
    assert_eq!(rows.get("b8b693b4-")["builds_deleted"].as_array().unwrap().len(), 2);
}

#[test]
fn other_operations_have_their_columns() {
    let rows = Rows::sample();
    let arn = |rest| format!("arn:aws:codebuild:us-east-1:111122223333:{rest}");
    rows.check(
        "ec33b9a7-",
        &json!({
            "target_kind": "webhook", "project_name": "web-frontend", "webhook_rotate_secret": true,
            "webhook_url": "https://api.github.com/repos/example-shop/web-frontend/hooks/500100200",
            "webhook_payload_url":
                "https://codebuild.us-east-1.amazonaws.com/webhooks?REDACTED_BY_BUILDTRAIL",
            "webhook_build_type": "BUILD", "webhook_pr_comment_approval": "FORK_PULL_REQUESTS",
            "redacted": ["responseElements.webhook.payloadUrl"],
        }),
    );
    let filters: Value =
        serde_json::from_str(str(rows.get("ec33b9a7-"), "webhook_filter_groups")).unwrap();
    assert_eq!(filters[1][0]["pattern"], "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED");
    rows.check(
        "783d92a2-",
        &json!({
            "target_kind": "fleet", "fleet_base_capacity": 1, "fleet_max_capacity": 4,
            "fleet_arn": arn("fleet/web-linux:be6f3b7b-0b78-466e-907c-48fb206f52bf"),
            "fleet_overflow_behavior": "QUEUE", "environment_compute_type": "BUILD_GENERAL1_LARGE",
            "fleet_service_role": "arn:aws:iam::111122223333:role/service-role/codebuild-fleet-web",
            "masked_settings": ["tags"], "settings_origin": "response",
        }),
    );
    rows.check("78c149a3-", &json!({
        "target_kind": "source_credential", "source_credential_arn": arn("token/github"),
        "source_credential_server_type": "GITHUB", "source_credential_should_overwrite": true,
        "source_credential_auth_type": "PERSONAL_ACCESS_TOKEN", "target_ids": null, "redacted": [],
    }));
    rows.check(
        "2309fc3e-",
        &json!({
            "project_name": "web-frontend", "project_visibility": "PUBLIC_READ",
            "public_project_alias": "EXAMPLE-public-alias", "session_credential_from_console": true,
            "resource_access_role": "arn:aws:iam::111122223333:role/codebuild-public-logs",
            "settings_origin": "response",
        }),
    );
    rows.check("2f66340e-", &json!({
        "target_kind": "sandbox", "command_type": "SHELL", "command_text": null,
        "sandbox_id": "web-frontend:115a0e84-d907-4b86-96b5-9b21423a4030",
        "command_execution_id": "539a3eaa-4152-463e-9ae2-1a8f7943d9c9", "project_name": "web-frontend",
    }));
    rows.check(
        "6a34913a-",
        &json!({
            "target_kind": "report_group", "report_group_type": "TEST",
            "report_group_arn": arn("report-group/web-frontend-unit"),
            "report_export_config_type": "S3", "report_export_bucket": "example-shop-reports",
            "report_export_encryption_disabled": false,
        }),
    );
    // Columns of other operations stay null.
    rows.check("783d92a2-", &json!({"webhook_url": null, "report_group_type": null}));
}

#[test]
fn a_policy_is_the_inner_text_of_its_json_string() {
    let rows = Rows::sample();
    rows.check(
        "7f99d068-",
        &json!({"target_kind": "resource_policy", "project_name": "shared-images"}),
    );
    let policy: Value =
        serde_json::from_str(str(rows.get("7f99d068-"), "resource_policy")).unwrap();
    assert_eq!(policy["Statement"][0]["Sid"], "ShareBaseImages");
}

#[test]
fn members_of_the_record_have_columns() {
    let rows = Rows::sample();
    rows.check(
        "2dbc8bd4-",
        &json!({
            "addendum_reason": "UPDATED_DATA", "addendum_updated_fields": "responseElements",
            "addendum_original_request_id": "92151803-b60f-44da-89c5-951ec67921e7",
            "addendum_original_event_id": "47d8c175-b47f-4a99-b35b-c5b034a34831",
            "tls_version": "TLSv1.3", "tls_cipher_suite": "TLS_AES_128_GCM_SHA256",
            "log_file_time": "2026-09-28T07:00:00Z", "source_record": 2,
        }),
    );
    rows.check(
        "bbe83b18-",
        &json!({
            "vpc_endpoint_id": "vpce-0a7d3e915cb264f80", "vpc_endpoint_account_id": "111122223333",
        }),
    );
    rows.check("9c4d154b-", &json!({
        "source_ip_address": "AWS Internal",
        "service_event_details": r#"{"response":{"projectName":"web-frontend","initiator":"GitHub-Hookshot/0a1b2c3","result":"ACCEPTED"}}"#,
    }));
    let unknown =
        rows.0.iter().find(|row| !row["extra"].is_null() && row["event_category"] != "Insight");
    let extra = str(unknown.unwrap(), "extra");
    assert_eq!(
        serde_json::from_str::<Value>(extra).unwrap(),
        json!({"callerEnvironment": {"runtime": "python3.13", "coldStart": false, "attempt": 2}})
    );
}

#[test]
fn odd_values_are_parsed_or_null_and_kept() {
    let odd = dataset(&["data/malformed/odd_values.json"]);
    let rows = odd.rows();
    let row = |number| rows.iter().find(|row| row["source_record"] == number).unwrap();
    has(
        row(0),
        &json!({"event_time": "2026-09-25T10:15:30.123Z",
        "extra": r#"{"eventTime":"2026-09-25T12:15:30.123+02:00"}"#}),
    );
    has(row(1), &json!({"event_time": null, "extra": r#"{"eventTime":"yesterday at noon"}"#}));
    has(row(2), &json!({"event_time": null, "extra": null}));
    has(row(3), &json!({"event_id": null, "event_time": "2026-09-25T10:02:41Z"}));
    has(row(4), &json!({"event_name": "42", "extra": r#"{"eventName":42}"#, "target_kind": null}));
    has(row(5), &json!({"user_identity": "\"root\"", "user_identity_type": null, "actor": null}));
    has(
        row(6),
        &json!({"request_parameters": "\"projectName=web-frontend\"", "target_ids": null,
        "request_members": null, "project_name": "web-frontend"}),
    );
    has(
        row(7),
        &json!({"user_agent": "build \u{fffd} agent \0 end",
        "extra": r#"{"userAgent":"build \ud83d agent \u0000 end"}"#}),
    );
    has(row(11), &json!({"read_only": true, "extra": r#"{"readOnly":"true"}"#}));
    has(
        row(12),
        &json!({"response_elements": "[\"a\",\"list\"]", "resources": null,
        "resource_arns": null, "tls_version": null, "recipient_account_id": "111122223333",
        "extra": r#"{"recipientAccountId":111122223333,"tlsDetails":"TLSv1.3"}"#}),
    );
    assert_eq!(
        odd.summary["coercions"],
        json!({"awsRegion (repeated member)": 1, "eventTime": 1, "tlsDetails": 1, "userIdentity": 1})
    );
}

/// Text that JSON can say and a column cannot, or not easily: each has its rule.
#[test]
fn text_of_every_kind_has_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.json");
    let megabyte = "é".repeat(1 << 19);
    let record = |id: &str, members: &str| {
        format!(r#"{{"eventSource":"codebuild.amazonaws.com","eventID":"{id}",{members}}}"#)
    };
    let records = [
        record("1-nul", r#""userAgent":"a\u0000b""#),
        record("2-lone", r#""userAgent":"a\ud83db","requestParameters":{"x":"\ud83d"}"#),
        record("3-pair", r#""userAgent":"\ud83d\ude00""#),
        record(
            "4-twice",
            r#""userAgent":"first","userAgent":"last","requestParameters":{"x":1,"x":2}"#,
        ),
        record(
            "5-escaped",
            r#""user\u0041gent":"a\/b","requestParameters":{ "n": 1.50e1, "m":-0 }"#,
        ),
        record(
            "6-large",
            &format!(r#""userAgent":"{megabyte}","requestParameters":{{"x":"{megabyte}"}}"#),
        ),
    ];
    std::fs::write(&file, format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
    let dataset = dataset(&[&text(&file)]);
    let mut rows = dataset.rows();
    rows.sort_by_key(|row| str(row, "event_id").to_owned());
    let large = rows.pop().unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            [row["user_agent"].clone(), row["request_parameters"].clone(), row["extra"].clone()]
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            // NUL is a character like any other.
            ["a\0b", null, null],
            // A lone surrogate becomes U+FFFD in its column, and stays an escape in JSON text.
            ["a\u{fffd}b", r#"{"x":"\ud83d"}"#, r#"{"userAgent":"a\ud83db"}"#],
            ["😀", null, null],
            // The last of duplicate members counts for columns; JSON text is the source's own.
            ["last", r#"{"x":1,"x":2}"#, null],
            // Names are told by what they spell, numbers keep their text.
            ["a/b", r#"{ "n": 1.50e1, "m":-0 }"#, null],
        ])
    );
    assert_eq!(str(&large, "user_agent"), megabyte);
    assert_eq!(str(&large, "request_parameters").len(), megabyte.len() + r#"{"x":""}"#.len());
    assert_eq!(dataset.summary["coercions"], json!({"userAgent (repeated member)": 1}));
}
