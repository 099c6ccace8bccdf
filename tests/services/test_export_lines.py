"""Lines of an export against the plainest way of writing them: `csv.writer` over cells, `json.dumps` over columns."""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.record.columns import COLUMNS, cell
from accessctl.services import export_lines
from accessctl.services.export_lines import REDACTED, Format, block_of
from accessctl.services.store import LedgerLine

HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\tx",
    '"',
    ",",
    'a"b,c',
    "a\r\nb",
    "\x85",
    "\u2028",
    "'",
    "",
    " ",
    "0,1",
    '7"',
    "1",
    "x\x00y",
    "Ñandú",
)
TIMES = ("2026-01-01T00:00:05.250+00:00", "2026-01-01T00:00:05+00:00")
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(HOSTILE) | st.sampled_from(TIMES) | st.text()
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
ENTRIES = st.dictionaries(st.sampled_from([*COLUMNS, "actor", "data"]), VALUES)
NAMES = st.none() | st.tuples(st.binary(min_size=32, max_size=32), st.sampled_from(HOSTILE) | st.text())
BLOCKS = st.lists(st.lists(st.tuples(ENTRIES, NAMES), min_size=1, max_size=6), min_size=1, max_size=3)


def plain(lines: Sequence[LedgerLine], fmt: Format, *, public: bool) -> bytes:
    """The same lines without any art."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    for index, data, leaf, salt, name in lines:
        shown = orjson.loads(data) | {"index": index, "person": name, "leaf": leaf.hex()}
        if fmt == "csv":
            rows.writerow(["" if public and key in REDACTED else cell(shown.get(key)) for key in COLUMNS])
            continue
        line = {key: shown.get(key) for key in COLUMNS if not (public and key in REDACTED)}
        if not public:
            line |= {} if salt is None else {"person_salt": salt.hex()}
            line["entry"] = base64.b64encode(data).decode()
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        for mark in "\x85\u2028\u2029":
            text = text.replace(mark, f"\\u{ord(mark):04x}")
        out.write(text + "\n")
    return out.getvalue().encode()


@pytest.mark.parametrize("fmt", ["csv", "jsonl"])
@pytest.mark.parametrize("public", [False, True])
@given(blocks=BLOCKS, kept=st.sampled_from([1, 2, 16_384]))
@settings(max_examples=200)
def test_lines_are_what_the_plain_way_writes(blocks: list, fmt: Format, public: bool, kept: int) -> None:  # type: ignore[type-arg]
    block, place = block_of(fmt, public=public), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_lines, "MOST_KEPT", kept)
        for some in blocks:
            lines: list[LedgerLine] = []
            for entry, opened in some:
                data = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
                salt, name = (None, None) if opened is None else opened
                lines.append((place, data, hashlib.sha256(b"\x00" + data).digest(), salt, name))
                place += 1
            assert block(lines) == plain(lines, fmt, public=public)
