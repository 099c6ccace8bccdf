"""The rectangles on paper are the modules of the code: read back from the PDF, module by module."""

import pytest
import segno

from accessctl.documents.imprint import EntryReference, Evidence
from accessctl.documents.qr import QUIET
from accessctl.documents.receipt import render_receipt
from accessctl.documents.style import INK
from tests.documents.samples import CHECKPOINT, EVIDENCE, LEAF, read, receipt


def test_the_code_on_paper_is_the_reference() -> None:
    page = read(render_receipt(receipt()))[0]
    matrix = segno.make(EVIDENCE.qr_text, error="m", micro=False, boost_error=False).matrix
    boxes = [box for box in page.rects if box["non_stroking_color"] == INK and box["top"] > 600 and box["fill"]]
    module = min(box["height"] for box in boxes)
    left, top = min(box["x0"] for box in boxes), min(box["top"] for box in boxes)
    dark = {
        (round((box["top"] - top) / module), round((box["x0"] - left) / module) + step)
        for box in boxes
        for step in range(round(box["width"] / module))
    }
    expected = {(row, column) for row, line in enumerate(matrix) for column, on in enumerate(line) if on}
    assert dark == expected
    assert left - 42 >= QUIET * module - 0.1  # nothing is printed left of the quiet zone; the text stands right of it
    assert module * 25.4 / 72 >= 0.33  # millimetres: what a telephone reads without effort


def test_an_entry_is_named_by_origin_index_and_leaf() -> None:
    alone = Evidence(origin="accesos.example.gt", entry=EntryReference(index=7, leaf=LEAF))
    assert alone.qr_text == f"accesos.example.gt\nentry 7\nleaf {LEAF.hex()}\n"


def test_a_checkpoint_alone_is_the_body_of_its_note() -> None:
    origin, size, root = Evidence(origin="accesos.example.gt", checkpoint=CHECKPOINT).qr_text.splitlines()
    assert (origin, size) == ("accesos.example.gt", "1240")
    assert len(root) == 44


@pytest.mark.parametrize("origin", ["", "a\nb", "x" * 121])
def test_an_origin_is_one_bounded_line(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        Evidence(origin=origin, checkpoint=CHECKPOINT)


def test_evidence_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="entry"):
        Evidence(origin="accesos.example.gt")
