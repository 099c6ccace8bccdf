"""The printed register, line by line (N4.1): what a line said when it was printed stands in the record.

A printing is one entry, and one more for each line of it, in the order of the sheet; the printing's number is the index
of its first entry. A line's entry commits to the texts of the line, salted and erased with the person like every
personal detail, so its leaf is a mark that nobody can make for other words: its first digits stand on the sheet. Staff
are named by their ids in it, and by their names wherever it is shown: who is erased later is erased here too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import orjson

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor
from accessctl.domain.schedules import local
from accessctl.record import decode
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, EventRow, Work
from accessctl.services.visit_paper_facts import RegisterVisit
from accessctl.services.visit_register_reading import day_visits, register_line

NORM = "N4.1"
MARK_DIGITS = 10  # of the leaf, in hex
_STAFF = re.compile(r"⟦([A-Za-z0-9_-]{1,64})⟧")

FIELDS = (
    "visit", "name", "organisation", "document", "purpose", "receives", "authority", "escorts", "card", "card_back",
    "briefed", "entered_at", "exited_at", "verified_by", "recorded_by", "signature", "brought", "taken", "fortuitous",
    "regularised_at", "folio", "vehicle", "unverified",
)  # fmt: skip
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """A register that was printed: `number` is the index of its entry, `zone` is empty for all."""

    number: int
    at: datetime
    actor: str
    day: date
    zone: str
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLine:
    """A line as it was printed; `texts` is None where the person was erased meanwhile."""

    line: int
    index: int
    mark: str
    visit: str
    texts: Texts | None


def record_lines(office: Office, actor: Actor, day: date, zone: str) -> tuple[int, tuple[RegisterVisit, ...]]:
    """Record a day's register as about to be printed: the printing's number, and its lines with their marks."""
    now = office.clock()
    with office.begin(actor) as tx:
        visits = day_visits(tx, day, zone=zone)
        number = tx.events.size()  # nobody else writes before we commit
        data: dict[str, str | int | bool | None] = {"day": day.isoformat(), "zone": zone, "lines": len(visits)}
        tx.record(Fact.VISIT_REGISTER_PRINTED, at=now, actor=actor, norm=NORM, zone=zone, data=data)
        for line, visit in enumerate(visits, start=1):
            paper = orjson.dumps(texts_of(register_line(tx, visit, name_of=_marked)), option=orjson.OPT_SORT_KEYS)
            tx.record(
                Fact.VISIT_LINE_PRINTED,
                at=now,
                actor=actor,
                norm=NORM,
                visit=visit.id,
                person=visit.visitor,
                case=visit.case or ("" if visit.visitor else visit.id),
                zone=visit.zone,
                data={"printing": number, "line": line},
                personal={"paper": paper.decode()},
            )
        tx.commit()
    with office.store.view() as tx:
        rows = {row.visit: row for row in _rows(tx, number, len(visits))}
        lines = tuple(
            replace(register_line(tx, visit), entry=rows[visit.id].index, mark=mark_of(rows[visit.id]))
            for visit in visits
        )
    return number, lines


def mark_of(row: EventRow) -> str:
    """What stands on the sheet for a line's entry."""
    return row.leaf.hex()[:MARK_DIGITS]


def printing(tx: Work, number: int) -> Printing:
    """Raises `AccessError(NOT_FOUND)` for a number that is no printing's."""
    which = EventFilter(after_index=number - 1, before_index=number + 1, events=(Fact.VISIT_REGISTER_PRINTED.value,))
    if not 0 <= number < tx.events.size() or not (rows := tx.events.rows(which, limit=1)):
        raise AccessError(Reason.NOT_FOUND, NORM, field="printing")
    return _printing(tx, rows[0])


def printings(tx: Work, *, limit: int = 50) -> list[Printing]:
    """The newest first."""
    which = EventFilter(events=(Fact.VISIT_REGISTER_PRINTED.value,))
    return [_printing(tx, row) for row in tx.events.rows(which, limit=limit, newest=True)]


def printed_lines(tx: Work, of: Printing) -> Iterator[PrintedLine]:
    """The lines of a printing, as they were printed."""
    for row in _rows(tx, of.number, of.lines):
        said = _said(tx, row)
        committed = said.get("paper")
        mark = str(committed.get("c")) if isinstance(committed, dict) else ""
        opened = tx.ledger.openings([mark]).get(mark)
        texts = None if opened is None else orjson.loads(opened.value)
        line = said.get("line")
        yield PrintedLine(
            line=line if isinstance(line, int) else 0,
            index=row.index,
            mark=mark_of(row),
            visit=row.visit,
            texts=texts,
        )


def present_texts(tx: Work, of: Printing) -> dict[str, Texts]:
    """What the lines of that day and zone say now, by the visit's id, in the order of their numbers."""
    found = day_visits(tx, of.day, zone=of.zone)
    return {visit.id: texts_of(register_line(tx, visit, name_of=_marked)) for visit in found}


def present_text(tx: Work, visit: str) -> Texts | None:
    """What one visit's line says now."""
    found = tx.visits.maybe(visit)
    return None if found is None else texts_of(register_line(tx, found, name_of=_marked))


def shown(tx: Work, text: str) -> str:
    """A text with the names of staff in the place of their ids."""

    def name(match: re.Match[str]) -> str:
        person = tx.people.maybe(match[1])
        return match[0] if person is None else person.full_name

    return _STAFF.sub(name, text)


def texts_of(line: RegisterVisit) -> dict[str, str]:
    """A line as texts, one for each of `FIELDS`; times are local, to the minute, as on the sheet."""
    return {
        "visit": str(line.number),
        "name": line.name,
        "organisation": line.organisation,
        "document": f"{line.document.kind.value} {line.document.number}" if line.document else "",
        "purpose": line.purpose,
        "receives": line.receives,
        "authority": line.authority,
        "escorts": "; ".join(line.escorts),
        "card": line.card,
        "card_back": "si" if line.card_back else "",
        "briefed": "si" if line.briefed else "",
        "entered_at": _minute(line.entered_at),
        "exited_at": _minute(line.exited_at),
        "verified_by": line.verified_by,
        "recorded_by": line.recorded_by,
        "signature": line.signed,
        "brought": "; ".join(line.brought),
        "taken": "; ".join(line.taken),
        "fortuitous": line.fortuitous,
        "regularised_at": _minute(line.regularised_at),
        "folio": line.folio,
        "vehicle": line.vehicle,
        "unverified": "si" if line.unverified else "",
    }


def _marked(person: str) -> str:
    return f"⟦{person}⟧"


def _minute(at: datetime | None) -> str:
    return "" if at is None else f"{local(at):%d/%m/%Y %H:%M}"


def _rows(tx: Work, number: int, lines: int) -> list[EventRow]:
    which = EventFilter(after_index=number, before_index=number + lines + 1, events=(Fact.VISIT_LINE_PRINTED.value,))
    return tx.events.rows(which, limit=lines)


def _printing(tx: Work, row: EventRow) -> Printing:
    said = _said(tx, row)
    lines = said.get("lines")
    return Printing(
        number=row.index,
        at=row.at,
        actor=row.actor,
        day=date.fromisoformat(str(said.get("day"))),
        zone=row.zone,
        lines=lines if isinstance(lines, int) else 0,
    )


def _said(tx: Work, row: EventRow) -> Mapping[str, object]:
    entry = decode(next(tx.ledger.entries(row.index, row.index + 1))[1])
    said = entry.get("data")
    return said if isinstance(said, dict) else {}
