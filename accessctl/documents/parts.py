"""What documents are made of: titles, paragraphs, pairs of label and value, tables, lines to sign on. Each gives
strips for `page.py`.

Every text is wrapped by measured width; nothing here cuts one. A table row higher than `_ROW_LINES` lines goes on in
a strip of its own, so that no text, however long, is higher than a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from accessctl.documents.page import Strip
from accessctl.documents.pdf import Pen
from accessctl.documents.style import (
    ACCENT,
    BODY,
    HEADING,
    INK,
    LEADING,
    MUTED,
    RULE,
    SHADE,
    SMALL,
    TITLE,
    Colour,
    Face,
)
from accessctl.documents.text import fit, width, wrap

_ROW_LINES = 30
_CELL = 8.0
_PAD = 3.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: its title and its share of the width, relative to the other columns'."""

    title: str
    share: float


def gap(height: float, *, kept: bool = False) -> Strip:
    """Air; none at the top of a page."""
    return Strip(height=height, draw=lambda _pen, _x, _top: None, blank=True, kept=kept)


def lines(
    text: str,
    room: float,
    *,
    size: float = BODY,
    face: Face = Face.REGULAR,
    colour: Colour = INK,
    indent: float = 0,
    kept: bool = False,
) -> list[Strip]:
    """A wrapped text, a strip a line."""

    def strip(line: str) -> Strip:
        def draw(pen: Pen, x: float, top: float) -> None:
            pen.text(x + indent, top - size, line, size=size, face=face, colour=colour)

        return Strip(height=size * LEADING, draw=draw, kept=kept)

    return [strip(line) for line in wrap(text, room - indent, size, face)]


def title(text: str, below: str, room: float) -> list[Strip]:
    """The document's title and the line under it."""
    return [
        *lines(text, room, size=TITLE, face=Face.BOLD, kept=True),
        *lines(below, room, size=BODY, colour=MUTED, kept=True),
        gap(8),
    ]


def heading(text: str, room: float) -> list[Strip]:
    """A section's heading, kept with what follows."""

    def underline(pen: Pen, x: float, top: float) -> None:
        pen.lines([(x, top - 1, x + room, top - 1)], weight=0.7, colour=ACCENT)

    return [
        gap(7),
        *lines(text, room, size=HEADING, face=Face.BOLD, colour=ACCENT, kept=True),
        Strip(height=5, draw=underline, kept=True),
    ]


def numbered(items: Sequence[str], room: float) -> list[Strip]:
    """A numbered list."""
    found: list[Strip] = []
    for number, item in enumerate(items, start=1):
        first, *rest = lines(item, room, indent=16)

        def draw(pen: Pen, x: float, top: float, first: Strip = first, number: int = number) -> None:
            pen.text(x + 2, top - BODY, f"{number}.", size=BODY)
            first.draw(pen, x, top)

        found += [Strip(height=first.height, draw=draw, kept=bool(rest)), *rest]
    return found


