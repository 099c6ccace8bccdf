"""What a zone asks at its entry, and emergencies: limit, anti-passback, lockdown, fire, the count of who is inside.

Fire wins over everything: entry stays locked down and leaving free until somebody says that it is over, and a muster
starts. What nobody read is said to be uncertain until somebody counted.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import AntiPassback, Presence, ZoneState, forgiven, muster
from accessctl.domain.people import SYSTEM, Actor, Permission, clean_text
from accessctl.services.alarm_desk import Subject, raise_alarm, settle
from accessctl.services.office import Office
from accessctl.services.passages import zone_map
from accessctl.services.store import Work

LARGEST_LIMIT = 10_000
MOST_PEOPLE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterLine:
    """One person to be found: where, since when, with whom if they are a visitor, and whether a reader is sure."""

    person: str
    name: str
    department: str
    since: datetime
    door: str
    certain: bool
    visit: int = 0
    organisation: str = ""
    escort: str = ""  # name


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterPart:
    """One zone of the list, and since when a door there was opened without a reading."""

    zone: str
    name: str
    lines: tuple[MusterLine, ...]
    doubt_since: datetime | None
    doubt_door: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Muster:
    """Who is inside, by zone, at one moment."""

    at: datetime
    fire_since: datetime | None
    parts: tuple[MusterPart, ...]

    @property
    def people(self) -> int:
        """How many are to be found."""
        return sum(len(part.lines) for part in self.parts)


class ZoneDesk:
    """Rules and emergencies of zones."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def states(self) -> list[ZoneState]:
        """Zones of which something was set or is going on."""
        with self._office.store.view() as tx:
            return tx.zone_states.find(limit=5000)

    def rule(self, actor: Actor, zone: str, *, occupancy_limit: int, anti_passback: AntiPassback) -> None:
        """How many may be inside (0 = as many as come), and what happens to who enters twice."""
        self._office.require(actor, Permission.DEVICES_MANAGE, norm="N10.2")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            if not 0 <= occupancy_limit <= LARGEST_LIMIT:
                raise AccessError(Reason.FORM_INCOMPLETE, "N10.2", missing="occupancy_limit")
            self._change(tx, zone, occupancy_limit=occupancy_limit, anti_passback=anti_passback)
            data = {"occupancy_limit": occupancy_limit, "anti_passback": anti_passback.value}
            tx.record(Fact.ZONE_RULED, at=now, actor=actor, zone=zone, norm="N10.2", data=data)
            tx.commit()

    def lock_down(self, actor: Actor, zone: str, *, why: str) -> None:
        """Nobody enters the zone, nor what lies inside it. Leaving stays free."""
        self._office.require(actor, Permission.ZONES_MANAGE, norm="N10.2")
        now = self._office.clock()
        reason = clean_text(why, field="why", longest=500)
        with self._office.begin(actor) as tx:
            state = tx.zone_states.maybe(zone)
            if state is not None and state.locked_since is not None:
                raise AccessError(Reason.ALREADY_DONE, "N10.2")
            self._change(tx, zone, locked_since=now, locked_why=reason)
            tx.record(Fact.ZONE_LOCKED, at=now, actor=actor, zone=zone, norm="N10.2", data={"why": reason})
            tx.commit()

    def reopen(self, actor: Actor, zone: str) -> None:
        """The lockdown is over. Fire has an end of its own."""
        self._office.require(actor, Permission.ZONES_MANAGE, norm="N10.2")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            state = tx.zone_states.maybe(zone)
            if state is None or state.locked_since is None:
                raise AccessError(Reason.ALREADY_DONE, "N10.2")
            self._change(tx, zone, locked_since=None, locked_why="")
            tx.record(Fact.ZONE_REOPENED, at=now, actor=actor, zone=zone, norm="N10.2")
            tx.commit()

    def fire_reported(self, *, device: str, door: str, at: datetime) -> None:
        """A fire input went on: everything around that door is locked to who enters, and the muster starts."""
        with self._office.store.begin() as tx:
            fire(tx, self._office, device=device, door=door, at=at)
            tx.commit()

    def fire_over(self, actor: Actor, zone: str) -> None:
        """Somebody who may says that it is over; entry opens again."""
        self._office.require(actor, Permission.ZONES_MANAGE, norm="N10.2")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            state = tx.zone_states.maybe(zone)
            if state is None or state.fire_since is None:
                raise AccessError(Reason.ALREADY_DONE, "N10.2")
            self._change(tx, zone, fire_since=None)
            tx.record(Fact.FIRE_ENDED, at=now, actor=actor, zone=zone, norm="N10.2")
            settle(tx, AlarmKind.FIRE, zone, cause="N10.2", at=now)
            tx.commit()

    def forgive(self, actor: Actor, person: str) -> None:
        """Anti-passback is forgotten for a person once: the next reader says where they are."""
        self._office.require(actor, Permission.ZONES_MANAGE, norm="N10.1")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            tx.presence.save(forgiven(tx.presence.get(person)))
            tx.record(Fact.PRESENCE_FORGIVEN, at=now, actor=actor, person=person, norm="N10.1")
            tx.commit()

    def counted(self, actor: Actor, zone: str, *, gone: tuple[str, ...] = ()) -> None:
        """Somebody looked: those named are not there any more, everybody else in this very zone is. The doubt ends.

        Zones inside it are counted by themselves: nobody becomes certain in a room that was not looked into.
        """
        self._office.require(actor, Permission.ZONES_MANAGE, norm="N10.2")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            zones = zone_map(tx)
            tx.zones.get(zone)
            for one in tx.presence.find(zone=zone, limit=MOST_PEOPLE):
                outside = zones.around.get(zone, "")
                found = replace(one, zone=outside, since=now) if one.id in gone else one
                tx.presence.save(replace(found, certain=True, seen_at=now))
            self._change(tx, zone, doubt_since=None, doubt_door="")
            tx.record(Fact.PRESENCE_DOUBTED, at=now, actor=actor, zone=zone, data={"counted": True, "gone": len(gone)})
            tx.commit()

    def muster(self, actor: Actor, zone: str = "") -> Muster:
        """Who is inside, by zone; "" is the whole site. Also the uncertain: better one sought in vain than one left."""
        self._office.require(actor, Permission.EVENTS_SEE, Permission.VISIT_SEE, norm="N10.2")
        with self._office.store.view() as tx:
            zones = zone_map(tx)
            states = tx.zone_states.find(limit=5000)
            there = tx.presence.find(zone=tuple(zones.around), limit=MOST_PEOPLE)
            parts = tuple(
                MusterPart(
                    zone=part.zone,
                    name=tx.zones.get(part.zone).name,
                    lines=tuple(_line(tx, one) for one in part.people),
                    doubt_since=part.doubt_since,
                    doubt_door=part.doubt_door,
                )
                for part in muster(there, zones, states, zone)
            )
        fires = [state.fire_since for state in states if state.fire_since is not None]
        return Muster(at=self._office.clock(), fire_since=min(fires, default=None), parts=parts)

    def _change(self, tx: Work, zone: str, **changes: object) -> None:
        change_state(tx, zone, **changes)


