"""How many entries there are of each kind, added up stretch by stretch like a search (see `seeking`).

One statement over the whole record would sort all of it, on disk, and nobody could be told how far it is. A stretch is
grouped by the database, in its memory; here its groups join those of the stretches before: one for each line of the
answer, however many entries are counted.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from accessctl.services.store import EventFilter
from accessctl.storage.seeking import Pace, plan, stretches
from accessctl.storage.tables import event

PACE: Pace = (0.25, 0.75)  # a group costs as much as some entries, and a short stretch has as many groups as a long one


class Sum(NamedTuple):
    """So many entries; when the first and the last of them were, and the index of the one recorded last."""

    entries: int
    first_at: datetime
    last_at: datetime
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """The sums by their values, and the last entry that was looked at; None where all were."""

    sums: dict[tuple[str, ...], Sum]
    reached: int | None


def add_up(connection: Connection, which: EventFilter, by: Sequence[str], *, seconds: float | None = None) -> Added:
    """The entries of the filter for each combination of the columns `by`, oldest first; no longer than about `seconds`.

    One stretch is counted in any case. A column that is none is a KeyError.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    ranges, conditions, length = plan(connection, which)
    groups = [func.coalesce(event.c[name], "") for name in by]
    grouped = select(*groups, func.count(), func.min(event.c.at), func.max(event.c.at), func.max(event.c.idx))
    grouped = grouped.where(*conditions).group_by(*groups)
    parts, sums = len(groups), dict[tuple[str, ...], Sum]()
    for start, end in stretches(ranges, length, newest=False, ends=ends, pace=PACE):
        for row in connection.execute(grouped.where(event.c.idx >= start, event.c.idx < end)):
            values = tuple(row[:parts])
            before = sums.get(values)
            sums[values] = Sum(*row[parts:]) if before is None else _joined(before, Sum(*row[parts:]))
        if ends is not None and time.monotonic() > ends and end != ranges[-1][1]:
            return Added(sums=sums, reached=end - 1)
    return Added(sums=sums, reached=None)


def _joined(one: Sum, later: Sum) -> Sum:
    return Sum(
        one.entries + later.entries, min(one.first_at, later.first_at), max(one.last_at, later.last_at), later.newest
    )
