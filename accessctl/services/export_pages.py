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

from accessctl.record import RecordBroken, Why, leaf_hash
from accessctl.record.merkle import leaf_hashes
from accessctl.services.export_books import BookFormat, leaf_proof_block
from accessctl.services.export_lines import Block, Format, bare_block, block_of, proof_block
from accessctl.services.store import Ledger, LedgerLine, Work

Places: TypeAlias = range | list[int]  # the entries of a page: some in a row, or what a filter found
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
    """The lines of a page, what goes into `FILE.proofs`, and the leaves where nothing does."""

    lines: bytes
    proofs: bytes
    leaves: list[bytes]


class Copyists(Protocol):
    """Whoever makes pages at the same time as others."""

    def copy(self, task: Copying, pages: Iterator[Places]) -> Generator[tuple[Places, Page], None, None]:
        """The pages in their order. Raises what `page_of` does. Closing it sends everybody home."""
        ...


def block_for(task: Copying) -> Block:
    """How lines are written; not for a book, which takes them itself."""
    if task.fmt == "record":
        return lambda lines: bare_block([line[:3] for line in lines])
    if task.fmt == "csv" or task.fmt == "jsonl":  # noqa: PLR1714 -- each comparison narrows the type
        return block_of(task.fmt, public=task.public)
    raise ValueError(f"{task.fmt} is not made of lines")


def page_of(tx: Work, task: Copying, places: Places, block: Block) -> Page:
    """One page. Raises `RecordBroken` where an entry is missing or does not hash to its leaf."""
    lines = _bare(tx.ledger, places) if task.fmt == "record" else tx.ledger.lines(places)
    _require_all(places, lines)
    leaves = [line[2] for line in lines]
    _require_leaves(lines, leaves)
    if task.proven is Proven.NOTHING:
        return Page(block(lines), b"", leaves)
    paths = tx.ledger.tree(task.size).inclusions(places)
    if task.proven is Proven.PATHS:
        proofs = proof_block(list(zip(places, paths, strict=True)))
    else:
        proofs = leaf_proof_block(list(zip(places, leaves, paths, strict=True)))
    return Page(block(lines), proofs, [])


def _bare(ledger: Ledger, places: Places) -> list[LedgerLine]:
    """The record alone, without its projection and what opens it."""
    return [(*entry, None, None) for entry in ledger.entries(places[0], places[-1] + 1)]


def _require_all(places: Places, lines: Sequence[LedgerLine]) -> None:
    if len(lines) != len(places):
        found = {line[0] for line in lines}
        index = next(place for place in places if place not in found)
        raise RecordBroken(Why.ORDER, f"entry {index}, or its row among what is searched, is missing", index=index)


def _require_leaves(lines: Sequence[LedgerLine], leaves: list[bytes]) -> None:
    """Nothing is exported that does not hash to its leaf; SQLite may even hold text where bytes were written."""
    entries = [line[1] for line in lines]
    if all(type(data) is bytes for data in entries) and leaf_hashes(entries) == leaves:
        return
    for index, data, leaf, _, _ in lines:
        if type(data) is not bytes or leaf_hash(data) != leaf:
            raise RecordBroken(
                Why.ENTRY_CHANGED, f"entry {index} was changed: its bytes do not hash to its leaf", index=index
            )
