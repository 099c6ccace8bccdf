"""Checkpoints by mail: the newest signed note, to people outside, every so many hours or entries.

A round of its own, so that a mail server that is slow or gone holds up nobody: nothing is committed with a mail, and a
mail is sent with no transaction open. What was sent is a fact, with its note; the next mail proves that the record only
grew since that one. What cannot be sent is tried again, later and later, up to `MOST_TRIES`, then with the next that is
due; the first failure is an entry, a line in the log and a mark in `health`, until one was sent again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol, TypeAlias

import structlog

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.record import RecordBroken, decode
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import EventFilter, Work

FIRST_AGAIN = timedelta(minutes=1)  # doubled with every try
LAST_AGAIN = timedelta(hours=1)
MOST_TRIES = 12
LONGEST_WHY = 200
_log = structlog.get_logger()


class NotSent(Exception):
    """A letter was not taken over by the mail server; the message says why, without a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFacts:
    """What a letter says: the note whole, and the proof that it extends the note of the last letter, if there was one.

    `before` is the size of the record in the last letter.
    """

    at: datetime
    origin: str
    size: int
    root: bytes
    note: str
    verifier_key: str
    before: int | None
    extension: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail without its addresses: plain text, and files beside it (name, content)."""

    at: datetime
    subject: str
    text: str
    files: tuple[tuple[str, bytes], ...]


Compose: TypeAlias = Callable[[CheckpointFacts], Letter]


class Post(Protocol):
    """Hands letters to a mail server, to the people it was set up for."""

    def deliver(self, letter: Letter, stop: Event) -> None:
        """Returns once the server has taken it over; gives up when `stop` is set. Raises `NotSent`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRhythm:
    """When a letter is due: after `every` so long with at least one more entry, or after so many `entries`."""

    every: timedelta = timedelta(hours=24)
    entries: int = 1_000_000
    look_every_s: float = 5.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """The last letter that was sent."""

    at: datetime
    size: int
    note: str


class CheckpointMail:
    """Sends when it is due. Used by one thread."""

    def __init__(self, office: Office, keeper: RecordKeeper, post: Post, compose: Compose, rhythm: MailRhythm) -> None:
        self._office = office
        self._keeper = keeper
        self._post = post
        self._compose = compose
        self._rhythm = rhythm
        self._tries = 0
        self._not_before: datetime | None = None

    def run(self, stop: Event) -> None:
        """Look until told to stop."""
        while not stop.wait(self._rhythm.look_every_s):
            self.look(stop)

    def look(self, stop: Event) -> bool:
        """Send where that is due; True where something was sent."""
        now = self._office.clock()
        with self._office.store.view() as tx:
            last, size = _last(tx), tx.ledger.size()
        if not self._is_due(now, size, last):
            return False
        try:
            self.send(stop)
        except NotSent as failed:
            self._failed(now, str(failed))
            return False
        except RecordBroken as found:  # the record's own sweep raises the alarm
            self._failed(now, found.why.value)
            return False
        self._tries, self._not_before = 0, None
        return True

    def send(self, stop: Event) -> int:
        """Send the newest note now; the size of its record. Raises `NotSent`, `RecordBroken`."""
        with self._office.store.view() as tx:
            last = _last(tx)
        note = self._keeper.checkpoint()
        signed = self._keeper.opened(note)
        extends = last is not None and last.size < signed.size
        facts = CheckpointFacts(
            at=self._office.clock(),
            origin=self._keeper.origin,
            size=signed.size,
            root=signed.root,
            note=note,
            verifier_key=self._keeper.verifier_key,
            before=last.size if last is not None and extends else None,
            extension=self._keeper.extension(last.note, note) if last is not None and extends else None,
        )
        self._post.deliver(self._compose(facts), stop)
        with self._office.store.begin() as tx:
            data: dict[str, str | int | bool | None] = {"size": signed.size, "root": signed.root.hex(), "note": note}
            tx.record(Fact.CHECKPOINT_MAILED, at=self._office.clock(), actor=SYSTEM, data=data)
            tx.commit()
        return signed.size

    def _is_due(self, now: datetime, size: int, last: _Sent | None) -> bool:
        if self._not_before is not None and now < self._not_before:
            return False
        if last is None:
            return size > 0
        grown = size - last.size
        return grown >= self._rhythm.entries or (grown > 1 and now - last.at >= self._rhythm.every)

    def _failed(self, now: datetime, why: str) -> None:
        """Later again; an entry for the first time, not for each."""
        self._tries += 1
        said = re.sub(r"[^\x20-\x7e]+", " ", why)[:LONGEST_WHY]
        again = min(FIRST_AGAIN * 2 ** (self._tries - 1), LAST_AGAIN)
        if self._tries >= MOST_TRIES:
            self._tries, again = 0, self._rhythm.every
        self._not_before = now + again
        _log.warning("checkpoint_not_mailed", why=said, again_s=int(again.total_seconds()))
        with self._office.store.view() as tx:
            known = is_failing(tx)
        if known:
            return
        with self._office.store.begin() as tx:
            tx.record(Fact.CHECKPOINT_NOT_MAILED, at=now, actor=SYSTEM, data={"why": said})
            tx.commit()


def is_failing(tx: Work) -> bool:
    """Whether the last that is known of letters is that one was not sent."""
    which = EventFilter(events=(Fact.CHECKPOINT_MAILED.value, Fact.CHECKPOINT_NOT_MAILED.value))
    return any(row.event == Fact.CHECKPOINT_NOT_MAILED for row in tx.events.rows(which, limit=1, newest=True))


def _last(tx: Work) -> _Sent | None:
    """The last letter that was sent, as the record has it."""
    for row in tx.events.rows(EventFilter(events=(Fact.CHECKPOINT_MAILED.value,)), limit=1, newest=True):
        said = decode(next(tx.ledger.entries(row.index, row.index + 1))[1]).get("data")
        if isinstance(said, dict) and isinstance(size := said.get("size"), int):
            return _Sent(row.at, size, str(said.get("note")))
    return None
