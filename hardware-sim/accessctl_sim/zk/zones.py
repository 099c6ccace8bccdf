"""Time zones and groups of a terminal: when which users may open (zk-protocol access.md).

A time zone holds seven spans, Sunday first; a span that starts after its end means never. A user with its own zones
uses them, any other the zones of the group. Number 0 is no zone; where none is left, the user may always open.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from datetime import datetime

Span = tuple[int, int, int, int]  # start hour, start minute, end hour, end minute
ALWAYS: tuple[Span, ...] = ((0, 0, 23, 59),) * 7
_GROUP = struct.Struct("<BHHHB")
TIMEZONE_NUMBERS = range(1, 51)
GROUP_NUMBERS = range(1, 101)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group's zones, and how its members verify: low seven bits the style, bit 7 whether holidays count."""

    number: int
    tz: tuple[int, int, int] = (1, 0, 0)
    verify: int = 0

    def pack(self) -> bytes:
        return _GROUP.pack(self.number, *self.tz, self.verify)


def unpack_group(data: bytes) -> Group:
    """The eight bytes of CMD_GRPTZ_WRQ; ValueError if they name no group or zone."""
    if len(data) < _GROUP.size:
        raise ValueError(f"group settings of {len(data)} bytes")
    number, *tz, verify = _GROUP.unpack_from(data)
    if number not in GROUP_NUMBERS:
        raise ValueError(f"group {number}")
    return Group(number=number, tz=(tz[0], tz[1], tz[2]), verify=verify)


def pack_spans(spans: tuple[Span, ...]) -> bytes:
    """Seven spans, four bytes each."""
    return b"".join(bytes(span) for span in spans)


def unpack_spans(data: bytes) -> tuple[Span, ...]:
    """Seven spans; ValueError for an hour past 24 or a minute past 59."""
    if len(data) < 28:
        raise ValueError(f"time zone of {len(data)} bytes")
    spans = tuple((data[i], data[i + 1], data[i + 2], data[i + 3]) for i in range(0, 28, 4))
    if any(h1 > 24 or h2 > 24 or m1 > 59 or m2 > 59 for h1, m1, h2, m2 in spans):
        raise ValueError("time zone with an hour past 24 or a minute past 59")
    return spans


class Zones:
    """The zones, groups and unlock combinations in force."""

    def __init__(self) -> None:
        self.spans: dict[int, tuple[Span, ...]] = {}
        self.groups: dict[int, Group] = {}
        self.combinations: dict[int, bytes] = {}

    def reset(self) -> None:
        """CMD_CLEAR_ACC: everything back to what the factory set."""
        self.spans.clear()
        self.groups.clear()
        self.combinations.clear()

    def spans_of(self, number: int) -> tuple[Span, ...]:
        return self.spans.get(number, ALWAYS)

    def group(self, number: int) -> Group:
        """Group 0 is what some clients write; terminals take it as the default group 1."""
        return self.groups.get(number or 1, Group(number=number or 1))

    def set_group(self, group: Group) -> None:
        self.groups[group.number] = replace(group)

    def allow(self, *, own: tuple[int, ...], group: int, at: datetime) -> bool:
        """Whether a user may open at the device's local time: inside any zone of its own, or else of its group."""
        numbers = [n for n in own if n] or [n for n in self.group(group).tz if n]
        if not numbers:
            return True
        weekday = at.isoweekday() % 7
        minute = at.hour * 60 + at.minute
        for number in numbers:
            h1, m1, h2, m2 = self.spans_of(number)[weekday]
            if h1 * 60 + m1 <= minute <= h2 * 60 + m2:
                return True
        return False
