"""What a controller that decides alone should hold, what it holds, and the commands between the two. Pure.

A person has one row of `user` (card, validity), one row of `userauthorize` for each schedule (doors, time zone), and a
schedule has one `timezone`, a week with its holidays written in. The order of the commands is the order of safety:

1. who is to go: rights, fingers, user; and the rights of those who have one too many, all of them;
2. time zones; 3. person by person, the user and then the rights.

So whatever the controller opens between two commands, it opened before the first or opens after the last: when a time
zone changes its meaning, only rights that are to stay refer to it. What is there and was never put there by us is a
rogue: listed for an alarm, not removed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from accessctl.domain.schedules import DAY, MOST_INTERVALS, Calendar, Interval, WeeklySchedule
from accessctl.ports import PushOrder, PushOrderKind, PushRight, PushUser, PushWeek

FIRST_ZONE = 2  # 1 is the controller's own "always" and is left alone
SCHEDULES = 32  # time zones of schedules: 2 to 33
WINDOWS = 17  # time zones of visits: 34 to 50
MASK_DOORS = 8
LONGEST_WINDOW = timedelta(days=6)  # a time zone is a week that repeats itself
_LAST_YEAR = 2099
_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The tables of a controller, as far as we write them."""

    users: Mapping[str, PushUser] = field(default_factory=dict)  # by pin
    rights: frozenset[PushRight] = frozenset()
    weeks: Mapping[int, PushWeek] = field(default_factory=dict)

    def after(self, order: PushOrder) -> "Contents":
        """The same once the controller has carried out `order`."""
        pin = order.pin
        match order.kind:
            case PushOrderKind.PUT_USER:
                user = PushUser(pin=pin, card=order.card, start=order.start, end=order.end)
                return replace(self, users={**self.users, pin: user})
            case PushOrderKind.REMOVE_USER:
                return replace(self, users={key: one for key, one in self.users.items() if key != pin})
            case PushOrderKind.PUT_RIGHT:
                return replace(self, rights=self.rights | {PushRight(pin=pin, zone=order.zone, doors=order.door)})
            case PushOrderKind.REMOVE_RIGHT:
                return replace(self, rights=frozenset(one for one in self.rights if one.pin != pin))
            case PushOrderKind.PUT_TIME_ZONE:
                return replace(self, weeks={**self.weeks, order.zone: order.week})
            case _:
                return self


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """The commands to give, in this order, and who is there though nobody of ours put them there."""

    steps: tuple[PushOrder, ...]
    rogues: tuple[PushUser, ...]


def plan(wanted: Contents, held: Contents, ours: frozenset[str], *, dates_in_seconds: bool) -> PushPlan:
    """The difference. `ours` are the pins that we put on this controller at some time."""
    known = ours | wanted.users.keys()
    surplus = {right.pin for right in held.rights - wanted.rights if right.pin in known}
    steps: list[PushOrder] = []
    for pin in sorted((held.users.keys() | surplus) & known):
        if pin not in wanted.users:
            steps += _gone(pin, user_too=pin in held.users)
        elif pin in surplus:
            steps.append(PushOrder(kind=PushOrderKind.REMOVE_RIGHT, pin=pin))
    for zone, week in sorted(wanted.weeks.items()):
        if held.weeks.get(zone) != week:
            steps.append(PushOrder(kind=PushOrderKind.PUT_TIME_ZONE, zone=zone, week=week))
    lacking = [right for right in wanted.rights if right.pin in surplus or right not in held.rights]
    steps += _placed(wanted.users, held.users, lacking, dates_in_seconds=dates_in_seconds)
    rogues = tuple(user for pin, user in sorted(held.users.items()) if pin not in known)
    return PushPlan(steps=tuple(steps), rogues=rogues)


def _gone(pin: str, *, user_too: bool) -> Iterator[PushOrder]:
    """In the order of the vendor's revocation: what opens first, then what names the person."""
    yield PushOrder(kind=PushOrderKind.REMOVE_RIGHT, pin=pin)
    if user_too:
        yield PushOrder(kind=PushOrderKind.REMOVE_FINGERS, pin=pin)
        yield PushOrder(kind=PushOrderKind.REMOVE_USER, pin=pin)


