"""Reading hostile files: bounded, in one pass, in flat memory.

A file is read in blocks of a mebibyte and handed on as lists of whole lines, with its SHA-256 computed on the way.
No line may be longer than `MAX_LINE`, every line must end, and JSON is taken apart only into the shapes that are
expected. Raises `RecordBroken`.
"""

import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import orjson

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.canonical import Json
from accessctl.record.merkle import HASH_BYTES, MAX_PROOF

BLOCK = 1024 * 1024
MAX_LINE = 512 * 1024  # an entry of 64 KiB in base64, its columns beside it, and room
MAX_DOCUMENT = 4 * 1024 * 1024  # a manifest, a proof, a note: read whole
HEX = 2 * HASH_BYTES  # digits of a hash
_HASH = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]*")


class Lines:
    """The lines of a binary file, as lists of lines without their ends; afterwards `sha256` and `count` are the
    file's.
    """

    def __init__(self, source: BinaryIO, name: str) -> None:
        self._source = source
        self._name = name
        self._digest = hashlib.sha256()
        self.count = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def chunks(self) -> Iterator[list[bytes]]:
        rest = b""
        while block := read(self._source, BLOCK, self._name):
            self._digest.update(block)
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if len(rest) > MAX_LINE or (lines and max(map(len, lines)) > MAX_LINE):
                raise RecordBroken(
                    Why.TOO_LARGE, f"{self._name}: a line is longer than {MAX_LINE} bytes", line=self.count + 1
                )
            if lines:
                yield lines
                self.count += len(lines)
        if rest:
            raise RecordBroken(
                Why.TRUNCATED, f"{self._name}: the last line does not end, the file is cut", line=self.count + 1
            )

    def each(self) -> Iterator[bytes]:
        for lines in self.chunks():
            yield from lines


def read(source: BinaryIO, count: int, name: str) -> bytes:
    try:
        return source.read(count)
    except OSError as failed:
        raise RecordBroken(Why.UNREADABLE, f"{name}: cannot be read ({failed.strerror or 'input error'})") from None


def document(data: bytes, name: str) -> dict[str, Json]:
    """A small file that is one JSON object, in which no key stands twice."""
    if not data:
        raise RecordBroken(Why.EMPTY, f"{name}: is empty")
    if len(data) > MAX_DOCUMENT:
        raise RecordBroken(Why.TOO_LARGE, f"{name}: is longer than {MAX_DOCUMENT} bytes")
    values = json_object(data, name)
    if repeats_a_key(data):
        raise RecordBroken(Why.MALFORMED, f"{name}: a key stands in it twice, and readers would not agree on its value")
    return values


def repeats_a_key(data: bytes) -> bool:
    """Whether an object anywhere in this JSON has a key twice: most readers take the last value, some the first."""

    def once(pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a key stands twice")

    try:
        json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError):  # a number of thousands of digits, or too deep: nothing that was ever written
        return True
    return False


def json_object(data: bytes, name: str, line: int | None = None) -> dict[str, Json]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        where = "" if line is None else f", line {line}"
        raise RecordBroken(Why.MALFORMED, f"{name}{where}: is not a JSON object", line=line)
    return value


class Fields:
    """Typed access to a JSON object that a stranger wrote; what is missing or of another shape is `MALFORMED`."""

    def __init__(self, values: Mapping[str, Json], name: str, line: int | None = None) -> None:
        self._values = values
        self._name = name
        self._line = line

    def wrong(self, key: str) -> RecordBroken:
        where = "" if self._line is None else f", line {self._line}"
        return RecordBroken(
            Why.MALFORMED, f"{self._name}{where}: {key} is missing or not what it should be", line=self._line
        )

    def text(self, key: str) -> str:
        value = self._values.get(key)
        if not isinstance(value, str):
            raise self.wrong(key)
        return value

    def optional_text(self, key: str) -> str | None:
        return None if self._values.get(key) is None else self.text(key)

    def number(self, key: str) -> int:
        value = self._values.get(key)
        if type(value) is not int or value < 0:
            raise self.wrong(key)
        return value

    def optional_number(self, key: str) -> int | None:
        return None if self._values.get(key) is None else self.number(key)

    def flag(self, key: str) -> bool:
        value = self._values.get(key)
        if not isinstance(value, bool):
            raise self.wrong(key)
        return value

    def hash(self, key: str) -> bytes:
        value = self.text(key)
        if _HASH.fullmatch(value) is None:
            raise self.wrong(key)
        return bytes.fromhex(value)

    def data(self, key: str) -> bytes:
        """Bytes in base64, without line breaks or anything else between."""
        try:
            return binascii.a2b_base64(self.text(key), strict_mode=True)
        except ValueError:  # binascii.Error is one too; text outside ASCII is another
            raise self.wrong(key) from None

    def path(self, key: str) -> list[bytes]:
        """An audit path: hashes in hex."""
        value = self._values.get(key)
        if not isinstance(value, list) or len(value) > MAX_PROOF:
            raise self.wrong(key)
        texts = [each for each in value if isinstance(each, str) and len(each) == HEX]
        joined = "".join(texts)
        if len(texts) != len(value) or _HEX.fullmatch(joined) is None:
            raise self.wrong(key)
        data = bytes.fromhex(joined)
        return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
