#!/usr/bin/env python3
"""Reads every column of every part file with many versions of many engines, and compares every value.

    python3 tests/engines/versions.py BUILDTRAIL SOURCE [--only NAME[==VERSION],...] [--all]

SOURCE is a dataset, or log files: these are converted, and so are `--rows` records made after them, with
new ids, other times and members that are missing, so that there are pages and row groups. The expected
values are what the newest pyarrow reads, and `buildtrail sql` must say the same. Then each engine of
SHORT (with --all: of every list in VERSIONS) gets a folder of its own with pip or npm, and reads each part
file: in each of its ways, a window of time that skips pages, and single ids. A table says what each read
right, wrong or not at all. --encodings does the same for files that pyarrow writes, each with one encoding in
all columns that can have it. Exit status 1: a value is wrong, or is refused
and REFUSES does not say so.
"""
import argparse
import collections
import datetime
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

REFERENCE = "pyarrow==26.0.1"
VERSIONS = {
    "duckdb": ["1.0.0", "1.1.3", "1.2.2", "1.3.2", "1.4.5", "1.5.6", "2.0.0"],
    "pyarrow": ["14.0.2", "15.0.2", "16.1.0", "17.0.0", "18.1.0", "19.0.1", "20.0.0", "21.0.0", "22.0.0", "23.0.1",
                "24.0.0", "25.0.1", "26.0.1"],
    "polars": ["0.20.13", "0.20.31", "1.0.0", "1.10.0", "1.20.0", "1.30.0", "1.44.2", "2.1.0"],
    "chdb": ["1.4.1", "2.1.1", "3.1.2", "3.7.2", "4.0.2", "4.4.0"],
    "datafusion": ["34.0.0", "40.1.0", "45.2.0", "50.0.0"],
    "pyspark": ["3.4.4", "3.5.0", "3.5.6", "3.5.9", "4.0.5", "4.3.0"],
    "fastparquet": ["2023.10.1", "2024.11.0", "2026.9.0"],
    "hyparquet": ["1.0.0", "1.31.5", "1.33.0"],
}
SHORT = ["duckdb==1.0.0", "duckdb==2.0.0", "pyarrow==14.0.2", "polars==0.20.31", "polars==2.1.0", "chdb==4.4.0",
         "pyspark==3.5.0", "fastparquet==2024.11.0", "hyparquet==1.33.0"]
# What a version is known to refuse, whoever wrote the file, by what it says; anything else must be read.
REFUSES = {
    "polars==1.10.0": r"is_min_value_exact in statistics",  # where a filter reads them
    "datafusion==34.0.0": r"bad data", "datafusion==40.1.0": r"bad data",  # the page index of parquet 57 and later
    "datafusion==45.2.0": r"cannot convert 2 into TType",
}
# What versions of then need beside them.
BESIDE = {
    "duckdb": ["pytz"],
    "pyarrow": ["numpy<2"],
    "polars": ["numpy<2"],
    "datafusion": ["pyarrow<18", "numpy<2"],
    "fastparquet": ["pandas<3", "numpy<2"],
    "hyparquet": ["hyparquet-compressors"],
}
NEWER = {"pyarrow": [], "datafusion": ["pyarrow"], "fastparquet": ["pandas"], "polars": []}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)
CHUNK = 2000


# ---- The values, alike in all engines -------------------------------------------------------------------

def canonical(value):
    """One text for one value, whichever engine gave it."""
    if value is None or value != value:
        return "n"
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return "b1" if value else "b0"
    if isinstance(value, bytes):
        return "s" + value.decode()
    if isinstance(value, str):
        return "s" + value
    if isinstance(value, datetime.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return f"t{(zoned - EPOCH) // MILLISECOND}"
    if type(value).__name__ == "NaTType":
        return "n"
    if type(value).__name__ == "datetime64":
        return f"t{value.astype('datetime64[ms]').astype(int)}"
    if hasattr(value, "__iter__"):
        return "l" + "".join(f"{len(text)}:{text}" for text in map(canonical, value))
    return f"i{int(value)}"


class Hashes:
    """Eight bytes a value; many values come again."""

    def __init__(self):
        self.known = {}

    def of(self, values):
        found = bytearray()
        for value in values:
            key = (type(value), value) if isinstance(value, (str, int, datetime.datetime)) else None
            digest = self.known.get(key) if key else None
            if digest is None:
                digest = hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).digest()[:8]
                if key and len(self.known) < 1_000_000 and (not isinstance(value, str) or len(value) < 200):
                    self.known[key] = digest
            found += digest
        return found


