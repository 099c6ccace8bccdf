"""What a controller holds, kept: rows of `held_users`, drift by somebody's hand, rogues, removals that it confirmed.

Inside somebody's transaction, and nothing here commits. As for terminals (`fleet`): whose rows are about to be written
is kept before they are, so that they are ours should we die in between; and what is about to change is no longer as it
was read, so that it is not taken for somebody's hand the next time.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from accessctl.domain.alarms import OPEN, AlarmKind
from accessctl.domain.devices import HeldUser
from accessctl.ports import PushOrder, PushOrderKind, PushUser
from accessctl.services.alarm_desk import Subject, raise_alarm, settle
from accessctl.services.desired import MOST
from accessctl.services.office import Office
from accessctl.services.push_contents import Contents
from accessctl.services.removal_desk import awaited, reached
from accessctl.services.store import Work

MOST_ROGUES_SHOWN = 50
LONGEST_PIN = 9  # of ours; others are never more than an alarm
GONE = "gone"
_WRITES = {PushOrderKind.PUT_USER, PushOrderKind.PUT_RIGHT}
_TOUCHES = {*_WRITES, PushOrderKind.REMOVE_RIGHT, PushOrderKind.REMOVE_USER}


def intend(tx: Work, device: str, steps: Sequence[PushOrder], person_of: Mapping[str, str], *, at: datetime) -> None:
    """Keep whose rows are about to be written or removed."""
    before = {held.user_id: held for held in tx.held_users.find(device=device, limit=MOST)}
    cards = {step.pin: step.card for step in steps if step.kind is PushOrderKind.PUT_USER}
    for pin in {step.pin for step in steps if step.kind in _TOUCHES}:
        held = before.get(pin)
        if held is not None:
            tx.held_users.save(replace(held, person=person_of.get(pin) or held.person, digest=""))
        elif pin in person_of:
            tx.held_users.add(_row(device, pin, card=cards.get(pin, 0), person=person_of[pin], digest="", at=at))


def remember(tx: Work, device: str, held: Contents, person_of: Mapping[str, str], *, at: datetime) -> int:
    """Keep what was read; returns how many rows of ours were not as we had last read them."""
    before = {one.user_id: one for one in tx.held_users.find(device=device, limit=MOST)}
    digests = _digests(held)
    edited = sum(digests.get(pin) != one.digest for pin, one in before.items() if one.digest)
    for pin, digest in digests.items():
        old = before.get(pin)
        person = person_of.get(pin) or (old.person if old else "")
        if pin not in held.users and not person:
            continue  # a right of nobody opens nothing
        card = held.users[pin].card if pin in held.users else 0
        row = _row(device, pin, card=card, person=person, digest=digest, at=at)
        if old is None:
            tx.held_users.add(row)
        elif replace(old, read_at=at) != row:
            tx.held_users.save(row)
    for pin in before.keys() - digests.keys():
        tx.held_users.delete(before[pin].id)
    return edited


def note_rogues(
    tx: Work, office: Office, device: str, rogues: Sequence[PushUser], *, whole: bool, at: datetime
) -> None:
    """An alarm for each, once: what a person has looked into and resolved is not raised again while it stays.

    `whole`: these are all there are, so that the alarms of the others are over.
    """
    for user in rogues[:MOST_ROGUES_SHOWN]:
        key = f"{device}/{user.pin}"
        known = tx.alarms.find(kind=AlarmKind.ROGUE_CREDENTIAL, key=key, newest=True, limit=1)
        if not known or (known[0].state not in OPEN and known[0].cause == GONE):
            about = Subject(key=key, device=device, detail=f"pin {user.pin}, card {user.card}")
            raise_alarm(tx, office, AlarmKind.ROGUE_CREDENTIAL, about, at=at)
    if whole:
        there = {f"{device}/{user.pin}" for user in rogues}
        for alarm in tx.alarms.find(kind=AlarmKind.ROGUE_CREDENTIAL, device=device, state=tuple(OPEN), limit=500):
            if alarm.key not in there:
                settle(tx, AlarmKind.ROGUE_CREDENTIAL, alarm.key, cause=GONE, at=at)


def confirm_removals(tx: Work, device: str, held: Contents, *, at: datetime) -> bool:
    """N10.4: who is to go and is not there any more, by the controller's own word. Whether there was anybody."""
    there = held.users.keys() | {right.pin for right in held.rights}
    absent = frozenset(person.id for person in awaited(tx, device) if str(person.number) not in there)
    return bool(absent) and reached(tx, device, at=at, absent=absent)


def counted(steps: Iterable[PushOrder]) -> dict[str, str | int | bool | None]:
    """The steps as the record counts them."""
    kinds = [step.kind for step in steps]
    return {
        "removed": kinds.count(PushOrderKind.REMOVE_USER),
        "written": kinds.count(PushOrderKind.PUT_USER),
        "rights": kinds.count(PushOrderKind.PUT_RIGHT),
        "zones": kinds.count(PushOrderKind.PUT_TIME_ZONE),
    }


def _digests(held: Contents) -> dict[str, str]:
    """What is there of each person, shortened. Numbers that no row of ours could bear are left to the alarms."""
    rights: dict[str, list[str]] = {}
    for right in held.rights:
        rights.setdefault(right.pin, []).append(f"{right.zone}:{right.doors}")
    found = {}
    for pin in held.users.keys() | rights.keys():
        if pin.isdecimal() and len(pin) <= LONGEST_PIN and not pin.startswith("0"):
            text = f"{held.users.get(pin)}|{sorted(rights.get(pin, ()))}"
            found[pin] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def _row(device: str, pin: str, *, card: int, person: str, digest: str, at: datetime) -> HeldUser:
    return HeldUser(
        id=f"{device}/{pin}",
        device=device,
        uid=int(pin),
        user_id=pin,
        person=person,
        card=min(card, 0xFFFF_FFFF),
        disabled=False,
        templates=0,
        digest=digest,
        read_at=at,
    )
