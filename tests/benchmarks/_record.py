"""What the record's benchmarks share: a plausible entry, a database of its own, and how figures are printed."""

import os
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from accessctl.storage import record_tables
from accessctl.storage.engine import begin_writing, make_engine
from accessctl.storage.metadata import metadata
from accessctl.storage.record_store import RecordAppender

BATCH = 1000


def fact(number: int) -> dict[str, object]:
    """An event at a door; people, cards and minutes recur, the rest does not."""
    return {
        "v": 1,
        "fact": "door:entry:granted",
        "at": f"2026-01-01T07:{number // 60 % 60:02}:{number % 60:02}.000000+00:00",
        "received_at": f"2026-01-01T07:{number // 60 % 60:02}:{number % 60:02}.250000+00:00",
        "device": "cd-panel",
        "door": f"cd-{number % 4}",
        "zone": "cdatos",
        "direction": "in",
        "event": "granted",
        "person_id": number % 5000,
        "person": {"c": f"{number:064x}"},
        "credential": str(100_000 + number % 5000),
        "skew_s": 0,
        "data": {"seq": number},
    }


@contextmanager
def empty_record() -> Iterator[tuple[Engine, Path]]:
    """A record in a SQLite file, with its triggers, and the folder that it lies in."""
    with TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/record.db")
        lay_out(engine)
        yield engine, Path(folder)
        engine.dispose()


def lay_out(engine: Engine) -> None:
    """The record's tables, with their triggers, in an empty database."""
    tables = [record_tables.entry, record_tables.tile, record_tables.checkpoint, record_tables.opening]
    with begin_writing(engine) as connection:
        metadata.create_all(connection, tables=tables)
        record_tables.install_triggers(connection)
        connection.commit()


def fill(engine: Engine, count: int, batch: int = 10 * BATCH) -> None:
    """A record of that many entries."""
    appender = RecordAppender()
    for start in range(0, count, batch):
        with begin_writing(engine) as connection:
            appender.append(connection, [fact(number) for number in range(start, min(start + batch, count))])
            connection.commit()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def verdict(name: str, figures: Sequence[float], goal: float, *, at_least: bool) -> int:
    """Print the median beside the goal; the exit code of a benchmark: 0 where it is reached."""
    median = statistics.median(figures)
    reached = median >= goal if at_least else median <= goal
    relation = "at least" if at_least else "at most"
    say(f"{name}: median {median:.3f} of {len(figures)}, goal {relation} {goal}: {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1
