"""The auditor's way: search, export, take home, verify with nothing but the files; and a role that changes nothing."""

import io
from pathlib import Path

import pdfplumber
import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from accessctl.cli import group
from accessctl.domain.facts import Fact
from accessctl.domain.people import ROLE_PERMISSIONS, Role
from accessctl.services.reports import ReportName
from accessctl.services.store import EventFilter
from accessctl_web.access import EVERYBODY, asked_of
from tests.web.clicking import enter
from tests.web.house import House, token
from tests.web.test_access import OPEN, addresses
from tests.web.visiting import visit_at

OWN = {  # what an auditor leaves on the record: that they looked, took away, or were refused
    Fact.CASE_STEP_REFUSED,
    Fact.EXPORT_MADE,
    Fact.EXTRACT_MADE,
    Fact.RECORD_SEARCHED,
    Fact.ACCOUNT_SIGNED_IN,
    Fact.ACCOUNT_SIGNED_OUT,
    Fact.ACCOUNT_SIGN_IN_REFUSED,
    Fact.DOCUMENT_PRINTED,
}


def test_the_read_only_role_changes_nothing_whatever_it_sends(house: House) -> None:
    house.case(step=7)
    before = house.desks.watch.size()
    client = house.client(Role.AUDITOR)
    sent = 0
    for endpoint, method, path in addresses(house.app):
        asked = asked_of(house.app.view_functions[endpoint]) or frozenset()
        may = asked == EVERYBODY or bool(asked & ROLE_PERMISSIONS[Role.AUDITOR])
        if method != "POST" or endpoint in OPEN | {"sign_in.sign_out"}:
            continue
        fields = {"csrf_token": token(client), "reason": "x", "name": "x", "person": house.user.id, "note": "x"}
        answer = client.post(path, data=fields)
        assert answer.status_code < 500, path
        assert may or answer.status_code == 403, path
        sent += 1
    assert sent > 30
    assert house.app.extensions["accessctl_exports"].settled(20)
    with house.store.view() as tx:
        after = tx.events.rows(EventFilter(after_index=before - 1), limit=1000)
    assert {row.event for row in after} <= {fact.value for fact in OWN}
    assert all(row.actor in {"", house.accounts[Role.AUDITOR]} for row in after)


@pytest.mark.browser
def test_no_page_of_the_auditor_is_wider_than_a_phone(page: Page, house: House, address: str) -> None:
    house.case(step=7)
    index = house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", person=house.user.id)
    page.set_viewport_size({"width": 390, "height": 844})
    enter(page, address, Role.AUDITOR)
    sections = page.locator("nav.places a")
    addresses_of = [str(sections.nth(at).get_attribute("href")) for at in range(sections.count())]
    reports = [f"/informes/{name.value}" for name in ReportName]
    own = [f"/registro/{index}", "/exportar/", "/punto-de-control/", "/informes/", "/visitas/registros-impresos/"]
    wide = {}
    for path in (*addresses_of, *own, *reports):
        page.goto(f"{address}{path}")
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in wide.items() if width > 390} == {}
    here = page.locator("nav.places a[aria-current]")
    box = here.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= 390 - box["width"], "the section that one is in can be seen"


FAINT = """() => {
  const numbers = (text) => {
    const found = text.match(/[\\d.]+/g).map(Number);
    return found.length < 4 ? [...found, 1] : found;
  };
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = numbers(getComputedStyle(one).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), asked = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
    const [darker, lighter] = [light(numbers(style.color)), light(behind(element))].sort((one, other) => one - other);
    if ((lighter + 0.05) / (darker + 0.05) < asked) faint.push(text.slice(0, 40));
  }
  return faint;
}"""
"""Texts that stand out from what is behind them by less than WCAG 2.2, 1.4.3 asks for."""


@pytest.mark.browser
def test_every_text_can_be_told_from_what_is_behind_it(page: Page, house: House, address: str) -> None:
    house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", person=house.user.id)
    house.happens(Fact.DOOR_FORCED, n=1)
    enter(page, address, Role.AUDITOR)
    page.emulate_media(reduced_motion="reduce")  # no colour is on its way to another
    for path in (
        "/registro/",
        "/registro/3",
        "/exportar/",
        "/punto-de-control/",
        "/informes/refusals",
        "/alarmas/",
        "/nada",
    ):
        page.goto(f"{address}{path}")
        page.locator("details.who summary").click()
        assert page.evaluate(FAINT) == [], path


@pytest.mark.browser
def test_a_page_is_printed_with_all_its_columns(page: Page, house: House, address: str) -> None:
    house.case(step=7)
    visit_at(house, step=9)
    house.happens(Fact.DEVICE_OFFLINE, n=1)
    enter(page, address, Role.AUDITOR)
    for path in ("/registro/", "/informes/blind_spots", "/informes/looked_at", "/informes/visits"):
        page.goto(f"{address}{path}")
        heads = page.locator("thead th").all_text_contents()
        with pdfplumber.open(io.BytesIO(page.pdf(format="Letter"))) as paper:
            sheet = paper.pages[0]
            drawn = "".join(char["text"] for char in sheet.chars if char["x1"] <= sheet.width).replace(" ", "")
        assert [head for head in heads if head.replace(" ", "") not in drawn] == [], path


@pytest.mark.browser
def test_what_the_auditor_takes_home_verifies_and_a_flipped_byte_does_not(
    page: Page,
    house: House,
    address: str,
    tmp_path: Path,
) -> None:
    house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", person=house.user.id, n=1)
    enter(page, address, Role.AUDITOR)
    page.get_by_role("link", name="Registro", exact=True).click()
    page.locator("select[name=kind]").select_option(label="Ingresos denegados")
    page.get_by_role("button", name="Buscar").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Exportar lo encontrado").click()
    page.get_by_role("button", name="Exportar", exact=True).click()
    files = page.locator("#shelf li a")
    expect(files).to_have_count(4)
    for at in range(4):
        with page.expect_download() as download:
            files.nth(at).click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
    page.goto(f"{address}/punto-de-control/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Guardar la llave pública").click()
    key = tmp_path / "registro.llave"
    download.value.save_as(key)

    (table,) = tmp_path.glob("*.csv")
    verified = CliRunner().invoke(group, ["verify", str(table), "--key", str(key)])
    assert verified.exit_code == 0, verified.output
    assert "verificado / verified: 1 asientos" in verified.output
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    broken = CliRunner().invoke(group, ["verify", str(table), "--key", str(key)])
    assert broken.exit_code == 1
    assert "NO VERIFICADO" in broken.output
