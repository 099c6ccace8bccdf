"""The visit's path clicked through in Chromium by head, technician, visitor and reception; its pages on a tablet."""

import pytest
from playwright.sync_api import Page, expect

from accessctl.domain.people import Role
from tests.web.clicking import enter
from tests.web.house import House
from tests.web.visiting import DOCUMENT, goes_in, pool_card, visit_at

pytestmark = pytest.mark.browser


def draw(page: Page) -> None:
    """A signature, with the finger's path of the mouse."""
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 150)
    page.mouse.down()
    for at in range(1, 12):
        page.mouse.move(box["x"] + 60 + at * 25, box["y"] + 150 - (at % 3) * 40, steps=3)
    page.mouse.up()


def test_a_visit_clicked_through_by_its_people(page: Page, house: House, address: str) -> None:
    pool_card(house)

    # P4.01: the head authorises
    enter(page, address, Role.JEFE)
    page.get_by_role("link", name="Visitas", exact=True).click()
    page.get_by_role("button", name="Autorizar un ingreso").click()
    page.get_by_label("Nombre de quien entra").fill("Luis Alfredo Ixcoy")
    page.get_by_label("Empresa o institución").fill("Redes del Sur, S. A.")
    page.get_by_label("Motivo de la visita").fill("Cambio de un conmutador")
    page.get_by_label("Zona").select_option(label="Centro de Datos")
    page.get_by_role("button", name="Autorizar", exact=True).click()
    expect(page.get_by_text("Ingreso autorizado.")).to_be_visible()
    visit = page.url.rsplit("/", 1)[1]

    # P4.02 and P4.03: the technician, with one more row of equipment than the page came with
    enter(page, address, Role.TECNICO_INFRA)
    page.goto(f"{address}/visitas/{visit}")
    page.get_by_label("Número de documento").fill(DOCUMENT)
    page.get_by_label("Equipo", exact=True).fill("Conmutador")
    page.get_by_label("Número de serie").fill("FOC1234X0AB")
    page.get_by_role("button", name="Agregar otro equipo").click()
    expect(page.get_by_label("Equipo", exact=True)).to_have_count(2)
    page.get_by_label("Equipo", exact=True).last.fill("Computadora portátil")
    page.get_by_role("button", name="Registrar los datos").click()
    expect(page.get_by_text("Datos registrados.")).to_be_visible()

    # P4.04: at the kiosk, which reception has open, on a tablet
    page.set_viewport_size({"width": 800, "height": 1100})
    enter(page, address, Role.RECEPCION)
    page.goto(f"{address}/kiosco/")
    page.get_by_label("Escriba su nombre").fill("ixcoy")
    page.get_by_role("button", name="Buscar mi visita").click()
    page.get_by_role("button", name="Luis Alfredo Ixcoy").click()
    page.get_by_role("button", name="Leí y entendí: continuar").click()
    expect(page.get_by_role("heading", name="Firme su ingreso")).to_be_visible()
    draw(page)
    page.get_by_role("button", name="Firmar", exact=True).click()
    expect(page.get_by_role("heading", name="Gracias, Luis Alfredo Ixcoy")).to_be_visible()
    page.get_by_role("button", name="Terminar").click()
    expect(page.get_by_role("heading", name="Bienvenida, bienvenido")).to_be_visible()

    # the card, from the pool
    page.goto(f"{address}/visitas/{visit}")
    page.get_by_role("button", name="Entregar", exact=True).click()
    expect(page.get_by_text("Tarjeta entregada a la visita.")).to_be_visible()

    # P4.05 to P4.08: what paper saw, the equipment that leaves, the card, the exit
    page.set_viewport_size({"width": 1280, "height": 900})
    enter(page, address, Role.TECNICO_INFRA)
    page.goto(f"{address}/visitas/{visit}")
    page.get_by_text("Entró sin que el lector lo viera").click()
    page.get_by_label("Hora de ingreso").fill("2026-11-24T08:00")
    page.get_by_label("Folio de contingencia").fill("C-000001")
    page.get_by_role("button", name="Anotar el ingreso").click()
    expect(page.get_by_text("Ingreso anotado con su folio.")).to_be_visible()
    page.goto(f"{address}/adentro/")
    expect(page.get_by_role("row", name="Luis Alfredo Ixcoy")).to_contain_text("Byron Estuardo Tzul")
    page.goto(f"{address}/visitas/{visit}")
    page.get_by_label("Lo que hizo").fill("Se cambió el conmutador")
    page.get_by_label("Conmutador").uncheck()
    page.get_by_role("button", name="Comprobé que salió").click()
    expect(page.get_by_text("el equipo no coincide")).to_be_visible()
    page.get_by_role("button", name="Recibida").click()
    page.get_by_role("button", name="Anotar la salida").click()
    expect(page.get_by_text("la visita queda cerrada")).to_be_visible()


def test_the_zones_show_who_comes_without_reloading_and_keep_what_is_being_typed(
    page: Page, house: House, address: str
) -> None:
    enter(page, address, Role.GUARDIA)
    page.goto(f"{address}/adentro/")
    why = page.get_by_label("Motivo").first
    why.fill("Humo en el pasillo")
    goes_in(house, Role.TECNICO_INFRA, "cdatos")
    expect(page.get_by_role("row", name="Byron Estuardo Tzul")).to_be_visible()
    expect(why).to_have_value("Humo en el pasillo")


@pytest.mark.parametrize("width", [1280, 800])
def test_no_page_of_a_visit_is_wider_than_its_screen_and_every_field_has_its_label(
    page: Page, house: House, address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    waiting, inside = visit_at(house, step=2, name="Otra Persona"), visit_at(house, step=7)
    goes_in(house, Role.TECNICO_INFRA, "cdatos")
    for role, paths in {
        Role.TECNICO_INFRA: (f"/visitas/{waiting}", f"/visitas/{inside}", "/visitas/fortuito", "/visitas/tarjetas/"),
        Role.JEFE: ("/visitas/", "/visitas/nueva", "/visitas/diferencias/"),
        Role.GUARDIA: ("/adentro/", "/adentro/lista", "/kiosco/?q=otra", f"/kiosco/{inside}/firma"),
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


@pytest.mark.parametrize(("width", "height"), [(820, 1180), (1180, 820), (1366, 768)])
def test_the_kiosk_is_for_fingers(page: Page, house: House, address: str, width: int, height: int) -> None:
    """Whatever can be pressed is 44 px high at least, and what is to be done is on the screen without scrolling."""
    page.set_viewport_size({"width": width, "height": height})
    waiting = visit_at(house, step=2, name="Otra Persona")
    visit = visit_at(house, step=4)
    enter(page, address, Role.RECEPCION)
    for path in ("", "?q=ixcoy", waiting, visit, f"{visit}/firma", f"{visit}/listo"):
        page.goto(f"{address}/kiosco/{path}")
        small = page.evaluate(
            """[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select")]
               .filter(one => one.checkVisibility() && !one.matches(".skip"))
               .filter(one => one.getBoundingClientRect().height < 44 || one.getBoundingClientRect().width < 44)
               .map(one => one.outerHTML)"""
        )
        assert small == [], path
        below = page.evaluate(
            """[...document.querySelectorAll("main a[role=button], main button")]
               .filter(one => one.getBoundingClientRect().bottom > window.innerHeight).map(one => one.textContent)"""
        )
        assert below == [], path
