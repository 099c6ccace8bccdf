"""A PDF as a file: numbered objects one after the other, then where each lies (ISO 32000-1, 7.5).

Objects may come in any order and are written as they come, so nothing of them is held but their places.
"""

import hashlib
import zlib
from array import array
from collections.abc import Callable
from typing import TypeAlias

Write: TypeAlias = "Callable[[bytes], object]"

# 1.4 for the language and `DisplayDocTitle`; the comment's bytes above 127 tell that this is no text file (7.5.2).
_HEAD = b"%PDF-1.4\n%\xb5\xb6\xb7\xb8\n"
_TABLE = 1000  # places that are written at once
_LEVEL = 6  # of zlib: a page of a register is mostly text


class PdfFile:
    """Takes objects by their numbers, which begin at 1; `write` gets the file piece by piece."""

    def __init__(self, write: Write) -> None:
        self._out = write
        self._length = 0
        self._hash = hashlib.sha256()
        self._places = array("Q")  # by number, from 1 on; 0 where nothing was written yet
        self._write(_HEAD)

    def __contains__(self, number: int) -> bool:
        """Whether this object was written."""
        return number <= len(self._places) and self._places[number - 1] > 0

    def add(self, number: int, body: bytes) -> None:
        """Write an object, once."""
        if number in self:
            raise ValueError(f"object {number} is written already")
        self._places.extend([0] * (number - len(self._places)))
        self._places[number - 1] = self._length
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def add_stream(self, number: int, about: bytes, data: bytes) -> None:
        """Write a stream, compressed; `about` is what else its dictionary says."""
        packed = zlib.compress(data, _LEVEL)
        self.add(
            number, b"<< %b /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (about, len(packed), packed)
        )

    def finish(self, *, root: bytes, info: bytes) -> None:
        """Write the table of places and the trailer; `root` and `info` are references. The file's ID is of its bytes.

        ValueError where a number was never written.
        """
        if 0 in self._places:
            raise ValueError(f"object {self._places.index(0) + 1} was never written")
        name, start = self._hash.hexdigest()[:32].encode(), self._length
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(self._places) + 1))
        for first in range(0, len(self._places), _TABLE):
            self._write(b"".join([b"%010d 00000 n \n" % place for place in self._places[first : first + _TABLE]]))
        about = (len(self._places) + 1, root, info, name, name)
        self._write(b"trailer\n<< /Size %d /Root %b /Info %b /ID [<%b> <%b>] >>\n" % about)
        self._write(b"startxref\n%d\n%%%%EOF\n" % start)

    def _write(self, piece: bytes) -> None:
        self._out(piece)
        self._hash.update(piece)
        self._length += len(piece)
