"""What it changes that somebody passed a door: where they are, their visit, who is left without an escort or a host.

Inside somebody's transaction, for events decided online (`doorway`), decided by the device alone and reported later,
or typed in from paper. An event that is older than what is known already moves nobody.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Presence, ZoneMap, ZoneState, doubted, entered, left
from accessctl.domain.people import SYSTEM
from accessctl.domain.visits import VISIT_TRANSITIONS, Visit, VisitEvent, VisitState
from accessctl.services.alarm_desk import Subject, raise_alarm, settle
from accessctl.services.office import Office
from accessctl.services.store import Work
from accessctl.services.visit_work import acting, noted, step, waiting_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One person through one door of `zone` (the zone that the door leads into). `visit` where they are a visitor."""

    person: str
    door: str
    zone: str
    entering: bool
    at: datetime
    visit: str = ""
    device: str = ""
    credential: str = ""
    zones: ZoneMap | None = None  # where the caller knows it


def zone_map(tx: Work) -> ZoneMap:
    """The zones of the site."""
    return ZoneMap.of(tx.zones.find(limit=5000))


def moved(tx: Work, passage: Passage) -> Presence | None:
    """Put the person where the passage takes them; None where it is older than what is known."""
    before = tx.presence.maybe(passage.person)
    zones = passage.zones or zone_map(tx)
    if passage.entering:
        after = entered(
            before, person=passage.person, zone=passage.zone, door=passage.door, at=passage.at, visit=passage.visit
        )
    else:
        after = left(
            before,
            zones,
            person=passage.person,
            zone=passage.zone,
            door=passage.door,
            at=passage.at,
            visit=passage.visit,
        )
    if after is None:
        return None
    if before is None:
        tx.presence.add(after)
    else:
        tx.presence.save(after)
    return after


def visitor_entered(tx: Work, office: Office, visit: Visit, passage: Passage, *, with_escort: bool) -> None:
    """A visitor went in. `with_escort`: the door saw both, which is P4.05; otherwise it is an alarm (N4.3, N10.6)."""
    if moved(tx, passage) is None:
        return
    inner = passage.zone == visit.zone
    if not inner:  # premises on the way to the data centre: not the visit's own zone yet
        return
    event = VisitEvent.ENTER_WITH_ESCORT if visit.third_party else VisitEvent.ENTER_ALONE
    state = VISIT_TRANSITIONS.get((visit.state, event))
    if state is None:
        return
    first = visit.entered_at is None
    if with_escort and waiting_step(tx, visit) == 5:
        escort = acting(tx, visit.escort)
        if escort is not None:
            step(tx, visit, 5, actor=escort, at=passage.at)
    after = replace(visit, state=state, entered_at=visit.entered_at or passage.at)
    noted(
        tx,
        after,
        Fact.VISIT_ENTERED,
        actor=SYSTEM,
        at=passage.at,
        norm="P4.05" if visit.third_party else "P4.03",
        door=passage.door,
        credential=passage.credential,
        data={"escort": visit.escort, "first": first},
    )
    if not with_escort and visit.third_party:
        raise_alarm(tx, office, AlarmKind.ESCORT_MISSING, _about(visit, passage), at=passage.at)


def visitor_left(tx: Work, visit: Visit, passage: Passage) -> None:
    """The reader saw a visitor leave: one of three facts, beside the escort's word and the register's line.

    Who leaves the premises around has left the data centre too, though its own reader saw nothing.
    """
    zones = passage.zones or zone_map(tx)
    if moved(tx, passage) is None:
        return
    around = visit.state is VisitState.INSIDE and zones.is_within(visit.zone, passage.zone)
    if passage.zone != visit.zone and not around:
        return
    state = VISIT_TRANSITIONS.get((visit.state, VisitEvent.LEAVE), visit.state)
    after = replace(visit, state=state, left_at=passage.at)
    noted(
        tx,
        after,
        Fact.VISIT_LEFT,
        actor=SYSTEM,
        at=passage.at,
        norm="P4.07",
        door=passage.door,
        credential=passage.credential,
    )
    for kind in (AlarmKind.ESCORT_LEFT_FIRST, AlarmKind.ESCORT_MISSING, AlarmKind.HOST_LEFT):
        settle(tx, kind, visit.id, cause=visit.norm("P4.07"), at=passage.at)


