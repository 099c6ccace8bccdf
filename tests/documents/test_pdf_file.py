"""The file beneath a PDF: every object lies where the table says, and nothing waits for the end to be written."""

import io
from dataclasses import replace

import pypdf
import pytest

from accessctl.documents.pdf import Pen
from accessctl.documents.pdf_file import PdfFile
from accessctl.documents.register import render_register, write_register
from accessctl.documents.style import LETTER
from tests.documents.samples import AT, read, register, register_line

LONG = register(tuple(map(register_line, range(2_000))))


def test_objects_come_in_any_order_and_are_found() -> None:
    out = io.BytesIO()
    file = PdfFile(out.write)
    file.add_stream(3, b"", b"0 0 10 10 re f")
    file.add(5, b"<< /Title (x) >>")
    file.add(1, b"<< /Type /Catalog /Pages 2 0 R >>")
    file.add(4, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 20 20] /Contents 3 0 R /Resources << >> >>")
    file.add(2, b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>")
    file.finish(root=b"1 0 R", info=b"5 0 R")
    (page,) = pypdf.PdfReader(out, strict=True).pages
    contents = page.get_contents()
    assert contents is not None
    assert contents.get_data() == b"0 0 10 10 re f"


def test_a_number_is_written_once_and_none_is_missing() -> None:
    file = PdfFile(io.BytesIO().write)
    file.add(2, b"<< >>")
    assert (1 in file, 2 in file, 3 in file) == (False, True, False)
    with pytest.raises(ValueError, match="2 is written already"):
        file.add(2, b"<< >>")
    with pytest.raises(ValueError, match="1 was never written"):
        file.finish(root=b"2 0 R", info=b"2 0 R")


def test_two_files_that_differ_have_different_ids() -> None:
    one, other = (pypdf.PdfReader(io.BytesIO(render_register(replace(LONG, keeper=keeper)))) for keeper in ("a", "b"))
    assert one.trailer["/ID"] != other.trailer["/ID"]


def test_a_page_is_out_when_it_ends() -> None:
    out = io.BytesIO()
    pen = Pen(out.write, size=LETTER, title="x", subject="x", author="x", at=AT)
    for page in range(1, 4):
        pen.text(50, 50, f"Hoja {page}", size=10)
        pen.end_page()
        assert out.getvalue().count(b"/Type /Page ") == page
    pen.finish()
    assert [page.extract_text() for page in read(out.getvalue())] == ["Hoja 1", "Hoja 2", "Hoja 3"]


def test_a_register_is_written_folio_by_folio() -> None:
    pieces: list[bytes] = []
    write_register(LONG, pieces.append)
    written = b"".join(pieces)
    assert written == render_register(LONG)
    pages = pypdf.PdfReader(io.BytesIO(written), strict=True).pages
    assert len(pages) == sum(b"/Type /Page " in piece for piece in pieces) > 50


def test_nothing_is_written_of_a_day_that_the_book_has_no_room_for() -> None:
    pieces: list[bytes] = []
    with pytest.raises(ValueError, match="the book has"):
        write_register(replace(LONG, folios_in_book=LONG.first_folio), pieces.append)
    assert pieces == []
