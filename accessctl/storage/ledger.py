"""The record beneath its projection, for whoever signs, proves and exports it (see `accessctl.services.store.Ledger`).

The projection says which entries a filter means; what is read here of them is what was hashed: the canonical bytes and
the leaf, never a column of the projection.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, type_coerce
from sqlalchemy.types import NULLTYPE

from accessctl.record import Checkpoint, Opening, StoredTree, Verifier
from accessctl.services.store import EventFilter, KeptCheckpoint, LedgerLine, RecordFound
from accessctl.storage.events import conditions
from accessctl.storage.openings import erase_subject
from accessctl.storage.record_check import check_record
from accessctl.storage.record_store import RecordReader, keep_checkpoint
from accessctl.storage.record_tables import entry, opening
from accessctl.storage.tables import event
from accessctl.storage.tile_check import sound_spans
from accessctl.storage.transaction import Transaction

PAGE = 1000

# As the drivers give it: they know bytes, and a conversion would stumble over text that somebody wrote there.
_LINES: Select[Any] = (
    select(
        entry.c.idx,
        type_coerce(entry.c.bytes, NULLTYPE),
        type_coerce(entry.c.leaf, NULLTYPE),
        type_coerce(opening.c.salt, NULLTYPE),
        opening.c.value,
    )
    .join(event, event.c.idx == entry.c.idx)
    .outerjoin(opening, opening.c.commitment == event.c.name)
    .order_by(event.c.idx)
)


class SqlLedger:
    """The record as the transaction sees it. Only a checkpoint can be written; entries come in through the journal."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._reader = RecordReader(transaction.connection)

    def size(self) -> int:
        """How many entries there are."""
        return self._reader.size()

    def tree(self, size: int) -> StoredTree:
        """The tree of the first `size` entries."""
        return self._reader.tree(size)

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
        """Index, canonical bytes and leaf hash, a page at a time."""
        for stored in self._reader.entries(start, stop):
            yield stored.index, stored.data, stored.leaf

    def lines(self, which: EventFilter) -> Iterator[list[LedgerLine]]:
        """What the filter finds, a page at a time."""
        query = _LINES.where(*conditions(which))
        with self._connection.execution_options(yield_per=PAGE).execute(query) as result:
            for page in result.partitions():
                yield [LedgerLine._make(row) for row in page]

    def openings(self, commitments: Iterable[str]) -> dict[str, Opening]:
        """What still opens these commitments."""
        return self._reader.openings(commitments)

    def checkpoint(self) -> KeptCheckpoint | None:
        """The newest one kept."""
        kept = self._reader.checkpoint()
        return None if kept is None else KeptCheckpoint(size=kept.size, root=kept.root, note=kept.note)

    def keep_checkpoint(self, signed: Checkpoint, note: str, at: datetime) -> None:
        """Keep a signed checkpoint: an observation of the record, so it needs no fact of its own."""
        self._transaction.touch(operational=True)
        keep_checkpoint(self._connection, signed, note, at)

    def erase_openings(self, subjects: Sequence[str]) -> int:
        """Forget what opens the commitments about these; SQLite overwrites it, and what this unit of work changes."""
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql("PRAGMA secure_delete=ON")
        self._transaction.touch(operational=False)
        return sum(erase_subject(self._connection, subject) for subject in subjects)

    def check(self, *, trusted: Sequence[Verifier], held: Sequence[Checkpoint]) -> RecordFound:
        """Read all of it. Raises `RecordBroken`."""
        with sound_spans(self._connection.engine, self.size()) as sound:
            found = check_record(self._connection, trusted=trusted, held=held, sound=sound)
        return RecordFound(size=found.size, root=found.root, checkpoints=found.checkpoints, held=found.held)
