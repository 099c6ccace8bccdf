"""Canonical bytes against a slow reference (the standard library's json), and everything that must be refused."""

import enum
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accessctl.record.canonical import MAX_BYTES, MAX_INT, NotCanonical, clean, decode, encode

TEXT = st.text().map(lambda text: unicodedata.normalize("NFC", text))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ENTRIES = st.dictionaries(TEXT, VALUES, max_size=8)


def slow(entry: dict[str, object]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


@given(ENTRIES)
def test_equals_the_reference_and_comes_back(entry: dict[str, object]) -> None:
    data = encode(entry)
    assert data == slow(entry)
    assert decode(data) == entry


@given(ENTRIES)
def test_the_order_of_insertion_does_not_matter(entry: dict[str, object]) -> None:
    assert encode(dict(reversed(entry.items()))) == encode(entry)


@given(st.binary(max_size=60) | ENTRIES.map(lambda entry: json.dumps(entry).encode()))
def test_decode_takes_only_what_encode_writes(data: bytes) -> None:
    try:
        entry = decode(data)
    except NotCanonical:
        return
    assert encode(entry) == data


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        MAX_INT + 1,
        -MAX_INT - 1,
        2**64,
        (1, 2),
        {1},
        b"bytes",
        Colour.RED,
        {1: "key"},
        [1.5],
        {"inner": [{"deep": 0.1}]},
        "e\u0301",  # é in two pieces
        "\ud800",
        ["\udfff"],
        {"e\u0301": 1},
    ],
    ids=repr,
)
def test_refuses_values_without_a_form(value: object) -> None:
    with pytest.raises(NotCanonical):
        encode({"key": value})


def test_refuses_odd_keys_size_and_depth() -> None:
    with pytest.raises(NotCanonical):
        encode({1: "x"})  # type: ignore[dict-item]  # what a careless caller might do
    with pytest.raises(NotCanonical):
        encode({"e\u0301": 1})
    assert len(encode({"k": "x" * (MAX_BYTES - 8)})) == MAX_BYTES
    with pytest.raises(NotCanonical):
        encode({"k": "x" * (MAX_BYTES - 7)})
    with pytest.raises(NotCanonical):
        decode(b" " * (MAX_BYTES + 1))
    deep: object = None
    for _ in range(17):
        deep = [deep]
    with pytest.raises(NotCanonical):
        encode({"k": deep})
    with pytest.raises(NotCanonical):
        decode(b'{"k":' + b"[" * 30_000 + b"]" * 30_000 + b"}")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b"{} ",
        b"{ }",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":9007199254740992}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\xff"}',
        b'{"a":"e\xcc\x81"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":NaN}',
    ],
)
def test_decode_refuses_other_spellings(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(data)


@given(st.text(st.characters(exclude_categories=[])))
def test_clean_text_is_always_accepted(text: str) -> None:
    cleaned = clean(text)
    assert decode(encode({"name": cleaned})) == {"name": cleaned}
    assert clean(cleaned) == cleaned
