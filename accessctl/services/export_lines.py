"""Entries as lines of an export, a block at a time: CSV cells that no spreadsheet runs, JSON lines with their proof.

The columns are read from the canonical bytes, so that a line shows what was hashed. The public version (Decreto
57-2008) leaves out who it was: the name, the internal number of the person, the credential, and with them the
canonical bytes, which hold the credential. Its leaves still prove it.
"""

import csv
import io
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import orjson

from accessctl.record.columns import COLUMNS, cell
from accessctl.services.store import LedgerLine

Format = Literal["csv", "jsonl"]
Block = Callable[[Sequence[LedgerLine]], bytes]

REDACTED = frozenset({"person_id", "person", "credential"})
_PLAIN = frozenset({"at", "received_at"})  # written by us: digits first, one line
_BREAKS = tuple((char.encode(), f"\\u{ord(char):04x}".encode()) for char in "\x85\u2028\u2029")
_cell = lru_cache(maxsize=65_536)(cell)


def header(fmt: Format) -> bytes:
    """What stands before the first line."""
    return (",".join(COLUMNS) + "\r\n").encode() if fmt == "csv" else b""


def block_of(fmt: Format, *, public: bool) -> Block:
    """How lines of this format are written."""
    if fmt == "csv":
        return _Csv(public=public)
    return _public_json if public else _full_json


class _Csv:
    """Rows, quoted as RFC 4180 asks."""

    def __init__(self, *, public: bool) -> None:
        left_out = {"index", "person", "leaf"} | (REDACTED if public else set())
        self._columns = [(place, name, name in _PLAIN) for place, name in enumerate(COLUMNS) if name not in left_out]
        self._person = None if public else COLUMNS.index("person")
        self._leaf = COLUMNS.index("leaf")

    def __call__(self, lines: Sequence[LedgerLine]) -> bytes:
        rows = []
        columns = self._columns
        person, last = self._person, self._leaf
        for line in lines:
            get = orjson.loads(line.data).get
            row = [""] * len(COLUMNS)
            row[0] = str(line.index)
            for place, name, plain in columns:
                value = get(name)
                if value is not None:
                    row[place] = value if plain else _cell(value)
            if person is not None and line.name is not None:
                row[person] = _cell(line.name)
            row[last] = line.leaf.hex()
            rows.append(row)
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows)
        return out.getvalue().encode()


def _full_json(lines: Sequence[LedgerLine]) -> bytes:
    return _one_line_each(b"".join([_json(line) for line in lines]))


def _json(line: LedgerLine) -> bytes:
    get = orjson.loads(line.data).get
    shown = dict(zip(COLUMNS, map(get, COLUMNS), strict=True))
    shown["index"] = line.index
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
        shown["index"] = line.index
        shown["leaf"] = line.leaf.hex()
        out.append(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))
    return _one_line_each(b"".join(out))


def _one_line_each(block: bytes) -> bytes:
    """JSON lets these three stand in a string, but many readers of lines break at them (Unicode, UAX 14)."""
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
