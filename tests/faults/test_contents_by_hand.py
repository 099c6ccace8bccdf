"""Terminals that somebody changed by hand, rounds that are cut off, and access that ends while a terminal is away."""

import os
import signal
import threading
from typing import Any

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.ports import DeviceUnreachable
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.drivers.proxy import StoppingProxy
from tests.keeping import Site, driver_of, kept, until

ANA, BETO = 0x0184F07A, 0x01161DD6


def test_users_edited_added_and_deleted_by_hand(site: Site, lobby: Simulated) -> None:
    """Drift is repaired and recorded; who was put there by hand is an alarm, and stays."""
    people = [site.admit(f"Persona {number}", card=ANA + number) for number in range(3)]
    with kept(site, lobby=lobby):
        site.settled()
        lobby.delete_user(str(people[0].number))
        lobby.delete_user(str(people[1].number))
        lobby.add_user(str(people[1].number), card=4711, privilege=14)
        lobby.add_user("666", card=666, name="Intruso")
        site.raised(AlarmKind.ROGUE_CREDENTIAL)
        site.awaits(Fact.DEVICE_DRIFTED)
        until("the cards to open again", lambda: all(lobby.present_card(ANA + n)["granted"] for n in range(3)))
        assert not lobby.present_card(4711)["granted"]
        assert lobby.present_card(666)["granted"]  # a terminal that decides alone; it is an alarm, not a removal
        mismatch = site.raised(AlarmKind.POLICY_MISMATCH)
        assert mismatch.detail == "unknown_credential"
        lobby.delete_user("666")
        site.resolved(AlarmKind.ROGUE_CREDENTIAL)
    assert site.health().rogues == 0


def test_access_ends_while_the_terminal_is_off(site: Site, lobby: Simulated, infra: Simulated) -> None:
    """N10.4: pending is an alarm until the terminal is back and read back; then its door is closed, and confirmed."""
    beto = site.admit("Beto", card=BETO, doors=("cd-1", "sub-1"))
    with kept(site, deadline=0.6, lobby=lobby, infra=infra):
        site.settled("lobby")
        site.settled("infra")
        infra.power_off()
        site.offline("infra")
        removal = site.remove(beto)
        until("the lobby to confirm", lambda: site.removals.progress(removal).reached_doors == 1)
        assert not lobby.present_card(BETO)["granted"]
        alarm = site.raised(AlarmKind.REVOCATION_PENDING)
        assert (alarm.device, alarm.door) == ("infra", "cd-1")
        progress = site.removals.progress(removal)
        assert (progress.exposed_doors, progress.all_doors) == (("cd-1",), 2)
        infra.power_on()
        done = until("the removal to be confirmed", lambda: site.removals.progress(removal).removal.completed_at)
        assert not infra.present_card(BETO)["granted"]
        site.resolved(AlarmKind.REVOCATION_PENDING)
    assert done is not None
    assert len(site.rows(Fact.REMOVAL_CONFIRMED)) == 2


def test_a_removal_is_not_confirmed_by_a_terminal_that_did_not_do_it(site: Site, lobby: Simulated) -> None:
    """Whatever goes wrong on the way: confirmed means read back, and what was confirmed opens no more."""
    beto = site.admit("Beto", card=BETO)
    with kept(site, deadline=0.6, lobby=lobby):
        site.settled()
        lobby.fault("wrong-checksum=0.05")
        removal = site.remove(beto)

        def confirmed_or_open() -> bool:
            opens = lobby.present_card(BETO)["granted"]
            done = site.removals.progress(removal).removal.completed_at is not None
            assert not (opens and done and lobby.present_card(BETO)["granted"])
            return done

        until("the removal to be confirmed", confirmed_or_open, seconds=30)


def test_a_round_that_is_cut_off_anywhere_is_finished_by_the_next(site: Site) -> None:
    """Many users on their way: the line breaks after so many bytes, again and again; it converges, and is enabled."""
    site.crowd(400)
    device = site.device("lobby")
    with Simulated(TerminalConfig()) as lobby:
        for after in (900, 1200, 1500, 2000, 2600):
            with StoppingProxy(lobby.port, after=after, how="reset") as proxy:
                try:
                    with driver_of(proxy.port).connect() as terminal:
                        site.fleet.apply(terminal, device)
                except DeviceUnreachable:
                    continue
        with kept(site, lobby=lobby):
            site.settled()
        state = lobby.state()
        users: Any = lobby.dump()["users"]
    assert (state["users"], state["enabled"]) == (400, True)
    assert sorted(user["card"] for user in users) == [500_000 + number for number in range(400)]
    assert site.rows(Fact.DEVICE_DRIFTED) == []


def test_a_killed_child_is_a_terminal_away_and_no_more(site: Site, lobby: Simulated) -> None:
    """The process that holds the line is killed in the middle of a round; the next session puts the terminal right."""
    site.crowd(300)
    device = site.device("lobby")
    for delay in (0.0, 0.02, 0.05, 0.1):
        with driver_of(lobby.port).connect() as terminal:
            killer = threading.Timer(delay, os.kill, (terminal.child_pid, signal.SIGKILL))
            killer.start()
            try:
                site.fleet.apply(terminal, device)
            except DeviceUnreachable:
                pass
            finally:
                killer.join()
    with kept(site, lobby=lobby):
        site.settled()
    state = lobby.state()
    assert (state["users"], state["enabled"]) == (300, True)


def test_a_terminal_that_was_reset_is_filled_again(site: Site) -> None:
    site.crowd(50)
    with Simulated(TerminalConfig()) as lobby, kept(site, lobby=lobby):
        site.settled()
    with Simulated(TerminalConfig()) as replaced, kept(site, lobby=replaced):
        until("fifty users", lambda: replaced.state()["users"] == 50)
        (drift,) = site.awaits(Fact.DEVICE_DRIFTED)
    assert drift.device == "lobby"


def test_no_door_opens_before_the_delivery_nor_after_the_removal(
    site: Site, lobby: Simulated, infra: Simulated
) -> None:
    """Invariant 1 for several people at once, while a terminal comes and goes."""
    with kept(site, deadline=0.6, lobby=lobby, infra=infra):
        people = [site.person(f"Persona {number}") for number in range(4)]
        cases = [site.request(person) for person in people]
        terminals = (lobby, infra)

        def opens(number: int) -> list[bool]:
            return [bool(one.present_card(ANA + number)["granted"]) for one in terminals if one.powered]

        for number, case in enumerate(cases):
            if number == 2:
                infra.power_cycle(0.5)
            site.configure(case, card=ANA + number, doors=("cd-1", "sub-1"))
            assert not any(opens(number))
            site.sign(case, people[number])
            assert not any(opens(number))
            site.deliver(case)
            until(f"person {number} to come in", lambda n=number: all(opens(n)) and infra.powered)  # type: ignore[misc]
        for number, person in enumerate(people):
            if number == 1:
                infra.power_cycle(0.5)
            removal = site.remove(person)
            until("confirmation", lambda r=removal: site.removals.progress(r).removal.completed_at)  # type: ignore[misc]
            until("power", lambda: infra.powered)
            assert opens(number) == [False, False]
    assert site.alarms(AlarmKind.POLICY_MISMATCH) == []