# ---- The readers: (file, columns, window) -> chunks of {column: values} -----------------------------------

def of_rows(columns, rows):
    return dict(zip(columns, zip(*rows))) if rows else {}


def times(window):
    return [EPOCH + MILLISECOND * bound for bound in window]


def literal(window):
    return [time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] for time in times(window)]


def duckdb_ways():
    import duckdb
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")

    def read(path, columns, window=None):
        names = ", ".join(f'"{column}"' for column in columns)
        query = f"SELECT {names} FROM read_parquet('{path}', hive_partitioning = false)"
        if window:
            low, high = literal(window)
            query += f" WHERE event_time >= TIMESTAMPTZ '{low}+00' AND event_time < TIMESTAMPTZ '{high}+00'"
        result = connection.execute(query)
        while rows := result.fetchmany(CHUNK):
            yield of_rows(columns, rows)

    def count(path, event):
        query = f"SELECT count(*) FROM read_parquet('{path}') WHERE event_id = '{event}'"
        return connection.execute(query).fetchone()[0]
    return {"read": read}, count


def of_table(table):
    for batch in table.to_batches(max_chunksize=CHUNK):
        yield {name: column.to_pylist() for name, column in zip(batch.schema.names, batch.columns)}


def pyarrow_ways():
    import pyarrow.dataset as dataset
    import pyarrow.parquet as parquet

    def read(path, columns, window=None):
        if window is None:
            return of_table(parquet.ParquetFile(path).read(columns=columns))
        low, high = times(window)
        wanted = (dataset.field("event_time") >= low) & (dataset.field("event_time") < high)
        return of_table(dataset.dataset(path).to_table(columns=columns, filter=wanted))

    def scan(path, columns, window=None):
        return of_table(parquet.read_table(path, columns=columns, partitioning=None, filters=None))

    def stream(path, columns, window=None):
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=1000, columns=columns):
            yield {name: column.to_pylist() for name, column in zip(batch.schema.names, batch.columns)}

    def count(path, event):
        return dataset.dataset(path).count_rows(filter=dataset.field("event_id") == event)
    return {"read": read, "scan": scan, "stream": stream}, count


def polars_ways():
    import polars

    def of(frame):
        for chunk in frame.iter_slices(CHUNK):
            yield {name: chunk[name].to_list() for name in chunk.columns}

    def lazy(path):
        try:
            return polars.scan_parquet(path, hive_partitioning=False)
        except TypeError:
            return polars.scan_parquet(path)

    def read(path, columns, window=None):
        frame = lazy(path)
        if window:
            zone = getattr(frame, "collect_schema", lambda: frame.schema)()["event_time"].time_zone
            low, high = (polars.lit(time.replace(tzinfo=None)).dt.replace_time_zone(zone) for time in times(window))
            frame = frame.filter((polars.col("event_time") >= low) & (polars.col("event_time") < high))
        return of(frame.select(columns).collect())

    def eager(path, columns, window=None):
        return of(polars.read_parquet(path, columns=columns, parallel="row_groups").select(columns))

    def count(path, event):
        return lazy(path).filter(polars.col("event_id") == event).select(polars.len()).collect().item()
    return {"read": read, "eager": eager}, count


