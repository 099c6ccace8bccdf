"""Events of terminals on their way into the record: once each, judged by the policy of their moment."""

import itertools
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.cards import CardEvent
from accessctl.domain.facts import Fact
from accessctl.domain.places import Device, Direction, Transport
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import LiveEvent, LiveKind, LogMark, LogPart, LogRecord
from accessctl.services.intake import BATCH, Intake
from accessctl.services.policy_source import PolicySource
from accessctl.services.store import EventFilter, EventRow
from tests.services.premises import START, Premises
from tests.stores import sqlite_store

LOBBY = Device(id="lobby", transport=Transport.ZK, address="tcp://127.0.0.1:4370", doors=("cd-1",))


class Log:
    """A terminal's log: records in order, and the part that a driver would hand over."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.records: list[LogRecord] = []
        self.epoch = 0

    def punch(self, user_id: str, at: datetime | None, *, verify: int = 2) -> None:
        local = at.astimezone(GUATEMALA).replace(tzinfo=None, microsecond=0) if at else None
        raw = next(self.numbers).to_bytes(40)
        record = LogRecord(sequence=len(self.records), user_id=user_id, at=local, verify=verify, state=0, raw=raw)
        self.records.append(record)

    def clear(self) -> None:
        self.records.clear()
        self.epoch += 1

    def part(self, since: int = 0, *, changed: bool = False) -> LogPart:
        mark = LogMark(epoch=self.epoch, count=len(self.records), window=0, digest=b"x", record_size=40)
        return LogPart(records=self.records[since:], mark=mark, epoch_changed=changed)


def intake_of(site: Premises) -> Intake:
    return Intake(site.office, PolicySource(site.store, town="Guatemala"))


def entries(site: Premises, *facts: Fact) -> list[EventRow]:
    which = EventFilter(events=tuple(fact.value for fact in facts or (Fact.DOOR_GRANTED, Fact.DOOR_EXITED)))
    with site.store.view() as tx:
        return tx.events.rows(which, limit=10_000)


def mismatches(site: Premises) -> list[str]:
    with site.store.view() as tx:
        return [alarm.detail for alarm in tx.alarms.find(kind=AlarmKind.POLICY_MISMATCH)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_each_record_once_whatever_is_read_twice_or_cut_off(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Reads that overlap, parts that come again after a crash, a log that is cleared: each record is one entry."""
    lots = Random(seed)
    store = sqlite_store(tmp_path_factory.mktemp("intake") / "accessctl.db")
    try:
        site = Premises(store=store)
        intake, log, punched = intake_of(site), Log(), 0
        for _ in range(12):
            for _ in range(lots.randrange(4)):
                log.punch(str(lots.randrange(1000, 1010)), site.now)
                punched += 1
            mark = intake.mark("lobby")
            changed = mark is not None and mark.epoch != log.epoch
            known = 0 if mark is None or changed else mark.count
            intake.log_read(LOBBY, log.part(lots.randint(0, known), changed=changed), skew_s=0)
            if lots.random() < 0.3:
                intake = intake_of(site)  # the service was started again
            after = intake.mark("lobby")
            assert after is not None
            assert (after.epoch, after.count) == (log.epoch, len(log.records))
            if lots.random() < 0.15:
                log.clear()
        assert len(entries(site)) == punched
        gaps = log.epoch if after.epoch == log.epoch else log.epoch - 1
        assert len(entries(site, Fact.DEVICE_LOG_GAP)) == gaps
    finally:
        store.close()


def test_a_long_log_is_stored_in_batches_and_its_mark_last(premises: Premises) -> None:
    log = Log()
    for number in range(2 * BATCH + 7):
        log.punch("1001", START + timedelta(seconds=number))
    assert intake_of(premises).log_read(LOBBY, log.part(), skew_s=0) == 2 * BATCH + 7
    assert intake_of(premises).log_read(LOBBY, log.part(), skew_s=0) == 0
    assert len(entries(premises)) == 2 * BATCH + 7


def test_two_people_in_one_second_are_two_entries(premises: Premises) -> None:
    log = Log()
    for user_id in ("1001", "1002", "1001"):
        log.punch(user_id, START)
    assert intake_of(premises).log_read(LOBBY, log.part(), skew_s=0) == 3


def test_who_had_the_right_then_raises_nothing_now(premises: Premises) -> None:
    """The log comes late: meanwhile the card was suspended. What opened before that is in order."""
    case, person = premises.delivered()
    del case
    log = Log()
    log.punch(str(person.number), premises.now + timedelta(seconds=5))
    premises.now += timedelta(minutes=1)
    with premises.store.view() as tx:
        (card,) = tx.cards.find(holder=person.id)
    premises.stock.happen(premises.actors["tecnico"], card.id, CardEvent.SUSPEND, why="Vacaciones")
    premises.now += timedelta(minutes=1)
    intake = intake_of(premises)
    intake.log_read(LOBBY, log.part(), skew_s=0)
    assert mismatches(premises) == []
    assert [row.reason for row in entries(premises)] == [""]
    log.punch(str(person.number), premises.now)
    intake.log_read(LOBBY, log.part(1), skew_s=0)
    assert mismatches(premises) == ["suspended"]
    with premises.store.view() as tx:
        (alarm,) = tx.alarms.find(kind=AlarmKind.POLICY_MISMATCH)
    assert (alarm.person, alarm.door, alarm.count) == (person.id, "cd-1", 1)


