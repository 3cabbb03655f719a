#!/usr/bin/env python3
"""Checks the saved queries and views in DuckDB, over the same part files and with the same answers.

    python3 tests/pack/duckdb.py BUILDTRAIL SQL_FOLDER FIXTURES [--run] [NAME...]

For each query NAME (for a view: view-NAME) FIXTURES/NAME holds find.json and other.json (log files),
expected.csv, and perhaps args: one `name=value` a line, and `keep=...` for what `convert` keeps. The
query must give expected.csv over both log files, nothing over other.json, and nothing, without an
error, where there are no events at all.

Each folder NAME@WORDS is one more case of the query NAME (view-NAME@WORDS: of the view); WORDS say
what it shows. Such a case may be a near miss alone: then expected.csv has no row, and find.json may
be missing. Its arguments and `keep` are its own. A view that reads no events answers alike over any.

With --run, `buildtrail run` is asked the same, too (views: `buildtrail sql`). A NAME on the command
line picks all cases of a query, NAME@WORDS picks one. Needs the Python module duckdb. Exit status 1:
some answer differs.
"""
import sys

# This file has the module's name, so its own folder must not be searched for it.
sys.path = sys.path[1:]

import csv
import datetime
import io
import pathlib
import re
import shutil
import subprocess
import tempfile

import duckdb

PARAMETER = re.compile(r"^-- parameter: ([a-z_]+) (text|integer|boolean|timestamp|list) \[(.*?)\] \S")


class Query:
    def __init__(self, path):
        self.name = path.stem
        lines = path.read_text().splitlines()
        header = [line for line in lines if line.startswith("--")]
        self.parameters = [m.groups() for m in map(PARAMETER.match, header) if m]
        self.uses = [n.strip() for l in header if l.startswith("-- uses:") for n in l[8:].split(",")]
        self.no_duckdb = next((l[10:].strip() for l in header if l.startswith("-- duckdb:")), None)
        self.sql = "\n".join(line for line in lines if not line.lstrip().startswith("--"))


def typed(kind, text):
    """The value of a parameter as Python's; None where there is none."""
    if text == "":
        return None
    if kind == "integer":
        return int(text)
    if kind == "boolean":
        return {"true": True, "false": False}[text]
    if kind == "timestamp":
        time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)
    return text.split(",") if kind == "list" else text


