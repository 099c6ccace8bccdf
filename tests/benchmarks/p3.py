"""P3: sixty-four clients that each wait for their own commit, in groups, against a commit for each.

A client records one entry and waits until it is durable, then the next: a thread each, all before the one writer of
`GroupCommit`, with the whole store (record, projection, triggers). The peer is one thread of plain SQLite, FULL, with a
commit for each row: more threads would be no faster. Rounds alternate; the median of the per-round ratios counts.
"""

import argparse
import sqlite3
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from accessctl import clock
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.record import encode
from accessctl.services.group_commit import GroupCommit
from accessctl.services.store import Work
from tests.benchmarks._push import quantile
from tests.benchmarks._record import fact, machine, say, verdict
from tests.benchmarks.p1 import plain
from tests.stores import sqlite_store

CLIENTS = 64


def record_one(tx: Work) -> None:
    """What each client has to say."""
    data: dict[str, str | int | bool | None] = {"kind": "bench"}
    tx.record(Fact.DEVICE_EVENT, at=clock.now(), actor=SYSTEM, device="cd-panel", door="cd-1", data=data)


def ours(commits: GroupCommit, seconds: float) -> list[float]:
    """How long each acknowledgement took, in milliseconds."""
    waits: list[list[float]] = [[] for _ in range(CLIENTS)]
    end = time.perf_counter() + seconds

    def client(mine: list[float]) -> None:
        while (begun := time.perf_counter()) < end:
            commits.do(record_one)
            mine.append((time.perf_counter() - begun) * 1000)

    threads = [threading.Thread(target=client, args=(mine,)) for mine in waits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for mine in waits for one in mine]


def theirs(database: sqlite3.Connection, first: int, seconds: float) -> int:
    """How many rows were committed."""
    end = time.perf_counter() + seconds
    number = first
    data = encode(fact(first))
    while time.perf_counter() < end:
        database.execute("INSERT INTO plain VALUES (?, ?)", (number, data))
        number += 1
    return number - first


def main() -> int:
    """Prints the rounds; 0 where both goals are met."""
    parser = argparse.ArgumentParser(prog="script/bench p3", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each side, in each round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    say(machine())
    ratios, late = [], []
    with TemporaryDirectory() as folder:
        store, database = sqlite_store(Path(folder) / "accessctl.db"), plain(Path(folder))
        commits, number = GroupCommit(store), 0
        for turn in range(arguments.rounds):
            waits = ours(commits, arguments.seconds)
            rows = theirs(database, number, arguments.seconds)
            number += rows
            late.append(quantile(waits, 0.99))
            ratios.append(len(waits) / rows)
            rates = f"{len(waits) / arguments.seconds:,.0f} entries/s, plain {rows / arguments.seconds:,.0f} rows/s"
            say(f"round {turn}: {rates}; acknowledged within {late[-1]:.1f} ms (99 of 100)")
        commits.close()
        database.close()
        with store.view() as tx:
            say(f"checked: {tx.ledger.check(trusted=(), held=()).size:,} entries")
        store.close()
    failed = verdict("P3, ms to the acknowledgement, 99 of 100", late, 20, at_least=False)
    return failed | verdict("P3, in groups against a commit for each", ratios, 5, at_least=True)


if __name__ == "__main__":
    raise SystemExit(main())