def staff_entered(tx: Work, passage: Passage) -> None:
    """Somebody on their own right went in. Where they have a visit of their own (P4.03 no), it begins."""
    if moved(tx, passage) is None:
        return
    for visit in tx.visits.find(visitor=passage.person, zone=passage.zone, third_party=False, limit=20):
        if state := VISIT_TRANSITIONS.get((visit.state, VisitEvent.ENTER_ALONE)):
            after = replace(visit, state=state, entered_at=visit.entered_at or passage.at)
            noted(tx, after, Fact.VISIT_ENTERED, actor=SYSTEM, at=passage.at, norm="P4.03", door=passage.door)


def staff_left(tx: Work, office: Office, passage: Passage) -> list[Visit]:
    """Somebody on their own right went out. Returns the visits whom they leave behind without company, each alarmed.

    The exit itself is never refused: whoever leaves first is recorded, not held.
    """
    zones = passage.zones or zone_map(tx)
    if moved(tx, passage) is None:
        return []
    for visit in tx.visits.find(visitor=passage.person, zone=passage.zone, third_party=False, limit=20):
        if state := VISIT_TRANSITIONS.get((visit.state, VisitEvent.LEAVE)):
            gone = replace(visit, state=state, left_at=passage.at)
            noted(tx, gone, Fact.VISIT_LEFT, actor=SYSTEM, at=passage.at, norm="P4.08", door=passage.door)
    behind = [
        visit
        for visit in tx.visits.escorted_by(passage.person)
        if visit.state is VisitState.INSIDE and _stays_behind(tx, visit, passage, zones)
    ]
    for visit in behind:
        kind = AlarmKind.ESCORT_LEFT_FIRST if visit.in_data_centre else AlarmKind.HOST_LEFT
        norm = "N4.3" if visit.in_data_centre else "N10.6"
        data = {"escort": passage.person}
        noted(tx, visit, Fact.VISIT_ESCORT_LEFT, actor=SYSTEM, at=passage.at, norm=norm, door=passage.door, data=data)
        raise_alarm(tx, office, kind, _about(visit, passage), at=passage.at)
    return behind


def _stays_behind(tx: Work, visit: Visit, passage: Passage, zones: ZoneMap) -> bool:
    """Whether the visitor is inside the zone that was left, or must be taken to be."""
    if not zones.is_within(visit.zone, passage.zone):
        return False
    presence = tx.presence.maybe(visit.visitor)
    return presence is None or not presence.certain or zones.is_within(presence.zone, passage.zone)


def _about(visit: Visit, passage: Passage) -> Subject:
    return Subject(
        key=visit.id,
        device=passage.device,
        door=passage.door,
        person=visit.visitor,
        detail=f"visita {visit.number}",
    )


def doubt(tx: Work, *, door: str, zone: str, at: datetime) -> int:
    """A door opened and nobody was read (exit button, forced, held open): whoever is inside is uncertain from now on.

    Returns how many that are. The zone bears the doubt until somebody counts (`ZoneDesk.counted`).
    """
    zones = zone_map(tx)
    there = tx.presence.find(zone=tuple(name for name in zones.around if zones.is_within(name, zone)), limit=10_000)
    unsure = doubted(there, zones, zone)
    for one in unsure:
        tx.presence.save(one)
    state = tx.zone_states.maybe(zone)
    if state is None:
        tx.zone_states.add(ZoneState(id=zone, doubt_since=at, doubt_door=door))
    elif state.doubt_since is None or unsure:
        tx.zone_states.save(replace(state, doubt_since=state.doubt_since or at, doubt_door=door))
    else:
        return 0
    data = {"people": len(unsure)}
    tx.record(Fact.PRESENCE_DOUBTED, at=at, actor=SYSTEM, door=door, zone=zone, norm="N10.2", data=data)
    return len(unsure)
