"""Where the system was blind: a device off from … to …, a gap in its log, a doubtful clock, entries typed in later.

One row for each, where it begins in the record; a device that was off before the time asked for began stands first. An
end that was not recorded is empty, and counted up to now. What was typed in later lasts from when it happened, as the
sheet says, to when it was typed. A door was blind while a device that guards it was, or while people passed into its
zone unseen.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

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
LONGEST_DETAIL = 200  # characters of any text in it
SOON = timedelta(minutes=1)  # an exit is recorded while whoever leaves is still at the desk
UNSAID = frozenset({"entered_at", "exited_at", "typed_in_afterwards", "reader"})  # said by the columns of times
BEGINS = "begins"  # the mark before the first entry of the time


def blind_spots(tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
    """A piece of the report (`services.reports`)."""
    start = _start(after)
    rows: list[Row] = [] if start >= 0 or wanted.since is None else list(_off_before(tx, wanted, wanted.since, now))
    found = 0
    last = start
    at_door = _at_door(tx, wanted.door) if wanted.door else None
    for row, data in tx.events.stream(window(replace(wanted, door=""), FACTS, after=start)):
        last = row.index
        said = orjson.loads(data).get("data") or {}
        if (row.event in TYPED and not _typed_later(row, said)) or (at_door is not None and not at_door(row)):
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


def _typed_later(row: EventRow, said: dict[str, object]) -> bool:
    """Whether a line of the register was typed in from a sheet, or says an exit that no reader saw after it was."""
    if said.get("folio"):
        return True
    left = _moment(said.get("exited_at"))
    return left is not None and said.get("reader") is False and row.at - left > SOON


def _at_door(tx: Work, door: str) -> Callable[[EventRow], bool]:
    """Whether an entry was about a door: its own, of a device that guards it, or of a visit to the zone behind it."""
    found = tx.doors.maybe(door)
    zone = found.zone if found else None
    devices = {device.id for device in tx.devices.find(limit=2000) if door in device.doors}

    def holds(row: EventRow) -> bool:
        return row.door == door or row.device in devices or (row.event in TYPED and row.zone == zone)

    return holds


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _spot(tx: Work, row: EventRow, said: dict[str, object], now: datetime) -> Row:
    until: datetime | None = row.at
    told = {key: value[:LONGEST_DETAIL] if isinstance(value, str) else value for key, value in sorted(said.items())}
    detail = orjson.dumps({key: value for key, value in told.items() if key not in UNSAID}).decode()
    since = row.at
    if row.event in ENDS:
        ended = EventFilter(device=row.device, events=(ENDS[row.event],), after_index=row.index)
        ends = tx.events.rows(ended, limit=1)
        until = ends[0].at if ends else None
    elif row.event in TYPED:
        since = min(_moment(said.get("entered_at") or said.get("exited_at")) or since, since)
        until = row.at
    seconds = max(0, int(((until or now) - since).total_seconds()))
    return (row.event, row.device, row.door or _doors_of(tx, row.device), since, until, seconds, row.index, detail)


def _doors_of(tx: Work, device: str) -> str:
    """The doors that nobody saw while a device was off, with commas between them."""
    found = tx.devices.maybe(device) if device else None
    return ", ".join(found.doors) if found else ""


def _start(after: Mark) -> int:
    if not after:
        return -1
    if len(after) != 1 or not after[0].isascii() or not after[0].isdigit() or len(after[0]) > 18:
        raise AccessError(Reason.NOT_FOUND, field="after")
    return int(after[0])
