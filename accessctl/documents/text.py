"""Any text made printable, measured and broken into lines. Whatever a person or a device put into a name ends up as
visible ink.

`printable` is where hostile text stops: controls, direction overrides (U+202E), zero-width signs and everything that
the embedded faces cannot draw become the visible U+FFFD; line breaks and tabs become spaces, so that a name cannot
forge a line of the document. Markup needs no escaping, because nothing here is parsed: `<b>` is four signs. Lines are
broken by measured width, inside a word where it is longer than the line. Measuring and breaking are linear in the
length.
"""

import unicodedata
from itertools import accumulate

from accessctl.documents.pdf import advances, glyphs
from accessctl.documents.style import Face

LONGEST = 4000  # characters of one text that are printed; what is longer is cut, and says so
ABSENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "…"
_DRAWN = frozenset.intersection(*(glyphs(face) for face in Face))
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class _Signs(dict[int, str]):
    """What stands for each code point. Remembers only what the faces can draw, so that no input makes it grow without
    end.
    """

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        if sign.isspace():
            return " "
        if code not in _DRAWN or unicodedata.category(sign) in _INVISIBLE:
            return ABSENT
        self[code] = sign
        return sign


class _Advances(dict[str, float]):
    """Width of each sign in units of the size."""

    def __missing__(self, sign: str) -> float:
        raise KeyError(f"U+{ord(sign):04X} was measured before it was made printable")


_SIGNS = _Signs()
_ADVANCE = {
    face: _Advances({chr(code): width for code, width in advances(face).items() if code in _DRAWN}) for face in Face
}


def printable(text: str) -> str:
    """The text as it is printed, on one line, spaces collapsed. Printing it twice changes nothing."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} [… {len(text)} caracteres en total]"
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text).translate(_SIGNS)
    return " ".join(text.split()) if "  " in text or text != text.strip() else text


def width(text: str, size: float, face: Face = Face.REGULAR) -> float:
    """Width in points of a printable text."""
    return sum(map(_ADVANCE[face].__getitem__, text)) * size


def wrap(text: str, room: float, size: float, face: Face = Face.REGULAR) -> list[str]:
    """The text made printable and broken into lines no wider than `room` points; at least one line, perhaps empty."""
    text = printable(text)
    if width(text, size, face) <= room:
        return [text]
    lines: list[str] = []
    line, used = "", 0.0
    space = width(" ", size, face)
    for word in text.split(" "):
        rest = word
        taken = width(rest, size, face)
        if line and used + space + taken <= room:
            line, used = f"{line} {rest}", used + space + taken
            continue
        if line:
            lines.append(line)
        while taken > room and len(rest) > 1:
            head = _head(rest, room, size, face)
            lines.append(rest[:head])
            taken -= width(rest[:head], size, face)
            rest = rest[head:]
        line, used = rest, taken
    return [*lines, line]


def _head(word: str, room: float, size: float, face: Face) -> int:
    """How many signs of the word fit; at least one. Looks no further than the sign that overflows."""
    count = 0
    for reached in accumulate(_ADVANCE[face][sign] * size for sign in word):
        if reached > room:
            break
        count += 1
    return max(count, 1)


def fit(text: str, room: float, size: float, face: Face = Face.REGULAR) -> str:
    """The text on one line, with an ellipsis where it is too wide. Only where the full text stands elsewhere in the
    document.
    """
    text = printable(text)
    if width(text, size, face) <= room:
        return text
    head = _head(text, room - width(ELLIPSIS, size, face), size, face)
    return text[:head].rstrip() + ELLIPSIS
