#!/usr/bin/env python3
"""Compares the pack with DuckDB over hostile datasets that it makes, with random parameters.

    python3 tests/pack/hostile.py BUILDTRAIL SQL_FOLDER [--seconds N] [--seed N] [--rounds N] [--keep FOLDER] [NAME...]

Each round makes log files of CodeBuild's records as they are when they are worst: many events in a second,
members that are null, masked or of another type, times that cannot be read, both eras, three accounts and two
regions, calls that two accounts have a record of, retries, batches, builds at work in other services. It converts
them, asks every saved query with random parameters and every view, in `buildtrail` and in DuckDB over the same
part files, and compares the rows and their order (of views the rows alone).

A round follows from its seed; the rounds of a run have the seeds N, N+1, and so on. A difference is shown with
the command that makes it again, and the run ends with exit status 1. Without --seed it begins at 1, so that CI
does the same each time. NAME picks queries, and views as view-NAME. --keep writes the log files of a round that
differs to FOLDER. Needs the Python module duckdb.
"""
import argparse
import concurrent.futures
import datetime
import importlib.util
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import uuid

# The checker beside this file has the name of the module duckdb, so it is loaded by its path. It takes its own
# folder out of the search path, which is this one's.
_spec = importlib.util.spec_from_file_location("pack_check", pathlib.Path(__file__).with_name("duckdb.py"))
pack = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pack)

MASK = "HIDDEN_DUE_TO_SECURITY_REASONS"
ACCOUNTS = ["111122223333", "444455556666", "012345678901"]
REGIONS = ["us-east-1", "eu-west-1"]
PROJECTS = ["web", "api", "o'brien", "Web", "naïve_1"]
ADDRESSES = ["203.0.113.10", "198.51.100.66", "10.0.0.5", "100.64.1.1", "172.31.0.9", "2001:db8::1", "fd00::9",
             "codepipeline.amazonaws.com", "AWS Internal", "", None, "999.999.1", "172.x.1.1", "100."]
AGENTS = ["aws-cli/2.31.9 md/command#codebuild", "Mozilla/5.0 (X11)", "Boto3/1.40", "[aws-sdk-java/2]", None, "",
          "APN/1.0 HashiCorp/1.0 Terraform/1.9", "codepipeline.amazonaws.com", "Jenkins-é"]
ERRORS = ["AccessDenied", "InvalidInputException", "ResourceNotFoundException", "ThrottlingException", "VpceAccessDenied"]
PATTERNS = [".*", "^1$", "^(1|2)$", "PUSH", "PUSH, PULL_REQUEST_CREATED", "^refs/heads/main$", r"\A1\z", "(^1$)",
            "WORKFLOW_JOB_QUEUED", "PULL_REQUEST_MERGED", "", None, 7]
POLICIES = ['{"Statement":[{"Effect":"Allow","Principal":"*","Action":"codebuild:*"}]}', "{not json",
            '{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":"\\u0061rn:aws:iam::1:root"},"Action":["codebuild:Get*"]}}',
            '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Condition":{"Bool":{"x":"y"}}}]}', "[]", ""]
ODD = [None, MASK, "", "***", 0, -1, 7.5, 10**20, True, False, [], {}, ["a"], {"a": None}, "it's", "\u202f", '"', "a,b",
       "x\ny", "2026-09-26T14:42:50Z", "Sep 6, 2016 10:59:11 AM", "\U0001f600"]


