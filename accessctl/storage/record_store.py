"""The record in the database: appending to it, and reading roots and proofs from it.

One `RecordAppender` serves a process. Its `append` works inside the caller's write transaction: the entries are
there after the commit or not at all, and with them whatever else the caller wrote. The record never forks: in
SQLite the transaction began with BEGIN IMMEDIATE, in PostgreSQL `append` takes an advisory lock until the end of
the transaction, and in both the index is the primary key. The appender remembers the right edge of the tree;
whenever the stored tip is not the one it left, because another process appended or the transaction was rolled back,
it reads the edge again (three short queries).

`RecordReader` sees the record as its connection's transaction sees it. Row by row checking is in `record_check`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, event, insert, select, text

from accessctl.record import Checkpoint, Edge, Opening, StoredTree, encode
from accessctl.record.merkle import leaf_hashes
from accessctl.record.tiles import WIDTH
from accessctl.storage.bulk import insert_rows
from accessctl.storage.record_rows import RecordRows
from accessctl.storage.record_tables import checkpoint, entry, opening

RECORD_LOCK = 0x7265636F7264  # "record": PostgreSQL's advisory lock of whoever appends, after the writer's own
MAX_LOOKUP = 500  # parameters of one query
_PAGE = 4096  # rows fetched at a time when streaming
_ENTRY = ("idx", "bytes", "leaf")
_TILE = ("level", "idx", "root", "hashes")


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row of the record: its index, its canonical bytes, and the leaf hash that was stored with them."""

    index: int
    data: bytes = field(repr=False)
    leaf: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed note that was kept, with the size that it signs and when that was.

    `leaves` are the joined leaf hashes of the entries since the checkpoint before it, as far as no full tile holds
    them.
    """

    size: int
    root: bytes
    note: str
    at: str
    leaves: bytes = field(repr=False)


class RecordAppender:
    """Appends to the record; keep one for each process, used by one thread at a time."""

    def __init__(self) -> None:
        self._edge: Edge | None = None
        self._tip: tuple[int, bytes] | None = None  # index and leaf of the last entry that this appender wrote

    def append(
        self, connection: Connection, entries: Sequence[Mapping[str, object]], openings: Iterable[Opening] = ()
    ) -> list[int]:
        """Write entries (and what opens their commitments) at the end of the record; their indexes.

        `NotCanonical` is raised before anything is written. After any other error the transaction must be rolled back.
        """
        return self.append_bytes(connection, [encode(each) for each in entries], openings)

    def append_bytes(
        self, connection: Connection, data: Sequence[bytes], openings: Iterable[Opening] = ()
    ) -> list[int]:
        """The same for entries that were encoded already."""
        if not data:
            return []
        edge = self._current_edge(connection)
        self._edge = self._tip = None  # until all is written, nothing is known
        first = edge.size
        leaves = leaf_hashes(data)
        indexes = list(range(first, first + len(data)))
        insert_rows(connection, "entry", _ENTRY, list(zip(indexes, data, leaves, strict=True)))
        tiles = [(each.level, each.index, each.root, each.hashes) for each in edge.extend(leaves)]
        insert_rows(connection, "tile", _TILE, tiles)
        kept = [{"commitment": o.commitment, "salt": o.salt, "value": o.value} for o in openings]
        if kept:
            connection.execute(insert(opening), kept)
        if not event.contains(connection, "rollback", self._forget):
            event.listen(connection, "rollback", self._forget)
        self._edge, self._tip = edge, (indexes[-1], leaves[-1])
        return indexes

    def _current_edge(self, connection: Connection) -> Edge:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": RECORD_LOCK})
        row = connection.exec_driver_sql("SELECT idx, leaf FROM entry ORDER BY idx DESC LIMIT 1").one_or_none()
        if self._edge is not None and row is not None and tuple(row) == self._tip:
            return self._edge
        return Edge.load(0 if row is None else row[0] + 1, rows_in(connection))

    def _forget(self, connection: Connection) -> None:
        del connection
        self._edge = self._tip = None


def rows_in(connection: Connection) -> RecordRows:
    """The rows that this connection's transaction sees, asked of its driver: a third of a proof's time was SQLAlchemy's
    bookkeeping of its six statements.
    """

    def read(statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if not connection.in_transaction():
            connection.begin()  # which the driver alone would not do as the engine wants it
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    return RecordRows(read, connection.dialect.name, errors=(connection.dialect.loaded_dbapi.Error,))


class RecordReader:
    """Reads the record through one connection, whose transaction decides how much of it is seen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows = rows_in(connection)
        self._known: StoredTree | None = None

    def size(self) -> int:
        return self._rows.size()

    def root(self, size: int | None = None) -> bytes:
        return self._tree().root(size)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        return self._tree().inclusion(index, size)

    def consistency(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        return self._tree().consistency(old_size, new_size)

    def _tree(self) -> StoredTree:
        """One tree for all proofs of this reader, until its transaction itself appends."""
        size = self.size()
        if self._known is None or self._known.size != size:
            self._known = self._rows.tree(size)
        return self._known

    def entry(self, index: int) -> StoredEntry | None:
        return next(self.entries(index, index + 1), None)

    def entries(self, start: int, stop: int) -> Iterator[StoredEntry]:
        """Entries `start` to `stop - 1` in order, as far as there are any, a page at a time in flat memory."""
        while start < stop:
            query = (
                select(entry.c.idx, entry.c.bytes, entry.c.leaf)
                .where(entry.c.idx >= start, entry.c.idx < stop)
                .order_by(entry.c.idx)
                .limit(_PAGE)
            )
            rows = self._connection.execute(query).all()
            for row in rows:
                yield StoredEntry(row.idx, bytes(row.bytes), bytes(row.leaf))
            if len(rows) < _PAGE:
                return
            start = rows[-1].idx + 1

    def openings(self, commitments: Iterable[str]) -> dict[str, Opening]:
        """What still opens these commitments; the erased ones are missing."""
        return self._rows.openings(commitments)

    def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        """The checkpoint that signs exactly `size` entries, or the newest one."""
        query = select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)
        if size is not None:
            query = query.where(checkpoint.c.size == size)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _stored(row)

    def checkpoints(self, after: int = -1) -> Iterator[StoredCheckpoint]:
        """The checkpoints of more than `after` entries, the oldest first, a page at a time."""
        while True:
            query = select(checkpoint).where(checkpoint.c.size > after).order_by(checkpoint.c.size).limit(MAX_LOOKUP)
            rows = self._connection.execute(query).all()
            for row in rows:
                yield _stored(row)
            if len(rows) < MAX_LOOKUP:
                return
            after = rows[-1].size


