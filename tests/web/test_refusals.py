"""A refusal that a person gets is on the record once, also where the page refused before a desk was asked."""

import pytest

from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.domain.schedules import GUATEMALA
from accessctl.services.store import EventFilter, EventRow
from tests.web.house import CARD, House, post


def refusals(house: House) -> list[EventRow]:
    with house.store.view() as tx:
        return tx.events.rows(EventFilter(events=(Fact.CASE_STEP_REFUSED.value,)))


def test_two_numbers_that_disagree_are_on_the_record_with_their_case(house: House) -> None:
    case = house.case(step=3)
    client = house.client(Role.TECNICO_INFRA)
    answer = post(client, f"/solicitudes/{case}/tarjeta", typed="0025489530", cross_check="022,07639")
    assert answer.status_code == 409
    [row] = refusals(house)
    assert (row.reason, row.norm, row.case) == (Reason.CARD_NUMBERS_DISAGREE.value, "P10.03", case)
    assert row.actor == house.accounts[Role.TECNICO_INFRA]


def test_what_a_desk_recorded_is_not_recorded_again(house: House) -> None:
    house.stock(CARD)
    [card] = house.desks.stock.find()
    client = house.client(Role.TECNICO_INFRA)
    for fields, reason in (
        ({"event": "report_lost", "why": "Bus"}, Reason.FORM_INCOMPLETE),  # refused by the desk, inside its transaction
        ({"event": "fly", "why": "Bus"}, Reason.FORM_INCOMPLETE),  # refused by the page
    ):
        before = len(refusals(house))
        assert post(client, f"/tarjetas/{card.id}", **fields).status_code == 409
        assert [row.reason for row in refusals(house)[before:]] == [reason.value]


def test_a_page_that_is_not_for_one_s_role_is_on_the_record(house: House) -> None:
    client = house.client(Role.RECEPCION)
    assert client.get("/cuentas/").status_code == 403
    [row] = refusals(house)
    assert (row.reason, row.actor) == (Reason.WRONG_ROLE.value, house.accounts[Role.RECEPCION])


@pytest.mark.parametrize("path", ["/solicitudes/nada", "/tarjetas/nada", "/nada"])
def test_an_address_that_leads_nowhere_is_no_act(house: House, path: str) -> None:
    assert house.client(Role.TECNICO_INFRA).get(path).status_code == 404
    assert refusals(house) == []


def test_wrong_and_throttled_sign_ins_fill_no_refusals_of_steps(house: House) -> None:
    client = house.app.test_client()
    statuses = {post(client, "/entrar", username="jefe", password="no es esta").status_code for _ in range(7)}
    assert statuses == {401, 429}
    assert refusals(house) == []


def test_a_request_without_a_first_day_begins_with_this_day(house: House) -> None:
    client = house.client(Role.RECEPCION)
    answer = post(
        client,
        "/solicitudes/nueva",
        beneficiary=house.user.id,
        authority=house.people[Role.JEFE].id,
        justification="Nuevo ingreso",
        doors="sub-1",
        schedule="office",
    )
    assert answer.status_code == 303, answer.text
    with house.store.view() as tx:
        [request] = tx.requests.find()
    begins = request.valid_from.astimezone(GUATEMALA)
    assert (begins.hour, begins.minute, begins.date()) == (0, 0, house.clock().astimezone(GUATEMALA).date())
