"""The record is signed every so many entries or seconds, and each note goes to the witness folder.

One loop for the installation, beside the devices. Where the record no longer is what was signed, nothing is signed and
an alarm is raised (`tamper`, key `record`), which settles when the record is in order again; a folder that cannot be
written is tried again with the next look, and said once in the log.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import structlog

from accessctl.domain.alarms import AlarmKind
from accessctl.record import RecordBroken
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm, settle
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.witness_folder import send

ALARM_KEY = "record"
LONGEST_DETAIL = 400
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a checkpoint is due: after `entries` more entries, or `every` so long where there is at least one more."""

    entries: int = 1000
    every: timedelta = timedelta(minutes=5)
    look_every_s: float = 2.0


class RecordSweep:
    """Signs when it is due, and sends. Used by one thread."""

    def __init__(self, office: Office, keeper: RecordKeeper, *, rhythm: Rhythm, witness: Path | None = None) -> None:
        self._office = office
        self._keeper = keeper
        self._rhythm = rhythm
        self._witness = witness
        self._signed_at: datetime | None = None
        self._unsent = ""
        self._trouble = ""

    def run(self, stop: Event) -> None:
        """Look until told to stop, and sign once more at the end."""
        while not stop.wait(self._rhythm.look_every_s):
            self.look()
        self.look(last=True)

    def look(self, *, last: bool = False) -> str | None:
        """Sign where that is due, and send what was not sent yet; the note, where there is a new one."""
        note = None
        try:
            if self._is_due(last=last):
                note = self._unsent = self._keeper.checkpoint()
                self._signed_at = self._office.clock()
                self._settled()
            if self._unsent and self._witness is not None:
                send(self._witness, self._keeper, self._unsent, new_id=self._office.new_id)
                self._unsent = self._trouble = ""
        except RecordBroken as found:
            self._broken(found)
        except OSError as failed:
            self._is_news(failed.strerror or "folder", f"witness folder: {failed.strerror}")
        return note

    def _is_due(self, *, last: bool) -> bool:
        with self._office.store.view() as tx:
            kept, size = tx.ledger.checkpoint(), tx.ledger.size()
        grown = size if kept is None else size - kept.size
        if grown == 0:
            return False
        if last or self._signed_at is None or grown < 0 or grown >= self._rhythm.entries:
            return True
        passed = self._office.clock() - self._signed_at
        return passed < timedelta(0) or passed >= self._rhythm.every  # a clock that went back is no reason to wait

    def _broken(self, found: RecordBroken) -> None:
        """One alarm, not one with every look: its own entry would be the next reason to look."""
        self._signed_at = self._office.clock()  # not again before it is due
        if not self._is_news(found.why.value, str(found)[:LONGEST_DETAIL]):
            return
        detail = found.why.value if found.index is None else f"{found.why.value} {found.index}"  # worded by the panel
        with self._office.store.begin() as tx:
            about = Subject(key=ALARM_KEY, detail=detail)
            raise_alarm(tx, self._office, AlarmKind.TAMPER, about, at=self._office.clock())
            tx.commit()

    def _settled(self) -> None:
        self._trouble = ""
        with self._office.store.view() as tx:
            raised = is_raised(tx, AlarmKind.TAMPER, ALARM_KEY)
        if raised:
            with self._office.store.begin() as tx:
                settle(tx, AlarmKind.TAMPER, ALARM_KEY, cause="the record was signed again", at=self._office.clock())
                tx.commit()

    def _is_news(self, trouble: str, detail: str) -> bool:
        """Whether this trouble begins now; then it is said once in the log."""
        news = trouble != self._trouble
        if news:
            _log.warning("record_not_signed_or_not_sent", why=detail)
        self._trouble = trouble
        return news
