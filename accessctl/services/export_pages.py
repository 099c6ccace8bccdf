"""An export, a page at a time: read, compared with its leaves, proven, and written as lines.

A page depends on nothing but what was asked for and which entries are its own, so several can be made at once. Where an
export is long, `Copyists` make them, each in a process and a view of its own. What they read cannot differ: the entries
below a checkpoint stay as they are. A name that is erased while an export is made is missing from the pages that come
after.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal, NamedTuple, Protocol, TypeAlias

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.merkle import leaf_hash, leaf_hashes, root_of
from accessctl.services.export_books import BookFormat, leaf_proof_block
from accessctl.services.export_lines import Block, Format, bare_block, block_of, proof_block
from accessctl.services.ledger_rows import LedgerRows, Places, Stored

PART = 512  # entries of a page that are written together: what they take fits into a processor's own memory

Made: TypeAlias = Format | BookFormat | Literal["record"]


class Proven(Enum):
    """What stands in `FILE.proofs`."""

    NOTHING = auto()  # the leaves of a whole record prove themselves
    PATHS = auto()
    LEAVES_AND_PATHS = auto()  # of a book, whose leaves nobody could read from it


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """What is to be made of every page. Plain values, for whoever is told in another process."""

    fmt: Made
    public: bool
    size: int  # of the record that is signed
    proven: Proven


class Page(NamedTuple):
    """The lines of a page and what goes into `FILE.proofs`; where nothing does, what the page adds to the tree.

    `nodes` are complete subtrees of 2^`height` leaves each: one for a whole page, the leaves themselves for the last.
    """

    lines: bytes
    proofs: bytes
    nodes: list[bytes]
    height: int


class Copyists(Protocol):
    """Whoever makes pages at the same time as others."""

    def copy(self, task: Copying, pages: Iterator[Places]) -> Generator[tuple[Places, Page], None, None]:
        """The pages in their order. Raises what `page_of` does. Closing it sends everybody home."""
        ...


def block_for(task: Copying) -> Block:
    """How lines are written; not for a book, which takes them itself."""
    if task.fmt == "record":
        return bare_block
    if task.fmt == "csv" or task.fmt == "jsonl":  # noqa: PLR1714 -- each comparison narrows the type
        return block_of(task.fmt, public=task.public)
    raise ValueError(f"{task.fmt} is not made of lines")


def page_of(rows: LedgerRows, task: Copying, places: Places, block: Block) -> Page:
    """One page. Raises `RecordBroken` where an entry is missing or does not hash to its leaf."""
    lines = rows.lines(places)
    _require_all(places, lines)
    leaves = [line[2] for line in lines]
    _require_leaves(lines, leaves)
    made = b"".join([block(lines[at : at + PART], rows.openings) for at in range(0, len(lines), PART)])
    if task.proven is Proven.NOTHING:
        return Page(made, b"", *_subtrees(places, leaves))
    paths = rows.tree(task.size).inclusions(places)
    if task.proven is Proven.PATHS:
        proofs = proof_block(list(zip(places, paths, strict=True)))
    else:
        proofs = leaf_proof_block(list(zip(places, leaves, paths, strict=True)))
    return Page(made, proofs, [], 0)


def _subtrees(places: Places, leaves: list[bytes]) -> tuple[list[bytes], int]:
    """A page that is a complete subtree hands on its root alone: hashing it is work for whoever made the page."""
    width = len(leaves)
    if width & (width - 1) or places[0] % width:
        return leaves, 0
    return [root_of(leaves)], width.bit_length() - 1


def _require_all(places: Places, lines: Sequence[Stored]) -> None:
    if len(lines) != len(places):
        found = {line[0] for line in lines}
        index = next(place for place in places if place not in found)
        raise RecordBroken(Why.ORDER, f"entry {index} is missing", index=index)


def _require_leaves(lines: Sequence[Stored], leaves: list[bytes]) -> None:
    """Nothing is exported that does not hash to its leaf; SQLite may even hold text where bytes were written."""
    entries = [line[1] for line in lines]
    if set(map(type, entries)) <= {bytes} and leaf_hashes(entries) == leaves:
        return
    for index, data, leaf in lines:
        if type(data) is not bytes or leaf_hash(data) != leaf:
            raise RecordBroken(
                Why.ENTRY_CHANGED, f"entry {index} was changed: its bytes do not hash to its leaf", index=index
            )
