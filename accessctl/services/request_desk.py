"""Procedure 10 at its two ends: reception registers (P10.01), the head authorises (N10.3), the secretary assigns
(P10.02), informs (P10.06) or the case is cancelled. What lies between is the enrolment and the delivery desk.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accessctl.domain.cards import LIVE, CardEvent, CardState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import AUTHORITIES, Actor, Permission, Role, clean_text, may_authorise
from accessctl.domain.procedures import PREMISES_ACCESS, Case, open_case, with_evidence
from accessctl.domain.requests import AccessRequest, AuthorisedBy, GrantState
from accessctl.services.office import Office
from accessctl.services.procedure_run import at_step, do_step
from accessctl.services.store import Work
from accessctl.services.uploads import Upload, kept
from accessctl.services.visit_work import acting
from accessctl.services.wanted import devices_wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestForm:
    """The form of P10.01 as it was filled in. With a `scan` the head's signature and stamp are on it (NG.3)."""

    beneficiary: str
    requester: str
    authority: str
    justification: str
    doors: tuple[str, ...]
    schedule: str
    valid_from: datetime
    valid_until: datetime | None
    scan: Upload | None = None


class RequestDesk:
    """Registering, authorising, assigning, informing and cancelling requests for a card."""

    def __init__(self, office: Office, *, authorisation_lasts: timedelta) -> None:
        self._office = office
        self._lasts = authorisation_lasts  # the manual names no term: a setting with its source

    def register(self, actor: Actor, form: RequestForm) -> str:
        """P10.01: the request with its form. Returns the case's id.

        A scan bearing the head's signature and stamp authorises; without one the head signs off in the panel.
        """
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            self._check(tx, form, now)
            case_id = self._office.new_id()
            parts = {"beneficiary": form.beneficiary, "authoriser": form.authority}
            case = open_case(PREMISES_ACCESS, case_id=case_id, at=now, parts=parts)
            beneficiary = tx.people.get(form.beneficiary)
            request = AccessRequest(
                id=case_id,
                folio=tx.requests.next_folio(),
                beneficiary=beneficiary.id,
                requester=form.requester,
                authority=form.authority,
                department=beneficiary.department,
                justification=clean_text(form.justification, field="justification", longest=1000),
                doors=tuple(sorted(set(form.doors))),
                schedule=form.schedule,
                valid_from=form.valid_from,
                valid_until=form.valid_until,
                registered_at=now,
                expires_at=now + self._lasts,
            )
            tx.cases.add(case)
            tx.requests.add(request)
            data: dict[str, str | int | bool | None] = {
                "folio": request.folio,
                "doors": " ".join(request.doors),
                "schedule": request.schedule,
            }
            tx.record(
                Fact.CASE_OPENED, at=now, actor=actor, case=case_id, person=beneficiary.id, norm="P10.01", data=data
            )
            case = with_evidence(case, "form")
            if form.scan is not None:
                case, request = self._attach(tx, actor, case, request, form.scan, now)
            do_step(tx, case, 1, actor=actor, at=now)
            tx.commit()
        return case_id

    def attach_form(self, actor: Actor, case_id: str, scan: Upload) -> None:
        """The signed and stamped form arrives after the request was registered."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            actor.require(Role.RECEPCION, Role.SECRETARIA_INFRA, norm="P10.01")
            case, request = self._before_assignment(tx, case_id, now)
            _check_authority(tx, request.authority, beneficiary=request.beneficiary, requester=request.requester)
            case, request = self._attach(tx, actor, case, request, scan, now)
            tx.cases.save(case)
            tx.commit()

    def sign_off(self, actor: Actor, case_id: str) -> None:
        """N10.3: the head who was named authorises in the panel. Nobody else can, and nobody for themselves."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = self._before_assignment(tx, case_id, now)
            actor.require(*AUTHORITIES, norm="N10.3")
            if actor.person == request.beneficiary:
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, "N10.3", one="authoriser", other="beneficiary")
            if actor.person != request.authority:
                raise AccessError(Reason.NOT_AUTHORISED, "N10.3", missing="authority")
            tx.cases.save(with_evidence(case, "authorisation"))
            tx.requests.save(replace(request, authorised_at=now, authorised_how=AuthorisedBy.SIGN_OFF.value))
            self._authorised(tx, actor, request, AuthorisedBy.SIGN_OFF, now)
            tx.commit()

    def assign(self, actor: Actor, case_id: str, *, technician: str) -> None:
        """P10.02: the secretary gives the request to a technician (an account), who is neither head nor beneficiary."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 2, actor=actor, at=now)
            account = tx.accounts.get(technician)
            if account.disabled_at is not None or Role.TECNICO_INFRA not in account.roles:
                raise AccessError(Reason.WRONG_ROLE, "P10.02", needed=Role.TECNICO_INFRA.value)
            if account.person in {request.authority, request.beneficiary}:
                part = "authoriser" if account.person == request.authority else "beneficiary"
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, "N10.3", one="configurer", other=part)
            done = do_step(tx, with_evidence(case, "technician"), 2, actor=actor, at=now)
            tx.cases.save(replace(done, assigned_to=account.id))
            tx.record(Fact.CASE_ASSIGNED, at=now, actor=actor, case=case_id, norm="P10.02", data={"to": account.id})
            tx.commit()

    def inform(self, actor: Actor, case_id: str) -> None:
        """P10.06: the requester is informed of the result, and the case closes."""
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            case, request = at_step(tx, case_id, 6, actor=actor, at=now)
            tx.requests.save(replace(request, informed_at=now))
            data = {"document": "notice", "to": request.requester}
            tx.record(Fact.DOCUMENT_PRINTED, at=now, actor=actor, case=case_id, norm="P10.06", data=data)
            do_step(tx, case, 6, actor=actor, at=now)
            tx.commit()

    def cancel(self, actor: Actor, case_id: str, *, why: str) -> None:
        """End a case before delivery: the card goes back to stock, nothing that was chosen stays."""
        self._office.require(actor, Permission.REQUEST_ASSIGN, Permission.REQUEST_SIGN_OFF, norm="P10.02", case=case_id)
        now = self._office.clock()
        with self._office.begin(actor, case=case_id) as tx:
            cancel_case(tx, actor, case_id, why=clean_text(why, field="why", longest=500), at=now)
            tx.commit()

    def _check(self, tx: Work, form: RequestForm, now: datetime) -> None:
        if not form.doors or len(form.doors) > 200 or not form.schedule:
            raise AccessError(Reason.FORM_INCOMPLETE, "P10.01", missing="doors")
        for person in {form.beneficiary, form.requester, form.authority}:
            tx.people.get(person)
        if form.authority == form.beneficiary:
            raise AccessError(Reason.DUTIES_NOT_SEPARATED, "N10.3", one="authoriser", other="beneficiary")
        if tx.people.get(form.authority).removed:
            raise AccessError(Reason.NOT_AUTHORISED, "N10.3", missing="authority")
        _check_authority(tx, form.authority, beneficiary=form.beneficiary, requester=form.requester)
        for door in form.doors:
            if tx.doors.get(door).retired:
                raise AccessError(Reason.NOT_FOUND, "P10.01", field="door")
        if tx.schedules.get(form.schedule).retired:
            raise AccessError(Reason.NOT_FOUND, "P10.01", field="schedule")
        if form.valid_until is not None and form.valid_until <= max(form.valid_from, now):
            raise AccessError(Reason.FORM_INCOMPLETE, "P10.01", missing="valid_until")

    def _before_assignment(self, tx: Work, case_id: str, now: datetime) -> tuple[Case, AccessRequest]:
        case = tx.cases.get(case_id)
        request = tx.requests.get(case_id)
        if not case.is_open:
            raise AccessError(Reason.CASE_CLOSED, "P10.01")
        if case.step > 2 or request.authorised_at is not None:
            raise AccessError(Reason.ALREADY_DONE, "N10.3")
        if now >= request.expires_at:
            raise AccessError(Reason.REQUEST_EXPIRED, "N10.3", expired=request.expires_at.isoformat())
        return case, request

    def _attach(
        self, tx: Work, actor: Actor, case: Case, request: AccessRequest, scan: Upload, now: datetime
    ) -> tuple[Case, AccessRequest]:
        attachment = kept(
            scan, attachment_id=self._office.new_id(), case=case.id, kind="form", added_by=actor.account, at=now
        )
        tx.attachments.add(attachment)
        data = {"sha256": attachment.sha256, "kind": "form"}
        tx.record(Fact.FORM_ATTACHED, at=now, actor=actor, case=case.id, norm="P10.01", data=data)
        authorised = replace(request, form=attachment.id, authorised_at=now, authorised_how=AuthorisedBy.SCAN.value)
        tx.requests.save(authorised)
        self._authorised(tx, actor, authorised, AuthorisedBy.SCAN, now)
        return with_evidence(case, "authorisation"), authorised

    def _authorised(self, tx: Work, actor: Actor, request: AccessRequest, how: AuthorisedBy, now: datetime) -> None:
        data = {"how": how.value, "authority": request.authority}
        person = request.beneficiary
        tx.record(Fact.REQUEST_AUTHORISED, at=now, actor=actor, case=request.id, person=person, norm="N10.3", data=data)


def _check_authority(tx: Work, authority: str, *, beneficiary: str, requester: str) -> None:
    """A form names who signs it: one who may, with an account that says so. The department that asks is the
    requester's, or the beneficiary's where their head does not ask in their own name.
    """
    named = acting(tx, authority)
    asking = frozenset(tx.people.get(one).department for one in (beneficiary, requester))
    if named is None or not may_authorise(named.roles, tx.people.get(authority).department, asking=asking):
        raise AccessError(Reason.AUTHORITY_NOT_ENTITLED, "P10.01")


def cancel_case(tx: Work, actor: Actor, case_id: str, *, why: str, at: datetime) -> None:
    """Cancel inside somebody's transaction. Commits nothing."""
    case = tx.cases.get(case_id)
    request = tx.requests.get(case_id)
    if not case.is_open or request.delivered_at is not None:
        raise AccessError(Reason.CASE_CLOSED, "P10.05")
    for grant in tx.grants.find(case=case_id, state=GrantState.CHOSEN):
        tx.grants.save(replace(grant, state=GrantState.ENDED))
    if request.card:
        card = tx.cards.get(request.card)
        if card.state is CardState.ENROLLED:
            released = replace(card, state=card.after(CardEvent.RELEASE), holder=None, case=None, since=at)
            tx.cards.save(released)
            tx.record(Fact.CARD_RELEASED, at=at, actor=actor, case=case_id, credential=card.number.key, norm="P10.03")
    tx.requests.save(replace(request, cancelled=why, card=""))
    tx.cases.save(replace(case, cancelled=True, closed_at=at))
    tx.record(Fact.CASE_CANCELLED, at=at, actor=actor, case=case_id, person=request.beneficiary, data={"why": why})
    if not _needs_fingers(tx, request.beneficiary):
        erase_fingers(tx, actor, request.beneficiary, at=at, norm="P10.03", case=case_id)
    devices_wanted(tx, at, person=request.beneficiary)  # a slot was reserved on the terminals: it goes


def erase_fingers(tx: Work, actor: Actor, person: str, *, at: datetime, norm: str, case: str = "") -> None:
    """Erase a person's templates inside somebody's transaction, each on the record. Commits nothing."""
    for template in tx.templates.find(person=person):
        tx.templates.delete(template.id)
        data = {"finger": template.finger}
        tx.record(Fact.FINGER_ERASED, at=at, actor=actor, case=case, person=person, norm=norm, data=data)


def _needs_fingers(tx: Work, person: str) -> bool:
    """Whether a card, or another request on its way to one, still stands on the person's templates."""
    if tx.cards.find(holder=person, state=LIVE, limit=1):
        return True
    pending = tx.requests.find(beneficiary=person, delivered_at=None)
    return any("biometrics" in case.evidence for case in (tx.cases.get(one.id) for one in pending) if case.is_open)