def chdb_ways():
    import chdb

    def ask(query):
        answer = chdb.query(query, "JSONCompactEachRow")
        return [json.loads(line) for line in str(answer).splitlines()]

    def read(path, columns, window=None):
        names = ", ".join(f"`{column}`" for column in columns)
        query = f"SELECT {names} FROM file('{path}', Parquet)"
        if window:
            low, high = literal(window)
            query += f" WHERE event_time >= toDateTime64('{low}', 3, 'UTC') AND event_time < toDateTime64('{high}', 3, 'UTC')"
        query += """ SETTINGS max_threads = 1, output_format_json_quote_64bit_integers = 0,
                     date_time_output_format = 'iso', schema_inference_make_columns_nullable = 1"""
        yield of_rows(columns, [[of(column, value) for column, value in zip(columns, row)] for row in ask(query)])

    def of(column, value):
        if column in TIMES and value is not None:
            return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return value

    def count(path, event):
        return int(ask(f"SELECT count() FROM file('{path}', Parquet) WHERE event_id = '{event}'")[0][0])
    return {"read": read}, count


def datafusion_ways():
    import datafusion
    context = datafusion.SessionContext()
    known = set()

    def table(path):
        name = "t" + hashlib.sha256(path.encode()).hexdigest()[:12]
        if name not in known:
            known.add(name)
            context.register_parquet(name, path)
        return name

    def read(path, columns, window=None):
        names = ", ".join(f'"{column}"' for column in columns)
        query = f"SELECT {names} FROM {table(path)}"
        if window:
            low, high = literal(window)
            query += f" WHERE event_time >= TIMESTAMP '{low}Z' AND event_time < TIMESTAMP '{high}Z'"
        for batch in context.sql(query).collect():
            for start in range(0, batch.num_rows, CHUNK):
                part = batch.slice(start, CHUNK)
                yield {name: column.to_pylist() for name, column in zip(columns, part.columns)}

    def count(path, event):
        return context.sql(f"SELECT count(*) AS n FROM {table(path)} WHERE event_id = '{event}'").collect()[0][0][0].as_py()
    return {"read": read}, count


def pyspark_ways():
    from pyspark.sql import SparkSession, functions
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "3g")
    builder = builder.config("spark.sql.warehouse.dir", tempfile.mkdtemp()).config("spark.driver.host", "127.0.0.1")
    session = builder.config("spark.log.level", "OFF").getOrCreate()
    session.sparkContext.setLogLevel("OFF")

    def rows(path, columns, window, vectorised, together):
        session.conf.set("spark.sql.parquet.enableVectorizedReader", vectorised)
        frame = session.read.parquet("file://" + path)
        if window:
            low, high = (functions.lit(time) for time in literal(window))
            frame = frame.filter((functions.col("event_time") >= low.cast("timestamp"))
                                 & (functions.col("event_time") < high.cast("timestamp")))
        for start in range(0, len(columns), together):
            names = columns[start:start + together]
            found = frame.select(*(f"`{name}`" for name in names)).collect()
            for first in range(0, len(found), CHUNK):
                yield of_rows(names, found[first:first + CHUNK])

    # Spark hands batches on up to 100 columns, and rows past that.
    def read(path, columns, window=None):
        return rows(path, columns, window, "true", 90)

    def wide(path, columns, window=None):
        return rows(path, columns, window, "true", 1000)

    def by_row(path, columns, window=None):
        return rows(path, columns, window, "false", 1000)

    def count(path, event):
        session.conf.set("spark.sql.parquet.enableVectorizedReader", "true")
        return session.read.parquet("file://" + path).filter(functions.col("event_id") == event).count()
    return {"read": read, "wide": wide, "by_row": by_row}, count


def fastparquet_ways():
    import fastparquet
    import pandas

    def read(path, columns, window=None):
        frame = fastparquet.ParquetFile(path).to_pandas(columns=columns, index=False)
        for start in range(0, len(frame), CHUNK):
            part = frame.iloc[start:start + CHUNK]
            yield {name: [None if value is pandas.NA else value for value in part[name].tolist()] for name in columns}
    return {"read": read}, None


