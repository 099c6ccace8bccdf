"""What is held on one person, for that person (Decreto 57-2008): whole as JSON, and on paper in a few sheets.

Everything about the person but what would harm (templates, passwords). On paper what is long is summed up, with how
much there is of it: a person with a hundred thousand passages gets them counted door by door, and each of them in the
JSON. Who took an extract is on the record, and in the next extract.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

import orjson

from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, IdentityDocument, Permission, Person
from accessctl.domain.schedules import local
from accessctl.services.erasure import MOST, NORM, Retention, cases_about
from accessctl.services.office import Office
from accessctl.services.paper_facts import Sealing, Stamp, unsealed
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.report_names import card_text
from accessctl.services.reports import LOOKED_FACTS
from accessctl.services.store import EventFilter, Tally, Work

MOST_ENTRIES = 50_000  # of an extract as JSON
MOST_ROWS = 100  # of a section on paper, the newest

Cell: TypeAlias = "str | int | datetime | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One kind of thing that is held: its rows, the newest first, and how many there are in all."""

    name: str
    total: int
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractFacts:
    """An extract on paper. `keep_days` is how long after the last entry; `fingers` how many templates are held."""

    stamp: Stamp
    number: int
    name: str
    document: IdentityDocument
    email: str
    department: str
    position: str
    removed: bool
    fingers: int
    keep_days: int
    entries: int
    sections: tuple[Section, ...]


class ExtractPrinter(Protocol):
    """Draws an extract as PDF."""

    def extract(self, facts: ExtractFacts) -> bytes: ...


