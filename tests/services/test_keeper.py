"""The keeper against simulated terminals, through the real driver, into a real store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.cards import CardEvent
from accessctl.domain.devices import CommandState
from accessctl.domain.facts import Fact
from accessctl.storage.unit_of_work import SqlStore
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.keeping import FAST, Site, kept, until

ANA = 0x0184F07A
BETO = 0x01161DD6


@pytest.fixture
def site(fresh_store: SqlStore) -> Site:
    return Site(store=fresh_store)


@pytest.fixture
def lobby() -> Iterator[Simulated]:
    with Simulated(TerminalConfig(finger="manual", sample_ms=5.0)) as terminal:
        yield terminal


def test_a_card_opens_from_the_delivery_on_and_no_more_after_the_removal(site: Site, lobby: Simulated) -> None:
    """Invariant 1, on the door itself: not before P10.05, not after the removal is confirmed."""
    with kept(site, lobby=lobby):
        ana = site.person("Ana Lucía Xol Ñáñez")
        case = site.request(ana)
        site.settled()
        assert not lobby.present_card(ANA)["granted"]
        site.configure(case, card=ANA)
        assert site.settled().users_observed == 1
        assert not lobby.present_card(ANA)["granted"]
        site.sign(case, ana)
        assert not lobby.present_card(ANA)["granted"]
        site.deliver(case)
        site.settled()
        assert lobby.present_card(ANA)["granted"]
        (entry,) = site.awaits(Fact.DOOR_GRANTED)
        assert (entry.person, entry.person_name, entry.reason) == (ana.id, "Ana Lucía Xol Ñáñez", "")
        removal = site.remove(ana)
        until("the removal to be confirmed", lambda: site.removals.progress(removal).removal.completed_at)
        assert not lobby.present_card(ANA)["granted"]
        site.awaits(Fact.DOOR_REFUSED, count=2)
    assert lobby.dump()["users"] == []
    assert site.alarms(AlarmKind.POLICY_MISMATCH) == []


def test_a_card_shown_in_the_second_of_its_delivery_is_in_order(site: Site, lobby: Simulated) -> None:
    """A terminal's clock counts whole seconds: delivered at T.4 and shown at T.6 it stamps T."""
    with kept(site, lobby=lobby):
        for number in range(4):
            site.admit(f"Persona {number}", card=ANA + number)
            site.settled()
            assert lobby.present_card(ANA + number)["granted"]
        assert [row.reason for row in site.awaits(Fact.DOOR_GRANTED, count=4)] == [""] * 4
    assert site.alarms(AlarmKind.POLICY_MISMATCH) == []


def test_a_suspended_card_waits_closed_and_opens_again(site: Site, lobby: Simulated) -> None:
    with kept(site, lobby=lobby):
        ana = site.admit("Ana", card=ANA)
        site.settled()
        with site.store.view() as tx:
            (card,) = tx.cards.find(holder=ana.id)
        tecnico = site.actors["tecnico"]
        site.stock.happen(tecnico, card.id, CardEvent.SUSPEND, why="Vacaciones")
        site.settled()
        assert not lobby.present_card(ANA)["granted"]
        site.stock.happen(tecnico, card.id, CardEvent.RESUME, why="De vuelta")
        site.settled()
        assert lobby.present_card(ANA)["granted"]


def test_a_finger_is_enrolled_leaves_the_terminal_and_comes_back_with_the_delivery(
    site: Site, lobby: Simulated
) -> None:
    with kept(site, lobby=lobby):
        ana = site.person("Ana")
        case = site.request(ana)
        site.begin_configuring(case, card=ANA)
        site.settled()
        tecnico = site.actors["tecnico"]
        for outcome, wanted in (("bad-quality", "quality"), ("ok", "")):
            command = site.enrolment.ask_finger(tecnico, case, device="lobby", finger=1)
            until("the terminal to wait for the finger", lambda: lobby.state()["enrolling"])
            lobby.finger_ready(str(ana.number), outcome, 1)
            assert site.over(command).outcome == wanted
        assert site.over(command).state is CommandState.DONE
        site.enrolment.complete(tecnico, case)
        site.settled()
        assert lobby.dump()["templates"] == []
        assert not lobby.present_finger(str(ana.number), 1)["granted"]
        site.sign(case, ana)
        site.deliver(case)
        site.settled()
        assert lobby.present_finger(str(ana.number), 1)["granted"]


