"""What a paper says, as values: gathered by `papers`, put into words and drawn by a `Printer`.

Nothing here is a sentence: states, formats and outcomes are members of vocabularies, and the printer names them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.cards import CardState
from accessctl.domain.people import IdentityDocument

Sealing: TypeAlias = Callable[[bytes], bytes]


def unsealed(pdf: bytes) -> bytes:
    """A document as it was drawn: where there is no seal."""
    return pdf


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The paper's number, its moment, and where it stands in the record of `origin`.

    Either an entry (index and leaf hash) or a checkpoint (size and root); never neither.
    """

    number: str
    made_at: datetime
    origin: str
    entry: tuple[int, bytes] | None = None
    checkpoint: tuple[int, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPerson:
    """Somebody named on a paper."""

    name: str
    position: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperDoor:
    """A door that was chosen, the zone behind it and the name of the schedule."""

    door: str
    zone: str
    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSignature:
    """What was drawn: canonical JSON of strokes on a canvas of so many pixels, and the SHA-256 of these bytes."""

    strokes: bytes = field(repr=False)
    width: int
    height: int
    sha256: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFacts:
    """P10.04. Without a signature it is the form to be signed on paper."""

    stamp: Stamp
    request: str
    person: PaperPerson
    document: IdentityDocument
    card: CardNumber
    doors: tuple[PaperDoor, ...]
    valid_from: date
    valid_until: date | None
    authorised_by: PaperPerson
    authorised_at: datetime
    authorised_how: str
    configured_by: PaperPerson
    configured_at: datetime
    signature: PaperSignature | None


class DoorOutcome(StrEnum):
    """What became of a door's access at the device that guards it."""

    CONFIRMED = "confirmed"  # read back: the device holds the person
    PENDING = "pending"
    OFFLINE = "offline"
    UNGUARDED = "unguarded"  # no device of ours at this door
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDoor:
    """A door of the notice with its outcome."""

    door: str
    schedule: str
    outcome: DoorOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """P10.06. `waiver` says why there is no finger, where there is none."""

    stamp: Stamp
    request: str
    requested_at: datetime
    addressee: PaperPerson
    person: PaperPerson
    card: CardNumber
    card_state: CardState
    delivered_at: datetime
    valid_from: date
    valid_until: date | None
    doors: tuple[NoticeDoor, ...]
    waiver: str
    signed_by: PaperPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedCard:
    """A card that was not handed in. `removal` is the start of the removal's id, empty where there was none."""

    card: CardNumber
    holder: str
    since: date
    removal: str
    state: CardState


@dataclass(frozen=True, slots=True, kw_only=True)
class OwingDepartment:
    """Who owes cards. `head` is empty where no account of an authority belongs to the department."""

    department: str
    head: str
    cards: tuple[OwedCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingFacts:
    """N10.4: the list as of a local date."""

    stamp: Stamp
    as_of: date
    owing: tuple[OwingDepartment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEntry:
    """One event at a door. `event`, `direction` and `reason` are words of the vocabularies."""

    index: int
    at: datetime
    door: str
    zone: str
    direction: str
    event: str
    person: str
    credential: str
    reason: str
    norm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterBook:
    """The bound book, where there is one: its number, its authorisation, the folio on which the day begins."""

    book: str = ""
    authorisation: str = ""
    first_folio: int = 1
    folios: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFacts:
    """N4.1: a local day at a place. `left_out` counts what did not fit into one printing."""

    stamp: Stamp
    place: str
    day: date
    entries: tuple[RegisterEntry, ...]
    left_out: int
    book: RegisterBook
    keeper: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """A report on paper: columns (title and share of the width), rows of as many texts, and a remark below each row.

    `asked` is what was asked for; `told`, for each row, what its `about` or `detail` says (`report_names.Told`).
    """

    stamp: Stamp
    title: str
    serves: str
    columns: tuple[tuple[str, float], ...]
    rows: tuple[tuple[str, ...], ...]
    asked: Mapping[str, object]
    told: tuple[Mapping[str, object], ...]
    about: str = ""  # `asked` in words, which are the printer's
    remarks: tuple[str, ...] = ()  # none, or one for each row; "" says nothing


class Printer(Protocol):
    """Draws papers as PDF. The same facts always give the same bytes."""

    def receipt(self, facts: ReceiptFacts) -> bytes: ...
    def notice(self, facts: NoticeFacts) -> bytes: ...
    def outstanding(self, facts: OutstandingFacts) -> bytes: ...
    def register(self, facts: RegisterFacts) -> bytes: ...