class Maker:
    """Makes the records of one dataset."""

    def __init__(self, rng):
        self.rng = rng
        start = datetime.datetime(2026, rng.choice([1, 8, 12]), rng.choice([1, 28]), 23, 50)
        self.start = start
        # Few seconds, so that many events share one; some days later, so that baselines and timeouts pass.
        self.seconds = [start + datetime.timedelta(seconds=rng.randrange(1800)) for _ in range(25)]
        self.seconds += [start + datetime.timedelta(days=rng.randrange(40), seconds=rng.randrange(90000))
                         for _ in range(20)]
        self.oddness = rng.choice([0.0, 0.003, 0.02])
        self.builds = {project: [self.uuid() for _ in range(3)] for project in PROJECTS}
        self.batches = {project: [self.uuid() for _ in range(2)] for project in PROJECTS}

    def uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def one(self, *choices):
        return self.rng.choice(choices)

    def maybe(self, share=0.5):
        return self.rng.random() < share

    def any_build(self):
        return self.rng.choice(self.builds[self.rng.choice(PROJECTS)])

    def time(self):
        moment = self.rng.choice(self.seconds)
        if self.maybe(0.02):
            return self.one("not a time", None, "", 17, moment.strftime("%Y-%m-%dT%H:%M:%S.5Z"),
                            moment.strftime("%Y-%m-%dT%H:%M:%S+02:00"))
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def arn(self, kind, name, account, region):
        return f"arn:aws:codebuild:{region}:{account}:{kind}/{name}"

    def role_name(self):
        return self.one("codebuild-web", "developer", "pipeline")

    def identity(self, account):
        kind = self.rng.randrange(10)
        if kind < 3:
            name = self.one("alice", "bob", "o'brien")
            who = {"type": "IAMUser", "principalId": f"AIDA{name}", "arn": f"arn:aws:iam::{account}:user/{name}",
                   "accountId": account, "accessKeyId": self.one("AKIAONE", "AKIATWO", "ASIATHREE", ""), "userName": name}
            if self.maybe(0.3):
                who["sessionContext"] = {"attributes": {"creationDate": "2026-09-01T07:00:00Z",
                                                        "mfaAuthenticated": self.one("true", "false", True)}}
            return who
        if kind < 7:
            return self.session(account, self.role_name(), self.one(
                "carol", "run-7", "AWSCodeBuild", "AWSCodeBuild-evil", "AWSCodeBuild-" + "-" * 36,
                "AWSCodeBuild-" + self.any_build(), "AWSCodeBuild-" + self.any_build()))
        return self.one(
            {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account},
            {"type": "AWSService", "invokedBy": "codebuild.amazonaws.com"},
            {"type": "AWSAccount", "principalId": "AIDAX", "accountId": self.rng.choice(ACCOUNTS)},
            {"type": "FederatedUser", "principalId": f"{account}:dora", "arn": f"arn:aws:sts::{account}:federated-user/dora",
             "accountId": account, "accessKeyId": "ASIAFED", "sessionContext": {"sessionIssuer": {
                 "type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/alice", "userName": "alice"}}},
            {"type": "WebIdentityUser", "principalId": "x", "identityProvider": "cognito"},
            {"accountId": account, "invokedBy": "AWS Internal"}, {"type": "New", "arn": "x"}, "masked", None, {})

    def session(self, account, role, name):
        who = {"type": "AssumedRole", "principalId": f"AROAX:{name}",
               "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}", "accountId": account,
               "accessKeyId": self.one("ASIAONE", "ASIATWO", "ASIATHREE", "ASIAFOUR"),
               "sessionContext": {
                   "sessionIssuer": {"type": "Role", "principalId": "AROAX", "accountId": account, "userName": role,
                                     "arn": f"arn:aws:iam::{account}:role/" + self.one("", "service-role/") + role},
                   "attributes": {"creationDate": self.time(), "mfaAuthenticated": "false"}}}
        if self.maybe(0.2):
            who["invokedBy"] = self.one("codepipeline.amazonaws.com", "codebuild.amazonaws.com", "AWS Internal")
        return who

    def source(self):
        return {"type": self.one("GITHUB", "S3", "NO_SOURCE", "CODEPIPELINE"),
                "location": self.one("https://github.com/a/b.git", "https://u:p@example.com/x.git", "bucket/key", ""),
                "buildspec": MASK, "insecureSsl": self.one(True, False, None),
                "auth": self.one(None, {"type": "OAUTH", "resource": "token"})}

    def environment(self):
        names = ["TOKEN", "PASSWORD_FILE", "HTTPS_PROXY", "GIT_SSL_NO_VERIFY", "AWS_SECRET_ACCESS_KEY", "x", MASK]
        variables = [{"name": self.rng.choice(names), "value": self.one(MASK, "1"), "type": self.one("PLAINTEXT", MASK, None)}
                     for _ in range(self.rng.randrange(4))]
        return {"type": "LINUX_CONTAINER", "image": self.one("aws/codebuild/standard:7.0", "evil/image", "x:latest"),
                "computeType": "BUILD_GENERAL1_SMALL", "privilegedMode": self.one(True, False, "true"),
                "certificate": self.one(None, "bucket/c.pem"), "environmentVariables": self.one(variables, MASK, None)}

    def settings(self, name, account, region):
        """Some of a project's members, each perhaps."""
        role = f"arn:aws:iam::{account}:role/service-role/{self.role_name()}"
        members = {
            "source": self.source(), "environment": self.environment(), "serviceRole": self.one(role, "codebuild-web"),
            "secondarySources": [self.source() for _ in range(self.rng.randrange(3))],
            "artifacts": {"type": self.one("S3", "NO_ARTIFACTS", "s3"), "location": self.one("out", "elsewhere"),
                          "encryptionDisabled": self.one(True, False)},
            "encryptionKey": MASK, "timeoutInMinutes": self.one(5, "60", None), "tags": self.one(MASK, [{"key": "a", "value": "b"}]),
            "vpcConfig": self.one(None, {"vpcId": "vpc-1", "subnets": ["s-2", "s-1"], "securityGroupIds": ["sg"]},
                                  {"vpcId": "vpc-1", "subnets": ["s-1", "s-2"], "securityGroupIds": ["sg"]}),
            "logsConfig": {"cloudWatchLogs": {"status": self.one("ENABLED", "DISABLED")},
                           "s3Logs": {"status": self.one("ENABLED", "DISABLED"), "location": self.one("logs/a", None)}},
            "cache": {"type": self.one("LOCAL", "S3", "NO_CACHE"), "modes": self.one(["A", "B"], ["B", "A"], None)},
            "description": self.one("x", "", None), "badgeEnabled": self.maybe(),
        }
        kept = {key: value for key, value in members.items() if self.maybe(0.6)}
        kept["name"] = name
        kept["arn"] = self.arn("project", name, account, region)
        return kept

    def build(self, name, account, region, kind="build"):
        number = self.rng.choice((self.batches if kind == "build-batch" else self.builds)[name])
        build = self.settings(name, account, region)
        del build["name"]
        status = self.one("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED", "STOPPED", "FAILED")
        build.update(id=f"{name}:{number}", arn=self.arn(kind, f"{name}:{number}", account, region), projectName=name,
                     startTime=self.time(), initiator=self.one("alice", "codepipeline/p", "rule/r", "GitHub-Hookshot/1"),
                     queuedTimeoutInMinutes=self.one(480, 5), timeoutInMinutes=self.one(60, 5, None))
        build.update({"buildBatchStatus" if kind == "build-batch" else "buildStatus": status})
        if status != "IN_PROGRESS" and self.maybe(0.8):
            build["endTime"] = self.time()
        if self.maybe(0.3):
            build["buildBatchArn"] = self.arn("build-batch", f"{name}:{self.rng.choice(self.batches[name])}", account, region)
        return build

    def webhook(self):
        def group():
            return [{"type": self.one("EVENT", "ACTOR_ACCOUNT_ID", "HEAD_REF", "REPOSITORY_NAME"),
                     "pattern": self.rng.choice(PATTERNS), "excludeMatchedPattern": self.one(True, False, None)}
                    for _ in range(self.rng.randrange(3))]
        members = {
            "filterGroups": [group() for _ in range(self.rng.randrange(3))],
            "buildType": self.one("BUILD", "BUILD_BATCH"), "branchFilter": self.one("main", None),
            "scopeConfiguration": self.one(None, {"scope": "GITHUB_ORGANIZATION", "name": "org"}),
            "pullRequestBuildPolicy": self.one(None, {"requiresCommentApproval": self.one("DISABLED", "ALL_PULL_REQUESTS"),
                                                      "approverRoles": self.one(["GITHUB_READ"], ["GITHUB_ADMIN"], None)}),
        }
        return {key: value for key, value in members.items() if self.maybe(0.7)}

    def call(self, name, project, account, region):
        """The request and the answer of an operation."""
        arn = self.arn("project", project, account, region)
        build, batch = (self.build(project, account, region, k) for k in ("build", "build-batch"))
        if name in ("CreateProject", "UpdateProject"):
            settings = self.settings(project, account, region)
            return dict(settings, name=arn), {"project": self.one(settings, self.settings(project, account, region))}
        if name == "StartBuild":
            overrides = {key: value for key, value in {
                "imageOverride": "evil", "buildspecOverride": MASK, "privilegedModeOverride": True, "debugSessionEnabled": True,
                "serviceRoleOverride": "arn:aws:iam::1:role/x", "sourceLocationOverride": "https://example.com/x",
                "artifactsOverride": {"type": "S3", "location": "elsewhere"}, "newOverride": 1,
                "environmentVariablesOverride": self.environment()["environmentVariables"]}.items() if self.maybe(0.2)}
            return {"projectName": self.one(project, arn), **overrides}, {"build": build}
        requests = {
            "DeleteProject": ({"name": arn}, {"webhookDeletedStatus": self.one("no_webhook", "success")}),
            "UpdateProjectVisibility": ({"projectArn": arn, "projectVisibility": self.one("PUBLIC_READ", "PRIVATE")},
                                        self.one({"projectArn": arn}, {"projectArn": arn, "projectVisibility": "PUBLIC_READ"}, None)),
            "CreateWebhook": ({"projectName": project, **self.webhook()}, {"webhook": self.webhook()}),
            "UpdateWebhook": ({"projectName": project, **self.webhook()}, {"webhook": self.webhook()}),
            "DeleteWebhook": ({"projectName": project}, self.one(None, {})),
            "StopBuild": ({"id": build["id"]}, {"build": build}),
            "RetryBuild": ({"id": f"{project}:{self.rng.choice(self.builds[project])}"}, {"build": build}),
            "StartBuildBatch": ({"projectName": project}, {"buildBatch": batch}),
            "RetryBuildBatch": ({"id": batch["id"]}, {"buildBatch": batch}),
            "StopBuildBatch": ({"id": batch["id"]}, {"buildBatch": batch}),
            "DeleteBuildBatch": ({"id": batch["id"]}, {"buildsDeleted": [build["arn"]], "statusCode": "OK"}),
            "BatchDeleteBuilds": ({"ids": [build["id"]]}, {"buildsDeleted": [build["arn"]], "buildsNotDeleted": []}),
            "ImportSourceCredentials": ({"serverType": "GITHUB", "authType": "PERSONAL_ACCESS_TOKEN", "token": MASK},
                                        {"arn": self.arn("token", "github", account, region)}),
            "PutResourcePolicy": ({"resourceArn": arn, "policy": self.rng.choice(POLICIES)}, {"resourceArn": arn}),
            "DeleteResourcePolicy": ({"resourceArn": arn}, None),
            "UpdateFleet": ({"arn": self.arn("fleet", "f:1", account, region), "baseCapacity": 2}, {"fleet": {"baseCapacity": 2}}),
            "StartSandbox": ({"projectName": project}, {"sandbox": {"id": f"{project}:{self.uuid()}", "projectName": project}}),
            "StartCommandExecution": ({"sandboxId": f"{project}:{self.uuid()}", "command": MASK}, {"commandExecution": {"id": "1"}}),
            "BatchGetBuilds": ({"ids": [build["id"]]}, None), "BatchGetProjects": ({"names": [arn, project]}, None),
        }
        return requests.get(name, (None, None))

    OPERATIONS = ["CreateProject", "UpdateProject", "StartBuild", "DeleteProject", "UpdateProjectVisibility", "CreateWebhook",
                  "UpdateWebhook", "DeleteWebhook", "StopBuild", "RetryBuild", "StartBuildBatch", "RetryBuildBatch",
                  "StopBuildBatch", "DeleteBuildBatch", "BatchDeleteBuilds", "ImportSourceCredentials", "PutResourcePolicy",
                  "DeleteResourcePolicy", "UpdateFleet", "StartSandbox", "StartCommandExecution", "BatchGetBuilds",
                  "BatchGetProjects", "ListProjects", "ListBuilds", "ListFleets", "ListReportGroups", "ListSourceCredentials",
                  "NewOperation"]
    WEIGHTS = [3, 6, 6] + [1] * (len(OPERATIONS) - 3)

    def elsewhere(self, account):
        """A call to another service: by a build, or one that gives the credentials of one."""
        if self.maybe(0.4):
            name = "AWSCodeBuild-" + self.any_build()
            who = self.one({"type": "AWSService", "invokedBy": "codebuild.amazonaws.com"}, self.identity(account))
            return "sts", "AssumeRole", who, (
                {"roleArn": f"arn:aws:iam::{account}:role/" + self.one("", "service-role/") + self.role_name(), "roleSessionName": name},
                {"credentials": {"accessKeyId": self.one("ASIAONE", "ASIATWO", "ASIATHREE"), "sessionToken": MASK}})
        who = self.session(account, self.role_name(), "AWSCodeBuild-" + self.any_build())
        source, name = self.one(("s3", "GetObject"), ("iam", "CreateUser"), ("iam", "AttachRolePolicy"), ("logs", "PutLogEvents"),
                                ("kms", "Decrypt"), ("ssm", "StartSession"))
        return source, name, who, ({"key": "x"}, None)

    def spoilt(self, value, depth=0):
        """The value, with a member here and there of another kind."""
        if depth and self.rng.random() < self.oddness:
            return self.rng.choice(ODD)
        if isinstance(value, dict):
            return {key: self.spoilt(member, depth + 1) for key, member in value.items()}
        if isinstance(value, list):
            return [self.spoilt(member, depth + 1) for member in value]
        return value

    def record(self):
        account, region, project = (self.rng.choice(x) for x in (ACCOUNTS, REGIONS, PROJECTS))
        source, name, who = "codebuild", self.rng.choices(self.OPERATIONS, self.WEIGHTS)[0], self.identity(account)
        owner = account if self.maybe(0.9) else self.rng.choice(ACCOUNTS)
        if self.maybe(0.25):
            source, name, who, (request, answer) = self.elsewhere(account)
        else:
            request, answer = self.call(name, project, owner, region)
        record = {
            "eventVersion": self.one("1.11", "1.05"), "userIdentity": who, "eventTime": self.time(),
            "eventSource": f"{source}.amazonaws.com", "eventName": name, "awsRegion": self.rng.choice([region, region, region, region, None]),
            "sourceIPAddress": self.rng.choice(ADDRESSES), "userAgent": self.rng.choice(AGENTS), "requestParameters": request,
            "responseElements": answer, "requestID": self.uuid(), "eventID": self.uuid(), "eventType": "AwsApiCall",
            "readOnly": name.startswith(("List", "BatchGet", "Get")), "managementEvent": True, "recipientAccountId": account,
        }
        if self.maybe(0.12):
            record["errorCode"] = self.rng.choice(ERRORS)
            record["errorMessage"] = self.one("no", "", f"User: x is not authorized to perform: codebuild:{name} on resource: "
                                              + self.arn("project", project, owner, region))
            record["responseElements"] = None
        elif self.maybe(0.1):
            # The era when a record told the caller alone.
            record["requestParameters"] = {"awsActId": account, "userArn": "x"}
        if self.maybe(0.1):
            record["vpcEndpointId"] = self.one("vpce-1", "vpce-2", "AWS Internal")
        if self.maybe(0.1):
            record["sessionCredentialFromConsole"] = self.one("true", True)
        for member in ("userIdentity", "requestParameters", "responseElements"):
            record[member] = self.spoilt(record[member])
        if self.maybe(0.03):
            # Without an id; of a second of its own, as nothing else would give such rows an order.
            del record["eventID"]
            record["eventTime"] = (self.start + datetime.timedelta(days=50, seconds=self.rng.randrange(10**6))).strftime(
                "%Y-%m-%dT%H:%M:%SZ")
        return record

    def files(self):
        records = []
        for _ in range(self.rng.choice([0, 1, 30, 150, 300])):
            record = self.record()
            records.append(record)
            if self.maybe(0.06):
                # The record of another account of the same call.
                record["sharedEventID"] = self.uuid()
                other = dict(record, recipientAccountId=self.rng.choice(ACCOUNTS), eventID=self.uuid())
                if self.maybe():
                    other["userIdentity"] = {"type": "AWSAccount", "principalId": "AIDAX", "accountId": "111122223333"}
                records.append(other)
            if self.maybe(0.03):
                records.append(dict(record))
        self.rng.shuffle(records)
        half = len(records) // 2
        return records[:half], records[half:]


