"""Tiles: the tree stored so that it is never computed twice (the layout of C2SP tlog-tiles).

A tile holds 256 neighbouring hashes of a tree level that is a multiple of eight: tile (0, n) the leaves 256·n …
256·n+255, tile (1, n) the roots of the tiles (0, 256·n) … (0, 256·n+255), and so on. A full tile never changes, so
it is written once and never again; its root is kept beside it, because that is the hash that the tile above it
needs. Ten million entries have 39,062 tiles at level 0, 152 at level 1 and none above: a proof reads four tiles at
most and hashes a thousand nodes, about half a millisecond.

* `Edge` grows: it takes leaf hashes and gives back the tiles that they completed, at one hash per leaf (and 1/255
  more).
* `StoredTree` proves: roots, inclusion and consistency paths of any past size, from a `TileReader` that somebody
  else implements.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from accessctl.record.merkle import EMPTY_ROOT, HASH_BYTES, fold_peaks, node_hash, pair_up

WIDTH = 256
HEIGHT = 8  # tree levels in a tile: 2^8 = WIDTH
KEPT_TILES = 32  # in the memory of one StoredTree: a mebibyte or two


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A full tile: `hashes` are its 256 hashes joined (8192 bytes), `root` the one hash of eight levels above."""

    level: int
    index: int
    hashes: bytes
    root: bytes


class TileReader(Protocol):
    def hashes(self, level: int, start: int, count: int) -> Sequence[bytes]:
        """`count` hashes of tree level 8·`level` from number `start` on, within one tile; all of them are below
        complete subtrees.

        Level 0 are the leaf hashes; a full tile can be read whole, a part of the last one as the roots of the tiles
        under it.
        """
        ...


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """The node over a full tile's 256 hashes."""
    while len(hashes) > 1:
        hashes = pair_up(hashes)
    return hashes[0]


