"""What the desks need of storage: one unit of work, and a shelf for each kind of value.

`begin()` opens a write transaction (one writer at a time, in both databases), `view()` a read-only one. A method that
changes something ends with `tx.commit()`; leaving the block without it changes nothing. A commit that changed a shelf
and recorded no fact is refused with `NothingRecorded`, so that auditing is never a favour of whoever calls. Shelves
marked operational (health of devices, sign-in tries, capture turns, what a terminal holds) are exempt: they are
observations, and the facts that matter of them are recorded when they change. One page, however long: whoever writes
a desk finds here all that it may ask.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, Self, TypeVar

from accessctl.domain.accounts import Account, SignInTry
from accessctl.domain.alarms import Alarm
from accessctl.domain.cards import Card, CardState
from accessctl.domain.devices import Capture, Command, DeviceHealth, HeldUser
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Presence, ZoneState
from accessctl.domain.people import Actor, Person
from accessctl.domain.places import Device, Door, Zone
from accessctl.domain.procedures import Case
from accessctl.domain.requests import (
    AccessGrant,
    AccessRequest,
    Attachment,
    Removal,
    RemovalTarget,
    Signature,
    StoredTemplate,
)
from accessctl.domain.schedules import Holiday, WeeklySchedule
from accessctl.domain.searches import SavedSearch
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import Visit
from accessctl.record import Checkpoint, Verifier
from accessctl.services.ledger_rows import LedgerRows

V = TypeVar("V")


class NothingRecorded(Exception):
    """A unit of work changed something and recorded no fact: a bug of the service, never shown to people."""


class Shelf(Protocol[V]):
    """Values of one kind, keyed by `id`. Every answer is bounded."""

    def get(self, key: str) -> V:
        """Raises `AccessError(NOT_FOUND)`."""
        ...

    def maybe(self, key: str) -> V | None: ...

    def find(self, *, limit: int = 500, newest: bool = False, **equal: object) -> list[V]:
        """Values whose columns equal what is given; a tuple, list or frozenset means "one of"; None means null.

        Ordered by the shelf's own order (oldest first), `newest` turns it round.
        """
        ...

    def count(self, **equal: object) -> int: ...
    def all(self) -> Iterator[V]:
        """Everything, streamed: for compiling the policy."""
        ...

    def add(self, value: V) -> None:
        """Raises `AccessError(ALREADY_EXISTS)` where the key or a unique column is taken."""
        ...

    def save(self, value: V) -> None: ...
    def delete(self, key: str) -> None:
        """Only templates, captures and observations are ever deleted; elsewhere this is refused by the database."""
        ...


class People(Shelf[Person], Protocol):
    """The people known, with search by name, document or number."""

    def search(self, text: str, *, limit: int = 50) -> list[Person]: ...
    def next_number(self) -> int: ...


class Cards(Shelf[Card], Protocol):
    """Cards, with the questions of N10.3 and N10.4."""

    def by_family(self, family_key: str, *, states: frozenset[CardState]) -> list[Card]: ...
    def outstanding(self, *, limit: int = 1000) -> list[Card]: ...


class Cases(Shelf[Case], Protocol):
    """Cases with their steps."""

    def waiting(self, *, limit: int = 500) -> list[Case]: ...


class Requests(Shelf[AccessRequest], Protocol):
    """Requests of procedure 10."""

    def next_folio(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFilter:
    """Which visits: going on in a half-open time, to one of `zones`, with somebody in any part of it."""

    since: datetime | None = None
    until: datetime | None = None
    zones: tuple[str, ...] = ()
    person: str = ""
    awaits_regularisation: bool = False


class Visits(Shelf[Visit], Protocol):
    """Visits of procedure 4 and of procedure 10."""

    def next_number(self) -> int: ...
    def matching(self, which: VisitFilter, *, after: int = 0, limit: int = 500) -> list[Visit]:
        """Those numbered above `after`, in the order of their numbers."""
        ...

    def escorted_by(self, person: str, *, limit: int = 200) -> list[Visit]:
        """The open visits for which somebody is on escort duty now."""
        ...


class Alarms(Shelf[Alarm], Protocol):
    """Alarms, open and closed."""

    def count_again(self, alarm_id: str) -> None:
        """The same alarm was raised once more: an observation, which needs no fact of its own."""
        ...


class VisitorCards(Shelf[VisitorCard], Protocol):
    """The visitors' pool."""

    def lives(self, family_key: str) -> list[VisitorCard]:
        """Every card and slip that ever bore the number."""
        ...

    def in_pool(self, family_key: str) -> VisitorCard | None:
        """The card of that number that is not retired."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """One event of a device on its way into the record. `identity` makes it one, however often it is delivered.

    `identity` = device, log epoch, sequence (or occurrence) and a digest of its bytes; never a timestamp alone.
    """

    identity: str
    fact: Fact
    at: datetime
    received_at: datetime
    device: str
    door: str = ""
    zone: str = ""
    direction: str = ""
    reason: str = ""
    norm: str = ""
    person: str = ""
    credential: str = ""
    visit: str = ""
    device_time: str = ""
    skew_s: int | None = None
    data: Mapping[str, str | int | bool | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One entry of the record as it is shown and exported: the columns of the export format, plus what is beside them.

    `person_name` is the disclosed name ("" where erased or none); `actor` the account that did it.
    """

    index: int
    at: datetime
    received_at: datetime
    event: str
    device: str
    door: str
    zone: str
    direction: str
    reason: str
    norm: str
    person: str
    person_name: str
    credential: str
    visit: str
    device_time: str
    skew_s: int | None
    actor: str
    case: str
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which entries: half-open in time and index, all other fields equal where given."""

    since: datetime | None = None
    until: datetime | None = None
    after_index: int | None = None
    before_index: int | None = None
    doors: tuple[str, ...] = ()
    person: str = ""
    device: str = ""
    credential: str = ""
    credentials: tuple[str, ...] = ()  # any of them: one card, in the forms in which it was recorded
    visit: str = ""
    case: str = ""
    norm: str = ""
    events: tuple[str, ...] = ()
    device_events_only: bool = False


class Events(Protocol):
    """The record, as a projection that is searched, and the one way device events enter it."""

    def store(self, events: Sequence[DeviceEvent]) -> list[int]:
        """Append those whose identity is new, once each; returns their indexes. Duplicates are simply not stored."""
        ...

    def rows(self, which: EventFilter, *, limit: int = 200, newest: bool = False) -> list[EventRow]: ...
    def search(
        self, which: EventFilter, *, limit: int, newest: bool = False, seconds: float | None = None
    ) -> "FoundRows":
        """As `rows`, in about so many seconds."""
        ...

    def stream(self, which: EventFilter) -> Iterator[tuple[EventRow, bytes]]:
        """Oldest first, each with its canonical bytes; flat memory."""
        ...

    def size(self) -> int: ...
    def mentions(self, after: int, before: int, kinds: tuple[str, ...]) -> list["Mention"]:
        """What the entries of these facts between two indexes name, neither of the two included, in no order."""
        ...

    def tally(
        self, which: EventFilter, by: Sequence[str], *, after: Sequence[str] = (), limit: int = 200
    ) -> list["Tally"]:
        """How many entries for each combination of the columns `by`, in their order, behind `after`."""
        ...

    def count(
        self,
        which: EventFilter,
        by: Sequence[str],
        *,
        after: Sequence[str] = (),
        limit: int | None = None,
        seconds: float | None = None,
    ) -> "Counted":
        """The same for any part of the record, of any length, in about so many seconds; what has no first value last.

        Entries are counted from the oldest on.
        """
        ...


class Mention(NamedTuple):
    """The fact of an entry, and the person and the credential that it names, "" where it names none."""

    event: str
    person: str
    credential: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRows:
    """What a search found. `reached` is the last entry that it looked at when its time was over; None: it saw all."""

    rows: tuple[EventRow, ...]
    reached: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """So many entries have these values; the first and the last of them. `name` is a person's, where it is known."""

    values: tuple[str, ...]
    count: int
    first_at: datetime
    last_at: datetime
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Lines of what was counted. `reached` is the last entry that was when the time was over; None: all were."""

    lines: tuple[Tally, ...]
    reached: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheckpoint:
    """A signed note that is kept: how many entries it signs, their root, the note."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFound:
    """The stored record was found in order: its size and root, how many kept and how many brought checkpoints held."""

    size: int
    root: bytes
    checkpoints: int
    held: int


