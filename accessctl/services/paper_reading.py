"""Reading what papers say, inside somebody's view: from the request, the shelves, and the record itself.

What a receipt grants is read from the entry that recorded the choice (P10.03), not from grants that may have ended
since: a receipt says today what it said when it was signed.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice

from accessctl.domain.accounts import Account
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import AUTHORITIES, Person, Role
from accessctl.domain.places import Device, Transport
from accessctl.domain.procedures import END, PREMISES_ACCESS, Case, StepDone
from accessctl.domain.requests import AccessGrant, AccessRequest, GrantState
from accessctl.domain.schedules import GUATEMALA, local
from accessctl.record import decode
from accessctl.services.paper_facts import (
    DoorOutcome,
    NoticeDoor,
    NoticeFacts,
    OwedCard,
    OwingDepartment,
    PaperDoor,
    PaperPerson,
    PaperSignature,
    ReceiptFacts,
    RegisterEntry,
    Stamp,
)
from accessctl.services.store import EventFilter, EventRow, Work
from accessctl.services.watch import DOOR_EVENTS

MOST_ENTRIES = 100_000  # lines of one printed day; what goes beyond is said on the folio and stands in the export
MOST_CARDS = 20_000
MOST_PLACES = 10_000
_RANK = (Role.JEFE, Role.DIRECTOR, Role.SUBGERENTE)  # the nearest head answers first


def receipt_facts(tx: Work, case_id: str, *, origin: str) -> ReceiptFacts:
    """The receipt as it stands. Refused (`STEP_OUT_OF_ORDER`, P10.04) before P10.03 is done."""
    request, case = _reached(tx, case_id, 4, norm="P10.04")
    person = tx.people.get(request.beneficiary)
    configured = _step(case, 3)
    chosen = _rows(tx, case_id, Fact.ACCESS_CHOSEN)[0]
    signed = _rows(tx, case_id, Fact.RECEIPT_SIGNED)
    entry = signed[0] if signed else chosen
    return ReceiptFacts(
        stamp=Stamp(
            number=f"P10.04-{request.folio:06d}",
            made_at=entry.at if signed else configured.at,
            origin=origin,
            entry=(entry.index, entry.leaf),
        ),
        request=str(request.folio),
        person=PaperPerson(
            name=entry.person_name or person.full_name, position=person.position, department=request.department
        ),
        document=person.document,
        card=tx.cards.get(request.card).number,
        doors=_chosen_doors(tx, chosen),
        valid_from=local(request.valid_from).date(),
        valid_until=_last_day(request.valid_until),
        authorised_by=_named(tx.people.get(request.authority)),
        authorised_at=request.authorised_at or configured.at,
        authorised_how=request.authorised_how,
        configured_by=_named(tx.people.get(configured.person)),
        configured_at=configured.at,
        signature=_signature(tx, request),
    )


def notice_facts(tx: Work, case_id: str, *, origin: str, now: datetime, signs: Person | None) -> NoticeFacts:
    """The notice. Refused (`STEP_OUT_OF_ORDER`, P10.06) before P10.05 is done.

    Its date is that on which the requester was informed, and until then `now`; so is who signs it.
    """
    request, case = _reached(tx, case_id, 6, norm="P10.06")
    person = tx.people.get(request.beneficiary)
    delivered = _rows(tx, case_id, Fact.CARD_DELIVERED)[0]
    informed = next((done for done in case.done if done.step == 6), None)
    signer = tx.people.maybe(informed.person) if informed else signs
    card = tx.cards.get(request.card)
    grants = [one for one in tx.grants.find(case=case_id, limit=2000) if one.state is not GrantState.CHOSEN]
    return NoticeFacts(
        stamp=Stamp(
            number=f"P10.06-{request.folio:06d}",
            made_at=informed.at if informed else now,
            origin=origin,
            entry=(delivered.index, delivered.leaf),
        ),
        request=str(request.folio),
        requested_at=request.registered_at,
        addressee=_named(tx.people.get(request.requester)),
        person=PaperPerson(
            name=delivered.person_name or person.full_name, position=person.position, department=request.department
        ),
        card=card.number,
        card_state=card.state,
        delivered_at=request.delivered_at or delivered.at,
        valid_from=local(request.valid_from).date(),
        valid_until=_last_day(request.valid_until),
        doors=_outcomes(tx, case_id, grants, person.id),
        waiver=request.waiver,
        signed_by=_named(signer) if signer else PaperPerson(name=""),
    )


def owing_departments(tx: Work, today: date) -> tuple[OwingDepartment, ...]:
    """Cards not handed in, by department; the longest owed first."""
    heads = _heads(tx)
    by_department: dict[str, list[OwedCard]] = {}
    for card in tx.cards.outstanding(limit=MOST_CARDS):
        holder = tx.people.get(card.holder or "")
        removal = tx.removals.find(person=holder.id, newest=True, limit=1)
        since = local(card.since).date() if card.since else today
        owed = OwedCard(
            card=card.number,
            holder=holder.full_name,
            since=min(since, today),
            removal=removal[0].id[:8] if removal else "",
            state=card.state,
        )
        by_department.setdefault(card.owed_by or holder.department, []).append(owed)
    return tuple(
        OwingDepartment(
            department=department,
            head=heads.get(department.casefold(), ""),
            cards=tuple(sorted(cards, key=lambda owed: (owed.since, owed.holder))),
        )
        for department, cards in sorted(by_department.items())
    )


def day_entries(tx: Work, day: date, *, zone: str, size: int) -> tuple[tuple[RegisterEntry, ...], int]:
    """The doors' events of a local day among the first `size` entries, in the order of time; and how many more."""
    doors = {door.id: door for door in tx.doors.find(limit=MOST_PLACES)}
    zones = {one.id: one.name for one in tx.zones.find(limit=MOST_PLACES)}
    wanted = tuple(door.id for door in doors.values() if door.zone == zone) if zone else ()
    if zone and not wanted:
        return (), 0
    since = datetime.combine(day, time(), GUATEMALA)
    until = since + timedelta(days=1)
    which = EventFilter(since=since, until=until, before_index=size, events=DOOR_EVENTS, doors=wanted)
    rows = tx.events.stream(which)
    found = []
    for row, _ in islice(rows, MOST_ENTRIES):
        door = doors.get(row.door)
        behind = row.zone or (door.zone if door else "")
        found.append(
            RegisterEntry(
                index=row.index,
                at=row.at,
                door=door.name if door else row.door,
                zone=zones.get(behind, behind),
                direction=row.direction,
                event=row.event,
                person=row.person_name,
                credential=row.credential,
                reason=row.reason,
                norm=row.norm,
            )
        )
    left_out = sum(1 for _ in rows)
    return tuple(sorted(found, key=lambda entry: (entry.at, entry.index))), left_out


