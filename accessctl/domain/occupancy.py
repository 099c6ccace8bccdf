"""Who is inside which zone, from events; what a zone forbids at its entry; and the list for a muster.

A person is in one place: the innermost zone that they were seen to enter, "" outside. Leaving a zone puts them into the
zone around it. Events come late and twice: one that happened before what is known already changes nothing. What is not
known is said: after a door was opened without anybody being read (exit button, forced, held open), those inside are
uncertain until a reader sees them again. Uncertain people are never refused for anti-passback, and always mustered.

Leaving is never refused; nothing here is asked on the way out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from accessctl.domain.errors import Reason
from accessctl.domain.places import Door, Zone

OUTSIDE = ""
MOST_NESTED = 16
LASTS = timedelta(hours=16)  # longer than a shift: where no reader sees people leave, yesterday's entry proves nothing


class AntiPassback(StrEnum):
    """Whether somebody who is inside already may enter again: yes; yes, but it is noted; no."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Where a person is (the id is theirs). `since` they are in this zone; `seen_at` is the last event that counts."""

    id: str
    zone: str
    since: datetime
    seen_at: datetime
    door: str = ""
    visit: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneState:
    """What a zone asks at its entry, and what goes on in it now (the id is the zone's). A limit of 0 is none."""

    id: str
    occupancy_limit: int = 0
    anti_passback: AntiPassback = AntiPassback.OFF
    locked_since: datetime | None = None
    locked_why: str = ""
    fire_since: datetime | None = None
    doubt_since: datetime | None = None
    doubt_door: str = ""

    @property
    def is_locked(self) -> bool:
        """Nobody enters. Fire wins over everything else."""
        return self.locked_since is not None or self.fire_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneMap:
    """Which zone lies inside which: `around[zone]` is the zone around it, "" for the outermost."""

    around: Mapping[str, str]

    @classmethod
    def of(cls, zones: Iterable[Zone]) -> "ZoneMap":
        """From the site's zones."""
        return cls(around={zone.id: zone.inside or OUTSIDE for zone in zones})

    def chain(self, zone: str) -> tuple[str, ...]:
        """The zone and those around it, the outermost last. A ring in the site's file ends the walk."""
        found: list[str] = []
        while zone and zone not in found and len(found) < MOST_NESTED:
            found.append(zone)
            zone = self.around.get(zone, OUTSIDE)
        return tuple(found)

    def is_within(self, place: str, zone: str) -> bool:
        """Whether whoever is in `place` is in `zone` too."""
        return bool(zone) and zone in self.chain(place)

    def outermost(self, zone: str) -> str:
        """The zone that everything around it ends in."""
        chain = self.chain(zone)
        return chain[-1] if chain else zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Doors and zones in service, as decisions look them up."""

    doors: Mapping[str, Door]
    zones: Mapping[str, Zone]
    map: ZoneMap

    @classmethod
    def of(cls, doors: Iterable[Door], zones: Iterable[Zone]) -> "Site":
        """Retired doors lead nowhere; retired zones still lie around others."""
        known = {zone.id: zone for zone in zones}
        serving = {door.id: door for door in doors if not door.retired}
        return cls(doors=serving, zones=known, map=ZoneMap.of(known.values()))

    def zone_behind(self, door: str) -> Zone | None:
        """The zone that a door leads into; None where the door is not in service."""
        found = self.doors.get(door)
        return self.zones.get(found.zone) if found is not None else None


def entered(
    before: Presence | None, *, person: str, zone: str, door: str, at: datetime, visit: str = ""
) -> Presence | None:
    """Where the person is after entering; None where the event is older than what is known and changes nothing."""
    if before is not None and at < before.seen_at:
        return None
    stays = before is not None and before.zone == zone and before.certain
    since = before.since if before is not None and stays else at
    return Presence(id=person, zone=zone, since=since, seen_at=at, door=door, visit=visit)


def left(
    before: Presence | None, zones: ZoneMap, *, person: str, zone: str, door: str, at: datetime, visit: str = ""
) -> Presence | None:
    """Where the person is after leaving `zone`; None where the event is older than what is known."""
    if before is not None and at < before.seen_at:
        return None
    return Presence(
        id=person, zone=zones.around.get(zone, OUTSIDE), since=at, seen_at=at, door=door, visit=visit or _visit(before)
    )


def _visit(before: Presence | None) -> str:
    return before.visit if before is not None else ""


def is_fresh(presence: Presence, at: datetime) -> bool:
    """Whether the last event still says where somebody is (N10.6 relies on it). A muster lists the stale ones too."""
    return abs(at - presence.seen_at) <= LASTS


def forgiven(presence: Presence) -> Presence:
    """Anti-passback forgotten once: the next event says where the person is."""
    return replace(presence, certain=False)


def doubted(presences: Iterable[Presence], zones: ZoneMap, zone: str) -> list[Presence]:
    """Those whose presence a door opened without a reading makes uncertain: everybody inside the zone."""
    return [replace(one, certain=False) for one in presences if one.certain and zones.is_within(one.zone, zone)]


def inside(presences: Iterable[Presence], zones: ZoneMap, zone: str) -> list[Presence]:
    """Who is in the zone, those in zones inside it included, the longest there first."""
    found = [one for one in presences if zones.is_within(one.zone, zone)]
    return sorted(found, key=lambda one: (one.since, one.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known where somebody wants to enter `zone`: the states of it and those around it, and who is in it."""

    zone: str
    states: tuple[ZoneState, ...]  # of the zone first, then outwards; zones without a state are left out
    occupied: int
    presence: Presence | None


