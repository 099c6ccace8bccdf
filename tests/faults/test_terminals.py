"""Terminals that are off, hang, break off, lie or flap: said once, the others go on, nothing is lost or doubled."""

import itertools
import statistics
import time
from datetime import datetime
from typing import Any

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl_drivers.zkteco.terminal import ZkTerminalDriver
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.drivers.proxy import StoppingProxy
from tests.keeping import FAST, Site, driver_of, kept, until

ANA, BETO = 0x0184F07A, 0x01161DD6
DEADLINE = 0.6


def entries(site: Site, device: str) -> int:
    return len(site.rows(Fact.DOOR_GRANTED, device=device))


@pytest.mark.parametrize("fault", ["off", "hang", "close-mid-data", "wrong-checksum", "wrong-reply-id", "drop=1"])
def test_one_terminal_fails_and_nothing_is_lost_or_doubled(
    fault: str, site: Site, lobby: Simulated, infra: Simulated
) -> None:
    site.admit("Ana", card=ANA, doors=("cd-1", "sub-1"))
    with kept(site, deadline=DEADLINE, lobby=lobby, infra=infra):
        site.settled("lobby")
        site.settled("infra")
        assert lobby.present_card(ANA)["granted"]
        site.awaits(Fact.DOOR_GRANTED, device="lobby")
        lobby.power_off() if fault == "off" else lobby.fault(fault)
        alarm = site.raised(AlarmKind.DEVICE_OFFLINE)
        health = site.offline("lobby")
        assert (alarm.device, bool(health.last_error)) == ("lobby", True)
        if fault != "off":  # it goes on opening; we read of it afterwards
            for _ in range(3):
                assert lobby.present_card(ANA)["granted"]
        for round_ in range(3):
            assert infra.present_card(ANA)["granted"]
            site.awaits(Fact.DOOR_GRANTED, device="infra", count=round_ + 1)
        assert site.health("infra").online
        lobby.power_on() if fault == "off" else lobby.clear_faults()
        site.online("lobby")
        assert lobby.present_card(ANA)["granted"]
        wanted = 2 if fault == "off" else 5
        until("every entry of the lobby", lambda: entries(site, "lobby") >= wanted)
        site.settled("lobby")
        assert site.resolved(AlarmKind.DEVICE_OFFLINE).count == 1
    assert (entries(site, "lobby"), entries(site, "infra")) == (wanted, 3)
    assert len(site.alarms(AlarmKind.DEVICE_OFFLINE)) == 1
    assert site.alarms(AlarmKind.GAP) == []


def test_a_terminal_that_is_off_from_the_start_is_named(site: Site, lobby: Simulated) -> None:
    lobby.power_off()
    with kept(site, deadline=DEADLINE, lobby=lobby):
        assert site.raised(AlarmKind.DEVICE_OFFLINE).device == "lobby"
    assert not site.health().online


def test_a_line_that_falls_silent_is_noticed_without_anybody_at_the_door(site: Site, lobby: Simulated) -> None:
    """Half-open: no word, no end of file. Reading the log finds it out."""
    silent = StoppingProxy(lobby.port, after=6000, how="silence")
    with silent as proxy, kept(site, deadline=DEADLINE, lobby=proxy.port):
        site.online()
        site.raised(AlarmKind.DEVICE_OFFLINE)


def test_a_terminal_that_hangs_slows_nobody(site: Site, lobby: Simulated, infra: Simulated) -> None:
    """From the card to the entry of the record at the other door: within a tenth, and what a busy machine jitters."""
    site.admit("Ana", card=ANA, doors=("cd-1", "sub-1"))
    seen = 0

    def median_s() -> float:
        nonlocal seen
        times = []
        for _ in range(8):
            begun = time.perf_counter()
            assert infra.present_card(ANA)["granted"]
            seen += 1
            site.awaits(Fact.DOOR_GRANTED, device="infra", count=seen)
            times.append(time.perf_counter() - begun)
        return statistics.median(times)

    ratios = []
    with kept(site, deadline=DEADLINE, lobby=lobby, infra=infra):
        site.settled("lobby")
        site.settled("infra")
        median_s()
        for _ in range(3):
            healthy = median_s()
            lobby.fault("hang")
            site.offline("lobby")
            ratios.append(median_s() / (healthy * 1.1 + 0.02))
            lobby.clear_faults()
            site.online("lobby")
    assert statistics.median(ratios) <= 1.0, ratios