def _reached(tx: Work, case_id: str, number: int, *, norm: str) -> tuple[AccessRequest, Case]:
    """The request and its case, if it came as far as step `number`."""
    request, case = tx.requests.get(case_id), tx.cases.get(case_id)
    if case.cancelled:
        raise AccessError(Reason.CASE_CLOSED, norm)
    if case.step != END and case.step < number:
        waiting = PREMISES_ACCESS.step(case.step).reference(PREMISES_ACCESS.number)
        raise AccessError(Reason.STEP_OUT_OF_ORDER, norm, missing_step=waiting)
    return request, case


def _step(case: Case, number: int) -> StepDone:
    return next(done for done in case.done if done.step == number)


def _rows(tx: Work, case_id: str, fact: Fact) -> list[EventRow]:
    """The newest entry of that kind on a case, if there is one."""
    return tx.events.rows(EventFilter(case=case_id, events=(fact.value,)), limit=1, newest=True)


def _named(person: Person) -> PaperPerson:
    return PaperPerson(name=person.full_name, position=person.position, department=person.department)


def _last_day(until: datetime | None) -> date | None:
    """The last local day on which something that ends at `until` (not included) is valid."""
    return None if until is None else local(until - timedelta(microseconds=1)).date()


def _chosen_doors(tx: Work, chosen: EventRow) -> tuple[PaperDoor, ...]:
    """Doors and schedule as the entry of the choice names them."""
    recorded = next(tx.ledger.entries(chosen.index, chosen.index + 1))[1]
    data = decode(recorded)["data"]
    said = data if isinstance(data, dict) else {}
    schedule = tx.schedules.get(str(said["schedule"])).name
    found = []
    for door_id in str(said["doors"]).split():
        door = tx.doors.get(door_id)
        found.append(PaperDoor(door=door.name, zone=tx.zones.get(door.zone).name, schedule=schedule))
    return tuple(found)


def _signature(tx: Work, request: AccessRequest) -> PaperSignature | None:
    """What was drawn on the screen; None before signing, and where the user signed on paper."""
    drawn = tx.signatures.maybe(request.receipt) if request.receipt else None
    if drawn is None:
        return None
    digest = bytes.fromhex(drawn.sha256)
    return PaperSignature(strokes=drawn.strokes, width=drawn.width, height=drawn.height, sha256=digest, at=drawn.at)


def _outcomes(tx: Work, case_id: str, grants: Sequence[AccessGrant], person: str) -> tuple[NoticeDoor, ...]:
    """The doors that were opened at P10.05, each with what its device confirmed. What was replaced before is left out.

    A grant that ended before the delivery was never opened; the record tells them apart.
    """
    opened = {row.door for row in tx.events.rows(_opened(case_id), limit=2000)}
    guards = tx.devices.find(retired=False, limit=MOST_PLACES)
    newest = {one.door: one for one in sorted(grants, key=lambda one: one.state is GrantState.OPEN)}
    return tuple(
        NoticeDoor(
            door=tx.doors.get(door).name,
            schedule=tx.schedules.get(newest[door].schedule).name,
            outcome=_outcome(tx, newest[door], guards, person),
        )
        for door in sorted(opened & newest.keys())
    )


def _opened(case_id: str) -> EventFilter:
    return EventFilter(case=case_id, events=(Fact.ACCESS_GRANTED.value,))


def _outcome(tx: Work, grant: AccessGrant, guards: Sequence[Device], person: str) -> DoorOutcome:
    if grant.state is GrantState.ENDED:
        return DoorOutcome.ENDED
    guard = next((one for one in guards if grant.door in one.doors), None)
    if guard is None:
        return DoorOutcome.UNGUARDED
    held = tx.held_users.find(device=guard.id, person=person, disabled=False, limit=1)
    if held or (guard.online and guard.transport is not Transport.ZK):
        return DoorOutcome.CONFIRMED
    health = tx.health.maybe(guard.id)
    return DoorOutcome.PENDING if health and health.online else DoorOutcome.OFFLINE


def _heads(tx: Work) -> dict[str, str]:
    """The head of each department (in lower case): the person with an authority's account who belongs to it."""
    found: dict[str, tuple[int, str]] = {}
    accounts: list[Account] = tx.accounts.find(disabled_at=None, limit=MOST_PLACES)
    for account in accounts:
        if not AUTHORITIES.intersection(account.roles):
            continue
        person = tx.people.get(account.person)
        rank = min(_RANK.index(role) for role in account.roles if role in AUTHORITIES)
        key = person.department.casefold()
        found[key] = min(found.get(key, (len(_RANK), "")), (rank, person.full_name))
    return {department: name for department, (_, name) in found.items()}
