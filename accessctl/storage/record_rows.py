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

Values: TypeAlias = tuple[object, ...]
Read: TypeAlias = Callable[[str, Values], list[tuple[Any, ...]]]  # from a statement and its values to all its rows
Errors: TypeAlias = tuple[type[Exception], ...]

_MARKS = {"sqlite": "?", "postgresql": "%s"}
_OPENS = {"sqlite": "CAST(salt AS BLOB), CAST(value AS TEXT)", "postgresql": "salt, value"}
_AMONG = {"sqlite": "IN (SELECT value FROM json_each(?))", "postgresql": "= ANY(%s)"}


def _statements(dialect: str) -> dict[str, str]:
    """The few statements that there are, in the dialect's spelling; values go beside them, never into them."""
    mark, among = _MARKS[dialect], _AMONG[dialect]
    said = {
        "last": "SELECT max(idx) FROM entry",
        "entries": "SELECT idx, bytes, leaf FROM entry WHERE idx BETWEEN ? AND ? ORDER BY idx",
        "scattered": "SELECT idx, bytes, leaf FROM entry WHERE idx AMONG ORDER BY idx",
        "openings": "SELECT commitment, OPENS FROM opening WHERE commitment AMONG",
        "tiles": "SELECT hashes, root FROM tile WHERE level = 0 AND idx BETWEEN ? AND ? ORDER BY idx",
        "tile": "SELECT hashes FROM tile WHERE level = ? AND idx = ?",
        "leaves": "SELECT leaf FROM entry WHERE idx BETWEEN ? AND ? ORDER BY idx",
        "roots": "SELECT root FROM tile WHERE level = ? AND idx BETWEEN ? AND ? ORDER BY idx",
    }
    return {
        name: text.replace("?", mark).replace("AMONG", among).replace("OPENS", _OPENS[dialect])
        for name, text in said.items()
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

    def size(self) -> int:
        """How many entries there are, from the index of the last: whether all are there, a check says."""
        [(last,)] = self._read(self._say["last"], ())
        return 0 if last is None else int(last) + 1

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
