"""Schedules around midnight, holidays and half days; the holidays of Guatemala against published calendars.

Dates: Ministerio de Trabajo and IGSS notices as printed by Prensa Libre, AGN and La Hora (30 June taken on Monday
28 June 2021, 4 July 2022, 3 July 2023, 1 July 2024, 30 June 2025); Holy Week 2026 from 2 April on.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.schedules import (
    ALWAYS,
    DAY,
    GUATEMALA,
    NO_HOLIDAYS,
    OFFICE_HOURS,
    Calendar,
    Day,
    Holiday,
    Opening,
    WeeklySchedule,
    easter,
    guatemalan_holidays,
    overnight,
)

YEAR_2026 = Calendar.of(guatemalan_holidays(2026), town="Guatemala")
NEVER = WeeklySchedule(id="never", name="Nunca", week=((),) * 7)
GUARD = WeeklySchedule(
    id="guard", name="Turno", week=overnight(18 * 60, 6 * 60, weekdays=range(7)), holiday=((0, 600),)
)


def here(text: str) -> datetime:
    """A moment on Guatemala's clock, kept in UTC as everywhere inside."""
    return datetime.fromisoformat(text).replace(tzinfo=GUATEMALA).astimezone(UTC)


def test_the_fixed_offset_is_what_the_zone_database_says() -> None:
    zone = ZoneInfo("America/Guatemala")
    moment = datetime(2007, 1, 1, tzinfo=UTC)
    while moment.year < 2037:
        assert moment.astimezone(zone).utcoffset() == GUATEMALA.utcoffset(None)
        moment += timedelta(days=7)


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2026-11-23T06:59:59.999999", Opening.OUTSIDE),  # a Monday
        ("2026-11-23T07:00:00", Opening.OPEN),
        ("2026-11-23T16:59:59.999999", Opening.OPEN),
        ("2026-11-23T17:00:00", Opening.OUTSIDE),
        ("2026-11-22T12:00:00", Opening.OUTSIDE),  # Sunday
        ("2026-11-21T12:00:00", Opening.OUTSIDE),  # Saturday
        ("2026-04-02T10:00:00", Opening.HOLIDAY),  # Maundy Thursday
        ("2026-04-02T18:00:00", Opening.OUTSIDE),  # closed at that hour on any Thursday
        ("2026-04-04T10:00:00", Opening.OUTSIDE),  # Holy Saturday: a Saturday is closed anyway
        ("2026-04-01T15:00:00", Opening.OPEN),  # the afternoon of Holy Wednesday is not in art. 127
        ("2026-12-24T11:59:59", Opening.OPEN),
        ("2026-12-24T12:00:00", Opening.HOLIDAY),
        ("2026-12-24T06:00:00", Opening.OUTSIDE),
        ("2026-12-31T23:59:59", Opening.OUTSIDE),
        ("2027-01-01T00:00:00", Opening.OUTSIDE),
    ],
)
def test_office_hours(at: str, opening: Opening) -> None:
    assert OFFICE_HOURS.opening(here(at), YEAR_2026) is opening
    assert OFFICE_HOURS.is_open(here(at), YEAR_2026) is (opening is Opening.OPEN)


def test_the_day_is_guatemalas_and_not_utcs() -> None:
    assert OFFICE_HOURS.is_open(datetime(2026, 11, 23, 22, 59, tzinfo=UTC))  # 16:59 here
    assert not OFFICE_HOURS.is_open(datetime(2026, 11, 23, 12, 59, tzinfo=UTC))  # 06:59 here
    friday_evening_here = datetime(2026, 12, 26, 4, 0, tzinfo=UTC)  # 22:00 on the 25th: still the holiday
    day_shift = WeeklySchedule(id="s", name="s", week=(((0, DAY),),) * 7)
    assert day_shift.opening(friday_evening_here, YEAR_2026) is Opening.HOLIDAY


def test_a_moment_without_a_zone_is_not_judged() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ALWAYS.is_open(datetime(2026, 1, 1))  # noqa: DTZ001 -- that is what is tried


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-23T17:59:59", False),
        ("2026-11-23T18:00:00", True),
        ("2026-11-23T23:59:59.999999", True),
        ("2026-11-24T00:00:00", True),
        ("2026-11-24T05:59:59", True),
        ("2026-11-24T06:00:00", False),
    ],
)
def test_a_shift_over_midnight(at: str, expected: bool) -> None:
    assert GUARD.is_open(here(at)) is expected


def test_overnight_only_on_some_days() -> None:
    week = overnight(22 * 60, 5 * 60, weekdays=[4])  # Friday night
    assert week == ((), (), (), (), ((1320, 1440),), ((0, 300),), ())
    assert overnight(22 * 60, 0, weekdays=[6])[0] == ()
    with pytest.raises(ValueError, match="over midnight"):
        overnight(8 * 60, 17 * 60, weekdays=[0])
    with pytest.raises(ValueError, match="weekdays"):
        overnight(22 * 60, 5 * 60, weekdays=[7])


def test_no_schedule_means_never_and_always_means_always() -> None:
    moment = here("2026-01-01T00:00")
    while moment < here("2026-12-31T23:00"):
        assert not NEVER.is_open(moment, YEAR_2026)
        assert ALWAYS.is_open(moment, YEAR_2026)
        moment += timedelta(hours=7)