HYPARQUET = r"""
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync, appendFileSync, openSync, writeSync, readSync, fstatSync } from 'node:fs'
import { parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
const job = JSON.parse(readFileSync(process.argv[2]))
const canonical = value => {
  if (value === null || value === undefined) return 'n'
  if (value === true) return 'b1'
  if (value === false) return 'b0'
  if (typeof value === 'string') return 's' + value
  if (value instanceof Date) return 't' + value.getTime()
  if (Array.isArray(value)) return 'l' + value.map(canonical).map(text => `${[...text].length}:${text}`).join('')
  return 'i' + value
}
const out = openSync(job.out + '/values', 'w')
let at = 0
for (const { path } of job.files) {
  const bytes = readFileSync(path)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  for (const column of job.columns) {
    const line = { file: path, way: 'read', column, at }
    try {
      const parts = []
      await parquetRead({ file, columns: [column], compressors, onComplete: rows => {
        for (const row of rows) {
          const value = Array.isArray(row) ? row[0] : row[column]
          parts.push(createHash('sha256').update(canonical(value)).digest().subarray(0, 8))
        }
      } })
      const all = Buffer.concat(parts)
      writeSync(out, all)
      at += all.length
      line.rows = parts.length
    } catch (error) { line.error = String(error).slice(0, 300) }
    appendFileSync(job.out + '/index', JSON.stringify(line) + '\n')
  }
}
appendFileSync(job.out + '/index', '{"end": true}\n')
"""


