"""What the export benchmarks share: a whole store with so many events, and the most memory that a child took."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from accessctl.domain.facts import Fact
from accessctl.record import Signer
from accessctl.services.exports import ExportDesk
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import DeviceEvent
from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.unit_of_work import SqlStore

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 5000
SIGNER = Signer("benchmark/record", b"b" * 32)


@contextmanager
def store_with(rows: int) -> Iterator[Path]:
    """A folder with `store.db`: so many events of four doors and 5,000 cards."""
    with TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/store.db")
        migrate(engine)
        store = SqlStore(engine, os.urandom)
        for start in range(0, rows, BATCH):
            with store.begin() as tx:
                tx.events.store([event(number) for number in range(start, min(start + BATCH, rows))])
                tx.commit()
        store.close()
        yield Path(folder)


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
    return store, ExportDesk(office, RecordKeeper(office, SIGNER))


def most_memory(module: str, *arguments: str) -> int:
    """Bytes that a child of its own took at most."""
    code = f"import sys; from {module} import child; child(*sys.argv[1:])"
    ran = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return int(ran.stdout.split()[-1])


def say_memory() -> None:
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}\n")
