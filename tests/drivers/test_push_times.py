"""Packed seconds and written times. Vectors: Security PUSH 3.1.2 (SET OPTIONS DateTime, rtdata), C3 library."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl_drivers.push.times import decode, encode, parse

LOCAL = st.datetimes(
    min_value=datetime.fromisoformat("2000-01-01 00:00:00"), max_value=datetime.fromisoformat("2099-12-31 23:59:59")
).map(lambda at: at.replace(microsecond=0))


@pytest.mark.parametrize(
    ("packed", "at"),
    [
        (583080894, datetime.fromisoformat("2018-02-22 14:54:54")),
        (583050990, datetime.fromisoformat("2018-02-22 06:36:30")),
        (864388800, datetime.fromisoformat("2026-11-23 12:00:00")),
        (0, datetime.fromisoformat("2000-01-01 00:00:00")),
    ],
)
def test_vectors(packed: int, at: datetime) -> None:
    found = decode(packed)
    assert found is not None
    assert encode(found) == packed
    assert found == at


@given(LOCAL)
def test_what_is_packed_comes_out_again(at: datetime) -> None:
    assert decode(encode(at)) == at


@given(st.integers(min_value=-10, max_value=2**33))
def test_any_number_is_a_date_or_none(packed: int) -> None:
    found = decode(packed)
    assert found is None or encode(found) == packed


@given(LOCAL)
def test_written_times(at: datetime) -> None:
    assert parse(f"{at:%Y-%m-%d %H:%M:%S}") == at


@pytest.mark.parametrize(
    "text",
    ["", "2026-02-30 00:00:00", "2026-11-23 25:00:00", "2026-11-23T12:00:00+1", "1970", "２０２６-11-23 12:00:00"],
)
def test_what_is_no_time(text: str) -> None:
    assert parse(text) is None


@given(st.text(max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    found = parse(text)
    assert found is None or found.tzinfo is None


def test_a_time_with_a_zone_is_not_packed() -> None:
    with pytest.raises(ValueError, match="local"):
        encode(datetime.fromisoformat("2026-11-23T12:00:00+00:00"))
