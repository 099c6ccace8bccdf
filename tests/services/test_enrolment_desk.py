"""P10.03: the card, the doors within what was authorised, the finger; whose card it is, and whose turn."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.cards import CardEvent, CardState
from accessctl.domain.devices import CommandState, DeviceHealth
from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Person, Role
from accessctl.domain.requests import GrantState
from accessctl.ports import TerminalTemplate
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.uploads import Upload
from tests.services.premises import Premises
from tests.services.refusing import contents, facts_since, recorded, refused
from tests.services.test_request_desk import hire

ACT = Upload(name="acta.pdf", content=b"%PDF-1.7 acta")


def em(number: int) -> CardNumber:
    return CardNumber.from_bytes(CardFormat.EM4100, b"\x0f" + number.to_bytes(4))


def assigned(premises: Premises, name: str = "Nora Noj") -> tuple[str, Person]:
    """A request that waits at P10.03 for the technician."""
    person = premises.person(name)
    case = premises.request(person)
    premises.requests.assign(premises.actors["secretaria"], case, technician="account-tecnico")
    return case, person


@pytest.fixture
def online(premises: Premises) -> Premises:
    """The same premises with their terminal online."""
    with premises.store.begin() as tx:
        tx.health.add(DeviceHealth(id="lobby", online=True))
        tx.commit()
    return premises


def test_the_card_is_chosen_from_stock_for_this_person(premises: Premises) -> None:
    case, person = assigned(premises)
    tecnico = premises.actors["tecnico"]
    premises.stock.add(tecnico, em(7))
    card = premises.enrolment.choose_card(tecnico, case, em(7))
    assert (card.state, card.holder, card.case) == (CardState.ENROLLED, person.id, case)


def test_choosing_the_same_card_again_changes_nothing(premises: Premises) -> None:
    case, _ = assigned(premises)
    tecnico = premises.actors["tecnico"]
    premises.stock.add(tecnico, em(7))
    card = premises.enrolment.choose_card(tecnico, case, em(7))
    before, size = contents(premises.store), recorded(premises.store)
    assert premises.enrolment.choose_card(tecnico, case, em(7)) == card
    assert contents(premises.store) == before
    assert recorded(premises.store) == size


def test_another_card_puts_the_first_one_back(premises: Premises) -> None:
    case, _ = assigned(premises)
    tecnico = premises.actors["tecnico"]
    for number in (7, 8):
        premises.stock.add(tecnico, em(number))
        premises.enrolment.choose_card(tecnico, case, em(number))
    states = {card.number.payload & 0xFF: card.state for card in premises.stock.find()}
    assert states == {7: CardState.IN_STOCK, 8: CardState.ENROLLED}
    premises.enrolment.put_back_card(tecnico, case)
    assert {card.state for card in premises.stock.find()} == {CardState.IN_STOCK}
    with refused(premises, tecnico, Reason.CARD_NOT_IN_STOCK, "P10.03", case=case):
        premises.enrolment.put_back_card(tecnico, case)


@pytest.mark.parametrize(
    ("number", "reason", "norm"),
    [
        pytest.param(em(999), Reason.CARD_NOT_IN_STOCK, "P10.03", id="unknown"),
        pytest.param(em(0x0184F07A), Reason.CARD_ALREADY_LIVE, "N10.3", id="of another person"),
        pytest.param(
            CardNumber.from_payload(CardFormat.H10302, 2**32), Reason.CARD_TOO_LONG_FOR_DEVICE, "P10.03", id="33 bits"
        ),
        pytest.param(
            CardNumber.from_bytes(CardFormat.CSN7, bytes(range(7))),
            Reason.CARD_TOO_LONG_FOR_DEVICE,
            "P10.03",
            id="56 bits",
        ),
        pytest.param(em(0), Reason.CARD_NUMBER_INVALID, "P10.03", id="zero"),
        pytest.param(
            CardNumber.from_payload(CardFormat.W34CSN, 0x0184F07A), Reason.CARD_ALREADY_LIVE, "N10.3", id="look-alike"
        ),
    ],
)
def test_a_card_that_is_not_free_stock_is_refused(
    premises: Premises, number: CardNumber, reason: Reason, norm: str
) -> None:
    premises.delivered("Otra Persona")  # holds 0184F07A
    case, _ = assigned(premises)
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, reason, norm, case=case):
        premises.enrolment.choose_card(tecnico, case, number)


def test_a_card_that_waits_in_another_case_is_refused(premises: Premises) -> None:
    tecnico = premises.actors["tecnico"]
    first, _ = assigned(premises, "Primera")
    second, _ = assigned(premises, "Segunda")
    premises.stock.add(tecnico, em(7))
    premises.enrolment.choose_card(tecnico, first, em(7))
    with refused(premises, tecnico, Reason.CARD_ALREADY_LIVE, "N10.3", case=second):
        premises.enrolment.choose_card(tecnico, second, em(7))


@pytest.mark.parametrize("event", [CardEvent.REPORT_LOST, CardEvent.REPORT_STOLEN])
def test_a_lost_or_stolen_number_never_comes_back(premises: Premises, event: CardEvent) -> None:
    tecnico = premises.actors["tecnico"]
    card = premises.stock.add(tecnico, em(7))
    premises.stock.happen(tecnico, card.id, event, why="No aparece", act=ACT)
    case, _ = assigned(premises)
    with refused(premises, tecnico, Reason.CARD_NEVER_AGAIN, "N10.4", case=case):
        premises.enrolment.choose_card(tecnico, case, em(7))


def test_a_card_that_was_lost_after_it_was_chosen_goes_no_further(premises: Premises) -> None:
    case, _ = assigned(premises)
    tecnico = premises.actors["tecnico"]
    card = premises.stock.add(tecnico, em(7))
    premises.enrolment.choose_card(tecnico, case, em(7))
    premises.enrolment.choose_access(tecnico, case, doors=("sub-1",), schedule="office")
    premises.enrolment.waive_finger(tecnico, case, why="Huellas gastadas")
    premises.stock.happen(tecnico, card.id, CardEvent.REPORT_LOST, why="Se cayó", act=ACT)
    with refused(premises, tecnico, Reason.CARD_NOT_IN_STOCK, "P10.03", case=case):
        premises.enrolment.complete(tecnico, case)
    with refused(premises, tecnico, Reason.CARD_NOT_IN_STOCK, "P10.03", case=case):
        premises.enrolment.put_back_card(tecnico, case)
    premises.stock.add(tecnico, em(8))
    premises.enrolment.choose_card(tecnico, case, em(8))
    premises.enrolment.complete(tecnico, case)


@pytest.mark.parametrize(
    ("doors", "schedule", "reason", "norm"),
    [
        ((), "office", Reason.FORM_INCOMPLETE, "P10.03"),
        (("cd-1",), "office", Reason.BEYOND_AUTHORISATION, "N10.3"),
        (("sub-1", "cd-1"), "office", Reason.BEYOND_AUTHORISATION, "N10.3"),
        (("\x00\ud800" * 500,), "office", Reason.BEYOND_AUTHORISATION, "N10.3"),
        (("sub-1",), "no-such", Reason.NOT_FOUND, ""),
        (("sub-1",), "x';DROP TABLE schedules", Reason.NOT_FOUND, ""),
    ],
)
def test_doors_and_schedule_stay_within_what_was_authorised(
    premises: Premises, doors: tuple[str, ...], schedule: str, reason: Reason, norm: str
) -> None:
    person = premises.person("Nora")
    case = premises.request(person, doors=("sub-1",))
    premises.requests.assign(premises.actors["secretaria"], case, technician="account-tecnico")
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, reason, norm, case=case):
        premises.enrolment.choose_access(tecnico, case, doors=doors, schedule=schedule)


def test_what_was_chosen_before_is_replaced(premises: Premises) -> None:
    case, _ = assigned(premises)
    tecnico = premises.actors["tecnico"]
    premises.enrolment.choose_access(tecnico, case, doors=("sub-1", "cd-1"), schedule="always")
    premises.enrolment.choose_access(tecnico, case, doors=("sub-1",), schedule="office")
    with premises.store.view() as tx:
        chosen = tx.grants.find(case=case, state=GrantState.CHOSEN)
    assert [(grant.door, grant.schedule) for grant in chosen] == [("sub-1", "office")]


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "jefe", "auditor", "guardia"])
def test_nobody_else_configures(premises: Premises, who: str) -> None:
    case, _ = assigned(premises)
    actor, desk = premises.actors[who], premises.enrolment
    for act in (
        lambda: desk.choose_card(actor, case, em(7)),
        lambda: desk.choose_access(actor, case, doors=("sub-1",), schedule="office"),
        lambda: desk.ask_finger(actor, case, device="lobby", finger=1),
        lambda: desk.waive_finger(actor, case, why="no"),
        lambda: desk.complete(actor, case),
    ):
        with refused(premises, actor, Reason.WRONG_ROLE, "P10.03", case=case):
            act()


def test_the_technician_it_was_assigned_to_and_no_other(premises: Premises) -> None:
    case, _ = assigned(premises)
    other = hire(premises, "Otro", Role.TECNICO_INFRA)
    with refused(premises, other, Reason.NOT_ASSIGNED_TO_YOU, "P10.03", case=case):
        premises.enrolment.choose_card(other, case, em(7))


def test_an_expired_request_is_not_configured(premises: Premises) -> None:
    case, _ = assigned(premises)
    tecnico = premises.actors["tecnico"]
    premises.stock.add(tecnico, em(7))
    premises.now += timedelta(days=31)
    with refused(premises, tecnico, Reason.REQUEST_EXPIRED, "N10.3", case=case):
        premises.enrolment.choose_card(tecnico, case, em(7))


def test_the_step_is_not_done_before_card_access_and_finger_are_there(premises: Premises) -> None:
    case, _ = assigned(premises)
    tecnico, desk = premises.actors["tecnico"], premises.enrolment
    premises.stock.add(tecnico, em(7))
    with refused(premises, tecnico, Reason.CARD_NOT_IN_STOCK, "P10.03", case=case):
        desk.complete(tecnico, case)
    desk.choose_card(tecnico, case, em(7))
    with refused(premises, tecnico, Reason.FORM_INCOMPLETE, "P10.03", case=case):
        desk.complete(tecnico, case)
    desk.choose_access(tecnico, case, doors=("sub-1",), schedule="office")
    with refused(premises, tecnico, Reason.TEMPLATE_QUALITY, "P10.03", case=case):
        desk.complete(tecnico, case)
    with refused(premises, tecnico, Reason.TEXT_INVALID, "", case=case):
        desk.waive_finger(tecnico, case, why=" ")
    desk.waive_finger(tecnico, case, why="Lesión")
    desk.complete(tecnico, case)
    with premises.store.view() as tx:
        assert tx.cases.get(case).step == 4
        assert tx.cards.find()[0].state is CardState.ENROLLED  # nothing opens yet


def test_a_finger_is_asked_for_at_a_terminal_that_is_there_and_free(online: Premises) -> None:
    case, person = assigned(online)
    tecnico, desk = online.actors["tecnico"], online.enrolment
    for device, finger, reason, norm in (
        ("no-such", 1, Reason.NOT_FOUND, ""),
        ("x';DROP", 1, Reason.NOT_FOUND, ""),
        ("lobby", 10, Reason.FORM_INCOMPLETE, "P10.03"),
        ("lobby", -1, Reason.FORM_INCOMPLETE, "P10.03"),
    ):
        with refused(online, tecnico, reason, norm, case=case):
            desk.ask_finger(tecnico, case, device=device, finger=finger)
    command = desk.ask_finger(tecnico, case, device="lobby", finger=2)
    assert (command.person, command.finger, command.state) == (person.id, 2, CommandState.WAITING)
    with refused(online, tecnico, Reason.CAPTURE_BUSY, "P10.03", case=case):
        desk.ask_finger(tecnico, case, device="lobby", finger=3)
    online.now += timedelta(seconds=90)
    desk.ask_finger(tecnico, case, device="lobby", finger=3)


def test_a_terminal_that_is_off_enrols_nobody(premises: Premises) -> None:
    case, _ = assigned(premises)
    tecnico = premises.actors["tecnico"]
    with refused(premises, tecnico, Reason.DEVICE_UNAVAILABLE, "P10.03", case=case):
        premises.enrolment.ask_finger(tecnico, case, device="lobby", finger=2)


def test_only_whoever_asked_sees_how_an_enrolment_goes(online: Premises) -> None:
    case, _ = assigned(online)
    tecnico = online.actors["tecnico"]
    command = online.enrolment.ask_finger(tecnico, case, device="lobby", finger=2)
    assert online.enrolment.command(tecnico, command.id) == command
    other = hire(online, "Otro", Role.TECNICO_INFRA)
    with pytest.raises(Exception, match="not_found"):
        online.enrolment.command(other, command.id)


TEMPLATE = TerminalTemplate(user_id="1007", finger=2, data=b"a finger's template, never stored as it is")


def test_a_template_is_sealed_and_becomes_evidence_and_replaces_the_one_before(online: Premises) -> None:
    case, person = assigned(online)
    tecnico = online.actors["tecnico"]
    for _ in range(2):
        command = online.enrolment.ask_finger(tecnico, case, device="lobby", finger=2)
        online.enrolment.finger_enrolled(command.id, TEMPLATE)
    with online.store.view() as tx:
        [row] = tx.templates.find(person=person.id)
        assert "biometrics" in tx.cases.get(case).evidence
        assert tx.commands.get(command.id).state is CommandState.DONE
    assert TEMPLATE.data not in row.ciphertext
    written = [file.read_bytes() for file in Path(str(online.store.engine.url.database)).parent.iterdir()]
    assert any(row.ciphertext in content for content in written)
    assert not any(TEMPLATE.data in content for content in written)


@pytest.mark.parametrize("how", ["cancelled", "removed", "twice"])
def test_a_template_that_nobody_waits_for_any_more_is_not_kept(online: Premises, how: str) -> None:
    case, person = assigned(online)
    tecnico = online.actors["tecnico"]
    command = online.enrolment.ask_finger(tecnico, case, device="lobby", finger=2)
    if how == "cancelled":
        online.requests.cancel(online.actors["secretaria"], case, why="Se arrepintió")
    elif how == "removed":
        head = online.actors["jefe"]
        RemovalDesk(online.office).request(head, person=person.id, requested_by=head.person, reason="Renuncia")
    else:
        online.enrolment.finger_enrolled(command.id, TEMPLATE)
        with online.store.begin() as tx:
            tx.templates.delete(tx.templates.find()[0].id)
            tx.record(Fact.FINGER_ERASED, at=online.now, actor=tecnico)
            tx.commit()
    size = recorded(online.store)
    assert online.enrolment.finger_enrolled(command.id, TEMPLATE) is None
    assert facts_since(online.store, size) == [Fact.FINGER_REFUSED.value]
    with online.store.view() as tx:
        assert tx.templates.count() == 0
        state = tx.commands.get(command.id).state
    assert state is (CommandState.DONE if how == "twice" else CommandState.FAILED)


def test_retired_terminals_enrol_nobody(online: Premises) -> None:
    with online.store.begin() as tx:
        tx.devices.save(replace(tx.devices.get("lobby"), retired=True))
        tx.record(Fact.SITE_APPLIED, at=online.now, actor=online.actors["tecnico"])
        tx.commit()
    case, _ = assigned(online)
    tecnico = online.actors["tecnico"]
    with refused(online, tecnico, Reason.NOT_FOUND, "P10.03", case=case):
        online.enrolment.ask_finger(tecnico, case, device="lobby", finger=2)
