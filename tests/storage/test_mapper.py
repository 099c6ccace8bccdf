"""Rows and dataclasses, and the types of columns: what fits, and what is refused as the two are bound."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, Text
from sqlalchemy.dialects import sqlite

from accessctl.domain.card_numbers import CardNumber
from accessctl.storage.columns import Utc, microseconds
from accessctl.storage.mapper import Mapper
from accessctl.storage.plain import as_text, codec_of
from tests.storage import values

INSTANTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-6)), timezone(timedelta(hours=14))]))


class Word(StrEnum):
    ONE = "one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    at: datetime
    on: date
    past: time
    word: Word | None
    pair: tuple[int, str]
    raw: bytes


COMPOSED = tuple[Inner, ...]


@given(at=INSTANTS, text=st.text(), number=st.integers(-(2**53), 2**53), raw=st.binary(max_size=20))
def test_composed_values_come_back_as_they_were(at: datetime, text: str, number: int, raw: bytes) -> None:
    text = text.encode("utf-8", "replace").decode()
    inner = Inner(at=at, on=at.date(), past=at.time(), word=Word.ONE, pair=(number, text), raw=raw)
    codec = as_text(codec_of(COMPOSED))
    assert codec.made(codec.plain((inner, inner))) == (inner, inner)


def test_composed_text_is_canonical() -> None:
    codec = as_text(codec_of(Mapping[str, tuple[int, ...]]))
    assert codec.plain({"b": (1, 2), "a": ()}) == '{"a":[],"b":[1,2]}'
    assert as_text(codec_of(frozenset[str])).plain(frozenset({"ñ", "a"})) == '["a","ñ"]'


@pytest.mark.parametrize("hint", [float, object, list[int], Mapping[int, str], int | str, set[str]])
def test_a_type_without_a_rule_is_refused_when_it_is_bound(hint: object) -> None:
    with pytest.raises(TypeError, match="no rule"):
        codec_of(hint)


@given(one=INSTANTS, other=INSTANTS)
def test_instants_in_sqlite_sort_as_they_happened(one: datetime, other: datetime) -> None:
    dialect, kept = sqlite.dialect(), Utc()
    stored = [kept.process_bind_param(at, dialect) for at in (one, other)]
    assert (stored[0] < stored[1]) == (one < other)  # type: ignore[operator]  # whole numbers, in SQLite
    assert [kept.process_result_value(at, dialect) for at in stored] == [one, other]
    assert kept.process_result_value(stored[0], dialect).tzinfo is UTC  # type: ignore[union-attr]  # it was not None


def test_a_naive_datetime_is_never_stored() -> None:
    with pytest.raises(ValueError, match="naive"):
        microseconds(datetime(2026, 1, 1))  # noqa: DTZ001  # that is the bug


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    id: str
    number: CardNumber
    other: str


def number(*, nullable: bool = False) -> Column[str]:
    return Column("number", String(40), nullable=nullable)


def other() -> Column[str]:
    return Column("other", String(9), nullable=False)


def table(*columns: Column[str]) -> Table:
    return Table("things", MetaData(), Column("id", String(10), primary_key=True), *columns)


def test_a_dataclass_and_a_table_that_fit() -> None:
    mapper = Mapper(Thing, table(number(), other()))
    thing = Thing(id="a", number=values.NUMBER, other="x")
    row = mapper.row(thing)
    assert row == {"id": "a", "number": values.NUMBER.key, "other": "x"}
    assert mapper.value(list(row.values())) == thing


def test_a_dataclass_and_a_table_that_do_not_fit_are_refused_when_they_are_bound() -> None:
    with pytest.raises(TypeError, match="no column for other"):
        Mapper(Thing, table(number()))
    with pytest.raises(TypeError, match="without a field"):
        Mapper(Thing, table(number(), other(), Column("more", Text, nullable=False)))
    with pytest.raises(TypeError, match="do not go together"):
        Mapper(Thing, table(number(nullable=True), other()))
