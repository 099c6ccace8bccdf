"""N4.1: numbered lines on numbered folios, nothing cut, closed at the end."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.documents.parts import Column
from accessctl.documents.register import Register, RegisterLine, count_folios, render_register
from accessctl.documents.text import printable
from tests.documents.samples import (
    HOSTILE,
    assert_nothing_overflows,
    read,
    register,
    register_line,
    text,
)


def test_every_line_is_numbered_and_stands_once_and_in_order() -> None:
    day = register(tuple(map(register_line, range(1, 201))))
    found = re.findall(r"(?m)^(\d+) 07:31:05 Persona (\d+) Puerta 1 concedido$", _lines(day))
    assert found == [(str(number), str(number)) for number in range(1, 201)]


def test_folios_are_numbered_in_the_book_and_counted_beforehand() -> None:
    day = replace(register(tuple(map(register_line, range(200)))), folios_in_book=200)
    pages = read(render_register(day))
    assert len(pages) == count_folios(day) > 3
    for place, page in enumerate(pages):
        assert f"Folio {147 + place} de 200" in page.extract_text()
        assert "No. Hora Nombre Puerta Evento" in page.extract_text()
        assert page.width > page.height


def test_the_day_is_closed_once_and_the_rest_struck_out() -> None:
    pages = [page.extract_text() for page in read(render_register(register(tuple(map(register_line, range(60))))))]
    assert ["No hay más anotaciones" in page for page in pages] == [False] * (len(pages) - 1) + [True]
    assert "60 anotaciones, de la 1 a la 60; folios 147 a" in pages[-1]
    assert "Espacio anulado" in pages[-1]
    assert "Responsable del registro: Marta Chávez" in pages[-1]


def test_a_day_without_entries_is_a_folio_too() -> None:
    found = text(render_register(register(())))
    assert "día sin anotaciones; folio 147." in found
    assert "Autorización del libro: sin consignar" in found


@pytest.mark.parametrize("count", range(25, 43))
def test_wherever_the_day_ends_the_closing_has_room(count: int) -> None:
    day = register(tuple(map(register_line, range(count))))
    pages = read(render_register(day))
    assert len(pages) == count_folios(day)
    last = pages[-1]
    signing = last.search("Responsable del registro")[0]
    assert signing["bottom"] < last.search("Punto de control")[0]["top"]


def test_a_remark_stands_below_its_line() -> None:
    remark = "Ingreso fortuito (N4.2): autorizó el Subgerente por inundación."
    found = _lines(register((register_line(1), register_line(2, remark=remark), register_line(3))))
    assert re.search(rf"2 07:31:05 Persona 2 .*\n{re.escape(remark)}\n3 07:31:05", found)


def test_a_book_without_folios_left_is_refused() -> None:
    with pytest.raises(ValueError, match="the book has 148"):
        render_register(replace(register(tuple(map(register_line, range(200)))), folios_in_book=148))


def test_lines_and_columns_must_agree() -> None:
    with pytest.raises(ValueError, match="3 cells for 4 columns"):
        render_register(register((RegisterLine(cells=("a", "b", "c")),)))


@pytest.mark.parametrize(
    "columns",
    [
        (),
        tuple(Column(title="x", share=1) for _ in range(17)),
        (Column(title="x", share=1), Column(title="y", share=0.001)),
        (Column(title="x" * 61, share=1),),
    ],
)
def test_columns_that_no_folio_has_room_for_are_refused(columns: tuple[Column, ...]) -> None:
    with pytest.raises(ValueError, match="column"):
        render_register(replace(register(()), columns=columns))


def test_a_text_of_many_lines_goes_on_over_folios_and_loses_nothing() -> None:
    long = " ".join(f"palabra{number}" for number in range(350))
    day = register(
        (register_line(1), RegisterLine(cells=("07:00:00", "Ana", long, "x"), remark=long), register_line(3))
    )
    document = render_register(day)
    assert_nothing_overflows(document)
    found = re.findall(r"palabra\d+", text(document))
    assert sorted(found) == sorted(long.split() * 2)


def test_hostile_cells_break_nothing() -> None:
    lines = tuple(RegisterLine(cells=(name,) * 4, remark=name) for name in HOSTILE)
    wide = "W" * 200
    day = replace(register(lines), place=wide, book=wide, authorisation=wide, keeper=wide)
    document = render_register(day)
    assert_nothing_overflows(document)
    shown = text(document).replace(" ", "")
    assert all(printable(name).replace(" ", "") in shown for name in HOSTILE[:4])


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=120), st.text(max_size=60)), max_size=40))
def test_any_day_is_printed_within_the_margins(entries: list[tuple[str, str]]) -> None:
    lines = tuple(RegisterLine(cells=("07:00", name, name, "x"), remark=remark) for name, remark in entries)
    day = register(lines)
    document = render_register(day)
    assert_nothing_overflows(document)
    assert len(read(document)) == count_folios(day)


def _lines(day: Register) -> str:
    return "\n".join(page.extract_text() for page in read(render_register(day)))
