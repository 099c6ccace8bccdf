"""The terminal driver against simulated terminals on real sockets: every format, every fault, every known trap.

One page, however long: whoever changes the driver finds here all that a terminal has ever done to it.
"""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accessctl.ports import (
    DeviceMisbehaved,
    DeviceRefused,
    DeviceUnreachable,
    EnrolmentFailed,
    LiveEvent,
    LiveKind,
    Terminal,
    TerminalTemplate,
    TerminalUser,
    TimeZoneWeek,
)
from accessctl_drivers.zkteco.terminal import ZkTerminal, ZkTerminalDriver
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.drivers.proxy import StoppingProxy

ANA = TerminalUser(
    uid=901, user_id="2001", name="Ana Ñandú", card=18226646, privilege=6, disabled=True, time_zones=(3,)
)
EVA = TerminalUser(uid=902, user_id="2002", name="Eva", card=0xFFFFFFFF, group=4)
FINGERS = (
    TerminalTemplate(user_id="2001", finger=6, data=bytes(range(256)) * 4),
    TerminalTemplate(user_id="2002", finger=0, flag=3, data=b"duress" * 100),
)
WEEK = TimeZoneWeek(index=3, days=((0, 0), *((420, 1020),) * 5, (480, 720)))
moment = datetime.fromisoformat


def driver(port: int, *, udp: bool = False, deadline: float = 2.0, **more: object) -> ZkTerminalDriver:
    transport = "udp" if udp else "tcp"
    return ZkTerminalDriver(f"{transport}://127.0.0.1:{port}", deadline=deadline, bulk_deadline=20.0, **more)  # type: ignore[arg-type]


@contextmanager
def session(simulated: Simulated, **more: object) -> Iterator[ZkTerminal]:
    with driver(simulated.port, **more).connect() as terminal:  # type: ignore[arg-type]
        yield terminal


@contextmanager
def simulator(*faults: str, **config: object) -> Iterator[Simulated]:
    with Simulated(TerminalConfig(**config), faults=faults) as simulated:  # type: ignore[arg-type]
        yield simulated


def heard(terminal: Terminal, enough: int = 1, *, seconds: float = 5.0) -> list[LiveEvent]:
    """Listens until so many events came."""
    events: list[LiveEvent] = []
    end = time.monotonic() + seconds
    while len(events) < enough and time.monotonic() < end:
        events += terminal.listen(seconds=0.5)
    return events


def sit_the_exam(terminal: Terminal, simulated: Simulated, *, small: bool) -> None:
    """What every terminal must do over every healthy line, whatever its formats."""
    people = terminal.users()
    assert [(user.uid, user.user_id, user.card) for user in people] == [
        (n, str(1000 + n), 100000 + n) for n in range(1, 31)
    ]
    whole = terminal.read_log(None)
    assert [(r.sequence, r.user_id, r.at, r.verify) for r in whole.records] == [
        (k, str(1001 + k % 30), moment("2026-01-01 07:00:00") + timedelta(minutes=k), 1) for k in range(120)
    ]
    ana = TerminalUser(uid=901, user_id="2001", name="Ana Ña", card=7, privilege=6, disabled=True) if small else ANA
    eva = TerminalUser(uid=902, user_id="2002", name="Eva", card=0xFFFFFFFF, group=4)
    terminal.put_users([ana, eva], FINGERS)
    assert list(terminal.users())[-2:] == [ana, eva]
    assert sorted(terminal.templates(), key=lambda t: t.user_id) == list(FINGERS)
    terminal.remove_templates(901, [6])
    assert [template.user_id for template in terminal.templates()] == ["2002"]
    terminal.put_time_zone(WEEK)
    assert terminal.time_zone(3) == WEEK
    terminal.set_clock(moment("2026-11-23 12:00:00"))
    assert terminal.clock() - moment("2026-11-23 12:00:00") < timedelta(seconds=30)
    terminal.listen(seconds=0.0)
    simulated.present_card(100001)
    assert (LiveKind.GRANTED, "1001") in [(event.kind, event.user_id) for event in heard(terminal, 2)]
    more = terminal.read_log(whole.mark)
    assert not more.epoch_changed
    assert [(record.sequence, record.user_id, record.verify) for record in more.records] == [(120, "1001", 2)]
    assert len(terminal.read_log(more.mark).records) == 0
    terminal.unlock(seconds=2)
    assert terminal.door_open() is False
    simulated.open_door()
    assert terminal.door_open() is True
    terminal.remove_users([901, 902])
    assert len(terminal.users()) == 30
    sizes = terminal.sizes()
    assert (sizes.users, sizes.templates, sizes.records) == (30, 0, 121)


