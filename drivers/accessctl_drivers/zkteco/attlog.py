"""The terminal's event log: records of 8, 16, 40 or 49 bytes, read without losing one.

Layouts (little endian), each dataset behind a u32 total:

* 8: uid u16 | verify u8 | time u32 | state u8, or, on firmware like the MA300's, uid | verify | state | time. Which of
  the two is read off the records themselves: in the right one the times are dates and do not go back.
* 16: user id u32 | time u32 | verify u8 | state u8 | 2 bytes | work code u32.
* 40: uid u16 | user id[24] | verify u8 | time u32 | state u8 | 8 bytes. 49: the same and nine bytes more.

Source: pyzk 0.9's documentation and its issues 56, 92, 139, 174, 211, 242; zk-protocol data-record.md. A time that is
no date gives `at=None` and keeps the record: one bad date must not cost the download.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from struct import Struct
from typing import overload

from accessctl.ports import DeviceMisbehaved, LogRecord
from accessctl_drivers.zkteco.dates import DateReader

RECORD_SIZES = (8, 16, 40, 49)
_TINY = Struct("<HBIB")
_TINY_TIME_LAST = Struct("<HBBI")
_SHORT = Struct("<IIBB6x")
_LONG = Struct("<2x24sBIB8x")
_LONGER = Struct("<2x24sBIB17x")
_SAMPLE = 256


def log_record_size(total: int, records: int) -> int:
    """The size of a record, from the bytes of the log and a count that may be some punches older.

    The size wins that divides the total and comes nearest to the count from above. DeviceMisbehaved if none divides.
    """
    fitting = [size for size in RECORD_SIZES if total % size == 0]
    if not fitting:
        raise DeviceMisbehaved(f"{total} bytes of log are no whole number of records of 8, 16, 40 or 49 bytes")
    return min(fitting, key=lambda size: (abs(total // size - records), total // size))


def _tiny_layout(records: memoryview) -> Struct:
    """Which of the two layouts of eight bytes these records have."""

    def score(layout: Struct, time_at: int) -> tuple[int, int, int]:
        times = [fields[time_at] for fields in layout.iter_unpack(records[: _SAMPLE * 8])]
        date = DateReader()
        dates = sum(1 for time in times if (at := date(time)) is not None and at.year < 2100)
        forward = sum(1 for before, after in pairwise(times) if before <= after)
        return dates, forward, times[-1]

    if not records or score(_TINY, 2) >= score(_TINY_TIME_LAST, 3):
        return _TINY
    return _TINY_TIME_LAST


_Fields = tuple[str, int, int, int]  # user id, time, verify, state


class _Ids:
    """User ids out of their 24 bytes, each decoded once: a log of 100,000 records has a few thousand people."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def __call__(self, field: bytes) -> str:
        text = self._known.get(field)
        if text is None:
            text = self._known[field] = field.partition(b"\0")[0].decode("ascii", "replace")
        return text


class AttendanceLog(Sequence[LogRecord]):
    """Part of a log as a sequence of records, decoded when they are looked at.

    `first` is the place of the first record in the whole log. A record of eight bytes names a slot only: its user id is
    taken from `user_ids`, and is empty where nobody holds the slot now (somebody else may have had it; `raw` keeps it).
    """

    def __init__(
        self, records: memoryview, size: int, *, first: int = 0, user_ids: Mapping[int, str] | None = None
    ) -> None:
        if size not in RECORD_SIZES or len(records) % size:
            raise DeviceMisbehaved(f"{len(records)} bytes of log are not records of {size} bytes")
        self._records = records
        self._size = size
        self._first = first
        self._user_ids = user_ids or {}
        self._tiny = _tiny_layout(records) if size == 8 else _TINY

    def __len__(self) -> int:
        return len(self._records) // self._size

    @overload
    def __getitem__(self, index: int) -> LogRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "tuple[LogRecord, ...]": ...
    def __getitem__(self, index: int | slice) -> "LogRecord | tuple[LogRecord, ...]":
        if isinstance(index, slice):
            return tuple(self._record(at) for at in range(*index.indices(len(self))))
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        return self._record(at)

    def _record(self, at: int) -> LogRecord:
        return next(self._decode(at, at + 1))

    def __iter__(self) -> Iterator[LogRecord]:
        return self._decode(0, len(self))

    def _decode(self, start: int, stop: int) -> Iterator[LogRecord]:
        size = self._size
        part = self._records[start * size : stop * size]
        date = DateReader()
        for at, (user_id, time, verify, state) in enumerate(self._fields(part)):
            yield LogRecord(
                sequence=self._first + start + at,
                user_id=user_id,
                at=date(time),
                verify=verify,
                state=state,
                raw=bytes(part[at * size : at * size + size]),
            )

    def _fields(self, part: memoryview) -> Iterator[_Fields]:
        if self._size == 8:
            known = self._user_ids
            if self._tiny is _TINY:
                for uid, verify, time, state in _TINY.iter_unpack(part):
                    yield known.get(uid, ""), time, verify, state
            else:
                for uid, verify, state, time in _TINY_TIME_LAST.iter_unpack(part):
                    yield known.get(uid, ""), time, verify, state
        elif self._size == 16:
            for number, time, verify, state in _SHORT.iter_unpack(part):
                yield str(number), time, verify, state
        else:
            text = _Ids()
            layout = _LONG if self._size == 40 else _LONGER
            for field, verify, time, state in layout.iter_unpack(part):
                yield text(field), time, verify, state
