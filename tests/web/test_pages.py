"""Every page opens for whoever may see it, whatever the state of what it shows."""

import re
from dataclasses import replace

import pytest

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.cards import CardEvent
from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.services.alarm_desk import Subject, raise_alarm, settle
from tests.web.house import CAST, House, post


def test_every_entry_of_the_bar_opens_for_whoever_has_it(house: House) -> None:
    house.case(step=6)
    with house.store.begin() as tx:
        raise_alarm(tx, house.office, AlarmKind.DEVICE_OFFLINE, Subject(key="fondo", device="fondo"), at=house.clock())
        tx.commit()
    for role in CAST:
        client = house.client(role)
        links = re.findall(r'<li><a href="([^"]+)"', client.get("/").text)
        assert links[0] == "/"
        for link in links:
            page = client.get(link)
            assert page.status_code == 200, (role, link)


@pytest.mark.parametrize("step", range(2, 8))
def test_a_request_shows_at_every_step_to_everybody_concerned(house: House, step: int) -> None:
    case = house.case(step=step)
    for role in (Role.RECEPCION, Role.SECRETARIA_INFRA, Role.TECNICO_INFRA, Role.JEFE, Role.AUDITOR):
        page = house.client(role).get(f"/solicitudes/{case}")
        assert page.status_code == 200, (role, page.text)
        assert "José Fernando Ñáñez" in page.text
        assert page.text.count('<li class="done"') == 2 * (step - 1)  # in the rail and in the list


def test_an_act_is_offered_only_to_whoever_it_belongs_to(house: House) -> None:
    buttons = {
        2: (Role.SECRETARIA_INFRA, "/asignar"),
        3: (Role.TECNICO_INFRA, "/preparada"),
        4: (Role.TECNICO_INFRA, "/firma"),
        5: (Role.TECNICO_INFRA, "/entregar"),
        6: (Role.SECRETARIA_INFRA, "/informar"),
    }
    for step, (owner, action) in buttons.items():
        person = house.person("Nueva Persona", number=50_000_000 + step)
        case = house.case(step=step, user=person, card=f"0F0184F{step}00")
        for role in (Role.RECEPCION, Role.SECRETARIA_INFRA, Role.TECNICO_INFRA, Role.JEFE, Role.AUDITOR):
            offered = f"/solicitudes/{case}{action}" in house.client(role).get(f"/solicitudes/{case}").text
            assert offered == (role is owner), (step, role)


def test_the_page_of_a_request_that_lapsed_or_was_cancelled_says_so(house: House) -> None:
    case = house.case(step=3)
    house.clock.forward(days=31)
    page = house.client(Role.TECNICO_INFRA).get(f"/solicitudes/{case}").text
    assert "venció sin ejecutarse" in page
    assert "/preparada" not in page
    answer = post(house.client(Role.SECRETARIA_INFRA), f"/solicitudes/{case}/anular", why="Ya no hace falta")
    assert answer.status_code == 303
    page = house.client(Role.TECNICO_INFRA).get(f"/solicitudes/{case}").text
    assert "Ya no hace falta" in page


def test_the_file_of_a_person_and_of_a_card_show_what_is_held(house: House) -> None:
    house.case(step=7)
    auditor = house.client(Role.AUDITOR)
    page = auditor.get(f"/personas/{house.user.id}").text
    assert "Subgerencia, puerta principal" in page
    assert "0025489530" in page
    (card,) = house.desks.stock.find()
    for form in card.number.printed().values():
        assert form in auditor.get(f"/tarjetas/{card.id}").text


def test_cards_that_are_owed_stand_under_the_department_until_they_are_handed_in(house: House) -> None:
    house.case(step=7)
    head = house.people[Role.JEFE]
    house.desks.removals.request(house.actor(Role.JEFE), person=house.user.id, requested_by=head.id, reason="Traslado")
    technician = house.client(Role.TECNICO_INFRA)
    page = technician.get("/tarjetas/pendientes").text
    assert "Desarrollo y Gestión de Sistemas" in page
    assert "José Fernando Ñáñez" in page
    (card,) = house.desks.stock.outstanding()
    answer = post(technician, f"/tarjetas/{card.id}", event=CardEvent.TAKE_BACK.value, why="Entregada en ventanilla")
    assert answer.status_code == 303
    assert "Ninguna tarjeta está pendiente" in technician.get("/tarjetas/pendientes").text


