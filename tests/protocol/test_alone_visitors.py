"""Visitors on a controller that decides alone, over real HTTP: the service is killed, and the window passes.

The controller's clock is set forward by its own hands; that time passed for the service too is said in its store, while
nobody runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from accessctl import clock
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Transport
from accessctl.services.visit_register_desk import RegisterForm
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.controller import PushController
from tests.protocol.installation import HOST, Installation, running, until
from tests.services.premises import Premises
from tests.services.visiting import OUT, Visiting

SERIAL = "ALONE2"
CARD = 1  # of the visitors' pool, as a controller says it
HOURS = 2


def site(premises: Premises) -> None:
    premises.now = clock.now() - timedelta(minutes=2)
    with premises.store.begin() as tx:
        tx.devices.add(Device(id="alone", transport=Transport.PUSH, serial=SERIAL, source=HOST, doors=("sub-1",)))
        tx.record(Fact.SITE_APPLIED, at=premises.now, actor=SYSTEM)
        tx.commit()


@dataclass
class Lobby:
    """A running ingress, a controller at its door, and whoever receives visitors."""

    ingress: Installation
    controller: PushController
    visit: str = ""
    pin: str = ""
    host: str = field(init=False)
    host_card: str = field(init=False)

    def __post_init__(self) -> None:
        self.visiting = Visiting(self.ingress.premises)
        person = self.ingress.premises.person("Hugo Anfitrión")
        self.host, self.host_card = person.id, self.visiting.card(person.id, 50, doors=("sub-1",))
        until("the staff are placed", lambda: self.applied() >= 1 and self.held() >= 1)

    def applied(self) -> int:
        return self.ingress.count(Fact.DEVICE_APPLIED, device="alone")

    def held(self) -> int:
        tables = self.controller.state()["tables"]
        assert isinstance(tables, dict)
        return int(tables.get("user", 0))

    def receives(self) -> None:
        """A visit of two hours to the premises, its host inside: from here on the controller may hold it."""
        visiting = self.visiting
        form = visiting.form(zone="sub", host=self.host, hours=HOURS)
        self.visit = visiting.desk.authorise(visiting.actor("jefe"), form)
        data = RegisterForm(document_kind="pasaporte", document_number="H1")
        visiting.register_desk.register(visiting.actor("recepcion"), self.visit, data)
        with self.ingress.store.view() as tx:
            self.pin = str(tx.people.get(visiting.visit(self.visit).visitor).number)
        visiting.sign(self.visit)
        visiting.visitor_cards.give(visiting.actor("recepcion"), self.visit, visiting.pool[0].id)
        assert visiting.show(self.host_card, door="sub-1").granted

    def was_told(self, what: str) -> bool:
        commands = self.controller.state()["commands"]
        assert isinstance(commands, list)
        return any(text.startswith(f"DATA {what} ") and f"Pin={self.pin}" in text for text, _ in commands)

    def holds(self) -> bool:
        tables = self.controller.dump()["tables"]
        assert isinstance(tables, dict)
        return any(row["pin"] == self.pin for row in tables.get("user", ()))

    def opens(self) -> bool:
        return self.controller.present_card(CARD)["granted"] is True

    def window_passes(self) -> None:
        """For the controller by its clock, for the service by what it will read."""
        self.controller.set_clock(HOURS * 3600.0)
        with self.ingress.store.begin() as tx:
            visit = tx.visits.get(self.visit)
            tx.visits.save(replace(visit, valid_until=clock.now() - timedelta(seconds=1)))
            tx.record(Fact.VISIT_WORK_NOTED, at=clock.now(), actor=SYSTEM, visit=visit.id)
            tx.commit()


@pytest.fixture
def lobby(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lobby]:
    in_seconds: bool = request.param
    with running(tmp_path, site) as ingress:
        config = PushConfig(server=ingress.url, serial=SERIAL, retry_s=0.2, poll_s=0.2, dates_in_seconds=in_seconds)
        with PushController(config) as controller:
            yield Lobby(ingress, controller)


@pytest.mark.parametrize(
    ("lobby", "moment"),
    [(False, "UPDATE user"), (True, "UPDATE userauthorize"), (False, "UPDATE userauthorize")],
    indirect=["lobby"],
)
def test_cut_off_while_a_visitor_is_placed(lobby: Lobby, moment: str) -> None:
    lobby.receives()
    until(moment, lambda: lobby.was_told(moment))
    lobby.ingress.kill()
    if moment == "UPDATE userauthorize":
        assert lobby.opens()  # the window is open, and the controller goes on alone
    lobby.window_passes()
    assert not lobby.opens()
    lobby.controller.set_clock(24 * 3600.0)
    assert not lobby.opens()
    lobby.controller.set_clock((6 * 24 - HOURS) * 3600.0)
    assert not lobby.opens()  # a week later, on the same weekday and in the same hours
    lobby.controller.set_clock(None)
    lobby.ingress.start_again()
    until("gone", lambda: not lobby.holds(), within_s=60)
    assert not lobby.opens()
    assert lobby.held() >= 1  # the staff are there
    until("read back", lambda: lobby.ingress.health("alone").drift == 0)


@pytest.mark.parametrize("lobby", [False], indirect=True)
def test_cut_off_while_a_visitor_is_taken_off(lobby: Lobby) -> None:
    lobby.receives()
    until("placed and read back", lambda: lobby.was_told("UPDATE userauthorize") and lobby.applied() >= 2)
    assert lobby.opens()
    until("followed", lambda: lobby.visiting.visit(lobby.visit).entered_at is not None)
    assert lobby.visiting.show(lobby.host_card, OUT, door="sub-1").granted
    until("being taken off", lambda: lobby.was_told("DELETE userauthorize"))
    lobby.ingress.kill()
    assert not lobby.opens()
    lobby.window_passes()
    assert not lobby.opens()
    lobby.controller.set_clock(None)
    lobby.ingress.start_again()
    until("gone", lambda: not lobby.holds(), within_s=60)
    assert lobby.ingress.count(Fact.VISIT_ENTERED) == 1
