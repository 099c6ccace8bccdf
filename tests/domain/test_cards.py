"""The life of a card: every cell of the table, and what the norms say of the table as a whole."""

import itertools
from datetime import UTC, datetime

import pytest

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.cards import (
    CARD_TRANSITIONS,
    LIVE,
    NEVER_AGAIN,
    OPENS,
    OUTSTANDING,
    Card,
    CardEvent,
    CardState,
)
from accessctl.domain.errors import AccessError, Reason

# Procedure 10 and its norms, written once more and otherwise: what can happen to a card in each state, and then.
LIFE = {
    "in_stock": "enrol>enrolled report_lost>lost report_stolen>stolen report_damaged>damaged",
    "enrolled": "release>in_stock deliver>active revoke>revoked"
    " report_lost>lost report_stolen>stolen report_damaged>damaged",
    "active": "suspend>suspended revoke>revoked report_lost>lost report_stolen>stolen report_damaged>damaged",
    "suspended": "resume>active revoke>revoked report_lost>lost report_stolen>stolen report_damaged>damaged",
    "revoked": "report_lost>lost report_stolen>stolen take_back>returned destroy>destroyed",
    "damaged": "take_back>returned destroy>destroyed",
    "lost": "destroy>destroyed",
    "stolen": "destroy>destroyed",
    "returned": "destroy>destroyed",
    "destroyed": "",
}


def card(state: CardState) -> Card:
    number = CardNumber.from_bytes(CardFormat.EM4100, bytes.fromhex("0F0184F07A"))
    return Card(id="c", number=number, state=state, since=datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(("state", "event"), list(itertools.product(CardState, CardEvent)))
def test_every_cell_of_the_table(state: CardState, event: CardEvent) -> None:
    allowed = dict(pair.split(">") for pair in LIFE[state.value].split())
    if event.value in allowed:
        assert card(state).after(event).value == allowed[event.value]
        return
    with pytest.raises(AccessError) as refused:
        card(state).after(event, norm="N10.4")
    assert (refused.value.reason, refused.value.norm) == (Reason.CARD_TRANSITION, "N10.4")


def reachable(start: CardState, without: frozenset[CardState] = frozenset()) -> set[CardState]:
    found, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        after = {then for (before, _), then in CARD_TRANSITIONS.items() if before is state} - found - without
        found |= after
        waiting += after
    return found


def test_what_is_over_never_lives_again_in_the_same_life() -> None:
    for over in set(CardState) - LIVE:
        assert reachable(over).isdisjoint(LIVE)


def test_no_card_is_active_without_having_been_chosen_for_somebody() -> None:
    assert CardState.ACTIVE not in reachable(CardState.IN_STOCK, without=frozenset({CardState.ENROLLED}))
    into = {(before, event) for (before, event), after in CARD_TRANSITIONS.items() if after in OPENS}
    assert into == {(CardState.ENROLLED, CardEvent.DELIVER), (CardState.SUSPENDED, CardEvent.RESUME)}


def test_whatever_opens_or_will_can_be_ended_at_once() -> None:
    for state in LIVE - {CardState.IN_STOCK}:
        for event in (CardEvent.REVOKE, CardEvent.REPORT_LOST, CardEvent.REPORT_STOLEN):
            assert card(state).after(event) not in LIVE


def test_an_owed_card_can_always_be_handed_in_and_the_groups_do_not_overlap() -> None:
    for state in OUTSTANDING:
        assert card(state).after(CardEvent.TAKE_BACK) is CardState.RETURNED
    assert LIVE.isdisjoint(OUTSTANDING | NEVER_AGAIN)
    assert OUTSTANDING.isdisjoint(NEVER_AGAIN)
    assert LIVE | OUTSTANDING | NEVER_AGAIN | {CardState.RETURNED} == set(CardState)
