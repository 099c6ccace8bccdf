"""What the terminal decides and tells, seen by a client that reads every frame."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_sim.control import answer
from accessctl_sim.zk.codes import Command
from accessctl_sim.zk.commands.dispatch import HANDLERS
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.fingers import block_of
from accessctl_sim.zk.lines import verbs
from accessctl_sim.zk.records import User
from accessctl_sim.zk.terminal import ZkTerminal

from .clients import RawClient, pyzk, raw, until


def test_refusals_and_grants_reach_who_registered_for_them(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        assert client.ask(500, struct.pack("<I", 0xFFFF)).command == 2000
        assert terminal.present_card(999)["reason"] == "unknown"
        assert client.event() == (128, b"\xff\xff\xff\xff\x01")
        terminal.add_user("1003", card=100_003, privilege=1, uid=3)
        assert terminal.present_card(100_003)["reason"] == "user-disabled"
        assert client.event() == (128, b"\x03\0\0\0\x01")
        granted = terminal.present_card(100_001, state=1)
        assert (granted["granted"], granted["user_id"]) == (True, "1001")
        flag, body = client.event()
        at = datetime.fromisoformat(str(granted["at"]))
        assert flag == 1
        assert body == b"1001".ljust(24, b"\0") + bytes(
            (2, 1, at.year % 100, at.month, at.day, at.hour, at.minute, at.second)
        )
        assert client.event() == (32, b"")
        assert client.read_all(13, 0)[-40:-38] == b"\x01\0"
        assert terminal.state()["records"] == 6


def test_masks_and_the_alarms_of_the_door(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        client.ask(500, struct.pack("<I", 512))
        terminal.force_door()
        terminal.close_door()
        terminal.tamper()
        terminal.misoperation()
        terminal.exit_button()  # UNLOCK is not in the mask
        events = [client.event()[1] for _ in range(5)]
        assert [body[:1].hex() for body in events] == ["01", "54", "37", "3a", "35"]
        assert [len(body) for body in events] == [4, 8, 4, 4, 4]


def test_a_door_left_open_alarms() -> None:
    with ZkTerminal(TerminalConfig(users=1, held_open_s=0.05)) as terminal, raw(terminal) as client:
        client.ask(500, struct.pack("<I", 512))
        terminal.present_card(100_001)
        assert terminal.open_door()["forced"] is False
        assert client.ask(75).data == b"\x01"
        assert client.event() == (512, b"\x04\0\0\0")


def test_leaving_is_never_refused(terminal: ZkTerminal) -> None:
    verb = verbs(terminal)
    with raw(terminal) as client:
        client.ask(1003)
        assert terminal.present_card(100_001)["reason"] == "device-disabled"
        assert answer(verb, "open-door") == {"ok": False, "error": "the door is locked"}
        assert terminal.exit_button()["locked"] is False
        assert answer(verb, "open-door")["ok"] is True
        terminal.close_door()
    terminal.power_off()
    assert terminal.exit_button()["locked"] is False


def test_disabled_for_a_while_ends_by_itself(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        client.ask(1003, struct.pack("<I", 1))
        assert terminal.state()["enabled"] is False
        until(lambda: terminal.state()["enabled"])


def test_the_lock_closes_again_after_lock_on(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        assert client.ask(12, b"LockOn=1\0").command == 2000
        terminal.present_card(100_001)
        assert terminal.state()["locked"] is False
        until(lambda: terminal.state()["locked"])
        client.ask(31, struct.pack("<I", 2))  # two tenths of a second
        until(lambda: terminal.state()["locked"])


def test_time_zones_decide_by_the_terminals_own_clock(terminal: ZkTerminal) -> None:
    office = bytes((23, 59, 0, 0)) + bytes((8, 0, 17, 0)) * 5 + bytes((23, 59, 0, 0))
    with raw(terminal) as client:
        assert client.ask(28, struct.pack("<I", 2) + office).command == 2000
        assert client.ask(27, struct.pack("<I", 2)).data == b"\x02\0" + office + b"\xa7\x1c"
        assert client.ask(24, struct.pack("<5I", 1, 1, 2, 0, 0)).command == 2000
        assert client.ask(23, b"\x01\0\0\0").data == struct.pack("<4H", 0, 2, 0, 0)
        for moment, expected in (
            ("2026-11-23T08:00:00", True),  # a Monday
            ("2026-11-23T17:01:00", False),
            ("2026-11-22T12:00:00", False),  # a Sunday
        ):
            terminal.set_clock(datetime.fromisoformat(moment))
            assert terminal.present_card(100_001)["granted"] is expected
            assert terminal.present_card(100_002)["granted"] is True  # no zone of its own: always
        assert client.ask(26, struct.pack("<BHHHB", 1, 2, 0, 0, 0)).command == 2000
        assert terminal.present_card(100_002)["reason"] == "outside-timezone"
        assert client.ask(25, b"\x01" + b"\0" * 7).data == struct.pack("<BHHHB", 1, 2, 0, 0, 0)
        assert client.ask(28, struct.pack("<I", 99) + office).command == 2001
        assert client.ask(28, struct.pack("<I", 2) + b"\x19" * 28).command == 2001


def test_card_and_finger_together(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        assert client.ask(79, struct.pack("<HB21x", 1, 138)).command == 2000
        assert client.ask(80, b"\x01\0").data == struct.pack("<HB21x", 1, 138)
    with pyzk(terminal) as zk:
        assert zk.enroll_user(uid=1)
    assert terminal.present_card(100_001)["reason"] == "another-factor-awaited"
    assert terminal.present_finger("1001")["granted"] is True
    assert terminal.present_finger("1001")["reason"] == "another-factor-awaited"


def test_a_template_recognises_its_owner_on_another_terminal(terminal: ZkTerminal) -> None:
    with pyzk(terminal) as zk:
        assert zk.enroll_user(uid=2, temp_id=7)
        finger, ana = zk.get_user_template(2, 7), zk.get_users()[1]
    with ZkTerminal(TerminalConfig(users=2)) as other:
        assert other.present_finger("1002", 7)["reason"] == "unknown"
        with pyzk(other) as zk:
            zk.save_user_template(ana, [finger])
        assert other.present_finger("1002", 7)["granted"] is True
        assert other.present_finger("1002", 6)["reason"] == "unknown"


def test_a_duress_finger_opens_and_alarms(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        block = block_of("1001", 0)
        client.ask(1500, struct.pack("<I", len(block)))
        client.ask(1501, block)
        assert client.ask(119).data == client.ask(119).data != b"\0\0\0\0"
        assert client.ask(87, struct.pack("<HBBH", 1, 0, 3, len(block))).command == 2000
        client.ask(500, struct.pack("<I", 512))
        assert terminal.present_finger("1001")["granted"] is True
        assert client.event() == (512, struct.pack("<IHHI", 0xFFFFFFFF, 0x20, 1, 1))


def test_the_same_finger_of_another_person_is_a_duplicate(terminal: ZkTerminal) -> None:
    with pyzk(terminal) as zk:
        assert zk.enroll_user(uid=1)
        terminal.finger_ready("1001", "ok", 0)  # the same finger, held out for somebody else
        assert not zk.enroll_user(uid=2)
        assert [f.uid for f in zk.get_templates()] == [1]


def test_a_manual_finger_is_waited_for() -> None:
    config = TerminalConfig(users=1, finger="manual", sample_ms=1)
    with ZkTerminal(config) as terminal, raw(terminal) as client:
        assert client.ask(61, struct.pack("<24sBB", b"1001", 4, 1)).command == 2000
        assert client.ask(64).session == 1  # registering a finger
        terminal.finger_ready("1001", "ok", 4)
        seen = [client.event() for _ in range(7)]
        assert [flag for flag, _ in seen] == [2, 256, 2, 256, 2, 256, 8]
        assert seen[-1][1] == struct.pack("<HH9sB", 0, len(block_of("1001", 4)), b"1001", 4)
        until(lambda: not terminal.state()["enrolling"])
        assert client.ask(64).session == 2


def test_unknown_commands_and_broken_requests_get_an_answer(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        assert client.ask(4242).command == 65535
        assert client.ask(65535).command == 65535
        for command, data in [(8, b"x"), (202, b""), (1503, b""), (1504, b"\0" * 8), (88, b""), (110, b""), (61, b"")]:
            assert client.ask(command, data).command in {2001, 65531}
        assert client.ask(202, b"\xff\xff\xff\xff").command == 2001  # the year 2133
        assert client.ask(1501, b"x").command == 65531
        assert client.ask(18, b"\x02\0" + b"\0" * 70).command == 2000
        client.send(50, spoil=1)
        client.send(1100)
        assert client.receive().data.startswith(b"Ver ")  # the spoilt one was dropped
        assert terminal.state()["bad_frames"] == 1


def test_nothing_without_a_session_or_the_key() -> None:
    with ZkTerminal(TerminalConfig(users=1, commkey=9)) as terminal, raw(terminal, connect=False) as client:
        assert client.ask(31, struct.pack("<I", 50)).command == 2005
        assert client.connect().command == 2005
        assert client.ask(31, struct.pack("<I", 50)).command == 2005
        assert client.ask(1102, b"\0\0\0\0").command == 2005
        assert terminal.state()["locked"] is True


def test_a_bulk_transfer_frame_by_frame() -> None:
    """pyzk test.py: frames of 1,008 bytes count in their session field, the closing OK carries the last count."""
    with ZkTerminal(TerminalConfig(users=70, max_frame=1008)) as terminal, raw(terminal) as client:
        stat = client.ask(1503, bytes.fromhex("0109000500000000000000")).data
        assert stat[:9] == b"\0" + struct.pack("<II", 5044, 5044)
        for start in (0, 2000):
            client.send(1504, struct.pack("<ii", start, 3044), reply=77)  # both asked for at once
        data = []
        for _ in range(2):
            prepare = client.receive()
            assert (prepare.command, prepare.reply, prepare.data) == (1500, 77, struct.pack("<II", 3044, 1008))
            frames = [client.receive() for _ in range(5)]
            assert [(f.command, f.session, len(f.data)) for f in frames] == [
                (1501, 0, 1008),
                (1501, 1, 1008),
                (1501, 2, 1008),
                (1501, 3, 20),
                (2000, 3, 0),
            ]
            data.append(b"".join(f.data for f in frames))
        assert data[0][:4] == struct.pack("<I", 5040)
        assert data[0][2000:] == data[1][:1044]


def test_the_old_direct_reads(terminal: ZkTerminal) -> None:
    with raw(terminal) as client:
        for command, fct, size in ((9, b"\x05", 4 + 3 * 72), (13, b"\x01", 4 + 5 * 40), (7, b"\x02", 4)):
            assert client.ask(command, fct).data[:4] == struct.pack("<I", size)
            assert len(client.receive().data) == size
            assert client.receive().command == 2000


def test_ten_thousand_users_and_a_hundred_thousand_records_are_fast() -> None:
    with ZkTerminal(TerminalConfig(users=10_000, records=100_000)) as terminal, raw(terminal) as client:
        started = time.monotonic()
        users, records = client.read_all(9, 5), client.read_all(13, 0)
        seconds = time.monotonic() - started
        assert (len(users), len(records)) == (4 + 720_000, 4 + 4_000_000)
        assert seconds < 2, f"{seconds:.2f} s"


def test_a_bulk_upload_of_many_users(terminal: ZkTerminal) -> None:
    users = b"".join(b"\x02" + User(uid=i, user_id=str(50_000 + i), card=i).pack(72) for i in range(10, 2010))
    buffer = struct.pack("<III", len(users), 0, 0) + users
    with raw(terminal) as client:
        assert client.ask(1500, struct.pack("<I", len(buffer))).command == 2000
        for start in range(0, len(buffer), 1024):
            assert client.ask(1501, buffer[start : start + 1024]).command == 2000
        assert client.ask(110, struct.pack("<IHH", 12, 0, 8)).command == 2000
    assert terminal.state()["users"] == 2003
    assert terminal.present_card(2009)["user_id"] == "52009"


def test_two_clients_each_have_a_session(terminal: ZkTerminal) -> None:
    with raw(terminal) as one, raw(terminal) as two:
        assert one.session != two.session
        two.ask(500, struct.pack("<I", 32))
        terminal.exit_button()
        assert two.event() == (32, b"")
        assert one.ask(1001).session == one.session
        assert one.ask(50).command == 2005


def test_memory_survives_a_state_file_and_a_power_cut(terminal: ZkTerminal) -> None:
    terminal.add_user("77", card=7, name="Ñandú Xol")
    terminal.present_card(7)
    terminal.set_clock(3600)
    dump = terminal.dump()
    terminal.power_cycle(0.05)
    until(lambda: terminal.state()["powered"])
    with pyzk(terminal) as zk:
        assert [u.name for u in zk.get_users()][-1] == "Ñandú Xol"
    with ZkTerminal(TerminalConfig(), state=dump) as copy:
        again = copy.dump()
        assert again["users"] == dump["users"]
        assert again["records"] == dump["records"]
        clocks = [datetime.fromisoformat(str(t.state()["clock"])) for t in (terminal, copy)]
        assert abs(clocks[0] - clocks[1]) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("present", "wrong number of words"),
        ("present ghost 1", "card|finger|code"),
        ("present card x", "no number"),
        ("fault drop", "drop wants chance"),
        ("fault drop=2", "out of range"),
        ("fault sneeze", "no fault"),
        ("finger-ready 1 maybe", "maybe"),
        ("add-user 1 colour=red", "colour"),
        ("delete-user 9", "no user 9"),
        ("set-clock noon", "noon"),
        ("present card 100001 9", "state '9'"),
        ("add-user 1 card=4294967296", "32 bits"),
        ("add-user 1234567890123456789012345", "24 characters"),
        ("set-clock +1e300", "large"),
        ("save /nowhere/at/all.json", "No such file"),
        ("dance", "no verb"),
        ('present "', "No closing quotation"),
    ],
)
def test_control_lines_that_make_no_sense(terminal: ZkTerminal, line: str, part: str) -> None:
    result = answer(verbs(terminal), line)
    assert result["ok"] is False
    assert part in str(result["error"])


def test_control_lines(terminal: ZkTerminal) -> None:
    verb = verbs(terminal)
    assert answer(verb, 'add-user 50 card=5 name="Ana Xol" password=12')["uid"] == 4
    assert answer(verb, "present code 50 12")["granted"] is True
    assert answer(verb, "present code 50 13")["reason"] == "unknown"
    assert answer(verb, "delete-user 50")["uid"] == 4
    assert answer(verb, "set-clock 2000-01-01T00:00:00")["clock"] == "2000-01-01T00:00:00"
    assert str(answer(verb, "set-clock +86400")["clock"]).startswith("2000-01-02")
    assert answer(verb, "set-clock right")["ok"] is True
    assert answer(verb, "clear-log") == {"ok": True, "cleared": 6}
    assert answer(verb, "press-key 3") == {"ok": True}


def test_an_enrolment_ends_with_its_client() -> None:
    with ZkTerminal(TerminalConfig(users=1, finger="manual")) as terminal:
        with raw(terminal) as client:
            client.ask(61, struct.pack("<24sBB", b"1001", 4, 1))
            assert terminal.state()["enrolling"] is True
        until(lambda: not terminal.state()["enrolling"])


@pytest.fixture(scope="module")
def hostile() -> Iterator[tuple[ZkTerminal, RawClient]]:
    """One terminal and one session for all hostile requests."""
    with ZkTerminal(TerminalConfig(users=3, records=5, user_format=28)) as terminal, raw(terminal) as client:
        yield terminal, client


HARMLESS = sorted(set(HANDLERS) - {Command.RESTART, Command.POWEROFF, Command.EXIT, Command.STARTENROLL})


@given(st.sampled_from(HARMLESS) | st.integers(0, 65_535).filter(lambda n: n not in HANDLERS), st.binary(max_size=90))
def test_whatever_a_client_sends_is_answered(hostile: tuple[ZkTerminal, RawClient], command: int, data: bytes) -> None:
    _, client = hostile
    if command == 2000:
        return  # what a client acknowledges is not answered
    client.send(command, data, reply=7)
    frame = client.receive()
    assert frame.reply == 7
    while frame.command == 1500 or (frame.command == 1501 and frame.session != client.session):
        frame = client.receive()
    client.send(500, b"\0\0\0\0", reply=8)
    while frame.reply != 8:
        frame = client.receive()
    if command == 1000:
        client.session = frame.session


def test_garbage_harms_nobody_else(hostile: tuple[ZkTerminal, RawClient]) -> None:
    terminal, client = hostile
    with raw(terminal, connect=False) as other:
        other.socket.sendall(b"GET / HTTP/1.1\r\n\r\n" + b"\x50\x50\x82\x7d\xff\xff\xff\xff" * 100)
        other.connect()
        assert other.ask(1100).data.startswith(b"Ver ")
    client.reply = 9
    assert client.ask(1000).command == 2000