def read_all(job):
    """The child: one engine over all files, its hashes in OUT/values and what they are in OUT/index."""
    global TIMES
    TIMES = set(job["times"])
    ways, count = globals()[job["engine"] + "_ways"]()
    hashes, columns = Hashes(), job["columns"]
    with open(job["out"] + "/values", "wb") as values, open(job["out"] + "/index", "a") as index:
        def note(**line):
            index.write(json.dumps(line) + "\n")
            index.flush()

        def read(path, way, wanted, window, name):
            found = collections.defaultdict(bytearray)
            for chunk in ways[way](path, wanted, window):
                for column, part in chunk.items():
                    found[column] += hashes.of(part)
            for column in wanted:
                note(file=path, way=name, column=column, at=values.tell(), rows=len(found[column]) // 8)
                values.write(found[column])

        def read_whole_or_apart(path, way, window, name):
            try:
                return read(path, way, columns, window, name)
            except BaseException:
                # Which column it is.
                for column in columns:
                    try:
                        read(path, way, [column], window, name)
                    except BaseException as error:
                        reason = f"{type(error).__name__}: {error}"[:300]
                        note(file=path, way=name, column=column, error=reason)

        for file in job["files"]:
            for way in ways:
                read_whole_or_apart(file["path"], way, None, way)
            if count:
                for window in file["windows"]:
                    bounds = window[:2]
                    read_whole_or_apart(file["path"], "read", bounds, f"window {bounds}")
                for event, expected in file["events"]:
                    try:
                        note(file=file["path"], way="count", event=event, count=count(file["path"], event))
                    except BaseException as error:
                        note(file=file["path"], way="count", event=event, error=str(error)[:300])
        note(end=True)


# ---- The reference ----------------------------------------------------------------------------------------

def reference(job):
    """The child of the newest pyarrow: windows, ids, and whether `buildtrail sql` says the same."""
    import pyarrow
    import pyarrow.parquet as parquet
    answer = {"files": [], "columns": None, "times": [], "encodings": {}, "groups": 0, "pages": 0}
    tables = []
    for path in job["files"]:
        file = parquet.ParquetFile(path)
        table = file.read()
        tables.append(table)
        answer["columns"] = answer["columns"] or table.schema.names
        answer["times"] = [f.name for f in table.schema if pyarrow.types.is_timestamp(f.type)]
        if table.schema.names != answer["columns"]:
            sys.exit(f"{path} has other columns")
        for group in range(file.metadata.num_row_groups):
            answer["groups"] += 1
            for number in range(file.metadata.num_columns):
                column = file.metadata.row_group(group).column(number)
                used = answer["encodings"].setdefault(column.path_in_schema.split(".")[0], [])
                used += [e for e in column.encodings if e not in used]
        stamps = [None if t is None else (t - EPOCH) // MILLISECOND for t in table["event_time"].to_pylist()]
        known = [t for t in stamps if t is not None]
        windows = []
        # A window of a fifth, and a narrow one at the end.
        for low, high in [(0.4, 0.6), (0.97, 0.99)] if len(known) >= 10 and known == sorted(known) else []:
            low, high = known[int(low * len(known))], known[int(high * len(known))]
            rows = [n for n, t in enumerate(stamps) if t is not None and low <= t < high]
            if rows:
                windows.append([low, high, rows[0], rows[-1] + 1])
        ids = [i for i in table["event_id"].to_pylist() if i is not None]
        counts = collections.Counter(ids)
        chosen = sorted({ids[int(share * (len(ids) - 1))] for share in (0, 0.3, 0.5, 0.9, 1)}) if ids else []
        answer["files"].append({"path": path, "rows": table.num_rows, "windows": windows,
                                "events": [[i, counts[i]] for i in chosen if "'" not in i]})
    answer["rows"] = sum(table.num_rows for table in tables)
    if job["dataset"]:
        table = pyarrow.concat_tables(tables).sort_by([("source_file", "ascending"), ("source_record", "ascending")])
        query = "SELECT * FROM events ORDER BY source_file, source_record"
        command = [job["binary"], "sql", job["dataset"], "-c", query, "--format", "ndjson"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        seen = 0
        for batch in table.to_batches(max_chunksize=CHUNK):
            columns = {name: column.to_pylist() for name, column in zip(table.schema.names, batch.columns)}
            for number in range(batch.num_rows):
                row = json.loads(process.stdout.readline() or "{}")
                seen += 1
                for name, column in columns.items():
                    ours = row.get(name)
                    if name in answer["times"] and ours is not None:
                        ours = datetime.datetime.fromisoformat(ours.replace("Z", "+00:00"))
                    if canonical(ours) != canonical(column[number]):
                        sys.exit(f"row {seen}, {name}: pyarrow has {column[number]!r}, buildtrail sql {row.get(name)!r}")
        if process.stdout.readline() or process.wait():
            sys.exit(f"buildtrail sql has not the {seen} rows of the part files")
    pathlib.Path(job["answer"]).write_text(json.dumps(answer))


# ---- Made log files ----------------------------------------------------------------------------------------

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def records_below(folder):
    import gzip
    records = []
    for path in sorted(pathlib.Path(folder).rglob("*.json*")):
        data = path.read_bytes()
        try:
            found = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).get("Records", [])
        except (ValueError, AttributeError):
            continue
        records += [r for r in found if r.get("eventSource") == "codebuild.amazonaws.com" and "eventTime" in r]
    return records


def made_logs(logs, rows, folder, seed=1):
    """`rows` records after those of `logs`: one month, ids of their own, members missing here and there."""
    rng = random.Random(seed)
    models = [json.dumps(record) for record in records_below(logs)]
    folder.mkdir(parents=True)
    number = 0
    while number < rows:
        records = []
        for _ in range(min(5000, rows - number)):
            ids = collections.defaultdict(lambda: f"{rng.getrandbits(128):032x}")
            text = UUID.sub(lambda m: "-".join(re.match("(.{8})(.{4})(.{4})(.{4})(.{12})", ids[m[0]]).groups()),
                            rng.choice(models))
            record = json.loads(text)
            time = datetime.datetime(2026, 9, 1) + datetime.timedelta(seconds=rng.randrange(29 * 86400))
            record["eventTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
            record["awsRegion"] = "us-east-1"
            record["eventID"] = str(ids["of the event"])
            record["eventID"] = "-".join(re.match("(.{8})(.{4})(.{4})(.{4})(.{12})", record["eventID"]).groups())
            if rng.random() < 0.3:
                record["sharedEventID"] = f"{rng.getrandbits(128):032x}"
            for member in ("requestID", "sourceIPAddress", "userAgent", "requestParameters", "responseElements",
                           "userIdentity", "errorCode", "eventID"):
                if rng.random() < (0.001 if member == "eventID" else 0.05):
                    record.pop(member, None)
            # Texts of all lengths, and of more bytes than characters.
            if rng.random() < 0.5:
                record["userAgent"] = "\u00e9\u4e2d\U0001f600x"[:rng.randrange(5)] * rng.randrange(40) + str(number)
            records.append(record)
            number += 1
        (folder / f"{number:07}.json").write_text(json.dumps({"Records": records}))


# ---- The parent --------------------------------------------------------------------------------------------

def newer(version, than):
    return [int(n) for n in re.findall(r"\d+", version)] >= than


def beside(name, version):
    """The packages that a version is installed with."""
    fresh = {"pyarrow": [18], "polars": [1, 10], "datafusion": [45], "fastparquet": [2026]}
    if name in fresh and newer(version, fresh[name]):
        return NEWER[name]
    return BESIDE.get(name, [])


def installed(name, version, folder):
    """The program that runs a version, installed where it is not yet."""
    place = folder / f"{name}-{version}"
    done = place / "installed"
    if name == "hyparquet":
        if not done.exists():
            place.mkdir(parents=True, exist_ok=True)
            (place / "package.json").write_text('{"type": "module", "private": true}')
            command = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"hyparquet@{version}", *beside(name, version)]
            subprocess.run(command, cwd=place, check=True)
            done.touch()
        (place / "read.mjs").write_text(HYPARQUET)
        return ["node", "--max-old-space-size=4096", str(place / "read.mjs")]
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", place], check=True)
        packages = [f"{name}=={version}", *beside(name, version)]
        command = [sys.executable, "-m", "pip", "--python", place / "bin/python", "install", "--quiet",
                   "--disable-pip-version-check", *packages]
        subprocess.run(command, check=True)
        done.touch()
    return [str(place / "bin/python"), os.path.abspath(__file__)]


def run_child(command, job, folder):
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    environment = {**os.environ, "TZ": "UTC", "PYTHONWARNINGS": "ignore"}
    environment["PYSPARK_PYTHON"] = command[0]
    with open(folder / "log", "w") as log:
        return subprocess.run([*command, str(path)], env=environment, stdout=log, stderr=log).returncode


def results(out):
    """(way, file) -> column -> hashes or an error; the counts; whether it came to an end."""
    values = (out / "values").read_bytes() if (out / "values").exists() else b""
    found, counts, ended = collections.defaultdict(dict), [], False
    for line in (out / "index").read_text().splitlines() if (out / "index").exists() else []:
        line = json.loads(line)
        if "end" in line:
            ended = True
        elif line["way"] == "count":
            counts.append(line)
        else:
            data = line.get("error") or values[line["at"]:line["at"] + 8 * line["rows"]]
            found[line["way"], line["file"]][line["column"]] = data
    return found, counts, ended


def compared(name, expected, known, out):
    """What an engine read right, wrong and not at all, by (way, column)."""
    found, counts, ended = results(out)
    empty = Hashes().of([None, []])
    null, nothing = bytes(empty[:8]), bytes(empty[8:])
    wrong, refused, right = collections.Counter(), {}, set()
    totals = collections.Counter()
    for (way, path), columns in found.items():
        file = next(f for f in known["files"] if f["path"] == path)
        first, last = 0, file["rows"]
        kind = way.split()[0]
        if kind == "window":
            first, last = next(w[2:] for w in file["windows"] if f"window {w[:2]}" == way)
        for column, data in columns.items():
            if isinstance(data, str):
                refused[kind, column] = data
                continue
            full = expected["read", path][column][8 * first:8 * last]
            totals[kind, column] += last - first
            right.add((kind, column))
            if data != full:
                pairs = [(data[n:n + 8], full[n:n + 8]) for n in range(0, len(full), 8)]
                # ClickHouse has no list that is null.
                bad = sum(a != b and not (name == "chdb" and b == null and a == nothing) for a, b in pairs)
                if len(data) != len(full) or bad:
                    wrong[kind, column] += max(bad, 1)
    asked = {(f["path"], event): n for f in known["files"] for event, n in f["events"]}
    for line in counts:
        if "error" in line:
            refused["count", "event_id"] = line["error"]
            continue
        totals["count", "event_id"] += 1
        right.add(("count", "event_id"))
        if line["count"] != asked[line["file"], line["event"]]:
            wrong["count", "event_id"] += 1
    return right - set(wrong) - set(refused), wrong, refused, totals, ended


def check(label, files, known, expected, engines, folder, venvs, details):
    """Every engine over the files of one set: lines of the table, and what failed."""
    failures, lines = [], []
    for engine in engines:
        name, version = engine.split("==")
        started = time.monotonic()
        out = pathlib.Path(tempfile.mkdtemp(dir=folder))
        try:
            command = installed(name, version, venvs)
        except subprocess.CalledProcessError as error:
            failures.append(f"{engine}: not installed: {error}")
            continue
        job = {"engine": name, "out": str(out), "columns": known["columns"], "times": known["times"], "files": known["files"]}
        status = run_child(command, job, out)
        right, wrong, refused, totals, ended = compared(name, expected, known, out)
        if not ended:
            tail = (out / "log").read_text().strip().splitlines()[-1:]
            failures.append(f"{label}, {engine}: ended early, status {status}: {tail}")
        lines.append([label, engine, str(len(right)), str(len(wrong)), str(len(refused)), f"{time.monotonic() - started:.0f} s"])
        print(*(cell.ljust(width) for cell, width in zip(lines[-1], (26, 22, 6, 6, 8, 6))), flush=True)
        grouped = collections.defaultdict(list)
        for (way, column), count in sorted(wrong.items()):
            grouped[way, "wrong"].append(f"{column} ({count} of {totals[way, column]} values)")
        for (way, column), reason in sorted(refused.items()):
            grouped[way, f"refused: {' '.join(reason.split())[:200]}"].append(column)
        for (way, what), columns in grouped.items():
            more = f" and {len(columns) - 6} more" if len(columns) > 6 else ""
            known_refusal = what != "wrong" and engine in REFUSES and re.search(REFUSES[engine], what)
            text = f"{label}, {engine}, {way}: {', '.join(columns[:6])}{more} {what}"
            (details if known_refusal else failures).append(text)
        shutil.rmtree(out)
    return failures


def known_and_expected(files, dataset, arguments, folder, venvs):
    """What the newest pyarrow reads; it ends the run if `buildtrail sql` disagrees."""
    command = installed(*REFERENCE.split("=="), venvs)
    out = pathlib.Path(tempfile.mkdtemp(dir=folder))
    job = {"reference": True, "files": files, "dataset": dataset and str(dataset), "binary": arguments.buildtrail,
           "answer": str(out / "answer")}
    if run_child(command, job, out):
        sys.exit((out / "log").read_text())
    known = json.loads((out / "answer").read_text())
    plain = [{**file, "windows": [], "events": []} for file in known["files"]]
    job = {"engine": "pyarrow", "out": str(out), "columns": known["columns"], "times": known["times"], "files": plain}
    if run_child(command, job, out):
        sys.exit((out / "log").read_text())
    return known, results(out)[0]


# Encodings that a file is written with; `dictionary` as most writers do. By physical type where not all have it.
CANDIDATES = {
    "dictionary": None,
    "plain": "PLAIN",
    "delta-length": "DELTA_LENGTH_BYTE_ARRAY",
    "delta-byte-array": "DELTA_BYTE_ARRAY",
    "delta-binary-packed": "DELTA_BINARY_PACKED",
    "rle-booleans": "RLE",
    "byte-stream-split": "BYTE_STREAM_SPLIT",
}
OF_TYPE = {"DELTA_LENGTH_BYTE_ARRAY": ["BYTE_ARRAY"], "DELTA_BYTE_ARRAY": ["BYTE_ARRAY"],
           "DELTA_BINARY_PACKED": ["INT32", "INT64"], "RLE": ["BOOLEAN"], "BYTE_STREAM_SPLIT": ["INT32", "INT64"]}


# A few columns of each type are enough there.
EXAMPLES = ["event_id", "request_id", "shared_event_id", "build_uuid", "event_time", "source_record", "event_name", "read_only",
            "build_number", "timeout_in_minutes", "target_ids", "session_creation_date", "request_parameters"]


def rewrite(job):
    """The child of the newest pyarrow that writes a file again in another encoding."""
    import pyarrow.parquet as parquet
    for path, target in job["files"]:
        file = parquet.ParquetFile(path)
        table, encoding = file.read(columns=EXAMPLES), job["encoding"]
        leaves = [file.schema.column(n) for n in range(len(file.schema.names))]
        leaves = [leaf for leaf in leaves if leaf.path.split(".")[0] in EXAMPLES]
        chosen = {leaf.path: encoding for leaf in leaves if leaf.physical_type in OF_TYPE.get(encoding, [leaf.physical_type])}
        options = {"use_dictionary": True} if encoding is None else {"use_dictionary": False, "column_encoding": chosen}
        parquet.write_table(table, target, compression="zstd", row_group_size=65_536, data_page_version=job["pages"],
                            data_page_size=64 << 10, write_page_index=True, store_schema=False, **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("buildtrail")
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--only", help="names of engines, or NAME==VERSION, split by commas")
    parser.add_argument("--all", action="store_true", help="every version, not SHORT alone")
    parser.add_argument("--rows", type=int, default=25_000, help="records made after those of SOURCE")
    parser.add_argument("--venvs", type=pathlib.Path, help="where engines are installed, and stay")
    parser.add_argument("--encodings", nargs="?", const=",".join(CANDIDATES), help="files of pyarrow, an encoding each, too")
    arguments = parser.parse_args()
    arguments.buildtrail = os.path.abspath(arguments.buildtrail)
    engines = [f"{name}=={version}" for name, versions in VERSIONS.items() for version in versions]
    if arguments.only:
        wanted = arguments.only.split(",")
        engines = [e for e in engines if e in wanted or e.split("==")[0] in wanted] + \
                  [w for w in wanted if "==" in w and w not in engines]
    elif not arguments.all:
        engines = SHORT
    failures, details = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        venvs = (arguments.venvs or folder / "venvs").absolute()
        datasets = {"as given": arguments.source.absolute()}
        if not (arguments.source / "_buildtrail").exists():
            made_logs(arguments.source, arguments.rows, folder / "logs")
            datasets = {"as given": (folder / "given", arguments.source), "made": (folder / "made", folder / "logs")}
            for label, (dataset, logs) in datasets.items():
                subprocess.run([arguments.buildtrail, "convert", logs, "--out", dataset], check=True, capture_output=True)
                datasets[label] = dataset
        for label, dataset in datasets.items():
            files = sorted(str(path) for path in dataset.rglob("*.parquet") if "_buildtrail" not in path.parts)
            known, expected = known_and_expected(files, dataset, arguments, folder, venvs)
            used = collections.defaultdict(list)
            for column, encodings in known["encodings"].items():
                used[" ".join(sorted(encodings))].append(column)
            print(f"\n{label}: {len(files)} part files, {known['groups']} row groups, {known['rows']} rows, {len(known['columns'])} columns")
            for encodings, columns in sorted(used.items()):
                print(f"  {encodings}: {len(columns)} columns" + (f": {', '.join(columns)}" if len(columns) < 10 else ""))
            print("files".ljust(26), "engine".ljust(22), "right", "wrong", "refused (a column in a way of reading each)")
            failures += check(label, files, known, expected, engines, folder, venvs, details)
            if not arguments.encodings:
                continue
            command = installed(*REFERENCE.split("=="), venvs)
            for candidate, encoding in ((name, CANDIDATES[name]) for name in arguments.encodings.split(",")):
                for pages in ("1.0", "2.0"):
                    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
                    pairs = [[path, str(place / f"{number}.parquet")] for number, path in enumerate(files)]
                    job = {"rewrite": True, "files": pairs, "encoding": encoding, "pages": pages}
                    name = f"{label}, {candidate}, v{pages[0]}"
                    if run_child(command, job, place):
                        failures.append(f"{name}: not written: " + (place / "log").read_text()[-300:])
                        continue
                    files_of = [target for _, target in pairs]
                    size = sum(os.path.getsize(path) for path in files_of)
                    print(f"{name}: {size} bytes")
                    again, wanted = known_and_expected(files_of, None, arguments, folder, venvs)
                    failures += check(name, files_of, again, wanted, engines, folder, venvs, details)
                    shutil.rmtree(place)
    for text in details:
        print("known:", text)
    for text in failures:
        print("FAILED:", text)
    print(f"{len(engines)} engines, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].endswith("job.json"):
        JOB = json.loads(pathlib.Path(sys.argv[1]).read_text())
        {"reference": reference, "rewrite": rewrite}.get(next(iter(JOB)), read_all)(JOB)
    else:
        main()
