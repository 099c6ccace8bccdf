"""A map that is never changed: `with_` gives a new one and shares all but a thousandth with the old.

The entries lie in 1,024 ordinary dicts. Changing one copies its dict (about a thousand entries at a million) and the
row of dicts, some microseconds in all, whatever the size: so readers need no lock, there is no overlay to fold back
later, and nobody ever waits for a rebuild.
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
    """Immutable to whoever reads. `Builder` below fills one; after that only `with_` and `without` make others."""

    __slots__ = ("_shards",)

    def __init__(self, shards: tuple[dict[K, V], ...] | None = None) -> None:
        self._shards = shards if shards is not None else tuple({} for _ in range(_SHARDS))

    def get(self, key: K) -> V | None:
        """The value, or None."""
        return self._shards[(hash(key) * _MIX >> 44) & (_SHARDS - 1)].get(key)

    def with_(self, key: K, value: V) -> "ShardedMap[K, V]":
        """The same map with one entry set."""
        return self._replace(shard_of(key), key, value)

    def without(self, key: K) -> "ShardedMap[K, V]":
        """The same map with one entry gone, if it was there."""
        place = shard_of(key)
        if key not in self._shards[place]:
            return self
        rest = {other: value for other, value in self._shards[place].items() if other != key}
        return ShardedMap((*self._shards[:place], rest, *self._shards[place + 1 :]))

    def _replace(self, place: int, key: K, value: V) -> "ShardedMap[K, V]":
        changed = self._shards[place].copy()
        changed[key] = value
        return ShardedMap((*self._shards[:place], changed, *self._shards[place + 1 :]))

    def __contains__(self, key: K) -> bool:
        return key in self._shards[(hash(key) * _MIX >> 44) & (_SHARDS - 1)]

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    def items(self) -> Iterator[tuple[K, V]]:
        """All entries, shard by shard."""
        for shard in self._shards:
            yield from shard.items()


class Builder(Generic[K, V]):
    """Fills a `ShardedMap` in place, before anybody reads it. `done` ends it."""

    __slots__ = ("_shards",)

    def __init__(self) -> None:
        self._shards: tuple[dict[K, V], ...] = tuple({} for _ in range(_SHARDS))

    def get(self, key: K) -> V | None:
        """The value set so far, or None."""
        return self._shards[shard_of(key)].get(key)

    def set(self, key: K, value: V) -> None:
        """Set an entry, in place."""
        self._shards[shard_of(key)][key] = value

    def done(self) -> ShardedMap[K, V]:
        """Hand over what was built; the builder forgets it, so nothing can change it any more."""
        shards, self._shards = self._shards, ()
        return ShardedMap(shards)