LINES: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
    "plain": ((), {}),
    "split=1": (("split=1",), {}),
    "split=7": (("split=7",), {}),
    "coalesce": (("coalesce",), {}),
    "delay": (("delay=5",), {}),
    "extra-event": (("extra-event",), {}),
    "skew": (("skew=7200",), {}),
    "frames of 1008": ((), {"max_frame": 1008}),
    "frames of 64, gaps": ((), {"max_frame": 1008, "frame_gap_ms": 2.0}),
    "comm key": ((), {"commkey": 123456}),
    "users of 28": ((), {"user_format": 28}),
    "records of 8": ((), {"record_format": 8}),
    "records of 16": ((), {"record_format": 16}),
    "records of 49": ((), {"record_format": 49}),
    "old terminal": (("coalesce",), {"user_format": 28, "record_format": 8, "max_frame": 1008}),
}


DATAGRAMS = [line for line, (faults, _) in LINES.items() if not any(f.startswith(("split", "coal")) for f in faults)]


@pytest.mark.parametrize(
    ("line", "udp"), [*((line, False) for line in LINES), *((line, True) for line in DATAGRAMS)], ids=str
)
def test_exam(line: str, udp: bool) -> None:
    """A datagram is neither split nor joined, so those two are for TCP."""
    faults, config = LINES[line]
    with simulator(*faults, users=30, records=120, udp=udp, **config) as simulated:
        key = int(str(config.get("commkey", 0)))
        with session(simulated, udp=udp, comm_key=key) as terminal:
            info = terminal.info()
            small = config.get("user_format") == 28
            assert (info.user_record, info.name_bytes) == ((28, 7) if small else (72, 23))
            assert info.serial == "SIM0000000001"
            if line == "skew":
                off = terminal.clock() - (datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=6))
                assert abs(off - timedelta(hours=2)) < timedelta(seconds=5)
                simulated.clear_faults()
            sit_the_exam(terminal, simulated, small=small)
        assert simulated.state()["bad_frames"] == 0


