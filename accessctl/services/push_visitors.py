"""Visitors on a controller that decides alone: only who may come in right now, and never past their window.

A third party's card is placed at a door of premises while the visit is signed or inside, inside its window, its host
inside (N10.6), nothing of the zone against it, and the card given; the same judgement as at a door that asks
(`domain.admission`). It is taken off when any of that ends: the visitor leaves, the host leaves, the card comes back or
is missing, the window ends.

Losing the network at any moment must leave nobody's card open past the window, so the controller itself ends it, twice:

* the user's `StartTime` and `EndTime`: to the second where the controller declared `DateFmtFunOn=1`; otherwise in
  whole days, the last one being that of the window's last second;
* a time zone of the visit's own, which is open in the window only, on its weekdays, and ends with a whole minute inside
  it. It repeats every week, which the end in days cuts off; what the end in days leaves open of its last day, the time
  zone cuts off.

Hence both are always written, whatever the controller counts in, and a visit for which no time zone is free, or whose
window is longer than six days, is not placed. Nor is anybody on a controller whose clock is in doubt.

A data centre's door that decides alone never gets a third party's card: it cannot wait for the escort (N4.3). Nor does
a ZKTeco terminal, which knows no end of a validity.
"""

from collections.abc import Container
from dataclasses import replace
from datetime import datetime

from accessctl.domain.admission import Way, decide_visit
from accessctl.domain.devices import DeviceHealth
from accessctl.domain.errors import AccessError
from accessctl.domain.occupancy import Site
from accessctl.domain.places import Device, Direction, ZoneClass
from accessctl.domain.policy import Shown
from accessctl.domain.schedules import local
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import Visit, VisitState
from accessctl.ports import PushRight, PushUser, PushWeek
from accessctl.services.intake import DOUBTFUL
from accessctl.services.push_contents import Contents, rights_at, validity, window_week, window_zone
from accessctl.services.push_desired import LONGEST_PIN, Wanted
from accessctl.services.store import Work
from accessctl.services.threshold import AtDoor, known_of, obstacle_of, place, visit_of

PLACED = (VisitState.SIGNED, VisitState.INSIDE)
MOST_VISITS = 1000


def visitors_of(
    tx: Work, device: Device, health: DeviceHealth, now: datetime, site: Site, *, others: Container[str]
) -> Wanted:
    """The visitors whom this controller should hold now. `others` are the pins of the staff that it holds."""
    doors = {number: door for number, door in enumerate(device.doors, 1) if _is_premises(site, door)}
    if not doors or abs(health.skew_s or 0) > DOUBTFUL.total_seconds():
        return Wanted()
    users: dict[str, PushUser] = {}
    rights: set[PushRight] = set()
    weeks: dict[int, PushWeek] = {}
    person_of: dict[str, str] = {}
    for visit in sorted(tx.visits.find(state=PLACED, third_party=True, limit=MOST_VISITS), key=lambda one: one.number):
        card = _card(tx, visit)
        if card is None:
            continue
        entries = [
            number for number, door in doors.items() if _may_enter(tx, _place(site, device, door, card, now), visit)
        ]
        pin = str(tx.people.get(visit.visitor).number)
        start, end = (local(at).replace(tzinfo=None) for at in (visit.valid_from, visit.valid_until))
        week, zone = window_week(start, end), window_zone(visit.number, weeks)
        if not entries or week is None or zone is None or pin in users or pin in others or len(pin) > LONGEST_PIN:
            continue
        first, last = validity(start, end, in_seconds=health.dates_in_seconds)
        users[pin] = PushUser(pin=pin, card=card.number.device_number(), start=first, end=last)
        rights |= rights_at(pin, {zone: entries}, by_number=health.doors_by_number)
        weeks[zone] = week
        person_of[pin] = visit.visitor
    return Wanted(contents=Contents(users=users, rights=frozenset(rights), weeks=weeks), person_of=person_of)


def together(staff: Wanted, visitors: Wanted) -> Wanted:
    """Both on one controller; they share neither a pin nor a time zone."""
    if not visitors.contents.users:
        return staff
    one, other = staff.contents, visitors.contents
    return replace(
        staff,
        contents=Contents(
            users={**one.users, **other.users}, rights=one.rights | other.rights, weeks={**one.weeks, **other.weeks}
        ),
        person_of={**staff.person_of, **visitors.person_of},
    )


def _is_premises(site: Site, door: str) -> bool:
    zone = site.zone_behind(door)
    return zone is not None and zone.zone_class is ZoneClass.PREMISES


def _card(tx: Work, visit: Visit) -> VisitorCard | None:
    """The card that the visitor has in hand, if a device can hold its number."""
    card = tx.visitor_cards.maybe(visit.card) if visit.card else None
    if card is None or visit_of(tx, card) is None:
        return None
    try:
        card.number.device_number()
    except AccessError:
        return None
    return card


def _place(site: Site, device: Device, door: str, card: VisitorCard, now: datetime) -> AtDoor:
    shown = Shown(door=door, credential=card.number.family_key, direction=Direction.IN)
    return place(site, shown, now, device.id)


def _may_enter(tx: Work, here: AtDoor, visit: Visit) -> bool:
    """What the door would say if it asked; it is not asked of a data centre."""
    question = known_of(tx, here, visit, obstacle_of(tx, here, visit.visitor))
    return question.way is Way.PREMISES and decide_visit(visit, question, here.at).granted
