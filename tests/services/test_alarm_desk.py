"""Alarms: one and not a thousand, bounded under a flood, handled by people, closed by another one."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accessctl.domain.alarms import Alarm, AlarmKind, AlarmState
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Role
from accessctl.services.alarm_desk import AlarmDesk, Subject, is_raised, raise_alarm, settle
from tests.services.premises import Premises
from tests.services.refusing import facts_since, recorded, refused
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
    desk.acknowledge(tecnico, alarm.id, comment="Voy")
    desk.resolve(tecnico, alarm.id, cause="Viento")
    with refused(premises, tecnico, Reason.DUTIES_NOT_SEPARATED, "P3.01"):
        desk.verify(tecnico, alarm.id)
    desk.reopen(jefe, alarm.id, comment="Sigue abierta")
    desk.resolve(tecnico, alarm.id, cause="Brazo reparado")
    desk.verify(jefe, alarm.id)
    assert [fact for fact in facts_since(premises.store, size) if fact != Fact.CASE_STEP_REFUSED.value] == [
        Fact.ALARM_ACKNOWLEDGED.value,
        Fact.ALARM_RESOLVED.value,
        Fact.ALARM_REOPENED.value,
        Fact.ALARM_RESOLVED.value,
        Fact.ALARM_VERIFIED.value,
    ]
    done = desk.find()[0]
    assert (done.state, done.cause, done.comment) == (AlarmState.VERIFIED, "Brazo reparado", "Sigue abierta")
    with refused(premises, jefe, Reason.ALREADY_DONE, "P3.01"):
        desk.acknowledge(jefe, alarm.id, comment="x")
    with refused(premises, jefe, Reason.ALREADY_DONE, "P3.01"):
        desk.verify(jefe, alarm.id)


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "auditor", "guardia"])
def test_who_may_not_handle_alarms(premises: Premises, desk: AlarmDesk, who: str) -> None:
    alarm, actor = raised(premises), premises.actors[who]
    acts: list[Callable[[], None]] = [
        lambda: desk.acknowledge(actor, alarm.id, comment="x"),
        lambda: desk.resolve(actor, alarm.id, cause="x"),
        lambda: desk.reopen(actor, alarm.id, comment="x"),
        lambda: desk.verify(actor, alarm.id),
    ]
    for act in acts:
        with refused(premises, actor, Reason.WRONG_ROLE, "P3.01"):
            act()


@pytest.mark.parametrize("text", ["", " ", "x" * 501, "a\x00b", "\u202e"])
def test_a_comment_and_a_cause_are_text(premises: Premises, desk: AlarmDesk, text: str) -> None:
    alarm, actor = raised(premises), hire(premises, "Wilson", Role.TECNICO_TELECOM)
    with refused(premises, actor, Reason.TEXT_INVALID, ""):
        desk.acknowledge(actor, alarm.id, comment=text)
    with refused(premises, actor, Reason.TEXT_INVALID, ""):
        desk.resolve(actor, alarm.id, cause=text)


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