def _placed(
    wanted: Mapping[str, PushUser],
    held: Mapping[str, PushUser],
    lacking: Iterable[PushRight],
    *,
    dates_in_seconds: bool,
) -> Iterator[PushOrder]:
    """Person by person, so that the first can come in while the last are being written."""
    rights: dict[str, list[PushRight]] = defaultdict(list)
    for right in lacking:
        rights[right.pin].append(right)
    for pin, user in sorted(wanted.items()):
        if held.get(pin) != user:
            yield _put(user, dates_in_seconds=dates_in_seconds)
        for right in sorted(rights[pin], key=lambda one: (one.zone, one.doors)):
            yield PushOrder(kind=PushOrderKind.PUT_RIGHT, pin=pin, zone=right.zone, door=right.doors)


def _put(user: PushUser, *, dates_in_seconds: bool) -> PushOrder:
    return PushOrder(
        kind=PushOrderKind.PUT_USER,
        pin=user.pin,
        card=user.card,
        start=user.start,
        end=user.end,
        dates_in_seconds=dates_in_seconds,
    )


def schedule_zones(schedules: Iterable[WeeklySchedule]) -> dict[str, int]:
    """The time zone of each schedule, in the order of their ids. One that does not fit has none, and never opens."""
    ids = sorted(schedule.id for schedule in schedules)
    return dict(zip(ids, range(FIRST_ZONE, FIRST_ZONE + SCHEDULES), strict=False))


def schedule_week(schedule: WeeklySchedule, start: date, calendar: Calendar) -> PushWeek:
    """The schedule's next seven days. A fourth interval (a half holiday can have one) is left out: it opens less."""
    return tuple(_inclusive(day) for day in schedule.week_ahead(start, calendar))


def window_zone(number: int, taken: Iterable[int]) -> int | None:
    """A time zone for the visit of this number, the same each time where that is free; None where all are taken."""
    first = FIRST_ZONE + SCHEDULES
    used = set(taken)
    order = (first + (number + step) % WINDOWS for step in range(WINDOWS))
    return next((zone for zone in order if zone not in used), None)


def window_week(start: datetime, end: datetime) -> PushWeek | None:
    """A window (naive local time, half-open) as a week that is closed outside it; None for one that is too long.

    It ends with a whole minute inside the window. It begins with the minute of the start: nobody is placed earlier.
    """
    if end - start > LONGEST_WINDOW or end <= start:
        return None
    days: list[tuple[Interval, ...]] = [()] * 7
    day = start.date()
    while day <= end.date():
        first = start.hour * 60 + start.minute if day == start.date() else 0
        last = end.hour * 60 + end.minute if day == end.date() else DAY
        days[day.isoweekday() % 7] = _inclusive(((first, last),))
        day += timedelta(days=1)
    return tuple(days)


def _inclusive(day: Iterable[Interval]) -> tuple[Interval, ...]:
    """Controllers count the last minute in: a day ends at 23:59. What is shorter than two minutes is left out."""
    return tuple((start, end - 1) for start, end in day if start < end - 1)[:MOST_INTERVALS]


def validity(
    start: datetime | None, end: datetime | None, *, in_seconds: bool
) -> tuple[datetime | None, datetime | None]:
    """The first and the last second of a half-open validity (naive local), as the controller can hold it.

    In whole days a validity ends with the day of its last second. What no controller can write is no limit.
    """
    first = start.replace(microsecond=0) if start is not None and start.year >= 2000 else None
    last = (end - timedelta(microseconds=1)).replace(microsecond=0) if end is not None else None
    if last is not None and last.year > _LAST_YEAR:
        last = None
    if in_seconds:
        return first, last
    return (
        first.replace(hour=0, minute=0, second=0) if first else None,
        datetime.combine(last.date(), _LAST_SECOND) if last else None,
    )


def rights_at(pin: str, doors_in_zone: Mapping[int, Iterable[int]], *, by_number: bool) -> frozenset[PushRight]:
    """The rows of somebody's rights: for each time zone a mask of doors (from 1), or a row for each door's number.

    Doors beyond what a mask holds are left out.
    """
    if by_number:
        return frozenset(
            PushRight(pin=pin, zone=zone, doors=door) for zone, doors in doors_in_zone.items() for door in doors
        )
    masks = {
        zone: sum(1 << (door - 1) for door in set(doors) if door <= MASK_DOORS) for zone, doors in doors_in_zone.items()
    }
    return frozenset(PushRight(pin=pin, zone=zone, doors=mask) for zone, mask in masks.items() if mask)
