"""Whole tiles of the record checked ahead of the one pass that decides, by readers where the record is large.

What is asked here is yes or no: do the entries of these tiles hash to their leaves, in order and without a gap, and are
these the stored tiles with the stored roots? Yes comes with the roots, all that the tree above needs. Whatever is not
plainly so is no, and `record_check` goes through these tiles again, row by row, and says what is wrong.

Readers (`readers`) open the database for themselves: below the size that the pass sees, the record does not change.
"""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import partial

from accessctl.record.merkle import leaf_hashes
from accessctl.record.tiles import WIDTH, tile_root
from accessctl.storage.reader import Address
from accessctl.storage.readers import ReaderGone, answers, processors
from accessctl.storage.record_rows import RecordRows

SPAN = 64  # tiles that are asked for at once, 16,384 entries
LARGE = 16 * SPAN * WIDTH  # entries, from which on calling readers pays
_TOGETHER = 4  # tiles that are read at once

Roots = Sequence[bytes]
Sound = Callable[[Iterator[range]], Generator[Roots | None, None, None]]  # from spans of tiles to the answers, in order


def spans(tiles: int) -> Iterator[range]:
    """The numbers of so many tiles, in the portions in which they are asked for."""
    return (range(first, min(first + SPAN, tiles)) for first in range(0, tiles, SPAN))


def sound_roots(rows: RecordRows, span: range) -> Roots | None:
    """The roots of these full tiles of leaves, or None where they are not all in order."""
    roots: list[bytes] = []
    try:
        for first in span[::_TOGETHER]:
            last = min(first + _TOGETHER, span.stop) - 1
            made = _tiles(rows, first, last)
            if made is None or rows.tiles(first, last) != made:
                return None
            roots += [root for _, root in made]
    except TypeError:  # SQLite keeps any kind of value, also what is no bytes
        return None
    except rows.errors:
        return None
    return roots


def _tiles(rows: RecordRows, first: int, last: int) -> list[tuple[bytes, bytes]] | None:
    """Hashes and root of tiles `first` to `last`, from the bytes of their entries."""
    places = range(first * WIDTH, (last + 1) * WIDTH)
    found = rows.lines(places)
    if len(found) != len(places):
        return None
    indexes, entries, stored = zip(*found, strict=True)
    leaves = leaf_hashes(entries)
    if indexes != tuple(places) or list(stored) != leaves:
        return None
    tiles = [leaves[at : at + WIDTH] for at in range(0, len(leaves), WIDTH)]
    return [(b"".join(hashes), tile_root(hashes)) for hashes in tiles]


def here(rows: RecordRows) -> Sound:
    """Checks spans in this process."""

    def sound(asked: Iterator[range]) -> Generator[Roots | None, None, None]:
        for span in asked:
            yield sound_roots(rows, span)

    return sound


def by_readers(address: Address, count: int) -> Sound:
    """Checks spans in so many other processes; the answers end early where these are gone."""

    def sound(asked: Iterator[range]) -> Generator[Roots | None, None, None]:
        with closing(answers(address, count, checking, asked)) as answered:
            try:
                for _, roots in answered:
                    yield roots
            except ReaderGone:
                return

    return sound


def sound_for(size: int, rows: RecordRows, address: Address) -> Sound:
    """By readers where the record is large and there is more than one processor, here otherwise."""
    count = processors()
    return by_readers(address, count) if size >= LARGE and count > 1 else here(rows)


def checking(rows: RecordRows) -> Callable[[range], Roots | None]:
    """What a reader does, and lets others go before: a check is long, and somebody may stand at a door."""
    os.nice(10)
    return partial(sound_roots, rows)
