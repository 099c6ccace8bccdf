"""The terminal's time: a u32 on the wire, six bytes in live events, and a clock that a person may set wrong.

`u32 = ((year % 100 * 12 + month - 1) * 31 + day - 1) * 86400 + seconds of the day` (zk-protocol terminal.md; the
decoder
printed there computes the year wrongly, ours inverts the formula). Times are naive local times, as on the device.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta


def encode_time(at: datetime) -> int:
    """The u32 of `at`; years 2000 to 2099."""
    days = (at.year % 100 * 12 + at.month - 1) * 31 + at.day - 1
    return days * 86_400 + at.hour * 3600 + at.minute * 60 + at.second


def decode_time(number: int) -> datetime:
    """The naive local time of a u32. Raises ValueError for a day such as 31 February, which the format can say."""
    days, seconds = divmod(number, 86_400)
    months, day = divmod(days, 31)
    year, month = divmod(months, 12)
    return datetime(2000 + year, month + 1, day + 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - the device knows no zone


def event_time(at: datetime) -> bytes:
    """`YY MM DD hh mm ss` in binary, as in EF_ATTLOG."""
    return bytes((at.year % 100, at.month, at.day, at.hour, at.minute, at.second))


class DeviceClock:
    """Local time as the terminal believes it: the host's time, a fixed zone, and how far it was set wrong."""

    def __init__(self, *, utc_offset_hours: float, host: Callable[[], float] = time.time) -> None:
        self._host = host
        self.zone = timedelta(hours=utc_offset_hours)
        self.offset = timedelta()
        self.skew = timedelta()  # the fault; a client that sets the time does not take it away

    def now(self) -> datetime:
        """Naive local device time, whole seconds."""
        true = datetime(1970, 1, 1) + timedelta(seconds=self._host()) + self.zone  # noqa: DTZ001 - naive as on the device
        return (true + self.offset + self.skew).replace(microsecond=0)

    def set(self, local: datetime) -> None:
        """Set the clock, as CMD_SET_TIME does."""
        true = datetime(1970, 1, 1) + timedelta(seconds=self._host()) + self.zone  # noqa: DTZ001 - naive as on the device
        self.offset = local - true
