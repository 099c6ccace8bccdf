"""The sheet: pagination, letterhead and foot, embedded fonts, metadata, and the same bytes for the same document."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.documents.imprint import Evidence
from accessctl.documents.notice import render_notice
from accessctl.documents.outstanding import render_outstanding
from accessctl.documents.page import NO_EVIDENCE, NOT_A_SIGNATURE, Strip, paginate
from accessctl.documents.receipt import render_receipt
from accessctl.documents.register import render_register
from accessctl.documents.style import A4
from tests.documents.samples import (
    CHECKPOINT,
    ENTRY,
    IMPRINT,
    assert_nothing_overflows,
    notice,
    outstanding,
    receipt,
    register,
    register_line,
    text,
)

RENDERED: dict[str, Callable[[], bytes]] = {
    "receipt": lambda: render_receipt(receipt()),
    "receipt on paper, A4": lambda: render_receipt(receipt(signed=False), size=A4),
    "notice": lambda: render_notice(notice()),
    "outstanding": lambda: render_outstanding(outstanding(40)),
    "register": lambda: render_register(register(tuple(map(register_line, range(80))))),
}
every_document = pytest.mark.parametrize("render", RENDERED.values(), ids=RENDERED.keys())


@every_document
def test_fonts_are_embedded_subsets_and_no_other_is_named(render: Callable[[], bytes]) -> None:
    reader = pypdf.PdfReader(io.BytesIO(render()))
    for page in reader.pages:
        resources: Any = page["/Resources"]
        assert resources["/Font"]
        for font in (reference.get_object() for reference in resources["/Font"].values()):
            assert "+DejaVuSans" in font["/BaseFont"]
            assert len(font["/FontDescriptor"]["/FontFile2"].get_data()) < 120_000


@every_document
def test_the_metadata_says_what_and_whose_it_is(render: Callable[[], bytes]) -> None:
    reader = pypdf.PdfReader(io.BytesIO(render()))
    assert reader.metadata is not None
    assert reader.metadata.title
    assert reader.metadata.author == "Instituto Guatemalteco de Seguridad Social, Subgerencia de Tecnología"
    assert reader.metadata.creation_date_raw == "D:20261124144307+00'00'"
    catalogue: Any = reader.trailer["/Root"]
    assert catalogue["/Lang"] == "es-GT"


@every_document
def test_every_page_carries_the_house_and_what_the_evidence_is_and_is_not(render: Callable[[], bytes]) -> None:
    document = render()
    pages = len(pypdf.PdfReader(io.BytesIO(document)).pages)
    found = text(document)
    for said in (
        "Instituto Guatemalteco de Seguridad Social",
        "Departamento de Infraestructura Tecnológica",
        "Resolución 407-ST/2022, versión 1",
        "Generado el 24/11/2026 08:43:07, America/Guatemala",
        NOT_A_SIGNATURE,
    ):
        assert found.count(said) >= pages, said
    assert [f"Página {page} de {pages}" in found for page in range(1, pages + 1)] == [True] * pages
    assert_nothing_overflows(document)


@every_document
def test_the_same_document_is_the_same_bytes(render: Callable[[], bytes]) -> None:
    assert render() == render()


def test_the_same_bytes_come_from_another_process_and_from_threads() -> None:
    expected = render_receipt(receipt())
    program = (
        "import hashlib; from accessctl.documents.receipt import render_receipt;"
        "from tests.documents.samples import receipt;"
        "print(hashlib.sha256(render_receipt(receipt())).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hashlib.sha256(expected).hexdigest()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: render_receipt(receipt()), range(16))) == {expected}


def test_the_longest_reference_stands_whole_in_the_foot() -> None:
    evidence = Evidence(origin="W" * 120, entry=ENTRY, checkpoint=CHECKPOINT)
    document = render_receipt(replace(receipt(), imprint=replace(IMPRINT, evidence=evidence)))
    found = text(document)
    assert NOT_A_SIGNATURE in found
    assert ENTRY.leaf.hex() in found
    assert_nothing_overflows(document)


def test_without_a_reference_the_foot_says_so() -> None:
    found = text(render_receipt(replace(receipt(), imprint=replace(IMPRINT, evidence=None))))
    assert NO_EVIDENCE in found
    assert "QR" not in found


@pytest.mark.parametrize("number", ["", "x" * 61])
def test_a_number_is_bounded(number: str) -> None:
    with pytest.raises(ValueError, match="number"):
        replace(IMPRINT, number=number)


def test_a_time_without_offset_is_refused() -> None:
    imprint = replace(IMPRINT, made_at=IMPRINT.made_at.replace(tzinfo=None))
    with pytest.raises(ValueError, match="offset"):
        render_receipt(replace(receipt(), imprint=imprint))


def strip(height: float, *, kept: bool = False, blank: bool = False, repeat: Strip | None = None) -> Strip:
    return Strip(height=height, draw=lambda _pen, _x, _top: None, kept=kept, blank=blank, repeat=repeat)


def test_a_heading_goes_with_what_follows_and_a_table_head_stands_again() -> None:
    head = strip(10)
    rows = [strip(30, repeat=head) for _ in range(4)]
    heading = strip(10, kept=True)
    air = strip(5, blank=True)
    assert paginate([rows[0], heading, rows[1]], 60) == [[rows[0]], [heading, rows[1]]]
    assert paginate([*rows, air], 75) == [[rows[0], rows[1]], [head, rows[2], rows[3], air]]
    assert paginate([strip(60), air, rows[0]], 62)[1] == [head, rows[0]]


@given(st.lists(st.tuples(st.floats(1, 90), st.booleans(), st.booleans()), max_size=60))
def test_no_page_is_overfull_and_only_air_is_lost(shapes: list[tuple[float, bool, bool]]) -> None:
    strips = [strip(height, kept=kept, blank=blank and not kept) for height, kept, blank in shapes]
    pages = paginate(strips, 100)
    assert [one for page in pages for one in page if not one.blank] == [one for one in strips if not one.blank]
    assert all(sum(one.height for one in page) <= 100 + 1e-6 for page in pages)


def test_a_strip_higher_than_a_page_is_a_bug() -> None:
    with pytest.raises(ValueError, match="higher"):
        paginate([strip(101)], 100)
