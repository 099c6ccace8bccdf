"""Times as controllers write them: naive local time, as text or as the vendor's packed seconds.

The packed form counts months of 31 days from 2000 (`encode`); 2018-02-22 14:54:54 is 583080894 in the vendor's example
(Security PUSH 3.1.2, on `SET OPTIONS DateTime`). Values that no calendar has decode to None.
"""

from datetime import datetime

_LATEST = (99 * 372 + 371) * 86400 + 86399


def encode(at: datetime) -> int:
    """Naive local time as packed seconds. Raises `ValueError` outside 2000 to 2099, and for an aware time."""
    if at.tzinfo is not None or not 2000 <= at.year <= 2099:
        raise ValueError(f"{at} is no local time from 2000 to 2099")
    days = (at.year - 2000) * 372 + (at.month - 1) * 31 + at.day - 1
    return days * 86400 + at.hour * 3600 + at.minute * 60 + at.second


def decode(packed: int) -> datetime | None:
    """Packed seconds as naive local time; None where that is no date (31 April)."""
    if not 0 <= packed <= _LATEST:
        return None
    days, seconds = divmod(packed, 86400)
    months, day = divmod(days, 31)
    years, month = divmod(months, 12)
    try:
        return datetime(  # noqa: DTZ001 -- the controller's own clock has no zone
            2000 + years, month + 1, day + 1, seconds // 3600, seconds // 60 % 60, seconds % 60
        )
    except ValueError:
        return None


def parse(text: str) -> datetime | None:
    """`2017-01-10 11:49:32` (also with `T`, and nothing else) as naive local time, or None."""
    if len(text) != 19 or not text.isascii() or text[4] != "-" or text[10] not in " T":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
