"""N4.1: the day's register, folio after folio, landscape: the paper twin of what the doors and the desks recorded.

The columns are the caller's. Lines are numbered and wrapped, never cut; a remark (a fortuitous entry of N4.2, a line
typed in afterwards from a contingency folio) stands below its line. After the last line the day is closed and the
rest of the folio is struck out, as in a bound book. Every folio carries the book, its own number and the QR code of
the checkpoint.

Written for long days: one text object for a folio, cells that recur are wrapped once, and the pages are counted in a
first pass that keeps only how many pieces of lines go on each folio; the time is linear in the number of lines.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, islice

from accessctl.documents.imprint import Imprint, long_date
from accessctl.documents.page import Sheet
from accessctl.documents.parts import Column
from accessctl.documents.pdf import Pen
from accessctl.documents.pdf_file import Write
from accessctl.documents.style import ACCENT, FINE, LETTER, MUTED, RULE, SHADE, SMALL, TITLE, Face, Size
from accessctl.documents.text import width, wrap

TITLE_TEXT = "Registro diario de ingresos y egresos"
SERVES = "Procedimiento 4, norma 1 (N4.1)"
MARGIN = 36.0
NUMBER_WIDTH = 30.0
TEXT = 6.8
LEADING = 8.6
PAD = 3.0
MAX_COLUMNS = 16
CLOSING = 60.0  # without the lines under the signatures
LONGEST = 300  # characters of the place, the book, its authorisation, the keeper
LONGEST_TITLE = 60
NARROWEST = 24.0  # points of a column
_SLICE = 20  # lines of text of one entry that are drawn in one piece
_RECURRING = 5_000  # texts remembered as wrapped, in each column
_COLUMNS_STAMP = "columnas"
UNSAID = "sin consignar"
STRUCK_OUT = "Espacio anulado"
EMPTY = "Sin líneas: nada de lo consultado consta en el registro."


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLine:
    """One entry: a text for each column, and a remark for below it."""

    cells: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """What makes the same sheets a plain list, which nobody signs: its title, what it serves, what it is about."""

    title: str
    serves: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A day of the book. Folios are numbered from `first_folio`; `folios_in_book` where the book's size is settled.

    Whether the book must be authorised is the institution's to say: an empty `book` or `authorisation` is printed as
    such.
    """

    imprint: Imprint
    place: str
    day: date
    columns: tuple[Column, ...]
    lines: tuple[RegisterLine, ...]
    book: str = ""
    authorisation: str = ""
    first_folio: int = 1
    folios_in_book: int | None = None
    first_line: int = 1
    keeper: str = ""
    list_of: "ListOf | None" = None

    def __post_init__(self) -> None:
        """Refuse what no folio has room for (ValueError)."""
        if not 0 < len(self.columns) <= MAX_COLUMNS or any(len(one.title) > LONGEST_TITLE for one in self.columns):
            raise ValueError(f"a register has 1 to {MAX_COLUMNS} columns with titles of {LONGEST_TITLE} characters")
        if any(len(said) > LONGEST for said in (self.place, self.book, self.authorisation, self.keeper)):
            raise ValueError(f"place, book, authorisation and keeper have at most {LONGEST} characters each")


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is drawn of one entry in one place: its number (in its first piece), `high` lines at most, its remark."""

    number: str
    cells: list[list[str]]
    high: int
    remark: list[str]
    last: bool

    @property
    def height(self) -> float:
        """Points on the folio."""
        return (self.high + len(self.remark)) * LEADING + PAD


def count_folios(register: Register, *, size: Size = LETTER) -> int:
    """How many folios the day takes, so that they can be reserved in the book before they are printed."""
    return len(_Layout(register, size).folios())


def render_register(register: Register, *, size: Size = LETTER) -> bytes:
    """The day's folios as PDF, on `size` laid on its side. ValueError where the book has not that many folios left."""
    out = io.BytesIO()
    write_register(register, out.write, size=size)
    return out.getvalue()


def write_register(register: Register, write: Write, *, size: Size = LETTER) -> None:
    """The same, folio after folio as they are drawn, so that memory does not grow with them.

    Where the book has not enough folios (ValueError) nothing was written.
    """
    layout = _Layout(register, size)
    folios = layout.folios()
    last = register.first_folio + len(folios) - 1
    if register.folios_in_book is not None and last > register.folios_in_book:
        raise ValueError(f"the day ends on folio {last}; the book has {register.folios_in_book}")
    pen = layout.sheet.pen(write)
    pen.stamp(_COLUMNS_STAMP, lambda: layout.draw_head(pen))
    pieces = layout.pieces()
    of_book = "" if register.folios_in_book is None else f" de {register.folios_in_book}"
    for page, count in enumerate(folios, start=1):
        number = register.imprint.number if register.list_of else f"Folio {register.first_folio + page - 1}{of_book}"
        layout.sheet.begin(pen, page=page, pages=len(folios), number=number)
        pen.place(_COLUMNS_STAMP)
        bottom = layout.draw_lines(pen, islice(pieces, count))
        if page == len(folios):
            layout.draw_closing(pen, bottom, last)
        pen.end_page()
    pen.finish()


