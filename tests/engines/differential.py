#!/usr/bin/env python3
"""Asks `buildtrail sql` and DuckDB the same random statements over the same part files, and compares the rows.

    python3 tests/engines/differential.py BUILDTRAIL VIEWS_FOLDER [--seconds N] [--seed S] [--minimise]

Statements are of the kinds people write: joins, self-joins of `events` with equal column names, subqueries
in FROM and WHERE, CTEs, windows, set operations, DISTINCT, GROUP BY, and LIMIT where ORDER BY is total; over
`events` and the views, with many nulls. Three small datasets are made from the seed. Batches alternate between
the engine's own settings and small batches of rows, by which a small dataset takes the ways of a large one.
Rows are compared as multisets, in order where the outer ORDER BY is total. A difference ends the run with exit
status 1, the seed and the statement; --minimise makes statement, settings and log file smaller as long as
they differ. So does an internal error of the engine. Statements that it refuses are counted by message.

IS DISTINCT FROM stands in parentheses: the engine's parser takes in an AND or OR after it. IS NOT DISTINCT FROM is no
condition of a join, unless with --known-faults: DataFusion 55 then takes an equality of WHERE for null-safe, too.
--prelude SQL stands before every batch; --statement N asks that one alone. Needs the Python module duckdb.
"""
import argparse
import collections
import concurrent.futures
import copy
import datetime
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

import duckdb

BATCH = 16
# Seconds for one statement in DuckDB, and for a batch in ours.
PATIENCE, BATCH_PATIENCE = 5, 60
ROWS = 2_000
TRIES = 6
SMALL_BATCHES = ["SET datafusion.execution.batch_size = 8", "SET datafusion.execution.target_partitions = 3",
                 "SET datafusion.optimizer.repartition_file_min_size = 0"]
NAMES = ["x1", "x2", "x3", "X1", "a b", "y", "a1", "b2", "m", "n-1", "z"]
# Columns that have few values and nulls, so that joins meet; the others come by chance.
JOINED = ["actor", "project_name", "user_identity_user_name", "session_issuer_user_name", "build_uuid", "actor_build_uuid",
          "event_id", "event_name", "request_id"]


# ---- Log files ---------------------------------------------------------------------------------------------

