"""What the desks of visits share inside a transaction: roles, the escort's standing, saving with its fact."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.escorting import Companion
from accessctl.domain.facts import Fact
from accessctl.domain.people import AUTHORITIES, Actor, Role, clean_text
from accessctl.domain.procedures import Case
from accessctl.domain.visits import ESCORTS, Visit, VisitRules, VisitState, off_duty
from accessctl.services.procedure_run import do_step
from accessctl.services.store import Work

Data = Mapping[str, str | int | bool | None]


def acting(tx: Work, person: str) -> Actor | None:
    """The person as an actor, by their accounts that are not disabled; None for somebody without one."""
    accounts = tx.accounts.find(person=person, disabled_at=None, limit=20) if person else []
    if not accounts or tx.people.get(person).removed:
        return None
    roles: frozenset[Role] = frozenset().union(*(account.roles for account in accounts))
    return Actor(account=accounts[0].id, person=person, roles=roles)


def may_escort(tx: Work, person: str) -> bool:
    """N4.3: a technician of Infraestructura or of Telecomunicaciones, now."""
    actor = acting(tx, person)
    return actor is not None and bool(actor.roles & ESCORTS)


def companion(tx: Work, visit: Visit, rules: VisitRules) -> Companion:
    """Whoever accompanies the visit, as a door judges them. A host needs no role, and has no limit (N10.6)."""
    person = visit.escort
    if not visit.in_data_centre:
        entitled = bool(person) and not tx.people.get(person).removed
        return Companion(person=person, entitled=entitled, visitors=0, most=1)
    others = sum(
        1 for one in tx.visits.escorted_by(person) if person and one.state is VisitState.INSIDE and one.id != visit.id
    )
    return Companion(person=person, entitled=may_escort(tx, person), visitors=others, most=rules.visitors_per_escort)


def check_authority(tx: Work, person: str, *, norm: str) -> None:
    """A superior authority (P4.01, N4.2) is on file, in post, and has the role."""
    actor = acting(tx, person)
    if actor is None or not actor.roles & AUTHORITIES:
        raise AccessError(Reason.NOT_AUTHORISED, norm, missing="authority")


def step(
    tx: Work,
    visit: Visit,
    number: int,
    *,
    actor: Actor,
    at: datetime,
    person: str = "",
    roles: frozenset[Role] | None = None,
    answer: str = "",
) -> None:
    """Do a numbered step of the visit's case; visits to other premises have none."""
    if visit.case:
        case = tx.cases.get(visit.case)
        do_step(tx, case, number, actor=actor, at=at, person=person, roles=roles, answer=answer)


def waiting_step(tx: Work, visit: Visit) -> int:
    """The step of the case that waits; 0 where there is none."""
    case: Case | None = tx.cases.maybe(visit.case) if visit.case else None
    return case.step if case is not None and case.is_open else 0


def noted(
    tx: Work,
    visit: Visit,
    fact: Fact,
    *,
    actor: Actor,
    at: datetime,
    norm: str,
    data: Data | None = None,
    door: str = "",
    credential: str = "",
) -> None:
    """Save the visit with the fact that changed it. `norm` is a step, put right where procedure 4 does not hold."""
    tx.visits.save(visit)
    tx.record(
        fact,
        at=at,
        actor=actor,
        norm=visit.norm(norm) if norm.startswith("P4.") else norm,
        case=visit.case,
        person=visit.visitor,
        visit=visit.id,
        zone=visit.zone,
        door=door,
        credential=credential,
        data={"number": visit.number, **(data or {})},
    )


def end_case(tx: Work, visit: Visit, *, actor: Actor, at: datetime, why: str) -> Visit:
    """Close the case of a visit that ends before P4.08, and relieve the escort. Commits nothing."""
    if visit.case:
        case = tx.cases.get(visit.case)
        tx.cases.save(replace(case, cancelled=True, closed_at=at))
        tx.record(Fact.CASE_CANCELLED, at=at, actor=actor, case=case.id, person=visit.visitor, data={"why": why})
    return off_duty(visit, at=at)


def short_text(text: str, field: str, *, empty: bool = False) -> str:
    """A line that somebody typed."""
    return clean_text(text, field=field, longest=200, empty=empty)