def _stored(row: Row[Any]) -> StoredCheckpoint:
    return StoredCheckpoint(row.size, bytes(row.root), row.note, row.at, bytes(row.leaves))


def keep_checkpoint(connection: Connection, signed: Checkpoint, note: str, at: datetime) -> None:
    """Keep a signed checkpoint; `at` has its time zone. Each is of more entries than the one before: `ValueError`."""
    newest = RecordReader(connection).checkpoint()
    if newest is not None and newest.size >= signed.size:
        raise ValueError(f"a checkpoint of {newest.size} entries is kept already: the next one is of more")
    start = max(0 if newest is None else newest.size, signed.size - signed.size % WIDTH)
    leaves = b"".join(rows_in(connection).hashes(0, start, signed.size - start)) if start < signed.size else b""
    stamp = at.astimezone(UTC).isoformat()
    connection.execute(
        insert(checkpoint).values(size=signed.size, root=signed.root, note=note, at=stamp, leaves=leaves)
    )


def erase_openings(connection: Connection, commitments: Iterable[str]) -> int:
    """Forget what opens these commitments; how many were there. Recording that is the caller's business."""
    wanted = list(dict.fromkeys(commitments))
    erased = 0
    for at in range(0, len(wanted), MAX_LOOKUP):
        erased += connection.execute(
            delete(opening).where(opening.c.commitment.in_(wanted[at : at + MAX_LOOKUP]))
        ).rowcount
    return erased
