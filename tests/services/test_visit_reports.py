"""Visits as reports: fourteen fields and who escorted when, what waits to be regularised; erased names stay erased."""

import csv
import io
from datetime import timedelta

import pdfplumber
import pytest

from accessctl.documents.report_press import ReportPress
from accessctl.domain.people import SYSTEM
from accessctl.domain.schedules import local
from accessctl.services.erasure import ErasureDesk, Retention
from accessctl.services.report_rows import ANYTHING, Wanted
from accessctl.services.reports import REPORTS, ReportName, Reports
from tests.services.visiting import OUT, Visiting


@pytest.fixture
def reports(visiting: Visiting) -> Reports:
    return Reports(visiting.premises.office, visiting.premises.keeper, ReportPress())


def rows(visiting: Visiting, reports: Reports, name: ReportName, wanted: Wanted = ANYTHING) -> list[dict[str, object]]:
    columns = REPORTS[name].columns
    return [dict(zip(columns, row, strict=True)) for row in reports.rows(visiting.actor("auditor"), name, wanted)]


def test_a_visit_has_its_fourteen_fields(visiting: Visiting, reports: Reports) -> None:
    visit = visiting.inside()
    began = visiting.visit(visit).escorts[0].since
    visiting.wait(minutes=20)
    visiting.show("telecom")
    visiting.escorts.hand_over(visiting.actor("telecom"), visit, to=visiting.person("telecom"))
    relieved = visiting.now
    visiting.show(visiting.key(0), OUT)
    visiting.closed(visit, escort="telecom")
    (row,) = rows(visiting, reports, ReportName.VISITS)
    one = visiting.visit(visit)
    with visiting.store.view() as tx:
        names = {who: tx.people.get(visiting.person(who)).full_name for who in ("tecnico", "telecom", "jefe")}
        signature = tx.signatures.get(one.signature)
    assert row == {
        "visit_id": visit,
        "visit": one.number,
        "person_id": one.visitor,
        "person": "Visitante X1234567",
        "organisation": "Proveedora, S. A.",
        "document": "pasaporte:X1234567",
        "signature": signature.sha256,
        "entered_at": one.entered_at,
        "exited_at": one.exited_at,
        "purpose": "Cambiar un disco",
        "receives": one.department,
        "authority": names["jefe"],
        "escorts": (
            f"{names['tecnico']} ({local(began):%d/%m %H:%M}–{local(relieved):%H:%M}); "
            f"{names['telecom']} ({local(relieved):%d/%m %H:%M}–{local(visiting.now):%H:%M})"
        ),
        "verified_by": names["telecom"],
        "recorded_by": names["telecom"],
        "card": "V-01",
        "card_given_at": one.card_given_at,
        "card_back_at": one.card_back_at,
        "briefed_at": one.briefed_at,
        "brought": "Disco S/N 77",
        "taken": "Disco S/N 77",
        "fortuitous": "",
        "folio": "",
        "visit_state": "closed",
    }
    assert all(row[name] for name in REPORTS[ReportName.VISITS].columns if name not in {"fortuitous", "folio"})


def test_an_exit_that_nobody_saw_is_not_invented(visiting: Visiting, reports: Reports) -> None:
    visiting.inside()
    visiting.wait(days=3)
    visiting.watch.sweep()
    (row,) = rows(visiting, reports, ReportName.VISITS)
    assert (row["visit_state"], row["exited_at"], row["verified_by"]) == ("no_verificada", None, "")


def test_visits_are_of_the_time_the_door_and_the_person_asked_for(visiting: Visiting, reports: Reports) -> None:
    first = visiting.inside("X1")
    visiting.show(visiting.key(0), OUT)
    visiting.closed(first)
    over = visiting.visit(first).exited_at
    assert over is not None
    visiting.wait(hours=6)
    second = visiting.inside("X2", escort="telecom", card=1)
    visiting.wait(hours=20)  # and never seen leaving
    began = visiting.visit(second).entered_at
    assert began is not None
    hour = timedelta(hours=1)
    both, one, two, none = {first, second}, {first}, {second}, set()
    for wanted, found in (
        (ANYTHING, both),
        (Wanted(until=began), one),
        (Wanted(since=over + hour), two),
        (Wanted(since=began - hour, until=began), none),
        (Wanted(since=visiting.now), two),
        (Wanted(door="cd-1"), both),
        (Wanted(door="sub-1"), both),  # the way to the data centre leads through it
        (Wanted(door="nowhere"), none),
        (Wanted(person=visiting.visit(first).visitor), one),
        (Wanted(person=visiting.person("telecom")), two),
        (Wanted(person=visiting.person("jefe")), both),
        (Wanted(person="%"), none),
    ):
        assert {row["visit_id"] for row in rows(visiting, reports, ReportName.VISITS, wanted)} == found, wanted


