"""P11: checking the whole record against only reading it (`for row in SELECT`), on one core.

Rounds alternate; the median of the per-round ratios counts.
"""

import argparse
import sqlite3
import time
from collections import deque

from accessctl.storage.engine import begin_reading
from accessctl.storage.record_check import check_record
from tests.benchmarks._record import empty_record, fill, machine, say, verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    ratios = []
    say(machine())
    with empty_record() as (engine, folder):
        fill(engine, arguments.rows)
        database = sqlite3.connect(folder / "record.db")
        for turn in range(arguments.rounds):
            begun = time.perf_counter()
            with begin_reading(engine) as connection:
                size = check_record(connection).size
            checked = time.perf_counter()
            deque(database.execute("SELECT idx, bytes, leaf FROM entry ORDER BY idx"), maxlen=0)
            read = time.perf_counter()
            rates = f"{size / (checked - begun):,.0f} rows/s checked, {size / (read - checked):,.0f} only read"
            say(f"round {turn}: {rates}")
            ratios.append((read - checked) / (checked - begun))
        database.close()
    return verdict("P11, checking against reading", ratios, 0.8, at_least=True)


if __name__ == "__main__":
    raise SystemExit(main())
