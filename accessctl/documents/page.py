"""The house's sheet: letterhead, foot with the evidence, and strips laid on as many pages as they need.

A document is a list of strips: pieces of the full width with a height, which are never divided. A strip that opens a
page may bring the strip that is repeated there (the head of its table); one that is `kept` never stands last on its
page. The pages are known before the first one is drawn, so «página x de y» is a fact and not a second pass over the
PDF.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accessctl.documents.imprint import Imprint, moment
from accessctl.documents.pdf import Pen
from accessctl.documents.pdf_file import Write
from accessctl.documents.qr import draw_qr
from accessctl.documents.style import (
    ACCENT,
    BOTTOM,
    FINE,
    FOOT,
    HEAD,
    LETTER,
    MADE,
    MARGIN,
    MUTED,
    RULE,
    SMALL,
    TOP,
    Face,
    Size,
)
from accessctl.documents.text import fit, printable, width, wrap

INSTITUTION = "Instituto Guatemalteco de Seguridad Social"
OFFICE = "Subgerencia de Tecnología"
DEPARTMENT = "Departamento de Infraestructura Tecnológica"
CHECK_WITH = (
    "El código QR lleva esta referencia; con ella y una exportación del registro se comprueba, sin conexión "
    "(«accessctl verify»), que lo asentado no fue alterado ni retirado después de anotarse."
)
NOT_A_SIGNATURE = (
    "Es evidencia de integridad. No es una firma electrónica avanzada de las que regula el Decreto 47-2008 ni acredita "
    "por sí sola la identidad de quien firma."
)
NO_EVIDENCE = "Este ejemplar no lleva referencia al registro de asientos: por sí mismo no acredita su integridad."
_FRAME = "membrete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A piece of a page. `draw(pen, x, top)` draws it below `top`; a `blank` one is dropped where it would open a
    page.
    """

    height: float
    draw: Callable[[Pen, float, float], None]
    repeat: "Strip | None" = None
    kept: bool = False
    blank: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A kind of page of one document: its size, the document's title, the step or norm it serves, and its imprint."""

    title: str
    serves: str
    imprint: Imprint
    size: Size = LETTER
    margin: float = MARGIN

    @property
    def room(self) -> float:
        """Width between the margins."""
        return self.size[0] - 2 * self.margin

    @property
    def top(self) -> float:
        """Where the body begins."""
        return self.size[1] - TOP - HEAD

    @property
    def height(self) -> float:
        """Height of the body."""
        return self.top - BOTTOM - FOOT

    def pen(self, write: Write) -> Pen:
        """A pen for this document, with the frame of its pages drawn once."""
        pen = Pen(
            write,
            size=self.size,
            title=printable(f"{self.title} {self.imprint.number}"),
            subject=printable(f"{self.imprint.citation}. {self.serves}"),
            author=f"{INSTITUTION}, {OFFICE}",
            at=self.imprint.made_at,
        )
        pen.stamp(_FRAME, lambda: self._draw_frame(pen))
        return pen

    def begin(self, pen: Pen, *, page: int, pages: int, number: str) -> None:
        """Head and foot of one page; `number` stands in the upper right corner (a folio, or the document's number)."""
        pen.place(_FRAME)
        right = self.size[0] - self.margin
        label = fit(number, self.room * 0.4, 10, Face.BOLD)
        pen.text(right - width(label, 10, Face.BOLD), self.size[1] - TOP - 9, label, size=10, face=Face.BOLD)
        count = f"Página {page} de {pages}"
        pen.text(right - width(count, SMALL, Face.BOLD), BOTTOM, count, size=SMALL, face=Face.BOLD)

    def _draw_frame(self, pen: Pen) -> None:
        left, right, head = self.margin, self.size[0] - self.margin, self.size[1] - TOP
        pen.boxes([(left, head - 37, 3, 37)], colour=ACCENT)
        pen.text(left + 10, head - 9, INSTITUTION, size=10, face=Face.BOLD, colour=ACCENT)
        pen.texts([(left + 10, head - 22, OFFICE), (left + 10, head - 33, DEPARTMENT)], size=8.5)
        for row, text in enumerate((self.imprint.citation, self.serves)):
            line = fit(text, self.room * 0.45, SMALL)
            pen.text(right - width(line, SMALL), head - 22 - 11 * row, line, size=SMALL, colour=MUTED)
        self._draw_foot(pen)

    def _draw_foot(self, pen: Pen) -> None:
        left, right, evidence = self.margin, self.size[0] - self.margin, self.imprint.evidence
        head = BOTTOM + FOOT - 8
        pen.lines([(left, head, right, head)], weight=0.5, colour=RULE)
        text = left
        paragraphs = [NO_EVIDENCE]
        if evidence is not None:
            side = FOOT - 10
            draw_qr(pen, evidence.qr_text, x=left - 5, y=head - side - 1, side=side)
            text = left + side + 4
            paragraphs = [" ".join(evidence.sentences), f"{CHECK_WITH} {NOT_A_SIGNATURE}"]
        lines = [line for paragraph in paragraphs for line in wrap(paragraph, right - text, FINE)]
        pen.texts([(text, head - 10 - 8 * row, line) for row, line in enumerate(lines)], size=FINE, colour=MUTED)
        made = f"Generado el {moment(self.imprint.made_at)}, America/Guatemala · {self.title}"
        pen.text(text, BOTTOM, fit(made, right - text - 62, MADE), size=MADE)

    def compose(self, strips: Sequence[Strip]) -> bytes:
        """The document of these strips."""
        pages = paginate(strips, self.height)
        out = io.BytesIO()
        pen = self.pen(out.write)
        for number, page in enumerate(pages, start=1):
            self.begin(pen, page=number, pages=len(pages), number=self.imprint.number)
            top = self.top
            for strip in page:
                strip.draw(pen, self.margin, top)
                top -= strip.height
            pen.end_page()
        pen.finish()
        return out.getvalue()


def paginate(strips: Sequence[Strip], height: float) -> list[list[Strip]]:
    """The strips on pages of that height, at least one page. A strip higher than a page is a bug (ValueError)."""
    pages: list[list[Strip]] = []
    page: list[Strip] = []
    for strip in strips:
        if strip.height + (strip.repeat.height if strip.repeat else 0) > height:
            raise ValueError("a strip is higher than its page")
        if sum(one.height for one in page) + strip.height > height:
            carried = _carried(page, height - strip.height)
            pages.append(page[: len(page) - len(carried)])
            page = carried
        if not page and strip.blank:
            continue
        if not page and strip.repeat is not None and pages:
            page.append(strip.repeat)
        page.append(strip)
    return [*pages, page]


def _carried(page: list[Strip], room: float) -> list[Strip]:
    """The strips at the end of a full page that go on to the next with what follows; none where they have no room."""
    count = 0
    while count < len(page) and page[len(page) - 1 - count].kept:
        count += 1
    carried = page[len(page) - count :]
    return carried if count < len(page) and sum(one.height for one in carried) <= room else []
