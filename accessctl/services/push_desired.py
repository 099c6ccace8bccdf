"""What a controller should hold at a moment: staff as the record leaves them, and visitors who may come in right now.

A controller that asks for each card holds nobody (`push_keeper`). One that decides alone holds everybody whose card is
delivered and whose right is open, and the visitors of `push_visitors`. Staff are read again when something that matters
was recorded (`desired.nothing_happened`); visitors, who are few, at each poll: they depend on where their host is, and
on the clock.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from accessctl.domain.devices import DeviceHealth
from accessctl.domain.places import Device
from accessctl.domain.requests import AccessGrant
from accessctl.domain.schedules import Calendar, local
from accessctl.ports import PushRight, PushUser, PushWeek
from accessctl.services.desired import Holder, holders_of
from accessctl.services.push_contents import Contents, rights_at, schedule_week, schedule_zones, validity
from accessctl.services.store import Work

LONGEST_PIN = 9
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a controller should hold, whose each pin is, and until when that holds by itself.

    Two are equal where the controller should hold the same.
    """

    contents: Contents = field(default_factory=Contents)
    person_of: Mapping[str, str] = field(default_factory=dict)
    as_of: int = field(default=0, compare=False)
    changes_at: datetime = field(default=NEVER, compare=False)


def staff_of(tx: Work, device: Device, health: DeviceHealth, now: datetime, *, town: str) -> Wanted:
    """Who of the staff may open one of its doors now."""
    size = tx.events.size()
    schedules = {one.id: one for one in tx.schedules.find(limit=500) if not one.retired}
    zone_of = schedule_zones(schedules.values())
    holders = holders_of(tx, device, now, fingers=False)
    users: dict[str, PushUser] = {}
    rights: set[PushRight] = set()
    for one in holders.people:
        grants = [grant for grant in one.valid if grant.schedule in zone_of]
        pin = str(one.person.number)
        if not one.may_open or not grants or len(pin) > LONGEST_PIN:
            continue
        theirs = _rights(pin, grants, device, zone_of, by_number=health.doors_by_number)
        if theirs:
            rights |= theirs
            users[pin] = _user(pin, one, grants, in_seconds=health.dates_in_seconds)
    used = {right.zone for right in rights}
    calendar, today = Calendar.of(tx.holidays.all(), town=town), local(now).date()
    weeks: dict[int, PushWeek] = {
        zone: schedule_week(schedules[key], today, calendar) for key, zone in zone_of.items() if zone in used
    }
    return Wanted(
        contents=Contents(users=users, rights=frozenset(rights), weeks=weeks),
        person_of={str(one.person.number): one.person.id for one in holders.people},
        as_of=size,
        changes_at=holders.changes_at,
    )


def _user(pin: str, holder: Holder, grants: list[AccessGrant], *, in_seconds: bool) -> PushUser:
    """Where rights end at different times the first end counts: the next one is written when it has come."""
    ends = [grant.valid_until for grant in grants if grant.valid_until is not None]
    first, last = validity(
        _naive(max(grant.valid_from for grant in grants)), _naive(min(ends)) if ends else None, in_seconds=in_seconds
    )
    return PushUser(pin=pin, card=holder.number, start=first, end=last)


def _rights(
    pin: str, grants: list[AccessGrant], device: Device, zone_of: Mapping[str, int], *, by_number: bool
) -> frozenset[PushRight]:
    doors: dict[int, set[int]] = defaultdict(set)
    for grant in grants:
        doors[zone_of[grant.schedule]].add(device.doors.index(grant.door) + 1)
    return rights_at(pin, doors, by_number=by_number)


def _naive(at: datetime) -> datetime:
    """The controller's local time."""
    return local(at).replace(tzinfo=None)
