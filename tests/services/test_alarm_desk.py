"""Alarms: one and not a thousand, bounded under a flood, handled by people, closed by another one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from accessctl.domain.alarms import Alarm, AlarmKind, AlarmRules, AlarmState
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Role
from accessctl.services.alarm_desk import AlarmDesk, Subject, is_raised, raise_alarm, settle
from accessctl.services.alarm_files import AlarmFiles, Which
from tests.services.premises import Premises
from tests.services.refusing import entries_since, facts_since, recorded, refused
from tests.services.test_request_desk import hire

FORCED = AlarmKind.DOOR_FORCED


@pytest.fixture
def desk(premises: Premises) -> AlarmDesk:
    return AlarmDesk(premises.office)


def raised(premises: Premises, *, detail: str = "", key: str = "sub-1") -> Alarm:
    """What a device's event does: the alarm, inside the transaction of the event."""
    with premises.store.begin() as tx:
        about = Subject(key=key, device="lobby", door="sub-1", detail=detail)
        alarm = raise_alarm(tx, premises.office, FORCED, about, at=premises.now)
        tx.commit()
    return alarm


def settled(premises: Premises) -> bool:
    with premises.store.begin() as tx:
        found = settle(tx, FORCED, "sub-1", cause="gone", at=premises.now)
        if found:
            tx.commit()
    return found


def test_a_flood_of_the_same_is_one_alarm_counted_and_said_once_a_minute(premises: Premises, desk: AlarmDesk) -> None:
    size, begun = recorded(premises.store), premises.now
    for number in range(300):
        premises.now = begun + timedelta(seconds=number)
        raised(premises, detail=f"event {number}")
    [alarm] = desk.find()
    assert alarm.count == 300
    assert facts_since(premises.store, size) == [Fact.ALARM_RAISED.value] * 5  # at 0, 60, 120, 180 and 240 s
    assert alarm.detail == "event 240"


def test_what_is_about_something_else_is_another_alarm(premises: Premises, desk: AlarmDesk) -> None:
    raised(premises)
    raised(premises, key="cd-1")
    assert sorted(alarm.key for alarm in desk.find(open_only=True)) == ["cd-1", "sub-1"]


def test_what_went_away_is_resolved_and_waits_for_somebody_to_verify(premises: Premises, desk: AlarmDesk) -> None:
    alarm = raised(premises)
    assert settled(premises)
    assert not settled(premises)
    with premises.store.view() as tx:
        assert not is_raised(tx, FORCED, "sub-1")
    desk.verify(premises.actors["tecnico"], alarm.id)
    assert desk.find(open_only=True) == []
    assert desk.find()[0].state is AlarmState.VERIFIED


def test_what_comes_back_soon_is_the_same_alarm_and_later_a_new_one(premises: Premises, desk: AlarmDesk) -> None:
    first = raised(premises)
    settled(premises)
    size = recorded(premises.store)
    premises.now += timedelta(minutes=9)
    assert raised(premises).id == first.id
    assert facts_since(premises.store, size) == [Fact.ALARM_REOPENED.value]
    settled(premises)
    premises.now += timedelta(minutes=10)
    assert raised(premises).id != first.id
    assert len(desk.find()) == 2


def test_procedure_3_from_hand_to_hand(premises: Premises, desk: AlarmDesk) -> None:
    alarm = raised(premises)
    tecnico, jefe = premises.actors["tecnico"], premises.actors["jefe"]
    size = recorded(premises.store)
    desk.assign(jefe, alarm.id, technician=tecnico.account)
    desk.acknowledge(tecnico, alarm.id, comment="Voy")
    desk.resolve(tecnico, alarm.id, cause="Viento")
    with refused(premises, tecnico, Reason.DUTIES_NOT_SEPARATED, "P3.07"):
        desk.verify(tecnico, alarm.id)
    desk.reopen(jefe, alarm.id, comment="Sigue abierta")
    back = desk.find()[0]
    assert (back.state, back.assigned_to, back.handled_by) == (AlarmState.RAISED, "", "")
    desk.assign(jefe, alarm.id, technician=tecnico.account)
    desk.acknowledge(tecnico, alarm.id, comment="Otra vez")
    desk.resolve(tecnico, alarm.id, cause="Brazo reparado")
    desk.verify(jefe, alarm.id)
    done = [(row.event, row.norm, row.actor) for row in entries_since(premises.store, size) if row.reason == ""]
    round_of = [
        (Fact.ALARM_ASSIGNED.value, "P3.04", jefe.account),
        (Fact.ALARM_ACKNOWLEDGED.value, "P3.05", tecnico.account),
        (Fact.ALARM_RESOLVED.value, "P3.05", tecnico.account),
    ]
    assert done == [
        *round_of,
        (Fact.ALARM_REOPENED.value, "P3.07", jefe.account),
        *round_of,
        (Fact.ALARM_VERIFIED.value, "P3.07", jefe.account),
    ]
    after = desk.find()[0]
    assert (after.state, after.cause, after.comment) == (AlarmState.VERIFIED, "Brazo reparado", "Otra vez")
    with refused(premises, jefe, Reason.ALREADY_DONE, "P3.05"):
        desk.acknowledge(jefe, alarm.id, comment="x")
    with refused(premises, jefe, Reason.ALREADY_DONE, "P3.07"):
        desk.verify(jefe, alarm.id)


