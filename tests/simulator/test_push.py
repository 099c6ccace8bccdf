"""The PUSH controller against a server that keeps what it is sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_sim.control import answer
from accessctl_sim.push.commands import Order, execute, parse_orders
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.controller import PushController
from accessctl_sim.push.lines import verbs
from accessctl_sim.push.log import Entry, EventLog
from accessctl_sim.push.machine import Controller
from accessctl_sim.push.tables import Tables, card_number, parse_row
from accessctl_sim.zk.fingers import block_of

from .clients import until
from .pushserver import PushServer, listening


@contextmanager
def pair(
    server: PushServer | None = None, *faults: str, **options: object
) -> Iterator[tuple[PushServer, PushController]]:
    with listening(server or PushServer()) as running:
        given: dict[str, object] = {"poll_s": 0.02, "retry_s": 0.05, "doors": 2, **options}
        with PushController(PushConfig(server=running.url, **given), faults=faults) as controller:  # type: ignore[arg-type]
            yield running, controller


def facts(line: str) -> dict[str, str]:
    return parse_row(line)


def indexes(server: PushServer) -> list[int]:
    return [int(facts(line)["index"]) for line in list(server.events) if "index" in line]


def done(server: PushServer, count: int) -> None:
    until(lambda: len(server.results) >= count)


def answered(controller: PushController, line: str) -> dict[str, object]:
    """What a control line comes to."""
    return dict(answer(verbs(controller), line))


# -- the talk ----------------------------------------------------------------------------------------------------------


def test_registration_then_parameters_then_options_then_work() -> None:
    with pair(backlog=3) as (server, controller):
        until(lambda: indexes(server) == [1, 2, 3])
        assert server.seen[:4] == ["GET cdata", "POST registry", "POST push", "POST cdata options"]
        assert controller.state()["registered"] is True
        until(lambda: any(re.fullmatch(r"token=[0-9a-f]{32}", cookie) for cookie in server.cookies))
        first = facts(server.events[0])
        assert (first["pin"], first["cardno"], first["eventaddr"], first["event"], first["verifytype"]) == (
            "1",
            "100001",
            "1",
            "0",
            "4",
        )


def test_a_known_device_does_not_register_again() -> None:
    server = PushServer()
    server.registered = True
    with pair(server, backlog=1):
        until(lambda: indexes(server) == [1])
        assert "POST registry" not in server.seen


def test_a_refused_device_tries_again_and_uploads_nothing() -> None:
    server = PushServer()
    server.refuse_registration = True
    with pair(server, backlog=1) as (_, controller):
        until(lambda: server.seen.count("POST registry") >= 2)
        assert server.events == []
        assert controller.state()["registered"] is False
        server.refuse_registration = False
        until(lambda: indexes(server) == [1])


def test_nothing_is_acknowledged_but_by_ok() -> None:
    server = PushServer()
    server.event_ack = "OK: 3"
    with pair(server, backlog=3) as (_, controller):
        until(lambda: len(server.events) >= 9)
        assert controller.state()["waiting"] == 3
        server.event_ack = "OK"
        until(lambda: controller.state()["waiting"] == 0)
        assert indexes(server)[-3:] == [1, 2, 3]


def test_replay_sends_every_batch_again() -> None:
    with pair(backlog=250, replay=2) as (server, controller):
        until(lambda: controller.state()["uploads"] == 9)
        assert sorted(indexes(server)) == sorted(list(range(1, 251)) * 3)


def test_the_buffer_fills_while_the_server_is_away() -> None:
    server = PushServer()
    with pair(server) as (_, controller):
        until(lambda: controller.state()["registered"])
        port = server.port
    with PushController(PushConfig(server=f"http://127.0.0.1:{port}", poll_s=0.02, retry_s=0.05)) as controller:
        controller.present_card(5)
        assert controller.exit_button()["locked"] is False
        assert controller.state()["waiting"] == 2
        with listening(server, port):
            until(lambda: controller.state()["waiting"] == 0)
            assert [facts(line)["event"] for line in server.events] == ["27", "202"]


def test_lost_and_found_servers_are_events() -> None:
    server = PushServer()
    with listening(server):
        port = server.port
        controller = PushController(PushConfig(server=server.url, poll_s=0.02, retry_s=0.05)).start()
        until(lambda: controller.state()["registered"])
    try:
        until(lambda: not controller.state()["registered"])
        with listening(server, port):
            until(lambda: [facts(line)["event"] for line in server.events] == ["105", "214"])
    finally:
        controller.stop()


def test_one_command_a_poll_the_rest_is_dropped() -> None:
    with pair() as (server, controller):
        server.orders.append("C:1:CHECK\nC:2:CHECK\n")
        done(server, 1)
        assert server.results == ["ID=1&Return=0&CMD=CHECK"]
        assert controller.state()["dropped_commands"] == 1


# -- who decides -------------------------------------------------------------------------------------------------------


def test_it_decides_by_its_tables() -> None:
    orders = [
        "C:1:DATA UPDATE user CardNo=4711\tPin=1\tName=Ana\nCardNo=[15CD5B07]\tPin=2\tEndTime=20200101",
        "C:2:DATA UPDATE userauthorize Pin=1\tAuthorizeTimezoneId=1\tAuthorizeDoorId=2\tDevID=1",
        "C:3:DATA UPDATE userauthorize Pin=2\tAuthorizeTimezoneId=1\tAuthorizeDoorId=3\tDevID=1",
        "C:4:DATA UPDATE user CardNo=99\tPin=3",
        "C:5:DATA UPDATE userauthorize Pin=3\tAuthorizeTimezoneId=7\tAuthorizeDoorId=1\tDevID=1",
        "C:6:DATA UPDATE mulcarduser Pin=1\tCardNo=CC9932DD\tLossCardFlag=0",
    ]
    with pair() as (server, controller):
        server.orders += orders
        done(server, 6)
        assert all("&Return=0&" in line for line in server.results)
        assert controller.present_card(4711, door=2)["granted"] is True
        assert controller.present_card(0xCC9932DD, door=2)["granted"] is True
        reasons = [
            controller.present_card(4711, door=1)["reason"],
            controller.present_card(123456789, door=1)["reason"],
            controller.present_card(99, door=1)["reason"],
            controller.present_card(5, door=1)["reason"],
        ]
        assert reasons == ["no_right", "expired", "not_in_time", "unknown_card"]
        assert answer(verbs(controller), "state")["doors"]["2"]["openings"] == 2  # type: ignore[index]
        until(lambda: len(server.events) == 6)
        assert [facts(line)["event"] for line in server.events] == ["0", "0", "23", "29", "22", "27"]
        assert server.events[0].startswith("time=20")
        server.orders += [
            "C:7:DATA DELETE userauthorize Pin=1",
            "C:8:DATA DELETE user Pin=1",
            "C:9:DATA DELETE mulcarduser *",
        ]
        done(server, 9)
        assert controller.present_card(4711, door=2)["reason"] == "unknown_card"


def test_time_zones_of_three_spans() -> None:
    tables = Tables()
    monday = (830 << 16) + 1200
    assert monday == 54_396_080  # the vendor's example
    tables.update("timezone", [{"timezoneid": "2", "montime1": str(monday), "montime2": str((1300 << 16) + 1700)}])
    for clock, expected in (("08:29", False), ("08:30", True), ("12:30", False), ("16:59", True), ("17:01", False)):
        assert tables.in_zone(2, datetime.fromisoformat(f"2026-11-23T{clock}")) is expected
    assert not tables.in_zone(2, datetime.fromisoformat("2026-11-24T09:00"))
    assert tables.in_zone(1, datetime.fromisoformat("2026-11-24T03:00"))
    assert not tables.in_zone(9, datetime.fromisoformat("2026-11-24T09:00"))


def test_the_server_decides_online() -> None:
    with pair(online=True) as (server, controller):
        until(lambda: controller.state()["registered"])
        assert controller.present_card(4711)["reason"] == "remote_granted"
        doors = controller.state()["doors"]
        assert doors["1"]["locked"] is False  # type: ignore[index]
        server.verdict = "AUTH=FAILED\r\n{record}"
        assert controller.present_card(4711, door=2)["reason"] == "remote_refused"
        assert controller.state()["doors"]["2"]["openings"] == 0  # type: ignore[index]
        until(lambda: len(server.events) == 3)
        assert [facts(line)["event"] for line in server.events] == ["222", "8", "44"]


def test_online_and_the_server_away() -> None:
    for when_away, reason in (("local", "unknown_card"), ("deny", "remote_timeout")):
        server = PushServer()
        server.verdict = "AUTH=TIMEOUT"
        with pair(server, online=True, when_away=when_away) as (_, controller):
            until(lambda one=controller: one.state()["registered"])
            assert controller.present_card(4711)["reason"] == reason
            assert controller.exit_button()["locked"] is False


def test_a_finger_that_the_server_sent_opens() -> None:
    template = base64.b64encode(block_of("ana", 6)).decode()
    with pair() as (server, controller):
        server.orders += [
            "C:1:DATA UPDATE user CardNo=0\tPin=8",
            "C:2:DATA UPDATE userauthorize Pin=8\tAuthorizeTimezoneId=1\tAuthorizeDoorId=1\tDevID=1",
            f"C:3:DATA UPDATE templatev10 Pin=8\tFingerID=6\tValid=1\tTemplate={template}",
        ]
        done(server, 3)
        assert controller.present_finger("ana", 6)["reason"] == "granted"
        assert controller.present_finger("beto", 6)["reason"] == "unknown_finger"
        server.orders.append(f"C:4:DATA UPDATE templatev10 Pin=8\tFingerID=6\tValid=3\tTemplate={template}")
        done(server, 4)
        assert controller.present_finger("ana", 6)["reason"] == "duress"


def test_under_duress_it_opens_as_ever_and_only_the_server_is_told() -> None:
    with pair(online=True) as (server, controller):
        until(lambda: controller.state()["registered"])
        answer = answered(controller, "present card 4711 1 in duress")
        assert (answer["granted"], answer["event"]) == (True, 101)
        assert controller.state()["doors"]["1"]["locked"] is False  # type: ignore[index]
        until(lambda: len(server.events) == 2)
        assert sorted(facts(line)["event"] for line in server.events) == ["101", "8"]
        until(lambda: server.states and facts(server.states[-1])["alarm"] == "0400000000000000")
        server.verdict = "AUTH=FAILED\r\n{record}"
        assert answered(controller, "present card 4711 duress")["event"] == 44, "a duress code gives no right"


def test_the_fire_input_names_no_door() -> None:
    with pair() as (server, controller):
        assert answered(controller, "fire on")["fire"] is True
        assert answered(controller, "fire on")["error"] == "the fire input is on already"
        assert answered(controller, "fire alarm")["error"] == "fire on|off"
        assert answered(controller, "state")["fire"] is True
        assert answered(controller, "fire off")["fire"] is False
        until(lambda: len(server.events) == 2)
        told = [(facts(line)["event"], facts(line)["eventaddr"]) for line in server.events]
        assert told == [("6000", "0"), ("4000", "0")]


# -- doors -------------------------------------------------------------------------------------------------------------


def test_door_events_and_states() -> None:
    with pair() as (server, controller):
        controller.exit_button(2)
        controller.open_door(2)
        controller.close_door(2)
        controller.force_door(1)
        controller.tamper(1)
        until(lambda: len(server.events) == 6)
        assert [(facts(line)["event"], facts(line)["eventaddr"]) for line in server.events] == [
            ("202", "2"),
            ("200", "2"),
            ("201", "2"),
            ("200", "1"),
            ("102", "1"),
            ("100", "1"),
        ]
        until(lambda: server.states and facts(server.states[-1])["alarm"] == "0300000000000000")
        last = facts(server.states[-1])
        assert (last["sensor"], last["relay"]) == ("06", "02")  # door 1 open, door 2 closed and free
        server.orders.append("C:1:CONTROL DEVICE 02010000")
        done(server, 1)
        until(lambda: facts(server.states[-1])["alarm"] == "0" * 16)


def test_a_door_left_open_alarms_after_its_time() -> None:
    with pair(held_open_s=0.05) as (server, controller):
        controller.exit_button(2)
        controller.open_door(2)
        until(lambda: "28" in [facts(line)["event"] for line in list(server.events)])
        controller.close_door(2)


def test_leaving_is_never_refused_even_locked_down() -> None:
    with pair() as (server, controller):
        server.orders += ["C:1:CONTROL DEVICE 06010100"]
        done(server, 1)
        assert controller.state()["doors"]["1"]["locked_down"] is True  # type: ignore[index]
        assert controller.exit_button(1)["locked"] is False
        controller.power_off()
        assert controller.state()["powered"] is False
        assert controller.exit_button(1)["locked"] is False
        assert controller.open_door(1)["door"] == "open"


@pytest.mark.parametrize(
    ("operand", "code", "door"),
    [
        ("01010105", 0, {"locked": False, "latched_open": False}),
        ("010101FF", 0, {"locked": False, "latched_open": True}),
        ("01010100", 0, {"locked": True}),
        ("01000103", 0, {"locked": False}),
        ("04010100", 0, {"latched_open": True}),
        ("0701", -11, {}),
        ("07010000", 0, {"latched_open": True}),
        ("00000000", -13, {}),
        ("01090105", -11, {}),
        ("09010100", -13, {}),
        ("zz", -11, {}),
    ],
)
def test_control_device(operand: str, code: int, door: dict[str, object]) -> None:
    with pair() as (server, controller):
        server.orders.append(f"C:5:CONTROL DEVICE {operand}")
        done(server, 1)
        assert server.results == [f"ID=5&Return={code}&CMD=CONTROL DEVICE"]
        state = controller.state()["doors"]["1"]  # type: ignore[index]
        assert {name: state[name] for name in door} == door


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DATA UPDATE nonsense Pin=1", -629),
        ("DATA UPDATE user CardNo=1", -10),
        ("DATA UPDATE user Pin", -10),
        ("DATA DANCE user", -13),
        ("DATA COUNT user", 0),
        ("DATA QUERY tablename=nonsense,fielddesc=*,filter=*", -629),
        ("SING", -13),
        ("SET OPTIONS Door1Drivertime=9,IPAddress=192.168.1.9", 0),
        ("SET OPTIONS nothing", -11),
        ("SET OPTIONS DateTime=583080894", 0),
        ("SET OPTIONS DateTime=noon", -11),
        ("ACCOUNT transaction MaxIndex=2", 3),
        ("ACCOUNT user", -11),
        ("ENROLL_BIO type=9", -1),
        ("DATA DELETE transaction *", 0),
    ],
)
def test_return_codes(text: str, code: int) -> None:
    controller = Controller(PushConfig(server="http://127.0.0.1:1", backlog=5))
    assert execute(controller, Order(id="1", text=text)).code == code


@given(st.text(max_size=80))
def test_hostile_commands_only_ever_give_a_code(text: str) -> None:
    controller = Controller(PushConfig(server="http://127.0.0.1:1"))
    for order in parse_orders(f"C:1:{text}"):
        if not order.text.startswith(("CONTROL", "AC_UNLOCK")):  # these move doors, which want a loop
            assert isinstance(execute(controller, order).code, int)


def test_queries_send_their_rows_first() -> None:
    with pair(backlog=2) as (server, _):
        server.orders += [
            "C:1:DATA UPDATE user CardNo=4711\tPin=1\tName=Ana",
            "C:415:DATA QUERY tablename=user,fielddesc=*,filter=*",
            "C:416:DATA QUERY tablename=transaction,fielddesc=*,filter=*",
            "C:417:DATA COUNT user",
            "C:418:GET OPTIONS ~SerialNumber,LockCount",
        ]
        done(server, 5)
        assert [line.split("&")[1] for line in server.results] == [
            "Return=0",
            "Return=1",
            "Return=2",
            "Return=1",
            "Return=0",
        ]
        (users, user_rows), (_, events), (_, counted), (_, options) = server.queries
        assert "cmdid=415&tablename=user&count=1&packcnt=1&packidx=1" in users
        assert user_rows.startswith("user uid=1\tcardno=4711\tpin=1\t")
        assert "index=2" in events
        assert "time_second=" in events
        assert counted == "user=1"
        assert options == "~SerialNumber=3383154200002,LockCount=2"


def test_gaps_are_filled_on_request() -> None:
    with pair(backlog=5) as (server, controller):
        until(lambda: controller.state()["waiting"] == 0)
        server.orders.append("C:1:ACCOUNT transaction MaxIndex=3")
        until(lambda: indexes(server) == [1, 2, 3, 4, 5, 4, 5])


def test_a_user_put_there_by_hand_is_told_until_the_right_ack() -> None:
    server = PushServer()
    server.table_ack = "OK"  # what makes devices in the field send for ever
    with pair(server) as (_, controller):
        controller.add_user("666", card=13, doors=1)
        until(lambda: len(server.tables) >= 3)
        server.table_ack = "{table}=1"
        until(lambda: controller.state()["refused_uploads"] and not controller._controller.outgoing_rows)
        assert server.tables[0].startswith("user uid=1\tcardno=13\tpin=666\t")
        assert controller.present_card(13)["granted"] is True


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["split=1", "drop=0.3", "delay=5", "coalesce"])
def test_nothing_is_lost_over_a_bad_line(fault: str) -> None:
    with pair(None, fault, backlog=300) as (server, controller):
        until(lambda: controller.state()["waiting"] == 0)
        assert {index for index in indexes(server) if index <= 300} == set(range(1, 301))


def test_duplicates_and_broken_lines() -> None:
    with pair(None, "duplicate=1", backlog=2) as (server, _):
        until(lambda: indexes(server) == [1, 2, 1, 2])
    with pair(None, "extra-event", backlog=2) as (server, _):
        until(lambda: indexes(server) == [1, 1, 2])
    with pair(None, "wrong-checksum", backlog=2) as (server, _):
        until(lambda: len(server.events) == 2)
        assert indexes(server) == [2]


def test_close_mid_data_sends_again_later() -> None:
    with pair(None, "close-mid-data", backlog=2) as (server, controller):
        until(lambda: "GET cdata" in server.seen)
        controller.clear_faults()
        until(lambda: indexes(server) == [1, 2])


def test_index_resets_clock_and_a_full_buffer() -> None:
    with pair(None, "skew=3600", backlog=3) as (server, controller):
        until(lambda: controller.state()["waiting"] == 0)
        controller.fault("reset-index")
        controller.exit_button()
        until(lambda: indexes(server)[-1] == 1)
        skewed = datetime.fromisoformat(str(controller.state()["clock"]))
        controller.clear_faults("skew")
        assert 3500 < (skewed - datetime.fromisoformat(str(controller.state()["clock"]))).total_seconds() < 3700
        controller.fault("log-full")
        before = controller.state()["events"]
        controller.tamper()
        assert controller.state()["events"] == before


def test_a_wrong_clock_is_set_by_the_servers_date() -> None:
    with pair() as (_, controller):
        controller.set_clock(datetime.fromisoformat("2000-01-01T00:00:00"))
        until(lambda: not str(controller.state()["clock"]).startswith("2000"))


def test_wrong_reply_id_answers_for_another_command() -> None:
    with pair(None, "wrong-reply-id") as (server, _):
        server.orders.append("C:7:CHECK")
        done(server, 1)
        assert server.results == ["ID=8&Return=0&CMD=CHECK"]


def test_power_cycle_keeps_the_buffer() -> None:
    with pair() as (server, controller):
        until(lambda: controller.state()["registered"])
        controller.power_cycle(0.1)
        assert answer(verbs(controller), "present card 5")["error"] == "the controller has no power"
        assert controller.exit_button()["locked"] is False
        until(lambda: [facts(line)["event"] for line in server.events][:2] == ["202", "206"])


def test_a_full_buffer_overwrites_the_oldest_and_counts_what_was_lost() -> None:
    log = EventLog(capacity=3)
    log.fill(5, doors=1)
    assert [entry.index for entry in log.waiting(10)] == [3, 4, 5]
    assert log.overwritten == 2


@given(st.lists(st.sampled_from(["add", "send", "send-late", "rewind"]), max_size=40))
def test_the_buffer_never_acknowledges_what_was_not_sent(steps: list[str]) -> None:
    log, sent, late = EventLog(capacity=5), set[int](), []
    at = datetime.fromisoformat("2026-01-01T00:00:00")
    for step in steps:
        if step == "add":
            log.append(Entry(index=log.next_index, at=at, event=0, door=1))
        elif step == "rewind":
            log.rewind(0)
        else:
            late = late or log.waiting(2)
            if step == "send" and late:
                sent |= {entry.index for entry in late}
                log.acknowledge(late)
                late = []
        waiting = {entry.index for entry in log.waiting(10)}
        assert {entry.index for entry in log.entries} - waiting <= sent


# -- the attendance dialect, lines, configuration ----------------------------------------------------------------------


def test_the_attendance_dialect_sends_again_until_ok_and_a_count() -> None:
    server = PushServer()
    server.attlog_ack = "OK"
    with pair(server, dialect="attendance", backlog=2) as (_, controller):
        until(lambda: len(server.attlog) >= 6)
        server.attlog_ack = "OK: {n}"
        until(lambda: controller.state()["waiting"] == 0)
        assert server.attlog[0] == "1\t2026-01-01 07:00:00\t0\t4\t0\t0\t0"
        server.orders += ["C:1:DATA UPDATE USERINFO PIN=7\tName=Asha\tCard=12345", "C:2:AC_UNLOCK"]
        done(server, 2)
        assert controller.present_card(12345)["granted"] is True
        until(lambda: server.attlog[-1].startswith("7\t"))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("present card 1 3", "door 3"),
        ("present card 1 1 up", "in or out"),
        ("present ghost 1", "card|finger"),
        ("exit-button 9", "door 9"),
        ("open-door", "locked"),
        ("fault hang", "it is the client"),
        ("delete-user 5", "no user 5"),
    ],
)
def test_control_lines_that_make_no_sense(line: str, part: str) -> None:
    with PushController(PushConfig(server="http://127.0.0.1:1", doors=2)) as controller:
        result = answer(verbs(controller), line)
        assert result["ok"] is False
        assert part in str(result["error"])


def test_cards_in_every_form() -> None:
    assert card_number("123456789") == card_number("[15CD5B07]") == 123_456_789
    assert card_number("x") == card_number("[zz]") == 0


def test_configurations_that_cannot_be() -> None:
    for wrong in ({"doors": 9}, {"dialect": "morse"}, {"serial": "a&b"}, {"batch": 0}, {"when_away": "sleep"}):
        with pytest.raises(ValueError, match=r"."):
            PushConfig(server="http://127.0.0.1:1", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="http"):
        PushController(PushConfig(server="https://127.0.0.1:1"))
