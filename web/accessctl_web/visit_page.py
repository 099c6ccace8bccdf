"""The page of one visit, wherever an act on it comes back to: its steps, and what the viewer may do now."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import render_template

from accessctl.domain.people import AUTHORITIES, Actor, Permission
from accessctl.domain.visitor_cards import VisitorCardState
from accessctl.domain.visits import ENDED, ESCORTS, MAY_ENTER, NEVER_CAME, Visit, VisitState
from accessctl.services.visit_files import VisitFile
from accessctl_web.desks import actor, desks
from accessctl_web.messages import Refusal
from accessctl_web.request_page import polylines
from accessctl_web.visit_forms import typed_pieces

WAITS_FOR: Mapping[VisitState, int] = {
    VisitState.AUTHORISED: 2,
    VisitState.REGISTERED: 4,
    VisitState.SIGNED: 5,
    VisitState.INSIDE: 7,
    VisitState.OUTSIDE: 7,
    VisitState.VERIFIED: 8,
    VisitState.CLEARED: 8,
    VisitState.WORKING: 8,
    VisitState.GONE: 8,
}
AT_THE_DOOR = frozenset({VisitState.AUTHORISED, VisitState.REGISTERED, VisitState.SIGNED, VisitState.CLEARED})
WITHIN = frozenset({VisitState.INSIDE, VisitState.WORKING})
TO_CLOSE = frozenset({VisitState.OUTSIDE, VisitState.GONE, VisitState.VERIFIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One step of the visit's page. `state` is done, now, skipped or empty; `by` is a name."""

    number: int
    reference: str
    title: str
    state: str
    by: str = ""
    at: datetime | None = None


def next_step(visit: Visit) -> str:
    """The step of procedure 4 that waits, "" where the visit ended. Other premises go through the same acts."""
    number = WAITS_FOR.get(visit.state)
    return f"P4.{number:02d}" if number else ""


def stations(file: VisitFile) -> list[Station]:
    """The steps with who did each and when. P4.03 "no" leaves out what only third parties do."""
    visit = file.line.visit
    did = _did(file)
    waits = 6 if visit.state is VisitState.INSIDE and not visit.activities else WAITS_FOR.get(visit.state, 0)
    left_out = {4, 5, 6, 7} if not visit.third_party else set()
    left_out |= set() if visit.in_data_centre else {3}
    found = []
    for number in range(1, 9):
        at, by = did[number]
        state = "done" if at else ("now" if number == waits else ("skipped" if number in left_out else ""))
        found.append(
            Station(
                number=number,
                reference=visit.norm(f"P4.{number:02d}"),
                title=f"p4.{number:02d}",
                state=state,
                by=by,
                at=at,
            )
        )
    return [one for one in found if visit.in_data_centre or one.state != "skipped"]


def _did(file: VisitFile) -> dict[int, tuple[datetime | None, str]]:
    """When each step was done, and by whom, as the visit has it; P4.06 has no moment of its own outside the case."""
    visit, names = file.line.visit, file.names
    noted = next((one.at for one in file.steps if one.step.number == 6), None)
    if visit.activities and noted is None:
        noted = visit.verified_at or visit.left_at or visit.entered_at
    registrar = names.get(visit.registered_by, "")
    escort = file.escorts[0].name if file.escorts else ""
    return {
        1: (visit.authorised_at, file.line.authority.full_name),
        2: (visit.registered_at, registrar),
        3: (visit.registered_at, registrar),
        4: (visit.signed_at, visit.name),
        5: (visit.entered_at if visit.third_party else None, escort),
        6: (noted, visit.name),
        7: (visit.verified_at, names.get(visit.verified_by, "")),
        8: (visit.exit_recorded_at, names.get(visit.exit_recorded_by, "")),
    }


def acts_of(file: VisitFile) -> frozenset[str]:
    """What this person may do with the visit now; the desks decide again when it is done."""
    me, visit = actor(), file.line.visit
    acts: set[str] = set()
    if visit.awaits_regularisation and visit.authority == me.person and me.roles & AUTHORITIES:
        acts.add("regularise")
    card = file.line.card
    if card is not None and card.state is VisitorCardState.GIVEN and card.visit == visit.id and _attends(me):
        acts.add("card_back")
    if visit.state in ENDED:
        return frozenset(acts)
    technician = bool(me.roles & ESCORTS)
    keeps = technician if visit.in_data_centre else _attends(me)
    follows = _follows(me, visit)
    offered = {
        "register": visit.state is VisitState.AUTHORISED and keeps,
        "sign": visit.state is VisitState.REGISTERED and _attends(me),
        "card": visit.state in MAY_ENTER | {VisitState.REGISTERED} and "card_back" not in acts and _attends(me),
        "late": visit.state in MAY_ENTER | {VisitState.CLEARED} and visit.entered_at is None and follows,
        "hand_over": bool(visit.escort) and visit.state is not VisitState.VERIFIED and (keeps or follows),
        "work": visit.state in {VisitState.INSIDE, VisitState.OUTSIDE} and follows,
        "verify": visit.state in {VisitState.INSIDE, VisitState.OUTSIDE} and follows,
        "exit": next_step(visit) == "P4.08" and visit.state is not VisitState.CLEARED and (keeps or follows),
        "cancel": visit.state in NEVER_CAME and (me.may(Permission.VISIT_AUTHORISE) or technician),
    }
    return frozenset(acts | {act for act, may in offered.items() if may})


def _attends(me: Actor) -> bool:
    return me.may(Permission.VISIT_ATTEND)


def _follows(me: Actor, visit: Visit) -> bool:
    """Whoever accompanies answers for the visit (N4.4); elsewhere the department does (N10.5)."""
    if visit.in_data_centre:
        return bool(me.roles & ESCORTS) and (not visit.third_party or me.person == visit.escort)
    if not (me.may(Permission.VISIT_FOLLOW) or _attends(me)):
        return False
    return me.person == visit.escort or desks().people.get(me.person).department == visit.department


# The act beside whose form a refusal is shown, where it bears another name than the act.
_ACT_OF = {"paper": "sign", "slip": "card", "missing": "card_back"}


def visit_page(visit_id: str, **refusals: Refusal) -> str:
    """The page; `refusals` are shown beside the form of their act, at the head where the page has no such form."""
    me = actor()
    file = desks().visit_files.file(me, visit_id)
    acts = acts_of(file)
    return render_template(
        "visits/file.html",
        file=file,
        acts=acts,
        stations=stations(file),
        pieces=typed_pieces(),
        refusals=defaultdict(lambda: None, refusals),
        stray=next((one for key, one in refusals.items() if _ACT_OF.get(key, key) not in acts), None),
        escorts=desks().visit_files.escorts() if {"register", "hand_over"} & acts else [],
        pool=desks().visitor_cards.free() if "card" in acts else [],
        ink=polylines(file.signature) if file.signature else [],
        history=file.events if me.may(Permission.EVENTS_SEE) else [],
    )
