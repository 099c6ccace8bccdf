"""What enters the record and what is found of it, on both databases."""

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Role
from accessctl.record import decode, leaf_hash, opens
from accessctl.services.store import DeviceEvent, EventFilter, NothingRecorded
from accessctl.storage.engine import begin_writing
from accessctl.storage.entries import ROW, Fields, written
from accessctl.storage.openings import erase_subject, openings_of
from accessctl.storage.unit_of_work import SqlStore
from tests.storage import values
from tests.storage.values import NOW

ACTOR = Actor(account="a1", person="p2", roles=frozenset({Role.RECEPCION}), name="Óscar")
ALL = EventFilter()


def seen(number: int, **changes: Any) -> DeviceEvent:
    event = DeviceEvent(
        identity=f"lobby/1/{number}",
        fact=Fact.DOOR_GRANTED,
        at=NOW + timedelta(minutes=number),
        received_at=NOW + timedelta(hours=1),
        device="lobby",
        door="cd-1",
        zone="cdatos",
        direction="in",
        person="p1",
        credential=values.NUMBER.key,
        device_time="2026-03-02 08:30:15",
        skew_s=-3,
        data={"verify": 2},
    )
    return replace(event, **changes)


def with_person(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.people.add(values.PERSON)
        tx.record(
            Fact.PERSON_REGISTERED,
            at=NOW,
            actor=ACTOR,
            person="p1",
            norm="N10.2",
            reason="alta",
            data={"number": 1001, "ok": True, "nothing": None, "kind": Role.JEFE},
            personal={"document": "pasaporte:AB-1234567"},
        )
        tx.commit()


def test_a_desk_fact_is_an_entry_of_canonical_bytes_and_a_row(store: SqlStore) -> None:
    with_person(store)
    with store.view() as tx:
        [(row, data)] = tx.events.stream(ALL)
        entry = decode(data)
        assert tx.events.rows(ALL) == [row]
        assert tx.events.size() == 1
    assert row.leaf == leaf_hash(data)
    name, details = entry.pop("person"), entry["data"]
    assert isinstance(name, dict)
    assert isinstance(details, dict)
    document = details.pop("document")
    assert isinstance(document, dict)
    assert set(name) == set(document) == {"c"}
    assert entry == {
        "v": 1,
        "event": "person:file:registered",
        "at": "2026-03-02T14:30:15.123+00:00",
        "received_at": "2026-03-02T14:30:15.123+00:00",
        "person_id": "p1",
        "norm": "N10.2",
        "reason": "alta",
        "actor": "a1",
        "data": {"number": 1001, "ok": True, "nothing": None, "kind": "jefe"},
    }
    assert (row.index, row.person, row.person_name, row.actor) == (0, "p1", values.PERSON.full_name, "a1")
    assert row.at == row.received_at == NOW.replace(microsecond=123000)
    assert b"Mar" not in data
    assert b"AB-1234567" not in data


def test_names_are_committed_to_once_and_open_until_they_are_erased(store: SqlStore) -> None:
    with_person(store)
    for _ in range(2):
        with store.begin() as tx:
            tx.record(Fact.CARD_ENROLLED, at=NOW, actor=ACTOR, person="p1")
            tx.commit()
    with store.begin() as tx:
        tx.people.save(replace(values.PERSON, full_name="Ana Ix"))
        tx.record(Fact.PERSON_CORRECTED, at=NOW, actor=ACTOR, person="p1")
        tx.record(Fact.CARD_ENROLLED, at=NOW, actor=ACTOR, person="stranger")
        tx.commit()
    with store.view() as tx:
        entries = [decode(data) for _, data in tx.events.stream(ALL)]
        names = [row.person_name for row in tx.events.rows(ALL)]
    commitments = [entry.get("person") for entry in entries]
    assert commitments[0] == commitments[1] == commitments[2] != commitments[3]
    assert commitments[4] is None
    assert names == [values.PERSON.full_name] * 3 + ["Ana Ix", ""]
    with begin_writing(store.engine) as connection:
        held = openings_of(connection, "p1")
        assert [one.value for one in held["document"]] == ["pasaporte:AB-1234567"]
        assert {one.value for one in held["name"]} == {values.PERSON.full_name, "Ana Ix"}
        assert all(opens(one.commitment, one.salt, one.value) for ones in held.values() for one in ones)
        assert erase_subject(connection, "p1") == 3
        connection.commit()
    with store.view() as tx:
        assert [row.person_name for row in tx.events.rows(ALL)] == [""] * 5
        assert [decode(data) for _, data in tx.events.stream(ALL)] == entries


def test_what_was_not_committed_was_not_recorded(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.record(Fact.SETTING_CHANGED, at=NOW, actor=SYSTEM)
        tx.events.store([seen(1)])
    with store.view() as tx:
        assert tx.events.size() == 0
    with store.begin() as tx:
        assert tx.events.store([seen(1)]) == [0]
        tx.commit()


def test_many_at_once_are_written_as_one_at_a_time(store: SqlStore) -> None:
    """However many rows go into the database together: what is empty, foreign or extreme is there as it came."""
    strange = ["", "Óscar Ñ\U0001f6aa", "\\N", "a\tb\nc", '",\\', "\u202e0000", "' OR '1'='1"]
    events = [
        seen(
            number,
            credential=strange[number % len(strange)],
            person="" if number % 2 else "p1",
            device_time=strange[-number % len(strange)],
            skew_s=(None, 0, -(2**31), 2**31 - 1)[number % 4],
            at=NOW + timedelta(days=number * 97 - 6000, microseconds=number * 1000),
            data=None if number % 3 else {"line": strange[number % len(strange)]},
        )
        for number in range(120)
    ]
    with store.begin() as tx:
        assert tx.events.store(events) == list(range(120))
        together, bytes_together = tx.events.rows(ALL, limit=500), [data for _, data in tx.events.stream(ALL)]
    with store.begin() as tx:  # what came before was not committed
        assert [index for event in events for index in tx.events.store([event])] == list(range(120))
        assert tx.events.rows(ALL, limit=500) == together
        assert [data for _, data in tx.events.stream(ALL)] == bytes_together
    assert [row.credential for row in together] == [event.credential for event in events]
    assert [row.skew_s for row in together] == [event.skew_s for event in events]


def test_changing_without_a_fact_is_refused(store: SqlStore) -> None:
    with pytest.raises(NothingRecorded), store.begin() as tx:  # noqa: PT012  # begin belongs to it
        tx.zones.add(values.OUTER_ZONE)
        tx.commit()
    with store.view() as tx:
        assert tx.zones.maybe("sub") is None


def test_observations_need_no_fact_and_neither_does_nothing(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.commit()
    with store.begin() as tx:
        tx.sign_in_tries.add(values.SIGN_IN_TRY)
        tx.commit()
    with store.view() as tx:
        assert tx.sign_in_tries.count() == 1
        assert tx.events.size() == 0


def test_a_view_writes_nothing(store: SqlStore) -> None:
    with store.view() as tx:
        for write in (
            lambda: tx.zones.add(values.OUTER_ZONE),
            lambda: tx.zones.save(values.OUTER_ZONE),
            lambda: tx.templates.delete("x"),
            lambda: tx.record(Fact.SETTING_CHANGED, at=NOW, actor=SYSTEM),
            lambda: tx.events.store([seen(1)]),
            tx.commit,
        ):
            with pytest.raises(RuntimeError, match="view"):
                write()


def test_nothing_is_written_after_the_commit(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.events.store([seen(1)])
        tx.commit()
        with pytest.raises(RuntimeError, match="after its commit"):
            tx.events.store([seen(2)])
        with pytest.raises(RuntimeError, match="after its commit"):
            tx.commit()


def test_an_event_of_a_device_is_stored_once(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.events.store([seen(1), seen(2), seen(1, reason="again")]) == [0, 1]
        assert tx.events.store([seen(2)]) == []
        tx.commit()
    with store.begin() as tx:
        tx.record(Fact.DEVICE_ONLINE, at=NOW, actor=SYSTEM, device="lobby")
        assert tx.events.store([seen(2), seen(3)]) == [3]  # after what was recorded before it
        assert tx.events.store([]) == []
        tx.commit()
    with store.view() as tx:
        rows = tx.events.rows(ALL)
        assert [row.event for row in rows] == ["door:entry:granted"] * 2 + [
            "device:link:restored",
            "door:entry:granted",
        ]
        assert [row.reason for row in rows] == [""] * 4


def test_every_column_of_a_device_event_is_kept(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.people.add(values.PERSON)
        tx.events.store([seen(1, reason="expired", norm="N10.3", visit="v1")])
        tx.commit()
    with store.view() as tx:
        [(row, data)] = tx.events.stream(ALL)
    assert (row.device, row.door, row.zone, row.direction) == ("lobby", "cd-1", "cdatos", "in")
    assert (row.reason, row.norm, row.visit, row.credential) == ("expired", "N10.3", "v1", values.NUMBER.key)
    assert (row.device_time, row.skew_s, row.actor, row.case) == ("2026-03-02 08:30:15", -3, "", "")
    assert row.received_at - row.at == timedelta(minutes=59)
    entry = decode(data)
    assert entry["skew_s"] == -3
    assert entry["data"] == {"verify": 2}


def test_more_events_than_a_batch_and_a_page(store: SqlStore) -> None:
    many = [seen(number) for number in range(5600)]
    with store.begin() as tx:
        assert tx.events.store(many[:300]) == list(range(300))
        assert tx.events.store(many) == list(range(300, 5600))
        assert tx.events.store(many) == []
        tx.commit()
    with store.view() as tx:
        assert [row.index for row, _ in tx.events.stream(ALL)] == list(range(5600))
        assert tx.ledger.size() == 5600
        assert [leaf for _, _, leaf in tx.ledger.entries(0, 5600)] == [row.leaf for row, _ in tx.events.stream(ALL)]


def test_filters(store: SqlStore) -> None:
    with_person(store)
    with store.begin() as tx:
        tx.cases.add(values.BARE[1][1])
        tx.record(Fact.CASE_OPENED, at=NOW, actor=ACTOR, case="c2", person="p1")
        tx.events.store([seen(1), seen(2, door="cd-2", person="", credential=""), seen(3, device="other")])
        tx.events.store([seen(4, fact=Fact.DOOR_REFUSED, person="p9")])
        tx.commit()

    def found(**which: Any) -> list[int]:
        with store.view() as tx:
            wanted = EventFilter(**which)
            rows = [row.index for row in tx.events.rows(wanted)]
            assert [row.index for row in tx.events.rows(wanted, newest=True)] == rows[::-1]
            assert [row.index for row, _ in tx.events.stream(wanted)] == rows
            return rows

    minute = timedelta(minutes=1)
    first = (NOW + minute).replace(microsecond=123000)
    assert found() == [0, 1, 2, 3, 4, 5]
    assert found(since=first) == [2, 3, 4, 5]
    assert found(since=first, until=first + minute) == [2]
    assert found(since=first.astimezone(timezone(timedelta(hours=-6))), until=first + minute) == [2]
    assert found(after_index=1, before_index=4) == [2, 3]
    assert found(doors=("cd-1", "nowhere")) == [2, 4, 5]
    assert found(person="p1") == [0, 1, 2, 4]
    assert found(device="other") == [4]
    assert found(credential=values.NUMBER.key, person="p1") == [2, 4]
    assert found(case="c2") == [1]
    assert found(events=("door:entry:refused", "case:procedure:opened")) == [1, 5]
    assert found(device_events_only=True) == [2, 3, 4, 5]
    assert found(person="' OR 1=1 --") == found(device="nul\x00") == []
    with store.view() as tx:
        assert [row.index for row in tx.events.rows(ALL, limit=2, newest=True)] == [5, 4]
        with pytest.raises(ValueError, match="at most"):
            tx.events.rows(ALL, limit=10**6)


def test_hostile_text_enters_cleaned_and_the_same_in_entry_and_row(store: SqlStore) -> None:
    hostile = "e\u0301\x00\ud83d<script>'; DROP TABLE event; --\u202e"
    with store.begin() as tx:
        tx.events.store([seen(1, device=hostile, data={hostile: hostile}, identity="x" * 300)])
        tx.commit()
    with store.view() as tx:
        [(row, data)] = tx.events.stream(EventFilter(device=hostile))
    clean = "é\ufffd\ufffd<script>'; DROP TABLE event; --\u202e"
    assert row.device == decode(data)["device"] == clean
    assert decode(data)["data"] == {clean: clean}


def test_an_event_without_a_sound_identity_is_a_bug(store: SqlStore) -> None:
    with store.begin() as tx:
        for identity in ("", "x" * 301, "nul\x00"):
            with pytest.raises(ValueError, match="identity"):
                tx.events.store([seen(1, identity=identity)])


def test_a_naive_instant_is_a_bug_at_once(store: SqlStore) -> None:
    with store.begin() as tx:
        with pytest.raises(ValueError, match="naive"):
            tx.record(Fact.SETTING_CHANGED, at=datetime(2026, 1, 1), actor=SYSTEM)  # noqa: DTZ001  # that is the bug
        tx.record(Fact.SETTING_CHANGED, at=NOW, actor=SYSTEM, data={"x": 1}, personal={"x": "y"})
        with pytest.raises(ValueError, match="share"):
            tx.commit()


@given(at=st.datetimes(timezones=st.just(UTC)), text=st.text(max_size=50), number=st.integers(-(2**53) + 1, 2**53 - 1))
def test_any_field_has_canonical_bytes(at: datetime, text: str, number: int) -> None:
    fields = Fields(event="x:y:z", at=at, received_at=at, device=text, person=text, skew_s=number, data={text: text})
    made = written(fields, None)
    entry, row = decode(made.data), dict(zip(ROW, made.values, strict=True))
    clean = unicodedata.normalize("NFC", re.sub("[\x00\ud800-\udfff]", "\ufffd", text))
    assert (row["device"] or "") == (row["person"] or "") == entry.get("device", "") == clean
    assert entry["data"] == {clean: clean}
    assert datetime.fromisoformat(str(entry["at"])) == made.at


def test_several_facts_are_found_together_as_they_are_one_by_one(store: SqlStore) -> None:
    facts = (Fact.DOOR_GRANTED, Fact.DOOR_REFUSED, Fact.DOOR_EXITED, Fact.DOOR_FORCED)
    with store.begin() as tx:
        tx.events.store([seen(at, fact=facts[at * at % 7 % 4], person="") for at in range(60)])
        tx.commit()
    wanted = frozenset({Fact.DOOR_GRANTED.value, Fact.DOOR_FORCED.value, Fact.EXIT_BUTTON.value})
    with store.view() as tx:
        every = tx.events.rows(ALL)
        for stretch in (ALL, EventFilter(after_index=9, before_index=51), EventFilter(norm="N10.3")):
            of_wanted = replace(stretch, events=tuple(sorted(wanted)))
            inside = [row for row in tx.events.rows(stretch) if row.event in wanted]
            for limit in (1, 7, 200):
                assert tx.events.rows(of_wanted, limit=limit) == inside[:limit]
                assert tx.events.rows(of_wanted, limit=limit, newest=True) == inside[::-1][:limit]
    assert len(every) == 60


def test_what_entries_between_two_indexes_mention(store: SqlStore) -> None:
    with_person(store)
    with store.begin() as tx:
        tx.events.store([seen(1), seen(2, person="", credential=""), seen(3, fact=Fact.DOOR_REFUSED)])
        tx.commit()
    with store.view() as tx:
        size = tx.events.size()
        both = (Fact.DOOR_GRANTED.value, Fact.DOOR_REFUSED.value)
        every = tx.events.mentions(-1, size, both)
        assert sorted(every) == sorted((row.event, row.person, row.credential) for row in tx.events.rows(ALL)[1:])
        assert tx.events.mentions(1, size, (Fact.DOOR_GRANTED.value,)) == [(Fact.DOOR_GRANTED.value, "", "")]
        assert tx.events.mentions(size - 2, size - 1, both) == []


def test_passages_are_counted_with_names(store: SqlStore) -> None:
    with_person(store)
    doors = ("cd-1", "sub-2", "", "a-1", "cd-1")
    with store.begin() as tx:
        tx.events.store([seen(number, door=door) for number, door in enumerate(doors)])
        tx.commit()
    with store.view() as tx:
        (one,) = tx.events.tally(EventFilter(doors=("cd-1",), device="lobby"), ("door", "person"))
        assert (one.values, one.count, one.name) == (("cd-1", "p1"), 2, values.PERSON.full_name)
        assert (one.last_at - one.first_at, one.first_at.replace(microsecond=0)) == (
            timedelta(minutes=4),
            NOW.replace(microsecond=0),
        )
        counted = tx.events.count(EventFilter(device="lobby"), ("door", "person"))
        assert [(line.values, line.count, line.name) for line in counted.lines] == [
            ((door, "p1"), count, values.PERSON.full_name)
            for door, count in (("a-1", 1), ("cd-1", 2), ("sub-2", 1), ("", 1))
        ]
        assert one in counted.lines
