"""P10.04 on paper: all that was agreed, the signature as vectors, and names that try to break out."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.documents.receipt import OBLIGATIONS, render_receipt
from accessctl.documents.style import A4
from accessctl.documents.text import printable
from tests.documents.samples import HOSTILE, assert_nothing_overflows, read, receipt, signature, text


def test_it_says_who_received_what_and_on_which_terms() -> None:
    found = text(render_receipt(receipt()))
    for said in (
        *("Ana Lucía Pérez Sicajá", "DPI 2517 40192 0101", "ACC-2026-0042", "0018226646", "022,07638"),
        *("Puerta 2", "Hábiles 07–18", "24/11/2026", "24/11/2027", "Carlos Humberto Ajú", "Marta Chávez"),
        *OBLIGATIONS,
        *("P10.04", "N10.4"),
    ):
        assert said in found, said


def test_an_ordinary_receipt_is_one_page() -> None:
    assert len(read(render_receipt(receipt()))) == 1
    assert len(read(render_receipt(receipt(signed=False), size=A4))) == 1


def test_the_signature_is_drawn_as_curves_inside_its_box() -> None:
    page = read(render_receipt(receipt()))[0]
    box = next(one for one in page.rects if one["stroke"] and not one["fill"] and one["height"] > 70)
    curves = [one for one in page.curves if one["stroke"]]
    assert len(curves) == 3  # the wave, the line across the canvas, the dot
    for curve in curves:
        assert box["x0"] <= curve["x0"] <= curve["x1"] <= box["x1"]
        assert box["top"] <= curve["top"] <= curve["bottom"] <= box["bottom"]
    assert not page.images


def test_the_digest_of_the_strokes_stands_beside_it() -> None:
    assert signature().digest.hex() in text(render_receipt(receipt())).replace(" ", "")


def test_on_paper_there_is_room_to_sign() -> None:
    found = text(render_receipt(receipt(signed=False)))
    assert "Firma de puño y letra" in found
    assert "SHA-256 de los trazos" not in found


def test_without_an_end_the_validity_says_so() -> None:
    assert "Sin fecha de vencimiento" in text(render_receipt(replace(receipt(), valid_until=None)))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_breaks_nothing(name: str) -> None:
    document = render_receipt(
        replace(receipt(person=name), department=name, post=name, request=name, identity_document=name)
    )
    assert_nothing_overflows(document)
    shown = text(document).replace(" ", "")
    if printable(
        name
    ).isascii():  # what is drawn over its neighbour, as a combining sign is, is extracted in another order
        assert printable(name).replace(" ", "") in shown


@settings(max_examples=8, deadline=None)
@given(st.text(max_size=200), st.integers(0, 60))
def test_any_name_and_any_number_of_doors(name: str, doors: int) -> None:
    assert_nothing_overflows(render_receipt(receipt(person=name, doors=doors)))
