"""Entries as lines of an export, a page at a time: CSV cells that no spreadsheet runs, JSON lines with their proof.

The columns are read from the canonical bytes, so that a line shows what was hashed. The public version (Decreto
57-2008) shows nothing of who it was: the name, the internal number of the person, the credential, and with them the
canonical bytes, which hold the credential. Its leaves still prove it; the names are not even read for it.
"""

from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import msgspec
import orjson

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.canonical import Json
from accessctl.record.columns import COLUMNS, cell
from accessctl.record.commitment import Opening
from accessctl.services.ledger_rows import Stored

Format = Literal["csv", "jsonl"]
Openings: TypeAlias = Callable[[Iterable[str]], Mapping[str, Opening]]
Block: TypeAlias = Callable[[Sequence[Stored], Openings], bytes]

REDACTED = frozenset({"person_id", "person", "credential"})
MOST_KEPT = 16_384  # combinations of values whose cells are kept
_BREAKS = tuple((char.encode(), f"\\u{ord(char):04x}".encode()) for char in "\x85\u2028\u2029")
_TEXTS = frozenset({str, type(None)})
_Values: TypeAlias = tuple[Json, ...]


class Shown(msgspec.Struct, gc=False):
    """An entry as it is exported: the columns, and what JSON lines add to them.

    The values are those of the entry, whatever they are; `Any` is what JSON holds.
    """

    index: Any = None
    at: Any = None
    received_at: Any = None
    device: Any = None
    door: Any = None
    zone: Any = None
    direction: Any = None
    event: Any = None
    reason: Any = None
    norm: Any = None
    person_id: Any = None
    person: Any = None  # the commitment, until the name is disclosed
    credential: Any = None
    visit: Any = None
    device_time: Any = None
    skew_s: Any = None
    leaf: Any = None
    person_salt: Any = msgspec.UNSET
    entry: Any = msgspec.UNSET


_there = attrgetter("device", "door", "zone", "direction", "event", "reason", "norm")
_whose = attrgetter("person_id", "person", "credential", "visit")
_decode = msgspec.json.Decoder(Shown).decode
_encode_lines = msgspec.json.Encoder().encode_lines


def header(fmt: str) -> bytes:
    """What stands before the first line."""
    return (",".join(COLUMNS) + "\r\n").encode() if fmt == "csv" else b""


def block_of(fmt: Format, *, public: bool) -> Block:
    """How lines of this format are written."""
    if fmt == "csv":
        return _Csv(public=public)
    return _public_json if public else _full_json


def shown(lines: Sequence[Stored], openings: Openings | None) -> list[Shown]:
    """What these entries show, with the names that `openings` still opens; without it there are none.

    Raises `RecordBroken` for an entry that is no JSON object.
    """
    try:
        some = [_decode(data) for _, data, _ in lines]
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _no_object(lines) from None
    promised: list[tuple[Shown, str]] = []
    for one, (index, _, leaf) in zip(some, lines, strict=True):
        promise = one.person
        if promise is not None:
            one.person = None
            if type(promise) is dict and type(mark := promise.get("c")) is str:
                promised.append((one, mark))
        one.index = index
        one.leaf = leaf.hex()
        one.person_salt = one.entry = msgspec.UNSET
    if promised and openings is not None:
        opened = openings([mark for _, mark in promised])
        for one, mark in promised:
            opening = opened.get(mark)
            if opening is not None:
                one.person, one.person_salt = opening.value, opening.salt.hex()
    return some


def _no_object(lines: Sequence[Stored]) -> RecordBroken:
    for index, data, _ in lines:
        try:
            _decode(data)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return RecordBroken(Why.MALFORMED, f"entry {index} is no JSON object", index=index)
    raise AssertionError("each of them is one")


class _Csv:
    """Rows, quoted as RFC 4180 asks.

    What they say of place and of person recurs, so these cells are made once for each combination of values.
    """

    def __init__(self, *, public: bool) -> None:
        self._there = _Cells()
        self._whose = _Cells()
        self._public = public

    def __call__(self, lines: Sequence[Stored], openings: Openings) -> bytes:
        some = _redacted(shown(lines, None)) if self._public else shown(lines, openings)
        rows = zip(
            some,
            _times([one.at for one in some]),
            _times([one.received_at for one in some]),
            self._cells_of(some),
            _times([one.device_time for one in some]),
            [one.skew_s if type(one.skew_s) is int else _quoted(one.skew_s) for one in some],
            strict=True,
        )
        return "".join(
            [
                f"{one.index},{at},{received},{cells}{device_time},{skew},{one.leaf}\r\n"
                for one, at, received, cells, device_time, skew in rows
            ]
        ).encode()

    def _cells_of(self, some: Sequence[Shown]) -> list[str]:
        there, whose = self._there, self._whose
        try:
            return [there[_there(one)] + whose[_whose(one)] for one in some]
        except TypeError:  # a list or an object is no key; nothing of ours records one there
            return [_cells(_there(one)) + _cells(_whose(one)) for one in some]


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


def _times(values: Sequence[Json]) -> Sequence[str]:
    """Cells of what nearly always are times. One look at all of them together says that nothing need be done to any."""
    texts = ["" if value is None else value for value in values]
    try:
        joined = ("|" + "|".join(texts)).encode("ascii")  # type: ignore[arg-type]  # what is no text ends here
    except (TypeError, UnicodeEncodeError):
        return [_quoted(value) for value in values]
    plain = not joined.translate(None, _OF_TIMES) and b"|-" not in joined and b"|+" not in joined
    return texts if plain else [_quoted(value) for value in values]  # type: ignore[return-value]  # all of it is text


_OF_TIMES = b"0123456789-:.+TZ|"


def _full_json(lines: Sequence[Stored], openings: Openings) -> bytes:
    some = shown(lines, openings)
    for one, (_, data, _) in zip(some, lines, strict=True):
        one.entry = data  # which is written in base64
    return _one_line_each(_encode_lines(some))


def _public_json(lines: Sequence[Stored], openings: Openings) -> bytes:
    del openings  # nobody is named
    return _one_line_each(_encode_lines(_redacted(shown(lines, None))))


def _redacted(some: list[Shown]) -> list[Shown]:
    """Nothing where it says who it was (`REDACTED`); the columns stay."""
    for one in some:
        one.person_id = one.person = one.credential = None
    return some


def _one_line_each(block: bytes) -> bytes:
    """JSON lets these three stand in a string, but many readers of lines break at them (Unicode, UAX 14)."""
    if block.isascii():  # nearly every block, and this costs a hundredth of looking for the three
        return block
    for mark, escaped in _BREAKS:
        if mark in block:
            block = block.replace(mark, escaped)
    return block


def bare_block(lines: Sequence[Stored], openings: Openings) -> bytes:
    """The record itself: `index`, `entry` (base64), `leaf`, nothing that could be erased."""
    del openings
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
