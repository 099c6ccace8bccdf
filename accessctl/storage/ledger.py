"""The record beneath its projection, for whoever signs, proves and exports it (see `accessctl.services.store.Ledger`).

The projection says which entries a filter means; what is read here of them is what was hashed: the canonical bytes and
the leaf, never a column of the projection.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select

from accessctl.record import Checkpoint, Opening, StoredTree, Verifier
from accessctl.services.ledger_rows import Places, Stored
from accessctl.services.store import EventFilter, KeptCheckpoint, RecordFound
from accessctl.storage.engine import driver_address
from accessctl.storage.events import conditions
from accessctl.storage.openings import erase_subject
from accessctl.storage.record_check import check_record
from accessctl.storage.record_store import RecordReader, keep_checkpoint, rows_in
from accessctl.storage.tables import event
from accessctl.storage.tile_check import sound_for
from accessctl.storage.transaction import Transaction

PAGE = 2000


class SqlLedger:
    """The record as the transaction sees it. Only a checkpoint can be written; entries come in through the journal."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._reader = RecordReader(transaction.connection)
        self._rows = rows_in(transaction.connection)

    def size(self) -> int:
        """How many entries there are."""
        return self._reader.size()

    def tree(self, size: int) -> StoredTree:
        """The tree of the first `size` entries."""
        return self._rows.tree(size)

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
        """Index, canonical bytes and leaf hash, a page at a time."""
        for stored in self._reader.entries(start, stop):
            yield stored.index, stored.data, stored.leaf

    def places(self, which: EventFilter) -> Iterator[list[int]]:
        """The indexes of what the filter finds, a page at a time."""
        query = select(event.c.idx).where(*conditions(which)).order_by(event.c.idx)
        with self._connection.execute(
            query, execution_options={"yield_per": PAGE}
        ) as result:  # of this statement alone
            for page in result.scalars().partitions():
                yield list(page)

    def lines(self, places: Places) -> list[Stored]:
        """As the driver gives it, past SQLAlchemy: a conversion would stumble over text that somebody wrote there."""
        return self._rows.lines(places)

    def openings(self, commitments: Iterable[str]) -> dict[str, Opening]:
        """What still opens these commitments."""
        return self._rows.openings(commitments)

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
        sound = sound_for(self.size(), self._rows, driver_address(self._connection.engine.url))
        found = check_record(self._connection, trusted=trusted, held=held, sound=sound)
        return RecordFound(size=found.size, root=found.root, checkpoints=found.checkpoints, held=found.held)
