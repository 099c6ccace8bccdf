"""Each fault, as a client feels it."""

from __future__ import annotations

import socket
import struct
from datetime import datetime

import pytest

from accessctl_sim.faults import FAULTS, Faults, UnknownFault, parse_fault
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal
from accessctl_sim.zk.wire import BadFrame, unpack

from .clients import pyzk, raw, until

STORED = TerminalConfig(users=100, records=200)


def test_every_shared_name_is_known() -> None:
    """interfaces: the same names on every device."""
    shared = (
        "split=1 coalesce close-mid-data drop=0.1 duplicate=0.1 delay=5 skew=3600 log-full reset-index wrong-checksum "
        "wrong-reply-id extra-event second-client-refused power-cycle=5"
    )
    assert {parse_fault(text).name for text in shared.split()} == set(FAULTS) - {"hang"}
    for bad in ("split", "split=0", "drop=x", "delay=-1", "nothing"):
        with pytest.raises(UnknownFault):
            parse_fault(bad)


def test_draws_repeat_with_their_seed() -> None:
    one, two = Faults(seed=3), Faults(seed=3)
    for faults in (one, two):
        faults.set(parse_fault("drop=0.5"))
    draws = [one.strikes("drop") for _ in range(100)]
    assert draws == [two.strikes("drop") for _ in range(100)]
    assert {True, False} == set(draws)


@pytest.mark.parametrize("fault", ["split=1", "split=7", "coalesce", "delay=3"])
def test_harmless_faults_change_no_data(fault: str) -> None:
    with ZkTerminal(TerminalConfig(users=20, records=30), faults=(fault,)) as terminal, raw(terminal) as client:
        users = client.read_all(9, 5)
        assert len(users) == 4 + 20 * 72


def test_split_really_splits() -> None:
    with ZkTerminal(TerminalConfig(), faults=("split=3",)) as terminal, raw(terminal) as client:
        client.send(1100)
        assert len(client.socket.recv(1000)) < 30


def test_coalesce_puts_answer_and_event_into_one_segment() -> None:
    with ZkTerminal(TerminalConfig(users=1)) as terminal, raw(terminal) as client:
        client.ask(500, struct.pack("<I", 0xFFFF))
        terminal.fault("coalesce")
        client.send(1100)
        terminal.present_card(100_001)
        client.socket.settimeout(5)
        segment = client.socket.recv(4096)
        assert segment.count(b"\x50\x50\x82\x7d") == 3


def test_close_mid_data() -> None:
    with ZkTerminal(STORED, faults=("close-mid-data",)) as terminal, raw(terminal) as client:
        size = struct.unpack_from("<I", client.ask(1503, struct.pack("<bhii", 1, 13, 0, 0)).data, 1)[0]
        client.send(1504, struct.pack("<ii", 0, size))
        assert client.receive().command == 1500
        with pytest.raises(EOFError):
            client.receive()
        terminal.clear_faults()
        with pyzk(terminal) as zk:
            assert len(zk.get_attendance()) == 200


def test_wrong_checksum_and_wrong_reply() -> None:
    with ZkTerminal(STORED) as terminal, raw(terminal) as client:
        terminal.fault("wrong-checksum")
        client.send(1100)
        with pytest.raises(BadFrame):
            unpack(client.receive_payload())
        terminal.clear_faults("wrong-checksum")
        terminal.fault("wrong-reply-id")
        client.send(1100, reply=9)
        assert client.receive().reply == 10


def test_extra_event_comes_before_the_answer() -> None:
    with ZkTerminal(STORED, faults=("extra-event",)) as terminal, raw(terminal, connect=False) as client:
        client.send(1000)
        assert [client.receive().command for _ in range(2)] == [500, 2000]


