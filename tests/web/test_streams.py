"""Streams: each entry once and in order, few at once, a flood told as one change, every one over by itself."""

import time
from datetime import UTC, datetime
from threading import Thread

import pytest

from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.services.store import EventRow
from accessctl_web.streams import SPREAD, Streams, entries, last_seen, message
from tests.web.house import House


def nothing(after: int) -> tuple[int, str]:
    """A look that finds nothing."""
    return after, ""


AT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


def row(index: int) -> EventRow:
    return EventRow(
        index=index,
        at=AT,
        received_at=AT,
        event="door:entry:granted",
        device="lobby",
        door="sub-1",
        zone="",
        direction="in",
        reason="",
        norm="",
        person="",
        person_name="",
        credential="",
        visit="",
        device_time="",
        skew_s=None,
        actor="",
        case="",
        leaf=b"",
    )


def test_a_message_carries_its_index_and_every_line() -> None:
    assert message("entry", 7, "<tr>\n\n  <td>a</td>\r\n</tr>") == (
        "event: entry\nid: 7\ndata: <tr>\ndata:   <td>a</td>\ndata: </tr>\n\n"
    )


@pytest.mark.parametrize(
    ("header", "asked", "seen"),
    [
        ("12", "3", 12),
        (None, "3", 3),
        (None, "-1", -1),
        ("x", "3", 3),
        (None, None, None),
        ("9" * 40, None, None),
        ("٣", None, None),
        ("--1", None, None),
    ],
)
def test_where_a_stream_goes_on(header: str | None, asked: str | None, seen: int | None) -> None:
    assert last_seen(header, asked) == seen


def test_a_stream_gives_what_is_new_and_ends_by_itself() -> None:
    record = [row(3), row(4)]
    streams = Streams(most=1, lasts_s=0.6, beat_s=0.2)
    began = time.monotonic()

    def rows(after: int) -> list[EventRow]:
        return [one for one in record if one.index > after]

    text = "".join(streams.follow(3, entries(rows, lambda _: "x")))
    assert time.monotonic() - began < 30
    assert text.startswith("retry: ")
    assert text.count("event: entry\nid: 4") == 1
    assert "id: 3" not in text
    assert ": sigo" in text


def test_one_too_many_gets_a_short_answer_and_no_slot() -> None:
    streams = Streams(most=1, lasts_s=30, beat_s=10)
    first = streams.follow(0, nothing)
    next(first)
    (second,) = streams.follow(0, entries(lambda after: [row(1)] if after < 1 else [], lambda _: "x"))
    assert "event: entry\nid: 1\n" in second
    retries = {next(iter(streams.follow(0, nothing))).splitlines()[0] for _ in range(50)}
    assert len(retries) == SPREAD  # they do not all come back at one moment
    assert min(int(one.removeprefix("retry: ")) for one in retries) >= 4000
    first.close()
    third = streams.follow(0, nothing)
    assert "500" in next(third)
    third.close()


def test_a_flood_is_told_as_one_change_at_a_time() -> None:
    """Something is new at every look: a page that rests for half a second hears of it three times in a second."""
    streams = Streams(most=1, lasts_s=1.2, beat_s=10)
    looks: list[int] = []

    def look(after: int) -> tuple[int, str]:
        looks.append(after)
        return after + 10_000, message("changed", after + 10_000, "inside")

    text = "".join(streams.follow(0, look, rests_s=0.5))
    assert text.count("event: changed") == len(looks) <= 3
    assert looks == [10_000 * number for number in range(len(looks))]


def test_events_arrive_while_they_happen_and_none_twice(house: House) -> None:
    client = house.client(Role.GUARDIA)
    first = house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    later = Thread(target=lambda: house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", n=1))
    later.start()
    answer = client.get(f"/events/live?after={first}")
    later.join()
    assert answer.mimetype == "text/event-stream"
    assert f"id: {first}\n" not in answer.text
    assert answer.text.count("event: entry") == 1
    assert "La autorización ya venció." in answer.text
    again = client.get(f"/events/live?after={first - 1}", headers={"Last-Event-ID": str(first + 1)})
    assert "event: entry" not in again.text


def test_the_stream_is_for_whoever_may_see_events(house: House) -> None:
    assert house.client(Role.RECEPCION).get("/events/live").status_code == 403
    assert house.app.test_client().get("/events/live").status_code == 303
