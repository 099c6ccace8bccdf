"""P9: the JSON lines export, proven and hashed, against a loop of `json.dumps` over the same rows without any proof.

The peer reads index, bytes and leaf, makes the same line with the same keys (`json.loads`, `json.dumps`, base64), and
hashes the file. Rounds alternate; the median of the per-round ratios counts.
`--grown N` also makes three exports of a record of N entries, all as JSON lines, a part with its proofs, the bare
record, and compares the most memory that each took (goal: at most 1.1 times).
"""

import argparse
import base64
import hashlib
import json
import sqlite3
import time
from pathlib import Path

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.record.columns import COLUMNS
from accessctl.services.exports import EVERYTHING, ExportDesk
from accessctl.services.store import EventFilter
from tests.benchmarks._export import Memory, most_memory, store_with, timed
from tests.benchmarks._record import machine, say, verdict


def ours(folder: Path, name: str) -> float:
    return timed(folder, name, lambda exports, target: exports.make(SYSTEM, fmt="jsonl", target=target))


def theirs(folder: Path) -> float:
    database = sqlite3.connect(folder / "store.db")
    digest = hashlib.sha256()
    begun = time.perf_counter()
    with (folder / "peer.jsonl").open("wb") as out:
        for index, data, leaf in database.execute("SELECT idx, bytes, leaf FROM entry ORDER BY idx"):
            entry = json.loads(data)
            shown = {name: entry.get(name) for name in COLUMNS}
            shown |= {"index": index, "leaf": leaf.hex(), "entry": base64.b64encode(data).decode()}
            line = json.dumps(shown).encode() + b"\n"
            digest.update(line)
            out.write(line)
    spent = time.perf_counter() - begun
    database.close()
    return spent


def child(folder: str, kind: str) -> None:
    """One export, in a process of its own; says how much memory it took at most."""
    which = EventFilter(events=(Fact.DOOR_REFUSED.value,)) if kind == "part" else EVERYTHING

    watched = Memory()

    def make(exports: ExportDesk, target: Path) -> None:
        if kind == "record":
            exports.whole_record(SYSTEM, target, progress=watched)
        else:
            exports.make(SYSTEM, which=which, fmt="jsonl", target=target, progress=watched)

    timed(Path(folder), "measured.jsonl", make)
    watched.say()


def memory(folder: Path) -> dict[str, int]:
    return {kind: most_memory("tests.benchmarks.p9", str(folder), kind) for kind in ("all", "part", "record")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--grown", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder in which the stores stay for the next benchmark")
    arguments = parser.parse_args()
    say(machine())
    ratios = []
    with store_with(arguments.rows, arguments.keep) as folder:
        for turn in range(arguments.rounds):
            we, they = ours(folder, f"ours-{turn}.jsonl"), theirs(folder)
            say(f"round {turn}: ours {arguments.rows / we:,.0f} rows/s, json.dumps {arguments.rows / they:,.0f} rows/s")
            ratios.append(they / we)
        small = memory(folder) if arguments.grown else {}
    missed = verdict("P9, JSON lines against json.dumps", ratios, 2.0, at_least=True)
    if arguments.grown:
        with store_with(arguments.grown, arguments.keep) as folder:
            large = memory(folder)
        for kind, most in large.items():
            say(f"{kind}: {small[kind] >> 20} MiB for {arguments.rows:,}, {most >> 20} MiB for {arguments.grown:,}")
            missed |= verdict(f"P9, memory, {kind}", [most / small[kind]], 1.1, at_least=False)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
