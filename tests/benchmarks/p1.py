"""P1: durable appending to the record against plain SQLite without any hash.

The peer writes ready-made bytes of the same length with executemany, FULL, 1,000 rows a transaction, into a table with
two columns. We start from values: canonical bytes, leaf, tiles, triggers. Rounds alternate; the median of the per-round
ratios counts; the record is checked at the end.
"""

import argparse
import sqlite3
import time
from pathlib import Path

from sqlalchemy import Engine

from accessctl.record import encode
from accessctl.storage.engine import begin_reading, begin_writing
from accessctl.storage.record_check import check_record
from accessctl.storage.record_store import RecordAppender
from tests.benchmarks._record import BATCH, empty_record, fact, machine, say, verdict


def ours(engine: Engine, appender: RecordAppender, first: int, count: int) -> float:
    """Seconds for `count` entries; making their values is not counted, on either side."""
    spent = 0.0
    for start in range(first, first + count, BATCH):
        entries = [fact(number) for number in range(start, start + BATCH)]
        begun = time.perf_counter()
        with begin_writing(engine) as connection:
            appender.append(connection, entries)
            connection.commit()
        spent += time.perf_counter() - begun
    return spent


def theirs(database: sqlite3.Connection, first: int, count: int) -> float:
    spent = 0.0
    for start in range(first, first + count, BATCH):
        rows = [(number, encode(fact(number))) for number in range(start, start + BATCH)]
        begun = time.perf_counter()
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO plain VALUES (?, ?)", rows)
        database.execute("COMMIT")
        spent += time.perf_counter() - begun
    return spent


def plain(folder: Path) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "plain.db", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE plain (idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    ):
        database.execute(statement)
    return database


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    share = arguments.rows // arguments.rounds // BATCH * BATCH
    ratios = []
    say(machine())
    with empty_record() as (engine, folder):
        appender, database = RecordAppender(), plain(folder)
        for turn in range(arguments.rounds):
            first = turn * share
            we, they = ours(engine, appender, first, share), theirs(database, first, share)
            say(f"round {turn}: record {share / we:,.0f} rows/s, plain SQLite {share / they:,.0f} rows/s")
            ratios.append(they / we)
        database.close()
        with begin_reading(engine) as connection:
            say(f"checked: {check_record(connection).size:,} entries")
    return verdict("P1, record against plain SQLite", ratios, 0.75, at_least=True)


if __name__ == "__main__":
    raise SystemExit(main())
