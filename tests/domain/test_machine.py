"""The engine of the tables, and that every table of the product is one that people can rely on."""

from enum import StrEnum

import pytest

from accessctl.domain.alarms import ALARM_TRANSITIONS, AlarmState
from accessctl.domain.cards import CARD_TRANSITIONS, CardState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.machine import advance, mermaid
from accessctl.domain.visits import VISIT_TRANSITIONS, VisitState


class Lamp(StrEnum):
    OFF = "off"
    ON = "on"


class Hand(StrEnum):
    PUSH = "push"
    PULL = "pull"


TABLE = {(Lamp.OFF, Hand.PUSH): Lamp.ON, (Lamp.ON, Hand.PULL): Lamp.OFF}


@pytest.mark.parametrize("state", Lamp)
@pytest.mark.parametrize("event", Hand)
def test_a_cell_that_is_not_written_is_refused_with_what_was_tried(state: Lamp, event: Hand) -> None:
    if (state, event) in TABLE:
        assert advance(TABLE, state, event, refusal=Reason.CARD_TRANSITION) is TABLE[state, event]
        return
    with pytest.raises(AccessError) as refused:
        advance(TABLE, state, event, refusal=Reason.CARD_TRANSITION, norm="P10.03")
    assert refused.value.reason is Reason.CARD_TRANSITION
    assert refused.value.norm == "P10.03"
    assert refused.value.details == {"state": state.value, "event": event.value}


def test_a_diagram_has_every_cell_of_its_table() -> None:
    assert mermaid(TABLE, Lamp.OFF).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> off",
        "    off --> on: push",
        "    on --> off: pull",
    ]


@pytest.mark.parametrize(
    ("table", "start", "states"),
    [
        pytest.param(CARD_TRANSITIONS, CardState.IN_STOCK, set(CardState), id="cards"),
        pytest.param(ALARM_TRANSITIONS, AlarmState.RAISED, set(AlarmState), id="alarms"),
        pytest.param(VISIT_TRANSITIONS, next(iter(VisitState)), set(VisitState), id="visits"),
    ],
)
def test_every_state_of_a_table_can_be_reached_from_its_start(
    table: dict[tuple[StrEnum, StrEnum], StrEnum], start: StrEnum, states: set[StrEnum]
) -> None:
    reached, grew = {start}, True
    while grew:
        further = {after for (before, _), after in table.items() if before in reached}
        grew = not further <= reached
        reached |= further
    assert reached == states
