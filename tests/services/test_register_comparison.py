"""The printed register against the record: alter any one field or line of either, and exactly that is listed."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessctl.documents.visit_press import VisitPress
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.schedules import local
from accessctl.services.erasure import ErasureDesk, Retention
from accessctl.services.register_comparison import COLUMNS, HEADINGS, LineDifference, RegisterComparison, read_paper
from accessctl.services.register_lines import FIELDS
from accessctl.services.store import EventFilter
from accessctl.services.visit_papers import VisitPapers
from tests.services.visiting import OUT, Visiting

Told = tuple[str, int | None, str, str]  # kind, line, visit, field


@pytest.fixture
def comparison(visiting: Visiting) -> RegisterComparison:
    return RegisterComparison(visiting.premises.office)


def day_of_three(visiting: Visiting) -> list[str]:
    """One visit that ended, one that is inside, one that was authorised only."""
    first = visiting.inside("X1")
    visiting.show(visiting.key(0), OUT)
    visiting.closed(first)
    return [first, visiting.inside("X2", escort="telecom", card=1), visiting.inside("X3", escort="telecom", card=2)]


def printed(visiting: Visiting) -> int:
    """The number of a register that was printed just now."""
    papers = VisitPapers(visiting.premises.office, VisitPress(), visiting.premises.keeper)
    assert papers.register_pdf(visiting.actor("auditor"), local(visiting.now).date()).startswith(b"%PDF")
    return RegisterComparison(visiting.premises.office).printings(visiting.actor("auditor"))[0].number


def sheet_of(visiting: Visiting, comparison: RegisterComparison, number: int) -> list[dict[str, str]]:
    content = comparison.sheet(visiting.actor("auditor"), number).decode("utf-8-sig")
    names = {heading: name for name, heading in HEADINGS.items()}
    rows = csv.DictReader(io.StringIO(content))
    return [{names[heading]: text for heading, text in row.items()} for row in rows]


def as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0].keys() if rows else COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def told(visiting: Visiting, comparison: RegisterComparison, number: int, paper: bytes | None = None) -> list[Told]:
    lines = None if paper is None else read_paper(paper)
    found = comparison.compare(visiting.actor("auditor"), number, lines).differences
    return [(one.kind.value, one.line, one.visit, one.field) for one in found]


def changed(visiting: Visiting, visit: str, **fields: object) -> None:
    with visiting.store.begin() as tx:
        tx.visits.save(replace(tx.visits.get(visit), **fields))  # type: ignore[arg-type]  # a test's shorthand
        tx.record(Fact.VISIT_WORK_NOTED, at=visiting.now, actor=SYSTEM, visit=visit)
        tx.commit()


def test_what_was_printed_and_typed_in_again_is_the_same(visiting: Visiting, comparison: RegisterComparison) -> None:
    visits = day_of_three(visiting)
    number = printed(visiting)
    rows = sheet_of(visiting, comparison, number)
    assert [row["visit"] for row in rows] == ["1", "2", "3"]
    assert tuple(rows[0]) == COLUMNS
    assert told(visiting, comparison, number) == []
    assert told(visiting, comparison, number, as_csv(rows)) == []
    typed = [{**row, "entered_at": row["entered_at"].replace("/2026", ""), "name": row["name"].upper()} for row in rows]
    assert told(visiting, comparison, number, as_csv(typed)) == [], "as a person types it"
    with visiting.store.view() as tx:
        lines = tx.events.rows(EventFilter(events=(Fact.VISIT_LINE_PRINTED.value,)))
        (made,) = tx.events.rows(EventFilter(events=(Fact.VISIT_REGISTER_COMPARED.value,)), limit=1, newest=True)
        raw = b"".join(data for _, data, _ in tx.ledger.entries(number, number + 4))
    assert [(row.visit, row.leaf.hex()[:10]) for row in lines] == [
        (visit, row["mark"]) for visit, row in zip(visits, rows, strict=True)
    ]
    assert made.actor == visiting.actor("auditor").account
    assert b"Visitante" not in raw, "commitments only"
    assert b"X1" not in raw


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_field_altered_on_the_sheet_is_listed_and_nothing_else(
    visiting: Visiting, comparison: RegisterComparison, data: st.DataObject
) -> None:
    number = _number(visiting, comparison)
    rows = sheet_of(visiting, comparison, number)
    at = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(st.sampled_from(FIELDS))
    was = rows[at][field]
    rows[at][field] = (
        data.draw(st.text(st.characters(categories=("Lu", "Nd")), min_size=1, max_size=9)) + was[:-1] + "~Q"
    )
    (one,) = comparison.compare(visiting.actor("auditor"), number, read_paper(as_csv(rows))).differences
    assert (one.kind, one.line, one.field) == (LineDifference.ALTERED, at + 1, field)
    assert one.paper == rows[at][field].lstrip("'") or one.paper == rows[at][field]
    assert one.record == was.removeprefix("'")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_line_that_is_missing_or_too_many_is_listed_and_nothing_else(
    visiting: Visiting, comparison: RegisterComparison, data: st.DataObject
) -> None:
    number = _number(visiting, comparison)
    rows = sheet_of(visiting, comparison, number)
    at = data.draw(st.integers(0, len(rows) - 1))
    fewer = [row for place, row in enumerate(rows) if place != at]
    assert told(visiting, comparison, number, as_csv(fewer)) == [("not_on_paper", at + 1, rows[at]["visit"], "")]
    extra = {**rows[at], "line": "77", "visit": "99", "name": "Nadie"}
    assert told(visiting, comparison, number, as_csv([*rows, extra])) == [("not_in_record", 77, "99", "")]
    forged = [{**row, "mark": "0" * 10} if place == at else row for place, row in enumerate(rows)]
    assert told(visiting, comparison, number, as_csv(forged)) == [("mark", at + 1, rows[at]["visit"], "mark")]


def _number(visiting: Visiting, comparison: RegisterComparison) -> int:
    known = comparison.printings(visiting.actor("auditor"))
    if known:
        return known[0].number
    day_of_three(visiting)
    return printed(visiting)


CHANGES: dict[str, dict[str, object]] = {
    "name": {"name": "Otro nombre"},
    "organisation": {"organisation": "Otra"},
    "purpose": {"purpose": "Otra cosa"},
    "document": {"document": None},
    "entered_at": {"entered_at": None},
    "brought": {"brought": ()},
    "escorts": {"escorts": ()},
    "card": {"card": ""},
    "briefed": {"briefed_at": None},
    "signature": {"signature": ""},
    "vehicle": {"vehicle": "P-1"},
    "folio": {"folio": "C-9"},
    "fortuitous": {"fortuitous": "Fuga"},
}


def test_a_field_changed_in_the_record_is_listed_and_nothing_else(
    visiting: Visiting, comparison: RegisterComparison
) -> None:
    visits = day_of_three(visiting)
    number = printed(visiting)
    rows = sheet_of(visiting, comparison, number)
    paper = read_paper(as_csv(rows))
    for which, (field, change) in product((0, 1), CHANGES.items()):
        before = visiting.visit(visits[which])
        changed(visiting, visits[which], **change)
        for lines in (None, paper):
            (one,) = comparison.compare(visiting.actor("auditor"), number, lines).differences
            assert (one.kind, one.line, one.visit_id, one.field) == ("later", which + 1, visits[which], field)
            assert one.paper == rows[which][field].removeprefix("'")
            assert one.paper != one.record
        changed(visiting, visits[which], **{name: getattr(before, name) for name in change})


def test_what_the_desks_did_after_the_printing_is_later(visiting: Visiting, comparison: RegisterComparison) -> None:
    _, second, _ = day_of_three(visiting)
    number = printed(visiting)
    visiting.wait(minutes=30)
    visiting.show(visiting.key(1), OUT)
    visiting.closed(second, escort="telecom")
    fourth = visiting.authorised("Llegó después")
    changed(visiting, fourth, entered_at=visiting.now)
    found = comparison.compare(visiting.actor("auditor"), number)
    assert {(one.kind.value, one.field) for one in found.differences if one.visit_id == second} == {
        ("later", field) for field in ("card_back", "escorts", "exited_at", "recorded_by", "taken", "verified_by")
    }
    assert [one.kind.value for one in found.differences if one.visit_id == fourth] == ["not_on_paper"]
    assert (found.lines, found.same) == (3, 2)


def test_a_contingency_folio_is_compared_with_what_was_typed_in(
    visiting: Visiting, comparison: RegisterComparison
) -> None:
    number = printed(visiting)  # of a day without a line yet
    visit = visiting.signed("X9")
    entered = visiting.now
    visiting.wait(hours=1)
    visiting.escorts.record_entry(visiting.actor("tecnico"), visit, at=entered, folio="C-000004")
    minute = f"{local(entered):%d/%m/%Y %H:%M}"
    good = {"folio": "c4", "document": "Pasaporte X9", "entered_at": minute, "name": "Visitante X9"}
    assert told(visiting, comparison, number, as_csv([good])) == []
    late = {**good, "entered_at": f"{local(entered + timedelta(minutes=9)):%d/%m/%Y %H:%M}"}
    assert told(visiting, comparison, number, as_csv([late])) == [("altered", None, "1", "entered_at")]
    never = {**good, "document": "Pasaporte Z0", "name": "Nunca anotado"}
    assert told(visiting, comparison, number, as_csv([good, never])) == [("not_in_record", None, "", "")]


def test_who_was_erased_is_erased_here_too(visiting: Visiting, comparison: RegisterComparison) -> None:
    first, *_ = day_of_three(visiting)
    number = printed(visiting)
    visitor = visiting.visit(first).visitor
    visiting.wait(days=100)
    keep = Retention(people=timedelta(days=1), visitors=timedelta(days=90))
    desk = ErasureDesk(visiting.premises.office, keep, visiting.store.scrub, lambda: 0)  # there is no panel here
    desk.erase(SYSTEM, visitor, why="venció")
    assert ("erased", 1, "1", "") in told(visiting, comparison, number)
    assert "X1" not in comparison.sheet(visiting.actor("auditor"), number).decode()


@pytest.mark.parametrize(
    "paper",
    [
        b"",
        b"\xff\xfe",
        b"name\nAna\n",
        b"line,unknown\n1,x\n",
        b"line,line\n1,1\n",
        b'line,name\n1,"no end\n',
        b"line\n" + b"1\n" * 6000,
        b"line,name\n1," + b"x" * 5000 + b"\n",
        b"x" * 500_000,
    ],
)
def test_what_is_no_sheet_is_refused(paper: bytes) -> None:
    with pytest.raises(AccessError):
        read_paper(paper)


def test_who_may_not_and_what_is_none(visiting: Visiting, comparison: RegisterComparison) -> None:
    number = printed(visiting)
    with pytest.raises(AccessError, match=Reason.WRONG_ROLE.value):
        comparison.compare(visiting.actor("recepcion"), number)
    for other in (-1, 0, number + 1, 10**9):
        with pytest.raises(AccessError, match=Reason.NOT_FOUND.value):
            comparison.compare(visiting.actor("auditor"), other)


def test_a_semicolon_and_a_mark_of_order_are_read() -> None:
    (line,) = read_paper("\ufeffline;name\n1;Ana, la de redes\n".encode())
    assert line.cells == {"line": "1", "name": "Ana, la de redes"}


def test_what_a_spreadsheet_made_of_the_sheet_is_read(visiting: Visiting, comparison: RegisterComparison) -> None:
    number = _number(visiting, comparison)
    sheet = comparison.sheet(visiting.actor("auditor"), number)
    assert sheet.startswith("\ufefflínea,marca,visita,nombre completo,".encode())
    assert set(HEADINGS) == set(COLUMNS)
    text = sheet.decode("utf-8-sig")
    (_, *rows) = csv.reader(io.StringIO(text))
    semicolons = io.StringIO(newline="")
    heading = ["LINEA", "Marca", "Visita", " Nombre  Completo"]
    csv.writer(semicolons, delimiter=";").writerows([heading, *(row[:4] for row in rows)])
    for saved in (sheet, text.encode("cp1252", "replace"), semicolons.getvalue().encode("cp1252")):
        assert told(visiting, comparison, number, saved) == []
