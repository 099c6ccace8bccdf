"""The compiled policy: everything that a decision needs, in a value that never changes.

One lookup finds the credential, one the person; the rest is a walk over that person's few rights. `updated` makes the
next snapshot in microseconds (see `sharded`), with all changes of one commit or none; whoever still reads the old one
reads it whole.

A person's rights are packed into bytes, and the entry of an active card is the bare id of its holder, so that a million
people with a card and two rights each fit in less than 400 MiB and give the garbage collector nothing to walk.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from struct import Struct
from typing import NamedTuple

from accessctl.domain.cards import LIVE, NEVER_AGAIN, CardState
from accessctl.domain.errors import Reason
from accessctl.domain.places import Door
from accessctl.domain.requests import AccessGrant, GrantState
from accessctl.domain.schedules import NO_HOLIDAYS, Calendar, WeeklySchedule
from accessctl.domain.sharded import Builder, ShardedMap


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFact:
    """The life of a card that counts now. `person` is "" in stock; `receipt_signed` is P10.04."""

    key: str
    state: CardState
    person: str = ""
    receipt_signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialGone:
    """A number that is to be unknown again (entered by mistake and corrected)."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFact:
    """A person as the doors know them; `removed` is N10.4 and outweighs everything else."""

    id: str
    number: int
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonGrants:
    """All the grants of one person, in place of those known so far."""

    person: str
    grants: tuple[AccessGrant, ...]


Change = CredentialFact | CredentialGone | PersonFact | PersonGrants | Door | WeeklySchedule | Calendar


class Finding(NamedTuple):
    """What is wrong: a reason, its norm, the step of procedure 10 that is missing.

    `nearness` orders rights: of several to one door that all say no, the one nearest to yes gives the reason.
    """

    reason: Reason
    norm: str
    missing_step: str = ""
    nearness: int = 0


UNKNOWN = Finding(Reason.UNKNOWN_CREDENTIAL, "N10.3")
MALFORMED = Finding(Reason.MALFORMED_CREDENTIAL, "N10.3")
REMOVED = Finding(Reason.REVOKED, "N10.4")
NOT_ENROLLED = Finding(Reason.NOT_DELIVERED, "P10.05", "P10.03")
NOT_SIGNED = Finding(Reason.NOT_DELIVERED, "P10.05", "P10.04")
NOT_DELIVERED = Finding(Reason.NOT_DELIVERED, "P10.05", "P10.05", 1)
SUSPENDED = Finding(Reason.SUSPENDED, "N10.2")
LOST = Finding(Reason.LOST_OR_STOLEN, "N10.3")
NO_RIGHT = Finding(Reason.NO_RIGHT, "N10.2")
EXPIRED = Finding(Reason.EXPIRED, "N10.2", "", 2)
NOT_YET_VALID = Finding(Reason.NOT_YET_VALID, "N10.2", "", 3)
OUTSIDE = Finding(Reason.OUTSIDE_SCHEDULE, "N10.2", "", 4)
HOLIDAY = Finding(Reason.HOLIDAY, "N10.2", "", 5)

_OF_STATE: Mapping[CardState, Finding] = {
    CardState.IN_STOCK: NOT_ENROLLED,
    CardState.SUSPENDED: SUSPENDED,
    CardState.REVOKED: REMOVED,
    CardState.LOST: LOST,
    CardState.STOLEN: LOST,
    CardState.DAMAGED: REMOVED,
    CardState.RETURNED: REMOVED,
    CardState.DESTROYED: REMOVED,
}


class Closed(NamedTuple):
    """A credential that opens nothing, and why."""

    finding: Finding
    person: str


Entry = str | Closed  # an active card is the bare id of its holder

# A person: how many of their cards are active, enrolled, signed for, suspended, over; then the rights.
_HEAD = Struct("<5H")
_RIGHT = Struct("<HHBdd")  # door, schedule, only chosen yet, valid from, valid until (seconds of the epoch)
NOBODY = _HEAD.pack(0, 0, 0, 0, 0)
_KINDS = {NOT_SIGNED: 1, NOT_DELIVERED: 2, SUSPENDED: 3, REMOVED: 4, LOST: 4}
_BEST_CARD = ((1, NOT_SIGNED), (2, NOT_DELIVERED), (3, SUSPENDED), (4, REMOVED))


