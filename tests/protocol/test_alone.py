"""A controller that decides alone, over real HTTP: who is placed and taken off, and what a kill in between leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accessctl import clock
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Person
from accessctl.domain.places import Device, Transport
from accessctl.services.removal_desk import RemovalDesk
from accessctl_sim.push.config import PushConfig
from accessctl_sim.push.controller import PushController
from tests.protocol.installation import HOST, Installation, running, until
from tests.services.premises import Premises

ALONE = "ALONE1"
CARD = 0x0184F07A


def site(premises: Premises) -> None:
    with premises.store.begin() as tx:
        tx.devices.add(Device(id="alone", transport=Transport.PUSH, serial=ALONE, source=HOST, doors=("sub-1",)))
        tx.record(Fact.SITE_APPLIED, at=premises.now, actor=SYSTEM)
        tx.commit()


@pytest.fixture
def ingress(tmp_path: Path) -> Iterator[Installation]:
    with running(tmp_path, site) as installation:
        yield installation


@pytest.fixture
def controller(ingress: Installation) -> Iterator[PushController]:
    config = PushConfig(server=ingress.url, serial=ALONE, retry_s=0.2, poll_s=0.1)
    with PushController(config) as device:
        yield device


def opens(controller: PushController, card: int) -> bool:
    return controller.present_card(card)["granted"] is True


def remove(ingress: Installation, person: Person) -> str:
    office = ingress.office()
    jefe = ingress.premises.actors["jefe"]
    return RemovalDesk(office).request(jefe, person=person.id, requested_by=jefe.person, reason="Traslado")


def confirmed(ingress: Installation, removal: str) -> bool:
    progress = RemovalDesk(ingress.office()).progress(removal)
    return any(target.device == "alone" and target.confirmed_at is not None for target in progress.targets)


def test_staff_come_in_until_they_are_removed_and_the_service_knows(
    ingress: Installation, controller: PushController
) -> None:
    person = ingress.admits("Ana Xol", CARD)
    until("confirmed", lambda: ingress.count(Fact.DEVICE_APPLIED, device="alone") >= 1)
    assert opens(controller, CARD)
    until("judged again", lambda: ingress.count(Fact.DOOR_GRANTED, device="alone") >= 1)
    assert ingress.rows(Fact.DOOR_GRANTED, device="alone")[0].person == person.id
    assert not opens(controller, CARD + 1)
    removal = remove(ingress, person)
    until("reached", lambda: confirmed(ingress, removal))
    assert not opens(controller, CARD)
    with ingress.store.view() as tx:
        assert tx.health.get("alone").users_observed == 0


def test_a_service_that_is_killed_in_the_middle_goes_on_where_the_controller_stands(
    ingress: Installation, controller: PushController
) -> None:
    people = [ingress.admits(f"Persona {number}", CARD + number) for number in range(12)]
    until("some are placed", lambda: _held(controller) >= 3)
    ingress.kill()
    assert opens(controller, CARD)  # it goes on deciding
    removal = remove(ingress, people[0])
    ingress.start_again()
    until("all but who is gone", lambda: _held(controller) == 11 and confirmed(ingress, removal), within_s=60)
    assert not opens(controller, CARD)
    assert all(opens(controller, CARD + number) for number in range(1, 12))
    with ingress.store.view() as tx:
        health = tx.health.get("alone")
    assert (health.users_observed, health.drift, health.rogues) == (11, 0, 0)
    assert ingress.count(Fact.DEVICE_DRIFTED, device="alone") == 0
    assert clock.now() >= max(row.at for row in ingress.rows(device="alone"))


def _held(controller: PushController) -> int:
    tables = controller.state()["tables"]
    assert isinstance(tables, dict)
    return int(tables.get("user", 0))
