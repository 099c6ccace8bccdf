"""The terminal's clock on the wire: seconds in months of 31 days since 2000, naive local time.

`((year % 100) * 12 * 31 + (month - 1) * 31 + day - 1) * 86400 + seconds of the day`, so every month has 31 days and a
damaged number can name 30 February. Source: zk-protocol terminal.md (whose decoding snippet gets the year wrong),
checked with 0x2368B36B = 2018-06-25 17:50:35.
"""

from datetime import datetime
from struct import Struct

from accessctl.ports import DeviceMisbehaved

_U32 = Struct("<I")
_DAY = 86_400


def _split_day(days: int) -> tuple[int, int, int] | None:
    """Year, month, day of a number of 31-day-month days, None where the calendar has no such day."""
    months, day = divmod(days, 31)
    years, month = divmod(months, 12)
    try:
        datetime(2000 + years, month + 1, day + 1)  # noqa: DTZ001  a terminal's clock has no zone
    except ValueError:
        return None
    return 2000 + years, month + 1, day + 1


class DateReader:
    """Decodes times, remembering the days: a log of 100,000 records has a few hundred of them.

    A number that names no date gives None; the bytes stay with whoever holds the record.
    """

    def __init__(self) -> None:
        self._days: dict[int, tuple[int, int, int] | None] = {}

    def __call__(self, number: int) -> datetime | None:
        days, seconds = divmod(number, _DAY)
        try:
            date = self._days[days]
        except KeyError:
            date = self._days[days] = _split_day(days)
        if date is None:
            return None
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        return datetime(*date, hour, minute, second)  # noqa: DTZ001  a terminal's clock has no zone


def decode_time(number: int) -> datetime | None:
    """One time; None where the number is no date."""
    return DateReader()(number)


def encode_time(at: datetime) -> int:
    """A naive local time, 2000 to 2099, as the terminal counts it; ValueError otherwise."""
    if at.tzinfo is not None:
        raise ValueError("a terminal keeps naive local time: convert before")
    if not 2000 <= at.year <= 2099:
        raise ValueError(f"year {at.year} is outside 2000 to 2099, which is all that a terminal can keep")
    days = ((at.year % 100) * 12 + at.month - 1) * 31 + at.day - 1
    return days * _DAY + at.hour * 3600 + at.minute * 60 + at.second


def pack_time(at: datetime) -> bytes:
    """The data of SET_TIME."""
    return _U32.pack(encode_time(at))


def unpack_time(data: bytes) -> datetime:
    """The clock from the answer to GET_TIME; DeviceMisbehaved where it is short or no date."""
    if len(data) < _U32.size:
        raise DeviceMisbehaved(f"clock answered with {len(data)} bytes instead of 4")
    (number,) = _U32.unpack_from(data)
    at = decode_time(number)
    if at is None:
        raise DeviceMisbehaved(f"clock says {number}, which is no date")
    return at


def unpack_clock_bytes(data: bytes) -> datetime | None:
    """The six bytes of a real-time event: year since 2000, month, day, hour, minute, second; None if no date."""
    year, month, day, hour, minute, second = data
    try:
        return datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001  a terminal's clock has no zone
    except ValueError:
        return None
