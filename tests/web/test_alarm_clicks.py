"""Procedure 3 in a real browser: a head assigns, the technician takes and resolves, another checks, on a tablet too."""

import pytest
from playwright.sync_api import Page, expect

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.people import Role
from accessctl.services.alarm_desk import Subject, raise_alarm
from tests.browser import PATIENCE_MS
from tests.web.clicking import enter
from tests.web.house import House

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def offline(house: House) -> str:
    with house.store.begin() as tx:
        about = Subject(key="fondo", device="fondo", detail="silent")
        alarm = raise_alarm(tx, house.office, AlarmKind.DEVICE_OFFLINE, about, at=house.clock())
        tx.commit()
    return alarm.id


def test_an_alarm_is_clicked_through_by_its_people(page: Page, house: House, address: str) -> None:
    alarm = offline(house)
    house.clock.forward(minutes=31)

    # P3.04: the head sees that it waits too long, and assigns it
    enter(page, address, Role.JEFE)
    page.get_by_role("link", name="Equipo sin comunicación").click()
    expect(page.get_by_text("Nadie la atiende desde hace demasiado tiempo")).to_be_visible()
    page.get_by_label("Técnico de Telecomunicaciones").select_option(label="Wilson Chex Morales")
    page.get_by_role("button", name="Asignar").click()
    expect(page.get_by_text("Alarma asignada.")).to_be_visible()

    # P3.05: whoever it was assigned to finds it among theirs
    enter(page, address, Role.TECNICO_TELECOM)
    page.goto(f"{address}/alarmas/")
    page.get_by_role("link", name="Mías").click()
    page.get_by_role("link", name="Equipo sin comunicación").click()
    page.get_by_label("Comentario").fill("Voy a ver el cable")
    page.get_by_role("button", name="Atender").click()
    page.get_by_label("Causa y solución").fill("Cable suelto; se fijó")
    page.get_by_role("button", name="Resuelta").click()
    expect(page.get_by_text("La comprueba otra persona: quien la atendió no.")).to_be_visible()

    # P3.07: not solved, back to assignment; taken by whoever is there, and solved
    enter(page, address, Role.TECNICO_INFRA)
    page.goto(f"{address}/alarmas/{alarm}")
    page.get_by_label("Comentario").fill("Sigue sin responder")
    page.get_by_role("button", name="No: vuelve a asignarse").click()
    page.get_by_label("Comentario").fill("Estoy en el sitio")
    page.get_by_role("button", name="Atender").click()
    page.get_by_label("Causa y solución").fill("Fuente cambiada")
    page.get_by_role("button", name="Resuelta").click()
    enter(page, address, Role.JEFE)
    page.goto(f"{address}/alarmas/{alarm}")
    page.get_by_role("button", name="Sí: comprobada, cerrar").click()
    expect(page.get_by_text("Nada: está comprobada y cerrada.")).to_be_visible()
    history = page.get_by_label("Lo que pasó con ella")
    for said in ("dejó de llamar", "a Wilson Chex Morales", "Cable suelto; se fijó", "Sigue sin responder"):
        expect(history).to_contain_text(said)


@pytest.mark.parametrize("width", [820, 1180, 1366])
def test_an_alarm_is_no_wider_than_its_screen_and_every_field_has_its_label(
    page: Page, house: House, address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 820})
    alarm = offline(house)
    enter(page, address, Role.JEFE)
    for path in ("/alarmas/", "/alarmas/?ver=todas", f"/alarmas/{alarm}"):
        page.goto(f"{address}{path}")
        inner = page.evaluate(
            """[document.documentElement, ...document.querySelectorAll(".sheet")]
               .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 80))"""
        )
        assert inner == [], path
        nameless = page.evaluate(
            """[...document.querySelectorAll("input:not([type=hidden]), select")]
               .filter(one => !(one.labels && one.labels.length) && !one.getAttribute("aria-label"))
               .map(one => one.outerHTML)"""
        )
        assert nameless == [], path