def test_a_lost_card_needs_its_act(house: House) -> None:
    house.case(step=7)
    (card,) = house.desks.stock.find()
    technician = house.client(Role.TECNICO_INFRA)
    answer = post(technician, f"/tarjetas/{card.id}", event="report_lost", why="En el bus")
    assert answer.status_code == 409
    assert "Falta un dato: acta." in answer.text
    assert "En el bus" in answer.text
    assert "N10.4" in answer.text


def test_the_removal_page_follows_the_devices_to_the_last_one(house: House) -> None:
    house.case(step=7)
    head = house.client(Role.JEFE)
    fields = {"person": house.user.id, "requested_by": house.people[Role.JEFE].id, "reason": "Renuncia"}
    where = post(head, "/bajas/nueva", **fields).headers["Location"]
    page = head.get(where).text
    assert "Alcanzó 0 de 1 puertas" in page
    assert "every 1s" in page
    house.clock.forward(seconds=75)
    part = head.get(f"{where}/avance").text
    assert "1 min 15 s" in part
    house.desks.removals.confirm("lobby", frozenset({house.user.id}))
    part = head.get(f"{where}/avance").text
    assert "Alcanzó 1 de 1 puertas" in part
    assert "every 1s" not in part


def alarmed(house: House, kind: AlarmKind, detail: str = "", *, door: str = "") -> str:
    with house.store.begin() as tx:
        about = Subject(key=door or "lobby", device="lobby", door=door, detail=detail)
        alarm = raise_alarm(tx, house.office, kind, about, at=house.clock())
        tx.commit()
    return alarm.id


def test_an_alarm_goes_from_hand_to_hand_as_procedure_3_says(house: House) -> None:
    alarm = alarmed(house, AlarmKind.DEVICE_OFFLINE, "silent")
    head, telecom = house.client(Role.JEFE), house.client(Role.TECNICO_TELECOM)
    infra = house.client(Role.TECNICO_INFRA)
    page = head.get(f"/alarmas/{alarm}").text
    assert "Departamento de Telecomunicaciones, Conectividad y Seguridad" in page
    assert "dejó de llamar" in page
    assert "Wilson Chex Morales</option>" in page
    assert "Byron Estuardo Tzul</option>" not in page
    wrong = post(head, f"/alarmas/{alarm}/asignar", technician=house.accounts[Role.TECNICO_INFRA])
    assert wrong.status_code == 403
    assert "Técnico de Telecomunicaciones" in wrong.text
    assert post(head, f"/alarmas/{alarm}/asignar", technician=house.accounts[Role.TECNICO_TELECOM]).status_code == 303
    assert "/atender" not in infra.get(f"/alarmas/{alarm}").text
    assert post(infra, f"/alarmas/{alarm}/atender", comment="Voy yo").status_code == 403
    assert "Equipo sin comunicación" in telecom.get("/alarmas/?ver=mias").text
    assert post(telecom, f"/alarmas/{alarm}/atender", comment="Voy a ver").status_code == 303
    assert post(telecom, f"/alarmas/{alarm}/resolver", cause="Cable suelto").status_code == 303
    own = post(telecom, f"/alarmas/{alarm}/verificar")
    assert own.status_code == 403
    assert "«quien atiende» y «quien verifica»" in own.text
    assert post(infra, f"/alarmas/{alarm}/reabrir", comment="Sigue sin responder").status_code == 303
    assert "Asignarla" in head.get(f"/alarmas/{alarm}").text
    assert post(head, f"/alarmas/{alarm}/asignar", technician=house.accounts[Role.TECNICO_TELECOM]).status_code == 303
    assert post(telecom, f"/alarmas/{alarm}/atender", comment="De nuevo").status_code == 303
    assert post(telecom, f"/alarmas/{alarm}/resolver", cause="Cable cambiado").status_code == 303
    assert post(head, f"/alarmas/{alarm}/verificar").status_code == 303
    assert "No hay alarmas abiertas" in head.get("/alarmas/").text
    assert alarm in head.get("/alarmas/?ver=todas").text
    history = infra.get(f"/alarmas/{alarm}").text
    for said in ("Voy a ver", "Cable suelto", "Sigue sin responder", "Cable cambiado", "P3.04", "el sistema"):
        assert said in history, said


def test_what_the_service_says_of_an_alarm_is_said_in_words(house: House) -> None:
    alarm = alarmed(house, AlarmKind.DOOR_HELD_OPEN, "rtstate", door="cd-1")
    with house.store.begin() as tx:
        settle(tx, AlarmKind.DOOR_HELD_OPEN, "cd-1", cause="closed", at=house.clock())
        tx.commit()
    guard = house.client(Role.GUARDIA)
    page = guard.get(f"/alarmas/{alarm}").text
    assert "según el estado que envía el controlador" in page
    assert "la puerta se cerró" in page
    assert "rtstate" not in page
    assert ">closed<" not in page


