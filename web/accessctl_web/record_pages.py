"""A page of what was found in the record, and the addresses of its neighbours.

Paging is by the place in the record: `before` and `after` an index. So page ten thousand costs what the first one
does, and entries that come in meanwhile move nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Person
from accessctl.services.store import EventRow
from accessctl_web.desks import actor, desks
from accessctl_web.record_query import Query, filter_of

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows, the newest first. `newer` and `older` are the addresses' parts that lead on, empty where nothing is.

    `reached` is the last entry that was looked at where the time for a search was over before the page was full.
    """

    rows: tuple[EventRow, ...] = ()
    reached: int | None = None
    newer: Mapping[str, str] | None = None
    older: Mapping[str, str] | None = None
    person: Person | None = None


def _index(places: Mapping[str, str], name: str) -> int | None:
    text = places.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise AccessError(Reason.TEXT_INVALID, field=name)
    return int(text)


def find(query: Query, places: Mapping[str, str]) -> Found:
    """The page at `before` or `after` an index, else the newest one. Raises `AccessError`."""
    person = desks().people.get(query.person) if query.person else None
    which = filter_of(query)
    before, after = _index(places, "before"), _index(places, "after")
    forward = after is not None
    if before is None and after is None:  # once for a search, not for each of its pages
        desks().searches.searched(actor(), which)
    which = replace(which, after_index=after) if forward else replace(which, before_index=before)
    found = desks().watch.search(actor(), which, limit=SHOWN + 1, newest=not forward)
    rows, ahead = list(found.rows[:SHOWN]), found.reached
    if ahead is None and len(found.rows) > SHOWN:
        ahead = rows[-1].index
    if forward:
        rows.reverse()
    behind = None  # back to where this page came from
    if after is not None:
        behind = rows[-1].index if rows else after + 1
    elif before is not None:
        behind = rows[0].index if rows else before - 1
    newer, older = (ahead, behind) if forward else (behind, ahead)
    asked = query.asked()
    return Found(
        rows=tuple(rows),
        reached=found.reached,
        newer=None if newer is None else asked | {"after": str(newer)},
        older=None if older is None else asked | {"before": str(older)},
        person=person,
    )
