"""The compiled policy: everything that a decision needs, in a value that never changes.

An active card leads in one lookup to its holder's record: a few bytes with the removal (N10.4), the id and the rights.
`updated` makes the next snapshot in microseconds (see `sharded`), with all changes of one commit or none; whoever still
reads the old one reads it whole. A million people with a card and two rights each fit in less than 400 MiB, and give
the garbage collector nothing to walk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from math import inf
from operator import attrgetter
from struct import Struct
from typing import NamedTuple

from accessctl.domain.cards import LIVE, NEVER_AGAIN, CardState
from accessctl.domain.errors import Reason
from accessctl.domain.places import Door
from accessctl.domain.requests import AccessGrant, GrantState
from accessctl.domain.schedules import NO_HOLIDAYS, Calendar, WeeklySchedule
from accessctl.domain.sharded import ShardedMap


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
    CardState.ACTIVE: NOT_ENROLLED,  # of nobody: see `remember`
    CardState.SUSPENDED: SUSPENDED,
    CardState.REVOKED: REMOVED,
    CardState.LOST: LOST,
    CardState.STOLEN: LOST,
    CardState.DAMAGED: REMOVED,
    CardState.RETURNED: REMOVED,
    CardState.DESTROYED: REMOVED,
}


Entry = bytes | str
"""What a credential leads to: if its card is active, the holder's record; else one digit, the place in `CLOSED` of what
is wrong with it, and the holder's id. Neither is anything that the garbage collector would look into."""

CLOSED = (NOT_ENROLLED, NOT_SIGNED, NOT_DELIVERED, SUSPENDED, REMOVED, LOST)

# A record is the head, the person's id, and the rights. The head: removed (N10.4), how many of the cards are enrolled,
# signed for, suspended or over, and the length of the id.
_HEAD = Struct("<?4HB")
_RIGHT = Struct("<HHBdd")  # door, schedule, only chosen yet, valid from, valid until (seconds of the epoch)
_ID_LENGTH = _HEAD.size - 1
_KIND = (None, 1, 2, 3, 4, 4)  # where the head counts a card whose entry is closed so; one in stock is nobody's
_PAGE = 64  # people's numbers are given one after the other, so they are kept in pages

Filed = str | bytes | tuple[bytes, tuple[str, ...]]
"""What is filed under a person's id: the key of their one active card, whose entry is the record; the record, where
they have none; or the record and the keys of several."""


def person_of(record: bytes) -> str:
    """Whose record it is."""
    return record[_HEAD.size : _HEAD.size + record[_ID_LENGTH]].decode()


def is_removed(record: bytes) -> bool:
    """The revocation list (N10.4), asked before anything else that is known of a person."""
    return record[0] != 0


def rights_of(record: bytes) -> Iterator[tuple[int, int, bool, float, float]]:
    """The rights in a record: door and schedule by number, whether only chosen yet, from, until."""
    return _RIGHT.iter_unpack(record[_HEAD.size + record[_ID_LENGTH] :])


def _new_record(person: str) -> bytes:
    name = person.encode()
    return _HEAD.pack(False, 0, 0, 0, 0, len(name)) + name


def _right(grant: AccessGrant, doors: Mapping[str, int], schedules: Mapping[str, int]) -> bytes:
    if grant.state is GrantState.ENDED:
        return b""
    if grant.valid_from.tzinfo is None or (grant.valid_until is not None and grant.valid_until.tzinfo is None):
        raise ValueError(f"grant {grant.id} has a time without a zone")
    until = inf if grant.valid_until is None else grant.valid_until.timestamp()
    chosen = grant.state is GrantState.CHOSEN
    return _RIGHT.pack(doors[grant.door], schedules[grant.schedule], chosen, grant.valid_from.timestamp(), until)


