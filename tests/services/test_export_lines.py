"""Lines of an export against the plainest way of writing them: `csv.writer` over cells, `json.dumps` over columns."""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.record import Opening, RecordBroken, Why
from accessctl.record.columns import COLUMNS, cell
from accessctl.services import export_lines
from accessctl.services.export_lines import REDACTED, Format, Shown, block_of, shown
from accessctl.services.ledger_rows import Stored

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
NAMES = st.none() | st.tuples(st.booleans(), st.binary(min_size=32, max_size=32), st.sampled_from(HOSTILE) | st.text())
BLOCKS = st.lists(st.lists(st.tuples(ENTRIES, NAMES), min_size=1, max_size=6), min_size=1, max_size=3)


def plain(lines: Sequence[Stored], opened: Mapping[str, Opening], fmt: Format, *, public: bool) -> bytes:
    """The same lines without any art."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    for index, data, leaf in lines:
        said = orjson.loads(data)
        promise = said.get("person")
        opening = opened.get(str(promise["c"])) if isinstance(promise, dict) and "c" in promise else None
        said |= {"index": index, "person": opening and opening.value, "leaf": leaf.hex()}
        if fmt == "csv":
            rows.writerow(["" if public and key in REDACTED else cell(said.get(key)) for key in COLUMNS])
            continue
        line = {key: None if public and key in REDACTED else said.get(key) for key in COLUMNS}
        if not public:
            line |= {} if opening is None else {"person_salt": opening.salt.hex()}
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
            lines: list[Stored] = []
            opened: dict[str, Opening] = {}
            for entry, opening in some:
                if opening is not None:
                    kept_, salt, name = opening
                    mark = hashlib.sha256(salt).hexdigest()
                    entry["person"] = {"c": mark}
                    if kept_:
                        opened[mark] = Opening(commitment=mark, salt=salt, value=name)
                data = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
                lines.append((place, data, hashlib.sha256(b"\x00" + data).digest()))
                place += 1
            named = {} if public else opened
            assert block(lines, lambda marks: {mark: opened[mark] for mark in marks if mark in opened}) == plain(  # noqa: B023
                lines, named, fmt, public=public
            )


def test_a_public_version_reads_no_names() -> None:
    data = b'{"event":"x","person":{"c":"' + b"0" * 64 + b'"}}'

    def never(marks: object) -> dict[str, Opening]:
        raise AssertionError("a name was asked for")

    for fmt in ("csv", "jsonl"):
        assert block_of(fmt, public=True)([(0, data, bytes(32))], never)


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b'{"at":', b'{"at":"\xff"}', b"[" * 100_000])
def test_what_is_no_object_is_named(data: bytes) -> None:
    with pytest.raises(RecordBroken) as broken:
        shown([(6, b"{}", bytes(32)), (7, data, bytes(32))], None)
    assert (broken.value.why, broken.value.index) == (Why.MALFORMED, 7)


def test_columns_and_fields_are_the_same() -> None:
    assert Shown.__struct_fields__ == (*COLUMNS, "person_salt", "entry")
