"""What the export benchmarks share: a whole store with so many events, and the most memory that a child took."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
from accessctl.storage.engine import begin_writing, driver_address, make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.tables import event as projection
from accessctl.storage.unit_of_work import SqlStore

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 100_000  # events in one transaction
SIGNER = Signer("benchmark/record", b"b" * 32)


@contextmanager
def store_with(rows: int, keep: Path | None = None) -> Iterator[Path]:
    """A folder with `store.db`: so many events of four doors and 5,000 cards.

    Filling ten million takes ten minutes: with `keep` the store stays in that folder, for the next benchmark.
    """
    if keep is not None:
        folder = keep / f"rows-{rows}"
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            fill_store(folder, rows)
            (folder / "whole").touch()
        yield folder
        return
    with TemporaryDirectory() as temporary:
        fill_store(Path(temporary), rows)
        yield Path(temporary)


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
    copyists = copyists_for(driver_address(store.engine.url))
    return store, ExportDesk(office, RecordKeeper(office, SIGNER), copyists=copyists)


def timed(folder: Path, name: str, make: Callable[[ExportDesk, Path], object]) -> float:
    """Seconds that an export to `folder/name` takes; its files are gone afterwards."""
    store, exports = desk(folder)
    begun = time.perf_counter()
    try:
        make(exports, folder / name)
        return time.perf_counter() - begun
    finally:
        store.close()
        for path in folder.glob(f"{name}*"):
            path.unlink()


def most_memory(module: str, *arguments: str) -> int:
    """Bytes that a child of its own took at most."""
    code = f"import sys; from {module} import child; child(*sys.argv[1:])"
    ran = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return int(ran.stdout.split()[-1])


class Memory:
    """The most that this process and the readers that it calls have taken: a `Progress` of the export that watches.

    `ru_maxrss` would count what whoever started a process held when it did; VmHWM begins with exec.
    """

    def __init__(self) -> None:
        self._readers: dict[str, int] = {}

    def __call__(self, lines: int, share: float) -> None:
        del lines, share
        for children in Path("/proc/self/task").glob("*/children"):
            for pid in children.read_text(encoding="ascii").split():
                with suppress(OSError, StopIteration):  # it has just ended
                    self._readers[pid] = max(self._readers.get(pid, 0), _high_water(pid))

    def say(self) -> None:
        """Bytes, all processes together."""
        sys.stdout.write(f"{(_high_water('self') + sum(self._readers.values())) * 1024}\n")


def _high_water(process: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