def test_pieces_of_one_add_up(visiting: Visiting, reports: Reports) -> None:
    made = [visiting.authorised(f"Visitante {number}") for number in range(5)]
    found, after = [], ""
    for _ in range(6):
        page = reports.page(visiting.actor("auditor"), ReportName.VISITS, after=after, limit=1)
        found += [row[0] for row in page.rows]
        after = page.after
    assert found == made
    assert after == ""


def test_what_was_typed_in_later_was_not_seen_until_then(visiting: Visiting, reports: Reports) -> None:
    visit = visiting.signed()
    entered = visiting.now
    visiting.wait(hours=2)
    visiting.escorts.record_entry(visiting.actor("tecnico"), visit, at=entered, folio="C-000004")
    typed = visiting.now
    left = visiting.now + timedelta(hours=1)
    visiting.wait(hours=3)
    visiting.escorts.verify_exit(visiting.actor("tecnico"), visit, activities="Cambió el disco")
    visiting.visitor_cards.take_back(visiting.actor("guardia"), visiting.visit(visit).card)
    visiting.escorts.record_exit(visiting.actor("tecnico"), visit, at=left)
    closed = visiting.now
    for wanted in (ANYTHING, Wanted(door="cd-1")):
        found = rows(visiting, reports, ReportName.BLIND_SPOTS, wanted)
        assert [(row["kind"], row["since"], row["until"]) for row in found] == [
            ("visit:entry:made", entered, typed),
            ("visit:exit:recorded", left, closed),
        ]
    assert found[0]["detail"] == '{"folio":"C-000004","number":1}'


def test_fortuitous_entries_wait_for_the_superior_authority(visiting: Visiting, reports: Reports) -> None:
    visiting.authorised("Ordinaria")
    visit = visiting.desk.declare_fortuitous(
        visiting.actor("tecnico"),
        visiting.form(),
        authority=visiting.person("director"),
        reason="Fuga de agua, urge",
    )
    visiting.wait(days=2)
    (row,) = rows(visiting, reports, ReportName.FORTUITOUS)
    assert (row["visit_id"], row["fortuitous"]) == (visit, "Fuga de agua, urge")
    assert row["waiting_s"] == int((visiting.now - visiting.visit(visit).authorised_at).total_seconds())
    visiting.desk.regularise(visiting.actor("director"), visit, comment="Confirmado")
    assert rows(visiting, reports, ReportName.FORTUITOUS) == []
    assert len(rows(visiting, reports, ReportName.VISITS)) == 2


def test_who_was_erased_is_a_number_on_paper_and_in_the_file(visiting: Visiting, reports: Reports) -> None:
    visit = visiting.inside()
    visiting.show(visiting.key(0), OUT)
    visiting.closed(visit)
    visitor = visiting.visit(visit).visitor
    auditor = visiting.actor("auditor")
    assert "Visitante X1234567" in b"".join(reports.csv(auditor, ReportName.VISITS)).decode()
    visiting.wait(days=100)
    keep = Retention(people=timedelta(days=1), visitors=timedelta(days=90))
    desk = ErasureDesk(visiting.premises.office, keep, visiting.store.scrub, lambda: 0)  # there is no panel here
    desk.erase(SYSTEM, visitor, why="venció")
    (line,) = csv.DictReader(io.StringIO(b"".join(reports.csv(auditor, ReportName.VISITS)).decode()))
    assert (line["person"][0], line["document"], line["organisation"], line["purpose"]) == ("#", "", "", "")
    with pdfplumber.open(io.BytesIO(reports.pdf(auditor, ReportName.VISITS))) as drawn:
        text = drawn.pages[0].extract_text() or ""
    assert "Visitas con sus catorce datos" in text
    assert "X1234567" not in text
    assert "cerrada" in text
