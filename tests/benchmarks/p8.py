"""P8: the CSV export, proven and hashed, against `sqlite3 -csv` over the same columns; and that its memory stays flat.

The peer reads the projection's columns and writes them; we read the hashed bytes, compare each with its leaf, hash up
to the signed root, neutralise every cell and hash the file. Rounds alternate; the median of the per-round ratios
counts.
`--grown N` also exports a record of N entries and compares the most memory that both took (goal: at most 1.1 times).
"""

import argparse
import shutil
import subprocess
import time
from pathlib import Path

from accessctl.domain.people import SYSTEM
from tests.benchmarks._export import Memory, most_memory, store_with, timed
from tests.benchmarks._record import machine, say, verdict

QUERY = (
    "SELECT e.idx AS 'index', at, received_at, device, door, zone, direction, event, reason, norm, "
    "person AS person_id, '' AS person, credential, visit, device_time, skew_s, lower(hex(leaf)) AS leaf "
    "FROM event e JOIN entry n ON n.idx = e.idx ORDER BY e.idx"
)


def ours(folder: Path, name: str) -> float:
    return timed(folder, name, lambda exports, target: exports.make(SYSTEM, fmt="csv", target=target))


def theirs(folder: Path, tool: str) -> float:
    begun = time.perf_counter()
    with (folder / "peer.csv").open("wb") as out:
        subprocess.run([tool, "-csv", "-header", str(folder / "store.db"), QUERY], stdout=out, check=True)
    subprocess.run(["sha256sum", str(folder / "peer.csv")], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def child(folder: str) -> None:
    """One export, in a process of its own; says how much memory it took at most."""
    memory = Memory()
    timed(
        Path(folder),
        "measured.csv",
        lambda exports, target: exports.make(SYSTEM, fmt="csv", target=target, progress=memory),
    )
    memory.say()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--grown", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder in which the stores stay for the next benchmark")
    arguments = parser.parse_args()
    tool = shutil.which("sqlite3")
    if tool is None:
        say("P8 needs the command line of SQLite: apt-get install sqlite3")
        return 1
    say(machine())
    ratios = []
    with store_with(arguments.rows, arguments.keep) as folder:
        for turn in range(arguments.rounds):
            we, they = ours(folder, f"ours-{turn}.csv"), theirs(folder, tool)
            rates = f"ours {arguments.rows / we:,.0f} rows/s, sqlite3 -csv {arguments.rows / they:,.0f} rows/s"
            say(f"round {turn}: {rates}")
            ratios.append(we / they)
        small = most_memory("tests.benchmarks.p8", str(folder))
    missed = verdict("P8, CSV against sqlite3 -csv", ratios, 1.2, at_least=False)
    if arguments.grown:
        with store_with(arguments.grown, arguments.keep) as folder:
            large = most_memory("tests.benchmarks.p8", str(folder))
        say(f"memory: {small >> 20} MiB for {arguments.rows:,}, {large >> 20} MiB for {arguments.grown:,}")
        missed |= verdict("P8, memory", [large / small], 1.1, at_least=False)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
