"""Rows of the record as the database's driver gives them: entries, tiles and openings, past SQLAlchemy.

Ten million of them pass in one export or one check, and making better rows of them would cost as much as hashing
them. Whoever has a transaction of SQLAlchemy's reads through it (`record_store.rows_in`); the processes of `readers`
have a driver's connection alone and never load SQLAlchemy, which would take longer than many of them work.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from accessctl.record.commitment import Opening
from accessctl.record.tiles import HEIGHT, WIDTH, StoredTree, split
from accessctl.services.ledger_rows import Places, Stored

Read: TypeAlias = Callable[
    [str, tuple[object, ...]], list[tuple[Any, ...]]
]  # a statement and its values to all its rows
Errors: TypeAlias = tuple[type[Exception], ...]

_MARKS = {"sqlite": "?", "postgresql": "%s"}
_OPENS = {"sqlite": "CAST(salt AS BLOB), CAST(value AS TEXT)", "postgresql": "salt, value"}
_AMONG = {"sqlite": "IN (SELECT value FROM json_each(?))", "postgresql": "= ANY(%s)"}


def _statements(dialect: str) -> dict[str, str]:
    """The few statements that there are. No value stands in them."""
    mark, among = _MARKS[dialect], _AMONG[dialect]
    return {
        "entries": f"SELECT idx, bytes, leaf FROM entry WHERE idx BETWEEN {mark} AND {mark} ORDER BY idx",  # noqa: S608
        "scattered": f"SELECT idx, bytes, leaf FROM entry WHERE idx {among} ORDER BY idx",  # noqa: S608
        "openings": f"SELECT commitment, {_OPENS[dialect]} FROM opening WHERE commitment {among}",  # noqa: S608
        "tiles": f"SELECT hashes, root FROM tile WHERE level = 0 AND idx BETWEEN {mark} AND {mark} ORDER BY idx",  # noqa: S608
        "tile": f"SELECT hashes FROM tile WHERE level = {mark} AND idx = {mark}",  # noqa: S608
        "leaves": f"SELECT leaf FROM entry WHERE idx BETWEEN {mark} AND {mark} ORDER BY idx",  # noqa: S608
        "roots": f"SELECT root FROM tile WHERE level = {mark} AND idx BETWEEN {mark} AND {mark} ORDER BY idx",  # noqa: S608
    }


_STATEMENTS = {dialect: _statements(dialect) for dialect in _MARKS}


class RecordRows:
    """Reads through one connection (see `accessctl.services.ledger_rows.LedgerRows`).

    `errors` are what its driver raises where the database is not well.
    """

    def __init__(self, read: Read, dialect: str, *, errors: Errors) -> None:
        self._read = read
        self._array: Callable[[Sequence[object]], object] = json.dumps if dialect == "sqlite" else list
        self._say = _STATEMENTS[dialect]
        self.errors = errors

    def lines(self, places: Places) -> list[Stored]:
        """The entries at these indexes, which rise, as far as there are any."""
        if isinstance(places, range):
            return self._read(self._say["entries"], (places.start, places.stop - 1))
        return self._read(self._say["scattered"], (self._array(places),))

    def openings(self, commitments: Iterable[str]) -> dict[str, Opening]:
        """What still opens these commitments; the erased ones are missing."""
        wanted = list(dict.fromkeys(commitments))
        found = self._read(self._say["openings"], (self._array(wanted),)) if wanted else []
        return {row[0]: Opening(commitment=row[0], salt=bytes(row[1]), value=row[2]) for row in found}

    def tree(self, size: int) -> StoredTree:
        """The tree of the first `size` entries, for several proofs at once: what it reads it keeps."""
        return StoredTree(size, self)

    def tiles(self, first: int, last: int) -> list[tuple[bytes, bytes]]:
        """Hashes and root of the stored tiles of leaves `first` to `last`, as far as there are any."""
        return [(hashes, root) for hashes, root in self._read(self._say["tiles"], (first, last))]

    def hashes(self, level: int, start: int, count: int) -> Sequence[bytes]:
        """The stored tree, as `StoredTree` and `Edge` read it (see `accessctl.record.TileReader`)."""
        last = start + count - 1
        if count == WIDTH:
            found = [
                each for (joined,) in self._read(self._say["tile"], (level, start // WIDTH)) for each in split(joined)
            ]
        elif level == 0:
            found = [leaf for (leaf,) in self._read(self._say["leaves"], (start, last))]
        else:
            found = [root for (root,) in self._read(self._say["roots"], (level - 1, start, last))]
        if len(found) != count:
            raise LookupError(f"the record lacks hashes {start} to {last} of level {level * HEIGHT}")
        return found