def test_only_a_technician_of_the_responsible_role_is_assigned(premises: Premises, desk: AlarmDesk) -> None:
    alarm, jefe = raised(premises), premises.actors["jefe"]
    telecom = hire(premises, "Wilson", Role.TECNICO_TELECOM)
    for account in (telecom.account, jefe.account, premises.actors["guardia"].account):
        with refused(premises, jefe, Reason.WRONG_ROLE, "P3.04"):
            desk.assign(jefe, alarm.id, technician=account)
    with refused(premises, jefe, Reason.NOT_FOUND, ""):
        desk.assign(jefe, alarm.id, technician="nobody")
    gone = hire(premises, "Tirso", Role.TECNICO_INFRA)
    with premises.store.begin() as tx:
        tx.accounts.save(replace(tx.accounts.get(gone.account), disabled_at=premises.now))
        tx.record(Fact.ACCOUNT_DISABLED, at=premises.now, actor=SYSTEM)
        tx.commit()
    with refused(premises, jefe, Reason.WRONG_ROLE, "P3.04"):
        desk.assign(jefe, alarm.id, technician=gone.account)


def test_what_is_assigned_is_taken_by_whom_it_was_assigned_to(premises: Premises, desk: AlarmDesk) -> None:
    alarm, jefe, tecnico = raised(premises), premises.actors["jefe"], premises.actors["tecnico"]
    other = hire(premises, "Tirso", Role.TECNICO_INFRA)
    desk.assign(jefe, alarm.id, technician=tecnico.account)
    with refused(premises, jefe, Reason.ALREADY_DONE, "P3.04"):
        desk.assign(jefe, alarm.id, technician=tecnico.account)
    with refused(premises, other, Reason.NOT_ASSIGNED_TO_YOU, "P3.05"):
        desk.acknowledge(other, alarm.id, comment="Yo voy")
    desk.assign(jefe, alarm.id, technician=other.account)
    with refused(premises, tecnico, Reason.NOT_ASSIGNED_TO_YOU, "P3.05"):
        desk.acknowledge(tecnico, alarm.id, comment="Voy")
    desk.acknowledge(other, alarm.id, comment="Voy")
    with refused(premises, tecnico, Reason.NOT_ASSIGNED_TO_YOU, "P3.05"):
        desk.resolve(tecnico, alarm.id, cause="Viento")
    desk.resolve(other, alarm.id, cause="Viento")


def test_a_guard_takes_what_nobody_was_told_to_and_hands_it_on(premises: Premises, desk: AlarmDesk) -> None:
    """Life does not wait for an assignment; the head may hand it to a technician afterwards, who then has it."""
    alarm, guardia, tecnico = raised(premises), premises.actors["guardia"], premises.actors["tecnico"]
    desk.acknowledge(guardia, alarm.id, comment="Estoy en la puerta")
    premises.now += timedelta(hours=1)
    desk.assign(premises.actors["jefe"], alarm.id, technician=tecnico.account)
    handed = desk.find()[0]
    assert (handed.state, handed.handled_by, handed.assigned_to) == (AlarmState.ASSIGNED, "", tecnico.account)
    assert handed.waiting_since == handed.changed_at
    with refused(premises, guardia, Reason.WRONG_ROLE, "P3.07"):
        desk.verify(guardia, alarm.id)


def test_who_has_two_accounts_is_still_one_person(premises: Premises, desk: AlarmDesk) -> None:
    alarm, tecnico = raised(premises), premises.actors["tecnico"]
    desk.acknowledge(tecnico, alarm.id, comment="Voy")
    desk.resolve(tecnico, alarm.id, cause="Viento")
    second = hire(premises, "Tomas2", Role.JEFE, person=tecnico.person)
    with refused(premises, second, Reason.DUTIES_NOT_SEPARATED, "P3.07"):
        desk.verify(second, alarm.id)


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "auditor", "guardia", "tecnico"])
def test_who_may_not_do_what(premises: Premises, desk: AlarmDesk, who: str) -> None:
    alarm, actor = raised(premises), premises.actors[who]
    takes, handles = {"guardia", "tecnico"}, {"tecnico"}
    acts: list[tuple[str, set[str], Callable[[], None]]] = [
        ("P3.04", set(), lambda: desk.assign(actor, alarm.id, technician=premises.actors["tecnico"].account)),
        ("P3.05", takes, lambda: desk.acknowledge(actor, alarm.id, comment="x")),
        ("P3.05", takes, lambda: desk.resolve(actor, alarm.id, cause="x")),
        ("P3.07", handles, lambda: desk.reopen(actor, alarm.id, comment="x")),
        ("P3.07", handles, lambda: desk.verify(actor, alarm.id)),
    ]
    for norm, allowed, act in acts:
        if who not in allowed:
            with refused(premises, actor, Reason.WRONG_ROLE, norm):
                act()