class TestRefusals:
    def test_wrong_comm_key(self) -> None:
        with simulator(commkey=45) as simulated:
            for key in (0, 46):
                with pytest.raises(DeviceRefused, match="comm key"):
                    driver(simulated.port, comm_key=key).connect()
            with session(simulated, comm_key=45) as terminal:
                assert terminal.sizes().users == 0

    def test_nobody_there(self) -> None:
        with simulator() as simulated:
            port = simulated.port
        started = time.monotonic()
        with pytest.raises(DeviceUnreachable):
            driver(port).connect()
        assert time.monotonic() - started < 15

    def test_second_client(self) -> None:
        with simulator("second-client-refused", users=3) as simulated, session(simulated) as first:
            started = time.monotonic()
            with pytest.raises(DeviceUnreachable):
                driver(simulated.port).connect()
            assert time.monotonic() - started < 15
            assert len(first.users()) == 3

    def test_a_terminal_that_is_full(self) -> None:
        with simulator(user_cap=3, users=3) as simulated, session(simulated) as terminal:
            with pytest.raises(DeviceRefused):
                terminal.put_users([ANA])
            assert simulated.state()["enabled"] is True
            assert len(terminal.users()) == 3

    def test_an_empty_terminal_of_the_older_kind(self) -> None:
        eva = TerminalUser(uid=1, user_id="2002", name="Eva")
        with simulator(user_format=28) as simulated, session(simulated, user_record=28) as terminal:
            assert terminal.info().user_record == 28
            terminal.put_users([eva])
            assert list(terminal.users()) == [eva]

    def test_nothing_goes_out_that_does_not_fit(self) -> None:
        with simulator(users=3) as simulated, session(simulated) as terminal:
            terminal.info()
            before = simulated.state()["requests"]
            for user in (
                TerminalUser(uid=1, user_id="1", name="B" * 24),
                TerminalUser(uid=1, user_id="1", name="A", card=2**32),
                TerminalUser(uid=1, user_id="x", name="A"),
            ):
                with pytest.raises(ValueError, match=r"name|card|digits"):
                    terminal.put_users([EVA, user])
                with pytest.raises(ValueError, match=r"name|card|digits"):
                    terminal.enrol(user, 0, seconds=1)
            for seconds in (0, 61, 3600):
                with pytest.raises(ValueError, match="seconds"):
                    terminal.unlock(seconds=seconds)
            assert simulated.state()["requests"] == before

    @pytest.mark.parametrize(
        "settings",
        [
            {"address": "serial:///dev/ttyUSB0"},
            {"address": "tcp://127.0.0.1:4370", "comm_key": -1},
            {"address": "tcp://127.0.0.1:4370", "user_record": 40},
            {"address": "tcp://127.0.0.1:4370", "deadline": 0},
        ],
    )
    def test_settings_that_are_none(self, settings: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"."):
            ZkTerminalDriver(**settings)  # type: ignore[arg-type]


class TestFaults:
    @pytest.mark.parametrize("fault", ["close-mid-data", "close-mid-data=1", "close-mid-data=20"])
    def test_closing_in_mid_transfer_is_an_error_at_once(self, fault: str) -> None:
        """pyzk's own reader spins here for ever, at full speed."""
        with simulator(users=200, records=2000) as simulated, session(simulated) as terminal:
            simulated.fault(fault)
            started, spent = time.monotonic(), children_cpu()
            with pytest.raises(DeviceUnreachable):
                terminal.read_log(None)
            assert time.monotonic() - started < 15
            assert children_cpu() - spent < 1
            with pytest.raises(DeviceUnreachable, match="over"):
                terminal.users()
            simulated.clear_faults()
            with session(simulated) as again:
                assert len(again.read_log(None).records) == 2000

    @pytest.mark.parametrize("fault", ["wrong-checksum", "wrong-reply-id"])
    @pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
    def test_broken_protocol_is_not_believed(self, fault: str, udp: bool) -> None:
        with simulator(users=5, udp=udp) as simulated, session(simulated, udp=udp) as terminal:
            simulated.fault(fault)
            with pytest.raises(DeviceMisbehaved):
                terminal.users()
            with pytest.raises(DeviceMisbehaved):
                driver(simulated.port, udp=udp).connect()

    def test_hanging_terminal(self) -> None:
        with simulator(users=5) as simulated, session(simulated, deadline=0.5) as terminal:
            simulated.fault("hang")
            started, spent = time.monotonic(), children_cpu()
            with pytest.raises(DeviceUnreachable):
                terminal.users()
            assert 0.4 < time.monotonic() - started < 15
            assert children_cpu() - spent < 0.4

    def test_power_cycle(self) -> None:
        with simulator(users=5, records=10) as simulated:
            with session(simulated) as terminal:
                mark = terminal.read_log(None).mark
                simulated.power_off()
                with pytest.raises(DeviceUnreachable):
                    terminal.read_log(mark)
                with pytest.raises(DeviceUnreachable):
                    driver(simulated.port).connect()
            simulated.power_on()
            simulated.present_card(100003)
            with session(simulated) as terminal:
                assert [record.user_id for record in terminal.read_log(mark).records] == ["1003"]

    @pytest.mark.parametrize("fault", ["duplicate=1", "duplicate=0.3", "drop=0.1"])
    @pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
    def test_lossy_lines_never_give_something_false(self, fault: str, udp: bool) -> None:
        with simulator(fault, users=50, records=300, udp=udp, seed=7) as simulated:
            for _ in range(4):
                try:
                    with session(simulated, udp=udp, deadline=0.4) as terminal:
                        assert [user.card for user in terminal.users()] == list(range(100001, 100051))
                        assert len(terminal.read_log(None).records) == 300
                except (DeviceUnreachable, DeviceMisbehaved):
                    continue
            simulated.clear_faults()
            with session(simulated, udp=udp) as terminal:
                assert len(terminal.users()) == 50

    def test_duplicated_answers_are_dropped(self) -> None:
        with simulator("duplicate=1", users=5) as simulated, session(simulated) as terminal:
            for _ in range(5):
                assert terminal.sizes().users == 5