def argument(rng, parameter, values):
    """A value for a parameter, or None to leave it out."""
    name, kind, default, help_text = parameter
    if kind == "timestamp":
        if rng.random() < 0.6:
            return None
        return rng.choice([*values["time"], "2026-08-29", "2026-09-05T00:00:00Z", "2020-01-01", "2030-01-01"])
    if kind == "integer":
        bounds = re.search(r"\((-?\d+) to (\d+)\)$", help_text)
        low, high = map(int, bounds.groups()) if bounds else (1, 1000)
        return rng.choice([None, None, str(low), str(high), str(min(high, max(low, rng.choice([1, 2, 3, 5, 20]))))])
    if kind == "boolean":
        return rng.choice([None, "true", "false"])
    if kind == "list":
        words = [w for w in default.split(",") if w]
        return rng.choice([None, None, "nothing", ",".join(rng.sample(words, min(len(words), 3))) or None, "CreateUser,GetObject"])
    if rng.random() < 0.6 and name != "build":
        return None
    known = values.get(name) or values["project"]
    return rng.choice([*known, *known, "nosuch", "o'brien", '"', "%", "_"])


class Saved(pack.Query):
    """A query with the help texts of its parameters, where their ranges are."""

    LINE = re.compile(r"^-- parameter: ([a-z_]+) (\w+) \[(.*?)\] (.*)$")

    def __init__(self, path):
        super().__init__(path)
        self.helped = [m.groups() for m in map(self.LINE.match, path.read_text().splitlines()) if m]