@pytest.mark.parametrize("text", ["", " ", "x" * 501, "a\x00b", "\u202e"])
def test_a_comment_and_a_cause_are_text(premises: Premises, desk: AlarmDesk, text: str) -> None:
    alarm, actor = raised(premises), hire(premises, "Wilson", Role.TECNICO_TELECOM)
    with refused(premises, actor, Reason.TEXT_INVALID, ""):
        desk.acknowledge(actor, alarm.id, comment=text)
    desk.acknowledge(actor, alarm.id, comment="Voy")
    with refused(premises, actor, Reason.TEXT_INVALID, ""):
        desk.resolve(actor, alarm.id, cause=text)


def test_its_file_tells_all_that_happened_and_who_may_be_assigned(premises: Premises, desk: AlarmDesk) -> None:
    alarm, other = raised(premises, detail="event 0"), raised(premises, key="cd-1")
    tecnico, jefe = premises.actors["tecnico"], premises.actors["jefe"]
    desk.assign(jefe, alarm.id, technician=tecnico.account)
    desk.acknowledge(tecnico, alarm.id, comment="Voy")
    desk.acknowledge(tecnico, other.id, comment="Esa también")
    premises.now += timedelta(minutes=2)
    raised(premises, detail="event 1")
    files = AlarmFiles(premises.office)
    file = files.file(jefe, alarm.id)
    assert [(move.row.event, move.said, move.to, move.row.actor, move.count) for move in file.history] == [
        (Fact.ALARM_RAISED.value, "", "", SYSTEM.account, 2),
        (Fact.ALARM_ACKNOWLEDGED.value, "Voy", "", tecnico.account, 1),
        (Fact.ALARM_ASSIGNED.value, "", tecnico.account, jefe.account, 1),
        (Fact.ALARM_RAISED.value, "event 0", "", SYSTEM.account, 1),
    ]
    assert [one.account.id for one in file.candidates] == [tecnico.account]
    assert files.file(tecnico, alarm.id).candidates == []
    with refused(premises, premises.actors["recepcion"], Reason.WRONG_ROLE, "P3.01"):
        files.file(premises.actors["recepcion"], alarm.id)


def test_the_list_has_the_most_urgent_first_and_its_filters(premises: Premises, desk: AlarmDesk) -> None:
    files, jefe, tecnico = AlarmFiles(premises.office), premises.actors["jefe"], premises.actors["tecnico"]
    with premises.store.begin() as tx:
        for kind, key in ((AlarmKind.DEVICE_OFFLINE, "a"), (AlarmKind.TAMPER, "b"), (AlarmKind.DURESS, "c")):
            raise_alarm(tx, premises.office, kind, Subject(key=key), at=premises.now)
            premises.now += timedelta(minutes=20)
        tx.commit()
    lines = files.listed(jefe)
    assert [(line.alarm.key, line.critical, line.late) for line in lines] == [
        ("c", True, True),
        ("a", False, True),
        ("b", False, True),
    ]
    taken = lines[0].alarm.id
    desk.acknowledge(tecnico, taken, comment="Voy")
    assert [line.alarm.id for line in files.listed(tecnico, Which.MINE)] == [taken]
    assert files.listed(jefe, Which.MINE) == []
    assert {line.alarm.key for line in files.listed(tecnico, Which.ROLE)} == {"b", "c"}
    telecom = AlarmRules().competence(AlarmKind.DEVICE_OFFLINE).area
    assert [line.alarm.key for line in files.listed(jefe, area=telecom)] == ["a"]
    desk.resolve(tecnico, taken, cause="Falsa")
    desk.verify(jefe, taken)
    assert [line.alarm.key for line in files.listed(jefe)] == ["a", "b"]
    assert [line.alarm.key for line in files.listed(jefe, Which.ALL)] == ["a", "b", "c"]
    assert (files.count(jefe), len(files.waiting(jefe))) == (2, 2)
    assert (files.count(premises.actors["recepcion"]), files.waiting(premises.actors["recepcion"])) == (0, [])


def test_no_such_alarm(premises: Premises, desk: AlarmDesk) -> None:
    for key in ("none", "", "\x00", "x';DROP TABLE alarms"):
        with refused(premises, premises.actors["jefe"], Reason.NOT_FOUND, ""):
            desk.verify(premises.actors["jefe"], key)


def test_a_repeated_alarm_alone_is_a_unit_of_work(premises: Premises) -> None:
    """Nothing else was recorded with it: the count is an observation, so the commit is not refused."""
    raised(premises)
    size = recorded(premises.store)
    assert raised(premises).count == 2
    with premises.store.begin() as tx:
        tx.record(Fact.SETTING_CHANGED, at=premises.now, actor=SYSTEM)
        tx.commit()
    assert facts_since(premises.store, size) == [Fact.SETTING_CHANGED.value]
