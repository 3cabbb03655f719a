#!/usr/bin/env python3
"""Runs what `buildtrail ddl` prints in the engines it is for, and compares every value of every column.

    python3 tests/engines/check.py BUILDTRAIL LOGS [ENGINE...]

LOGS is converted with several --partition-by, once into a folder with a hostile name, and with records
that have hostile regions, event names and no time. `buildtrail sql` says what the rows are. DuckDB, Polars,
pandas, ClickHouse (chdb) and Spark run their text; Athena's and Trino's is parsed with sqlglot and its
types held against a list; Glue's is held against Athena's. `delta` is what `buildtrail delta` writes, read by
deltalake (its pyarrow and its DataFusion), Polars and ClickHouse, while runs go on, too. Exit status 1:
something differs.
"""
import collections
import contextlib
import datetime
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ENGINES = ["duckdb", "polars", "pandas", "clickhouse", "spark", "athena", "trino", "glue", "delta"]
# By the type as `buildtrail schema` has it.
ATHENA = {"utf8": "string", "bool": "boolean", "int32": "int", "int64": "bigint",
          "timestamp(ms, UTC)": "timestamp", "list<utf8>": "array<string>"}
TRINO = {"utf8": "varchar", "bool": "boolean", "int32": "integer", "int64": "bigint",
         "timestamp(ms, UTC)": "timestamp(3)", "list<utf8>": "array(varchar)"}
HOSTILE = "it's \"a\" %20 \u00e9, d [x]"
# Not for ClickHouse, which refuses them.
PATTERNS = "a[b]*?{c}"


def buildtrail(*args):
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{args}: {done.stderr.strip()}")
    return done.stdout


def plain(value):
    """A value as the JSON of `buildtrail sql` has it."""
    if value is None or value != value:
        return None
    if isinstance(value, datetime.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        text = zoned.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds")
        return re.sub(r"\.000$", "", text.replace("+00:00", "")) + "Z"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def digest(rows, column, no_null_lists):
    """A hash of a column's values beside their row's key."""
    def of(row):
        value = plain(row[column])
        return [] if no_null_lists and column in LISTS and value is None else value
    lines = sorted(json.dumps([row["source_file"], row["source_record"], of(row)]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def compare(where, expected, rows, no_null_lists=False):
    if not rows or len(rows) != len(expected):
        return [f"{where}: {len(rows)} rows, not {len(expected)}"]
    columns = set(expected[0])
    found = [f"{where}: columns {sorted(columns ^ set(rows[0]))}"] if set(rows[0]) != columns else []
    for column in sorted(columns & set(rows[0])):
        if digest(rows, column, no_null_lists) != digest(expected, column, no_null_lists):
            pairs = zip(sorted(str(plain(r[column])) for r in expected), sorted(str(plain(r[column])) for r in rows))
            found.append(f"{where}: {column} differs: {next((p for p in pairs if p[0] != p[1]), 'in its rows')}")
    return found


def statements(text):
    """The statements of a text whose strings hold no semicolon at the end of a line."""
    return [part for part in re.split(r";\n", text) if part.strip()]


def duckdb(text):
    import duckdb as engine
    connection = engine.connect()
    connection.execute(text)
    views = re.findall(r'^CREATE OR REPLACE VIEW "(\w+)"', text, re.M)
    for view in views:
        connection.execute(f'SELECT * FROM "{view}"').fetchall()
    if len(views) < 10:
        raise RuntimeError(f"only {views}")
    result = connection.execute("SELECT * FROM events")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row)) for row in result.fetchall()]


def polars(text):
    scope = {}
    exec(text, scope)
    return scope["events"].collect().to_dicts()


def pandas(text):
    scope = {}
    exec(text, scope)
    frame = scope["events"]
    kinds = {str(kind) for kind in frame.dtypes}
    if "object" in kinds or "double[pyarrow]" in kinds:
        raise RuntimeError(f"types are not pinned: {kinds}")
    return scope["pa"].Table.from_pandas(frame, preserve_index=False).to_pylist()


def clickhouse(text):
    from chdb import session
    with tempfile.TemporaryDirectory() as folder:
        engine = session.Session(folder)
        try:
            for statement in statements(text):
                engine.query(statement)
            query = "SELECT * FROM events SETTINGS output_format_json_quote_64bit_integers = 0, date_time_output_format = 'iso'"
            rows = [json.loads(line) for line in str(engine.query(query, "JSONEachRow")).splitlines()]
        finally:
            engine.close()
    for row in rows:
        for column in TIMES:
            row[column] = row[column] and re.sub(r"\.000Z$", "Z", row[column])
    return rows


SPARK = None


