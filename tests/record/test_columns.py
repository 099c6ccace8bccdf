"""From an entry to a line: the documented columns, and cells that no spreadsheet runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.record.canonical import decode
from accessctl.record.columns import COLUMNS, cell, line_of
from tests.record.exports import facts


def test_the_columns_are_those_of_the_interface() -> None:
    documented = (
        "index, at, received_at, device, door, zone, direction, event, reason, norm, person_id, person, credential, "
        "visit, device_time, skew_s, leaf"
    )
    assert ", ".join(COLUMNS) == documented
    line = line_of(3, decode(facts(1)[0]), b"\x01" * 32, person="María")
    assert tuple(line) == COLUMNS
    assert (line["index"], line["person"], line["leaf"], line["door"], line["zone"]) == (
        3, "María", "01" * 32, "cd-1", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("a\r\nb\u2028c", "a b c"),
        (-3, "-3"),
        (None, ""),
        ("", ""),
    ],
)
def test_cells(value: str | int | None, shown: str) -> None:
    assert cell(value) == shown


@given(st.text(max_size=30))
def test_a_cell_is_one_line_and_no_formula(text: str) -> None:
    shown = cell(text)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([shown, "end"])
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert len(out.getvalue().splitlines()) == 1
    assert next(csv.reader([out.getvalue()])) == [shown, "end"]
