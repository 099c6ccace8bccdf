"""P4.02 to P4.04: whoever enters is registered with document and equipment, a third party gets an escort, and signs.

The manual's register (N4.1) is this and its printed folios. What is typed in afterwards names its contingency sheet.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, IdentityDocument, Permission, Person, Role, clean_text
from accessctl.domain.procedures import DATA_CENTRE_ENTRY, check_turn, with_evidence, with_parts
from accessctl.domain.requests import Signature
from accessctl.domain.visits import (
    Equipment,
    EscortDuty,
    Visit,
    VisitEvent,
)
from accessctl.services.delivery_desk import Strokes, canonical_strokes
from accessctl.services.office import Office
from accessctl.services.store import Work
from accessctl.services.uploads import Upload, kept
from accessctl.services.visit_work import Data, acting, may_escort, noted, short_text, step

MOST_EQUIPMENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterForm:
    """P4.02–03: the document in the hand of whoever enters, their equipment, and whether they are a third party.

    `escort` is a person, the actor where it is empty; `folio` names the contingency sheet that this is typed in from.
    """

    document_kind: str
    document_number: str
    name: str = ""
    organisation: str = ""
    vehicle: str = ""
    brought: tuple[Equipment, ...] = ()
    third_party: bool = True
    escort: str = ""
    briefed: bool = False
    folio: str = ""


class VisitRegisterDesk:
    """The register of entries: data, briefing and signature."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def register(self, actor: Actor, visit_id: str, form: RegisterForm) -> None:
        """P4.02 and P4.03: document, equipment, escort; and whether a third party enters, or own staff alone."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.02")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id)
            if visit.case:
                check_turn(DATA_CENTRE_ENTRY, tx.cases.get(visit.case), 2, actor.roles)
            visit = visit.happened(VisitEvent.REGISTER if form.third_party else VisitEvent.CLEAR)
            visit = self._with_data(tx, actor, visit, form, now)
            tx.visits.save(visit)
            if visit.case:
                case = with_parts(DATA_CENTRE_ENTRY, tx.cases.get(visit.case), {"visitor": visit.visitor})
                tx.cases.save(with_evidence(case, "visit_data"))
            step(tx, visit, 2, actor=actor, at=now)
            data: Data = {"equipment": len(visit.brought), "third_party": visit.third_party, "folio": visit.folio}
            noted(tx, visit, Fact.VISIT_REGISTERED, actor=actor, at=now, norm="P4.02", data=data)
            if form.briefed:
                noted(tx, visit, Fact.VISIT_BRIEFED, actor=actor, at=now, norm="P4.02")
            step(tx, visit, 3, actor=actor, at=now, answer="si" if form.third_party else "no")
            tx.commit()

    def brief(self, actor: Actor, visit_id: str) -> None:
        """The safety briefing was read (field 14), at the kiosk before signing. Once is enough."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.04")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id)
            visit.after(VisitEvent.SIGN)  # refuses where it is not their turn to sign
            if visit.briefed_at is None:
                noted(tx, replace(visit, briefed_at=now), Fact.VISIT_BRIEFED, actor=actor, at=now, norm="P4.04")
                tx.commit()

    def sign(self, actor: Actor, visit_id: str, *, strokes: Strokes, width: int, height: int) -> Signature:
        """P4.04 at the kiosk: whoever enters signs the register, attended by the account that runs the kiosk."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.04")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id).happened(VisitEvent.SIGN)
            ink = canonical_strokes(strokes, width=width, height=height, norm=visit.norm("P4.04"))
            signature = Signature(
                id=self._office.new_id(),
                case=visit.case,
                person=visit.visitor,
                strokes=ink,
                width=width,
                height=height,
                sha256=hashlib.sha256(ink).hexdigest(),
                attended_by=actor.account,
                document_shown=visit.document.number if visit.document else "",
                at=now,
            )
            tx.signatures.add(signature)
            self._signed(tx, actor, visit, signature.id, signature.sha256, "screen", now)
            tx.commit()
        return signature

    def sign_on_paper(self, actor: Actor, visit_id: str, *, scan: Upload, folio: str = "") -> None:
        """P4.04 on paper: the sheet of the register was signed; its scan is attached, its folio named."""
        self._office.require(actor, Permission.VISIT_ATTEND, norm="P4.04")
        now = self._office.clock()
        with self._office.begin(actor) as tx:
            visit = tx.visits.get(visit_id).happened(VisitEvent.SIGN)
            named = clean_text(folio, field="folio", longest=40, empty=True)
            attachment = kept(
                scan,
                attachment_id=self._office.new_id(),
                case=visit.case,
                kind="signed_register",
                added_by=actor.account,
                at=now,
            )
            tx.attachments.add(attachment)
            signed = replace(visit, folio=named or visit.folio)
            self._signed(tx, actor, signed, attachment.id, attachment.sha256, "paper", now)
            tx.commit()

    def _with_data(self, tx: Work, actor: Actor, visit: Visit, form: RegisterForm, now: datetime) -> Visit:
        """The visit with who enters, on file by the document shown, and with whom."""
        if not (visit.in_data_centre or form.third_party):
            raise AccessError(Reason.FORM_INCOMPLETE, "N10.6", missing="third_party")
        document = IdentityDocument.parse(form.document_kind, form.document_number)
        person = self._on_file(tx, actor, visit, form, document, now)
        if len(form.brought) > MOST_EQUIPMENT:
            raise AccessError(Reason.FORM_INCOMPLETE, visit.norm("P4.02"), missing="equipment")
        escorts = visit.escorts
        if visit.in_data_centre and form.third_party:
            escort = form.escort or actor.person
            if escort == person.id:
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, "N4.3", one="visitor", other="escort")
            if not may_escort(tx, escort):
                raise AccessError(Reason.ESCORT_NOT_ENTITLED, "N4.3")
            escorts = (EscortDuty(person=escort, since=now, recorded_by=actor.account),)
        if not form.third_party and acting(tx, person.id) is None and not _has_card(tx, person.id):
            raise AccessError(Reason.NOT_AUTHORISED, "P4.03", missing="visitor")
        return replace(
            visit,
            visitor=person.id,
            name=person.full_name,
            organisation=short_text(form.organisation, "organisation", empty=True) or visit.organisation,
            document=document,
            vehicle=short_text(form.vehicle, "vehicle", empty=True),
            brought=clean_equipment(form.brought),
            third_party=form.third_party,
            registered_at=now,
            registered_by=actor.account,
            briefed_at=now if form.briefed else None,
            escorts=escorts,
            folio=clean_text(form.folio, field="folio", longest=40, empty=True),
        )

    def _on_file(
        self, tx: Work, actor: Actor, visit: Visit, form: RegisterForm, document: IdentityDocument, now: datetime
    ) -> Person:
        """The person with that document; a new one is registered. Own staff must be the person authorised."""
        found = tx.people.find(document_kind=document.kind, document_number=document.number, limit=1)
        if visit.visitor:
            person = tx.people.get(visit.visitor)
            if person.document != document:
                raise AccessError(Reason.IDENTITY_NOT_CHECKED, visit.norm("P4.02"))
            return person
        if found:
            if found[0].id == visit.authority:
                raise AccessError(Reason.DUTIES_NOT_SEPARATED, visit.norm("P4.01"), one="authoriser", other="visitor")
            return found[0]
        person = Person(
            id=self._office.new_id(),
            number=tx.people.next_number(),
            full_name=clean_text(form.name or visit.name, field="name", longest=200),
            document=document,
            email="",
            department=short_text(form.organisation or visit.organisation, "organisation"),
            position="",
        )
        tx.people.add(person)
        personal = {"document": f"{document.kind.value}:{document.number}"}
        tx.record(
            Fact.PERSON_REGISTERED,
            at=now,
            actor=actor,
            person=person.id,
            norm=visit.norm("P4.02"),
            visit=visit.id,
            personal=personal,
        )
        return person

    def _signed(
        self, tx: Work, actor: Actor, visit: Visit, signature: str, digest: str, how: str, now: datetime
    ) -> None:
        signed = replace(visit, signature=signature, signed_at=now)
        if visit.case:
            tx.cases.save(with_evidence(tx.cases.get(visit.case), "register_signature"))
        step(tx, signed, 4, actor=actor, at=now, person=visit.visitor, roles=frozenset({Role.USUARIO}))
        data = {"sha256": digest, "how": how, "folio": visit.folio}
        noted(tx, signed, Fact.VISIT_SIGNED, actor=actor, at=now, norm="P4.04", data=data)


def _has_card(tx: Work, person: str) -> bool:
    return bool(tx.cards.find(holder=person, state="active", limit=1))


def clean_equipment(pieces: tuple[Equipment, ...]) -> tuple[Equipment, ...]:
    """Equipment as it is kept: each described, its serial bounded."""
    return tuple(
        Equipment(
            description=clean_text(piece.description, field="equipment", longest=200),
            serial=clean_text(piece.serial, field="serial", longest=100, empty=True),
        )
        for piece in pieces
    )
