"""The record as it is searched: bounded pages and a stream, both in the order of the record.

A name is shown for as long as what opens its commitment is kept.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, tuple_

from accessctl.services.store import Counted, DeviceEvent, EventFilter, EventRow, FoundRows, Mention, Tally
from accessctl.storage.counting import add_up
from accessctl.storage.journal import Journal
from accessctl.storage.record_store import RecordReader
from accessctl.storage.record_tables import entry, opening
from accessctl.storage.seeking import fields_of, one_of, seek, times_of
from accessctl.storage.tables import event
from accessctl.storage.transaction import Transaction

LARGEST_ANSWER = 10_000
PAGE = 1000
FEW = 20_000  # entries that are sorted without being felt

_SHOWN: Select[Any] = (
    select(
        event.c.idx, event.c.at, event.c.received_at, event.c.event, event.c.device, event.c.door, event.c.zone,
        event.c.direction, event.c.reason, event.c.norm, event.c.person, opening.c.value, event.c.credential,
        event.c.visit, event.c.device_time, event.c.skew_s, event.c.actor, event.c.case, entry.c.leaf,
    )
    .join(entry, entry.c.idx == event.c.idx)
    .outerjoin(opening, opening.c.commitment == event.c.name)
)  # fmt: skip


class SqlEvents:
    """The record, searched (see `accessctl.services.store.Events`)."""

    def __init__(self, transaction: Transaction, journal: Journal) -> None:
        self._connection = transaction.connection
        self._journal = journal

    def store(self, events: Sequence[DeviceEvent]) -> list[int]:
        """Append those whose identity is new, once each; their indexes. A fact: nothing else need be recorded."""
        return self._journal.store(events)

    def rows(self, which: EventFilter, *, limit: int = 200, newest: bool = False) -> list[EventRow]:
        """Entries in the order of the record; `newest` takes the last ones, newest first."""
        return list(self.search(which, limit=limit, newest=newest).rows)

    def search(
        self, which: EventFilter, *, limit: int, newest: bool = False, seconds: float | None = None
    ) -> FoundRows:
        """The same in about so many seconds: where that is not enough, as far as it came (see `seeking`)."""
        if not 0 <= limit <= LARGEST_ANSWER:
            raise ValueError(f"an answer of {limit} entries: at most {LARGEST_ANSWER}")
        sought = seek(self._connection, which, limit=limit, newest=newest, seconds=seconds)
        order = event.c.idx.desc() if newest else event.c.idx
        rows: list[EventRow] = []
        for start in range(0, len(sought.indexes), PAGE):
            shown = _SHOWN.where(event.c.idx.in_(sought.indexes[start : start + PAGE])).order_by(order)
            rows += [_shown(row) for row in self._connection.execute(shown)]
        return FoundRows(rows=tuple(rows), reached=sought.reached)

    def stream(self, which: EventFilter) -> Iterator[tuple[EventRow, bytes]]:
        """Oldest first, each with its canonical bytes; flat memory. The unit of work must stay open meanwhile."""
        query: Select[Any] = _SHOWN.add_columns(entry.c.bytes).where(*conditions(which)).order_by(self._order(which))
        with self._connection.execute(
            query, execution_options={"yield_per": PAGE}
        ) as result:  # of this statement alone
            for row in result:
                yield _shown(row), bytes(row[-1])

    def _order(self, which: EventFilter) -> ColumnElement[int]:
        """The index; as a sum where few entries lie in the time asked for, so that both databases start from these.

        Left alone they walk the record in its order and look at the time of every entry.
        """
        times = times_of(which)
        if not times:
            return event.c.idx
        inside = select(event.c.idx).where(*times).limit(FEW).subquery()
        few = self._connection.execute(select(func.count()).select_from(inside)).scalar_one() < FEW
        return event.c.idx + 0 if few else event.c.idx

    def size(self) -> int:
        """How many entries the record has."""
        return RecordReader(self._connection).size()

    def mentions(self, after: int, before: int, kinds: tuple[str, ...]) -> list[Mention]:
        """What entries name, by a statement that was built once: it is asked at every door that opens."""
        found = self._connection.execute(_naming(kinds), {"after": after, "before": before})
        return [Mention(row[0], row[1] or "", row[2] or "") for row in found]

    def tally(
        self, which: EventFilter, by: Sequence[str], *, after: Sequence[str] = (), limit: int = 200
    ) -> list[Tally]:
        """How many entries for each combination of the columns `by` (a column that is none is a KeyError)."""
        if not 0 <= limit <= LARGEST_ANSWER:
            raise ValueError(f"an answer of {limit} lines: at most {LARGEST_ANSWER}")
        groups = [func.coalesce(event.c[name], "") for name in by]
        last = func.max(event.c.idx).label("last")
        counted = (
            select(*groups, func.count(), func.min(event.c.at), func.max(event.c.at), last)
            .where(*conditions(which))
            .group_by(*groups)
            .order_by(*groups)
            .limit(limit)
        )
        if after:
            counted = counted.where(tuple_(*groups) > tuple_(*after))
        found = counted.subquery()
        parts = len(groups)
        # Names are looked up for what was counted, not for what is being counted: one for each line of the answer.
        named = found.outerjoin(event, event.c.idx == found.c.last).outerjoin(
            opening, opening.c.commitment == event.c.name
        )
        lines = list(found.c)[: parts + 3]
        query = select(*lines, opening.c.value).select_from(named).order_by(*lines[:parts])
        return [
            Tally(
                values=tuple(row[:parts]),
                count=row[parts],
                first_at=row[parts + 1],
                last_at=row[parts + 2],
                name=row[parts + 3] or "",
            )
            for row in self._connection.execute(query)
        ]

    def count(
        self,
        which: EventFilter,
        by: Sequence[str],
        *,
        after: Sequence[str] = (),
        limit: int | None = None,
        seconds: float | None = None,
    ) -> Counted:
        """The same in about so many seconds, and as far as that goes (see `counting`)."""
        added = add_up(self._connection, which, by, seconds=seconds)
        behind = sorted(added.sums, key=_of_line)
        if after:
            behind = behind[bisect_right(behind, _of_line(tuple(after)), key=_of_line) :]
        wanted = behind[:limit]
        names = self._names([added.sums[values].newest for values in wanted])
        lines = []
        for values in wanted:
            found = added.sums[values]
            lines.append(
                Tally(
                    values=values,
                    count=found.entries,
                    first_at=found.first_at,
                    last_at=found.last_at,
                    name=names.get(found.newest, ""),
                )
            )
        return Counted(lines=tuple(lines), reached=added.reached)

    def _names(self, indexes: Sequence[int]) -> dict[int, str]:
        """The names of the people whom these entries name, where they are known."""
        named = select(event.c.idx, opening.c.value).join(opening, opening.c.commitment == event.c.name)
        found: dict[int, str] = {}
        for start in range(0, len(indexes), PAGE):
            rows = self._connection.execute(named.where(event.c.idx.in_(indexes[start : start + PAGE])))
            found.update((index, name or "") for index, name in rows)
        return found


def _of_line(values: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    """The order of lines: by their values, and what has no first one last."""
    return not values[0], values


@lru_cache(maxsize=16)
def _naming(kinds: tuple[str, ...]) -> Select[Any]:
    stretch = (event.c.idx > bindparam("after"), event.c.idx < bindparam("before"))
    return select(event.c.event, event.c.person, event.c.credential).where(*stretch, event.c.event.in_(kinds))


def _shown(row: Sequence[Any]) -> EventRow:
    return EventRow(
        index=row[0],
        at=row[1],
        received_at=row[2],
        event=row[3],
        device=row[4] or "",
        door=row[5] or "",
        zone=row[6] or "",
        direction=row[7] or "",
        reason=row[8] or "",
        norm=row[9] or "",
        person=row[10] or "",
        person_name=row[11] or "",
        credential=row[12] or "",
        visit=row[13] or "",
        device_time=row[14] or "",
        skew_s=row[15],
        actor=row[16] or "",
        case=row[17] or "",
        leaf=bytes(row[18]),
    )


def conditions(which: EventFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on the projection."""
    found = [*times_of(which), *(one_of(event.c[name], values) for name, values in fields_of(which))]
    if which.after_index is not None:
        found.append(event.c.idx > which.after_index)
    if which.before_index is not None:
        found.append(event.c.idx < which.before_index)
    if which.device_events_only:
        found.append(event.c.identity.is_not(None))
    return found
