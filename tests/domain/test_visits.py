"""The life of a visit: every cell of its table, what a refusal names, hand-overs, windows, equipment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.places import ZoneClass
from accessctl.domain.visitor_cards import (
    VISITOR_CARD_TRANSITIONS,
    VisitorCard,
    VisitorCardEvent,
    VisitorCardState,
)
from accessctl.domain.visits import (
    ENDED,
    ENTERED,
    MAY_ENTER,
    NEVER_CAME,
    OPEN,
    VISIT_TRANSITIONS,
    Equipment,
    Visit,
    VisitEvent,
    VisitRules,
    VisitState,
    check_window,
    equipment_difference,
    off_duty,
    relieved,
)

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
VISIT = Visit(
    id="v1",
    number=1,
    zone="cdatos",
    zone_class=ZoneClass.DATA_CENTRE,
    state=VisitState.AUTHORISED,
    valid_from=NOW,
    valid_until=NOW + HOUR,
    name="Ana Ix",
    organisation="Proveedora",
    purpose="Cambiar un disco",
    department="Infraestructura",
    authority="head",
    authorised_at=NOW,
    authorised_by="a-head",
    case="v1",
    visitor="ana",
)


@pytest.mark.parametrize(("state", "event"), list(product(VisitState, VisitEvent)))
def test_every_cell_of_the_table(state: VisitState, event: VisitEvent) -> None:
    visit = replace(VISIT, state=state)
    expected = VISIT_TRANSITIONS.get((state, event))
    if expected is not None:
        assert visit.happened(event) == replace(visit, state=expected)
        return
    with pytest.raises(AccessError) as refusal:
        visit.happened(event)
    assert refusal.value.norm.startswith("P4.0")
    if state in ENDED:
        assert refusal.value.reason is Reason.CASE_CLOSED or event is VisitEvent.ENTER_WITH_ESCORT


def test_the_states_are_grouped_without_gaps() -> None:
    assert ENTERED | NEVER_CAME == OPEN
    assert not ENTERED & NEVER_CAME
    assert MAY_ENTER < OPEN
    assert {state for state, _ in VISIT_TRANSITIONS} == OPEN, "what ended stays ended"


def test_no_path_of_a_third_party_to_closed_leaves_out_a_step() -> None:
    """Every walk through the table from AUTHORISED to CLOSED that never clears own staff does 02, 04, 07 and 08."""
    needed = {VisitEvent.REGISTER, VisitEvent.SIGN, VisitEvent.VERIFY_EXIT, VisitEvent.RECORD_EXIT}
    walks: list[tuple[VisitState, frozenset[VisitEvent]]] = [(VisitState.AUTHORISED, frozenset())]
    seen = set(walks)
    closed = 0
    while walks:
        state, done = walks.pop()
        if state is VisitState.CLOSED:
            closed += 1
            assert needed <= done
        for (before, event), after in VISIT_TRANSITIONS.items():
            walk = (after, done | {event})
            if before is state and event is not VisitEvent.CLEAR and walk not in seen:
                seen.add(walk)
                walks.append(walk)
    assert closed


@pytest.mark.parametrize(
    ("state", "event", "reason", "norm", "step"),
    [
        (VisitState.INSIDE, VisitEvent.RECORD_EXIT, Reason.STEP_OUT_OF_ORDER, "P4.08", "P4.07"),
        (VisitState.OUTSIDE, VisitEvent.RECORD_EXIT, Reason.STEP_OUT_OF_ORDER, "P4.08", "P4.07"),
        (VisitState.REGISTERED, VisitEvent.ENTER_WITH_ESCORT, Reason.VISIT_STEP_MISSING, "P4.05", "P4.04"),
        (VisitState.AUTHORISED, VisitEvent.SIGN, Reason.STEP_OUT_OF_ORDER, "P4.04", "P4.02"),
        (VisitState.SIGNED, VisitEvent.VERIFY_EXIT, Reason.STEP_OUT_OF_ORDER, "P4.07", "P4.05"),
    ],
)
def test_a_refusal_names_the_missing_step(
    state: VisitState, event: VisitEvent, reason: Reason, norm: str, step: str
) -> None:
    with pytest.raises(AccessError) as refusal:
        replace(VISIT, state=state).after(event)
    assert (refusal.value.reason, refusal.value.norm) == (reason, norm)
    assert refusal.value.details["missing_step"] == step
    with pytest.raises(AccessError) as elsewhere:
        replace(VISIT, state=state, zone_class=ZoneClass.PREMISES).after(event)
    assert elsewhere.value.norm == "N10.5"


def test_a_hand_over_keeps_history() -> None:
    first = relieved(VISIT, "t1", at=NOW, recorded_by="a1")
    second = relieved(first, "t2", at=NOW + HOUR, recorded_by="a2")
    assert (VISIT.escort, first.escort, second.escort) == ("", "t1", "t2")
    assert [(duty.person, duty.since, duty.until) for duty in second.escorts] == [
        ("t1", NOW, NOW + HOUR),
        ("t2", NOW + HOUR, None),
    ]
    assert off_duty(second, at=NOW + 2 * HOUR).escort == ""
    for person, reason in (("t2", Reason.ALREADY_DONE), ("ana", Reason.DUTIES_NOT_SEPARATED)):
        with pytest.raises(AccessError, match=reason.value):
            relieved(second, person, at=NOW, recorded_by="a")
    with pytest.raises(AccessError, match=Reason.CASE_CLOSED.value):
        relieved(replace(second, state=VisitState.CLOSED), "t3", at=NOW, recorded_by="a")


def test_a_window_ends_ahead_and_is_no_longer_than_a_day() -> None:
    rules = VisitRules()
    check_window(NOW - HOUR, NOW + HOUR, now=NOW, rules=rules)
    for start, end, reason in (
        (NOW - 2 * HOUR, NOW, Reason.FORM_INCOMPLETE),
        (NOW + HOUR, NOW + HOUR, Reason.FORM_INCOMPLETE),
        (NOW, NOW + 25 * HOUR, Reason.BEYOND_AUTHORISATION),
    ):
        with pytest.raises(AccessError, match=reason.value):
            check_window(start, end, now=NOW, rules=rules)


def test_a_fortuitous_entry_is_flagged_until_it_is_regularised() -> None:
    flagged = replace(VISIT, fortuitous="Incendio")
    assert flagged.awaits_regularisation
    assert not replace(flagged, regularised_at=NOW).awaits_regularisation
    assert not VISIT.awaits_regularisation


PIECES = st.lists(
    st.builds(
        Equipment,
        description=st.sampled_from(["Disco", "disco ", "Cable"]),
        serial=st.sampled_from(["", "A1", "a 1", "B2"]),
    ),
    max_size=6,
)


@given(PIECES, PIECES)
def test_equipment_is_compared_piece_by_piece(brought: list[Equipment], taken: list[Equipment]) -> None:
    difference = equipment_difference(brought, taken)
    assert len(brought) - len(difference.stays) == len(taken) - len(difference.unknown)
    assert equipment_difference(brought, brought).is_none
    assert equipment_difference(brought, list(reversed(brought))).is_none
    assert difference.is_none == (equipment_difference(taken, brought).is_none)


def test_a_serial_identifies_whatever_its_description() -> None:
    difference = equipment_difference(
        [Equipment(description="Disco", serial="s/n 1"), Equipment(description="Cable")],
        [Equipment(description="Disco duro", serial="S/N1"), Equipment(description="Laptop", serial="L1")],
    )
    assert [piece.description for piece in difference.stays] == ["Cable"]
    assert [piece.description for piece in difference.unknown] == ["Laptop"]


@pytest.mark.parametrize(("state", "event"), list(product(VisitorCardState, VisitorCardEvent)))
def test_every_cell_of_the_table_of_visitor_cards(state: VisitorCardState, event: VisitorCardEvent) -> None:
    card = VisitorCard(id="c", number=CardNumber.from_payload(CardFormat.EM4100_32, 7), label="V-1", state=state)
    expected = VISITOR_CARD_TRANSITIONS.get((state, event))
    if expected is not None:
        assert card.after(event) is expected
        return
    with pytest.raises(AccessError, match=Reason.CARD_NOT_IN_STOCK.value):
        card.after(event)
