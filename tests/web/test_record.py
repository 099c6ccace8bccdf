"""The record in the panel: searched a page at a time, each entry with its proof, checkpoints that are kept and held."""

import html
import io
import re
from pathlib import Path

import pytest

from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.record import verify_extension, verify_proof
from accessctl.services import watch
from accessctl.services.store import DeviceEvent, EventFilter
from accessctl.storage import seeking
from accessctl_web.record_pages import SHOWN
from tests.web.house import CARD, House, post
from tests.web.visiting import visit_at


def found(page: str) -> list[int]:
    return [int(index) for index in re.findall(r'href="/registro/(\d+)"', page)]


def test_a_search_finds_what_each_field_says(house: House) -> None:
    house.stock()
    granted = house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    house.clock.forward(days=1)
    refused = house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", n=1, door="sub-2")
    auditor = house.client(Role.AUDITOR)
    for asked, expected in (
        ({"kind": "doors"}, [refused, granted]),
        ({"kind": "refused"}, [refused]),
        ({"kind": "door:entry:granted"}, [granted]),
        ({"kind": "doors", "person": house.user.id}, [granted]),
        ({"kind": "doors", "door": "sub-2"}, [refused]),
        ({"kind": "doors", "norm": "n10.3"}, [refused]),
        ({"card": "0025489530", "kind": "doors"}, [refused, granted]),
        ({"card": f"em4100:40:{CARD}", "kind": "doors"}, [refused, granted]),
        ({"kind": "doors", "until": "2026-11-24"}, [granted]),
        ({"kind": "doors", "since": "2026-11-25T08:00", "until": "2026-11-25T08:00"}, [refused]),
        ({"kind": "doors", "since": "2026-11-25T08:01"}, []),
        ({"visit": "ninguna"}, []),
        ({"card": "' OR '1'='1"}, []),
        ({"norm": "%"}, []),
    ):
        page = auditor.get("/registro/", query_string=asked)
        assert page.status_code == 200, asked
        assert found(page.text) == expected, asked


@pytest.mark.parametrize(
    "asked", [{"since": "ayer"}, {"since": "2026-11-24", "until": "2026-11-23"}, {"kind": "x"}, {"before": "-1"}]
)
def test_a_search_that_is_none_is_refused_and_stays_on_the_form(house: House, asked: dict[str, str]) -> None:
    page = house.client(Role.AUDITOR).get("/registro/", query_string=asked)
    assert page.status_code == 409
    assert "El texto no se acepta: revise " in page.text
    assert ("la última es anterior a la primera" in page.text) == ("until" in asked)


def test_a_visit_is_found_by_its_number(house: House) -> None:
    visit = visit_at(house, step=9)
    auditor = house.client(Role.AUDITOR)
    assert 'name="visit"' in auditor.get("/registro/").text
    by_number, by_id = (found(auditor.get("/registro/", query_string={"visit": one}).text) for one in ("1", visit))
    assert len(by_number) > 3
    assert by_number == by_id
    assert found(auditor.get("/registro/?visit=1&kind=cards").text) == []
    assert found(auditor.get("/registro/?visit=2").text) == []
    assert 'href="/registro/?visit=1"' in auditor.get(f"/registro/{by_number[0]}").text


def test_a_refusal_and_a_devices_clock_are_read_without_blanks(house: House) -> None:
    with house.store.begin() as tx:
        event = DeviceEvent(
            identity="cd-panel/1", fact=Fact.DOOR_REFUSED, at=house.clock(), received_at=house.clock(),
            device="cd-panel", door="cd-1", reason="duties_not_separated", norm="N10.3",
            device_time="2026-11-24T07:58:02", skew_s=-7260,
        )  # fmt: skip
        (index,) = tx.events.store([event])
        tx.commit()
    page = house.client(Role.AUDITOR).get(f"/registro/{index}").text
    assert "24/11/2026 07:58:02" in page
    assert "−2 h 01 min" in page
    assert "«…»" not in page
    assert "Una misma persona no puede autorizar, configurar y recibir." in page


def test_pages_hold_each_entry_once_while_the_record_grows(house: House) -> None:
    made = [house.happens(Fact.DOOR_GRANTED, n=at) for at in range(2 * SHOWN + 5)]
    auditor = house.client(Role.AUDITOR)
    page, seen = auditor.get("/registro/?kind=doors").text, []
    for at in range(3):
        seen += found(page)
        house.happens(Fact.DOOR_GRANTED, n=1000 + at)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if older is not None:
            page = auditor.get(html.unescape(older.group(1))).text
    assert seen == made[::-1]
    newer = re.search(r'rel="prev" href="([^"]+)"', page)
    assert newer is not None
    assert found(auditor.get(html.unescape(newer.group(1))).text) == made[5 : 5 + SHOWN][::-1]


