"""Any text comes out printable, measured and unshortened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics

from accessctl.documents.style import Face
from accessctl.documents.text import ABSENT, LONGEST, fit, printable, width, wrap
from tests.documents.samples import HOSTILE

anything = st.text(max_size=300)
rooms = st.floats(min_value=20, max_value=500)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("Ana Lucía Ñandú", "Ana Lucía Ñandú"),
        ("Jose\u0301", "José"),
        ("<b>Ana</b>", "<b>Ana</b>"),
        ("Ana\nAutorizado: sí", "Ana Autorizado: sí"),
        ("a\u202eb", f"a{ABSENT}b"),
        ("a\u200bb\x00", f"a{ABSENT}b{ABSENT}"),
        ("\ud800", ABSENT),
        ("\uffff", ABSENT),
        ("\U0001f916", ABSENT),
        ("  a \t b  ", "a b"),
    ],
)
def test_what_cannot_be_seen_becomes_visible(given_text: str, expected: str) -> None:
    assert printable(given_text) == expected


def test_a_text_too_long_says_that_it_was_cut() -> None:
    assert printable("x" * (LONGEST + 1)).endswith(f"[… {LONGEST + 1} caracteres en total]")


@given(anything)
def test_printing_twice_changes_nothing(given_text: str) -> None:
    assert printable(printable(given_text)) == printable(given_text)


@given(anything, rooms, st.sampled_from(Face))
def test_wrapping_loses_nothing_and_no_line_is_too_wide(given_text: str, room: float, face: Face) -> None:
    lines = wrap(given_text, room, 9, face)
    assert "".join(lines).replace(" ", "") == printable(given_text).replace(" ", "")
    assert all(width(line, 9, face) <= room + 1e-6 or len(line) == 1 for line in lines)


@given(anything, rooms)
def test_fitting_keeps_to_one_line(given_text: str, room: float) -> None:
    fitted = fit(given_text, room, 9)
    assert width(fitted, 9) <= room
    assert fitted == printable(given_text) or fitted.endswith("…")


@pytest.mark.parametrize("given_text", ["Ana Lucía", "WWW", *HOSTILE])
@pytest.mark.parametrize("face", Face)
def test_the_measure_is_the_fonts_own(given_text: str, face: Face) -> None:
    name = face.value.removesuffix(".ttf")
    shown = printable(given_text)
    assert width(shown, 9, face) == pytest.approx(pdfmetrics.stringWidth(shown, name, 9), abs=0.01)


def test_words_go_to_the_next_line_whole() -> None:
    assert wrap("uno dos tres", width("uno dos", 9), 9) == ["uno dos", "tres"]


def test_an_empty_text_is_one_empty_line() -> None:
    assert wrap("", 100, 9) == [""]
