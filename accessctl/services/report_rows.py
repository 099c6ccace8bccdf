"""What a report is asked, and what it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from accessctl.services.store import EventFilter

Cell: TypeAlias = "str | int | datetime | None"
Row: TypeAlias = "tuple[Cell, ...]"
Mark: TypeAlias = "tuple[str, ...]"  # behind which row a piece begins; empty for the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Of which time (half-open), door, person and device; nothing given means all."""

    since: datetime | None = None
    until: datetime | None = None
    door: str = ""
    person: str = ""
    device: str = ""

    def said(self) -> dict[str, str]:
        """What was asked, for the record."""
        times = {"since": self.since, "until": self.until}
        found = {name: at.isoformat() for name, at in times.items() if at is not None}
        return found | {name: getattr(self, name) for name in ("door", "person", "device") if getattr(self, name)}


ANYTHING = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From which entry of the record to which (None: to its end) something was counted; never all of it."""

    first: int
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Rows, and the mark of the next piece; empty at the end. `counted`: of this stretch alone, not of all."""

    rows: tuple[Row, ...]
    after: Mark
    counted: Stretch | None = None


def window(wanted: Wanted, events: Sequence[str], *, after: int | None = None) -> EventFilter:
    """The filter of entries of these facts."""
    return EventFilter(
        since=wanted.since,
        until=wanted.until,
        doors=(wanted.door,) if wanted.door else (),
        person=wanted.person,
        device=wanted.device,
        events=tuple(events),
        after_index=after,
    )
