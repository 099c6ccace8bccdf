"""What a terminal should hold at a moment: read from the store in a few questions, however many people there are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accessctl.domain.cards import OPENS, Card, CardState
from accessctl.domain.errors import AccessError
from accessctl.domain.facts import Fact
from accessctl.domain.people import Person
from accessctl.domain.places import Device
from accessctl.domain.requests import AccessGrant, GrantState, StoredTemplate
from accessctl.domain.schedules import Calendar, local
from accessctl.ports import TimeZoneWeek
from accessctl.services.contents import WantedUser, zone_indexes, zone_weeks
from accessctl.services.policy_source import OF_PEOPLE, OF_PLACES
from accessctl.services.store import EventFilter, Shelf, V, Work

MATTERS = (*OF_PEOPLE, *OF_PLACES, Fact.FINGER_ENROLLED.value, Fact.FINGER_ERASED.value, Fact.PERSON_CORRECTED.value)
"""The facts after which a terminal may have to hold something else."""

MOST = 100_000
AT_ONCE = 5000  # keys in one question
_COUNTS = (CardState.ACTIVE, CardState.SUSPENDED, CardState.ENROLLED)  # the delivered card before one that waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What a terminal should hold. Two are equal where the terminal should hold the same.

    It holds until something that `MATTERS` is recorded after the first `as_of` entries, or until `changes_at`: a
    window begins or ends, or a day does, since holidays are written into the week ahead.
    """

    users: Sequence[WantedUser]
    zones: Sequence[TimeZoneWeek]
    zone_of: dict[str, tuple[int, ...]]
    ours: frozenset[str] = field(compare=False)  # user ids that we put there, or were about to
    as_of: int = field(compare=False)
    changes_at: datetime = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody with a card and a right to a door of the device; `valid` are those of their `rights` that count now."""

    person: Person
    card: Card
    number: int  # of the card, as devices hold it
    rights: Sequence[AccessGrant]
    valid: Sequence[AccessGrant]
    fingers: Sequence[StoredTemplate]

    @property
    def may_open(self) -> bool:
        """The card is delivered, and a right is open now."""
        return self.card.state in OPENS and bool(self.valid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Everybody whom a device may have to know, by their number, and when that changes by itself."""

    people: Sequence[Holder]
    changes_at: datetime


def holders_of(tx: Work, device: Device, now: datetime, *, fingers: bool = True) -> Holders:
    """Whom the device may have to know now, in a few questions. Their fingers are read where they are asked for."""
    rights: dict[str, list[AccessGrant]] = defaultdict(list)
    for grant in tx.grants.find(door=device.doors, state=(GrantState.OPEN, GrantState.CHOSEN), limit=MOST):
        rights[grant.person].append(grant)
    cards: dict[str, list[Card]] = defaultdict(list)
    for card in _each(tx.cards, "holder", rights):
        cards[card.holder or ""].append(card)
    templates: dict[str, list[StoredTemplate]] = defaultdict(list)
    for template in _each(tx.templates, "person", rights) if fingers else ():
        templates[template.person].append(template)
    found = (
        _holder(one, cards[one.id], rights[one.id], templates[one.id], now) for one in _each(tx.people, "id", rights)
    )
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    edges = (edge for grants in rights.values() for one in grants for edge in (one.valid_from, one.valid_until) if edge)
    return Holders(
        people=sorted((one for one in found if one is not None), key=lambda one: one.person.number),
        changes_at=min((edge for edge in edges if now < edge < midnight), default=midnight),
    )


def desired_of(tx: Work, device: Device, now: datetime, *, town: str) -> Desired:
    """What the device should hold now: who may open now, and disabled slots for those who wait."""
    size = tx.events.size()
    schedules = {one.id: one for one in tx.schedules.find(limit=500) if not one.retired}
    zone_of = zone_indexes(schedules.values())
    holders = holders_of(tx, device, now)
    users = [_wanted(one) for one in holders.people]
    today = local(now).date()
    calendar = Calendar.of(tx.holidays.all(), town=town)
    used = {one.schedule for one in users if one.enabled}
    zones = [
        week
        for schedule_id in sorted(used & zone_of.keys())
        for week in zone_weeks(schedules[schedule_id], zone_of[schedule_id], today, calendar)
    ]
    return Desired(
        users=users, zones=zones, zone_of=zone_of, ours=ours_on(tx, device), as_of=size, changes_at=holders.changes_at
    )


def ours_on(tx: Work, device: Device) -> frozenset[str]:
    """The user ids that we put on the device, or were about to."""
    return frozenset(held.user_id for held in tx.held_users.find(device=device.id, limit=MOST) if held.person)


def nothing_happened(tx: Work, *, as_of: int, changes_at: datetime, now: datetime) -> bool:
    """Whether what was desired after so many entries of the record is desired still, as far as the record says."""
    if now >= changes_at:
        return False
    if tx.events.size() == as_of:
        return True
    return not tx.events.rows(EventFilter(after_index=as_of - 1, events=MATTERS), limit=1)


def _each(shelf: Shelf[V], column: str, keys: Iterable[str]) -> Iterator[V]:
    """The values whose `column` is one of `keys`, a few thousand keys in each question."""
    wanted = sorted(keys)
    for start in range(0, len(wanted), AT_ONCE):
        some: dict[str, Any] = {column: tuple(wanted[start : start + AT_ONCE])}
        yield from shelf.find(limit=MOST, **some)


def _holder(
    person: Person, cards: list[Card], rights: list[AccessGrant], fingers: list[StoredTemplate], now: datetime
) -> Holder | None:
    """None for somebody whom no device should know."""
    counting = [one for one in cards if one.state in _COUNTS]
    card = min(counting, key=lambda one: _COUNTS.index(one.state), default=None)
    if person.removed or card is None:
        return None
    try:
        number = card.number.device_number()
    except AccessError:
        return None  # it was refused at enrolment already; such a card is never on a device
    valid = [one for one in rights if one.state is GrantState.OPEN and _valid(one, now)]
    return Holder(person=person, card=card, number=number, rights=rights, valid=valid, fingers=fingers)


def _wanted(holder: Holder) -> WantedUser:
    """The slot of one person on a terminal, which guards one door."""
    enabled = holder.may_open
    return WantedUser(
        person=holder.person.id,
        user_id=str(holder.person.number),
        name=holder.person.full_name,
        card=holder.number,
        enabled=enabled,
        schedule=(holder.valid or holder.rights)[0].schedule,
        fingers={one.finger: (one.flag, one.digest) for one in holder.fingers} if enabled else {},
    )


def _valid(grant: AccessGrant, now: datetime) -> bool:
    return grant.valid_from <= now and (grant.valid_until is None or now < grant.valid_until)
