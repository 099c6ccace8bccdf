"""Desired state against observed state, device by device. Nobody "sends a card to a device".

`desired` says what a terminal should hold now; `look` reads what it holds; `contents.plan` is the difference; `apply`
carries it out in bulk (removals first), reads back, and records what was confirmed. What is there and was not put
there by us raises `rogue_credential`; what is not as we last read it was changed by somebody's hand, and is recorded.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import DeviceHealth, HeldUser
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device
from accessctl.ports import Terminal, TerminalTemplate, TerminalUser, TimeZoneWeek
from accessctl.services.alarm_desk import Subject, raise_alarm, settle
from accessctl.services.contents import ZONES_IN_RECORD, HeldFinger, Plan, held_finger, plan
from accessctl.services.desired import MOST, Desired, desired_of, nothing_happened
from accessctl.services.office import Office
from accessctl.services.removal_desk import RemovalDesk, awaited
from accessctl.services.store import Work
from accessctl.services.vault import TemplateUnreadable, Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a terminal holds: slots, fingers by digest, and the time zones that matter to us."""

    users: Sequence[TerminalUser]
    fingers: Sequence[HeldFinger]
    zones: Sequence[TimeZoneWeek]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The outcome of a round: what was planned, what is left (empty when all was confirmed), what is there.

    `edited` counts the slots that were not as we had last read them, before anything was done.
    """

    desired: Desired
    planned: Plan
    left: Plan
    observed: Observed
    edited: int


class Fleet:
    """Keeps what terminals hold equal to what they should hold."""

    def __init__(self, office: Office, vault: Vault, removals: RemovalDesk, *, town: str) -> None:
        self._office = office
        self._vault = vault
        self._removals = removals
        self._town = town

    def desired(self, device: Device) -> Desired:
        """What the device should hold now: only what may open now, and disabled slots for those who wait."""
        with self._office.store.view() as tx:
            return desired_of(tx, device, self._office.clock(), town=self._town)

    def still_holds(self, desired: Desired, device: Device) -> Desired | None:
        """`desired`, brought up to date, where the device should still hold exactly that; None where it should not.

        Cheap where nothing was recorded that matters and no window, schedule or day began or ended since.
        """
        now = self._office.clock()
        with self._office.store.view() as tx:
            if nothing_happened(tx, as_of=desired.as_of, changes_at=desired.changes_at, now=now):
                return replace(desired, as_of=tx.events.size())
            after = desired_of(tx, device, now, town=self._town)
        return after if after == desired else None

    def look(self, terminal: Terminal, desired: Desired) -> Observed:
        """Read what the terminal holds."""
        sizes = terminal.sizes()
        fingers = terminal.templates() if sizes.templates else ()
        return Observed(
            users=terminal.users(),
            fingers=[held_finger(one, self._vault.digest(one.data)) for one in fingers],
            zones=[terminal.time_zone(zone.index) for zone in desired.zones],
        )

    def plan(self, terminal: Terminal, device: Device) -> Plan:
        """The difference, with nothing changed."""
        fitted = _fitted(self.desired(device), terminal)
        return self._difference(fitted, self.look(terminal, fitted))

    def apply(self, terminal: Terminal, device: Device) -> Applied:
        """Bring the terminal to what it should hold, read it back, and record what was confirmed."""
        asked = self._wanted_since(device)
        desired = self.desired(device)
        fitted = _fitted(desired, terminal)
        observed = self.look(terminal, fitted)
        planned = self._difference(fitted, observed)
        edited = self._edited(device, observed)
        if not planned.is_empty:
            self._intend(device, fitted, planned)
            self._carry_out(terminal, fitted, planned)
            observed = self.look(terminal, fitted)
        left = self._difference(fitted, observed)
        applied = Applied(desired=desired, planned=planned, left=left, observed=observed, edited=edited)
        self._confirmed(device, fitted, applied, asked)
        return applied

    def _wanted_since(self, device: Device) -> datetime | None:
        """The request that this round answers, taken before what is desired is read: a later one is another round."""
        with self._office.store.view() as tx:
            health = tx.health.maybe(device.id)
        return health.wanted_at if health else None

    def _edited(self, device: Device, observed: Observed) -> int:
        """How many slots are not as we last read them: somebody changed the terminal by hand, or it was reset."""
        with self._office.store.view() as tx:
            before = {held.uid: held for held in tx.held_users.find(device=device.id, limit=MOST)}
        counts = _fingers_each(observed)
        seen = {user.uid: (_digest(user), counts.get(user.user_id, 0)) for user in observed.users}
        known = [held for held in before.values() if held.digest]  # the others we were changing when we last stopped
        return sum(seen.get(held.uid) != (held.digest, held.templates) for held in known)

    def _intend(self, device: Device, desired: Desired, planned: Plan) -> None:
        """Commit whose slots are about to be written, before they are: should we die in between, they are still ours.

        What is about to change is no longer as it was read, so it is not taken for somebody's hand the next time.
        """
        person_of = {one.user_id: one.person for one in desired.users}
        written = {slot.uid: slot for slot in planned.put}
        placed = {person for person, _ in planned.fingers}
        erased = {uid for uid, _ in planned.strip} | set(planned.remove)
        now = self._office.clock()
        with self._office.store.begin() as tx:
            before = {held.uid: held for held in tx.held_users.find(device=device.id, limit=MOST)}
            for uid, held in before.items():
                if uid not in written and (uid in erased or held.person in placed):
                    tx.held_users.save(replace(held, digest=""))
            for uid, slot in written.items():
                row = _row(device, slot, person=person_of[slot.user_id], digest="", templates=0, at=now)
                if uid in before:
                    tx.held_users.save(row)
                else:
                    tx.held_users.add(row)
            tx.commit()

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
        """Removals first, then what is stripped or closed, time zones, and slots with fingers in one bulk transfer."""
        if planned.remove:
            terminal.remove_users(planned.remove)
        for uid, fingers in planned.strip:
            terminal.remove_templates(uid, fingers)
        if planned.hold:
            terminal.put_users(planned.hold)
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
        """The fingers to place. One that does not open is left out: it stays a difference, and costs nobody else."""
        persons = {one.person: one.user_id for one in desired.users}
        opened: list[TerminalTemplate] = []
        with self._office.store.view() as tx:
            for person, finger in planned.fingers:
                for row in tx.templates.find(person=person, finger=finger, limit=1):
                    with suppress(TemplateUnreadable):
                        opened.append(self._vault.open(row, user_id=persons[person]))
        return opened

    def _confirmed(self, device: Device, desired: Desired, applied: Applied, asked: datetime | None) -> None:
        now = self._office.clock()
        planned, left, observed = applied.planned, applied.left, applied.observed
        person_of = {one.user_id: one.person for one in desired.users}
        with self._office.store.begin() as tx:
            self._remember(tx, device, observed, person_of, now)
            health = tx.health.maybe(device.id)
            if health is None:
                health = DeviceHealth(id=device.id)
                tx.health.add(health)
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
            if applied.edited:
                data: dict[str, str | int | bool | None] = {"slots": applied.edited}
                tx.record(Fact.DEVICE_DRIFTED, at=now, actor=SYSTEM, device=device.id, data=data)
            if not planned.is_empty:
                data = {
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
        self, tx: Work, device: Device, observed: Observed, person_of: Mapping[str, str], now: datetime
    ) -> None:
        """What the device holds, as read; only rows that changed are written."""
        before = {held.id: held for held in tx.held_users.find(device=device.id, limit=MOST)}
        counts = _fingers_each(observed)
        seen = set()
        for user in observed.users:
            key = f"{device.id}/{user.uid}"
            seen.add(key)
            old = before.get(key)
            person = person_of.get(user.user_id, "")
            if not person and old is not None and old.user_id == user.user_id:
                person = old.person
            row = _row(device, user, person=person, digest=_digest(user), templates=counts[user.user_id], at=now)
            if old is None:
                tx.held_users.add(row)
            elif replace(old, read_at=now) != row:
                tx.held_users.save(row)
        for key in before.keys() - seen:
            tx.held_users.delete(key)

    def _confirm_removals(self, device: Device, observed: Observed) -> None:
        there = {user.user_id for user in observed.users} | {finger.user_id for finger in observed.fingers}
        with self._office.store.view() as tx:
            absent = frozenset(person.id for person in awaited(tx, device.id) if str(person.number) not in there)
        if absent:
            self._removals.confirm(device.id, absent)


def _fitted(desired: Desired, terminal: Terminal) -> Desired:
    """The same as this terminal can hold it: names by its bytes, and as many time zones as its slots have room for."""
    room = ZONES_IN_RECORD[terminal.info().user_record]
    zone_of = {key: indexes[:room] for key, indexes in desired.zone_of.items()}
    kept = {index for indexes in zone_of.values() for index in indexes}
    return replace(
        desired,
        users=[replace(one, name=terminal.fit_name(one.name)) for one in desired.users],
        zones=[week for week in desired.zones if week.index in kept],
        zone_of=zone_of,
    )


def _fingers_each(observed: Observed) -> Counter[str]:
    return Counter(finger.user_id for finger in observed.fingers)


def _row(device: Device, user: TerminalUser, *, person: str, digest: str, templates: int, at: datetime) -> HeldUser:
    return HeldUser(
        id=f"{device.id}/{user.uid}",
        device=device.id,
        uid=user.uid,
        user_id=user.user_id,
        person=person,
        card=user.card,
        disabled=user.disabled,
        templates=templates,
        digest=digest,
        read_at=at,
    )


def _digest(user: TerminalUser) -> str:
    text = f"{user.user_id}|{user.name}|{user.card}|{user.privilege}|{user.disabled}|{user.group}|{user.time_zones}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