def test_a_holiday_with_hours_of_its_own() -> None:
    assert GUARD.is_open(here("2026-12-25T07:00"), YEAR_2026)
    assert GUARD.opening(here("2026-12-25T19:00"), YEAR_2026) is Opening.HOLIDAY


def test_week_ahead_is_sunday_first_with_holidays_applied() -> None:
    office: Day = ((420, 1020),)
    assert OFFICE_HOURS.week_ahead(date(2026, 11, 23), YEAR_2026) == ((), office, office, office, office, office, ())
    christmas = OFFICE_HOURS.week_ahead(date(2026, 12, 20), YEAR_2026)  # Thursday 24 half, Friday 25 off
    assert christmas == ((), office, office, office, ((420, 720),), (), ())
    across = OFFICE_HOURS.week_ahead(date(2026, 4, 1), YEAR_2026)  # Wednesday to Tuesday
    assert across == ((), office, office, office, (), (), ())


def test_half_day_with_holiday_hours_joins_at_noon() -> None:
    assert ALWAYS.on(date(2026, 12, 24), YEAR_2026) == ((0, DAY),)
    assert GUARD.on(date(2026, 12, 24), YEAR_2026) == ((0, 360),)


days = st.lists(st.integers(0, DAY), max_size=6, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[: len(edges) // 2 * 2 : 2], sorted(edges)[1::2], strict=True))
)


@given(
    st.lists(days, min_size=7, max_size=7),
    days,
    st.dates(date(2026, 1, 1), date(2026, 12, 25)),
    st.integers(0, DAY - 1),
)
def test_intervals_and_openings_tell_the_same(week: list[Day], holiday: Day, day: date, minute: int) -> None:
    schedule = WeeklySchedule(id="x", name="x", week=tuple(week), holiday=holiday)
    at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, 59, tzinfo=GUATEMALA)
    inside = any(start <= minute < end for start, end in schedule.on(day, YEAR_2026))
    assert schedule.is_open(at, YEAR_2026) is inside
    table = schedule.week_ahead(day, YEAR_2026)
    assert table[day.isoweekday() % 7] == schedule.on(day, YEAR_2026)
    if schedule.opening(at, YEAR_2026) is Opening.HOLIDAY:
        assert schedule.is_open(at, NO_HOLIDAYS)


@pytest.mark.parametrize(
    "day",
    [((420, 420),), ((500, 400),), ((0, 1441),), ((-1, 5),), ((0, 60), (30, 90)), ((0, 1), (2, 3), (4, 5), (6, 7))],
)
def test_days_that_no_terminal_could_hold(day: Day) -> None:
    with pytest.raises(ValueError, match="interval"):
        WeeklySchedule(id="x", name="x", week=((),) * 6 + (day,))
    with pytest.raises(ValueError, match="interval"):
        WeeklySchedule(id="x", name="x", week=((),) * 7, holiday=day)


def test_a_week_has_seven_days() -> None:
    with pytest.raises(ValueError, match="seven"):
        WeeklySchedule(id="x", name="x", week=((),) * 6)


@pytest.mark.parametrize(
    "sunday",
    ["1999-04-04", "2000-04-23", "2008-03-23", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25"],
)
def test_easter(sunday: str) -> None:
    assert easter(int(sunday[:4])) == date.fromisoformat(sunday)


def test_the_year_2026() -> None:
    national = [(day.date.isoformat()[5:], day.half_day) for day in guatemalan_holidays(2026) if not day.town]
    whole = ["01-01", "04-02", "04-03", "04-04", "05-01", "06-29", "09-15", "10-20", "11-01", "12-25"]
    assert sorted(national) == sorted([(day, False) for day in whole] + [("12-24", True), ("12-31", True)])


@pytest.mark.parametrize(
    "taken", ["2021-06-28", "2022-07-04", "2023-07-03", "2024-07-01", "2025-06-30", "2026-06-29", "2028-07-03"]
)
def test_30_june_moves_to_a_monday(taken: str) -> None:
    days_off = {day.date.isoformat() for day in guatemalan_holidays(int(taken[:4])) if day.name == "Día del Ejército"}
    assert days_off == {taken}


def test_1_may_and_20_october_no_longer_move() -> None:
    for year in range(2021, 2035):
        dates = {day.date for day in guatemalan_holidays(year)}
        assert {date(year, 5, 1), date(year, 10, 20)} <= dates


def test_ids_are_unique_and_years_without_a_known_rule_are_refused() -> None:
    ids = [day.id for year in range(2021, 2030) for day in guatemalan_holidays(year)]
    assert len(set(ids)) == len(ids)
    with pytest.raises(ValueError, match="2020"):
        guatemalan_holidays(2020)


def test_fairs_hold_in_their_town_only() -> None:
    fair = date(2026, 8, 15)
    everywhere = Calendar.of(guatemalan_holidays(2026))
    assert fair in YEAR_2026.days
    assert fair not in everywhere.days
    assert fair not in Calendar.of(guatemalan_holidays(2026), town="Antigua Guatemala").days


def test_of_two_holidays_on_a_date_the_whole_day_counts() -> None:
    half = Holiday(id="a", date=date(2026, 12, 24), name="Media", half_day=True)
    whole = Holiday(id="b", date=date(2026, 12, 24), name="Entera")
    for order in ([half, whole], [whole, half]):
        assert Calendar.of(order).days[date(2026, 12, 24)] is whole
