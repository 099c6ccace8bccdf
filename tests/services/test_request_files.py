"""What pages show of procedure 10: what waits for whom, the steps with their doers, the list, and who may look."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accessctl.domain.devices import DeviceHealth
from accessctl.domain.errors import Reason
from accessctl.domain.people import Role
from accessctl.services.request_files import RequestFiles
from tests.services.premises import Premises
from tests.services.refusing import refused
from tests.services.test_request_desk import form, hire

CAST = ("recepcion", "secretaria", "tecnico", "jefe", "auditor", "guardia")


@pytest.fixture
def files(premises: Premises) -> RequestFiles:
    return RequestFiles(premises.office)


def waits_for(premises: Premises, files: RequestFiles) -> set[str]:
    return {who for who in CAST if files.waiting_for(premises.actors[who])}


def test_a_request_waits_for_one_person_at_a_time(premises: Premises, files: RequestFiles) -> None:
    person = premises.person("Nora Noj")
    case = premises.requests.register(premises.actors["recepcion"], form(premises, person))
    assert waits_for(premises, files) == {"jefe"}
    premises.requests.sign_off(premises.actors["jefe"], case)
    assert waits_for(premises, files) == {"secretaria"}
    premises.configure(case)
    assert waits_for(premises, files) == {"tecnico"}  # attends the signature
    other = hire(premises, "Otro", Role.TECNICO_INFRA)
    assert files.waiting_for(other) == []  # it was assigned to somebody else
    premises.sign(case, person)
    assert waits_for(premises, files) == {"tecnico"}
    premises.deliver(case)
    assert waits_for(premises, files) == {"secretaria"}
    premises.requests.inform(premises.actors["secretaria"], case)
    assert waits_for(premises, files) == set()


def test_another_head_is_not_asked(premises: Premises, files: RequestFiles) -> None:
    premises.requests.register(premises.actors["recepcion"], form(premises, premises.person("Nora")))
    assert files.waiting_for(hire(premises, "Otto", Role.DIRECTOR)) == []


def test_the_file_shows_each_step_with_who_did_it_and_what_the_open_one_lacks(
    premises: Premises, files: RequestFiles
) -> None:
    case = premises.request(premises.person("Nora"))
    found = files.file(premises.actors["auditor"], case)
    assert [(line.reference, line.state) for line in found.steps] == [
        ("P10.01", "done"),
        ("P10.02", "current"),
        ("P10.03", "waiting"),
        ("P10.04", "waiting"),
        ("P10.05", "waiting"),
        ("P10.06", "waiting"),
    ]
    assert found.steps[0].by_name == "Rosa Recinos"
    assert [need.evidence for need in found.steps[1].lacks] == ["technician"]
    premises.configure(case)
    assert files.file(premises.actors["tecnico"], case).line.assigned_name == "Tomás Tzul"


def test_states_of_a_request_in_the_list(premises: Premises, files: RequestFiles) -> None:
    auditor, person = premises.actors["auditor"], premises.person("Ñandú Pérez")
    closed, _ = premises.delivered()
    premises.requests.inform(premises.actors["secretaria"], closed)
    cancelled, lapsing = premises.request(person), premises.request(person)
    premises.requests.cancel(premises.actors["secretaria"], cancelled, why="x")
    assert [line.state for line in files.find(auditor)] == ["open", "cancelled", "closed"]
    premises.now += timedelta(days=31)
    assert {line.id: line.state for line in files.find(auditor)} == {
        closed: "closed",
        cancelled: "cancelled",
        lapsing: "expired",
    }
    assert files.find(auditor, open_only=True) == []
    assert waits_for(premises, files) == set()


@pytest.mark.parametrize("text", ["x' OR '1'='1", "%", "_", "\x00", "\ud800", "9" * 11, "٣", "x" * 10_000, "-1"])
def test_a_hostile_search_finds_nothing(premises: Premises, files: RequestFiles, text: str) -> None:
    premises.request(premises.person("Nora"))
    assert files.find(premises.actors["auditor"], text=text) == []


def test_a_request_is_found_by_name_and_folio(premises: Premises, files: RequestFiles) -> None:
    case = premises.request(premises.person("Ñandú Pérez"))
    for text in ("nandu", "PÉREZ", "1", " 1 "):
        assert [line.id for line in files.find(premises.actors["auditor"], text=text)] == [case]


@pytest.mark.parametrize("who", ["guardia"])
def test_who_may_not_look(premises: Premises, files: RequestFiles, who: str) -> None:
    case, actor = premises.request(premises.person("Nora")), premises.actors[who]
    acts: list[tuple[Callable[[], object], str]] = [
        (lambda: files.find(actor), "P10.01"),
        (lambda: files.file(actor, case), "P10.01"),
        (lambda: files.attachment(actor, "x"), "P10.01"),
        (lambda: files.choices(actor), "P10.01"),
        (lambda: files.technicians(actor), "P10.02"),
    ]
    for act, norm in acts:
        with refused(premises, actor, Reason.WRONG_ROLE, norm):
            act()


def test_what_the_forms_offer(premises: Premises, files: RequestFiles) -> None:
    reception = premises.actors["recepcion"]
    choices = files.choices(reception)
    assert [line.door.id for line in choices.doors] == ["cd-1", "sub-1"]
    assert {one.id for one in choices.schedules} == {"always", "office"}
    assert [person.full_name for person in choices.authorities] == ["Julia Jerónimo"]
    assert [one.account.id for one in files.technicians(reception)] == ["account-tecnico"]
    with premises.store.begin() as tx:
        tx.health.add(DeviceHealth(id="lobby", online=True))
        tx.commit()
    assert [(line.device.id, line.online) for line in files.terminals(premises.actors["tecnico"])] == [("lobby", True)]
    assert files.readers(premises.actors["tecnico"]) == []