def values_of(engine):
    """Values of the dataset that a person would filter by."""
    texts = {}
    for name, column in [("project", "project_name"), ("actor", "actor"), ("account", "recipient_account_id"),
                         ("region", "aws_region"), ("build", "build_id")]:
        rows = engine.connection.execute(f"SELECT DISTINCT {column} FROM events ORDER BY 1").fetchall()
        texts[name] = [row[0] for row in rows if row[0] and "\n" not in row[0] and not {'"', "'"} <= set(row[0])]
    rows = engine.connection.execute("SELECT DISTINCT event_time FROM events WHERE event_time IS NOT NULL ORDER BY 1").fetchall()
    texts["time"] = [pack.cell(row[0]) for row in rows]
    return texts


def ours(binary, dataset, sql_folder, asked, scratch):
    """The answers of our engine, in one process while nothing fails; None and the message for what does."""
    answers = {}
    left = list(asked)
    pathlib.Path(scratch).mkdir(exist_ok=True)
    while left:
        lines = []
        for number, (query, arguments, of_view) in enumerate(left):
            lines.append(f".once {scratch}/{number}.csv")
            if of_view:
                lines.append(f'SELECT * FROM "{query.name}";')
            else:
                words = [f"--{name.replace('_', '-')}={value}" for name, value in arguments.items()]
                lines.append(" ".join([f".run {query.name}", *(f"'{w}'" if '"' in w else f'"{w}"' for w in words)]))
        script = pathlib.Path(scratch, "script.sql")
        script.write_text("\n".join(lines) + "\n")
        done = subprocess.run([binary, "sql", dataset, "--sql-dir", sql_folder, "--allow-write", "--format", "csv", "-f", script],
                              capture_output=True, text=True)
        read = 0
        for number, (query, arguments, _) in enumerate(left):
            file = pathlib.Path(scratch, f"{number}.csv")
            if not file.exists():
                break
            answers[query.name, json.dumps(arguments)] = pack.read_csv(file.read_text())
            file.unlink()
            read += 1
        if read == len(left):
            break
        query, arguments, _ = left[read]
        answers[query.name, json.dumps(arguments)] = [["error", done.stderr.strip() or f"exit status {done.returncode}"]]
        left = left[read + 1:]
    return answers