def test_a_search_whose_time_is_over_says_how_far_it_came_and_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [house.happens(Fact.DOOR_GRANTED if at % 7 else Fact.DOOR_FORCED, n=at) for at in range(90)]
    for name, value in (("SHORT", 20), ("LONGEST", 20), ("BLOCK", 20), ("LOOKED_AT", 2)):
        monkeypatch.setattr(seeking, name, value)
    monkeypatch.setattr(watch, "SEARCH_SECONDS", -1.0)
    auditor = house.client(Role.AUDITOR)
    page, seen, pages = auditor.get("/registro/?kind=door:leaf:forced").text, [], 1
    while (older := re.search(r'rel="next" href="([^"]+)"', page)) is not None:
        seen += found(page)
        assert "Se buscó hasta el asiento" in page
        assert "Ningún asiento con esos datos" not in page
        page, pages = auditor.get(html.unescape(older.group(1))).text, pages + 1
    seen += found(page)
    assert seen == [index for at, index in enumerate(made) if at % 7 == 0][::-1]
    assert pages > 3


def test_an_entry_shows_its_bytes_its_leaf_and_what_happened_around_it(house: House) -> None:
    index = house.happens(Fact.DOOR_REFUSED, reason="expired", norm="N10.3", person=house.user.id)
    house.happens(Fact.DOOR_GRANTED, n=1)
    auditor = house.client(Role.AUDITOR)
    page = auditor.get(f"/registro/{index}").text
    with house.store.view() as tx:
        ((_, data, leaf),) = tx.ledger.entries(index, index + 1)
    assert html.escape(data.decode(), quote=False).replace('"', "&#34;") in page
    assert leaf.hex() in page
    assert set(range(index - 3, index + 2)) <= set(found(page))
    assert auditor.get(f"/registro/{index + 50}").status_code == 404
    assert auditor.get("/registro/99999999999999999999").status_code == 404


def test_the_proof_of_an_entry_verifies_and_discloses_only_where_asked(house: House) -> None:
    index = house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    auditor = house.client(Role.AUDITOR)
    bare = post(auditor, f"/registro/{index}/prueba")
    assert bare.headers["Content-Disposition"].startswith("attachment; ")
    assert verify_proof(bare.data)[1]["event"] == "door:entry:granted"
    assert "Fernando" not in bare.text
    assert "Fernando" in post(auditor, f"/registro/{index}/prueba", disclose="1").text
    with house.store.view() as tx:
        proofs = tx.events.rows(EventFilter(person=house.user.id, events=(Fact.EXPORT_MADE.value,)), limit=10)
    assert len(proofs) == 2, "whoever an entry is about can see who took its proof"
    assert post(house.client(Role.GUARDIA), f"/registro/{index}/prueba").status_code == 403
    assert post(auditor, "/registro/999999/prueba").status_code == 404


def test_the_note_that_one_kept_is_proven_to_be_the_beginning_of_todays(house: House) -> None:
    auditor = house.client(Role.AUDITOR)
    note, key = auditor.get("/punto-de-control/nota").data, auditor.get("/punto-de-control/llave").text.strip()
    assert key in auditor.get("/punto-de-control/").text
    house.happens(Fact.DOOR_GRANTED)
    page = post(auditor, "/punto-de-control/continuidad", file=(io.BytesIO(note), "nota"))
    assert page.status_code == 200
    assert "Probado: el registro solo creció." in page.text
    for saved in (note.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + note):  # as a mail or an editor leaves it
        page = post(auditor, "/punto-de-control/continuidad", file=(io.BytesIO(saved), "nota"))
        assert "Probado: el registro solo creció." in page.text
    file = post(auditor, "/punto-de-control/continuidad", note=note.decode(), save="1")
    assert verify_extension(file.data).held == 1


@pytest.mark.parametrize("note", ["", "x", "a\n1\nAAAA\n", "\x00" * 9000, "é" * 9000])
def test_a_note_that_is_none_of_ours_is_refused_in_one_sentence(house: House, note: str) -> None:
    auditor = house.client(Role.AUDITOR)
    for fields in ({"note": note}, {"file": (io.BytesIO(note.encode()), "nota")}):
        page = post(auditor, "/punto-de-control/continuidad", **fields)
        assert page.status_code == 409
        assert "No probado." in page.text
    forged = auditor.get("/punto-de-control/nota").text.replace("\n", "\n1", 1)
    assert "La firma es falsa" in post(auditor, "/punto-de-control/continuidad", note=forged).text


def test_a_record_that_was_rewritten_is_named_as_such_and_signs_nothing(house: House, tmp_path: Path) -> None:
    auditor = house.client(Role.AUDITOR)
    note = auditor.get("/punto-de-control/nota").text
    with house.store.begin() as tx:
        for trigger in ("checkpoint_no_update", "tile_no_update", "entry_no_update"):
            tx._transaction.connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        tx._transaction.connection.exec_driver_sql("UPDATE entry SET leaf = zeroblob(32) WHERE idx = 3")
        tx._transaction.connection.commit()
    house.happens(Fact.DOOR_GRANTED)
    for answer in (
        auditor.get("/punto-de-control/"),
        auditor.get("/punto-de-control/nota"),
        post(auditor, "/punto-de-control/continuidad", note=note),
    ):
        assert answer.status_code == 409
        assert "fue reescrito" in answer.text
