"""Whether a third party's credential opens a door, now: `decide_visit`. Pure, and the same `Decision` as for staff.

The order of the questions at an entry, each refusing with its step or norm:

1. is there a visit behind the credential, and are P4.01 to P4.04 done (the refusal names the step that is missing)?
2. is it inside its window, and does it lead through this door?
3. does the zone let anybody in (lockdown, limit, anti-passback)?
4. into the data centre: is the visit's escort at the door (N4.3)? elsewhere: is whoever accompanies inside (N10.6)?

The last question comes last because a visitor of whom everything else is right waits for the escort.
Leaving is never refused: what an exit finds is noted in `Decision.exception`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accessctl.domain.errors import Reason
from accessctl.domain.escorting import Escorting
from accessctl.domain.occupancy import REASONS, Obstacle
from accessctl.domain.places import Direction
from accessctl.domain.policy import Decision
from accessctl.domain.visits import MAY_ENTER, Visit, VisitState


class Way(StrEnum):
    """How a door lies to a visit: it leads into its data centre, through premises on the way, or elsewhere."""

    DATA_CENTRE = "data_centre"
    PREMISES = "premises"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitShown:
    """A visitor's credential at a reader, and what is known there. `escorting` is asked for where 1 to 3 are well.

    `removed`: somebody's access was ended (N10.4) after they were authorised to come.
    """

    credential: str
    direction: Direction
    way: Way
    obstacle: Obstacle | None = None
    host_inside: bool = False
    removed: bool = False
    escorting: Escorting = Escorting.MISSING


_ESCORTING = {
    Escorting.MISSING: (Reason.ESCORT_MISSING, "N4.3"),
    Escorting.NOT_ENTITLED: (Reason.ESCORT_NOT_ENTITLED, "N4.3"),
    Escorting.TOO_MANY: (Reason.ESCORT_RATIO, "N4.3"),
}


def standing(visit: Visit | None, shown: VisitShown, at: datetime) -> tuple[Reason, str, str] | None:
    """Questions 1 to 3: reason, norm, missing step; None where only the company is still to be seen to."""
    if visit is None:
        return Reason.VISIT_STEP_MISSING, "P4.01", "P4.01"
    if shown.removed:
        return Reason.REVOKED, "N10.4", ""
    lacking = visit.lacks()
    if lacking:
        return Reason.VISIT_STEP_MISSING, visit.norm(lacking), visit.norm(lacking)
    if visit.state is VisitState.VERIFIED or visit.state not in MAY_ENTER:
        return Reason.EXPIRED, visit.norm("P4.07" if visit.state is VisitState.VERIFIED else "P4.08"), ""
    if not visit.valid_from <= at < visit.valid_until:
        early = at < visit.valid_from
        return Reason.NOT_YET_VALID if early else Reason.EXPIRED, visit.norm("P4.01"), ""
    if shown.way is Way.ELSEWHERE:
        return Reason.NO_RIGHT, "N10.2", ""
    if shown.obstacle is not None and shown.obstacle is not Obstacle.INSIDE_ALREADY_SOFT:
        return *REASONS[shown.obstacle], ""
    return None


def company(visit: Visit, shown: VisitShown) -> tuple[Reason, str, str] | None:
    """Question 4. `host_inside` speaks of whoever accompanies: on the way to the data centre, that is the escort."""
    if shown.way is Way.DATA_CENTRE:
        present = shown.escorting is Escorting.PRESENT
        return None if present else (*_ESCORTING[shown.escorting], "P4.05")
    return None if shown.host_inside and visit.escort else (Reason.HOST_ABSENT, "N10.6", "")


def decide_visit(visit: Visit | None, shown: VisitShown, at: datetime) -> Decision:
    """Answer for one visitor's credential at one reader at one moment (aware, UTC inside)."""
    leaving = shown.direction is Direction.OUT
    person = visit.visitor if visit is not None else ""
    if leaving:
        wrong = _wrong_at_exit(visit)
        return Decision(
            granted=True,
            person=person,
            card=shown.credential,
            norm=wrong[1] if wrong else "",
            exception=wrong[0] if wrong else None,
        )
    found = standing(visit, shown, at)
    if found is None and visit is not None:
        found = company(visit, shown)
    if found is None:
        soft = shown.obstacle is Obstacle.INSIDE_ALREADY_SOFT
        norm = REASONS[Obstacle.INSIDE_ALREADY_SOFT][1] if soft else ""
        noted = Reason.ANTI_PASSBACK if soft else None
        return Decision(granted=True, person=person, card=shown.credential, norm=norm, exception=noted)
    reason, norm, step = found
    return Decision(granted=False, reason=reason, norm=norm, person=person, card=shown.credential, missing_step=step)


def _wrong_at_exit(visit: Visit | None) -> tuple[Reason, str] | None:
    """An exit of whom no visit, or no entry, is known."""
    if visit is None:
        return Reason.VISIT_STEP_MISSING, "P4.01"
    if visit.state in {VisitState.INSIDE, VisitState.VERIFIED}:
        return None
    return Reason.VISIT_STEP_MISSING, visit.norm("P4.05")
