"""A map that is never changed: a `Draft` of it becomes the next one, which shares all that was not touched.

The entries lie in 1,024 ordinary dicts. A change copies the dict that it falls into (about a thousand entries at a
million) and the row of dicts: some microseconds, whatever the size. So readers need no lock, there is no overlay to
fold back later, and nobody ever waits for a rebuild.
"""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SHARDS = 1024
_MIX = 0x9E37_79B9_7F4A_7C15  # 2^64 over the golden ratio: spreads consecutive integers, which hash to themselves


def shard_of(key: Hashable) -> int:
    """Which shard a key lies in. High bits of the product: a dict uses the low bits of the hash itself."""
    return (hash(key) * _MIX >> 44) & (_SHARDS - 1)


class ShardedMap(Generic[K, V]):
    """Immutable to whoever reads."""

    __slots__ = ("_shards",)

    def __init__(self, shards: tuple[dict[K, V], ...] = ()) -> None:
        self._shards = shards or tuple({} for _ in range(_SHARDS))

    def get(self, key: K) -> V | None:
        """The value, or None."""
        return self._shards[(hash(key) * _MIX >> 44) & (_SHARDS - 1)].get(key)

    def draft(self) -> "Draft[K, V]":
        """A copy to be changed, by one writer; this map stays as it is."""
        return Draft(self._shards)

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    def items(self) -> Iterator[tuple[K, V]]:
        """All entries, shard by shard."""
        for shard in self._shards:
            yield from shard.items()


class Draft(Generic[K, V]):
    """Changes gathered in one place until `done`; a shard is copied when it is first touched."""

    __slots__ = ("_own", "_shards")

    def __init__(self, shards: tuple[dict[K, V], ...]) -> None:
        self._shards = list(shards)
        self._own = bytearray(len(shards))

    def get(self, key: K) -> V | None:
        """The value as it stands in the draft, or None."""
        return self._shards[(hash(key) * _MIX >> 44) & (_SHARDS - 1)].get(key)

    def set(self, key: K, value: V) -> None:
        """Set an entry."""
        self._mine(key)[key] = value

    def drop(self, key: K) -> None:
        """Take an entry out, if it is there."""
        self._mine(key).pop(key, None)

    def _mine(self, key: K) -> dict[K, V]:
        place = (hash(key) * _MIX >> 44) & (_SHARDS - 1)
        if not self._own[place]:
            self._own[place] = 1
            self._shards[place] = self._shards[place].copy()
        return self._shards[place]

    def done(self) -> ShardedMap[K, V]:
        """The next map. The draft forgets what it holds, so that nothing can change it any more."""
        shards, self._shards = self._shards, []
        return ShardedMap(tuple(shards))
