"""The press: puts the facts of a paper into the house's words and draws it (`services.paper_facts.Printer`)."""

import json

from accessctl.documents.fact_words import EVENTS
from accessctl.documents.imprint import CheckpointReference, EntryReference, Evidence, Imprint, local
from accessctl.documents.notice import DoorResult, Notice, render_notice
from accessctl.documents.outstanding import OutstandingCard, OutstandingCards, Owing, render_outstanding
from accessctl.documents.page import OFFICE
from accessctl.documents.parts import Column
from accessctl.documents.receipt import DoorGranted, Officer, Receipt, ScreenSignature, render_receipt
from accessctl.documents.register import Register, RegisterLine, render_register
from accessctl.documents.strokes import Strokes
from accessctl.documents.words import (
    AUTHORISED,
    CARD_FORMATS,
    CARD_STATES,
    DIRECTIONS,
    DOCUMENTS,
    OUTCOMES,
    REASONS,
    word,
)
from accessctl.domain.card_numbers import CardNumber
from accessctl.services.paper_facts import (
    NoticeFacts,
    OutstandingFacts,
    OwingDepartment,
    PaperSignature,
    ReceiptFacts,
    RegisterEntry,
    RegisterFacts,
    Stamp,
)

_REGISTER = (
    Column(title="Hora", share=1.3),
    Column(title="Puerta", share=3),
    Column(title="Zona", share=2.6),
    Column(title="Sentido", share=1.2),
    Column(title="Hecho", share=2.4),
    Column(title="Persona", share=4),
    Column(title="Credencial", share=2.4),
    Column(title="Motivo y norma", share=3.2),
    Column(title="Asiento", share=1.4),
)


class Press:
    """Draws papers as PDF: letter size, Spanish, the same bytes for the same facts."""

    def receipt(self, facts: ReceiptFacts) -> bytes:
        """P10.04."""
        how = word(AUTHORISED, facts.authorised_how)
        return render_receipt(
            Receipt(
                imprint=imprint_of(facts.stamp),
                request=facts.request,
                person=facts.person.name,
                identity_document=f"{DOCUMENTS[facts.document.kind]} {facts.document.number}",
                department=facts.person.department,
                post=facts.person.position,
                card_kind=CARD_FORMATS[facts.card.format],
                printed_numbers=tuple(facts.card.printed().items()),
                doors=tuple(DoorGranted(door=one.door, zone=one.zone, schedule=one.schedule) for one in facts.doors),
                valid_from=facts.valid_from,
                valid_until=facts.valid_until,
                authorised_by=Officer(
                    name=facts.authorised_by.name,
                    post=f"{facts.authorised_by.position} ({how})" if how else facts.authorised_by.position,
                    at=facts.authorised_at,
                ),
                configured_by=Officer(
                    name=facts.configured_by.name, post=facts.configured_by.position, at=facts.configured_at
                ),
                signature=None if facts.signature is None else _drawn(facts.signature),
            )
        )

    def notice(self, facts: NoticeFacts) -> bytes:
        """P10.06."""
        remarks: tuple[str, ...] = ()
        if facts.waiver:
            remarks = (f"No se registró huella; motivo que consta: {facts.waiver}. El acceso es solo con la tarjeta.",)
        return render_notice(
            Notice(
                imprint=imprint_of(facts.stamp),
                addressee=facts.addressee.name,
                addressee_post=facts.addressee.position,
                addressee_department=facts.addressee.department,
                request=facts.request,
                requested_at=facts.requested_at,
                person=facts.person.name,
                person_department=facts.person.department,
                card_number=_number(facts.card),
                card_state=CARD_STATES[facts.card_state],
                delivered_at=facts.delivered_at,
                valid_from=facts.valid_from,
                valid_until=facts.valid_until,
                doors=tuple(
                    DoorResult(door=one.door, schedule=one.schedule, result=OUTCOMES[one.outcome])
                    for one in facts.doors
                ),
                remarks=remarks,
                signed_by=facts.signed_by.name,
                signed_by_post=facts.signed_by.position or "Secretaria",
            )
        )

    def outstanding(self, facts: OutstandingFacts) -> bytes:
        """N10.4."""
        owing = tuple(_owing(one) for one in facts.owing)
        return render_outstanding(OutstandingCards(imprint=imprint_of(facts.stamp), as_of=facts.as_of, owing=owing))

    def register(self, facts: RegisterFacts) -> bytes:
        """N4.1."""
        lines = tuple(_line(entry) for entry in facts.entries)
        if facts.left_out:
            remark = f"Quedan {facts.left_out} anotaciones más de este día, que constan en la exportación del registro."
            lines = (*lines, RegisterLine(cells=("",) * len(_REGISTER), remark=remark))
        return render_register(
            Register(
                imprint=imprint_of(facts.stamp),
                place=facts.place or OFFICE,
                day=facts.day,
                columns=_REGISTER,
                lines=lines,
                book=facts.book.book,
                authorisation=facts.book.authorisation,
                first_folio=facts.book.first_folio,
                folios_in_book=facts.book.folios,
                keeper=facts.keeper,
            )
        )


def imprint_of(stamp: Stamp) -> Imprint:
    """The number, the moment and the evidence of a paper."""
    entry = None if stamp.entry is None else EntryReference(index=stamp.entry[0], leaf=stamp.entry[1])
    signed = stamp.checkpoint
    checkpoint = None if signed is None else CheckpointReference(size=signed[0], root=signed[1])
    evidence = Evidence(origin=stamp.origin, entry=entry, checkpoint=checkpoint)
    return Imprint(number=stamp.number, made_at=stamp.made_at, evidence=evidence)


def _number(card: CardNumber) -> str:
    """The first of the printed forms, the one that is looked for on the plastic."""
    name, printed = next(iter(card.printed().items()))
    return f"{printed} ({name})"


def _drawn(signature: PaperSignature) -> ScreenSignature:
    strokes = tuple(tuple((x, y) for x, y in stroke) for stroke in json.loads(signature.strokes) if stroke)
    drawn = Strokes(width=signature.width, height=signature.height, strokes=strokes)
    return ScreenSignature(strokes=drawn, at=signature.at, digest=signature.sha256)


def _owing(owing: OwingDepartment) -> Owing:
    cards = tuple(
        OutstandingCard(
            number=_number(card.card),
            holder=card.holder,
            since=card.since,
            removal=card.removal or "—",
            state=CARD_STATES[card.state],
        )
        for card in owing.cards
    )
    head = owing.head or f"Jefatura de {owing.department}"
    return Owing(head=head, department=owing.department, cards=cards)


def _line(entry: RegisterEntry) -> RegisterLine:
    why = word(REASONS, entry.reason)
    return RegisterLine(
        cells=(
            local(entry.at).strftime("%H:%M:%S"),
            entry.door,
            entry.zone,
            word(DIRECTIONS, entry.direction),
            word(EVENTS, entry.event),
            entry.person,
            entry.credential,
            f"{why} ({entry.norm})" if why and entry.norm else why or entry.norm,
            str(entry.index),
        )
    )
