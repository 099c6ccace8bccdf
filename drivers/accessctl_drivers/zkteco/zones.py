"""Time zones of a terminal: one interval a day, fifty of them, three to a user.

An answer to TZ_RRQ is `index u16 | seven days | 2 fixed bytes`, what TZ_WRQ sends is `index u32 | seven days`; a day,
Sunday first, is start hour, start minute, end hour, end minute. A start after the end means that the day is closed; the
last minute is inside, so the same minute twice is that one minute, but for 00:00 to 00:00, which ports call closed.
Source: zk-protocol access.md, with its capture of zone 48.
"""

from struct import Struct

from accessctl.ports import DeviceMisbehaved, TimeZoneWeek

MAX_INDEX = 50
LAST_MINUTE = 23 * 60 + 59
CLOSED = (0, 0)
_INDEX_ASKED = Struct("<I")
_INDEX_ANSWERED = Struct("<H")
_DAY = Struct("<4B")
_CLOSED_WIRE = (23, 57, 23, 56)  # as terminals themselves write a day that never opens
_DAYS = 7


def ask_zone(index: int) -> bytes:
    """The data of TZ_RRQ; ValueError outside 1 to 50."""
    if not 1 <= index <= MAX_INDEX:
        raise ValueError(f"time zone {index} is outside 1 to {MAX_INDEX}")
    return _INDEX_ASKED.pack(index)


def encode_zone(week: TimeZoneWeek) -> bytes:
    """The data of TZ_WRQ. The last minute that a day has is 23:59 (1439); ValueError outside 0..1439 or backwards."""
    if len(week.days) != _DAYS:
        raise ValueError(f"a week has seven days, not {len(week.days)}")
    days = bytearray()
    for start, end in week.days:
        if (start, end) == CLOSED:
            days += _DAY.pack(*_CLOSED_WIRE)
            continue
        if not 0 <= start <= end <= LAST_MINUTE:
            raise ValueError(f"interval {start} to {end} is not within 0 to {LAST_MINUTE} minutes")
        days += _DAY.pack(*divmod(start, 60), *divmod(end, 60))
    return ask_zone(week.index) + bytes(days)


def decode_zone(data: bytes, index: int) -> TimeZoneWeek:
    """The answer to TZ_RRQ for `index`; DeviceMisbehaved at another zone, a short answer or an impossible hour."""
    if len(data) < _INDEX_ANSWERED.size + _DAYS * _DAY.size:
        raise DeviceMisbehaved(f"time zone answered with {len(data)} bytes")
    (answered,) = _INDEX_ANSWERED.unpack_from(data)
    if answered != index:
        raise DeviceMisbehaved(f"asked for time zone {index}, got {answered}")
    days: list[tuple[int, int]] = []
    for day in range(_DAYS):
        hour, minute, end_hour, end_minute = _DAY.unpack_from(data, _INDEX_ANSWERED.size + day * _DAY.size)
        if hour > 24 or end_hour > 24 or minute > 59 or end_minute > 59:
            raise DeviceMisbehaved(f"time zone {index} has {hour}:{minute} to {end_hour}:{end_minute} on day {day}")
        start, end = hour * 60 + minute, min(end_hour * 60 + end_minute, LAST_MINUTE)
        days.append((start, end) if start <= end else CLOSED)
    return TimeZoneWeek(index=index, days=tuple(days))
