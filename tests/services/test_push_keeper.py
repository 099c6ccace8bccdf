"""Controllers that decide alone: who is placed, what is taken off, what is confirmed, and what survives a restart."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import CommandState, DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Person, Role
from accessctl.domain.places import Device, Transport
from accessctl.services.errands import ask_apply
from accessctl.services.push_health import PENDING_AFTER, PushSweep
from accessctl.services.push_orders import UNANSWERED
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.site_desk import Site, SiteDesk
from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.unit_of_work import SqlStore
from accessctl_sim.push.codes import Happening
from tests.services.premises import Premises
from tests.services.push_house import HERE, PushHouse
from tests.services.wired import Wired, told

CARD = 0x0184F07A
SERIAL = "T2"  # two doors: cd-1 and sub-1


@pytest.fixture
def house(premises: Premises) -> Iterator[PushHouse]:
    made = furnished(premises)
    yield made
    made.desk.close()


def furnished(premises: Premises) -> PushHouse:
    """With one more controller that decides alone, at both doors."""
    house = PushHouse(premises)
    with premises.store.begin() as tx:
        both = Device(id="two", transport=Transport.PUSH, serial=SERIAL, source=HERE, doors=("cd-1", "sub-1"))
        tx.devices.add(both)
        tx.record(Fact.SITE_APPLIED, at=house.now, actor=SYSTEM)
        tx.commit()
    house.passes(3)
    return house


def wired(house: PushHouse, **options: bool) -> Wired:
    return Wired(house, house.caller(SERIAL), doors=2, **options)


def health(house: PushHouse) -> DeviceHealth:
    house.settled()
    with house.premises.store.view() as tx:
        return tx.health.get("two")


def remove(house: PushHouse, person: Person) -> str:
    jefe = house.premises.actors["jefe"]
    return RemovalDesk(house.office).request(jefe, person=person.id, requested_by=jefe.person, reason="Traslado")


@pytest.mark.parametrize("by_number", [False, True])
def test_who_may_open_now_is_placed_opens_and_is_confirmed(house: PushHouse, by_number: bool) -> None:
    _, person = house.premises.delivered()  # office hours, cd-1 and sub-1
    house.premises.person("Sin tarjeta")
    line = wired(house, doors_by_number=by_number)
    changed = told(line.settle())
    rights = ["UPDATE userauthorize"] * (2 if by_number else 1)
    assert changed == ["UPDATE timezone", "UPDATE user", *rights]
    assert line.pins() == {str(person.number)}
    assert [line.shows(CARD, door) for door in (1, 2)] == [Happening.GRANTED] * 2
    assert line.shows(CARD, at=line.later(hours=12)) is Happening.NOT_IN_TIME
    assert line.shows(4711) is Happening.UNKNOWN_CARD
    after = health(house)
    assert (after.users_desired, after.users_observed, after.drift, after.rogues) == (1, 1, 0, 0)
    assert after.synced_at == house.now
    assert len(house.rows(Fact.DEVICE_APPLIED, device="two")) == 1
    assert line.settle() == []


def test_a_controller_that_asks_holds_nobody(house: PushHouse) -> None:
    house.premises.delivered()
    line = Wired(house, house.caller(), doors=2)
    assert told(line.settle()) == []
    assert line.pins() == set()
    assert house.rows(Fact.DEVICE_APPLIED) == []


def test_a_controller_that_is_told_to_ask_is_emptied(house: PushHouse) -> None:
    house.premises.delivered()
    line = wired(house)
    line.settle()
    with house.premises.store.begin() as tx:
        tx.devices.save(replace(tx.devices.get("two"), online=True))
        tx.record(Fact.SITE_APPLIED, at=house.now, actor=SYSTEM)
        tx.commit()
    house.passes(3)
    assert told(line.settle()) == ["DELETE userauthorize", "DELETE templatev10", "DELETE user"]
    assert house.alarms(AlarmKind.ROGUE_CREDENTIAL) == []


def test_a_removal_goes_first_and_counts_when_it_was_read_back(house: PushHouse) -> None:
    """N10.4: reached when the controller says so, and not before."""
    _, person = house.premises.delivered()
    line = wired(house)
    line.settle()
    removal = remove(house, person)
    progress = RemovalDesk(house.office).progress
    assert "two" in {target.device for target in progress(removal).targets if target.confirmed_at is None}
    assert [line.poll().split(" ")[1:3] for _ in range(3)] == [
        ["DELETE", "userauthorize"],
        ["DELETE", "templatev10"],
        ["DELETE", "user"],
    ]
    assert line.shows(CARD) is Happening.UNKNOWN_CARD
    assert "two" in {target.device for target in progress(removal).targets if target.confirmed_at is None}
    line.settle()
    assert "two" not in {target.device for target in progress(removal).targets if target.confirmed_at is None}
    (confirmed,) = house.rows(Fact.REMOVAL_CONFIRMED, device="two")
    assert (confirmed.person, confirmed.norm) == (person.id, "N10.4")
    assert health(house).users_observed == 0


def test_a_removal_cuts_into_the_first_filling(house: PushHouse) -> None:
    people = [house.premises.delivered(f"Persona {number}", card=CARD + number)[1] for number in range(5)]
    line = wired(house)
    while not line.poll().startswith("DATA UPDATE userauthorize"):
        pass
    opens = [person for number, person in enumerate(people) if line.shows(CARD + number) is Happening.GRANTED]
    (first,) = opens
    remove(house, first)
    assert line.poll() == f"DATA DELETE userauthorize Pin={first.number}"
    line.settle()
    assert line.pins() == {str(person.number) for person in people if person is not first}


def test_a_removal_that_is_not_confirmed_is_an_alarm_and_settles(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    line = wired(house)
    line.settle()
    removal = remove(house, person)
    house.passes(PENDING_AFTER.total_seconds() + 1)
    sweep = PushSweep(house.office)
    sweep.look()
    alarms = {alarm.device: alarm.state.value for alarm in house.alarms(AlarmKind.REVOCATION_PENDING)}
    assert alarms["two"] == "raised"
    line.settle()
    sweep.look()
    alarms = {alarm.device: alarm.state.value for alarm in house.alarms(AlarmKind.REVOCATION_PENDING)}
    assert alarms["two"] == "resolved"
    assert removal


def test_what_nobody_of_ours_put_there_is_an_alarm_and_stays(house: PushHouse) -> None:
    line = wired(house)
    line.settle()
    tables = line.controller.tables
    tables.update("user", [{"pin": "666", "cardno": "666"}])
    right = {"pin": "666", "authorizetimezoneid": "1", "authorizedoorid": "3", "devid": "1"}
    tables.update("userauthorize", [right])
    house.passes(601)
    assert told(line.settle()) == []
    (alarm,) = house.alarms(AlarmKind.ROGUE_CREDENTIAL)
    assert (alarm.key, alarm.state.value) == ("two/666", "raised")
    assert (health(house).rogues, line.pins()) == (1, {"666"})
    tables.delete("user", {"pin": "666"})
    house.passes(601)
    line.settle()
    (alarm,) = house.alarms(AlarmKind.ROGUE_CREDENTIAL)
    assert (alarm.state.value, alarm.cause) == ("resolved", "gone")


def test_what_somebody_changed_by_hand_is_said_and_put_right(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    pin = str(person.number)
    line = wired(house)
    line.settle()
    tables = line.controller.tables
    tables.update("user", [{"pin": pin, "privilege": "14", "password": "1234"}])
    more = {"pin": pin, "authorizetimezoneid": "1", "authorizedoorid": "1", "devid": "1"}
    tables.update("userauthorize", [more])  # at any hour
    house.passes(601)
    assert told(line.settle()) == ["DELETE userauthorize", "UPDATE user", "UPDATE userauthorize"]
    assert tables.rows["user"][pin,]["privilege"] == "0"
    assert line.shows(CARD, at=line.later(hours=12)) is Happening.NOT_IN_TIME
    assert len(house.rows(Fact.DEVICE_DRIFTED, device="two")) == 1
    assert health(house).drift == 0


@pytest.mark.parametrize("in_seconds", [False, True])
def test_a_grant_that_ends_ends_at_the_controller_too(house: PushHouse, in_seconds: bool) -> None:
    _, person = house.premises.delivered()
    ends = house.now + timedelta(hours=5)
    with house.premises.store.begin() as tx:
        for grant in tx.grants.find(person=person.id):
            tx.grants.save(replace(grant, schedule="always", valid_until=ends))
        tx.record(Fact.ACCESS_GRANTED, at=house.now, actor=SYSTEM, person=person.id)
        tx.commit()
    line = wired(house, dates_in_seconds=in_seconds)
    line.settle()
    assert line.shows(CARD, at=line.later(hours=4, minutes=59)) is Happening.GRANTED
    # Alone, it ends to the second, or with the day where it counts days.
    assert line.shows(CARD, at=line.later(hours=5)) is (Happening.EXPIRED if in_seconds else Happening.GRANTED)
    assert line.shows(CARD, at=line.later(hours=24)) is Happening.EXPIRED
    house.passes(5 * 3600)
    assert told(line.settle())[-1] == "DELETE user"  # with the service there it ends to the second


def test_holidays_are_in_the_week_ahead_and_renewed_every_day(house: PushHouse) -> None:
    house.premises.delivered()
    line = wired(house)
    line.settle()
    thursday = line.later(days=2)
    assert line.shows(CARD, at=thursday) is Happening.GRANTED
    day = (house.now + timedelta(days=2)).date()
    SiteDesk(house.office).add_holiday(_admin(house), day=day, name="Asueto")
    assert told(line.settle()) == ["UPDATE timezone"]
    assert line.shows(CARD, at=thursday) is Happening.NOT_IN_TIME
    assert line.shows(CARD, at=line.later(days=1)) is Happening.GRANTED
    house.passes(3 * 86400)
    house.caller(SERIAL)
    assert told(line.settle()) == ["UPDATE timezone"]  # next Thursday is a day like any other
    assert line.shows(CARD, at=line.later(days=6)) is Happening.GRANTED


def _admin(house: PushHouse) -> Actor:
    return replace(house.premises.actors["tecnico"], roles=frozenset({Role.ADMIN}))


# -- what goes wrong


def test_a_row_that_is_refused_holds_up_nobody_else_and_is_tried_again(house: PushHouse) -> None:
    people = [house.premises.delivered(f"Persona {number}", card=CARD + number)[1] for number in range(3)]
    line = wired(house)
    refused = f"DATA UPDATE user CardNo={CARD + 1}\t"
    line.refuses[refused] = -18
    line.settle()
    assert line.pins() == {str(people[0].number), str(people[2].number)}
    after = health(house)
    assert after.drift == 1
    assert after.last_error == f"put_user {people[1].number}: returned -18"
    before = len(line.said)
    for _ in range(60):
        house.passes(1)
        line.poll()
    assert sum(one.startswith(refused) for one in line.said[before:]) <= 5  # with growing pauses
    line.refuses.clear()
    house.passes(61)
    line.settle()
    assert len(line.pins()) == 3
    assert (health(house).drift, health(house).last_error) == (0, "")


def test_a_controller_without_fingers_confirms_a_removal(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    line = wired(house)
    line.settle()
    line.refuses["DATA DELETE templatev10"] = -629
    remove(house, person)
    line.settle()
    assert len(house.rows(Fact.REMOVAL_CONFIRMED, device="two")) == 1


def test_a_controller_that_does_not_delete_confirms_nothing(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    line = wired(house)
    line.settle()
    line.refuses["DATA DELETE user Pin"] = 0  # says that it did
    remove(house, person)
    line.settle()
    assert house.rows(Fact.REMOVAL_CONFIRMED, device="two") == []
    assert health(house).last_error == "3 differences left"


def test_an_order_that_nobody_answers_is_given_again_and_then_given_up(house: PushHouse) -> None:
    line = wired(house)
    assert line.poll(answers=False).startswith("DATA QUERY tablename=user,")
    assert line.poll() == ""  # one at a time
    for _ in range(2):
        house.passes(UNANSWERED.total_seconds())
        assert line.poll(answers=False).startswith("DATA QUERY tablename=user,")
    house.passes(UNANSWERED.total_seconds())
    assert line.poll() == ""
    assert health(house).last_error == "query_users: no answer"
    house.passes(3)
    line.settle()
    assert health(house).synced_at == house.now


def test_an_incomplete_table_is_not_believed(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    line = wired(house)
    line.settle()
    removal = remove(house, person)
    line.refuses["DATA DELETE"] = 0
    line.refuses["DATA QUERY tablename=user,"] = 4  # says four rows, and sends none
    line.settle()
    assert health(house).last_error == "user: returned 4, told 0 rows"
    assert RemovalDesk(house.office).progress(removal).exposed_doors


@pytest.mark.parametrize("polls", range(1, 14, 2))
def test_a_service_that_is_killed_in_the_middle_converges(house: PushHouse, polls: int) -> None:
    """After each poll of a filling and a removal: another process reads, and goes on from what is there."""
    people = [house.premises.delivered(f"Persona {number}", card=CARD + number)[1] for number in range(3)]
    line = wired(house)
    line.settle()
    remove(house, people[0])
    _, other = house.premises.delivered("Otra Persona", card=CARD + 9)
    for step in range(polls):
        line.poll(answers=step < polls - 1)
    house.desk.close()
    line.house = house.restarted()
    line.connect()
    line.settle()
    try:
        assert line.pins() == {str(one.number) for one in (*people[1:], other)}
        assert line.house.alarms(AlarmKind.ROGUE_CREDENTIAL) == []
        assert line.house.rows(Fact.DEVICE_DRIFTED, device="two") == []
        assert len(line.house.rows(Fact.REMOVAL_CONFIRMED, device="two")) == 1
    finally:
        line.house.desk.close()


def test_apply_from_the_command_line_is_done_when_it_was_read_back(house: PushHouse) -> None:
    line = wired(house)
    line.settle()
    command = ask_apply(house.office, SYSTEM, "two")
    line.poll()
    with house.premises.store.view() as tx:
        assert tx.commands.get(command.id).state is CommandState.RUNNING
    line.settle()
    with house.premises.store.view() as tx:
        assert tx.commands.get(command.id).state is CommandState.DONE
    line.refuses["DATA QUERY tablename=userauthorize"] = -629
    command = ask_apply(house.office, SYSTEM, "two")
    line.settle()
    with house.premises.store.view() as tx:
        assert tx.commands.get(command.id).outcome == "userauthorize: returned -629, told 0 rows"


# -- devices that left the site


def test_a_device_that_leaves_the_site_holds_up_no_removal(house: PushHouse) -> None:
    _, person = house.premises.delivered()
    line = wired(house)
    line.settle()
    removal = remove(house, person)
    with house.premises.store.view() as tx:
        zones, doors = tx.zones.find(), tx.doors.find()
    empty = Site(zones=tuple(zones), doors=tuple(doors), devices=())
    SiteDesk(house.office).apply(_admin(house), empty)
    progress = RemovalDesk(house.office).progress(removal)
    assert (progress.exposed_doors, progress.removal.completed_at is not None) == ((), True)
    (confirmed,) = house.rows(Fact.REMOVAL_CONFIRMED, device="two")
    with house.premises.store.view() as tx:
        ((_, entry, _),) = tx.ledger.entries(confirmed.index, confirmed.index + 1)
    assert b"device_retired" in entry  # nobody read it back, and the record says so
    _, other = house.premises.delivered("Otra Persona", card=CARD + 1)
    assert RemovalDesk(house.office).progress(remove(house, other)).targets == []


@pytest.mark.postgresql
def test_the_same_on_postgresql(postgresql_database: str) -> None:
    engine = make_engine(postgresql_database)
    migrate(engine)
    store = SqlStore(engine, os.urandom)
    house = furnished(Premises(store=store))
    try:
        _, person = house.premises.delivered()
        line = wired(house, dates_in_seconds=True)
        line.settle()
        assert line.shows(CARD) is Happening.GRANTED
        remove(house, person)
        line.settle()
        assert line.shows(CARD) is Happening.UNKNOWN_CARD
        assert len(house.rows(Fact.REMOVAL_CONFIRMED, device="two")) == 1
    finally:
        house.desk.close()
        store.close()
