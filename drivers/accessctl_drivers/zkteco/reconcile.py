"""Reading a terminal's log only once: where we stopped, what it looked like there, and whether it still does.

A terminal can only hand out its whole log; there is no filter, and a record has no number. But the buffer that it is
read from can be read from any place, so the driver reads the tail: the last `window` records before the mark, and
what comes after. Where the window's bytes are the same, the rest is new. A full log that overwrites its oldest records
shows them further to the front: there, too, what follows them is new, under the numbers of a new epoch. Where they are
nowhere (the log was cleared, replaced, shortened, overwritten beyond the mark, or has records of another size), the
mark is worthless: a new epoch begins, the whole log is handed over, and whoever asked reports the gap. Nothing is
skipped in silence.


Two logs that show the same bytes at the same place cannot be told apart; with times to the second in sixty-four records
that takes a terminal whose clock stands still.

Pure: bytes and numbers in, decisions out.
"""

from dataclasses import dataclass
from hashlib import sha256

from accessctl.ports import LogMark

WINDOW = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The end of a log of `count` records: the records from `first` on, as bytes."""

    count: int
    first: int
    records: memoryview
    record_size: int


def tail_start(mark: LogMark | None) -> int:
    """The first record that a continued read must have: where the mark's window begins."""
    return 0 if mark is None else mark.count - mark.window


def _digest(records: memoryview | bytes) -> bytes:
    return sha256(records).digest()


def continues(mark: LogMark, tail: Tail) -> bool:
    """Whether a log still shows at the mark what it showed when the mark was made."""
    if tail.count < mark.count or tail.first > tail_start(mark):
        return False
    if mark.count == 0:
        return True
    if tail.record_size != mark.record_size:
        return False
    size = mark.record_size
    window = tail.records[(tail_start(mark) - tail.first) * size : (mark.count - tail.first) * size]
    return len(window) == mark.window * size and _digest(window) == mark.digest


def moved_to(mark: LogMark, whole: Tail) -> int | None:
    """Where in a whole log the mark is now, if its oldest records made room: the place after the window. Or None."""
    if mark.count == 0 or whole.record_size != mark.record_size or whole.first:
        return None
    size = mark.record_size
    for end in range(min(mark.count, whole.count), mark.window - 1, -1):
        if _digest(whole.records[(end - mark.window) * size : end * size]) == mark.digest:
            return end
    return None


def records_from(whole: Tail, first: int) -> Tail:
    """The records of a whole log from a place on."""
    return Tail(
        count=whole.count,
        first=first,
        records=whole.records[first * whole.record_size :],
        record_size=whole.record_size,
    )


def new_records(mark: LogMark, tail: Tail) -> Tail:
    """What comes after the mark, in a tail that continues it."""
    skipped = (mark.count - tail.first) * tail.record_size
    return Tail(count=tail.count, first=mark.count, records=tail.records[skipped:], record_size=tail.record_size)


def mark_after(tail: Tail, epoch: int) -> LogMark:
    """The mark at the end of a log, from any tail of it; its window is as wide as the tail allows, at most WINDOW."""
    window = min(WINDOW, tail.count - tail.first)
    size = tail.record_size
    end = tail.records[len(tail.records) - window * size :]
    return LogMark(epoch=epoch, count=tail.count, window=window, digest=_digest(end), record_size=size)
