"""Desired state against observed state, device by device. Nobody "sends a card to a device".

`desired` says what a terminal should hold now; `look` reads what it holds; `contents.plan` is the difference; `apply`
carries it out in bulk (removals first), reads back, and records what was confirmed. What is there and was not put
there by us raises `rogue_credential`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.cards import OPENS, Card, CardState
from accessctl.domain.devices import HeldUser
from accessctl.domain.errors import AccessError
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Person
from accessctl.domain.places import Device
from accessctl.domain.requests import AccessGrant, GrantState
from accessctl.domain.schedules import Calendar, local
from accessctl.ports import Terminal, TerminalTemplate, TerminalUser, TimeZoneWeek
from accessctl.services.alarm_desk import Subject, raise_alarm, settle
from accessctl.services.contents import HeldFinger, Plan, WantedUser, held_finger, plan, zone_indexes, zone_weeks
from accessctl.services.office import Office
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.store import Work
from accessctl.services.vault import Vault

MOST_SCHEDULES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What a terminal should hold at a moment."""

    users: Sequence[WantedUser]
    zones: Sequence[TimeZoneWeek]
    zone_of: dict[str, tuple[int, ...]]
    ours: frozenset[str]
    full_names: dict[str, str]  # user id -> the name before it was fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a terminal holds: slots, fingers by digest, and the time zones that matter to us."""

    users: Sequence[TerminalUser]
    fingers: Sequence[HeldFinger]
    zones: Sequence[TimeZoneWeek]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The outcome of a round: what was planned, what is left (empty when all was confirmed), who is there."""

    planned: Plan
    left: Plan
    observed: Observed


class Fleet:
    """Keeps what terminals hold equal to what they should hold."""

    def __init__(self, office: Office, vault: Vault, removals: RemovalDesk, *, town: str) -> None:
        self._office = office
        self._vault = vault
        self._removals = removals
        self._town = town

    def desired(self, device: Device) -> Desired:
        """What the device should hold now: only what may open now, and disabled slots for those who wait."""
        now = self._office.clock()
        with self._office.store.view() as tx:
            schedules = {one.id: one for one in tx.schedules.find(limit=MOST_SCHEDULES) if not one.retired}
            zone_of = zone_indexes(schedules.values())
            calendar = Calendar.of(tx.holidays.all(), town=self._town)
            today = local(now).date()
            users: dict[str, WantedUser] = {}
            names: dict[str, str] = {}
            grants = tx.grants.find(door=device.doors, state=(GrantState.OPEN, GrantState.CHOSEN), limit=100_000)
            by_person: dict[str, list[AccessGrant]] = {}
            for grant in grants:
                by_person.setdefault(grant.person, []).append(grant)
            for person_id, rights in by_person.items():
                person = tx.people.get(person_id)
                want = self._wanted(tx, person, rights, now)
                if want is not None:
                    users[want.user_id] = want
                    names[want.user_id] = person.full_name
            used = {one.schedule for one in users.values() if one.enabled}
            zones = [
                week
                for schedule_id in sorted(used & zone_of.keys())
                for week in zone_weeks(schedules[schedule_id], zone_of[schedule_id], today, calendar)
            ]
            ours = frozenset(
                held.user_id for held in tx.held_users.find(device=device.id, limit=100_000) if held.person
            )
        return Desired(users=list(users.values()), zones=zones, zone_of=zone_of, ours=ours, full_names=names)

    def look(self, terminal: Terminal, desired: Desired) -> Observed:
        """Read what the terminal holds."""
        sizes = terminal.sizes()
        fingers = terminal.templates() if sizes.templates else ()
        return Observed(
            users=terminal.users(),
            fingers=[held_finger(one, self._vault.digest(one.data)) for one in fingers],
            zones=[terminal.time_zone(zone.index) for zone in desired.zones],
        )

    def plan(self, terminal: Terminal, device: Device) -> tuple[Desired, Observed, Plan]:
        """The difference, with nothing changed."""
        desired = self._fitted(self.desired(device), terminal)
        observed = self.look(terminal, desired)
        return desired, observed, self._difference(desired, observed)

    def apply(self, terminal: Terminal, device: Device) -> Applied:
        """Bring the terminal to what it should hold, read it back, and record what was confirmed."""
        asked = self._wanted_since(device)
        desired, observed, planned = self.plan(terminal, device)
        if not planned.is_empty:
            self._carry_out(terminal, desired, planned)
            observed = self.look(terminal, desired)
        left = self._difference(desired, observed)
        self._confirmed(device, desired, observed, planned, left, asked)
        return Applied(planned=planned, left=left, observed=observed)

    def _wanted_since(self, device: Device) -> datetime | None:
        """The request that this round answers, taken before what is desired is read: a later one is another round."""
        with self._office.store.view() as tx:
            return tx.health.get(device.id).wanted_at

    def _wanted(self, tx: Work, person: Person, rights: list[AccessGrant], now: datetime) -> WantedUser | None:
        if person.removed:
            return None
        card = _card_of(tx, person)
        if card is None:
            return None
        valid = [one for one in rights if one.state is GrantState.OPEN and _valid(one, now)]
        enabled = card.state in OPENS and bool(valid)
        fingers = {}
        if enabled:
            fingers = {one.finger: (one.flag, one.digest) for one in tx.templates.find(person=person.id, limit=10)}
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
            fingers=fingers,
        )

    def _fitted(self, desired: Desired, terminal: Terminal) -> Desired:
        users = [replace(one, name=terminal.fit_name(one.name)) for one in desired.users]
        return replace(desired, users=users)

    def _difference(self, desired: Desired, observed: Observed) -> Plan:
        return plan(
            desired.users,
            desired.zones,
            desired.zone_of,
            observed.users,
            observed.fingers,
            observed.zones,
            desired.ours,
        )

    def _carry_out(self, terminal: Terminal, desired: Desired, planned: Plan) -> None:
        """Removals first, then what is stripped, then time zones, then slots and fingers in one bulk transfer."""
        if planned.remove:
            terminal.remove_users(planned.remove)
        for uid, fingers in planned.strip:
            terminal.remove_templates(uid, fingers)
        for week in planned.zones:
            terminal.put_time_zone(week)
        if planned.put or planned.fingers:
            terminal.put_users(self._slots(terminal, desired, planned), self._templates(desired, planned))

    def _slots(self, terminal: Terminal, desired: Desired, planned: Plan) -> list[TerminalUser]:
        """The slots to write: those that differ, and those whose fingers are to be placed."""
        slots = {one.user_id: one for one in planned.put}
        persons = {one.person: one.user_id for one in desired.users}
        lacking = {persons[person] for person, _ in planned.fingers} - slots.keys()
        if lacking:
            slots |= {one.user_id: one for one in terminal.users() if one.user_id in lacking}
        return list(slots.values())

    def _templates(self, desired: Desired, planned: Plan) -> list[TerminalTemplate]:
        persons = {one.person: one.user_id for one in desired.users}
        opened: list[TerminalTemplate] = []
        with self._office.store.view() as tx:
            for person, finger in planned.fingers:
                rows = tx.templates.find(person=person, finger=finger, limit=1)
                opened += [self._vault.open(row, user_id=persons[person]) for row in rows]
        return opened

    def _confirmed(
        self,
        device: Device,
        desired: Desired,
        observed: Observed,
        planned: Plan,
        left: Plan,
        asked: datetime | None,
    ) -> None:
        now = self._office.clock()
        person_of = {one.user_id: one.person for one in desired.users}
        with self._office.store.begin() as tx:
            before = {held.id: held for held in tx.held_users.find(device=device.id, limit=100_000)}
            self._remember(tx, device, observed, person_of, before, now)
            health = tx.health.get(device.id)
            done = left.is_empty
            tx.health.save(
                replace(
                    health,
                    users_desired=len(desired.users),
                    users_observed=len(observed.users),
                    drift=left.changes,
                    rogues=len(left.rogues),
                    synced_at=now if done else health.synced_at,
                    wanted_at=None if done and health.wanted_at == asked else health.wanted_at,
                )
            )
            if not planned.is_empty:
                data: dict[str, str | int | bool | None] = {
                    "removed": len(planned.remove),
                    "written": len(planned.put),
                    "fingers": len(planned.fingers),
                    "stripped": len(planned.strip),
                    "zones": len(planned.zones),
                    "left": left.changes,
                }
                tx.record(Fact.DEVICE_APPLIED, at=now, actor=SYSTEM, device=device.id, data=data)
            self._rogues(tx, device, left, now)
            tx.commit()
        self._confirm_removals(device, observed)

    def _rogues(self, tx: Work, device: Device, left: Plan, now: datetime) -> None:
        if not left.rogues:
            settle(tx, AlarmKind.ROGUE_CREDENTIAL, device.id, cause="gone", at=now)
            return
        shown = ", ".join(one.user_id for one in left.rogues[:10])
        detail = f"{len(left.rogues)}: {shown}"
        known = tx.alarms.find(kind=AlarmKind.ROGUE_CREDENTIAL, key=device.id, detail=detail, newest=True, limit=1)
        if not known:
            about = Subject(key=device.id, device=device.id, detail=detail)
            raise_alarm(tx, self._office, AlarmKind.ROGUE_CREDENTIAL, about, at=now)

    def _remember(
        self,
        tx: Work,
        device: Device,
        observed: Observed,
        person_of: dict[str, str],
        before: dict[str, HeldUser],
        now: datetime,
    ) -> None:
        """What the device holds, as read; only rows that changed are written."""
        counts: dict[str, int] = {}
        for finger in observed.fingers:
            counts[finger.user_id] = counts.get(finger.user_id, 0) + 1
        seen = set()
        for user in observed.users:
            key = f"{device.id}/{user.uid}"
            seen.add(key)
            old = before.get(key)
            person = person_of.get(user.user_id, "")
            if not person and old is not None and old.user_id == user.user_id:
                person = old.person
            row = HeldUser(
                id=key,
                device=device.id,
                uid=user.uid,
                user_id=user.user_id,
                person=person,
                card=user.card,
                disabled=user.disabled,
                templates=counts.get(user.user_id, 0),
                digest=_digest(user),
                read_at=now,
            )
            if old is None:
                tx.held_users.add(row)
            elif replace(old, read_at=now) != row:
                tx.held_users.save(row)
        for key in before.keys() - seen:
            tx.held_users.delete(key)

    def _confirm_removals(self, device: Device, observed: Observed) -> None:
        there = {user.user_id for user in observed.users} | {finger.user_id for finger in observed.fingers}
        with self._office.store.view() as tx:
            waiting = tx.removal_targets.find(device=device.id, confirmed_at=None)
            people = [tx.people.get(tx.removals.get(target.removal).person) for target in waiting]
        absent = frozenset(person.id for person in people if str(person.number) not in there)
        if absent:
            self._removals.confirm(device.id, absent)


def _card_of(tx: Work, person: Person) -> Card | None:
    """The card that counts for a person: the delivered one before one that waits for its delivery."""
    cards = tx.cards.find(holder=person.id, state=(CardState.ACTIVE, CardState.SUSPENDED, CardState.ENROLLED))
    order = (CardState.ACTIVE, CardState.SUSPENDED, CardState.ENROLLED)
    return min(cards, key=lambda card: order.index(card.state), default=None)


def _valid(grant: AccessGrant, now: datetime) -> bool:
    return grant.valid_from <= now and (grant.valid_until is None or now < grant.valid_until)


def _digest(user: TerminalUser) -> str:
    text = f"{user.user_id}|{user.name}|{user.card}|{user.privilege}|{user.disabled}|{user.group}|{user.time_zones}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
