"""Events, questions and rows of a transaction query. Lines are the vendor's examples and field captures.

Sources: Security PUSH 3.1.2, sections on rtlog, tabledata and remote identification; captures of SenseFace 3A and F22.
"""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.errors import Reason
from accessctl.ports import PushKind
from accessctl_drivers.push.codes import KINDS, kind_of
from accessctl_drivers.push.events import parse_question, parse_rtlog, parse_transactions
from accessctl_drivers.push.fields import TooMuch, lines_of
from accessctl_drivers.push.redaction import without_secrets

VENDOR = "time=2017-01-10 11:49:32\tpin=0\tcardno=0\teventaddr=1\tevent=27\tinoutstatus=1\tverifytype=0\tindex=21"
SENSEFACE = (
    "time=2026-02-23 14:13:48\tpin=2\tcardno=0\teventaddr=1\tevent=3\tinoutstatus=0\tverifytype=15\tindex=140"
    "\tsitecode=0\tlink\tmaskflag=0\ttemperature=0\tconvtemperature=0"
)
F22 = "time=2026-08-11 21:47:45\tpin=1\tcardno=1233447\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=4\tindex=353"
C3 = (
    "time=2026-08-11 21:47:45\tpin=7\tcardno=99\teventaddr=2\tevent=22\tinoutstatus=3"
    "\tverifytype=00000000000000000000000000000000\tindex=4\tsn=DDG7012017010600049"
)


def test_the_vendors_example() -> None:
    (event,) = parse_rtlog([VENDOR])
    assert (event.kind, event.code, event.door, event.pin, event.card) == (PushKind.REFUSED, 27, 1, "", 0)
    assert event.at == datetime.fromisoformat("2017-01-10 11:49:32")
    assert (event.leaving, event.index, event.reason) == (True, 21, Reason.UNKNOWN_CREDENTIAL)


def test_field_captures() -> None:
    face, card, controller = parse_rtlog([SENSEFACE, F22, C3])
    assert (face.kind, face.factor, face.pin, face.leaving) == (PushKind.GRANTED, "face", "2", False)
    assert (card.kind, card.factor, card.card, card.index) == (PushKind.GRANTED, "card", 1233447, 353)
    assert (controller.kind, controller.reason, controller.leaving) == (
        PushKind.REFUSED,
        Reason.OUTSIDE_SCHEDULE,
        True,
    )


def test_upload_and_query_agree_on_what_is_one_event() -> None:
    row = (
        "transaction cardno=1233447\tpin=1\tverified=200\tdoorid=1\teventtype=0\tinoutstate=0"
        "\ttime_second=839512065\tindex=353\tsitecode=0\tdevid=1\tsn=x"
    )
    (queried,) = parse_transactions([row])
    (uploaded,) = parse_rtlog(
        [F22.replace("21:47:45", f"{queried.at:%H:%M:%S}").replace("2026-08-11", f"{queried.at:%Y-%m-%d}")]
    )
    assert queried.digest == uploaded.digest
    assert parse_rtlog([F22.replace("index=353", "index=354")])[0].digest != parse_rtlog([F22])[0].digest


def test_state_lines_are_no_events() -> None:
    assert parse_rtlog([VENDOR.replace("event=27", "event=255")]) == []


def test_a_bad_line_fails_no_batch() -> None:
    events = parse_rtlog([VENDOR, "garbage", F22[:20], F22, VENDOR.replace("pin=0", "pin=x';DROP TABLE event;--")])
    assert [event.kind for event in events] == [
        PushKind.REFUSED,
        PushKind.UNREADABLE,
        PushKind.UNREADABLE,
        PushKind.GRANTED,
        PushKind.UNREADABLE,
    ]
    assert events[1].digest != events[2].digest


def test_a_date_that_is_none_keeps_its_event() -> None:
    (event,) = parse_rtlog([VENDOR.replace("2017-01-10", "2017-02-31")])
    assert event.at is None
    assert event.kind is PushKind.REFUSED


def test_a_question() -> None:
    line = (
        "time=2026-11-23 08:00:00\tpin=\tcardno=4711\taddrtype=2\teventaddr=1\tevent=223\tinoutstatus=0\tverifytype=4"
    )
    event = parse_question(line)
    assert event is not None
    assert (event.kind, event.card, event.door, event.line) == (PushKind.ASKED, 4711, 1, line)
    assert parse_question("cardno=1") is None
    assert parse_question("") is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, PushKind.GRANTED),
        (28, PushKind.HELD_OPEN),
        (101, PushKind.DURESS),
        (102, PushKind.FORCED),
        (109, PushKind.TAMPER),
        (200, PushKind.DOOR_OPENED),
        (202, PushKind.EXIT_BUTTON),
        (222, PushKind.ANSWERED_YES),
        (44, PushKind.ANSWERED_NO),
        (8, PushKind.UNLOCKED),
        (6000, PushKind.FIRE),
        (88, PushKind.REFUSED),
        (5123, PushKind.REFUSED),
        (65000, PushKind.OTHER),
    ],
)
def test_codes(code: int, kind: PushKind) -> None:
    assert kind_of(code) is kind


def test_no_code_stands_for_two_kinds() -> None:
    assert len(KINDS) == len(set(KINDS))
    assert all(0 <= code <= 65535 for code in KINDS)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r\x00"), max_size=200), max_size=20))
def test_every_line_is_an_event_or_a_state(lines: list[str]) -> None:
    for events in (parse_rtlog(lines), parse_transactions(lines)):
        assert len(events) <= len(lines)
        assert all(len(event.line) <= 300 for event in events)


@given(st.binary(max_size=3000))
def test_any_body_is_lines(body: bytes) -> None:
    for line in lines_of(body):
        parse_rtlog([line])
        parse_question(line)


def test_a_body_of_too_many_lines_is_refused() -> None:
    with pytest.raises(TooMuch):
        lines_of(b"a\n" * 5001)


def test_secrets_are_not_kept() -> None:
    line = "USER PIN=7\tName=Ana\tPasswd=4711\tCard=1\tTMP=" + "Qk1O" * 40 + "\tComPwd=secret"
    kept = without_secrets(line)
    for secret in ("4711", "Qk1O", "secret"):
        assert secret not in kept
    (event,) = parse_rtlog([f"nonsense Password=hunter2 {'A' * 60}"])
    assert "hunter2" not in event.line
    assert "A" * 48 not in event.line
    assert "hunter2" not in repr(event)
