"""The visits of a local day as the lines of the printed register (N4.1): fourteen fields, and what stands beside them.

What the record of a visit does not hold is left empty on the line, for a pen; a remark says what nobody may overlook.
"""

from datetime import date, timedelta

from accessctl.domain.schedules import local
from accessctl.domain.visits import Equipment, EscortDuty, Visit, VisitState, equipment_difference
from accessctl.services.store import Work
from accessctl.services.visit_differences import midnight, touched
from accessctl.services.visit_paper_facts import RegisterVisit

MOST_DAY = 5000


def day_visits(tx: Work, day: date, *, zone: str = "") -> tuple[RegisterVisit, ...]:
    """The visits that something happened to on that day, in the order of their numbers; of one zone, or of all."""
    start, end = midnight(day), midnight(day + timedelta(days=1))
    found = [one for one in tx.visits.find(newest=True, limit=MOST_DAY) if touched(one, start, end)]
    wanted = [one for one in found if zone in {"", one.zone}]
    return tuple(register_line(tx, one) for one in sorted(wanted, key=lambda one: one.number))


def register_line(tx: Work, visit: Visit) -> RegisterVisit:
    """One visit with its fourteen fields, names resolved."""
    host = tx.people.get(visit.host).full_name if visit.host else ""
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
        authority=tx.people.get(visit.authority).full_name,
        escorts=tuple(_duty(tx, duty) for duty in visit.escorts),
        brought=_pieces(visit.brought),
        taken=_pieces(visit.taken),
        card=card.label if card else "",
        card_back=visit.card_back_at is not None,
        briefed=visit.briefed_at is not None,
        entered_at=visit.entered_at,
        exited_at=visit.exited_at,
        verified_by=_account(tx, visit.verified_by),
        recorded_by=_account(tx, visit.exit_recorded_by),
        signed=signed,
        fortuitous=visit.fortuitous,
        regularised_at=visit.regularised_at,
        folio=visit.folio,
        vehicle=visit.vehicle,
        unverified=visit.state is VisitState.UNVERIFIED,
        equipment_agrees=visit.verified_at is None or equipment_difference(visit.brought, visit.taken).is_none,
    )


def _duty(tx: Work, duty: EscortDuty) -> str:
    """Who escorted, from when, until when (field 10): local times, with the day where they are not of one day."""
    since, until = local(duty.since), local(duty.until) if duty.until else None
    ended = "" if until is None else f"{until:%H:%M}" if until.date() == since.date() else f"{until:%Y-%m-%d %H:%M}"
    return f"{tx.people.get(duty.person).full_name} ({since:%Y-%m-%d %H:%M}–{ended})"


def _pieces(pieces: tuple[Equipment, ...]) -> tuple[str, ...]:
    return tuple(f"{one.description} {one.serial}".strip() for one in pieces)


def _account(tx: Work, account_id: str) -> str:
    account = tx.accounts.maybe(account_id) if account_id else None
    return tx.people.get(account.person).full_name if account else account_id
