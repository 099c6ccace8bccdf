"""Reports: bounded pieces that add up, blind spots as rows, and what was looked at on the record."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta

import pdfplumber
import pytest

from accessctl.documents.fact_words import EVENTS
from accessctl.documents.report_press import COLUMNS, NOT_ON_PAPER, TITLES, ReportPress
from accessctl.documents.words import REASONS
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Transport
from accessctl.domain.requests import Removal, RemovalTarget
from accessctl.services import report_counts
from accessctl.services.report_rows import Row, Stretch, Wanted
from accessctl.services.reports import REPORTS, ReportName, Reports
from accessctl.services.search_desk import SearchDesk
from accessctl.services.store import EventFilter
from accessctl.storage import seeking
from tests.services.premises import START, Premises

HOUR = timedelta(hours=1)


@pytest.fixture
def reports(premises: Premises) -> Reports:
    return Reports(premises.office, premises.keeper, ReportPress())


@pytest.fixture
def busy(premises: Premises) -> Premises:
    for number, name in enumerate(("María José Ñandú", "=Ana", "Luis")):
        person = premises.person(name)
        premises.door_events(40, person=person.id, start=START + number * HOUR)
    return premises


def pieces(premises: Premises, reports: Reports, name: ReportName, wanted: Wanted, limit: int) -> list[Row]:
    """All rows, a small piece at a time."""
    found: list[Row] = []
    after = ""
    while True:
        page = reports.page(premises.actors["auditor"], name, wanted, after=after, limit=limit)
        assert len(page.rows) <= limit + 1  # a device that was off before may stand in front of the first piece
        assert all(len(row) == len(page.columns) for row in page.rows)
        found += page.rows
        if not page.after:
            return found
        after = page.after


def noted(premises: Premises, fact: Fact, **said: object) -> None:
    with premises.store.begin() as tx:
        tx.record(fact, at=premises.tick(), actor=SYSTEM, **said)  # type: ignore[arg-type]  # a test's shorthand
        tx.commit()


@pytest.mark.parametrize("name", ReportName)
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pieces_add_up_to_the_whole(busy: Premises, reports: Reports, name: ReportName, limit: int) -> None:
    noted(busy, Fact.DEVICE_OFFLINE, device="lobby")
    noted(busy, Fact.DEVICE_LOG_GAP, device="lobby", data={"missing": 3})
    found, whole = pieces(busy, reports, name, Wanted(), limit), list(reports.rows(busy.actors["auditor"], name))
    if name is ReportName.BLIND_SPOTS:  # how long a device has been off is counted up to now, and the clock goes on
        found, whole = [[(*row[:5], *row[6:]) for row in rows] for rows in (found, whole)]
    assert found == whole


def summed(rows: Sequence[Row]) -> dict[Row, tuple[int, datetime, datetime]]:
    """Rows of entries that were counted in stretches, those of the same door, person and fact as one."""
    found: dict[Row, tuple[int, datetime, datetime]] = {}
    for *values, count, first, last in rows:
        assert isinstance(count, int)
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        before = found.get(tuple(values), (0, first, last))
        found[tuple(values)] = before[0] + count, min(before[1], first), max(before[2], last)
    return found


@pytest.mark.parametrize("limit", [1, 4, 1000])
@pytest.mark.parametrize("name", [ReportName.ENTRIES, ReportName.REFUSALS])
def test_what_takes_too_long_is_counted_in_stretches_that_say_so(
    busy: Premises, reports: Reports, monkeypatch: pytest.MonkeyPatch, name: ReportName, limit: int
) -> None:
    auditor = busy.actors["auditor"]
    whole = list(reports.rows(auditor, name))
    assert reports.page(auditor, name).counted is None
    for setting, value in (("SHORT", 30), ("LONGEST", 30), ("BLOCK", 30), ("LOOKED_AT", 2)):
        monkeypatch.setattr(seeking, setting, value)
    monkeypatch.setattr(report_counts, "COUNT_SECONDS", -1.0)
    found, stretches, after = list[Row](), list[Stretch](), ""
    while True:
        page = reports.page(auditor, name, after=after, limit=limit)
        assert page.counted is not None, "no page of this is the whole"
        assert len(page.rows) <= limit
        if page.counted not in stretches:
            stretches.append(page.counted)
        assert page.onward == ("" if page.counted.last is None else str(page.counted.last + 1))
        found += page.rows
        after = page.after
        if not after:
            break
    assert len(stretches) > 3
    assert [one.first for one in stretches[1:]] == [one.last + 1 for one in stretches[:-1] if one.last is not None]
    assert (stretches[0].first, stretches[-1].last) == (0, None)
    assert summed(found) == summed(whole)
    ahead = [reports.page(auditor, name, after=str(one.first), limit=1000) for one in stretches]
    assert [page.counted for page in ahead] == stretches, "a stretch is reached without the rows of those before"
    assert list(reports.rows(auditor, name)) == whole, "what is taken away is counted to the end"


@pytest.mark.parametrize(
    "mark", ["5\x1f4\x1fa\x1fb\x1fc", "0\x1f\x1fa", "\x1f4\x1fa\x1fb\x1fc", "0\x1fx\x1fa\x1fb\x1fc"]
)
def test_a_mark_of_no_stretch(busy: Premises, reports: Reports, mark: str) -> None:
    with pytest.raises(AccessError, match="not_found"):
        reports.page(busy.actors["auditor"], ReportName.ENTRIES, after=mark)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_entries_are_counted_door_after_door(premises: Premises, reports: Reports, limit: int) -> None:
    people = [premises.person(name).id for name in ("Ana", "Luis")]
    for door in ("sub-1", "", "cd-1", "a-door"):
        for person in (*people, ""):
            for fact in (Fact.DOOR_GRANTED, Fact.DOOR_EXITED, Fact.DOOR_REFUSED):
                noted(premises, fact, door=door, person=person)
    rows = pieces(premises, reports, ReportName.ENTRIES, Wanted(), limit)
    expected = [
        (door, person, fact.value, 1)
        for door in ("a-door", "cd-1", "sub-1", "")
        for person in sorted((*people, ""))
        for fact in (Fact.DOOR_GRANTED, Fact.DOOR_EXITED)
    ]
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == expected
    assert {row[2] for row in rows if row[1]} == {"Ana", "Luis"}
    assert len(pieces(premises, reports, ReportName.ENTRIES, Wanted(person=people[0]), limit)) == 8


def test_entries_and_refusals_are_counted(busy: Premises, reports: Reports) -> None:
    auditor = busy.actors["auditor"]
    rows = list(reports.rows(auditor, ReportName.ENTRIES, Wanted(door="cd-1")))
    assert [(row[0], row[2], row[4]) for row in sorted(rows, key=lambda row: str(row[2]))] == [
        ("cd-1", "=Ana", 16),
        ("cd-1", "Luis", 16),
        ("cd-1", "María José Ñandú", 16),
    ]
    (row,) = reports.rows(auditor, ReportName.REFUSALS, Wanted(until=START + HOUR))
    assert row[:4] == ("outside_schedule", "N10.3", "cd-1", 4)
    assert (row[4], row[5]) == (START + timedelta(minutes=9), START + timedelta(minutes=39))


def test_where_it_was_blind(premises: Premises, reports: Reports) -> None:
    with premises.store.begin() as tx:
        tx.devices.add(Device(id="desk", transport=Transport.RDM6300))
        tx.record(Fact.SITE_APPLIED, at=premises.tick(), actor=SYSTEM)
        tx.commit()
    noted(premises, Fact.DEVICE_OFFLINE, device="lobby")
    began = premises.now
    premises.now += 2 * HOUR
    middle = premises.now
    noted(premises, Fact.DEVICE_OFFLINE, device="desk")
    noted(premises, Fact.DEVICE_CLOCK_DOUBTFUL, device="lobby")
    noted(premises, Fact.DEVICE_CLOCK_SET, device="lobby")
    noted(premises, Fact.DEVICE_ONLINE, device="lobby")
    noted(premises, Fact.DEVICE_LOG_GAP, device="lobby", data={"missing": 7})
    noted(premises, Fact.VISIT_REGISTERED, data={"folio": "C-0004"})
    noted(premises, Fact.VISIT_REGISTERED, data={"folio": ""})
    rows = list(reports.rows(premises.actors["auditor"], ReportName.BLIND_SPOTS))
    assert [(row[0], row[1]) for row in rows] == [
        (Fact.DEVICE_OFFLINE, "lobby"),
        (Fact.DEVICE_OFFLINE, "desk"),
        (Fact.DEVICE_CLOCK_DOUBTFUL, "lobby"),
        (Fact.DEVICE_LOG_GAP, "lobby"),
        (Fact.VISIT_REGISTERED, ""),
    ]
    assert rows[0][3] == began
    assert rows[0][5] == 2 * 3600 + 4
    assert rows[1][4] is None, "still off"
    assert '"missing":7' in str(rows[3][7])
    of_door = list(reports.rows(premises.actors["auditor"], ReportName.BLIND_SPOTS, Wanted(door="sub-1")))
    assert [row[1] for row in of_door] == ["lobby"] * 3, "a door was blind while the device that guards it was"
    assert list(reports.rows(premises.actors["auditor"], ReportName.BLIND_SPOTS, Wanted(door="cd-1"))) == []
    later = list(reports.rows(premises.actors["auditor"], ReportName.BLIND_SPOTS, Wanted(since=middle)))
    assert (later[0][1], later[0][3]) == ("lobby", began), "off before the time began"
    assert len(pieces(premises, reports, ReportName.BLIND_SPOTS, Wanted(since=middle), 2)) == len(later)


def test_how_long_a_revocation_took(premises: Premises, reports: Reports) -> None:
    person = premises.person("Luis")
    at = premises.tick()
    with premises.store.begin() as tx:
        tx.removals.add(
            Removal(id="r1", person=person.id, requested_by=person.id, registered_by="x", reason="baja", at=at)
        )
        for number, confirmed in enumerate((at + timedelta(minutes=3), None)):
            target = RemovalTarget(id=f"t{number}", removal="r1", device="lobby", doors=(), confirmed_at=confirmed)
            tx.removal_targets.add(target)
        tx.record(Fact.REMOVAL_REQUESTED, at=at, actor=SYSTEM, person=person.id)
        tx.commit()
    premises.now = at + HOUR
    (row,) = reports.rows(premises.actors["jefe"], ReportName.REVOCATIONS)
    assert row[2:6] == ("Luis", "baja", 1, 2)
    assert isinstance(row[6], int)
    assert row[6] >= 3600, "one has not confirmed: exposed up to now"
    assert row[7] == "lobby"


def test_revocations_of_a_time_begin_on_the_first_page(premises: Premises, reports: Reports) -> None:
    person = premises.person("Luis")
    moments = [premises.tick() for _ in range(6)]
    with premises.store.begin() as tx:
        for number, at in enumerate(moments):
            about = Removal(
                id=f"r{number}", person=person.id, requested_by=person.id, registered_by="x", reason="", at=at
            )
            tx.removals.add(about)
            tx.record(Fact.REMOVAL_REQUESTED, at=at, actor=SYSTEM, person=person.id)
        tx.commit()
    wanted = Wanted(since=moments[1], until=moments[3])
    head = premises.actors["jefe"]
    first = reports.page(head, ReportName.REVOCATIONS, wanted, limit=1)
    assert [row[0] for row in first.rows] == [moments[2]], "later ones do not stand before them as an empty page"
    second = reports.page(head, ReportName.REVOCATIONS, wanted, after=first.after, limit=1)
    assert ([row[0] for row in second.rows], second.after) == ([moments[1]], "")


def test_what_leaves_the_panel_is_on_the_record(busy: Premises, reports: Reports) -> None:
    auditor = busy.actors["auditor"]
    content = b"".join(reports.csv(auditor, ReportName.ENTRIES)).decode()
    table = list(csv.reader(io.StringIO(content)))
    assert tuple(table[0]) == REPORTS[ReportName.ENTRIES].columns
    assert {row[2] for row in table[1:]} == {"'=Ana", "Luis", "María José Ñandú"}
    pdf = reports.pdf(auditor, ReportName.ENTRIES, Wanted(door="cd-1"))
    with pdfplumber.open(io.BytesIO(pdf)) as drawn:
        text = drawn.pages[0].extract_text() or ""
    assert "Ingresos y salidas por puerta y persona" in text
    assert "Ñandú" in text
    SearchDesk(busy.office).searched(auditor, EventFilter(credential="pin:1001"))
    SearchDesk(busy.office).searched(auditor, EventFilter(doors=("cd-1",)))
    rows = list(reports.rows(auditor, ReportName.LOOKED_AT))
    assert [(row[2], row[3], row[4]) for row in rows] == [
        (auditor.account, Fact.EXPORT_MADE, "entries"),
        (auditor.account, Fact.EXPORT_MADE, "entries"),
        (auditor.account, Fact.RECORD_SEARCHED, ""),
    ]
    assert "pin:1001" in str(rows[2][5])


def test_every_reason_and_fact_has_its_word_on_paper() -> None:
    assert set(Reason) - set(REASONS) == set()
    assert set(Fact) - set(EVENTS) == set()


@pytest.mark.parametrize("name", ReportName)
def test_every_report_has_its_words(busy: Premises, reports: Reports, name: ReportName) -> None:
    assert name in TITLES
    assert set(REPORTS[name].columns) - NOT_ON_PAPER <= set(COLUMNS)
    assert reports.pdf(busy.actors["auditor"], name).startswith(b"%PDF")


@pytest.mark.parametrize("name", ReportName)
@pytest.mark.parametrize("mark", ["x", "\x1f", "1\x1f2\x1f3\x1f4", "-1", "²", "9" * 40, "' OR '1'='1", "x" * 5000])
def test_a_mark_that_is_none(busy: Premises, reports: Reports, name: ReportName, mark: str) -> None:
    reason = Reason.NOT_FOUND
    try:
        page = reports.page(busy.actors["auditor"], name, after=mark)
    except AccessError as refused:
        reason = refused.reason
    else:
        assert len(page.rows) <= 200
    assert reason is Reason.NOT_FOUND


def test_who_may_not(busy: Premises, reports: Reports) -> None:
    for name in ReportName:
        with pytest.raises(AccessError, match="wrong_role"):
            reports.page(busy.actors["recepcion"], name)
    with pytest.raises(AccessError, match="wrong_role"):
        list(reports.csv(busy.actors["guardia"], ReportName.ENTRIES))


def test_searches_are_kept_by_whom_they_belong_to(busy: Premises) -> None:
    desk, auditor, jefe = SearchDesk(busy.office), busy.actors["auditor"], busy.actors["jefe"]
    first = desk.save(auditor, name=" Rechazos ", query="event=door%3Aentry%3Arefused&q=%25'")
    assert first.name == "Rechazos"
    second = desk.save(auditor, name="Rechazos", query="x=1")
    assert desk.saved(auditor) == [second]
    assert desk.saved(jefe) == []
    with pytest.raises(AccessError, match="not_found"):
        desk.forget(jefe, second.id)
    desk.forget(auditor, second.id)
    assert desk.saved(auditor) == []
    for number in range(50):
        desk.save(auditor, name=f"n{number}", query="")
    with pytest.raises(AccessError, match="text_invalid"):
        desk.save(auditor, name="one more", query="")
    for name, query in (("", "x"), ("x" * 101, "x"), ("x", "x" * 2001), ("a\x00", "")):
        with pytest.raises(AccessError):
            desk.save(auditor, name=name, query=query)