def children_cpu() -> float:
    """Processor time of our children so far, dead ones included, in seconds."""
    dead = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = dead.ru_utime + dead.ru_stime
    tick = os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            own += (int(fields[11]) + int(fields[12])) / tick
    return own


class TestCutLines:
    """The line ends after so many bytes of the terminal's: close, reset, silence; sampled over a whole session."""

    @staticmethod
    def whole(port: int, deadline: float = 1.0) -> None:
        with driver(port, deadline=deadline).connect() as terminal:
            assert len(terminal.users()) == 60
            assert len(terminal.read_log(None).records) == 60

    @pytest.mark.parametrize("how", ["close", "reset"])
    def test_anywhere(self, how: str) -> None:
        with simulator(users=60, records=60) as simulated:
            with StoppingProxy(simulated.port) as proxy:
                self.whole(proxy.port)
                total = proxy.bytes_from_device
                assert proxy.connections == 1, "one connection: no probe before the real one"
            exit_answer = 16
            spent = children_cpu()
            positions = [*range(1, 60, 5), *range(60, total - exit_answer, (total - 60) // 14)]
            for after in positions:
                started = time.monotonic()
                with StoppingProxy(simulated.port, after=after, how=how) as proxy, pytest.raises(DeviceUnreachable):
                    self.whole(proxy.port)
                assert time.monotonic() - started < 15, f"cut after {after} bytes"
            assert children_cpu() - spent < 0.5 * len(positions)

    def test_silence(self) -> None:
        with simulator(users=60, records=60) as simulated:
            for after in (16, 40, 900, 4700, 5200):
                started, spent = time.monotonic(), children_cpu()
                stopping = StoppingProxy(simulated.port, after=after, how="silence")
                with stopping as proxy, pytest.raises(DeviceUnreachable):
                    self.whole(proxy.port, deadline=0.6)
                assert time.monotonic() - started < 15
                assert children_cpu() - spent < 0.6


class TestChild:
    def test_pyzk_stays_in_the_child(self) -> None:
        code = "import sys, accessctl_drivers.zkteco.terminal; print('zk' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"

    def test_comm_key_is_in_no_argument_and_no_environment(self) -> None:
        with simulator(commkey=192837465) as simulated, session(simulated, comm_key=192837465) as terminal:
            process = Path("/proc") / str(terminal.child_pid)
            assert b"192837465" not in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            assert "192837465" not in repr(driver(simulated.port, comm_key=192837465))

    def test_child_that_stands_still_is_killed_at_the_deadline(self) -> None:
        with simulator(users=5) as simulated, session(simulated, deadline=0.3) as terminal:
            os.kill(terminal.child_pid, signal.SIGSTOP)
            started = time.monotonic()
            with pytest.raises(DeviceUnreachable, match="within"):
                terminal.sizes()
            assert time.monotonic() - started < 15
            assert not (Path("/proc") / str(terminal.child_pid)).exists()

    def test_interrupts_of_the_service_do_not_reach_it(self) -> None:
        with simulator() as simulated, session(simulated) as terminal:
            assert os.getpgid(terminal.child_pid) == terminal.child_pid != os.getpgrp()

    def test_it_ends_with_the_service(self) -> None:
        """The service is killed without a word: the child says EXIT, and the terminal has no client any more."""
        with simulator() as simulated:
            code = (
                "import sys, time; from accessctl_drivers.zkteco.terminal import ZkTerminalDriver as D\n"
                f"terminal = D('tcp://127.0.0.1:{simulated.port}').connect()\n"
                "print(terminal.child_pid, flush=True); time.sleep(60)"
            )
            with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as service:
                assert service.stdout is not None
                pid = int(service.stdout.readline())
                assert simulated.state()["clients"] == 1
                service.kill()
            end = time.monotonic() + 5
            while simulated.state()["clients"] and time.monotonic() < end:
                time.sleep(0.01)
            assert simulated.state()["clients"] == 0
            stat = Path("/proc") / str(pid) / "stat"
            while stat.exists() and " Z " not in stat.read_text() and time.monotonic() < end:
                time.sleep(0.01)
            assert not stat.exists() or " Z " in stat.read_text()

    def test_child_that_was_killed(self) -> None:
        with simulator(users=5) as simulated, session(simulated) as terminal:
            os.kill(terminal.child_pid, signal.SIGKILL)
            with pytest.raises(DeviceUnreachable):
                terminal.sizes()

    def test_nothing_stays_behind(self) -> None:
        with simulator(users=5) as simulated:
            with session(simulated) as terminal:
                pid = terminal.child_pid
                terminal.sizes()
            assert not (Path("/proc") / str(pid)).exists()
            deadline = time.monotonic() + 5
            while simulated.state()["clients"] and time.monotonic() < deadline:
                time.sleep(0.01)
            assert simulated.state()["clients"] == 0

    def test_killed_in_mid_upload_the_next_session_opens_the_door_again(self) -> None:
        people = [TerminalUser(uid=n, user_id=str(n), name="A") for n in range(1, 2001)]
        with simulator(delay_ms=2.0) as simulated:
            terminal = driver(simulated.port).connect()
            killer = threading.Timer(0.15, os.kill, (terminal.child_pid, signal.SIGKILL))
            killer.start()
            with pytest.raises(DeviceUnreachable):
                terminal.put_users(people)
            killer.join()
            terminal.close()
            assert simulated.state()["enabled"] is False
            with session(simulated) as again:
                assert simulated.state()["enabled"] is True
                again.put_users(people)
                assert [user.uid for user in again.users()] == [user.uid for user in people]
            assert simulated.state()["enabled"] is True


class TestLog:
    def test_cleared_log_is_a_new_epoch(self) -> None:
        with simulator(users=5, records=100) as simulated, session(simulated) as terminal:
            first = terminal.read_log(None)
            simulated.fault("reset-index")
            for card in (100001, 100002):
                simulated.present_card(card)
            second = terminal.read_log(first.mark)
            assert second.epoch_changed
            assert second.mark.epoch == first.mark.epoch + 1
            assert [(record.sequence, record.user_id) for record in second.records] == [(0, "1001"), (1, "1002")]

    def test_cleared_log_that_grew_beyond_the_mark_is_a_new_epoch(self) -> None:
        with simulator(users=5, records=3) as simulated, session(simulated) as terminal:
            first = terminal.read_log(None)
            simulated.clear_log()
            for _ in range(5):
                simulated.present_card(100001)
            second = terminal.read_log(first.mark)
            assert second.epoch_changed
            assert len(second.records) == 5

    def test_wrapped_log_is_a_new_epoch(self) -> None:
        with (
            simulator("log-full=wrap", users=5, records=50, record_cap=50) as simulated,
            session(simulated) as terminal,
        ):
            first = terminal.read_log(None)
            simulated.present_card(100004)
            second = terminal.read_log(first.mark)
            assert second.epoch_changed
            assert second.records[-1].user_id == "1004"
            assert len(second.records) == 50

    def test_only_the_tail_is_read(self) -> None:
        with (
            simulator(users=5, records=5000) as simulated,
            StoppingProxy(simulated.port) as proxy,
            driver(proxy.port).connect() as terminal,
        ):
            mark = terminal.read_log(None).mark
            before = proxy.bytes_from_device
            assert before > 5000 * 40
            simulated.present_card(100001)
            assert [record.sequence for record in terminal.read_log(mark).records] == [5000]
            assert proxy.bytes_from_device - before < 4000

    @pytest.mark.parametrize("size", [8, 16, 40, 49])
    def test_from_nothing(self, size: int) -> None:
        with simulator(users=5, record_format=size) as simulated, session(simulated) as terminal:
            mark = terminal.read_log(None).mark
            assert mark.count == 0
            assert len(terminal.read_log(mark).records) == 0
            simulated.present_card(100002)
            part = terminal.read_log(mark)
            assert ([record.user_id for record in part.records], part.epoch_changed) == (["1002"], False)
            assert len(terminal.read_log(part.mark).records) == 0


class TestLive:
    @pytest.mark.parametrize("length", [10, 12, 32, 36, 52])
    @pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
    def test_every_length(self, length: int, udp: bool) -> None:
        with simulator(users=5, live_format=length, udp=udp) as simulated, session(simulated, udp=udp) as terminal:
            terminal.listen(seconds=0.0)
            simulated.present_card(100002)
            granted = next(event for event in heard(terminal, 2) if event.kind is LiveKind.GRANTED)
            assert granted.verify == 2
            assert granted.at is not None
            assert granted.user_id == ("1002" if length > 10 else None)

    def test_a_day_at_the_door(self) -> None:
        with simulator(users=5) as simulated, session(simulated) as terminal:
            terminal.put_users([TerminalUser(uid=4, user_id="1004", name="D", card=100004, disabled=True)])
            assert terminal.listen(seconds=0.0) == ()
            simulated.present_card(999)
            assert [(e.kind, e.uid) for e in heard(terminal)] == [(LiveKind.REFUSED, None)]
            simulated.present_card(100004)
            assert [(e.kind, e.uid) for e in heard(terminal)] == [(LiveKind.REFUSED, 4)]
            simulated.exit_button()
            assert [e.kind for e in heard(terminal, 2)] == [LiveKind.EXIT_BUTTON, LiveKind.UNLOCKED]
            simulated.open_door()
            simulated.close_door()
            assert [e.kind for e in heard(terminal)] == [LiveKind.DOOR_CLOSED]
            simulated.tamper()
            assert [e.kind for e in heard(terminal)] == [LiveKind.TAMPER]

    def test_forced_door(self) -> None:
        with simulator(users=5) as simulated, session(simulated) as terminal:
            terminal.listen(seconds=0.0)
            simulated.force_door()
            assert LiveKind.FORCED in [event.kind for event in heard(terminal)]

    def test_duress_finger_opens_and_says_so(self) -> None:
        with simulator(users=5) as simulated, session(simulated) as terminal:
            terminal.put_users([EVA], [FINGERS[1]])
            terminal.listen(seconds=0.0)
            simulated.present_finger("2002", 0)
            kinds = [event.kind for event in heard(terminal, 3)]
            assert {LiveKind.GRANTED, LiveKind.DURESS} <= set(kinds)

    @pytest.mark.parametrize("fault", ["coalesce", "split=1"])
    def test_two_events_in_one_segment_are_two_events(self, fault: str) -> None:
        """pyzk takes 80 bytes for one record of 52 and its generator dies."""
        with simulator(fault, users=9) as simulated, session(simulated) as terminal:
            terminal.listen(seconds=0.0)
            for card in range(100001, 100010):
                simulated.present_card(card)
            events = heard(terminal, 18)
            assert [e.user_id for e in events if e.kind is LiveKind.GRANTED] == [str(n) for n in range(1001, 1010)]

    def test_events_between_question_and_answer_are_kept(self) -> None:
        with simulator("coalesce", users=9, records=3000, max_frame=1008) as simulated, session(simulated) as terminal:
            terminal.listen(seconds=0.0)
            stop = threading.Event()

            def punch() -> None:
                while not stop.wait(0.005):
                    simulated.present_card(100005)

            puncher = threading.Thread(target=punch)
            puncher.start()
            try:
                logs = [terminal.read_log(None) for _ in range(5)]
            finally:
                stop.set()
                puncher.join()
            sequences = [[record.sequence for record in part.records] for part in logs]
            assert all(found == list(range(len(found))) for found in sequences)
            total = terminal.sizes().records
            seen = sum(1 for event in heard(terminal, 2 * (total - 3000)) if event.kind is LiveKind.GRANTED)
            assert seen == total - 3000

    def test_listening_to_a_terminal_that_goes_away(self) -> None:
        with simulator(users=5) as simulated, session(simulated) as terminal:
            terminal.listen(seconds=0.0)
            simulated.power_off()
            with pytest.raises(DeviceUnreachable):
                terminal.listen(seconds=5)


class TestEnrolment:
    @pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
    def test_finger_becomes_a_template(self, udp: bool) -> None:
        with simulator(users=3, udp=udp, sample_ms=2.0) as simulated, session(simulated, udp=udp) as terminal:
            enrolled = terminal.enrol(EVA, 6, seconds=10)
            assert enrolled.samples == 3
            assert list(terminal.templates()) == [enrolled.template]
            assert EVA in terminal.users()
            terminal.listen(seconds=0.0)
            simulated.present_finger("2002", 6)
            assert "2002" in [event.user_id for event in heard(terminal, 2)]

    @pytest.mark.parametrize(
        ("line", "reason"), [("bad-quality", "quality"), ("timeout", "timeout"), ("duplicate", "duplicate")]
    )
    def test_finger_that_is_not_taken(self, line: str, reason: str) -> None:
        with simulator(users=3, finger="manual", sample_ms=2.0) as simulated, session(simulated) as terminal:
            simulated.finger_ready("2002", line, 6)
            with pytest.raises(EnrolmentFailed) as failed:
                terminal.enrol(EVA, 6, seconds=10)
            assert failed.value.reason == reason
            assert terminal.templates() == ()
            simulated.present_card(100001)
            assert terminal.sizes().records == 1

    def test_nobody_comes(self) -> None:
        with simulator(users=3, finger="manual") as simulated, session(simulated, deadline=1.0) as terminal:
            started = time.monotonic()
            with pytest.raises(EnrolmentFailed) as failed:
                terminal.enrol(EVA, 6, seconds=0.5)
            assert failed.value.reason == "timeout"
            assert time.monotonic() - started < 15
            assert terminal.sizes().users == 4

    def test_terminal_that_goes_away(self) -> None:
        with simulator(users=3, finger="manual") as simulated, session(simulated) as terminal:
            cut = threading.Timer(0.3, simulated.power_off)
            cut.start()
            with pytest.raises(DeviceUnreachable):
                terminal.enrol(EVA, 6, seconds=10)
            cut.join()


def test_commands_that_a_terminal_does_not_know_are_refused() -> None:
    with simulator() as simulated, session(simulated) as terminal:
        with pytest.raises(DeviceRefused):
            terminal._command(4242)
        assert terminal.sizes().users == 0