def made_records(rng, count):
    """Calls by a few people on a few projects whose names are alike, with members missing."""
    names, records = rng.sample(NAMES, min(len(NAMES), 3 + count // 6)), []
    builds = [f"{rng.getrandbits(32):08x}-0000-4000-8000-{n:012}" for n in range(max(2, count // 8))]
    for number in range(count):
        name, project, build = rng.choice(names), rng.choice(names), rng.choice(builds)
        account = rng.choice(["000000000012", "111122223333"])
        who = rng.randrange(4)
        identity = {"type": "IAMUser", "principalId": "AIDA" + name, "arn": f"arn:aws:iam::{account}:user/{name}",
                    "accountId": account, "userName": name}
        if who == 1:
            session = rng.choice([name, "AWSCodeBuild-" + build])
            role = {"type": "Role", "principalId": "AROA" + name, "arn": f"arn:aws:iam::{account}:role/{name}",
                    "accountId": account, "userName": name}
            identity = {"type": "AssumedRole", "principalId": f"AROA{name}:{session}", "accountId": account,
                        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}", "sessionContext": {"sessionIssuer": role}}
        elif who == 2:
            identity = {"type": "AWSService", "invokedBy": rng.choice(["x1", "codepipeline.amazonaws.com"])}
        stamp = datetime.datetime(2026, 9, 28) + datetime.timedelta(hours=rng.randrange(96), seconds=rng.randrange(2))
        stamp = stamp.strftime("%Y-%m-%dT%H:%M:%SZ")
        event = rng.choice(["StartBuild"] * 4 + ["StopBuild", "UpdateProject", "CreateProject", "DeleteProject",
                                               "BatchGetBuilds", "CreateWebhook", "RetryBuild"])
        record = {
            "eventVersion": "1.11", "userIdentity": identity, "eventTime": stamp, "eventName": event,
            "eventSource": "codebuild.amazonaws.com", "awsRegion": rng.choice(["us-east-1", "eu-west-1"]),
            "sourceIPAddress": rng.choice(["203.0.113.7", "198.51.100.1", "x1"]), "userAgent": rng.choice(["aws-cli/2", "x2"]),
            "eventID": f"{rng.getrandbits(64):016x}-{number:04}", "readOnly": event.startswith("Batch"),
            "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management",
        }
        settings = {"source": {"type": rng.choice(["GITHUB", "S3", "NO_SOURCE"]), "location": project},
                    "environment": {"image": rng.choice(names), "privilegedMode": rng.random() < 0.5},
                    "timeoutInMinutes": rng.choice([5, 60]), "serviceRole": f"arn:aws:iam::{account}:role/{name}"}
        if event in ("StartBuild", "RetryBuild"):
            record["requestParameters"] = {"projectName": project} if event == "StartBuild" else {"id": f"{project}:{build}"}
            record["responseElements"] = {"build": {"id": f"{project}:{build}", "projectName": project, "startTime": stamp,
                                                    "buildNumber": number % 7, "initiator": name, **settings}}
        elif event in ("StopBuild", "BatchGetBuilds"):
            ids = [f"{project}:{build}"] + [f"{rng.choice(names)}:{rng.choice(builds)}"] * rng.randrange(2)
            record["requestParameters"] = {"id": ids[0]} if event == "StopBuild" else {"ids": ids}
        elif event == "CreateWebhook":
            record["requestParameters"] = {"projectName": project, "filterGroups": [[{"type": "EVENT", "pattern": "PUSH"}]]}
        elif event != "DeleteProject":
            record["requestParameters"] = {"name": project, **settings}
            record["responseElements"] = {"project": {"name": project, **settings}}
        else:
            record["requestParameters"] = {"name": project}
        if rng.random() < 0.6:
            record["requestID"] = rng.choice(["r1", "r2", "x1", f"r{number}"])
        if rng.random() < 0.2:
            record["errorCode"] = rng.choice(["AccessDenied", "ResourceNotFoundException"])
            record.pop("responseElements", None)
        for member in ("requestParameters", "responseElements", "sourceIPAddress", "userIdentity"):
            if rng.random() < 0.1:
                record.pop(member, None)
        records.append(record)
    return records


class Dataset:
    """The part files of records, and DuckDB over them."""

    def __init__(self, arguments, records, folder):
        self.records, self.arguments, self.folder = records, arguments, folder
        folder.mkdir(parents=True)
        (folder / "log.json").write_text(json.dumps({"Records": records}))
        self.place = folder / "ds"
        command = [arguments.buildtrail, "convert", folder / "log.json", "--out", self.place]
        subprocess.run(command, check=True, capture_output=True)
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
        # A table is what a view over the files gives, read once.
        self.connection.execute(f"""CREATE TABLE events AS SELECT * FROM read_parquet('{self.place}/**/*.parquet',
            hive_partitioning = true, hive_types_autocast = false, union_by_name = true)""")
        self.tables = {"events": self.columns("events", all_null=False)}
        waiting = {path.stem: path.read_text() for path in sorted(arguments.views.glob("*.sql"))}
        while waiting:
            ready = []
            for name, text in waiting.items():
                try:
                    self.connection.execute(f'CREATE VIEW "{name}" AS {text}')
                    ready.append(name)
                except duckdb.Error:
                    continue
            if not ready:
                sys.exit(f"views that DuckDB refuses: {', '.join(waiting)}")
            for name in ready:
                del waiting[name]
                try:
                    self.tables[name] = self.columns(name)
                except duckdb.Error as error:
                    # DuckDB 2.0 fails in itself on some views over a table; over files it does not.
                    print(f"view {name} is left out: {str(error).splitlines()[0]}", file=sys.stderr)

    def columns(self, table, all_null=True):
        """Columns with a type that statements use, and some value."""
        kinds = {"VARCHAR": "text", "BOOLEAN": "bool", "INTEGER": "int", "BIGINT": "int", "HUGEINT": "int",
                 "TIMESTAMP WITH TIME ZONE": "time", "VARCHAR[]": "list"}
        found = []
        described = self.connection.execute(f'DESCRIBE "{table}"').fetchall()
        columns = list(zip(*self.connection.execute(f'SELECT * FROM "{table}"').fetchall())) or [()] * len(described)
        for row, cells in zip(described, columns):
            long = row[0] in ("request_parameters", "response_elements", "source_file", "extra", "user_identity")
            values = sorted({plain(cell) for cell in cells if cell is not None}, key=repr)
            if row[1] in kinds and not long and (values or all_null):
                found.append(Ref(row[0], kinds[row[1]], row[0], values[:12] if kinds[row[1]] != "list" else ()))
        return found

    def duckdb(self, sql):
        """Its rows, or the error as a text."""
        timer = threading.Timer(PATIENCE, self.connection.interrupt)
        timer.start()
        try:
            rows = self.connection.execute(sql).fetchmany(ROWS + 1)
            return [tuple(map(plain, row)) for row in rows] if len(rows) <= ROWS else "too many rows"
        except (duckdb.Error, ValueError, OverflowError) as error:
            return str(error)
        finally:
            timer.cancel()

    def ours(self, statements, prelude):
        """The rows of each statement; a text where it is refused, None past a process that was given up."""
        answers = [None] * len(statements)
        first = 0
        while first < len(statements):
            lines = [f"{sql};" for sql in prelude]
            for number in range(first, len(statements)):
                lines += [f"SELECT '@@{number}' AS marker;", f"{statements[number]};"]
            script = self.folder / "batch.sql"
            script.write_text("\n".join(lines) + "\nSELECT '@@end' AS marker;\n")
            command = [self.arguments.buildtrail, "sql", self.place, "-f", script, "--format", "ndjson"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                out, error = process.communicate(timeout=BATCH_PATIENCE)
                slow = False
            except subprocess.TimeoutExpired:
                process.kill()
                out, error = process.communicate()
                slow = True
            current, ended = None, False
            for line in out.splitlines():
                marker = re.fullmatch(r'\{"marker":"@@(\d+|end)"\}', line)
                if marker:
                    ended = marker[1] == "end"
                    if not ended:
                        current = int(marker[1])
                        answers[current] = []
                elif current is not None:
                    row = tuple(map(plain, json.loads(line).values()))
                    answers[current].append(row)
            if ended:
                break
            if current is None:
                sys.exit(f"the prelude {prelude} does not run: {error}")
            answers[current] = "too slow" if slow else "refused: " + " ".join(error.split())[:600]
            first = current + 1
        return answers


def plain(value):
    """A value, alike from both."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, datetime.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        text = zoned.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return text.replace(".000Z", "Z")
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    number = float(f"{float(value):.9g}")
    return int(value) if isinstance(value, int) else int(number) if number.is_integer() else number


def difference(expected, got, in_order):
    if collections.Counter(expected) != collections.Counter(got):
        missing = list((collections.Counter(expected) - collections.Counter(got)).elements())
        more = list((collections.Counter(got) - collections.Counter(expected)).elements())
        return f"DuckDB {len(expected)} rows, ours {len(got)}; only DuckDB {missing[:3]}, only ours {more[:3]}"
    if in_order and expected != got:
        return "the order differs"
    return None


# ---- Statements as trees that can become smaller -------------------------------------------------------------

class Node:
    """A piece of a statement: a form with {} for each part. A part is a Node or a Some."""

    def __init__(self, kind, form, *parts):
        self.kind, self.form, self.parts = kind, form, list(parts)

    def sql(self):
        return self.form.format(*(part.sql() for part in self.parts)) if self.parts else self.form


class Some:
    """Parts of one kind, `least` of which must stay."""

    kind = "list"

    def __init__(self, before, between, parts, least):
        self.before, self.between, self.parts, self.least = before, between, list(parts), least

    def sql(self):
        return self.before + self.between.join(part.sql() for part in self.parts) if self.parts else ""


class Query(Node):
    """CTEs, a body (a SELECT, or two queries of a set operation), and ORDER BY all columns with LIMIT."""

    def __init__(self, ctes, body, order=None):
        super().__init__("query", "", ctes, body)
        self.order = order

    def names(self):
        return self.parts[1].names()

    def sql(self):
        ctes, body = (part.sql() for part in self.parts)
        if self.order is None:
            return ctes + body
        ways, limit = self.order
        keys = (f"{name} {ways[n % len(ways)]}" for n, name in enumerate(self.names()))
        return f"{ctes}{body} ORDER BY {', '.join(keys)}{limit}"


class Item(Node):
    def __init__(self, node, name):
        super().__init__("item", "{} AS " + name, node)
        self.name = name


class Select(Node):
    def __init__(self, distinct, items, relation, *rest):
        super().__init__("body", "SELECT {}{} FROM {}" + "{}" * len(rest), distinct, items, relation, *rest)

    def names(self):
        return [item.name for item in self.parts[1].parts]


class SetOperation(Node):
    def __init__(self, operation, left, right):
        super().__init__("body", "{} " + operation + " {}", left, right)

    def names(self):
        return self.parts[0].names()


def below(node):
    for part in node.parts:
        yield part
        yield from below(part)


CONSTANTS = {"text": ["'x1'"], "int": ["1"], "bool": ["TRUE"], "time": ["TIMESTAMPTZ '2026-09-29T00:00:00Z'"]}


def smaller(root):
    """Trees with one step less, larger steps first."""
    size = len(root.sql())
    found = []

    def note(change, undo):
        change()
        text = root.sql()
        if len(text) < size:
            found.append((len(text), copy.deepcopy(root)))
        undo()

    def visit(owner, index, node):
        if isinstance(node, Some):
            keep = node.parts
            halves = [keep[:len(keep) // 2], keep[len(keep) // 2:], []] if len(keep) > 1 else [[]]
            for part in [p for p in halves if len(p) >= node.least] + \
                    [keep[:n] + keep[n + 1:] for n in range(len(keep)) if len(keep) > node.least]:
                note(lambda part=part: setattr(node, "parts", part), lambda: setattr(node, "parts", keep))
        if isinstance(node, Query) and node.order:
            order = node.order
            note(lambda: setattr(node, "order", None), lambda: setattr(node, "order", order))
            if order[1]:
                note(lambda: setattr(node, "order", (order[0], "")), lambda: setattr(node, "order", order))
        if owner is not None and not isinstance(node, Some):
            others = [other for other in below(node) if other.kind == node.kind]
            others += [Node(node.kind, text) for text in CONSTANTS.get(node.kind, [])]
            for other in others:
                note(lambda other=other: owner.parts.__setitem__(index, other), lambda: owner.parts.__setitem__(index, node))
        for number, part in enumerate(list(node.parts)):
            visit(node, number, part)

    visit(None, None, root)
    return [tree for _, tree in sorted(found, key=lambda pair: pair[0])]


# ---- The generator ------------------------------------------------------------------------------------------

class Ref:
    """A column as a statement calls it, and some values that it may have."""

    def __init__(self, sql, kind, name, values=()):
        self.sql, self.kind, self.name, self.values = sql, kind, name, values

    def of(self, alias):
        return Ref(f"{alias}.{self.name}", self.kind, self.name, self.values)


class Maker:
    """Makes statements. A relation has refs (its columns) and a key that no two of its rows share, or None."""

    def __init__(self, rng, tables, known_faults=False):
        self.rng, self.tables, self.aliases, self.ctes = rng, tables, 0, []
        self.known_faults = known_faults
        # How many tables a statement still gets: each takes our engine 25 ms to plan.
        self.budget = rng.choice([1, 2, 3, 3, 3, 4, 4, 5])
        # Columns that every mention of `events` has, so that self-joins have columns of one name.
        self.common = rng.sample(JOINED[:4], rng.randrange(2, 4))

    def chance(self, share):
        return self.rng.random() < share

    def alias(self):
        self.aliases += 1
        return "abcdefghijklmnopqrstuvwxyz"[(self.aliases - 1) % 26] + (str(self.aliases // 26) if self.aliases > 26 else "")

    # Relations.

    def table(self, name=None):
        # A view takes ten times as long to plan.
        if name is None:
            name = "events" if self.chance(0.97) else self.rng.choice([t for t in self.tables if t != "events"])
        alias = self.alias()
        self.budget -= 1
        columns = self.tables[name]
        liked = [c for c in columns if c.name in JOINED]
        chosen = [c for c in columns if c.name in self.common]
        chosen += self.rng.sample(columns, min(4, len(columns))) + self.rng.sample(liked, min(2, len(liked)))
        chosen = list(dict.fromkeys(chosen))
        key = [f"{alias}.event_id"] if name == "events" else None
        return Node("relation", f"{name} AS {alias}"), [ref.of(alias) for ref in chosen], key

    def derived(self, depth):
        query, columns, key = self.query(depth - 1)
        alias = self.alias()
        refs = [ref.of(alias) for ref in columns]
        return Node("relation", "({}) AS " + alias, query), refs, key and [f"{alias}.{name}" for name in key]

    def values(self):
        alias, rows = self.alias(), []
        for number in range(self.rng.randrange(1, 4)):
            rows.append(f"({self.rng.choice(['NULL', *map(quoted, NAMES[:3])])}, {self.rng.choice(['NULL', '1', '2'])})")
        text = f"(VALUES ('x1', 0), {', '.join(rows)}) AS {alias}(project_name, build_number)"
        return Node("relation", text), [Ref(f"{alias}.project_name", "text", "project_name", NAMES),
                                        Ref(f"{alias}.build_number", "int", "build_number")], None

    def unnested(self):
        alias, column = self.alias(), self.rng.choice([ref.name for ref in self.tables["events"] if ref.kind == "list"])
        text = f"(SELECT event_id, actor, unnest({column}) AS project_name FROM events) AS {alias}"
        refs = [ref for ref in self.tables["events"] if ref.name in ("event_id", "actor")]
        unnested = Ref(f"{alias}.project_name", "text", "project_name", NAMES)
        return Node("relation", text), [*(ref.of(alias) for ref in refs), unnested], None

    def relation(self, depth, joins=2):
        roll = self.rng.random()
        if self.budget < 2:
            joins = depth = 0
        if depth and self.budget > 2 and self.chance(0.35):
            return self.self_join()
        if joins and roll < (0.55 if joins > 1 else 0.15):
            return self.join(depth, joins)
        if depth and roll < 0.75:
            return self.derived(depth) if self.chance(0.9) else self.derived(1)
        if self.ctes and roll < 0.9:
            name, columns, key = self.rng.choice(self.ctes)
            alias = self.alias()
            refs = [ref.of(alias) for ref in columns]
            return Node("relation", f"{name} AS {alias}"), refs, key and [f"{alias}.{c}" for c in key]
        if roll > 0.985:
            return self.values()
        return self.unnested() if roll > 0.97 else self.table()

    def self_join(self):
        """A subquery over `events` joined with itself that gives columns of one name, and perhaps groups by them."""
        left, left_refs, _ = self.table("events")
        right, right_refs, _ = self.table("events")
        near = [ref for ref in left_refs if ref.name in JOINED[:4]], [ref for ref in right_refs if ref.name in JOINED[:4]]
        one, other = (self.rng.choice(refs) for refs in near)
        kind = self.rng.choice(["JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        key = Node("bool", f"{one.sql} = {other.sql}")
        relation = Node("relation", "{} " + kind + " {} ON {}", left, right, Some("", " AND ", [key], 1))
        refs = left_refs + right_refs
        name = self.rng.choice([ref.name for ref in near[0]])
        twins = [ref for ref in refs if ref.name == name] or [one, other]
        conditions = [self.condition(refs, 1)] if self.chance(0.3) else []
        where, kinds = Some(" WHERE ", " AND ", conditions, 0), [ref.kind for ref in twins]
        roll = self.rng.random()
        if roll < 0.5:
            body, columns, key = self.grouped(relation, refs, where, kinds + ["int"] * self.chance(0.3), twins)
        elif roll < 0.6:
            body, columns, key = self.windowed(relation, refs, None, where, kinds + ["int"], twins)
        else:
            named = self.named([(Node(ref.kind, ref.sql), ref.kind) for ref in twins], refs)
            distinct = Some("", "", [Node("distinct", "DISTINCT ")] if self.chance(0.3) else [], 0)
            body = Select(distinct, Some("", ", ", [item for item, _ in named], 1), relation, where)
            columns, key = [ref for _, ref in named], None
        alias = self.alias()
        query = Query(Some("", "", [], 0), body)
        return Node("relation", "({}) AS " + alias, query), [ref.of(alias) for ref in columns], None

    def join(self, depth, joins):
        twins = depth and self.budget > 2 and self.chance(0.5)
        right, right_refs, right_key = self.self_join() if twins else self.relation(depth, 0)
        left, left_refs, left_key = self.relation(depth if not twins else 0, joins - 1)
        kind = self.rng.choice(["JOIN"] * 4 + ["LEFT JOIN"] * 4 + ["RIGHT JOIN", "FULL JOIN"])
        refs, key = left_refs + right_refs, left_key and right_key and left_key + right_key
        pairs = [(a, b) for a in left_refs for b in right_refs if a.kind == b.kind and a.kind in ("text", "int", "time")]
        liked = [(a, b) for a, b in pairs if a.kind == "text" and set(a.values) & set(b.values)]
        if not pairs:
            return Node("relation", "{} CROSS JOIN {}", left, right), refs, key
        one, other = self.rng.choice(liked if liked and self.chance(0.9) else pairs)
        conditions = [Node("bool", f"{one.sql} = {other.sql}")]
        if self.known_faults and self.chance(0.06):
            conditions = [Node("bool", f"({one.sql} IS NOT DISTINCT FROM {other.sql})")]
        if self.chance(0.2):
            one, other = self.rng.choice(pairs)
            conditions.append(Node("bool", f"{one.sql} {self.rng.choice(['=', '<', '<=', '<>'])} {other.sql}"))
        if self.chance(0.2):
            conditions.append(self.expression("bool", refs if kind != "FULL JOIN" else left_refs, 1))
        return Node("relation", "{} " + kind + " {} ON {}", left, right, Some("", " AND ", conditions, 1)), refs, key

    # Expressions.

    def column(self, kind, refs):
        fitting = [ref for ref in refs if ref.kind == kind]
        liked = [ref for ref in fitting if ref.name in JOINED]
        return Node(kind, self.rng.choice(liked if liked and self.chance(0.5) else fitting).sql) if fitting else None

    def literal(self, kind):
        if kind == "text":
            return Node(kind, quoted(self.rng.choice(NAMES + ["StartBuild", "us-east-1", ""])))
        if kind == "int":
            return Node(kind, str(self.rng.randrange(-1, 8)))
        if kind == "time":
            return Node(kind, f"TIMESTAMPTZ '2026-{self.rng.choice(['09-29', '09-30', '10-01'])}T{self.rng.randrange(24):02}:00:00Z'")
        return Node(kind, self.rng.choice(["TRUE", "FALSE"]))

    def expression(self, kind, refs, depth):
        column = self.column(kind, refs)
        if depth <= 0 or (column and self.chance(0.5) and kind != "bool"):
            if kind == "bool" and column is None:
                ref = self.rng.choice(refs)
                return Node("bool", f"{ref.sql} IS NOT NULL")
            return column if column and self.chance(0.9) else self.literal(kind)

        def of(other=kind):
            return self.expression(other, refs, depth - 1)
        return getattr(self, "of_" + kind)(of, refs, depth)

    def of_text(self, of, refs, depth):
        roll = self.rng.randrange(9)
        if roll == 0:
            return Node("text", "coalesce({}, {})", of(), of())
        if roll == 1:
            return Node("text", self.rng.choice(["lower", "upper", "trim"]) + "({})", of())
        if roll == 2:
            return Node("text", "CASE WHEN {} THEN {} ELSE {} END", of("bool"), of(), of())
        if roll == 3:
            return Node("text", "CASE WHEN {} THEN {} END", of("bool"), of())
        if roll == 4:
            return Node("text", "({} || {})", of(), of())
        if roll == 5:
            return Node("text", "nullif({}, {})", of(), of())
        if roll == 6:
            return Node("text", self.rng.choice(["substr({}, 1, 2)", "split_part({}, ':', 1)", "replace({}, 'x', 'y')",
                                                 "split_part({}, '/', -1)"]), of())
        return Node("text", "concat_ws('-', {}, {})", of(), of())

    def of_int(self, of, refs, depth):
        roll = self.rng.randrange(6)
        if roll == 0:
            return Node("int", "length({})", of("text"))
        if roll == 1:
            return Node("int", "({} " + self.rng.choice("+-*") + " {})", of(), of())
        if roll == 2:
            return Node("int", "CASE WHEN {} THEN {} ELSE {} END", of("bool"), of(), of())
        if roll == 3:
            return Node("int", "coalesce({}, 0)", of())
        if roll == 4:
            return Node("int", "strpos({}, 'x')", of("text"))
        return Node("int", "CAST(date_part('hour', {}) AS bigint)", of("time"))

    def of_time(self, of, refs, depth):
        roll = self.rng.randrange(3)
        if roll == 0:
            return Node("time", f"date_trunc('{self.rng.choice(['hour', 'day', 'month'])}', {{}})", of())
        if roll == 1:
            return Node("time", "({} " + self.rng.choice("+-") + f" INTERVAL '{self.rng.randrange(1, 30)} hours')", of())
        return Node("time", "coalesce({}, {})", of(), of())

    def of_bool(self, of, refs, depth):
        roll = self.rng.randrange(15)
        kind = self.rng.choice(["text"] * 4 + ["int", "time"])
        known = [ref for ref in refs if ref.values and ref.kind in ("text", "int")]
        if roll < 5 and known:
            ref = self.rng.choice(known)
            value = self.rng.choice(ref.values)
            literal = quoted(value) if ref.kind == "text" else str(value)
            return Node("bool", f"({ref.sql} {self.rng.choice(['=', '=', '=', '<>', '<', '>='])} {literal})")
        if roll == 5:
            return Node("bool", "({} " + self.rng.choice(["=", "=", "<>", "<", ">="]) + " {})", of(kind), of(kind))
        if roll in (6, 13):
            return Node("bool", "({} IS " + self.rng.choice(["", "NOT "]) + "NULL)", self.column(kind, refs) or of(kind))
        if roll == 14:
            values = ", ".join(self.literal("text").sql() for _ in range(self.rng.randrange(1, 4)))
            return Node("bool", "({}" + self.rng.choice(["", " NOT"]) + f" IN ({values}))", of("text"))
        if roll == 12:
            return Node("bool", "({} LIKE '" + self.rng.choice(["x%", "%1", "%:%", "_1", "X%"]) + "')", of("text"))
        if roll == 7:
            return Node("bool", "({} " + self.rng.choice(["AND", "OR"]) + " {})", of(), of())
        if roll == 8:
            return Node("bool", "(NOT {})", of())
        if roll == 9:
            return Node("bool", "({} IS " + self.rng.choice(["", "NOT "]) + "DISTINCT FROM {})", of(kind), of(kind))
        if roll == 10:
            return Node("bool", "({} BETWEEN {} AND {})", of(kind), of(kind), of(kind))
        lists = [ref for ref in refs if ref.kind == "list"]
        if roll == 11 and lists:
            return Node("bool", f"array_has({self.rng.choice(lists).sql}, {{}})", self.literal("text"))
        return self.column("bool", refs) or Node("bool", "({} = {})", of("text"), of("text"))

    def condition(self, refs, depth):
        """Of WHERE: an expression, or a subquery."""
        texts = [ref for ref in refs if ref.kind == "text"]
        near = [(a, b) for n, a in enumerate(texts) for b in texts[n + 1:]]
        near = [(a, b) for a, b in near if set(a.values) & set(b.values)]
        if near and self.chance(0.35):
            one, other = self.rng.choice(near)
            form = self.rng.choice(["({} = {})", "({} <> {})", "({} IS DISTINCT FROM {})", "({} IS NOT DISTINCT FROM {})",
                                    "({} IS NULL OR {} IS NULL)", "(coalesce({}, '') <> {})", "({} < {})"])
            return Node("bool", form, Node("text", one.sql), Node("text", other.sql))
        if depth and texts and self.budget > 0 and self.chance(0.3):
            outer = self.rng.choice(texts)
            if self.budget > 1 and self.chance(0.3):
                inside, _, _ = self.query(1, ["text"])
                return Node("bool", f"{outer.sql} IN ({{}})", inside)
            inner, columns, _ = self.table("events")
            name = self.rng.choice([ref for ref in columns if ref.kind == "text"]).sql
            more = Some(" WHERE ", " AND ", [self.expression("bool", columns, 1)] if self.chance(0.6) else [], 0)
            way = self.rng.randrange(4)
            if way == 0:
                inside = Node("inner", "SELECT " + name + " FROM {}{}", inner, more)
                return Node("bool", f"{outer.sql} {self.rng.choice(['IN', 'NOT IN'])} ({{}})", inside)
            more = Some(" WHERE ", " AND ", [Node("bool", f"{name} = {outer.sql}"), *more.parts], 0)
            if way == 1:
                inside = Node("inner", "SELECT count(*) FROM {}{}", inner, more)
                return Node("bool", "({}) " + self.rng.choice(["> 1", "= 0", "<= 2"]), inside)
            inside = Node("inner", "SELECT 1 FROM {}{}", inner, more)
            return Node("bool", self.rng.choice(["EXISTS ({})", "NOT EXISTS ({})"]), inside)
        return self.expression("bool", refs, depth)

    # Queries.

    def query(self, depth, kinds=None):
        """A query, its columns, and those that no two of its rows share."""
        if depth and self.budget > 1 and self.chance(0.12):
            return self.set_operation(depth, kinds)
        body, columns, key = self.select(depth, kinds)
        order = self.order(0.15)
        return Query(Some("", "", [], 0), body, order), columns, key

    def order(self, share):
        if not self.chance(share):
            return None
        ways = [self.rng.choice(["ASC", "DESC"]) + self.rng.choice([" NULLS FIRST", " NULLS LAST"]) for _ in range(3)]
        offset = f" OFFSET {self.rng.randrange(4)}" if self.chance(0.2) else ""
        return ways, f" LIMIT {self.rng.choice([1, 2, 3, 5, 10, 30])}{offset}"

    def set_operation(self, depth, kinds):
        left, columns, _ = self.select(depth - 1, kinds)
        right, _, _ = self.select(depth - 1, [ref.kind for ref in columns])
        operation = self.rng.choice(["UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT"])
        key = None if operation == "UNION ALL" else [ref.name for ref in columns]
        return Query(Some("", "", [], 0), SetOperation(operation, left, right), self.order(0.15)), columns, key

    def named(self, items, refs):
        """Items with names that people would give: the column's, or another column's; and their Refs."""
        values = {ref.sql: ref.values for ref in refs}
        names, found = set(), []
        for node, kind in items:
            last = node.sql().split(".")[-1]
            name = last if re.fullmatch(r"[a-z_]+", last) and self.chance(0.7) else None
            if name is None and self.chance(0.4):
                name = self.rng.choice(JOINED)
            if name is None or name in names:
                name = f"c{len(found) + 1}"
            names.add(name)
            found.append((Item(node, name), Ref(name, kind, name, values.get(node.sql(), ()))))
        return found

    def select(self, depth, kinds=None):
        relation, refs, key = self.relation(depth)
        conditions = [self.condition(refs, 2 if self.chance(0.2) else 1) for _ in range(self.rng.choice([0, 0, 1, 1, 1]))]
        where = Some(" WHERE ", " AND ", conditions, 0)
        twins = [(a, b) for n, a in enumerate(refs) for b in refs[n + 1:] if a.name == b.name and a.kind != "list"]
        given = []
        if kinds is None:
            usable = [ref.kind for ref in refs if ref.kind != "list"]
            kinds = [self.rng.choice(usable) for _ in range(self.rng.randrange(1, 4))]
            if twins and self.chance(0.6):
                given = list(self.rng.choice(twins))
                kinds = [ref.kind for ref in given] + kinds[2:]
        roll = self.rng.random()
        if roll < (0.6 if given else 0.3):
            return self.grouped(relation, refs, where, kinds, given)
        if roll < (0.7 if given else 0.5):
            return self.windowed(relation, refs, key, where, kinds, given)
        items = [(Node(ref.kind, ref.sql), ref.kind) for ref in given]
        items += [(self.column(kind, refs) or self.expression(kind, refs, 1) if self.chance(0.7) else
                   self.expression(kind, refs, 2), kind) for kind in kinds[len(given):]]
        named = self.named(items, refs)
        distinct = Some("", "", [Node("distinct", "DISTINCT ")] if self.chance(0.15) else [], 0)
        columns = [ref for _, ref in named]
        shown = {item.parts[0].sql(): item.name for item, _ in named}
        kept = [shown[part] for part in key] if key and all(part in shown for part in key) else None
        key = [ref.name for ref in columns] if distinct.parts else kept
        return Select(distinct, Some("", ", ", [item for item, _ in named], 1), relation, where), columns, key

    def aggregate(self, kind, refs):
        extra = Some(" FILTER (WHERE ", "", [Node("bool", "{})", self.expression("bool", refs, 1))] if self.chance(0.15) else [], 0)
        if kind == "int":
            form, parts = self.rng.choice([("count(*)", []), ("count({})", ["text"]), ("count(DISTINCT {})", ["text"]),
                                           ("sum({})", ["int"]), ("max({})", ["int"]), ("min({})", ["int"])])
        elif kind == "text":
            form, parts = self.rng.choice([("max({})", ["text"]), ("min({})", ["text"])])
        elif kind == "time":
            form, parts = self.rng.choice([("max({})", ["time"]), ("min({})", ["time"])])
        else:
            form, parts = self.rng.choice([("bool_or({})", ["bool"]), ("bool_and({})", ["bool"])])
        return Node(kind, form + "{}", *(self.expression(part, refs, 1) for part in parts), extra)

    def grouped(self, relation, refs, where, kinds, given):
        keys = [n for n in range(len(kinds)) if n < len(given) or self.chance(0.5)]
        items, groups = [], []
        for number, kind in enumerate(kinds):
            if number < len(given):
                node = Node(kind, given[number].sql)
            elif number in keys:
                node = self.column(kind, refs) or self.expression(kind, refs, 1)
            else:
                node = self.aggregate(kind, refs)
            # A constant in GROUP BY is a position there.
            if number in keys and re.fullmatch(r"-?\d+|'.*'|TRUE|FALSE|TIMESTAMPTZ '.*'", node.sql()):
                node = self.aggregate(kind, refs)
            elif number in keys:
                groups.append(Node("group", node.sql()))
            items.append((node, kind))
        named = self.named(items, refs)
        names = [item.name for item, _ in named]
        having = [Node("bool", "count(*) " + self.rng.choice(["> 1", "< 3", ">= 1"]))] if groups and self.chance(0.2) else []
        body = Select(Some("", "", [], 0), Some("", ", ", [item for item, _ in named], 1), relation, where,
                      Some(" GROUP BY ", ", ", groups, 0), Some(" HAVING ", " AND ", having, 0))
        return body, [ref for _, ref in named], names

    def windowed(self, relation, refs, key, where, kinds, given):
        items = [(Node(ref.kind, ref.sql), ref.kind) for ref in given]
        for kind in kinds[len(given):]:
            if self.chance(0.5):
                items.append((self.column(kind, refs) or self.expression(kind, refs, 1), kind))
                continue
            column = self.column("text", refs)
            partition = Some("PARTITION BY ", ", ", [column] if column and self.chance(0.7) else [], 0)
            way = self.rng.choice(["ASC", "DESC"]) + self.rng.choice([" NULLS FIRST", " NULLS LAST"])
            ranked = self.column("time", refs) or self.column("int", refs) or column
            ordered = [Node("order", f"{ranked.sql()} {way}")] if ranked and self.chance(0.8) else []
            total = key is not None
            if total:
                ordered += [Node("order", f"{part} {way}") for part in key]
            order = Node("ordered", " ORDER BY " + ", ".join(o.sql() for o in ordered)) if ordered else Node("ordered", " ")
            calls = [self.aggregate(kind, refs)]
            if kind == "int" and ordered:
                calls += [Node("int", "rank()"), Node("int", "dense_rank()")] + [Node("int", "row_number()")] * 4 * total
            if total:
                value = self.column(kind, refs)
                if value:
                    calls += [Node(kind, f"{name}({value.sql()})") for name in ("lag", "lead", "first_value", "last_value")] * 2
            call = self.rng.choice(calls)
            frame = ""
            if total and call is calls[0] and self.chance(0.4):
                frame = f" ROWS BETWEEN {self.rng.randrange(3)} PRECEDING AND {self.rng.choice(['CURRENT ROW', '1 FOLLOWING'])}"
            items.append((Node(kind, "{} OVER ({}{}" + frame + ")", call, partition, order), kind))
        named = self.named(items, refs)
        body = Select(Some("", "", [], 0), Some("", ", ", [item for item, _ in named], 1), relation, where)
        return body, [ref for _, ref in named], None

    def statement(self):
        ctes = []
        for number in range(self.rng.choice([0, 0, 0, 0, 0, 1])):
            name = f"q{number + 1}"
            query, columns, key = self.query(1)
            ctes.append(Node("cte", name + " AS ({})", query))
            self.ctes.append((name, columns, key))
        query, _, _ = self.query(self.rng.choice([0, 1, 1, 1, 2]))
        if ctes:
            query.parts[0] = Some("", "", [Node("with", "{} ", Some("WITH ", ", ", ctes, 1))], 0)
        query.order = query.order or self.order(0.2)
        return query


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


# ---- The run -------------------------------------------------------------------------------------------------

INTERNAL = re.compile(r"internal error|panicked|bug in datafusion|arrow error|column types must match", re.I)


def message(text):
    """What a refusal says, without names and numbers."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "_", text.removeprefix("refused: error: "))
    return re.sub(r"\d+", "N", text)[:150]


def finding(dataset, sql, in_order, prelude):
    """How the two differ over a statement, or None; an internal error is a difference, too."""
    expected = dataset.duckdb(sql)
    if isinstance(expected, str):
        return None
    # Some faults need threads to meet: asked more than once.
    answers = dataset.ours([sql] * TRIES, prelude)
    return next((how for got in answers if (how := judged(expected, got, in_order))), None)


def judged(expected, got, in_order):
    if got is None or got == "too slow":
        return None
    if isinstance(got, str):
        return got if INTERNAL.search(got) else None
    return difference(expected, got, in_order)


def minimised(arguments, dataset, tree, prelude, folder):
    """The smallest of all that still differs in the same manner: rows, or an internal error."""
    def same(one, other):
        return one is not None and one.startswith("refused") == other.startswith("refused")
    deadline = time.monotonic() + arguments.minimise_seconds
    first = finding(dataset, tree.sql(), tree.order is not None, prelude)
    if first is None:
        return tree, prelude, dataset
    for setting in list(prelude):
        fewer = [other for other in prelude if other != setting]
        if same(finding(dataset, tree.sql(), tree.order is not None, fewer), first):
            prelude = fewer
    again = True
    while again and time.monotonic() < deadline:
        again = False
        for candidate in smaller(tree):
            if time.monotonic() > deadline:
                break
            if same(finding(dataset, candidate.sql(), candidate.order is not None, prelude), first):
                tree, again = candidate, True
                break
    share, number = max(1, len(dataset.records) // 2), 0
    while share and time.monotonic() < deadline + arguments.minimise_seconds:
        again = False
        for start in range(0, len(dataset.records), share):
            records = dataset.records[:start] + dataset.records[start + share:]
            if not records:
                continue
            number += 1
            less = Dataset(arguments, records, folder / f"less{number}")
            if same(finding(less, tree.sql(), tree.order is not None, prelude), first):
                dataset, again = less, True
                break
        if not again:
            share //= 2
    return tree, prelude, dataset


def report(arguments, number, dataset, tree, prelude, how, folder):
    print(f"\nseed {arguments.seed}, statement {number}: {how}")
    print(";\n".join([*prelude, tree.sql()]) + ";")
    if arguments.minimise:
        tree, prelude, dataset = minimised(arguments, dataset, tree, prelude, folder)
        print(f"\nsmaller, over {len(dataset.records)} records:")
        print(";\n".join([*prelude, tree.sql()]) + ";")
        print("DuckDB:", dataset.duckdb(tree.sql())[:5])
        print("ours:  ", (dataset.ours([tree.sql()], prelude)[0] or [])[:600])
        print(json.dumps({"Records": dataset.records}) if len(dataset.records) <= 4 else "")


def batch(arguments, datasets, index, numbers):
    """One batch of statements: (number, dataset, statement, settings, kind of outcome, what differs)."""
    dataset = datasets[index % len(datasets)]
    prelude = arguments.prelude + (SMALL_BATCHES if index // len(datasets) % 2 else [])
    outcomes, cases = [], []
    for number in numbers:
        tree = Maker(random.Random(f"{arguments.seed}/{number}"), dataset.tables, arguments.known_faults).statement()
        expected = dataset.duckdb(tree.sql())
        if not isinstance(expected, str):
            cases.append((number, tree, expected))
        elif expected == "too many rows" or "INTERRUPT" in expected:
            outcomes.append((number, dataset, tree, prelude, "too much for DuckDB", None))
        else:
            outcomes.append((number, dataset, tree, prelude, "refused by DuckDB", expected.splitlines()[0]))
    answers = dataset.ours([tree.sql() for _, tree, _ in cases], prelude)
    for (number, tree, expected), got in zip(cases, answers):
        how = judged(expected, got, tree.order is not None)
        what = "differ" if how else "agree, with rows" if expected else "agree, without rows"
        if not how and isinstance(got, str):
            what, how = ("too slow in ours", None) if got == "too slow" else ("refused by ours", got)
        outcomes.append((number, dataset, tree, prelude, what, how))
    return outcomes


def in_rounds(arguments, datasets, deadline):
    """Batches until the deadline, one of each dataset at a time."""
    first = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        while time.monotonic() < deadline and first * BATCH < arguments.statements:
            indexes = range(first, first + len(datasets))
            yield list(pool.map(lambda n: batch(arguments, datasets, n, range(n * BATCH, (n + 1) * BATCH)), indexes))
            first += len(datasets)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("buildtrail")
    parser.add_argument("views", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--statements", type=int, default=10**9, help="at most so many, however much time is left")
    parser.add_argument("--minimise", action="store_true")
    parser.add_argument("--minimise-seconds", type=float, default=90, help="for the statement, and again for the log file")
    parser.add_argument("--prelude", action="append", default=[])
    parser.add_argument("--statement", type=int)
    parser.add_argument("--known-faults", action="store_true", help="null-safe joins, too")
    parser.add_argument("--keep-going", action="store_true", help="report every difference until the time is over")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    started = time.monotonic()
    counts, refusals, found = collections.Counter(), collections.Counter(), 0
    examples = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rng = random.Random(arguments.seed)
        datasets = [Dataset(arguments, made_records(rng, count), folder / str(count)) for count in (12, 40, 110)]
        if arguments.statement is not None:
            outcomes = batch(arguments, datasets, arguments.statement // BATCH, [arguments.statement] * TRIES)
            number, rounds = 1, [[outcomes]]
        else:
            number, rounds = 0, in_rounds(arguments, datasets, time.monotonic() + arguments.seconds)
        for of_round in rounds:
            for outcomes in of_round:
                for of, dataset, tree, prelude, what, how in outcomes:
                    number += arguments.statement is None
                    counts[what] += 1
                    if what == "differ":
                        found += 1
                        if found == 1 or arguments.keep_going:
                            report(arguments, of, dataset, tree, prelude, how, folder / f"found{found}")
                    elif how:
                        refusals[what, message(how)] += 1
                        examples.setdefault((what, message(how)), tree.sql())
            if found and not arguments.keep_going:
                break
    print(f"\nseed {arguments.seed}: {number} statements in {time.monotonic() - started:.0f} s, {found} findings;",
          ", ".join(f"{count} {name}" for name, count in counts.most_common()))
    for (what, text), count in refusals.most_common(20):
        print(f"{what}, {count} times: {text}\n    {examples[what, text][:3000]}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
