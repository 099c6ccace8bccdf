"""Where we stand in a controller's log: order, holes, resets; whatever the order and the repetitions of its uploads."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accessctl.ports import PushEvent, PushKind
from accessctl.services.push_log import PushMark, identity_of

START = datetime.fromisoformat("2026-01-01 07:00:00")


def event(index: int | None, *, at: datetime | None = None, digest: str = "") -> PushEvent:
    when = at or START + timedelta(minutes=index or 0)
    return PushEvent(
        kind=PushKind.GRANTED,
        code=0,
        door=1,
        pin="1",
        card=0,
        at=when,
        leaving=False,
        factor="card",
        index=index,
        digest=digest or f"{index}@{when:%Y%m%d%H%M%S}",
    )


@given(st.data())
def test_whatever_the_order_the_holes_are_what_is_missing(data: st.DataObject) -> None:
    total = data.draw(st.integers(2, 40))
    first = data.draw(st.integers(1, 1000))
    sent = data.draw(st.lists(st.integers(0, total - 1), min_size=1, max_size=80))
    cuts = data.draw(st.lists(st.integers(1, 10), min_size=1, max_size=40))
    mark, place, seen = PushMark(epoch=3), 0, set[int]()
    lowest = None
    for size in cuts:
        batch = [event(first + number) for number in sent[place : place + size]]
        place += size
        if not batch:
            break
        reading = mark.read(batch)
        assert not reading.reset
        mark = reading.mark
        seen |= {one.index for one in batch if one.index is not None}
        lowest = min(seen) if lowest is None else lowest  # of the first upload
    missing = {index for start, end in mark.holes for index in range(start, end + 1)}
    assert lowest is not None
    # the first upload sets where we begin: what came before it is history, not a gap
    assert missing == {index for index in range(lowest, max(seen) + 1) if index not in seen}
    assert (mark.last, mark.epoch) == (max(seen), 3)


def test_a_gap_is_found_and_filled() -> None:
    reading = PushMark().read([event(index) for index in (1, 2, 5, 6, 9)])
    assert reading.holes == ((3, 4), (7, 8))
    assert not reading.filled
    reading = reading.mark.read([event(8), event(3), event(4)])
    assert reading.mark.holes == ((7, 7),)
    assert not reading.filled
    assert reading.mark.read([event(7)]).filled


def test_a_reset_is_seen_by_its_newer_events() -> None:
    mark = PushMark().read([event(index) for index in range(1, 51)]).mark
    reading = mark.read([event(1, at=START + timedelta(days=1))])
    assert reading.reset
    assert (reading.mark.epoch, reading.mark.last) == (2, 1)
    assert reading.holes == ()
    assert reading.mark.read([event(2, at=START + timedelta(days=2))]).mark.epoch == 2


def test_a_reset_is_seen_by_another_event_under_a_known_index() -> None:
    mark = PushMark().read([event(index) for index in range(1, 51)]).mark
    assert mark.read([event(7, at=START - timedelta(days=9))]).reset
    assert not mark.read([event(7)]).reset


def test_a_factory_reset_takes_the_clock_along() -> None:
    mark = PushMark().read([event(index) for index in range(40, 51)]).mark
    reading = mark.read([event(1, at=datetime.fromisoformat("2000-01-01 00:00:07"))])
    assert reading.reset


def test_a_reset_that_lost_its_first_events_is_a_gap_too() -> None:
    mark = PushMark().read([event(index) for index in range(1, 51)]).mark
    reading = mark.read([event(4, at=START + timedelta(days=1))])
    assert reading.reset
    assert reading.holes == ((1, 3),)


def test_identities() -> None:
    one, early = event(7), event(7, at=datetime.fromisoformat("2000-01-01 00:00:07"))
    assert identity_of("a", one, 1) == identity_of("a", one, 2)  # a replay across a reset is known again
    assert identity_of("a", early, 1) != identity_of("a", early, 2)  # where every reset has this time, it is another
    assert identity_of("a", one, 1) != identity_of("b", one, 1)
    assert identity_of("a", event(None), 1) != identity_of("a", event(None, digest="x"), 1)
