"""What pages and papers show of visits: the list, one visit with its steps, who is inside.

Read models only: names are resolved here, so that a page never looks anything up and never decides anything.
"""

from dataclasses import dataclass
from datetime import datetime

from accessctl.domain.alarms import Alarm
from accessctl.domain.occupancy import Presence
from accessctl.domain.people import Actor, Permission, Person
from accessctl.domain.places import Direction, Door, Transport, Zone
from accessctl.domain.procedures import DATA_CENTRE_ENTRY, Case, missing
from accessctl.domain.requests import Attachment, Signature
from accessctl.domain.schedules import GUATEMALA
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import (
    ENTERED,
    ESCORTS,
    OPEN,
    EquipmentDifference,
    Visit,
    VisitState,
    equipment_difference,
)
from accessctl.services.office import Office
from accessctl.services.request_files import StepLine
from accessctl.services.store import EventFilter, EventRow, Work
from accessctl.services.visit_differences import midnight, touched
from accessctl.services.visit_work import acting

MOST_DAY = 5000
MOST_DEVICES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLine:
    """One visit in a list. `step` is the one that waits (P4), 0 where none does; `presence` is the readers' word."""

    visit: Visit
    zone: Zone
    step: int
    escort: Person | None
    authority: Person
    host: Person | None
    card: VisitorCard | None
    presence: Presence | None
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EscortLine:
    """One duty with names."""

    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFile:
    """One visit with everything that its page shows."""

    line: VisitLine
    case: Case | None
    steps: list[StepLine]
    escorts: list[EscortLine]
    signature: Signature | None
    sheet: Attachment | None
    names: dict[str, str]  # account -> name, of every `*_by`
    difference: EquipmentDifference
    events: list[EventRow]
    alarms: list[Alarm]
    shut: tuple[Door, ...]  # doors into its zone that decide alone, and never open to a visitor's card


@dataclass(frozen=True, slots=True, kw_only=True)
class InsideLine:
    """Somebody inside: where, since when, with whom."""

    person: Person
    zone: str
    since: datetime
    door: str
    certain: bool
    visit: Visit | None
    escort: Person | None


