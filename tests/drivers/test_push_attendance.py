"""The attendance dialect. Lines: vendor's examples (attendance PUSH 2.4.1) and an F22 that mixes the dialects."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from accessctl.ports import PushKind, PushUser
from accessctl_drivers.push.attendance import parse_attlog, parse_operlog


def test_positional_lines() -> None:
    lines = ["1001\t2026-11-23 08:00:01\t0\t1\t0\t0\t0", "1001\t2026-11-23 17:00:01\t1\t4", "1002\t2026-11-23 08:00:02"]
    first, second, third = parse_attlog(lines)
    assert (first.kind, first.pin, first.factor, first.leaving) == (PushKind.GRANTED, "1001", "finger", False)
    assert first.at == datetime.fromisoformat("2026-11-23 08:00:01")
    assert (second.leaving, second.factor) == (True, "card")
    assert (third.leaving, third.factor) == (None, "")
    assert len({event.digest for event in (first, second, third)}) == 3
    assert parse_attlog(lines[:1])[0].digest == first.digest


def test_mixed_firmware_posts_fields_under_attlog() -> None:
    line = (
        "time=2026-08-11 21:47:45\tpin=1\tcardno=1233447\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=4\tindex=353"
    )
    (event,) = parse_attlog([line])
    assert (event.card, event.index) == (1233447, 353)


def test_operlog_keeps_users_and_operations_and_no_template() -> None:
    said = parse_operlog(
        [
            "USER PIN=7\tName=Asha Rao\tPri=0\tPasswd=1234\tCard=12345\tGrp=1\tTZ=0000000100000000",
            "FP PIN=7\tFID=0\tSize=8\tValid=1\tTMP=" + "QUJD" * 30,
            "OPLOG 4\t0\t2026-11-23 08:00:01\t0\t0\t0\t0",
        ]
    )
    assert said.users == (PushUser(pin="7", card=12345),)
    (operation,) = said.events
    assert (operation.kind, operation.code, operation.at) == (
        PushKind.ADMIN,
        4,
        datetime.fromisoformat("2026-11-23 08:00:01"),
    )
    assert "QUJD" not in repr(said)


@given(st.lists(st.text(max_size=120), max_size=10))
def test_no_line_is_too_strange(lines: list[str]) -> None:
    parse_attlog(lines)
    parse_operlog(lines)