class Obstacle(StrEnum):
    """What a zone has against an entry. SOFT is noted and opens."""

    LOCKDOWN = "lockdown"
    FULL = "full"
    INSIDE_ALREADY = "inside_already"
    INSIDE_ALREADY_SOFT = "inside_already_soft"


REASONS: Mapping[Obstacle, tuple[Reason, str]] = {
    Obstacle.LOCKDOWN: (Reason.LOCKDOWN, "N10.2"),
    Obstacle.FULL: (Reason.OCCUPANCY_LIMIT, "N10.2"),
    Obstacle.INSIDE_ALREADY: (Reason.ANTI_PASSBACK, "N10.1"),
    Obstacle.INSIDE_ALREADY_SOFT: (Reason.ANTI_PASSBACK, "N10.1"),
}


def obstacle(entry: Entry, zones: ZoneMap, *, company: int = 0) -> Obstacle | None:
    """What is against this entry, the gravest first. A lockdown counts inwards: what lies inside is locked too.

    `company` is how many enter together with the person: an escort's visitors who wait at the door.
    """
    if any(state.is_locked for state in entry.states):
        return Obstacle.LOCKDOWN
    own = next((state for state in entry.states if state.id == entry.zone), None)
    if own is None:
        return None
    here = entry.presence is not None and zones.is_within(entry.presence.zone, entry.zone)
    sure = here and entry.presence is not None and entry.presence.certain
    if sure and own.anti_passback is AntiPassback.HARD:
        return Obstacle.INSIDE_ALREADY
    arriving = company + (0 if here else 1)
    if arriving and own.occupancy_limit and entry.occupied + arriving > own.occupancy_limit:
        return Obstacle.FULL
    if sure and own.anti_passback is AntiPassback.SOFT:
        return Obstacle.INSIDE_ALREADY_SOFT
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MusterZone:
    """One zone of a muster: who is exactly there, and since when nobody can be sure, where a door was doubtful."""

    zone: str
    people: tuple[Presence, ...]
    doubt_since: datetime | None
    doubt_door: str


def muster(presences: Iterable[Presence], zones: ZoneMap, states: Iterable[ZoneState], zone: str) -> list[MusterZone]:
    """Everybody inside `zone` ("" = everywhere), by the zone that they are in, outer zones first. Empty zones too."""
    by_zone: dict[str, list[Presence]] = {}
    for one in presences:
        if one.zone:
            by_zone.setdefault(one.zone, []).append(one)
    doubts = {state.id: state for state in states}
    wanted = [name for name in {**zones.around, **by_zone} if not zone or zones.is_within(name, zone)]
    return [
        MusterZone(
            zone=name,
            people=tuple(sorted(by_zone.get(name, ()), key=lambda one: (one.since, one.id))),
            doubt_since=doubts[name].doubt_since if name in doubts else None,
            doubt_door=doubts[name].doubt_door if name in doubts else "",
        )
        for name in sorted(wanted, key=lambda name: (len(zones.chain(name)), name))
    ]
