"""The panel in a real browser: procedure 10 clicked through by its five people, the live page, the look of it.

The server is the panel itself on a socket; what devices do is done through the desks while the page is open. The
fixture `page` fails the test on any script error and any breach of the content security policy.
"""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Role
from accessctl.ports import CardPresented, TerminalTemplate
from tests.browser import PATIENCE_MS
from tests.web.clicking import enter
from tests.web.house import CARD, House, dpi

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)  # a page that asks every five seconds has time to, also on a busy machine


def open_waiting(page: Page, name: str) -> None:
    """Open what waits for me, by the beneficiary's name."""
    page.get_by_role("link", name=name, exact=True).click()


def test_procedure_10_clicked_through_by_its_people(page: Page, house: House, address: str) -> None:
    house.stock()
    document = dpi(77_000_001)

    # P10.01: reception registers the request, for somebody who is not on file yet
    enter(page, address, Role.RECEPCION)
    page.get_by_role("button", name="Registrar solicitud").click()
    page.get_by_text("registrar persona nueva").click()
    page.get_by_label("Nombre completo").fill("Edna Raquel Cúmez")
    page.get_by_label("Número", exact=True).fill(document)
    page.get_by_label("Departamento", exact=True).fill("Desarrollo")
    page.get_by_label("Puesto", exact=True).fill("Analista")
    page.get_by_role("button", name="Registrar y elegir").click()
    expect(page.get_by_text("Registrada y elegida.")).to_be_visible()
    page.get_by_label("Jefatura que autoriza").select_option(label="Ana Lucía Monterroso")
    page.get_by_label("Quién lo solicita").fill("monterroso")
    page.get_by_role("radio").first.check()
    page.get_by_label("Justificación").fill("Nuevo ingreso")
    page.get_by_label("Subgerencia, puerta principal").check()
    page.get_by_label("Subgerencia, puerta posterior").check()
    page.get_by_label("Horario").select_option(label="Horario de oficina")
    page.get_by_role("button", name="Registrar solicitud").click()
    expect(page.get_by_text("Solicitud registrada.")).to_be_visible()
    case = page.url.rsplit("/", 1)[1]

    # N10.3: the head authorises; P10.02: the secretary assigns
    enter(page, address, Role.JEFE)
    open_waiting(page, "Edna Raquel Cúmez")
    page.get_by_role("button", name="Autorizar").click()
    expect(page.get_by_text("Solicitud autorizada.")).to_be_visible()
    enter(page, address, Role.SECRETARIA_INFRA)
    open_waiting(page, "Edna Raquel Cúmez")
    page.get_by_label("Técnico").select_option(label="Byron Estuardo Tzul")
    page.get_by_role("button", name="Asignar").click()
    expect(page.get_by_text("Solicitud asignada.")).to_be_visible()

    # P10.03: the technician holds a card to the reader, and its number appears on the page by itself
    enter(page, address, Role.TECNICO_INFRA)
    open_waiting(page, "Edna Raquel Cúmez")
    page.get_by_role("button", name="Leer tarjeta").click()
    expect(page.get_by_text("Acerque la tarjeta al lector")).to_be_visible()
    house.desks.captures.card_presented("escritorio", CardPresented(technology="em4100", raw=bytes.fromhex(CARD)))
    expect(page.get_by_text("0025489530")).to_be_visible()
    page.get_by_role("button", name="Usar esta tarjeta").first.click()
    expect(page.get_by_text("Tarjeta elegida.")).to_be_visible()
    page.get_by_role("checkbox", name="Subgerencia, puerta posterior").uncheck()
    page.get_by_role("button", name="Elegir", exact=True).click()
    page.get_by_label("Terminal").select_option(label="Subgerencia, puerta principal")
    page.get_by_role("button", name="Registrar huella").click()
    expect(page.get_by_text("Llamando a la terminal…")).to_be_visible()
    command = house.desks.files.file(house.actor(Role.TECNICO_INFRA), case).enrolment
    assert command is not None
    template = TerminalTemplate(user_id="1", finger=command.finger, data=b"a finger as a terminal gives it")
    house.desks.enrolment.finger_enrolled(command.id, template)
    expect(page.get_by_text("Huella registrada: índice derecho")).to_be_visible()
    page.get_by_role("link", name="Continuar").click()
    page.get_by_role("button", name="Terminar la preparación").click()

    # P10.04: the user signs on the screen
    page.get_by_role("button", name="Firmar en pantalla").click()
    page.get_by_label("Número del documento mostrado").fill(document)
    page.get_by_role("button", name="Firmar", exact=True).click()
    expect(page.get_by_text("Falta la firma de la constancia.")).to_be_visible()
    expect(page.get_by_label("Número del documento mostrado")).to_have_value(document)
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 150)
    page.mouse.down()
    for at in range(1, 12):
        page.mouse.move(box["x"] + 60 + at * 25, box["y"] + 150 - (at % 3) * 40, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Firmar", exact=True).click()
    expect(page.get_by_role("img", name="Firma de Edna Raquel Cúmez")).to_be_visible()

    # P10.05 and P10.06
    page.get_by_role("button", name="Registrar la entrega").click()
    expect(page.get_by_text("la tarjeta abre desde ahora")).to_be_visible()
    enter(page, address, Role.SECRETARIA_INFRA)
    open_waiting(page, "Edna Raquel Cúmez")
    page.get_by_role("button", name="Informado: cerrar la solicitud").click()
    expect(page.get_by_text("la solicitud queda cerrada")).to_be_visible()
    grants = house.desks.people.file(house.desks.people.find("Edna")[0].id).grants
    assert [(grant.door, grant.state.value) for grant in grants if grant.state.value != "ended"] == [("sub-1", "open")]


def test_events_appear_without_reloading_and_once(page: Page, house: House, address: str) -> None:
    house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    enter(page, address, Role.GUARDIA)
    page.goto(f"{address}/eventos")
    rows = page.locator("#events tr")
    expect(rows).to_have_count(1)
    house.happens(Fact.DOOR_REFUSED, reason="not_delivered", norm="P10.05", person=house.user.id, n=1)
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("no abre antes del paso 05")
    with page.expect_request(lambda request: "/events/live" in request.url):
        pass  # the stream ended by itself and the browser came back
    house.happens(Fact.DOOR_GRANTED, person=house.user.id, n=2)
    expect(rows).to_have_count(3)
    assert len(set(page.eval_on_selector_all("#events tr", "rows => rows.map(row => row.id)"))) == 3


def test_a_removal_is_followed_on_the_page_to_the_last_door(page: Page, house: House, address: str) -> None:
    house.case(step=7)
    enter(page, address, Role.JEFE)
    page.goto(f"{address}/bajas/nueva?persona={house.user.id}")
    page.get_by_label("Motivo").fill("Traslado")
    page.get_by_role("button", name="Retirar el acceso").click()
    expect(page.get_by_text("Alcanzó 0 de 1 puertas")).to_be_visible()
    house.desks.removals.confirm("lobby", frozenset({house.user.id}))
    expect(page.get_by_text("Alcanzó 1 de 1 puertas")).to_be_visible()
    page.get_by_role("link", name="Tarjetas pendientes").click()
    expect(page.get_by_role("heading", name="Desarrollo y Gestión de Sistemas")).to_be_visible()


def test_a_session_that_ended_leads_live_parts_to_the_sign_in_page(page: Page, house: House, address: str) -> None:
    house.case(step=7)
    enter(page, address, Role.JEFE)
    head = house.people[Role.JEFE].id
    removal = house.desks.removals.request(
        house.actor(Role.JEFE), person=house.user.id, requested_by=head, reason="Traslado"
    )
    page.goto(f"{address}/bajas/{removal}")
    page.context.clear_cookies()
    expect(page).to_have_url(re.compile("/entrar"))


@pytest.mark.parametrize("width", [1280, 800])
def test_no_page_is_wider_than_its_screen_and_every_field_has_its_label(
    page: Page, house: House, address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    case = house.case(step=3)
    for role, paths in {
        Role.TECNICO_INFRA: ("/", f"/solicitudes/{case}", "/tarjetas/", "/puertas", "/alarmas/"),
        Role.JEFE: ("/eventos", "/exportar/", "/bajas/nueva", "/registro/", "/registro/9", "/punto-de-control/"),
        Role.RECEPCION: ("/solicitudes/nueva", "/personas/"),
        Role.ADMIN: ("/cuentas/",),
    }.items():
        enter(page, address, role)
        for path in paths:
            page.goto(f"{address}{path}")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, path
            nameless = page.evaluate(
                """[...document.querySelectorAll("input:not([type=hidden]), select, textarea, canvas")]
                   .filter(one => !(one.labels && one.labels.length) && !one.getAttribute("aria-label"))
                   .map(one => one.outerHTML)"""
            )
            assert nameless == [], path


def test_a_device_that_falls_silent_shows_without_reloading(page: Page, house: House, address: str) -> None:
    enter(page, address, Role.TECNICO_INFRA)
    page.goto(f"{address}/puertas")
    door = page.get_by_role("row", name="Subgerencia, puerta principal")
    expect(door).to_contain_text("en línea")
    page.locator("#open-sub-1").focus()
    with house.store.begin() as tx:
        tx.health.save(replace(tx.health.get("lobby"), online=False))
        tx.record(Fact.DEVICE_OFFLINE, at=house.clock(), actor=SYSTEM, device="lobby")
        tx.commit()
    expect(door).to_contain_text("sin comunicación")
    assert page.evaluate("document.activeElement.id") == "open-sub-1"


def test_the_keyboard_reaches_the_content_first(page: Page, house: House, address: str) -> None:
    enter(page, address, Role.GUARDIA)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