def spark(text):
    global SPARK
    from pyspark.sql import SparkSession
    if SPARK is None:
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.warehouse.dir", tempfile.mkdtemp())
        builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
        SPARK = builder.getOrCreate()
        SPARK.sparkContext.setLogLevel("OFF")
    SPARK.sql("DROP TABLE IF EXISTS events")
    for statement in statements(text):
        SPARK.sql(statement)
    return [row.asDict(recursive=True) for row in SPARK.sql("SELECT * FROM events").collect()]


RUN = {"duckdb": duckdb, "polars": polars, "pandas": pandas, "clickhouse": clickhouse, "spark": spark}


def delta_readers(place):
    """What each Delta reader has, of the newest version."""
    import deltalake
    import polars as engine
    import pyarrow
    from chdb import session
    yield "pyarrow", deltalake.DeltaTable(place).to_pyarrow_table().to_pylist()
    query = deltalake.QueryBuilder().register("events", deltalake.DeltaTable(place)).execute("SELECT * FROM events")
    yield "datafusion", pyarrow.table(query.read_all()).to_pylist()
    yield "polars", engine.scan_delta(str(place)).collect().to_dicts()
    # It reads files below the current folder alone.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(place.parent):
        reader = session.Session(folder)
        try:
            query = f"SELECT * FROM deltaLakeLocal('{place}') SETTINGS output_format_json_quote_64bit_integers = 0"
            rows = [json.loads(line) for line in str(reader.query(query, "JSONEachRow")).splitlines()]
        finally:
            reader.close()
    for row in rows:
        for column in TIMES:
            row[column] = row[column] and re.sub(r"\.000000$", "", row[column].replace(" ", "T")) + "Z"
    yield "clickhouse", rows


def delta(where, dataset, expected):
    """Every reader has every value; one of an older version has what was there then, until a compaction."""
    import deltalake
    # Some readers take `%` or a space in a table's own path for an escape, or escape it.
    place = pathlib.Path(tempfile.mkdtemp(dir=dataset.parent.parent, prefix="delta")) / "ds"
    dataset = shutil.copytree(dataset, place)
    buildtrail("delta", dataset)
    found = []
    for reader, rows in delta_readers(place):
        found += compare(f"{where}, {reader}", expected, rows, no_null_lists=reader == "clickhouse")
    early = deltalake.DeltaTable(place)
    more = dataset.parent / "more.json"
    events = [{"eventID": f"more-{n}", "eventTime": f"2026-09-01T00:00:0{n}Z", "eventName": "StartBuild",
               "eventSource": "codebuild.amazonaws.com", "awsRegion": "us-east-1"} for n in range(3)]
    more.write_text(json.dumps({"Records": events}))
    buildtrail("convert", more, "--out", dataset)
    found += compare(f"{where}, before", expected, early.to_pyarrow_table().to_pylist())
    late = deltalake.DeltaTable(place)
    counts = [late.version(), late.to_pyarrow_table().num_rows]
    buildtrail("compact", dataset)
    for reader, rows in delta_readers(place):
        counts.append(len(rows))
    if counts != [1] + [len(expected) + 3] * 5:
        found.append(f"{where}: version and rows {counts}, not {len(expected)} and three")
    late.update_incremental()
    plain = len(list(dataset.glob("**/*.parquet")))
    if plain != len(late.file_uris()):
        found.append(f"{where}: version {late.version()} has {len(late.file_uris())} part files, not {plain}")
    for change in [lambda: late.delete(), lambda: late.optimize.z_order(["event_time"])]:
        try:
            change()
            found.append(f"{where}: another program could write")
        except deltalake.exceptions.CommitFailedError:
            pass
    return found


def declared(where, text, dialect, types, partitions):
    """What a CREATE TABLE declares, parsed, against the list of types."""
    import sqlglot
    from sqlglot import exp
    create = next(tree for tree in sqlglot.parse(text, dialect=dialect) if isinstance(tree, exp.Create))
    columns = {c.name: c for c in create.find_all(exp.ColumnDef)}
    expected = {c["column"]: types[c["type"]] for c in SCHEMA}
    found = []
    for name in [c["column"] for c in SCHEMA] + partitions:
        wanted = expected.get(name, types["utf8"])
        if dialect == "athena" and name == "year":
            wanted = "int"
        got = columns[name].args["kind"] if name in columns else None
        if got is None or got != exp.DataType.build(wanted, dialect=dialect):
            found.append(f"{where}: {name} is {got}, not {wanted}")
    if len(columns) != len(set(expected) | set(partitions)):
        found.append(f"{where}: {len(columns)} columns")
    texts = {literal.this for literal in create.find_all(exp.Literal)}
    if "s3://bucket/it's/" not in texts:
        found.append(f"{where}: the location is not there")
    return found


