"""P12: a million leaves hashed to their root, and the proof of one entry out of the stored tiles.

Each proof is made by a reader of its own, as a request to the panel would be; `--rows 10000000` is the full size.
"""

import argparse
import random
import statistics
import time

from accessctl.record import Frontier, inclusion_holds
from accessctl.storage.engine import begin_reading
from accessctl.storage.record_store import RecordReader
from tests.benchmarks._record import empty_record, fill, machine, say, verdict

LEAVES = 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--proofs", type=int, default=500)
    arguments = parser.parse_args()
    say(machine())
    leaves = [number.to_bytes(32, "big") for number in range(LEAVES)]
    rounds = []
    for _ in range(5):
        frontier = Frontier()
        begun = time.perf_counter()
        for start in range(0, LEAVES, 4096):
            frontier.extend(leaves[start : start + 4096])
        frontier.root()
        rounds.append(time.perf_counter() - begun)
    failed = verdict("P12, seconds for the root of a million leaves", rounds, 1.5, at_least=False)
    chance, spent = random.Random(12), []
    with empty_record() as (engine, _):
        fill(engine, arguments.rows)
        with begin_reading(engine) as connection:
            root = RecordReader(connection).root()
            for _ in range(arguments.proofs):
                index = chance.randrange(arguments.rows)
                begun = time.perf_counter()
                proof = RecordReader(connection).inclusion(index)
                spent.append((time.perf_counter() - begun) * 1000)
                entry = RecordReader(connection).entry(index)
                if entry is None or not inclusion_holds(index, arguments.rows, entry.leaf, proof, root):
                    raise SystemExit(f"the proof of entry {index} does not hold")
    say(f"99 of 100 proofs within {statistics.quantiles(spent, n=100)[98]:.3f} ms")
    return failed | verdict(f"P12, ms for one proof among {arguments.rows:,}", spent, 1.0, at_least=False)


if __name__ == "__main__":
    raise SystemExit(main())
