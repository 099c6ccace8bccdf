"""Blank contingency folios of the register (N4.1): which are reserved, used, void, and which never came back.

All of it is read from the record and from what visits name: a folio is reserved by an entry and void by an entry, so
that neither can be taken back silently. A spoiled sheet is kept and declared void, by whom and why; then it is not
missed. A void folio that a visit names all the same is reported: one of the two is wrong.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission, clean_text
from accessctl.record import decode
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, EventRow, Work
from accessctl.services.visit_paper_facts import FOLIO

MOST_VISITS = 20_000
MOST_VOID = 5_000
LONGEST_NAME = 40  # as long as a visit may name one
_NAMED = re.compile(r"C-?0*([0-9]{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidFolio:
    """A spoiled folio, with who declared it void (an account), when and why; `index` is the entry that says so."""

    number: int
    why: str
    by: str
    at: datetime
    index: int

    @property
    def name(self) -> str:
        """As it is printed on the sheet."""
        return FOLIO % self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class FolioReport:
    """Blank folios up to `reserved`; `missing` lie before one that was used, no line names them, and none is void.

    `foreign` are folios that a visit names and that were never reserved, `contested` those that it names though void.
    """

    reserved: int
    used: int
    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    contested: tuple[str, ...]
    void: tuple[VoidFolio, ...]


class FolioDesk:
    """Whoever keeps the book of contingency folios."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def void(self, actor: Actor, folio: str, *, why: str) -> VoidFolio:
        """N4.1: a spoiled folio is void, with its reason. Refused where it was never reserved, is used, or is void."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="N4.1")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            number = number_of(clean_text(folio, field="folio", longest=LONGEST_NAME))
            reason = clean_text(why, field="why", longest=500)
            if number is None or not 1 <= number <= reserved(tx):
                raise AccessError(Reason.NOT_FOUND, "N4.1", field="folio")
            if number in {one.number for one in void_folios(tx)}:
                raise AccessError(Reason.ALREADY_DONE, "N4.1")
            if number in {number_of(one) for one in _named(tx)}:
                raise AccessError(Reason.ALREADY_EXISTS, "N4.1", field="folio")
            data: dict[str, str | int | bool | None] = {"folio": number, "why": reason}
            index = tx.events.size()
            tx.record(Fact.FOLIO_VOIDED, at=now, actor=actor, norm="N4.1", data=data)
            tx.commit()
        return VoidFolio(number=number, why=reason, by=actor.account, at=now, index=index)

    def report(self, actor: Actor) -> FolioReport:
        """Which reserved folios are missing, which void, and which are named that should not be."""
        self._office.require(actor, Permission.VISIT_SEE, norm="N4.1")
        with self._office.store.view() as tx:
            last, void, named = reserved(tx), void_folios(tx), _named(tx)
        numbers = {folio: number_of(folio) for folio in named}
        used = {one for one in numbers.values() if one is not None and 1 <= one <= last}
        gone = {one.number for one in void}
        missing = [one for one in range(1, max(used, default=0)) if one not in used and one not in gone]
        return FolioReport(
            reserved=last,
            used=len(used),
            missing=tuple(FOLIO % one for one in missing),
            foreign=tuple(sorted(folio for folio, one in numbers.items() if one not in used)),
            contested=tuple(FOLIO % one for one in sorted(used & gone)),
            void=void,
        )


def number_of(folio: str) -> int | None:
    """The number of a contingency folio, however it is written (`C-000004`, `c4`); None where it is none of ours."""
    match = _NAMED.fullmatch(folio.strip())
    return int(match[1]) if match else None


def reserved(tx: Work) -> int:
    """The highest folio reserved so far, as the record says; 0 before the first."""
    which = EventFilter(events=(Fact.FOLIOS_RESERVED.value,))
    for row in tx.events.rows(which, limit=1, newest=True):
        return int(_told(tx, row, "last") or 0)
    return 0


def void_folios(tx: Work) -> tuple[VoidFolio, ...]:
    """What was declared void, in the order of the numbers."""
    rows = tx.events.rows(EventFilter(events=(Fact.FOLIO_VOIDED.value,)), limit=MOST_VOID)
    found = [
        VoidFolio(
            number=int(_told(tx, row, "folio")), why=_told(tx, row, "why"), by=row.actor, at=row.at, index=row.index
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: one.number))


def _told(tx: Work, row: EventRow, key: str) -> str:
    data = decode(next(tx.ledger.entries(row.index, row.index + 1))[1])["data"]
    return str(data[key]) if isinstance(data, dict) else ""


def _named(tx: Work) -> set[str]:
    """Every folio that a visit names, as it was typed."""
    return {one.folio for one in tx.visits.find(newest=True, limit=MOST_VISITS) if one.folio}
