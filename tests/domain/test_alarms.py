"""The life of an alarm, as procedure 3 has it: every cell, no way round the verification, and whose each alarm is."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accessctl.domain.alarms import (
    ALARM_TRANSITIONS,
    ALERTS,
    CRITICAL,
    N3_5,
    OPEN,
    UNTAKEN,
    Alarm,
    AlarmEvent,
    AlarmKind,
    AlarmRules,
    AlarmState,
    AlertType,
)
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.machine import advance
from accessctl.domain.people import ROLE_PERMISSIONS, Permission, Role

LIFE = {
    "raised": "assign>assigned acknowledge>acknowledged settle>resolved",
    "assigned": "assign>assigned acknowledge>acknowledged settle>resolved",
    "acknowledged": "assign>assigned resolve>resolved settle>resolved",
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
    assert {AlarmState.RAISED, AlarmState.ASSIGNED, AlarmState.ACKNOWLEDGED} == OPEN


def test_every_kind_has_a_type_and_a_source_and_every_type_an_area_and_a_role() -> None:
    assert set(ALERTS) == set(AlarmKind)
    assert set(N3_5) == set(AlertType) - {AlertType.ACCESO}
    rules = AlarmRules()
    for kind, alert in ALERTS.items():
        assert re.fullmatch(r"[PN]\d{1,2}\.\d{1,2}", alert.source), kind
        assert (alert.source == "N3.5") == (alert.type in N3_5), kind
        area, responsible = rules.competence(kind)
        assert area in rules.areas()
        assert Permission.ALARMS_TAKE in ROLE_PERMISSIONS[responsible], kind


def test_the_areas_and_roles_are_those_of_the_manual() -> None:
    """N3.5 of the manual, row by row."""
    assert {alert.value: (area, role.value) for alert, (area, role) in N3_5.items()} == {
        "enlace": ("Departamento de Telecomunicaciones, Conectividad y Seguridad", "tecnico_telecom"),
        "servidores": ("Departamento de Infraestructura Tecnológica", "tecnico_infra"),
        "sistemas": ("Departamento de Análisis y Desarrollo de Sistemas", "analista_calidad"),
        "temperatura_ductos": ("Departamento de Infraestructura Tecnológica", "tecnico_infra"),
    }


def test_what_the_manual_does_not_name_is_the_installations_to_say() -> None:
    rules = AlarmRules(access_area="Seguridad", access_responsible=Role.GUARDIA)
    assert rules.competence(AlarmKind.DOOR_FORCED) == ("Seguridad", Role.GUARDIA)
    assert rules.competence(AlarmKind.DEVICE_OFFLINE) == N3_5[AlertType.ENLACE]
    assert "Seguridad" in rules.areas()


@pytest.mark.parametrize("state", AlarmState)
@pytest.mark.parametrize(("kind", "minutes"), [(AlarmKind.DOOR_FORCED, 5), (AlarmKind.DEVICE_OFFLINE, 30)])
def test_late_is_what_nobody_took_in_time(kind: AlarmKind, minutes: int, state: AlarmState) -> None:
    at = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
    area, responsible = AlarmRules().competence(kind)
    alarm = Alarm(
        id="a", kind=kind, key="k", state=state, raised_at=at, area=area, responsible=responsible, waiting_since=at
    )
    then = at + timedelta(minutes=minutes)
    assert AlarmRules().is_late(alarm, then) == (state in UNTAKEN)
    assert not AlarmRules().is_late(alarm, then - timedelta(seconds=1))
    assert not AlarmRules().is_late(replace(alarm, waiting_since=then), then)


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
