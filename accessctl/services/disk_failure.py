"""A disk that did not keep what was written: the process that met it ends, and the record is read whole afterwards.

After a failed `fsync` nobody knows what of the last writes is there, and the next `fsync` may succeed without them
(PostgreSQL wiki, "Fsync Errors"). So whoever meets one acknowledges nothing more and ends; what starts anew reads from
the disk. A mark beside the keys remembers it until the record was verified from its first entry on.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event

import structlog

from accessctl.domain.alarms import AlarmKind
from accessctl.record import RecordBroken
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm, settle
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper

MARK = "disk.failed"
ALARM_KEY = "disk"
LOOK_EVERY_S = 2.0
log = structlog.get_logger("disk")


def note_failure(folder: Path, at: datetime) -> None:
    """Leave the mark, as far as the same disk takes it."""
    with suppress(OSError):
        (folder / MARK).write_text(at.isoformat() + "\n", encoding="ascii")


def disk_failed(folder: Path) -> bool:
    """Whether a sync failed since the record was last verified for that reason."""
    return _mark(folder) is not None


def _mark(folder: Path) -> bytes | None:
    """What the mark says, which is when the disk failed; None where there is none."""
    try:
        return (folder / MARK).read_bytes()
    except FileNotFoundError:
        return None


class DiskWatch:
    """After a failure: an alarm, the whole record verified, and then the alarm settled. Used by one thread."""

    def __init__(self, office: Office, keeper: RecordKeeper, folder: Path) -> None:
        self._office = office
        self._keeper = keeper
        self._folder = folder

    def run(self, stop: Event) -> None:
        """Look until told to stop, or until the record is found broken: that is for people to look at."""
        while not stop.is_set() and self.look():
            stop.wait(LOOK_EVERY_S)
        stop.wait()

    def look(self) -> bool:
        """False where the record was found broken. Then the mark and the alarm stay."""
        mark = _mark(self._folder)
        if mark is None:
            return True
        self._raise()
        try:
            found = self._keeper.verify_store()
        except RecordBroken as broken:
            log.exception("the record is broken after the disk failed", index=broken.index)
            return False
        log.warning("the record was verified after the disk failed", entries=found.size)
        if _mark(self._folder) != mark:  # it failed again meanwhile: what was read may be gone
            return True
        with self._office.store.begin() as tx:
            settle(tx, AlarmKind.GAP, ALARM_KEY, cause="record_verified", at=self._office.clock())
            tx.commit()
        (self._folder / MARK).unlink(missing_ok=True)
        return True

    def _raise(self) -> None:
        with self._office.store.view() as tx:
            raised = is_raised(tx, AlarmKind.GAP, ALARM_KEY)
        if not raised:
            with self._office.store.begin() as tx:
                about = Subject(key=ALARM_KEY, detail="disk_failed")
                raise_alarm(tx, self._office, AlarmKind.GAP, about, at=self._office.clock())
                tx.commit()
