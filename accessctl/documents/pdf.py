"""The untyped surface: all of reportlab that the documents use, behind one typed pen.

Three decisions live here. Text is written as PDF operators of ours (`Tm`, `Tj`), with the codes that reportlab's font
subsetter assigns: many lines in one text object, and each code asked for once. A page is written out, compressed, when
it ends (`pdf_file`), so that a long register holds neither the text nor the pages of its thousands of folios: reportlab
makes the fonts, the catalogue and the metadata, which come last. Writing these holds a lock: building a subset moves
the read position of the shared font file, and two requests may print at once.

Invariant mode gives the same bytes for the same input; the creation date in the metadata is the document's own, an
argument.
"""

import threading
from array import array
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfdoc, pdfmetrics, ttfonts

from accessctl.documents.pdf_file import PdfFile, Write
from accessctl.documents.style import ACCENT, INK, Colour, Face, Size

FONTS = Path(__file__).parent / "fonts"
LANGUAGE = "es-GT"
PRODUCER = "accessctl"
_ELSEWHERE = "\uffff"  # a noncharacter, which no printable text holds
_SAVING = threading.Lock()
# Inside ( ) of a PDF string: everything but printable ASCII, and the three signs with a meaning there, in octal (ISO
# 32000-1, 7.3.4.2).
_ESCAPES = {code: f"\\{code:03o}" for code in [*range(32), *range(127, 256), *map(ord, "\\()")]}


def _load() -> dict[Face, Any]:
    fonts = {face: ttfonts.TTFont(face.value.removesuffix(".ttf"), str(FONTS / face)) for face in Face}
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    return fonts


_FONTS = _load()


def glyphs(face: Face) -> frozenset[int]:
    """Code points that the face can draw."""
    return frozenset(_FONTS[face].face.charToGlyph)


def advances(face: Face) -> dict[int, float]:
    """Width of each code point of the face, in units of the font size."""
    widths: dict[int, float] = _FONTS[face].face.charWidths
    return {code: width / 1000 for code, width in widths.items()}


def _colour(colour: Colour, operator: str) -> str:
    red, green, blue = colour
    return f"{red:.3f} {green:.3f} {blue:.3f} {operator}"


class _Codes(dict[int, str]):
    """For `str.translate`: a code point becomes its escaped code in the face's first subset of the document.

    A subset has 256 codes. Spanish never leaves the first; what does is `_ELSEWHERE` here, and written by `parts`.
    """

    def __init__(self, font: Any, document: Any) -> None:
        super().__init__()
        self._font, self._document = font, document

    def __missing__(self, code: int) -> str:
        ((subset, codes),) = self._font.splitString(chr(code), self._document)
        self[code] = codes.decode("latin-1").translate(_ESCAPES) if subset == 0 else _ELSEWHERE
        return self[code]

    def name(self, subset: int) -> str:
        """The subset's name in the document."""
        name: str = self._font.getSubsetInternalName(subset, self._document)
        return name

    def parts(self, text: str) -> list[tuple[str, str]]:
        """The text as names of subsets and escaped codes in them."""
        return [
            (self.name(subset), codes.decode("latin-1").translate(_ESCAPES))
            for subset, codes in self._font.splitString(text, self._document)
        ]


