"""Procedure 10 through the pages, without a browser: every act as its person, and what each is refused."""

import io
import re

from flask.testing import FlaskClient

from accessctl.domain.people import Role
from accessctl.ports import CardPresented, TerminalTemplate
from tests.web.house import CARD, House, dpi, post

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF"


def form_of(house: House, **other: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "beneficiary": house.user.id,
        "requester": "",
        "authority": house.people[Role.JEFE].id,
        "justification": "Nuevo ingreso al equipo",
        "doors": ["sub-1", "sub-2"],
        "schedule": "office",
        "valid_from": "2026-11-24",
        "valid_until": "2027-01-31",
    }
    return fields | other


def follow(client: FlaskClient, path: str, **fields: object) -> str:
    answer = post(client, path, **fields)
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["Location"]).text


def test_from_the_request_to_a_card_that_opens(house: House) -> None:
    reception, head = house.client(Role.RECEPCION), house.client(Role.JEFE)
    secretary, technician = house.client(Role.SECRETARIA_INFRA), house.client(Role.TECNICO_INFRA)
    house.stock()

    made = post(reception, "/solicitudes/nueva", **form_of(house))
    assert made.status_code == 303
    case = made.headers["Location"]
    assert case in head.get("/").text
    assert "Solicitud autorizada." in follow(head, f"{case}/autorizar")
    technician_id = house.accounts[Role.TECNICO_INFRA]
    assert "Solicitud asignada." in follow(secretary, f"{case}/asignar", technician=technician_id)
    assert case in technician.get("/").text

    page = follow(technician, f"{case}/lectura", reader="escritorio")
    turn = re.search(r"/lecturas/([0-9a-f]+)", page)
    assert turn is not None
    assert "every 500ms" in technician.get(f"/lecturas/{turn.group(1)}").text
    house.desks.captures.card_presented("escritorio", CardPresented(technology="em4100", raw=bytes.fromhex(CARD)))
    part = technician.get(f"/lecturas/{turn.group(1)}").text
    for print_ in ("0025489530", "08712314", "132,61562", CARD):
        assert print_ in part
    assert "every" not in part
    assert "Tarjeta elegida." in follow(technician, f"{case}/tarjeta", capture=turn.group(1))
    page = follow(technician, f"{case}/acceso", doors=["sub-1"], schedule="office")
    assert "Puertas y horario elegidos." in page

    page = follow(technician, f"{case}/huella", device="lobby", finger="6")
    command = re.search(r"/huellas/([0-9a-f]+)", page)
    assert command is not None
    assert "every 700ms" in technician.get(f"/huellas/{command.group(1)}").text
    template = TerminalTemplate(user_id=str(house.user.number), finger=6, data=b"a finger as a terminal gives it")
    house.desks.enrolment.finger_enrolled(command.group(1), template)
    assert "Huella registrada" in technician.get(f"/huellas/{command.group(1)}").text
    assert "Configuración terminada" in follow(technician, f"{case}/preparada")

    strokes = "[[[20,80],[90,40],[160,90]],[[180,60],[260.25,60]]]"
    shown = house.user.document.number
    page = follow(technician, f"{case}/firma", strokes=strokes, width="600", height="220", document_shown=shown)
    assert "Constancia firmada." in page
    assert "<polyline" in page
    assert "la tarjeta abre desde ahora" in follow(technician, f"{case}/entregar")
    page = follow(secretary, f"{case}/informar")
    assert "cerrada" in page
    person = house.desks.people.file(house.user.id)
    assert [card.state.value for card in person.cards] == ["active"]
    assert [(grant.door, grant.state.value) for grant in person.grants] == [("sub-1", "open")]


def test_a_scan_at_registration_authorises(house: House) -> None:
    scan = (io.BytesIO(PDF), "formulario.pdf")
    reception = house.client(Role.RECEPCION)
    page = follow(reception, "/solicitudes/nueva", **form_of(house, form=scan))
    assert "sin autorizar" not in page
    assert "formulario.pdf" in page


def test_a_scan_of_somebody_who_is_no_head_authorises_nothing(house: House) -> None:
    scan = (io.BytesIO(PDF), "formulario.pdf")
    named = house.people[Role.TECNICO_INFRA].id
    answer = post(house.client(Role.RECEPCION), "/solicitudes/nueva", **form_of(house, form=scan, authority=named))
    assert answer.status_code == 403
    for said in ("Quien se nombra no puede autorizar", "N10.3", "NG.3", "P10.01"):
        assert said in answer.text
    assert house.desks.files.find(house.actor(Role.RECEPCION)) == []


