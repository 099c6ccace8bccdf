"""When a right is open: weekly schedules, and the holidays of Guatemala that interrupt them.

Times are minutes of the local day, half-open: `(420, 1020)` is 07:00 up to, not including, 17:00; 1440 is midnight at
the end. A shift over midnight is two intervals, one on each day (`overnight`). No interval means never.

A holiday replaces the day by the schedule's own `holiday` intervals; a half day leaves the weekday as it is until 12:00
and is a holiday from then on.

Sources of `guatemalan_holidays`: Código de Trabajo (Decreto 1441) art. 127 as amended, for the days and for the two
half days of December "a partir de las doce horas"; Decreto 42-2010 as amended by Decreto 19-2018 for the day that
moves: 30 June on a Tuesday or Wednesday is taken on the Monday before, from Thursday to Sunday on the Monday after. The
Corte de Constitucionalidad suspended that rule on 16 April 2020 for 1 May and 20 October (expediente 5536-2018), so
30 June alone moves. The afternoon of Holy Wednesday is not in art. 127 (it is custom and collective agreement), nor are
the institution's own days (31 October, 24 December as a whole day, days that the government adds by agreement): they
are decided each year, so they are holidays that a person enters, not law written here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

DAY = 24 * 60
NOON = 12 * 60
MOST_INTERVALS = 3  # what a controller's time zone holds for a day

GUATEMALA = timezone(timedelta(hours=-6), "America/Guatemala")
"""UTC-6 all year: no daylight saving since 2006. A test compares it with the zone database."""

_OFFSET = -6 * 3600
_EPOCH = date(1970, 1, 1).toordinal()
_THURSDAY = date(1970, 1, 1).weekday()

Interval = tuple[int, int]
Day = tuple[Interval, ...]


def local(at: datetime) -> datetime:
    """The wall clock of Guatemala at this moment. Raises `ValueError` for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone has no local time")
    return at.astimezone(GUATEMALA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """One day off. `half_day`: work goes on until 12:00. `town` is where it holds, "" is everywhere."""

    id: str
    date: date
    name: str
    half_day: bool = False
    town: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The holidays that hold at one place, by date; of two on one date, the whole day counts."""

    days: Mapping[date, Holiday]

    @classmethod
    def of(cls, holidays: Iterable[Holiday], *, town: str = "") -> "Calendar":
        """Those that hold everywhere, and those of `town`."""
        days: dict[date, Holiday] = {}
        for holiday in holidays:
            if holiday.town in {"", town} and (holiday.date not in days or not holiday.half_day):
                days[holiday.date] = holiday
        return cls(days=days)


NO_HOLIDAYS = Calendar(days={})


class Opening(StrEnum):
    """What a schedule says of a moment. `HOLIDAY`: on any other such weekday it would be open."""

    OPEN = "open"
    OUTSIDE = "outside"
    HOLIDAY = "holiday"


_OPEN, _OUTSIDE = Opening.OPEN, Opening.OUTSIDE  # looking a member up by name costs as much as the comparison


def _check(day: Day) -> None:
    if len(day) > MOST_INTERVALS:
        raise ValueError(f"{len(day)} intervals in a day: {MOST_INTERVALS} are the most")
    end_before = 0
    for start, end in day:
        if not end_before <= start < end <= DAY:
            raise ValueError(f"intervals must follow one another within the day: {start} to {end}")
        end_before = end


def _covers(day: Day, minute: int) -> bool:
    for start, end in day:  # noqa: SIM110 -- any() would double the cost of asking
        if start <= minute < end:
            return True
    return False


def _cut(day: Day, first: int, last: int) -> Day:
    return tuple((max(start, first), min(end, last)) for start, end in day if start < last and end > first)


def _joined(morning: Day, afternoon: Day) -> Day:
    """Join two runs of intervals where the one ends as the other begins, so that three remain three where they can."""
    if morning and afternoon and morning[-1][1] == afternoon[0][0]:
        return (*morning[:-1], (morning[-1][0], afternoon[0][1]), *afternoon[1:])
    return morning + afternoon


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklySchedule:
    """Intervals for each weekday, Monday first (as `date.weekday()` counts), and for holidays.

    Up to three intervals a day, in order and apart; raises `ValueError` otherwise.
    """

    id: str
    name: str
    week: tuple[Day, ...]
    holiday: Day = ()
    retired: bool = False

    def __post_init__(self) -> None:
        """Refuse a week that no terminal could hold."""
        if len(self.week) != 7:
            raise ValueError("a week has seven days")
        for day in (*self.week, self.holiday):
            _check(day)

    def on(self, day: date, calendar: Calendar = NO_HOLIDAYS) -> Day:
        """The intervals of one date, holidays applied (a half day may need more than three)."""
        plain = self.week[day.weekday()]
        off = calendar.days.get(day)
        if off is None:
            return plain
        return _joined(_cut(plain, 0, NOON), _cut(self.holiday, NOON, DAY)) if off.half_day else self.holiday

    def opening(self, at: datetime, calendar: Calendar = NO_HOLIDAYS) -> Opening:
        """What this schedule says of a moment. Raises `ValueError` for one without a zone."""
        if at.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be judged")
        return self.opening_at(at.timestamp(), calendar)

    def opening_at(self, seconds: float, calendar: Calendar = NO_HOLIDAYS) -> Opening:
        """The same for seconds of the epoch: plain arithmetic, for the policy asks it at every entry."""
        day, minute = divmod(int((seconds + _OFFSET) // 60), DAY)
        plain = self.week[(day + _THURSDAY) % 7]
        off = calendar.days.get(date.fromordinal(day + _EPOCH)) if calendar.days else None
        if off is None or (off.half_day and minute < NOON):
            return _OPEN if _covers(plain, minute) else _OUTSIDE
        if _covers(self.holiday, minute):
            return _OPEN
        return Opening.HOLIDAY if _covers(plain, minute) else _OUTSIDE

    def is_open(self, at: datetime, calendar: Calendar = NO_HOLIDAYS) -> bool:
        """Whether it is open at this moment."""
        return self.opening(at, calendar) is Opening.OPEN

    def covers(self, other: "WeeklySchedule") -> bool:
        """Whether every minute in which `other` is open is a minute in which this one is open too."""
        pairs = zip((*self.week, self.holiday), (*other.week, other.holiday), strict=True)
        return all(
            any(start <= first and last <= end for start, end in wide)
            for wide, narrow in pairs
            for first, last in narrow
        )

    def week_ahead(self, start: date, calendar: Calendar = NO_HOLIDAYS) -> tuple[Day, ...]:
        """The seven days from `start` on with their holidays, by weekday with Sunday first: a terminal's time zone.

        A terminal repeats its week, so this holds for seven days and must be sent again before they are over.
        """
        days = [start + timedelta(days=ahead) for ahead in range(7)]
        return tuple(self.on(day, calendar) for day in sorted(days, key=lambda day: day.isoweekday() % 7))


def overnight(start: int, end: int, *, weekdays: Iterable[int]) -> tuple[Day, ...]:
    """A week with one shift on each of `weekdays` (0 = Monday) that ends at `end` the next day."""
    if not 0 <= end < start < DAY:
        raise ValueError("a shift over midnight ends earlier in the day than it starts")
    nights = set(weekdays)
    if not nights <= set(range(7)):
        raise ValueError("weekdays are 0 to 6")
    week: list[Day] = []
    for weekday in range(7):
        tail: Day = ((0, end),) if end and (weekday - 1) % 7 in nights else ()
        week.append((*tail, (start, DAY)) if weekday in nights else tail)
    return tuple(week)


_WHOLE_DAY: Day = ((0, DAY),)
_OFFICE: Day = ((7 * 60, 17 * 60),)

ALWAYS = WeeklySchedule(id="always", name="Siempre", week=(_WHOLE_DAY,) * 7, holiday=_WHOLE_DAY)
OFFICE_HOURS = WeeklySchedule(id="office", name="Horario de oficina", week=(_OFFICE,) * 5 + ((), ()))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    golden, century, rest = year % 19, year // 100, year % 100
    leap_c, rest_c = divmod(century, 4)
    moon = (19 * golden + century - leap_c - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * rest_c + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


_FIXED = (
    (1, 1, "Año Nuevo", False),
    (5, 1, "Día del Trabajo", False),
    (9, 15, "Día de la Independencia", False),
    (10, 20, "Día de la Revolución de 1944", False),
    (11, 1, "Día de Todos los Santos", False),
    (12, 24, "Nochebuena", True),
    (12, 25, "Navidad", False),
    (12, 31, "Fin de Año", True),
)
TOWN_FAIRS: dict[str, tuple[int, int, str]] = {
    "Guatemala": (8, 15, "Virgen de la Asunción"),
    "Antigua Guatemala": (7, 25, "Santiago Apóstol"),
}
"""The local fair day that art. 127 grants, where the date was confirmed; other towns' are entered by a person."""

_FIRST_YEAR = 2021  # the first whole year under the rule as the court left it


def _moved(day: date) -> date:
    """Decreto 19-2018: Tuesday and Wednesday to the Monday before, Thursday to Sunday to the Monday after."""
    weekday = day.weekday()
    return day - timedelta(days=weekday) if weekday <= 2 else day + timedelta(days=7 - weekday)


def guatemalan_holidays(year: int) -> tuple[Holiday, ...]:
    """The days off of a year, in order: those of the whole country, and the fairs of `TOWN_FAIRS` with their town.

    Raises `ValueError` for years before 2021: the day off of 30 June, 1 May and 20 October moved by other rules then.
    """
    if not _FIRST_YEAR <= year <= 2199:
        raise ValueError(f"the rule is known from {_FIRST_YEAR} to 2199, not for {year}")
    sunday = easter(year)
    holy = ((3, "Jueves Santo"), (2, "Viernes Santo"), (1, "Sábado Santo"))
    found = [(date(year, month, day), name, half, "") for month, day, name, half in _FIXED]
    found += [(sunday - timedelta(days=before), name, False, "") for before, name in holy]
    found.append((_moved(date(year, 6, 30)), "Día del Ejército", False, ""))
    found += [(date(year, month, day), name, False, town) for town, (month, day, name) in TOWN_FAIRS.items()]
    return tuple(
        Holiday(
            id=f"{day.isoformat()} {town}".rstrip().lower().replace(" ", "-"),
            date=day,
            name=name,
            half_day=half,
            town=town,
        )
        for day, name, half, town in sorted(found)
    )
