"""N10.4: the list is grouped by who owes, aged in days, and its table head stands on every page."""

from dataclasses import replace

import pytest

from accessctl.documents.outstanding import Owing, render_outstanding
from tests.documents.samples import HOSTILE, assert_nothing_overflows, outstanding, read, text

LISTED = outstanding(120)


def test_every_card_stands_under_its_head_with_its_age() -> None:
    found = text(render_outstanding(LISTED))
    assert "Responde: Carlos Ajú · 3 tarjetas pendientes, la más antigua de 2 días" in found
    assert "Responde: Rosa Tot · 117 tarjetas pendientes, la más antigua de 119 días" in found
    for place in range(120):
        assert f"{18226646 + place:010d} Persona {place} " in found
        assert f" {place} REM-{place:04d} Revocada" in found


def test_the_ages_are_counted() -> None:
    first = read(render_outstanding(LISTED))[0].extract_text()
    assert "Pendientes en total La más antigua Hasta 7 días\n120 119 días 8\n" in first
    assert "De 8 a 30 días De 31 a 90 días Más de 90 días\n23 60 29\n" in first


def test_the_head_of_the_table_stands_on_every_page() -> None:
    pages = read(render_outstanding(LISTED))
    assert len(pages) >= 4
    for page in pages:
        assert "No. Tarjeta Titular Desde Días Remoción Estado" in page.extract_text()
    assert all("Telecomunicaciones (continuación)" in page.extract_text() for page in pages[1:])


def test_an_empty_list_says_that_it_is_empty() -> None:
    assert "No hay tarjetas pendientes de entrega." in text(render_outstanding(replace(outstanding(0), owing=())))


def test_a_card_owed_since_tomorrow_is_a_bug() -> None:
    listed = outstanding(5)
    with pytest.raises(ValueError, match="REM-0000"):
        render_outstanding(replace(listed, as_of=listed.as_of.replace(day=23)))


def test_hostile_names_break_nothing() -> None:
    listed = outstanding(4)
    card = listed.owing[0].cards[0]
    owing = tuple(
        Owing(head=name, department=name, cards=(replace(card, holder=name, number=name, removal=name),))
        for name in HOSTILE
    )
    assert_nothing_overflows(render_outstanding(replace(listed, owing=owing)))
