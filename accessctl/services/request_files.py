"""What pages show of procedure 10: what waits for me, the list of requests, one request with its numbered steps.

Read models only: names are resolved here, so that a page never looks anything up and never decides anything.
"""

from dataclasses import dataclass
from datetime import datetime

from accessctl.domain.accounts import Account
from accessctl.domain.cards import Card
from accessctl.domain.devices import Capture, CaptureState, Command, CommandKind
from accessctl.domain.people import AUTHORITIES, Actor, Permission, Person, Role
from accessctl.domain.places import Device, Door, Transport, Zone
from accessctl.domain.procedures import END, PREMISES_ACCESS, Case, Requirement, Step, missing
from accessctl.domain.requests import AccessGrant, AccessRequest, Attachment, GrantState, Signature, StoredTemplate
from accessctl.domain.schedules import WeeklySchedule
from accessctl.services.office import Office
from accessctl.services.store import Work

LONGEST_FOLIO = 9  # digits of the number of a request


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """One request in a list. `step` is 0 where it is closed; `state` is open, closed, cancelled or expired."""

    id: str
    folio: int
    beneficiary: Person
    department: str
    step: int
    reference: str
    responsible: frozenset[Role]
    assigned_to: str
    assigned_name: str
    awaits_sign_off: bool
    authority: str
    registered_at: datetime
    expires_at: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One numbered step as the page shows it: done (by whom, when), current (with what it lacks), or waiting."""

    step: Step
    reference: str
    state: str
    by_name: str = ""
    at: datetime | None = None
    lacks: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLine:
    """A door with its zone and the device that guards it."""

    door: Door
    zone: Zone
    device: str
    online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLine:
    """A desk reader: whether its line is up and who waits there now."""

    device: Device
    online: bool
    busy_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalLine:
    """A terminal at which a finger can be enrolled."""

    device: Device
    online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFile:
    """One request with everything that its page shows."""

    request: AccessRequest
    case: Case
    line: RequestLine
    steps: list[StepLine]
    beneficiary: Person
    requester: Person
    authority: Person
    doors: list[DoorLine]
    schedule: WeeklySchedule
    card: Card | None
    chosen: list[AccessGrant]
    fingers: list[StoredTemplate]
    attachments: list[Attachment]
    signature: Signature | None
    capture: Capture | None
    enrolment: Command | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormChoices:
    """What the form of P10.01 offers."""

    doors: list[DoorLine]
    schedules: list[WeeklySchedule]
    authorities: list[Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class Technician:
    """Somebody a request can be assigned to."""

    account: Account
    person: Person


class RequestFiles:
    """Reading requests."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def waiting_for(self, actor: Actor, *, limit: int = 100) -> list[RequestLine]:
        """Requests whose next act is this actor's: a step of one of their roles, or their own sign-off."""
        with self._office.store.view() as tx:
            lines = [self._line(tx, tx.requests.get(case.id), case) for case in self._open(tx)]
        return [line for line in lines if self._is_mine(actor, line)][:limit]

    def find(self, actor: Actor, *, open_only: bool = False, text: str = "", limit: int = 200) -> list[RequestLine]:
        """Requests, the newest first; `text` looks in the beneficiary's name and the folio."""
        self._office.require(actor, Permission.REQUEST_SEE, norm="P10.01")
        with self._office.store.view() as tx:
            if text.strip():
                people = {person.id for person in tx.people.search(text[:120], limit=50)}
                requests = tx.requests.find(beneficiary=tuple(people), limit=limit, newest=True) if people else []
                if text.strip().isdecimal() and len(text.strip()) <= LONGEST_FOLIO:
                    requests = tx.requests.find(folio=int(text), limit=1) + requests
            else:
                requests = tx.requests.find(limit=limit, newest=True)
            lines = [self._line(tx, request, tx.cases.get(request.id)) for request in requests]
        return [line for line in lines if not open_only or line.state == "open"]

    def file(self, actor: Actor, case_id: str) -> RequestFile:
        """Everything on one request; the capture and the enrolment only where they are the actor's own."""
        self._office.require(actor, Permission.REQUEST_SEE, norm="P10.01")
        with self._office.store.view() as tx:
            request = tx.requests.get(case_id)
            case = tx.cases.get(case_id)
            own = tx.captures.find(account=actor.account, case=case_id, newest=True, limit=1)
            commands = tx.commands.find(case=case_id, kind=CommandKind.ENROL_FINGER, newest=True, limit=1)
            return RequestFile(
                request=request,
                case=case,
                line=self._line(tx, request, case),
                steps=[self._step(tx, case, step) for step in PREMISES_ACCESS.steps],
                beneficiary=tx.people.get(request.beneficiary),
                requester=tx.people.get(request.requester),
                authority=tx.people.get(request.authority),
                doors=[line for line in door_lines(tx) if line.door.id in request.doors],
                schedule=tx.schedules.get(request.schedule),
                card=tx.cards.get(request.card) if request.card else None,
                chosen=tx.grants.find(case=case_id, state=(GrantState.CHOSEN, GrantState.OPEN)),
                fingers=tx.templates.find(person=request.beneficiary),
                attachments=tx.attachments.find(case=case_id),
                signature=next(iter(tx.signatures.find(case=case_id, newest=True, limit=1)), None),
                capture=next(iter(own), None),
                enrolment=next((one for one in commands if one.asked_by == actor.account), None),
            )

    def attachment(self, actor: Actor, attachment_id: str) -> Attachment:
        """A scan, for download."""
        self._office.require(actor, Permission.REQUEST_SEE, norm="P10.01")
        with self._office.store.view() as tx:
            return tx.attachments.get(attachment_id)

    def choices(self, actor: Actor) -> FormChoices:
        """Doors, schedules and authorities for the form."""
        self._office.require(actor, Permission.REQUEST_SEE, norm="P10.01")
        with self._office.store.view() as tx:
            return FormChoices(
                doors=door_lines(tx),
                schedules=[one for one in tx.schedules.find(limit=200) if not one.retired],
                authorities=[tx.people.get(account.person) for account in self._holders(tx, AUTHORITIES)],
            )

    def technicians(self, actor: Actor) -> list[Technician]:
        """To whom P10.02 can assign."""
        self._office.require(actor, Permission.REQUEST_SEE, norm="P10.02")
        with self._office.store.view() as tx:
            holders = self._holders(tx, frozenset({Role.TECNICO_INFRA}))
            return [Technician(account=account, person=tx.people.get(account.person)) for account in holders]

    def readers(self, actor: Actor) -> list[ReaderLine]:
        """Desk readers, and who waits at each."""
        self._office.require(actor, Permission.CARDS_MANAGE, norm="P10.03")
        now = self._office.clock()
        with self._office.store.view() as tx:
            lines = []
            for device in tx.devices.find(transport=Transport.RDM6300, retired=False, limit=200):
                health = tx.health.maybe(device.id)
                turns = tx.captures.find(reader=device.id, state=CaptureState.WAITING)
                busy = next((turn.account for turn in turns if turn.expires_at > now), "")
                name = tx.people.get(tx.accounts.get(busy).person).full_name if busy else ""
                lines.append(ReaderLine(device=device, online=bool(health and health.online), busy_by=name))
            return lines

    def terminals(self, actor: Actor) -> list[TerminalLine]:
        """Terminals at which fingers are enrolled."""
        self._office.require(actor, Permission.REQUEST_ENROL, norm="P10.03")
        with self._office.store.view() as tx:
            found = tx.devices.find(transport=Transport.ZK, retired=False, limit=200)
            health = {one.id: tx.health.maybe(one.id) for one in found}
            return [TerminalLine(device=one, online=bool((seen := health[one.id]) and seen.online)) for one in found]

    def _is_mine(self, actor: Actor, line: RequestLine) -> bool:
        if line.state != "open":
            return False
        if line.awaits_sign_off:
            return line.authority == actor.person and bool(actor.roles & AUTHORITIES)
        attends = line.step == 4 and Role.TECNICO_INFRA in actor.roles  # the user signs before the technician
        return (attends or bool(line.responsible & actor.roles)) and line.assigned_to in {"", actor.account}

    def _open(self, tx: Work) -> list[Case]:
        return [case for case in tx.cases.waiting(limit=1000) if case.procedure == PREMISES_ACCESS.number]

    def _holders(self, tx: Work, roles: frozenset[Role]) -> list[Account]:
        return [one for one in tx.accounts.find(disabled_at=None, limit=2000) if roles.intersection(one.roles)]

    def _line(self, tx: Work, request: AccessRequest, case: Case) -> RequestLine:
        open_step = PREMISES_ACCESS.step(case.step) if case.step != END else None
        assigned = tx.accounts.maybe(case.assigned_to) if case.assigned_to else None
        lapsed = request.delivered_at is None and self._office.clock() >= request.expires_at
        if case.cancelled:
            state = "cancelled"
        elif open_step is None:
            state = "closed"
        else:
            state = "expired" if lapsed else "open"
        return RequestLine(
            id=request.id,
            folio=request.folio,
            beneficiary=tx.people.get(request.beneficiary),
            department=request.department,
            step=case.step,
            reference=open_step.reference(PREMISES_ACCESS.number) if open_step else "",
            responsible=open_step.responsible if open_step else frozenset(),
            assigned_to=case.assigned_to,
            assigned_name=tx.people.get(assigned.person).full_name if assigned else "",
            awaits_sign_off=case.step == 2 and request.authorised_at is None,
            authority=request.authority,
            registered_at=request.registered_at,
            expires_at=request.expires_at,
            state=state,
        )

    def _step(self, tx: Work, case: Case, step: Step) -> StepLine:
        reference = step.reference(PREMISES_ACCESS.number)
        for done in case.done:
            if done.step == step.number:
                by = tx.people.maybe(done.person)
                name = by.full_name if by else ""
                return StepLine(step=step, reference=reference, state="done", by_name=name, at=done.at)
        if case.is_open and case.step == step.number:
            return StepLine(step=step, reference=reference, state="current", lacks=missing(PREMISES_ACCESS, case))
        return StepLine(step=step, reference=reference, state="waiting")


def door_lines(tx: Work) -> list[DoorLine]:
    """Every door in service with its zone and its device, ordered by zone and name."""
    zones = {zone.id: zone for zone in tx.zones.find(limit=2000)}
    guards = {door: device.id for device in tx.devices.find(retired=False, limit=2000) for door in device.doors}
    online = {one.id: one.online for one in tx.health.find(limit=2000)}
    lines = [
        DoorLine(
            door=door,
            zone=zones[door.zone],
            device=guards.get(door.id, ""),
            online=online.get(guards.get(door.id, ""), False),
        )
        for door in tx.doors.find(retired=False, limit=2000)
    ]
    return sorted(lines, key=lambda line: (line.zone.name, line.door.name))
