"""Checking the stored record against itself and against signed checkpoints: which entry is the first bad one?

Every entry's bytes must hash to its leaf, the indexes must run from 0 without a gap, the leaves must be those of
the full tiles (or, for the youngest, of the checkpoints), the tiles must hash up to each other, and the tree must
have had the signed root at the size of every checkpoint, the kept ones and those that an auditor brings. What each
kind of tampering ends in:

* an entry's bytes edited, swapped or replaced: `ENTRY_CHANGED`, that index;
* bytes and leaf rewritten together: `TILE_CHANGED`, that index;
* an entry deleted, or its index moved: `ORDER`, the missing index;
* the tail cut: `TRUNCATED` by the tiles left over, or `NOT_AN_EXTENSION` by a checkpoint, the first index that is
  missing;
* everything rewritten by somebody without the key: `WRONG_ROOT` of a kept checkpoint, or `NOT_AN_EXTENSION` for one
  held outside, with the range between the last checkpoint that still holds and the first that does not.

One pass in flat memory; about one read and two hashes for each entry. Full tiles that are in order are taken as a whole
(`tile_check`, perhaps by other processes); row by row go the tiles in which a checkpoint lies, the last one, and
those where something is wrong.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, cast, func, literal, select

from accessctl.record import Checkpoint, Edge, RecordBroken, Tile, Verifier, Why, open_checkpoint
from accessctl.record.merkle import HASH_BYTES, leaf_hashes
from accessctl.record.tiles import HEIGHT, WIDTH
from accessctl.storage.record_store import MAX_LOOKUP, rows_in
from accessctl.storage.record_tables import checkpoint, tile
from accessctl.storage.tile_check import Roots, Sound, here, spans

_PAGE = 16 * WIDTH  # entries at a time
_ROWS = {  # SQLite keeps any kind of value in any column: what is no bytes is read as if it were, and will not hash
    "sqlite": "SELECT idx, coalesce(CAST(bytes AS BLOB), x''), coalesce(CAST(leaf AS BLOB), x'') FROM entry "
    "WHERE idx >= ? ORDER BY idx LIMIT ?",
    "postgresql": "SELECT idx, bytes, leaf FROM entry WHERE idx >= %s ORDER BY idx LIMIT %s",
}
_TILES = {
    "sqlite": "SELECT idx, coalesce(CAST(hashes AS BLOB), x''), coalesce(CAST(root AS BLOB), x'') FROM tile "
    "WHERE level = ? AND idx BETWEEN ? AND ?",
    "postgresql": "SELECT idx, hashes, root FROM tile WHERE level = %s AND idx BETWEEN %s AND %s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRecord:
    """What was found in order: so many entries with this root, under so many checkpoints."""

    size: int
    root: bytes
    checkpoints: int
    held: int


@dataclass(frozen=True, slots=True)
class _Milestone:
    """A size at which the root is known: from a checkpoint that is kept here, or from one that was held outside."""

    size: int
    root: bytes
    leaves: bytes
    held: bool


def check_record(
    connection: Connection,
    *,
    trusted: Sequence[Verifier] = (),
    held: Sequence[Checkpoint] = (),
    sound: Sound | None = None,
) -> CheckedRecord:
    """Check all of it. With `trusted` keys the signatures of the kept checkpoints are checked too. Raises
    `RecordBroken`. `sound` says which spans of tiles are in order; without it they are looked at in this process.
    """
    check = _Check(connection, _milestones(connection, trusted, held))
    rows = rows_in(connection)
    tiles = rows.size() // WIDTH
    try:
        with closing((sound or here(rows))(spans(tiles))) as answers:
            for span in spans(tiles):
                check.take_span(span, next(answers, None))
        check.take_rows()
        check.finish()
    except RecordBroken as found:
        raise check.nearer(found) from None
    if check.suspect is not None:
        raise check.suspect
    return CheckedRecord(size=check.edge.size, root=check.edge.root(), checkpoints=check.kept, held=len(held))


class _Check:
    """One pass. A root that differs only says that some entry of a range is bad, so the pass goes on to see whether a
    tile or a checkpoint further on names it.
    """

    def __init__(self, connection: Connection, milestones: Iterator[_Milestone]) -> None:
        self.edge = Edge()
        self.kept = 0
        self.suspect: RecordBroken | None = None
        self._connection = connection
        self._milestones = milestones
        self._coming = next(milestones, None)
        self._good = 0
        self._page: tuple[list[bytes], int] = [], 0

    def take_span(self, span: range, roots: Roots | None) -> None:
        """The next tiles, which are in order and have these roots; None where something may be wrong with them."""
        begin, end = span.start * WIDTH, span.stop * WIDTH
        while roots and self.edge.size < end:
            coming = self._coming
            upto = end if coming is None else min(end, coming.size)
            first, beyond = ((size - begin) // WIDTH for size in (self.edge.size, upto))
            _compare_tiles(self._connection, self.edge.extend_tiles(roots[first:beyond]))
            self._page = [], self.edge.size
            if coming is not None and coming.size == self.edge.size:
                self._reach(coming)
            elif self.edge.size < end:  # a checkpoint lies in the next tile
                self.take_rows(self.edge.size + WIDTH)
        self.take_rows(end)

    def take_rows(self, stop: int | None = None) -> None:
        """The next entries, row by row: those before `stop`, or all."""
        for leaves, end in _pages(self._connection, self.edge.size, stop):
            self._take(leaves, end)

    def _take(self, leaves: list[bytes], end: int) -> None:
        """The leaves of the next entries, up to index `end`."""
        self._page = leaves, end
        rest = leaves
        while True:
            coming = self._coming
            upto = len(rest) if coming is None else min(len(rest), coming.size - self.edge.size)
            _compare_tiles(self._connection, self.edge.extend(rest[:upto]))
            rest = rest[upto:]
            if coming is None or coming.size > self.edge.size:
                return
            self._reach(coming)

    def finish(self) -> None:
        """After the last entry: there may be no checkpoint and no tile of more than there is."""
        _compare_unfinished_tile(self._connection, *self._page)
        beyond: _Milestone | None = None
        while self._coming is not None:
            if self._coming.size <= self.edge.size:
                self._reach(self._coming)
                continue
            _compare_leaves(
                self._coming, *self._page
            )  # entries may have moved up: then one of them is the first bad one
            beyond = beyond or self._coming
            self._coming = next(self._milestones, None)
        if beyond is not None:
            raise _tail_cut(beyond, self.edge.size)
        _require_no_tiles_beyond(self._connection, self.edge.size)

    def _reach(self, milestone: _Milestone) -> None:
        _compare_leaves(milestone, *self._page)
        if self.suspect is None:
            if self.edge.root() == milestone.root:
                self._good = milestone.size
            else:
                self.suspect = _wrong_root(milestone, self._good)
        self.kept += not milestone.held
        self._coming = next(self._milestones, None)

    def nearer(self, found: RecordBroken) -> RecordBroken:
        """Which of two findings says best where the first bad entry is."""
        suspect = self.suspect
        if suspect is None or suspect.index is None or suspect.until is None:
            return found
        named = found.index is not None and found.until in {None, found.index}
        return found if named and suspect.index <= (found.index or 0) <= suspect.until else suspect


def _milestones(
    connection: Connection, trusted: Sequence[Verifier], held: Sequence[Checkpoint]
) -> Iterator[_Milestone]:
    """All checkpoints by size; a signature is looked at when its turn comes."""
    outside = sorted(held, key=lambda older: older.size)
    before = 0
    for size, root, note, leaves in _kept(connection):
        while outside and outside[0].size <= size:
            older = outside.pop(0)
            yield _Milestone(older.size, older.root, b"", held=True)
        if trusted:
            signed = open_checkpoint(note, trusted)
            if (signed.size, signed.root) != (size, root):
                raise RecordBroken(Why.BAD_SIGNATURE, f"the checkpoint kept for {size} entries signs something else")
        first = min(size, max(before, size - size % WIDTH))
        if len(leaves) != (size - first) * HASH_BYTES:
            text = f"the checkpoint kept for {size} entries was changed: it does not repeat the leaves that it should"
            raise RecordBroken(Why.TILE_CHANGED, text, index=first, until=max(first, size - 1))
        yield _Milestone(size, root, leaves, held=False)
        before = size
    for older in outside:
        yield _Milestone(older.size, older.root, b"", held=True)


def _kept(connection: Connection) -> Iterator[tuple[int, bytes, bytes | str, bytes]]:
    """The kept checkpoints, a page at a time: size, root, note, leaves."""
    after = -1
    note = checkpoint.c.note if connection.dialect.name == "postgresql" else _blob(checkpoint.c.note)
    columns = (checkpoint.c.size, _blob(checkpoint.c.root), note, _blob(checkpoint.c.leaves))
    while True:
        query = select(*columns).where(checkpoint.c.size > after).order_by(checkpoint.c.size).limit(MAX_LOOKUP)
        rows = connection.execute(query).all()
        for size, root, signed, leaves in rows:
            yield size, root, signed, leaves
            after = size
        if len(rows) < MAX_LOOKUP:
            return


def _pages(connection: Connection, start: int, stop: int | None) -> Iterator[tuple[list[bytes], int]]:
    """Leaves of the next entries, computed from their bytes, and the index after them; each page begins a tile."""
    while rows := _rows(connection, start, _PAGE if stop is None else min(_PAGE, stop - start)):
        indexes, entries, stored = zip(*rows, strict=True)
        leaves, end = leaf_hashes(entries), start + len(rows)
        if indexes == tuple(range(start, end)) and list(stored) == leaves:
            yield leaves, end
            start = end
            continue
        # Only a page that is wrong somewhere is looked at row by row.
        for expected, (index, leaf, said) in enumerate(zip(indexes, leaves, stored, strict=True), start=start):
            if index != expected or leaf != said:
                yield leaves[: expected - start], expected
                if index != expected:
                    text = f"entry {expected} is missing: the next one found is {index}"
                    raise RecordBroken(Why.ORDER, text, index=expected)
                text = f"entry {expected} was changed: its bytes do not hash to its leaf"
                raise RecordBroken(Why.ENTRY_CHANGED, text, index=expected)


def _rows(connection: Connection, start: int, count: int) -> Sequence[tuple[int, bytes, bytes]]:
    result = connection.exec_driver_sql(_ROWS[connection.dialect.name], (start, count))
    rows: Sequence[tuple[int, bytes, bytes]] = result.cursor.fetchall()
    result.close()
    return rows


def _blob(column: Column[bytes] | Column[str]) -> ColumnElement[bytes]:
    """A column as bytes whatever somebody put there."""
    return func.coalesce(cast(column, LargeBinary), literal(b"", LargeBinary))


def _compare_tiles(connection: Connection, made: Sequence[Tile]) -> None:
    """The tiles that the entries make must be the stored ones, at every level."""
    for level, group in groupby(made, key=lambda each: each.level):
        tiles = list(group)
        span = (level, tiles[0].index, tiles[-1].index)
        rows = connection.exec_driver_sql(_TILES[connection.dialect.name], span).all()
        stored = {index: (hashes, root) for index, hashes, root in rows}
        for each in tiles:
            if stored.get(each.index) != (each.hashes, each.root):
                raise _wrong_tile(each, stored.get(each.index))


def _wrong_tile(made: Tile, stored: tuple[bytes, bytes] | None) -> RecordBroken:
    number = 0 if stored is None else _first_difference(made.hashes, stored[0])
    entries = 1 << (HEIGHT * made.level)  # under each hash of it
    first = (made.index * WIDTH + number) * entries
    what = "is missing" if stored is None else "says otherwise"
    return RecordBroken(
        Why.TILE_CHANGED,
        f"entry {first} was rewritten, or its tile was: tile {made.index} of level {made.level} {what}",
        index=first,
        until=first + entries - 1,
    )


def _compare_unfinished_tile(connection: Connection, leaves: Sequence[bytes], end: int) -> None:
    """Where entries were taken out and the others moved up, the tile of the last ones may still be the old, full
    one.
    """
    part = leaves[len(leaves) - end % WIDTH :]
    query = select(_blob(tile.c.hashes)).where(tile.c.level == 0, tile.c.idx == end // WIDTH)
    stored = connection.execute(query).scalar_one_or_none()
    if stored is None or not part:
        return
    found, said = b"".join(part), stored[: len(part) * HASH_BYTES]
    if found != said:
        bad = end - len(part) + _first_difference(said, found)
        raise RecordBroken(
            Why.TILE_CHANGED, f"entry {bad} was rewritten, or its tile was: they do not agree", index=bad
        )


def _first_difference(one: bytes, other: bytes) -> int:
    """The number of the first hash that differs; the first of all where none does."""
    for at in range(0, len(one), HASH_BYTES):
        if one[at : at + HASH_BYTES] != other[at : at + HASH_BYTES]:
            return at // HASH_BYTES
    return 0


def _tail_cut(milestone: _Milestone, size: int) -> RecordBroken:
    return RecordBroken(
        Why.NOT_AN_EXTENSION if milestone.held else Why.TRUNCATED,
        f"a checkpoint counts {milestone.size} entries, but there are only {size}: the tail was cut",
        index=size,
        until=milestone.size - 1,
    )


def _compare_leaves(milestone: _Milestone, leaves: Sequence[bytes], end: int) -> None:
    """The leaf hashes that a checkpoint repeats; `leaves` are those before index `end`, to the start of their tile."""
    first, begin = milestone.size - len(milestone.leaves) // HASH_BYTES, end - len(leaves)
    if begin > first:
        return
    found = b"".join(leaves[first - begin : milestone.size - begin])
    said = milestone.leaves[: len(found)]
    if found != said:
        bad = first + _first_difference(said, found)
        raise RecordBroken(
            Why.TILE_CHANGED,
            f"entry {bad} was rewritten, or its checkpoint was: that of {milestone.size} entries says otherwise",
            index=bad,
        )


def _wrong_root(milestone: _Milestone, good: int) -> RecordBroken:
    return RecordBroken(
        Why.NOT_AN_EXTENSION if milestone.held else Why.WRONG_ROOT,
        f"the first {milestone.size} entries do not hash to the root of their checkpoint: "
        f"at least one from {good} on was rewritten",
        index=good,
        until=max(milestone.size - 1, good),
    )


def _require_no_tiles_beyond(connection: Connection, size: int) -> None:
    """A tile that is full only in a longer record shows that the tail was cut."""
    last = connection.execute(select(func.max(tile.c.idx)).where(tile.c.level == 0)).scalar_one()
    if last is not None and last >= size // WIDTH:
        raise RecordBroken(
            Why.TRUNCATED,
            f"there are only {size} entries, but tiles of more: the tail was cut",
            index=size,
            until=last * WIDTH + WIDTH - 1,
        )
