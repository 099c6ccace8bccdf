"""Whole tiles of the record checked ahead of the one pass that decides, in other processes where the record is large.

What is asked here is yes or no: do the entries of these tiles hash to their leaves, in order and without a gap, and are
these the stored tiles with the stored roots? Yes comes with the roots, all that the tree above needs. Whatever is not
plainly so is no, and `record_check` goes through these tiles again, row by row, and says what is wrong.

Hashing takes the time, and Python hashes in one thread at a time; so two cores need two processes. Each opens the
database for itself: below the size that the pass sees, the record does not change.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice

from sqlalchemy import Connection, Engine

from accessctl.record.merkle import leaf_hashes
from accessctl.record.tiles import WIDTH, tile_root
from accessctl.storage.engine import begin_reading, make_engine

SPAN = 64  # tiles that are asked for at once, 16,384 entries
LARGE = 40 * SPAN * WIDTH  # entries, from which on starting processes pays
MOST_PROCESSES = 8
_TOGETHER = 4  # tiles that are read at once

Roots = Sequence[bytes]
Sound = Callable[[Iterable[range]], Iterator[Roots | None]]  # from spans of tiles to the answers about them, in order

_MARKS = {"sqlite": "?", "postgresql": "%s"}
_ENTRIES = {
    dialect: f"SELECT idx, bytes, leaf FROM entry WHERE idx >= {mark} AND idx < {mark} ORDER BY idx"  # noqa: S608  # no value in it
    for dialect, mark in _MARKS.items()
}
_TILES = {
    dialect: f"SELECT hashes, root FROM tile WHERE level = 0 AND idx >= {mark} AND idx < {mark} ORDER BY idx"  # noqa: S608  # likewise
    for dialect, mark in _MARKS.items()
}


def spans(tiles: int) -> Iterator[range]:
    """The numbers of so many tiles, in the portions in which they are asked for."""
    return (range(first, min(first + SPAN, tiles)) for first in range(0, tiles, SPAN))


def sound_roots(connection: Connection, span: range) -> Roots | None:
    """The roots of these full tiles of leaves, or None where they are not all in order."""
    roots: list[bytes] = []
    try:
        for first in span[::_TOGETHER]:
            last = min(first + _TOGETHER, span.stop)
            made = _tiles(connection, first, last)
            if made is None or _read(connection, _TILES, first, last) != made:
                return None
            roots += [root for _, root in made]
    except (TypeError, connection.dialect.loaded_dbapi.Error):  # SQLite keeps any kind of value, also what is no bytes
        return None
    return roots


def _tiles(connection: Connection, first: int, last: int) -> list[tuple[bytes, bytes]] | None:
    """Hashes and root of tiles `first` to `last - 1`, from the bytes of their entries."""
    start, end = first * WIDTH, last * WIDTH
    rows = _read(connection, _ENTRIES, start, end)
    if len(rows) != end - start:
        return None
    indexes, entries, stored = zip(*rows, strict=True)
    leaves = leaf_hashes(entries)
    if indexes != tuple(range(start, end)) or list(stored) != leaves:
        return None
    tiles = [leaves[at : at + WIDTH] for at in range(0, len(leaves), WIDTH)]
    return [(b"".join(hashes), tile_root(hashes)) for hashes in tiles]


def _read(connection: Connection, statements: dict[str, str], start: int, stop: int) -> list[tuple[bytes, ...]]:
    """The driver's own rows: making better ones of them would cost as much as hashing them."""
    result = connection.exec_driver_sql(statements[connection.dialect.name], (start, stop))
    rows: list[tuple[bytes, ...]] = list(result.cursor.fetchall())
    result.close()
    return rows


@contextmanager
def sound_spans(engine: Engine, size: int) -> Iterator[Sound | None]:
    """Checks spans of tiles in as many processes as there are cores; None where the record is not worth it."""
    processes = min(len(os.sched_getaffinity(0)), MOST_PROCESSES)
    if size < LARGE or processes == 1 or multiprocessing.current_process().daemon:  # which may have no children
        yield None
        return
    address = engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")  # a fork would take locks along that threads of ours hold
    with ProcessPoolExecutor(processes, context, _open, (address,)) as pool:
        try:
            yield partial(_answers, pool, 3 * processes)
        finally:
            pool.shutdown(cancel_futures=True)


def _answers(pool: ProcessPoolExecutor, ahead: int, asked: Iterable[range]) -> Iterator[Roots | None]:
    """The answers in their order, `ahead` spans asked for in advance; they end early where the processes are gone."""
    coming = iter(asked)
    waiting: deque[Future[Roots | None]] = deque()
    try:
        while True:
            waiting.extend(pool.submit(_answer, span) for span in islice(coming, ahead - len(waiting)))
            if not waiting:
                return
            yield waiting.popleft().result()
    except BrokenExecutor:
        return


_opened: list[Connection] = []


def _open(address: str) -> None:
    os.nice(10)  # whoever stands at a door goes before
    _opened.append(begin_reading(make_engine(address, connections=1)))


def _answer(span: range) -> Roots | None:
    return sound_roots(_opened[0], span)
