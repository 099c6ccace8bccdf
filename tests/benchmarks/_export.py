"""What the export benchmarks share: a whole store with so many events, and the most memory that a child took."""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.event import listen

from accessctl.domain.facts import Fact
from accessctl.record import Signer
from accessctl.services.exports import ExportDesk
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import DeviceEvent
from accessctl.storage.copyists import copyists_for
from accessctl.storage.engine import begin_writing, make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.tables import event as projection
from accessctl.storage.unit_of_work import SqlStore

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 100_000  # events in one transaction
SIGNER = Signer("benchmark/record", b"b" * 32)


@contextmanager
def store_with(rows: int) -> Iterator[Path]:
    """A folder with `store.db`: so many events of four doors and 5,000 cards."""
    with TemporaryDirectory() as folder:
        fill_store(Path(folder), rows)
        yield Path(folder)


def fill_store(folder: Path, rows: int) -> None:
    """Through the product's own intake, hurried: it does not wait for the disk, and indexes come at the end."""
    engine = make_engine(f"sqlite:///{folder}/store.db")
    listen(engine, "connect", _hurry)
    migrate(engine)
    indexes = [index for index in projection.indexes if not index.unique]
    with begin_writing(engine) as connection:
        for index in indexes:
            index.drop(connection)
        connection.commit()
    store = SqlStore(engine, os.urandom)
    for start in range(0, rows, BATCH):
        with store.begin() as tx:
            tx.events.store([event(number) for number in range(start, min(start + BATCH, rows))])
            tx.commit()
    with begin_writing(engine) as connection:
        for index in indexes:
            index.create(connection)
        connection.commit()
    store.close()


def _hurry(connection: sqlite3.Connection, entry: object) -> None:
    del entry
    for pragma in ("synchronous=OFF", "cache_size=-1000000", "wal_autocheckpoint=100000"):
        connection.execute(f"PRAGMA {pragma}")


def event(number: int) -> DeviceEvent:
    at = BEGIN + timedelta(seconds=number)
    return DeviceEvent(
        identity=f"cd-panel:1:{number}",
        fact=Fact.DOOR_REFUSED if number % 10 == 0 else Fact.DOOR_GRANTED,
        at=at,
        received_at=at + timedelta(milliseconds=250),
        device="cd-panel",
        door=f"cd-{number % 4}",
        zone="cdatos",
        direction="in",
        reason="outside_schedule" if number % 10 == 0 else "",
        norm="N10.3" if number % 10 == 0 else "",
        credential=f"h10301:12-{number % 5000}",
        device_time=at.isoformat(),
        skew_s=0,
        data={"seq": number},
    )


def desk(folder: Path) -> tuple[SqlStore, ExportDesk]:
    """The product's export desk on that store."""
    store = SqlStore(make_engine(f"sqlite:///{folder}/store.db"), os.urandom)
    numbers = count()
    office = Office(store=store, clock=lambda: datetime.now(UTC), new_id=lambda: f"{next(numbers):032x}")
    copyists = copyists_for(f"sqlite:///{folder}/store.db")
    return store, ExportDesk(office, RecordKeeper(office, SIGNER), copyists=copyists)


def most_memory(module: str, *arguments: str) -> int:
    """Bytes that a child of its own took at most."""
    code = f"import sys; from {module} import child; child(*sys.argv[1:])"
    ran = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return int(ran.stdout.split()[-1])


def say_memory() -> None:
    """The most that this process took and, for each processor, the largest of the copyists that it called.

    `ru_maxrss` of this process would count what the benchmark itself held when it started it; VmHWM begins with exec.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    copyist = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    sys.stdout.write(f"{(own + copyist * len(os.sched_getaffinity(0))) * 1024}\n")
