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
from accessctl.services.store import Shelf, V, Work

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


def desired_of(tx: Work, device: Device, now: datetime, *, town: str) -> Desired:
    """What the device should hold now: who may open now, and disabled slots for those who wait."""
    size = tx.events.size()
    schedules = {one.id: one for one in tx.schedules.find(limit=500) if not one.retired}
    zone_of = zone_indexes(schedules.values())
    rights: dict[str, list[AccessGrant]] = defaultdict(list)
    for grant in tx.grants.find(door=device.doors, state=(GrantState.OPEN, GrantState.CHOSEN), limit=MOST):
        rights[grant.person].append(grant)
    cards: dict[str, list[Card]] = defaultdict(list)
    for card in _each(tx.cards, "holder", rights):
        cards[card.holder or ""].append(card)
    fingers: dict[str, list[StoredTemplate]] = defaultdict(list)
    for template in _each(tx.templates, "person", rights):
        fingers[template.person].append(template)
    found = (
        _wanted(one, cards[one.id], rights[one.id], fingers[one.id], now) for one in _each(tx.people, "id", rights)
    )
    users = sorted((one for one in found if one is not None), key=lambda one: int(one.user_id))
    today = local(now).date()
    calendar = Calendar.of(tx.holidays.all(), town=town)
    used = {one.schedule for one in users if one.enabled}
    zones = [
        week
        for schedule_id in sorted(used & zone_of.keys())
        for week in zone_weeks(schedules[schedule_id], zone_of[schedule_id], today, calendar)
    ]
    ours = frozenset(held.user_id for held in tx.held_users.find(device=device.id, limit=MOST) if held.person)
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    edges = (edge for grants in rights.values() for one in grants for edge in (one.valid_from, one.valid_until) if edge)
    changes_at = min((edge for edge in edges if edge > now), default=midnight)
    return Desired(
        users=users, zones=zones, zone_of=zone_of, ours=ours, as_of=size, changes_at=min(changes_at, midnight)
    )


def _each(shelf: Shelf[V], column: str, keys: Iterable[str]) -> Iterator[V]:
    """The values whose `column` is one of `keys`, a few thousand keys in each question."""
    wanted = sorted(keys)
    for start in range(0, len(wanted), AT_ONCE):
        some: dict[str, Any] = {column: tuple(wanted[start : start + AT_ONCE])}
        yield from shelf.find(limit=MOST, **some)


def _wanted(
    person: Person, cards: list[Card], rights: list[AccessGrant], fingers: list[StoredTemplate], now: datetime
) -> WantedUser | None:
    """The slot of one person; None where they should have none."""
    counting = [one for one in cards if one.state in _COUNTS]
    card = min(counting, key=lambda one: _COUNTS.index(one.state), default=None)
    if person.removed or card is None:
        return None
    valid = [one for one in rights if one.state is GrantState.OPEN and _valid(one, now)]
    enabled = card.state in OPENS and bool(valid)
    try:
        number = card.number.device_number()
    except AccessError:
        return None  # it was refused at enrolment already; such a card is never on a terminal
    return WantedUser(
        person=person.id,
        user_id=str(person.number),
        name=person.full_name,
        card=number,
        enabled=enabled,
        schedule=valid[0].schedule if valid else rights[0].schedule,
        fingers={one.finger: (one.flag, one.digest) for one in fingers} if enabled else {},
    )


def _valid(grant: AccessGrant, now: datetime) -> bool:
    return grant.valid_from <= now and (grant.valid_until is None or now < grant.valid_until)
