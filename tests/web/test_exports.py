"""Exports made in the panel verify on their own, belong to whoever made them, and leave nothing when refused."""

import csv
import io
import re
from pathlib import Path

import pytest

from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.record import verify_file
from accessctl_web.export_shelf import KEPT, ExportShelf
from tests.web.house import BEGINS, House, post


def links(page: str) -> list[str]:
    return re.findall(r'href="(/exportar/[^"]+)"', page)


def test_a_day_of_one_door_is_exported_and_verifies(house: House, tmp_path: Path) -> None:
    house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", n=1, door="sub-2")
    head = house.client(Role.JEFE)
    fields = {"since": "2026-11-24", "until": "2026-11-24", "door": "sub-1", "format": "csv"}
    assert post(head, "/exportar/", **fields).status_code == 303
    found = links(head.get("/exportar/").text)
    assert [Path(one).suffix for one in found] == [".csv", ".manifest", ".proofs"]
    for one in found:
        answer = head.get(one)
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        (tmp_path / Path(one).name).write_bytes(answer.data)
        answer.close()
    table = tmp_path / Path(found[0]).name
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert [row["door"] for row in rows] == ["sub-1"]
    assert verify_file(table).entries == 1


def test_what_was_exported_belongs_to_whoever_asked(house: House) -> None:
    house.happens(Fact.DOOR_GRANTED)
    head, auditor = house.client(Role.JEFE), house.client(Role.AUDITOR)
    post(head, "/exportar/", format="jsonl", what="all")
    (found, *_) = links(head.get("/exportar/").text)
    assert auditor.get(found).status_code == 404
    assert links(auditor.get("/exportar/").text) == []
    for path in ("/exportar/../x", "/exportar/%2e%2e/house.db", found.replace("eventos", "../eventos"), f"{found}.x"):
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
        shelf.place(BEGINS, f"{at:08x}", "csv").write_bytes(b"x")
    assert len(shelf.exports()) == KEPT
    assert shelf.exports()[0].name.endswith(f"{KEPT + 4:08x}")
    with pytest.raises(ValueError, match="letters and digits"):
        ExportShelf(tmp_path, "../abc")
