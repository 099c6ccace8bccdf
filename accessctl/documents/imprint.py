"""What every document carries besides its content: its number, when it was made, and its reference to the record.

The reference is evidence of integrity and nothing more: with it anybody can check that the entry behind the document
was neither changed nor taken away. It is not an advanced electronic signature of Decreto 47-2008, and the documents
say so.
"""

import base64
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from accessctl.domain.procedures import CITATION

GUATEMALA = ZoneInfo("America/Guatemala")
LONGEST_ORIGIN = 120  # so that the whole reference fits in the foot of a page and in its QR code
LONGEST_NUMBER = 60
LONGEST_CITATION = 120
_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReference:
    """One entry of the record: its index and its RFC 6962 leaf hash (32 bytes)."""

    index: int
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointReference:
    """A checkpoint of the record: the size of the tree and its root hash (32 bytes)."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where the document stands in the record of `origin` (the name in its checkpoints)."""

    origin: str
    entry: EntryReference | None = None
    checkpoint: CheckpointReference | None = None

    def __post_init__(self) -> None:
        """A reference to nothing is no evidence: leave `Imprint.evidence` out instead (ValueError)."""
        if not 0 < len(self.origin) <= LONGEST_ORIGIN or not self.origin.isprintable():
            raise ValueError(f"the origin of a record is 1 to {LONGEST_ORIGIN} printable characters, on one line")
        if self.entry is None and self.checkpoint is None:
            raise ValueError("evidence refers to an entry, to a checkpoint, or to both")

    @property
    def qr_text(self) -> str:
        """The text of the QR code, in lines.

        A checkpoint alone is the body of its C2SP signed note (origin, size, root in base64); an entry is origin,
        `entry INDEX`, `leaf HEX`, and `checkpoint SIZE ROOT` where there is one.
        """
        if self.entry is None:
            return "\n".join([self.origin, *self._checkpoint()]) + "\n"
        lines = [self.origin, f"entry {self.entry.index}", f"leaf {self.entry.leaf.hex()}"]
        if self.checkpoint is not None:
            lines.append(f"checkpoint {' '.join(self._checkpoint())}")
        return "\n".join(lines) + "\n"

    @property
    def sentences(self) -> list[str]:
        """The references in words, for the foot."""
        found = []
        if self.entry is not None:
            found.append(
                f"Asiento {self.entry.index} del registro «{self.origin}»; hoja SHA-256 {self.entry.leaf.hex()}."
            )
        if self.checkpoint is not None:
            size, root = self._checkpoint()
            whose = f" del registro «{self.origin}»" if self.entry is None else ""
            found.append(f"Punto de control{whose}: {size} asientos, raíz {root}.")
        return found

    def _checkpoint(self) -> list[str]:
        if self.checkpoint is None:
            return []
        return [str(self.checkpoint.size), base64.b64encode(self.checkpoint.root).decode("ascii")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """The document's number, the instant it was made (with offset), and its evidence; `citation` is the manual's."""

    number: str
    made_at: datetime
    evidence: Evidence | None
    citation: str = CITATION

    def __post_init__(self) -> None:
        """A number is 1 to 60 characters, a citation at most 120 (ValueError)."""
        if not 0 < len(self.number) <= LONGEST_NUMBER or len(self.citation) > LONGEST_CITATION:
            raise ValueError(
                f"a document has a number of 1 to {LONGEST_NUMBER} characters, a citation of {LONGEST_CITATION}"
            )


def local(at: datetime) -> datetime:
    """The instant in America/Guatemala. A time without offset is a bug of the caller (ValueError)."""
    if at.tzinfo is None:
        raise ValueError("a document prints instants: a time without offset is none")
    return at.astimezone(GUATEMALA)


def moment(at: datetime) -> str:
    """`24/11/2026 08:43:07`, local."""
    return local(at).strftime("%d/%m/%Y %H:%M:%S")


def short_date(day: date) -> str:
    """`24/11/2026`."""
    return day.strftime("%d/%m/%Y")


def long_date(day: date) -> str:
    """`24 de noviembre de 2026`."""
    return f"{day.day} de {_MONTHS[day.month - 1]} de {day.year}"
