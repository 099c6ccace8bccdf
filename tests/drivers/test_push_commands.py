"""Commands as they go out, to the letter, and results as they come in (Security PUSH 3.1.2, on commands)."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.ports import PushOrder, PushOrderKind, PushResult
from accessctl_drivers.push.commands import command, interval, open_operand, parse_results

ALWAYS = (((0, 1439),),) * 7


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (PushOrder(kind=PushOrderKind.OPEN, door=1, seconds=5), "C:221:CONTROL DEVICE 01010105"),
        (PushOrder(kind=PushOrderKind.CANCEL_ALARM, door=1), "C:221:CONTROL DEVICE 02010000"),
        (PushOrder(kind=PushOrderKind.LOCK_DOWN, door=2), "C:221:CONTROL DEVICE 060201"),
        (PushOrder(kind=PushOrderKind.END_LOCK_DOWN, door=2), "C:221:CONTROL DEVICE 060200"),
        (
            PushOrder(kind=PushOrderKind.SET_CLOCK, at=datetime.fromisoformat("2018-02-22 14:54:54")),
            "C:221:SET OPTIONS DateTime=583080894",
        ),
        (PushOrder(kind=PushOrderKind.RESEND, index=92), "C:221:ACCOUNT transaction MaxIndex=92"),
        (
            PushOrder(kind=PushOrderKind.QUERY_NEW_EVENTS),
            "C:221:DATA QUERY tablename=transaction,fielddesc=*,filter=NewRecord",
        ),
        (PushOrder(kind=PushOrderKind.QUERY_USERS), "C:221:DATA QUERY tablename=user,fielddesc=*,filter=*"),
        (
            PushOrder(kind=PushOrderKind.PUT_RIGHT, pin="1", zone=1, door=5),
            "C:221:DATA UPDATE userauthorize Pin=1\tAuthorizeTimezoneId=1\tAuthorizeDoorId=5\tDevID=1",
        ),
        (PushOrder(kind=PushOrderKind.REMOVE_RIGHT, pin="1"), "C:221:DATA DELETE userauthorize Pin=1"),
        (PushOrder(kind=PushOrderKind.REMOVE_USER, pin="1"), "C:221:DATA DELETE user Pin=1"),
        (
            PushOrder(kind=PushOrderKind.PUT_USER, pin="1", card=123456789),
            (
                "C:221:DATA UPDATE user CardNo=123456789\tPin=1\tPassword=\tGroup=0\tStartTime=0\tEndTime=0\tName="
                "\tPrivilege=0"
            ),
        ),
    ],
)
def test_to_the_letter(order: PushOrder, text: str) -> None:
    assert command(221, order) == text


def test_a_time_zone() -> None:
    assert interval(510, 720) == 54396080  # 08:30 to 12:00, the vendor's example
    text = command(307, PushOrder(kind=PushOrderKind.PUT_TIME_ZONE, zone=2, week=ALWAYS))
    assert text.startswith(
        "C:307:DATA UPDATE timezone TimezoneId=2\tSunTime1=2359\tSunTime2=0\tSunTime3=0\tMonTime1=2359"
    )
    assert text.endswith("Hol3Time3=0")
    assert text.count("\t") == 30


@pytest.mark.parametrize(
    "order",
    [
        PushOrder(kind=PushOrderKind.OPEN, door=0, seconds=5),  # 0 would open every door
        PushOrder(kind=PushOrderKind.OPEN, door=1, seconds=255),  # 255 would leave it open for ever
        PushOrder(kind=PushOrderKind.OPEN, door=1, seconds=0),
        PushOrder(kind=PushOrderKind.SET_CLOCK),
        PushOrder(kind=PushOrderKind.RESEND, index=-1),
        PushOrder(kind=PushOrderKind.PUT_USER, pin="1\tPrivilege=14"),
        PushOrder(kind=PushOrderKind.PUT_USER, pin="1", card=1 << 32),
        PushOrder(kind=PushOrderKind.PUT_RIGHT, pin="1", zone=1, door=0),
        PushOrder(kind=PushOrderKind.REMOVE_USER, pin="*"),
        PushOrder(kind=PushOrderKind.REMOVE_USER, pin="1\nC:9:CONTROL DEVICE 01010105"),
        PushOrder(kind=PushOrderKind.PUT_TIME_ZONE, zone=1, week=ALWAYS),  # 1 is the controller's own
        PushOrder(kind=PushOrderKind.PUT_TIME_ZONE, zone=2, week=(((720, 510),),) * 7),
    ],
)
def test_what_is_never_sent(order: PushOrder) -> None:
    with pytest.raises(ValueError, match=r"."):
        command(1, order)


@given(st.integers(-5, 300), st.integers(-5, 300))
def test_an_opening_is_one_door_for_a_while(door: int, seconds: int) -> None:
    if 1 <= door <= 64 and 1 <= seconds <= 254:
        assert open_operand(door, seconds) == f"CONTROL DEVICE 01{door:02X}01{seconds:02X}"
    else:
        with pytest.raises(ValueError, match="from"):
            open_operand(door, seconds)


def test_results() -> None:
    lines = [
        "ID=295&Return=0&CMD=DATA UPDATE",
        "ID=415&Return=3&CMD=DATA QUERY",
        "ID=9&Return=-629&CMD=DATA",
        "Content=x",
    ]
    assert parse_results(lines) == [
        PushResult(number=295, code=0),
        PushResult(number=415, code=3),
        PushResult(number=9, code=-629),
    ]


@given(st.lists(st.text(max_size=80), max_size=300))
def test_results_of_anything(lines: list[str]) -> None:
    assert len(parse_results(lines)) <= 200
