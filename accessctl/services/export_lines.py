"""Entries as lines of an export, a block at a time: CSV cells that no spreadsheet runs, JSON lines with their proof.

The columns are read from the canonical bytes, so that a line shows what was hashed. The public version (Decreto
57-2008) leaves out who it was: the name, the internal number of the person, the credential, and with them the
canonical bytes, which hold the credential. Its leaves still prove it.
"""

from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import orjson

from accessctl.record import Json
from accessctl.record.columns import COLUMNS, cell
from accessctl.services.store import LedgerLine

Format = Literal["csv", "jsonl"]
Block = Callable[[Sequence[LedgerLine]], bytes]

REDACTED = frozenset({"person_id", "person", "credential"})
_BREAKS = tuple((char.encode(), f"\\u{ord(char):04x}".encode()) for char in "\x85\u2028\u2029")


def header(fmt: Format) -> bytes:
    """What stands before the first line."""
    return (",".join(COLUMNS) + "\r\n").encode() if fmt == "csv" else b""


def block_of(fmt: Format, *, public: bool) -> Block:
    """How lines of this format are written."""
    if fmt == "csv":
        return _Csv(public=public)
    return _public_json if public else _full_json


class _Csv:
    """Rows, quoted as RFC 4180 asks. Cells that recur are made once; those that do not are kept out of the cache."""

    def __init__(self, *, public: bool) -> None:
        self._public = public
        names = ["" if public and name in REDACTED else name for name in COLUMNS]  # no entry has the key ""
        person, device_time = COLUMNS.index("person"), COLUMNS.index("device_time")
        self._before, self._between, self._after = (
            names[3:person],
            names[person + 1 : device_time],
            names[device_time + 1 : -1],
        )

    def __call__(self, lines: Sequence[LedgerLine]) -> bytes:
        before, between, after, recurring = self._before, self._between, self._after, _recurring
        out = []
        for index, data, leaf, _, name in lines:
            get = orjson.loads(data).get
            row = [str(index), get("at") or "", get("received_at") or ""]
            row += map(recurring, map(get, before))
            row.append("" if self._public else recurring(name))
            row += map(recurring, map(get, between))
            row.append(_quoted(get("device_time")))
            row += map(recurring, map(get, after))
            row.append(leaf.hex())
            out.append(",".join(row))
        out.append("")
        return "\r\n".join(out).encode()


def _quoted(value: Json) -> str:
    """A cell that no spreadsheet runs, in quotes where it has a comma or a quote in it."""
    text = cell(value)
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


_recurring = lru_cache(maxsize=65_536)(_quoted)


def _full_json(lines: Sequence[LedgerLine]) -> bytes:
    return _one_line_each(b"".join([_json(line) for line in lines]))


def _json(line: LedgerLine) -> bytes:
    get = orjson.loads(line.data).get
    shown = dict(zip(COLUMNS, map(get, COLUMNS), strict=True))
    shown["index"] = line.place
    shown["person"] = line.name
    shown["leaf"] = line.leaf.hex()
    if line.salt is not None:
        shown["person_salt"] = line.salt.hex()
    shown["entry"] = b2a_base64(line.data, newline=False).decode("ascii")
    return orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)


_PUBLIC = tuple(name for name in COLUMNS if name not in REDACTED)


def _public_json(lines: Sequence[LedgerLine]) -> bytes:
    out = []
    for line in lines:
        get = orjson.loads(line.data).get
        shown = dict(zip(_PUBLIC, map(get, _PUBLIC), strict=True))
        shown["index"] = line.place
        shown["leaf"] = line.leaf.hex()
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


def bare_block(entries: Sequence[tuple[int, bytes, bytes]]) -> bytes:
    """The record itself: `index`, `entry` (base64), `leaf`, nothing that could be erased."""
    return b"".join(
        [
            b'{"index":%d,"entry":"%b","leaf":"%b"}\n' % (index, b2a_base64(data, newline=False), leaf.hex().encode())
            for index, data, leaf in entries
        ]
    )


def proof_block(proofs: Sequence[tuple[int, Sequence[bytes]]]) -> bytes:
    """Audit paths as JSON lines."""
    dumps, newline = orjson.dumps, orjson.OPT_APPEND_NEWLINE
    return b"".join(
        [dumps({"index": index, "proof": [one.hex() for one in path]}, option=newline) for index, path in proofs]
    )