def split(joined: bytes) -> list[bytes]:
    """The hashes of a tile as it is stored."""
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def completed(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """Which tiles (level, index) become full when the tree grows from `old_size` to `new_size`, in the order of
    their writing.
    """
    found = []
    level = 0
    while (full := new_size >> (HEIGHT * (level + 1))) > 0:
        found += [(level, index) for index in range(old_size >> (HEIGHT * (level + 1)), full)]
        level += 1
    return found


class Edge:
    """The unfinished tiles at the right end of a tree, one for each level: what an appender must know to go on."""

    __slots__ = ("_waiting", "size")

    def __init__(self) -> None:
        self.size = 0
        self._waiting: list[list[bytes]] = [[]]

    @classmethod
    def load(cls, size: int, reader: TileReader) -> "Edge":
        """The edge of a stored tree of `size` leaves: one short read for each level."""
        edge = cls()
        edge.size = size
        edge._waiting = []
        level = 0
        while (count := size >> (HEIGHT * level)) or level == 0:
            part = count % WIDTH
            edge._waiting.append(list(reader.hashes(level, count - part, part)) if part else [])
            level += 1
        return edge

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Append leaf hashes; the tiles that became full, lower levels first."""
        done = self._rise(leaves, 0)
        self.size += len(leaves)
        return done

    def extend_tiles(self, roots: Sequence[bytes]) -> list[Tile]:
        """Append full tiles of leaves by their roots; the tiles above them that became full. No tile is unfinished."""
        if self._waiting[0]:
            raise ValueError(f"tiles cannot follow an unfinished one, after {self.size} leaves")
        done = self._rise(roots, 1)
        self.size += WIDTH * len(roots)
        return done

    def _rise(self, rising: Sequence[bytes], level: int) -> list[Tile]:
        done: list[Tile] = []
        while rising:
            if level == len(self._waiting):
                self._waiting.append([])
            row = self._waiting[level]
            first = (self.size >> (HEIGHT * level)) // WIDTH
            row.extend(rising)
            roots = []
            for number in range(len(row) // WIDTH):
                hashes = row[number * WIDTH : (number + 1) * WIDTH]
                root = tile_root(hashes)
                done.append(Tile(level=level, index=first + number, hashes=b"".join(hashes), root=root))
                roots.append(root)
            del row[: len(roots) * WIDTH]
            rising = roots
            level += 1
        return done

    def root(self) -> bytes:
        """The root of the whole tree; about 255 hashes for each level of tiles, so it is for checkpoints, not for
        every append.
        """
        peaks: list[bytes] = []
        for row in self._waiting:
            nodes = row
            while nodes:
                if len(nodes) % 2:
                    peaks.append(nodes[-1])
                nodes = pair_up(nodes[: len(nodes) & ~1])
        return fold_peaks(peaks)


class StoredTree:
    """Roots and proofs of the first `n` leaves of a stored record, for any `n` up to `size`.

    The tiles read last are kept, so proofs that are made in the order of their entries read each tile once.
    Sizes and indexes outside the tree are mistakes of the caller: `ValueError`.
    """

    def __init__(self, size: int, reader: TileReader) -> None:
        self.size = size
        self._reader = reader
        self._tiles: dict[tuple[int, int], list[Sequence[bytes]]] = {}

    def root(self, size: int | None = None) -> bytes:
        wanted = self.size if size is None else size
        self._within(0, wanted, self.size)
        return self._subtree(0, wanted) if wanted else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf upwards."""
        wanted = self.size if size is None else size
        self._within(0, wanted, self.size)
        self._within(0, index, wanted - 1)
        path: list[bytes] = []
        start, stop = 0, wanted
        while stop - start > 1:
            middle = start + _largest_power_below(stop - start)
            if index < middle:
                path.append(self._subtree(middle, stop))
                stop = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        path.reverse()
        return path

    def inclusions(self, indexes: Iterable[int]) -> Iterator[list[bytes]]:
        """The audit paths of many entries in the whole tree; what the entries of a full tile share is found once."""
        known, upper, rows = -1, list[bytes](), list[Sequence[bytes]]()
        for index in indexes:
            number = index // WIDTH
            if (number + 1) * WIDTH > self.size:
                yield self.inclusion(index)
                continue
            if number != known:
                known, upper = number, self.inclusion(number * WIDTH)[HEIGHT:]
                self._node(HEIGHT - 1, 2 * number)
                rows = self._tiles[0, number]
            at = index % WIDTH
            yield [rows[height][(at >> height) ^ 1] for height in range(HEIGHT)] + upper

    def consistency(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """PROOF(old_size, D[new_size]) of RFC 6962 §2.1.2; empty from the empty tree and to the same tree."""
        wanted = self.size if new_size is None else new_size
        self._within(0, wanted, self.size)
        self._within(0, old_size, wanted)
        if old_size in (0, wanted):
            return []
        path: list[bytes] = []
        start, stop, whole = 0, wanted, True  # `whole`: the old tree ends where this range does, and its root is known
        while stop != old_size:
            middle = start + _largest_power_below(stop - start)
            if old_size <= middle:
                path.append(self._subtree(middle, stop))
                stop = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
                whole = False
        if not whole:
            path.append(self._subtree(start, stop))
        path.reverse()
        return path

    @staticmethod
    def _within(low: int, value: int, high: int) -> None:
        if not low <= value <= high:
            raise ValueError(f"{value} is not between {low} and {high}")

    def _subtree(self, start: int, stop: int) -> bytes:
        """MTH(D[start:stop]); `start` is a multiple of the power of two that covers the range."""
        count = stop - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._node(level, start >> level)
        middle = start + _largest_power_below(count)
        return node_hash(self._subtree(start, middle), self._subtree(middle, stop))

    def _node(self, level: int, index: int) -> bytes:
        """The root of the complete subtree number `index` of 2^level leaves."""
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        number = first // WIDTH
        key = (tile_level, number)
        rows = self._tiles.pop(key, None)
        if rows is None:
            count = min(WIDTH, (self.size >> (HEIGHT * tile_level)) - number * WIDTH)
            rows = [self._reader.hashes(tile_level, number * WIDTH, count)]
            if len(self._tiles) == KEPT_TILES:
                del self._tiles[next(iter(self._tiles))]
        self._tiles[key] = rows  # again at the end: the first is the one that was not used for longest
        while len(rows) <= height:
            below = rows[-1]
            rows.append(pair_up(below[: len(below) & ~1]))
        return rows[height][index - (number * WIDTH >> height)]


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962: k < n <= 2k), for count > 1."""
    return 1 << ((count - 1).bit_length() - 1)
