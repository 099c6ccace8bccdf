"""Visits as rows of a report: the fourteen fields of each (N4.1), and fortuitous entries not regularised (N4.2).

Read from the visits themselves, the oldest first, a bounded piece at a time: who was erased is a number here as there.
A time asked for finds the visits that were going on in it; a door, those to the zone behind it and to what lies inside
that zone; a person, whoever came, received, authorised or escorted.
"""

from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.visits import Visit
from accessctl.services.report_rows import Mark, Piece, Row, Wanted
from accessctl.services.store import VisitFilter, Work
from accessctl.services.visit_paper_facts import RegisterVisit
from accessctl.services.visit_register_reading import register_line

VISIT_COLUMNS = (
    "visit_id", "visit", "person_id", "person", "organisation", "document", "signature", "entered_at", "exited_at",
    "purpose", "receives", "authority", "escorts", "verified_by", "recorded_by", "card", "card_given_at",
    "card_back_at", "briefed_at", "brought", "taken", "fortuitous", "folio", "visit_state",
)  # fmt: skip
FORTUITOUS_COLUMNS = (
    "visit_id", "visit", "person_id", "person", "organisation", "zone", "fortuitous", "authority", "authorised_at",
    "entered_at", "waiting_s", "visit_state",
)  # fmt: skip


def visits(tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
    """A piece of the report of visits (`services.reports`)."""
    del now
    found = _found(tx, wanted, after, limit, fortuitous=False)
    return _piece(found, tuple(_visit(visit, register_line(tx, visit)) for visit in found), limit)


def fortuitous(tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
    """A piece of the report of fortuitous entries that wait to be regularised; `waiting_s` since they were declared."""
    found = _found(tx, wanted, after, limit, fortuitous=True)
    rows: list[Row] = [
        (visit.id, visit.number, visit.visitor, visit.name, visit.organisation, tx.zones.get(visit.zone).name,
         visit.fortuitous, tx.people.get(visit.authority).full_name, visit.authorised_at, visit.entered_at,
         max(0, int((now - visit.authorised_at).total_seconds())), visit.state.value)
        for visit in found
    ]  # fmt: skip
    return _piece(found, tuple(rows), limit)


def _found(tx: Work, wanted: Wanted, after: Mark, limit: int, *, fortuitous: bool) -> list[Visit]:
    zones = _behind(tx, wanted.door) if wanted.door else ()
    if wanted.door and not zones:
        return []
    which = VisitFilter(
        since=wanted.since, until=wanted.until, zones=zones, person=wanted.person, awaits_regularisation=fortuitous
    )
    return tx.visits.matching(which, after=_number(after), limit=limit)


def _piece(found: list[Visit], rows: tuple[Row, ...], limit: int) -> Piece:
    return Piece(rows=rows, after=(str(found[-1].number),) if len(found) == limit else ())


def _visit(visit: Visit, line: RegisterVisit) -> Row:
    document = f"{line.document.kind.value}:{line.document.number}" if line.document else ""
    return (
        visit.id, line.number, visit.visitor, line.name, line.organisation, document, line.signed, line.entered_at,
        line.exited_at, line.purpose, line.receives, line.authority, "; ".join(line.escorts), line.verified_by,
        line.recorded_by, line.card, visit.card_given_at, visit.card_back_at, visit.briefed_at,
        "; ".join(line.brought), "; ".join(line.taken), line.fortuitous, line.folio, visit.state.value,
    )  # fmt: skip


def _behind(tx: Work, door: str) -> tuple[str, ...]:
    """The zone that a door leads into, and every zone inside it; nothing for a door that is none."""
    found = tx.doors.maybe(door)
    if found is None:
        return ()
    zones = [found.zone]
    within = {zone.id: zone.inside or "" for zone in tx.zones.find(limit=5000)}
    for zone in zones:  # grows while it is read: each zone once
        zones += [one for one, around in within.items() if around == zone and one not in zones]
    return tuple(zones)


def _number(after: Mark) -> int:
    if not after:
        return 0
    if len(after) != 1 or not after[0].isascii() or not after[0].isdigit() or len(after[0]) > 9:
        raise AccessError(Reason.NOT_FOUND, field="after")
    return int(after[0])
