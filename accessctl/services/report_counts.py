"""Reports that count entries, of a record that may be too long to be counted while somebody waits.

A page counts for about `COUNT_SECONDS`, from the oldest entry asked for. Where the time was over before the record was,
it says up to which entry it came (`Piece.counted`), and behind its last row the next page goes on with the entries
behind that one: each page is exact for its stretch, the stretches are disjoint, and together they are everything. What
is taken away is always counted to the end (`Counting.every`).

A mark is the first and the last entry of the stretch and the values of the row behind which the page begins; the last
entry is left empty in the stretch that goes to the end of the record. The first entry alone begins the next stretch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.services.report_rows import Mark, Piece, Row, Stretch, Wanted, window
from accessctl.services.store import EventFilter, Tally, Work

COUNT_SECONDS = 4.0  # a month of ten million entries a year is counted in less

_Place: TypeAlias = "tuple[Stretch | None, int, Mark]"  # a stretch that is settled, its first entry, the row before


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What is counted, by which columns, and how a line of it becomes a row."""

    facts: tuple[Fact, ...]
    by: tuple[str, ...]
    row: Callable[[Tally], Row]

    def __call__(self, tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
        """A piece of at most `limit` rows (`reports.Fetch`)."""
        del now
        stretch, first, row_before = self._place(after)
        end = tx.events.size() if stretch is None or stretch.last is None else stretch.last + 1
        found = tx.events.count(
            replace(self._filter(wanted), after_index=first - 1, before_index=end),
            self.by,
            after=row_before,
            limit=limit + 1,
            seconds=COUNT_SECONDS if stretch is None else None,  # what was counted once in that time is again
        )
        if stretch is None:
            stretch = Stretch(first=first, last=found.reached)
        shown, last = found.lines[:limit], stretch.last
        next_mark = behind(stretch)
        if len(found.lines) > limit:
            next_mark = (str(first), "" if last is None else str(last), *shown[-1].values)
        is_whole = first == 0 and last is None
        return Piece(rows=tuple(map(self.row, shown)), after=next_mark, counted=None if is_whole else stretch)

    def every(self, tx: Work, wanted: Wanted) -> Iterator[Row]:
        """All rows, counted to the end of the record before the first is given; the lines are held meanwhile."""
        return map(self.row, tx.events.count(self._filter(wanted), self.by).lines)

    def _filter(self, wanted: Wanted) -> EventFilter:
        return window(wanted, [fact.value for fact in self.facts])

    def _place(self, after: Mark) -> _Place:
        """Which stretch a mark is in, and behind which of its rows. Raises `AccessError` for a mark that is none."""
        if not after:
            return None, 0, ()
        first = entry_number(after[0])
        if len(after) == 1:
            return None, first, ()
        if len(after) != 2 + len(self.by):
            raise AccessError(Reason.NOT_FOUND, field="after")
        last = entry_number(after[1]) if after[1] else None
        if last is not None and last < first:
            raise AccessError(Reason.NOT_FOUND, field="after")
        return Stretch(first=first, last=last), first, after[2:]


def behind(stretch: Stretch | None) -> Mark:
    """The mark of the stretch behind this one; empty where it is the last, or none was needed."""
    return () if stretch is None or stretch.last is None else (str(stretch.last + 1),)


def entry_number(text: str) -> int:
    """The number that a part of a mark is. Raises `AccessError` where it is none."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise AccessError(Reason.NOT_FOUND, field="after")
    return int(text)


def _entry_row(line: Tally) -> Row:
    door, person, event = line.values
    return door, person, line.name, event, line.count, line.first_at, line.last_at


def _refusal_row(line: Tally) -> Row:
    return *line.values, line.count, line.first_at, line.last_at


# How often who entered and left by which door: not each time, which is an export.
ENTRIES = Counting(facts=(Fact.DOOR_GRANTED, Fact.DOOR_EXITED), by=("door", "person", "event"), row=_entry_row)
# Why entries were refused, where, and how often.
REFUSALS = Counting(facts=(Fact.DOOR_REFUSED,), by=("reason", "norm", "door"), row=_refusal_row)
