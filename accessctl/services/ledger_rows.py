"""What the pages of an export are read from: bare rows of the record, as the database's driver gives them.

Apart from `store`, so that a process which only makes pages need not load the whole domain.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias

from accessctl.record.commitment import Opening
from accessctl.record.tiles import StoredTree

Places: TypeAlias = range | list[int]  # indexes that rise: some in a row, or what a filter found
Stored: TypeAlias = tuple[int, bytes, bytes]
"""One entry: index, canonical bytes, leaf. A bare tuple, because ten million of them pass in one export."""


class LedgerRows(Protocol):
    """Entries, what opens their commitments, and the tree over them."""

    def lines(self, places: Places) -> list[Stored]:
        """The entries at these indexes, as far as there are any."""
        ...

    def openings(self, commitments: Iterable[str]) -> Mapping[str, Opening]:
        """What still opens these commitments; erased ones are missing."""
        ...

    def tree(self, size: int) -> StoredTree:
        """The tree of the first `size` entries. It keeps what it reads, so it is for a page of proofs."""
        ...
