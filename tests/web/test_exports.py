"""Exports made in the panel verify on their own, belong to whoever made them, and leave nothing when refused."""

import csv
import errno
import html
import io
import re
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.record import RecordBroken, Why, verify_file
from accessctl.services.erasure import ErasureDesk
from accessctl_web.export_room import LONGEST, ExportRoom, Said
from accessctl_web.export_shelf import KEPT, ExportShelf, Progress, clear_shelves
from tests.web.house import BEGINS, KEEP, House, post
from tests.web.visiting import visit_at

EXPORT = re.compile(r'href="(/exportar/[^"?]+/[^"]+)"')


def links(page: str) -> list[str]:
    return EXPORT.findall(page)


def made(house: House) -> None:
    """Wait until the export room has nothing left to do."""
    assert house.app.extensions["accessctl_exports"].settled(20)


def test_a_day_of_one_door_is_exported_and_verifies(house: House, tmp_path: Path) -> None:
    house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", n=1, door="sub-2")
    head = house.client(Role.JEFE)
    fields = {"since": "2026-11-24", "until": "2026-11-24", "door": "sub-1", "kind": "doors", "format": "csv"}
    assert post(head, "/exportar/", **fields).status_code == 303
    made(house)
    found = links(head.get("/exportar/").text)
    assert [Path(one).suffix for one in found] == [".csv", ".manifest", ".proofs", ".py"]
    for one in found:
        answer = head.get(one)
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        (tmp_path / Path(one).name).write_bytes(answer.data)
        answer.close()
    table = tmp_path / Path(found[0]).name
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert [row["door"] for row in rows] == ["sub-1"]
    assert verify_file(table).entries == 1


def test_the_shelf_says_what_each_export_is_and_a_public_one_is_named_so(house: House) -> None:
    house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    head = house.client(Role.JEFE)
    fields = {"since": "2026-11-24", "door": "sub-1", "kind": "granted", "person": house.user.id, "format": "jsonl"}
    for public in ("", "1"):
        assert post(head, "/exportar/", public=public, **fields).status_code == 303
        made(house)
    page = html.unescape(head.get("/exportar/").text)
    said = "desde 24/11/2026 00:00:00 · puerta Subgerencia, puerta principal"
    assert page.count(said) == 2
    assert f"persona {house.user.full_name}" in page
    assert "Ingreso permitido · persona … · versión pública · 1 asiento" in page
    names = {Path(one).name for one in links(page)}
    assert sum("-publico.jsonl" in one for one in names) == 4
    (file,) = (one for one in links(page) if one.endswith("-publico.jsonl"))
    with head.get(file) as answer:
        assert house.user.full_name not in answer.text


def test_a_visit_is_exported_by_its_number_and_one_that_is_none_is_refused(house: House) -> None:
    visit_at(house, step=9)
    head = house.client(Role.JEFE)
    assert post(head, "/exportar/", visit="1", format="csv").status_code == 303
    made(house)
    with head.get(links(head.get("/exportar/").text)[0]) as answer:
        rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) > 3
    assert len({row["visit"] for row in rows}) == 1
    assert post(head, "/exportar/", visit="999", format="csv").status_code == 404


def test_who_is_erased_is_on_no_shelf_any_more(house: House) -> None:
    person = house.person("Ñandú Quemé", number=40_000_000)
    head = house.client(Role.JEFE)
    post(head, "/exportar/", person=person.id, format="csv")
    made(house)
    folder = house.folder / "exports"
    held = b"".join(one.read_bytes() for one in folder.rglob("*.csv"))
    assert "Ñandú".encode() in held
    house.clock.forward(days=4000)
    desk = ErasureDesk(house.office, KEEP, house.store.scrub, partial(clear_shelves, folder))
    assert desk.erase(house.actor(Role.ADMIN), person.id, why="venció el plazo").exports == 1
    assert [one for one in folder.rglob("*") if one.is_file()] == []
    assert clear_shelves(folder / "none") == 0


def test_what_was_exported_belongs_to_whoever_asked(house: House) -> None:
    house.happens(Fact.DOOR_GRANTED)
    head, auditor = house.client(Role.JEFE), house.client(Role.AUDITOR)
    post(head, "/exportar/", format="jsonl")
    made(house)
    (found, *_) = links(head.get("/exportar/").text)
    assert auditor.get(found).status_code == 404
    assert links(auditor.get("/exportar/").text) == []
    for path in ("/exportar/../x", "/exportar/%2e%2e/house.db", found.replace("registro", "../registro"), f"{found}.x"):
        assert head.get(path).status_code in {404, 308}, path


