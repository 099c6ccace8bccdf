"""Where the system was blind: a device off from … to …, a gap in its log, a doubtful clock, entries typed in later.

One row for each, where it begins in the record; a device that was off before the time asked for began stands first. An
end that was not recorded is empty, and counted up to now.
"""

from collections.abc import Iterator
from datetime import datetime

import orjson

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.services.report_rows import Mark, Piece, Row, Wanted, window
from accessctl.services.store import EventFilter, EventRow, Work

OFF, ON = Fact.DEVICE_OFFLINE.value, Fact.DEVICE_ONLINE.value
DOUBTED, SET = Fact.DEVICE_CLOCK_DOUBTFUL.value, Fact.DEVICE_CLOCK_SET.value
GAP = Fact.DEVICE_LOG_GAP.value
TYPED = (Fact.VISIT_REGISTERED.value, Fact.VISIT_SIGNED.value, Fact.VISIT_ENTERED.value, Fact.VISIT_EXIT_RECORDED.value)
FACTS = (OFF, DOUBTED, GAP, *TYPED)
ENDS = {OFF: ON, DOUBTED: SET}
LONGEST_DETAIL = 200
BEGINS = "begins"  # the mark before the first entry of the time


def blind_spots(tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
    """A piece of the report (`services.reports`)."""
    start = _start(after)
    rows: list[Row] = [] if start >= 0 or wanted.since is None else list(_off_before(tx, wanted, wanted.since, now))
    found = 0
    last = start
    for row, data in tx.events.stream(window(wanted, FACTS, after=start)):
        last = row.index
        said = orjson.loads(data).get("data") or {}
        if row.event in TYPED and not said.get("folio"):
            continue
        rows.append(_spot(tx, row, said, now))
        found += 1
        if found == limit:
            return Piece(rows=tuple(rows), after=(str(last),))
    return Piece(rows=tuple(rows), after=())


def _off_before(tx: Work, wanted: Wanted, since: datetime, now: datetime) -> Iterator[Row]:
    """Devices that were off when the time began."""
    for device in tx.devices.find(limit=2000):
        if wanted.device in {"", device.id} and (not wanted.door or wanted.door in device.doors):
            before = EventFilter(until=since, device=device.id, events=(OFF, ON))
            for row in tx.events.rows(before, limit=1, newest=True):
                if row.event == OFF:
                    yield _spot(tx, row, {}, now)


def _spot(tx: Work, row: EventRow, said: dict[str, object], now: datetime) -> Row:
    until: datetime | None = row.at
    detail = " ".join(f"{key}={value}" for key, value in sorted(said.items()) if not isinstance(value, dict))
    since = row.at
    if row.event in ENDS:
        ended = EventFilter(device=row.device, events=(ENDS[row.event],), after_index=row.index)
        ends = tx.events.rows(ended, limit=1)
        until = ends[0].at if ends else None
    elif row.event in TYPED:
        until = row.received_at
    seconds = max(0, int(((until or now) - since).total_seconds()))
    return (row.event, row.device, row.door, since, until, seconds, row.index, detail[:LONGEST_DETAIL])


def _start(after: Mark) -> int:
    if not after:
        return -1
    if len(after) != 1 or not after[0].isascii() or not after[0].isdigit() or len(after[0]) > 18:
        raise AccessError(Reason.NOT_FOUND, field="after")
    return int(after[0])
