"""N4.1: blank folios of the register for the times when power or network fails, each with its reserved number.

What is written on one by hand is typed in afterwards and names the folio; a folio that never comes back is missed.
"""

import io
from dataclasses import dataclass

from accessctl.documents.imprint import Imprint
from accessctl.documents.page import Sheet
from accessctl.documents.pdf import Pen
from accessctl.documents.style import ACCENT, FINE, LETTER, MUTED, RULE, SHADE, SMALL, TITLE, Face, Size
from accessctl.documents.text import width, wrap

TITLE_TEXT = "Registro de ingresos y egresos: folio de contingencia"
SERVES = "Procedimiento 4, norma 1 (N4.1)"
MARGIN = 36.0
ROWS = 11
HOW = (
    "Se usa solo cuando falta energía o red. Al volver el servicio, cada línea se anota en el sistema con el número de "
    "este folio, y el folio se archiva con su firma al pie. Un folio dañado se conserva, anulado, y no se tira."
)
COLUMNS = (
    ("No.", 0.7),
    ("Nombre completo", 3),
    ("Empresa o institución", 2),
    ("Documento y número", 2),
    ("Motivo; a quién visita", 2.6),
    ("Quién autorizó", 1.8),
    ("Quién acompaña", 1.8),
    ("Equipo y número de serie", 2.4),
    ("Tarjeta", 1.2),
    ("Inducción", 1.4),
    ("Entrada", 1.2),
    ("Salida", 1.1),
    ("Comprobó la salida", 1.5),
    ("Firma de quien entra", 2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankFolios:
    """Blank folios, named in the order to print."""

    imprint: Imprint
    folios: tuple[str, ...]


def render_folios(blank: BlankFolios, *, size: Size = LETTER) -> bytes:
    """The folios as PDF, on `size` laid on its side; ValueError where there is none."""
    if not blank.folios:
        raise ValueError("no folio to print")
    landscape = (max(size), min(size))
    sheet = Sheet(title=TITLE_TEXT, serves=SERVES, imprint=blank.imprint, size=landscape, margin=MARGIN)
    out = io.BytesIO()
    pen = sheet.pen(out.write)
    pen.stamp("lineas", lambda: _draw_grid(pen, sheet))
    for page, folio in enumerate(blank.folios, start=1):
        sheet.begin(pen, page=page, pages=len(blank.folios), number=f"Folio {folio}")
        pen.place("lineas")
        pen.end_page()
    pen.finish()
    return out.getvalue()


def _draw_grid(pen: Pen, sheet: Sheet) -> None:
    left, right, top = MARGIN, sheet.size[0] - MARGIN, sheet.top
    pen.text(left, top - TITLE, TITLE_TEXT, size=TITLE, face=Face.BOLD)
    how = wrap(HOW, sheet.room, SMALL)
    pen.texts([(left, top - TITLE - 12 - row * 10, line) for row, line in enumerate(how)], size=SMALL, colour=MUTED)
    top -= TITLE + 10 + 10 * len(how)
    whole = sum(share for _, share in COLUMNS)
    wide = [sheet.room * share / whole for _, share in COLUMNS]
    starts = [left + sum(wide[:place]) for place in range(len(wide))]
    titles = [wrap(name, room - 4, FINE, Face.BOLD) for (name, _), room in zip(COLUMNS, wide, strict=True)]
    head = max(map(len, titles)) * 8 + 6
    pen.boxes([(left, top - head, right - left, head)], colour=SHADE)
    placed = [
        (x + 2, top - 8 - row * 8, line)
        for x, lines in zip(starts, titles, strict=True)
        for row, line in enumerate(lines)
    ]
    pen.texts(placed, size=FINE, face=Face.BOLD, colour=ACCENT)
    bottom = sheet.top - sheet.height + 34
    high = (top - head - bottom) / ROWS
    rules = [(left, top - head - row * high, right, top - head - row * high) for row in range(ROWS + 1)]
    pen.lines([*rules, *((x, top, x, bottom) for x in (*starts, right))], weight=0.4, colour=RULE)
    numbers = [(left + 2, top - head - row * high - 10, str(row + 1)) for row in range(ROWS)]
    pen.texts(numbers, size=SMALL, colour=MUTED)
    said = "Responsable del registro: nombre, firma, fecha"
    pen.lines([(left, bottom - 22, left + 260, bottom - 22)], weight=0.6)
    pen.text(left, bottom - 31, said, size=SMALL, colour=MUTED)
    other = "Anotado en el sistema por: nombre, firma, fecha"
    pen.lines([(right - 260, bottom - 22, right, bottom - 22)], weight=0.6)
    pen.text(right - width(other, SMALL), bottom - 31, other, size=SMALL, colour=MUTED)
