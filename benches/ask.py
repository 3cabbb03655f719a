#!/usr/bin/env python3
"""Times every saved query against DuckDB's command over the same part files.

    python3 benches/ask.py BUILDTRAIL DUCKDB DATASET [NAME...]

Each is a whole process: start, plan, answer, write CSV to nowhere; the best of three (`RUNS=n`: of n).
DuckDB gets the same statement with its parameters' defaults, the table `events` over the part files, and the views that
the statement names. Prints a line a query (wall seconds: ours, DuckDB's, the ratio; then CPU seconds alike),
then the medians of the ratios.
"""
import importlib.util
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 120
RUNS = int(os.environ.get("RUNS", "3"))


def module():
    """The reader of saved queries that the pack's own check has."""
    spec = importlib.util.spec_from_file_location("pack", ROOT / "tests/pack/duckdb.py")
    pack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    return pack


def literal(kind, default):
    """A parameter's default as SQL."""
    if default == "":
        return {"text": "NULL::VARCHAR", "integer": "NULL::BIGINT", "boolean": "NULL::BOOLEAN",
                "timestamp": "NULL::TIMESTAMPTZ", "list": "NULL::VARCHAR[]"}[kind]
    quoted = "'" + default.replace("'", "''") + "'"
    if kind == "timestamp" and re.fullmatch(r"\d+[mhdw]", default):
        units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
        return f"(now() - INTERVAL '{default[:-1]} {units[default[-1]]}')"
    if kind == "list":
        return "[" + ", ".join("'" + part + "'" for part in default.split(",")) + "]"
    return {"text": quoted, "timestamp": f"{quoted}::TIMESTAMPTZ"}.get(kind, default)


def needed(query, views):
    """The views that a statement uses, in order."""
    names = [v for v in views if re.search(rf"\b{v}\b", query.sql) or v in query.uses]
    found = []
    for name in names:
        found += [n for n in needed(views[name], {k: v for k, v in views.items() if k != name}) if n not in found]
        found += [name] if name not in found else []
    return found


def cpu():
    """CPU seconds of all processes waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(command):
    """Wall and CPU seconds, the best of some runs; none where it fails or takes too long."""
    times = []
    for _ in range(RUNS):
        before, start = cpu(), time.perf_counter()
        try:
            run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return None
        if run.returncode != 0:
            sys.stderr.write(run.stderr.decode()[:300])
            return None
        times.append((time.perf_counter() - start, cpu() - before))
    return tuple(map(min, zip(*times)))


def main(ours, duckdb, dataset, *names):
    pack = module()
    views = {path.stem: pack.Query(path) for path in sorted((ROOT / "sql/views").glob("*.sql"))}
    events = f"""CREATE VIEW events AS SELECT * FROM read_parquet('{dataset}/**/*.parquet',
        hive_partitioning = true, hive_types_autocast = false);"""
    ratios = []
    for path in sorted((ROOT / "sql").rglob("*.sql")):
        query = pack.Query(path)
        if path.parent.name == "views" or (names and query.name not in names):
            continue
        sql = query.sql
        for name, kind, default in query.parameters:
            sql = re.sub(rf"\${name}\b", lambda _: literal(kind, default), sql)
        made = " ".join(f'CREATE VIEW "{v}" AS {views[v].sql};' for v in needed(query, views))
        theirs = seconds([duckdb, "-csv", "-c", f"SET TimeZone = 'UTC'; {events} {made} {sql}"])
        mine = seconds([ours, "run", query.name, dataset, "--format", "csv"])
        if not (mine and theirs):
            print(f"{query.name:28} ours {mine}, DuckDB's {theirs}", flush=True)
            continue
        ratio = [m / t for m, t in zip(mine, theirs)]
        ratios.append(ratio)
        shown = " ".join(f"{m:8.3f} {t:8.3f} {r:6.2f}" for m, t, r in zip(mine, theirs, ratio))
        print(f"{query.name:28} {shown}", flush=True)
    for kind, of in zip(("wall", "CPU"), zip(*ratios)):
        print(f"{kind}: median of {len(of)}: {statistics.median(of):.2f}, worst {max(of):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
