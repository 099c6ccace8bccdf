"""The life of an alarm, as procedure 3 has it: every cell, and no way round the verification."""

import itertools

import pytest

from accessctl.domain.alarms import ALARM_TRANSITIONS, CRITICAL, OPEN, AlarmEvent, AlarmKind, AlarmState
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.machine import advance

LIFE = {
    "raised": "acknowledge>acknowledged resolve>resolved",
    "acknowledged": "resolve>resolved",
    "resolved": "reopen>raised verify>verified",
    "verified": "",
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(AlarmState, AlarmEvent)))
def test_every_cell_of_the_table(state: AlarmState, event: AlarmEvent) -> None:
    allowed = dict(pair.split(">") for pair in LIFE[state.value].split())
    if event.value in allowed:
        after = advance(ALARM_TRANSITIONS, state, event, refusal=Reason.ALREADY_DONE)
        assert after.value == allowed[event.value]
        return
    with pytest.raises(AccessError) as refused:
        advance(ALARM_TRANSITIONS, state, event, refusal=Reason.ALREADY_DONE, norm="P3.01")
    assert (refused.value.reason, refused.value.norm) == (Reason.ALREADY_DONE, "P3.01")


def test_nothing_closes_an_alarm_but_a_verification_of_what_was_resolved() -> None:
    into = {(before, event) for (before, event), after in ALARM_TRANSITIONS.items() if after is AlarmState.VERIFIED}
    assert into == {(AlarmState.RESOLVED, AlarmEvent.VERIFY)}
    assert {AlarmState.RAISED, AlarmState.ACKNOWLEDGED} == OPEN


def test_the_kinds_that_outside_programs_rely_on_keep_their_names() -> None:
    promised = {
        "escort_left_first",
        "escort_missing",
        "visit_overstay",
        "host_left",
        "door_held_open",
        "door_forced",
        "policy_mismatch",
        "rogue_credential",
        "device_offline",
        "clock_doubtful",
        "revocation_pending",
        "tamper",
        "duress",
        "fire",
        "gap",
        "interlock",
        "occupancy",
    }
    assert promised <= {kind.value for kind in AlarmKind}
    assert set(AlarmKind) >= CRITICAL