def _entry(fact: CredentialFact, person: str) -> Entry:
    if fact.state is CardState.ACTIVE:
        return person
    if fact.state is CardState.ENROLLED:
        return Closed(NOT_DELIVERED if fact.receipt_signed else NOT_SIGNED, person)
    return Closed(_OF_STATE[fact.state], person)


def holder_of(entry: Entry) -> str:
    """Whose credential it is, open or not; "" for a card in stock."""
    return entry if isinstance(entry, str) else entry.person


def _count(record: bytes, entry: Entry, by: int) -> bytes:
    """The record with one card more or fewer of this kind; a card in stock is nobody's."""
    kind = 0 if isinstance(entry, str) else _KINDS.get(entry.finding)
    if kind is None:
        return record
    counts = list(_HEAD.unpack_from(record))
    counts[kind] += by
    return _HEAD.pack(*counts) + record[_HEAD.size :]


def rights_of(record: bytes) -> Iterator[tuple[int, int, bool, float, float]]:
    """The rights in a person's record: door and schedule by number, whether only chosen yet, from, until."""
    return _RIGHT.iter_unpack(record[_HEAD.size :])


def best_card(record: bytes) -> Finding | None:
    """None if the person holds an active card; else why the best that they hold opens nothing."""
    counts = _HEAD.unpack_from(record)
    return None if counts[0] else next((finding for kind, finding in _BEST_CARD if counts[kind]), NOT_ENROLLED)