def change_state(tx: Work, zone: str, **changes: object) -> ZoneState:
    """Change what is kept of a zone; the zone must be on file. Commits nothing."""
    tx.zones.get(zone)
    before = tx.zone_states.maybe(zone)
    after: ZoneState = replace(before or ZoneState(id=zone), **changes)  # type: ignore[arg-type]  # fields by name
    if before is None:
        tx.zone_states.add(after)
    else:
        tx.zone_states.save(after)
    return after


def fire(tx: Work, office: Office, *, device: str, door: str, at: datetime) -> None:
    """Fire at a door, inside the transaction of whoever received it. The outermost zone is locked to who enters."""
    found = tx.doors.get(door)
    zone = zone_map(tx).outermost(found.zone)
    state = tx.zone_states.maybe(zone)
    if state is None or state.fire_since is None:
        change_state(tx, zone, fire_since=at)
    tx.record(Fact.FIRE_REPORTED, at=at, actor=SYSTEM, device=device, door=door, zone=zone, norm="N10.2")
    raise_alarm(tx, office, AlarmKind.FIRE, Subject(key=zone, device=device, door=door), at=at)


def _line(tx: Work, presence: Presence) -> MusterLine:
    person = tx.people.get(presence.id)
    visit = tx.visits.maybe(presence.visit) if presence.visit else None
    return MusterLine(
        person=person.id,
        name=person.full_name,
        department=person.department,
        since=presence.since,
        door=presence.door,
        certain=presence.certain,
        visit=visit.number if visit else 0,
        organisation=visit.organisation if visit else "",
        escort=tx.people.get(visit.escort).full_name if visit and visit.escort else "",
    )