def test_drop_and_duplicate() -> None:
    with ZkTerminal(TerminalConfig(), faults=("duplicate=1",)) as terminal, raw(terminal, connect=False) as client:
        client.send(1000)
        assert client.receive() == client.receive()
        terminal.clear_faults()
        terminal.fault("drop=1")
        client.send(1100)
        until(lambda: terminal.state()["requests"] == 2)
        terminal.clear_faults()
        client.send(50)
        assert len(client.receive().data) == 92


def test_drop_loses_datagrams_both_ways() -> None:
    with (
        ZkTerminal(TerminalConfig(udp=True), faults=("drop=1",)) as terminal,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.settimeout(0.2)
        hello = bytes.fromhex("e80317fc00000000")
        client.sendto(hello, ("127.0.0.1", terminal.port))
        with pytest.raises(TimeoutError):
            client.recv(100)
        assert terminal.state()["requests"] == 0
        terminal.clear_faults()
        client.settimeout(5)
        client.sendto(hello, ("127.0.0.1", terminal.port))
        assert client.recv(100)[:2] == b"\xd0\x07"


def test_skew_outlives_a_set_clock() -> None:
    with ZkTerminal(TerminalConfig(), faults=("skew=3600",)) as terminal, pyzk(terminal) as zk:
        zk.set_time(datetime.fromisoformat("2026-11-23T12:00:00"))
        assert zk.get_time().replace(second=0) == datetime.fromisoformat("2026-11-23T13:00:00")
        terminal.clear_faults("skew")
        assert zk.get_time().replace(second=0) == datetime.fromisoformat("2026-11-23T12:00:00")


def test_a_full_log_refuses_or_wraps() -> None:
    with ZkTerminal(TerminalConfig(users=2, records=4), faults=("log-full",)) as terminal:
        assert terminal.present_card(100_001)["reason"] == "log-full"
        with pyzk(terminal) as zk:
            zk.read_sizes()
            assert (zk.records, zk.rec_av) == (4, 0)
        terminal.fault("log-full=wrap")
        assert terminal.present_card(100_001)["granted"] is True
        records = terminal.dump()["records"]
        assert isinstance(records, list)
        assert [r["at"] for r in records[:3]] == [f"2026-01-01T07:0{k}:00" for k in (1, 2, 3)]
        terminal.fault("reset-index")
        assert terminal.state()["records"] == 0


def test_a_small_log_fills_up() -> None:
    with ZkTerminal(TerminalConfig(users=1, records=1, record_cap=2)) as terminal:
        assert terminal.present_card(100_001)["granted"] is True
        assert terminal.present_card(100_001)["reason"] == "log-full"


def test_a_second_client_is_refused() -> None:
    with ZkTerminal(STORED, faults=("second-client-refused",)) as terminal:
        with raw(terminal), socket.create_connection(("127.0.0.1", terminal.port), timeout=5) as second:
            assert second.recv(1) == b""
        until(lambda: terminal.state()["clients"] == 0)
        with pyzk(terminal) as zk:  # its empty probe does not count as a client
            assert len(zk.get_users()) == 100


def test_power_cycle_cuts_and_comes_back_on_the_same_port() -> None:
    with ZkTerminal(STORED) as terminal, raw(terminal) as client:
        port = terminal.port
        terminal.power_cycle(0.2)
        with pytest.raises((EOFError, ConnectionResetError)):
            client.ask(1100)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)
        until(lambda: terminal.state()["powered"])
        assert terminal.port == port
        with pyzk(terminal) as zk:
            assert len(zk.get_attendance()) == 200


def test_power_cycle_at_the_start_strikes_later() -> None:
    with ZkTerminal(STORED, faults=("power-cycle=0.1",)) as terminal:
        assert terminal.state()["powered"] is True
        until(lambda: not terminal.state()["powered"])
        until(lambda: terminal.state()["powered"])


def test_hang_takes_and_never_answers() -> None:
    with ZkTerminal(STORED) as terminal, raw(terminal) as client:
        terminal.fault("hang")
        client.send(1100)
        client.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.receive()