def view_columns(where, text, partitions):
    """Every column that Athena's view names is one of the table's."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.qualify import qualify
    body = next(tree for tree in sqlglot.parse(text, dialect="trino") if tree and tree.args.get("kind") == "VIEW")
    known = {c["column"]: "varchar" for c in SCHEMA} | {p: "varchar" for p in partitions}
    qualify(body.expression, schema={"events": known}, dialect="trino", validate_qualify_columns=True)
    names = body.expression.named_selects
    wanted = {"eventversion", "useridentity", "eventtime", "eventsource", "eventname", "awsregion", "resources"}
    return [] if wanted <= set(names) else [f"{where}: the view has {names}"]


def parsed(engine, where, dataset, partitions):
    text = buildtrail("ddl", engine, dataset, "--location", "s3://bucket/it's/")
    if engine == "glue":
        table = json.loads(text)["TableInput"]
        columns = [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]]
        expected = [(c["column"], ATHENA[c["type"]]) for c in SCHEMA if c["column"] not in partitions]
        found = [] if columns == expected else [f"{where}: columns differ"]
        keys = [(k["Name"], k["Type"]) for k in table["PartitionKeys"]]
        wanted = [(p, "int" if p == "year" else "string") for p in partitions]
        athena = buildtrail("ddl", "athena", dataset, "--location", "s3://bucket/it's/")
        for name, value in table["Parameters"].items():
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            if name.startswith(("projection", "storage")) and f"'{name}' = '{quoted}'" not in athena:
                found.append(f"{where}: {name} is not Athena's")
        return found + ([] if keys == wanted else [f"{where}: keys {keys}"])
    if engine == "trino":
        create = text.split("CALL")[0]
        return declared(where, create, "trino", TRINO, partitions)
    found = declared(where, text, "athena", ATHENA, partitions)
    both = buildtrail("ddl", "athena", dataset, "--location", "s3://b", "--cloudtrail-view")
    return found + view_columns(where, both[both.index("CREATE OR REPLACE VIEW"):], partitions)


def odd_records():
    """Regions, event names and times that no partition should be called by."""
    cases = [("2026-09-01T00:00:00Z", "a,b", "X%y"), (None, "us-east-1", None),
             ("2026-09-02T00:00:00Z", "../e'v\"i\nl{}$", "Sto p=\u00e9*"), ("2026-10-02T00:00:00Z", None, "[a]?")]
    records = []
    for number, (time, region, name) in enumerate(cases):
        record = {"eventVersion": "1.08", "eventSource": "codebuild.amazonaws.com", "eventID": f"odd-{number}",
                  "recipientAccountId": "000000000012", "eventTime": time, "awsRegion": region, "eventName": name}
        records.append({key: value for key, value in record.items() if value is not None})
    return {"Records": records}


def main():
    global BINARY, SCHEMA, LISTS, TIMES
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    BINARY, logs, engines = sys.argv[1], sys.argv[2], sys.argv[3:] or ENGINES
    SCHEMA = json.loads(buildtrail("schema", "--format", "json"))
    LISTS = {c["column"] for c in SCHEMA if c["type"].startswith("list")}
    TIMES = {c["column"] for c in SCHEMA if c["type"].startswith("timestamp")}
    failures, passed = [], collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "odd.json").write_text(json.dumps(odd_records()))
        for folder, partitions in [("plain", "region,month"), ("days", "account,region,year,day"),
                                   (HOSTILE, "account,event_name"), (PATTERNS, "region,month")]:
            dataset = scratch / folder / "ds"
            buildtrail("convert", logs, scratch / "odd.json", "--out", dataset, "--partition-by", partitions)
            query = "SELECT * FROM events"
            expected = [json.loads(l) for l in buildtrail("sql", dataset, "-c", query, "--format", "ndjson").splitlines()]
            names = {c["column"] for c in SCHEMA} | set(partitions.split(","))
            expected = [{name: row.get(name) for name in names} for row in expected]
            for engine in engines:
                where = f"{engine}, {partitions}, {folder}"
                if engine == "clickhouse" and folder == PATTERNS:
                    continue
                try:
                    if engine in RUN:
                        rows = RUN[engine](buildtrail("ddl", engine, dataset))
                        found = compare(where, expected, rows, no_null_lists=engine == "clickhouse")
                    elif engine == "delta":
                        found = delta(where, dataset, expected)
                    else:
                        found = parsed(engine, where, dataset, partitions.split(","))
                except Exception as error:  # whatever an engine throws is that engine's failure
                    found = [f"{where}: {type(error).__name__}: {str(error)[:500]}"]
                failures += found
                passed[engine] += not found
    for failure in failures:
        print(failure)
    print(", ".join(f"{engine} {passed[engine]}" for engine in engines), f"datasets passed, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
