"""Desired against observed: what a terminal should hold, what a round does, what is recorded of it."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.cards import CardEvent
from accessctl.domain.facts import Fact
from accessctl.domain.requests import StoredTemplate
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import TerminalTemplate
from accessctl.storage.unit_of_work import SqlStore
from accessctl_drivers.zkteco.terminal import ZkTerminal
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.keeping import Site, driver_of

ANA = 0x0184F07A


@pytest.fixture
def site(fresh_store: SqlStore) -> Site:
    return Site(store=fresh_store)


@pytest.fixture
def lobby() -> Iterator[Simulated]:
    with Simulated(TerminalConfig()) as terminal:
        yield terminal


@pytest.fixture
def session(lobby: Simulated) -> Iterator[ZkTerminal]:
    with driver_of(lobby.port).connect() as terminal:
        yield terminal


def finger_of(site: Site, person: str, data: bytes = b"a finger's template" * 30) -> StoredTemplate:
    """A stored finger of a person, as the enrolment leaves it."""
    row = StoredTemplate(
        id=site.new_id(),
        person=person,
        finger=1,
        flag=1,
        format="zk-finger-10",
        device="lobby",
        nonce=b"n" * 12,
        ciphertext=b"",
        digest="",
        at=site.tick(),
    )
    sealed = site.vault.seal(TerminalTemplate(user_id="-", finger=1, data=data), row=row)
    with site.store.begin() as tx:
        tx.templates.add(sealed)
        tx.record(Fact.FINGER_ENROLLED, at=site.tick(), actor=site.actors["tecnico"], person=person)
        tx.commit()
    return sealed


def test_ten_thousand_people_are_looked_up_in_a_moment(site: Site) -> None:
    site.crowd(10_000, doors=("sub-1", "cd-1"))
    lobby = site.device("lobby")
    started = time.process_time()
    desired = site.fleet.desired(lobby)
    took = time.process_time() - started
    assert len(desired.users) == 10_000
    assert took < 2.0
    started = time.process_time()
    for _ in range(20):
        assert site.fleet.still_holds(desired, lobby) == desired
    assert (time.process_time() - started) / 20 < 0.02  # nothing happened: nothing is read again


def test_it_holds_until_something_that_matters_is_recorded(site: Site) -> None:
    lobby = site.device("lobby")
    desired = site.fleet.desired(lobby)
    site.person("Alguien")  # has no right to any door
    assert site.fleet.still_holds(desired, lobby) == desired
    site.admit("Ana", card=ANA)
    assert site.fleet.still_holds(desired, lobby) is None


def test_it_holds_until_a_window_or_a_day_ends(site: Site) -> None:
    lobby = site.device("lobby")
    ana = site.admit("Ana", card=ANA)
    desired = site.fleet.desired(lobby)
    tomorrow = datetime.now(GUATEMALA).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert desired.changes_at == tomorrow
    ends = site.tick() + timedelta(milliseconds=300)
    with site.store.begin() as tx:
        (grant,) = tx.grants.find(person=ana.id, door="sub-1")
        tx.grants.save(replace(grant, valid_until=ends))
        tx.record(Fact.ACCESS_CHOSEN, at=site.tick(), actor=site.actors["tecnico"], person=ana.id)
        tx.commit()
    desired = site.fleet.desired(lobby)
    assert desired.changes_at == ends
    assert desired.users[0].enabled
    while site.tick() < ends:
        time.sleep(0.01)
    assert site.fleet.still_holds(desired, lobby) is None
    assert not site.fleet.desired(lobby).users[0].enabled


def test_a_round_on_a_terminal_never_kept_before(site: Site, lobby: Simulated, session: ZkTerminal) -> None:
    """`devices apply` on a fresh site: no health yet, nothing held yet."""
    site.admit("Ana", card=ANA)
    lobby.add_user("666", card=666, name="Intruso")
    with site.store.begin() as tx:
        tx.health.delete("lobby")
        tx.commit()
    assert [user.user_id for user in site.fleet.plan(session, site.device("lobby")).rogues] == ["666"]
    applied = site.fleet.apply(session, site.device("lobby"))
    assert (len(applied.planned.put), applied.left.is_empty, applied.edited) == (1, True, 0)
    health = site.health()
    assert (health.users_desired, health.users_observed, health.rogues, health.drift) == (1, 2, 1, 0)
    assert lobby.present_card(ANA)["granted"]
    (alarm,) = site.alarms(AlarmKind.ROGUE_CREDENTIAL)
    assert alarm.detail == "1: 666"
    again = site.fleet.apply(session, site.device("lobby"))
    assert (again.planned.is_empty, again.edited) == (True, 0)
    assert len(site.rows(Fact.DEVICE_APPLIED)) == 1
    assert site.rows(Fact.DEVICE_DRIFTED) == []


def test_fingers_go_to_the_terminal_and_leave_it_with_the_right(
    site: Site, lobby: Simulated, session: ZkTerminal
) -> None:
    ana = site.admit("Ana", card=ANA)
    finger_of(site, ana.id)
    site.fleet.apply(session, site.device("lobby"))
    assert [(one.finger, one.data) for one in session.templates()] == [(1, b"a finger's template" * 30)]
    with site.store.view() as tx:
        (card,) = tx.cards.find(holder=ana.id)
    site.stock.happen(site.actors["tecnico"], card.id, CardEvent.SUSPEND, why="Vacaciones")
    site.fleet.apply(session, site.device("lobby"))
    assert session.templates() == ()
    assert lobby.state()["users"] == 1


def test_a_finger_that_does_not_open_costs_nobody_else(site: Site, lobby: Simulated, session: ZkTerminal) -> None:
    """A tampered row: the card still opens, everybody else is served, and the difference stays in sight."""
    ana, beto = site.admit("Ana", card=ANA), site.admit("Beto", card=ANA + 1)
    broken = finger_of(site, ana.id)
    finger_of(site, beto.id, b"another finger" * 30)
    with site.store.begin() as tx:
        tx.templates.delete(broken.id)
        tx.templates.add(replace(broken, ciphertext=bytes(len(broken.ciphertext))))
        tx.record(Fact.FINGER_ENROLLED, at=site.tick(), actor=site.actors["tecnico"], person=ana.id)
        tx.commit()
    applied = site.fleet.apply(session, site.device("lobby"))
    assert applied.left.fingers == ((ana.id, 1),)
    assert site.health().drift == 1
    assert [one.user_id for one in session.templates()] == [str(beto.number)]
    assert lobby.present_card(ANA)["granted"]
    assert lobby.present_card(ANA + 1)["granted"]


def test_what_was_being_written_when_we_died_is_still_ours(site: Site, lobby: Simulated) -> None:
    """Killed after the slots went out and before anything was confirmed; meanwhile the access ended (N10.4)."""
    ana = site.admit("Ana", card=ANA)
    device = site.device("lobby")

    class Killed(Exception):
        pass

    class Dying(ZkTerminal):
        def put_users(self, *arguments: object) -> None:
            super().put_users(*arguments)  # type: ignore[arg-type]
            raise Killed

    with driver_of(lobby.port).connect() as terminal:
        terminal.__class__ = Dying
        with pytest.raises(Killed):
            site.fleet.apply(terminal, device)
    assert lobby.present_card(ANA)["granted"]
    removal = site.remove(ana)
    with driver_of(lobby.port).connect() as terminal:
        applied = site.fleet.apply(terminal, device)
    assert (applied.left.rogues, applied.edited) == ((), 0)
    assert lobby.state()["users"] == 0
    assert site.removals.progress(removal).removal.completed_at is not None


def test_what_somebody_changed_by_hand_is_put_right_and_recorded(
    site: Site, lobby: Simulated, session: ZkTerminal
) -> None:
    people = [site.admit(f"Persona {number}", card=ANA + number) for number in range(3)]
    device = site.device("lobby")
    site.fleet.apply(session, device)
    lobby.delete_user(str(people[0].number))
    lobby.delete_user(str(people[1].number))
    lobby.add_user(str(people[1].number), card=4711, privilege=14, name="Otro nombre")
    applied = site.fleet.apply(session, device)
    assert (applied.edited, applied.left.is_empty) == (2, True)
    assert [lobby.present_card(ANA + number)["granted"] for number in range(3)] == [True] * 3
    assert not lobby.present_card(4711)["granted"]
    assert len(site.rows(Fact.DEVICE_DRIFTED, device="lobby")) == 1
    assert site.alarms(AlarmKind.ROGUE_CREDENTIAL) == []
