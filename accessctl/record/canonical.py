"""Canonical bytes: the one spelling of an entry, stored once and hashed as stored.

An entry is a JSON object written in exactly one way, so that the same facts always give the same leaf and whoever
checks the record never has to guess: UTF-8, keys sorted by code point, no white space, no escapes beyond those that
JSON demands (`\\"`, `\\\\`, control characters as `\\b \\t \\n \\f \\r` or `\\u00xx`). Values are null, true,
false, integers, strings, lists and objects; there are no floating point numbers (a coordinate or a rate is written
as an integer with its unit in the key), integers stay within ±(2^53 - 1) so that every JSON reader on earth sees
the same number (RFC 8259 §6), strings are in Unicode normalisation form C, and nothing is nested deeper than 16.
The order of code points equals the order of the UTF-8 bytes; it differs from RFC 8785 (UTF-16 order) only for keys
outside the basic plane, and our keys are ASCII words.

`encode` refuses everything else with `NotCanonical`, which is a mistake of the caller; `decode` refuses every byte
string that `encode` would not have written. Text from outside goes through `clean` first.
"""

import unicodedata
from collections.abc import Mapping
from typing import TypeAlias

import orjson

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_INT = 2**53 - 1
_SCALARS = frozenset({str, int, bool, type(None)})
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_SUBCLASS


class NotCanonical(ValueError):
    """These values or bytes have no canonical form."""


def encode(entry: Mapping[str, object]) -> bytes:
    """The canonical bytes of a JSON object; `NotCanonical` says why there are none."""
    plain = entry if type(entry) is dict else dict(entry)
    try:
        # Refuses keys that are no text, wide integers, lone surrogates. What it returns sits in a kilobyte of memory of
        # its own; a copy takes only what it needs, and thousands of entries that wait are made three times faster.
        data = b"%b" % orjson.dumps(plain, option=_OPTIONS)
    except orjson.JSONEncodeError as refused:
        raise NotCanonical(f"has no canonical form: {refused}") from None
    if len(data) > MAX_BYTES:
        raise NotCanonical(f"an entry of {len(data)} bytes: at most {MAX_BYTES} are allowed")
    _require_kinds(plain, 0)
    if not data.isascii():  # ASCII is in normal form C, so most entries need no second look
        _require_normal(plain)
    return data


def decode(data: bytes) -> dict[str, Json]:
    """The object that `data` spells canonically. Hostile input: raises only `NotCanonical`."""
    if len(data) > MAX_BYTES:
        raise NotCanonical(f"an entry of {len(data)} bytes: at most {MAX_BYTES} are allowed")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise NotCanonical("not JSON") from None
    if not isinstance(value, dict):
        raise NotCanonical("not a JSON object")
    if encode(value) != data:
        raise NotCanonical("JSON, but not in its canonical form")
    return value


def clean(text: str) -> str:
    """Text from a device or a form as it may enter the record: normal form C, lone surrogates replaced by U+FFFD."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _require_kinds(container: dict[str, object] | list[object], depth: int) -> None:
    """Only the six kinds of JSON values, by their exact types: a float, a date or an enumeration is refused."""
    values = container.values() if isinstance(container, dict) else container
    for value in [each for each in values if type(each) not in _SCALARS]:  # one fast pass: most values are scalars
        if type(value) is not dict and type(value) is not list:
            raise NotCanonical(f"{type(value).__name__} has no canonical form")
        if depth == MAX_DEPTH:
            raise NotCanonical(f"nested deeper than {MAX_DEPTH}")
        if not _SCALARS.issuperset(map(type, value.values() if type(value) is dict else value)):
            _require_kinds(value, depth + 1)


def _require_normal(value: object) -> None:
    if isinstance(value, str):
        if not unicodedata.is_normalized("NFC", value):
            raise NotCanonical("text that is not in normal form C")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _require_normal(key)
            _require_normal(inner)
    elif isinstance(value, list):
        for inner in value:
            _require_normal(inner)