def _numbered(numbers: Mapping[str, int], key: str) -> Mapping[str, int]:
    """Give `key` the next number, unless it has one. Numbers are never given again: records hold them."""
    return numbers if key in numbers else {**numbers, key: len(numbers)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The compiled policy. Make one with `compile`, the next one with `updated`; its parts are nobody's to change."""

    credentials: ShardedMap[str, Entry] = field(default_factory=ShardedMap, repr=False)
    people: ShardedMap[str, Filed] = field(default_factory=ShardedMap, repr=False)
    numbers: ShardedMap[int, tuple[str, ...]] = field(default_factory=ShardedMap, repr=False)
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
        clerk = _Clerk(cls().updated(*doors, *schedules, calendar))
        for person in people:
            clerk.register(person)
        clerk.hand_out(credentials)
        for holder, theirs in groupby(grants, attrgetter("person")):  # in any order; one write for each run of a person
            clerk.add_rights(holder, theirs)
        return clerk.done()

    def updated(self, *changes: Change) -> "Snapshot":
        """The next snapshot, with all of `changes`, in their order. This one stays as it is."""
        clerk = _Clerk(self)
        for change in changes:
            clerk.take(change)
        return clerk.done()

    def record_of(self, person: str) -> tuple[bytes, tuple[str, ...]]:
        """Somebody's record and their active cards."""
        return _unfiled(person, self.people.get(person), self.credentials.get)

    def person_numbered(self, number: int) -> str:
        """Whose number it is, or ""."""
        page = self.numbers.get(number // _PAGE)
        return page[number % _PAGE] if page is not None else ""

    def why_no_card(self, record: bytes) -> Finding:
        """For somebody without an active card: why the best that they hold opens nothing."""
        _, *counts, _ = _HEAD.unpack_from(record)
        return next((CLOSED[kind] for kind, count in enumerate(counts, start=1) if count), NOT_ENROLLED)


def _unfiled(
    person: str, filed: Filed | None, entry_of: Callable[[str], Entry | None]
) -> tuple[bytes, tuple[str, ...]]:
    if filed is None:
        return _new_record(person), ()
    if isinstance(filed, str):
        record = entry_of(filed)
        if not isinstance(record, bytes):
            raise RuntimeError("a person is filed under a card that is not active")  # noqa: TRY004 -- no caller's type
        return record, (filed,)
    return (filed, ()) if isinstance(filed, bytes) else filed


class _Clerk:
    """Makes the next snapshot out of the one before: the only place where records are written."""

    def __init__(self, before: Snapshot) -> None:
        self.credentials = before.credentials.draft()
        self.people = before.people.draft()
        self.numbers = before.numbers.draft()
        self.pages: dict[int, list[str]] = {}
        self.doors, self.calendar = before.doors, before.calendar
        self.door_numbers, self.schedule_numbers = before.door_numbers, before.schedule_numbers
        self.schedules = before.schedules

    def done(self) -> Snapshot:
        for number, page in self.pages.items():
            self.numbers.set(number, tuple(page))
        return Snapshot(
            credentials=self.credentials.done(),
            people=self.people.done(),
            numbers=self.numbers.done(),
            doors=self.doors,
            door_numbers=self.door_numbers,
            schedule_numbers=self.schedule_numbers,
            schedules=self.schedules,
            calendar=self.calendar,
        )

    def take(self, change: Change) -> None:
        match change:
            case CredentialFact():
                self.forget(change.key)
                self.remember(change)
            case CredentialGone():
                self.forget(change.key)
            case PersonFact():
                self.register(change)
            case PersonGrants():
                self.grant(change)
            case Door():
                self.doors = self.doors - {change.id} if change.retired else self.doors | {change.id}
                self.door_numbers = _numbered(self.door_numbers, change.id)
            case WeeklySchedule():
                self.schedule_numbers = _numbered(self.schedule_numbers, change.id)
                number = self.schedule_numbers[change.id]
                kept = {other: schedule for other, schedule in self.schedules.items() if other != number}
                self.schedules = kept if change.retired else {**kept, number: change}
            case Calendar():
                self.calendar = change

    def file(self, person: str, record: bytes, keys: tuple[str, ...]) -> None:
        """Put a record where all its readers find it: under the id, and behind each active card."""
        for key in keys:
            self.credentials.set(key, record)
        self.people.set(person, keys[0] if len(keys) == 1 else (record, keys) if keys else record)

    def unfiled(self, person: str) -> tuple[bytes, tuple[str, ...]]:
        return _unfiled(person, self.people.get(person), self.credentials.get)

    def forget(self, key: str) -> None:
        """The credential is unknown from here on, and no longer counted."""
        entry = self.credentials.get(key)
        if isinstance(entry, bytes):
            person = person_of(entry)
            record, keys = self.unfiled(person)
            self.file(person, record, tuple(other for other in keys if other != key))
        elif entry is not None:
            self.count(entry, -1)
        self.credentials.drop(key)

    def remember(self, fact: CredentialFact) -> None:
        """A credential that is not known yet. An active one without a holder was handed to nobody: it opens nothing."""
        if fact.state is CardState.ACTIVE and fact.person:
            record, keys = self.unfiled(fact.person)
            self.file(fact.person, record, (*keys, fact.key))
            return
        if fact.state is CardState.ENROLLED:
            finding = NOT_DELIVERED if fact.receipt_signed else NOT_SIGNED
        else:
            finding = _OF_STATE[fact.state]
        entry = f"{CLOSED.index(finding)}{fact.person}"
        self.credentials.set(fact.key, entry)
        self.count(entry, +1)

    def count(self, entry: str, by: int) -> None:
        kind, person = _KIND[int(entry[0])], entry[1:]
        if not person or kind is None:
            return
        record, keys = self.unfiled(person)
        counts = list(_HEAD.unpack_from(record))
        counts[kind] += by
        self.file(person, _HEAD.pack(*counts) + record[_HEAD.size :], keys)

    def register(self, fact: PersonFact) -> None:
        page = self.pages.get(fact.number // _PAGE)
        if page is None:
            page = self.pages[fact.number // _PAGE] = list(self.numbers.get(fact.number // _PAGE) or ("",) * _PAGE)
        page[fact.number % _PAGE] = fact.id
        record, keys = self.unfiled(fact.id)
        self.file(fact.id, (b"\1" if fact.removed else b"\0") + record[1:], keys)

    def grant(self, change: PersonGrants) -> None:
        record, keys = self.unfiled(change.person)
        self.file(change.person, record[: _HEAD.size + record[_ID_LENGTH]], keys)
        self.add_rights(change.person, change.grants)

    def add_rights(self, person: str, grants: Iterable[AccessGrant]) -> None:
        record, keys = self.unfiled(person)
        self.file(person, record + b"".join(self.right(person, grant) for grant in grants), keys)

    def right(self, person: str, grant: AccessGrant) -> bytes:
        if grant.person != person:
            raise ValueError(f"grant {grant.id} is not of {person}")
        self.door_numbers = _numbered(self.door_numbers, grant.door)
        self.schedule_numbers = _numbered(self.schedule_numbers, grant.schedule)
        return _right(grant, self.door_numbers, self.schedule_numbers)

    def hand_out(self, facts: Iterable[CredentialFact]) -> None:
        """All credentials, with all lives of each number: a lost one never opens again, else the live one counts."""
        weights: dict[str, int] = {}  # of the numbers whose life seen so far is not a live one
        for fact in facts:
            weight = 2 if fact.state in NEVER_AGAIN else int(fact.state in LIVE)
            if self.credentials.get(fact.key) is not None:
                if weights.get(fact.key, 1) > weight:
                    continue
                self.forget(fact.key)
            if weight == 1:
                weights.pop(fact.key, None)
            else:
                weights[fact.key] = weight
            self.remember(fact)
