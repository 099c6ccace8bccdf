"""Entries as lines of an export, a block at a time: CSV cells that no spreadsheet runs, JSON lines with their proof.

The columns are read from the canonical bytes, so that a line shows what was hashed. The public version (Decreto
57-2008) leaves out who it was: the name, the internal number of the person, the credential, and with them the
canonical bytes, which hold the credential. Its leaves still prove it.
"""

from binascii import b2a_base64
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import orjson

from accessctl.record import Json
from accessctl.record.columns import COLUMNS, cell
from accessctl.services.store import LedgerLine

Format = Literal["csv", "jsonl"]
Block = Callable[[Sequence[LedgerLine]], bytes]

REDACTED = frozenset({"person_id", "person", "credential"})
MOST_KEPT = 16_384  # combinations of values whose cells are kept
_BREAKS = tuple((char.encode(), f"\\u{ord(char):04x}".encode()) for char in "\x85\u2028\u2029")
_WHAT = COLUMNS[3:10]  # device to norm
_TEXTS = frozenset({str, type(None)})
_Values: TypeAlias = tuple[Json, ...]


def header(fmt: str) -> bytes:
    """What stands before the first line."""
    return (",".join(COLUMNS) + "\r\n").encode() if fmt == "csv" else b""


def block_of(fmt: Format, *, public: bool) -> Block:
    """How lines of this format are written."""
    if fmt == "csv":
        return _Csv(public=public)
    return _public_json if public else _full_json


class _Csv:
    """Rows, quoted as RFC 4180 asks.

    What they say of place and of person recurs, so these cells are made once for each combination of values.
    """

    def __init__(self, *, public: bool) -> None:
        self._what = _Cells()
        self._who = _Cells()
        self._public = public

    def __call__(self, lines: Sequence[LedgerLine]) -> bytes:
        what, who, public = self._what, self._who, self._public
        out = []
        for index, data, leaf, _, name in lines:
            get = orjson.loads(data).get
            there = tuple(map(get, _WHAT))
            if public:
                whose: _Values = (None, None, None, get("visit"))
            else:
                whose = (get("person_id"), name, get("credential"), get("visit"))
            at, received, device_time = _time(get("at")), _time(get("received_at")), _time(get("device_time"))
            try:
                cells = what[there] + who[whose]
            except TypeError:  # a list or an object is no key; nothing of ours records one there
                cells = _cells(there) + _cells(whose)
            skew = _quoted(get("skew_s"))
            out.append(f"{index},{at},{received},{cells}{device_time},{skew},{leaf.hex()}\r\n")
        return "".join(out).encode()


class _Cells(dict[_Values, str]):
    """Neighbouring cells with a comma after each, by their values, as many as are worth the memory."""

    def __missing__(self, values: _Values) -> str:
        text = _cells(values)
        if _TEXTS.issuperset(map(type, values)):  # as keys 1 and true are the same
            if len(self) >= MOST_KEPT:
                self.clear()
            self[values] = text
        return text


def _cells(values: _Values) -> str:
    return "".join([_quoted(value) + "," for value in values])


def _quoted(value: Json) -> str:
    """A cell that no spreadsheet runs, in quotes where it has a comma or a quote in it."""
    text = cell(value)
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _time(value: Json) -> str:
    """The same for what nearly always is a time: begins with a digit, and needs nothing done to it."""
    if type(value) is str and "0" <= value < ":" and value.isascii() and value.isprintable():
        return value if "," not in value and '"' not in value else _quoted(value)
    return _quoted(value)


def _full_json(lines: Sequence[LedgerLine]) -> bytes:
    return _one_line_each(b"".join([_json(line) for line in lines]))


def _json(line: LedgerLine) -> bytes:
    index, data, leaf, salt, name = line
    get = orjson.loads(data).get
    shown = dict(zip(COLUMNS, map(get, COLUMNS), strict=True))
    shown["index"] = index
    shown["person"] = name
    shown["leaf"] = leaf.hex()
    if salt is not None:
        shown["person_salt"] = salt.hex()
    shown["entry"] = b2a_base64(data, newline=False).decode("ascii")
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


_PUBLIC = tuple(name for name in COLUMNS if name not in REDACTED)


def _public_json(lines: Sequence[LedgerLine]) -> bytes:
    out = []
    for index, data, leaf, _, _ in lines:
        get = orjson.loads(data).get
        shown = dict(zip(_PUBLIC, map(get, _PUBLIC), strict=True))
        shown["index"] = index
        shown["leaf"] = leaf.hex()
        out.append(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))
    return _one_line_each(b"".join(out))


def _one_line_each(block: bytes) -> bytes:
    """JSON lets these three stand in a string, but many readers of lines break at them (Unicode, UAX 14)."""
    if block.isascii():  # nearly every block, and this costs a hundredth of looking for the three
        return block
    for mark, escaped in _BREAKS:
        if mark in block:
            block = block.replace(mark, escaped)
    return block


def bare_block(lines: Sequence[tuple[int, bytes, bytes]]) -> bytes:
    """The record itself: `index`, `entry` (base64), `leaf`, nothing that could be erased."""
    return b"".join(
        [
            b'{"index":%d,"entry":"%b","leaf":"%b"}\n' % (index, b2a_base64(data, newline=False), leaf.hex().encode())
            for index, data, leaf in lines
        ]
    )


def proof_block(proofs: Sequence[tuple[int, Sequence[bytes]]]) -> bytes:
    """Audit paths as JSON lines."""
    dumps, newline = orjson.dumps, orjson.OPT_APPEND_NEWLINE
    return b"".join(
        [dumps({"index": index, "proof": [one.hex() for one in path]}, option=newline) for index, path in proofs]
    )
