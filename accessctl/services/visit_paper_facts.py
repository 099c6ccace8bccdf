"""What the papers of procedure 4 say, as values: the visitor's badge, the muster list, blank contingency folios."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.people import IdentityDocument
from accessctl.services.paper_facts import Stamp
from accessctl.services.zone_desk import Muster

FOLIO = "C-%06d"  # how a contingency folio is named, on the sheet and wherever a line of it is typed in


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeFacts:
    """A visitor's badge. `code` is what its QR code says: the card's number as a reader of QR codes hands it on."""

    stamp: Stamp
    visit: int
    name: str
    organisation: str
    zone: str
    receives: str
    escort: str
    valid_from: datetime
    valid_until: datetime
    label: str
    card: CardNumber
    slip: bool
    fortuitous: bool

    @property
    def code(self) -> str:
        """The payload in decimal, which a QR reader puts on its Wiegand line as a card's number."""
        return str(self.card.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterFacts:
    """Who is to be found; `place` is the zone that was asked for, "" for the whole site. Doors by name."""

    stamp: Stamp
    place: str
    muster: Muster
    doors: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolioFacts:
    """Blank folios `first` to `last`, reserved for the times when power or network fails."""

    stamp: Stamp
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterVisit:
    """One visit's line in the register: its fourteen fields and the equipment. `signed` is the SHA-256 of what was
    signed, "" before P4.04. `entry` and `mark` are the line's own entry in the record and the first digits of its leaf.
    """

    number: int
    name: str
    organisation: str
    document: IdentityDocument | None
    purpose: str
    receives: str
    authority: str
    escorts: tuple[str, ...]
    brought: tuple[str, ...]
    taken: tuple[str, ...]
    card: str
    card_back: bool
    briefed: bool
    entered_at: datetime | None
    exited_at: datetime | None
    verified_by: str
    recorded_by: str
    signed: str
    fortuitous: str
    regularised_at: datetime | None
    folio: str
    vehicle: str
    unverified: bool
    equipment_agrees: bool
    entry: int | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRegisterFacts:
    """N4.1: the visits of a local day, of one zone (`place`) or of all; `printing` numbers this printing."""

    stamp: Stamp
    printing: int
    place: str
    day: date
    visits: tuple[RegisterVisit, ...]
    keeper: str


class VisitPrinter(Protocol):
    """Draws papers as PDF. The same facts always give the same bytes."""

    def badge(self, facts: BadgeFacts) -> bytes: ...
    def muster(self, facts: MusterFacts) -> bytes: ...
    def folios(self, facts: FolioFacts) -> bytes: ...
    def register(self, facts: VisitRegisterFacts) -> bytes: ...
