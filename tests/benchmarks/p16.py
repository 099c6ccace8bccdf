"""P16: durable appending to the record in PostgreSQL against a plain binary COPY.

The peer copies ready-made bytes of the same length into a table with two columns, a thousand rows a transaction, with
psycopg; on both sides the server waits for its disk at each commit. We start from values: canonical bytes, leaf, tiles,
triggers, the lock of whoever appends. Rounds alternate; the median of the per-round ratios counts; the record is
checked at the end.
"""

import argparse
import time

import psycopg

from accessctl.record import encode
from accessctl.storage.engine import begin_reading, make_engine
from accessctl.storage.record_check import check_record
from accessctl.storage.record_store import RecordAppender
from tests.benchmarks._record import BATCH, fact, lay_out, machine, say, verdict
from tests.benchmarks.p1 import ours
from tests.postgresql import new_database, running_server


def theirs(server: psycopg.Connection, first: int, count: int) -> float:
    """Seconds for `count` rows; making them is not counted."""
    spent = 0.0
    for start in range(first, first + count, BATCH):
        rows = [(number, encode(fact(number))) for number in range(start, start + BATCH)]
        begun = time.perf_counter()
        with server.cursor() as cursor, cursor.copy("COPY plain (idx, bytes) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "bytea"])
            for row in rows:
                copy.write_row(row)
        server.commit()
        spent += time.perf_counter() - begun
    return spent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    share = arguments.rows // arguments.rounds // BATCH * BATCH
    ratios = []
    say(machine())
    with running_server() as server:
        if server is None:
            raise SystemExit("there is no PostgreSQL here to measure")
        with new_database(server) as address, psycopg.connect(address) as plain:
            engine, appender = make_engine(address), RecordAppender()
            lay_out(engine)
            plain.execute("CREATE TABLE plain (idx bigint PRIMARY KEY, bytes bytea NOT NULL)")
            plain.commit()
            for turn in range(arguments.rounds):
                first = turn * share
                we, they = ours(engine, appender, first, share), theirs(plain, first, share)
                say(f"round {turn}: record {share / we:,.0f} rows/s, plain COPY {share / they:,.0f} rows/s")
                ratios.append(they / we)
            with begin_reading(engine) as connection:
                say(f"checked: {check_record(connection).size:,} entries")
            engine.dispose()
    return verdict("P16, record against a plain COPY", ratios, 0.7, at_least=True)


if __name__ == "__main__":
    raise SystemExit(main())