def test_an_alarm_that_nobody_takes_in_time_is_flagged(house: House) -> None:
    alarm = alarmed(house, AlarmKind.DOOR_FORCED, door="cd-1")
    guard = house.client(Role.GUARDIA)
    assert "nadie la atiende a tiempo" not in guard.get("/alarmas/").text
    house.clock.forward(minutes=5)
    assert "nadie la atiende a tiempo" in guard.get("/alarmas/").text
    assert "nadie la atiende a tiempo" in guard.get("/").text
    assert "desde hace demasiado tiempo" in guard.get(f"/alarmas/{alarm}").text
    assert post(guard, f"/alarmas/{alarm}/atender", comment="Estoy aquí").status_code == 303
    assert "nadie la atiende a tiempo" not in guard.get("/alarmas/").text


def test_a_door_is_opened_from_the_panel_only_while_its_terminal_answers(house: House) -> None:
    technician = house.client(Role.TECNICO_INFRA)
    assert post(technician, "/puertas/sub-1/abrir").status_code == 303
    refused = post(technician, "/puertas/sub-2/abrir")
    assert refused.status_code == 503
    assert "no responde" in refused.text
    assert post(house.client(Role.GUARDIA), "/puertas/sub-1/abrir").status_code == 403


def test_events_are_shown_with_their_reason_and_norm(house: House) -> None:
    house.happens(Fact.DOOR_REFUSED, reason="not_delivered", norm="P10.05", person=house.user.id)
    page = house.client(Role.GUARDIA).get("/eventos").text
    assert "Ingreso denegado" in page
    assert "no abre antes del paso 05" in page
    assert "P10.05" in page


def test_papers_come_as_pdf(house: House) -> None:
    case = house.case(step=7)
    secretary = house.client(Role.SECRETARIA_INFRA)
    for path in (f"/solicitudes/{case}/constancia.pdf", f"/solicitudes/{case}/oficio.pdf", "/tarjetas/pendientes.pdf"):
        paper = secretary.get(path)
        assert paper.status_code == 200, paper.text
        assert paper.mimetype == "application/pdf"
        assert paper.data.startswith(b"%PDF-")
    register = house.client(Role.GUARDIA).get("/eventos/registro.pdf?dia=2026-11-24")
    assert register.data.startswith(b"%PDF-")


def test_an_account_is_made_and_ended_in_the_panel(house: House) -> None:
    admin = house.client(Role.ADMIN)
    fields = {"username": "nueva", "password": "otra frase bien larga", "person": house.user.id, "reference": "P1-77"}
    assert post(admin, "/cuentas/", **fields, roles=["guardia"]).status_code == 303
    weak = post(admin, "/cuentas/", **{**fields, "username": "otra", "password": "corta"}, roles=["guardia"])
    assert weak.status_code == 409
    assert "La contraseña es débil" in weak.text
    assert "corta" not in weak.text.replace("más corta", "")
    guest = house.app.test_client()
    assert post(guest, "/entrar", username="nueva", password="otra frase bien larga").status_code == 303
    assert guest.get("/puertas").status_code == 200
    assert post(admin, "/cuentas/nueva/deshabilitar", reason="Se fue").status_code == 303
    assert guest.get("/puertas").status_code == 303


def test_the_clock_on_screen_is_the_one_of_guatemala(house: House) -> None:
    case = house.case(step=2)
    page = house.client(Role.RECEPCION).get(f"/solicitudes/{case}").text
    assert 'datetime="2026-11-24T14:00:00+00:00">24/11/2026 08:00<' in page


def test_the_language_can_be_changed_and_stays(house: House) -> None:
    client = house.client(Role.RECEPCION)
    assert '<html lang="es">' in client.get("/").text
    answer = post(client, "/idioma", language="en", back="/solicitudes/")
    assert answer.headers["Location"] == "/solicitudes/"
    page = client.get("/").text
    assert '<html lang="en">' in page
    assert "What awaits me" in page
    post(client, "/salir")
    assert '<html lang="en">' in client.get("/entrar").text
    outward = post(client, "/idioma", language="xx", back="https://ejemplo.gt/")
    assert outward.headers["Location"] == "/"


def test_the_settings_refuse_a_short_key_and_an_unknown_language(house: House) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        replace(house.settings, secret_key=b"short")
    with pytest.raises(ValueError, match="speak"):
        replace(house.settings, language="fr")