def cell(value):
    """A value as `buildtrail run --format csv` writes it; null and empty are one there."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z").replace(".000Z", "Z")
    if isinstance(value, list):
        return "[" + ", ".join(map(cell, value)) + "]"
    return str(value)


def read_csv(text):
    return [[re.sub(r"\.0+$", "", c) if re.fullmatch(r"-?\d+\.0+", c) else c for c in row]
            for row in csv.reader(io.StringIO(text))]


class Engine:
    """DuckDB with the table `events` over a dataset, and the views."""

    def __init__(self, dataset, views, empty=False):
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute(
            f"""CREATE VIEW events AS SELECT * FROM read_parquet('{dataset}/**/*.parquet',
                hive_partitioning = true, hive_types_autocast = false, union_by_name = true)
                {'LIMIT 0' if empty else ''}"""
        )
        for view in views:
            self.connection.execute(f'CREATE VIEW "{view.name}" AS {view.sql}')

    def ask(self, query, arguments):
        values = {n: typed(k, arguments.get(n, d)) for n, k, d in query.parameters}
        result = self.connection.execute(query.sql, values) if values else self.connection.execute(query.sql)
        header = [column[0] for column in result.description]
        return read_csv_rows(header, result.fetchall())


def read_csv_rows(header, rows):
    return [header] + [[re.sub(r"\.0+$", "", c) if re.fullmatch(r"-?\d+\.0+", c) else c
                        for c in map(cell, row)] for row in rows]


def in_order(views):
    """The views, each after those that it uses."""
    done = []
    while len(done) < len(views):
        ready = [v for v in views if v not in done and all(u in {d.name for d in done} for u in v.uses)]
        if not ready:
            sys.exit("views that use each other: " + ", ".join(v.name for v in views if v not in done))
        done += ready
    return done


def fixture(folder):
    """What `args` says: the arguments, and what to keep."""
    arguments = {}
    if (folder / "args").exists():
        lines = (folder / "args").read_text().splitlines()
        arguments = dict(line.split("=", 1) for line in lines if line.strip())
    return arguments, arguments.pop("keep", "codebuild")


def convert(binary, logs, dataset, keep):
    source = pathlib.Path(f"{dataset}-logs")
    source.mkdir()
    for log in logs:
        shutil.copy(log, source)
    done = subprocess.run(
        [binary, "convert", source, "--out", dataset, "--keep", keep, "--threads", "1"],
        capture_output=True, text=True,
    )
    if done.returncode:
        sys.exit(f"convert {logs}: {done.stderr}")


def run(binary, dataset, sql_folder, query, arguments, of_view):
    """The same from `buildtrail run`; of a view from `buildtrail sql`."""
    if of_view:
        command = [binary, "sql", dataset, "--format", "csv", "-c", query.sql]
    else:
        command = [binary, "run", query.name, dataset, "--format", "csv", "--sql-dir", sql_folder]
        for name, value in arguments.items():
            command += [f"--{name.replace('_', '-')}", value]
    done = subprocess.run(command, capture_output=True, text=True)
    return read_csv(done.stdout) if done.returncode == 0 else [[done.stderr.strip()]]


def first_difference(expected, got):
    if expected[:1] != got[:1]:
        return f"columns: expected {expected[:1]}, got {got[:1]}"
    for number, (one, other) in enumerate(zip(expected[1:], got[1:]), 1):
        if one != other:
            return f"row {number}: expected {one}, got {other}"
    return f"expected {len(expected) - 1} rows, got {len(got) - 1}"


def folders_of(fixtures, name):
    """The cases of one query or view: its own folder first, then NAME@WORDS in order."""
    return [fixtures / name, *sorted(f for f in fixtures.glob(f"{name}@*") if f.is_dir())]


def check(binary, sql_folder, views, query, of_view, folder, with_run):
    """What is wrong with the answers to one case."""
    base = "@" not in folder.name
    if not (folder / "expected.csv").exists():
        return [f"{folder.name}: no fixture"]
    expected = read_csv((folder / "expected.csv").read_text())
    near_miss = len(expected) < 2
    failures = []
    if near_miss and base:
        failures.append(f"{folder.name}: expected.csv has no row, so it shows nothing")
    logs = [folder / "find.json", folder / "other.json"]
    if near_miss and not base:
        logs = [log for log in logs if log.exists()]
    given, keep = fixture(folder)
    asked = query
    if of_view:
        # A view has no order: its rows are compared sorted.
        asked = Query.__new__(Query)
        asked.name, asked.parameters, asked.sql = query.name, [], f'SELECT * FROM "{query.name}"'
    shown = (lambda rows: rows[:1] + sorted(rows[1:])) if of_view else (lambda rows: rows)
    with tempfile.TemporaryDirectory() as scratch:
        both, other = f"{scratch}/both", f"{scratch}/other"
        convert(binary, logs, both, keep)
        convert(binary, [folder / "other.json"], other, keep)
        # A view of words alone has them whatever the events are.
        constant = of_view and not query.uses and not re.search(r"\bevents\b", query.sql)
        nothing = expected if constant else [expected[0]]
        cases = [("find and other", both, False, expected), ("no events", both, True, nothing)]
        if any(pathlib.Path(other).rglob("*.parquet")):
            cases.append(("other alone", other, False, nothing))
        for case, dataset, empty, answer in cases:
            try:
                got = Engine(dataset, views, empty).ask(asked, given)
            except duckdb.Error as error:
                got = [[str(error)]]
            if shown(got) != shown(answer):
                failures.append(f"{folder.name}, {case}: {first_difference(shown(answer), shown(got))}")
        if with_run:
            for case, dataset, answer in [("find and other", both, expected), ("other alone", other, nothing)]:
                got = run(binary, dataset, sql_folder, asked, given, of_view)
                if shown(got) != shown(answer):
                    failures.append(f"{folder.name}, run, {case}: {first_difference(shown(answer), shown(got))}")
    return failures


def main():
    arguments = [a for a in sys.argv[1:] if a != "--run"]
    if len(arguments) < 3:
        sys.exit(__doc__)
    binary, sql_folder, fixtures = arguments[0], pathlib.Path(arguments[1]), pathlib.Path(arguments[2])
    with_run = "--run" in sys.argv
    paths = sorted(sql_folder.rglob("*.sql"))
    views = in_order([Query(p) for p in paths if p.parent.name == "views"])
    queries = [Query(p) for p in paths if p.parent.name != "views"]
    names = [q.name for q in queries]
    failures = [f"{n}: the name is there twice" for n in sorted({n for n in names if names.count(n) > 1})]
    wanted, known, checked = set(arguments[3:]), set(), 0
    for query in queries + views:
        of_view = query in views
        name = f"view-{query.name}" if of_view else query.name
        known |= {folder.name for folder in folders_of(fixtures, name)}
        if query.no_duckdb:
            print(f"{name}: not for DuckDB: {query.no_duckdb}")
            continue
        for folder in folders_of(fixtures, name):
            if wanted and not wanted & {name, folder.name}:
                continue
            failures += check(binary, sql_folder, views, query, of_view, folder, with_run)
            checked += 1
    # A folder that nothing asks would look like a case and prove nothing.
    failures += [f"{f.name}: no query or view has this name"
                 for f in sorted(fixtures.iterdir())
                 if f.is_dir() and f.name not in known and f.name != "__pycache__"]
    failures += [f"{name}: no such case" for name in sorted(wanted - known)]
    for failure in failures:
        print(failure)
    print(f"{checked} checked, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
