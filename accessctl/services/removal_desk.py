"""N10.4: a head reports that somebody left a post; access ends at once, on every door, with one request.

The decision is effective at its commit (every later decision says no). The devices follow: each that held something
of the person is a target until it was read back and holds nothing of them. Until then it is listed with its doors and
how long they have been exposed. The physical card stays on the outstanding list, under the head who owes it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.cards import LIVE, CardEvent, CardState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import AUTHORITIES, SYSTEM, Actor, Permission, Person, clean_text
from accessctl.domain.requests import GrantState, Removal, RemovalTarget
from accessctl.services.account_desk import disable_account
from accessctl.services.office import Office
from accessctl.services.request_desk import cancel_case, erase_fingers
from accessctl.services.store import Work
from accessctl.services.wanted import devices_wanted

MOST_TARGETS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalProgress:
    """How far a removal got. `exposed_s` is how long the oldest unconfirmed device has still held the person."""

    removal: Removal
    person: Person
    targets: list[RemovalTarget]
    reached_doors: int
    all_doors: int
    exposed_doors: tuple[str, ...]
    exposed_s: int


class RemovalDesk:
    """Ending a person's access and following it to the last door."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def request(self, actor: Actor, *, person: str, requested_by: str, reason: str) -> str:
        """Register a head's request and end the access. Returns the removal's id.

        A head asks in their own name; reception and secretary register what a head asked in writing.
        """
        self._office.require(actor, Permission.REMOVAL_REGISTER, norm="N10.4")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            if actor.roles & AUTHORITIES and requested_by != actor.person:
                raise AccessError(Reason.NOT_AUTHORISED, "N10.4", missing="authority")
            why = clean_text(reason, field="reason", longest=500)
            subject = tx.people.get(person)
            tx.people.get(requested_by)
            if requested_by == person:
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, "N10.4", one="authoriser", other="beneficiary")
            if subject.removed:
                raise AccessError(Reason.ALREADY_DONE, "N10.4")
            removal = Removal(
                id=self._office.new_id(),
                person=person,
                requested_by=requested_by,
                registered_by=actor.account,
                reason=why,
                at=now,
            )
            tx.removals.add(removal)
            data: dict[str, str | int | bool | None] = {"removal": removal.id, "requested_by": requested_by, "why": why}
            tx.record(Fact.REMOVAL_REQUESTED, at=now, actor=actor, person=person, norm="N10.4", data=data)
            devices = devices_wanted(tx, now, person=person)
            self._end_everything(tx, actor, subject, now)
            self._name_targets(tx, removal, devices)
            tx.commit()
        return removal.id

    def confirm(self, device: str, absent: frozenset[str]) -> None:
        """The device was read back and holds nothing of the people in `absent`: their targets there are reached."""
        with self._office.store.begin() as tx:
            if reached(tx, device, at=self._office.clock(), absent=absent):
                tx.commit()

    def progress(self, removal_id: str) -> RemovalProgress:
        """Reached k of n doors, what is still exposed and for how long."""
        with self._office.store.view() as tx:
            return self._progress(tx, tx.removals.get(removal_id))

    def recent(self, *, limit: int = 100) -> list[RemovalProgress]:
        """The newest removals with their progress."""
        with self._office.store.view() as tx:
            return [self._progress(tx, removal) for removal in tx.removals.find(limit=limit, newest=True)]

    def _progress(self, tx: Work, removal: Removal) -> RemovalProgress:
        targets = tx.removal_targets.find(removal=removal.id, limit=2000)
        exposed = tuple(sorted({door for one in targets if one.confirmed_at is None for door in one.doors}))
        every = {door for one in targets for door in one.doors}
        pending = any(one.confirmed_at is None for one in targets)
        return RemovalProgress(
            removal=removal,
            person=tx.people.get(removal.person),
            targets=targets,
            reached_doors=len(every) - len(exposed),
            all_doors=len(every),
            exposed_doors=exposed,
            exposed_s=int((self._office.clock() - removal.at).total_seconds()) if pending else 0,
        )

    def _end_everything(self, tx: Work, actor: Actor, person: Person, now: datetime) -> None:
        for request in tx.requests.find(beneficiary=person.id, delivered_at=None):
            if tx.cases.get(request.id).is_open:
                cancel_case(tx, actor, request.id, why="N10.4", at=now)
        for card in tx.cards.find(holder=person.id, state=LIVE):
            revoked = replace(
                card, state=card.after(CardEvent.REVOKE, norm="N10.4"), owed_by=person.department, since=now
            )
            tx.cards.save(revoked)
            key = card.number.key
            tx.record(Fact.CARD_REVOKED, at=now, actor=actor, person=person.id, credential=key, norm="N10.4")
        for card in tx.cards.find(holder=person.id, state=CardState.DAMAGED):
            tx.cards.save(replace(card, owed_by=person.department))
        for grant in tx.grants.find(person=person.id, state=(GrantState.OPEN, GrantState.CHOSEN), limit=2000):
            tx.grants.save(replace(grant, state=GrantState.ENDED))
            tx.record(Fact.ACCESS_ENDED, at=now, actor=actor, person=person.id, door=grant.door, norm="N10.4")
        erase_fingers(tx, actor, person.id, at=now, norm="N10.4")
        for account in tx.accounts.find(person=person.id, disabled_at=None):
            disable_account(tx, self._office, actor, account, "N10.4")
        tx.people.save(replace(person, removed=True))
        tx.record(Fact.PERSON_REMOVED, at=now, actor=actor, person=person.id, norm="N10.4")

    def _name_targets(self, tx: Work, removal: Removal, devices: list[str]) -> None:
        for device in devices:
            target = RemovalTarget(
                id=f"{removal.id}/{device}", removal=removal.id, device=device, doors=tx.devices.get(device).doors
            )
            tx.removal_targets.add(target)
        if not devices:
            tx.removals.save(replace(removal, completed_at=removal.at))


def awaited(tx: Work, device: str) -> list[Person]:
    """The people whose removal this device has still to confirm."""
    waiting = tx.removal_targets.find(device=device, confirmed_at=None)
    return [tx.people.get(tx.removals.get(target.removal).person) for target in waiting]


def reached(tx: Work, device: str, *, at: datetime, absent: frozenset[str] | None) -> bool:
    """Confirm the device's targets of the people in `absent`; whether there were any. Commits nothing.

    None stands for everybody, because the device left the site: nobody read it back, and the record says so.
    """
    found = False
    for target in tx.removal_targets.find(device=device, confirmed_at=None, limit=MOST_TARGETS):
        removal = tx.removals.get(target.removal)
        if absent is not None and removal.person not in absent:
            continue
        found = True
        tx.removal_targets.save(replace(target, confirmed_at=at))
        seconds = int((at - removal.at).total_seconds())
        data: dict[str, str | int | bool | None] = {"removal": removal.id, "exposed_s": seconds}
        if absent is None:
            data["why"] = "device_retired"
        tx.record(
            Fact.REMOVAL_CONFIRMED,
            at=at,
            actor=SYSTEM,
            device=device,
            person=removal.person,
            norm="N10.4",
            data=data,
        )
        if not tx.removal_targets.find(removal=removal.id, confirmed_at=None, limit=1):
            tx.removals.save(replace(removal, completed_at=at))
    return found
