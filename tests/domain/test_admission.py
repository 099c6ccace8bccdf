"""Whether a third party's credential opens: every state of a visit at every door; exits are never refused."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.admission import VisitShown, Way, decide_visit
from accessctl.domain.errors import Reason
from accessctl.domain.escorting import Escorting
from accessctl.domain.occupancy import Obstacle
from accessctl.domain.places import Direction
from accessctl.domain.visits import MAY_ENTER, Visit, VisitState, relieved
from tests.domain.test_visits import HOUR, NOW, VISIT

IN = VisitShown(credential="em:1", direction=Direction.IN, way=Way.DATA_CENTRE, escorting=Escorting.PRESENT)
SIGNED = relieved(replace(VISIT, state=VisitState.SIGNED), "t1", at=NOW, recorded_by="a1")
VISITS = st.none() | st.builds(
    lambda state, minutes: replace(SIGNED, state=state, valid_from=NOW + timedelta(minutes=minutes)),
    st.sampled_from(VisitState),
    st.integers(-90, 90),
)
SHOWN = st.builds(
    VisitShown,
    credential=st.just("em:1"),
    direction=st.sampled_from(Direction),
    way=st.sampled_from(Way),
    obstacle=st.none() | st.sampled_from(Obstacle),
    host_inside=st.booleans(),
    escorting=st.sampled_from(Escorting),
)


@given(VISITS, SHOWN, st.integers(-200, 200))
def test_nobody_is_admitted_without_steps_window_and_company(
    visit: Visit | None, shown: VisitShown, minutes: int
) -> None:
    at = NOW + timedelta(minutes=minutes)
    decision = decide_visit(visit, shown, at)
    if shown.direction is Direction.OUT:
        assert decision.granted
        assert decision.reason is None
        return
    assert decision.granted == (decision.reason is None)
    assert decision.granted or decision.norm
    if decision.granted:
        assert visit is not None
        assert visit.state in MAY_ENTER
        assert visit.valid_from <= at < visit.valid_until
        assert shown.obstacle in {None, Obstacle.INSIDE_ALREADY_SOFT}
        assert shown.way is not Way.ELSEWHERE
        assert shown.escorting is Escorting.PRESENT if shown.way is Way.DATA_CENTRE else shown.host_inside


@pytest.mark.parametrize(
    ("state", "reason", "step"),
    [
        (VisitState.AUTHORISED, Reason.VISIT_STEP_MISSING, "P4.02"),
        (VisitState.REGISTERED, Reason.VISIT_STEP_MISSING, "P4.04"),
        (VisitState.CLEARED, Reason.VISIT_STEP_MISSING, "P4.04"),
        (VisitState.VERIFIED, Reason.EXPIRED, ""),
        (VisitState.CLOSED, Reason.EXPIRED, ""),
        (VisitState.CANCELLED, Reason.EXPIRED, ""),
    ],
)
def test_the_refusal_names_the_missing_step(state: VisitState, reason: Reason, step: str) -> None:
    decision = decide_visit(replace(SIGNED, state=state), IN, NOW)
    assert (decision.granted, decision.reason, decision.missing_step) == (False, reason, step)


@pytest.mark.parametrize(
    ("shown", "reason", "norm"),
    [
        (replace(IN, escorting=Escorting.MISSING), Reason.ESCORT_MISSING, "N4.3"),
        (replace(IN, escorting=Escorting.NOT_ENTITLED), Reason.ESCORT_NOT_ENTITLED, "N4.3"),
        (replace(IN, escorting=Escorting.TOO_MANY), Reason.ESCORT_RATIO, "N4.3"),
        (replace(IN, way=Way.PREMISES), Reason.HOST_ABSENT, "N10.6"),
        (replace(IN, way=Way.ELSEWHERE), Reason.NO_RIGHT, "N10.2"),
        (replace(IN, obstacle=Obstacle.LOCKDOWN), Reason.LOCKDOWN, "N10.2"),
        (replace(IN, obstacle=Obstacle.FULL), Reason.OCCUPANCY_LIMIT, "N10.2"),
        (replace(IN, obstacle=Obstacle.INSIDE_ALREADY), Reason.ANTI_PASSBACK, "N10.1"),
    ],
)
def test_every_reason_at_a_door(shown: VisitShown, reason: Reason, norm: str) -> None:
    decision = decide_visit(SIGNED, shown, NOW)
    assert (decision.granted, decision.reason, decision.norm) == (False, reason, norm)


def test_a_card_of_no_visit_opens_nothing_and_names_the_authorisation() -> None:
    decision = decide_visit(None, IN, NOW)
    assert (decision.reason, decision.norm, decision.missing_step) == (Reason.VISIT_STEP_MISSING, "P4.01", "P4.01")
    assert decide_visit(SIGNED, IN, NOW + 2 * HOUR).reason is Reason.EXPIRED
    assert decide_visit(SIGNED, IN, NOW - HOUR).reason is Reason.NOT_YET_VALID


@pytest.mark.parametrize(("state", "way"), list(product(VisitState, Way)))
def test_leaving_is_never_refused_and_says_what_is_wrong(state: VisitState, way: Way) -> None:
    shown = replace(IN, direction=Direction.OUT, way=way, obstacle=Obstacle.LOCKDOWN)
    decision = decide_visit(replace(SIGNED, state=state), shown, NOW + 100 * HOUR)
    assert decision.granted
    assert (decision.exception is None) == (state in {VisitState.INSIDE, VisitState.VERIFIED})


def test_soft_anti_passback_opens_and_is_noted() -> None:
    decision = decide_visit(SIGNED, replace(IN, obstacle=Obstacle.INSIDE_ALREADY_SOFT), NOW)
    assert decision.granted
    assert decision.exception is Reason.ANTI_PASSBACK
