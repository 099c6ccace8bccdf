"""The one way into the record: what a unit of work has to say, appended together with its projection.

What a desk records waits until the commit (so that an entry never speaks of a change that was not made). Events of
devices are appended at once, each identity once. An entry, its row of `event`, what opens its commitments and whose
that is are written in one transaction, or not at all.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from accessctl.record.commitment import SALT_BYTES, Opening, seal
from accessctl.services.store import DeviceEvent
from accessctl.storage.bulk import insert_rows
from accessctl.storage.columns import microseconds
from accessctl.storage.entries import ROW, Fields, Written, of_device, plain_text, written
from accessctl.storage.mapper import is_storable
from accessctl.storage.openings import NAME, Subject, keep_subjects, known_names
from accessctl.storage.plain import as_text, codec_of
from accessctl.storage.record_store import RecordAppender
from accessctl.storage.seeking import BLOCK
from accessctl.storage.transaction import Transaction

Entropy = Callable[[int], bytes]
BATCH = 5000  # device events that are looked up and appended together
LONGEST_IDENTITY = 300

_SEEN = {
    "sqlite": text("SELECT identity FROM event WHERE identity IN (SELECT value FROM json_each(:identities))"),
    "postgresql": text("SELECT identity FROM event WHERE identity = ANY(:identities)"),
}
_COLUMNS = ("idx", "at", "received_at", *ROW)
_BLOCKS = {
    dialect: f"INSERT INTO event_block (block, first_at, last_at) VALUES ({mark}, {mark}, {mark}) "  # noqa: S608  # ours
    f"ON CONFLICT (block) DO UPDATE SET first_at = {least}(event_block.first_at, excluded.first_at), "
    f"last_at = {greatest}(event_block.last_at, excluded.last_at)"
    for dialect, mark, least, greatest in (("sqlite", "?", "min", "max"), ("postgresql", "%s", "least", "greatest"))
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
        written(fields, None)
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
        made: list[Written] = []
        for fields in batch:
            marks = self._sealed(fields, openings, subjects) if fields.personal else None
            made.append(written(fields, names.get(fields.person), marks))
        indexes = self._appender.append_bytes(self._connection, [one.data for one in made], openings)
        keep_subjects(self._connection, subjects)
        self._project(indexes, made)
        self.appended = True
        return indexes

    def _project(self, indexes: list[int], made: list[Written]) -> None:
        """Write the rows of `event`, past SQLAlchemy's conversions: this is the hot path of the intake."""
        stamp = microseconds if self._connection.dialect.name == "sqlite" else _as_it_is
        rows = [
            (index, stamp(one.at), stamp(one.received_at), *one.values)
            for index, one in zip(indexes, made, strict=True)
        ]
        insert_rows(self._connection, "event", _COLUMNS, rows)
        blocks = _BLOCKS[self._connection.dialect.name]
        self._connection.exec_driver_sql(blocks, _blocks(indexes, [row[1] for row in rows]))

    def store(self, events: Sequence[DeviceEvent]) -> list[int]:
        """Append those whose identity is new; the indexes."""
        self.flush()
        indexes: list[int] = []
        for start in range(0, len(events), BATCH):
            batch = {one.identity: one for one in reversed(events[start : start + BATCH])}  # of two, the first stays
            if not all(identity and is_storable(identity, longest=LONGEST_IDENTITY) for identity in batch):
                raise ValueError(f"the identity of a device event has 1 to {LONGEST_IDENTITY} characters")
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


def _blocks(indexes: Sequence[int], times: Sequence[Any]) -> list[tuple[int, Any, Any]]:
    """Between which times the entries of each block lie; the indexes are one run."""
    found = []
    start = 0
    while start < len(indexes):
        block = indexes[start] // BLOCK
        end = start + min(len(indexes) - start, (block + 1) * BLOCK - indexes[start])
        found.append((block, min(times[start:end]), max(times[start:end])))
        start = end
    return found


def _as_it_is(at: datetime) -> datetime:
    return at
