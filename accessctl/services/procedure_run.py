"""Running a procedure inside somebody's transaction: the engine decides, the case is saved, the fact recorded."""

from datetime import datetime

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Role
from accessctl.domain.procedures import PREMISES_ACCESS, PROCEDURES, Case, check_turn, complete
from accessctl.domain.requests import AccessRequest
from accessctl.services.store import Work


def do_step(
    tx: Work,
    case: Case,
    number: int,
    *,
    actor: Actor,
    at: datetime,
    person: str = "",
    roles: frozenset[Role] | None = None,
    answer: str = "",
) -> Case:
    """Do a step and record it. `person` and `roles` are the actor's unless another acts through them (P10.04, P4.04).

    `answer` is the branch taken, where the step asks something (P4.03).
    """
    procedure = PROCEDURES[case.procedure]
    done = complete(
        procedure,
        case,
        number,
        account=actor.account,
        person=person or actor.person,
        roles=actor.roles if roles is None else roles,
        at=at,
        answer=answer,
    )
    tx.cases.save(done)
    reference = procedure.step(number).reference(procedure.number)
    about = done.parts.get("beneficiary") or done.parts.get("visitor", "")
    data = {"answer": answer} if answer else None
    tx.record(Fact.CASE_STEP_DONE, at=at, actor=actor, case=case.id, norm=reference, person=about, data=data)
    if done.closed_at is not None:
        tx.record(Fact.CASE_CLOSED, at=at, actor=actor, case=case.id, norm=reference)
    return done


def at_step(tx: Work, case_id: str, number: int, *, actor: Actor, at: datetime) -> tuple[Case, AccessRequest]:
    """The case and its request, if step `number` of procedure 10 waits for this actor; refused otherwise.

    From P10.03 on a step belongs to the technician it was assigned to. An authorisation that lapsed is refused (N10.3).
    """
    case = tx.cases.get(case_id)
    request = tx.requests.get(case_id)
    step = check_turn(PREMISES_ACCESS, case, number, actor.roles)
    if request.delivered_at is None and at >= request.expires_at:
        raise AccessError(Reason.REQUEST_EXPIRED, "N10.3", expired=request.expires_at.isoformat())
    if Role.TECNICO_INFRA in step.responsible and case.assigned_to not in {"", actor.account}:
        raise AccessError(Reason.NOT_ASSIGNED_TO_YOU, step.reference(10))
    return case, request
