"""What a controller says that it holds, read; and what is written to it reads back the same."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.ports import PushOrder, PushOrderKind, PushRight, PushUser
from accessctl_drivers.push.commands import command
from accessctl_drivers.push.fields import rows_of
from accessctl_drivers.push.tables import NO_DATE, card_of, right_rows, user_rows, zone_rows

USER = "user uid=1\tcardno=[15CD5B07]\tpin=4\tpassword=\tgroup=1\tstarttime=0\tendtime=0\tname=\tprivilege=0"


def test_users_of_a_table_upload() -> None:
    assert user_rows(rows_of([USER])) == [PushUser(pin="4", card=123456789)]


@pytest.mark.parametrize("field", ["privilege=14", "password=hunter2"])
def test_what_opens_beside_the_card_is_seen_and_not_kept(field: str) -> None:
    name = field.partition("=")[0]
    (user,) = user_rows(rows_of([USER.replace(f"{name}=" + ("0" if name == "privilege" else ""), field)]))
    assert not user.plain
    assert "hunter2" not in repr(user)


def test_card_numbers() -> None:
    assert card_of("123456789") == card_of("[15CD5B07]") == 123456789  # Security PUSH 3.1.2, on the user table
    assert card_of("") == card_of("[zz]") == card_of("-1") == card_of("1' OR '1'='1") == 0


def test_rights_and_time_zones_in_the_vendors_spelling() -> None:
    right = "userauthorize Pin=1\tAuthorizeTimezoneId=1\tAuthorizeDoorId=5\tDevID=1"
    assert right_rows(rows_of([right])) == [PushRight(pin="1", zone=1, doors=5)]
    zone = "timezone TimezoneId=2\tSunTime1=0\tMonTime1=54396080\tMonTime2=65537100\tHol3Time3=0"
    ((number, week),) = zone_rows(rows_of([zone]))
    assert number == 2
    assert week[1][0] == (510, 720)  # 08:30 to 12:00
    assert week[0] == week[6] == ()


FIRST, LAST = datetime.fromisoformat("2000-01-02"), datetime.fromisoformat("2099-12-31T23:59:59")
seconds = st.datetimes(min_value=FIRST, max_value=LAST).map(lambda at: at.replace(microsecond=0))


@given(seconds, seconds)
def test_a_validity_reads_back(start: datetime, end: datetime) -> None:
    """To the second where the controller counts seconds; else the days, from the first second to the last."""
    order = PushOrder(kind=PushOrderKind.PUT_USER, pin="7", card=9, start=start, end=end, dates_in_seconds=True)
    assert _read_back(order) == PushUser(pin="7", card=9, start=start, end=end)
    days = PushOrder(kind=PushOrderKind.PUT_USER, pin="7", card=9, start=start, end=end)
    first = start.replace(hour=0, minute=0, second=0)
    last = end.replace(hour=0, minute=0, second=0) + timedelta(days=1, seconds=-1)
    assert _read_back(days) == PushUser(pin="7", card=9, start=first, end=last)


def _read_back(order: PushOrder) -> PushUser:
    row = command(1, order).removeprefix("C:1:DATA UPDATE ")
    (user,) = user_rows(rows_of([row]), dates_in_seconds=order.dates_in_seconds)
    return user


@st.composite
def days(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    cuts = sorted(draw(st.lists(st.integers(0, 1439), unique=True, max_size=6)))
    return tuple(zip(cuts[::2], cuts[1::2], strict=False))


@given(st.integers(2, 50), st.lists(days(), min_size=7, max_size=7).map(tuple))
def test_a_time_zone_reads_back(zone: int, week: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    row = command(1, PushOrder(kind=PushOrderKind.PUT_TIME_ZONE, zone=zone, week=week)).removeprefix("C:1:DATA UPDATE ")
    assert zone_rows(rows_of([row])) == [(zone, week)]


@pytest.mark.parametrize("text", ["20261301", "99999999999999999999", "tomorrow", "-1"])
@pytest.mark.parametrize("in_seconds", [True, False])
def test_a_date_that_is_none_is_never_the_one_that_was_wanted(text: str, in_seconds: bool) -> None:
    row = USER.replace("endtime=0", f"endtime={text}")
    (user,) = user_rows(rows_of([row]), dates_in_seconds=in_seconds)
    assert user.end is not None
    assert user.end == NO_DATE or in_seconds


@given(st.lists(st.text(max_size=120), max_size=10), st.booleans())
def test_no_row_is_too_strange(lines: list[str], in_seconds: bool) -> None:
    rows = list(rows_of(lines))
    user_rows(rows, dates_in_seconds=in_seconds)
    right_rows(rows)
    zone_rows(rows)
