"""P4.04: the visitor's badge on a quarter of a sheet, with the card's number as a QR code where it is a printed slip.

It is drawn by hand and not from strips: one side, read from two metres. A text too long for its room is shortened on
the badge alone; the visit's page and the register hold it whole.
"""

import io
from dataclasses import dataclass
from datetime import datetime

from accessctl.documents.imprint import Imprint, local
from accessctl.documents.page import INSTITUTION, OFFICE
from accessctl.documents.pdf import Pen
from accessctl.documents.qr import draw_qr
from accessctl.documents.style import ACCENT, INK, MUTED, PAPER, RULE, Face, Size
from accessctl.documents.text import fit, printable, width, wrap

SIZE: Size = (306.0, 396.0)  # a quarter of a letter sheet
MARGIN = 38.0
TITLE = "Gafete de visita"
SERVES = "Procedimiento 4, paso 04"
RETURN = "Lleve el gafete a la vista, permanezca con quien le acompaña y devuélvalo al salir."
FORTUITOUS = "INGRESO FORTUITO (N4.2)"
_ROOM = SIZE[0] - 2 * MARGIN
_BAND = 60.0
_QR = 104.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """What a badge shows. `code` is the text of the QR code of a slip, "" for a card, which needs none."""

    imprint: Imprint
    visit: int
    name: str
    organisation: str
    zone: str
    receives: str
    escort: str
    valid_from: datetime
    valid_until: datetime
    label: str
    number: str
    code: str = ""
    fortuitous: bool = False


def render_badge(badge: Badge) -> bytes:
    """The badge as PDF."""
    out = io.BytesIO()
    pen = Pen(
        out.write,
        size=SIZE,
        title=printable(f"{TITLE} {badge.imprint.number}"),
        subject=printable(f"{badge.imprint.citation}. {SERVES}"),
        author=f"{INSTITUTION}, {OFFICE}",
        at=badge.imprint.made_at,
    )
    _head(pen, badge)
    top = _lines(pen, SIZE[1] - _BAND - 40, badge.name, size=17, face=Face.BOLD, most=2)
    top = _lines(pen, top - 2, badge.organisation or "—", size=11, most=2)
    top = _pairs(pen, top - 8, badge)
    _foot(pen, badge, top)
    pen.end_page()
    pen.finish()
    return out.getvalue()


def _head(pen: Pen, badge: Badge) -> None:
    top = SIZE[1] - 30
    pen.boxes([(MARGIN, top - _BAND + 20, _ROOM, _BAND - 14)], colour=ACCENT)
    pen.text(MARGIN + 8, top - 17, "VISITA", size=20, face=Face.BOLD, colour=PAPER)
    number = str(badge.visit)
    pen.text(
        SIZE[0] - MARGIN - 8 - width(number, 20, Face.BOLD), top - 17, number, size=20, face=Face.BOLD, colour=PAPER
    )
    pen.text(MARGIN + 8, top - 33, fit(OFFICE, _ROOM - 16, 8), size=8, colour=PAPER)
    if badge.fortuitous:
        pen.text(MARGIN, top - _BAND + 8, FORTUITOUS, size=9, face=Face.BOLD)


def _lines(pen: Pen, top: float, text: str, *, size: float, most: int, face: Face = Face.REGULAR) -> float:
    """At most so many lines of a text, the last one shortened; returns where they end."""
    found = wrap(text, _ROOM, size, face)
    shown = [*found[: most - 1], fit(" ".join(found[most - 1 :]), _ROOM, size, face)] if len(found) > most else found
    for row, line in enumerate(shown):
        pen.text(MARGIN, top - size - row * size * 1.2, line, size=size, face=face, colour=INK)
    return top - len(shown) * size * 1.2


def _pairs(pen: Pen, top: float, badge: Badge) -> float:
    pairs = [
        ("Zona", badge.zone),
        ("Recibe", badge.receives or "—"),
        ("Acompaña", badge.escort or "—"),
        ("Válido", _window(badge)),
    ]
    for label, value in pairs:
        pen.text(MARGIN, top - 9, label, size=7.5, colour=MUTED)
        pen.text(MARGIN + 48, top - 9, fit(value, _ROOM - 48, 8.5), size=8.5)
        top -= 14
    return top


def _window(badge: Badge) -> str:
    begins, ends = local(badge.valid_from), local(badge.valid_until)
    same = begins.date() == ends.date()
    return f"{begins:%d/%m/%Y %H:%M} – {ends:%H:%M}" if same else f"{begins:%d/%m %H:%M} – {ends:%d/%m/%Y %H:%M}"


def _foot(pen: Pen, badge: Badge, top: float) -> None:
    left = MARGIN
    if badge.code:
        draw_qr(pen, badge.code, x=MARGIN - 6, y=top - _QR - 4, side=_QR)
        left += _QR + 4
    room = SIZE[0] - MARGIN - left
    pen.text(left, top - 24, fit(badge.label, room, 16, Face.BOLD), size=16, face=Face.BOLD)
    pen.text(left, top - 38, fit(badge.number, room, 9), size=9)
    for row, line in enumerate(wrap(RETURN, room, 7)):
        pen.text(left, top - 54 - row * 9, line, size=7, colour=MUTED)
    pen.lines([(MARGIN, 44, SIZE[0] - MARGIN, 44)], weight=0.5, colour=RULE)
    said = [f"No. {badge.imprint.number}", *(badge.imprint.evidence.sentences if badge.imprint.evidence else [])]
    for row, line in enumerate(wrap(" · ".join(said), _ROOM, 4.6)[:3]):
        pen.text(MARGIN, 37 - row * 5.6, line, size=4.6, colour=MUTED)
