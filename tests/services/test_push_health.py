"""Controllers that are heard and controllers that are silent; commands that nobody will carry out any more."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import CommandState
from accessctl.domain.facts import Fact
from accessctl.services.push_health import POLL_S, SILENT_AFTER, PushSweep
from accessctl.services.watch import Watch
from tests.services.premises import Premises
from tests.services.push_house import PushHouse


@pytest.fixture
def house(premises: Premises) -> Iterator[PushHouse]:
    made = PushHouse(premises)
    yield made
    made.desk.close()


def seen(house: PushHouse, device: str = "cd-panel") -> tuple[bool, datetime | None]:
    house.settled()
    with house.premises.store.view() as tx:
        health = tx.health.get(device)
    return health.online, health.last_seen


def test_a_call_makes_a_controller_online(house: PushHouse) -> None:
    house.caller()
    assert seen(house) == (True, house.now)
    assert len(house.rows(Fact.DEVICE_ONLINE)) == 1


def test_calls_are_written_at_most_once_a_second(house: PushHouse) -> None:
    first = house.now
    for _ in range(9):
        house.caller()
        house.passes(0.1)
    assert seen(house) == (True, first)
    house.passes(0.2)
    house.caller()
    assert seen(house) == (True, house.now)


def test_a_silent_controller_is_an_alarm_within_two_polls_and_comes_back(house: PushHouse) -> None:
    sweep = PushSweep(house.office)
    house.caller()
    house.caller("A1")
    house.settled()
    sweep.look()
    waited = 0.0
    while not house.alarms(AlarmKind.DEVICE_OFFLINE):
        house.passes(0.5)
        waited += 0.5
        house.caller("A1")
        sweep.look()
        assert waited < 60
    # two polls, the second that a call may wait for its note, and the rounding of this loop
    assert waited <= 2 * POLL_S + 1.5
    down = {alarm.device for alarm in house.alarms(AlarmKind.DEVICE_OFFLINE)}
    assert "cd-panel" in down
    assert "alone" not in down
    assert seen(house)[0] is False
    for _ in range(20):
        house.passes(0.5)
        sweep.look()
    (lost,) = house.rows(Fact.DEVICE_OFFLINE)
    assert lost.device == "cd-panel"
    house.caller()
    assert seen(house)[0] is True
    states = {alarm.device: alarm.state.value for alarm in house.alarms(AlarmKind.DEVICE_OFFLINE)}
    assert states["cd-panel"] == "resolved"


def test_nobody_is_silent_before_we_have_listened(house: PushHouse) -> None:
    sweep = PushSweep(house.office)
    sweep.look()
    assert house.alarms(AlarmKind.DEVICE_OFFLINE) == []
    house.passes(SILENT_AFTER.total_seconds() + 1)
    sweep.look()
    assert {alarm.device for alarm in house.alarms(AlarmKind.DEVICE_OFFLINE)} == {"cd-panel", "alone", "nowhere"}


def test_commands_end_when_their_time_is_over(house: PushHouse) -> None:
    house.caller()
    house.settled()
    watch = Watch(house.office)
    never_polled = watch.unlock(house.premises.actors["tecnico"], "cd-1")
    house.passes(6)
    sweep = PushSweep(house.office)
    sweep.look()
    never_answered = watch.unlock(house.premises.actors["tecnico"], "cd-1")
    assert house.desk.next_command(house.caller()) is not None
    house.passes(10)
    sweep.look()
    with house.premises.store.view() as tx:
        assert tx.commands.get(never_polled.id).outcome == "expired"
        assert tx.commands.get(never_answered.id).state is CommandState.RUNNING
    house.passes(20)
    sweep.look()
    with house.premises.store.view() as tx:
        assert tx.commands.get(never_answered.id).outcome == "no_answer"


def test_the_sweep_ends_when_told(house: PushHouse) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=PushSweep(house.office).run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
