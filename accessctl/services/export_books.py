"""Exports that are looked at: workbooks and printed lists. A `Binder` makes them, page by page, elsewhere.

Nothing reads such a file line by line, so its leaves go into `FILE.proofs` beside their paths (`record.opaque`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

import orjson

from accessctl.record.columns import COLUMNS, cell
from accessctl.services.export_lines import REDACTED, Openings, shown
from accessctl.services.ledger_rows import Stored

BookFormat = Literal["xlsx", "pdf"]
Write = Callable[[bytes], object]
BookLine: TypeAlias = tuple[int, bytes, bytes, str | None]  # index, canonical bytes, leaf, and the name if one is known


@dataclass(frozen=True, slots=True, kw_only=True)
class BookHead:
    """What stands at the head: whose record, under which checkpoint, what was asked for, by whom and when."""

    number: str
    origin: str
    size: int
    root: bytes
    asked: Mapping[str, object]  # with names in the place of identifiers (`report_names.Told`)
    exported_by: str
    exported_at: datetime
    public: bool
    doors: Mapping[str, str] = field(default_factory=dict)  # what they are called, by their ids
    accounts: Mapping[str, str] = field(default_factory=dict)  # who stands behind them; nobody in a public version


class Book(Protocol):
    """One file while it is made. Raises `OSError` as the file system does."""

    def add(self, lines: Sequence[BookLine]) -> None: ...
    def finish(self) -> None:
        """Write the whole file; nothing may have been written before."""
        ...

    def close(self) -> None:
        """Take away what was laid aside while making it, finished or not."""
        ...


class Binder(Protocol):
    """Makes books of one format, of at most so many lines."""

    most: int

    def begin(self, write: Write, head: BookHead) -> Book: ...


def book_lines(lines: Sequence[Stored], openings: Openings | None) -> list[BookLine]:
    """The lines of a page for a book; without `openings` nobody is named."""
    return [(*line, one.person) for line, one in zip(lines, shown(lines, openings), strict=True)]


def cells_of(line: BookLine, *, public: bool) -> list[str]:
    """The columns of a line as texts, as in CSV: one line each, and no formula."""
    index, data, leaf, name = line
    said = orjson.loads(data) | {"index": index, "person": name, "leaf": leaf.hex()}
    return ["" if public and name in REDACTED else cell(said.get(name)) for name in COLUMNS]


def leaf_proof_block(proofs: Sequence[tuple[int, bytes, Sequence[bytes]]]) -> bytes:
    """Audit paths with their leaves, as JSON lines."""
    dumps, newline = orjson.dumps, orjson.OPT_APPEND_NEWLINE
    return b"".join(
        [
            dumps({"index": index, "leaf": leaf.hex(), "proof": [one.hex() for one in path]}, option=newline)
            for index, leaf, path in proofs
        ]
    )