def test_a_clock_in_2000_is_doubted_set_and_its_entries_kept(site: Site, lobby: Simulated) -> None:
    site.admit("Ana", card=ANA)
    with kept(site, lobby=lobby):
        site.settled()
    lobby.set_clock(datetime(2000, 1, 1))  # noqa: DTZ001 -- the terminal's own clock
    assert lobby.present_card(ANA)["granted"]
    with kept(site, lobby=lobby):
        alarm = site.resolved(AlarmKind.CLOCK_DOUBTFUL)
        (entry,) = site.awaits(Fact.DOOR_GRANTED)
        site.settled()
        until("the clock to be right", lambda: abs(site.health().skew_s or 0) <= 1)
        assert lobby.present_card(ANA)["granted"]
        later = site.awaits(Fact.DOOR_GRANTED, count=2)[1]
    assert alarm.cause == "clock_set"
    assert entry.device_time.startswith("2000-01-01T00:00:")
    assert abs((entry.at - entry.received_at).total_seconds()) < 30
    assert (later.skew_s or 0) >= -1
    assert len(site.rows(Fact.DEVICE_CLOCK_SET)) == 1
    assert site.alarms(AlarmKind.POLICY_MISMATCH) == []


def test_a_cleared_log_is_a_gap_and_an_alarm(site: Site, lobby: Simulated) -> None:
    site.admit("Ana", card=ANA)
    with kept(site, lobby=lobby):
        site.settled()
        for _ in range(3):
            lobby.present_card(ANA)
        site.awaits(Fact.DOOR_GRANTED, count=3)
        lobby.clear_log()
        lobby.present_card(ANA)
        site.raised(AlarmKind.GAP)
        site.awaits(Fact.DOOR_GRANTED, count=4)
        lobby.present_card(ANA)
        site.awaits(Fact.DOOR_GRANTED, count=5)
    assert len(site.rows(Fact.DEVICE_LOG_GAP)) == 1
    assert entries(site, "lobby") == 5


def test_a_full_log_that_overwrites_its_oldest_is_read_on(site: Site, lobby: Simulated) -> None:
    """Nothing was lost as long as where we stopped is still there: no entry twice, and no alarm for each card."""
    site.crowd(100)
    cards = itertools.cycle(range(500_000, 500_100))

    def come(count: int) -> None:
        for _ in range(count):
            assert lobby.present_card(next(cards))["granted"]

    with kept(site, lobby=lobby):
        site.settled()
        come(90)
        site.awaits(Fact.DOOR_GRANTED, count=90)
        lobby.fault("log-full=wrap")  # from here on each record takes the place of the oldest
        for count in (91, 92, 95, 105):
            come(count - len(site.rows(Fact.DOOR_GRANTED)))
            site.awaits(Fact.DOOR_GRANTED, count=count)
        assert lobby.state()["records"] == 90
        site.settled()
    assert entries(site, "lobby") == 105
    assert site.alarms(AlarmKind.GAP) == []
    come(95)  # and while nobody listens the whole log goes round: that is a gap
    with kept(site, lobby=lobby):
        site.raised(AlarmKind.GAP)
    assert entries(site, "lobby") == 195