def test_a_refused_form_comes_back_with_everything_that_was_typed(house: House) -> None:
    reception = house.client(Role.RECEPCION)
    answer = post(reception, "/solicitudes/nueva", **form_of(house, authority=house.user.id))
    assert answer.status_code == 403
    page = answer.text
    assert "«quien autoriza» y «quien recibe»" in page
    assert "N10.3" in page
    assert "Nuevo ingreso al equipo" in page
    assert 'value="2027-01-31"' in page
    assert re.search(r'value="sub-1" checked', page)
    assert not re.search(r'value="cd-1" checked', page)
    assert house.user.full_name in page
    assert re.search(r'<option value="office" selected>', page)


def test_steps_out_of_order_and_of_others_name_the_step(house: House) -> None:
    case = house.case(step=3)
    technician, secretary = house.client(Role.TECNICO_INFRA), house.client(Role.SECRETARIA_INFRA)
    early = post(technician, f"/solicitudes/{case}/entregar")
    assert early.status_code == 409
    assert "Antes falta P10 paso 03" in early.text
    assert post(secretary, f"/solicitudes/{case}/entregar").status_code == 403
    unfinished = post(technician, f"/solicitudes/{case}/preparada")
    assert unfinished.status_code == 409
    assert "P10.03" in unfinished.text


def test_the_card_is_refused_where_the_numbers_disagree_and_stays_typed(house: House) -> None:
    case = house.case(step=3)
    technician = house.client(Role.TECNICO_INFRA)
    fields = {"typed": "0025489530", "cross_check": "132,61563", "format": "em4100"}
    answer = post(technician, f"/solicitudes/{case}/tarjeta", **fields)
    assert answer.status_code == 409
    assert "no son de la misma tarjeta" in answer.text
    assert 'value="0025489530"' in answer.text
    assert 'value="132,61563"' in answer.text
    unknown = post(technician, f"/solicitudes/{case}/tarjeta", typed="0025489530", format="no-such")
    assert unknown.status_code == 409


def test_nobody_sees_the_turn_of_another(house: House) -> None:
    case = house.case(step=3)
    technician = house.client(Role.TECNICO_INFRA)
    page = follow(technician, f"/solicitudes/{case}/lectura", reader="escritorio")
    turn = re.search(r"/lecturas/([0-9a-f]+)", page)
    assert turn is not None
    assert house.client(Role.AUDITOR).get(f"/lecturas/{turn.group(1)}").status_code == 403
    house.clock.forward(minutes=2)
    assert "terminó sin tarjeta" in technician.get(f"/lecturas/{turn.group(1)}").text


def test_an_enrolment_that_nobody_carried_out_has_failed(house: House) -> None:
    case = house.case(step=3)
    technician = house.client(Role.TECNICO_INFRA)
    page = follow(technician, f"/solicitudes/{case}/huella", device="lobby", finger="6")
    command = re.search(r"/huellas/([0-9a-f]+)", page)
    assert command is not None
    house.clock.forward(minutes=3)
    part = technician.get(f"/huellas/{command.group(1)}").text
    assert "La huella no se registró" in part
    assert "every" not in part
    offline = post(technician, f"/solicitudes/{case}/huella", device="fondo", finger="6")
    assert offline.status_code == 503


def test_a_person_is_registered_from_within_the_form_and_picked(house: House) -> None:
    reception = house.client(Role.RECEPCION)
    fields = {
        "full_name": "Nueva Persona <b>",
        "document_kind": "dpi",
        "document_number": "1234567880101",
        "department": "Sistemas",
        "position": "Analista",
        "email": "",
    }
    refused = post(reception, "/personas/elegir?field=beneficiary", **fields)
    assert "no es válido" in refused.text
    assert 'value="1234567880101"' in refused.text
    picked = post(reception, "/personas/elegir?field=beneficiary", **{**fields, "document_number": dpi(77_000_001)})
    assert 'name="beneficiary"' in picked.text
    assert "Nueva Persona &lt;b&gt;" in picked.text
    found = reception.get("/personas/elegir?field=requester&requester_q=nueva")
    assert 'name="requester"' in found.text
    assert reception.get("/personas/elegir?field=requester&requester_q=n").text.strip() == ""
    assert reception.get("/personas/elegir?field=__class__").status_code == 404
