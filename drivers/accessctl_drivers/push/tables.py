"""What a controller says that it holds: rows of `user`, `userauthorize` and `timezone`, read tolerantly.

A user's validity is `YYYYMMDD` in whole days, or packed seconds where the controller declared `DateFmtFunOn=1`; both
are read as the first and the last second. A date that is none reads as `NO_DATE`, which nobody ever wanted.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time

from accessctl.ports import PushRight, PushUser, PushWeek
from accessctl_drivers.push import times
from accessctl_drivers.push.events import LONGEST_PIN
from accessctl_drivers.push.fields import is_token, number_of

DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
INTERVALS = 3  # of a day
NO_DATE = datetime(1970, 1, 1)  # noqa: DTZ001 -- the controller's own clock has no zone
_NONE = {"", "0"}


def user_rows(rows: Iterable[Mapping[str, str]], *, dates_in_seconds: bool = False) -> list[PushUser]:
    """Users by their `pin` and `cardno` (or `card`); rows without a person's number are none."""
    found = []
    for row in rows:
        pin = row.get("pin", "")
        if not pin or not is_token(pin, longest=LONGEST_PIN):
            continue
        user = PushUser(
            pin=pin,
            card=card_of(row.get("cardno") or row.get("card") or ""),
            start=_date(row.get("starttime", ""), seconds=dates_in_seconds, last=False),
            end=_date(row.get("endtime", ""), seconds=dates_in_seconds, last=True),
            plain=row.get("privilege", "") in _NONE and not row.get("password"),
        )
        found.append(user)
    return found


def right_rows(rows: Iterable[Mapping[str, str]]) -> list[PushRight]:
    """Rights; rows without a person's number are none, and a number that is none is 0."""
    found = []
    for row in rows:
        pin = row.get("pin", "")
        if pin and is_token(pin, longest=LONGEST_PIN):
            zone, doors = (number_of(row.get(name)) or 0 for name in ("authorizetimezoneid", "authorizedoorid"))
            found.append(PushRight(pin=pin, zone=zone, doors=doors))
    return found


def zone_rows(rows: Iterable[Mapping[str, str]]) -> list[tuple[int, PushWeek]]:
    """Time zones by their number; holidays of the controller are not looked at, for we give it none."""
    found = []
    for row in rows:
        zone = number_of(row.get("timezoneid"))
        if zone is not None:
            found.append((zone, tuple(_day(row, day.lower()) for day in DAYS)))
    return found


def _day(row: Mapping[str, str], day: str) -> tuple[tuple[int, int], ...]:
    packed = (number_of(row.get(f"{day}time{place}")) or 0 for place in range(1, INTERVALS + 1))
    return tuple((_minute(one >> 16), _minute(one & 0xFFFF)) for one in packed if one)


def _minute(clock: int) -> int:
    """HHMM as a minute of the day; what is no time of day stays apart from all that are."""
    hour, minute = divmod(clock, 100)
    return hour * 60 + minute if minute < 60 else 24 * 60 + clock


def _date(text: str, *, seconds: bool, last: bool) -> datetime | None:
    if text in _NONE:
        return None
    number = number_of(text)
    if number is None:
        return NO_DATE
    if seconds:
        return times.decode(number) or NO_DATE
    try:
        day = datetime(number // 10_000, number // 100 % 100, number % 100)  # noqa: DTZ001 -- as above
    except ValueError:
        return NO_DATE
    return datetime.combine(day, time(23, 59, 59)) if last else day


def card_of(text: str) -> int:
    """A card number: decimal, or hex digits in brackets with the lowest byte first (`[15CD5B07]`); 0 for none."""
    if text.startswith("[") and text.endswith("]") and len(text) in {10, 12, 14, 16, 18}:
        try:
            return int.from_bytes(bytes.fromhex(text[1:-1]), "little")
        except ValueError:
            return 0
    return number_of(text, most=(1 << 64) - 1) or 0