def test_a_terminal_that_flaps_is_one_alarm(site: Site, lobby: Simulated) -> None:
    """On and off twice a second: one alarm that counts, pauses that grow, and calm when it stays."""
    site.admit("Ana", card=ANA)
    with kept(site, lobby=lobby, deadline=DEADLINE):
        site.settled()
        lobby.fault("power-cycle=0.25,repeat")
        alarm = until(
            "the alarm to count", lambda: [one for one in site.alarms(AlarmKind.DEVICE_OFFLINE) if one.count >= 3]
        )
        assert len(alarm) == 1
    flaps = len(site.rows(Fact.DEVICE_OFFLINE))
    assert flaps <= alarm[0].count + 1
    assert len(site.alarms(AlarmKind.DEVICE_OFFLINE)) == 1


def test_pauses_grow_although_each_try_connects(site: Site, lobby: Simulated) -> None:
    """A terminal that lets us in and drops us at once is not tried forty times a second."""
    short = StoppingProxy(lobby.port, after=700)  # enough to connect, not for a log
    with short as proxy, kept(site, deadline=DEADLINE, lobby=proxy.port):
        site.raised(AlarmKind.DEVICE_OFFLINE)
        tries = proxy.connections
        end = time.monotonic() + 2.0
        until("two seconds of tries", lambda: time.monotonic() >= end)
        assert proxy.connections - tries <= 2.0 / (FAST.longest_pause_s * 0.7) + 4
    assert len(site.alarms(AlarmKind.DEVICE_OFFLINE)) == 1


def test_a_terminal_that_somebody_else_holds_is_said_to_be(site: Site, lobby: Simulated) -> None:
    lobby.fault("second-client-refused")
    with driver_of(lobby.port).connect() as other:
        other.info()
        with kept(site, deadline=DEADLINE, lobby=lobby):
            site.raised(AlarmKind.DEVICE_OFFLINE)
            other.close()
            site.online()


def test_a_wrong_key_is_named_and_never_shown(site: Site) -> None:
    with Simulated(TerminalConfig(commkey=123456)) as lobby, kept(site, deadline=DEADLINE, lobby=lobby):
        alarm = site.raised(AlarmKind.DEVICE_OFFLINE)
    assert "comm key" in alarm.detail
    assert "123456" not in alarm.detail


@pytest.mark.parametrize("user_format", [28, 72])
def test_a_name_of_two_hundred_characters_and_emoji_fits(site: Site, user_format: int) -> None:
    """Whole characters only, within what the terminal's records hold; a slot of the old kind has one time zone."""
    name = "Ñandú 🦉👩‍🔧 de la Asunción " * 8
    ana = site.admit(name[:200], card=ANA)
    with Simulated(TerminalConfig(users=1, user_format=user_format)) as lobby:  # one of somebody else's: not removed
        with kept(site, lobby=lobby):
            health = site.settled()
            assert lobby.present_card(ANA)["granted"]
            site.awaits(Fact.DOOR_GRANTED)
        users: Any = lobby.dump()["users"]
    (slot,) = [user for user in users if user["user_id"] == str(ana.number)]
    assert slot["name"].startswith({28: "Nandu", 72: "Ñandú"}[user_format])
    assert len(slot["name"].encode()) <= {28: 7, 72: 23}[user_format]
    assert "\ufffd" not in slot["name"]
    assert (health.users_observed, health.rogues) == (2, 1)


def test_an_empty_terminal_of_the_old_kind_comes_to_hold_what_it_should(site: Site) -> None:
    """Its records cannot be told from an empty memory: the first try writes the wrong kind, and the next one knows."""
    site.admit("Ana", card=ANA)
    with Simulated(TerminalConfig(user_format=28)) as lobby, kept(site, lobby=lobby):
        site.settled()
        assert lobby.present_card(ANA)["granted"]


def test_the_driver_is_given_what_the_site_says() -> None:
    """A bad address is said before anything is tried."""
    with pytest.raises(ValueError, match="address"):
        ZkTerminalDriver("http://10.0.0.5", deadline=DEADLINE)
