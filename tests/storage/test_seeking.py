"""A search and a count find what is there, however the record is walked through, and say how far they came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessctl.domain.facts import Fact
from accessctl.services.store import DeviceEvent, EventFilter, EventRow, Tally
from accessctl.storage import journal, seeking
from accessctl.storage.engine import begin_reading
from accessctl.storage.unit_of_work import SqlStore
from tests.storage.values import NOW

SIZE = 600
KINDS = (Fact.DOOR_GRANTED, Fact.DOOR_REFUSED, Fact.DOOR_FORCED, Fact.DOOR_HELD)


def seen(number: int) -> DeviceEvent:
    """Doors and kinds that are common, rare, and never together; every fiftieth event is ten days late."""
    return DeviceEvent(
        identity=f"panel/{number}" if number % 9 else f"other/{number}",
        fact=KINDS[0 if number % 10 else 1 if number % 100 else 2],
        at=NOW + timedelta(minutes=number) - timedelta(days=10 if number % 50 == 7 else 0),
        received_at=NOW + timedelta(minutes=number),
        device="panel" if number % 9 else "other",
        door="" if number % 12 == 5 else "lobby" if number % 3 else "cd-1" if number % 30 else "never-with-refusals",
        norm="" if number % 10 else "N10.2" if number % 40 else "N4.3",
        credential=f"em:{number % 17:08X}",
        visit="v1" if number % 200 == 3 else "",
    )


@dataclass(frozen=True, slots=True)
class Filled:
    """A store, and all that is in it."""

    store: SqlStore
    everything: list[EventRow]


@pytest.fixture
def filled(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Filled:
    """A record whose blocks and stretches are small, so that it has many of both."""
    for name, value in (("BLOCK", 16), ("NEAR", 32), ("LOOKED_AT", 20), ("SHORT", 50), ("LONGEST", 200)):
        monkeypatch.setattr(seeking, name, value)
    monkeypatch.setattr(journal, "BLOCK", 16)
    for start in range(0, SIZE, 70):
        with store.begin() as tx:
            tx.events.store([seen(number) for number in range(start, min(start + 70, SIZE))])
            tx.commit()
    with store.view() as tx:
        everything = [row for row, _ in tx.events.stream(EventFilter())]
    assert [row.index for row in everything] == list(range(SIZE))
    return Filled(store, everything)


def some(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", "", *values, "' OR '1'='1", "%"])


def several(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.just(()) | st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


MOMENTS = st.none() | st.integers(-15_000, SIZE + 100).map(lambda minutes: NOW + timedelta(minutes=minutes))
INDEXES = st.none() | st.integers(-5, SIZE + 5)
FILTERS = st.builds(
    EventFilter,
    since=MOMENTS,
    until=MOMENTS,
    after_index=INDEXES,
    before_index=INDEXES,
    doors=several("lobby", "cd-1", "never-with-refusals", "nowhere"),
    device=some("panel", "other"),
    credential=some("em:00000003"),
    credentials=several("em:00000001", "em:00000005", "none"),
    visit=some("v1"),
    norm=some("N10.2", "N4.3"),
    events=several(*(fact.value for fact in KINDS)),
    device_events_only=st.booleans(),
)


def wanted(row: EventRow, which: EventFilter) -> bool:
    """The filter, read plainly."""
    each = ("device", "credential", "visit", "norm")
    return (
        (which.since is None or row.at >= which.since)
        and (which.until is None or row.at < which.until)
        and (which.after_index is None or row.index > which.after_index)
        and (which.before_index is None or row.index < which.before_index)
        and (not which.doors or row.door in which.doors)
        and (not which.events or row.event in which.events)
        and (not which.credentials or row.credential in which.credentials)
        and all(not getattr(which, name) or getattr(row, name) == getattr(which, name) for name in each)
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(which=FILTERS, limit=st.integers(1, 60), newest=st.booleans())
def test_it_finds_what_is_there_in_its_order(filled: Filled, which: EventFilter, limit: int, newest: bool) -> None:
    here = [row for row in filled.everything if wanted(row, which)]
    expected = (here[::-1] if newest else here)[:limit]
    with filled.store.view() as tx:
        assert tx.events.rows(which, limit=limit, newest=newest) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(which=FILTERS, newest=st.booleans())
def test_a_search_without_time_can_be_gone_on_with_until_all_was_seen(
    filled: Filled, which: EventFilter, newest: bool
) -> None:
    with filled.store.view() as tx:
        expected = tx.events.rows(which, limit=SIZE, newest=newest)
        found: list[EventRow] = []
        asked, turns = which, 0
        while True:
            piece = tx.events.search(asked, limit=SIZE, newest=newest, seconds=-1.0)
            found += piece.rows
            turns += 1
            assert turns <= SIZE
            if piece.reached is None:
                break
            asked = replace(asked, **({"before_index": piece.reached} if newest else {"after_index": piece.reached}))
        assert found == expected


BY = ("door", "event", "norm")


def lines_of(rows: Sequence[EventRow]) -> dict[tuple[str, ...], tuple[int, datetime, datetime]]:
    """What the lines of a count of these entries must be."""
    times: dict[tuple[str, ...], list[datetime]] = {}
    for row in rows:
        times.setdefault((row.door, row.event, row.norm), []).append(row.at)
    return {values: (len(all_of), min(all_of), max(all_of)) for values, all_of in times.items()}


def said(lines: Sequence[Tally]) -> dict[tuple[str, ...], tuple[int, datetime, datetime]]:
    return {line.values: (line.count, line.first_at, line.last_at) for line in lines}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(which=FILTERS, limit=st.integers(1, 9))
def test_a_count_is_of_every_entry_and_its_lines_are_in_order(filled: Filled, which: EventFilter, limit: int) -> None:
    expected = lines_of([row for row in filled.everything if wanted(row, which)])
    with filled.store.view() as tx:
        counted = tx.events.count(which, BY)
        assert said(counted.lines) == expected
        assert counted.reached is None
        assert [line.values for line in counted.lines] == sorted(expected, key=lambda values: (not values[0], values))
        walked = tx.events.count(which, BY, limit=limit).lines
        while more := tx.events.count(which, BY, after=walked[-1].values if walked else (), limit=limit).lines:
            walked += more
            assert len(more) <= limit
        assert walked == counted.lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(which=FILTERS)
def test_a_count_without_time_says_how_far_it_came(filled: Filled, which: EventFilter) -> None:
    here = [row for row in filled.everything if wanted(row, which)]
    asked, behind = which, -1
    with filled.store.view() as tx:
        while True:
            counted = tx.events.count(asked, BY, seconds=-1.0)
            end = SIZE if counted.reached is None else counted.reached + 1
            assert end > behind
            assert said(counted.lines) == lines_of([row for row in here if behind < row.index < end])
            if counted.reached is None:
                break
            behind, asked = counted.reached, replace(asked, after_index=counted.reached)


def test_the_rarest_value_leads(filled: Filled) -> None:
    which = EventFilter(doors=("lobby",), visit="v1", norm="N10.2")
    with begin_reading(filled.store.engine) as connection:
        lead = seeking._lead(connection, which, (0, SIZE))
    assert lead is not None
    assert (lead.entries, lead.counted) == (3, True)


def test_what_is_everywhere_leads_nowhere(filled: Filled) -> None:
    which = EventFilter(doors=("lobby", "cd-1"), device="panel")
    with begin_reading(filled.store.engine) as connection:
        assert seeking._lead(connection, which, (0, SIZE)) is None


def test_a_time_leaves_out_what_lies_outside(filled: Filled) -> None:
    late = EventFilter(since=NOW - timedelta(days=10), until=NOW - timedelta(days=9))
    with begin_reading(filled.store.engine) as connection:
        assert seeking._ranges(connection, EventFilter(since=NOW + timedelta(days=2))) == []
        early = seeking._ranges(connection, EventFilter(until=NOW - timedelta(days=9)))
    assert early
    with filled.store.view() as tx:
        assert [row.index % 50 for row in tx.events.rows(late, limit=SIZE)] == [7] * 12


@pytest.mark.parametrize("newest", [True, False])
def test_stretches_cover_everything_once(newest: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Callable[[], float] = iter(range(0, 10_000, 1)).__next__  # every stretch is slow
    monkeypatch.setattr(seeking.time, "monotonic", clock)
    pieces = list(seeking.stretches([(0, 5), (10, 20_000)], 5000, newest=newest, ends=None))
    covered = [index for start, end in pieces for index in range(start, end)]
    assert sorted(covered) == [*range(5), *range(10, 20_000)]
    assert pieces == sorted(pieces, reverse=newest)


def test_a_stretch_is_no_longer_than_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(seeking.time, "monotonic", lambda: now[0])
    took = []
    for start, end in seeking.stretches([(0, 10_000_000)], seeking.SHORT, newest=True, ends=0.6):
        took.append((end - start) * 1e-6)  # a million entries a second
        now[0] += took[-1]
        if now[0] > 0.6:
            break
    assert len(took) > 2
    assert now[0] < 0.6 + seeking.BLOCK * 1e-6 * 2