@pytest.mark.parametrize(
    "fields", [{"since": "ayer"}, {"since": "2026-11-24", "until": "2026-11-23"}, {"since": "9999-12-31"}]
)
def test_a_day_that_is_none_is_refused_and_stays_on_the_form(house: House, fields: dict[str, str]) -> None:
    head = house.client(Role.JEFE)
    answer = post(head, "/exportar/", **fields)
    assert answer.status_code == 409
    assert f'value="{fields["since"]}"' in answer.text
    assert not (house.folder / "exports").exists() or links(head.get("/exportar/").text) == []


def test_an_unknown_person_leaves_no_file(house: House) -> None:
    head = house.client(Role.JEFE)
    assert post(head, "/exportar/", person="nadie").status_code == 404
    assert list((house.folder / "exports").rglob("*.csv*")) == []


def test_the_shelf_keeps_the_newest_and_refuses_other_peoples_names(tmp_path: Path) -> None:
    shelf = ExportShelf(tmp_path, "abc")
    for at in range(KEPT + 5):
        folder = shelf.place(BEGINS, f"{at:08x}", "x.csv")
        folder.main.write_bytes(b"x")
        folder.say(Progress.READY)
        folder.leave()
    assert len(shelf.exports()) == KEPT
    assert shelf.exports()[0].name.endswith(f"{KEPT + 4:08x}")
    with pytest.raises(ValueError, match="letters and digits"):
        ExportShelf(tmp_path, "../abc")


def test_an_export_shows_how_far_it_is_and_is_given_up_without_a_trace(tmp_path: Path) -> None:
    shelf, room = ExportShelf(tmp_path, "abc"), ExportRoom()
    under_way, go_on = Event(), Event()

    def slow(target: Path, said: Said) -> None:
        said(1000, 0.25)
        under_way.set()
        assert go_on.wait(20)
        said(2000, 0.5)
        target.write_bytes(b"whole")

    room.take(shelf.place(BEGINS, "1", "x.csv"), slow)
    room.take(shelf.place(BEGINS, "2", "x.csv"), slow)
    assert under_way.wait(20)
    second, first = shelf.exports()
    assert (first.progress, first.lines, first.percent) == (Progress.RUNNING, 1000, 25)
    assert second.progress is Progress.WAITING
    assert first.files == second.files == ()
    assert shelf.stop(second.name)
    go_on.set()
    assert room.settled(20)
    second, first = shelf.exports()
    assert (first.progress, [file.name for file in first.files]) == (Progress.READY, ["x.csv"])
    assert (second.progress, second.files) == (Progress.STOPPED, ())
    assert shelf.stop(second.name)
    assert [one.name for one in shelf.exports()] == [first.name]
    assert not shelf.stop("../abc")


def test_the_queue_is_bounded_and_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    shelf, room = ExportShelf(tmp_path, "abc"), ExportRoom()
    go_on, under_way = Event(), Event()

    def until_closed(target: Path, said: Said) -> None:
        under_way.set()
        while not go_on.wait(0.01):
            said(1, 0.1)

    room.take(shelf.place(BEGINS, "00", "x.csv"), until_closed)
    assert under_way.wait(20)
    for at in range(LONGEST):
        room.require_place()
        room.take(shelf.place(BEGINS, f"1{at}", "x.csv"), until_closed)
    with pytest.raises(AccessError, match="throttled"):
        room.require_place()
    room.close()
    assert {one.progress for one in shelf.exports()} == {Progress.STOPPED}


def test_a_full_disk_a_rewritten_record_and_a_dead_process_are_told_apart(tmp_path: Path) -> None:
    shelf, room = ExportShelf(tmp_path, "abc"), ExportRoom()
    faults = {
        Progress.DISK: OSError(errno.ENOSPC, "full"),
        Progress.TOO_LONG: OSError(errno.EFBIG, "long"),
        Progress.BROKEN: RecordBroken(Why.ENTRY_CHANGED, "changed", index=3),
        Progress.REFUSED: AccessError(Reason.NOT_FOUND),
    }

    def fails(target: Path, _: Said) -> None:
        raise list(faults.values())[int(target.parent.name[-1])]

    for at in range(len(faults)):
        room.take(shelf.place(BEGINS, str(at), "x.csv"), fails)
    assert room.settled(20)
    assert [one.progress for one in reversed(shelf.exports())] == list(faults)
    shelf.place(BEGINS, "9", "x.csv").leave()  # what the end of a process does
    assert shelf.exports()[0].progress is Progress.INTERRUPTED
