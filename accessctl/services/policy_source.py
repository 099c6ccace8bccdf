"""The policy in force, compiled from what is stored and renewed when something that it depends on was recorded.

Decisions never query: they read an immutable snapshot. What changed is found by the record itself, which holds every
change as a fact; the people and cards that those facts name are read again and give the next snapshot in increments.
A change of doors, schedules or holidays compiles anew.
"""

from collections.abc import Iterable
from threading import Lock

from accessctl.domain.card_numbers import CardNumber
from accessctl.domain.cards import LIVE, NEVER_AGAIN, Card, CardState
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Site
from accessctl.domain.policy import Change, CredentialFact, CredentialGone, PersonFact, PersonGrants, Snapshot
from accessctl.domain.requests import GrantState
from accessctl.domain.schedules import Calendar
from accessctl.services.store import Store, Work

OF_PEOPLE = tuple(
    fact.value
    for fact in (
        Fact.PERSON_REGISTERED,
        Fact.PERSON_REMOVED,
        Fact.CASE_STEP_DONE,
        Fact.CASE_CANCELLED,
        Fact.ACCESS_CHOSEN,
        Fact.ACCESS_GRANTED,
        Fact.ACCESS_ENDED,
        Fact.RECEIPT_SIGNED,
        Fact.CARD_STOCKED,
        Fact.CARD_ENROLLED,
        Fact.CARD_RELEASED,
        Fact.CARD_DELIVERED,
        Fact.CARD_SUSPENDED,
        Fact.CARD_RESUMED,
        Fact.CARD_REVOKED,
        Fact.CARD_LOST,
        Fact.CARD_STOLEN,
        Fact.CARD_DAMAGED,
        Fact.CARD_RETURNED,
        Fact.CARD_DESTROYED,
    )
)
OF_PLACES = (Fact.SITE_APPLIED.value, Fact.SETTING_CHANGED.value)
STRETCH = 5000  # entries of the record that are looked through at once


class PolicySource:
    """Hands out the snapshot that holds now. One per process; safe to share between threads."""

    def __init__(self, store: Store, *, town: str) -> None:
        self._store = store
        self.town = town
        self._lock = Lock()
        self._snapshot: Snapshot | None = None
        self._site: Site | None = None
        self._seen = 0  # entries of the record that the snapshot knows of

    def current(self) -> Snapshot:
        """The policy as of the newest entry of the record."""
        with self._lock, self._store.view() as tx:  # in this order, so that no view is older than one before it
            return self._brought_up(tx)

    def as_of(self, tx: Work) -> Snapshot:
        """The policy that holds for this write transaction, asked before it writes anything.

        Nothing comes between the answer and the commit: no credential opens after its revocation was recorded.
        """
        with self._lock:
            return self._brought_up(tx)

    def site(self) -> Site:
        """Doors and zones, as the policy that was handed out last knows them: both change with the site's file only."""
        with self._lock:
            if self._site is None:
                raise RuntimeError("the site is asked for after the policy")
            return self._site

    def _brought_up(self, tx: Work) -> Snapshot:
        size = tx.events.size()
        if self._snapshot is None or size < self._seen:
            self._snapshot = self._compiled(tx)
        elif size > self._seen:
            self._snapshot = self._renewed(tx, self._snapshot, size)
        self._seen = size
        return self._snapshot

    def _renewed(self, tx: Work, snapshot: Snapshot, size: int) -> Snapshot:
        people: set[str] = set()
        credentials: set[str] = set()
        for start in range(self._seen, size, STRETCH):
            found = tx.events.mentions(start - 1, min(start + STRETCH, size), OF_PEOPLE + OF_PLACES)
            if any(one.event in OF_PLACES for one in found):
                return self._compiled(tx)
            people.update(one.person for one in found if one.person)
            credentials.update(one.credential for one in found if one.credential)
        changes: list[Change] = []
        for person_id in people:
            changes += self._of_person(tx, person_id)
            credentials.update(card.number.key for card in tx.cards.find(holder=person_id))
        for key in credentials:
            changes.append(self._of_family(tx, CardNumber.from_key(key).family_key))
        return snapshot.updated(*changes) if changes else snapshot

    def _compiled(self, tx: Work) -> Snapshot:
        self._site = Site.of(tx.doors.find(retired=False, limit=5000), tx.zones.find(limit=5000))
        signed = {request.card for request in tx.requests.all() if request.receipt}
        return Snapshot.compile(
            people=(PersonFact(id=one.id, number=one.number, removed=one.removed) for one in tx.people.all()),
            credentials=(_fact(card.number.family_key, card, signed=card.id in signed) for card in tx.cards.all()),
            grants=(grant for grant in tx.grants.all() if grant.state is not GrantState.ENDED),
            doors=self._site.doors.values(),
            schedules=tx.schedules.find(limit=500),
            calendar=Calendar.of(tx.holidays.all(), town=self.town),
        )

    def _of_person(self, tx: Work, person_id: str) -> Iterable[Change]:
        person = tx.people.get(person_id)
        states = (GrantState.CHOSEN, GrantState.OPEN)
        grants = tuple(tx.grants.find(person=person_id, state=states, limit=2000))
        yield PersonFact(id=person.id, number=person.number, removed=person.removed)
        yield PersonGrants(person=person_id, grants=grants)

    def _of_family(self, tx: Work, family: str) -> Change:
        lives = tx.cards.by_family(family, states=frozenset(CardState))
        if not lives:
            return CredentialGone(key=family)
        card = lives[0]
        for other in lives[1:]:
            card = _counting(card, other)
        signed = any(request.receipt for request in tx.requests.find(card=card.id, limit=10))
        return _fact(family, card, signed=signed)


def _counting(one: Card, other: Card) -> Card:
    """Of two lives of one number, the one that counts: lost for ever before live, live before over, then the later."""
    return max(one, other, key=lambda card: (card.state in NEVER_AGAIN, card.state in LIVE, _since(card)))


def _since(card: Card) -> float:
    return card.since.timestamp() if card.since else 0.0


def _fact(family: str, card: Card, *, signed: bool) -> CredentialFact:
    return CredentialFact(key=family, state=card.state, person=card.holder or "", receipt_signed=signed)
