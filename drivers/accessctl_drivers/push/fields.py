"""Lines of `name=value` fields, as every PUSH body has them: read tolerantly, within bounds.

Fields are separated by tabs (by commas in `registry` and `options`); a field without `=` is a name without value, as
the vendor's own examples have it (`…\\tlink\\t…`). Names are compared without regard to case. Nothing here raises for
what a device sends: what is too long or too much is cut off, and what is no text becomes U+FFFD.
"""

from collections.abc import Iterator, Mapping

MOST_FIELDS = 256  # what a newer firmware says of itself is longer than any row
LONGEST_NAME = 48
LONGEST_VALUE = 200  # of what we read; templates and pictures are longer and never read
LONGEST_LINE = 1 << 20
MOST_LINES = 5000  # of one body: 2 MiB of the shortest events there are hold more, but no device sends them

_LINE_ENDS = str.maketrans("", "", "\r\0")


class TooMuch(ValueError):
    """More lines, or a longer line, than a body may have."""


def lines_of(body: bytes) -> list[str]:
    """The lines of a body that are not empty. Raises `TooMuch`."""
    text = body.decode("utf-8", "replace").translate(_LINE_ENDS)
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if len(lines) > MOST_LINES:
        raise TooMuch(f"{len(lines)} lines")
    if any(len(line) > LONGEST_LINE for line in lines):
        raise TooMuch("a line too long")
    return lines


def fields_of(line: str, separator: str = "\t") -> dict[str, str]:
    """The fields of a line by their lower-case names without `~`; of two of one name, the first counts."""
    found: dict[str, str] = {}
    for part in line.split(separator, MOST_FIELDS)[:MOST_FIELDS]:
        name, _, value = part.partition("=")
        key = name.strip(" ~").lower()
        if key and len(key) <= LONGEST_NAME and key not in found:
            found[key] = value[:LONGEST_VALUE].strip(" ")
    return found


def rows_of(lines: list[str]) -> Iterator[Mapping[str, str]]:
    """Rows of a table, `user uid=1<tab>pin=4…`: the table's name before the first field is taken off."""
    for line in lines:
        head, space, rest = line.partition(" ")
        yield fields_of(rest if space and "=" not in head and "\t" not in head else line)


def number_of(text: str | None, *, most: int = 0xFFFF_FFFF) -> int | None:
    """A plain decimal number from 0 to `most`, or None."""
    if not text or len(text) > 20 or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text)
    return number if number <= most else None


def is_token(text: str, *, longest: int) -> bool:
    """Whether a serial number or a person's number is plain: letters, digits, `-` and `_`, not too many."""
    return 0 < len(text) <= longest and text.isascii() and text.replace("-", "").replace("_", "").isalnum()
