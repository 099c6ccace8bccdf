"""The day's differences: where reader, escort and register do not say the same of a visit (N4.1, P4.07, P4.08).

Each is a fact of its own and none is made from another, so that they can disagree; the list is read every day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.domain.places import ZoneClass
from accessctl.domain.policy import PIN
from accessctl.domain.schedules import GUATEMALA
from accessctl.domain.visits import ENTERED, Visit, VisitRules, VisitState, equipment_difference
from accessctl.services.office import Office
from accessctl.services.store import EventFilter, VisitFilter, Work

MOST_DAY = 5000
LATEST_WORD = timedelta(days=3)  # by then an exit was recorded, or the visit ended as not verified
_INSIDE = frozenset({VisitState.INSIDE, VisitState.WORKING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where reader, escort and register do not say the same. `kind` is a word of `KINDS`."""

    kind: str
    visit: Visit | None
    person: str
    name: str
    reader_at: datetime | None
    verified_at: datetime | None
    recorded_at: datetime | None
    detail: str = ""


def _seen_leaving(visit: Visit) -> bool:
    return visit.left_at is not None and visit.state not in _INSIDE


def _card_is_out(visit: Visit) -> bool:
    over = visit.exited_at is not None or visit.state is VisitState.UNVERIFIED
    return bool(visit.card) and visit.card_back_at is None and over


# What is wrong with a visit, by its own fields; each kind has a name in the panel and in the report.
_KINDS: dict[str, Callable[[Visit], bool]] = {
    "entry_without_reader": lambda visit: bool(visit.entered_by),
    "reader_without_exit_line": lambda visit: _seen_leaving(visit) and visit.exited_at is None,
    "exit_line_without_reader": lambda visit: visit.exited_at is not None and visit.left_at is None,
    "exit_without_verification": lambda visit: _seen_leaving(visit) and visit.third_party and visit.verified_at is None,
    "card_not_back": _card_is_out,
    "fortuitous": lambda visit: visit.awaits_regularisation,
    "unverified": lambda visit: visit.state is VisitState.UNVERIFIED,
}
KINDS = (*_KINDS, "times_disagree", "equipment", "still_inside", "reader_without_visit")


class VisitDifferences:
    """Reading what does not agree."""

    def __init__(self, office: Office, rules: VisitRules) -> None:
        self._office = office
        self._rules = rules

    def differences(self, actor: Actor, day: date) -> list[Difference]:
        """What reader, escort and register do not agree on, of the visits of a local day."""
        self._office.require(actor, Permission.VISIT_SEE, norm="N4.1")
        start, end = midnight(day), midnight(day + timedelta(days=1))
        now = self._office.clock()
        with self._office.store.view() as tx:
            visits = visits_of(tx, day)
            found = [difference for visit in visits for difference in self._of_visit(visit, min(now, end))]
            return found + self._without_visit(tx, start, end)

    def _of_visit(self, visit: Visit, now: datetime) -> list[Difference]:
        found = [(kind, "") for kind, holds in _KINDS.items() if holds(visit)]
        moments = [one for one in (visit.left_at, visit.verified_at, visit.exited_at) if one is not None]
        apart = max(moments) - min(moments) if moments else timedelta(0)
        if apart > self._rules.tolerance:
            found.append(("times_disagree", str(int(apart.total_seconds()))))
        if pieces := _equipment(visit):
            found.append(("equipment", pieces))
        if visit.state in _INSIDE and now >= visit.valid_until:
            found.append(("still_inside", ""))
        return [
            Difference(
                kind=kind,
                visit=visit,
                person=visit.visitor,
                name=visit.name,
                reader_at=visit.left_at,
                verified_at=visit.verified_at,
                recorded_at=visit.exited_at,
                detail=detail,
            )
            for kind, detail in found
        ]

    def _without_visit(self, tx: Work, start: datetime, end: datetime) -> list[Difference]:
        """Entries into a data centre of which the register has no line: own staff who opened no visit (P4.03 no)."""
        centres = [one.id for one in tx.zones.find(zone_class=ZoneClass.DATA_CENTRE, limit=1000)]
        doors = tuple(door.id for door in tx.doors.find(zone=tuple(centres), limit=1000)) if centres else ()
        if not doors:
            return []
        which = EventFilter(since=start, until=end, doors=doors, events=(Fact.DOOR_GRANTED.value,))
        rows = tx.events.rows(which, limit=MOST_DAY)
        visits = tx.visits.find(zone=tuple(centres), newest=True, limit=MOST_DAY)
        lined = {who for visit in visits if touched(visit, start, end) for who in _people(visit)}
        found: dict[str, Difference] = {}
        for row in rows:
            who = row.person or row.credential.removeprefix(PIN)
            if row.visit or who in found or row.person in lined:
                continue
            found[who] = Difference(
                kind="reader_without_visit",
                visit=None,
                person=row.person,
                name=row.person_name,
                reader_at=row.at,
                verified_at=None,
                recorded_at=None,
                detail=row.door,
            )
        return list(found.values())


def _people(visit: Visit) -> set[str]:
    """Whom the visit's line in the register accounts for."""
    return {visit.visitor, *(duty.person for duty in visit.escorts)}


def _equipment(visit: Visit) -> str:
    """What stays (-) and what leaves unknown (+), once the escort has said what leaves; "" where all is well."""
    if visit.verified_at is None:
        return ""
    difference = equipment_difference(visit.brought, visit.taken)
    pieces = [f"-{one.description} {one.serial}".strip() for one in difference.stays]
    pieces += [f"+{one.description} {one.serial}".strip() for one in difference.unknown]
    return "; ".join(pieces)[:500]


def midnight(day: date) -> datetime:
    """When a local day begins."""
    return datetime.combine(day, time(), tzinfo=GUATEMALA)


def visits_of(tx: Work, day: date) -> list[Visit]:
    """The visits that something happened to on a local day, in the order of their numbers."""
    start, end = midnight(day), midnight(day + timedelta(days=1))
    around = VisitFilter(since=start - LATEST_WORD, until=end)
    return [one for one in tx.visits.matching(around, limit=MOST_DAY) if touched(one, start, end)]


def touched(visit: Visit, start: datetime, end: datetime) -> bool:
    """Whether something of the visit happened in the interval, or it was inside then."""
    moments = (visit.entered_at, visit.left_at, visit.verified_at, visit.exited_at, visit.exit_recorded_at)
    if any(moment is not None and start <= moment < end for moment in moments):
        return True
    if visit.state in ENTERED and visit.entered_at is not None and visit.entered_at < end:
        return True
    return visit.awaits_regularisation and start <= visit.authorised_at < end