@pytest.mark.parametrize("skew_s", [-40, -1, 0, 1, 40, 3600, -(26 * 365 * 86400)])
def test_the_seconds_around_a_delivery_are_in_order_on_any_clock(premises: Premises, skew_s: int) -> None:
    """Delivered at T.5 and shown at once; the terminal's clock counts whole seconds and is off by `skew_s`."""
    premises.now = premises.now.replace(microsecond=500_000)
    _, person = premises.delivered()
    shown_at = premises.now + timedelta(seconds=0.2)
    log = Log()
    log.punch(str(person.number), shown_at + timedelta(seconds=skew_s))
    intake_of(premises).log_read(LOBBY, log.part(), skew_s=skew_s)
    assert mismatches(premises) == []
    (entry,) = entries(premises)
    assert (entry.reason, entry.skew_s) == ("", skew_s)
    if abs(skew_s) > 60:  # a clock that is not believed: the time is put right, and the device's own is kept beside it
        assert abs(entry.at - shown_at) <= timedelta(seconds=1)
    assert entry.device_time == log.records[0].at.isoformat() if log.records[0].at else ""


def test_long_before_the_delivery_is_not_in_order(premises: Premises) -> None:
    person = premises.person("María José Ñandú")
    case = premises.request(person)
    premises.configure(case)
    log = Log()
    log.punch(str(person.number), premises.now)
    premises.now += timedelta(minutes=5)
    premises.sign(case, person)
    premises.deliver(case)
    intake_of(premises).log_read(LOBBY, log.part(), skew_s=0)
    assert mismatches(premises) == ["not_delivered"]
    assert [(row.reason, row.norm) for row in entries(premises)] == [("not_delivered", "P10.05")]


def test_outside_the_schedule_is_not_excused_by_an_open_right(premises: Premises) -> None:
    """The terminal opened at night (its zones were changed by hand): card and grant were in order, the hour was not."""
    _, person = premises.delivered()
    log = Log()
    premises.now = premises.now.replace(hour=4) + timedelta(days=1)  # 22:00 in Guatemala
    log.punch(str(person.number), premises.now)
    intake_of(premises).log_read(LOBBY, log.part(), skew_s=0)
    assert mismatches(premises) == ["outside_schedule"]


def test_a_card_handed_in_takes_nothing_from_the_one_that_is_active(premises: Premises) -> None:
    """The newest fact of a person may be about another card than the one that opens."""
    _, person = premises.delivered(card=0x0184F07A)
    tecnico = premises.actors["tecnico"]
    with premises.store.view() as tx:
        (old,) = tx.cards.find(holder=person.id)
    premises.stock.happen(tecnico, old.id, CardEvent.REPORT_DAMAGED, why="Quebrada")
    case = premises.request(person)
    premises.configure(case, card=0x01161DD6)
    premises.sign(case, person)
    premises.deliver(case)
    log = Log()
    premises.now += timedelta(minutes=1)
    log.punch(str(person.number), premises.now)
    premises.now += timedelta(minutes=1)
    premises.stock.happen(tecnico, old.id, CardEvent.TAKE_BACK, why="Entregada")
    intake_of(premises).log_read(LOBBY, log.part(), skew_s=0)
    assert mismatches(premises) == []


def test_what_was_in_the_log_before_this_record_began_raises_nothing(premises: Premises) -> None:
    """A terminal that served somebody else before: its history is kept, and was under nobody's policy of ours."""
    log = Log()
    for number in range(50):
        log.punch(str(2000 + number), START - timedelta(days=30) + timedelta(minutes=number))
    log.punch("2000", premises.now + timedelta(seconds=30))
    premises.now += timedelta(minutes=1)
    assert intake_of(premises).log_read(LOBBY, log.part(), skew_s=0) == 51
    assert mismatches(premises) == ["unknown_credential"]


def test_a_record_without_a_date_is_kept(premises: Premises) -> None:
    log = Log()
    log.punch("1001", None)
    intake_of(premises).log_read(LOBBY, log.part(), skew_s=0)
    (entry,) = entries(premises)
    assert (entry.at, entry.device_time) == (entry.received_at, "")


def test_leaving_is_an_exit_and_raises_nothing(premises: Premises) -> None:
    out = Device(id="lobby", transport=Transport.ZK, address="x", doors=("cd-1",), direction=Direction.OUT)
    log = Log()
    log.punch("4711", premises.now)
    intake_of(premises).log_read(out, log.part(), skew_s=0)
    (entry,) = entries(premises)
    assert (entry.event, entry.reason) == ("door:exit:granted", "unknown_credential")
    assert mismatches(premises) == []


def test_a_refusal_carries_our_reason_for_it(premises: Premises) -> None:
    person = premises.person("María José Ñandú")
    case = premises.request(person)
    premises.configure(case)
    intake = intake_of(premises)
    refused = LiveEvent(kind=LiveKind.REFUSED, user_id=str(person.number))
    intake.heard(LOBBY, [LiveEvent(kind=LiveKind.REFUSED), refused], session="s1", first=0, skew_s=0)
    premises.sign(case, person)
    premises.deliver(case)
    intake.heard(LOBBY, [refused], session="s1", first=2, skew_s=0)
    rows = entries(premises, Fact.DOOR_REFUSED)
    assert [(row.reason, row.norm, row.person) for row in rows] == [
        ("unknown_credential", "N10.3", ""),
        ("not_delivered", "P10.05", person.id),
        ("device_refused", "N10.1", person.id),  # the terminal said no where we would have opened
    ]
    assert intake.mark("lobby") is None


def test_what_is_heard_twice_under_one_number_is_one_entry(premises: Premises) -> None:
    intake = intake_of(premises)
    for _ in range(3):
        intake.heard(LOBBY, [LiveEvent(kind=LiveKind.TAMPER)], session="s1", first=0, skew_s=0)
    assert len(entries(premises, Fact.DEVICE_EVENT)) == 1
