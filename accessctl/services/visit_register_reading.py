"""The visits of a local day as the lines of the printed register (N4.1): fourteen fields, and what stands beside them.

What the record of a visit does not hold is left empty on the line, for a pen; a remark says what nobody may overlook.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeAlias

from accessctl.domain.schedules import local
from accessctl.domain.visits import Equipment, EscortDuty, Visit, VisitState, equipment_difference
from accessctl.services.store import Work
from accessctl.services.visit_differences import visits_of
from accessctl.services.visit_paper_facts import RegisterVisit

NameOf: TypeAlias = Callable[[str], str]


def day_visits(tx: Work, day: date, *, zone: str = "") -> tuple[Visit, ...]:
    """The visits that something happened to on that day, in the order of their numbers; of one zone, or of all."""
    return tuple(one for one in visits_of(tx, day) if zone in {"", one.zone})


def register_line(tx: Work, visit: Visit, *, name_of: NameOf | None = None) -> RegisterVisit:
    """One visit with its fourteen fields; `name_of` says what stands for a member of staff, their name if not given."""
    name = name_of or (lambda person: tx.people.get(person).full_name)
    host = name(visit.host) if visit.host else ""
    card = tx.visitor_cards.maybe(visit.card) if visit.card else None
    signature = tx.signatures.maybe(visit.signature) if visit.signature else None
    sheet = tx.attachments.maybe(visit.signature) if visit.signature else None
    signed = signature.sha256 if signature else (sheet.sha256 if sheet else "")
    return RegisterVisit(
        number=visit.number,
        name=visit.name,
        organisation=visit.organisation,
        document=visit.document,
        purpose=visit.purpose,
        receives=" · ".join(one for one in (host, visit.department) if one),
        authority=name(visit.authority),
        escorts=tuple(_duty(name, duty) for duty in visit.escorts),
        brought=_pieces(visit.brought),
        taken=_pieces(visit.taken),
        card=card.label if card else "",
        card_back=visit.card_back_at is not None,
        briefed=visit.briefed_at is not None,
        entered_at=visit.entered_at,
        exited_at=visit.exited_at,
        verified_by=_account(tx, name, visit.verified_by),
        recorded_by=_account(tx, name, visit.exit_recorded_by),
        signed=signed,
        fortuitous=visit.fortuitous,
        regularised_at=visit.regularised_at,
        folio=visit.folio,
        vehicle=visit.vehicle,
        unverified=visit.state is VisitState.UNVERIFIED,
        equipment_agrees=visit.verified_at is None or equipment_difference(visit.brought, visit.taken).is_none,
    )


def _duty(name: NameOf, duty: EscortDuty) -> str:
    """Who escorted, from when, until when (field 10): local times, with the day where they are not of one day."""
    since, until = local(duty.since), local(duty.until) if duty.until else None
    ended = "" if until is None else f"{until:%H:%M}" if until.date() == since.date() else f"{until:%d/%m %H:%M}"
    return f"{name(duty.person)} ({since:%d/%m %H:%M}–{ended})"


def _pieces(pieces: tuple[Equipment, ...]) -> tuple[str, ...]:
    return tuple(f"{one.description} {one.serial}".strip() for one in pieces)


def _account(tx: Work, name: NameOf, account_id: str) -> str:
    account = tx.accounts.maybe(account_id) if account_id else None
    return name(account.person) if account else account_id