class _Wrapped(dict[str, list[str]]):
    """The texts of one column, wrapped to its room; forgets all when it holds too many."""

    def __init__(self, room: float) -> None:
        super().__init__()
        self._room = room

    def __missing__(self, text: str) -> list[str]:
        if len(self) >= _RECURRING:
            self.clear()
        found = self[text] = wrap(text, self._room, TEXT)
        return found


class _Layout:
    """Where the parts of a folio lie, and the pieces of the entries."""

    def __init__(self, register: Register, size: Size) -> None:
        self.register = register
        landscape = (max(size), min(size))
        self.title, serves = (
            (TITLE_TEXT, SERVES) if register.list_of is None else (register.list_of.title, register.list_of.serves)
        )
        self.sheet = Sheet(title=self.title, serves=serves, imprint=register.imprint, size=landscape, margin=MARGIN)
        room = self.sheet.room - NUMBER_WIDTH
        whole = sum(column.share for column in register.columns)
        self.widths = [room * column.share / whole for column in register.columns]
        if min(self.widths) < NARROWEST:
            raise ValueError(f"every column of a register is at least {NARROWEST:.0f} points wide")
        self.starts = list(accumulate(self.widths, initial=MARGIN + NUMBER_WIDTH))
        pairs = zip(register.columns, self.widths, strict=True)
        self.titles = [wrap(column.title, wide - 2 * PAD, TEXT, Face.BOLD) for column, wide in pairs]
        self.head = max(map(len, self.titles)) * LEADING + 2 * PAD
        facts = (
            f"{register.place} · {long_date(register.day)} · Libro: {register.book or UNSAID} · "
            f"Autorización del libro: {register.authorisation or UNSAID} · No. {register.imprint.number}"
        )
        self.facts = wrap(facts if register.list_of is None else register.list_of.about, self.sheet.room, SMALL)
        self.signing = wrap(f"Responsable del registro: {register.keeper}", self.sheet.room / 2 - 24, SMALL)
        self.closing = CLOSING + 9 * len(self.signing)
        introduction = TITLE + 8 + 10 * len(self.facts)
        self.first = self.sheet.top - introduction - self.head  # top of the first line
        self.room = self.first - (self.sheet.top - self.sheet.height)
        self.wrapped = [_Wrapped(wide - 2 * PAD) for wide in self.widths]

    def folios(self) -> list[int]:
        """How many pieces go on each folio; the last one has room for the closing."""
        folios, count, used = [], 0, 0.0
        for piece in self.pieces():
            if used + piece.height > self.room:
                folios.append(count)
                count, used = 0, 0.0
            count += 1
            used += piece.height
        folios.append(count)
        return folios if used + self.closing <= self.room else [*folios, 0]

    def pieces(self) -> Iterator[_Piece]:
        """The entries, in pieces that fit on a folio."""
        for number, line in enumerate(self.register.lines, start=self.register.first_line):
            if len(line.cells) != len(self.wrapped):
                raise ValueError(f"a line has {len(line.cells)} cells for {len(self.wrapped)} columns")
            cells = [known[text] for known, text in zip(self.wrapped, line.cells, strict=True)]
            remark = wrap(line.remark, self.sheet.room - NUMBER_WIDTH - 2 * PAD, TEXT, Face.BOLD) if line.remark else []
            high = max(map(len, cells))
            if high + len(remark) <= _SLICE:
                yield _Piece(str(number), cells, high, remark, last=True)
            else:
                yield from _pieces(str(number), cells, remark)

    def draw_head(self, pen: Pen) -> None:
        """The title, the book, and the columns' titles."""
        top, right = self.sheet.top, self.sheet.size[0] - MARGIN
        pen.text(MARGIN, top - TITLE, self.title, size=TITLE, face=Face.BOLD)
        below = [(MARGIN, top - TITLE - 12 - row * 10, line) for row, line in enumerate(self.facts)]
        pen.texts(below, size=SMALL, colour=MUTED)
        pen.boxes([(MARGIN, self.first, right - MARGIN, self.head)], colour=SHADE)
        pen.lines([(MARGIN, self.first, right, self.first)], weight=0.8, colour=ACCENT)
        placed = [(MARGIN + PAD, self.first + self.head - PAD - TEXT, "No.")]
        for start, title in zip(self.starts, self.titles, strict=False):
            high = self.first + self.head - PAD - TEXT
            placed += [(start + PAD, high - row * LEADING, line) for row, line in enumerate(title)]
        pen.texts(placed, size=TEXT, face=Face.BOLD, colour=ACCENT)

    def draw_lines(self, pen: Pen, pieces: Iterator[_Piece]) -> float:
        """The pieces of one folio; returns where they end."""
        top, right = self.first, self.sheet.size[0] - MARGIN
        placed: list[tuple[float, float, str]] = []
        remarks: list[tuple[float, float, str]] = []
        rules: list[tuple[float, float, float, float]] = []
        bands: list[tuple[float, float, float, float]] = []
        for piece in pieces:
            baseline = top - PAD / 2 - TEXT
            placed.append((MARGIN + PAD, baseline, piece.number))
            for start, cell in zip(self.starts, piece.cells, strict=False):
                x = start + PAD
                if len(cell) == 1:
                    placed.append((x, baseline, cell[0]))
                else:
                    placed += [(x, baseline - row * LEADING, line) for row, line in enumerate(cell)]
            below = baseline - piece.high * LEADING - PAD / 2
            remarks += [(self.starts[0] + PAD, below - row * LEADING, line) for row, line in enumerate(piece.remark)]
            top -= piece.height
            if piece.remark:
                bands.append((self.starts[0], top, right - self.starts[0], len(piece.remark) * LEADING))
            if piece.last:
                rules.append((MARGIN, top, right, top))
        pen.lines([(x, self.first + self.head, x, top) for x in (MARGIN, *self.starts)], weight=0.3, colour=RULE)
        if bands:
            pen.boxes(bands, colour=SHADE)
        pen.lines(rules, weight=0.3, colour=RULE)
        pen.texts(placed, size=TEXT)
        pen.texts(remarks, size=TEXT, face=Face.BOLD, colour=ACCENT)
        return top

    def draw_closing(self, pen: Pen, top: float, last_folio: int) -> None:
        """How many entries the day has, who signs for it, and the rest of the folio struck out."""
        register, left, right = self.register, MARGIN, self.sheet.size[0] - MARGIN
        count = len(register.lines)
        if register.list_of is not None:
            pen.text(
                left, top - 14, f"Fin de la lista: {count} líneas." if count else EMPTY, size=SMALL, face=Face.BOLD
            )
            return
        entries = (
            f"{count} anotaciones, de la {register.first_line} a la {register.first_line + count - 1}"
            if count
            else "día sin anotaciones"
        )
        first = register.first_folio
        folios = f"folio {first}" if first == last_folio else f"folios {first} a {last_folio}"
        closing = f"Cierre del {long_date(register.day)}: {entries}; {folios}. No hay más anotaciones de este día."
        pen.text(left, top - 14, closing, size=SMALL, face=Face.BOLD)
        half = (right - left) / 2
        for place, label in enumerate((self.signing, ["Visto bueno:"])):
            x = left + half * place
            pen.lines([(x, top - 50, x + half - 24, top - 50)], weight=0.6)
            pen.texts([(x, top - 59 - row * 9, line) for row, line in enumerate(label)], size=SMALL)
        bottom, free = self.first - self.room + 4, top - self.closing - (self.first - self.room)
        if free > 3 * LEADING:
            pen.lines([(left, bottom, right, top - self.closing)], weight=0.6, colour=MUTED)
            pen.text(right - width(STRUCK_OUT, FINE), bottom, STRUCK_OUT, size=FINE, colour=MUTED)


def _pieces(number: str, cells: list[list[str]], remark: list[str]) -> Iterator[_Piece]:
    """An entry of many lines of text: its cells first, then its remark, a slice at a time."""
    above: list[tuple[list[list[str]], list[str]]] = [
        ([cell[start : start + _SLICE] for cell in cells], []) for start in range(0, max(map(len, cells)), _SLICE)
    ]
    blank: list[list[str]] = [[] for _ in cells]
    parts = [*above, *((blank, remark[start : start + _SLICE]) for start in range(0, len(remark), _SLICE))]
    for place, (across, below) in enumerate(parts, start=1):
        yield _Piece(number if place == 1 else "", across, max(map(len, across)), below, last=place == len(parts))
