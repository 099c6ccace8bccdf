"""Which entries a search finds: the record is walked through in stretches, so that no answer takes long.

Left alone, a database that is asked for two values walks through every entry of the one that it guesses to be rarer,
and it guesses wrong: values that are common apart and never together cost it the whole record. So here

* the field whose value is the rarest, by a look at the ends of the indexes, leads, and the others are only compared;
* a time is first looked up in `event_block`, which says between which moments each block of the record lies: what is
  outside is passed over, and entries that came late are found where they stand;
* the walk goes stretch by stretch, each about as long as its predecessors were cheap, and ends when the page is full,
  the record is over, or the time is. In the last case `Sought.reached` says up to where it came, for whoever asks on.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, union_all

from accessctl.services.store import EventFilter
from accessctl.storage.entries import plain_text
from accessctl.storage.tables import event, event_block

BLOCK = 4096  # entries that share a row of `event_block`
NEAR = 16 * BLOCK  # ranges that lie closer than this are walked through as one
LOOKED_AT = 4000  # entries of a value that are counted to see how rare it is
SHORT = 50_000  # entries of the first stretch; as many are searched without thinking about it
LONGEST = 2_000_000
QUICK_S, SLOW_S = 0.05, 0.15  # how long a stretch should take

Range = tuple[int, int]  # from, up to and without
Pace = tuple[float, float]  # seconds of a stretch: at least, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The indexes found, in the order asked for. `reached`: the last entry that was looked at, None where all were."""

    indexes: tuple[int, ...]
    reached: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lead:
    """The condition that leads: about how many entries it has, and whether these were counted to the last."""

    condition: ColumnElement[bool]
    entries: int
    counted: bool


def seek(
    connection: Connection, which: EventFilter, *, limit: int, newest: bool, seconds: float | None = None
) -> Sought:
    """The first `limit` entries of the filter, or the last ones, newest first; no longer than about `seconds`."""
    ends = None if seconds is None else time.monotonic() + seconds
    ranges, conditions, length = plan(connection, which)
    found: list[int] = []
    for start, end in stretches(ranges, length, newest=newest, ends=ends):
        order = event.c.idx.desc() if newest else event.c.idx
        query = select(event.c.idx).where(event.c.idx >= start, event.c.idx < end, *conditions).order_by(order)
        found += connection.execute(query.limit(limit - len(found))).scalars()
        is_last = start == ranges[0][0] if newest else end == ranges[-1][1]
        if len(found) >= limit or is_last:
            break
        if ends is not None and time.monotonic() > ends:
            return Sought(indexes=tuple(found), reached=start if newest else end - 1)
    return Sought(indexes=tuple(found), reached=None)


def plan(connection: Connection, which: EventFilter) -> tuple[list[Range], list[ColumnElement[bool]], int]:
    """Where to walk, what an entry there must fulfil, and how long the first stretch is."""
    ranges, conditions, length = _ranges(connection, which), _plain(which), SHORT
    if ranges and sum(end - start for start, end in ranges) > SHORT:
        span = ranges[0][0], ranges[-1][1]
        lead = _lead(connection, which, span)
        conditions = _compared(which) if lead is None else [lead.condition, *_compared(which)]
        if lead is not None and lead.counted:
            ranges, length = [span], span[1]
    return ranges, conditions, length


def stretches(
    ranges: Sequence[Range], length: int, *, newest: bool, ends: float | None, pace: Pace = (QUICK_S, SLOW_S)
) -> Iterator[Range]:
    """The ranges in pieces; each is longer than the one before where that was quicker than the pace, and shorter where
    it was slower.

    None is longer than what may still be done until `ends`, as far as the one before tells.
    """
    for low, high in reversed(ranges) if newest else ranges:
        left = high - low
        while left:
            begun = time.monotonic()
            taken = min(left, length)
            yield (low + left - taken, low + left) if newest else (high - left, high - left + taken)
            left -= taken
            now = time.monotonic()
            if now - begun < pace[0]:
                length = max(length, min(length * 4, LONGEST))
            elif now - begun > pace[1]:
                length = length // 2
            if ends is not None and now > begun:
                length = min(length, int(taken * (ends - now) / (now - begun)))
            length = max(length, BLOCK)


