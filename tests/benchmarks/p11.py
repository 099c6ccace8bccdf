"""P11: checking the whole record, as `record verify` does, against only reading it (`for row in SELECT`).

Three sides take turns: the check in one process, the check in as many as there are cores, and the reading in one.
Rounds alternate; the median of the per-round ratios counts. Goals: 0.8 of the reading, a million rows a second.
"""

import argparse
import sqlite3
import statistics
import time
from collections import deque

from accessctl.storage.engine import begin_reading, driver_address
from accessctl.storage.readers import processors
from accessctl.storage.record_check import check_record
from accessctl.storage.tile_check import by_readers
from tests.benchmarks._record import empty_record, fill, machine, say, verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    alone, together, rates = [], [], []
    say(machine())
    with empty_record() as (engine, folder):
        fill(engine, arguments.rows)
        database = sqlite3.connect(folder / "record.db")
        for turn in range(arguments.rounds):
            begun = time.perf_counter()
            with begin_reading(engine) as connection:
                size = check_record(connection).size
            one = time.perf_counter() - begun
            begun = time.perf_counter()
            with begin_reading(engine) as connection:
                check_record(connection, sound=by_readers(driver_address(engine.url), processors()))
            all_ = time.perf_counter() - begun  # starting the processes is part of it
            begun = time.perf_counter()
            deque(database.execute("SELECT idx, bytes, leaf FROM entry ORDER BY idx"), maxlen=0)
            read = time.perf_counter() - begun
            shown = f"checked {size / one:,.0f} rows/s in one process, {size / all_:,.0f} in all"
            say(f"round {turn}: {shown}, only read {size / read:,.0f}")
            alone.append(read / one)
            together.append(read / all_)
            rates.append(size / all_)
        database.close()
    say(f"in one process: {statistics.median(alone):.3f} of reading")
    failed = verdict("P11, rows a second on all cores", rates, 1_000_000, at_least=True)
    return failed | verdict("P11, checking on all cores against reading", together, 0.8, at_least=True)


if __name__ == "__main__":
    raise SystemExit(main())
