"""The push desk: stored once, gaps, clocks, alarms, questions, commands; on a real store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.devices import CommandKind, CommandState
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.ports import (
    CallRefused,
    NotStored,
    PushDoorState,
    PushEvent,
    PushKind,
    PushOrderKind,
    PushRegistration,
    PushResult,
    PushUser,
)
from accessctl.services.push_reading import credential_of
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.watch import Watch
from accessctl_drivers.push.events import parse_question, parse_rtlog
from tests.services.premises import Premises
from tests.services.push_house import HERE, SERIAL, PushHouse

CARD = 0x0184F07A  # of the person that `Premises.delivered` makes, as a controller says it
CLOSED = PushDoorState(door=1, open=False, unlocked=False, alarms=frozenset())


@pytest.fixture
def house(premises: Premises) -> Iterator[PushHouse]:
    made = PushHouse(premises)
    yield made
    made.desk.close()


def question(house: PushHouse, *, card: int = CARD, leaving: bool = False, door: int = 1) -> PushEvent:
    found = parse_question(
        f"time={house.local():%Y-%m-%d %H:%M:%S}\tpin=\tcardno={card}\teventaddr={door}\tevent=223"
        f"\tinoutstatus={int(leaving)}\tverifytype=4"
    )
    assert found is not None
    return found


# -- who may call


def test_only_the_serial_number_at_its_address(house: PushHouse) -> None:
    caller = house.caller()
    assert (caller.device, caller.registered) == ("cd-panel", False)
    assert len(caller.registry_code) == 10
    for serial, source in ((SERIAL, "10.9.9.9"), ("unknown", HERE), ("N1", HERE), ("N1", "")):
        with pytest.raises(CallRefused):
            house.desk.identify(serial, source)


def test_a_second_controller_with_the_serial_number_is_an_alarm_once(house: PushHouse) -> None:
    for _ in range(100):
        with pytest.raises(CallRefused):
            house.desk.identify(SERIAL, "10.9.9.9")
    (alarm,) = house.alarms(AlarmKind.TAMPER)
    assert (alarm.device, alarm.count, alarm.detail) == ("cd-panel", 1, "same serial from 10.9.9.9")


def test_strangers_are_recorded_once_in_a_while_and_never_without_end(house: PushHouse) -> None:
    for number in range(1000):
        for _ in range(2):
            with pytest.raises(CallRefused):
                house.desk.identify(f"stranger{number}", HERE)
    assert len(house.rows(Fact.DEVICE_EVENT, device="")) == 200
    house.passes(601)
    with pytest.raises(CallRefused):
        house.desk.identify("stranger1", HERE)
    assert len(house.rows(Fact.DEVICE_EVENT, device="")) == 201


def test_registration_is_kept_and_the_code_stays(house: PushHouse) -> None:
    caller = house.caller()
    told = PushRegistration(name="F20/M", firmware="Ver 8.0.1.3", doors=2, attendance=False)
    house.desk.registered(caller, told)
    assert house.caller().registered
    assert house.caller().registry_code == caller.registry_code
    assert len(house.rows(Fact.DEVICE_IDENTIFIED)) == 1
    command = house.desk.next_command(house.caller())
    assert command is not None
    assert command[1].kind is PushOrderKind.QUERY_USERS
    with house.premises.store.view() as tx:
        assert tx.health.get("cd-panel").firmware == "Ver 8.0.1.3"


# -- events


def test_a_replay_is_stored_once(house: PushHouse) -> None:
    caller, lines = house.caller(), house.lines(*((index, 27) for index in range(1, 11)))
    assert [house.desk.events(caller, lines) for _ in range(100)] == [10] + [0] * 99
    assert len(house.rows(Fact.DOOR_REFUSED)) == 10
    assert house.alarms(AlarmKind.GAP) == []


def test_events_out_of_order_are_all_kept(house: PushHouse) -> None:
    caller, lines = house.caller(), house.lines(*((index, 27) for index in range(1, 31)), ago=60)
    for part in (lines[20:], lines[:10], lines[10:20], list(reversed(lines))):
        house.desk.events(caller, part)
    assert len(house.rows(Fact.DOOR_REFUSED)) == 30


def test_a_gap_is_an_alarm_asks_again_and_is_settled_when_filled(house: PushHouse) -> None:
    caller, lines = house.caller(), house.lines(*((index, 27) for index in range(1, 11)))
    house.desk.events(caller, lines[:3])
    house.desk.events(caller, lines[6:])
    (gap,) = house.rows(Fact.DEVICE_LOG_GAP)
    (alarm,) = house.alarms(AlarmKind.GAP)
    assert (gap.device, alarm.state.value, alarm.detail) == ("cd-panel", "raised", "4-6")
    command = house.desk.next_command(caller)
    assert command is not None
    number, order = command
    assert (order.kind, order.index) == (PushOrderKind.RESEND, 3)
    assert house.desk.next_command(caller) is None
    house.desk.results(caller, [PushResult(number=number, code=-13)])
    other = house.desk.next_command(caller)
    assert other is not None
    assert other[1].kind is PushOrderKind.QUERY_NEW_EVENTS
    house.desk.events(caller, lines[3:])
    assert len(house.rows(Fact.DOOR_REFUSED)) == 10
    (alarm,) = house.alarms(AlarmKind.GAP)
    assert (alarm.state.value, alarm.cause) == ("resolved", "filled")


def test_an_index_reset_begins_an_epoch_and_loses_nothing(house: PushHouse) -> None:
    caller = house.caller()
    house.desk.events(caller, house.lines(*((index, 27) for index in range(1, 21)), ago=500))
    house.passes(30)
    again = house.lines(*((index, 27) for index in range(1, 6)))
    assert house.desk.events(caller, again) == 5
    assert house.desk.events(caller, again) == 0
    (gap,) = house.rows(Fact.DEVICE_LOG_GAP)
    assert gap.device == "cd-panel"
    with house.premises.store.view() as tx:
        assert (tx.health.get("cd-panel").log_epoch, tx.health.get("cd-panel").log_count) == (2, 5)
    assert len(house.rows(Fact.DOOR_REFUSED)) == 25


def test_the_place_in_the_log_outlives_the_process(house: PushHouse) -> None:
    house.desk.events(house.caller(), house.lines(*((index, 27) for index in range(1, 21)), ago=500))
    house.desk.close()
    house.passes(60)
    again = house.restarted()
    again.desk.events(again.caller(), again.lines((1, 27)))  # newer than what the record has: the counter was reset
    assert len(again.rows(Fact.DEVICE_LOG_GAP)) == 1
    again.desk.events(again.caller(), again.lines((4, 27)))
    assert len(again.rows(Fact.DEVICE_LOG_GAP)) == 2
    again.desk.close()


def test_a_bad_line_is_kept_beside_the_good_ones(house: PushHouse) -> None:
    good = house.lines((1, 27), (2, 27))
    bad = parse_rtlog(["time=2026 pin=0 rubbish Password=hunter2"])
    assert house.desk.events(house.caller(), [good[0], *bad, good[1]]) == 3
    assert len(house.rows(Fact.DEVICE_EVENT)) == 1
    with house.premises.store.view() as tx:
        entries = b"".join(data for _, data, _ in tx.ledger.entries(0, tx.ledger.size()))
    assert b"rubbish" in entries
    assert b"hunter2" not in entries


@pytest.mark.parametrize(
    ("code", "fact", "kind"),
    [
        (102, Fact.DOOR_FORCED, AlarmKind.DOOR_FORCED),
        (28, Fact.DOOR_HELD, AlarmKind.DOOR_HELD_OPEN),
        (100, Fact.DEVICE_EVENT, AlarmKind.TAMPER),
        (101, Fact.DEVICE_EVENT, AlarmKind.DURESS),
        (6000, Fact.DEVICE_EVENT, AlarmKind.FIRE),
    ],
)
def test_alarms_of_doors(house: PushHouse, code: int, fact: Fact, kind: AlarmKind) -> None:
    lines = house.lines((1, 27), (2, code), (3, 27))
    for _ in range(5):
        house.desk.events(house.caller(), lines)
    (row,) = house.rows(fact)
    (alarm,) = house.alarms(kind)
    assert (row.door, alarm.door, alarm.count) == ("cd-1", "cd-1", 1)


def test_a_door_that_was_opened_against_the_policy_is_an_alarm(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    caller = house.caller("A1")
    house.desk.events(caller, house.lines((1, 0), card=CARD))
    (granted,) = house.rows(Fact.DOOR_GRANTED, device="alone")
    assert (granted.person, granted.person_name, granted.door) == (person.id, person.full_name, "sub-1")
    assert house.alarms(AlarmKind.POLICY_MISMATCH) == []
    for index in range(2, 12):
        house.desk.events(caller, house.lines((index, 0), card=4711))
    (alarm,) = house.alarms(AlarmKind.POLICY_MISMATCH)
    assert (alarm.door, alarm.detail, alarm.count) == ("sub-1", "unknown_credential", 1)


@pytest.mark.parametrize("code", [101, 103])
def test_who_is_forced_to_open_is_inside_like_anybody_who_opened(house: PushHouse, code: int) -> None:
    _, person = house.premises.delivered()
    house.desk.events(house.caller("A1"), house.lines((1, code), card=CARD))
    (alarm,) = house.alarms(AlarmKind.DURESS)
    assert (alarm.door, alarm.person) == ("sub-1", person.id)
    with house.premises.store.view() as tx:
        assert tx.presence.get(person.id).zone == "sub"
    assert house.alarms(AlarmKind.POLICY_MISMATCH) == []
    house.desk.events(house.caller("A1"), house.lines((2, code), card=4711))
    (mismatch,) = house.alarms(AlarmKind.POLICY_MISMATCH)
    assert mismatch.detail == "unknown_credential"


def test_the_way_out_by_the_sites_file(house: PushHouse) -> None:
    line = house.lines((1, 0), card=4711)[0]
    silent = parse_rtlog(
        [f"time={line.at}\tpin=0\tcardno=4711\teventaddr=1\tevent=0\tinoutstatus=2\tverifytype=4\tindex=1"]
    )
    house.desk.events(house.caller("A1"), silent)
    (row,) = house.rows(Fact.DOOR_EXITED, device="alone")
    assert (row.direction, row.reason) == ("out", "unknown_credential")
    assert house.alarms(AlarmKind.POLICY_MISMATCH) == []


# -- clocks


@pytest.mark.parametrize(
    "time", ["1970-01-01 00:00:00", "2106-02-07 06:28:15", "2026-03-03 10:00:00", "2000-02-31 00:00:00"]
)
def test_a_doubtful_clock_keeps_its_events(house: PushHouse, time: str) -> None:
    lines = parse_rtlog(
        [f"time={time}\tpin=0\tcardno=0\teventaddr=1\tevent=27\tinoutstatus=0\tverifytype=4\tindex={n}" for n in (1, 2)]
    )
    assert house.desk.events(house.caller(), lines) == 2
    rows = house.rows(Fact.DOOR_REFUSED)
    assert [row.at for row in rows] == [house.now, house.now]
    if "31" not in time:
        assert rows[0].device_time == time.replace(" ", "T")
        assert len(house.alarms(AlarmKind.CLOCK_DOUBTFUL)) == 1
        command = house.desk.next_command(house.caller())
        assert command is not None
        assert (command[1].kind, command[1].at) == (PushOrderKind.SET_CLOCK, house.local())


def test_a_clock_an_hour_behind_is_measured_put_right_and_settled(house: PushHouse) -> None:
    caller = house.caller()
    house.desk.states(caller, [CLOSED], house.local(3600))
    house.desk.events(caller, house.lines((1, 27), ago=3600 + 20))
    (row,) = house.rows(Fact.DOOR_REFUSED)
    assert (row.skew_s, row.at) == (-3600, house.now - timedelta(seconds=20))
    (alarm,) = house.alarms(AlarmKind.CLOCK_DOUBTFUL)
    assert alarm.state.value == "raised"
    command = house.desk.next_command(caller)
    assert command is not None
    assert command[1].kind is PushOrderKind.SET_CLOCK
    house.desk.results(caller, [PushResult(number=command[0], code=0)])
    house.desk.states(caller, [CLOSED], house.local())
    assert len(house.rows(Fact.DEVICE_CLOCK_SET)) == 1
    (alarm,) = house.alarms(AlarmKind.CLOCK_DOUBTFUL)
    assert alarm.state.value == "resolved"


def test_events_that_are_days_late_are_marked_and_no_clock_is_blamed(house: PushHouse) -> None:
    house.desk.events(house.caller(), house.lines((1, 27), ago=3 * 86400))
    (row,) = house.rows(Fact.DOOR_REFUSED)
    assert row.received_at - row.at == timedelta(days=3)
    assert house.alarms(AlarmKind.CLOCK_DOUBTFUL) == []


# -- states and users


def test_states_raise_what_no_event_said_and_settle_a_closed_door(house: PushHouse) -> None:
    caller = house.caller()
    held = PushDoorState(door=2, open=True, unlocked=False, alarms=frozenset({PushKind.HELD_OPEN}))
    for _ in range(3):
        house.desk.states(caller, [CLOSED, held], house.local())
    (alarm,) = house.alarms(AlarmKind.DOOR_HELD_OPEN)
    assert (alarm.door, alarm.count, alarm.state.value) == ("sub-1", 1, "raised")
    shut = PushDoorState(door=2, open=False, unlocked=False, alarms=frozenset())
    house.desk.states(caller, [CLOSED, shut], house.local())
    (alarm,) = house.alarms(AlarmKind.DOOR_HELD_OPEN)
    assert alarm.state.value == "resolved"


def test_a_user_on_a_controller_is_an_alarm(house: PushHouse) -> None:
    caller = house.caller()
    for _ in range(3):
        house.desk.users(caller, [PushUser(pin="666", card=1)])
    (alarm,) = house.alarms(AlarmKind.ROGUE_CREDENTIAL)
    assert (alarm.key, alarm.count) == ("cd-panel/666", 1)


# -- questions


def test_the_server_decides(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    caller = house.caller()
    yes = house.desk.online(caller, question(house))
    no = house.desk.online(caller, question(house, card=4711))
    assert (yes.granted, yes.seconds > 0, no.granted, no.seconds) == (True, True, False, 0)
    (granted,) = house.rows(Fact.DOOR_GRANTED)
    (refused,) = house.rows(Fact.DOOR_REFUSED)
    assert (granted.person, granted.door, granted.zone) == (person.id, "cd-1", "cdatos")
    assert (refused.reason, refused.norm) == ("unknown_credential", "N10.3")


def test_what_the_controller_says_of_our_yes_is_no_second_entry(house: PushHouse) -> None:
    house.premises.delivered()
    caller = house.caller()
    house.desk.online(caller, question(house))
    house.desk.events(caller, house.lines((1, 222), card=CARD))
    assert len(house.rows(Fact.DOOR_GRANTED)) == 1
    assert len(house.rows(Fact.DOOR_UNLOCKED)) == 1
    assert house.alarms(AlarmKind.POLICY_MISMATCH) == []
    house.desk.events(caller, house.lines((2, 222), card=4711))  # we never said so
    assert len(house.alarms(AlarmKind.POLICY_MISMATCH)) == 1


def test_a_right_that_ended_ends_at_the_door_at_once(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    caller = house.caller()
    assert house.desk.online(caller, question(house)).granted
    jefe = house.premises.actors["jefe"]
    RemovalDesk(house.office).request(jefe, person=person.id, requested_by=jefe.person, reason="Traslado")
    assert not house.desk.online(caller, question(house)).granted


def test_leaving_is_granted_whatever_happens(house: PushHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = house.caller()
    assert house.desk.online(caller, question(house, card=4711, leaving=True)).granted
    (row,) = house.rows(Fact.DOOR_EXITED)
    assert row.reason == "unknown_credential"

    def broken() -> None:
        raise OSError("disk")

    monkeypatch.setattr(house.office.store, "begin", broken)
    assert house.desk.online(caller, question(house, leaving=True)).granted
    with pytest.raises(NotStored):
        house.desk.online(caller, question(house))


@pytest.mark.parametrize("card", [1, 0xFFFF_FFFF, 0x1_0000_0000, (1 << 64) - 1])
def test_card_numbers_are_credentials_of_some_kind(card: int) -> None:
    event = parse_rtlog([f"time=2026-01-01 00:00:00\tpin=9\tcardno={card}\teventaddr=1\tevent=0\tindex=1"])[0]
    assert credential_of(event, lambda _: False)


def test_a_card_is_of_the_kind_that_we_know_one_of() -> None:
    wiegand = CardNumber.from_wiegand(CardFormat.H10301, facility=118, number=1603)
    event = parse_rtlog([f"time=x\tpin=9\tcardno={wiegand.payload}\teventaddr=1\tevent=0\tindex=1"])[0]
    assert credential_of(event, lambda key: key == wiegand.family_key) == wiegand.family_key
    assert credential_of(event, lambda _: False).startswith("em:")


# -- commands


def test_an_opening_is_handed_out_once_and_its_outcome_recorded(house: PushHouse) -> None:
    actor = house.premises.actors["tecnico"]
    caller = house.caller()
    house.settled()
    asked = Watch(house.office).unlock(actor, "cd-1")
    command = house.desk.next_command(caller)
    assert command is not None
    number, order = command
    assert (order.kind, order.door, order.seconds) == (PushOrderKind.OPEN, 1, 5)
    assert house.desk.next_command(caller) is None
    house.desk.results(caller, [PushResult(number=number, code=0), PushResult(number=number, code=0)])
    with house.premises.store.view() as tx:
        assert tx.commands.get(asked.id).state is CommandState.DONE
    assert len(house.rows(Fact.DEVICE_COMMAND_DONE)) == 1


def test_the_second_door_of_a_controller_is_the_one_that_opens(house: PushHouse) -> None:
    with house.premises.store.begin() as tx:
        tx.devices.save(replace(tx.devices.get("lobby"), retired=True))
        tx.devices.save(replace(tx.devices.get("alone"), retired=True))
        tx.record(Fact.SITE_APPLIED, at=house.now, actor=SYSTEM)
        tx.commit()
    caller = house.caller()
    house.settled()
    Watch(house.office).unlock(house.premises.actors["tecnico"], "sub-1")
    command = house.desk.next_command(caller)
    assert command is not None
    assert command[1].door == 2


def test_an_opening_is_never_late(house: PushHouse) -> None:
    caller = house.caller()
    house.settled()
    asked = Watch(house.office).unlock(house.premises.actors["tecnico"], "cd-1")
    house.passes(6)
    assert house.desk.next_command(caller) is None
    with house.premises.store.view() as tx:
        command = tx.commands.get(asked.id)
    assert (command.state, command.outcome, command.kind) == (CommandState.FAILED, "expired", CommandKind.UNLOCK)


def test_our_own_orders_are_asked_again_a_few_times(house: PushHouse) -> None:
    caller = house.caller()
    house.desk.states(caller, [CLOSED], house.local(3600))
    times = 0
    for _ in range(10):
        times += house.desk.next_command(caller) is not None
        house.passes(21)
    assert times == 3
