"""Unmodified pyzk 0.9 against the terminal: every call of it that works on real hardware."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from zk.exception import ZKErrorResponse
from zk.finger import Finger

from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.fingers import block_of
from accessctl_sim.zk.terminal import ZkTerminal

from .clients import pyzk, until

SETUPS = {
    "tcp": TerminalConfig(users=250, records=700, sample_ms=1),
    "udp": TerminalConfig(users=250, records=700, udp=True, sample_ms=1),
    "key": TerminalConfig(users=20, records=30, commkey=45, sample_ms=1),
    "udp-key": TerminalConfig(users=20, records=30, commkey=123456, udp=True, sample_ms=1),
    "old": TerminalConfig(users=250, records=700, user_format=28, record_format=16, sample_ms=1),
    "oldest": TerminalConfig(users=50, records=300, user_format=28, record_format=8, sample_ms=1),
    "small-frames": TerminalConfig(users=40, records=70, max_frame=1008, frame_gap_ms=5, sample_ms=1),
    "empty": TerminalConfig(sample_ms=1),
}


@pytest.mark.parametrize("name", SETUPS)
def test_everything_that_pyzk_can_do(name: str) -> None:
    config = SETUPS[name]
    with (
        ZkTerminal(config) as terminal,
        pyzk(terminal, password=config.commkey, udp=config.udp) as zk,
    ):
        assert zk.get_serialnumber() == config.serial
        assert zk.get_firmware_version() == "Ver 6.60 Jul  1 2020"
        assert zk.get_platform() == "ZLM60_TFT"
        assert zk.get_device_name() == "accessctl-sim"
        assert zk.get_mac() == "00:17:61:00:00:01"
        assert (zk.get_face_version(), zk.get_fp_version(), zk.get_extend_fmt()) == (0, 10, 0)
        assert (zk.get_user_extend_fmt(), zk.get_face_fun_on(), zk.get_compat_old_firmware()) == (0, 0, 0)
        assert zk.get_network_params()["ip"] == "127.0.0.1"
        assert zk.get_pin_width() == 9
        assert zk.set_sdk_build_1()
        assert zk.disable_device()
        assert terminal.state()["enabled"] is False
        assert zk.enable_device()
        _users(zk, config)
        _records(zk, config)
        _fingers(zk, terminal)
        zk.set_time(datetime.fromisoformat("2026-11-23T12:00:00"))
        assert zk.get_time().replace(second=0) == datetime.fromisoformat("2026-11-23T12:00:00")
        assert zk.test_voice(0)
        assert zk.unlock(1)
        assert terminal.state()["locked"] is False
        assert zk.free_data()
        assert zk.clear_attendance()
        assert zk.get_attendance() == []


def _users(zk: object, config: TerminalConfig) -> None:
    users = zk.get_users()
    assert [u.user_id for u in users] == [str(1000 + i) for i in range(1, config.users + 1)]
    assert [u.card for u in users] == [100_000 + i for i in range(1, config.users + 1)]
    zk.set_user(uid=900, name="Ñandú", privilege=14, password="123", user_id="4711", card=2**32 - 1)
    added = next(u for u in zk.get_users() if u.uid == 900)
    assert (added.name, added.privilege, added.password, added.card) == ("Ñandú", 14, "123", 2**32 - 1)
    zk.read_sizes()
    assert (zk.users, zk.cards, zk.users_av) == (config.users + 1, 1, config.user_cap - config.users - 1)
    zk.delete_user(uid=900)
    zk.read_sizes()
    assert zk.users == config.users
    with pytest.raises(ZKErrorResponse):
        zk.delete_user(uid=900)


def _records(zk: object, config: TerminalConfig) -> None:
    records = zk.get_attendance()
    assert len(records) == config.records
    for k, record in enumerate(records[:40]):
        assert record.user_id == str(1001 + k % config.users)
        assert record.timestamp == datetime.fromisoformat("2026-01-01T07:00:00") + timedelta(minutes=k)
        assert (record.status, record.punch) == (1, 0)


def _fingers(zk: object, terminal: ZkTerminal) -> None:
    zk.set_user(uid=901, name="Ana", user_id="901")
    assert zk.enroll_user(uid=901, temp_id=2)
    expected = block_of("901", 2)
    assert zk.get_user_template(901, 2).template == expected
    assert [(f.uid, f.fid, f.template) for f in zk.get_templates()] == [(901, 2, expected)]
    ana = next(u for u in zk.get_users() if u.uid == 901)
    long = bytes(range(1, 256)) * 8
    zk.save_user_template(ana, [Finger(901, 2, 1, expected), Finger(901, 5, 1, long)])
    assert zk.get_user_template(901, 5).template == long
    assert len(zk.get_templates()) == 2
    assert zk.delete_user_template(uid=901, temp_id=5)
    assert not zk.delete_user_template(uid=901, temp_id=5)
    assert zk.get_user_template(901, 5) is None
    assert terminal.present_finger("901", 2)["granted"] is True
    for outcome in ("bad-quality", "timeout", "duplicate"):
        terminal.finger_ready("901", outcome)
        assert not zk.enroll_user(uid=901, temp_id=3)
    zk.delete_user(uid=901)
    assert zk.get_templates() == []


@pytest.mark.parametrize("udp", [False, True])
def test_a_wrong_key_is_refused(udp: bool) -> None:
    with ZkTerminal(TerminalConfig(commkey=45, udp=udp)) as terminal:
        with pytest.raises(ZKErrorResponse, match="Unauthenticated"), pyzk(terminal, password=12, udp=udp):
            pass
        with pyzk(terminal, password=45, udp=udp) as zk:
            assert zk.get_users() == []


@pytest.mark.parametrize(("udp", "user_format"), [(False, 72), (True, 72), (False, 28)])
def test_live_capture_sees_who_got_in(udp: bool, user_format: int) -> None:
    config = TerminalConfig(users=3, user_format=user_format, udp=udp)
    with ZkTerminal(config) as terminal, pyzk(terminal, udp=udp) as zk:
        live = zk.live_capture(new_timeout=0.3)
        seen = [next(live)]  # nothing yet: registered, and the first wait ran out
        terminal.present_card(100_002)
        seen.append(next(live))
        terminal.present_card(4)
        seen.append(next(live))
        zk.end_live_capture = True
        assert list(live) == []
    assert [s and (s.user_id, s.uid, s.status) for s in seen] == [None, ("1002", 2, 2), None]


def test_restart_is_acknowledged_and_the_terminal_comes_back() -> None:
    with ZkTerminal(TerminalConfig(users=1, restart_s=0.1)) as terminal:
        with pyzk(terminal) as zk:
            assert zk.restart()
        until(lambda: any(n.get("on") is True for n in list(terminal.notices)))
        with pyzk(terminal) as zk:
            assert len(zk.get_users()) == 1