class ExtractDesk:
    """Gives extracts."""

    def __init__(
        self,
        office: Office,
        keeper: RecordKeeper,
        printer: ExtractPrinter,
        retention: Retention,
        seal: Sealing = unsealed,
    ) -> None:
        self._office = office
        self._keeper = keeper
        self._printer = printer
        self._retention = retention
        self._seal = seal

    def as_json(self, actor: Actor, person_id: str) -> bytes:
        """Everything held on a person, as JSON; who took it is on the record."""
        self._office.require(actor, Permission.EVENTS_EXPORT, norm=NORM)
        with self._office.store.view() as tx:
            person, now = tx.people.get(person_id), self._office.clock()
            content = orjson.dumps({"made_at": now, **_held_on(tx, person)}, default=_plain, option=orjson.OPT_INDENT_2)
        self._record(actor, person, "json", content, now)
        return content

    def as_pdf(self, actor: Actor, person_id: str) -> bytes:
        """The same summed up on paper, with the checkpoint that covers it."""
        self._office.require(actor, Permission.EVENTS_EXPORT, norm=NORM)
        signed = self._keeper.opened(self._keeper.checkpoint())
        with self._office.store.view() as tx:
            person, now = tx.people.get(person_id), self._office.clock()
            staff = tx.requests.count(beneficiary=person.id) or tx.accounts.count(person=person.id)
            keep = self._retention.people if staff else self._retention.visitors
            facts = ExtractFacts(
                stamp=Stamp(
                    number=f"{NORM}-E{person.number}-{local(now):%Y%m%d-%H%M%S}",
                    made_at=now,
                    origin=self._keeper.origin,
                    checkpoint=(signed.size, signed.root),
                ),
                number=person.number,
                name=person.full_name,
                document=person.document,
                email=person.email,
                department=person.department,
                position=person.position,
                removed=person.removed,
                fingers=tx.templates.count(person=person.id),
                keep_days=keep.days,
                entries=sum(
                    one.count for one in tx.events.tally(EventFilter(person=person.id), ("event",), limit=1000)
                ),
                sections=tuple(_sections(tx, person)),
            )
        content = self._seal(self._printer.extract(facts))
        self._record(actor, person, "pdf", content, now)
        return content

    def _record(self, actor: Actor, person: Person, fmt: str, content: bytes, now: datetime) -> None:
        data: dict[str, str | int | bool | None] = {
            "format": fmt,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        with self._office.begin(actor) as tx:
            tx.record(Fact.EXTRACT_MADE, at=now, actor=actor, person=person.id, norm=NORM, data=data)
            tx.commit()


def _sections(tx: Work, person: Person) -> list[Section]:
    """What is held, kind by kind; a kind of which there is nothing is not left out: that says something too."""
    return [*_access(tx, person.id), *_movements(tx, person.id), *_papers(tx, person), *_knowledge(tx, person.id)]


def _access(tx: Work, me: str) -> list[Section]:
    doors = {door.id: door.name for door in tx.doors.find(limit=5000)}
    requests = tx.requests.find(beneficiary=me, newest=True, limit=MOST_ROWS)
    cards = tx.cards.find(holder=me, newest=True, limit=MOST_ROWS)
    grants = tx.grants.find(person=me, newest=True, limit=MOST_ROWS)
    removals = tx.removals.find(person=me, newest=True, limit=MOST_ROWS)
    accounts = tx.accounts.find(person=me, newest=True, limit=MOST_ROWS)
    return [
        Section(
            name="requests",
            total=tx.requests.count(beneficiary=me),
            rows=tuple(
                (
                    one.folio,
                    one.registered_at,
                    one.justification,
                    ", ".join(doors.get(door, door) for door in one.doors),
                    tx.people.get(one.authority).full_name,
                    one.authorised_at,
                )
                for one in requests
            ),
        ),
        Section(
            name="cards",
            total=tx.cards.count(holder=me),
            rows=tuple((card_text(one.number.key), one.state.value, one.since) for one in cards),
        ),
        Section(
            name="rights",
            total=tx.grants.count(person=me),
            rows=tuple(
                (doors.get(one.door, one.door), one.valid_from, one.valid_until, one.state.value) for one in grants
            ),
        ),
        Section(
            name="removals",
            total=tx.removals.count(person=me),
            rows=tuple((one.at, one.reason, one.completed_at) for one in removals),
        ),
        Section(
            name="accounts",
            total=tx.accounts.count(person=me),
            rows=tuple(
                (one.username, ", ".join(role.value for role in one.roles), one.added_at, one.disabled_at)
                for one in accounts
            ),
        ),
    ]


def _movements(tx: Work, me: str) -> list[Section]:
    doors = {door.id: door.name for door in tx.doors.find(limit=5000)}
    passages = (Fact.DOOR_GRANTED.value, Fact.DOOR_REFUSED.value, Fact.DOOR_EXITED.value)
    counted = tx.events.tally(EventFilter(person=me, events=passages), ("door", "event"), limit=1000)
    visits = tx.visits.find(visitor=me, newest=True, limit=MOST_ROWS)
    received = tx.visits.find(host=me, newest=True, limit=MOST_ROWS)
    whereabouts = tx.presence.maybe(me)
    return [
        Section(
            name="passages",
            total=sum(one.count for one in counted),
            rows=tuple(
                (doors.get(one.values[0], one.values[0]), one.values[1], one.count, one.first_at, one.last_at)
                for one in counted[:MOST_ROWS]
            ),
        ),
        Section(
            name="visits",
            total=tx.visits.count(visitor=me),
            rows=tuple(
                (
                    one.number,
                    tx.zones.get(one.zone).name,
                    one.organisation,
                    one.purpose,
                    one.entered_at,
                    one.exited_at,
                    one.state.value,
                )
                for one in visits
            ),
        ),
        Section(
            name="received",
            total=tx.visits.count(host=me),
            rows=tuple(
                (one.number, tx.zones.get(one.zone).name, one.entered_at, one.exited_at, one.state.value)
                for one in received
            ),
        ),
        Section(
            name="whereabouts",
            total=int(whereabouts is not None),
            rows=() if whereabouts is None else ((tx.zones.get(whereabouts.zone).name, whereabouts.since),),
        ),
    ]


def _papers(tx: Work, person: Person) -> list[Section]:
    signatures = tx.signatures.find(person=person.id, newest=True, limit=MOST_ROWS)
    scans = [one for case in cases_about(tx, person)[:MOST_ROWS] for one in tx.attachments.find(case=case, limit=50)]
    alarms = tx.alarms.find(person=person.id, newest=True, limit=MOST_ROWS)
    return [
        Section(
            name="signatures",
            total=tx.signatures.count(person=person.id),
            rows=tuple((one.at, one.document_shown, one.sha256) for one in signatures),
        ),
        Section(
            name="attachments",
            total=len(scans),
            rows=tuple((one.at, one.name, one.sha256) for one in scans[:MOST_ROWS]),
        ),
        Section(
            name="alarms",
            total=tx.alarms.count(person=person.id),
            rows=tuple((one.raised_at, one.kind.value, one.state.value, one.count) for one in alarms),
        ),
    ]


def _knowledge(tx: Work, me: str) -> list[Section]:
    """Who looked at it, and what the record has about the person, counted by fact."""
    looked = tx.events.rows(EventFilter(person=me, events=LOOKED_FACTS), limit=MOST_ROWS, newest=True)
    by_fact = _by_fact(tx, me)
    return [
        Section(
            name="looked_at_by",
            total=sum(one.count for one in by_fact if one.values[0] in LOOKED_FACTS),
            rows=tuple((row.at, row.event, _who(tx, row.actor), row.index) for row in looked),
        ),
        Section(
            name="entries",
            total=sum(one.count for one in by_fact),
            rows=tuple((one.values[0], one.count, one.first_at, one.last_at) for one in by_fact[:MOST_ROWS]),
        ),
    ]


def _by_fact(tx: Work, me: str) -> list[Tally]:
    return tx.events.tally(EventFilter(person=me), ("event",), limit=1000)


def _who(tx: Work, account_id: str) -> str:
    account = tx.accounts.maybe(account_id)
    return account.username if account else account_id


def _held_on(tx: Work, person: Person) -> Mapping[str, object]:
    """All shelves and entries about the person; no template, no password."""
    me = person.id
    entries = []
    looked = []
    for row, data in tx.events.stream(EventFilter(person=me)):
        said = orjson.loads(data)
        entries.append({"index": row.index, **said, "person": row.person_name})
        if row.event in LOOKED_FACTS:
            looked.append({"index": row.index, "at": row.at, "actor": row.actor, "event": row.event})
        if len(entries) == MOST_ENTRIES:
            break
    accounts = tx.accounts.find(person=me, limit=MOST)
    attachments = [one for case in cases_about(tx, person) for one in tx.attachments.find(case=case, limit=MOST)]
    return {
        "person": person,
        "cards": tx.cards.find(holder=me, limit=MOST),
        "rights": tx.grants.find(person=me, limit=MOST),
        "requests": tx.requests.find(beneficiary=me, limit=MOST),
        "removals": tx.removals.find(person=me, limit=MOST),
        "visits": tx.visits.find(visitor=me, limit=MOST),
        "visits_received": tx.visits.find(host=me, limit=MOST),
        "fingers": sorted(one.finger for one in tx.templates.find(person=me, limit=MOST)),
        "signatures": [
            {"at": one.at, "sha256": one.sha256, "document_shown": one.document_shown}
            for one in tx.signatures.find(person=me, limit=MOST)
        ],
        "attachments": [
            {"name": one.name, "kind": one.kind, "at": one.at, "sha256": one.sha256} for one in attachments
        ],
        "accounts": [
            {"username": one.username, "roles": one.roles, "added_at": one.added_at, "disabled_at": one.disabled_at}
            for one in accounts
        ],
        "alarms": tx.alarms.find(person=me, limit=MOST),
        "whereabouts": tx.presence.maybe(me),
        "looked_at_by": looked,
        "entries": entries,
        "entries_left_out": sum(one.count for one in _by_fact(tx, me)) - len(entries),
    }


def _plain(value: object) -> object:
    """What orjson does not know: sets, and the few bytes of a number. Longer ones never belong into an extract."""
    if isinstance(value, bytes) and len(value) <= 64:
        return value.hex()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)
