"""What a terminal should hold, what it holds, and the difference. Pure: values in, values out.

A terminal that decides alone holds only what may open now. A person whose card is delivered and whose grant is open
has an enabled slot with card, fingers and time zones; one who is chosen but not delivered, suspended, or not yet or no
longer within the window has at most a disabled slot, without card and without finger. Removals are planned first.
What is on the terminal and was not put there by us is a rogue: listed for an alarm, not removed silently.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from accessctl.domain.schedules import Calendar, WeeklySchedule
from accessctl.ports import TerminalTemplate, TerminalUser, TimeZoneWeek

FIRST_ZONE = 2  # index 1 is the terminal's own default and is left alone
ZONES_EACH = 3  # one interval a day each, three a schedule
LAST_ZONE = 50
ZONES_IN_RECORD = {28: 1, 72: 3}  # how many time zones a slot has room for, by the bytes of the terminal's records


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedUser:
    """A person as a terminal should hold them; `fingers` maps finger to (flag, digest of the template)."""

    person: str
    user_id: str
    name: str
    card: int
    enabled: bool
    schedule: str
    fingers: Mapping[int, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFinger:
    """A template on a terminal, by digest only."""

    user_id: str
    finger: int
    flag: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do to a terminal, in this order.

    `hold` are slots whose time zones are about to mean something else: they are closed before the zones are written,
    so that nobody is let in by a week that is not theirs while the terminal is between two states.
    """

    remove: tuple[int, ...]  # slots, by uid
    strip: tuple[tuple[int, tuple[int, ...]], ...]  # uid, fingers to erase
    hold: tuple[TerminalUser, ...]
    put: tuple[TerminalUser, ...]
    fingers: tuple[tuple[str, int], ...]  # (person, finger) to be placed
    zones: tuple[TimeZoneWeek, ...]
    rogues: tuple[TerminalUser, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the terminal holds exactly what it should, rogues aside."""
        return not (self.remove or self.strip or self.put or self.fingers or self.zones)

    @property
    def changes(self) -> int:
        """How many slots, templates and zones differ."""
        return len(self.remove) + len(self.strip) + len(self.put) + len(self.fingers) + len(self.zones)


def zone_indexes(schedules: Iterable[WeeklySchedule]) -> dict[str, tuple[int, ...]]:
    """The terminal's time zone indexes of each schedule, by id, in a fixed order; those that do not fit get none.

    A schedule without indexes never opens on a terminal: no schedule means never.
    """
    first = range(FIRST_ZONE, LAST_ZONE - ZONES_EACH + 2, ZONES_EACH)
    ids = sorted(schedule.id for schedule in schedules)
    return {key: tuple(range(index, index + ZONES_EACH)) for key, index in zip(ids, first, strict=False)}


def zone_weeks(schedule: WeeklySchedule, indexes: Sequence[int], start: date, calendar: Calendar) -> list[TimeZoneWeek]:
    """The schedule's next seven days as the terminal's zones: interval k of each day goes into zone k.

    A terminal knows no holidays, so they are written into the week ahead, which the fleet renews every day. Intervals
    beyond the last zone (a half holiday can have a fourth) are left out: the terminal then opens less, never more.
    """
    week = schedule.week_ahead(start, calendar)
    return [
        TimeZoneWeek(index=index, days=tuple(_interval(day[rank]) if rank < len(day) else (0, 0) for day in week))
        for rank, index in enumerate(indexes)
    ]


def _interval(interval: tuple[int, int]) -> tuple[int, int]:
    """Terminals count the last minute in: a day ends at 23:59."""
    return interval[0], interval[1] - 1


def plan(
    wanted: Sequence[WantedUser],
    zones_wanted: Sequence[TimeZoneWeek],
    zone_of: Mapping[str, tuple[int, ...]],
    held: Sequence[TerminalUser],
    held_fingers: Sequence[HeldFinger],
    zones_held: Sequence[TimeZoneWeek],
    ours: frozenset[str],
) -> Plan:
    """The difference. `ours` are the user ids that we put on this terminal at some time."""
    wanted_by_id = {one.user_id: one for one in wanted}
    held_by_id = {one.user_id: one for one in held}
    fingers: dict[str, dict[int, HeldFinger]] = {}
    for finger in held_fingers:
        fingers.setdefault(finger.user_id, {})[finger.finger] = finger
    known = ours | frozenset(wanted_by_id)
    rogues = tuple(one for one in held if one.user_id not in known)
    remove = tuple(one.uid for one in held if one.user_id in known and one.user_id not in wanted_by_id)
    taken = {one.uid for one in held}
    seen_zones = {zone.index: zone for zone in zones_held}
    zones = tuple(zone for zone in zones_wanted if seen_zones.get(zone.index) != zone)
    changing = frozenset(zone.index for zone in zones)
    put: list[TerminalUser] = []
    hold: list[TerminalUser] = []
    strip: list[tuple[int, tuple[int, ...]]] = []
    place: list[tuple[str, int]] = []
    free = iter(_free_slots(taken))
    for user_id, want in wanted_by_id.items():
        there = held_by_id.get(user_id)
        uid = there.uid if there else next(free)
        slot = slot_of(want, uid, zone_of)
        if there != slot:
            put.append(slot)
            if there and not there.disabled and changing.intersection(there.time_zones):
                hold.append(replace(slot, card=0, disabled=True, time_zones=()))
        on_terminal = fingers.get(user_id, {})
        surplus = tuple(number for number in sorted(on_terminal) if number not in want.fingers)
        if surplus and there:
            strip.append((uid, surplus))
        for number, (flag, digest) in want.fingers.items():
            seen = on_terminal.get(number)
            if seen is None or (seen.flag, seen.digest) != (flag, digest):
                place.append((want.person, number))
    return Plan(
        remove=remove,
        strip=tuple(strip),
        hold=tuple(hold),
        put=tuple(put),
        fingers=tuple(place),
        zones=zones,
        rogues=rogues,
    )


def slot_of(want: WantedUser, uid: int, zone_of: Mapping[str, tuple[int, ...]]) -> TerminalUser:
    """The slot as it goes onto the terminal. Without time zones of its own a slot stays disabled."""
    indexes = zone_of.get(want.schedule, ())
    enabled = want.enabled and bool(indexes)
    return TerminalUser(
        uid=uid,
        user_id=want.user_id,
        name=want.name,
        card=want.card if enabled else 0,
        disabled=not enabled,
        time_zones=indexes if enabled else (),
    )


def _free_slots(taken: set[int]) -> Iterable[int]:
    return (uid for uid in range(1, 65536) if uid not in taken)


def held_finger(template: TerminalTemplate, digest: str) -> HeldFinger:
    """A template as the plan compares it: without its bytes."""
    return HeldFinger(user_id=template.user_id, finger=template.finger, flag=template.flag, digest=digest)