def difference(mine, theirs, of_view):
    """What differs, or None."""
    if of_view:
        mine, theirs = (rows[:1] + sorted(rows[1:]) for rows in (mine, theirs))
    if mine == theirs:
        return None
    if sorted(mine) == sorted(theirs):
        return "the same rows in another order: " + pack.first_difference(theirs, mine).replace("expected", "DuckDB").replace("got", "buildtrail")
    return pack.first_difference(theirs, mine).replace("expected", "DuckDB").replace("got", "buildtrail")


def round_of(seed, options, queries, views, deadline):
    """One dataset, everything asked of it: the number of comparisons, and what differs."""
    rng = random.Random(seed)
    maker = Maker(rng)
    keep = rng.choice(["codebuild", "build-activity", "all", "all"])
    partitions = rng.choice(["region,month", "region", "month", "account"])  # few part files: each takes its time
    logs = maker.files()
    compared, wrong = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch, "logs")
        folder.mkdir()
        for number, records in enumerate(logs):
            (folder / f"{number}.json").write_text(json.dumps({"Records": records}))
        dataset = f"{scratch}/dataset"
        done = subprocess.run([options.binary, "convert", folder, "--out", dataset, "--keep", keep, "--partition-by", partitions],
                              capture_output=True, text=True)
        if done.returncode:
            return 0, [("convert", {}, f"exit status {done.returncode}: {done.stderr.strip()}")]
        if any(pathlib.Path(dataset).rglob("*.parquet")):
            engine = pack.Engine(dataset, views)
            values = values_of(engine)
            asked = []
            for query in queries:
                for number in range(2):
                    own = random.Random(f"{seed}/{query.name}/{number}")
                    given = {p[0]: argument(own, p, values) for p in query.helped}
                    asked.append((query, {n: v for n, v in given.items() if v is not None}, False))
            asked += [(view, {}, True) for view in views]
            wanted = options.names
            asked = [a for a in asked if not wanted or (f"view-{a[0].name}" if a[2] else a[0].name) in wanted]
            for some in (asked[at:at + 24] for at in range(0, len(asked), 24)):
                if time.monotonic() > deadline:
                    break
                # Two processes: planning takes longer than the little data, on one thread.
                answers = {}
                with concurrent.futures.ThreadPoolExecutor() as pool:
                    halves = [pool.submit(ours, options.binary, dataset, options.sql_folder, some[at::2], f"{scratch}/{at}")
                              for at in range(2)]
                    for half in halves:
                        answers.update(half.result())
                for query, arguments, of_view in some:
                    mine = answers[query.name, json.dumps(arguments)]
                    try:
                        if of_view:
                            result = engine.connection.execute(f'SELECT * FROM "{query.name}"')
                            theirs = pack.read_csv_rows([c[0] for c in result.description], result.fetchall())
                        else:
                            theirs = engine.ask(query, arguments)
                    except pack.duckdb.Error as error:
                        theirs = [["error", str(error).splitlines()[0]]]
                    found = difference(mine, theirs, of_view)
                    if not found and mine[0][:1] == ["error"]:
                        found = f"both fail: {mine[0][1]}"
                    if found:
                        wrong.append((f"view-{query.name}" if of_view else query.name, arguments, found))
                    compared += 1
        if wrong and options.keep:
            kept = pathlib.Path(options.keep, str(seed))
            kept.mkdir(parents=True, exist_ok=True)
            for file in folder.iterdir():
                (kept / file.name).write_bytes(file.read_bytes())
    return compared, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("sql_folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10**9)
    parser.add_argument("--keep")
    options = parser.parse_intermixed_args()
    saved = [Saved(p) for p in sorted(options.sql_folder.rglob("*.sql"))]
    paths = {p.stem: p for p in options.sql_folder.rglob("*.sql")}
    views = pack.in_order([q for q in saved if paths[q.name].parent.name == "views" and not q.no_duckdb])
    queries = [q for q in saved if q not in views and not q.no_duckdb]
    unknown = set(options.names) - {q.name for q in queries} - {f"view-{v.name}" for v in views}
    if unknown:
        parser.error(f"no such query: {', '.join(sorted(unknown))}")
    deadline = time.monotonic() + options.seconds
    compared, rounds, wrong = 0, 0, []
    while rounds < options.rounds and time.monotonic() < deadline and len(wrong) < 20:
        seed = options.seed + rounds
        of_round, differing = round_of(seed, options, queries, views, deadline)
        for name, arguments, found in differing:
            shown = " ".join(f"--{n}={v}" for n, v in arguments.items())
            print(f"{name} {shown}\n  {found[:600]}")
            again = f"python3 tests/pack/hostile.py {options.binary} {options.sql_folder} --seed {seed} --rounds 1"
            print(f"  again: {again}" + ("" if name == "convert" else f" {name}"), flush=True)
        compared, rounds, wrong = compared + of_round, rounds + 1, wrong + differing
    print(f"seeds {options.seed} to {options.seed + rounds - 1}: {compared} answers compared, {len(wrong)} differ")
    sys.exit(1 if wrong or not compared else 0)


if __name__ == "__main__":
    main()