def fields(pairs: Sequence[tuple[str, str]], room: float, *, columns: int = 2) -> list[Strip]:
    """Labels with their values below them, `columns` abreast."""
    cell = room / columns
    found: list[Strip] = []
    for start in range(0, len(pairs), columns):
        across = [(label, wrap(value or "—", cell - 10, BODY)) for label, value in pairs[start : start + columns]]
        high = max(len(value) for _, value in across)

        def labels(pen: Pen, x: float, top: float, across: list[tuple[str, list[str]]] = across) -> None:
            placed = [(x + cell * place, top - SMALL, label) for place, (label, _) in enumerate(across)]
            pen.texts(placed, size=SMALL, colour=MUTED)

        found.append(Strip(height=SMALL * LEADING, draw=labels, kept=True))
        for row in range(high):
            placed = [(cell * place, value[row]) for place, (_, value) in enumerate(across) if row < len(value)]

            def values(pen: Pen, x: float, top: float, placed: list[tuple[float, str]] = placed) -> None:
                pen.texts([(x + shift, top - BODY, line) for shift, line in placed], size=BODY)

            found.append(Strip(height=BODY * LEADING, draw=values))
        found.append(gap(3.5))
    return found


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: float, *, continued: str = "") -> list[Strip]:
    """A table whose head stands again on every page it reaches, there below the line `continued`.

    That line is shortened where it is too wide: the full text stands in the heading of the table.
    """
    whole = sum(column.share for column in columns)
    widths = [room * column.share / whole for column in columns]
    starts = [sum(widths[:place]) for place in range(len(widths))]
    pairs = zip(columns, widths, strict=True)
    titles = [wrap(column.title, wide - 2 * _PAD, SMALL, Face.BOLD) for column, wide in pairs]
    high = max(len(cell) for cell in titles) * SMALL * LEADING + 2 * _PAD

    def draw_head(pen: Pen, x: float, top: float) -> None:
        pen.boxes([(x, top - high, room, high)], colour=SHADE)
        pen.lines([(x, top - high, x + room, top - high)], weight=0.8, colour=ACCENT)
        placed = _placed(titles, starts, x, top, SMALL)
        pen.texts(placed, size=SMALL, face=Face.BOLD, colour=ACCENT)

    head = Strip(height=high, draw=draw_head, kept=True)
    caption = lines(fit(continued, room, SMALL), room, size=SMALL, colour=MUTED)
    again = _stack([*caption, head]) if continued else head
    found = [head]
    for row in rows:
        cells = [wrap(text, wide - 2 * _PAD, _CELL) for text, wide in zip(row, widths, strict=True)]
        longest = max(map(len, cells))
        for start in range(0, longest, _ROW_LINES):
            part = [cell[start : start + _ROW_LINES] for cell in cells]
            found.append(_row(part, starts, room, again, last=start + _ROW_LINES >= longest))
    return found


def _row(cells: list[list[str]], starts: list[float], room: float, again: Strip, *, last: bool) -> Strip:
    high = max(map(len, cells)) * _CELL * LEADING + 2 * _PAD

    def draw(pen: Pen, x: float, top: float) -> None:
        pen.texts(_placed(cells, starts, x, top, _CELL), size=_CELL)
        if last:
            pen.lines([(x, top - high, x + room, top - high)], weight=0.4, colour=RULE)

    return Strip(height=high, draw=draw, repeat=again)


def _stack(strips: Sequence[Strip]) -> Strip:
    """Strips below each other as one."""

    def draw(pen: Pen, x: float, top: float) -> None:
        for strip in strips:
            strip.draw(pen, x, top)
            top -= strip.height

    return Strip(height=sum(strip.height for strip in strips), draw=draw)


def _placed(
    cells: Sequence[list[str]], starts: Sequence[float], x: float, top: float, size: float
) -> list[tuple[float, float, str]]:
    """Lines of the cells, read across: a copied text keeps the order of the rows."""
    return [
        (x + starts[place] + _PAD, top - _PAD - size - row * size * LEADING, line)
        for row, across in enumerate(zip_longest(*cells, fillvalue=""))
        for place, line in enumerate(across)
        if line
    ]


def signing_line(above: str, below: Sequence[str], room: float, *, air: float = 46) -> list[Strip]:
    """Room to sign, a line, and who signs under it, centred; all on one page."""
    wide = min(room, 260.0)

    def draw(pen: Pen, x: float, top: float) -> None:
        middle = x + room / 2
        pen.text(x, top - BODY, above, size=BODY)
        pen.lines([(middle - wide / 2, top - air, middle + wide / 2, top - air)], weight=0.7)

    found = [Strip(height=air + 2, draw=draw, kept=True)]
    for place, text in enumerate(below):
        face = Face.BOLD if place == 0 else Face.REGULAR
        last = place == len(below) - 1
        for line in wrap(text, wide, BODY, face):
            indent = (room - width(line, BODY, face)) / 2
            found += lines(line, room, face=face, indent=indent, kept=not last)
    return found
