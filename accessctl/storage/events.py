"""The record as services see it: entries queued and appended with their transaction, and searched as a projection.

`Journal` is the one way in. What a desk records waits until the commit (so that an entry never speaks of a change that
was not made), then it is appended together with its row of `event`. Device events are appended at once, each identity
once. `SqlEvents` is the way out: bounded pages and a stream, both in the order of the record.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, insert, select, text

from accessctl.record.canonical import Json
from accessctl.record.commitment import SALT_BYTES, Opening, seal
from accessctl.services.store import DeviceEvent, EventFilter, EventRow
from accessctl.storage.entries import Fields, entry_and_row, of_device, plain_text
from accessctl.storage.mapper import is_storable
from accessctl.storage.openings import NAME, Subject, keep_subjects, known_names
from accessctl.storage.plain import as_text, codec_of
from accessctl.storage.record_store import RecordAppender, RecordReader
from accessctl.storage.record_tables import entry, opening
from accessctl.storage.tables import event
from accessctl.storage.transaction import Transaction

Entropy = Callable[[int], bytes]
LARGEST_ANSWER = 10_000
BATCH = 5000  # device events that are looked up and appended together
PAGE = 1000

_SEEN = {
    "sqlite": text("SELECT identity FROM event WHERE identity IN (SELECT value FROM json_each(:identities))"),
    "postgresql": text("SELECT identity FROM event WHERE identity = ANY(:identities)"),
}
_TEXT_LIST = as_text(codec_of(tuple[str, ...]))


class Journal:
    """What one unit of work puts into the record."""

    def __init__(self, transaction: Transaction, appender: RecordAppender, entropy: Entropy) -> None:
        self.appended = False
        self._transaction = transaction
        self._connection = transaction.connection
        self._appender = appender
        self._entropy = entropy
        self._queue: list[Fields] = []

    def queue(self, fields: Fields) -> None:
        """Append this by the commit. Raises `ValueError` at once for what could not be written then."""
        self._transaction.touch(operational=True)
        entry_and_row(fields, None)
        self._queue.append(fields)

    def flush(self) -> None:
        """Append what waits."""
        waiting, self._queue = self._queue, []
        self.append(waiting)

    def append(self, batch: Sequence[Fields]) -> list[int]:
        """Append entries with their projection, their openings and whose these are; the indexes."""
        if not batch:
            return []
        self._transaction.touch(operational=True)
        openings: list[Opening] = []
        subjects: list[Subject] = []
        names = self._names({fields.person for fields in batch if fields.person}, openings, subjects)
        entries: list[dict[str, Json]] = []
        rows: list[dict[str, object]] = []
        for fields in batch:
            marks = self._sealed(fields, openings, subjects) if fields.personal else None
            made, row = entry_and_row(fields, names.get(fields.person), marks)
            entries.append(made)
            rows.append(row)
        indexes = self._appender.append(self._connection, entries, openings)
        keep_subjects(self._connection, subjects)
        for index, row in zip(indexes, rows, strict=True):
            row["idx"] = index
        self._connection.execute(insert(event), rows)
        self.appended = True
        return indexes

    def store(self, events: Sequence[DeviceEvent]) -> list[int]:
        """Append those whose identity is new; the indexes."""
        self.flush()
        indexes: list[int] = []
        for start in range(0, len(events), BATCH):
            batch = {one.identity: one for one in reversed(events[start : start + BATCH])}  # of two, the first stays
            if not all(identity and is_storable(identity, longest=300) for identity in batch):
                raise ValueError("the identity of a device event has 1 to 300 characters")
            seen = self._seen(list(batch))
            indexes += self.append([of_device(one) for one in reversed(batch.values()) if one.identity not in seen])
        return indexes

    def _seen(self, identities: list[str]) -> set[str]:
        dialect = self._connection.dialect.name
        given: object = _TEXT_LIST.plain(identities) if dialect == "sqlite" else identities
        return set(self._connection.execute(_SEEN[dialect], {"identities": given}).scalars())

    def _names(self, persons: set[str], openings: list[Opening], subjects: list[Subject]) -> dict[str, str]:
        """Commitments (hex) to the names of those who are on file, by their id."""
        names: dict[str, str] = {}
        for person, known in known_names(self._connection, persons).items() if persons else ():
            name = plain_text(known.full_name)
            if not name:
                continue
            commitment = known.commitments.get(name)
            names[person] = commitment or self._seal(name, person, NAME, openings, subjects)
        return names

    def _sealed(self, fields: Fields, openings: list[Opening], subjects: list[Subject]) -> dict[str, str]:
        subject = fields.person or fields.case
        details: Mapping[str, str] = fields.personal or {}
        return {
            plain_text(key): self._seal(plain_text(value), subject, plain_text(key), openings, subjects)
            for key, value in details.items()
        }

    def _seal(self, value: str, subject: str, detail: str, openings: list[Opening], subjects: list[Subject]) -> str:
        made = seal(self._entropy(SALT_BYTES), value)
        openings.append(made)
        subjects.append(Subject(commitment=made.commitment, subject=subject, detail=detail))
        return made.commitment


_SHOWN: Select[Any] = (
    select(
        event.c.idx, event.c.at, event.c.received_at, event.c.event, event.c.device, event.c.door, event.c.zone,
        event.c.direction, event.c.reason, event.c.norm, event.c.person, opening.c.value, event.c.credential,
        event.c.visit, event.c.device_time, event.c.skew_s, event.c.actor, event.c.case, entry.c.leaf,
    )
    .join(entry, entry.c.idx == event.c.idx)
    .outerjoin(opening, opening.c.commitment == event.c.name)
)  # fmt: skip


class SqlEvents:
    """The record, searched (see `accessctl.services.store.Events`)."""

    def __init__(self, transaction: Transaction, journal: Journal) -> None:
        self._connection = transaction.connection
        self._journal = journal

    def store(self, events: Sequence[DeviceEvent]) -> list[int]:
        """Append those whose identity is new, once each; their indexes. A fact: nothing else need be recorded."""
        return self._journal.store(events)

    def rows(self, which: EventFilter, *, limit: int = 200, newest: bool = False) -> list[EventRow]:
        """Entries in the order of the record; `newest` takes the last ones, newest first."""
        if not 0 <= limit <= LARGEST_ANSWER:
            raise ValueError(f"an answer of {limit} entries: at most {LARGEST_ANSWER}")
        query = _SHOWN.where(*conditions(which)).order_by(event.c.idx.desc() if newest else event.c.idx).limit(limit)
        return [_shown(row) for row in self._connection.execute(query)]

    def stream(self, which: EventFilter) -> Iterator[tuple[EventRow, bytes]]:
        """Oldest first, each with its canonical bytes; flat memory. The unit of work must stay open meanwhile."""
        query: Select[Any] = _SHOWN.add_columns(entry.c.bytes).where(*conditions(which)).order_by(event.c.idx)
        with self._connection.execution_options(yield_per=PAGE).execute(query) as result:
            for row in result:
                yield _shown(row), bytes(row[-1])

    def size(self) -> int:
        """How many entries the record has."""
        return RecordReader(self._connection).size()


def _shown(row: Sequence[Any]) -> EventRow:
    return EventRow(
        index=row[0],
        at=row[1],
        received_at=row[2],
        event=row[3],
        device=row[4] or "",
        door=row[5] or "",
        zone=row[6] or "",
        direction=row[7] or "",
        reason=row[8] or "",
        norm=row[9] or "",
        person=row[10] or "",
        person_name=row[11] or "",
        credential=row[12] or "",
        visit=row[13] or "",
        device_time=row[14] or "",
        skew_s=row[15],
        actor=row[16] or "",
        case=row[17] or "",
        leaf=bytes(row[18]),
    )


def conditions(which: EventFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on the projection."""
    found: list[ColumnElement[bool]] = []
    if which.since is not None:
        found.append(event.c.at >= which.since)
    if which.until is not None:
        found.append(event.c.at < which.until)
    if which.after_index is not None:
        found.append(event.c.idx > which.after_index)
    if which.before_index is not None:
        found.append(event.c.idx < which.before_index)
    if which.doors:
        found.append(event.c.door.in_([plain_text(door) for door in which.doors]))
    if which.events:
        found.append(event.c.event.in_([plain_text(name) for name in which.events]))
    wanted = {name: getattr(which, name) for name in ("person", "device", "credential", "case")}
    found += [event.c[name] == plain_text(value) for name, value in wanted.items() if value]
    if which.device_events_only:
        found.append(event.c.identity.is_not(None))
    return found
