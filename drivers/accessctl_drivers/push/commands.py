"""Commands to a controller, written strictly, and what it says came of them (Security PUSH 3.1.2, on `devicecmd`).

`C:<number>:<command>`; rows are fields separated by tabs. A value that does not fit raises `ValueError` before anything
goes out: nothing that a person typed can end a field, a line or a command.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from accessctl.ports import PushOrder, PushOrderKind, PushResult
from accessctl_drivers.push import times
from accessctl_drivers.push.fields import is_token, number_of
from accessctl_drivers.push.tables import DAYS, INTERVALS

MOST_RESULTS = 200
LARGEST_NUMBER = 2**31 - 1


def command(number: int, order: PushOrder) -> str:
    """One command as the answer to a poll. Raises `ValueError` for what no controller could carry out."""
    if not 1 <= number <= LARGEST_NUMBER:
        raise ValueError(f"command {number}")
    return f"C:{number}:{_WRITTEN[order.kind](order)}"


def open_operand(door: int, seconds: int) -> str:
    """`CONTROL DEVICE` for one door: never door 0, which is all of them, nor 255 seconds, which is for ever."""
    return f"CONTROL DEVICE 01{_within(door, 1, 64):02X}01{_within(seconds, 1, 254):02X}"


def parse_results(lines: Sequence[str]) -> list[PushResult]:
    """`ID=415&Return=3&CMD=DATA QUERY`, one a line; lines that are none (a shell's output) are passed over."""
    found = []
    for line in lines[:MOST_RESULTS]:
        fields = {name.strip().lower(): value.strip() for name, _, value in (p.partition("=") for p in line.split("&"))}
        number = number_of(fields.get("id"), most=LARGEST_NUMBER)
        text = fields.get("return", "")
        code = number_of(text.removeprefix("-"), most=LARGEST_NUMBER)
        if number is not None and code is not None:
            found.append(PushResult(number=number, code=-code if text.startswith("-") else code))
    return found


def _within(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(f"{value}: from {least} to {most}")
    return value


def _pin(order: PushOrder) -> str:
    if not is_token(order.pin, longest=9) or not order.pin.isdecimal() or order.pin.startswith("0"):
        raise ValueError("a person's number is one to nine digits")
    return order.pin


def _local(at: datetime | None) -> int:
    if at is None:
        raise ValueError("no time to set")
    return times.encode(at)


def _user(order: PushOrder) -> str:
    card = _within(order.card, 0, 0xFFFF_FFFF)
    shown = str(card) if card else ""
    start, end = (_date(at, seconds=order.dates_in_seconds) for at in (order.start, order.end))
    rest = f"Password=\tGroup=0\tStartTime={start}\tEndTime={end}\tName=\tPrivilege=0"  # no name, no password goes out
    return f"DATA UPDATE user CardNo={shown}\tPin={_pin(order)}\t{rest}"


def _date(at: datetime | None, *, seconds: bool) -> int:
    """A user's limit: 0 is none. In whole days the hour is lost, which is for the caller to know."""
    if at is None:
        return 0
    packed = times.encode(at)
    return packed if seconds else at.year * 10_000 + at.month * 100 + at.day


def _right(order: PushOrder) -> str:
    zone, doors = _within(order.zone, 1, 50), _within(order.door, 1, 0xFF)
    return f"DATA UPDATE userauthorize Pin={_pin(order)}\tAuthorizeTimezoneId={zone}\tAuthorizeDoorId={doors}\tDevID=1"


def _time_zone(order: PushOrder) -> str:
    if len(order.week) != 7 or any(len(day) > INTERVALS for day in order.week):
        raise ValueError("a time zone is seven days of at most three intervals")
    fields = [f"TimezoneId={_within(order.zone, 2, 50)}"]  # 1 is the controller's own "always"
    holidays = tuple(() for _ in range(3))
    for name, day in zip((*DAYS, "Hol1", "Hol2", "Hol3"), (*order.week, *holidays), strict=True):
        for place in range(INTERVALS):
            value = interval(*day[place]) if place < len(day) else 0
            fields.append(f"{name}Time{place + 1}={value}")
    return "DATA UPDATE timezone " + "\t".join(fields)


def interval(start: int, end: int) -> int:
    """Two minutes of the day as `(HHMM << 16) + HHMM`: 08:30 to 12:00 is 54396080."""
    if not 0 <= start < end <= 1439:
        raise ValueError(f"minutes {start} to {end}")
    begin, until = (minute // 60 * 100 + minute % 60 for minute in (start, end))
    return (begin << 16) + until


_WRITTEN: dict[PushOrderKind, Callable[[PushOrder], str]] = {
    PushOrderKind.OPEN: lambda order: open_operand(order.door, order.seconds),
    PushOrderKind.LOCK_DOWN: lambda order: f"CONTROL DEVICE 06{_within(order.door, 1, 64):02X}01",
    PushOrderKind.END_LOCK_DOWN: lambda order: f"CONTROL DEVICE 06{_within(order.door, 1, 64):02X}00",
    PushOrderKind.CANCEL_ALARM: lambda order: f"CONTROL DEVICE 02{_within(order.door, 0, 64):02X}0000",
    PushOrderKind.SET_CLOCK: lambda order: f"SET OPTIONS DateTime={_local(order.at)}",
    PushOrderKind.RESEND: lambda order: f"ACCOUNT transaction MaxIndex={_within(order.index, 0, 0xFFFF_FFFF)}",
    PushOrderKind.QUERY_NEW_EVENTS: lambda _: "DATA QUERY tablename=transaction,fielddesc=*,filter=NewRecord",
    PushOrderKind.QUERY_USERS: lambda _: "DATA QUERY tablename=user,fielddesc=*,filter=*",
    PushOrderKind.QUERY_RIGHTS: lambda _: "DATA QUERY tablename=userauthorize,fielddesc=*,filter=*",
    PushOrderKind.QUERY_TIME_ZONES: lambda _: "DATA QUERY tablename=timezone,fielddesc=*,filter=*",
    PushOrderKind.PUT_USER: _user,
    PushOrderKind.PUT_RIGHT: _right,
    PushOrderKind.PUT_TIME_ZONE: _time_zone,
    PushOrderKind.REMOVE_RIGHT: lambda order: f"DATA DELETE userauthorize Pin={_pin(order)}",
    PushOrderKind.REMOVE_FINGERS: lambda order: f"DATA DELETE templatev10 Pin={_pin(order)}",
    PushOrderKind.REMOVE_USER: lambda order: f"DATA DELETE user Pin={_pin(order)}",
}