class VisitFiles:
    """Reading visits."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def today(self, actor: Actor) -> list[VisitLine]:
        """Every open visit, what ended today, and whatever was fortuitous and is not regularised yet (N4.2)."""
        self._office.require(actor, Permission.VISIT_SEE, norm="P4.01")
        now = self._office.clock()
        start = midnight(now.astimezone(GUATEMALA).date())
        with self._office.store.view() as tx:
            visits = tx.visits.find(newest=True, limit=1000)
            wanted = [
                one for one in visits if one.state in OPEN or one.awaits_regularisation or touched(one, start, now)
            ]
            return [self._line(tx, one, now) for one in wanted]

    def find(self, actor: Actor, *, state: VisitState | None = None, limit: int = 200) -> list[VisitLine]:
        """Visits, the newest first."""
        self._office.require(actor, Permission.VISIT_SEE, norm="P4.01")
        now = self._office.clock()
        with self._office.store.view() as tx:
            found = tx.visits.find(newest=True, limit=limit, **({"state": state} if state else {}))
            return [self._line(tx, one, now) for one in found]

    def file(self, actor: Actor, visit_id: str) -> VisitFile:
        """One visit. Raises `AccessError(NOT_FOUND)`."""
        self._office.require(actor, Permission.VISIT_SEE, norm="P4.01")
        now = self._office.clock()
        with self._office.store.view() as tx:
            visit = tx.visits.get(visit_id)
            case = tx.cases.maybe(visit.case) if visit.case else None
            which = EventFilter(visit=visit.id)
            return VisitFile(
                line=self._line(tx, visit, now),
                case=case,
                steps=_steps(tx, case),
                escorts=[
                    EscortLine(name=tx.people.get(duty.person).full_name, since=duty.since, until=duty.until)
                    for duty in visit.escorts
                ],
                signature=tx.signatures.maybe(visit.signature) if visit.signature else None,
                sheet=tx.attachments.maybe(visit.signature) if visit.signature else None,
                names=_names(tx, visit),
                difference=equipment_difference(visit.brought, visit.taken),
                events=tx.events.rows(which, limit=200),
                alarms=tx.alarms.find(key=visit.id, limit=50),
                shut=_shut(tx, visit) if visit.third_party and visit.state in OPEN else (),
            )

    def escorts(self) -> list[Person]:
        """Who may escort into the data centre now (N4.3)."""
        with self._office.store.view() as tx:
            people = {account.person for account in tx.accounts.find(disabled_at=None, limit=5000)}
            found = [one for one in people if (actor := acting(tx, one)) is not None and actor.roles & ESCORTS]
            return sorted((tx.people.get(one) for one in found), key=lambda person: person.full_name)

    def inside(self, actor: Actor, zone: str = "") -> list[InsideLine]:
        """Who is inside, the longest first; `zone` counts with what lies inside it."""
        self._office.require(actor, Permission.VISIT_SEE, norm="N10.5")
        with self._office.store.view() as tx:
            around = {one.id: one.inside or "" for one in tx.zones.find(limit=5000)}
            wanted = tuple(name for name in around if not zone or zone in _chain(around, name))
            lines = []
            for one in tx.presence.find(zone=wanted, limit=MOST_DAY):
                visit = tx.visits.maybe(one.visit) if one.visit else None
                escort = tx.people.maybe(visit.escort) if visit is not None and visit.escort else None
                lines.append(
                    InsideLine(
                        person=tx.people.get(one.id),
                        zone=one.zone,
                        since=one.since,
                        door=one.door,
                        certain=one.certain,
                        visit=visit,
                        escort=escort,
                    )
                )
            return lines

    def _line(self, tx: Work, visit: Visit, now: datetime) -> VisitLine:
        case = tx.cases.maybe(visit.case) if visit.case else None
        return VisitLine(
            visit=visit,
            zone=tx.zones.get(visit.zone),
            step=case.step if case is not None and case.is_open else 0,
            escort=tx.people.maybe(visit.escort) if visit.escort else None,
            authority=tx.people.get(visit.authority),
            host=tx.people.maybe(visit.host) if visit.host else None,
            card=tx.visitor_cards.maybe(visit.card) if visit.card else None,
            presence=tx.presence.maybe(visit.visitor) if visit.visitor else None,
            overdue=visit.state in ENTERED and now >= visit.valid_until,
        )


def _shut(tx: Work, visit: Visit) -> tuple[Door, ...]:
    """The doors into the visit's zone that no device opens to its card.

    A data centre's door must ask: what decides alone cannot wait for the escort (N4.3). Elsewhere a controller that
    decides alone holds the card for the window, and a terminal, which knows no end of a validity, never does.
    """
    serving = tx.devices.find(retired=False, direction=Direction.IN, limit=MOST_DEVICES)
    found = []
    for door in tx.doors.find(zone=visit.zone, retired=False, limit=MOST_DEVICES):
        guards = [one for one in serving if door.id in one.doors]
        controllers = [one for one in guards if one.transport is Transport.PUSH]
        if guards and not any(one.online or not visit.in_data_centre for one in controllers):
            found.append(door)
    return tuple(found)


def _chain(around: dict[str, str], zone: str) -> list[str]:
    found: list[str] = []
    while zone and zone not in found:
        found.append(zone)
        zone = around.get(zone, "")
    return found


def _names(tx: Work, visit: Visit) -> dict[str, str]:
    accounts = {visit.authorised_by, visit.registered_by, visit.regularised_by, visit.entered_by, visit.verified_by}
    accounts |= {visit.exit_recorded_by, *(duty.recorded_by for duty in visit.escorts)}
    found: dict[str, str] = {}
    for account_id in accounts - {""}:
        account = tx.accounts.maybe(account_id)
        found[account_id] = tx.people.get(account.person).full_name if account else account_id
    return found


def _steps(tx: Work, case: Case | None) -> list[StepLine]:
    """The numbered steps: done by whom and when, current with what it lacks, waiting."""
    if case is None:
        return []
    done = {one.step: one for one in case.done}
    lines = []
    for step in DATA_CENTRE_ENTRY.steps:
        reference = step.reference(DATA_CENTRE_ENTRY.number)
        made = done.get(step.number)
        if made is not None:
            person = tx.people.maybe(made.person)
            name = person.full_name if person else ""
            lines.append(StepLine(step=step, reference=reference, state="done", by_name=name, at=made.at))
        elif case.is_open and case.step == step.number:
            lacks = missing(DATA_CENTRE_ENTRY, case)
            lines.append(StepLine(step=step, reference=reference, state="current", lacks=lacks))
        else:
            lines.append(StepLine(step=step, reference=reference, state="waiting"))
    return lines
