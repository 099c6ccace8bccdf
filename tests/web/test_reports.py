"""Reports in the panel: the same rows on the screen, as CSV and on paper; searches that one keeps for oneself."""

import csv
import html
import io
import re

import pdfplumber
import pytest

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Role
from accessctl.services import report_counts
from accessctl.services.reports import REPORTS, ReportName
from accessctl.services.store import EventFilter
from accessctl.storage import seeking
from accessctl_web.language import file_size
from accessctl_web.views import reports as views
from tests.web.house import House, post
from tests.web.visiting import entry, visit_at


@pytest.fixture
def lived(house: House) -> House:
    """A house in which every report has a row."""
    house.case(step=7)
    house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", person=house.user.id, n=1)
    house.happens(Fact.DEVICE_OFFLINE, door="", n=2)
    head = house.people[Role.JEFE]
    house.desks.removals.request(house.actor(Role.JEFE), person=house.user.id, requested_by=head.id, reason="Traslado")
    house.clock.forward(hours=2)
    house.desks.reports.pdf(house.actor(Role.JEFE), ReportName.BLIND_SPOTS)
    visit_at(house, step=9)
    urgent = {"authority": house.people[Role.JEFE].id, "reason": "Fuga de agua"}
    house.desks.visits.declare_fortuitous(house.actor(Role.TECNICO_INFRA), entry(house), **urgent)
    return house