class Ledger(LedgerRows, Protocol):
    """The record beneath its projection: bytes, tree, checkpoints. Streams are valid while the unit of work is open."""

    def size(self) -> int: ...
    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
        """Index, canonical bytes and leaf hash of entries `start` to `stop - 1`, as far as there are any."""
        ...

    def places(self, which: EventFilter) -> Iterator[list[int]]:
        """The indexes of what the filter finds, in the order of the record, a page at a time; flat memory."""
        ...

    def checkpoint(self) -> KeptCheckpoint | None:
        """The newest one kept."""
        ...

    def keep_checkpoint(self, signed: Checkpoint, note: str, at: datetime) -> None:
        """Keep a signed checkpoint, one for each size. It needs no fact: each would make the record grow again."""
        ...

    def erase_openings(self, subjects: Sequence[str]) -> int:
        """Forget what opens the commitments about these people and cases; how many. Its fact is the caller's."""
        ...

    def check(self, *, trusted: Sequence[Verifier], held: Sequence[Checkpoint]) -> RecordFound:
        """Read the whole record against itself and its checkpoints. Raises `RecordBroken` at the first bad index."""
        ...


class Work(Protocol):
    """One unit of work: the shelves, the record, and the commit."""

    people: People
    cards: Cards
    cases: Cases
    requests: Requests
    accounts: Shelf[Account]
    sign_in_tries: Shelf[SignInTry]
    grants: Shelf[AccessGrant]
    removals: Shelf[Removal]
    removal_targets: Shelf[RemovalTarget]
    attachments: Shelf[Attachment]
    signatures: Shelf[Signature]
    templates: Shelf[StoredTemplate]
    zones: Shelf[Zone]
    doors: Shelf[Door]
    devices: Shelf[Device]
    schedules: Shelf[WeeklySchedule]
    holidays: Shelf[Holiday]
    health: Shelf[DeviceHealth]
    held_users: Shelf[HeldUser]
    commands: Shelf[Command]
    captures: Shelf[Capture]
    alarms: Alarms
    visits: Visits
    visitor_cards: VisitorCards
    presence: Shelf[Presence]
    zone_states: Shelf[ZoneState]
    saved_searches: Shelf[SavedSearch]
    events: Events
    ledger: Ledger

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...

    def record(
        self,
        fact: Fact,
        *,
        at: datetime,
        actor: Actor,
        norm: str = "",
        reason: str = "",
        case: str = "",
        person: str = "",
        credential: str = "",
        device: str = "",
        door: str = "",
        zone: str = "",
        direction: str = "",
        visit: str = "",
        data: Mapping[str, str | int | bool | None] | None = None,
        personal: Mapping[str, str] | None = None,
    ) -> None:
        """One entry of the record, written with this transaction. `personal` enters as salted commitments only."""
        ...

    def commit(self) -> None: ...


class Store(Protocol):
    """Where units of work come from."""

    def begin(self) -> Work: ...
    def view(self) -> Work: ...


Clock = Callable[[], datetime]
NewId = Callable[[], str]
Entropy = Callable[[int], bytes]