class Pen:
    """Draws one document, page after page; the origin is the lower left corner. Text must have passed
    `text.printable`.
    """

    def __init__(self, write: Write, *, size: Size, title: str, subject: str, author: str, at: datetime) -> None:
        """Each page goes to `write` as it ends; `at` (with offset) becomes the creation date of the metadata."""
        self._document: Any = pdfdoc.PDFDocument(compression=1, invariant=1, lang=LANGUAGE)
        self._document.setTitle(title)
        self._document.setSubject(subject)
        self._document.setAuthor(author)
        self._document.setCreator(PRODUCER)
        self._document.setProducer(PRODUCER)
        stamp = at.strftime("D:%Y%m%d%H%M%S%z")  # -0600 becomes -06'00'
        self._document.setDateFormatter(lambda *_: f"{stamp[:-2]}'{stamp[-2:]}'")
        self._catalog: Any = self._document.Catalog
        self._catalog.Outlines = None
        self._catalog.ViewerPreferences = pdfdoc.ViewerPreferencesPDFDictionary()
        self._catalog.ViewerPreferences["DisplayDocTitle"] = "true"
        self._codes = {face: _Codes(font, self._document) for face, font in _FONTS.items()}
        self._file = PdfFile(write)
        self._box = b"[0 0 %.2f %.2f]" % size
        self._code: list[str] = []
        self._stamps: dict[str, str] = {}  # their names in the document
        self._pages = array("L")  # the numbers of their objects
        fonts = pdfdoc.PDFResourceDictionary()
        fonts.basicFonts()
        self._resources = pdfdoc.PDFResourceDictionary()
        self._resources.basicFonts()
        self._parent = self._number()  # of all pages
        self._catalog.Pages = f"{self._parent} 0 R"
        self._of_pages, self._of_stamps = self._refer(self._resources), self._refer(fonts)

    def text(
        self, x: float, y: float, text: str, *, size: float, face: Face = Face.REGULAR, colour: Colour = INK
    ) -> None:
        """One line of text on the baseline y."""
        self.texts([(x, y, text)], size=size, face=face, colour=colour)

    def texts(
        self,
        placed: Iterable[tuple[float, float, str]],
        *,
        size: float,
        face: Face = Face.REGULAR,
        colour: Colour = INK,
    ) -> None:
        """Many lines of the same look in one text object: (x, baseline y, text)."""
        codes = self._codes[face]
        first = f"{codes.name(0)} {size:.2f} Tf"
        column: dict[float, str] = {}  # few x recur for many lines, and to write a number costs more than to find it
        code = ["BT", _colour(colour, "rg"), first]
        row, up = 0.0, "0.00"
        for x, y, text in placed:
            if y != row:
                row, up = y, f"{y:.2f}"
            across = column.get(x)
            if across is None:
                across = column[x] = f"{x:.2f}"
            escaped = text.translate(codes)
            if _ELSEWHERE in escaped:
                code.append(f"1 0 0 1 {across} {up} Tm")
                code += [f"{subset} {size:.2f} Tf ({part}) Tj" for subset, part in codes.parts(text)]
                code.append(first)
            else:
                code.append(f"1 0 0 1 {across} {up} Tm ({escaped}) Tj")
        code.append("ET")
        self._code.append("\n".join(code))

    def lines(
        self, segments: Iterable[tuple[float, float, float, float]], *, weight: float = 0.5, colour: Colour = INK
    ) -> None:
        """Straight lines from (x1, y1) to (x2, y2)."""
        code = [f"q {weight:.2f} w", _colour(colour, "RG")]
        code += [f"{x1:.2f} {y1:.2f} m {x2:.2f} {y2:.2f} l" for x1, y1, x2, y2 in segments]
        self._code.append("\n".join([*code, "S Q"]))

    def boxes(self, boxes: Iterable[tuple[float, float, float, float]], *, colour: Colour = ACCENT) -> None:
        """Filled rectangles (x, y, width, height) in one path, so that neighbours show no seam."""
        code = [
            "q",
            _colour(colour, "rg"),
            *(f"{x:.3f} {y:.3f} {width:.3f} {height:.3f} re" for x, y, width, height in boxes),
        ]
        self._code.append("\n".join([*code, "f Q"]))

    def frame(
        self, x: float, y: float, width: float, height: float, *, weight: float = 0.6, colour: Colour = INK
    ) -> None:
        """An empty rectangle."""
        outline = f"{x:.2f} {y:.2f} {width:.2f} {height:.2f} re S Q"
        self._code.append(f"q {weight:.2f} w {_colour(colour, 'RG')}\n{outline}")

    def curves(
        self,
        paths: Iterable[Iterable[tuple[float, ...]]],
        *,
        clip: tuple[float, float, float, float],
        weight: float,
        colour: Colour = INK,
    ) -> None:
        """Open curves with round ends, seen only inside `clip`. A path is a point (x, y), then cubic pieces (x1, y1,
        x2, y2, x3, y3).
        """
        code = [
            f"q {clip[0]:.2f} {clip[1]:.2f} {clip[2]:.2f} {clip[3]:.2f} re W n 1 J 1 j {weight:.2f} w",
            _colour(colour, "RG"),
        ]
        for path in paths:
            code += [
                " ".join(f"{value:.2f}" for value in piece) + (" m" if len(piece) == 2 else " c") for piece in path
            ]
        self._code.append("\n".join([*code, "S Q"]))

    def stamp(self, name: str, draw: Callable[[], None]) -> None:
        """Draw once what every page shows; only between pages."""
        draw()
        number = self._number()
        about = b"/Type /XObject /Subtype /Form /BBox %b /Resources %b" % (self._box, self._of_stamps)
        self._file.add_stream(number, about, self._drawn())
        self._stamps[name] = f"S{len(self._stamps) + 1}"
        self._resources.XObject[self._stamps[name]] = f"{number} 0 R"

    def place(self, name: str) -> None:
        """Show a stamp on this page."""
        self._code.append(f"/{self._stamps[name]} Do")

    def end_page(self) -> None:
        """Close the page and write it out; nothing of it is kept but its number."""
        contents, page = self._number(), self._number()
        self._file.add_stream(contents, b"", self._drawn())
        about = (self._parent, self._box, self._of_pages, contents)
        self._file.add(page, b"<< /Type /Page /Parent %d 0 R /MediaBox %b /Resources %b /Contents %d 0 R >>" % about)
        self._pages.append(page)

    def finish(self) -> None:
        """Write what the pages share, and the end of the file. The pen is used up."""
        document = self._document
        kids = b" ".join([b"%d 0 R" % number for number in self._pages])
        self._file.add(self._parent, b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(self._pages), kids))
        root, info = self._refer(self._catalog), self._refer(document.info)
        with _SAVING:
            for font in document.delayedFonts:
                font.addObjects(document)
            for number in count(1):  # writing an object may add others
                if number > document.objectcounter:
                    break
                if number not in self._file:
                    held = document.idToObject[document.numberToId[number]]
                    self._file.add(number, pdfdoc.format(held, document, toplevel=1))
        self._file.finish(root=root, info=info)

    def _number(self) -> int:
        """The number of a new object, which we write and reportlab does not know."""
        self._document.objectcounter += 1
        number: int = self._document.objectcounter
        return number

    def _refer(self, held: Any) -> bytes:
        """A reference to an object of reportlab's, which is written at the end."""
        reference: bytes = self._document.Reference(held).format(self._document)
        return reference

    def _drawn(self) -> bytes:
        """What was drawn since the last time, as operators."""
        code, self._code = "\n".join(self._code), []
        return code.encode("ascii")