@pytest.mark.parametrize("name", ReportName)
def test_a_report_has_the_same_rows_on_the_screen_as_csv_and_on_paper(lived: House, name: ReportName) -> None:
    auditor = lived.client(Role.AUDITOR)
    assert f"/informes/{name.value}" in auditor.get("/informes/").text
    page = auditor.get(f"/informes/{name.value}")
    assert page.status_code == 200, page.text
    table = auditor.get(f"/informes/{name.value}.csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert rows
    assert tuple(rows[0]) == REPORTS[name].columns
    body = page.text.partition("<tbody>")[2]
    assert body.count("<tr>") == len(rows) - (name is ReportName.LOOKED_AT)  # the CSV itself was taken away meanwhile
    paper = auditor.get(f"/informes/{name.value}.pdf")
    assert paper.data.startswith(b"%PDF-")
    assert auditor.get("/informes/otro").status_code == 404
    assert lived.client(Role.GUARDIA).get(f"/informes/{name.value}.csv").status_code == 403


RAW = re.compile(
    r"\bem4100:|\bem:|\b[a-z]+_[a-z_]+\b|\b[a-z]+:[a-z]+:[a-z_]+|\d{4}-\d\d-\d\d|[{}=]|\bTrue\b|\bNone\b|closed|\b[0-9a-f]{32,}\b|sub-1"
)
"""What a program writes and nobody reads: codes, facts, ISO times, JSON, Python, identifiers."""


@pytest.mark.parametrize("name", ReportName)
def test_a_report_is_in_words_on_the_screen_and_on_paper(lived: House, name: ReportName) -> None:
    auditor = lived.client(Role.AUDITOR)
    lived.happens(Fact.DOOR_REFUSED, reason="escort_ratio", norm="N4.3", n=5)
    with lived.store.begin() as tx:
        for fact, data in (
            (Fact.DEVICE_LOG_GAP, {"why": "log_epoch_changed", "missing": 3}),
            (Fact.DEVICE_CLOCK_DOUBTFUL, {"skew_s": -7260}),
            (Fact.DEVICE_OFFLINE, {"why": "DeviceUnreachable: tcp://127.0.0.1:4370 closed the line"}),
        ):
            tx.record(fact, at=lived.clock(), actor=SYSTEM, device="lobby", data=data)
        tx.commit()
    search = {"person": lived.user.id, "door": "sub-1", "kind": "doors", "since": "2026-11-24", "card": "0025489530"}
    auditor.get("/registro/", query_string=search)
    auditor.get("/informes/refusals.csv", query_string={"since": "2026-11-24T08:00", "door": "sub-1"})
    asked = {"since": "2026-11-20T08:00"}
    page = auditor.get(f"/informes/{name.value}", query_string=asked).text
    body = html.unescape(re.sub(r"<[^>]+>", " ", page.partition("<tbody>")[2].partition("</tbody>")[0]))
    assert body.strip()
    assert RAW.findall(body) == []
    assert (name is ReportName.BLIND_SPOTS) == ("todavía" in body), "a device that is still off"
    with pdfplumber.open(io.BytesIO(auditor.get(f"/informes/{name.value}.pdf", query_string=asked).data)) as paper:
        lines = [line for sheet in paper.pages for line in (sheet.extract_text() or "").splitlines()]
    drawn = "\n".join(line for line in lines if "raíz" not in line and "America/Guatemala" not in line)
    assert RAW.findall(drawn) == []
    assert "Consulta: desde 20/11/2026 08:00:00" in drawn


def test_who_looked_at_what_names_people_doors_and_papers(lived: House) -> None:
    auditor = lived.client(Role.AUDITOR)
    auditor.get("/informes/refusals.csv", query_string={"since": "2026-11-24T08:00", "door": "sub-1"})
    page = html.unescape(auditor.get("/informes/looked_at").text)
    said = "desde 24/11/2026 08:00:00 · puerta Subgerencia, puerta principal"
    assert said in page
    assert "Ingresos denegados por motivo" in page
    with pdfplumber.open(io.BytesIO(auditor.get("/informes/looked_at.pdf").data)) as paper:
        drawn = " ".join(" ".join((sheet.extract_text() or "").split()) for sheet in paper.pages)
    assert "Silvia Marroquín" in drawn
    assert "desde 24/11/2026 08:00:00" in drawn
    assert "Subgerencia, puerta" in drawn


def test_a_report_is_of_the_time_and_the_door_that_are_asked_for(lived: House) -> None:
    auditor = lived.client(Role.AUDITOR)
    for asked, found in (({}, 1), ({"door": "sub-1"}, 1), ({"door": "sub-2"}, 0), ({"until": "2026-11-23"}, 0)):
        page = auditor.get("/informes/refusals", query_string=asked).text
        assert page.count("La autorización ya venció.") == found, asked
    for asked in ({"since": "ayer"}, {"after": "x"}, {"person": "nadie"}):
        assert auditor.get("/informes/refusals", query_string=asked).status_code in {404, 409}, asked
    assert "Ninguna fila." in auditor.get("/informes/entries?until=2026-11-23").text


def test_what_is_counted_begins_a_month_ago_where_nothing_is_asked(lived: House) -> None:
    auditor = lived.client(Role.AUDITOR)
    page = auditor.get("/informes/entries").text
    assert 'value="2026-10-24T00:00"' in page
    assert "/informes/entries.csv?since=2026-10-24T00:00" in page
    lived.clock.forward(days=40)
    auditor = lived.client(Role.AUDITOR)  # the session of before is over
    for asked, found in (("", 0), ("?since=2026-11-01", 1), (f"?person={lived.user.id}", 1)):
        assert auditor.get(f"/informes/refusals{asked}").text.count("La autorización ya venció.") == found, asked


def test_a_report_that_takes_too_long_says_how_far_it_came_and_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(90):
        house.happens(Fact.DOOR_GRANTED, person=house.user.id, n=at)
    for name, value in (("SHORT", 40), ("LONGEST", 40), ("BLOCK", 40), ("LOOKED_AT", 2)):
        monkeypatch.setattr(seeking, name, value)
    monkeypatch.setattr(report_counts, "COUNT_SECONDS", -1.0)
    auditor = house.client(Role.AUDITOR)
    address, said, counted = "/informes/entries?door=sub-1", list[str](), 0
    while address:
        page = auditor.get(address).text
        said.append(page)
        counted += sum(map(int, re.findall(r'<td class="right number">(\d+)</td>', page)))
        more = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(more.group(1)) if more else ""
    assert counted == 90
    assert "Cuenta hasta el asiento 39;" in said[0]
    assert "Cuenta los asientos del 40 al 79." in said[1]
    assert f"Cuenta los asientos desde el {40 * (len(said) - 1)} hasta el final." in said[-1]
    assert all(re.search(r"\.\sEl CSV y el PDF lo cuentan todo", page) for page in said)
    table = list(csv.DictReader(io.StringIO(auditor.get("/informes/entries.csv?door=sub-1").text)))
    assert [row["count"] for row in table] == ["90"]


def test_the_next_entries_are_counted_without_all_rows_of_those_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(90):
        house.happens(Fact.DOOR_EXITED if at % 2 else Fact.DOOR_GRANTED, person=house.user.id, n=at)
    for name, value in (("SHORT", 40), ("LONGEST", 40), ("BLOCK", 40), ("LOOKED_AT", 2)):
        monkeypatch.setattr(seeking, name, value)
    monkeypatch.setattr(report_counts, "COUNT_SECONDS", -1.0)
    monkeypatch.setattr(views, "SHOWN", 1)
    auditor = house.client(Role.AUDITOR)
    page = auditor.get("/informes/entries?door=sub-1").text
    assert 'rel="next"' in page
    onward = re.search(r'href="([^"]+)">Contar desde el asiento 40 ', page)
    assert onward is not None
    page = auditor.get(html.unescape(onward.group(1))).text
    assert "Cuenta los asientos del 40 al 79." in page
    assert re.findall(r'<td class="right number">(\d+)</td>', page) == ["20"]


def test_a_head_who_takes_a_report_away_is_on_the_record(lived: House) -> None:
    head = lived.client(Role.JEFE)
    before = lived.desks.watch.size()
    head.get("/informes/outstanding.csv")
    with lived.store.view() as tx:
        (row,) = tx.events.rows(EventFilter(after_index=before - 1))
    assert (row.event, row.actor) == (Fact.EXPORT_MADE.value, lived.accounts[Role.JEFE])


def test_a_search_is_kept_under_a_name_for_whoever_kept_it(house: House) -> None:
    auditor, head = house.client(Role.AUDITOR), house.client(Role.JEFE)
    name = '"><script>alert(1)</script>'
    kept = post(auditor, "/registro/busquedas", name=name, kind="refused", door="sub-1")
    assert kept.headers["Location"] == "/registro/?door=sub-1&kind=refused"
    page = auditor.get("/registro/").text
    assert "<script>alert" not in page
    assert 'href="/registro/?door=sub-1&amp;kind=refused"' in page
    assert "alert(1)" not in head.get("/registro/").text
    forget = re.search(r"/registro/busquedas/[0-9a-f]+/olvidar", page)
    assert forget is not None
    assert post(head, forget.group(0)).status_code == 404
    assert post(auditor, forget.group(0)).status_code == 303
    assert "alert(1)" not in auditor.get("/registro/").text
    assert post(auditor, "/registro/busquedas", name=" ").status_code == 409


def test_a_search_about_somebody_is_on_the_record_once_and_any_other_is_not(house: House) -> None:
    auditor = house.client(Role.AUDITOR)
    before = house.desks.watch.size()
    auditor.get("/registro/?kind=doors")
    auditor.get(f"/registro/?person={house.user.id}")
    auditor.get(f"/registro/?person={house.user.id}&before=5")
    with house.store.view() as tx:
        (row,) = tx.events.rows(EventFilter(after_index=before - 1))
    assert (row.event, row.person) == (Fact.RECORD_SEARCHED.value, house.user.id)
    assert "Quién consultó qué" in auditor.get("/informes/looked_at").text


def test_a_report_about_somebody_is_on_the_record_as_a_search_is(house: House) -> None:
    auditor = house.client(Role.AUDITOR)
    before = house.desks.watch.size()
    for asked in (
        "visits",
        "entries?door=sub-1",
        f"visits?person={house.user.id}",
        f"outstanding?person={house.user.id}",
    ):
        assert auditor.get(f"/informes/{asked}").status_code == 200
    with house.store.view() as tx:
        (row,) = tx.events.rows(EventFilter(after_index=before - 1))
    assert (row.event, row.person) == (Fact.RECORD_SEARCHED.value, house.user.id)
    assert house.client(Role.SECRETARIA_INFRA).get(f"/informes/outstanding?person={house.user.id}").status_code == 200


def test_the_length_of_a_file_is_read_in_spanish() -> None:
    assert [file_size(size) for size in (0, 872, 1000, 129_841, 2_500_000, 10**10)] == [
        *("0 bytes", "872 bytes", "1.0 kB", "129.8 kB", "2.5 MB", "10.0 GB")
    ]


def test_a_person_is_given_what_is_held_on_them_and_who_took_it_is_on_the_record(house: House) -> None:
    house.case(step=7)
    auditor = house.client(Role.AUDITOR)
    assert f"/personas/{house.user.id}/extracto" in auditor.get(f"/personas/{house.user.id}").text
    before = house.desks.watch.size()
    answer = post(auditor, f"/personas/{house.user.id}/extracto")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert house.user.document.number in answer.text
    with house.store.view() as tx:
        (row,) = tx.events.rows(EventFilter(after_index=before - 1))
    assert (row.event, row.person) == (Fact.EXTRACT_MADE.value, house.user.id)
    paper = post(auditor, f"/personas/{house.user.id}/extracto.pdf")
    assert paper.data.startswith(b"%PDF-")
    for form in ("", ".pdf"):
        assert post(house.client(Role.RECEPCION), f"/personas/{house.user.id}/extracto{form}").status_code == 403
    assert post(auditor, "/personas/nadie/extracto").status_code == 404