def _ranges(connection: Connection, which: EventFilter) -> list[Range]:
    """Where in the record the entries must lie, in its order: outside of this there are none of that time."""
    start = 0 if which.after_index is None else max(which.after_index + 1, 0)
    size = connection.execute(select(func.coalesce(func.max(event.c.idx) + 1, 0))).scalar_one()
    end = size if which.before_index is None else min(which.before_index, size)
    if start >= end:
        return []
    within = [event_block.c.block >= start // BLOCK, event_block.c.block <= (end - 1) // BLOCK]
    if which.since is not None:
        within.append(event_block.c.last_at >= which.since)
    if which.until is not None:
        within.append(event_block.c.first_at < which.until)
    if len(within) == 2 or end - start <= SHORT:
        return [(start, end)]
    found: list[Range] = []
    for block in connection.execute(select(event_block.c.block).where(*within).order_by(event_block.c.block)).scalars():
        piece = max(block * BLOCK, start), min((block + 1) * BLOCK, end)
        if found and piece[0] - found[-1][1] < NEAR:
            found[-1] = found[-1][0], piece[1]
        else:
            found.append(piece)
    return found


def _lead(connection: Connection, which: EventFilter, span: Range) -> _Lead | None:
    """The rarest of the conditions; None where the record is walked through as quickly without any."""
    leads = [_values(connection, name, values, span) for name, values in fields_of(which)]
    if times := times_of(which):
        inside = select(event.c.idx).where(*times).limit(LOOKED_AT)
        count = connection.execute(select(func.count()).select_from(inside.subquery())).scalar_one()
        if count < LOOKED_AT:
            leads.append(_Lead(condition=event.c.idx.in_(inside), entries=count, counted=True))
    best = min(leads, key=lambda one: one.entries, default=None)
    return best if best is not None and best.entries * 3 < span[1] - span[0] else None


def _values(connection: Connection, name: str, values: Sequence[str], span: Range) -> _Lead:
    """How many entries have one of these values: counted where they are few, else by how far back the last ones go."""
    entries, counted, few = 0, True, []
    for value in values:
        mine = select(event.c.idx).where(event.c[name] == value, event.c.idx >= span[0], event.c.idx < span[1])
        last = mine.order_by(event.c.idx.desc()).limit(LOOKED_AT)
        ends = last.subquery()
        count, oldest = connection.execute(select(func.count(), func.min(ends.c.idx))).one()
        if count == LOOKED_AT:
            counted = False
            count = LOOKED_AT * (span[1] - span[0]) // (span[1] - oldest)
        entries += count
        few.append(select(ends.c.idx))
    condition = event.c.idx.in_(union_all(*few)) if counted else one_of(event.c[name], values)
    return _Lead(condition=condition, entries=entries, counted=counted)


def times_of(which: EventFilter) -> list[ColumnElement[bool]]:
    """The time of a filter, as conditions that an index serves."""
    return _times(which, event.c.at)


def _times(which: EventFilter, at: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    since = [] if which.since is None else [at >= which.since]
    return since if which.until is None else [*since, at < which.until]


def fields_of(which: EventFilter) -> list[tuple[str, list[str]]]:
    """Which columns must hold one of which values, as they are stored. Each of these columns has an index."""
    several = [("door", which.doors), ("event", which.events), ("credential", which.credentials)]
    single = ("person", "device", "credential", "visit", "case", "norm")
    asked = [*several, *((name, (getattr(which, name),)) for name in single if getattr(which, name))]
    return [(name, [plain_text(value) for value in values]) for name, values in asked if values]


def _plain(which: EventFilter) -> list[ColumnElement[bool]]:
    """The filter for a short piece of the record, in which any index of a value will do."""
    fields = [one_of(event.c[name], values) for name, values in fields_of(which)]
    return [*fields, *_times(which, _bare("at")), *_filled(which)]


def _compared(which: EventFilter) -> list[ColumnElement[bool]]:
    """The filter in a form that no index serves: compared with each entry that something else leads to."""
    fields = [one_of(_bare(name), values) for name, values in fields_of(which)]
    return [*fields, *_times(which, _bare("at")), *_filled(which)]


def _filled(which: EventFilter) -> list[ColumnElement[bool]]:
    """Which columns must hold something."""
    return [_bare("identity").is_not(None)] if which.device_events_only else []


def one_of(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """One value is compared, not looked up in a list: so an index brings its entries in the order of the record."""
    return column == values[0] if len(values) == 1 else column.in_(values)


def _bare(name: str) -> ColumnElement[Any]:
    """The column without its index."""
    column: ColumnElement[Any] = event.c[name]
    return func.coalesce(column, column)