def _weight(fact: CredentialFact) -> int:
    """Of several lives of one number: a lost one never opens again, else the live one counts."""
    return 2 if fact.state in NEVER_AGAIN else int(fact.state in LIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The compiled policy. Make one with `compile`, the next one with `updated`; its parts are nobody's to change."""

    credentials: ShardedMap[str, Entry] = field(default_factory=ShardedMap, repr=False)
    people: ShardedMap[str, bytes] = field(default_factory=ShardedMap, repr=False)
    numbers: ShardedMap[int, str] = field(default_factory=ShardedMap, repr=False)
    removed: ShardedMap[str, bool] = field(default_factory=ShardedMap, repr=False)
    doors: frozenset[str] = frozenset()
    door_numbers: Mapping[str, int] = field(default_factory=dict, repr=False)
    schedule_numbers: Mapping[str, int] = field(default_factory=dict, repr=False)
    schedules: Mapping[int, WeeklySchedule] = field(default_factory=dict, repr=False)
    calendar: Calendar = field(default=NO_HOLIDAYS, repr=False)

    @classmethod
    def compile(
        cls,
        *,
        people: Iterable[PersonFact],
        credentials: Iterable[CredentialFact],
        grants: Iterable[AccessGrant],
        doors: Iterable[Door],
        schedules: Iterable[WeeklySchedule],
        calendar: Calendar = NO_HOLIDAYS,
    ) -> "Snapshot":
        """From the whole state, each part streamed once and in this order.

        Where `credentials` has several lives of one number, one that must never open again counts, else the live one.
        """
        return _Compiler().run(people, credentials, grants, cls().updated(*doors, *schedules, calendar))

    def updated(self, *changes: Change) -> "Snapshot":
        """The next snapshot, with all of `changes`, in their order. This one stays as it is."""
        snapshot = self
        for change in changes:
            snapshot = snapshot._after(change)
        return snapshot

    def _after(self, change: Change) -> "Snapshot":
        match change:
            case CredentialFact() | CredentialGone():
                return self._with_credential(change)
            case PersonFact():
                return self._with_person(change)
            case PersonGrants():
                return self._with_grants(change)
            case Door():
                known = self.doors - {change.id} if change.retired else self.doors | {change.id}
                return replace(self, doors=known, door_numbers=_numbered(self.door_numbers, change.id))
            case WeeklySchedule():
                numbers = _numbered(self.schedule_numbers, change.id)
                kept = {number: it for number, it in self.schedules.items() if number != numbers[change.id]}
                if not change.retired:
                    kept[numbers[change.id]] = change
                return replace(self, schedule_numbers=numbers, schedules=kept)
            case Calendar():
                return replace(self, calendar=change)

    def _with_credential(self, change: CredentialFact | CredentialGone) -> "Snapshot":
        credentials, people = self.credentials, self.people
        old = credentials.get(change.key)
        if old is not None and (record := people.get(holder_of(old))) is not None:
            people = people.with_(holder_of(old), _count(record, old, -1))
        if isinstance(change, CredentialGone):
            return replace(self, credentials=credentials.without(change.key), people=people)
        entry = _entry(change, change.person)
        if change.person:
            people = people.with_(change.person, _count(people.get(change.person) or NOBODY, entry, +1))
        return replace(self, credentials=credentials.with_(change.key, entry), people=people)

    def _with_person(self, fact: PersonFact) -> "Snapshot":
        return replace(
            self,
            numbers=self.numbers.with_(fact.number, fact.id),
            removed=self.removed.with_(fact.id, True) if fact.removed else self.removed.without(fact.id),
            people=self.people if fact.id in self.people else self.people.with_(fact.id, NOBODY),
        )

    def _with_grants(self, change: PersonGrants) -> "Snapshot":
        doors, schedules = self.door_numbers, self.schedule_numbers
        record = (self.people.get(change.person) or NOBODY)[: _HEAD.size]
        for grant in change.grants:
            if grant.person != change.person:
                raise ValueError(f"grant {grant.id} is not of {change.person}")
            doors, schedules = _numbered(doors, grant.door), _numbered(schedules, grant.schedule)
            record += _right(grant, doors, schedules)
        people = self.people.with_(change.person, record)
        return replace(self, people=people, door_numbers=doors, schedule_numbers=schedules)


def _numbered(numbers: Mapping[str, int], key: str) -> Mapping[str, int]:
    """Give `key` the next number, unless it has one. Numbers are never given again: records hold them."""
    return numbers if key in numbers else {**numbers, key: len(numbers)}


def _right(grant: AccessGrant, doors: Mapping[str, int], schedules: Mapping[str, int]) -> bytes:
    if grant.state is GrantState.ENDED:
        return b""
    until = inf if grant.valid_until is None else grant.valid_until.timestamp()
    chosen = grant.state is GrantState.CHOSEN
    return _RIGHT.pack(doors[grant.door], schedules[grant.schedule], chosen, grant.valid_from.timestamp(), until)


class _Compiler:
    """Fills the four maps in place. Ids are shared: each is kept once, however often the rows repeat it."""

    def __init__(self) -> None:
        self.people: Builder[str, bytes] = Builder()
        self.credentials: Builder[str, Entry] = Builder()
        self.numbers: Builder[int, str] = Builder()
        self.removed: Builder[str, bool] = Builder()
        self.ids: dict[str, str] = {}
        self.heads: dict[bytes, bytes] = {}

    def run(
        self,
        people: Iterable[PersonFact],
        credentials: Iterable[CredentialFact],
        grants: Iterable[AccessGrant],
        frame: Snapshot,
    ) -> Snapshot:
        for person in people:
            self.ids[person.id] = person.id
            self.people.set(person.id, NOBODY)
            self.numbers.set(person.number, person.id)
            if person.removed:
                self.removed.set(person.id, True)
        self._add_cards(credentials)
        doors, schedules = frame.door_numbers, frame.schedule_numbers
        for grant in grants:
            doors, schedules = _numbered(doors, grant.door), _numbered(schedules, grant.schedule)
            person_id = self.ids.setdefault(grant.person, grant.person)
            record = self.people.get(person_id) or NOBODY
            self.people.set(person_id, record + _right(grant, doors, schedules))
        return replace(
            frame,
            credentials=self.credentials.done(),
            people=self.people.done(),
            numbers=self.numbers.done(),
            removed=self.removed.done(),
            door_numbers=doors,
            schedule_numbers=schedules,
        )

    def _add_cards(self, credentials: Iterable[CredentialFact]) -> None:
        weights: dict[str, int] = {}  # only of numbers whose first life seen does not settle it
        for fact in credentials:
            old, weight = self.credentials.get(fact.key), _weight(fact)
            if old is not None:
                if weights.get(fact.key, 1) > weight:
                    continue
                self._count(old, -1)
            if weight != 1:
                weights[fact.key] = weight
            else:
                weights.pop(fact.key, None)
            entry = _entry(fact, self.ids.setdefault(fact.person, fact.person))
            self.credentials.set(fact.key, entry)
            self._count(entry, +1)

    def _count(self, entry: Entry, by: int) -> None:
        if person := holder_of(entry):
            record = _count(self.people.get(person) or NOBODY, entry, by)
            self.people.set(person, self.heads.setdefault(record, record))  # no rights yet: a handful of values