def test_an_opening_is_carried_out_now_or_never(site: Site, lobby: Simulated) -> None:
    tecnico = site.actors["tecnico"]
    with kept(site, lobby=lobby):
        site.settled()
        assert site.over(site.watch.unlock(tecnico, "sub-1")).state is CommandState.DONE
        site.awaits(Fact.DEVICE_COMMAND_DONE)
    command = site.watch.unlock(tecnico, "sub-1")
    with site.store.begin() as tx:
        from_long_ago = site.tick() - timedelta(seconds=1)
        tx.commands.save(replace(command, expires_at=from_long_ago))
        tx.record(Fact.DEVICE_COMMAND_ASKED, at=site.tick(), actor=tecnico, device="lobby")
        tx.commit()
    lobby.power_off()
    with kept(site, lobby=lobby):
        assert site.over(command).outcome == "expired"
        lobby.power_on()
        site.online()
        assert len(site.rows(Fact.DEVICE_COMMAND_DONE)) == 1


def test_what_ran_when_the_service_died_is_said_to_have_been_interrupted(site: Site, lobby: Simulated) -> None:
    tecnico = site.actors["tecnico"]
    with kept(site, lobby=lobby):
        site.settled()
    command = site.watch.unlock(tecnico, "sub-1")
    with site.store.begin() as tx:
        tx.commands.save(replace(command, state=CommandState.RUNNING))
        tx.record(Fact.DEVICE_COMMAND_ASKED, at=site.tick(), actor=tecnico, device="lobby")
        tx.commit()
    with kept(site, lobby=lobby):
        assert site.over(command).outcome == "interrupted"


def test_the_log_is_read_once_however_often_the_session_begins(site: Site, lobby: Simulated) -> None:
    site.admit("Ana", card=ANA)
    for round_ in range(1, 4):
        with kept(site, lobby=lobby):
            site.settled()
            lobby.present_card(ANA)
            site.awaits(Fact.DOOR_GRANTED, count=round_)
    assert len(site.rows(Fact.DOOR_GRANTED)) == 3


def test_doors_are_heard_live(site: Site, lobby: Simulated) -> None:
    """A refusal never reaches the log of such a terminal, so what was heard is all there is of it."""
    with kept(site, lobby=lobby):
        site.admit("Ana", card=ANA, doors=("sub-1",))
        site.settled()
        lobby.force_door()
        lobby.present_card(4711)
        lobby.exit_button()
        lobby.tamper()
        refused = site.awaits(Fact.DOOR_REFUSED)
        assert [(row.reason, row.norm, row.door) for row in refused] == [("unknown_credential", "N10.3", "sub-1")]
        site.awaits(Fact.EXIT_BUTTON)
        site.raised(AlarmKind.TAMPER)
        site.raised(AlarmKind.DOOR_FORCED)


def test_a_window_that_ends_closes_the_slot_without_anybody_asking(site: Site, lobby: Simulated) -> None:
    with kept(site, lobby=lobby, pace=FAST):
        ana = site.admit("Ana", card=ANA)
        site.settled()
        assert lobby.present_card(ANA)["granted"]
        with site.store.begin() as tx:
            (grant,) = tx.grants.find(person=ana.id, door="sub-1")
            ends = site.tick() + timedelta(seconds=1.0)
            tx.grants.save(replace(grant, valid_until=ends))
            tx.record(Fact.ACCESS_CHOSEN, at=site.tick(), actor=site.actors["tecnico"], person=ana.id, door="sub-1")
            tx.commit()
        until("the card to open no more", lambda: not lobby.present_card(ANA)["granted"])
        assert site.tick() >= ends


def test_another_terminal_in_its_place_is_not_believed(site: Site, lobby: Simulated) -> None:
    with site.store.begin() as tx:
        device = tx.devices.get("lobby")
        tx.devices.save(replace(device, serial="SN-OF-ANOTHER"))
        tx.record(Fact.SITE_APPLIED, at=site.tick(), actor=site.actors["tecnico"])
        tx.commit()
    with kept(site, lobby=lobby):
        alarm = site.raised(AlarmKind.DEVICE_OFFLINE)
        assert "another serial number" in alarm.detail
    assert lobby.state()["users"] == 0
